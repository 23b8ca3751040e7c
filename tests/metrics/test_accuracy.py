"""Accuracy against its margin, from counts: what passes, what fails, and what would settle it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from analyzer.metrics import DEFAULTS, asked
from analyzer.metrics.accuracy import assess_accuracy, predictions_needed
from analyzer.model import Outcome
from analyzer.policy_file import load_policy
from analyzer.stats.paired_accuracy import Outcomes, lower_bound
from analyzer.verdict import describe
from tests.metrics.prediction_facts import facts_of

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence


def labelled(
    production_right: int, shadow_right: int, pairs: int = 20_000, *, times: int = 1
) -> Facts:
    """Facts of a run whose labels were counted; each input comes `times` times."""
    counts = {
        "labelled_pairs": pairs,
        "predictions": pairs,
        "prediction_squares": float(pairs * times),
        "both_right": pairs * 9 // 10,
        "production_right": production_right,
        "shadow_right": shadow_right,
        "both_wrong": pairs - pairs * 9 // 10 - production_right - shadow_right,
        "commonest_truth": pairs // 2,
        "foreign_truth": 0,
    }
    policy = load_policy(None, DEFAULTS)
    facts = facts_of(kind="label", policy=policy)
    assert facts.captures is not None
    tables = {**facts.captures.tables, "label_counts": pa.Table.from_pylist([counts])}
    return replace(facts, captures=replace(facts.captures, tables=tables))


def judged(facts: Facts) -> Evidence:
    return assess_accuracy(facts, facts.policy.metrics["accuracy"])


@pytest.mark.parametrize(
    ("production_right", "shadow_right", "outcome"),
    [
        (100, 100, Outcome.PASS),
        (100, 600, Outcome.PASS),
        (600, 100, Outcome.FAIL),
        (200, 100, Outcome.UNRESOLVED),
        (1_000, 1_000, Outcome.UNRESOLVED),
    ],
)
def test_the_margin_is_the_largest_loss_accepted(
    production_right: int, shadow_right: int, outcome: Outcome
) -> None:
    evidence = judged(labelled(production_right, shadow_right))
    assert evidence.outcome is outcome
    assert evidence.margin == -0.005
    assert (evidence.needs is None) == (outcome is not Outcome.UNRESOLVED)


def test_inputs_that_come_back_buy_no_certainty() -> None:
    once, often = judged(labelled(100, 100)), judged(labelled(100, 100, times=10))
    assert (once.outcome, often.outcome) == (Outcome.PASS, Outcome.UNRESOLVED)
    assert once.effect is not None
    assert often.effect is not None
    assert once.effect.estimate == often.effect.estimate
    assert often.n.effective == 2_000
    assert often.notes[-1].code == "repeated-inputs"


def test_the_two_bounds_stand_at_the_levels_of_what_they_decide() -> None:
    facts = labelled(100, 100)
    effect = judged(facts).effect
    assert effect is not None
    assert effect.lower_level == pytest.approx(0.95)
    assert effect.upper_level == pytest.approx(1 - 0.05 / facts.policy.guardrails)


def test_a_loss_reads_as_percentage_points_below_the_margin() -> None:
    said = describe(judged(labelled(600, 100)))
    assert re.fullmatch(
        r"-2\.[5-9]\d+ pp to -2\.[0-4]\d+ pp against production; the policy allows -0\.5 pp", said
    )


def test_the_e_value_reaches_twenty_where_a_pass_begins() -> None:
    for alone in range(100, 600, 20):
        evidence = judged(labelled(alone, alone))
        assert evidence.test is not None
        assert evidence.test.e_value is not None
        assert (evidence.outcome is Outcome.PASS) == (evidence.test.e_value >= 20)


def test_what_is_needed_settles_it_and_no_less() -> None:
    outcomes = Outcomes(25, 25, 950)
    needed = predictions_needed(outcomes, -0.005, 0.05)
    assert needed is not None
    assert lower_bound(outcomes.scaled(needed / 1_000), 0.05) > -0.005
    assert lower_bound(outcomes.scaled(0.98 * needed / 1_000), 0.05) < -0.005
    assert predictions_needed(Outcomes(10, 30, 960), -0.005, 0.05) is None
    text = judged(labelled(200, 90)).needs
    assert text is not None
    assert text.text.startswith("Cannot be resolved at this margin: the difference itself, -0.550")


def test_labels_add_a_guardrail_and_no_labels_take_nothing_away() -> None:
    policy = load_policy(None, DEFAULTS)
    without, with_labels = (
        asked(policy, labelled=given, replayed=False) for given in (False, True)
    )
    assert {*policy.metrics} - {*with_labels.metrics} == {"failure_rate"}
    assert with_labels.guardrails == without.guardrails + 1
    assert "accuracy" not in without.metrics
    named = load_policy(None, DEFAULTS, ["metrics.accuracy.role=review"])
    assert "accuracy" in asked(named, labelled=False, replayed=False).metrics
