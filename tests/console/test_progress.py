"""Progress bars: what they show, and when there are none."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stderr
from typing import TYPE_CHECKING

import pytest

from analyzer.console.progress import progress, silent
from analyzer.sources import discover, open_chunks

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.steps import Progress

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(io.StringIO):
    """A stderr that says it is a terminal, wide enough for one line a step."""

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        """What was drawn, without codes and with one space between words."""
        return re.sub(" +", " ", _CODES.sub("", self.getvalue()))


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    return Terminal()


def test_objects_bytes_rate_and_remaining_time_are_shown(terminal: Terminal) -> None:
    clock = Clock()
    with redirect_stderr(terminal), progress(quiet=False, clock=clock) as report:
        report("reading objects", 0, 20_000, bytes_done=0, bytes_total=1_200_000_000)
        for second in range(1, 11):
            clock.now += 1
            report(
                "reading objects",
                1000 * second,
                20_000,
                bytes_done=30_000_000 * second,
                bytes_total=1_200_000_000,
            )
    assert re.search(
        r"reading objects .*10 000 of 20 000 300 MB of 1.20 GB 30\.0 MB/s 0:00:30 left",
        terminal.shown(),
    )


def test_a_listing_shows_what_it_has_found_so_far(terminal: Terminal) -> None:
    clock = Clock()
    with redirect_stderr(terminal), progress(quiet=False, clock=clock) as report:
        for second in range(5):
            clock.now += 1
            report("listing", 1234 * second, None)
    assert "4 936 so far" in terminal.shown()
    assert "1 234/s" in terminal.shown()
    assert "left" not in terminal.shown()


def test_items_alone_have_rate_and_remaining_time_too(terminal: Terminal) -> None:
    clock = Clock()
    with redirect_stderr(terminal), progress(quiet=False, clock=clock) as report:
        for second in range(6):
            clock.now += 1
            report("pairing", 100 * second, 4_100)
    assert re.search(r"500 of 4 100 +100/s +0:00:36 left", terminal.shown())


def test_a_report_too_soon_after_the_last_is_not_drawn_but_the_end_is(terminal: Terminal) -> None:
    clock = Clock()
    with redirect_stderr(terminal), progress(quiet=False, clock=clock) as report:
        for done in range(1, 2001):
            report("listing", done, 2000)
    assert "2 000 of 2 000" in terminal.shown()
    assert "1 000 of 2 000" not in terminal.shown()


def reporter(stderr: io.StringIO, *, quiet: bool) -> Progress:
    with redirect_stderr(stderr), progress(quiet=quiet) as report:
        report("listing", 1, 2)
        return report


def test_nothing_is_drawn_when_nobody_watches(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reporter(terminal, quiet=False) is not silent
    drawn = terminal.getvalue()
    assert reporter(terminal, quiet=True) is silent
    monkeypatch.setenv("NO_COLOR", "1")
    assert reporter(terminal, quiet=False) is silent
    monkeypatch.delenv("NO_COLOR")
    pipe = io.StringIO()
    assert reporter(pipe, quiet=False) is silent
    assert (terminal.getvalue(), pipe.getvalue()) == (drawn, "")


def test_what_reading_reports_can_be_shown(terminal: Terminal, tmp_path: Path) -> None:
    for variant in ("AllTraffic", "Shadow-01"):
        path = tmp_path / variant / "2026/10/05/13/a.jsonl"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"{}\n" * 1000)
    with redirect_stderr(terminal), progress(quiet=False) as report:
        listing = discover(str(tmp_path), on_listed=lambda count: report("listing", count, None))
        list(
            open_chunks(
                listing,
                progress=lambda objects, total, done, size: report(
                    "reading objects", objects, total, bytes_done=done, bytes_total=size
                ),
            )
        )
    assert "2 of 2 6.00 kB of 6.00 kB" in terminal.shown()
