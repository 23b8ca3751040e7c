"""Divergence above an A/A noise floor: what is subtracted, what is said, and what is not."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from analyzer.gates.missing import check_missing_pairs
from analyzer.metrics.divergence import DIVERGENCE
from analyzer.metrics.floor import mean_distance
from analyzer.model import FloorShare, GateOutcome, Ledger, NoiseFloor, Outcome
from analyzer.policy.files import parse_policy
from analyzer.verdict import describe
from tests.metrics.prediction_facts import counts_of, facts_of

if TYPE_CHECKING:
    from typing import Any

    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence

BY_ID = {metric.id: metric for metric in DIVERGENCE}
DEFAULTS = {metric.id: metric.default for metric in DIVERGENCE}


def floor_of(flips: int, outcomes: int = 10_000, effective: float | None = None) -> NoiseFloor:
    share = FloorShare(events=flips, outcomes=outcomes, effective=effective or outcomes)
    return NoiseFloor(
        source="captures",
        digest="sha256:floor",
        endpoint=None,
        production_model=None,
        kind="probability",
        pairs=outcomes,
        distinct_inputs=outcomes,
        mean_absolute_difference=0.004,
        shares={"flip_rate": share},
    )


def facts(counts: dict[str, Any], floor: NoiseFloor | None, **policy: object) -> Facts:
    ledger = policy.pop("ledger", None)
    assert ledger is None or isinstance(ledger, Ledger)
    found = facts_of(counts, policy=parse_policy(policy, DEFAULTS), ledger=ledger)
    return replace(found, floor=floor)


def assess(
    metric: str, counts: dict[str, Any], floor: NoiseFloor | None, **policy: object
) -> Evidence:
    found = facts(counts, floor, **policy)
    return BY_ID[metric].assess(found, found.policy.metrics[metric])


def codes(evidence: Evidence) -> set[str]:
    return {note.code for note in evidence.notes}


NOISY = counts_of(flipped=1_200)


def test_a_model_that_differs_from_itself_may_give_rare_answers_elsewhere_on_other_machines() -> (
    None
):
    """An eighth of the yeses differ: too many for a model that always answers alike."""
    moved = counts_of(1_000_000, flipped=33_000)
    wide: dict[str, Any] = {"flip_rate": {"margin": 0.04}}
    alone = assess("flip_rate", moved, None, change="infrastructure", metrics=wide)
    assert (alone.outcome, alone.notes[-1].code) == (Outcome.UNRESOLVED, "answer-lost")
    floor = floor_of(32_500, 1_000_000)
    above = assess("flip_rate", moved, floor, change="infrastructure", metrics=wide)
    assert above.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("floor", "outcome"),
    [
        (None, Outcome.UNRESOLVED),
        (floor_of(0), Outcome.UNRESOLVED),
        (floor_of(10, 100_000), Outcome.UNRESOLVED),
        (floor_of(6_000, 100_000), Outcome.PASS),
    ],
)
def test_a_last_day_passes_only_where_production_differs_from_itself_as_much(
    floor: NoiseFloor | None, outcome: Outcome
) -> None:
    """Three days without a flip, then one with 10 %."""
    found = facts(counts_of(48_000, flipped=1_200), floor)
    assert found.captures is not None
    hours = pa.table({"labelled": [500] * 96, "flipped": [0] * 72 + [50] * 24})
    tables = {**found.captures.tables, "prediction_hours": hours}
    found = replace(found, captures=replace(found.captures, tables=tables))
    evidence = BY_ID["flip_rate"].assess(found, found.policy.metrics["flip_rate"])
    assert evidence.outcome is outcome
    assert ("worse-lately" in codes(evidence)) is (outcome is Outcome.UNRESOLVED)


@pytest.mark.parametrize(
    ("own", "outcome"),
    [(10_000, Outcome.UNRESOLVED), (5_100, Outcome.UNRESOLVED), (4_900, Outcome.PASS)],
)
def test_nothing_passes_where_production_differs_from_itself_in_most_pairs(
    own: int, outcome: Outcome
) -> None:
    """Answers of no use would differ no oftener than production's own."""
    floor = floor_of(own)
    floor = floor.model_copy(
        update={"shares": {"output_mismatch_share": floor.shares["flip_rate"]}}
    )
    counts = counts_of(mismatched_pairs=own)
    rule: dict[str, Any] = {"output_mismatch_share": {"role": "review", "margin": 0.05}}
    found = assess("output_mismatch_share", counts, floor, metrics=rule)
    assert found.outcome is outcome
    assert ("floor-too-high" in codes(found)) is (outcome is Outcome.UNRESOLVED)
    assert found.effect is not None
    assert (found.effect.upper is None) is (outcome is Outcome.UNRESOLVED)


def test_flips_that_production_has_against_itself_are_not_the_shadows() -> None:
    assert assess("flip_rate", NOISY, None).outcome is Outcome.FAIL
    above = assess("flip_rate", NOISY, floor_of(1_000))
    assert above.outcome is Outcome.PASS
    assert (above.production, above.shadow) == (0.1, 0.12)
    assert above.effect is not None
    assert above.effect.kind == "difference"
    assert above.effect.estimate == pytest.approx(0.02)
    assert above.test is not None
    assert above.test.e_value is not None
    assert above.test.e_value > 20
    assert "noise-floor" in codes(above)
    assert "no-a-a" not in codes(above)
    assert "1 000 of 10 000 predictions, 10.00 %" in above.notes[0].text
    assert "against production's own noise floor" in describe(above)


