"""One line as large as a disk image: counted as oversize, and never held in memory."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.examples import examples
from tests.faults.shadow_tests import (
    PRODUCTION,
    SHADOW,
    aged,
    hour_lines,
    object_path,
    put_object,
    surroundings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PEAKS = """
import json, resource, sys
from analyzer import analysis
from analyzer.console.progress import silent
for source in sys.argv[1:]:
    done = analysis.run(analysis.Request(source=source, use_cache=False), silent)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(json.dumps([done.verdict.ledger.model_dump(), peak_mib]))
"""
"""The ledger of each run, and the most memory that was resident until it ended."""
MIB = 1 << 20


def put_captures(source: Path, line_mib: int) -> Path:
    """Captures with one line of that size."""
    for variant in (PRODUCTION, SHADOW):
        first, *others = hour_lines(0, variant)
        path = put_object(object_path(source, variant, 0), first + b"\n")
        with path.open("ab") as file:
            if variant == SHADOW:
                file.truncate(path.stat().st_size + line_mib * MIB)  # zeros that take no disk
                file.seek(0, io.SEEK_END)
                file.write(b"\n")
            file.write(b"".join(b"%s\n" % text for text in others))
        aged(path)
    return source


def peaks_mib(sources: Iterable[Path], cache: Path) -> Iterator[int]:
    """After a run over each, one after the other in one process; checks their ledgers."""
    ended = subprocess.run(
        [sys.executable, "-c", PEAKS, *map(str, sources)],
        env=surroundings(cache),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    for told in ended.stdout.splitlines():
        ledger, peak = json.loads(told)
        assert ledger["rejects_by_code"] == {"malformed.oversize": 1}
        assert ledger["pairs"] == 12
        assert ledger["balanced"]
        yield peak


def test_a_line_200_mib_longer_takes_little_more_memory(tmp_path: Path) -> None:
    """What is read ahead is bounded; how the allocator lays it out is not ours."""
    if sys.platform != "linux":
        pytest.skip("ru_maxrss is in other units elsewhere")
    shorter, longer = examples(20, whole=300), examples(220, whole=900)
    sources = [put_captures(tmp_path / str(size), size) for size in (shorter, longer)]
    smaller, larger = peaks_mib(sources, tmp_path / "cache")
    assert larger - smaller < 150
