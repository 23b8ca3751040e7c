"""An amount below zero is no smaller amount."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.model import Outcome
from analyzer.policy.files import load_policy
from tests.metrics.prediction_facts import facts_from
from tests.payloads.captured_pairs import compare

if TYPE_CHECKING:
    from analyzer.model import Evidence

Floats = npt.NDArray[np.float64]
LARGE = BY_ID["score_large_shift_share"]
AMOUNTS = 4_000


def large(production: Floats, shadow: Floats) -> Evidence:
    policy = load_policy(None, DEFAULTS, ["predictions.kind=regression"])
    answers = [[repr(float(score)) for score in side] for side in (production, shadow)]
    of = facts_from(compare(answers[0], answers[1], policy=policy).tables, policy=policy)
    return LARGE.assess(of, of.policy.metrics[LARGE.id])


def prices(seed: int = 3) -> Floats:
    return np.random.default_rng(seed).lognormal(3, 1, AMOUNTS)


@pytest.mark.parametrize(("negative", "passes"), [(200, False), (20, False), (3, True), (0, True)])
def test_amounts_that_the_shadow_puts_below_zero_do_not_pass(
    negative: int, *, passes: bool
) -> None:
    production = prices()
    shadow = production * np.random.default_rng(4).normal(1, 0.05, AMOUNTS)
    smallest = np.argsort(shadow)[:negative]
    shadow[smallest] *= -1
    item = large(production, shadow)
    assert item.outcome is (Outcome.PASS if passes else Outcome.UNRESOLVED)
    if not passes:
        assert item.notes[-1].code == "below-zero"
        assert item.notes[-1].text.startswith(f"the shadow puts {negative} predictions (")
        assert item.needs is not None
        assert "let --labels judge" in item.needs.text


def test_quantities_that_production_puts_below_zero_may_be_there() -> None:
    production = prices() - 5
    shadow = production + np.random.default_rng(5).normal(0, 0.5, AMOUNTS)
    assert (shadow < 0).sum() > 100
    assert large(production, shadow).outcome is Outcome.PASS


def test_noise_about_zero_is_not_below_it() -> None:
    production = np.where(np.arange(AMOUNTS) % 4 == 0, 0.0, prices())
    for noise in (1e-8, 1.0):
        shadow = np.where(production == 0.0, -noise, production)
        assert large(production, shadow).outcome is Outcome.PASS
