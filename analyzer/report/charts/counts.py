"""How often: bars, flips, parts of the traffic, and what became of every line.

In: finished counts. Out: the drawings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from analyzer.report.charts.palette import (
    HEIGHT,
    PRODUCTION,
    TEXT,
    TONES,
    Drawing,
    layered,
    sized,
    themed,
    tone_colour,
)

if TYPE_CHECKING:
    from analyzer.report.content.page import Chart

FAINTEST, STRONGEST = 0.1, 0.4
"""Opacity of a cell of the flip matrix at a share of 0 and of 1: its number stays readable."""
_FRAME = 60
_PART, _PART_FRAME = 30, 50
_TINT, _GAP, _LINE = 0.16, 0.06, 15


def bars(chart: Chart) -> Drawing:
    """One bar a label, in the order of the frame."""
    axis = alt.Axis(format=".0%") if chart.y_share else alt.Axis()
    return sized(
        alt.Chart(chart.frame)
        .mark_bar(color=PRODUCTION, cornerRadiusEnd=2)
        .encode(
            x=alt.X(
                "label:N",
                sort=None,
                title=chart.x_title,
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y("value:Q", title=chart.y_title, axis=axis),
            tooltip=[
                alt.Tooltip("label:N", title=chart.x_title),
                alt.Tooltip("value:Q", format=".3~%" if chart.y_share else ",.4~g"),
            ],
        )
    )


def matrix(chart: Chart) -> Drawing:
    """Agreement in one hue and flips in another, each as strong as its share of the row."""
    base = alt.Chart(chart.frame)
    x = alt.X("shadow_label:N", title=chart.x_title, axis=alt.Axis(labelAngle=0, labelLimit=150))
    y = alt.Y("production_label:N", title=chart.y_title, axis=alt.Axis(labelLimit=150))
    cells = base.mark_rect(cornerRadius=3).encode(
        x=x,
        y=y,
        color=alt.Color(
            "flip:N",
            scale=alt.Scale(domain=[False, True], range=["blue", TONES["open"]]),
            legend=None,
        ),
        opacity=alt.Opacity(
            "value:Q", scale=alt.Scale(domain=[0, 1], range=[FAINTEST, STRONGEST]), legend=None
        ),
        tooltip=[
            alt.Tooltip(f"{name}:N")
            for name in ("production_label", "shadow_label", "text", "share")
        ],
    )
    count = base.mark_text(fontSize=15, fontWeight="bold", dy=-8)
    share = base.mark_text(fontSize=12, dy=10)
    layers = [
        text.encode(x=x, y=y, text=alt.Text(f"{column}:N"), color=themed(TEXT))
        for text, column in ((count, "text"), (share, "share"))
    ]
    return layered(HEIGHT, cells, *layers)


def parts(chart: Chart) -> Drawing:
    """One row a part of the traffic and one column a metric, the outcome written in each cell."""
    base = alt.Chart(chart.frame)
    spaced = alt.Scale(paddingInner=_GAP, paddingOuter=0)
    lines = max(name.count("_") for name in chart.frame["metric"])
    x = alt.X(
        "metric:N",
        sort=None,
        title=None,
        scale=spaced,
        axis=alt.Axis(
            orient="top",
            # The lines of a label run downwards, into the cells.
            labelPadding=4 + _LINE * lines,
            labelAngle=0,
            labelOverlap=False,
            labelExpr="split(datum.value, '_')",
            ticks=False,
            domain=False,
        ),
    )
    y = alt.Y(
        "part:N",
        sort=None,
        title=None,
        scale=spaced,
        axis=alt.Axis(labelLimit=150, labelOverlap=False, ticks=False, domain=False),
    )
    cells = base.mark_rect(cornerRadius=3, opacity=_TINT).encode(
        x=x,
        y=y,
        color=tone_colour(),
        tooltip=[
            alt.Tooltip(f"{name}:N") for name in ("part", "pairs", "metric", "said", "outcome")
        ],
    )
    words = base.mark_text(fontSize=12).encode(
        x=x, y=y, text=alt.Text("said:N"), color=themed(TEXT)
    )
    rows = chart.frame["part"].n_unique()
    return layered(_PART_FRAME + _PART * max(1, rows), cells, words)


def funnel(chart: Chart) -> Drawing:
    """One bar a step, with its count beside it."""
    base = alt.Chart(chart.frame).encode(
        y=alt.Y(
            "label:N",
            sort=None,
            title=None,
            axis=alt.Axis(labelLimit=220, labelOverlap=False, ticks=False, domain=False),
        ),
        x=alt.X(
            "value:Q",
            title=chart.x_title,
            axis=alt.Axis(labelExpr="format(datum.value, '~s')", tickCount=5),
        ),
    )
    steps = base.mark_bar(cornerRadiusEnd=3, height=22).encode(
        color=alt.Color(
            "kept:N",
            scale=alt.Scale(domain=[True, False], range=[PRODUCTION, TEXT]),
            legend=None,
        ),
        tooltip=[alt.Tooltip("label:N"), alt.Tooltip("text:N")],
    )
    numbers = base.mark_text(align="left", dx=5).encode(text=alt.Text("text:N"), color=themed(TEXT))
    return layered(_FRAME + 34 * max(1, chart.frame.height), steps, numbers)
