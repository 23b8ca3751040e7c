"""What memory limits, small objects and ten times the data cost `analyzer run`: one table.

    python tests/bench/limits.py --pairs 1000000 --times 10 --limits 1GB 512MB

Every run is cold, with a cache of its own. The runs go in turn, round after round. A run that ends
with an error is a row with its exit code, not the end of the benchmark; one that decides must find
what the data were made with. The tables are printed as Markdown on stdout, progress on stderr.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

# `python tests/bench/limits.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.analyzer_runs import DECIDED, Failed, Workspace
from tests.bench.ingest import described, objects_for, prepared, warmed
from tests.bench.measure import Measured, folder_bytes, machine, said, versions, warn_if_busy
from tests.bench.results import (
    READING,
    Ratio,
    cpus,
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

    from tests.bench.load import Load

_START_PAIRS, _START_OBJECTS = 200, 2


@dataclass
class Case:
    """One way to run, and what came of it, one number a round.

    Attributes:
        cache_bytes: what its cache held at its end.
    """

    title: str
    load: Load
    memory_limit: str | None = None
    runs: list[Measured] = field(default_factory=list)
    cache_bytes: list[int] = field(default_factory=list)

    def run(self, workspace: Path) -> None:
        """Once more, cold.

        Raises:
            Failed: it decided, and not on what is there.
        """
        space = Workspace(workspace, self.memory_limit)
        done = space.run(self.load)
        if done.exit_code in DECIDED:
            space.check(self.load.day)
        else:
            said(space.said)
        self.runs.append(done)
        self.cache_bytes.append(folder_bytes(space.cache))
        space.remove()
        said(
            f"{self.title}: {self.ended}, {done.wall_s:.2f} s, CPU {done.cpu_s:.2f} s, peak "
            f"{done.peak_bytes / 1e6:.0f} MB, spilled {done.spilled_bytes / 1e6:.0f} MB"
        )

    @property
    def finished(self) -> bool:
        """Whether every run decided."""
        return all(run.exit_code in DECIDED for run in self.runs)

    @property
    def ended(self) -> str:
        """How the runs ended."""
        bad = sorted({run.exit_code for run in self.runs} - DECIDED)
        return f"exit code {', '.join(map(str, bad))}" if bad else "finished"

    def row(self) -> list[str]:
        """Its row of the table."""
        spilled = [run.spilled_bytes / 1e6 for run in self.runs]
        cache = [size / 1e6 for size in self.cache_bytes]
        figures = [walls(self.runs), cpus(self.runs), peaks(self.runs), spilled, cache]
        return [self.title, self.ended, *map(spread, figures)]


@dataclass(frozen=True)
class Cases:
    """All that is run, in order; each ratio is of two of them."""

    start: Case
    usual: Case
    small_objects: Case
    large: Case
    limited: list[Case]
    times: int

    def __iter__(self) -> Iterator[Case]:
        yield from (self.start, self.usual, self.small_objects, self.large)
        yield from self.limited

    def ratios(self) -> Iterator[Ratio]:
        """What was promised, of what finished."""
        usual, small, large = self.usual, self.small_objects, self.large
        if usual.finished and small.finished:
            title = f"wall: {small.title} / {usual.title}"
            yield ratio(title, walls(small.runs), walls(usual.runs), "<= 2")
        if usual.finished and large.finished:
            start = walls(self.start.runs)
            yield ratio(
                f"wall less start-up: {large.title} / {usual.title}",
                _less(walls(large.runs), start),
                _less(walls(usual.runs), start),
                f"<= {shown(1.05 * self.times)}",
            )
        for case in self.limited:
            if case.finished and large.finished:
                title = f"wall: {case.title} / {large.title}"
                yield ratio(title, walls(case.runs), walls(large.runs), "<= 1.5")
        for case in (usual, large):
            if case.finished and all(case.cache_bytes):
                raw = [case.load.day.size] * len(case.runs)
                yield ratio(
                    f"bytes: captures / cache, {case.title}", raw, case.cache_bytes, ">= 12"
                )

    def markdown(self, rounds: int) -> str:
        """The tables and what they stand on."""
        header = ["", "ended", "wall s", "CPU s", "peak RSS MB", "spilled MB", "cache MB"]
        loads = dict.fromkeys(described(case.load) for case in self)
        lines = [
            *(f"- {load}" for load in loads),
            "",
            f"Rounds: {rounds}, runs in turn, page cache warmed before.",
            f"Machine: {machine()}. {versions('shadow-analyzer', 'duckdb')}.",
            "",
            table(header, (case.row() for case in self)),
            f"{READING} Spilled is the most seen in the temporary folder.",
            "",
            ratio_table(self.ratios()),
        ]
        return "\n".join(lines).rstrip() + "\n"


def _less(values: list[float], start: list[float]) -> list[float]:
    return [value - first for value, first in zip(values, start, strict=True)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure `analyzer run` at its limits.")
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=10, help="how much larger the large load is")
    parser.add_argument("--objects", type=int, help="default: 400, and 2000 from 5 million pairs")
    parser.add_argument("--small-objects", type=int, default=20_000)
    parser.add_argument("--large-objects", type=int, help="as --objects, of the large load")
    parser.add_argument("--limits", nargs="*", default=["1GB", "512MB"])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the data here; default: made, removed")
    given = parser.parse_args(arguments)
    large_pairs = given.pairs * given.times
    with tempfile.TemporaryDirectory(prefix="analyzer-bench-") as held:
        scratch = Path(held)
        folder = (given.folder or scratch / "loads").resolve()
        warn_if_busy()
        try:
            start = prepared(folder, _START_PAIRS, _START_OBJECTS)
            usual = prepared(folder, given.pairs, given.objects or objects_for(given.pairs))
            small = prepared(folder, given.pairs, given.small_objects)
            large = prepared(folder, large_pairs, given.large_objects or objects_for(large_pairs))
            cases = Cases(
                start=Case("start-up", start),
                usual=Case(_title(usual), usual),
                small_objects=Case(_title(small), small),
                large=Case(_title(large), large),
                limited=[
                    Case(f"{_title(large)}, `--memory-limit {limit}`", large, limit)
                    for limit in given.limits
                ],
                times=given.times,
            )
            for load in (usual, small, large):
                warmed(load, scratch)
            for _ in range(given.rounds):
                for case in cases:
                    case.run(scratch / "workspace")
        except (Failed, ValueError) as error:
            sys.exit(f"error: {error}")
        sys.stdout.write(cases.markdown(given.rounds))


def _title(load: Load) -> str:
    return f"{load.day.pairs / 1e6:g} M pairs, {load.day.objects} objects"


if __name__ == "__main__":
    main()
