"""Is what production answered without a shadow answer like what it answered with one?

In: production's unpaired records and its pairs -> counts of both by size and by score. Out: what
follows if they differ (`gates.missing`). A capture record keeps no input payload here, so it is the
size of production's output that stands for the request's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pyarrow as pa

    from analyzer.asked import Asked, Rows
    from analyzer.payloads.shape import OutputShape


def missing_tables(
    engine: Asked,
    shape: OutputShape,
    counts: Mapping[str, Any],
    start: datetime,
    end: datetime,
) -> dict[str, pa.Table]:
    """Counts of missing and present by size and, where outputs are scores, by score.

    Args:
        engine: holds `records`, `duplicates`, `matches`, `pairs` and, for scores, `score_cells`.
        shape: where predictions are.
        counts: of the predictions, with the place and width of the buckets of quantities.
        start: of the window, UTC without saying so, as the engine's times are.
        end: of the window.
    """
    engine.each(partial(_keep_missing, start=start, end=end))
    if "spread" in counts:
        engine.reduce(
            "missing_scores",
            json_path=shape.sql_path,
            csv_column=shape.csv_column,
            by_logit=shape.kind == "probability",
            centre=counts["centre"],
            spread=counts["spread"],
        )
    tables = {"missing_by_bytes": engine.table("missing_by_bytes")}
    if "spread" in counts:
        tables["missing_by_score"] = engine.table("missing_by_score")
    return tables


def _keep_missing(engine: Rows, *, start: datetime, end: datetime) -> None:
    engine.keep("missing_outputs", start=start, end=end)
