"""Paired accuracy watched while it grows: validity at every look, symmetry, and its price."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.stats.paired_accuracy import (
    Outcomes,
    e_value,
    log_e_value,
    lower_bound,
    upper_bound,
)
from analyzer.stats.proportions import tango
from tests.examples import examples

counts = st.integers(0, 100_000)


def one_look_lower(outcomes: Outcomes, alpha: float) -> float:
    return tango(0.0, outcomes.ours, outcomes.rival, outcomes.alike, 1 - 2 * alpha)[0]


@settings(max_examples=examples(30, whole=100))
@given(counts, counts, counts)
def test_swapping_the_sides_negates_the_interval(ours: int, rival: int, alike: int) -> None:
    outcomes = Outcomes(ours, rival, alike + 1)
    swapped = outcomes.swapped
    assert outcomes.difference == -swapped.difference
    assert upper_bound(outcomes, 0.05) == -lower_bound(swapped, 0.05)
    assert lower_bound(outcomes, 0.05) <= outcomes.difference <= upper_bound(outcomes, 0.05)


@given(counts, counts, counts, st.floats(-0.9, 0.9))
def test_the_bound_refutes_every_smaller_difference_and_no_larger_one(
    ours: int, rival: int, alike: int, m: float
) -> None:
    outcomes = Outcomes(ours, rival, alike + 1)
    bound = lower_bound(outcomes, 0.05)
    if abs(m - bound) > 1e-9:
        assert (log_e_value(outcomes, m) >= math.log(20)) == (m < bound)


@pytest.mark.parametrize("m", [-0.3, -0.005, 0.0, 0.2])
@pytest.mark.parametrize("differing", [0.3, 0.6, 1.0])
def test_one_more_pair_never_adds_to_its_expectation_under_the_null(
    m: float, differing: float
) -> None:
    """Over all three outcomes, weighted as they come when the mean is exactly m or below."""
    for mean in (m, m - 0.05):
        law = ((differing + mean) / 2, (differing - mean) / 2, 1 - differing)
        before = Outcomes(12, 9, 40)
        after = [Outcomes(13, 9, 40), Outcomes(12, 10, 40), Outcomes(12, 9, 41)]
        expected = sum(p * e_value(one, m) for p, one in zip(law, after, strict=True))
        assert expected <= e_value(before, m) * (1 + 1e-12)


def test_looking_a_hundred_times_passes_a_harmful_shadow_no_more_often_than_alpha() -> None:
    """Worlds exactly at the margin; a one-look interval read as often passes many of them."""
    rng = np.random.default_rng(20261116)
    looks, pairs, margin, differing = 100, 200, -0.005, 0.05
    worlds = examples(60, whole=300)
    law = [(differing + margin) / 2, (differing - margin) / 2, 1 - differing]
    seen = rng.multinomial(pairs, law, size=(worlds, looks)).cumsum(axis=1)
    passed = peeked = 0
    for world in seen.tolist():
        passed += any(e_value(Outcomes(*counts), margin) >= 20 for counts in world)
        peeked += any(one_look_lower(Outcomes(*c), 0.05) > margin for c in world[4::5])
    noise = 3 * math.sqrt(0.05 * 0.95 / worlds)
    assert passed / worlds <= 0.05 + noise
    assert peeked / worlds > 0.05 + noise


@pytest.mark.parametrize("pairs", [1_000, 10_000, 100_000, 1_000_000])
@pytest.mark.parametrize("differing", [0.01, 0.05, 0.3])
def test_any_look_costs_at_most_two_and_a_half_of_one_look(pairs: int, differing: float) -> None:
    half = pairs * differing / 2
    outcomes = Outcomes(half, half, pairs - 2 * half)
    once = one_look_lower(outcomes, 0.05)
    assert 1.3 <= lower_bound(outcomes, 0.05) / once <= 2.5


def test_bounds_close_in_on_the_difference() -> None:
    outcomes = Outcomes(30, 20, 950)
    bounds = [lower_bound(outcomes.scaled(factor), 0.05) for factor in (1, 10, 100, 10_000)]
    assert bounds == sorted(bounds)
    assert bounds[-1] == pytest.approx(0.01, abs=5e-4)


def test_a_stricter_level_is_further_away() -> None:
    lowers = [lower_bound(Outcomes(30, 20, 950), alpha) for alpha in (0.2, 0.05, 0.005)]
    assert lowers == sorted(lowers, reverse=True)


def test_no_pair_says_nothing() -> None:
    nothing = Outcomes(0, 0, 0)
    assert (lower_bound(nothing, 0.05), upper_bound(nothing, 0.05)) == (-1, 1)
    assert e_value(nothing, -0.005) == pytest.approx(1)


def test_a_side_that_is_always_right_alone_is_better_for_certain() -> None:
    assert lower_bound(Outcomes(1_000, 0, 0), 0.05) > 0.9
    assert upper_bound(Outcomes(1_000, 0, 0), 0.05) == pytest.approx(1)


def test_a_level_or_a_count_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha"):
        lower_bound(Outcomes(1, 1, 1), 0)
    with pytest.raises(ValueError, match="m =="):
        log_e_value(Outcomes(1, 1, 1), 1)
    with pytest.raises(ValueError, match="negative"):
        log_e_value(Outcomes(1, -1, 1), 0)
