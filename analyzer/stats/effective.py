"""What repeated inputs leave of a sample size."""

from __future__ import annotations


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
