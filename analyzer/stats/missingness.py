"""Is what is missing like what is there?

In: two groups counted by a value that both have, such as the hour, or by such a value within
strata. Out: what follows if not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from analyzer.stats.ewc import FloatArray

    IntArray = npt.NDArray[np.int64]

LEAST_EXPECTED = 5.0
"""Fewer expected in a cell than this and the chi-square distribution no longer fits."""


class Informative(NamedTuple):
    """How far the missing differ from the present.

    Attributes:
        p_value: likelihood ratio test of one missing rate for all values.
        difference: standardised difference of the mean value, in standard deviations.
    """

    p_value: float
    difference: float


def informative_missingness(
    values: FloatArray, missing: FloatArray, present: FloatArray
) -> Informative:
    """Does the chance of being missing depend on a value?

    The likelihood ratio is that of a logistic regression with one level per value against one
    without any; neighbours are pooled until five missing are expected in each level. The
    standardised difference says how large the shift is, which the p-value does not.

    Args:
        values: distinct values in order, such as hours.
        missing: number of missing at each value.
        present: number of present at each value.

    Shapes: three times (K,).

    Returns:
        p_value 1 where everything is pooled into one level or nothing is missing.

    Source: Rubin, Biometrika 63:581 (1976), missing at random; Austin, Statistics in Medicine
    28:3083 (2009), standardised differences.

    >>> hours = np.arange(4.0)
    >>> informative_missingness(hours, np.array([20.0, 0, 4, 0]), np.full(4, 90.0)).p_value < 0.001
    True
    >>> informative_missingness(hours, np.full(4, 10.0), np.full(4, 90.0))
    Informative(p_value=1.0, difference=0.0)
    """
    return Informative(_likelihood_ratio(missing, present), _difference(values, missing, present))


class Excess(NamedTuple):
    """How far missing depends on a level.

    Attributes:
        p_value: test of one chance of being missing for all levels of a stratum.
        missing: how many more are missing where more are than this chance makes expected; the rest
            of the levels have as many fewer.
    """

    p_value: float
    missing: float


def excess_missing(
    strata: IntArray, levels: IntArray, missing: FloatArray, present: FloatArray
) -> Excess:
    """Does the chance of being missing depend on a level, where it may differ by stratum?

    Whatever share of each hour was sampled, it has no reason to look at what was answered: within
    an hour the missing of a level are a random part. The excess says how much that matters.

    Args:
        strata: of each cell, such as its hour.
        levels: of each cell, in any order; nominal.
        missing: number of missing in it.
        present: number of present in it.

    Shapes: four times (cells,). A pair of stratum and level may have several cells, or none.

    Assumes: which are missing is drawn one by one, without regard to the level.

    Returns:
        p_value 1 and nothing missing where nothing can be compared.

    Source: generalised Cochran-Mantel-Haenszel test of general association: Landis, Heyman and
    Koch, International Statistical Review 46:237 (1978); Agresti, Categorical Data Analysis,
    3rd ed. (2013), section 8.4.3.

    >>> nothing, hours = np.zeros(2, int), np.arange(2)
    >>> excess_missing(nothing, hours, np.array([60.0, 40.0]), np.array([440.0, 460.0])).missing
    10.0
    >>> excess_missing(hours, nothing, np.array([60.0, 40.0]), np.array([440.0, 460.0]))
    Excess(p_value=1.0, missing=0.0)
    """
    from scipy.special import chdtrc

    apart, covariance = _apart(_table(strata, levels, missing), _table(strata, levels, present))
    more = float(np.maximum(apart, 0.0).sum())
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True)) if len(apart) else 0
    if not rank:
        return Excess(1.0, more)
    statistic = float(apart @ np.linalg.pinv(covariance, hermitian=True) @ apart)
    return Excess(float(chdtrc(rank, max(statistic, 0.0))), more)


def halving_levels(values: IntArray, totals: FloatArray) -> IntArray:
    """Few levels of many ordered values: quarters in the middle, halved again and again outwards.

    What goes wrong with requests often does so at one end of the scores, and that end may be a
    thousandth of them. Sixteen levels are asked with far fewer than the hundreds of values there
    are: an excess of half the size is found.

    Shapes: twice (cells,), a value in any number of cells.

    >>> halving_levels(np.arange(8), np.ones(8))
    array([-4, -2, -1, -1,  1,  1,  2,  4])
    """
    distinct, place = np.unique(values, return_inverse=True)
    mass = np.bincount(place, weights=totals, minlength=len(distinct))
    if not mass.any():
        return np.zeros(len(values), np.int64)
    below = (np.cumsum(mass) - mass / 2) / mass.sum()
    tail = np.maximum(np.minimum(below, 1 - below), 1e-15)
    halvings = np.floor(-np.log2(tail)).astype(np.int64)
    signed: IntArray = np.where(below < 1 - below, -halvings, halvings)
    return signed[place]


def _table(strata: IntArray, levels: IntArray, counts: FloatArray) -> FloatArray:
    """Counts by stratum and level, shape (strata, levels)."""
    _, row = np.unique(strata, return_inverse=True)
    distinct, column = np.unique(levels, return_inverse=True)
    if not len(distinct):
        return np.zeros((0, 0))
    flat = np.bincount(row * len(distinct) + column, weights=counts)
    table = np.zeros((int(row.max()) + 1) * len(distinct))
    table[: len(flat)] = flat
    return table.reshape(-1, len(distinct))


def _apart(missing: FloatArray, present: FloatArray) -> tuple[FloatArray, FloatArray]:
    """By level, how many more are missing than expected, and the covariance of that."""
    totals = missing + present
    lost, all_ = missing.sum(axis=1), totals.sum(axis=1)
    mixed = (lost > 0) & (lost < all_)  # the others say nothing, whatever their levels
    totals, lost, all_ = totals[mixed], lost[mixed], all_[mixed]
    expected = totals * (lost / all_)[:, None]
    apart = missing[mixed].sum(axis=0) - expected.sum(axis=0)
    scale = lost * (all_ - lost) / (all_**2 * (all_ - 1))
    covariance = np.diag((scale * all_) @ totals) - (totals * scale[:, None]).T @ totals
    rarer = np.minimum(expected, totals - expected).sum(axis=0)
    return _pool_rare(apart, covariance, rarer)


def _pool_rare(
    apart: FloatArray, covariance: FloatArray, expected: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """All levels of which few are expected, as one."""
    rare = expected < LEAST_EXPECTED
    if not rare.any():
        return apart, covariance
    pooling = np.vstack([np.eye(len(apart))[~rare], rare.astype(np.float64)])
    return pooling @ apart, pooling @ covariance @ pooling.T


def _likelihood_ratio(missing: FloatArray, present: FloatArray) -> float:
    from scipy.special import gammaincc, xlogy

    rate = float(missing.sum()) / float(missing.sum() + present.sum()) if missing.any() else 0.0
    if rate in {0.0, 1.0}:
        return 1.0
    levels = _pooled(missing, missing + present, min(rate, 1 - rate))
    if len(levels) == 1:
        return 1.0
    m, n = levels[:, 0], levels[:, 1]
    fitted = xlogy(m, m / n) + xlogy(n - m, 1 - m / n)
    common = xlogy(m, rate) + xlogy(n - m, 1 - rate)
    statistic = max(2 * float((fitted - common).sum()), 0.0)
    return float(gammaincc((len(levels) - 1) / 2, statistic / 2))


def _pooled(missing: FloatArray, totals: FloatArray, rate: float) -> FloatArray:
    """(missing, total) per level, neighbours added until enough of the rarer kind are expected."""
    levels: list[list[float]] = []
    open_ = [0.0, 0.0]
    for m, n in zip(missing.tolist(), totals.tolist(), strict=True):
        open_ = [open_[0] + m, open_[1] + n]
        if open_[1] * rate >= LEAST_EXPECTED:
            levels.append(open_)
            open_ = [0.0, 0.0]
    if open_[1] > 0 or not levels:
        last = levels.pop() if levels else [0.0, 0.0]
        levels.append([last[0] + open_[0], last[1] + open_[1]])
    return np.array(levels)


def _difference(values: FloatArray, missing: FloatArray, present: FloatArray) -> float:
    """Difference of both means in units of the root mean of both variances."""
    if not missing.any() or not present.any():
        return 0.0
    means = [float(np.average(values, weights=counts)) for counts in (missing, present)]
    variances = [
        float(np.average((values - mean) ** 2, weights=counts))
        for mean, counts in zip(means, (missing, present), strict=True)
    ]
    spread = math.sqrt(sum(variances) / 2)
    gap = means[0] - means[1]
    return gap / spread if spread > 0 else math.copysign(math.inf, gap) if gap else 0.0
