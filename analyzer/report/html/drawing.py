"""Charts as inline SVG.

In: the drawings that `charts` makes, the same as in the report application. Out: converting them
(`converter`). What several drawings on one page share is settled here: their ids, their weight, and
colours that follow the page's theme.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl
from altair.utils.schemapi import debug_mode

from analyzer.report import charts
from analyzer.report.plain_text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.report.content.page import Chart
    from analyzer.report.html.converter import Converter

WIDTH_PX = 440
FOREST_PX = 480
_WIDTHS_PX = {"forest": FOREST_PX, "parts": 300}
_VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
_TAG = re.compile(r"<[^>]+>")
_DECIMALS = re.compile(r"(\.\d\d)\d+")
_ID = re.compile(r'(id="|url\(#)(clip|gradient_)')
_SIZE = re.compile(r'^<svg [^>]*?width="([\d.]+)" height="([\d.]+)"')
_INK = "currentColor"
_FAINT = "gray"
_READ_PX = 12  # a phone shows a drawing at two thirds of its width


def svgs(drawn: Mapping[str, Chart], converter: Converter) -> dict[str, str]:
    """The drawings of the charts of one page, by name.

    Args:
        drawn: name -> chart; the name makes the ids of a drawing unlike those of any other.
        converter: draws each chart while the next one is specified.

    Returns:
        `<svg>` elements without scripts, links or images. {} where the converter failed: a report
        without drawings still has every number, in its tables.
    """
    # What the tests validate is not validated again.
    with debug_mode(arg=False):
        for name, chart in drawn.items():
            converter.send(name, _specification(chart), _VEGA_LITE)
    return {name: _placed(text, name) for name, text in converter.answer().items()}


def _specification(chart: Chart) -> dict[str, Any]:
    texts = [name for name, kind in chart.frame.schema.items() if kind == pl.String]
    # The converter measures texts as XML, and dies of characters that XML cannot have.
    frame = chart.frame.with_columns(
        pl.col(name).map_elements(clean, return_dtype=pl.String) for name in texts
    )
    drawing = charts.draw(replace(chart, frame=frame))
    drawing.width = _WIDTHS_PX.get(chart.kind, WIDTH_PX)
    drawing.background = "transparent"
    # The figure says what the drawing shows; a label for each mark would triple its weight.
    drawing.config = alt.Config(
        aria=False,
        locale=charts.LOCALE,
        axis=alt.AxisConfig(
            labelFlush=False,
            # To hold a text against a limit is to measure it three times: two fifths of the time
            # a drawing takes. Axes whose labels may be long have limits of their own.
            labelLimit=0,
            titleLimit=0,
            labelFontSize=_READ_PX,
            titleFontSize=_READ_PX,
            labelColor=_INK,
            titleColor=_INK,
            domainColor=_FAINT,
            tickColor=_FAINT,
            gridColor=_FAINT,
            gridOpacity=0.25,
        ),
        legend=alt.LegendConfig(labelLimit=0, titleLimit=0, labelColor=_INK, titleColor=_INK),
        view=alt.ViewConfig(stroke=None),
    )
    return drawing.to_dict(validate=False)


def _placed(drawn: str, name: str) -> str:
    """A drawing as it may stand on a page with others."""
    text = _TAG.sub(lambda tag: _DECIMALS.sub(r"\1", tag[0]), drawn)
    text = _ID.sub(rf"\1{name}-\2", text)
    # A width of its own would keep the drawing from shrinking to a narrow page.
    return _SIZE.sub(
        lambda size: size[0].replace(
            f'width="{size[1]}" height="{size[2]}"', f'style="max-width: {size[1]}px"'
        ),
        text,
        count=1,
    )
