"""Shares of predictions against their margins: roles, bounds, what is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from analyzer.metrics import predictions
from analyzer.metrics.divergence import DIVERGENCE
from analyzer.metrics.shares import Share, outcomes_needed
from analyzer.model import Mode, Outcome, Role
from analyzer.policy.files import parse_policy
from analyzer.stats.proportion_sequence import upper_bound
from analyzer.verdict import describe
from tests.metrics.prediction_facts import START, counts_of, facts_of

if TYPE_CHECKING:
    from typing import Any

    from analyzer.model import Evidence
    from analyzer.policy import Policy

BY_ID = {metric.id: metric for metric in DIVERGENCE}
DEFAULTS = {metric.id: metric.default for metric in DIVERGENCE}


def policy_of(change: str = "model", **body: object) -> Policy:
    return parse_policy({"change": change, **body}, DEFAULTS)


def assess(
    metric: str,
    counts: dict[str, Any] | None = None,
    *,
    policy: Policy | None = None,
    kind: str = "probability",
    captured: bool = True,
) -> Evidence:
    policy = policy or policy_of()
    facts = facts_of(counts, policy=policy, kind=kind, captured=captured)
    return BY_ID[metric].assess(facts, policy.metrics[metric])


def codes(evidence: Evidence) -> set[str]:
    return {note.code for note in evidence.notes}


def test_few_flips_pass_a_review_and_many_fail_it() -> None:
    few = assess("flip_rate", counts_of(flipped=300))
    assert (few.role, few.outcome) == (Role.REVIEW, Outcome.PASS)
    assert few.effect is not None
    assert few.effect.estimate == 0.03
    many = assess("flip_rate", counts_of(flipped=700))
    assert many.outcome is Outcome.FAIL
    assert few.test is not None
    assert few.test.e_value is not None
    assert few.test.e_value > 20
    assert many.test is not None
    assert many.test.p_value == 1


def test_an_infrastructure_change_has_tight_guardrails() -> None:
    policy = policy_of("infrastructure")
    for metric, margin in [
        ("flip_rate", 0.005),
        ("score_shift_share", 0.001),
        ("score_large_shift_share", 0.001),
        ("contract_change", 0.001),
    ]:
        clean = assess(metric, policy=policy)
        assert (clean.role, clean.margin, clean.outcome) == (
            Role.GUARDRAIL,
            margin,
            Outcome.PASS,
        )
    moved = assess("score_shift_share", counts_of(shifted=9_000), policy=policy)
    assert moved.outcome is Outcome.FAIL


def test_shifts_under_a_model_change_are_judged_only_with_a_tolerance() -> None:
    counts = counts_of(shifted=9_900)
    silent = assess("score_shift_share", counts)
    assert (silent.role, silent.outcome) == (Role.EVIDENCE, Outcome.INFO)
    assert "no-tolerance" in codes(silent)
    judged = assess("score_shift_share", counts, policy=policy_of(predictions={"tolerance": 0.1}))
    assert (judged.role, judged.outcome) == (Role.REVIEW, Outcome.FAIL)


def test_only_the_form_of_the_answer_is_required() -> None:
    assert [metric.id for metric in DIVERGENCE if metric.default.required] == ["contract_change"]


def test_a_threshold_that_production_never_reaches_cannot_pass_but_can_fail() -> None:
    counts = counts_of(production_at_or_above=19, production_below=9_981)
    quiet = assess("flip_rate", counts)
    assert quiet.outcome is Outcome.UNRESOLVED
    assert quiet.notes[-1].code == "threshold-uninformative"
    assert quiet.needs is not None
    assert "label_at" in quiet.needs.text
    assert assess("flip_rate", {**counts, "flipped": 5_000}).outcome is Outcome.FAIL
    enough = counts_of(production_at_or_above=20, production_below=9_980)
    assert assess("flip_rate", enough).outcome is Outcome.PASS


def test_labels_that_are_all_one_label_cannot_pass() -> None:
    constant = assess("flip_rate", counts_of(commonest_label=9_990), kind="label")
    assert constant.outcome is Outcome.UNRESOLVED
    varied = assess("flip_rate", counts_of(commonest_label=6_000), kind="label")
    assert varied.outcome is Outcome.PASS


RARELY = [
    ("score_shift_share", "probability"),
    ("score_shift_share", "regression"),
    ("score_large_shift_share", "probability"),
    ("score_large_shift_share", "regression"),
]


def rarely(events: int, alone: int = 300, pairs: int = 10_000) -> dict[str, Any]:
    """Production answers something else to `alone` predictions; in `events` the shadow differs."""
    return counts_of(
        pairs=pairs,
        production_at_or_above=alone,
        production_below=pairs - alone,
        commonest_label=pairs - alone,
        one_answer_shifted=alone,
        one_answer_large=alone,
        flipped=events,
        shifted=events,
        large_shifted=events,
    )


@pytest.mark.parametrize(("metric", "kind"), RARELY)
def test_few_shifts_pass_only_where_one_score_for_everything_would_make_twice_as_many(
    metric: str, kind: str
) -> None:
    """Three percent of production's scores are rare: a shadow that has none of them differs in
    those alone, one that has half of them in half, one that has as many elsewhere in six percent;
    all are within a budget of ten."""
    policy = policy_of(predictions={"tolerance": 0.1}, metrics={metric: {"margin": 0.1}})
    for events in (150, 300, 582):
        item = assess(metric, rarely(events), kind=kind, policy=policy)
        assert (item.outcome, item.notes[-1].code) == (Outcome.UNRESOLVED, "one-answer"), events
        assert item.effect is not None
        assert item.effect.upper is None
        assert describe(item).endswith(" % or more; the policy allows 10 %")
    passed = assess(metric, rarely(100), kind=kind, policy=policy)
    assert (passed.outcome, passed.notes[-1].code) == (Outcome.PASS, "rare-answers")
    assert "differ in only 3.00 % of predictions" in passed.notes[-1].text
    assert assess(metric, rarely(1_500), kind=kind, policy=policy).outcome is Outcome.FAIL


def test_a_tolerance_that_hides_everything_passes_nobody() -> None:
    policy = policy_of(predictions={"tolerance": 2.0})
    item = assess("score_shift_share", rarely(0, alone=0), policy=policy)
    assert item.outcome is Outcome.UNRESOLVED
    assert item.needs is not None
    assert "differ in 0.00 % of predictions" in item.needs.text
    assert item.needs.text.endswith("make what counts as a difference smaller.")


def test_until_more_is_known_than_one_score_would_show_it_says_how_long_that_takes() -> None:
    metric = "score_large_shift_share"
    open_yet = assess(metric, rarely(9, alone=30, pairs=1_000))
    assert (open_yet.outcome, open_yet.notes[-1].code) == (Outcome.UNRESOLVED, "one-answer")
    assert open_yet.needs is not None
    assert open_yet.needs.requests is not None
    more = open_yet.needs.requests
    enough = rarely(9 * more // 1_000, alone=30 * more // 1_000 + 1, pairs=more)
    assert assess(metric, enough).outcome is Outcome.PASS


def test_what_the_margin_leaves_open_is_not_said_to_be_settled_before_one_score_is_excluded() -> (
    None
):
    rare = assess("score_large_shift_share", rarely(21, alone=21, pairs=520))
    assert rare.effect is not None
    assert rare.effect.upper is not None
    assert rare.effect.upper > 0.05
    assert rare.notes[-1].code == "one-answer"
    assert rare.needs is not None
    assert rare.needs.requests is None
    assert "let --labels judge it" in rare.needs.text


def test_one_row_sent_two_thousand_times_is_one_row() -> None:
    counts = counts_of(pairs=2_000, prediction_squares=2_000.0**2)
    evidence = assess("flip_rate", counts)
    assert evidence.outcome is Outcome.UNRESOLVED
    assert evidence.n.effective == 1
    assert "repeated-inputs" in codes(evidence)
    assert assess("flip_rate", counts_of(pairs=2_000)).outcome is Outcome.PASS


def test_rows_of_one_request_do_not_count_as_requests() -> None:
    evidence = assess("flip_rate", counts_of(pairs=100, rows=100))
    assert evidence.n.effective == 100
    assert evidence.effect is not None
    assert evidence.effect.upper == pytest.approx(upper_bound(0, 100, 0.05))


@pytest.mark.parametrize(
    ("metric", "kind"),
    [
        ("flip_rate", "regression"),
        ("flip_rate", "vector"),
        ("flip_rate", "text"),
        ("score_large_shift_share", "label"),
        ("score_shift_share", "json"),
    ],
)
def test_a_question_the_outputs_cannot_be_asked_holds_nothing_up_and_names_the_key(
    metric: str, kind: str
) -> None:
    evidence = assess(metric, kind=kind)
    assert (evidence.outcome, evidence.effect) == (Outcome.INFO, None)
    assert "predictions." in evidence.notes[-1].text
    asked = policy_of(metrics={metric: {"margin": 0.02, "role": "guardrail"}})
    assert assess(metric, kind=kind, policy=asked).outcome is Outcome.UNRESOLVED


def lists(*places: tuple[int, int], change: str = "infrastructure", each: int = 1) -> Evidence:
    """`score_shift_share` of lists: of each place's `apart` sampled lists so many shifted."""
    policy = policy_of(change, predictions={"tolerance": 0.1})
    counts = counts_of(vectors=2_000, vector_squares=2_000 * each)
    rows = [{"place": i, "apart": n, "shifted": x} for i, (x, n) in enumerate(places)]
    facts = facts_of(counts, kind="vector", policy=policy, places=rows)
    return BY_ID["score_shift_share"].assess(facts, policy.metrics["score_shift_share"])


