"""The face of the table engine: what is asked of it, wherever the rows lie.

In: what an engine on this machine (`engine`) and one over rows in many parts (`spark`) both answer.
Out: how. Who asks knows no more of either, so nothing is asked that only one of them can say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa


class Asked(Protocol):
    """What is asked about all rows together."""

    def table(self, name: str, **params: object) -> pa.Table:
        """What `sql/<name>.sql` gives."""

    def tables(self, *names: str, **params: object) -> dict[str, pa.Table]:
        """`table` of each of several questions."""

    def reduce(self, name: str, **params: object) -> None:
        """Make what `sql/<name>.sql` adds up from rows readable under its name."""

    def execute(self, name: str, **params: object) -> int:
        """Run `sql/<name>.sql`, which reads a sample of the pairs, for its effect."""

    def each(self, step: Callable[[Rows], object]) -> None:
        """Take a step that handles the rows of one pair by themselves."""

    def lend(self, **tables: pa.Table) -> AbstractContextManager[None]:
        """Make Arrow tables readable from SQL inside the block."""


class Rows(Protocol):
    """What a step that handles rows asks of the engine that holds them."""

    def files(self, table: str) -> Sequence[Path]:
        """Where a kept table lies; nowhere if there is none."""

    def table(self, name: str, **params: object) -> pa.Table:
        """What `sql/<name>.sql` gives."""

    def execute(self, name: str, **params: object) -> int:
        """Run `sql/<name>.sql` for its effect."""

    def keep(
        self, name: str, *, table: str | None = None, replace: bool = False, **params: object
    ) -> int:
        """Add what `sql/<name>.sql` gives to a table on disk."""

    def lend(self, **tables: pa.Table) -> AbstractContextManager[None]:
        """Make Arrow tables readable from SQL inside the block."""


def one_row(table: pa.Table) -> dict[str, Any]:
    """The only row of a table."""
    row: dict[str, Any] = table.to_pylist()[0]
    return row
