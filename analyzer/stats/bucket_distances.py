"""How far apart are two distributions, from counts in the same buckets?

In: counts by bucket of two variants -> effect sizes. Out: tests; with many values every difference
is significant, and none of these sees answers that were shuffled between requests.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from analyzer.stats.ewc import FloatArray

    Ints = npt.NDArray[np.int64]

GROUPS = 10


class Distances(NamedTuple):
    """Effect sizes between two distributions.

    Attributes:
        kolmogorov: largest distance of the cumulated shares, in 0..1.
        wasserstein: mean distance values would have to move, in their own unit.
        jensen_shannon: distance over the groups, in 0..1 (base 2).
        stability: population stability index over the groups.
        groups: groups of the reference, as equal in number as buckets allow, at most ten.
    """

    kolmogorov: float
    wasserstein: float
    jensen_shannon: float
    stability: float
    groups: int


def bucket_distances(first: Ints, second: Ints, edges: FloatArray) -> Distances:
    """How far apart are two distributions that were counted in the same buckets?

    Args:
        first: values of the reference in each bucket, in order; at least one value.
        second: values of the other.
        edges: lower and upper end of each bucket.

    Shapes: first and second (K,), edges (K, 2).

    Assumes: values spread evenly within a bucket, for the Wasserstein distance.

    Source: Wasserstein and Kolmogorov distances of cumulated shares; Lin, IEEE Transactions on
    Information Theory 37:145 (1991), Jensen-Shannon; Yurdakul and Naranjo, Journal of Risk Model
    Validation 14:89 (2020), stability index. An empty group counts half a value.

    >>> edges = np.array([[0.0, 0.5], [0.5, 1.0]])
    >>> found = bucket_distances(np.array([60, 40]), np.array([40, 60]), edges)
    >>> [round(number, 4) for number in found]
    [0.2, 0.1, 0.1704, 0.1622, 2]
    """
    if not first.sum() or not second.sum():
        raise ValueError("no value has no distribution")
    p, q = first / first.sum(), second / second.sum()
    before = np.concatenate([[0.0], np.cumsum(p - q)])
    kolmogorov = float(np.abs(before).max())
    grouped = _groups(first)
    counts = [np.bincount(grouped, weights=one) for one in (first, second)]
    shares = [np.maximum(one, 0.5) / one.sum() for one in counts]
    stability = float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
    return Distances(
        kolmogorov,
        _moved(before, edges),
        _jensen_shannon(counts[0] / counts[0].sum(), counts[1] / counts[1].sum()),
        stability,
        len(counts[0]),
    )


def expected_stability(groups: int, n: float, m: float) -> float:
    """Which stability index do two independent samples of one distribution have on average?

    Source: Yurdakul and Naranjo (2020): (B - 1) (1 / n + 1 / m).

    >>> round(expected_stability(10, 1_000, 1_000), 4)
    0.018
    """
    return (groups - 1) * (1 / n + 1 / m) if n > 0 and m > 0 else math.inf


def _jensen_shannon(p: FloatArray, q: FloatArray) -> float:
    """As `scipy.spatial.distance.jensenshannon` to base 2, without that module's import."""
    from scipy.special import rel_entr

    middle = (p + q) / 2
    nats = float(rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2
    return math.sqrt(max(nats, 0.0) / math.log(2))


def _moved(before: FloatArray, edges: FloatArray) -> float:
    """Area between both cumulated shares, which are straight lines within a bucket.

    `before[k]` is their difference where bucket k begins; between buckets it stays.
    """
    starts, ends = before[:-1], before[1:]
    widths = edges[:, 1] - edges[:, 0]
    crossing = starts * ends < 0
    total = np.abs(starts) + np.abs(ends)
    squares = np.divide(
        starts**2 + ends**2, total, out=np.zeros_like(total), where=crossing & (total > 0)
    )
    inside = np.where(crossing, squares, total) / 2
    gaps = edges[1:, 0] - edges[:-1, 1]
    return float((widths * inside).sum() + (np.abs(before[1:-1]) * gaps).sum())


def _groups(counts: Ints) -> Ints:
    """The group of each bucket: tenths of the reference, as near as whole buckets come."""
    middles = np.cumsum(counts) - counts / 2
    tenth = np.minimum((middles * GROUPS / counts.sum()).astype(np.int64), GROUPS - 1)
    _, group = np.unique(tenth, return_inverse=True)
    return np.asarray(group, np.int64)
