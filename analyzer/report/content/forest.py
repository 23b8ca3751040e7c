"""Every judged interval on one axis: 0 is no change, 1 is the metric's own margin.

In: the judged metrics of a verdict. Out: one chart, in the order of the table beside it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

from analyzer.report.content.evidence import TONES, WORDS, effect_kind, precision
from analyzer.report.content.figures import allowed, change, interval
from analyzer.report.content.page import FOREST_EDGES, Chart

if TYPE_CHECKING:
    from analyzer.model import Evidence, Verdict
    from analyzer.report.content.figures import Decimals

_SCHEMA = {
    "metric": pl.String,
    "outcome": pl.String,
    "said": pl.String,
    "tone": pl.String,
    "position": pl.Float64,
    "from": pl.Float64,
    "to": pl.Float64,
    "below": pl.Boolean,
    "beyond": pl.Boolean,
    "change": pl.String,
    "interval": pl.String,
    "margin": pl.String,
}


def forest(verdict: Verdict, metrics: tuple[str, ...]) -> Chart:
    """One row a metric; what lies beyond the axis is said in the row's words, never drawn on it."""
    rows = [
        _row(metric, verdict.metrics[metric], precision(verdict, verdict.metrics[metric]))
        for metric in metrics
    ]
    frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    said = "; ".join(
        f"{row['metric']} {row['change']}, interval {row['interval']}, margin {row['margin']}: "
        f"{row['outcome']}"
        for row in frame.iter_rows(named=True)
    )
    return Chart(
        "forest",
        "Every judged metric against its margin",
        f"Interval of each judged metric relative to its margin. {said}.",
        frame,
        caption=(
            "Each interval is drawn in units of its own margin: left of the dashed margin line is "
            "acceptable, right of it is not. 2x is twice the margin; an arrow goes on beyond the "
            "axis."
        ),
        limit=1.0,
    )


def _row(metric: str, evidence: Evidence, decimals: Decimals) -> tuple[object, ...]:
    effect, margin, unit = evidence.effect, evidence.margin, evidence.unit
    values: list[float | None] = [None, None, None]
    if effect is not None and margin:
        ends = (effect.lower, effect.upper)
        least, most = ends if margin > 0 else ends[::-1]  # a loss is harm downwards
        values = [
            _in_margins(value, margin, effect.kind) for value in (effect.estimate, least, most)
        ]
    low, high = FOREST_EDGES
    known = [value for value in values if value is not None]
    estimate, *bounds = values
    inside = estimate is not None and low <= estimate <= high
    return (
        metric,
        WORDS[evidence.outcome],
        f"{_unseen(values)}  {WORDS[evidence.outcome]}".strip(),
        TONES[evidence.outcome].value,
        estimate if inside else None,
        *(None if bound is None else max(low, min(high, bound)) for bound in bounds),
        any(value < low for value in known),
        any(value > high for value in known),
        change(effect, unit, decimals.change),
        interval(effect, margin, unit, decimals.interval),
        allowed(margin, effect_kind(evidence), unit),
    )


def _unseen(values: list[float | None]) -> str:
    """What the row cannot draw: an estimate off the axis, or no interval at all."""
    low, high = FOREST_EDGES
    estimate, *bounds = values
    if estimate is not None and not low <= estimate <= high:
        return f"{estimate:.1f}x" if math.isfinite(estimate) else ""
    return "no interval" if all(bound is None for bound in bounds) else ""


def _in_margins(value: float | None, margin: float, kind: str) -> float | None:
    """Harm as a multiple of the margin; ratios on the log scale they are judged on."""
    if value is None:
        return None
    if kind != "ratio":
        return value / margin
    return math.log(value) / math.log(margin) if value > 0 else -math.inf
