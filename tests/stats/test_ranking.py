"""Areas under two ROC curves of the same cases, against scikit-learn and the literal definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # it ships no types

from analyzer.stats.calibration import expected_calibration_error
from analyzer.stats.ranking import Areas, paired_areas

Array = np.ndarray[Any, Any]


def cells(truth: Array, first: Array, second: Array) -> tuple[Array, Array, Array, Array]:
    """Counts by pair of buckets, as they come from many rows."""
    places, at = np.unique(np.stack([first, second]), axis=1, return_inverse=True)
    at = at.reshape(-1)
    size = places.shape[1]
    positive = np.bincount(at[truth], minlength=size)
    negative = np.bincount(at[~truth], minlength=size)
    return positive, negative, places[0], places[1]


def world(seed: int, count: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.3
    shared = rng.normal(0, 1, count) + truth
    first, second = (
        np.round(4 * (shared + rng.normal(0, noise, count))).astype(int) for noise in (0.3, 0.6)
    )
    return truth, first, second


def areas_of(truth: Array, first: Array, second: Array) -> Areas:
    found = paired_areas(*cells(truth, first, second))
    assert found is not None
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_areas_are_those_of_scikit_learn(seed: int) -> None:
    truth, first, second = world(seed, 2_000)
    found = areas_of(truth, first, second)
    assert found.first == pytest.approx(roc_auc_score(truth, first), abs=1e-12)
    assert found.second == pytest.approx(roc_auc_score(truth, second), abs=1e-12)


def test_the_error_is_that_of_delong_row_by_row() -> None:
    truth, first, second = world(4, 400)
    placed = []
    for score in (first, second):
        above, below = score[truth][:, None], score[~truth][None, :]
        wins = (above > below) + 0.5 * (above == below)
        placed.append((wins.mean(axis=1), wins.mean(axis=0)))
    (positive_1, negative_1), (positive_2, negative_2) = placed
    variance = np.var(positive_2 - positive_1, ddof=1) / truth.sum()
    variance += np.var(negative_2 - negative_1, ddof=1) / (~truth).sum()
    assert areas_of(truth, first, second).se == pytest.approx(variance**0.5, rel=1e-10)


def test_the_interval_covers_a_true_difference_of_nothing_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        truth = rng.random(400) < 0.4
        shared = rng.normal(0, 1, 400) + truth
        first, second = (np.round(20 * (shared + rng.normal(0, 0.5, 400))) for _ in range(2))
        found = areas_of(truth, first.astype(int), second.astype(int))
        covered += abs(found.second - found.first) <= 1.6448536 * found.se
    assert 0.9 - 3 * 0.015 <= covered / 400 <= 0.9 + 3 * 0.015


def test_swapping_the_scores_negates_and_counts_add_up() -> None:
    truth, first, second = world(6, 1_000)
    one, other = areas_of(truth, first, second), areas_of(truth, second, first)
    turned = Areas(other.second, other.first, other.se, other.coarseness)
    assert turned == pytest.approx(one, abs=1e-12)
    parts = [cells(truth[part::3], first[part::3], second[part::3]) for part in range(3)]
    split = paired_areas(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    assert split == pytest.approx(one)


def test_coarser_buckets_move_an_area_by_no_more_than_they_say() -> None:
    truth, first, second = world(7, 3_000)
    fine = areas_of(truth, first, second)
    coarse = areas_of(truth, first // 6, second // 6)
    assert 0 < abs(coarse.first - fine.first) <= coarse.coarseness
    assert abs(coarse.second - fine.second) <= coarse.coarseness


def test_one_class_alone_has_no_area() -> None:
    one = np.array([1, 1])
    assert paired_areas(one, 0 * one, one, one) is None


def test_a_perfect_forecast_has_no_calibration_error_and_a_shifted_one_its_shift() -> None:
    cases = np.array([100.0, 300.0])
    stated = np.array([20.0, 240.0])
    assert expected_calibration_error(stated, stated, cases) == 0
    shifted = expected_calibration_error(stated + 0.05 * cases, stated, cases)
    assert shifted == pytest.approx(0.05)
    assert expected_calibration_error(stated[:0], stated[:0], cases[:0]) is None
