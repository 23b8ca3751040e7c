"""Where the time of a run goes, from its own progress: above all, after the pairs are found.

    python tests/bench/stages.py --pairs 1000000 --rounds 3

The steps are those `analyzer run` does between parsing its command line and printing, in the same
order, in a process of their own a round, over captures it has read before. A stage lasts from its
first report to the next stage's; nothing in the product is wrapped or replaced. The tables are
printed as Markdown on stdout, progress on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

# `python tests/bench/stages.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.analyzer_runs import Failed, Workspace
from tests.bench.ingest import described, objects_for, prepared, warmed
from tests.bench.measure import machine, measured, said, versions, warn_if_busy
from tests.bench.results import READING, Ratio, ratio_table, spread, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.load import Load

PAIRING = "pairing"
REPORT_STAGE = "report.html"


class Stage(NamedTuple):
    """A part of one run; peak_mb is the largest resident memory up to its end.

    cpu_s counts the process that draws charts too, once it has ended.
    """

    name: str
    wall_s: float
    cpu_s: float
    peak_mb: float


class Stopwatch:
    """A reporter of steps that keeps how long each took; steps may take turns."""

    def __init__(self, first: str) -> None:
        self._stages: dict[str, Stage] = {}
        self._name = first
        self._wall, self._cpu = time.perf_counter(), cpu_s()

    def __call__(self, step: str, _done: int, _total: int | None, /, **_bytes: int | None) -> None:
        """What the analysis calls with its progress."""
        if step != self._name:
            self.enter(step)

    def enter(self, stage: str) -> None:
        """End the present stage and begin another."""
        self._end()
        self._name = stage

    def stages(self) -> list[Stage]:
        """What there was until now, in the order of beginning."""
        self._end()
        return list(self._stages.values())

    def _end(self) -> None:
        wall, cpu = time.perf_counter(), cpu_s()
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        before = self._stages.get(self._name, Stage(self._name, 0.0, 0.0, 0.0))
        self._stages[self._name] = Stage(
            self._name,
            before.wall_s + wall - self._wall,
            before.cpu_s + cpu - self._cpu,
            peak_mb,
        )
        self._wall, self._cpu = wall, cpu


def cpu_s() -> float:
    """Processor seconds of this process and of its children that ended."""
    return sum(os.times()[:4])


def timed(captures: str, metrics: str, out: str) -> list[Stage]:
    """One run inside this process, stage by stage."""
    watch = Stopwatch("imports")
    from analyzer import analysis, bundle
    from analyzer.cli.showing import document
    from analyzer.out_folder import JUNIT, REPORT, SUMMARY
    from analyzer.report import junit, markdown
    from analyzer.report.content import verdict_page

    watch.enter("policy and exports")
    request = analysis.Request(source=captures, cloudwatch=(metrics,), use_cache=False)
    done = analysis.run(request, watch)
    watch.enter(REPORT_STAGE)
    texts = {REPORT: document(done.verdict, done.tables)}
    watch.enter("summary and bundle")
    texts |= {
        SUMMARY: markdown.render(verdict_page(done.verdict)),
        JUNIT: junit.render(done.verdict),
    }
    bundle.write(Path(out), done.verdict, texts, done.tables)
    return watch.stages()


def staged(load: Load, rounds: int, scratch: Path) -> list[list[Stage]]:
    """The stages of each round.

    Raises:
        Failed: a run did not end, or did not find what is there.
    """
    workspace = Workspace(scratch / "workspace")
    workspace.decided(load)
    environment = {"XDG_CACHE_HOME": str(workspace.folder / "cache")}
    (metrics,) = load.metrics()
    given = [str(path) for path in (load.captures, metrics, workspace.bundle)]
    found = []
    for number in range(rounds):
        command = [sys.executable, "tests/bench/stages.py", "--once", *given]
        done = measured(command, workspace.folder, environment)
        if done.exit_code:
            text = (workspace.folder / "stderr").read_text(encoding="utf-8", errors="replace")
            raise Failed(f"the stages ended with {done.exit_code}: {text.strip()}")
        workspace.check(load.day)
        body = json.loads((workspace.folder / "stdout").read_bytes())
        found.append([Stage(*stage) for stage in body])
        said(f"round {number + 1} of {rounds}: {after_pairing(found[-1]):.2f} s after pairing")
    return found


def after_pairing(stages: Sequence[Stage]) -> float:
    """Wall seconds of all stages after the pairs are found, but for drawing the report.

    Raises:
        Failed: no stage is called that.
    """
    names = [stage.name for stage in stages]
    if PAIRING not in names:
        raise Failed(f"no stage is called {PAIRING}: {names}")
    later = stages[names.index(PAIRING) + 1 :]
    return sum(stage.wall_s for stage in later if stage.name != REPORT_STAGE)


def markdown_of(load: Load, rounds: Sequence[Sequence[Stage]]) -> str:
    """The table, and what was promised."""
    rows = [
        [
            same[0].name,
            spread([stage.wall_s for stage in same]),
            spread([stage.cpu_s for stage in same]),
            spread([stage.peak_mb for stage in same]),
        ]
        for same in zip(*rounds, strict=True)
    ]
    lines = [
        f"{described(load)}. Rounds: {len(rounds)}, page cache warm.",
        f"Machine: {machine()}. {versions('shadow-analyzer', 'duckdb', 'numpy', 'polars')}.",
        "",
        table(["stage", "wall s", "CPU s", "peak RSS MB until its end"], rows),
        READING,
        "",
        ratio_table([Ratio("wall s after pairing", [*map(after_pairing, rounds)], "<= 2")]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Time the stages of `analyzer run`.")
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--objects", type=int, help="default: 400, and 2000 from 5 million pairs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the data here; default: made, removed")
    parser.add_argument("--once", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.once:
        sys.stdout.write(json.dumps(timed(*given.once)))
        return
    with tempfile.TemporaryDirectory(prefix="analyzer-bench-") as held:
        scratch = Path(held)
        folder = (given.folder or scratch / "loads").resolve()
        warn_if_busy()
        try:
            load = prepared(folder, given.pairs, given.objects or objects_for(given.pairs))
            warmed(load, scratch)
            rounds = staged(load, given.rounds, scratch)
        except (Failed, ValueError) as error:
            sys.exit(f"error: {error}")
        sys.stdout.write(markdown_of(load, rounds))


if __name__ == "__main__":
    main()