def test_vectors_are_judged_under_an_infrastructure_change() -> None:
    evidence = lists((0, 1_500), (0, 1_800))
    assert (evidence.role, evidence.outcome) == (Role.GUARDRAIL, Outcome.PASS)


@pytest.mark.parametrize("change", ["model", "infrastructure"])
def test_lists_pass_only_where_no_place_is_one_number_to_every_request(change: str) -> None:
    """Ten thousand lists without a shift: two places vary, the third seldom."""
    said = {
        (0, 0): "one-answer",  # nothing varies by more than the tolerance
        (60, 60): "answer-lost",
        (25, 60): "answer-lost",
        (20, 20): "answer-lost",
        (15, 60): None,
        (19, 19): None,
        (12, 40): None,
    }
    for (shifted, apart), code in said.items():
        wide = [] if code == "one-answer" else [(0, 1_500), (0, 1_800)]
        item = lists(*wide, (shifted, apart), change=change)
        expected = Outcome.PASS if code is None else Outcome.UNRESOLVED
        assert item.outcome is expected, (shifted, apart)
        assert (code is None) or item.notes[-1].code == code


def test_lists_of_few_inputs_are_asked_as_few() -> None:
    assert lists((0, 1_500)).outcome is Outcome.PASS
    assert lists((0, 1_500), each=500).outcome is Outcome.UNRESOLVED


