"""A default in place of a score is told from scores that many honest answers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from analyzer.metrics import DEFAULTS
from analyzer.metrics.divergence import DIVERGENCE
from analyzer.model import Outcome
from analyzer.policy.files import load_policy
from tests.metrics.lent_scores import large_shifts
from tests.metrics.prediction_facts import counts_of, facts_of

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence

Floats = npt.NDArray[np.float64]
PAIRS = 4_000
(METRIC,) = (metric for metric in DIVERGENCE if metric.id == "score_large_shift_share")


def judged(facts: Facts) -> Evidence:
    return METRIC.assess(facts, facts.policy.metrics[METRIC.id])


def compared(production: Floats, shadow: Floats, kind: str, *, written: bool = False) -> Evidence:
    """By a margin that honest large shifts stay within."""
    margin = f"metrics.{METRIC.id}.margin=0.12"
    return large_shifts(production, shadow, kind, margin, written=written)


def held(evidence: Evidence) -> bool:
    """Whether a default is found, which then holds and says so."""
    told = [note.text for note in evidence.notes if note.code == "default-answer"]
    assert evidence.outcome is (Outcome.UNRESOLVED if told else Outcome.PASS)
    if told:
        assert evidence.effect is not None
        assert evidence.effect.upper is None
        assert evidence.needs is not None
        assert told[0].endswith("a default takes the place of a score")
    return bool(told)


def models(seed: int = 61, centre: float = -2.0) -> tuple[Floats, Floats]:
    """Logits of two honest models."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(centre, 2.0, PAIRS)
    return logits, logits + rng.normal(0, 0.3, PAIRS)


def share(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)))


def some(part: float, seed: int = 62) -> npt.NDArray[np.bool_]:
    return np.random.default_rng(seed).random(PAIRS) < part


@pytest.mark.parametrize(
    ("part", "default"),
    [
        (0.03, 0.0),
        (0.06, 0.5),
        *(
            pytest.param(part, default, marks=pytest.mark.long)
            for part, default in ((0.03, 0.1), (0.03, 0.5), (0.06, 0.0), (0.06, 0.1))
        ),
    ],
)
def test_a_probability_for_want_of_an_answer_holds(default: float, part: float) -> None:
    ours, other = models()
    other = np.where(some(part), default, share(other))
    assert held(compared(share(ours), other, "probability", written=True))


@pytest.mark.parametrize("default", [0.0, pytest.param(1.0, marks=pytest.mark.long)])
def test_a_quantity_for_want_of_an_answer_holds(default: float) -> None:
    ours, other = (np.exp(logits / 2) for logits in models(centre=0.0))
    other = np.where(some(0.04), default, other)
    assert held(compared(ours, other, "regression"))


def tree(logits: Floats, leaves: int) -> Floats:
    """Each score replaced by the mean of its leaf, all leaves being as large."""
    leaf = np.argsort(np.argsort(logits)) * leaves // PAIRS
    means = np.bincount(leaf, share(logits)) / np.bincount(leaf)
    return np.asarray(means[leaf])


HONEST = {
    "retrained": (share, share),
    "rounded to two decimals": (share, lambda x: np.round(share(x), 2)),
    "rounded to one": (share, lambda x: np.round(share(x), 1)),
    "both rounded": (lambda x: np.round(share(x), 2), lambda x: np.round(share(x), 2)),
    "a tree": (share, lambda x: tree(x, 30)),
    "a small tree": (share, lambda x: tree(x, 12)),
    "both trees": (lambda x: tree(x, 12), lambda x: tree(x, 12)),
    "clipped": (share, lambda x: np.clip(share(x), 0.02, 0.98)),
    "cut to nothing": (share, lambda x: np.where(share(x) < 0.03, 0.0, share(x))),
}


BY_DEFAULT = {
    ("retrained", 0.0),
    ("rounded to one", -3.0),
    ("both rounded", 0.0),
    ("a small tree", -3.0),
    ("clipped", 0.0),
    ("cut to nothing", -3.0),
}


@pytest.mark.parametrize(
    ("name", "centre"),
    [
        pytest.param(name, centre, marks=() if (name, centre) in BY_DEFAULT else pytest.mark.long)
        for name in HONEST
        for centre in (-3.0, 0.0)
    ],
)
def test_scores_that_honest_answers_share_do_not_hold(name: str, centre: float) -> None:
    ours, other = models(centre=centre)
    first, second = HONEST[name]
    assert not held(compared(first(ours), second(other), "probability"))


def test_quantities_that_are_often_zero_in_both_do_not_hold() -> None:
    ours, other = models(centre=1.0)
    assert not held(compared(np.maximum(ours, 0), np.maximum(other, 0), "regression"))


@pytest.mark.parametrize("same", [True, False])
def test_a_default_that_production_has_as_often_is_how_both_answer(*, same: bool) -> None:
    ours, other = models()
    mine, others = some(0.04), some(0.04, seed=62 if same else 63)
    first, second = np.where(mine, 0.0, share(ours)), np.where(others, 0.0, share(other))
    assert not held(compared(first, second, "probability"))


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"default_above_given": 29, "default_given": 129}, False),  # below 1 % of 3,000
        ({"default_above": 400, "default_above_given": 16, "default_given": 400}, False),
        ({"default_given": 2_000}, False),  # where production's score is near, above all
        ({"default_below": 2_000}, False),  # the other side never gets it
        ({"default_below": 400}, True),  # too few to be asked
        ({"default_production": 60}, False),
        ({"default_production": 40}, True),
    ],
)
def test_a_default_is_given_whatever_production_says(
    changes: dict[str, int], *, found: bool
) -> None:
    counts = {
        "default_score": 0,
        "default_above": 3_000,
        "default_above_given": 100,
        "default_given": 400,
        "default_below": 0,
        "default_below_given": 0,
        "default_production": 0,
    }
    policy = load_policy(None, DEFAULTS)
    facts = facts_of(counts_of(**{**counts, **changes}), kind="probability", policy=policy)
    assert held(judged(facts)) is found
