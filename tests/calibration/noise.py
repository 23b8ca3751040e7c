"""How latency moves from minute to minute: the noises a shadow test meets, and some it may meet.

Every noise is one variant's own movement of the log level, drawn anew for each variant by the same
law, so that it never makes a difference by itself in the long run. All have a standard deviation
near 0.08 but `incidents`, which are an addition to one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray = npt.NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], FloatArray]
SD = 0.08
_BURN_IN = 2_000
_STEP_MINUTES = 180.0
"""Mean time between two steps of an autoscaled fleet."""
_INCIDENTS_A_DAY = 3.0
_INCIDENT_MINUTES = 15.0


def linear(
    rng: np.random.Generator, size: int, ar: Sequence[float], ma: Sequence[float] = ()
) -> FloatArray:
    """Stationary, of unit variance: x_t = sum ar_i x_(t-i) + e_t + sum ma_i e_(t-i)."""
    from scipy.signal import lfilter

    numerator, denominator = [1.0, *ma], [1.0, *(-phi for phi in ar)]
    impulse = np.zeros(_BURN_IN)
    impulse[0] = 1.0
    response = lfilter(numerator, denominator, impulse)
    series: FloatArray = lfilter(numerator, denominator, rng.normal(size=size + _BURN_IN))
    return series[_BURN_IN:] / float(np.sqrt(response @ response))


def iid(rng: np.random.Generator, size: int) -> FloatArray:
    return SD * rng.normal(size=size)


def ar5(rng: np.random.Generator, size: int) -> FloatArray:
    return SD * linear(rng, size, [0.5])


def ar8(rng: np.random.Generator, size: int) -> FloatArray:
    return SD * linear(rng, size, [0.8])


def ar95(rng: np.random.Generator, size: int) -> FloatArray:
    return SD * linear(rng, size, [0.95])


def ar2(rng: np.random.Generator, size: int) -> FloatArray:
    """Roots 0.8 and 0.6."""
    return SD * linear(rng, size, [1.4, -0.48])


def arma(rng: np.random.Generator, size: int) -> FloatArray:
    return SD * linear(rng, size, [0.9], [0.6])


def long_memory(rng: np.random.Generator, size: int) -> FloatArray:
    """Equal parts that forget within two minutes, ten minutes and an hour and a half."""
    parts = [linear(rng, size, [phi]) for phi in (0.5, 0.9, 0.99)]
    mixed: FloatArray = SD * sum(parts, np.zeros(size)) / np.sqrt(len(parts))
    return mixed


def incidents(rng: np.random.Generator, size: int) -> FloatArray:
    """Three times a day, for a quarter of an hour, between 1.5 and 3 times as slow."""
    series = SD * linear(rng, size, [0.8])
    for start in np.flatnonzero(rng.random(size) < _INCIDENTS_A_DAY / 1_440):
        minutes = 1 + round(rng.exponential(_INCIDENT_MINUTES))
        series[start : start + minutes] += rng.uniform(np.log(1.5), np.log(3.0))
    return series


def scaling(rng: np.random.Generator, size: int) -> FloatArray:
    """Steps, every three hours on average, as instances come and go."""
    steps = np.cumsum(rng.random(size) < 1 / _STEP_MINUTES)
    levels = rng.normal(size=int(steps[-1]) + 1)
    stepped: FloatArray = SD * (0.9 * levels[steps] + 0.43 * linear(rng, size, [0.8]))
    return stepped
