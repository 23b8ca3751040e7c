"""Where along the distribution does the shadow differ: everywhere alike, or in a tail?

In: counts of scores by bucket, and what a replay's response times come to at every twentieth -> the
curves that the report draws. Out: judging; a quantile that is judged is a metric of its own.

Source: Doksum, Annals of Statistics 2:267 (1974), the shift function.
"""

from __future__ import annotations

from math import expm1
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from analyzer.metrics.judging import levels
from analyzer.metrics.predictions import Counted
from analyzer.metrics.ratio import Comparison
from analyzer.metrics.replay import ratio_of
from analyzer.metrics.scores import bucket_edges
from analyzer.stats.bucket_quantiles import interpolated_quantiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.metrics.metric import Facts

_SHARES = np.arange(1, 100) / 100


def shift_tables(facts: Facts) -> dict[str, pl.DataFrame]:
    """The tables `score_quantiles` and `replay_quantiles` of a bundle, of what there is."""
    tables = {} if facts.captures is None else facts.captures.tables
    frames = {}
    marginals, ratios = tables.get("score_marginals"), tables.get("replay_quantiles")
    found = Counted.of(facts)
    if found is not None and marginals is not None and marginals.num_rows:
        frames["score_quantiles"] = _scores(found, marginals.to_pydict())
    if ratios is not None:
        rows = [*_latencies(facts, ratios.to_pylist())]
        frames["replay_quantiles"] = pl.DataFrame(rows, schema=_LATENCIES, orient="row")
    return frames


def _scores(found: Counted, cells: dict[str, list[Any]]) -> pl.DataFrame:
    """Both variants' percentiles, and by how much the shadow's lies higher."""
    edges = bucket_edges(np.array(cells["bucket"], float), found)
    sides = {
        name: interpolated_quantiles(np.array(cells[name], np.int64), edges, _SHARES)
        for name in ("production", "shadow")
    }
    shift = sides["shadow"] - sides["production"]
    return pl.DataFrame({"share": _SHARES, **sides, "shift": shift})


def _latencies(facts: Facts, rows: list[dict[str, Any]]) -> Iterator[tuple[float | None, ...]]:
    """Changes with the bounds at which a judged percentile is held against its margin."""
    lower_level, upper_level = levels(facts.policy)
    for row in rows:
        comparison = Comparison(ratio_of(row))
        bounds = comparison.bounds(1 - lower_level, 1 - upper_level, facts.looking)
        changes = (None if bound is None else expm1(bound) for bound in bounds)
        yield row["share"], row["production_ms"], row["shadow_ms"], expm1(row["theta"]), *changes


_LATENCIES = dict.fromkeys(
    ("share", "production_ms", "shadow_ms", "shift", "lower", "upper"), pl.Float64
)