def test_a_shadow_far_above_the_floor_still_fails() -> None:
    assert assess("flip_rate", counts_of(flipped=2_000), floor_of(1_000)).outcome is Outcome.FAIL


@pytest.mark.parametrize("inference", ["anytime", "fixed"])
def test_above_a_floor_too_one_bad_hour_of_three_is_no_failure(inference: str) -> None:
    final = {"inference": "fixed", "final": True} if inference == "fixed" else {}
    hourly = {"labelled": [1_000] * 3, "flipped": [900, 100, 100]}
    found = facts(counts_of(3_000, flipped=1_100), floor_of(1_000), **final)
    assert found.captures is not None
    rule = found.policy.metrics["flip_rate"]
    assert BY_ID["flip_rate"].assess(found, rule).outcome is Outcome.FAIL
    tables = {**found.captures.tables, "prediction_hours": pa.table(hourly)}
    found = replace(found, captures=replace(found.captures, tables=tables))
    assert BY_ID["flip_rate"].assess(found, rule).outcome is Outcome.UNRESOLVED


def test_what_is_not_known_of_the_floor_widens_the_interval() -> None:
    outcomes = {}
    for effective in (10_000.0, 200.0):
        found = assess("flip_rate", NOISY, floor_of(1_000, effective=effective))
        outcomes[effective] = found.outcome
    assert outcomes == {10_000.0: Outcome.PASS, 200.0: Outcome.UNRESOLVED}


def test_a_floor_too_small_to_settle_it_is_what_the_metric_needs_more_of() -> None:
    found = assess("flip_rate", NOISY, floor_of(1_000, effective=200))
    assert found.needs is not None
    assert "A/A comparison itself, worth 200 independent outcomes" in found.needs.text
    beyond = assess("flip_rate", counts_of(flipped=1_500), floor_of(1_000))
    assert beyond.needs is not None
    assert "Cannot be resolved" in beyond.needs.text


@pytest.mark.parametrize(
    ("flipped", "look"), [(96, {}), (104, {"inference": "fixed", "final": True})]
)
def test_the_pairs_an_unsettled_share_needs_are_those_that_settle_it(
    flipped: int, look: dict[str, Any]
) -> None:
    few = assess("flip_rate", counts_of(pairs=800, flipped=flipped), floor_of(1_000), **look)
    assert few.outcome is Outcome.UNRESOLVED
    assert few.needs is not None
    assert few.needs.requests is not None
    enough = counts_of(pairs=few.needs.requests, flipped=int(flipped / 800 * few.needs.requests))
    assert assess("flip_rate", enough, floor_of(1_000), **look).outcome is Outcome.PASS


def test_a_single_look_is_judged_by_the_interval_of_two_shares() -> None:
    once = assess("flip_rate", NOISY, floor_of(1_000), inference="fixed", final=True)
    assert once.effect is not None
    assert once.effect.mode == "fixed"
    assert once.intervals.fixed is not None
    assert once.effect.upper == once.intervals.fixed[1]
    assert once.intervals.anytime is not None
    assert once.intervals.anytime[1] > once.intervals.fixed[1]


def test_more_flips_never_improve_the_outcome_and_a_larger_floor_never_worsens_it() -> None:
    order = {Outcome.FAIL: 0, Outcome.UNRESOLVED: 1, Outcome.PASS: 2}
    ranks = [
        [
            order[assess("flip_rate", counts_of(flipped=flipped), floor_of(own)).outcome]
            for own in (0, 100, 500, 2_000)
        ]
        for flipped in range(0, 3_001, 250)
    ]
    for less, more in pairwise(ranks):
        assert all(a >= b for a, b in zip(less, more, strict=True))
    for row in ranks:
        assert row == sorted(row)


def test_the_form_of_the_answer_has_no_floor() -> None:
    found = assess("contract_change", counts_of(), floor_of(1_000))
    assert "no-floor-here" in codes(found)
    assert found.effect is not None
    assert found.effect.kind == "proportion"


def test_the_distance_of_scores_is_shown_beside_productions_own() -> None:
    (note,) = mean_distance(facts(counts_of(), floor_of(0)))
    assert "mean |difference| 0.004" in note.text
    assert mean_distance(facts(counts_of(), None)) == ()


def test_missing_pairs_are_held_against_what_passes_above_a_floor_too() -> None:
    """Sixty requests without an answer change nothing; a thousand would."""
    outcomes = []
    for missing in (60, 1_000):
        ledger = Ledger(pairs=10_000, unpaired_production=missing)
        found = facts(
            NOISY,
            floor_of(1_000),
            ledger=ledger,
            sampling={
                "shadow_percentage": 100,
                "production_capture_percentage": 100,
                "shadow_capture_percentage": 100,
            },
        )
        item = BY_ID["flip_rate"].assess(found, found.policy.metrics["flip_rate"])
        assert item.outcome is Outcome.PASS
        outcomes.append(check_missing_pairs(found, {"flip_rate": item}).outcome)
    assert outcomes == [GateOutcome.PASS, GateOutcome.FAIL]
