"""Amounts, of which a few large ones make the spread: what moves all of them is no small thing."""

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


def large(production: Floats, shadow: Floats, *, written: bool = False) -> Evidence:
    return large_shifts(production, shadow, "regression", written=written)


def amounts(n: int = 6_000) -> Floats:
    """Of a standard deviation three times the mean: half a large shift is 0.8 of the mean."""
    return np.random.default_rng(1).lognormal(0, 1.6, n)


@pytest.mark.parametrize(("factor", "passes"), [(1.2, False), (0.85, False), (1.03, True)])
def test_amounts_that_all_grow_or_shrink_by_a_tenth_do_not_pass(
    factor: float, *, passes: bool
) -> None:
    production = amounts()
    item = large(production, factor * production, written=factor < 1)
    assert item.outcome is (Outcome.PASS if passes else Outcome.UNRESOLVED)
    if not passes:
        assert item.notes[-1].code == "mean-moved"
        assert "a tenth of production's mean" in item.notes[-1].text
        assert item.needs is not None
        assert "let --labels judge" in item.needs.text


def test_amounts_that_are_off_by_a_fifth_either_way_pass() -> None:
    rng, production = np.random.default_rng(2), amounts()
    assert large(production, production * rng.normal(1, 0.2, production.size)).outcome is (
        Outcome.PASS
    )


def test_quantities_below_zero_have_no_tenth_of_a_mean() -> None:
    """A mean near nothing, of gains and losses, moves by a tenth of itself for nothing."""
    rng = np.random.default_rng(3)
    production = rng.normal(0.5, 10, 4_000)
    assert large(production, production + rng.normal(0.2, 0.5, 4_000)).outcome is Outcome.PASS
