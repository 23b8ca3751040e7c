"""What would have been judged, had the run ended after each hour.

In: the verdict and the table running. Out: one chart a metric, whose last look is the judged one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import relative
from analyzer.report.content import series
from analyzer.report.content.evidence import precision
from analyzer.report.content.page import Chart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Verdict

_BOUNDS = ("lower", "upper")
_LEAST_DAYS = 2
_DAY_STEPS = (
    " Part of a day cannot stand for a day: from two whole UTC days on, the upper bound is that of "
    "whole days, so it moves at midnight and is wide while the days are few. A run that ends at "
    "midnight has both bounds from whole days."
)


def running_charts(verdict: Verdict, running: pl.DataFrame) -> Iterator[tuple[str, Chart]]:
    """The interval over time of every metric that was followed, named by its metric."""
    for metric in sorted(running["metric"].unique()):
        evidence = verdict.metrics.get(metric)
        part = running.filter(pl.col("metric") == metric).sort("timestamp")
        each = _each(part)
        yield (
            metric,
            Chart(
                "running",
                f"The interval after each {each}: {metric}",
                f"Estimated change of {metric} and its interval after each {each}, against the "
                "margin; the last one is the judged interval.",
                _marked(part, precision(verdict, evidence).interval if evidence else 1),
                caption=_caption(verdict, metric),
                limit=evidence.margin - 1 if evidence and evidence.margin else None,
                y_title="shadow against production",
            ),
        )


def _marked(part: pl.DataFrame, decimals: int) -> pl.DataFrame:
    """Changes instead of ratios; the last look is marked, with its bounds as the table has them."""
    last = pl.int_range(pl.len()) == pl.len() - 1
    changes = [(pl.col(name) - 1).alias(name) for name in ("estimate", *_BOUNDS)]
    texts = [
        pl.when(last)
        .then(
            pl.col(name).map_elements(
                lambda ratio: relative(ratio, decimals), return_dtype=pl.String
            )
        )
        .alias(f"{name}_text")
        for name in _BOUNDS
    ]
    known = pl.all_horizontal(pl.col(name).is_not_null() for name in _BOUNDS)
    return part.select("timestamp", *changes, *texts, (last & known).alias("judged"))


def _each(part: pl.DataFrame) -> str:
    """The time from one look to the next; the last look may come sooner."""
    steps = part["timestamp"].diff().drop_nulls().dt.total_minutes()
    return series.length(int(steps.max() or 60)) if steps.len() else series.length(60)  # type: ignore[arg-type]


def _caption(verdict: Verdict, metric: str) -> str:
    evidence = verdict.metrics.get(metric)
    effect = evidence.effect if evidence else None
    anytime = " It may be read at any look." if effect and effect.mode == "anytime" else ""
    steps = _DAY_STEPS if _whole_days(verdict) >= _LEAST_DAYS else ""
    return (
        f"What would have been judged had the run ended then; the bar is the judged interval."
        f"{anytime}{steps}"
    )


def _whole_days(verdict: Verdict) -> int:
    """Whole UTC days in the window."""
    if verdict.window is None:
        return 0
    start, end = map(datetime.fromisoformat, (verdict.window.start, verdict.window.end))
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight if midnight == start else midnight + timedelta(days=1)
    return max(0, (end - first).days)
