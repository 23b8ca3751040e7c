"""Below which value do 99 of 100 lie, from counts by bucket?

In: counts by ordered bucket -> a quantile and the interval its order statistics give. Out: where
buckets begin and end.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]


class BucketQuantile(NamedTuple):
    """Places of buckets: that of the quantile and those its bounds lie in, None beyond all."""

    place: int
    lower: int | None
    upper: int | None


def bucket_quantile(counts: Ints, q: float, n: float, alpha: float) -> BucketQuantile:
    """In which bucket does the q-quantile lie, and in which do its bounds?

    The bounds are order statistics: the number of values below the true quantile is binomial
    whatever the distribution. Where n independent values stand behind more counted ones, ranks are
    stretched alike.

    Args:
        counts: values in each bucket, smallest bucket first; at least one value.
        q: in (0, 1).
        n: independent values they are worth.
        alpha: one-sided error of either bound.

    Returns:
        Places in `counts`; None where no value seen is low or high enough to be a bound.

    Source: Conover, Practical Nonparametric Statistics (1999), section 3.2.

    >>> bucket_quantile(np.array([50, 30, 20]), 0.5, 100, 0.05)
    BucketQuantile(place=0, lower=0, upper=1)
    """
    if not 0 < q < 1:
        raise ValueError(f"q == {q}, must be in (0, 1)")
    total = int(counts.sum())
    if total <= 0 or n <= 0:
        raise ValueError("no value has no quantile")
    whole = max(math.floor(n), 1)
    low, high = _binomial_quantile(alpha, whole, q), _binomial_quantile(1 - alpha, whole, q) + 1
    places = np.cumsum(counts)

    def holding(share: float) -> int:
        return int(np.searchsorted(places, min(max(math.ceil(share * total), 1), total)))

    return BucketQuantile(
        holding(q),
        holding(low / whole) if low > 0 else None,
        holding(high / whole) if high <= whole else None,
    )


def interpolated_quantiles(counts: Ints, edges: Floats, q: Floats) -> Floats:
    """Where do the quantiles lie, if values spread evenly over their bucket? For drawing.

    Args:
        counts: values in each bucket, smallest bucket first; at least one value.
        edges: both ends of each bucket.
        q: in 0..1.

    Shapes: (n,), (n, 2), (m,) -> (m,).

    >>> counts, edges = np.array([1, 0, 3]), np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 4.0]])
    >>> interpolated_quantiles(counts, edges, np.array([0.125, 0.5, 1.0])).tolist()
    [0.5, 2.6666666666666665, 4.0]
    """
    held = counts > 0
    upto = np.cumsum(counts[held]) / counts.sum()
    shares = np.stack([upto - counts[held] / counts.sum(), upto], axis=1)
    found: Floats = np.interp(q, shares.ravel(), edges[held].ravel())
    return found


def _binomial_quantile(level: float, n: int, p: float) -> int:
    """The fewest successes that are not exceeded with this probability.

    As `scipy.stats.binom.ppf`, whose import takes longer than all of this.
    """
    from scipy.special import bdtr, bdtrik

    found = math.ceil(bdtrik(level, n, p))
    return found - 1 if found > 0 and bdtr(found - 1, n, p) >= level else found
