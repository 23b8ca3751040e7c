"""By how much are answers more often right than a rival's to the same questions, at any look?

In: counts of pairs in which one side alone is right, or both or neither are. Out: an e-process for
the difference of the two shares and the bounds that follow from it; one fixed look is
`proportions.tango`.

One pair gives d = +1 when only ours is right, -1 when only the rival's is, 0 otherwise, and the
mean of d is the difference of the shares. A bettor who stakes a part u of what can be lost on
"the mean is above m" multiplies their money by 1 + u (d - m) / (1 + m) with each pair: if the mean
is at most m, that never gains on average, whatever the share of pairs that differ and whatever
came before; nor does it where counts were divided by a fixed design effect, which takes a root of
each factor. Money spread over several u therefore reaches 1/alpha with probability at most alpha,
over all looks together, and it depends on the counts alone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from analyzer.stats.boundary import MAX_E_VALUE

_HALVINGS = np.arange(0.25, 13.0, 0.5)
_STAKES = 2.0**-_HALVINGS  # 0.84 down to 0.00015, each smaller by the square root of two
# Most money lies where pairs that differ number some hundred: there decisions fall. The tails fall
# off so slowly that ten or ten million of them cost little more.
_WEIGHTS = 1 / (1 + ((_HALVINGS - 3) / 2) ** 2)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())
_LOG_LOST = np.log1p(-_STAKES)
_STEPS = 200
_TOLERANCE = 1e-13


class Outcomes(NamedTuple):
    """Pairs by who is right; fractions where repeated inputs were allowed for."""

    ours: float
    rival: float
    alike: float

    @property
    def pairs(self) -> float:
        """All of them."""
        return self.ours + self.rival + self.alike

    @property
    def difference(self) -> float:
        """Our share of right answers minus the rival's."""
        return (self.ours - self.rival) / self.pairs

    @property
    def swapped(self) -> Outcomes:
        """The same pairs seen from the other side."""
        return Outcomes(self.rival, self.ours, self.alike)

    def scaled(self, factor: float) -> Outcomes:
        """The same shares of another number of pairs."""
        return Outcomes(self.ours * factor, self.rival * factor, self.alike * factor)


def log_e_value(outcomes: Outcomes, m: float) -> float:
    """How strongly the pairs speak against "our share exceeds the rival's by m or less".

    Args:
        outcomes: counts, none negative.
        m: difference of the shares, in (-1, 1).

    Returns:
        The log of an e-value: its expectation under the null is at most 1 at any stopping time.

    Assumes: given what came before, the mean of d is the same for every pair; nothing about how
    often pairs differ.

    Source: Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B 86:1 (2024),
    estimation of bounded means by betting; the mixture over stakes is fixed beforehand.

    >>> round(log_e_value(Outcomes(25, 25, 950), -0.05), 3)
    16.36
    >>> abs(round(log_e_value(Outcomes(0, 0, 0), -0.05), 12))
    0.0
    """
    if not -1 < m < 1:
        raise ValueError(f"m == {m}, must be in (-1, 1)")
    if min(outcomes) < 0:
        raise ValueError(f"{outcomes}: counts cannot be negative")
    money = (
        _LOG_WEIGHTS
        + outcomes.ours * np.log1p(_STAKES * (1 - m) / (1 + m))
        + outcomes.alike * np.log1p(-_STAKES * m / (1 + m))
        + outcomes.rival * _LOG_LOST
    )
    return float(np.logaddexp.reduce(money))


def e_value(outcomes: Outcomes, m: float) -> float:
    """`log_e_value` as a finite number in [0, 1e300]."""
    return min(math.exp(min(log_e_value(outcomes, m), 700.0)), MAX_E_VALUE)


def lower_bound(outcomes: Outcomes, alpha: float) -> float:
    """Above which difference of the shares does the truth lie, at every look with 1 - alpha?

    Every smaller difference is refuted: what each stake earns falls as m rises.

    Returns:
        A difference in [-1, 1]; -1 where nothing is refuted.

    >>> round(lower_bound(Outcomes(250, 250, 9500), 0.05), 5)
    -0.00658
    >>> lower_bound(Outcomes(0, 0, 0), 0.05)
    -1.0
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha == {alpha}, must be in (0, 1)")
    if outcomes.pairs <= 0 or outcomes.difference <= -1:
        return -1.0
    enough = -math.log(alpha)
    refuted, open_ = -1.0, outcomes.difference
    for _ in range(_STEPS):
        middle = (refuted + open_) / 2
        if log_e_value(outcomes, middle) >= enough:
            refuted = middle
        else:
            open_ = middle
        if open_ - refuted < _TOLERANCE:
            break
    return refuted


def upper_bound(outcomes: Outcomes, alpha: float) -> float:
    """Below which difference of the shares does the truth lie, at every look with 1 - alpha?"""
    return -lower_bound(outcomes.swapped, alpha)
