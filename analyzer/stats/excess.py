"""How far does one share lie above another that was measured apart, at every look?

In: events and sizes of a share and of its noise floor -> bounds of the difference, and an e-value.
Out: one share (`proportion_sequence`), two shares read once (`proportions.miettinen_nurminen`).

The error is split: the share's bound stands at FIRST_PART of alpha and the floor's at the rest, so
the difference of the two holds whatever the shares have to do with each other. They often share
requests, so nothing may be taken as independent.
"""

from __future__ import annotations

import math

from analyzer.stats.boundary import MAX_E_VALUE
from analyzer.stats.proportion_sequence import log_e_value, lower_bound, upper_bound

FIRST_PART = 0.8
"""Of alpha, for the share itself: a floor is small, and a bound of it costs little even at 1 %."""
_STEPS = 200
_NOTHING = 1e-12  # a smaller share is none


def upper_excess(x: float, n: float, x0: float, n0: float, alpha: float) -> float:
    """Below which p - p0 does the truth lie, at every look with probability 1 - alpha?

    Args:
        x: events of the share p, 0 <= x <= n; may be a fraction.
        n: its outcomes.
        x0: events of the floor p0.
        n0: its outcomes.
        alpha: one-sided error of the difference.

    Source: Bonferroni's inequality on two of `proportion_sequence`'s bounds.

    >>> round(upper_excess(300, 10_000, 100, 10_000, 0.05), 4)
    0.0295
    >>> upper_excess(0, 836, 0, 836, 0.05) > upper_bound(0, 836, 0.05)
    True
    """
    floor = lower_bound(x0, n0, (1 - FIRST_PART) * alpha)
    return upper_bound(x, n, FIRST_PART * alpha) - max(floor, 0.0)


def lower_excess(x: float, n: float, x0: float, n0: float, alpha: float) -> float:
    """Above which p - p0 does the truth lie, at every look with probability 1 - alpha?

    >>> round(lower_excess(300, 10_000, 100, 10_000, 0.05), 4)
    0.0102
    """
    floor = upper_bound(x0, n0, (1 - FIRST_PART) * alpha)
    return lower_bound(x, n, FIRST_PART * alpha) - floor


def excess_e_value(x: float, n: float, x0: float, n0: float, m: float) -> float:
    """How strongly do the counts speak against "p - p0 is m or more"?

    For every q, that null says p >= q or p0 < q - m; the larger of the two e-values, each times its
    part, is at most their sum and so has expectation 1 at most, and the smallest over q holds for
    the whole null. It reaches 1 / alpha exactly where `upper_excess` at alpha falls below m.

    >>> excess_e_value(100, 10_000, 100, 10_000, 0.05) > 1e9
    True
    >>> excess_e_value(600, 10_000, 0, 10_000, 0.05)
    0.0
    """
    above, below = math.log(FIRST_PART), math.log(1 - FIRST_PART)

    def against_share(q: float) -> float:
        return above + log_e_value(x, n, q) if q < 1 else math.inf

    def against_floor(q: float) -> float:
        share = q - m
        if share < _NOTHING:
            return math.inf if share < 0 or x0 > 0 else -math.inf
        return below + log_e_value(n0 - x0, n0, 1 - share)

    # The first rises with q and the second falls: the smallest maximum is where they meet.
    low, high = m, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if against_share(middle) < against_floor(middle):
            low = middle
        else:
            high = middle
    found = max(against_share(low), against_floor(high))
    return min(math.exp(min(found, 700.0)), MAX_E_VALUE) if found > -math.inf else 0.0
