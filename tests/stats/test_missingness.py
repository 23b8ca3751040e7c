"""Whether missing depends on a value: against other implementations, its level, its power."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped]
from scipy import stats

from analyzer.stats.missingness import excess_missing, halving_levels, informative_missingness

HOURS = np.arange(24.0)


def test_the_p_value_is_that_of_a_logistic_regression_on_the_hours() -> None:
    rng = np.random.default_rng(5)
    total = rng.integers(400, 900, size=24)
    missing = rng.binomial(total, 0.03 + 0.001 * HOURS)
    found = informative_missingness(HOURS, missing.astype(float), (total - missing).astype(float))
    # each hour in two rows: the regression needs degrees of freedom left
    first = missing // 2
    halves = np.concatenate([first, missing - first])
    rest = np.concatenate([total // 2 - first, total - total // 2 - (missing - first)])
    table = np.column_stack([halves, rest])
    levels = np.vstack([np.eye(24), np.eye(24)])
    full = sm.GLM(table, levels, family=sm.families.Binomial()).fit()
    constant = sm.GLM(table, np.ones((48, 1)), family=sm.families.Binomial()).fit()
    expected = stats.chi2.sf(2 * (full.llf - constant.llf), 23)
    assert found.p_value == pytest.approx(float(expected), rel=1e-6)


def test_the_difference_is_that_of_both_means_in_standard_deviations() -> None:
    missing, present = np.zeros(24), np.ones(24) * 100
    missing[18:] = 10
    found = informative_missingness(HOURS, missing, present)
    late, all_ = np.repeat(HOURS, missing.astype(int)), np.repeat(HOURS, 100)
    expected = (late.mean() - all_.mean()) / math.sqrt((late.var() + all_.var()) / 2)
    assert found.difference == pytest.approx(expected, rel=1e-12)
    swapped = informative_missingness(HOURS, present, missing)
    assert swapped.difference == pytest.approx(-expected, rel=1e-12)


def test_missing_at_random_is_called_informative_at_the_level_of_the_test() -> None:
    rng = np.random.default_rng(6)
    total = np.full(24, 60)
    small = 0
    for _ in range(500):
        missing = rng.binomial(total, 0.02)
        p_value, _ = informative_missingness(
            HOURS, missing.astype(float), (total - missing).astype(float)
        )
        small += p_value < 0.05
    assert stats.binom.ppf(0.001, 500, 0.03) <= small <= stats.binom.ppf(0.999, 500, 0.06)


def test_a_burst_of_one_hour_is_informative_though_the_mean_time_stays() -> None:
    missing = np.full(25, 1.0)
    missing[12] = 60
    found = informative_missingness(np.arange(25.0), missing, np.full(25, 200.0))
    assert found.p_value < 1e-9
    assert abs(found.difference) < 0.01


@pytest.mark.parametrize(("missing", "present"), [(0, 50), (50, 0), (0, 0), (0.01, 3)])
def test_nothing_to_compare_is_not_informative(missing: float, present: float) -> None:
    lost, kept = np.zeros(24), np.zeros(24)
    lost += missing
    kept += present
    found = informative_missingness(HOURS, lost, kept)
    assert found.p_value == pytest.approx(1)
    assert found.difference == pytest.approx(0)


def test_everything_missing_at_one_moment_is_infinitely_far() -> None:
    found = informative_missingness(np.array([0.0, 9.0]), np.array([0.0, 5]), np.array([5.0, 0]))
    assert found.difference == math.inf


def cells(missing: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, ...]:
    """Tables by stratum and level as `excess_missing` takes them."""
    strata, levels = np.indices(missing.shape)
    lost = missing.astype(float).ravel()
    return strata.ravel(), levels.ravel(), lost, total.astype(float).ravel() - lost


def test_two_levels_are_tested_as_cochran_mantel_and_haenszel_do() -> None:
    rng = np.random.default_rng(8)
    total = rng.integers(40, 90, size=(24, 2))
    missing = rng.binomial(total, rng.uniform(0.2, 0.8, size=(24, 1)) * [1.0, 0.9])
    tables = [np.column_stack([m, t - m]) for m, t in zip(missing, total, strict=True)]
    expected = sm.stats.StratifiedTable(tables).test_null_odds(correction=False)
    assert excess_missing(*cells(missing, total)).p_value == pytest.approx(expected.pvalue)


def test_one_stratum_is_tested_as_a_contingency_table() -> None:
    rng = np.random.default_rng(9)
    total = rng.integers(40, 90, size=(1, 12))
    missing = rng.binomial(total, 0.4)
    found = excess_missing(*cells(missing, total))
    pearson = stats.chi2_contingency(np.vstack([missing, total - missing]))
    sampled = pearson.statistic * (total.sum() - 1) / total.sum()  # without replacement
    assert found.p_value == pytest.approx(stats.chi2.sf(sampled, 11))
    more = missing - total * missing.sum() / total.sum()
    assert found.missing == pytest.approx(more[more > 0].sum())


def test_a_share_that_changes_with_the_hour_says_nothing_of_scores_that_change_too() -> None:
    rng = np.random.default_rng(10)
    share = np.where(np.arange(48) < 24, 0.2, 0.6)[:, None]
    high = np.where(np.arange(48) < 24, 0.1, 0.4)[:, None]
    total = rng.poisson(200 * np.hstack([1 - high, high]), size=(48, 2))
    p_values, pooled = [], []
    for _ in range(300):
        missing = rng.binomial(total, 1 - share)
        strata, *rest = cells(missing, total)
        p_values.append(excess_missing(strata, *rest).p_value)
        pooled.append(excess_missing(np.zeros_like(strata), *rest).p_value)
    small = np.count_nonzero(np.array(p_values) < 0.05)
    assert stats.binom.ppf(0.001, 300, 0.05) <= small <= stats.binom.ppf(0.999, 300, 0.05)
    assert max(pooled) < 1e-9


def test_levels_of_which_few_are_expected_are_asked_together() -> None:
    rng = np.random.default_rng(11)
    total = np.array([[400, 400, *[3] * 100]])
    small = 0
    for _ in range(400):
        found = excess_missing(*cells(rng.binomial(total, 0.5), total))
        small += found.p_value < 0.05
    assert stats.binom.ppf(0.001, 400, 0.05) <= small <= stats.binom.ppf(0.999, 400, 0.05)


@pytest.mark.parametrize(("missing", "present"), [(0, 50), (50, 0), (0, 0), (1, 0)])
def test_where_all_or_none_are_missing_no_level_has_more(missing: int, present: int) -> None:
    table = np.full((3, 4), missing)
    assert excess_missing(*cells(table, table + present)) == (1.0, 0.0)
    nothing = np.zeros(0, np.int64)
    assert excess_missing(nothing, nothing, np.zeros(0), np.zeros(0)) == (1.0, 0.0)


def test_a_loss_at_one_end_is_found_by_halving_levels_where_every_value_hides_it() -> None:
    total = np.full((1, 300), 100)
    strata, values, missing, present = cells(
        total * np.where(np.arange(300) < 12, 0.65, 0.5), total
    )
    levels = halving_levels(values, missing + present)
    assert len(np.unique(levels)) < 20
    few = excess_missing(strata, levels, missing, present)
    assert few.p_value < 0.001
    assert few.missing == pytest.approx(12 * 15, rel=0.1)
    assert excess_missing(strata, values, missing, present).p_value > 0.5


def test_levels_do_not_depend_on_the_order_of_cells_or_on_how_values_are_split() -> None:
    values = np.array([5, 1, 5, 9, 1, 7])
    totals = np.array([10.0, 4, 30, 1, 4, 3])
    order = np.array([3, 0, 5, 1, 2, 4])
    assert (
        halving_levels(values[order], totals[order]) == halving_levels(values, totals)[order]
    ).all()
    assert halving_levels(np.zeros(0, np.int64), np.zeros(0)).size == 0
