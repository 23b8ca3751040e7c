"""What a sidecar may leave out of latency as warm-up: the first requests of each sending.

In: the rows of all sidecars of a replay. Out: what is done about others (`gates.replay`).

A flag that could be set anywhere would take any slow request out of the tail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from analyzer.metrics.replay import MOST_WARM_UP

if TYPE_CHECKING:
    from collections.abc import Collection


def unfounded(sidecars: Collection[pl.DataFrame]) -> int:
    """How many requests are flagged that no sending warms up with.

    Args:
        sidecars: of each variant, with `began_at`, `order` and `warm_up`.

    Returns:
        Flagged requests behind one of the same variant and sending that is not; or, where more,
        those beyond `MOST_WARM_UP` for each variant in each sending. Interrupted, the variants
        have not been sent the same, so that their numbers count together.
    """
    if not sidecars:
        return 0
    behind, counts = 0, []
    for rows in sidecars:
        first_steady = pl.col("order").filter(~pl.col("warm_up")).min().over("began_at")
        flagged = rows.select(
            "began_at", "warm_up", behind=pl.col("warm_up") & (pl.col("order") > first_steady)
        ).filter("warm_up")
        behind += int(flagged["behind"].sum())
        counts.append(flagged.select("began_at"))
    each = pl.concat(counts).group_by("began_at").len()["len"].cast(pl.Int64)
    return max(behind, int((each - MOST_WARM_UP * len(sidecars)).clip(0).sum()))
