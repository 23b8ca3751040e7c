"""Colours and axes that every drawing shares, and the one rule about text: data is never text.

In: nothing. Out: encodings. A colour that must be read on a light and on a dark page is a name of
the theme's palette, which the report's theme (app/.streamlit/config.toml) gives for each; drawn
elsewhere, the same names are plain CSS colours. Production is blue and solid, shadow vermilion and
dashed (Okabe and Ito's palette), so neither colour nor a screen is needed to tell them apart.

Every drawing names the class of an encoding (`alt.Text("text:N")`): of a bare string or dict Altair
finds it out by a search through all its classes, several milliseconds each time.
"""

from __future__ import annotations

from typing import TypeAlias

import altair as alt

Drawing: TypeAlias = alt.Chart | alt.LayerChart

PRODUCTION = "#0072B2"
SHADOW = "#D55E00"
TEXT = "gray"
TONES = {"good": "green", "bad": "red", "open": "orange", "plain": "gray"}
MARKS = {"good": "circle", "bad": "diamond", "open": "square", "plain": "stroke"}
HEIGHT = 320
DASH = [5, 4]
_ROLES = ["production", "shadow"]
# Vega thins labels that touch, and may leave only the noons: fewer ticks, each with its day.
_TICKS = alt.ExprRef("max(3, floor(width / 70))")
_CLOCK = (
    "utchours(datum.value) || utcminutes(datum.value) "
    "? (datum.index == 0 ? [utcFormat(datum.value, '%H:%M'), utcFormat(datum.value, '%b %d')] "
    ": utcFormat(datum.value, '%H:%M')) "
    ": utcFormat(datum.value, '%b %d')"
)


def layered(height: int, *layers: alt.Chart) -> alt.LayerChart:
    """Layers on one pair of axes, first at the bottom.

    Altair copies all of them twice whenever it makes a layered chart, as `properties` does.
    """
    return alt.LayerChart(layer=list(layers), height=height)


def sized(drawing: alt.Chart) -> alt.Chart:
    """A drawing of one layer at the height they share."""
    return drawing.properties(height=HEIGHT)


def time() -> alt.X:
    """Time in UTC, with as many ticks as there is room, the first of which names its day."""
    return alt.X(
        "timestamp:T",
        title="UTC",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(labelOverlap=True, tickCount=_TICKS, labelExpr=_CLOCK),
    )


def when() -> alt.Tooltip:
    """The moment under the pointer."""
    return alt.Tooltip("timestamp:T", title="UTC", formatType="utc", format="%Y-%m-%d %H:%M")


def role_colour() -> alt.Color:
    """Blue for production, vermilion for the shadow."""
    return alt.Color(
        "role:N",
        scale=alt.Scale(domain=_ROLES, range=[PRODUCTION, SHADOW]),
        legend=_role_legend(),
    )


def role_dash() -> alt.StrokeDash:
    """Solid for production, dashed for the shadow."""
    return alt.StrokeDash(
        "role:N", scale=alt.Scale(domain=_ROLES, range=[[1, 0], [5, 2]]), legend=_role_legend()
    )


def _role_legend() -> alt.Legend:
    """Colour and dash share one legend; Vega merges two only where they are equal."""
    return alt.Legend(title=None, orient="top")


def tone_colour() -> alt.Color:
    """What a row means for the decision, as the theme's colour for it."""
    return alt.Color(
        "tone:N", scale=alt.Scale(domain=list(TONES), range=list(TONES.values())), legend=None
    )


def tone_shape() -> alt.Shape:
    """The same as a shape: a colour alone tells nothing to one reader in twelve."""
    return alt.Shape(
        "tone:N", scale=alt.Scale(domain=list(MARKS), range=list(MARKS.values())), legend=None
    )


def themed(name: str) -> alt.ColorValue:
    """One colour of the theme; only an encoding, not a mark, is looked up there."""
    return alt.ColorValue(name)


def placed(x: float | str) -> alt.XValue:
    """A place on the drawing itself, in pixels from its left edge, not on an axis."""
    return alt.XValue(x)  # type: ignore[no-untyped-call]
