"""How large is a share that is watched while it grows?

In: an e-process for one share (flips, score shifts, contract changes), its bounds and p-values.
They hold at every look at once. Out: shares counted once (`proportions`), and the allowance for
repeated inputs (`effective`), which callers apply to x and n before they come here.

Assumes: outcomes independent given the effective counts.
"""

from __future__ import annotations

import math

from analyzer.stats.boundary import MAX_E_VALUE
from analyzer.stats.roots import crossing


def log_e_value(x: float, n: float, m: float) -> float:
    """How strongly x events in n speak against a share of m or more, as a log e-value.

    The likelihood under shares below m, mixed by a Beta(1, 1/m - 1) cut off at m, over the
    likelihood at m. For every share p >= m its expectation is at most 1 at any stopping time: one
    more outcome multiplies it by an amount that is linear in p, 1 at m and falling.

    Args:
        x: events, 0 <= x <= n; may be a fraction.
        n: outcomes.
        m: share the null says is reached, in (0, 1).

    Returns:
        -inf where x / n >= m: what lies at or beyond the null cannot speak against it, and the
        formula's cut-off integral would underflow there into a wrong, huge value.

    Source: the beta-binomial mixture of Howard, Ramdas, McAuliffe and Sekhon, Annals of
    Statistics 49:1055 (2021), cut off at the null.

    >>> round(math.exp(log_e_value(0, 836, 0.005)), 2)
    20.01
    >>> log_e_value(626, 2000, 0.05)
    -inf
    """
    if not 0 <= x <= n:
        raise ValueError(f"{x} events in {n}: must be 0 <= events <= outcomes")
    if not 0 < m < 1:
        raise ValueError(f"m == {m}, must be in (0, 1)")
    if n == 0:
        return 0.0
    return _log_mixture(x, n, m) if x < m * n else -math.inf


def e_value(x: float, n: float, m: float) -> float:
    """`log_e_value` as a finite number in [0, 1e300].

    >>> round(e_value(0, 417, 0.01), 2)
    20.01
    """
    return min(math.exp(min(log_e_value(x, n, m), 700.0)), MAX_E_VALUE)


def upper_bound(x: float, n: float, alpha: float) -> float:
    """Below which share does the truth lie, at every look with probability 1 - alpha?

    The largest m that x events in n do not refute at level alpha.

    >>> round(upper_bound(0, 836, 0.05), 6)
    0.004999
    >>> upper_bound(0, 0, 0.05)
    1.0
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha == {alpha}, must be in (0, 1)")
    if not 0 <= x <= n:
        raise ValueError(f"{x} events in {n}: must be 0 <= events <= outcomes")
    if x == n:
        return 1.0

    def refuted(m: float) -> float:
        return _log_mixture(x, n, m) + math.log(alpha)

    first, last = max(x / n, 1e-12), 1 - 1e-12
    if first >= last or refuted(last) < 0:
        return 1.0
    return crossing(refuted, first, last)


def lower_bound(x: float, n: float, alpha: float) -> float:
    """Above which share does the truth lie, at every look with probability 1 - alpha?

    The upper bound for the outcomes that are not events, seen from the other end.

    >>> round(lower_bound(50, 1000, 0.05), 4)
    0.0306
    """
    return 1 - upper_bound(n - x, n, alpha)


def _log_mixture(x: float, n: float, m: float) -> float:
    """The log e-value for x / n <= m, where the cut-off integral is never near zero."""
    from scipy.special import betainc, betaln, xlog1py, xlogy

    b = (1 - m) / m
    prior = math.log(-math.expm1(b * math.log1p(-m)) / b)
    mass = float(betainc(1 + x, b + n - x, m))
    posterior = float(betaln(1 + x, b + n - x)) + (math.log(mass) if mass > 0 else -math.inf)
    null = float(xlogy(x, m)) + float(xlog1py(n - x, -m))
    return posterior - prior - null
