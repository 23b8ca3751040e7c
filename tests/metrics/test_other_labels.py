"""Labels beside the predictions: what the predictions alone do not say of them."""

from __future__ import annotations

import pytest

from analyzer.metrics.divergence import DIVERGENCE
from analyzer.model import Outcome
from analyzer.policy.files import parse_policy
from tests.metrics.prediction_facts import counts_of, facts_of

POLICY = parse_policy({}, {metric.id: metric.default for metric in DIVERGENCE})
METRICS = {metric.id: metric for metric in DIVERGENCE}


@pytest.mark.parametrize(
    ("metric", "kind"),
    [
        ("flip_rate", "probability"),
        ("flip_rate", "label"),
        ("score_large_shift_share", "regression"),
    ],
)
@pytest.mark.parametrize(
    ("relabelled", "outcome"),
    [
        (0, Outcome.PASS),
        (100, Outcome.PASS),
        (470, Outcome.UNRESOLVED),
        (9_000, Outcome.UNRESOLVED),
    ],
)
def test_predictions_pass_only_where_the_labels_beside_them_do(
    metric: str, kind: str, relabelled: int, outcome: Outcome
) -> None:
    """Of 10,000 pairs 500 may differ."""
    counts = counts_of(labelled_pairs=10_000, relabelled_pairs=relabelled)
    facts = facts_of(counts | {"commonest_label": 7_500}, kind=kind, policy=POLICY)
    judged = METRICS[metric].assess(facts, facts.policy.metrics[metric])
    assert judged.outcome is outcome
    told = [note.text for note in judged.notes if note.code == "other-labels"]
    assert bool(told) is (outcome is Outcome.UNRESOLVED)
    if told:
        assert f"differ in {relabelled / 100:.2f} % of 10 000 pairs" in told[0]
        assert judged.effect is not None
        assert judged.effect.upper is None
        assert judged.needs is not None


@pytest.mark.parametrize("counts", [{}, {"labelled_pairs": 0, "relabelled_pairs": 0}])
def test_where_answers_hold_no_other_labels_nothing_is_asked(counts: dict[str, int]) -> None:
    facts = facts_of(counts_of(**counts), policy=POLICY)
    judged = METRICS["flip_rate"].assess(facts, facts.policy.metrics["flip_rate"])
    assert judged.outcome is Outcome.PASS
    assert not [note for note in judged.notes if note.code == "other-labels"]
