"""How many standard errors must an interval step, given when it may be looked at?

In: one-sided multipliers for one look (`fixed`), for any look before a declared end (`planned`)
and for any look at all (`anytime`); the e-value that belongs to the last; the time a result still
needs. Out: where the standard error comes from (`ewc`). Time is always in minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from analyzer.stats.roots import crossing

Looks = Literal["anytime", "planned", "fixed"]

T_STAR_MINUTES = 360.0
"""The look, in minutes, at which the anytime boundary is tightest."""

MAX_E_VALUE = 1e300
_MAX_MINUTES = 1e12
_NEWTON_STEPS = 50
_Z_MAX = 30.0


@dataclass(frozen=True)
class Looking:
    """When a result may be read, and what that makes of an interval.

    Attributes:
        mode: at any time, at any time up to a declared horizon, or exactly once.
        horizon_minutes: the declared length of the test; None where none was declared.
    """

    mode: Looks = "anytime"
    horizon_minutes: float | None = None

    def ways(self) -> tuple[Looking, ...]:
        """Every way of looking there is an interval for: planned only with a horizon."""
        modes: tuple[Looks, ...] = ("fixed", "planned", "anytime")
        known = [mode for mode in modes if mode != "planned" or self.horizon_minutes is not None]
        return tuple(replace(self, mode=mode) for mode in known)


def fixed_multiplier(alpha: float, nu: float) -> float:
    """How many standard errors when the result is read exactly once.

    Args:
        alpha: one-sided error.
        nu: degrees of freedom of the standard error.

    >>> round(fixed_multiplier(0.05, 51), 4)
    1.6753
    """
    from scipy.special import stdtrit

    return -float(stdtrit(nu, alpha))


def planned_multiplier(alpha: float, tau: float, nu: float | None = None) -> float:
    """How many standard errors at the share `tau` of a horizon that was declared before.

    The O'Brien-Fleming boundary looked at continuously: a Brownian motion ends beyond c with
    probability alpha / 2 and has been beyond it with twice that.

    Args:
        alpha: one-sided error over all looks up to the horizon.
        tau: time passed / horizon, in (0, 1].
        nu: degrees of freedom; None for a known standard error.

    Raises:
        ValueError: tau outside (0, 1]; past the horizon the boundary promises nothing.

    >>> [round(planned_multiplier(0.05, tau), 2) for tau in (0.25, 0.5, 1)]
    [3.92, 2.77, 1.96]
    """
    from scipy.special import ndtri

    if not 0 < tau <= 1:
        raise ValueError(f"tau == {tau}, must be in (0, 1]")
    return _student(-float(ndtri(alpha / 2)) / math.sqrt(tau), nu)


def anytime_multiplier(
    alpha: float, t_minutes: float, *, t_star: float = T_STAR_MINUTES, nu: float | None = None
) -> float:
    """How many standard errors when the result may be read after every minute, for ever.

    Solves for z in log 2 - log(u + 1) / 2 + u z^2 / (2 (u + 1)) + log Phi(z sqrt(u / (u + 1)))
    = log(1 / alpha), u = t r^2: the one-sided normal mixture. r^2 is chosen so that the boundary
    is tightest at `t_star`, and for this alpha.

    Args:
        alpha: one-sided error over all looks, below 0.5.
        t_minutes: minutes behind the estimate.
        t_star: minutes at which the boundary should be tightest.
        nu: degrees of freedom; None for a known standard error. With it, z is replaced by the t
            quantile of the same tail. That step is validated by simulation only.

    Assumes: the estimate's errors add up like a Brownian motion (an asymptotic statement).

    Source: Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49:1055 (2021), normal
    mixture; Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics (2024),
    arXiv:2103.06476, asymptotic confidence sequences.

    >>> [round(anytime_multiplier(0.05, t), 4) for t in (60, 360, 1440, 10080)]
    [3.2272, 2.7661, 2.8621, 3.1377]
    """
    u = _mixing(alpha, t_minutes, t_star)
    level = -math.log(alpha) + 0.5 * math.log1p(u) - math.log(2)
    return _student(_mixture_root(level) * math.sqrt((u + 1) / u), nu)


def multiplier(
    looks: Looks,
    alpha: float,
    *,
    nu: float,
    t_minutes: float,
    horizon_minutes: float | None = None,
) -> float:
    """How many standard errors for this way of looking.

    Past its horizon a planned boundary stays where it ended. The looks made there are not paid
    for; whoever shows such a bound has to say so.

    Raises:
        ValueError: `planned` without a horizon.
    """
    if looks == "fixed":
        return fixed_multiplier(alpha, nu)
    if looks == "anytime":
        return anytime_multiplier(alpha, t_minutes, nu=nu)
    if horizon_minutes is None:
        raise ValueError("planned looks need horizon_minutes")
    return planned_multiplier(alpha, min(1.0, t_minutes / horizon_minutes), nu)


def anytime_e_value(
    z: float,
    alpha: float,
    t_minutes: float,
    *,
    t_star: float = T_STAR_MINUTES,
    nu: float | None = None,
) -> float:
    """How strongly z speaks against its null, whenever it is looked at.

    Never larger than 1/alpha more often than alpha under the null, over all looks together; it
    reaches 1/alpha exactly when z reaches `anytime_multiplier` of the same arguments.

    Args:
        z: distance from the null in standard errors, positive against the null.
        alpha: the level the boundary was tuned for.
        t_minutes: minutes behind the estimate.
        t_star: as in `anytime_multiplier`.
        nu: as in `anytime_multiplier`.

    Returns:
        A finite number in [0, 1e300].

    >>> round(anytime_e_value(2.766071, 0.05, 360), 3)
    20.0
    >>> round(anytime_e_value(0.0, 0.05, 360), 3)
    0.369
    """
    u = _mixing(alpha, t_minutes, t_star)
    s = _normal(z, nu) * math.sqrt(u / (u + 1))
    log_e = _log_mixture(s) + math.log(2) - 0.5 * math.log1p(u)
    return min(math.exp(min(log_e, 700.0)), MAX_E_VALUE)


def anytime_p_value(e_value: float) -> float:
    """The p-value of an e-value; it may be read at any time.

    >>> anytime_p_value(40.0), anytime_p_value(0.3), anytime_p_value(0.0)
    (0.025, 1.0, 1.0)
    """
    return 1 / e_value if e_value > 1 else 1.0


def minutes_needed(
    theta: float,
    margin: float,
    sigma_lr: float,
    alpha: float,
    *,
    power: float = 0.8,
    t_star: float = T_STAR_MINUTES,
    looking: Looking | None = None,
) -> float | None:
    """How many minutes until an effect like the one seen clears its margin.

    The smallest T with (multiplier(T) + z_power) sigma_lr / sqrt(T) < margin - theta.

    Args:
        theta: the effect seen, on the scale of the margin (log ratio or difference).
        margin: largest harmful effect accepted.
        sigma_lr: long-run standard deviation of one minute, se * sqrt(t_minutes).
        alpha: one-sided error of the boundary.
        power: probability of clearing the margin by then, if theta is the truth.
        t_star: as in `anytime_multiplier`.
        looking: whose boundary; None for the anytime one.

    Returns:
        Minutes from the start of the test; None when more time would not settle it: theta is at
        or beyond the margin, or 1e12 minutes would not do.

    >>> round(minutes_needed(0.03, 0.0953, 0.6, 0.05))
    1142
    >>> minutes_needed(0.10, 0.0953, 0.6, 0.05) is None
    True
    """
    if theta >= margin:
        return None
    from scipy.special import ndtri

    z_power = float(ndtri(power))
    way = looking or Looking()

    def boundary(t: float) -> float:
        if way.mode == "fixed":
            return -float(ndtri(alpha))
        if way.mode == "planned" and way.horizon_minutes is not None:
            return planned_multiplier(alpha, min(1.0, t / way.horizon_minutes))
        return anytime_multiplier(alpha, t, t_star=t_star)

    def shortfall(log_t: float) -> float:
        t = math.exp(log_t)
        reach = boundary(t) + z_power
        return reach * sigma_lr / math.sqrt(t) - (margin - theta)

    first, last = 0.0, math.log(_MAX_MINUTES)
    if shortfall(first) < 0:
        return 1.0
    if shortfall(last) > 0:
        return None
    return math.exp(crossing(shortfall, first, last))


def _mixing(alpha: float, t_minutes: float, t_star: float) -> float:
    """The product u = t r^2 of time and mixing variance."""
    if not 0 < alpha < 0.5:  # noqa: PLR2004 - one half: the mixture is one-sided
        raise ValueError(f"alpha == {alpha}, must be in (0, 0.5)")
    if not t_minutes > 0:
        raise ValueError(f"t_minutes == {t_minutes}, must be positive")
    level = -2 * math.log(2 * alpha)
    return t_minutes * (level + math.log1p(level)) / t_star


def _log_mixture(s: float) -> float:
    """s^2 / 2 + log Phi(s), accurate on both sides of zero."""
    from scipy.special import erfcx, log_ndtr

    if s < 0:
        # exp(s^2/2) Phi(s) = erfcx(-s / sqrt 2) / 2; the two logs apart would cancel.
        scaled = float(erfcx(-s / math.sqrt(2)))
        return math.log(scaled / 2) if scaled > 0 else -math.inf
    return s * s / 2 + float(log_ndtr(s))


def _mixture_root(level: float) -> float:
    """The s at which `_log_mixture` reaches level >= -log 2.

    The function is convex and rises, and Phi >= 1/2 puts the start at or right of the root, so
    Newton's steps fall to it without overshooting.
    """
    from scipy.special import log_ndtr

    s = math.sqrt(max(2 * (level + math.log(2)), 0.0))
    for _ in range(_NEWTON_STEPS):
        log_phi = float(log_ndtr(s))
        hazard = math.exp(-s * s / 2 - log_phi) / math.sqrt(2 * math.pi)
        step = (s * s / 2 + log_phi - level) / (s + hazard)
        s -= step
        if abs(step) <= 1e-13 * max(s, 1.0):
            break
    return s


def _student(z: float, nu: float | None) -> float:
    """The t quantile with the normal tail of z; infinite where the tail is too thin to invert."""
    if nu is None:
        return z
    from scipy.special import ndtr, stdtrit

    # Beyond this tail stdtrit may return an infinity of the wrong sign; no data are lost there.
    return -float(stdtrit(nu, float(ndtr(-z)))) if z <= _Z_MAX else math.inf


def _normal(z: float, nu: float | None) -> float:
    """The normal quantile with the t tail of z: the inverse of `_student`."""
    if nu is None:
        return z
    from scipy.special import ndtri, stdtr

    # The smaller tail is the accurate one.
    quantile = float(ndtri(float(stdtr(nu, -abs(z)))))
    return math.copysign(quantile, z)
