"""Shares bounded by one bet an hour: valid whatever happens within hours, and not without power."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.stats.hourly_share import log_e_value, lower_bound
from analyzer.stats.proportion_sequence import lower_bound as pooled_lower_bound
from tests.examples import examples

MARGIN = 0.05
SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=60).map(np.array)


def test_the_expectation_of_an_hour_at_the_margin_is_one_whatever_its_law() -> None:
    """Laws of mean m: constant, all or nothing, one hour of six."""
    for values, chances in (
        ([MARGIN], [1.0]),
        ([1.0, 0.0], [MARGIN, 1 - MARGIN]),
        ([6 * MARGIN, 0.0], [1 / 6, 5 / 6]),
    ):
        grown = [math.exp(log_e_value(np.array([value]), MARGIN)) for value in values]
        assert np.dot(grown, chances) == pytest.approx(1)


def test_hours_at_the_margin_are_refuted_at_any_look_as_seldom_as_promised() -> None:
    random, worlds, alpha = np.random.default_rng(8), examples(150, whole=400), 0.05
    bad = np.where(random.uniform(size=(worlds, 48)) < 1 / 6, 6 * MARGIN, 0.0)
    shares = random.binomial(200, bad) / 200
    enough = -math.log(alpha)
    found = [any(log_e_value(one[:h], MARGIN) >= enough for h in range(1, 49)) for one in shares]
    pooled = [
        any(pooled_lower_bound(one[:h].sum() * 200, 200 * h, alpha) > MARGIN for h in range(1, 12))
        for one in shares
    ]
    assert np.mean(found) < alpha
    assert np.mean(pooled) > 10 * alpha  # which is why hours are looked at


def test_a_shadow_bad_in_every_hour_is_refuted_within_hours() -> None:
    twice = np.full(12, 2 * MARGIN)
    first = next(h for h in range(1, 13) if lower_bound(twice[:h], 0.05) > MARGIN)
    assert first <= 8
    assert lower_bound(np.array([1.0]), 0.05 / 7) > 0.001  # one hour that breaks every answer


@settings(max_examples=examples(30, whole=100))
@given(shares=SHARES, alpha=st.floats(0.001, 0.4))
def test_the_bound_lies_below_the_mean_and_is_where_the_e_value_reaches_its_level(
    shares: np.ndarray, alpha: float
) -> None:
    """However near to nothing: at 1e-10 a last step of the bound is much of an e-value."""
    bound = lower_bound(shares, alpha)
    assert 0 <= bound <= shares.mean()
    enough, beyond = -math.log(alpha), bound + 1e-12
    if bound > 0:
        assert log_e_value(shares, bound) >= enough
    if beyond <= shares.mean():
        assert log_e_value(shares, beyond) < enough


@settings(max_examples=examples(30, whole=100))
@given(shares=SHARES, other=st.permutations(range(60)))
def test_the_order_of_hours_changes_nothing_and_worse_hours_raise_the_bound(
    shares: np.ndarray, other: list[int]
) -> None:
    order = [index for index in other if index < len(shares)]
    bound = lower_bound(shares, 0.05)
    assert lower_bound(shares[order], 0.05) == pytest.approx(bound, abs=1e-9)
    assert lower_bound(np.minimum(shares + 0.1, 1.0), 0.05) >= bound - 1e-9


@pytest.mark.parametrize("bad", [0.0, 1.5])
def test_impossible_shares_and_levels_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="m =="):
        log_e_value(np.array([0.5]), bad)
    with pytest.raises(ValueError, match="alpha =="):
        lower_bound(np.array([0.5]), bad)


def test_no_hours_refute_nothing() -> None:
    assert lower_bound(np.array([]), 0.05) == 0.0
