"""How large is a share at the least, if every hour may be one burst?

In: an e-process on the shares of hours, and the lower bound that follows from it at every look.
Out: outcomes taken as independent (`proportion_sequence`), and how bursty hours were (`effective`).

A bettor who stakes a part b of their money on "the share is above m" multiplies it with each hour
by 1 + b (s / m - 1), s being the hour's share. If hours have a share of m on average, that never
gains on average, however the events of an hour hang together. Money spread over several b reaches
1 / alpha with probability at most alpha.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analyzer.stats.ewc import FloatArray

# Large stakes find a shadow that is bad in every hour; small ones outlive hours without events.
_STAKES = np.array([0.95, 0.9, 0.8, 0.6, 0.4, 0.2, 0.1, 0.05])
_LOG_PART = -math.log(len(_STAKES))
_STEPS = 200
_TOLERANCE = 1e-13


def log_e_value(shares: FloatArray, m: float) -> float:
    """How strongly the hours speak against "the share is m or less", as a log e-value.

    Args:
        shares: events / outcomes of each hour that has outcomes, in [0, 1].
        m: the share the null allows, in (0, 1].

    Shapes: shares (H,).

    Assumes: given what came before, an hour's share is m or less on average; hours count alike,
    however many outcomes they hold.

    Source: Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B 86:1 (2024),
    bounded means by betting; the mixture over stakes is fixed beforehand.

    >>> round(math.exp(log_e_value(np.array([0.3]), 0.05)), 2)  # one bad hour proves little
    3.5
    >>> math.exp(log_e_value(np.full(8, 0.3), 0.05)) > 1_000
    True
    """
    if not 0 < m <= 1:
        raise ValueError(f"m == {m}, must be in (0, 1]")
    money = np.log1p(np.outer(_STAKES, shares / m - 1)).sum(axis=1)
    return float(np.logaddexp.reduce(money + _LOG_PART))


def lower_bound(shares: FloatArray, alpha: float) -> float:
    """Above which share does the truth lie, at every look with probability 1 - alpha?

    Every smaller share is refuted: what each stake earns falls as m rises.

    Returns:
        A share in [0, 1); 0 where nothing is refuted.

    >>> round(lower_bound(np.full(24, 0.02), 0.05), 4)
    0.0168
    >>> lower_bound(np.zeros(24), 0.05)
    0.0
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha == {alpha}, must be in (0, 1)")
    open_ = float(shares.mean()) if len(shares) else 0.0
    refuted, enough = 0.0, -math.log(alpha)
    for _ in range(_STEPS):
        if open_ - refuted < _TOLERANCE:
            break
        middle = (refuted + open_) / 2
        if log_e_value(shares, middle) >= enough:
            refuted = middle
        else:
            open_ = middle
    return refuted
