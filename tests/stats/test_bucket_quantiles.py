"""Quantiles of counts: the same as of the values, with bounds that cover."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

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