def test_without_captures_nothing_is_known() -> None:
    for metric in BY_ID:
        evidence = assess(metric, captured=False)
        assert evidence.effect is None
        assert evidence.outcome in {Outcome.UNRESOLVED, Outcome.INFO}
        assert codes(evidence) == {"no-captures"}
    assert assess("contract_change", captured=False).outcome is Outcome.UNRESOLVED


def test_pairs_without_anything_comparable_are_not_a_pass() -> None:
    counts = counts_of(judged_pairs=0, judged_squares=0.0, predictions=0, labelled=0, measured=0)
    for metric in ("contract_change", "flip_rate"):
        assert assess(metric, counts).outcome is Outcome.UNRESOLVED


def test_every_compared_share_says_that_there_is_no_noise_floor() -> None:
    for metric in BY_ID:
        assert "no-a-a" in codes(assess(metric))


def test_an_unresolved_share_says_how_many_pairs_would_settle_it() -> None:
    evidence = assess("contract_change", counts_of(pairs=2_000))
    assert evidence.outcome is Outcome.UNRESOLVED
    assert evidence.needs is not None
    assert evidence.needs.requests is not None
    enough = evidence.needs.requests
    assert assess("contract_change", counts_of(pairs=enough)).outcome is Outcome.PASS
    assert (
        assess("contract_change", counts_of(pairs=int(enough * 0.98))).outcome is not Outcome.PASS
    )
    assert evidence.needs.minutes == pytest.approx(4 * 1440 * enough / 2_000, rel=0.01)


