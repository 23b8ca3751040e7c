"""How large is a share, and how much do two shares differ?

In: score intervals for one share, two independent shares and two paired shares, and McNemar's
test. Counts may be fractions: callers divide them by a design effect first. Out: shares that are
watched while they grow (`proportion_sequence`).

Score intervals invert the test with the variance the null hypothesis implies, which is what keeps
them honest at zero or few events, where Wald intervals shrink to nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_TOLERANCE = 1e-15
_MAX_LOG_RATIO = 300.0


class McNemar(NamedTuple):
    """Two-sided p-values of the null that two paired shares are equal."""

    asymptotic: float
    exact: float
    mid_p: float


def wilson(x: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Which shares are compatible with x events in n?

    Source: Wilson, Journal of the American Statistical Association 22:209 (1927).

    >>> [round(bound, 4) for bound in wilson(13, 16)]
    [0.5699, 0.9341]
    >>> wilson(0, 0)
    (0.0, 1.0)
    """
    _check(x, n)
    if n == 0:
        return 0.0, 1.0
    z2 = _z(level) ** 2
    centre = (x + z2 / 2) / (n + z2)
    half = math.sqrt(z2 * (x * (n - x) / n + z2 / 4)) / (n + z2)
    # At an empty or full count the bound is 0 or 1 exactly, but for rounding.
    lower = max(0.0, centre - half) if x > 0 else 0.0
    upper = min(1.0, centre + half) if x < n else 1.0
    return lower, upper


