"""How much better does one score rank what is to be found than another score of the same cases?

In: counts of cases by class and by the two scores' buckets -> both areas under the ROC curve and
the standard error of their difference, paired. Out: how scores become buckets. Counts add up over
any split of the cases; what buckets cost is stated, never hidden.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

_FEWEST = 2  # of each class: a variance needs two


class Areas(NamedTuple):
    """Areas under two ROC curves of the same cases.

    Attributes:
        first, second: probability that a positive ranks above a negative, ties counting half.
        se: standard error of second - first.
        coarseness: no area lies further than this from that of the scores before bucketing.
    """

    first: float
    second: float
    se: float
    coarseness: float


def paired_areas(positive: Ints, negative: Ints, first: Ints, second: Ints) -> Areas | None:
    """Both areas and the error of their difference, from one row a cell.

    Args:
        positive: cases to be found in each cell.
        negative: other cases in each cell.
        first: bucket of the first score; a larger bucket is a larger score.
        second: bucket of the second score.

    Shapes: four times (C,).

    Returns:
        None with fewer than two cases of either class.

    Assumes: cases are independent; where inputs repeat the caller widens the error.

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44:837 (1988).

    >>> one, none = np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])
    >>> areas = paired_areas(one, none, np.array([2, 3, 0, 1]), np.array([0, 3, 1, 2]))
    >>> areas.first, areas.second
    (1.0, 0.5)
    """
    positives, negatives = int(positive.sum()), int(negative.sum())
    if min(positives, negatives) < _FEWEST:
        return None
    above_1, below_1, tied_1 = _placements(positive, negative, first)
    above_2, below_2, tied_2 = _placements(positive, negative, second)
    variance = _variance(above_2 - above_1, positive) / positives
    variance += _variance(below_2 - below_1, negative) / negatives
    return Areas(
        first=float(above_1 @ positive) / positives,
        second=float(above_2 @ positive) / positives,
        se=math.sqrt(variance),
        coarseness=max(tied_1, tied_2) / 2,
    )


def _placements(positive: Ints, negative: Ints, bucket: Ints) -> tuple[Floats, Floats, float]:
    """Per cell the share of negatives ranked below it and of positives above it; share of ties."""
    _, place = np.unique(bucket, return_inverse=True)
    found = np.bincount(place, positive).astype(float)
    other = np.bincount(place, negative).astype(float)
    below = (np.cumsum(other) - other / 2) / other.sum()
    above = 1 - (np.cumsum(found) - found / 2) / found.sum()
    ties = float(found @ other) / (found.sum() * other.sum())
    return below[place], above[place], ties


def _variance(values: Floats, counts: Ints) -> float:
    """Sample variance of values that occur so often."""
    n = counts.sum()
    mean: Any = values @ counts / n
    return float((values - mean) ** 2 @ counts / (n - 1))
