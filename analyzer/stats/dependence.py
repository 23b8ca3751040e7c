"""Do answers have anything to do with the truth, at any look?

In: counts of cases by how far the answer leans towards the case's own truth, beyond how far answers
do on the whole. Out: whether answers are good enough (`paired_accuracy`).

Dealt out at random, an answer leans no more towards one case's truth than towards another's: its
payoff, in -1..1, is 0 on average. A bettor who stakes a part u of their money on each case
multiplies it by 1 + u payoff, which then never gains on average. However rare a truth is, one
answer that meets it by chance no more than doubles the money, where a normal approximation would
be certain of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analyzer.stats.ewc import FloatArray

_HALVINGS = np.arange(0.25, 8.0, 0.5)
_STAKES = 2.0**-_HALVINGS  # 0.84 down to 0.0046, each smaller by the square root of two
_WEIGHTS = 1 / (1 + ((_HALVINGS - 2) / 2) ** 2)  # most where a weak answer shows itself
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())


def log_dependence(payoffs: FloatArray, cases: FloatArray) -> float:
    """How strongly do the cases speak against "answers were dealt out at random"?

    Args:
        payoffs: in -1..1; what an answer gains where it leans towards its case's truth, made so
            that it is 0 on average over all answers.
        cases: how many have each; fractions where a design effect was allowed for.

    Shapes: payoffs (B,), cases (B,).

    Returns:
        The log of an e-value: 0 without cases, above log(1 / alpha) by chance with probability
        alpha at most.

    Assumes: dealt out at random means with, not without, replacement, which is the worse case
    (Hoeffding); that payoffs are centred by the answers seen so far is validated by simulation.

    Source: Waudby-Smith and Ramdas, JRSS B 86:1 (2024), bounded means by betting; Hoeffding, JASA
    58:13 (1963), theorem 4.

    >>> round(log_dependence(np.array([0.999, -0.001]), np.array([12.0, 8.0])), 2)
    4.94
    >>> round(log_dependence(np.array([0.999]), np.array([1.0])), 2)  # one hit by chance
    0.23
    """
    gains = np.log1p(_STAKES[:, None] * payoffs) @ cases
    return float(np.logaddexp.reduce(_LOG_WEIGHTS + gains))


def hit_payoffs(chance: float) -> FloatArray:
    """What an answer that names the truth gains, and one that does not.

    Args:
        chance: share of all answers that name it, in 0..1; the mean of several truths.

    Shapes: (2,).

    >>> [round(float(payoff), 3) for payoff in hit_payoffs(0.2)]
    [0.8, -0.2]
    """
    return np.array([1 - chance, -chance])


def rank_payoffs(cases: FloatArray) -> FloatArray:
    """By bucket: the share of all scores below minus that above, ties on neither side.

    Shapes: cases (B,), by rising score -> (B,).

    >>> [round(float(payoff), 3) for payoff in rank_payoffs(np.array([50.0, 25.0, 25.0]))]
    [-0.5, 0.25, 0.75]
    """
    below = np.cumsum(cases) - cases
    payoffs: FloatArray = (2 * below + cases) / cases.sum() - 1
    return payoffs
