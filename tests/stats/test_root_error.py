"""The difference of two root mean square errors, against its definition and against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.stats.root_error import SquareMoments, root_difference


def moments_of(e: np.ndarray, f: np.ndarray) -> SquareMoments:
    e2, f2 = e**2, f**2
    means = (e2.mean(), f2.mean(), (e2**2).mean(), (f2**2).mean(), (e2 * f2).mean())
    return SquareMoments(*map(float, means))


def test_the_error_is_the_spread_of_each_cases_influence() -> None:
    random = np.random.default_rng(2)
    e, f = random.normal(size=(2, 500)) * [[1.0], [1.7]]
    difference, sd = root_difference(moments_of(e, f))
    roots = [float(np.sqrt(np.mean(errors**2))) for errors in (e, f)]
    assert difference == pytest.approx(roots[1] - roots[0])
    influence = f**2 / (2 * roots[1]) - e**2 / (2 * roots[0])
    assert sd == pytest.approx(influence.std())


def test_swapping_negates_and_scaling_scales() -> None:
    random = np.random.default_rng(3)
    e, f = random.normal(size=(2, 200))
    there, back = (root_difference(moments_of(*pair)) for pair in ((e, f), (f, e)))
    assert there[0] == pytest.approx(-back[0])
    assert there[1] == pytest.approx(back[1])
    scaled = root_difference(moments_of(10 * e, 10 * f))
    assert scaled == pytest.approx((10 * there[0], 10 * there[1]))


def test_equal_errors_differ_by_nothing_for_certain() -> None:
    e = np.random.default_rng(4).normal(size=100)
    assert root_difference(moments_of(e, e)) == pytest.approx((0.0, 0.0), abs=1e-7)
    assert root_difference(SquareMoments(0.0, 0.0, 0.0, 0.0, 0.0)) == (0.0, 0.0)


def test_either_bound_misses_as_rarely_as_it_says() -> None:
    """Errors that share half of their variance, 400 cases, 2 000 worlds."""
    random = np.random.default_rng(5)
    shared, own, other = random.normal(size=(3, 2_000, 400))
    truth = 1.3 * 2**0.5 - 2**0.5
    z = []
    for e, f in zip(shared + own, 1.3 * (shared + other), strict=True):
        difference, sd = root_difference(moments_of(e, f))
        z.append((difference - truth) / (sd / 20))
    assert np.mean(np.array(z) > 1.645) == pytest.approx(0.05, abs=0.02)
    assert np.mean(np.array(z) < -1.645) == pytest.approx(0.05, abs=0.02)
