"""Progress on stderr: objects or pairs done, bytes, rate and remaining time.

Bars for a person: none when stderr is no terminal, with NO_COLOR or with `--quiet`. Or JSON Lines
for a log collector: none with `--quiet`.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from analyzer.console.messages import LogFormat, line
from analyzer.figures import grouped, sized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import ProgressColumn, Task, TaskID

    from analyzer.steps import Progress

_PAUSE_S = 0.1
"""Least time between two drawings of a step: a listing reports every object."""
_LINE_PAUSE_S = 1.0
"""Least time between two lines about a step."""
_HOUR_S, _MINUTE_S = 3600, 60


@contextmanager
def progress(
    *,
    quiet: bool,
    clock: Callable[[], float] = time.monotonic,
    form: LogFormat = LogFormat.TEXT,
) -> Iterator[Progress]:
    """A reporter of steps for the length of a run.

    Args:
        quiet: draw nothing.
        clock: seconds, for rates and remaining times.
        form: bars for a person, or JSON Lines.
    """
    if form is LogFormat.JSON and not quiet:
        yield _lines(clock)
        return
    if quiet or "NO_COLOR" in os.environ or not sys.stderr.isatty():
        yield silent
        return
    from rich import progress as rich_progress
    from rich.console import Console

    bars = rich_progress.Progress(
        *_columns(), console=Console(stderr=True), transient=True, get_time=clock
    )
    steps: dict[str, TaskID] = {}
    drawn: dict[str, float] = {}

    def report(
        step: str,
        done: int,
        total: int | None,
        /,
        *,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
    ) -> None:
        now = clock()
        if step in steps and done != total and now - drawn[step] < _PAUSE_S:
            return
        # Objects differ in size, so bytes say better how much is left.
        amount, of = (done, total) if bytes_total is None else (bytes_done or 0, bytes_total)
        if step not in steps:
            steps[step] = bars.add_task(step, total=of)
        bars.update(
            steps[step],
            completed=amount,
            total=of,
            items=_share(grouped(done), None if total is None else grouped(total)),
            volume=""
            if bytes_total is None
            else _share(sized(bytes_done or 0), sized(bytes_total)),
            by_bytes=bytes_total is not None,
            refresh=True,
        )
        drawn[step] = now

    with bars:
        yield report


def _lines(clock: Callable[[], float]) -> Progress:
    """A reporter that writes a line when a step begins, once a second, and when it is done."""
    written: dict[str, float] = {}

    def report(
        step: str,
        done: int,
        total: int | None,
        /,
        *,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
    ) -> None:
        now = clock()
        if step in written and done != total and now - written[step] < _LINE_PAUSE_S:
            return
        written[step] = now
        amounts = {"done": done, "total": total, "bytes": bytes_done, "bytes_total": bytes_total}
        known = {name: amount for name, amount in amounts.items() if amount is not None}
        sys.stderr.write(f"{line('progress', step, LogFormat.JSON, **known)}\n")

    return report


def silent(
    _step: str,
    _done: int,
    _total: int | None,
    /,
    *,
    bytes_done: int | None = None,
    bytes_total: int | None = None,
) -> None:
    """The reporter of a run nobody watches."""


def rate(task: Task) -> str:
    """How fast a step is: bytes a second where it has bytes, else items."""
    if not task.speed:
        return ""
    return f"{sized(task.speed) if task.fields.get('by_bytes') else grouped(task.speed)}/s"


def remaining(task: Task) -> str:
    """How long a step will still take, as a clock would show it; nothing while that is unknown."""
    if task.finished or task.time_remaining is None:
        return ""
    hours, rest = divmod(int(task.time_remaining), _HOUR_S)
    minutes, seconds = divmod(rest, _MINUTE_S)
    return f"{hours}:{minutes:02}:{seconds:02} left"


def _share(done: str, total: str | None) -> str:
    return f"{done} so far" if total is None else f"{done} of {total}"


def _columns() -> tuple[ProgressColumn, ...]:
    """Step, bar, items, bytes, rate, remaining time."""
    from rich.progress import BarColumn, ProgressColumn
    from rich.text import Text

    class Words(ProgressColumn):
        """One text about a step."""

        def __init__(self, words: Callable[[Task], str]) -> None:
            super().__init__()
            self._words = words

        def render(self, task: Task) -> Text:
            return Text(self._words(task))

    return (
        Words(lambda task: task.description),
        BarColumn(),
        Words(lambda task: str(task.fields.get("items", ""))),
        Words(lambda task: str(task.fields.get("volume", ""))),
        Words(rate),
        Words(remaining),
    )
