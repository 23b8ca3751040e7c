"""How fast `analyzer run` reads captures, beside what else could: one table, made in one run.

    python tests/bench/ingest.py --pairs 1000000 --rounds 3

Everything is measured, not only a query: discovery, the ledger, pairing, all statistics, the
bundle, the start of the interpreter. Contenders run in turn, each in its own process, round after
round, so that what disturbs the machine disturbs all of them. Each must find what the data were
made with. The tables are printed as Markdown on stdout, progress on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

# `python tests/bench/ingest.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.analyzer_runs import Failed, Workspace, expected_of, knows_no_cache, require
from tests.bench.load import SEED, Load, load_name, read
from tests.bench.measure import (
    ROOT,
    Measured,
    folder_bytes,
    machine,
    measured,
    said,
    versions,
    warn_if_busy,
)
from tests.bench.results import (
    READING,
    Ratio,
    cpus,
    grouped,
    peaks,
    ratio,
    ratio_table,
    shown,
    spread,
    table,
    walls,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COLD, AGAIN, GROWN, UNCACHED = "cold", "again", "grown", "uncached"
SCAN, PARSE, NOTEBOOK, PANDAS = "scan", "parse", "notebook", "pandas"
TITLES = {
    COLD: "**`analyzer run`, cold**",
    AGAIN: "`analyzer run`, nothing new",
    GROWN: "`analyzer run`, {more:.1f} % more objects",
    UNCACHED: "`analyzer run --no-cache`",
    SCAN: "every byte read",
    PARSE: "pysimdjson: every line parsed, one thread",
    NOTEBOOK: "json.loads + dict",
    PANDAS: "pandas: read_json + merge",
}
_NEEDS = {PARSE: ("simdjson", "pysimdjson"), PANDAS: ("pandas", "pandas")}
_MANY_PAIRS = 5_000_000


@dataclass(frozen=True)
class Comparison:
    """What one command measured.

    Attributes:
        runs: contender -> one measurement a round.
        left_out: contender -> why it did not run.
        cache_bytes: one number a round; empty where no cache is kept.
    """

    load: Load
    rounds: int
    runs: dict[str, list[Measured]]
    left_out: dict[str, str]
    cache_bytes: list[int]

    def title(self, name: str) -> str:
        """A contender's name in the tables."""
        more = self.load.grown.objects / self.load.day.objects - 1
        return TITLES[name].format(more=100 * more)

    def ratios(self) -> Iterator[Ratio]:
        """The ratios that were promised, of what ran."""
        cold = self.runs[COLD]
        for name, least in ((NOTEBOOK, 6), (PANDAS, 15)):
            if runs := self.runs.get(name):
                title = f"wall: {TITLES[name]} / `analyzer run` cold"
                yield ratio(title, walls(runs), walls(cold), f">= {least}")
        if runs := self.runs.get(PANDAS):
            title = f"peak RSS: {TITLES[PANDAS]} / `analyzer run` cold"
            yield ratio(title, peaks(runs), peaks(cold), ">= 5")
        if runs := self.runs.get(PARSE):
            title = "CPU: `analyzer run` cold / pysimdjson"
            yield ratio(title, cpus(cold), cpus(runs), "<= 3")
        for name, most in ((AGAIN, 0.1), (GROWN, 0.15)):
            if runs := self.runs.get(name):
                title = f"wall: {self.title(name)} / cold"
                yield ratio(title, walls(runs), walls(cold), f"<= {most}")
        most_mb = 500 if self.load.day.pairs < _MANY_PAIRS else 1074
        yield Ratio("peak RSS of `analyzer run` cold, MB", peaks(cold), f"<= {most_mb}")
        if self.cache_bytes:
            raw = [self.load.day.size] * self.rounds
            yield ratio("bytes: captures / cache", raw, self.cache_bytes, ">= 12")

    def markdown(self) -> str:
        """The tables and what they stand on."""
        day, cold = self.load.day, self.runs[COLD]
        rows = [
            [
                self.title(name),
                spread(walls(runs)),
                spread(cpus(runs)),
                spread(peaks(runs)),
                spread(ratio("", walls(runs), walls(cold)).values),
                spread(ratio("", cpus(runs), cpus(cold)).values),
            ]
            for name, runs in self.runs.items()
        ]
        header = ["", "wall s", "CPU s", "peak RSS MB", "wall / cold", "CPU / cold"]
        found = (
            f"Each found the bytes, records, {grouped(day.pairs)} pairs, {grouped(day.flips)} "
            "flips and mean |difference| that the data were made with, as far as it counts them."
        )
        lines = [
            f"{described(self.load)}. Rounds: {self.rounds}, contenders in turn, page cache warm.",
            f"Machine: {machine()}. {_versions()}.",
            "",
            table(header, rows),
            READING,
            found,
            "",
            ratio_table(self.ratios()),
        ]
        lines += [f"Not run: {self.title(name)}: {why}." for name, why in self.left_out.items()]
        if not self.cache_bytes:
            lines.append("No cache of parsed objects was found, so every run read all objects.")
        return "\n".join(lines).rstrip() + "\n"


