"""How much more often does the shadow variant fail, counted per minute?

In: the difference of two error shares from counts on a regular grid, with score bounds on counts
that were first divided by what their burstiness and the looking cost. Out: which error class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.stats.boundary import Looks, multiplier
from analyzer.stats.ewc import FloatArray, LongRun, long_run
from analyzer.stats.proportions import miettinen_nurminen

if TYPE_CHECKING:
    from collections.abc import Callable

_DEFF_WITH_ERRORS = 2.0
"""Counts are worth at most half once an error was seen: the next burst has not happened yet."""


@dataclass(frozen=True)
class ErrorDifference:
    """Shadow error share minus production's.

    Attributes:
        p_production, p_shadow: pooled shares, in 0..1.
        estimate: p_shadow - p_production.
        lower, upper: one-sided bounds of the difference; None without ten independent minutes.
        deff: design effect, the factor by which the counts vary more than independent requests.
        n_eff: independent grid points behind the bounds.
        nu: degrees of freedom of the variance estimate.
    """

    p_production: float
    p_shadow: float
    estimate: float
    lower: float | None
    upper: float | None
    deff: float
    n_eff: float
    nu: int


def miettinen_nurminen_bounds(
    errors_production: FloatArray,
    errors_shadow: FloatArray,
    n_production: FloatArray,
    n_shadow: FloatArray,
    *,
    alpha_lower: float,
    alpha_upper: float,
    t_minutes: float,
    whole_days: int = 0,
    period_s: int = 60,
    mode: Looks = "anytime",
    horizon_minutes: float | None = None,
) -> ErrorDifference | None:
    """By how much does the shadow's error share exceed production's, bursts and looks included?

    The pooled counts are linearised into one influence value per grid point, whose long-run
    variance over the binomial one is the design effect. The counts are divided by it and by
    k = (multiplier / z)^2, the price of the looks, and go into the score interval, which stays
    finite and honest at zero errors.

    Args:
        errors_production: production's errors in each grid point; nan where missing.
        errors_shadow: the shadow variant's.
        n_production: production's invocations.
        n_shadow: the shadow variant's.
        alpha_lower: one-sided error of the lower bound.
        alpha_upper: one-sided error of the upper bound.
        t_minutes: minutes behind the counts.
        whole_days: as in `ewc.long_run`.
        period_s: seconds between grid points.
        mode: as in `log_ratio.bounds`.
        horizon_minutes: as in `log_ratio.bounds`.

    Shapes: four times (T,). A grid point counts when all four are present.

    Returns:
        None when either variant has no invocation.

    Assumes: as `ewc.long_run`; a design effect of one while no error has been seen.

    Source: Miettinen and Nurminen, Statistics in Medicine 4:213 (1985); effective counts as in
    Rao and Scott, Biometrics 48:577 (1992).

    Raises:
        ValueError: more errors than invocations.

    >>> none, minute = np.zeros(1440), np.full(1440, 60.0)
    >>> clean = miettinen_nurminen_bounds(
    ...     none, none, minute, minute, alpha_lower=0.05, alpha_upper=0.05, t_minutes=1440)
    >>> round(clean.upper, 6), clean.deff
    (0.000104, 1.0)
    """
    e_p, e_s, n_p, n_s = _matched(errors_production, errors_shadow, n_production, n_shadow)
    x_p, x_s, size_p, size_s = (float(counts.sum()) for counts in (e_p, e_s, n_p, n_s))
    if size_p <= 0 or size_s <= 0:
        return None
    p_p, p_s = x_p / size_p, x_s / size_s
    psi = len(n_p) * ((e_s - p_s * n_s) / size_s - (e_p - p_p * n_p) / size_p)
    noise = long_run(psi, period_s=period_s, whole_days=whole_days)
    binomial = p_s * (1 - p_s) / size_s + p_p * (1 - p_p) / size_p
    deff = _design_effect(noise.se**2, binomial, any_error=x_p + x_s > 0)

    def interval(alpha: float) -> tuple[float, float]:
        step = multiplier(
            mode, alpha, nu=noise.nu, t_minutes=t_minutes, horizon_minutes=horizon_minutes
        )
        price = deff * (step / _z(alpha)) ** 2
        return miettinen_nurminen(
            x_s / price, size_s / price, x_p / price, size_p / price, 1 - 2 * alpha
        )

    lower, upper = _bounds(noise, interval, alpha_lower, alpha_upper)
    return ErrorDifference(p_p, p_s, p_s - p_p, lower, upper, deff, noise.n_eff, noise.nu)


def _matched(*series: FloatArray) -> tuple[FloatArray, ...]:
    """The series with zeros where any of them is missing."""
    present = np.logical_and.reduce([np.isfinite(values) for values in series])
    return tuple(np.where(present, values, 0.0) for values in series)


def _design_effect(variance: float, binomial: float, *, any_error: bool) -> float:
    """By how much the counts vary more than independent requests would."""
    if not any_error:
        return 1.0
    measured = variance / binomial if binomial > 0 else 1.0
    return max(_DEFF_WITH_ERRORS, measured)


def _bounds(
    noise: LongRun,
    interval: Callable[[float], tuple[float, float]],
    alpha_lower: float,
    alpha_upper: float,
) -> tuple[float | None, float | None]:
    if not noise.has_interval:
        return None, None
    return interval(alpha_lower)[0], interval(alpha_upper)[1]


def _z(alpha: float) -> float:
    from scipy.special import ndtri

    return -float(ndtri(alpha))
