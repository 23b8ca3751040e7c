"""The forest: every judged interval in units of its own margin.

In: one row a metric. Out: the drawing. A row has its words above and its interval below, so that
nothing is written across a line, on a screen of any width. What lies beyond the axis is an arrow,
never a point: a point is a measured value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from analyzer.report.charts.palette import (
    DASH,
    TEXT,
    TONES,
    Drawing,
    layered,
    placed,
    themed,
    tone_colour,
    tone_shape,
)
from analyzer.report.content.page import FOREST_EDGES

if TYPE_CHECKING:
    from analyzer.report.content.page import Chart

_ROW = 42
_FRAME = 50
_WORDS, _TOP, _MIDDLE = 0.26, 0.48, 0.72
_MARGINS = "datum.value == 0 ? 'no change' : datum.value == 1 ? 'margin' : datum.value + 'x'"


def forest(chart: Chart) -> Drawing:
    """One row a metric, in the order of the table; the tinted side of the margin is acceptable."""
    low, high = FOREST_EDGES
    room = 0.3
    scale = alt.Scale(domain=[low - room, high + room], nice=False)
    base = alt.Chart(chart.frame)
    axis = alt.Axis(
        values=[*range(round(low), round(high) + 1)],
        labelExpr=_MARGINS,
        labelOverlap=False,
        grid=False,
    )
    bars = base.mark_rule(strokeWidth=5, opacity=0.55).encode(
        x=alt.X("from:Q", title=None, scale=scale, axis=axis),
        x2=alt.X2("to:Q"),
        y=_row(_MIDDLE),
        color=tone_colour(),
        tooltip=_tooltip(),
    )
    points = base.mark_point(filled=True, size=130, opacity=1).encode(
        x=alt.X("position:Q", scale=scale),
        y=_row(_MIDDLE),
        color=tone_colour(),
        shape=tone_shape(),
        tooltip=_tooltip(),
    )
    tint = (
        alt.Chart(alt.InlineData(values=[{"start": low - room, "stop": chart.limit or 1.0}]))
        .mark_rect(opacity=0.08)
        .encode(x=alt.X("start:Q", scale=scale), x2=alt.X2("stop:Q"), color=themed(TONES["good"]))
    )
    lines = [_line(base, float(place), scale, chart.limit or 1.0) for place in axis["values"]]
    # The words have every row, so the rows keep the order of the frame when others lack a value.
    layers = [*_words(base), tint, *lines, bars, *_arrows(chart, base, scale), points]
    return layered(_FRAME + _ROW * max(1, chart.frame.height), *layers)


def _row(place: float) -> alt.Y:
    """A place within the band of each metric: 0 is its top, 1 its bottom."""
    return alt.Y(
        "metric:N",
        sort=None,
        axis=None,
        scale=alt.Scale(type="band", padding=0),
        bandPosition=place,
    )


def _words(base: alt.Chart) -> tuple[alt.Chart, alt.Chart]:
    label = base.mark_text(align="left", fontSize=13).encode(
        x=placed(4), y=_row(_WORDS), text=alt.Text("metric:N"), color=themed(TEXT)
    )
    outcome = base.mark_text(align="right", fontSize=13, fontWeight="bold").encode(
        x=placed("width"), y=_row(_WORDS), text=alt.Text("said:N"), color=tone_colour()
    )
    return label, outcome


def _line(base: alt.Chart, place: float, scale: alt.Scale, margin: float) -> alt.Chart:
    """A line of the grid, broken where words stand."""
    rule: alt.Chart = base.mark_rule(opacity=0.7 if place == 0 else 0.25)
    if place == margin:
        rule = base.mark_rule(strokeDash=DASH, strokeWidth=1.5)
    encoded: alt.Chart = rule.encode(
        x=alt.XDatum(place, scale=scale),
        y=_row(_TOP),
        y2=alt.Y2("metric:N", bandPosition=1),
        color=themed(TONES["bad"] if place == margin else TEXT),
    )
    return encoded


def _arrows(chart: Chart, base: alt.Chart, scale: alt.Scale) -> list[alt.Chart]:
    """An arrow at each edge an interval or its estimate goes beyond."""
    arrows = []
    for column, place, shape in (
        ("below", FOREST_EDGES[0], "triangle-left"),
        ("beyond", FOREST_EDGES[1], "triangle-right"),
    ):
        # A layer without rows makes Vega warn of an infinite extent.
        if chart.frame[column].any():
            arrows.append(
                base.transform_filter(f"datum.{column}")
                .mark_point(shape=shape, filled=True, size=140, opacity=1)
                .encode(
                    x=alt.XDatum(place, scale=scale),
                    y=_row(_MIDDLE),
                    color=tone_colour(),
                    tooltip=_tooltip(),
                )
            )
    return arrows


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip(f"{name}:N") for name in ("metric", "change", "interval", "margin", "outcome")
    ]
