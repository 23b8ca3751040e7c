"""The tables the latency and error pages draw."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from analyzer.metrics.running import MOST_LOOKS, latency_tables
from tests.metrics.points import FIVE_XX, START, assess, facts_of, shadow_test

MINUTES = [
    "timestamp",
    *(
        f"{side}_{name}"
        for name in (
            "invocations",
            "latency_ms",
            "overhead_ms",
            "errors_5xx",
            "errors_4xx",
            "model_errors",
        )
        for side in ("production", "shadow")
    ),
]


def test_the_running_interval_ends_with_the_judged_one() -> None:
    facts = shadow_test(2.3, slower=1.04).facts()
    running = latency_tables(facts)["running"]
    for metric in ("latency_mean", "latency_p99", "latency_p95"):
        effect = assess(facts, metric).effect
        last = running.filter(pl.col("metric") == metric).sort("timestamp").row(-1, named=True)
        assert effect is not None
        assert last["timestamp"] == facts.end
        assert last["estimate"] == pytest.approx(effect.estimate, rel=1e-8)
        assert last["lower"] == pytest.approx(effect.lower, rel=1e-8)
        assert last["upper"] == pytest.approx(effect.upper, rel=1e-8)


def test_an_hour_of_the_running_interval_is_the_run_that_ended_there() -> None:
    points = shadow_test(2, slower=1.04).points()
    whole = latency_tables(facts_of(points, end=START + timedelta(days=2)))["running"]
    end = START + timedelta(hours=31)
    effect = assess(facts_of(points, end=end), "latency_mean").effect
    row = whole.filter((pl.col("metric") == "latency_mean") & (pl.col("timestamp") == end))
    assert effect is not None
    assert row["upper"].item() == pytest.approx(effect.upper, rel=1e-8)


def test_a_gap_is_null_in_the_minutes() -> None:
    test = shadow_test(0.1)
    test.shadow.mean_ms[10:20] = np.nan
    test.shadow.errors[FIVE_XX] = np.ones(test.minutes)
    minutes = latency_tables(test.facts())["minutes"]
    assert minutes.columns == MINUTES
    assert minutes.height == test.minutes
    assert minutes["shadow_latency_ms"].null_count() == 10
    assert minutes["production_overhead_ms"].null_count() == test.minutes
    assert minutes["shadow_errors_5xx"].sum() == test.minutes
    assert minutes["production_latency_ms"].to_numpy() == pytest.approx(test.production.mean_ms)


def test_percentiles_keep_their_periods_and_counts() -> None:
    test = shadow_test(1)
    percentiles = latency_tables(test.facts())["percentiles"]
    hourly = percentiles.filter((pl.col("period_s") == 3600) & (pl.col("stat") == "p99"))
    assert hourly.height == 24
    assert hourly["production_n"].sum() == test.production.counts.sum()
    assert set(percentiles["stat"]) == {"p50", "p95", "p99"}


def test_instances_are_one_row_per_minute_and_metric() -> None:
    test = shadow_test(0.1)
    points = test.points()
    cpu = points.filter(pl.col("stat") == "Average").with_columns(
        metric_name=pl.lit("CPUUtilization"), namespace=pl.lit("/aws/sagemaker/Endpoints")
    )
    end = START + timedelta(days=0.1)
    instances = latency_tables(facts_of(pl.concat([points, cpu]), end=end))["instances"]
    assert instances.columns == ["timestamp", "metric_name", "production", "shadow"]
    assert instances.height == test.minutes
    assert instances["production"].null_count() == 0


@pytest.mark.parametrize(
    ("most", "days"), [(60, 3), pytest.param(MOST_LOOKS, 12, marks=pytest.mark.long)]
)
def test_a_long_window_is_thinned_to_a_few_hundred_looks(
    most: int, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 100 < MOST_LOOKS < 300
    monkeypatch.setattr("analyzer.metrics.running.MOST_LOOKS", most)
    running = latency_tables(shadow_test(days, per_minute=2).facts())["running"]
    looks = running.filter(pl.col("metric") == "latency_mean")
    assert 100 / 240 * most < looks.height <= most < 24 * days
    assert looks["timestamp"].max() == START + timedelta(days=days)
    assert looks["timestamp"].is_sorted()


def test_without_points_there_are_no_tables() -> None:
    assert latency_tables(facts_of(shadow_test(0.1).points().clear())) == {}
