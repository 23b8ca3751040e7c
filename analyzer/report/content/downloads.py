"""The numbers behind a page, to take along.

In: tables of a bundle. Out: one block that names those of a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.report.content.page import Data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl


def downloads(tables: Mapping[str, pl.DataFrame], names: Iterable[str]) -> list[Data]:
    """Those of the named tables that this bundle has; no block where it has none."""
    held = tuple((name, tables[name]) for name in names if name in tables)
    return [Data("The data of this page", held)] if held else []
