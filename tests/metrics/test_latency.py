"""Mean and percentile latency: what passes, what fails, and what is not known."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError
from analyzer.metrics.metric import EndpointFacts
from analyzer.model import Outcome
from tests.examples import examples
from tests.metrics.points import (
    START,
    Shadow,
    assess,
    assess_all,
    facts_of,
    policy_of,
    shadow_test,
    without,
)

if TYPE_CHECKING:
    from analyzer.model import Evidence

GUARDRAILS = (
    "latency_mean",
    "latency_p99",
    "latency_p95",
    "error_5xx_rate",
    "error_4xx_rate",
    "model_error_rate",
)
ORDER = {Outcome.PASS: 0, Outcome.UNRESOLVED: 1, Outcome.FAIL: 2}


def codes(item: Evidence) -> list[str]:
    return [note.code for note in item.notes]


@pytest.mark.parametrize("seed", range(1, 1 + examples(1, whole=3)))
def test_equal_variants_pass_every_guardrail_after_three_whole_days(seed: int) -> None:
    evidence = assess_all(shadow_test(3, seed=seed).facts())
    assert {name: evidence[name].outcome for name in GUARDRAILS} == dict.fromkeys(
        GUARDRAILS, Outcome.PASS
    )


@pytest.mark.parametrize("days", [20 / 24, pytest.param(3, marks=pytest.mark.long), 3.5])
def test_a_shadow_twenty_percent_slower_fails_the_mean_at_any_look(days: float) -> None:
    item = assess(shadow_test(days, slower=1.2).facts(), "latency_mean")
    assert item.outcome is Outcome.FAIL
    assert item.effect is not None
    assert item.effect.lower is not None
    assert item.effect.lower > 1.1


@pytest.mark.parametrize("seed", range(examples(2, whole=5)))
def test_a_slow_tail_never_passes_however_good_the_mean(seed: int) -> None:
    facts = shadow_test(3, slower=1.03, tail_slower=1.64 / 1.03, seed=seed).facts()
    assert assess(facts, "latency_p99").outcome is not Outcome.PASS


def late(days: float, factor: float, *, hours: float = 24, seed: int = 1) -> Shadow:
    """A test that is as fast as production until its last hours."""
    test = shadow_test(days, seed=seed)
    test.shadow.mean_ms[-round(60 * hours) :] *= factor
    return test


ONE_WEEK = {"inference": "planned", "horizon": "7d"}
ONLY_LOOK = {"inference": "fixed", "final": True}


@pytest.mark.parametrize(
    ("metric", "days", "factor", "policy"),
    [
        ("latency_mean", 7, 1.25, {}),
        pytest.param("latency_mean", 7, 1.25, ONE_WEEK, marks=pytest.mark.long),
        ("latency_mean", 7, 1.25, ONLY_LOOK),
        pytest.param("latency_mean", 13.5, 1.25, {}, marks=pytest.mark.long),
        pytest.param("latency_p95", 14, 1.25, {}, marks=pytest.mark.long),
        ("latency_p99", 14, 1.5, {}),
    ],
)
def test_a_shadow_whose_last_day_alone_would_fail_does_not_pass_on_the_days_before(
    metric: str, days: float, factor: float, policy: dict[str, object]
) -> None:
    item = assess(late(days, factor).facts(policy_of(**policy)), metric)
    assert (item.outcome, item.notes[-1].code) == (Outcome.UNRESOLVED, "worse-lately")
    assert item.notes[-1].text.startswith("of the last 24 hours alone it is +")
    assert item.effect is not None
    assert item.effect.estimate is not None
    assert item.effect.estimate < 1.1
    assert item.effect.upper is None
    assert item.needs is not None
    assert item.needs.text.endswith("where that is over, a day more shows it.")


def test_a_bad_day_that_is_over_and_a_bad_hour_do_not_keep_a_shadow_from_passing() -> None:
    over = late(8, 1.25, hours=48)
    over.shadow.mean_ms[-1440:] /= 1.25
    bad_hour = late(7, 3.0, hours=1)
    for test in (over, bad_hour, late(7, 1.07)):
        item = assess(test.facts(), "latency_mean")
        assert item.outcome is Outcome.PASS
        assert "worse-lately" not in codes(item)


def test_what_slows_both_variants_on_the_last_day_is_no_ones_harm() -> None:
    test = late(7, 1.5)
    test.production.mean_ms[-1440:] *= 1.5
    assert assess(test.facts(), "latency_mean").outcome is Outcome.PASS


def test_exactly_the_margin_is_not_a_pass() -> None:
    test = shadow_test(3)
    test.shadow.mean_ms = 1.10 * test.production.mean_ms
    item = assess(test.facts(), "latency_mean")
    assert item.effect is not None
    assert item.effect.estimate == pytest.approx(1.1)
    assert item.outcome is Outcome.UNRESOLVED
    assert item.needs is not None
    assert "Cannot be resolved" in item.needs.text


def test_swapping_the_variants_negates_the_log_effect() -> None:
    test = shadow_test(1, slower=1.07)
    there = assess(test.facts(), "latency_mean").effect
    test.production, test.shadow = test.shadow, test.production
    back = assess(test.facts(), "latency_mean").effect
    assert there is not None
    assert back is not None
    assert there.estimate is not None
    assert back.estimate is not None
    assert there.estimate * back.estimate == pytest.approx(1, rel=1e-8)


@settings(max_examples=examples(3, whole=10), deadline=None)
@given(
    seed=st.integers(0, 50),
    factor=st.floats(1.001, 1.5),
    slower=st.floats(0.9, 1.2),
)
def test_slowing_the_shadow_further_never_improves_an_outcome(
    seed: int, factor: float, slower: float
) -> None:
    test = shadow_test(1.5, slower=slower, seed=seed)
    points = test.points()
    worse = points.with_columns(
        value=pl.when(
            (pl.col("role") == "shadow")
            & (pl.col("metric_name") == "ModelLatency")
            & (pl.col("stat") != "SampleCount")
        )
        .then(pl.col("value") * factor)
        .otherwise(pl.col("value"))
    )
    end = START + timedelta(days=1.5)
    for metric in ("latency_mean", "latency_p99", "latency_p95"):
        before = assess(facts_of(points, end=end), metric).outcome
        after = assess(facts_of(worse, end=end), metric).outcome
        assert ORDER[after] >= ORDER[before]


def test_the_order_of_the_points_changes_nothing() -> None:
    points = shadow_test(1).points()
    end = START + timedelta(days=1)
    there = assess_all(facts_of(points, end=end))
    back = assess_all(facts_of(points.sample(fraction=1, shuffle=True, seed=3), end=end))
    assert there == back


@pytest.mark.parametrize("role", ["production", "shadow"])
def test_a_wrong_unit_is_refused_rather_than_judged(role: str) -> None:
    test = shadow_test(1)
    getattr(test, role).mean_ms *= 1000
    with pytest.raises(InputError) as refused:
        assess(test.facts(), "latency_mean")
    assert refused.value.code == "implausible-unit"


@pytest.mark.parametrize(("role", "factor"), [("production", 1000), ("shadow", 1e-3)])
def test_a_tail_in_another_unit_is_refused_where_it_would_pass(role: str, factor: float) -> None:
    test = shadow_test(3, tail_slower=2)
    getattr(test, role).tails["p99"] *= factor
    with pytest.raises(InputError) as refused:
        assess(test.facts(), "latency_p99")
    assert refused.value.code == "implausible-unit"


def test_a_tail_of_timeouts_is_a_failure_not_a_wrong_unit() -> None:
    assert assess(shadow_test(3, tail_slower=55).facts(), "latency_p99").outcome is Outcome.FAIL


def test_microseconds_read_as_milliseconds_on_both_sides_are_refused() -> None:
    test = shadow_test(1)
    for side in (test.production, test.shadow):
        side.mean_ms = side.mean_ms / 1000
    with pytest.raises(InputError) as refused:
        assess(test.facts(), "latency_mean")
    assert refused.value.code == "implausible-unit"


def test_milliseconds_labelled_microseconds_do_not_widen_the_margin() -> None:
    test = shadow_test(3, slower=1.35)
    for side in (test.production, test.shadow):
        side.mean_ms = side.mean_ms / 100
    item = assess(test.facts(), "latency_mean")
    assert item.margin == pytest.approx(1.1)
    assert "absolute-margin-unused" in codes(item)
    assert item.outcome is Outcome.FAIL


@pytest.mark.parametrize(("role", "factor"), [("both", 1e-3), ("shadow", 1e-3), ("shadow", 1e3)])
def test_what_sagemaker_itself_takes_shows_a_wrong_unit_whatever_the_model(
    role: str, factor: float
) -> None:
    test = shadow_test(1)
    for name, side in (("production", test.production), ("shadow", test.shadow)):
        side.overhead_ms = np.full(test.minutes, 8.0 * (factor if role in {"both", name} else 1))
    with pytest.raises(InputError, match="OverheadLatency") as refused:
        assess(test.facts(), "overhead_latency")
    assert refused.value.code == "implausible-unit"


@pytest.mark.parametrize(
    ("factor", "stat"),
    [
        (1e-3, "p99"),
        (1e3, "p95"),
        pytest.param(1e-3, "p95", marks=pytest.mark.long),
        pytest.param(1e3, "p99", marks=pytest.mark.long),
    ],
)
def test_a_percentile_in_another_unit_than_the_mean_is_refused(stat: str, factor: float) -> None:
    test = shadow_test(3)
    for side in (test.production, test.shadow):
        side.tails[stat] *= factor
    with pytest.raises(InputError, match="averages") as refused:
        assess(test.facts(), f"latency_{stat}")
    assert refused.value.code == "implausible-unit"


def test_a_margin_in_milliseconds_widens_the_ratio_of_a_fast_model_and_says_so() -> None:
    test = shadow_test(1)
    for side in (test.production, test.shadow):
        side.mean_ms = side.mean_ms / 4
    item = assess(test.facts(), "latency_mean")
    assert item.production is not None
    assert item.margin == pytest.approx(1 + 2 / item.production)
    assert "absolute-margin" in codes(item)


def test_a_margin_in_milliseconds_never_allows_more_than_half_as_much_again() -> None:
    test = shadow_test(1, slower=1.8)
    for side in (test.production, test.shadow):
        side.mean_ms = side.mean_ms / 10
    item = assess(test.facts(), "latency_mean")
    assert item.margin == pytest.approx(1.5)
    assert item.outcome is Outcome.FAIL


def test_a_harmless_but_certain_slowdown_passes_with_a_note() -> None:
    item = assess(shadow_test(3, slower=1.05).facts(), "latency_mean")
    assert item.outcome is Outcome.PASS
    assert "slower-within-margin" in codes(item)


def test_two_hours_have_no_interval_and_say_how_long_it_would_take() -> None:
    item = assess(shadow_test(2 / 24).facts(), "latency_mean")
    assert item.outcome is Outcome.UNRESOLVED
    assert item.effect is not None
    assert (item.effect.lower, item.effect.upper) == (None, None)
    assert codes(item)[-1] == "too-few-independent-minutes"
    assert item.needs is not None
    assert item.needs.minutes is not None
    assert item.needs.minutes > 120


def test_a_part_of_a_day_does_not_narrow_the_upper_bound() -> None:
    test = shadow_test(2.6)
    quiet_evening = np.arange(test.minutes) >= 2 * 1440
    test.shadow.mean_ms[quiet_evening] *= 0.93
    two_days = assess(facts_of(test.points(), end=START + timedelta(days=2)), "latency_mean")
    longer = assess(test.facts(), "latency_mean")
    assert two_days.effect is not None
    assert longer.effect is not None
    assert longer.effect.estimate is not None
    assert two_days.effect.estimate is not None
    assert longer.effect.estimate < two_days.effect.estimate
    assert longer.effect.upper == two_days.effect.upper


def test_without_points_every_guardrail_is_unresolved_and_names_the_export() -> None:
    facts = facts_of(shadow_test(0.1).points().clear())
    for name, item in assess_all(facts).items():
        assert item.outcome is not Outcome.PASS
        assert item.needs is not None
        if name in GUARDRAILS:
            assert item.outcome is Outcome.UNRESOLVED
            assert item.needs.text.startswith("Export ")
            assert len(item.needs.text) < 160


def test_an_undated_run_is_unresolved() -> None:
    points = shadow_test(1).points()
    assert assess(facts_of(points, start=None, end=None), "latency_mean").outcome is (
        Outcome.UNRESOLVED
    )


@pytest.mark.parametrize("role", ["production", "shadow"])
def test_latency_of_one_side_alone_is_unresolved(role: str) -> None:
    points = without(shadow_test(1).points(), "ModelLatency", role)
    end = START + timedelta(days=1)
    for metric in ("latency_mean", "latency_p99", "latency_p95"):
        assert assess(facts_of(points, end=end), metric).outcome is Outcome.UNRESOLVED


def test_sum_over_sample_count_stands_in_for_a_missing_average() -> None:
    points = shadow_test(1, slower=1.04).points()
    counts = points.filter(pl.col("stat") == "SampleCount").select("role", "timestamp", n="value")
    average = pl.col("stat") == "Average"
    sums = (
        points.filter(average)
        .join(counts, on=["role", "timestamp"])
        .with_columns(value=pl.col("value") * pl.col("n"), stat=pl.lit("Sum"))
        .drop("n")
    )
    end = START + timedelta(days=1)
    there = assess(facts_of(points, end=end), "latency_mean")
    back = assess(facts_of(pl.concat([points.filter(~average), sums]), end=end), "latency_mean")
    assert there == back


def test_the_ten_minutes_after_a_deployment_are_left_out() -> None:
    test = shadow_test(1)
    test.shadow.mean_ms[300:311] *= 30
    endpoint = EndpointFacts(live_since=START + timedelta(minutes=300))
    warm = assess(test.facts(), "latency_mean")
    dropped = assess(test.facts(endpoint=endpoint), "latency_mean")
    assert dropped.n.minutes == 1440 - 11
    assert warm.effect is not None
    assert dropped.effect is not None
    assert warm.effect.estimate is not None
    assert dropped.effect.estimate is not None
    assert warm.effect.estimate > 1.1
    assert dropped.effect.estimate < 1.05


@pytest.mark.parametrize(
    ("per_minute", "metric", "period"),
    [
        (6000, "latency_p99", 60),
        pytest.param(600, "latency_p99", 300, marks=pytest.mark.long),
        pytest.param(60, "latency_p99", 3600, marks=pytest.mark.long),
        (6, "latency_p99", 21600),
        (60, "latency_p95", 300),
        pytest.param(60, "latency_p50", 60, marks=pytest.mark.long),
    ],
)
def test_a_percentile_is_judged_at_the_shortest_period_with_enough_requests(
    per_minute: float, metric: str, period: int
) -> None:
    item = assess(shadow_test(3, per_minute=per_minute).facts(), metric)
    assert item.period_s == period
    assert item.effect is not None


def test_hours_that_carry_three_quarters_of_the_traffic_do_not_stand_for_all() -> None:
    test = shadow_test(3, per_minute=20)
    hourly = test.production.counts.reshape(-1, 60).sum(axis=1)
    assert 0.7 < hourly[hourly >= 1_000].sum() / hourly.sum() < 0.8
    assert assess(test.facts(), "latency_p99").period_s == 21_600


def test_the_shadow_side_must_have_enough_requests_too() -> None:
    full = assess(shadow_test(1, per_minute=60).facts(), "latency_p99")
    sampled = assess(shadow_test(1, per_minute=60, sampling=0.1).facts(), "latency_p99")
    assert full.period_s == 3600
    assert sampled.period_s != 3600


def test_a_percentile_that_is_not_exported_names_the_period_to_export() -> None:
    test = shadow_test(3)
    test.periods = (60, 300)
    item = assess(test.facts(), "latency_p99")
    assert item.outcome is Outcome.UNRESOLVED
    assert codes(item) == ["not-exported"]
    assert item.needs is not None
    assert "p99; 3600 s)" in item.needs.text


def test_hours_whose_percentile_was_not_exported_are_a_hole_not_a_pass() -> None:
    points = shadow_test(3).points()
    slow_hours = (pl.col("timestamp").dt.hour() < 2) & (pl.col("stat") == "p99")
    shadow = pl.col("role") == "shadow"
    item = assess(facts_of(points.filter(~(slow_hours & shadow))), "latency_p99")
    assert item.outcome is Outcome.UNRESOLVED
    assert codes(item) == ["not-exported"]


def test_too_little_traffic_for_a_percentile_says_what_was_seen_and_what_would_help() -> None:
    item = assess(shadow_test(3, per_minute=1).facts(), "latency_p99")
    assert item.outcome is Outcome.UNRESOLVED
    assert codes(item) == ["too-few-requests"]
    assert "167 an hour" in item.notes[0].text
    assert item.needs is not None
    assert "replay the captures" in item.needs.text


def test_a_higher_sampling_percentage_is_named_where_it_would_help() -> None:
    item = assess(shadow_test(3, per_minute=8, sampling=0.2).facts(), "latency_p99")
    assert item.outcome is Outcome.UNRESOLVED
    assert item.needs is not None
    assert "% of production's requests to the shadow" in item.needs.text


def test_fewer_than_twelve_periods_are_not_judged() -> None:
    item = assess(shadow_test(10 / 24).facts(), "latency_p99")
    assert item.outcome is Outcome.UNRESOLVED
    assert codes(item)[-1] == "too-few-periods"
    assert item.needs is not None
    assert item.needs.minutes == 720


def test_tail_p95_moves_the_requirement_and_says_what_was_not_judged() -> None:
    default = shadow_test(1).facts()
    assert assess(default, "latency_p99").required
    assert not assess(default, "latency_p95").required
    chosen = shadow_test(1).facts(policy_of(tail="p95"))
    assert not assess(chosen, "latency_p99").required
    item = assess(chosen, "latency_p95")
    assert item.required
    assert "tail-p95" in codes(item)


def test_an_ineligible_p95_does_not_hold_the_promotion() -> None:
    item = assess(shadow_test(3, per_minute=0.01).facts(), "latency_p95")
    assert item.outcome is Outcome.UNRESOLVED
    assert not item.required


def test_evidence_roles_are_measured_but_never_judged() -> None:
    policy = policy_of(metrics={"latency_mean": {"role": "evidence"}})
    item = assess(shadow_test(1, slower=1.5).facts(policy), "latency_mean")
    assert item.outcome is Outcome.INFO
    assert item.effect is not None
    assert not item.required


def test_the_test_and_the_interval_say_the_same() -> None:
    for slower in (1.06, 1.1, *(1.0, 1.08)[: examples(0, whole=2)]):
        item = assess(shadow_test(3, slower=slower).facts(), "latency_mean")
        assert item.test is not None
        assert item.test.p_value is not None
        assert (item.outcome is Outcome.PASS) == (item.test.p_value < 0.05)


def test_a_missing_minute_costs_information_but_not_the_estimate() -> None:
    test: Shadow = shadow_test(1)
    whole = assess(test.facts(), "latency_mean")
    test.shadow.mean_ms[::2] = np.nan
    half = assess(test.facts(), "latency_mean")
    assert whole.effect is not None
    assert half.effect is not None
    assert half.n.minutes == 720
    assert half.effect.estimate == pytest.approx(whole.effect.estimate, rel=0.02)
