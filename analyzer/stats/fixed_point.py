"""Sums that are the same in any order: of whole numbers of a step that is a power of two.

In: the largest term. Out: the sums themselves, which SQL makes of 64-bit terms in 128 bits.
"""

from __future__ import annotations

import math

_TERM_BITS = 60


def steps(largest: float) -> float:
    """Fixed-point steps per unit, a power of two, such that no term exceeds 2^60."""
    exponent = math.frexp(largest)[1] if largest > 0 else 0
    return math.ldexp(1.0, max(min(_TERM_BITS - exponent, 900), -900))
