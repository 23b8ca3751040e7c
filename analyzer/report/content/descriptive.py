"""Both variants side by side, as the SageMaker console shows a shadow test: described, not judged.

In: the tables minutes, percentiles and instances. Out: one table of the latency page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import NONE, grouped, plain, relative
from analyzer.report.content.page import Column, Table
from analyzer.report.content.series import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MANY = 1_000
_Levels = list[float | None]
_Row = tuple[str, str, _Levels]
_TIMES = {"latency_ms": "ModelLatency, ms", "overhead_ms": "OverheadLatency, ms"}
_COUNTS = {
    "invocations": "Invocations",
    "errors_4xx": "Invocation4XXErrors",
    "errors_5xx": "Invocation5XXErrors",
    "model_errors": "InvocationModelErrors",
}


def descriptive(tables: Mapping[str, pl.DataFrame]) -> Table | None:
    """Statistics of every exported metric over the window; None without minutes."""
    minutes = tables.get("minutes")
    if minutes is None or minutes.is_empty():
        return None
    rows = [*_times(minutes), *_percentiles(tables.get("percentiles")), *_counts(minutes)]
    rows += _instances(tables.get("instances"))
    return Table(
        "Descriptive statistics",
        (
            Column("metric"),
            Column("statistic"),
            Column("production", "right"),
            Column("shadow", "right"),
            Column("change", "right"),
        ),
        tuple(
            (metric, stat, *map(_cell, values), _change(*values)) for metric, stat, values in rows
        ),
        caption=(
            "What was exported, over the whole window, as the SageMaker console shows a shadow "
            "test side by side. Not what is judged: minutes in which only one variant answered "
            "count here, and a shadow that receives a part of the requests has smaller sums."
        ),
    )


def _times(minutes: pl.DataFrame) -> Iterator[_Row]:
    for suffix, metric in _TIMES.items():
        named = [f"{role}_{suffix}" for role in ROLES]
        if not set(named) <= set(minutes.columns):
            continue
        means = [_weighted(minutes, role, suffix) for role in ROLES]
        if means == [None, None]:
            continue
        yield metric, "Average", means
        for stat, of in (("lowest minute", pl.Expr.min), ("highest minute", pl.Expr.max)):
            yield metric, stat, [_one(minutes, of(pl.col(name))) for name in named]


def _weighted(minutes: pl.DataFrame, role: str, suffix: str) -> float | None:
    level, sent = pl.col(f"{role}_{suffix}"), pl.col(f"{role}_invocations")
    return _one(minutes, (level * sent).sum() / sent.filter(level.is_not_null()).sum())


def _percentiles(percentiles: pl.DataFrame | None) -> Iterator[_Row]:
    """The middle of the periods: a percentile of percentiles is one of no request."""
    if percentiles is None or percentiles.is_empty():
        return
    for stat in sorted(percentiles["stat"].unique()):
        part = percentiles.filter(pl.col("stat") == stat)
        part = part.filter(pl.col("period_s") == part["period_s"].max())
        values = [_one(part, pl.col(f"{role}_ms").median()) for role in ROLES]
        yield "ModelLatency, ms", f"{stat} of a middling period", values


def _counts(minutes: pl.DataFrame) -> Iterator[_Row]:
    for suffix, metric in _COUNTS.items():
        named = [f"{role}_{suffix}" for role in ROLES]
        if not set(named) <= set(minutes.columns):
            continue
        # A variant whose series was not exported has no sum, not a sum of zero.
        sums = [
            _one(minutes, pl.col(name).sum()) if minutes[name].count() else None for name in named
        ]
        if sums != [None, None]:
            yield metric, "Sum", sums


def _instances(instances: pl.DataFrame | None) -> Iterator[_Row]:
    if instances is None or instances.is_empty():
        return
    for name in sorted(instances["metric_name"].unique()):
        part = instances.filter(pl.col("metric_name") == name)
        yield f"{name}, %", "Average", [_one(part, pl.col(role).mean()) for role in ROLES]
        yield f"{name}, %", "Maximum", [_one(part, pl.col(role).max()) for role in ROLES]


def _one(frame: pl.DataFrame, value: pl.Expr) -> float | None:
    found = frame.select(value.cast(pl.Float64).alias("value"))["value"][0]
    return None if found is None or found != found else float(found)  # noqa: PLR0124 - NaN


def _cell(value: float | None) -> str:
    if value is None:
        return NONE
    return grouped(round(value)) if abs(value) >= _MANY else plain(value)


def _change(production: float | None, shadow: float | None) -> str:
    if not production or shadow is None:
        return NONE
    return relative(shadow / production)
