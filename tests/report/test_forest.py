"""The forest: what it draws was measured, and what it cannot draw it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.model import Decision, Family, Outcome
from analyzer.report import charts
from analyzer.report.content import verdict_page
from analyzer.report.content.page import FOREST_EDGES, Chart, Table
from tests.report.verdicts import effect, evidence, verdict

if TYPE_CHECKING:
    from analyzer.model import Effect


def forest(seen: Effect | None, margin: float, outcome: Outcome = Outcome.FAIL) -> Chart:
    """The forest of one metric that was seen to change by so much."""
    family = Family.LATENCY if seen is None or seen.kind == "ratio" else Family.ERROR_RATE
    metrics = {"latency_p99": evidence(outcome, seen, margin, family=family, unit="share")}
    page = verdict_page(verdict(Decision.REJECT).model_copy(update={"metrics": metrics}))
    return next(block for block in page.blocks if isinstance(block, Chart))


def test_estimate_beyond_the_axis_is_an_arrow_and_a_number_never_a_point() -> None:
    chart = forest(effect("difference", 0.00515, 0.00397, 0.00632), 0.001)
    row = chart.frame.row(0, named=True)
    assert row["position"] is None
    assert row["beyond"]
    assert not row["below"]
    assert row["said"] == "5.2x  FAIL"
    assert "triangle-right" in str(charts.draw(chart).to_dict()["layer"])


def test_estimate_below_the_axis_is_an_arrow_to_the_left() -> None:
    chart = forest(effect("ratio", 0.6, 0.5, 0.75), 1.1, Outcome.PASS)
    row = chart.frame.row(0, named=True)
    assert row["position"] is None
    assert row["below"]
    assert row["said"].startswith("-5.4x")
    assert "triangle-left" in str(charts.draw(chart).to_dict()["layer"])


def test_result_between_the_edges_is_a_point_with_no_arrow() -> None:
    chart = forest(effect("ratio", 0.855, 0.81, 0.9), 1.1, Outcome.UNRESOLVED)
    row = chart.frame.row(0, named=True)
    assert row["position"] == pytest.approx(-1.64, abs=0.01)
    assert row["below"]
    assert row["from"] == FOREST_EDGES[0]
    assert row["said"] == "unresolved"
    inside = forest(effect("ratio", 0.9, 0.86, 0.95), 1.1, Outcome.PASS)
    assert "triangle" not in str(charts.draw(inside).to_dict())


def test_bound_beyond_the_axis_is_an_arrow_beside_its_point() -> None:
    row = forest(effect("difference", 0.0, -0.001, 0.03), 0.001).frame.row(0, named=True)
    assert row["position"] == 0
    assert (row["from"], row["to"]) == (-1.0, FOREST_EDGES[1])
    assert row["beyond"]


def test_loss_is_harm_to_the_right_like_any_other() -> None:
    row = forest(effect("difference", -0.0075, -0.01, 0.0025), -0.005).frame.row(0, named=True)
    assert (row["from"], row["position"], row["to"]) == (-0.5, 1.5, 2.0)
    assert row["margin"] == "> -0.50 pp"


def test_row_without_an_interval_says_so() -> None:
    row = forest(None, 1.1, Outcome.UNRESOLVED).frame.row(0, named=True)
    assert row["said"] == "no interval  unresolved"
    assert (row["position"], row["from"], row["to"]) == (None, None, None)


def test_rows_are_those_of_the_table_in_its_order() -> None:
    page = verdict_page(verdict(Decision.HOLD))
    chart = next(block for block in page.blocks if isinstance(block, Chart))
    table = next(block for block in page.blocks if isinstance(block, Table))
    assert chart.frame["metric"].to_list() == [row[0] for row in table.rows]


def test_layer_that_orders_the_rows_has_every_row() -> None:
    page = verdict_page(verdict(Decision.HOLD))
    chart = next(block for block in page.blocks if isinstance(block, Chart))
    first = charts.draw(chart).to_dict()["layer"][0]
    used = {channel["field"] for channel in first["encoding"].values() if "field" in channel}
    assert chart.frame.select(used).null_count().sum_horizontal().item() == 0
    assert chart.frame["position"].null_count() > 0


def test_caption_speaks_of_the_line_the_axis_names() -> None:
    chart = forest(effect("ratio", 1.0, 0.99, 1.01), 1.1, Outcome.PASS)
    assert "margin line" in chart.caption
    assert "left of 1" not in chart.caption
    assert "'margin'" in str(charts.draw(chart).to_dict())
