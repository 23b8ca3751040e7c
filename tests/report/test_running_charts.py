"""The interval over time: its end is the judged interval, and its steps are explained."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from analyzer.model import Decision, Window
from analyzer.report import charts
from analyzer.report.content import latency_page
from analyzer.report.content.page import Chart, Table
from tests.report.frames import tables
from tests.report.verdicts import START, verdict


def followed(running: pl.DataFrame, **update: object) -> list[Chart]:
    one = verdict(Decision.REJECT).model_copy(update=update)
    blocks = latency_page(one, {"running": running}).blocks
    return [block for block in blocks if isinstance(block, Chart) and block.kind == "running"]


def course(lower: float | None, upper: float | None) -> pl.DataFrame:
    """Looks at every hour of two days; the last has these bounds."""
    hours = range(1, 49)
    frame = tables(Decision.REJECT)["running"].head(1).select("timestamp").schema
    return pl.DataFrame(
        {
            "metric": ["latency_p99"] * len(hours),
            "timestamp": [START + timedelta(hours=hour) for hour in hours],
            "estimate": [1.488] * len(hours),
            "lower": [1.2] * (len(hours) - 1) + [lower],
            "upper": [1.9] * (len(hours) - 1) + [upper],
        },
        schema_overrides=dict(frame) | {"lower": pl.Float64, "upper": pl.Float64},
    )


def test_last_look_is_a_bar_that_reads_as_the_judged_interval_of_the_table() -> None:
    (chart,) = followed(course(1.41, 1.573))
    marked = chart.frame.filter("judged")
    assert marked["timestamp"].to_list() == [chart.frame["timestamp"].max()]
    page = latency_page(verdict(Decision.REJECT), {})
    table = next(block for block in page.blocks if isinstance(block, Table))
    row = next(row for row in table.rows if row[0] == "latency_p99")
    bounds = [text.removesuffix(" %") for text in marked.select("^.*_text$").row(0)]
    assert f"[{' .. '.join(bounds)}]" in row
    layers = charts.draw(chart).to_dict()["layer"]
    bars = [
        layer
        for layer in layers
        if layer["mark"]["type"] == "rule"
        and layer.get("transform") == [{"filter": "datum.judged"}]
    ]
    assert [bar["encoding"]["y2"]["field"] for bar in bars] == ["upper"]


@pytest.mark.parametrize("bounds", [(None, None), (1.2, None)])
def test_last_look_without_both_bounds_is_no_bar(bounds: tuple[float | None, ...]) -> None:
    (chart,) = followed(course(*bounds))
    assert not chart.frame["judged"].any()
    assert "datum.judged" not in str(charts.draw(chart).to_dict())


@pytest.mark.parametrize(
    ("start", "end", "explained"),
    [
        ("2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z", True),
        ("2026-11-20T00:01:00Z", "2026-11-22T23:00:00Z", False),
        ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", False),
    ],
)
def test_steps_of_whole_days_are_explained_where_there_are_two(
    start: str, end: str, *, explained: bool
) -> None:
    (chart,) = followed(course(1.41, 1.573), window=Window(start=start, end=end))
    assert ("moves at midnight" in chart.caption) is explained


def test_title_promises_no_narrowing_and_names_the_time_between_looks() -> None:
    (hourly,) = followed(course(1.41, 1.573))
    assert hourly.title == "The interval after each hour: latency_p99"
    (thinned,) = followed(course(1.41, 1.573).gather_every(3))
    assert thinned.title == "The interval after each 3 hours: latency_p99"


def test_interval_that_holds_for_one_look_is_not_offered_for_every_look() -> None:
    one = verdict(Decision.REJECT)
    evidence = one.metrics["latency_p99"]
    assert evidence.effect is not None
    once = evidence.effect.model_copy(update={"mode": "fixed"})
    metrics = {"latency_p99": evidence.model_copy(update={"effect": once})}
    (anytime,) = followed(course(1.41, 1.573))
    (fixed,) = followed(course(1.41, 1.573), metrics=metrics)
    assert "at any look" in anytime.caption
    assert "at any look" not in fixed.caption