def clopper_pearson(x: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Which shares are compatible with x events in n, never with less than `level` coverage?

    Source: Clopper and Pearson, Biometrika 26:404 (1934).

    >>> [round(bound, 4) for bound in clopper_pearson(13, 16)]
    [0.5435, 0.9595]
    """
    from scipy.special import betaincinv

    _check(x, n)
    tail = (1 - level) / 2
    lower = float(betaincinv(x, n - x + 1, tail)) if x > 0 else 0.0
    upper = float(betaincinv(x + 1, n - x, 1 - tail)) if x < n else 1.0
    return lower, upper


def jeffreys(x: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Which shares does the Beta(1/2, 1/2) prior leave after x events in n?

    Source: Brown, Cai and DasGupta, Statistical Science 16:101 (2001).

    >>> [round(bound, 4) for bound in jeffreys(13, 16)]
    [0.5792, 0.9442]
    """
    from scipy.special import betaincinv

    _check(x, n)
    tail = (1 - level) / 2
    lower = float(betaincinv(x + 0.5, n - x + 0.5, tail)) if x > 0 else 0.0
    upper = float(betaincinv(x + 0.5, n - x + 0.5, 1 - tail)) if x < n else 1.0
    return lower, upper


def miettinen_nurminen(
    x1: float, n1: float, x2: float, n2: float, level: float = 0.95
) -> tuple[float, float]:
    """Which differences p1 - p2 of two independent shares are compatible with the counts?

    Args:
        x1: events of the first sample, 0 <= x1 <= n1; may be a fraction.
        n1: size of the first sample.
        x2: events of the second sample.
        n2: size of the second sample.
        level: two-sided level; a one-sided bound at 1 - alpha is one end at level 1 - 2 alpha.

    Returns:
        (lower, upper); (-1, 1) when either sample is empty.

    Source: Miettinen and Nurminen, Statistics in Medicine 4:213 (1985); the closed form of the
    restricted estimate is in the appendix of Farrington and Manning, Statistics in Medicine
    9:1447 (1990).

    >>> [round(bound, 4) for bound in miettinen_nurminen(56, 70, 48, 80)]
    [0.0528, 0.3382]
    >>> [round(bound, 6) for bound in miettinen_nurminen(0, 3000, 0, 3000)]
    [-0.001279, 0.001279]
    """
    _check(x1, n1)
    _check(x2, n2)
    n = n1 + n2
    if n1 == 0 or n2 == 0 or n <= 1:
        return -1.0, 1.0
    estimate = x1 / n1 - x2 / n2
    z2 = _z(level) ** 2 * n / (n - 1)

    def compatible(difference: float) -> bool:
        return (estimate - difference) ** 2 <= z2 * _restricted_variance(difference, x1, n1, x2, n2)

    return _edge(compatible, estimate, -1.0), _edge(compatible, estimate, 1.0)


def miettinen_nurminen_z(x1: float, n1: float, x2: float, n2: float, difference: float) -> float:
    """By how many standard errors do the counts lie below a difference p1 - p2?

    The statistic that `miettinen_nurminen` inverts: at its upper bound it is the level's z.

    Args and source as in `miettinen_nurminen`.

    Returns:
        A number, negative where the counts lie above; infinite where they cannot vary.

    >>> round(miettinen_nurminen_z(0, 3000, 0, 3000, 0.001279), 3)
    1.96
    """
    _check(x1, n1)
    _check(x2, n2)
    n = n1 + n2
    if n1 == 0 or n2 == 0 or n <= 1:
        return 0.0
    below = difference - (x1 / n1 - x2 / n2)
    variance = _restricted_variance(difference, x1, n1, x2, n2) * n / (n - 1)
    if variance > 0:
        return below / math.sqrt(variance)
    return math.copysign(math.inf, below) if below else 0.0


def miettinen_nurminen_ratio(
    x1: float, n1: float, x2: float, n2: float, level: float = 0.95
) -> tuple[float, float]:
    """Which ratios p1 / p2 of two independent shares are compatible with the counts?

    Args and source as in `miettinen_nurminen`.

    Returns:
        (lower, upper); upper is infinite without events in the second sample.

    >>> [round(bound, 3) for bound in miettinen_nurminen_ratio(7, 34, 1, 34)]
    [1.209, 43.033]
    """
    _check(x1, n1)
    _check(x2, n2)
    n = n1 + n2
    if n1 == 0 or n2 == 0 or n <= 1 or x1 == x2 == 0:
        return 0.0, math.inf
    z2 = _z(level) ** 2 * n / (n - 1)

    def compatible(log_ratio: float) -> bool:
        ratio = math.exp(log_ratio)
        p2 = _restricted_p2_of_ratio(ratio, x1, n1, x2, n2)
        p1 = min(ratio * p2, 1.0)
        variance = p1 * (1 - p1) / n1 + ratio**2 * p2 * (1 - p2) / n2
        return (x1 / n1 - ratio * x2 / n2) ** 2 <= z2 * variance

    start = _log_ratio_estimate(x1 / n1, x2 / n2)
    lower = math.exp(_edge(compatible, start, -_MAX_LOG_RATIO)) if x1 > 0 else 0.0
    upper = math.exp(_edge(compatible, start, _MAX_LOG_RATIO)) if x2 > 0 else math.inf
    return lower, upper


def newcombe(
    x1: float, n1: float, x2: float, n2: float, level: float = 0.95
) -> tuple[float, float]:
    """Which differences p1 - p2 follow from putting two Wilson intervals together?

    Source: Newcombe, Statistics in Medicine 17:873 (1998), method 10.

    >>> [round(bound, 4) for bound in newcombe(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    return _square_and_add((x1, n1), (x2, n2), level, correlation=0.0)


def newcombe_paired(
    a: float, b: float, c: float, d: float, level: float = 0.95
) -> tuple[float, float]:
    """Which differences (b - c) / n follow from two Wilson intervals and their correlation?

    Args as in `tango`.

    Source: Newcombe, Statistics in Medicine 17:2635 (1998), method 10: a positive correlation
    is first reduced by a continuity correction.

    >>> [round(bound, 4) for bound in newcombe_paired(1, 1, 7, 12)]
    [-0.5069, -0.0256]
    """
    n = a + b + c + d
    product = (a + b) * (c + d) * (a + c) * (b + d)
    cross = a * d - b * c
    corrected = max(cross - n / 2, 0.0) if cross > 0 else cross
    correlation = corrected / math.sqrt(product) if product > 0 else 0.0
    return _square_and_add((a + b, n), (a + c, n), level, correlation)


def tango(a: float, b: float, c: float, d: float, level: float = 0.95) -> tuple[float, float]:
    """Which differences of two paired shares are compatible with a two-by-two table?

    The difference is (b - c) / n: the share of the rows' event minus that of the columns'. With
    failures of the shadow variant in the rows, b is "only the shadow failed" and a positive
    difference is harm.

    Args:
        a: both events.
        b: only the rows' event.
        c: only the columns' event.
        d: neither.
        level: two-sided level.

    Returns:
        (lower, upper); (-1, 1) for an empty table.

    Source: Tango, Statistics in Medicine 17:891 (1998).

    >>> [round(bound, 4) for bound in tango(1, 1, 7, 12)]
    [-0.5172, -0.026]
    """
    n = a + b + c + d
    _check(b + c, n)
    if n == 0:
        return -1.0, 1.0
    z2 = _z(level) ** 2

    def compatible(difference: float) -> bool:
        discordant = 2 * _restricted_p21(difference, b, c, n) + difference
        variance = n * max(discordant - difference**2, 0.0)
        return (b - c - n * difference) ** 2 <= z2 * variance

    estimate = (b - c) / n
    return _edge(compatible, estimate, -1.0), _edge(compatible, estimate, 1.0)


def mcnemar(b: int, c: int) -> McNemar:
    """Do two paired shares differ? Only the pairs that disagree, b and c, say so.

    Source: McNemar, Psychometrika 12:153 (1947); mid-p: Fagerland, Lydersen and Laake, BMC
    Medical Research Methodology 13:91 (2013).

    >>> [round(p, 4) for p in mcnemar(1, 7)]
    [0.0339, 0.0703, 0.0391]
    >>> mcnemar(0, 0)
    McNemar(asymptotic=1.0, exact=1.0, mid_p=1.0)
    """
    n, fewer = b + c, min(b, c)
    if n == 0:
        return McNemar(1.0, 1.0, 1.0)
    from scipy.special import bdtr, erfc

    up_to = float(bdtr(fewer, n, 0.5))
    below = float(bdtr(fewer - 1, n, 0.5)) if fewer > 0 else 0.0
    asymptotic = float(erfc(abs(b - c) / math.sqrt(2 * n)))
    return McNemar(asymptotic, exact=min(1.0, 2 * up_to), mid_p=min(1.0, up_to + below))


def _check(x: float, n: float) -> None:
    if not 0 <= x <= n:
        raise ValueError(f"{x} events in {n}: must be 0 <= events <= size")


def _z(level: float) -> float:
    from scipy.special import ndtri

    if not 0 < level < 1:
        raise ValueError(f"level == {level}, must be in (0, 1)")
    return -float(ndtri((1 - level) / 2))


def _edge(compatible: Callable[[float], bool], inside: float, outside: float) -> float:
    """Where the compatible values end, from one that is (the estimate) towards one that is not.

    Bisection, because the test statistic is monotone but has corners at empty cells. When all
    values up to `outside` are compatible, it is the end.
    """
    while abs(outside - inside) > _TOLERANCE * max(1.0, abs(inside)):
        middle = (inside + outside) / 2
        if compatible(middle):
            inside = middle
        else:
            outside = middle
    return inside


def _restricted_variance(difference: float, x1: float, n1: float, x2: float, n2: float) -> float:
    """Variance of the estimate where the most likely shares differ by `difference`."""
    p2 = _restricted_p2(difference, x1, n1, x2, n2)
    p1 = min(max(p2 + difference, 0.0), 1.0)
    return p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2


def _restricted_p2(difference: float, x1: float, n1: float, x2: float, n2: float) -> float:
    """The most likely p2 when p1 - p2 is `difference`: a root of a cubic, in closed form."""
    n, x = n1 + n2, x1 + x2
    l2 = (n1 + 2 * n2) * difference - n - x
    l1 = (n2 * difference - n - 2 * x2) * difference + x
    l0 = x2 * difference * (1 - difference)
    third = l2 / (3 * n)
    q = third**3 - l1 * third / (2 * n) + l0 / (2 * n)
    radius = math.sqrt(max(third**2 - l1 / (3 * n), 0.0))
    p = math.copysign(radius, q)
    cosine = min(max(q / p**3, -1.0), 1.0) if p else 0.0
    root = 2 * p * math.cos((math.pi + math.acos(cosine)) / 3) - third
    # acos loses half the digits where two roots are close; Newton's steps bring them back.
    for _ in range(2):
        slope = (3 * n * root + 2 * l2) * root + l1
        root -= (((n * root + l2) * root + l1) * root + l0) / slope if slope else 0.0
    return min(max(root, 0.0, -difference), 1.0, 1 - difference)


def _restricted_p2_of_ratio(ratio: float, x1: float, n1: float, x2: float, n2: float) -> float:
    """The most likely p2 when p1 / p2 is `ratio`: the smaller root of a quadratic."""
    a = (n1 + n2) * ratio
    b = n1 * ratio + x1 + n2 + x2 * ratio
    c = x1 + x2
    return 2 * c / (b + math.sqrt(max(b * b - 4 * a * c, 0.0)))


def _restricted_p21(difference: float, b: float, c: float, n: float) -> float:
    """The most likely share of "only the columns' event" when the shares differ so much."""
    linear = (2 * n - b + c) * difference - b - c
    constant = -c * difference * (1 - difference)
    root = math.sqrt(max(linear * linear - 8 * n * constant, 0.0))
    return max((root - linear) / (4 * n), 0.0, -difference)


def _log_ratio_estimate(p1: float, p2: float) -> float:
    """log(p1 / p2), an empty sample standing at the far end of its side."""
    if p1 == 0:
        return -_MAX_LOG_RATIO
    return math.log(p1 / p2) if p2 > 0 else _MAX_LOG_RATIO


def _square_and_add(
    first: tuple[float, float], second: tuple[float, float], level: float, correlation: float
) -> tuple[float, float]:
    """Difference of two shares (events, size) from the distances of their Wilson bounds."""
    (x1, n1), (x2, n2) = first, second
    low1, high1 = wilson(x1, n1, level)
    low2, high2 = wilson(x2, n2, level)
    if n1 == 0 or n2 == 0:
        return -1.0, 1.0
    p1, p2 = x1 / n1, x2 / n2

    def length(side1: float, side2: float) -> float:
        return math.sqrt(max(side1**2 - 2 * correlation * side1 * side2 + side2**2, 0.0))

    return (
        p1 - p2 - length(p1 - low1, high2 - p2),
        p1 - p2 + length(high1 - p1, p2 - low2),
    )
