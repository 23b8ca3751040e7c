"""What happens over time: levels, shares of errors, and the interval after each hour.

In: rows with a timestamp in UTC. Out: the drawings. A gap in the data is a gap in the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from analyzer.report.charts.palette import (
    DASH,
    HEIGHT,
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
    time,
    when,
)

if TYPE_CHECKING:
    from analyzer.report.content.page import Chart


def overlay(chart: Chart) -> Drawing:
    """Both variants in one frame."""
    return sized(
        alt.Chart(chart.frame)
        .mark_line(strokeWidth=1.4, interpolate="linear")
        .encode(
            x=time(),
            y=alt.Y("value:Q", title=chart.y_title, scale=alt.Scale(zero=chart.zero_y)),
            color=role_colour(),
            strokeDash=role_dash(),
            tooltip=[when(), alt.Tooltip("role:N"), alt.Tooltip("value:Q", format=",.4~g")],
        )
    )


def running(chart: Chart) -> Drawing:
    """Each look's interval until the next look, and the judged one as a bar at the end."""
    base = alt.Chart(chart.frame)
    y = alt.Scale(zero=True)
    band = base.mark_area(color=SHADOW, opacity=0.2, interpolate="step-after").encode(
        x=time(),
        y=alt.Y("lower:Q", title=chart.y_title, scale=y, axis=alt.Axis(format="+%")),
        y2=alt.Y2("upper:Q"),
    )
    line = base.mark_line(color=SHADOW, interpolate="step-after", strokeWidth=2).encode(
        x=time(),
        y=alt.Y("estimate:Q", scale=y),
        tooltip=[
            when(),
            *(alt.Tooltip(f"{name}:Q", format="+.1%") for name in ("estimate", "lower", "upper")),
        ],
    )
    zero = alt.Chart().mark_rule().encode(y=alt.YDatum(0), color=themed(TEXT))
    layers = [band, zero, line]
    if chart.limit is not None:
        layers += _margin(chart.limit)
    # A layer without rows makes Vega warn of an infinite extent.
    if chart.frame["judged"].any():
        layers += _judged(base, y)
    return layered(HEIGHT, *layers)


def _judged(base: alt.Chart, y: alt.Scale) -> list[alt.Chart]:
    """The last look has no look after it, so its band has no width: it is a bar with its bounds."""
    last = base.transform_filter("datum.judged")
    bar = last.mark_rule(color=SHADOW, strokeWidth=4).encode(
        x=time(), y=alt.Y("lower:Q", scale=y), y2=alt.Y2("upper:Q")
    )
    point = last.mark_point(color=SHADOW, filled=True, size=90, opacity=1).encode(
        x=time(), y=alt.Y("estimate:Q", scale=y)
    )
    words = [
        last.mark_text(align="left", dx=9, fontSize=12, fontWeight="bold").encode(
            x=time(),
            y=alt.Y(f"{bound}:Q", scale=y),
            text=alt.Text(f"{bound}_text:N"),
            color=themed(TEXT),
        )
        for bound in ("upper", "lower")
    ]
    return [bar, point, *words]


def strip(chart: Chart) -> Drawing:
    """Production upwards, shadow downwards, and grey where there is nothing to count."""
    base = alt.Chart(chart.frame)
    gaps = (
        base.transform_filter("!isValid(datum.value)")
        .mark_rule(opacity=0.25, strokeWidth=2)
        .encode(x=time(), color=themed(TEXT))
    )
    bars = (
        base.transform_calculate(signed="datum.role === 'shadow' ? -datum.value : datum.value")
        .mark_bar(size=2, clip=True)
        .encode(
            x=time(),
            y=alt.Y(
                "signed:Q",
                title=chart.y_title,
                axis=alt.Axis(
                    labelExpr="format(abs(datum.value), '.2~%')", labelOverlap=False, tickCount=6
                ),
            ),
            color=role_colour(),
            tooltip=[when(), alt.Tooltip("role:N"), alt.Tooltip("value:Q", format=".3~%")],
        )
    )
    # A layer without rows makes Vega warn of an infinite extent.
    silent = [gaps] if chart.frame["value"].null_count() else []
    zero = alt.Chart().mark_rule().encode(y=alt.YDatum(0), color=themed(TEXT))
    return layered(HEIGHT, *silent, bars, zero)


def _margin(limit: float) -> list[alt.Chart]:
    data = alt.InlineData(values=[{"limit": limit, "label": "margin"}])
    rule = (
        alt.Chart(data)
        .mark_rule(strokeDash=DASH, strokeWidth=1.5)
        .encode(y=alt.Y("limit:Q"), color=themed(TONES["bad"]))
    )
    label = (
        alt.Chart(data)
        .mark_text(align="left", dy=-7, fontWeight="bold")
        .encode(
            y=alt.Y("limit:Q"),
            x=placed(4),
            text=alt.Text("label:N"),
            color=themed(TONES["bad"]),
        )
    )
    return [rule, label]
