"""How often: scores, differences, flips, and what became of every line.

In: finished counts. Out: the drawings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from analyzer.report.charts.palette import (
    DASH,
    HEIGHT,
    PRODUCTION,
    TEXT,
    TONES,
    Drawing,
    layered,
    role_colour,
    role_dash,
    sized,
    themed,
)

if TYPE_CHECKING:
    from analyzer.report.content.page import Chart

FAINTEST, STRONGEST = 0.1, 0.4
"""Opacity of a cell of the flip matrix at a share of 0 and of 1: its number stays readable."""
_FRAME = 60


def distribution(chart: Chart) -> Drawing:
    """Both variants' histogram as steps."""
    return sized(
        alt.Chart(chart.frame)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X(
                "lower:Q",
                title=chart.x_title,
                scale=alt.Scale(type="log") if chart.x_log else alt.Scale(),
            ),
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


def score_grid(chart: Chart) -> Drawing:
    """Binned scatter: the theme's ramp runs away from the page, so the fullest cell stands out."""
    grid = alt.Chart(chart.frame)
    cells = grid.mark_rect().encode(
        x=alt.X("production_lower:Q", title=chart.x_title),
        x2=alt.X2("production_upper:Q"),
        y=alt.Y("shadow_lower:Q", title=chart.y_title),
        y2=alt.Y2("shadow_upper:Q"),
        color=alt.Color(
            "predictions:Q",
            scale=alt.Scale(type="log"),
            legend=alt.Legend(title="pairs", orient="bottom"),
        ),
        tooltip=[
            alt.Tooltip("production_lower:Q", format=".3~g"),
            alt.Tooltip("shadow_lower:Q", format=".3~g"),
            alt.Tooltip("predictions:Q", format=","),
        ],
    )
    ends = grid.transform_aggregate(start="min(production_lower)", stop="max(production_upper)")
    diagonal = ends.mark_rule(strokeDash=DASH, strokeWidth=2).encode(
        x=alt.X("start:Q"),
        x2=alt.X2("stop:Q"),
        y=alt.Y("start:Q"),
        y2=alt.Y2("stop:Q"),
        color=themed(TONES["open"]),
    )
    return layered(HEIGHT + 60, cells, diagonal)


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
