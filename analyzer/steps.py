"""How a step that takes time says how far it is; who shows it is somebody else's matter.

In: one call signature. Out: drawing (`progress`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

COMPARING = "comparing outputs"
"""The last step that reads rows: when it is done, a second of computing is left."""
JUDGING = "metrics"
"""The step that comes last."""


class Progress(Protocol):
    """Told, as often as a step likes, how much of it is done."""

    def __call__(
        self,
        step: str,
        done: int,
        total: int | None,
        /,
        *,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
    ) -> None:
        """Report.

        Args:
            step: its name for a person; its first report starts it.
            done: items so far.
            total: items in all; None while that is unknown.
            bytes_done: bytes so far, where items are of different size.
            bytes_total: bytes in all.
        """


def as_it_ends(step: str, act: Callable[[], object], progress: Progress) -> Progress:
    """A reporter that acts when it is first told that all of a step is done.

    It passes on everything.
    """
    ended: set[str] = set()

    def report(
        name: str,
        done: int,
        total: int | None,
        /,
        *,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
    ) -> None:
        if name == step and done == total and name not in ended:
            ended.add(name)
            act()
        progress(name, done, total, bytes_done=bytes_done, bytes_total=bytes_total)

    return report
