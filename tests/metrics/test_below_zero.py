"""An amount below zero is no smaller amount."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from analyzer.model import Outcome
from tests.metrics.lent_scores import large_shifts

if TYPE_CHECKING:
    from analyzer.model import Evidence

Floats = npt.NDArray[np.float64]
AMOUNTS = 4_000


def large(production: Floats, shadow: Floats, *, written: bool = False) -> Evidence:
    return large_shifts(production, shadow, "regression", written=written)


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
    item = large(production, shadow, written=negative == 20)
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
