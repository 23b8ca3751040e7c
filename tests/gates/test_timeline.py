"""Was the time long enough, covered, and alike for both variants?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from analyzer.gates.timeline import TIMELINE_GATES
from analyzer.metrics.metric import EndpointFacts
from analyzer.model import Family, GateOutcome
from tests.metrics.points import (
    START,
    assess,
    assess_all,
    captured,
    facts_of,
    policy_of,
    shadow_test,
    without,
)

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.model import Gate

END = START + timedelta(days=3)
CHECKS = {gate.id: gate.check for gate in TIMELINE_GATES}


@cache
def three_days() -> Facts:
    """Of equal variants."""
    return shadow_test(3).facts()


def check(facts: Facts, gate: str) -> Gate:
    evidence = assess_all(facts) if gate == "tail_evidence" else {}
    return CHECKS[gate](facts, evidence)


@pytest.mark.parametrize("gate", CHECKS)
def test_every_gate_opens_for_three_whole_days_of_equal_variants(gate: str) -> None:
    held = check(three_days(), gate)
    assert held.outcome is GateOutcome.PASS
    assert held.when_not_measured == "blocks"


@pytest.mark.parametrize("gate", CHECKS)
def test_every_gate_is_closed_without_points(gate: str) -> None:
    assert check(facts_of(shadow_test(0.1).points().clear()), gate).closed


@pytest.mark.parametrize("gate", ["window_match", "coverage"])
def test_metrics_that_were_not_given_are_said_to_be_missing(gate: str) -> None:
    held = check(facts_of(shadow_test(0.1).points().clear()), gate)
    assert held.text.startswith("No CloudWatch metrics were given")


@pytest.mark.parametrize(
    ("gate", "missing"),
    [("window_match", "production"), ("coverage", "production"), ("coverage", "shadow")],
)
def test_an_export_of_one_variant_names_the_other(gate: str, missing: str) -> None:
    test = shadow_test(0.5)
    given = test.points().filter(pl.col("role") != missing)
    names = {"production": "churn-v1", "shadow": "churn-v2-shadow"}
    held = check(replace(facts_of(given), called=names), gate)
    assert held.closed
    assert held.text.startswith(f"No CloudWatch metrics of {names[missing]} were given")
    assert f"of the {missing} were given" in check(facts_of(given), gate).text


@pytest.mark.parametrize("gate", CHECKS)
def test_every_gate_is_closed_when_nothing_dates_the_run(gate: str) -> None:
    assert check(facts_of(shadow_test(0.1).points(), start=None, end=None), gate).closed


@pytest.mark.parametrize("gate", CHECKS)
def test_gates_cover_what_the_method_says(gate: str) -> None:
    both = (Family.LATENCY, Family.ERROR_RATE)
    expected = (Family.LATENCY,) if gate in {"load_match", "tail_evidence"} else both
    assert check(three_days(), gate).covers == expected


@pytest.mark.parametrize(
    ("gate", "limit"),
    [
        ("window_match", 0.95),
        ("coverage", 0.98),
        ("load_match", 1.25),
        ("min_days", 3.0),
        ("stable_effect", 0.1),
    ],
)
def test_the_limits_are_those_that_are_documented(gate: str, limit: float) -> None:
    assert check(three_days(), gate).limit == limit


@pytest.mark.parametrize("length", [30, 60, 720])
def test_a_shadow_that_was_dead_half_the_time_closes_coverage(length: int) -> None:
    test = shadow_test(3)
    dead = np.arange(test.minutes) // length % 2 == 0
    test.shadow.counts[dead] = np.nan
    test.shadow.mean_ms[dead] = np.nan
    assert check(test.facts(), "coverage").outcome is GateOutcome.FAIL


def test_a_dead_shadow_of_a_quiet_endpoint_closes_coverage_too() -> None:
    test = shadow_test(3, per_minute=3, sampling=0.5)
    dead = np.arange(test.minutes) // 30 % 2 == 0
    test.shadow.counts[dead] = np.nan
    test.shadow.mean_ms[dead] = np.nan
    assert check(test.facts(), "coverage").outcome is GateOutcome.FAIL


def test_a_shadow_that_counts_but_does_not_time_closes_coverage() -> None:
    test = shadow_test(3)
    test.shadow.mean_ms[:200] = np.nan
    assert check(test.facts(), "coverage").outcome is GateOutcome.FAIL


def test_a_quiet_endpoint_with_a_living_shadow_is_covered() -> None:
    assert check(shadow_test(3, per_minute=3).facts(), "coverage").outcome is GateOutcome.PASS


def test_metrics_for_half_the_window_do_not_match_it() -> None:
    facts = facts_of(shadow_test(3).points(), end=START + timedelta(days=6))
    held = check(facts, "window_match")
    assert held.outcome is GateOutcome.FAIL
    assert held.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("start", "end"),
    [(datetime(1970, 1, 1, tzinfo=UTC), END), (START, datetime(2199, 12, 31, tzinfo=UTC))],
)
def test_a_window_far_beyond_all_metrics_closes_the_gate_and_changes_no_bound(
    start: datetime, end: datetime
) -> None:
    points = shadow_test(3).points()
    asked, own = facts_of(points, start=start, end=end), facts_of(points)
    held = check(asked, "window_match")
    assert held.outcome is GateOutcome.FAIL
    assert held.value == pytest.approx(0, abs=0.001)
    for metric in ("latency_mean", "latency_p99", "error_5xx_rate"):
        assert assess(asked, metric).effect == assess(own, metric).effect


@pytest.mark.parametrize("metric", ["Invocations", "ModelLatency"])
def test_half_of_every_hour_left_out_on_both_sides_does_not_match(metric: str) -> None:
    points = shadow_test(3).points()
    half = (pl.col("metric_name") == metric) & (pl.col("timestamp").dt.minute() >= 30)
    held = check(facts_of(points.filter(~(half & (pl.col("period_s") == 60)))), "window_match")
    assert held.outcome is GateOutcome.FAIL
    assert held.value == pytest.approx(0.5)


def test_a_failing_shadow_does_not_end_its_own_window() -> None:
    """Six hours of invocations after the last capture: failures leave no capture record."""
    points = shadow_test(3.25).points()
    ended = facts_of(points, captures=captured(START, START + timedelta(days=3)))
    held = check(ended, "window_match")
    assert held.outcome is GateOutcome.FAIL
    assert "failed requests leave no capture" in held.text
    asked = replace(ended, asked=(None, START + timedelta(days=3)))
    assert check(asked, "window_match").outcome is GateOutcome.PASS


def test_a_few_minutes_after_the_last_capture_are_no_failure() -> None:
    points = shadow_test(3 + 30 / 1440).points()
    facts = facts_of(points, captures=captured(START, START + timedelta(days=3)))
    assert check(facts, "window_match").outcome is GateOutcome.PASS


@pytest.mark.parametrize(("days", "open_"), [(0.14, True), (0.18, False)])
def test_a_twentieth_of_the_window_may_lack_metrics(days: float, *, open_: bool) -> None:
    facts = facts_of(shadow_test(3).points(), end=START + timedelta(days=3 + days))
    assert (check(facts, "window_match").outcome is GateOutcome.PASS) == open_


def test_a_shadow_that_was_told_to_get_every_request_is_missed_when_it_gets_none() -> None:
    """It answers little while it lives, which must not lower what is expected of it."""
    test = shadow_test(3, per_minute=7, sampling=0.6)
    dead = np.arange(test.minutes) % 12 == 0
    test.shadow.counts[dead] = np.nan
    test.shadow.mean_ms[dead] = np.nan
    policy = policy_of(sampling={"shadow_percentage": 100})
    assert check(test.facts(policy), "coverage").outcome is GateOutcome.FAIL


def test_quiet_minutes_are_not_missing_minutes() -> None:
    test = shadow_test(3, per_minute=4)
    quiet = test.rng.random(test.minutes) < 0.1
    for side in (test.production, test.shadow):
        side.counts[quiet] = np.nan
        side.mean_ms[quiet] = np.nan
    assert check(test.facts(), "window_match").outcome is GateOutcome.PASS


@pytest.mark.parametrize(("sampling", "open_"), [(1.0, True), (0.9, True), (0.5, False)])
def test_half_the_load_is_another_load(sampling: float, *, open_: bool) -> None:
    held = check(shadow_test(1, sampling=sampling).facts(), "load_match")
    assert (held.outcome is GateOutcome.PASS) == open_
    assert held.value == pytest.approx(sampling, abs=0.02)


def test_another_load_in_the_busiest_minutes_alone_is_another_load() -> None:
    test = shadow_test(1)
    busy = test.production.counts >= np.quantile(test.production.counts, 0.9)
    test.shadow.counts[busy] = np.round(test.shadow.counts[busy] / 2)
    held = check(test.facts(), "load_match")
    assert held.outcome is GateOutcome.FAIL
    assert held.value == pytest.approx(0.5, abs=0.02)


def test_a_policy_may_accept_another_load_and_the_text_says_so() -> None:
    held = check(
        shadow_test(1, sampling=0.5).facts(policy_of(accept_load_mismatch=True)), "load_match"
    )
    assert held.outcome is GateOutcome.PASS
    assert "accepts" in held.text


def test_instance_counts_stand_in_for_invocations_per_instance() -> None:
    points = without(shadow_test(1, sampling=0.5).points(), "InvocationsPerInstance")
    end = START + timedelta(days=1)
    assert check(facts_of(points, end=end), "load_match").closed
    told = policy_of(sampling={"production_instances": 2, "shadow_instances": 1})
    held = check(facts_of(points, told, end=end), "load_match")
    assert held.outcome is GateOutcome.PASS
    described = EndpointFacts(production_instances=1, shadow_instances=1)
    held = check(facts_of(points, end=end, endpoint=described), "load_match")
    assert held.outcome is GateOutcome.FAIL


@pytest.mark.parametrize(("days", "open_"), [(2, False), (2.9, False), (3, True), (3.4, True)])
def test_three_whole_days_are_needed(days: float, *, open_: bool) -> None:
    held = check(shadow_test(days).facts(), "min_days")
    assert (held.outcome is GateOutcome.PASS) == open_


def test_latency_and_errors_both_need_their_days() -> None:
    points = shadow_test(3).points()
    first = pl.col("timestamp") < START + timedelta(days=1)
    for metric in ("ModelLatency", "Invocations"):
        cut = points.filter(first | (pl.col("metric_name") != metric))
        held = check(facts_of(cut), "min_days")
        assert held.value == 1
        assert held.outcome is GateOutcome.FAIL


def test_a_smaller_number_of_days_is_the_policys_choice_and_printed() -> None:
    held = check(shadow_test(1).facts(policy_of(min_days=1)), "min_days")
    assert held.outcome is GateOutcome.PASS
    assert "policy's own choice" in held.text


def test_an_effect_that_drifts_from_day_to_day_is_not_stable() -> None:
    test = shadow_test(4)
    test.shadow.mean_ms *= 1 + 0.05 * (np.arange(test.minutes) // 1440)
    held = check(test.facts(), "stable_effect")
    assert held.outcome is GateOutcome.FAIL
    assert "7 whole days" in held.text


def test_a_whole_week_needs_no_stability() -> None:
    test = shadow_test(7)
    test.shadow.mean_ms *= 1 + 0.05 * (np.arange(test.minutes) // 1440)
    assert check(test.facts(), "stable_effect").outcome is GateOutcome.PASS


def test_one_day_cannot_show_stability_unless_the_policy_asks_for_no_more() -> None:
    assert check(shadow_test(1).facts(), "stable_effect").closed
    chosen = check(shadow_test(1).facts(policy_of(min_days=1)), "stable_effect")
    assert chosen.outcome is GateOutcome.PASS


def test_a_missing_tail_closes_the_gate_whatever_the_mean_says() -> None:
    test = shadow_test(3)
    test.periods = (60,)
    assert check(test.facts(), "tail_evidence").outcome is GateOutcome.FAIL


def test_a_tail_that_was_worse_lately_was_judged() -> None:
    test = shadow_test(14)
    test.shadow.mean_ms[-1440:] *= 1.5
    evidence = assess(test.facts(), "latency_p99")
    assert evidence.notes[-1].code == "worse-lately"
    held = CHECKS["tail_evidence"](test.facts(), {"latency_p99": evidence})
    assert held.outcome is GateOutcome.PASS


def test_tail_p95_is_printed_as_the_part_not_judged() -> None:
    test = shadow_test(3)
    test.periods = (300,)
    assert check(test.facts(), "tail_evidence").outcome is GateOutcome.FAIL
    held = check(test.facts(policy_of(tail="p95")), "tail_evidence")
    assert held.outcome is GateOutcome.PASS
    assert "slowest 5 %" in held.text
