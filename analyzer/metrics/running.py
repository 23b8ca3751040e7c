"""What the latency and error pages draw: minutes, percentiles, instances, and the running interval.

In: Polars frames with null for a gap. Out: drawing. `running` shows what would have been judged
had the run ended after each hour.
"""

from __future__ import annotations

from math import ceil, exp
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from analyzer.metrics.error_series import MODEL_ERRORS, minute_errors
from analyzer.metrics.judging import levels
from analyzer.metrics.latency import mean_arms
from analyzer.metrics.percentiles import (
    LEAST_PERIODS,
    PERIODS,
    choose,
    percentile_arms,
    shared_minutes,
)
from analyzer.metrics.ratio import Comparison
from analyzer.metrics.series import (
    HOUR,
    MINUTE,
    PRODUCTION,
    SHADOW,
    Cover,
    Span,
    invocations,
    looks,
    means,
    requests,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analyzer.metrics.metric import Facts
    from analyzer.metrics.ratio import Arms
    from analyzer.metrics.series import BoolArray, FloatArray

MOST_LOOKS = 240
"""More hourly looks than this are thinned evenly: a chart shows no more."""
PERCENTILES = ("p50", "p90", "p95", "p99", "tm99")
INSTANCE_METRICS = (
    "CPUUtilization",
    "MemoryUtilization",
    "GPUUtilization",
    "GPUMemoryUtilization",
    "DiskUtilization",
)
TIME = pl.Datetime("us", "UTC")
_SIDES = (PRODUCTION, SHADOW)
_PERCENTILE_SCHEMA = pl.Schema(
    {
        "timestamp": TIME,
        "period_s": pl.Int64(),
        "stat": pl.String(),
        "production_ms": pl.Float64(),
        "shadow_ms": pl.Float64(),
        "production_n": pl.Float64(),
        "shadow_n": pl.Float64(),
    }
)
_RUNNING_SCHEMA = pl.Schema(
    {
        "metric": pl.String(),
        "timestamp": TIME,
        "estimate": pl.Float64(),
        "lower": pl.Float64(),
        "upper": pl.Float64(),
    }
)
_INSTANCE_SCHEMA = pl.Schema(
    {
        "timestamp": TIME,
        "metric_name": pl.String(),
        "production": pl.Float64(),
        "shadow": pl.Float64(),
    }
)


def latency_tables(facts: Facts) -> dict[str, pl.DataFrame]:
    """The tables of the bundle that come from CloudWatch; none without dated points."""
    cover = Cover.of(facts)
    if cover is None or facts.metric_points.is_empty():
        return {}
    return {
        "minutes": _minutes(facts, cover),
        "percentiles": _percentiles(facts),
        "running": _running(facts),
        "instances": _instances(facts, cover),
    }


def _minutes(facts: Facts, cover: Cover) -> pl.DataFrame:
    columns: dict[str, FloatArray] = {}
    for side in _SIDES:
        sent = invocations(facts, cover, side)
        columns[f"{side}_invocations"] = sent
        columns[f"{side}_latency_ms"] = means(facts, cover, side, "ModelLatency")
        columns[f"{side}_overhead_ms"] = means(facts, cover, side, "OverheadLatency")
        for name, metric in (
            ("errors_5xx", "Invocation5XXErrors"),
            ("errors_4xx", "Invocation4XXErrors"),
            ("model_errors", MODEL_ERRORS),
        ):
            errors = minute_errors(facts, cover, side, metric, sent=sent)
            missing = np.full(cover.size, np.nan)
            columns[f"{side}_{name}"] = missing if errors is None else errors
    order = (
        "invocations",
        "latency_ms",
        "overhead_ms",
        "errors_5xx",
        "errors_4xx",
        "model_errors",
    )
    return _framed(
        cover,
        {f"{side}_{name}": columns[f"{side}_{name}"] for name in order for side in _SIDES},
        keep_gaps=True,
    )


def _percentiles(facts: Facts) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=_PERCENTILE_SCHEMA)]
    for period in PERIODS:
        cover = Cover.of(facts, period)
        if cover is None:
            continue
        counts = {f"{side}_n": requests(facts, cover, side) for side in _SIDES}
        for stat in PERCENTILES:
            levels_ = {
                f"{side}_ms": values(facts, cover, side, "ModelLatency", stat) for side in _SIDES
            }
            if not any(np.isfinite(series).any() for series in levels_.values()):
                continue
            frame = _framed(cover, levels_ | counts).with_columns(
                period_s=pl.lit(period, pl.Int64), stat=pl.lit(stat)
            )
            known = pl.col("production_ms").is_not_null() | pl.col("shadow_ms").is_not_null()
            parts.append(frame.filter(known).select(_PERCENTILE_SCHEMA.names()))
    return pl.concat(parts)


