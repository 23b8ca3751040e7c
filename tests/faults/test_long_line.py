"""One line as large as a disk image: counted as oversize, and never held in memory."""

from __future__ import annotations

import io
import json
import subprocess
import sys
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
    from pathlib import Path

PEAK = (
    "import resource, sys; from unittest import mock; from analyzer.__main__ import main\n"
    "mock.patch('analyzer.report.html.page._drawings', return_value={}).start()\n"
    "try: main()\n"
    "except SystemExit as ended: code = ended.code\n"
    "print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)"
)
MIB = 1 << 20


def peak_mib(folder: Path, line_mib: int) -> int:
    """The largest resident memory of a run over captures with one line of that size."""
    source = folder / "captures"
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
    out = folder / "out"
    arguments = ["run", str(source), "--no-cache", "--quiet", "--out", str(out)]
    ended = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments],
        env=surroundings(folder / "cache"),
        capture_output=True,
        text=True,
        check=False,
    )
    code, peak = ended.stderr.split()[-2:]
    assert code == "10", ended.stderr
    ledger = json.loads((out / "verdict.json").read_bytes())["ledger"]
    assert ledger["rejects_by_code"] == {"malformed.oversize": 1}
    assert ledger["pairs"] == len(others) + 1
    assert ledger["balanced"]
    return int(peak)


def test_a_line_three_times_as_long_takes_little_more_memory(tmp_path: Path) -> None:
    """What is read ahead is bounded; how the allocator lays it out is not ours."""
    if sys.platform != "linux":
        pytest.skip("ru_maxrss is in other units elsewhere")
    shorter = examples(100, whole=300)
    smaller, larger = (peak_mib(tmp_path / str(size), size) for size in (shorter, 3 * shorter))
    assert larger - smaller < 150
