"""How long the answers of a replay took: levels, log ratios along the distribution, counts by size.

In: one row a request that every variant answered, after warm-up. Out: which those are (`outcomes`),
and what is judged (`metrics.replay`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from analyzer.stats.paired_quantile import (
    hodges_lehmann,
    paired_log_mean_ratio,
    paired_log_quantile_ratio,
    paired_log_quantile_ratios,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from analyzer.stats.log_ratio import WeightedLogRatio

    Floats = npt.NDArray[np.float64]

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_SHARES = (0.01, *(step / 20 for step in range(1, 20)), 0.99)
_BUCKETS_PER_OCTAVE = 16
_MS = 1_000.0


def latencies(answered: pl.DataFrame, *, paired: bool) -> pl.DataFrame:
    """Levels and log ratios by kind of time and statistic; nulls where too few requests carry it.

    `nu`, `n_eff` and `se` belong to `theta`; `clock` is the boundary's; `shift` is the
    Hodges-Lehmann shift of the log response times.
    """
    rows = []
    for kind in ("response", "service"):
        shadow = answered[f"{kind}_us"].to_numpy().astype(np.float64) / _MS
        production = answered[f"{kind}_us_p"].cast(pl.Float64).to_numpy() / _MS
        shift = None
        if paired and len(shadow) and kind == "response":
            shift = hodges_lehmann(np.log(shadow) - np.log(production))
        for stat in ("mean", *QUANTILES):
            row: dict[str, Any] = {"kind": kind, "stat": stat, "requests": len(shadow)}
            rows.append(row | _levels(stat, production if paired else None, shadow))
            rows[-1]["shift"] = shift
    return pl.DataFrame(rows, schema=_LATENCY, orient="row")


_MEASURES = {
    "production_ms": pl.Float64,
    "shadow_ms": pl.Float64,
    "theta": pl.Float64,
    "se": pl.Float64,
    "nu": pl.Int64,
    "n_eff": pl.Float64,
    "clock": pl.Float64,
}
_LATENCY = {
    "kind": pl.String,
    "stat": pl.String,
    "requests": pl.Int64,
    **_MEASURES,
    "shift": pl.Float64,
}


def quantile_ratios(answered: pl.DataFrame, *, paired: bool) -> pl.DataFrame:
    """The log ratio of response times along their distribution, where requests carry it."""
    found = {}
    if paired:
        shadow, production = (
            answered[name].cast(pl.Float64).to_numpy() / _MS
            for name in ("response_us", "response_us_p")
        )
        found = paired_log_quantile_ratios(production, shadow, _SHARES)
    rows = [{"share": share} | _measures(ratio) for share, ratio in found.items()]
    return pl.DataFrame(rows, schema={"share": pl.Float64, **_MEASURES}, orient="row")


def _levels(stat: str, production: Floats | None, shadow: Floats) -> dict[str, Any]:
    if not len(shadow):
        return {}
    if production is None:
        level = shadow.mean() if stat == "mean" else _order_statistic(shadow, QUANTILES[stat])
        return {"shadow_ms": float(level)}
    ratio = (
        paired_log_mean_ratio(production, shadow)
        if stat == "mean"
        else paired_log_quantile_ratio(production, shadow, QUANTILES[stat])
    )
    return {} if ratio is None else _measures(ratio)


def _measures(ratio: WeightedLogRatio) -> dict[str, Any]:
    return {
        "production_ms": ratio.level_production,
        "shadow_ms": ratio.level_shadow,
        "theta": ratio.theta,
        "se": ratio.long_run.se,
        "nu": ratio.long_run.nu,
        "n_eff": ratio.long_run.n_eff,
        "clock": ratio.t_minutes,
    }


def _order_statistic(values: Floats, q: float) -> float:
    return float(np.sort(values)[int(np.ceil(len(values) * q)) - 1])


def distribution(answered: pl.DataFrame, *, paired: bool) -> pl.DataFrame:
    """How many requests took how long: buckets a sixteenth of an octave wide, gaps as zeros."""
    sides = {"production": "response_us_p", "shadow": "response_us"}
    kept = {role: column for role, column in sides.items() if paired or role == "shadow"}
    buckets = {
        role: np.floor(np.log2(answered[column].to_numpy() / _MS) * _BUCKETS_PER_OCTAVE).astype(
            np.int64
        )
        for role, column in kept.items()
    }
    rows: list[tuple[str, float, float, int]] = []
    if answered.height:
        first, last = (
            int(extreme(each.min() if extreme is min else each.max() for each in buckets.values()))
            for extreme in (min, max)
        )
        for role, found in buckets.items():
            rows += _bars(role, np.bincount(found - first, minlength=last - first + 2), first)
    return pl.DataFrame(rows, schema=_DISTRIBUTION, orient="row")


def _bars(
    role: str, counts: npt.NDArray[np.int64], first: int
) -> Iterator[tuple[str, float, float, int]]:
    for place, requests in enumerate(counts.tolist(), first):
        lower, upper = (2 ** (edge / _BUCKETS_PER_OCTAVE) for edge in (place, place + 1))
        yield role, lower, upper, requests


_DISTRIBUTION = {
    "role": pl.String,
    "lower_ms": pl.Float64,
    "upper_ms": pl.Float64,
    "requests": pl.Int64,
}
