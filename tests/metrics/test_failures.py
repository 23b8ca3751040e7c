"""Failures of paired requests: what looking often may pass, and what one look says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.metrics.failures import bounds_at_any_look, bounds_once
from analyzer.stats.paired_accuracy import Outcomes
from analyzer.stats.proportions import tango
from tests.examples import examples

MARGIN = 0.001
TRIED = examples(60, whole=300)
LOOKS = range(1_000, 20_001, 1_000)


def worlds(count: int, only_shadow: float, only_production: float) -> list[list[Outcomes]]:
    """Outcomes as they grow, a thousand requests at a time."""
    rng = np.random.default_rng([count, round(1e6 * only_shadow)])
    law = [only_shadow, only_production, 1 - only_shadow - only_production]
    grown = rng.multinomial(1_000, law, size=(count, len(LOOKS))).cumsum(axis=1)
    return [[Outcomes(*map(float, counts)) for counts in world] for world in grown.tolist()]


@pytest.mark.parametrize(
    "only_production", [0.0, 0.0005, pytest.param(0.01, marks=pytest.mark.long)]
)
def test_looking_often_passes_no_more_harm_than_one_look_may(only_production: float) -> None:
    tried = worlds(TRIED, MARGIN + only_production, only_production)
    passed = sum(
        any(
            bounds_at_any_look(outcomes, 0.05, 0.05)[1] < MARGIN
            for outcomes in world
            if outcomes.difference < MARGIN  # which the bounds enclose
        )
        for world in tried
    )
    assert passed / len(tried) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(tried))


def test_looking_often_at_the_interval_of_one_look_would_pass_much_more() -> None:
    tried = worlds(TRIED, MARGIN, 0.0)
    passed = sum(
        any(
            bounds_once(outcomes, 0.05, 0.05)[1] < MARGIN
            for outcomes in world
            if outcomes.difference < MARGIN
        )
        for world in tried
    )
    assert passed / len(tried) > 0.1


def test_looking_often_rejects_no_harmless_candidate_more_often_than_it_may() -> None:
    tried = worlds(TRIED, MARGIN, 0.0)
    failed = sum(
        any(
            bounds_at_any_look(outcomes, 0.05, 0.05)[0] > MARGIN
            for outcomes in world
            if outcomes.difference > MARGIN
        )
        for world in tried
    )
    assert failed / len(tried) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(tried))


def test_five_thousand_requests_without_a_failure_clear_a_tenth_of_a_percent() -> None:
    assert bounds_at_any_look(Outcomes(0, 0, 4_180), 0.05, 0.05)[1] > MARGIN
    assert bounds_at_any_look(Outcomes(0, 0, 4_200), 0.05, 0.05)[1] < MARGIN


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 100_000))
def test_the_bounds_enclose_the_difference_that_was_seen(
    shadow: int, production: int, alike: int
) -> None:
    outcomes = Outcomes(shadow, production, alike)
    for lower, upper in (
        bounds_at_any_look(outcomes, 0.01, 0.05),
        bounds_once(outcomes, 0.01, 0.05),
    ):
        assert lower <= outcomes.difference <= upper


def test_one_look_is_tango_s_with_each_bound_at_its_own_level() -> None:
    outcomes = Outcomes(30, 12, 9_958)
    assert bounds_once(outcomes, 0.025, 0.025) == pytest.approx(tango(58, 30, 12, 9_900))
