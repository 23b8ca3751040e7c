"""Drawings: valid specifications, bounded size, gaps kept, data only as values."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest

from analyzer.model import Decision
from analyzer.report import charts
from analyzer.report.content import (
    PAGES,
    latency_page,
    predictions_page,
    series,
    verdict_page,
)
from analyzer.report.content.page import Chart, Notes
from tests.report.frames import tables
from tests.report.verdicts import START, hostile, verdict


def drawn(decision: Decision) -> list[Chart]:
    frames = tables(decision)
    pages = [build(verdict(decision), frames) for build in PAGES]
    return [block for page in pages for block in page.blocks if isinstance(block, Chart)]


@pytest.mark.parametrize("decision", [Decision.HOLD, Decision.REJECT])
def test_every_chart_is_valid_small_and_described(decision: Decision) -> None:
    found = drawn(decision)
    assert {chart.kind for chart in found} == set(charts.KINDS)
    for chart in found:
        assert chart.frame.height <= series.MOST_POINTS
        assert len(chart.alt) > 20
        assert charts.draw(chart).to_dict()


def test_no_chart_links_or_loads_anything() -> None:
    for chart in drawn(Decision.HOLD):
        body = charts.draw(chart).to_dict()
        body.pop("$schema")
        for key in ('"href"', '"url"', '"image"', "http"):
            assert key not in json.dumps(body), chart.title


def test_data_stays_out_of_titles_and_expressions() -> None:
    word = "datum.evil"
    page = verdict_page(hostile(word))
    for block in page.blocks:
        if isinstance(block, Chart):
            body = charts.draw(block).to_dict()
            body.pop("datasets")
            assert word not in json.dumps(body)


def test_gap_in_the_minutes_stays_a_gap() -> None:
    frame = series.overlay(tables(Decision.HOLD)["minutes"], "latency_ms")
    silent = frame.filter(
        (pl.col("role") == "shadow")
        & pl.col("timestamp").is_between(
            START + timedelta(hours=30, minutes=10), START + timedelta(hours=32, minutes=50)
        )
    )
    assert silent.height > 10
    assert silent["value"].null_count() == silent.height


def test_absent_minutes_are_a_gap_too() -> None:
    minutes = tables(Decision.HOLD)["minutes"]
    hole = minutes.filter(~pl.col("timestamp").is_between(START, START + timedelta(hours=9)))
    both = pl.concat([minutes.head(10), hole])
    frame = series.overlay(both, "latency_ms").filter(pl.col("role") == "production")
    assert frame["value"].null_count() > 100


def test_thinned_mean_weighs_minutes_by_their_invocations() -> None:
    minutes = pl.DataFrame(
        {
            "timestamp": [START + timedelta(minutes=n) for n in range(4000)],
            "production_invocations": [1.0, 3.0] * 2000,
            "production_latency_ms": [10.0, 20.0] * 2000,
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))
    frame = series.overlay(minutes, "latency_ms")
    assert frame["value"].mean() == pytest.approx(17.5)


def test_series_that_was_not_exported_is_not_drawn_as_zero() -> None:
    assert series.error_share(tables(Decision.HOLD)["minutes"], "model_errors").is_empty()


def test_long_series_are_thinned_for_both_variants_alike() -> None:
    long = pl.DataFrame({"n": range(5000), "production": range(5000), "shadow": range(5000)})
    frame = series.by_role(long, {role: role for role in series.ROLES}, ("n",))
    assert frame.height <= series.MOST_POINTS
    counts = frame["role"].value_counts()["count"].to_list()
    assert counts[0] == counts[1]


def test_percentiles_are_drawn_for_the_period_that_was_judged() -> None:
    frames = tables(Decision.HOLD)
    shorter = frames["percentiles"].with_columns(pl.lit(60, pl.Int64).alias("period_s"))
    both = {**frames, "percentiles": pl.concat([frames["percentiles"], shorter])}
    blocks = latency_page(verdict(Decision.HOLD), both).blocks
    titles = [block.title for block in blocks if isinstance(block, Chart)]
    assert "p99 per minute" in titles
    assert "p99 per hour" not in titles


def test_pairs_that_keep_the_contract_are_not_listed_as_changes() -> None:
    frames = {"contract_changes": pl.DataFrame({"code": ["same"], "pairs": [24_051]})}
    blocks = predictions_page(verdict(Decision.HOLD), frames).blocks
    assert any(isinstance(block, Notes) and block.title == "Contract changes" for block in blocks)


def test_charts_of_what_fails_come_first_on_the_latency_page() -> None:
    blocks = latency_page(verdict(Decision.REJECT), tables(Decision.REJECT)).blocks
    titles = [block.title for block in blocks if isinstance(block, Chart)]
    mean = titles.index("Mean model latency per minute")
    assert "p99" in titles[0]
    assert titles.index("p99 per hour") < mean < titles.index("Overhead latency per minute")
