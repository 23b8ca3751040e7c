"""By what factor is one variant slower, on production's traffic?

In: the weighted log ratio of two series on one regular grid, with the standard error that its
autocorrelation leaves, and the bounds and e-value that go with a log ratio or any other mean of
influence values. Out: which series is judged, and against which margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analyzer.stats.boundary import (
    MAX_E_VALUE,
    Looks,
    anytime_e_value,
    multiplier,
)
from analyzer.stats.ewc import FloatArray, LongRun, long_run

_MINUTE_S = 60


@dataclass(frozen=True)
class WeightedLogRatio:
    """Shadow over production, as a log ratio of weighted means.

    Attributes:
        theta: log(level_shadow / level_production).
        level_production: weighted mean of the production series, in its unit.
        level_shadow: weighted mean of the shadow series, same weights.
        psi: influence of each grid point on theta, 0 where either series is missing.
        long_run: standard error of theta, with its degrees of freedom and effective points.
        t_minutes: minutes behind the estimate, the clock of the anytime boundary.
    """

    theta: float
    level_production: float
    level_shadow: float
    psi: FloatArray
    long_run: LongRun
    t_minutes: float

    @property
    def sigma_lr(self) -> float:
        """Long-run standard deviation of one minute, as `boundary.minutes_needed` takes it."""
        return self.long_run.se * math.sqrt(self.t_minutes)


def weighted_log_ratio(
    weights: FloatArray,
    production: FloatArray,
    shadow: FloatArray,
    *,
    period_s: int,
    whole_days: int = 0,
) -> WeightedLogRatio | None:
    """By what log ratio does the shadow level exceed production's, weighted by production traffic?

    Both series carry the same weights, so a sampling percentage or gaps that change over time
    cannot make a difference by themselves; pairing by grid point removes what both variants share.

    Args:
        weights: production's requests in each grid point.
        production: production's mean or percentile in each grid point, nan where missing.
        shadow: the shadow variant's, nan where missing.
        period_s: seconds between grid points.
        whole_days: as in `ewc.long_run`.

    Shapes: three times (T,).

    Returns:
        None when no point carries weight in both series or a level is not positive.

    >>> minutes = np.array([10.0, 12.0, np.nan, 11.0])
    >>> ratio = weighted_log_ratio(np.full(4, 60.0), minutes, 2 * minutes, period_s=60)
    >>> round(ratio.theta, 6), ratio.level_production, ratio.psi.tolist()
    (0.693147, 11.0, [0.0, 0.0, 0.0, 0.0])
    """
    matched = (weights > 0) & np.isfinite(weights) & np.isfinite(production) & np.isfinite(shadow)
    w = np.where(matched, weights, 0.0)
    total = float(w.sum())
    if total <= 0:
        return None
    p = np.where(matched, production, 0.0)
    s = np.where(matched, shadow, 0.0)
    level_production, level_shadow = float(w @ p) / total, float(w @ s) / total
    if level_production <= 0 or level_shadow <= 0:
        return None
    excess = s / level_shadow - p / level_production
    # A variant that is exactly c times the other differs by rounding only: that is no noise.
    excess[np.abs(excess) <= 1e-12 * p / level_production] = 0.0
    size = len(w)
    psi: FloatArray = w / (total / size) * excess
    points = size if period_s == _MINUTE_S else int(matched.sum())
    return WeightedLogRatio(
        theta=math.log(level_shadow / level_production),
        level_production=level_production,
        level_shadow=level_shadow,
        psi=psi,
        long_run=long_run(psi, period_s=period_s, whole_days=whole_days),
        t_minutes=points * period_s / _MINUTE_S,
    )


def bounds(
    theta: float,
    long_run: LongRun,
    t_minutes: float,
    *,
    alpha_lower: float,
    alpha_upper: float,
    mode: Looks = "anytime",
    horizon_minutes: float | None = None,
) -> tuple[float, float] | None:
    """Between which values does the truth lie, seen with this way of looking?

    Args:
        theta: the estimate; bounds are on its scale.
        long_run: its standard error.
        t_minutes: minutes behind it.
        alpha_lower: one-sided error of the lower bound.
        alpha_upper: one-sided error of the upper bound.
        mode: when the bounds may be read: at any time, before a declared horizon, or once.
        horizon_minutes: the declared horizon, for `planned`.

    Returns:
        (lower, upper); None when fewer than ten independent points stand behind the estimate.

    >>> lower, upper = bounds(0.03, LongRun(0.01, 51, 48.0), 1440, alpha_lower=0.005,
    ...                       alpha_upper=0.05)
    >>> round(math.exp(lower), 3), round(math.exp(upper), 3)
    (0.991, 1.062)
    """
    if not long_run.has_interval:
        return None

    def reach(alpha: float) -> float:
        if long_run.se == 0:
            return 0.0
        step = multiplier(
            mode, alpha, nu=long_run.nu, t_minutes=t_minutes, horizon_minutes=horizon_minutes
        )
        return step * long_run.se

    return theta - reach(alpha_lower), theta + reach(alpha_upper)


def e_value_at_margin(
    theta: float, margin: float, long_run: LongRun, t_minutes: float, *, alpha: float
) -> float | None:
    """How strongly do the data speak against "the harm is at least the margin", at any look?

    At least 1 / alpha exactly when the anytime upper bound at alpha is below the margin.

    Returns:
        A finite e-value; None when there is no interval either (see `bounds`).

    >>> round(e_value_at_margin(0.03, math.log(1.1), LongRun(0.01, 51, 48.0), 1440, alpha=0.05))
    1014115
    """
    if not long_run.has_interval:
        return None
    if long_run.se == 0:
        return MAX_E_VALUE if theta < margin else 0.0
    z = (margin - theta) / long_run.se
    return anytime_e_value(z, alpha, t_minutes, nu=long_run.nu)
