"""Where a function of one number crosses zero: against the truth and scipy's brentq."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from analyzer.stats.roots import crossing
from tests.examples import examples


@settings(max_examples=examples(100, whole=2_000), deadline=None)
@given(
    root=st.floats(-5, 5),
    steep=st.floats(-9, 6),
    power=st.sampled_from([1, 3]),
    way=st.sampled_from([-1, 1]),
    reach=st.tuples(st.floats(6, 1e6), st.floats(6, 1e6)),
)
def test_a_crossing_is_found_however_steep_or_flat_the_function_is(
    root: float, steep: float, power: int, way: int, reach: tuple[float, float]
) -> None:
    def function(x: float) -> float:
        return way * math.atan(10**steep * (x - root)) ** power

    found = crossing(function, -reach[0], reach[1])
    flat = 1e-105 ** (1 / power) / 10**steep  # where so small a power is zero
    assert abs(found - root) <= 1e-14 * abs(root) + 2 * flat


@pytest.mark.parametrize("ends", [(0, 1), (-1, 0), (-1, 1)])
def test_an_end_or_the_middle_may_be_the_crossing(ends: tuple[float, float]) -> None:
    assert crossing(lambda x: x, *ends) == pytest.approx(0, abs=1e-15)
    assert crossing(lambda x: -x, *ends) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("level", [0.0025, 0.25, 0.75])
def test_a_crossing_is_that_of_brentq(level: float) -> None:
    def function(x: float) -> float:
        return math.tanh(x) - level

    expected = brentq(function, 0, 9, xtol=1e-15, rtol=1e-14)
    assert crossing(function, 0, 9) == pytest.approx(expected, rel=1e-12)


def test_a_jump_is_a_crossing() -> None:
    assert crossing(lambda x: 1.0 if x > 0.3 else -1.0, 0, 1) == pytest.approx(0.3, rel=1e-14)


def test_few_points_are_tried_of_a_smooth_function() -> None:
    tried: list[float] = []

    def function(x: float) -> float:
        tried.append(x)
        return math.exp(x) - 5

    assert crossing(function, 0, 10) == pytest.approx(math.log(5), rel=1e-12)
    assert len(tried) <= 20


def test_a_bracket_without_a_change_of_sign_is_refused() -> None:
    with pytest.raises(ValueError, match="no change of sign"):
        crossing(lambda x: x + 2, 0, 1)
