"""By how much do two root mean square errors of the same cases differ, and how surely?

In: means of squares, fourth powers and their products. Out: where they come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class SquareMoments:
    """Means over the same cases of powers of two errors e and f, in one unit.

    Attributes:
        first, second: of e^2 and f^2.
        first_fourth, second_fourth: of e^4 and f^4.
        product: of e^2 f^2.
    """

    first: float
    second: float
    first_fourth: float
    second_fourth: float
    product: float


def root_difference(moments: SquareMoments) -> tuple[float, float]:
    """sqrt(mean f^2) - sqrt(mean e^2), and the standard deviation of one case's part in it.

    A root's change is the square's change over twice the root, so a case adds
    f^2 / (2 sqrt(mean f^2)) - e^2 / (2 sqrt(mean e^2)) to the difference. Divided by the root of
    the number of independent cases, its standard deviation is the standard error.

    Returns:
        (difference, standard deviation), both in the errors' unit. A root of zero has no error.

    Assumes: neither root is so near zero that its square's error is as large as the square.

    Source: the delta method: van der Vaart, Asymptotic Statistics (1998), theorem 3.1.

    >>> root_difference(SquareMoments(1.0, 4.0, 3.0, 48.0, 12.0))  # f = 2 e, e standard normal
    (1.0, 0.7071067811865476)
    """
    roots = math.sqrt(moments.first), math.sqrt(moments.second)
    by_first, by_second = (1 / (2 * root) if root > 0 else 0.0 for root in roots)
    variance = (
        by_first**2 * (moments.first_fourth - moments.first**2)
        + by_second**2 * (moments.second_fourth - moments.second**2)
        - 2 * by_first * by_second * (moments.product - moments.first * moments.second)
    )
    return roots[1] - roots[0], math.sqrt(max(variance, 0.0))