def test_a_share_at_the_margin_cannot_be_resolved() -> None:
    evidence = assess("flip_rate", counts_of(flipped=500))
    assert evidence.outcome is Outcome.UNRESOLVED
    assert evidence.needs is not None
    assert evidence.needs.requests is None
    assert "Cannot be resolved" in evidence.needs.text


def test_more_flips_never_improve_the_outcome() -> None:
    order = {Outcome.FAIL: 0, Outcome.UNRESOLVED: 1, Outcome.PASS: 2}
    for pairs, squares in [(2_000, 2_000.0), (2_000, 40_000.0), (50, 50.0)]:
        last = 2
        for flipped in range(0, pairs + 1, pairs // 50):
            counts = counts_of(pairs=pairs, prediction_squares=squares, flipped=flipped)
            rank = order[assess("flip_rate", counts).outcome]
            assert rank <= last
            last = rank
        assert last == 0


def test_needed_outcomes_are_the_fewest_that_settle_the_margin() -> None:
    assert outcomes_needed(0, 0.005, 0.05) == 836
    assert outcomes_needed(0, 0.01, 0.05) == 417
    assert outcomes_needed(0.05, 0.05, 0.05) is None
    for share, margin in [(0.0, 0.001), (0.002, 0.005), (0.04, 0.05)]:
        n = outcomes_needed(share, margin, 0.05)
        assert n is not None
        assert upper_bound(share * n, n, 0.05) < margin <= upper_bound(share * (n - 2), n - 2, 0.05)


def test_the_effective_size_never_exceeds_what_was_seen() -> None:
    assert Share(0, 100, 50.0, "pairs").effective == 100
    assert Share(10, 100, 1_000.0, "pairs").scaled() == (1.0, 10.0)


def test_where_every_outcome_is_an_event_no_number_of_repeats_is_too_many() -> None:
    """39 * (n / 39) is more than n for some effective sizes n."""
    for squares in range(39, 39 * 39 + 1):
        share = Share(39, 39, float(squares), "pairs")
        assert share.scaled()[0] == pytest.approx(share.effective)
        assert share.upper(0.05) == 1.0


def test_too_few_on_one_side_says_how_long_until_flips_mean_something() -> None:
    few = assess("flip_rate", counts_of(production_at_or_above=10, production_below=9_990))
    assert few.outcome is Outcome.UNRESOLVED
    assert few.needs is not None
    assert (few.needs.minutes, few.needs.hours, few.needs.requests) == (11_520, 192, 20_000)
    assert "about 4 days more" in few.needs.text
    none = assess("flip_rate", counts_of(production_at_or_above=0, production_below=10_000))
    assert none.needs is not None
    assert none.needs.minutes is None


def in_hours(
    flipped: list[int], a_hour: int = 500, *, moment: bool = False, mode: Mode = Mode.CLOUDWATCH
) -> Evidence:
    """Flips of a run by the hour, under an infrastructure change."""
    hours = len(flipped)
    policy = policy_of("infrastructure")
    facts = facts_of(counts_of(hours * a_hour, flipped=sum(flipped)), policy=policy)
    assert facts.captures is not None
    table = {"labelled": [a_hour] * hours, "flipped": flipped}
    captures = replace(
        facts.captures,
        tables={**facts.captures.tables, "prediction_hours": pa.table(table)},
        last_at=(START, START) if moment else facts.captures.last_at,
    )
    facts = replace(facts, captures=captures, mode=mode)
    return BY_ID["flip_rate"].assess(facts, policy.metrics["flip_rate"])


def test_one_bad_hour_does_not_reject_and_says_why() -> None:
    found = in_hours([60, 0, 0])
    assert found.outcome is Outcome.UNRESOLVED
    assert "bad-hours" in codes(found)
    assert found.effect is not None
    assert found.effect.lower is not None
    assert found.effect.lower < 0.005


def test_a_shadow_that_is_bad_in_every_hour_is_rejected_in_the_first_ones() -> None:
    found = in_hours([60, 55, 70])
    assert found.outcome is Outcome.FAIL
    assert "bad-hours" not in codes(found)


def test_flips_that_come_in_one_hour_of_many_do_not_pass_as_if_spread() -> None:
    spread, burst = in_hours([1] * 200), in_hours([0] * 199 + [200])
    assert spread.effect is not None
    assert burst.effect is not None
    assert spread.effect.estimate == burst.effect.estimate == 0.002
    assert (spread.outcome, burst.outcome) == (Outcome.PASS, Outcome.UNRESOLVED)
    assert "bursts" in codes(burst)


def test_a_shadow_whose_last_day_alone_would_fail_does_not_pass_on_the_days_before() -> None:
    """Ten days without a flip, then one with four times as many as may flip."""
    broken = in_hours([0] * 240 + [10] * 24)
    assert (broken.outcome, broken.notes[-1].code) == (Outcome.UNRESOLVED, "worse-lately")
    assert broken.effect is not None
    assert broken.effect.estimate == pytest.approx(240 / 132_000)
    assert broken.effect.upper is None
    assert broken.needs is not None
    assert broken.needs.text.startswith("Of the last 24 hours with pairs alone it is 2.00 %")
    mended = in_hours([0] * 216 + [10] * 24 + [0] * 24)
    assert mended.outcome is Outcome.PASS
    one_bad_hour = in_hours([0] * 263 + [100])
    assert one_bad_hour.outcome is Outcome.PASS
    assert in_hours([0] * 240 + [10] * 24, mode=Mode.REPLAY).outcome is Outcome.PASS


def test_what_outcomes_are_worth_is_said_of_the_cause_that_makes_it() -> None:
    """Three predictions a request, which vary by hour 2.5 times as much as if each came alone."""

    def told(squares: float, bursts: float) -> list[tuple[str, str]]:
        share = Share(400, 259_440, squares, "predictions", bursts=bursts)
        worth = (share.outcomes, share.effective, share.bursts, share.unit)
        return [(note.code, note.text) for note in predictions.repetition(*worth)]

    ((code, text),) = told(3 * 259_440.0, 2.5)
    assert code == "repeated-inputs"
    assert "259 440 predictions are worth 86 480 independent ones, because" in text
    ((code, text),) = told(3 * 259_440.0, 5.0)
    assert code == "bursts"
    assert "vary 5.0 times" in text
    assert "259 440 predictions are worth 51 888 independent ones" in text
    assert told(259_440.0, 1.1) == []


def test_hours_without_flips_count_against_the_bad_ones() -> None:
    assert in_hours([200, 200]).outcome is Outcome.FAIL
    assert in_hours([200, 200, 0, 0, 0, 0, 0, 0]).outcome is Outcome.UNRESOLVED


def test_hours_never_touch_the_bound_a_pass_rests_on() -> None:
    few = in_hours([0] * 23 + [12])
    assert few.effect is not None
    n = few.n.effective
    assert n is not None
    assert few.effect.upper == pytest.approx(upper_bound(12 * n / 12_000, n, 0.05))


@pytest.mark.parametrize("how", [{"moment": True}, {"mode": Mode.REPLAY}], ids=["a job", "replay"])
def test_where_time_is_not_what_counts_hours_are_no_bursts(how: dict[str, Any]) -> None:
    assert in_hours([60, 0, 0], **how).outcome is Outcome.FAIL
