"""Concordance and limits of agreement: closed cases, coverage, and what must hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analyzer.stats.score_agreement import PairedMoments, concordance, limits_of_agreement


def moments(first: list[float], second: list[float]) -> PairedMoments:
    x, y = np.array(first), np.array(second)
    covariance = float(np.mean((x - x.mean()) * (y - y.mean())))
    return PairedMoments(
        float(x.mean()), float(y.mean()), float(x.std()), float(y.std()), covariance
    )


def test_equal_numbers_agree_fully_and_opposite_ones_not_at_all() -> None:
    same = concordance(moments([1, 2, 3, 4], [1, 2, 3, 4]), 4, 0.05)
    turned = concordance(moments([1, 2, 3, 4], [4, 3, 2, 1]), 4, 0.05)
    assert same is not None
    assert turned is not None
    assert (same.value, turned.value) == pytest.approx((1, -1))
    assert same.lower is None
    assert concordance(moments([2, 2], [2, 2]), 2, 0.05) is None


def test_a_shift_lowers_concordance_and_no_correlation() -> None:
    x = [1.0, 2.0, 3.0, 4.0, 6.0]
    shifted = concordance(moments(x, [v + 2 for v in x]), 5, 0.05)
    assert shifted is not None
    variance = np.var(x)
    assert shifted.value == pytest.approx(2 * variance / (2 * variance + 4))


def test_the_interval_covers_as_often_as_it_says() -> None:
    """1 000 samples each of 150 pairs: a biased pair, and one that spreads differently."""
    rng = np.random.default_rng(3)
    for rho, bias, spread in ((0.9, 0.3, 1.0), (0.6, 0.0, 1.5)):
        truth = 2 * rho * spread / (1 + spread**2 + bias**2)
        x = rng.normal(size=(1_000, 150))
        y = bias + spread * (rho * x + (1 - rho**2) ** 0.5 * rng.normal(size=x.shape))
        covered = 0
        for one, other in zip(x, y, strict=True):
            found = concordance(moments(one.tolist(), other.tolist()), 150, 0.05)
            assert found is not None
            assert found.lower is not None
            assert found.upper is not None
            covered += found.lower <= truth <= found.upper
        low, high = (stats.binom.ppf(tail, 1_000, 0.9) for tail in (1e-4, 1 - 1e-4))
        assert low <= covered <= high


def test_the_slope_is_that_of_a_regression_of_differences_on_means() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(5, 2, 500)
    y = 1.3 * x + rng.normal(0, 0.5, 500)
    found = limits_of_agreement(moments(x.tolist(), y.tolist()), float((y - x).std()))
    assert found.slope == pytest.approx(stats.linregress((x + y) / 2, y - x).slope)
    assert np.mean((y - x >= found.lower) & (y - x <= found.upper)) == pytest.approx(0.95, abs=0.02)
    assert limits_of_agreement(moments([1, 1], [1, 1]), 0.0).slope is None
