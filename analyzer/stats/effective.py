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


def burst_factor(sums: FloatArray, outcomes: FloatArray, squares: float | None = None) -> float:
    """How many times as much a mean varies between periods as independent outcomes would.

    With `psi_h = x_h - m n_h` the variance of the sum is `H / (H - 1) sum psi_h^2`, where
    independent outcomes have `sum x^2 - n m^2`: the ratio is the design effect of clusters that are
    whole periods, never below 1.

    Args:
        sums: x_h, in each period: events, or what the outcomes add up to.
        outcomes: n_h, outcomes in each period; periods without any are left out.
        squares: what the squared outcomes of all periods add up to; None where each is an event or
            none, and its own square.

    Assumes: periods are independent; bursts longer than one period are underestimated.

    Returns:
        1 where fewer than 12 periods hold outcomes, or all outcomes are the same.

    Source: Cochran, Sampling Techniques (1977), section 9A: ratio estimates from clusters.

    >>> burst_factor(np.array([5.0] * 23 + [120.0]), np.full(24, 1_000.0)) > 50
    True
    """
    seen = outcomes > 0
    x, n = sums[seen], outcomes[seen]
    periods = len(n)
    if periods < LEAST_PERIODS:
        return 1.0
    mean = float(x.sum() / n.sum())
    independent = float(x.sum() if squares is None else squares) - float(n.sum()) * mean * mean
    if independent <= 0:
        return 1.0
    spread = float(np.square(x - mean * n).sum()) * periods / (periods - 1)
    return max(1.0, spread / independent)
