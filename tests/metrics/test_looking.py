"""Three ways of looking: which is judged, what each shows, what has to be said beside it."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import numpy as np
import pytest
from scipy import stats

from analyzer import analysis
from analyzer.bundle import verdict_schema
from analyzer.console.progress import silent
from analyzer.errors import ExitCode, PolicyError
from analyzer.figures import NONE
from analyzer.metrics.divergence import DIVERGENCE
from analyzer.metrics.looking import looking_notes, looking_of
from analyzer.metrics.metric import EndpointFacts
from analyzer.metrics.series import Cover, settled
from analyzer.metrics.shares import Share
from analyzer.model import Outcome
from analyzer.policy.files import parse_policy
from analyzer.report.content.evidence import ways_table
from analyzer.stats.boundary import planned_multiplier
from analyzer.stats.proportions import wilson
from tests.metrics.points import FIVE_XX, START, Shadow, assess, policy_of, shadow_test
from tests.metrics.prediction_facts import counts_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import Evidence, Verdict

FIXED = {"inference": "fixed", "final": True}
PLANNED = {"inference": "planned", "horizon": "7d"}
CLOUDWATCH = ("latency_mean", "latency_p99", "error_5xx_rate")


def with_errors(days: float = 3) -> Shadow:
    test = shadow_test(days)
    rng = np.random.default_rng(3)
    for side in (test.production, test.shadow):
        side.errors[FIVE_XX] = rng.binomial(side.counts.astype(int), 0.002).astype(float)
    return test


@pytest.mark.parametrize(
    "metric",
    ["latency_mean", pytest.param("latency_p99", marks=pytest.mark.long), "error_5xx_rate"],
)
def test_the_configured_way_of_looking_is_judged_and_all_three_are_shown(metric: str) -> None:
    for body in ({"horizon": "7d"}, FIXED | {"horizon": "7d"}, PLANNED):
        policy = policy_of(**body)
        evidence = assess(with_errors().facts(policy), metric)
        shown = evidence.intervals
        assert evidence.effect is not None
        assert evidence.effect.mode == policy.inference
        assert None not in {shown.fixed, shown.planned, shown.anytime}
        # the upper bound stands at one-sided alpha in the effect as in the intervals
        assert evidence.effect.upper == getattr(shown, policy.inference)[1]


@pytest.mark.parametrize("metric", CLOUDWATCH)
def test_without_a_declared_horizon_there_is_no_planned_interval(metric: str) -> None:
    evidence = assess(with_errors().facts(), metric)
    assert evidence.intervals.planned is None
    assert evidence.intervals.fixed is not None
    assert evidence.intervals.anytime is not None


@pytest.mark.parametrize(
    "metric",
    ["latency_mean", "latency_p99", pytest.param("error_5xx_rate", marks=pytest.mark.long)],
)
def test_one_look_is_narrower_than_planned_looks_and_those_than_any_at_the_horizon(
    metric: str,
) -> None:
    evidence = assess(with_errors(7).facts(policy_of(**PLANNED)), metric)
    widths = [
        interval[1] - interval[0]
        for interval in (
            evidence.intervals.fixed,
            evidence.intervals.planned,
            evidence.intervals.anytime,
        )
        if interval is not None
    ]
    assert widths == sorted(widths)
    assert len(set(widths)) == 3


def test_early_in_a_long_plan_the_planned_interval_is_the_widest() -> None:
    policy = policy_of(inference="planned", horizon="20d")
    shown = assess(shadow_test(2).facts(policy), "latency_mean").intervals
    assert shown.planned is not None
    assert shown.anytime is not None
    assert shown.planned[1] > shown.anytime[1]


def test_the_planned_latency_bound_is_the_reflection_boundary_times_the_standard_error() -> None:
    policy = policy_of(**PLANNED)
    evidence = assess(shadow_test(7).facts(policy), "latency_mean")
    anytime = assess(shadow_test(7).facts(policy_of(**FIXED)), "latency_mean")
    assert evidence.effect is not None
    assert anytime.effect is not None
    theta = math.log(evidence.effect.estimate or 0)
    planned = math.log(evidence.effect.upper or 0) - theta
    fixed = math.log(anytime.effect.upper or 0) - theta
    nu = math.floor(0.4 * 10_080 ** (2 / 3))
    expected = planned_multiplier(0.05, 1.0, nu) / float(stats.t.isf(0.05, nu))
    assert planned / fixed == pytest.approx(expected, rel=1e-6)


def test_planned_looks_need_a_declared_end_and_the_sentence_says_how_to_give_one() -> None:
    policy = policy_of(inference="planned")
    for endpoint in (None, EndpointFacts()):
        with pytest.raises(PolicyError, match=r'horizon = "7d".*Schedule.EndTime') as caught:
            looking_of(policy, endpoint)
        assert caught.value.exit_code is ExitCode.USAGE


def test_the_schedule_of_the_experiment_is_a_horizon_and_the_policy_overrules_it() -> None:
    scheduled = EndpointFacts(scheduled_minutes=4_320)
    assert looking_of(policy_of(inference="planned"), scheduled).horizon_minutes == 4_320
    assert looking_of(policy_of(**PLANNED), scheduled).horizon_minutes == 10_080
    facts = shadow_test(3).facts(policy_of(inference="planned"), endpoint=scheduled)
    (note,) = looking_notes(facts)
    assert note.code == "planned-horizon"
    assert "schedule" in note.text


def test_a_window_past_the_horizon_keeps_the_last_bound_and_says_so() -> None:
    longer = shadow_test(3).facts(policy_of(inference="planned", horizon="2d"))
    assert [note.code for note in looking_notes(longer)] == ["planned-horizon", "past-horizon"]
    at_the_end = shadow_test(3).facts(policy_of(inference="planned", horizon="3d"))
    assert [note.code for note in looking_notes(at_the_end)] == ["planned-horizon"]
    bounds = [assess(facts, "latency_mean").intervals.planned for facts in (longer, at_the_end)]
    assert bounds[0] == bounds[1]


def test_a_step_beyond_every_number_leaves_no_bound() -> None:
    evidence = assess(
        shadow_test(0.5).facts(policy_of(inference="planned", horizon="999d")), "latency_mean"
    )
    assert evidence.outcome is Outcome.UNRESOLVED
    assert evidence.effect is not None
    assert (evidence.effect.lower, evidence.effect.upper) == (None, None)
    assert evidence.needs is not None


def test_the_promise_of_one_look_is_printed_and_the_default_says_nothing() -> None:
    (note,) = looking_notes(shadow_test(3).facts(policy_of(**FIXED)))
    assert note.code == "only-look"
    assert looking_notes(shadow_test(3).facts()) == ()


def flips(policy_body: Mapping[str, object], flipped: int) -> Evidence:
    defaults = {metric.id: metric.default for metric in DIVERGENCE}
    policy = parse_policy(policy_body, defaults)
    metric = next(metric for metric in DIVERGENCE if metric.id == "flip_rate")
    facts = facts_of(counts_of(flipped=flipped), policy=policy)
    return metric.assess(facts, policy.metrics["flip_rate"])


def test_a_share_seen_once_is_judged_by_wilson_at_both_levels() -> None:
    defaults = {metric.id: metric.default for metric in DIVERGENCE}
    policy = parse_policy(FIXED, defaults)
    effect = Share(200, 10_000, 10_000.0, "pairs").effect(policy)
    k = policy.guardrails
    assert effect.mode == "fixed"
    assert effect.upper == pytest.approx(wilson(200, 10_000, 0.9)[1], rel=1e-8)
    assert effect.lower == pytest.approx(wilson(200, 10_000, 1 - 0.1 / k)[0], rel=1e-8)


def test_a_share_under_planned_looks_keeps_its_anytime_bound_and_says_so() -> None:
    planned = flips(PLANNED, 200)
    anytime = flips({}, 200)
    assert planned.effect == anytime.effect
    assert planned.effect is not None
    assert planned.effect.mode == "anytime"
    assert planned.intervals.planned is None
    assert "planned-by-anytime" in {note.code for note in planned.notes}
    assert "planned-by-anytime" not in {note.code for note in anytime.notes}


def test_what_an_unresolved_metric_needs_follows_the_way_of_looking() -> None:
    test = shadow_test(0.2, slower=1.04)
    needed = {}
    for body in ({}, PLANNED):
        needs = assess(test.facts(policy_of(**body)), "latency_mean").needs
        if needs is not None:
            assert needs.minutes is not None
            assert needs.hours == round(needs.minutes / 60, 1)
            assert needs.requests is not None
            needed[body.get("inference", "anytime")] = needs.minutes
    assert needed["anytime"] < needed["planned"] < 10_080


def test_after_the_only_look_more_time_means_a_new_test() -> None:
    latency = assess(shadow_test(0.2, slower=1.07).facts(policy_of(**FIXED)), "latency_mean")
    for needs in (latency.needs, flips(FIXED, 490).needs):
        assert needs is not None
        assert "a new test of that length" in needs.text


def test_a_time_behind_the_horizon_asks_for_another_plan() -> None:
    policy = policy_of(inference="planned", horizon="5h")
    needs = assess(shadow_test(0.2, slower=1.07).facts(policy), "latency_mean").needs
    assert needs is not None
    assert "declare a longer one before a new test" in needs.text


def test_scaling_takes_its_first_ten_minutes_from_both_variants_and_says_so() -> None:
    at = START + timedelta(hours=5, minutes=3)
    endpoint = EndpointFacts(scaled_at=(at, START - timedelta(days=9), START + timedelta(days=30)))
    test = shadow_test(3)
    facts = test.facts(endpoint=endpoint)
    plain = assess(test.facts(), "latency_mean")
    less = assess(facts, "latency_mean")
    assert (plain.n.minutes or 0) - (less.n.minutes or 0) == 11
    # slowness of instances that warm up is excused, errors are not: callers meet those, too
    assert assess(facts, "error_5xx_rate").n.minutes == plain.n.minutes
    (note,) = looking_notes(facts)
    assert note.code == "warm-up"
    assert note.text.startswith("11 minutes of both variants left out")
    assert "1 moment" in note.text


def test_slow_minutes_after_scaling_no_longer_move_the_effect() -> None:
    test = shadow_test(3)
    first = 5 * 60
    test.shadow.mean_ms[first : first + 10] *= 500
    facts = test.facts(endpoint=EndpointFacts(scaled_at=(START + timedelta(hours=5),)))
    with_warm_up = assess(test.facts(), "latency_mean").effect
    without = assess(facts, "latency_mean").effect
    assert with_warm_up is not None
    assert without is not None
    assert (with_warm_up.estimate or 0) > 1.5
    assert (without.estimate or 0) < 1.1


def test_an_endpoint_that_is_always_scaled_is_judged_as_it_always_is() -> None:
    """Twelve minutes in every half hour, slow ones: callers meet them."""
    test = shadow_test(3)
    moments = tuple(START + timedelta(minutes=at) for at in range(0, 3 * 1_440, 30))
    for at in range(0, 3 * 1_440, 30):
        test.shadow.mean_ms[at : at + 10] *= 1.5
    often = test.facts(endpoint=EndpointFacts(scaled_at=moments))
    assert assess(often, "latency_mean").effect == assess(test.facts(), "latency_mean").effect
    assert assess(often, "latency_mean").outcome is Outcome.FAIL
    (note,) = looking_notes(often)
    assert (note.code, "count as any others" in note.text) == ("warm-up", True)
    some = test.facts(endpoint=EndpointFacts(scaled_at=moments[::8]))
    (note,) = looking_notes(some)
    assert "left out" in note.text


def test_five_minutes_of_warm_up_go_and_an_hour_with_ten_stays() -> None:
    facts = shadow_test(1).facts(endpoint=EndpointFacts(scaled_at=(START + timedelta(hours=2),)))
    five, hour = Cover.of(facts, 300), Cover.of(facts, 3600)
    assert five is not None
    assert hour is not None
    gone = np.flatnonzero(~settled(facts, five))
    assert gone.tolist() == [24, 25]
    assert settled(facts, hour).all()


def sample_run(*overrides: str) -> Verdict:
    folder = Path(__file__).parents[2] / "sample_data" / "thin_sample"
    request = analysis.Request(
        source=str(folder / "captures"),
        cloudwatch=(str(folder / "cloudwatch"),),
        policy_file=folder / "policy.toml",
        overrides=overrides,
    )
    return analysis.run(request, silent).verdict


def test_a_run_with_planned_looks_stops_before_reading_where_nothing_declares_an_end() -> None:
    with pytest.raises(PolicyError, match="horizon"):
        sample_run("inference=planned")


def test_a_verdict_of_planned_looks_shows_all_three_intervals_and_its_horizon() -> None:
    verdict = sample_run("inference=planned", "horizon=7d")
    latency = verdict.metrics["latency_mean"]
    assert latency.effect is not None
    assert latency.effect.mode == "planned"
    assert None not in {
        latency.intervals.fixed,
        latency.intervals.planned,
        latency.intervals.anytime,
    }
    assert "planned-horizon" in {note.code for note in verdict.notes}
    jsonschema.validate(json.loads(verdict.to_json()), json.loads(verdict_schema()))
    table = ways_table(verdict)
    assert table is not None
    assert table.rows[0][0] == "latency_mean"
    assert table.rows[0][-1] == "planned"
    assert NONE not in table.rows[0]
    flip = next(row for row in table.rows if row[0] == "flip_rate")
    assert (flip[2], flip[-1]) == (NONE, "anytime")
