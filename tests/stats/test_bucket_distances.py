"""Distances of counted distributions against scipy on the values themselves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from analyzer.stats.bucket_distances import bucket_distances, expected_stability

EDGES = np.linspace(0, 1, 2_001)
BUCKETS = np.stack([EDGES[:-1], EDGES[1:]], axis=1)


def counts(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.histogram(values, EDGES)[0].astype(np.int64)


def test_fine_buckets_give_what_scipy_gives() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.beta(2, 5, 4_000), rng.beta(2.3, 4, 5_000)
    found = bucket_distances(counts(first), counts(second), BUCKETS)
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(first, second), rel=1e-3)
    assert found.kolmogorov == pytest.approx(stats.ks_2samp(first, second).statistic, abs=2e-3)
    cuts = np.quantile(first, np.arange(0.1, 1, 0.1))
    p, q = (np.bincount(np.searchsorted(cuts, one)) / len(one) for one in (first, second))
    assert found.stability == pytest.approx(float(((p - q) * np.log(p / q)).sum()), rel=0.05)
    assert found.jensen_shannon == pytest.approx(float(jensenshannon(p, q, base=2)), rel=0.05)
    assert found.groups == 10


def test_equal_counts_are_no_distance_apart() -> None:
    counts = np.array([5, 0, 3, 9])
    edges = np.stack([np.arange(4.0), np.arange(1.0, 5.0)], axis=1)
    assert bucket_distances(counts, counts, edges)[:4] == (0, 0, 0, 0)


def test_a_gap_between_buckets_counts_as_distance() -> None:
    edges = np.array([[0.0, 0.0], [7.0, 7.0]])
    assert bucket_distances(np.array([1, 0]), np.array([0, 1]), edges).wasserstein == 7


def test_one_value_has_one_group_and_no_stability_index() -> None:
    found = bucket_distances(np.array([9]), np.array([4]), np.array([[1.0, 1.0]]))
    assert (found.groups, found.stability) == (1, 0)


def test_the_expected_index_is_the_mean_of_samples_without_a_difference() -> None:
    rng = np.random.default_rng(2)
    values = [
        bucket_distances(counts(rng.random(1_000)), counts(rng.random(1_000)), BUCKETS).stability
        for _ in range(300)
    ]
    assert np.mean(values) == pytest.approx(expected_stability(10, 1_000, 1_000), rel=0.15)


def test_nothing_has_no_distribution() -> None:
    with pytest.raises(ValueError, match="no distribution"):
        bucket_distances(np.array([0]), np.array([1]), np.array([[0.0, 1.0]]))
