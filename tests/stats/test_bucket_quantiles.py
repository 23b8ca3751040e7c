"""Quantiles of counts: the same as of the values, with bounds that cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, special, stats

from analyzer.stats.bucket_quantiles import bucket_quantile


def test_one_value_a_bucket_gives_the_order_statistics_of_scipy() -> None:
    values = np.random.default_rng(1).normal(size=400)
    for q in (0.5, 0.9, 0.99):
        found = bucket_quantile(np.ones(400, np.int64), q, 400, 0.05)
        assert np.sort(values)[found.place] == np.quantile(values, q, method="inverted_cdf")
        ranks = [int(stats.binom.ppf(tail, 400, q)) for tail in (0.05, 0.95)]
        assert found.lower == ranks[0] - 1
        assert found.upper == (ranks[1] if ranks[1] < 400 else None)


def test_few_values_have_no_upper_bound_for_a_high_quantile() -> None:
    assert bucket_quantile(np.array([5, 5]), 0.99, 10, 0.05).upper is None
    assert bucket_quantile(np.array([5, 5]), 0.01, 10, 0.05).lower is None


def test_either_bound_misses_as_rarely_as_it_says() -> None:
    rng = np.random.default_rng(2)
    edges = np.linspace(0, 1, 51)
    below = above = 0
    for _ in range(1_000):
        counts = np.histogram(rng.random(200), edges)[0]
        found = bucket_quantile(counts, 0.9, 200, 0.05)
        below += found.upper is not None and edges[found.upper + 1] < 0.9
        above += found.lower is not None and edges[found.lower] > 0.9
    assert max(below, above) <= stats.binom.ppf(1 - 1e-4, 1_000, 0.05)


def test_repeated_values_widen_the_bounds_and_move_no_quantile() -> None:
    counts = np.full(100, 10)
    once, worth_less = (bucket_quantile(counts, 0.5, n, 0.05) for n in (1_000, 50))
    assert once.place == worth_less.place
    assert once.lower is not None
    assert worth_less.lower is not None
    assert worth_less.lower < once.lower


@pytest.mark.parametrize(("counts", "q"), [([0, 0], 0.5), ([1], 0.0), ([1], 1.0)])
def test_what_has_no_quantile_is_refused(counts: list[int], q: float) -> None:
    with pytest.raises(ValueError, match=r"quantile|q =="):
        bucket_quantile(np.array(counts), q, 1, 0.05)


def lil_band(t: int, t_min: int, alpha: float = 0.05, scale: float = 0.85) -> float:
    """Half the band around a distribution function that holds at every look after `t_min`.

    The law of the iterated logarithm as Howard and Ramdas (2022) state it: the constant is the
    smallest whose error, at the best spacing eta of looks, is alpha.
    """

    def error(eta: float, constant: float) -> float:
        gamma = 2 / eta * (scale - math.sqrt(2 * (eta - 1) / constant)) ** 2
        sum_ = 1 + 1 / ((gamma - 1) * math.log(eta)) if gamma > 1 else math.inf
        return 4 * math.exp(-gamma * constant) * sum_

    def smallest(constant: float) -> float:
        spacings = 1 + np.geomspace(1e-4, 2 * scale**2 - 1, 4_000)
        inside = spacings[np.sqrt(2 * (spacings - 1) / constant) < scale]
        return min(error(float(eta), constant) for eta in inside) - alpha

    constant = optimize.brentq(smallest, 5, 20)
    return scale * math.sqrt((math.log1p(math.log(t / t_min)) + constant) / t)


def stitched_ranks(q: float, t: int, t_min: int, alpha: float = 0.05) -> float:
    """By how many ranks the q-quantile's count may be off at any look and any q at once.

    Howard and Ramdas's double stitching, delta = 1/2, s = 1.4, eta = 2, of q >= 1/2.
    """
    delta, s, eta = 0.5, 1.4, 2.0
    k1, k2 = (eta**0.25 + eta**-0.25) / math.sqrt(2), (math.sqrt(eta) + 1) / 2
    spread, epochs = q * (1 - q), max(t, t_min) / t_min
    row = math.sqrt(epochs) * abs(special.logit(q)) / (2 * delta) + 1
    zeta = float(special.zeta(s))
    ell = s * math.log(math.log(eta * epochs)) + s * math.log(row)
    ell += math.log(2 * zeta * (2 * zeta + 1) / (alpha * math.log(eta) ** s))
    skew = k2 * (1 - 2 * q) / 3 * ell
    random = math.sqrt(k1**2 * spread * max(t, t_min) * ell + skew**2)
    return delta * math.sqrt(eta * epochs * spread) + random + skew


@pytest.mark.parametrize(("t", "band"), [(100, 0.242253), (1_000, 0.082048), (10_000, 0.026672)])
def test_the_order_statistics_of_one_look_lie_within_the_published_band_of_every_look(
    t: int, band: float
) -> None:
    """The band is confseq's, compiled; it is wider because it holds for all looks and quantiles."""
    assert lil_band(t, 100) == pytest.approx(band, abs=1e-5)
    for q in (0.5, 0.9):
        found = bucket_quantile(np.ones(t, np.int64), q, t, 0.025)
        assert found.lower is not None
        assert found.upper is not None
        reach = max(q - found.lower / t, (found.upper + 1) / t - q)
        assert band / 12 < reach < band


@pytest.mark.parametrize(("t", "ranks"), [(1_000, 10.6182), (10_000, 46.3394)])
def test_the_order_statistics_of_p99_lie_within_the_published_ranks_of_every_look(
    t: int, ranks: float
) -> None:
    assert stitched_ranks(0.99, t, 1_000) == pytest.approx(ranks, abs=1e-3)
    found = bucket_quantile(np.ones(t, np.int64), 0.99, t, 0.025)
    assert found.lower is not None
    assert found.upper is not None
    reach = max(0.99 * t - found.lower, found.upper + 1 - 0.99 * t)
    assert ranks / 3 < reach < ranks
