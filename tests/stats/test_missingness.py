"""Whether missing depends on a value: against logistic regression, its level, its power."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped]
from scipy import stats

from analyzer.stats.missingness import informative_missingness

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
