"""How values lie: histograms, shares up to each value, pairs against each other, quantiles.

In: finished counts and shares. Out: the drawings.
"""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

import altair as alt

from analyzer.report.charts.palette import (
    DASH,
    HEIGHT,
    PRODUCTION,
    SHADOW,
    TEXT,
    TONES,
    Drawing,
    layered,
    placed,
    role_colour,
    role_dash,
    sized,
    themed,
)

if TYPE_CHECKING:
    from analyzer.report.content.page import Chart

FAINTEST_CELL = 0.25
"""Opacity of a square that counts one pair."""
_PERCENT = ".0%"
_FEW = 30
_DECADES = 3


def distribution(chart: Chart) -> Drawing:
    """Both variants' histogram as steps."""
    return sized(
        alt.Chart(chart.frame)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("lower:Q", title=chart.x_title),
            y=alt.Y("value:Q", title=chart.y_title),
            color=role_colour(),
            strokeDash=role_dash(),
            tooltip=[
                alt.Tooltip("role:N"),
                alt.Tooltip("lower:Q", format=".4~g"),
                alt.Tooltip("upper:Q", format=".4~g"),
                alt.Tooltip("value:Q", title=chart.y_title, format=","),
            ],
        )
    )


def cumulative(chart: Chart) -> Drawing:
    """The share at or below each value, on a logarithmic axis; one curve, or one a variant."""
    roles = "role" in chart.frame.columns
    curve = (
        alt.Chart(chart.frame)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X(
                "value:Q",
                title=chart.x_title,
                scale=alt.Scale(type="log", nice=False),
                axis=_decades(chart),
            ),
            y=alt.Y(
                "share:Q",
                title=chart.y_title,
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=_PERCENT),
            ),
            color=role_colour() if roles else alt.ColorValue(PRODUCTION),
            tooltip=[
                *([alt.Tooltip("role:N")] if roles else []),
                alt.Tooltip("value:Q", title=chart.x_title, format=".3~g"),
                alt.Tooltip("share:Q", title=chart.y_title, format=".2%"),
            ],
        )
    )
    layers = [curve.encode(strokeDash=role_dash()) if roles else curve]
    for line in chart.lines:
        place = alt.XDatum(line.at)
        rule = alt.Chart().mark_rule(strokeDash=DASH, strokeWidth=1.5)
        words = alt.Chart().mark_text(align="left", dx=5, dy=8, text=line.text, fontWeight="bold")
        layers += [
            rule.encode(x=place, color=themed(TONES["open"])),
            words.encode(x=place, y=alt.YValue(0), color=themed(TONES["open"])),  # type: ignore[no-untyped-call]
        ]
    return layered(HEIGHT, *layers)


def _decades(chart: Chart) -> alt.Axis:
    """Over several powers of ten, these alone: the lines between them would be a grey wall."""
    ends = [*chart.frame["value"], *(line.at for line in chart.lines)]
    first, last = (log10(end) for end in (min(ends), max(ends)))
    if last - first < _DECADES:
        return alt.Axis(format="~g", labelOverlap=True, tickCount=6)
    return alt.Axis(
        format="~g",
        labelOverlap=True,
        values=[10.0**power for power in range(ceil(first), floor(last) + 1)],
    )


def score_grid(chart: Chart) -> Drawing:
    """Binned scatter of both scores; equal ones lie on the diagonal."""
    grid = alt.Chart(chart.frame)
    ends = grid.transform_aggregate(start="min(production_lower)", stop="max(production_upper)")
    diagonal = ends.mark_rule(strokeDash=DASH, strokeWidth=2).encode(
        x=alt.X("start:Q"),
        x2=alt.X2("stop:Q"),
        y=alt.Y("start:Q"),
        y2=alt.Y2("stop:Q"),
        color=themed(TONES["open"]),
    )
    return layered(HEIGHT + 60, _cells(chart, "production", "shadow"), diagonal)


def agreement(chart: Chart) -> Drawing:
    """Bland and Altman's drawing: differences along the mean, between their limits.

    What the lines say stands beside the drawing, where no cell is.
    """
    layers = [_cells(chart, "mean", "difference")]
    for number, line in enumerate(chart.lines):
        middle = number == 0
        rule = alt.Chart().mark_rule(strokeWidth=2, strokeDash=[1, 0] if middle else DASH)
        words = alt.Chart().mark_text(align="left", dx=4, text=line.text)
        place = alt.YDatum(line.at)
        layers += [
            rule.encode(y=place, color=themed(TONES["open"])),
            words.encode(x=placed("width"), y=place, color=themed(TEXT)),
        ]
    return layered(HEIGHT + 60, *layers)


def shift(chart: Chart) -> Drawing:
    """By how much each quantile lies higher, with its interval where there is one."""
    base = alt.Chart(chart.frame)
    reading = "+.0%" if chart.y_share else "+~g"
    y = alt.Y("shift:Q", title=chart.y_title, axis=alt.Axis(format=reading))
    x = alt.X(
        "share:Q",
        title=chart.x_title,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=_PERCENT, tickCount=6),
    )
    named = [name for name in ("shift", "lower", "upper") if name in chart.frame.columns]
    point = alt.OverlayMarkDef(color=SHADOW) if chart.frame.height <= _FEW else False
    curve = base.mark_line(color=SHADOW, strokeWidth=2, point=point).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("share:Q", format=_PERCENT),
            *(
                alt.Tooltip(f"{name}:Q", format="+.1%" if chart.y_share else "+.4~g")
                for name in named
            ),
        ],
    )
    layers = [curve]
    if "lower" in named:
        band = base.mark_area(color=SHADOW, opacity=0.2)
        layers.insert(0, band.encode(x=x, y=alt.Y("lower:Q"), y2=alt.Y2("upper:Q")))
    zero = alt.Chart().mark_rule().encode(y=alt.YDatum(0), color=themed(TEXT))
    return layered(HEIGHT, zero, *layers)


def _cells(chart: Chart, across: str, upwards: str) -> alt.Chart:
    """Binned scatter: on a light page and on a dark one the fullest cell stands out."""
    cells: alt.Chart = (
        alt.Chart(chart.frame)
        .mark_rect()
        .encode(
            x=alt.X(f"{across}_lower:Q", title=chart.x_title),
            x2=alt.X2(f"{across}_upper:Q"),
            y=alt.Y(f"{upwards}_lower:Q", title=chart.y_title),
            y2=alt.Y2(f"{upwards}_upper:Q"),
            color=themed("blue"),
            opacity=alt.Opacity(
                "predictions:Q",
                scale=alt.Scale(type="log", range=[FAINTEST_CELL, 1]),
                legend=alt.Legend(title="pairs", orient="bottom", tickCount=4, format=","),
            ),
            tooltip=[
                alt.Tooltip(f"{across}_lower:Q", format=".3~g"),
                alt.Tooltip(f"{upwards}_lower:Q", format=".3~g"),
                alt.Tooltip("predictions:Q", format=","),
            ],
        )
    )
    return cells