def described(load: Load) -> str:
    """A load in figures."""
    day = load.day
    return (
        f"{grouped(day.pairs)} pairs: {grouped(day.lines)} records, {shown(day.size / 1e9)} GB in "
        f"{grouped(day.objects)} objects"
    )


def prepared(folder: Path, pairs: int, objects: int, seed: int = SEED) -> Load:
    """A load among others in a folder, written first where it is not there yet.

    Written by a process of its own: this one must stay small.
    """
    place = folder / load_name(pairs, objects)
    found = read(place, pairs, objects, seed)
    if found is None:
        said(f"writing {grouped(pairs)} pairs in {grouped(objects)} objects to {place}")
        folder.mkdir(parents=True, exist_ok=True)
        numbers = ["--pairs", str(pairs), "--objects", str(objects), "--seed", str(seed)]
        writer = [sys.executable, "tests/bench/capture_load.py", "--folder", str(place.resolve())]
        subprocess.run([*writer, *numbers], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        os.sync()
        found = read(place, pairs, objects, seed)
    if found is None:
        raise Failed(f"{place}: was not written")
    found.shrink()  # what a run that was cut off left behind
    return found


def warmed(load: Load, scratch: Path) -> None:
    """Read every object once, and let Python compile what it will import."""
    _contended(SCAN, load, scratch)
    imported = "import analyzer.analysis, analyzer.bundle, analyzer.report.markdown"
    subprocess.run([sys.executable, "-c", imported], cwd=ROOT, check=True)


def compared(load: Load, rounds: int, without: Sequence[str], scratch: Path) -> Comparison:
    """Every contender once a round, in turn.

    Raises:
        Failed: one of them did not finish, or did not find what is there.
    """
    left_out = _left_out(without)
    runs: dict[str, list[Measured]] = {name: [] for name in TITLES if name not in left_out}
    cache_bytes: list[int] = []
    warmed(load, scratch)
    for number in range(rounds):
        workspace = Workspace(scratch / f"round-{number}")
        for name, kept in runs.items():
            done = _one(name, load, workspace, scratch)
            kept.append(done)
            said(
                f"round {number + 1} of {rounds}: {name}: {done.wall_s:.2f} s, "
                f"CPU {done.cpu_s:.2f} s, peak {done.peak_bytes / 1e6:.0f} MB"
            )
            if name == COLD and workspace.cache.exists():
                cache_bytes.append(folder_bytes(workspace.cache))
        workspace.remove()
    return Comparison(load, rounds, runs, left_out, cache_bytes)


def _one(name: str, load: Load, workspace: Workspace, scratch: Path) -> Measured:
    if name in {COLD, AGAIN}:
        return workspace.decided(load)
    if name == UNCACHED:
        return Workspace(workspace.folder / "uncached").decided(load, cached=False)
    if name != GROWN:
        return _contended(name, load, scratch)
    load.grow()
    try:
        return workspace.decided(load, grown=True)
    finally:
        load.shrink()


def _contended(name: str, load: Load, scratch: Path) -> Measured:
    place = scratch / name
    command = [sys.executable, "tests/bench/contenders.py", name, *map(str, load.variants())]
    done = measured(command, place, {})
    if done.exit_code:
        said_last = (place / "stderr").read_text(encoding="utf-8", errors="replace").strip()
        raise Failed(f"{name} ended with {done.exit_code}: {said_last}")
    found = json.loads((place / "stdout").read_bytes())
    found.pop("quantiles", None)
    require(name, found, expected_of(load.day))
    return done


def _left_out(without: Sequence[str]) -> dict[str, str]:
    reasons = dict.fromkeys(without, "by --without")
    for name, (module, package) in _NEEDS.items():
        if name not in reasons and find_spec(module) is None:
            reasons[name] = f"{package} is not installed (extra `bench`)"
    if UNCACHED not in reasons and not knows_no_cache():
        reasons[UNCACHED] = "this version has no such option"
    return reasons


def _versions() -> str:
    return versions("shadow-analyzer", "duckdb", "numpy", "pysimdjson", "pandas")


def objects_for(pairs: int) -> int:
    """As many objects as a day of that traffic leaves."""
    return 400 if pairs < _MANY_PAIRS else 2_000


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Compare `analyzer run` with what else could.")
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--objects", type=int, help="default: 400, and 2000 from 5 million pairs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--folder", type=Path, help="keep the data here; default: made, removed")
    choices = [name for name in TITLES if name != COLD]
    parser.add_argument("--without", action="append", default=[], choices=choices)
    given = parser.parse_args(arguments)
    objects = given.objects or objects_for(given.pairs)
    with tempfile.TemporaryDirectory(prefix="analyzer-bench-") as held:
        scratch = Path(held)
        folder = given.folder or scratch / "loads"
        warn_if_busy()
        try:
            load = prepared(folder.resolve(), given.pairs, objects, given.seed)
            done = compared(load, given.rounds, given.without, scratch)
        except (Failed, ValueError) as error:
            sys.exit(f"error: {error}")
        sys.stdout.write(done.markdown())


if __name__ == "__main__":
    main()
