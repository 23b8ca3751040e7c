"""Kappa, Bowker, Stuart-Maxwell, Bhapkar: published tables, statsmodels, and what must hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import (  # type: ignore[import-untyped]
    SquareTable,
)
from statsmodels.stats.inter_rater import cohens_kappa as peer_kappa  # type: ignore[import-untyped]

from analyzer.stats.agreement import (
    ChiSquare,
    below_chance,
    bhapkar,
    bowker,
    cohens_kappa,
    stuart_maxwell,
)
from analyzer.stats.proportions import mcnemar

PETERSON = np.array([[596.0, 18, 6, 5], [0, 2, 0, 0], [0, 0, 42, 0], [11, 0, 0, 0]])
FLEISS = np.array([[35.0, 5, 0], [15, 20, 5], [10, 5, 5]])


@pytest.mark.parametrize(
    ("test", "statistic", "df", "p_value"),
    [
        (bowker(PETERSON), 26.250, 6, 0.000200),
        (stuart_maxwell(PETERSON), 26.250, 3, 8.454e-6),
        (bhapkar(PETERSON), 27.304, 3, 5.084e-6),
        (bowker(FLEISS), 15.0, 3, 0.001817),
        (stuart_maxwell(FLEISS), 14.0, 2, 0.000912),
        (bhapkar(FLEISS), 16.279, 2, 0.000292),
    ],
)
def test_published_tables_give_their_published_tests(
    test: ChiSquare, statistic: float, df: int, p_value: float
) -> None:
    assert test.statistic == pytest.approx(statistic, abs=5e-4)
    assert test.df == df
    assert test.p_value == pytest.approx(p_value, rel=2e-3)


def test_the_published_kappa() -> None:
    found = cohens_kappa(FLEISS)
    assert found is not None
    assert found.kappa == pytest.approx(0.354839, abs=5e-7)


def random_table(seed: int, size: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(1, 40, size=(size, size)).astype(float) + 100 * np.eye(size)


@pytest.mark.parametrize("seed", range(6))
def test_all_four_agree_with_statsmodels(seed: int) -> None:
    table = random_table(seed, 2 + seed)
    peer = SquareTable(table, shift_zeros=False)
    for mine, theirs in (
        (bowker(table), peer.symmetry(method="bowker")),
        (stuart_maxwell(table), peer.homogeneity(method="stuart_maxwell")),
        (bhapkar(table), peer.homogeneity(method="bhapkar")),
    ):
        assert mine.statistic == pytest.approx(float(theirs.statistic))
        assert mine.df == theirs.df
        assert mine.p_value == pytest.approx(float(theirs.pvalue))
    kappa, theirs = cohens_kappa(table), peer_kappa(table)
    assert kappa is not None
    assert kappa.kappa == pytest.approx(float(theirs.kappa))
    assert kappa.se == pytest.approx(float(theirs.std_kappa))


def test_two_labels_make_bowker_and_stuart_maxwell_the_test_of_mcnemar() -> None:
    table = np.array([[40.0, 12], [5, 90]])
    assert bowker(table).p_value == pytest.approx(mcnemar(12, 5).asymptotic)
    assert stuart_maxwell(table).p_value == pytest.approx(mcnemar(12, 5).asymptotic)


def test_exchanging_the_variants_or_renaming_labels_changes_nothing() -> None:
    table = random_table(9, 5)
    order = np.array([3, 1, 4, 0, 2])
    for other in (table.T, table[np.ix_(order, order)]):
        for test in (bowker, stuart_maxwell, bhapkar):
            assert test(other) == pytest.approx(test(table))
        assert cohens_kappa(other) == pytest.approx(cohens_kappa(table))


def test_labels_nobody_uses_or_confuses_change_no_homogeneity() -> None:
    wider = np.zeros((5, 5))
    wider[:3, :3] = FLEISS
    wider[4, 4] = 50
    for test in (stuart_maxwell, bowker):
        assert test(wider).statistic == pytest.approx(test(FLEISS).statistic)
    assert stuart_maxwell(wider).df == stuart_maxwell(FLEISS).df


def test_perfect_agreement_is_kappa_one_and_differs_nowhere() -> None:
    table = np.diag([30.0, 20, 5])
    found = cohens_kappa(table)
    assert found is not None
    assert (found.kappa, found.se) == pytest.approx((1.0, 0.0))
    assert bowker(table).p_value == stuart_maxwell(table).p_value == bhapkar(table).p_value == 1.0


def test_agreement_by_chance_alone_is_kappa_zero() -> None:
    share = np.array([0.5, 0.3, 0.2])
    found = cohens_kappa(1_000 * np.outer(share, share))
    assert found is not None
    assert found.kappa == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("table", [np.zeros((3, 3)), np.diag([9.0, 0])])
def test_where_chance_explains_everything_there_is_no_kappa(table: np.ndarray) -> None:
    assert cohens_kappa(table) is None
    assert bhapkar(table).p_value == 1.0


def test_changes_in_one_direction_only_leave_bhapkar_no_variance() -> None:
    found = bhapkar(np.array([[0.0, 30], [0, 0]]))
    assert found.statistic == math.inf
    assert found.p_value == 0.0


def test_symmetric_changes_reject_symmetry_at_the_level_of_the_test() -> None:
    rng = np.random.default_rng(8)
    shares = (FLEISS + FLEISS.T) / (2 * FLEISS.sum())
    rejected = {bowker: 0, stuart_maxwell: 0}
    for _ in range(400):
        table = rng.multinomial(2_000, shares.ravel()).reshape(3, 3).astype(float)
        for test in rejected:
            rejected[test] += test(table).p_value < 0.05
    for count in rejected.values():
        assert stats.binom.ppf(0.001, 400, 0.04) <= count <= stats.binom.ppf(0.999, 400, 0.06)


@pytest.mark.parametrize("table", [np.ones((2, 3)), np.array([[1.0, -1], [0, 1]]), np.ones(4)])
def test_what_is_no_table_of_counts_is_refused(table: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be"):
        bowker(table)


@pytest.mark.parametrize("seed", range(5))
def test_less_agreement_than_chance_is_the_score_test_of_kappa(seed: int) -> None:
    table = np.random.default_rng(seed).integers(1, 60, size=(3, 3)).astype(float)
    n = table.sum()
    p, q = table.sum(axis=1) / n, table.sum(axis=0) / n
    peer = peer_kappa(table)
    found = below_chance(float(np.trace(table) / n), float(p @ q), float(p * q @ (p + q)), float(n))
    assert found == pytest.approx(-peer.kappa / peer.std_kappa0)


def test_one_answer_to_everything_is_not_below_chance() -> None:
    assert below_chance(0.02, 0.02, 0.02 * 1.02, 1e6) == 0
    assert below_chance(0.0, 0.0, 0.0, 1e6) == 0
    assert below_chance(0.1, 0.5, 0.5, 0) == 0
