"""One drawing per chart kind: Altair specifications from finished frames.

In: a Chart block. Out: an Altair chart. Data enters only as values; no text of the data becomes
part of an expression, a title or a link. Production is blue and solid, shadow vermilion and dashed
(Okabe and Ito's palette), so neither colour nor a screen is needed to tell them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import altair as alt

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.report.content.page import Chart

Drawing: TypeAlias = alt.Chart | alt.LayerChart

PRODUCTION = "#0072B2"
SHADOW = "#D55E00"
GREY = "#8A8F98"
TONES = {"good": "#009E73", "bad": "#C8322B", "open": "#E69F00", "plain": GREY}
MARKS = {"good": "circle", "bad": "diamond", "open": "square", "plain": "stroke"}
_ROLES = ["production", "shadow"]
_CLOCK = "utcFormat(datum.value, utchours(datum.value) ? '%H:%M' : '%b %d')"
_MARGINS = "datum.value == 0 ? 'no change' : datum.value == 1 ? 'margin' : datum.value + 'x'"
_HEIGHT = 280
_FRAME = 60


def draw(chart: Chart) -> Drawing:
    """The drawing of one block; the caller gives it width and theme."""
    return KINDS[chart.kind](chart)


def _layered(height: int, *layers: alt.Chart) -> alt.LayerChart:
    return alt.LayerChart(layer=list(layers)).properties(height=height)


def _sized(drawing: alt.Chart) -> alt.Chart:
    return drawing.properties(height=_HEIGHT)


def _forest(chart: Chart) -> Drawing:
    base = alt.Chart(chart.frame)
    rows = alt.Y(
        "metric:N",
        sort=None,
        title=None,
        axis=alt.Axis(
            labelLimit=220, labelFlush=False, labelOverlap=False, ticks=False, domain=False
        ),
    )
    scale = alt.Scale(domain=[-1.2, 3.6], nice=False)
    x = alt.X(
        "position:Q",
        title=None,
        scale=scale,
        axis=alt.Axis(values=[-1, 0, 1, 2, 3], labelExpr=_MARGINS, grid=True),
    )
    colour = alt.Color(
        "tone:N", scale=alt.Scale(domain=list(TONES), range=list(TONES.values())), legend=None
    )
    shape = alt.Shape(
        "tone:N", scale=alt.Scale(domain=list(MARKS), range=list(MARKS.values())), legend=None
    )
    tooltip = [
        alt.Tooltip("metric:N"),
        alt.Tooltip("change:N"),
        alt.Tooltip("interval:N"),
        alt.Tooltip("margin:N"),
        alt.Tooltip("outcome:N"),
    ]
    acceptable = (
        _band(-1.2, 1.0)
        .mark_rect(color=TONES["good"], opacity=0.07)
        .encode(x=alt.X("start:Q", scale=scale), x2="stop:Q")
    )
    bars = base.mark_rule(strokeWidth=5, opacity=0.55, clip=True).encode(
        x=alt.X("from:Q", scale=scale), x2="to:Q", y=rows, color=colour, tooltip=tooltip
    )
    points = base.mark_point(filled=True, size=130, opacity=1, clip=True).encode(
        x=x, y=rows, color=colour, shape=shape, tooltip=tooltip
    )
    words = base.mark_text(align="right", dx=-2, fontWeight="bold").encode(
        x=alt.datum(3.6, scale=scale), y=rows, text="outcome:N", color=colour
    )
    arrows = (
        base.transform_filter(alt.datum.beyond)
        .mark_point(shape="triangle-right", filled=True, size=110, opacity=1)
        .encode(x=alt.X("to:Q", scale=scale), y=rows, color=colour, tooltip=tooltip)
    )
    none = _rule_x(0.0, scale).mark_rule(color=GREY)
    margin = _rule_x(chart.limit or 1.0, scale).mark_rule(
        color=TONES["bad"], strokeDash=[5, 4], strokeWidth=1.5
    )
    height = _FRAME + 30 * max(1, chart.frame.height)
    # A layer without rows makes Vega warn of an infinite extent.
    beyond = [arrows] if chart.frame["beyond"].any() else []
    return _layered(height, acceptable, none, margin, bars, *beyond, points, words)


def _overlay(chart: Chart) -> Drawing:
    return _sized(
        alt.Chart(chart.frame)
        .mark_line(strokeWidth=1.4, interpolate="linear")
        .encode(
            x=_time(),
            y=alt.Y("value:Q", title=chart.y_title, scale=alt.Scale(zero=chart.zero_y)),
            color=_role_colour(),
            strokeDash=_role_dash(),
            tooltip=[_when(), alt.Tooltip("role:N"), alt.Tooltip("value:Q", format=",.4~g")],
        )
    )


def _running(chart: Chart) -> Drawing:
    base = alt.Chart(chart.frame)
    y = alt.Scale(zero=True)
    band = base.mark_area(color=SHADOW, opacity=0.2, interpolate="step-after").encode(
        x=_time(),
        y=alt.Y("lower:Q", title=chart.y_title, scale=y, axis=alt.Axis(format="+%")),
        y2="upper:Q",
    )
    line = base.mark_line(color=SHADOW, interpolate="step-after", strokeWidth=2).encode(
        x=_time(),
        y=alt.Y("estimate:Q", scale=y),
        tooltip=[
            _when(),
            *(alt.Tooltip(f"{name}:Q", format="+.1%") for name in ("estimate", "lower", "upper")),
        ],
    )
    zero = alt.Chart().mark_rule(color=GREY).encode(y=alt.datum(0))
    layers = [band, zero, line]
    if chart.limit is not None:
        layers += _margin_y(chart.limit)
    return _layered(_HEIGHT, *layers)


def _strip(chart: Chart) -> Drawing:
    """Production upwards, shadow downwards, and grey where there is nothing to count."""
    base = alt.Chart(chart.frame)
    gaps = (
        base.transform_filter("!isValid(datum.value)")
        .mark_rule(color=GREY, opacity=0.25, strokeWidth=2)
        .encode(x=_time())
    )
    bars = (
        base.transform_calculate(signed="datum.role === 'shadow' ? -datum.value : datum.value")
        .mark_bar(size=2, clip=True)
        .encode(
            x=_time(),
            y=alt.Y(
                "signed:Q",
                title=None,
                axis=alt.Axis(labelExpr="format(abs(datum.value), '.2~%')", tickCount=5),
            ),
            color=_role_colour(),
            tooltip=[_when(), alt.Tooltip("role:N"), alt.Tooltip("value:Q", format=".3~%")],
        )
    )
    # A layer without rows makes Vega warn of an infinite extent.
    silent = [gaps] if chart.frame["value"].null_count() else []
    return _layered(200, *silent, bars)


def _distribution(chart: Chart) -> Drawing:
    return _sized(
        alt.Chart(chart.frame)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("lower:Q", title=chart.x_title),
            y=alt.Y("value:Q", title=chart.y_title),
            color=_role_colour(),
            strokeDash=_role_dash(),
            tooltip=[
                alt.Tooltip("role:N"),
                alt.Tooltip("lower:Q", format=".4~g"),
                alt.Tooltip("upper:Q", format=".4~g"),
                alt.Tooltip("value:Q", title=chart.y_title, format=","),
            ],
        )
    )


def _score_grid(chart: Chart) -> Drawing:
    lowest = alt.Chart(chart.frame)
    cells = lowest.mark_rect().encode(
        x=alt.X("production_lower:Q", title=chart.x_title),
        x2="production_upper:Q",
        y=alt.Y("shadow_lower:Q", title=chart.y_title),
        y2="shadow_upper:Q",
        color=alt.Color(
            "predictions:Q",
            scale=alt.Scale(type="log", scheme="blues"),
            legend=alt.Legend(title="pairs", orient="bottom"),
        ),
        tooltip=[
            alt.Tooltip("production_lower:Q", format=".3~g"),
            alt.Tooltip("shadow_lower:Q", format=".3~g"),
            alt.Tooltip("predictions:Q", format=","),
        ],
    )
    diagonal = (
        lowest.transform_aggregate(start="min(production_lower)", stop="max(production_upper)")
        .mark_rule(color=GREY, strokeDash=[5, 4], strokeWidth=1.5)
        .encode(x="start:Q", x2="stop:Q", y="start:Q", y2="stop:Q")
    )
    return _layered(380, cells, diagonal)


def _bars(chart: Chart) -> Drawing:
    return _sized(
        alt.Chart(chart.frame)
        .mark_bar(color=PRODUCTION, cornerRadiusEnd=2)
        .encode(
            x=alt.X(
                "label:N",
                sort=None,
                title=chart.x_title,
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y("value:Q", title=chart.y_title),
            tooltip=[
                alt.Tooltip("label:N", title=chart.x_title),
                alt.Tooltip("value:Q", format=",.4~g"),
            ],
        )
    )


def _matrix(chart: Chart) -> Drawing:
    base = alt.Chart(chart.frame).encode(
        x=alt.X("shadow_label:N", title=chart.x_title, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("production_label:N", title=chart.y_title),
    )
    cells = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("value:Q", scale=alt.Scale(range=["#FCEBDD", "#F2A76B"]), legend=None),
        tooltip=["production_label:N", "shadow_label:N", "text:N"],
    )
    numbers = base.mark_text(color="#1F2328", fontSize=14).encode(text="text:N")
    return _layered(_HEIGHT, cells, numbers)


def _funnel(chart: Chart) -> Drawing:
    base = alt.Chart(chart.frame).encode(
        y=alt.Y(
            "label:N",
            sort=None,
            title=None,
            axis=alt.Axis(
                labelLimit=220, labelFlush=False, labelOverlap=False, ticks=False, domain=False
            ),
        ),
        x=alt.X("value:Q", title=chart.x_title, axis=alt.Axis(format="~s", tickCount=5)),
    )
    bars = base.mark_bar(cornerRadiusEnd=3, height=22).encode(
        color=alt.Color(
            "kept:N", scale=alt.Scale(domain=[True, False], range=[PRODUCTION, GREY]), legend=None
        ),
        tooltip=[alt.Tooltip("label:N"), alt.Tooltip("text:N")],
    )
    numbers = base.mark_text(align="left", dx=5, color=GREY).encode(text="text:N")
    return _layered(_FRAME + 34 * max(1, chart.frame.height), bars, numbers)


def _band(start: float, stop: float) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=[{"start": start, "stop": stop}]))


def _rule_x(position: float, scale: alt.Scale) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=[{}])).encode(x=alt.datum(position, scale=scale))


def _margin_y(limit: float) -> list[alt.Chart]:
    data = alt.InlineData(values=[{"limit": limit, "label": "margin"}])
    rule = (
        alt.Chart(data)
        .mark_rule(color=TONES["bad"], strokeDash=[5, 4], strokeWidth=1.5)
        .encode(y="limit:Q")
    )
    label = (
        alt.Chart(data)
        .mark_text(color=TONES["bad"], align="left", dy=-7, fontWeight="bold")
        .encode(y="limit:Q", x=alt.value(4), text="label:N")
    )
    return [rule, label]


def _time() -> alt.X:
    return alt.X(
        "timestamp:T",
        title="UTC",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(labelOverlap=True, tickCount=6, labelExpr=_CLOCK),
    )


def _when() -> alt.Tooltip:
    return alt.Tooltip("timestamp:T", title="UTC", formatType="utc", format="%Y-%m-%d %H:%M")


def _role_colour() -> alt.Color:
    return alt.Color(
        "role:N",
        scale=alt.Scale(domain=_ROLES, range=[PRODUCTION, SHADOW]),
        legend=_role_legend(),
    )


def _role_legend() -> alt.Legend:
    """Colour and dash share one legend; Vega merges two only where they are equal."""
    return alt.Legend(title=None, orient="top")


def _role_dash() -> alt.StrokeDash:
    return alt.StrokeDash(
        "role:N", scale=alt.Scale(domain=_ROLES, range=[[1, 0], [5, 2]]), legend=_role_legend()
    )


KINDS: dict[str, Callable[[Chart], Drawing]] = {
    "forest": _forest,
    "overlay": _overlay,
    "running": _running,
    "strip": _strip,
    "distribution": _distribution,
    "score_grid": _score_grid,
    "bars": _bars,
    "matrix": _matrix,
    "funnel": _funnel,
}
