"""How uncertain is the mean of an autocorrelated series?

In: the long-run standard error by equal-weighted cosines, the guard that widens it when a series
persists longer than the cosines can see, and the test whether an effect is the same on every day.
Out: what is done with the standard error (`boundary`, `log_ratio`, `error_counts`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MIN_N_EFF = 10.0
"""Fewer independent points than this carry no interval."""

_DAY_S = 86_400
_MINUTE_S = 60
_R_MAX = 0.99
_FINITE_MAX = 1e300


@dataclass(frozen=True)
class LongRun:
    """Standard error of a series' mean and how much information stands behind it.

    Attributes:
        se: standard error of the mean; 0 for a series that does not vary.
        nu: degrees of freedom of `se`, for Student's t.
        n_eff: independent points the series is worth, at its most persistent time scale.
    """

    se: float
    nu: int
    n_eff: float

    @property
    def has_interval(self) -> bool:
        """False when too few independent points stand behind the mean to draw an interval."""
        return self.n_eff >= MIN_N_EFF


def long_run(
    psi: FloatArray, *, period_s: int, whole_days: int = 0, scales: tuple[int, ...] = ()
) -> LongRun:
    """What is the standard error of the mean of psi, autocorrelation included?

    The larger of two estimates: equal-weighted cosines (EWC), which see all slow movement that
    fits into the series, and a first-order autoregression at one, five and (from a day on) thirty
    minutes, which also extrapolates persistence the cosines are too few to see. Series of
    coarser points have only their own lag.

    Args:
        psi: influence values on a regular grid; a missing point is 0.
        period_s: seconds between points.
        whole_days: D when the series is exactly D >= 2 UTC days, else 0. The 24-hour wave is
            then removed first: over whole days it is orthogonal to the mean and would be taken
            for noise.
        scales: block lengths, in points, at which persistence is looked for; those of the period
            when there are none.

    Shapes: psi (T,).

    Units: those of psi.

    Assumes: stationary after the daily wave; measured, not proven, at the margins of the policy.

    Source: Lazarus, Lewis, Stock and Watson, Journal of Business & Economic Statistics 36:541
    (2018): type II cosines, nu = 0.4 T^(2/3), critical values of t with nu degrees of freedom.

    Raises:
        ValueError: the series is not `whole_days` days long, or holds nan or infinity.

    >>> minutes = np.random.default_rng(1).normal(size=1440)
    >>> estimate = long_run(minutes, period_s=60)
    >>> round(estimate.se, 3), round(1 / math.sqrt(1440), 3), estimate.nu
    (0.027, 0.026, 51)
    """
    residual = _residual(psi, period_s, whole_days)
    size = len(residual)
    nu = max(1, _degrees(size, period_s, whole_days))
    if not residual.any():
        return LongRun(se=0.0, nu=nu, n_eff=float(size))
    guards = [_persistence(_block_means(residual, k)) for k in scales or _scales(size, period_s)]
    return LongRun(
        se=max(_cosine_se(residual, nu), *(se for se, _ in guards)),
        nu=nu,
        n_eff=min(n_eff for _, n_eff in guards),
    )


def day_stability(psi: FloatArray, *, period_s: int) -> tuple[float, float, int]:
    """Is the effect the same on every day, as far as the noise within days can tell?

    Compares the spread of the daily means with the variance one day's mean has by itself. A small
    p-value says that the days differ by more than their noise, so the days seen do not stand for
    the next.

    Args:
        psi: influence values over whole UTC days; a missing point is 0.
        period_s: seconds between points.

    Returns:
        (statistic, p_value, days); p_value 1 with fewer than two days.

    Assumes: daily means independent given a stable effect.

    Raises:
        ValueError: the series is not a whole number of days.

    >>> noise = np.random.default_rng(7).normal(size=3 * 1440)
    >>> statistic, p_value, days = day_stability(noise, period_s=60)
    >>> p_value > 0.01, days
    (True, 3)
    >>> drift = noise + np.repeat([0.0, 0.5, 1.0], 1440)
    >>> day_stability(drift, period_s=60)[1] < 0.01
    True
    """
    days, rest = divmod(len(psi) * period_s, _DAY_S)
    if rest:
        raise ValueError(f"{len(psi)} points of {period_s} s are not whole days")
    if days <= 1:
        return 0.0, 1.0, days
    from scipy.special import chdtrc

    by_day = _residual(psi, period_s, days).reshape(days, -1)
    variance = float(np.mean([long_run(day, period_s=period_s).se ** 2 for day in by_day]))
    means = psi.reshape(days, -1).mean(axis=1)
    spread = float(((means - means.mean()) ** 2).sum())
    statistic = _ratio(spread, variance)
    return statistic, float(chdtrc(days - 1, statistic)), days


def _residual(psi: FloatArray, period_s: int, whole_days: int) -> FloatArray:
    """Psi without its mean and, over whole days, without its 24-hour wave."""
    if not np.isfinite(psi).all():
        raise ValueError("psi has missing points; a missing point is 0")
    if len(psi) == 0:
        return psi
    residual: FloatArray = psi - psi.mean()
    if whole_days > 1:
        residual = _without_daily_wave(residual, period_s, whole_days)
    # What is left of a constant or of a pure wave is rounding; it has no autocorrelation to judge.
    if np.abs(residual).max() <= 1e-12 * np.abs(psi).max():
        return np.zeros_like(residual)
    return residual


def _without_daily_wave(centred: FloatArray, period_s: int, whole_days: int) -> FloatArray:
    size = len(centred)
    per_day = size // whole_days
    if size * period_s != whole_days * _DAY_S or per_day <= 2:  # noqa: PLR2004 - two points a day carry no wave
        raise ValueError(f"{size} points of {period_s} s are not {whole_days} days of a daily wave")
    phase = 2 * np.pi * np.arange(size) / per_day
    rest: FloatArray = centred.copy()
    for wave in (np.cos(phase), np.sin(phase)):
        rest -= wave * float(wave @ centred) / float(wave @ wave)
    return rest


def _degrees(size: int, period_s: int, whole_days: int) -> int:
    """Number of cosines: 0.4 T^(2/3), at least 4, at most what the series has.

    Coarse points over D days use only cosines slower than the daily wave that was removed.
    """
    nu = min(max(4, math.floor(0.4 * math.cbrt(size) ** 2)), size - 1)
    if whole_days > 1 and period_s > _MINUTE_S:
        return min(nu, 2 * whole_days - 1)
    return nu


def _cosine_se(residual: FloatArray, nu: int) -> float:
    cosines = _cosines(residual)[1 : nu + 1]
    return math.sqrt(float(np.mean(cosines**2)) / len(residual))


def _cosines(series: FloatArray) -> FloatArray:
    """As `scipy.fft.dct`, type II and orthonormal but for its first, without that module's import.

    Source: Makhoul, IEEE Transactions on Acoustics, Speech and Signal Processing 28:27 (1980).
    """
    size = len(series)
    folded = np.concatenate([series[::2], series[1::2][::-1]])  # even points out, odd points back
    turned = np.exp(-0.5j * np.pi * np.arange(size) / size) * np.fft.fft(folded)
    cosines: FloatArray = math.sqrt(2 / size) * turned.real
    return cosines


def _scales(size: int, period_s: int) -> tuple[int, ...]:
    """Block lengths, in points, at which persistence is looked for."""
    if period_s != _MINUTE_S:
        return (1,)
    return (1, 5, 30) if size * period_s >= _DAY_S else (1, 5)


def _block_means(series: FloatArray, length: int) -> FloatArray:
    """Means of consecutive blocks; an incomplete last block is left out."""
    blocks = len(series) // length
    means: FloatArray = series[: blocks * length].reshape(blocks, length).mean(axis=1)
    return means


def _persistence(series: FloatArray) -> tuple[float, float]:
    """(se of the mean, independent points) as a first-order autoregression has them.

    The lag-1 autocorrelation is raised by its small-sample bias, (1 + 3 r) / n.
    """
    size = len(series)
    centred = series - series.mean() if size else series
    power = float(centred @ centred)
    if power == 0:
        return 0.0, float(size)
    r1 = float(centred[1:] @ centred[:-1]) / power
    r = min(max(r1 + (1 + 3 * r1) / size, 0.0), _R_MAX)
    n_eff = size * (1 - r) / (1 + r)
    return math.sqrt(power / size / n_eff), n_eff


def _ratio(spread: float, variance: float) -> float:
    if spread == 0:
        return 0.0
    return min(spread / variance, _FINITE_MAX) if variance > 0 else _FINITE_MAX