def _instances(facts: Facts, cover: Cover) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=_INSTANCE_SCHEMA)]
    for metric in INSTANCE_METRICS:
        sides: dict[str, FloatArray] = {s: means(facts, cover, s, metric) for s in _SIDES}
        frame = _framed(cover, sides).with_columns(metric_name=pl.lit(metric))
        parts.append(frame.select(_INSTANCE_SCHEMA.names()))
    return pl.concat(parts)


def _running(facts: Facts) -> pl.DataFrame:
    rows: list[tuple[str, int, float, float | None, float | None]] = []
    found = mean_arms(facts)
    if found is not None:
        arms, minutes = found
        rows += _looks(facts, "latency_mean", arms, minutes, least_points=1)
    shared = shared_minutes(facts)
    for stat in ("p99", "p95"):
        candidate = choose(facts, stat)
        if candidate is None or shared is None:
            continue
        arms = percentile_arms(candidate)
        minutes = shared[1]
        rows += _looks(facts, f"latency_{stat}", arms, minutes, least_points=LEAST_PERIODS)
    frame = pl.DataFrame(
        rows, schema=pl.Schema(_RUNNING_SCHEMA | {"timestamp": pl.Int64()}), orient="row"
    )
    return frame.with_columns(pl.from_epoch("timestamp", "s").cast(TIME))


def _looks(
    facts: Facts, metric: str, arms: Arms, minutes: BoolArray, *, least_points: int
) -> Iterator[tuple[str, int, float, float | None, float | None]]:
    """The judged interval at the end of every hour, thinned evenly to `MOST_LOOKS`."""
    cover = Cover(arms.cover.window, arms.cover.start, minutes.size, MINUTE)
    lower_level, upper_level = levels(facts.policy)
    times = cover.times()
    for end in _ends(cover.laid_out):
        window = Span(cover.window.start, end)
        spans = looks(cover, minutes & (times < end), window)
        comparison = Comparison.of(arms, spans, least_points=least_points)
        if comparison is None:
            continue
        lower, upper = comparison.bounds(1 - lower_level, 1 - upper_level, facts.looking)
        yield (
            metric,
            end,
            exp(comparison.window.theta),
            None if lower is None else exp(lower),
            None if upper is None else exp(upper),
        )


def _ends(window: Span) -> list[int]:
    """Full hours inside the window, thinned from the end, and the window's end."""
    hours = range((window.start // HOUR + 1) * HOUR, window.end, HOUR)
    step = max(1, ceil((len(hours) + 1) / MOST_LOOKS))
    return [*hours[::-1][step - 1 :: step][::-1], window.end]


def _framed(
    cover: Cover, columns: Mapping[str, FloatArray], *, keep_gaps: bool = False
) -> pl.DataFrame:
    """The window's part of the arrays as a frame; NaN becomes null.

    Periods without any value are left out unless `keep_gaps`.
    """
    part = cover.part(cover.window)
    frame = pl.DataFrame({"second": cover.times()[part]} | {k: v[part] for k, v in columns.items()})
    frame = frame.select(
        pl.from_epoch("second", "s").cast(TIME).alias("timestamp"),
        pl.exclude("second").fill_nan(None),
    )
    if keep_gaps:
        return frame
    return frame.filter(pl.any_horizontal(pl.exclude("timestamp").is_not_null()))
