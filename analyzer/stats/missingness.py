"""Is what is missing like what is there?

In: two groups counted by a value that both have, such as the hour. Out: what follows if not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from analyzer.stats.ewc import FloatArray

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
