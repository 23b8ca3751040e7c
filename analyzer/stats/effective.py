"""What repeated inputs, and events that come in bursts, leave of a sample size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analyzer.stats.ewc import FloatArray

LEAST_PERIODS = 12
"""Periods below which their spread says too little of bursts."""


def effective_share_n(sum_m: float, sum_m2: float) -> float:
    """How many independent pairs a share is worth when the same inputs come back.

    Pairs of one input payload give nearly the same answer again, so a share over pairs is judged
    as if only `(sum m_j)^2 / sum m_j^2` pairs had been seen, m_j being the pairs of input j.

    Args:
        sum_m: number of pairs, all inputs together.
        sum_m2: sum over distinct inputs of their squared number of pairs.

    Assumes: pairs of one input are fully dependent, the worst case.

    Source: Kish, Survey Sampling (1965), the effective size of unequal weights.

    >>> effective_share_n(1_670, 334 * 5**2)  # 334 inputs, five times each
    334.0
    >>> effective_share_n(0, 0)
    0.0
    """
    return sum_m * sum_m / sum_m2 if sum_m2 > 0 else 0.0


def burst_factor(events: FloatArray, outcomes: FloatArray) -> float:
    """How many times as much a share varies between periods as independent outcomes would.

    With `psi_h = x_h - p n_h` the variance of the events is `H / (H - 1) sum psi_h^2`, where
    independent outcomes have `n p (1 - p)`: the ratio is the design effect of clusters that are
    whole periods, never below 1.

    Args:
        events: x_h, events in each period.
        outcomes: n_h, outcomes in each period; periods without any are left out.

    Assumes: periods are independent; bursts longer than one period are underestimated.

    Returns:
        1 where fewer than 12 periods hold outcomes, or the share is 0 or 1.

    Source: Cochran, Sampling Techniques (1977), section 9A: ratio estimates from clusters.

    >>> burst_factor(np.array([5.0] * 23 + [120.0]), np.full(24, 1_000.0)) > 50
    True
    """
    seen = outcomes > 0
    x, n = events[seen], outcomes[seen]
    total, periods = n.sum(), len(n)
    share = x.sum() / total if total else 0.0
    if periods < LEAST_PERIODS or not 0 < share < 1:
        return 1.0
    spread = float(np.square(x - share * n).sum()) * periods / (periods - 1)
    return max(1.0, spread / float(total * share * (1 - share)))
