"""By what factor are a server's answers slower than another's to the same requests?

In: the log ratio of two quantiles, or of two means, of paired latencies in the order of sending,
with the standard error that their dependence leaves; the typical shift of a pair. Out: what a
latency is, and which margin it is held against.

Both variants answer each request, so a heavy request is slow for both and a disturbance of the
machine meets both: psi, the influence of one pair on the log ratio, holds the difference of the
two, and its long-run variance (`ewc`) knows what pairing takes away and what persistence adds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from analyzer.stats.ewc import FloatArray, LongRun, long_run
from analyzer.stats.log_ratio import WeightedLogRatio

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUESTS_AT_BEST = 5_000
"""The look, in requests, at which the anytime boundary of a replay is tightest."""
_CLOCK_MINUTES = 360.0 / REQUESTS_AT_BEST
_HALF_WIDTH = 1.96  # of the order statistics whose distance tells the density, in standard errors
_SHIFT_TOLERANCE = 1e-5
_FEWEST_BLOCKS = 40
_SCALE_STEP = 5


def least_requests(q: float) -> int:
    """How many requests a quantile needs: ten beyond it.

    >>> least_requests(0.5), least_requests(0.95), least_requests(0.99)
    (20, 200, 1000)
    """
    return math.ceil(round(10 / (1 - q), 6))


def boundary_minutes(requests: int) -> float:
    """A replay's clock: requests, on the scale of the minutes that `boundary` is tuned for.

    A mixture boundary holds for any clock chosen beforehand. Minutes would not do: five thousand
    requests may take ten seconds or a day, and at a few minutes the boundary is at its widest.

    >>> boundary_minutes(5_000)
    360.0
    """
    return requests * _CLOCK_MINUTES


def paired_log_quantile_ratio(
    production: FloatArray, shadow: FloatArray, q: float
) -> WeightedLogRatio | None:
    """By what log ratio does the shadow's q-quantile exceed production's?

    A sample quantile is, to first order, a mean of indicators divided by the density there
    (Bahadur); the density comes from the distance of two order statistics whose binomial coverage
    is known exactly (Price and Bonett).

    Args:
        production: latencies, positive, in the order of sending.
        shadow: the other variant's for the same requests.
        q: in (0, 1).

    Shapes: twice (n,).

    Returns:
        None with fewer than ten requests on either side of it, see `least_requests`.

    Assumes: the density at the quantile is smooth over some 4 sqrt(n q (1 - q)) order statistics;
    what is left of persistence fits into the send order.

    Source: Bahadur, Annals of Mathematical Statistics 37:577 (1966); Price and Bonett, Journal of
    Statistical Computation and Simulation 72:119 (2002), standard error of a quantile from its
    binomial interval; Lazarus, Lewis, Stock and Watson, Journal of Business & Economic Statistics
    36:541 (2018).

    >>> rng = np.random.default_rng(4)
    >>> p, s = np.exp(0.5 * rng.normal(size=(2, 5000)))
    >>> ratio = paired_log_quantile_ratio(p, 1.2 * s, 0.95)
    >>> round(math.exp(ratio.theta), 2), round(ratio.long_run.se, 2)
    (1.21, 0.02)
    """
    return paired_log_quantile_ratios(production, shadow, (q,)).get(q)


def paired_log_quantile_ratios(
    production: FloatArray, shadow: FloatArray, shares: Iterable[float]
) -> dict[float, WeightedLogRatio]:
    """By what log ratio does each of the shadow's quantiles exceed production's?

    Args, shapes, assumptions and source as in `paired_log_quantile_ratio`; latencies are sorted
    once for all of them.

    Returns:
        By share, those with at least ten requests on either side.

    >>> p = np.arange(1.0, 101.0)
    >>> found = paired_log_quantile_ratios(p, 2 * p, (0.05, 0.5, 0.95))
    >>> {q: round(math.exp(ratio.theta), 6) for q, ratio in found.items()}
    {0.5: 2.0}
    """
    logs = np.log(production), np.log(shadow)
    ordered = [np.sort(one) for one in logs]
    found = {}
    for q in shares:
        if len(production) < least_requests(max(q, 1 - q)):
            continue
        (level_p, sparsity_p), (level_s, sparsity_s) = (_quantile(one, q) for one in ordered)
        below_p, below_s = logs[0] <= level_p, logs[1] <= level_s
        psi: FloatArray = sparsity_s * (q - below_s) - sparsity_p * (q - below_p)
        found[q] = _ratio(level_p, level_s, psi)
    return found


def paired_log_mean_ratio(production: FloatArray, shadow: FloatArray) -> WeightedLogRatio | None:
    """By what log ratio does the shadow's mean exceed production's?

    Args, shapes, assumptions as in `paired_log_quantile_ratio`.

    Returns:
        None with fewer requests than a median needs.

    >>> p = np.arange(1.0, 41.0)
    >>> round(math.exp(paired_log_mean_ratio(p, 1.5 * p).theta), 6)
    1.5
    """
    if len(production) < least_requests(0.5):
        return None
    mean_p, mean_s = float(production.mean()), float(shadow.mean())
    psi: FloatArray = shadow / mean_s - production / mean_p
    psi[np.abs(psi) <= 1e-12 * production / mean_p] = 0.0
    return _ratio(math.log(mean_p), math.log(mean_s), psi)


def hodges_lehmann(differences: FloatArray) -> float:
    """What shift do pairs typically have? The median of the means of all pairs of differences.

    Found by bisection on the number of such means below a value, so that all n (n + 1) / 2 are
    never formed; to 1e-5. Of two in the middle it is the lower.

    Source: Hodges and Lehmann, Annals of Mathematical Statistics 34:598 (1963).

    >>> round(hodges_lehmann(np.array([0.0, 1.0, 2.0, 10.0])), 3)
    1.5
    """
    ordered = np.sort(differences)
    size = len(ordered)
    middle = size * (size + 1) / 4
    low, high = float(ordered[0]), float(ordered[-1])
    while high - low > _SHIFT_TOLERANCE:
        guess = (low + high) / 2
        # means a_i + a_j <= 2 guess over i <= j: every ordered pair counts twice, the diagonal once
        twice = int(np.searchsorted(ordered, 2 * guess - ordered, side="right").sum())
        below = (twice + int(np.searchsorted(ordered, guess, side="right"))) / 2
        low, high = (low, guess) if below >= middle else (guess, high)
    return (low + high) / 2


def _ratio(log_production: float, log_shadow: float, psi: FloatArray) -> WeightedLogRatio:
    return WeightedLogRatio(
        theta=log_shadow - log_production,
        level_production=math.exp(log_production),
        level_shadow=math.exp(log_shadow),
        psi=psi,
        long_run=_long_run(psi),
        t_minutes=boundary_minutes(len(psi)),
    )


def _long_run(psi: FloatArray) -> LongRun:
    """The guard of minutes, at the scales of requests: 1, 5, 25, ... as long as 40 blocks are left.

    How many requests a disturbance lasts depends on the rate, so no fixed scales fit.
    """
    scales = [1]
    while len(psi) >= _FEWEST_BLOCKS * _SCALE_STEP * scales[-1]:
        scales.append(_SCALE_STEP * scales[-1])
    return long_run(psi, period_s=1, scales=tuple(scales))


def _quantile(ordered: FloatArray, q: float) -> tuple[float, float]:
    """The q-quantile of sorted values and the sparsity (1 / density) there."""
    from scipy.special import bdtr, ndtri

    n = len(ordered)
    half = _HALF_WIDTH * math.sqrt(n * q * (1 - q))
    lower, upper = max(1, math.floor(n * q - half)), min(n, math.ceil(n * q + half))
    # Latencies of a coarse clock are equal in groups; a density is only seen across a step.
    while ordered[upper - 1] == ordered[lower - 1] and (lower > 1 or upper < n):
        lower, upper = max(1, lower - 1), min(n, upper + 1)
    # The chance that the quantile lies between the two order statistics.
    covered = float(bdtr(upper - 1, n, q) - bdtr(lower - 1, n, q))
    z = float(ndtri((1 + min(covered, 1 - 1e-12)) / 2))
    se = float(ordered[upper - 1] - ordered[lower - 1]) / (2 * z)
    return float(ordered[math.ceil(n * q) - 1]), se / math.sqrt(q * (1 - q) / n)
