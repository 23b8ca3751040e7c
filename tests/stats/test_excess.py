"""A share above its noise floor: the bounds hold, and the test says what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.stats.excess import excess_e_value, lower_excess, upper_excess
from analyzer.stats.proportion_sequence import upper_bound
from analyzer.stats.proportions import miettinen_nurminen
from tests.examples import examples


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int, int, int]:
    n, n0 = draw(st.integers(1, 20_000)), draw(st.integers(1, 20_000))
    return draw(st.integers(0, n)), n, draw(st.integers(0, n0)), n0


@settings(max_examples=examples(30, whole=100), deadline=None)
@given(counts(), st.floats(0.001, 0.4))
def test_the_e_value_reaches_one_over_alpha_where_the_bound_falls_below_the_margin(
    seen: tuple[int, int, int, int], margin: float
) -> None:
    upper = upper_excess(*seen, 0.05)
    if not math.isclose(upper, margin, rel_tol=1e-6):
        assert (excess_e_value(*seen, margin) >= 20) == (upper < margin)


@settings(max_examples=examples(40, whole=100), deadline=None)
@given(counts())
def test_the_estimate_lies_between_the_bounds_and_smaller_errors_widen_them(
    seen: tuple[int, int, int, int],
) -> None:
    x, n, x0, n0 = seen
    bounds = lower_excess(*seen, 0.05), upper_excess(*seen, 0.05)
    assert bounds[0] <= x / n - x0 / n0 <= bounds[1]
    assert lower_excess(*seen, 0.01) <= bounds[0]
    assert upper_excess(*seen, 0.01) >= bounds[1]


def test_a_floor_never_excuses_more_than_production_was_seen_to_do() -> None:
    for x0 in (0, 10, 100, 1_000):
        alone = upper_bound(300, 10_000, 0.05)
        assert upper_excess(300, 10_000, x0, 10_000, 0.05) > alone - x0 / 10_000


def test_a_floor_of_nothing_costs_little_and_never_helps() -> None:
    alone = upper_bound(20, 5_000, 0.05)
    with_floor = upper_excess(20, 5_000, 0, 5_000, 0.05)
    assert alone < with_floor < 1.1 * alone


MARGIN = 0.05
WORLDS = [
    (0.002, True),
    (0.03, False),
    *(
        pytest.param(floor, shared, marks=pytest.mark.long)
        for floor, shared in ((0.002, False), (0.03, True), (0.2, False), (0.2, True))
    ),
]
LOOKS = np.arange(500, 10_001, 500)


def worlds(floor: float, size: int, *, shared: bool) -> tuple[np.ndarray, np.ndarray]:
    """Events at every look, and of the floor, where the true difference is the margin exactly.

    With `shared`, both comparisons are of the same requests, and those that differ from production
    in its second answer differ from the shadow's too, as far as there are as many.
    """
    rng = np.random.default_rng(27)
    drawn = rng.random((size, int(LOOKS[-1])))
    events = np.cumsum(drawn < floor + MARGIN, axis=1)[:, LOOKS - 1]
    again = drawn if shared else rng.random(drawn.shape)
    return events, (again < floor).sum(axis=1)


@pytest.mark.parametrize(("floor", "shared"), WORLDS)
def test_at_the_margin_few_of_many_looks_pass_by_mistake(floor: float, *, shared: bool) -> None:
    """Twenty looks of a growing test; 5 % are allowed."""
    size = examples(80, whole=150)
    events, own = worlds(floor, size, shared=shared)
    n0 = int(LOOKS[-1])
    passed = sum(
        any(
            upper_excess(int(x), int(n), int(x0), n0, 0.05) < MARGIN
            for x, n in zip(row, LOOKS, strict=True)
            if x / n - x0 / n0 < MARGIN  # the bound is above it
        )
        for row, x0 in zip(events, own, strict=True)
    )
    assert passed / size <= 0.05


@pytest.mark.parametrize(("floor", "shared"), WORLDS)
def test_at_the_margin_a_single_look_passes_by_mistake_as_often_as_it_says(
    floor: float, *, shared: bool
) -> None:
    size = examples(200, whole=1_000)
    rng = np.random.default_rng(28)
    n = n0 = 4_000
    own = rng.binomial(n0, floor, size)
    # of shared requests, the shadow differs where production does, and in others
    events = own + rng.binomial(n - own, MARGIN / (1 - floor)) if shared else None
    events = rng.binomial(n, floor + MARGIN, size) if events is None else events
    passed = sum(
        miettinen_nurminen(float(x), n, float(x0), n0, 0.9)[1] < MARGIN
        for x, x0 in zip(events, own, strict=True)
    )
    assert passed / size <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / size)


def test_a_shadow_that_adds_little_to_a_noisy_production_passes() -> None:
    """12 % of answers differ where production itself differs in 10 %."""
    assert upper_excess(1_200, 10_000, 1_000, 10_000, 0.05) < MARGIN
    assert upper_bound(1_200, 10_000, 0.05) > MARGIN
