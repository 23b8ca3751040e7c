"""Progress bars on stderr: objects, bytes or pairs done, rate and remaining time.

Nothing is drawn when stderr is no terminal, with NO_COLOR or with `--quiet`.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from analyzer.figures import grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Task

    Report = Callable[[str, int, int | None], None]
    """Called with (step, done, total); total None while it is unknown."""


@contextmanager
def progress(*, quiet: bool) -> Iterator[Report]:
    """A reporter of steps for the length of a run."""
    if quiet or "NO_COLOR" in os.environ or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Items a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{grouped(task.speed)}/s" if task.speed else "")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield report


def silent(_step: str, _done: int, _total: int | None) -> None:
    """The reporter of a run nobody watches."""
