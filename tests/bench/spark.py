"""What `--engine spark` costs beside DuckDB alone and beside Spark's own way: one table.

    python tests/bench/spark.py --pairs 1000000 --folder /tmp/loads

Runs in turn, each a process of its own, on the cores that its master names: `analyzer run
--no-cache`, the same with `--engine spark` on one core and on two, on next to nothing (what
starting Spark costs), and a PySpark script that does by itself what `contenders.notebook` does, a
small part of the job: `spark.read.json` finds the schema, the first number of each CSV output is
its score, a join on the inference ID, mean |difference|, flips, and q50, q90 and q99.
Each must find what the data were made with. Memory and CPU are looked at ten times a second, for
every process that a run has started. The table is printed as Markdown on stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

# `python tests/bench/spark.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.analyzer_runs import Failed, expected_of, found_by, require
from tests.bench.ingest import described, objects_for, prepared, warmed
from tests.bench.measure import ROOT, machine, said, versions, warn_if_busy
from tests.bench.results import Ratio, ratio_table, spread, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.load import Load

HERE, ONE, TWO, START, PLAIN = "here", "one", "two", "start", "plain"
TITLES = {
    HERE: "`analyzer run --no-cache`",
    ONE: "`--engine spark`, `local[1]`",
    TWO: "`--engine spark`, `local[2]`",
    START: "the same of 200 pairs",
    PLAIN: "`spark.read.json` and a join, `local[2]`",
}
_LOOK_S = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_START_PAIRS, _START_OBJECTS = 200, 2
_LABEL_AT = 0.5


@dataclass
class Tree:
    """What a process and all that it started took.

    Attributes:
        peaks: kind of process -> bytes of its largest at any look.
        together: most bytes of all processes at one look; pages they share count in each.
    """

    wall_s: float = 0.0
    peaks: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    together: int = 0
    _cpu: dict[int, float] = field(default_factory=dict)

    @property
    def cpu_s(self) -> float:
        """User and system time of all of them, up to the last look at each."""
        return sum(self._cpu.values())

    def look(self, root: int) -> None:
        """Look at every process below `root`, and at itself."""
        total = 0
        for pid, kind, cpu_s, size in _below(root):
            self._cpu[pid] = cpu_s
            self.peaks[kind] = max(self.peaks[kind], size)
            total += size
        self.together = max(self.together, total)


def _below(root: int) -> Iterator[tuple[int, str, float, int]]:
    """Number, kind, seconds of CPU and resident bytes of a process and its descendants."""
    children: dict[int, list[int]] = defaultdict(list)
    known: dict[int, tuple[str, float, int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            name, _, rest = (entry / "stat").read_text("utf-8", "replace").rpartition(")")
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        fields = rest.split()
        children[int(fields[1])].append(int(entry.name))
        kind = "Java" if name.endswith("(java") else "task" if b"pyspark" in words else "driver"
        cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS
        known[int(entry.name)] = (kind, cpu_s, int(fields[21]) * _PAGE)
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid in known:
            yield (pid, *known[pid])
        waiting += children[pid]


def looked_at(command: Sequence[str], scratch: Path) -> tuple[Tree, int]:
    """Run a command to its end; what it took, and its exit code."""
    temporary = scratch / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    set_ = {"TMPDIR": str(temporary), "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}
    tree, ended = Tree(), threading.Event()
    with (scratch / "stdout").open("wb") as out, (scratch / "stderr").open("wb") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **set_}, stdout=out, stderr=err
        )

        def watch() -> None:
            while not ended.wait(_LOOK_S):
                tree.look(process.pid)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        code = process.wait()
        tree.wall_s = time.perf_counter() - began
        ended.set()
        watcher.join()
    return tree, code


def run(name: str, load: Load, scratch: Path) -> Tree:
    """One contender over a load.

    Raises:
        Failed: it did not finish, or did not find what is there.
    """
    place = scratch / name
    bundle = place / "bundle"
    if name == PLAIN:
        command = [sys.executable, __file__, "--plain", *map(str, load.variants())]
    else:
        command = [sys.executable, "-m", "analyzer", "run", str(load.captures), "--no-cache"]
        command += ["--quiet", "--fail-on", "never", "--out", str(bundle)]
        for metrics in load.metrics():
            command += ["--cloudwatch", str(metrics)]
        if name != HERE:
            master = "local[1]" if name == ONE else "local[2]"
            command += ["--engine", "spark", "--master", master]
    done, code = looked_at(command, place)
    if code:
        raise Failed(f"{name} ended with {code}: {(place / 'stderr').read_text('utf-8')[-2_000:]}")
    if name == PLAIN:
        found = json.loads((place / "stdout").read_bytes())
        found.pop("quantiles")
    else:
        found = found_by(json.loads((bundle / "verdict.json").read_bytes()))
    require("analyzer run" if name != PLAIN else name, found, expected_of(load.day))
    return done


def plain(production: str, shadow: str) -> dict[str, Any]:
    """Pairs, flips, and mean and quantiles of |difference|, as a Spark user would write it."""
    from pyspark.sql import SparkSession, functions

    # exact quantiles of ten million do not fit into the gigabyte that Spark takes by itself
    builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", "4g")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")

    def scores(folder: str, name: str):  # type: ignore[no-untyped-def] # noqa: ANN202 - no stubs
        records = session.read.option("recursiveFileLookup", "true").json(folder)
        return records.select(
            functions.col("eventMetadata.inferenceId").alias("id"),
            functions.split("captureData.endpointOutput.data", ",")[0].cast("double").alias(name),
        )

    pairs = scores(production, "ours").join(scores(shadow, "theirs"), "id")
    flips = (functions.col("ours") >= _LABEL_AT) != (functions.col("theirs") >= _LABEL_AT)
    difference = functions.abs(functions.col("theirs") - functions.col("ours"))
    (row,) = pairs.select(
        functions.count("*").alias("pairs"),
        functions.sum(flips.cast("long")).alias("flips"),
        functions.avg(difference).alias("mean"),
        functions.percentile(difference, functions.lit([0.5, 0.9, 0.99])).alias("quantiles"),
    ).collect()
    return {
        "pairs": row.pairs,
        "flips": row.flips,
        "mean_absolute_difference": row["mean"],
        "quantiles": list(row.quantiles),
    }


def moved(load: Load, master: str, scratch: Path) -> dict[str, int]:
    """Bytes of pieces that a run with a label for every second request shuffles, and that its
    driver takes in; slower than a run."""
    from pyspark.sql import functions

    from analyzer import analysis
    from analyzer.console.progress import silent
    from analyzer.spark.driver import SparkEngine, SparkPlan

    seen: dict[str, int] = defaultdict(int)
    spread_, answers = SparkEngine.spread, SparkEngine.answers

    def count(name: str, frame: Any) -> None:  # noqa: ANN401 - Spark's
        sizes = frame.groupBy("name").agg(functions.sum(functions.length("data")).alias("size"))
        for row in sizes.collect():
            table = "" if row["name"].startswith("?") else row["name"]
            seen[f"{name} {table}".strip()] += row["size"] or 0

    def spread_counted(engine: SparkEngine, frame: Any, by: str, parts: int) -> Any:  # noqa: ANN401
        shuffled = engine.kept(spread_(engine, frame, by, parts))
        count(f"shuffled by {by},", shuffled)
        return shuffled

    def answers_counted(engine: SparkEngine, frame: Any) -> Any:  # noqa: ANN401
        found = answers(engine, frame)
        count("answers", frame.filter(frame.name.startswith("?")))
        return found

    metrics = tuple(map(str, load.metrics()))
    labels = str(_labels(load, scratch))
    plan = SparkPlan(master)
    asked = analysis.Request(str(load.captures), cloudwatch=metrics, labels=labels, spark=plan)
    with (
        patch.object(SparkEngine, "spread", spread_counted),
        patch.object(SparkEngine, "answers", answers_counted),
    ):
        analysis.run(asked, silent)
    return dict(seen)


def _labels(load: Load, scratch: Path) -> Path:
    """A label for every second request."""
    production, _ = load.variants()
    labels = scratch / "labels.csv"
    with labels.open("w", encoding="utf-8") as stream:
        stream.write("id,label\n")
        for path in sorted(Path(production).rglob("*.jsonl")):
            ids = re.findall(r'"inferenceId":"([^"]+)"', path.read_text("utf-8"))
            stream.writelines(f"{one},1\n" for one in ids[::2])
    return labels


def markdown(load: Load, runs: dict[str, list[Tree]]) -> str:
    """The table and the ratios that were promised."""
    header = ["", "wall s", "CPU s", "driver MB", "Java MB", "task MB", "all MB"]
    rows = []
    for name, trees in runs.items():
        peaks = [[tree.peaks[kind] / 1e6 for tree in trees] for kind in ("driver", "Java", "task")]
        walls, cpus = [tree.wall_s for tree in trees], [tree.cpu_s for tree in trees]
        sums = [tree.together / 1e6 for tree in trees]
        rows.append([TITLES[name], *(spread(values) for values in (walls, cpus, *peaks, sums))])
    lines = [
        f"{described(load)}. Rounds: {len(runs[HERE])}, in turn, page cache warm.",
        f"Machine: {machine()}. {versions('shadow-analyzer', 'duckdb', 'pyspark')}.",
        "",
        table(header, rows),
        "Median (lowest..highest); MB is the largest process of its kind at any look.",
        "",
        ratio_table(ratios(runs)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def ratios(runs: dict[str, list[Tree]]) -> Iterator[Ratio]:
    """Starting Spark taken off where a ratio says so."""

    def less_start(name: str) -> list[float]:
        pairs = zip(runs[name], runs[START], strict=True)
        return [one.wall_s - start.wall_s for one, start in pairs]

    def divided(above: list[float], below: list[float]) -> list[float]:
        return [one / other for one, other in zip(above, below, strict=True)]

    here = [tree.wall_s for tree in runs[HERE]]
    yield Ratio(
        "wall: Spark `local[2]` less its start / DuckDB", divided(less_start(TWO), here), "<= 2.5"
    )
    yield Ratio("wall: the same, start included", divided([t.wall_s for t in runs[TWO]], here))
    if PLAIN in runs:
        plain_walls = [tree.wall_s for tree in runs[PLAIN]]
        both = divided(plain_walls, [tree.wall_s for tree in runs[TWO]])
        yield Ratio("wall: Spark's own way / `--engine spark`, both with their start", both, ">= 4")
    if ONE in runs:
        yield Ratio(
            "wall: `local[1]` / `local[2]`, start taken off",
            divided(less_start(ONE), less_start(TWO)),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare `--engine spark` with what else could.")
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the data here; default: made, removed")
    parser.add_argument("--without", action="append", default=[], choices=[ONE, PLAIN])
    parser.add_argument("--plain", nargs=2, metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--bytes", action="store_true", help="only count what is moved")
    given = parser.parse_args()
    if given.plain:
        sys.stdout.write(json.dumps(plain(*given.plain)))
        return
    with tempfile.TemporaryDirectory(prefix="analyzer-bench-") as held:
        scratch = Path(held)
        folder = (given.folder or scratch / "loads").resolve()
        warn_if_busy()
        load = prepared(folder, given.pairs, objects_for(given.pairs))
        if given.bytes:
            sys.stdout.write(json.dumps(moved(load, "local[2]", scratch), indent=1) + "\n")
            return
        small = prepared(folder, _START_PAIRS, _START_OBJECTS)
        warmed(load, scratch)
        runs: dict[str, list[Tree]] = {name: [] for name in TITLES if name not in given.without}
        try:
            for number in range(given.rounds):
                for name, kept in runs.items():
                    done = run(name, small if name == START else load, scratch / str(number))
                    kept.append(done)
                    said(f"{name}: {done.wall_s:.1f} s, CPU {done.cpu_s:.1f} s, {dict(done.peaks)}")
        except Failed as error:
            sys.exit(f"error: {error}")
        sys.stdout.write(markdown(load, runs))


if __name__ == "__main__":
    main()
