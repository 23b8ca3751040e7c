"""One drawing per chart kind: Altair specifications from finished frames.

In: a Chart block. Out: an Altair chart. Data enters only as values; no text of the data becomes
part of an expression, a title or a link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from analyzer.report.charts.counts import bars, funnel, matrix, parts
from analyzer.report.charts.course import overlay, running, strip
from analyzer.report.charts.distributions import (
    agreement,
    cumulative,
    distribution,
    score_grid,
    shift,
)
from analyzer.report.charts.forest import forest

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.report.charts.palette import Drawing
    from analyzer.report.content.page import Chart

_PADDING = {"left": 5, "right": 12, "top": 10, "bottom": 5}
KINDS: dict[str, Callable[[Chart], Drawing]] = {
    "forest": forest,
    "overlay": overlay,
    "running": running,
    "strip": strip,
    "distribution": distribution,
    "cumulative": cumulative,
    "score_grid": score_grid,
    "agreement": agreement,
    "shift": shift,
    "bars": bars,
    "matrix": matrix,
    "parts": parts,
    "funnel": funnel,
}


def draw(chart: Chart) -> Drawing:
    """The drawing of one block; the caller gives it width and theme."""
    drawing = KINDS[chart.kind](chart)
    drawing.padding = _PADDING
    # A flush label stands beside its tick, and beside the column it names.
    drawing.config = alt.Config(axis=alt.AxisConfig(labelFlush=False), locale=LOCALE)
    return drawing


LOCALE = alt.Locale(
    number=alt.NumberLocale(
        currency=["", ""], decimal=".", grouping=[3], thousands="\N{NO-BREAK SPACE}"
    )
)
"""Thousands as everywhere else: by a space."""
