"""Shadow tests with a known truth: what both variants did, minute by minute, and nothing else.

In: drawing a world. Out: how a run sees it (`seen`), files of it (`exported`). The truth of a world
is the traffic-weighted effect over its whole length, as the tool's estimand is: an effect that
varies by hour or from day to day is scaled until that equals what the row says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from tests.calibration import noise

if TYPE_CHECKING:
    from tests.calibration.noise import FloatArray, Noise

DAY = 1_440
HOUR = 60
LEVEL_US = 70_000.0
"""Production's latency, high enough that margins in milliseconds do not widen those in percent."""
PER_MINUTE = 60.0
_DAILY = 0.6
_LOAD = 0.1
"""Log of how much slower the busiest minute is than the average one, in either variant."""
_SHARED_SD = 0.15
_REQUEST_CV = 0.9
"""Standard deviation over mean of one request's latency."""
_SLOW, _SLOWER = 0.02, 5.0
"""Share of requests that take that many times as long, in either variant: the payload's doing."""
_SHARED_REQUEST_SD, _OWN_REQUEST_SD = 0.35, 0.357
TAILS = {"p95": ((300, 3_600), 2.3, 1.2), "p99": ((3_600, 21_600), 3.4, 1.5)}
"""Percentile -> periods it is exported at; over the mean; its error over sqrt(requests)."""

Shape = Literal["constant", "hourly", "drift", "weekly", "weekend"]
Bursts = Literal["iid", "bursty"]


@dataclass(frozen=True)
class Truth:
    """What is true of one world.

    Attributes:
        slower: ratio of traffic-weighted means, shadow over production.
        shape: how that effect is spread over time.
        tail: further ratio of the slowest requests alone (at request level), or of percentiles.
        errors: error shares of production and the shadow.
        flips: share of predictions that flip.
        repeats: how often every input comes; its pairs flip together.
    """

    slower: float = 1.0
    shape: Shape = "constant"
    tail: float = 1.0
    errors: tuple[float, float] = (0.0005, 0.0005)
    error_bursts: Bursts = "iid"
    flips: float = 0.01
    flip_bursts: Bursts = "iid"
    repeats: int = 1


@dataclass(frozen=True)
class Setting:
    """How a world is observed.

    Attributes:
        own: a variant's own noise.
        sampling: share of requests copied to the shadow, whose fleet is that much smaller.
        captured: share of the copied requests whose answers were captured, of both variants.
        requests: draw every request, so that percentiles are those of real requests.
    """

    own: Noise = noise.ar8
    sampling: float = 1.0
    days: int = 7
    captured: float = 0.1
    requests: bool = False
    truth: Truth = field(default_factory=Truth)


@dataclass(frozen=True)
class World:
    """One shadow test. Production first in every pair of arrays.

    Shapes: counts, levels_us, mean_us, errors: 2 x minutes; tails: (stat, period) -> 2 x periods;
    pairs, flips: hours. A minute without a request has no mean: nan.

    Attributes:
        levels_us: what a request takes on average in each minute, before requests are drawn.
    """

    setting: Setting
    counts: FloatArray
    levels_us: FloatArray
    mean_us: FloatArray
    tails: dict[tuple[str, int], FloatArray]
    errors: FloatArray
    pairs: npt.NDArray[np.int64]
    flips: npt.NDArray[np.int64]

    @property
    def hours(self) -> int:
        return self.pairs.size


def draw(setting: Setting, rng: np.random.Generator) -> World:
    """One world of the setting."""
    minutes = setting.days * DAY
    wave = daily(minutes)
    rate = PER_MINUTE * wave
    counts = sent_and_copied(rate, setting.sampling, rng)
    level = np.exp(_LOAD * (wave - 1))
    shared = _SHARED_SD * noise.linear(rng, minutes, [0.95])
    effect = _effect(setting.truth, rate * level)
    levels = np.array(
        [
            LEVEL_US * level * factor * np.exp(shared + setting.own(rng, minutes))
            for factor in (np.ones(minutes), effect)
        ]
    )
    observe = _by_request if setting.requests else _by_minute
    mean_us, tails = observe(levels, counts, setting.truth.tail, rng)
    errors = _errors(setting.truth, counts, rng)
    pairs, flips = _pairs(setting, counts[1], rng)
    return World(setting, counts, levels, mean_us, tails, errors, pairs, flips)


def daily(minutes: int) -> FloatArray:
    """The rhythm of a day, 1 on average."""
    wave: FloatArray = 1 + _DAILY * np.sin(2 * np.pi * (np.arange(minutes) - 8 * HOUR) / DAY)
    return wave


def sent_and_copied(rate: FloatArray, copied: float, rng: np.random.Generator) -> FloatArray:
    """Requests a minute of production, and those of them that the shadow gets: 2 x minutes."""
    sent = rng.poisson(rate * rng.gamma(20, 1 / 20, size=rate.size))
    taken = sent if copied == 1 else rng.binomial(sent, copied)
    return np.array([sent, taken], dtype=np.float64)


def _effect(truth: Truth, weights: FloatArray) -> FloatArray:
    """The effect of every minute, whose weighted mean is exactly what is true."""
    at = np.arange(weights.size)
    lean = {
        "constant": np.zeros(weights.size),
        "hourly": np.cos(2 * np.pi * (at - 14 * HOUR) / DAY),
        "drift": 2 * at / weights.size - 1,
        "weekly": np.cos(2 * np.pi * (at - 3.5 * DAY) / (7 * DAY)),
        "weekend": np.where(at // DAY % 7 < 5, -0.4, 1.0),
    }[truth.shape]
    raw = 1 + 0.1 * lean
    effect: FloatArray = truth.slower * raw * weights.sum() / (raw @ weights)
    return effect


def _by_minute(
    levels: FloatArray, counts: FloatArray, tail: float, rng: np.random.Generator
) -> tuple[FloatArray, dict[tuple[str, int], FloatArray]]:
    """Means and percentiles around the levels, as uncertain as their requests are many."""
    with np.errstate(divide="ignore"):
        spread = np.sqrt(np.log1p(_REQUEST_CV**2 / counts))
    finite = np.where(np.isfinite(spread), spread, 0.0)
    means = levels * np.exp(finite * rng.normal(size=levels.shape) - finite**2 / 2)
    mean_us = np.where(counts > 0, means, np.nan)
    tails = {}
    for stat, (periods, factor, error) in TAILS.items():
        for period_s in periods:
            block = period_s // 60
            n = counts.reshape(2, -1, block).sum(axis=2)
            mean = (counts * levels).reshape(2, -1, block).sum(axis=2) / n
            drawn = mean * factor * np.exp(error / np.sqrt(n) * rng.normal(size=n.shape))
            drawn[1] *= tail
            tails[stat, period_s] = drawn
    return mean_us, tails


def _by_request(
    levels: FloatArray, counts: FloatArray, tail: float, rng: np.random.Generator
) -> tuple[FloatArray, dict[tuple[str, int], FloatArray]]:
    """Means and percentiles of drawn requests; a copy shares its payload with the original."""
    sent, copied = counts.astype(np.int64)
    total, minutes = int(sent.sum()), sent.size
    minute = np.repeat(np.arange(minutes), sent)
    # the first requests of a minute are the copied ones: their order carries no meaning
    rank = np.arange(total) - np.repeat(np.cumsum(sent) - sent, sent)
    seen = np.flatnonzero(rank < copied[minute])
    payload = np.exp(_SHARED_REQUEST_SD * rng.standard_normal(size=total, dtype=np.float32))
    slow = rng.random(total, dtype=np.float32) < _SLOW
    mean_us = np.empty(counts.shape)
    tails = {
        (stat, period_s): np.empty((2, minutes * 60 // period_s))
        for stat, (periods, _, _) in TAILS.items()
        for period_s in periods
    }
    for side, (which, extra) in enumerate(((np.arange(total), 1.0), (seen, tail))):
        own = np.exp(_OWN_REQUEST_SD * rng.standard_normal(size=which.size, dtype=np.float32))
        took = levels[side][minute[which]] * payload[which] * own
        took *= np.where(slow[which], _SLOWER * extra, 1.0)
        n = counts[side]
        sums = np.bincount(minute[which], weights=took, minlength=minutes)
        with np.errstate(invalid="ignore"):
            mean_us[side] = np.where(n > 0, sums / n, np.nan)
        for (stat, period_s), values in tails.items():
            values[side] = _percentiles(took, n, period_s // 60, float(stat[1:]) / 100)
    return mean_us, tails


def _percentiles(took: FloatArray, counts: FloatArray, block: int, share: float) -> FloatArray:
    """The percentile of each block of minutes, linear between order statistics."""
    ends = np.cumsum(counts.reshape(-1, block).sum(axis=1)).astype(np.int64)
    values = np.full(ends.size, np.nan)
    for index, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        if end > start:
            at = (end - start - 1) * share
            low = int(at)
            part = np.partition(took[start:end], (low, min(low + 1, end - start - 1)))
            high = part[min(low + 1, end - start - 1)]
            values[index] = part[low] + (at - low) * (high - part[low])
    return values


def _errors(truth: Truth, counts: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Failed requests a minute: alone, or in bursts of five minutes in which one in ten fails."""
    shares = np.array([[share] for share in truth.errors]) * np.ones_like(counts)
    if truth.error_bursts == "bursty":
        bursts = shares.shape[1] // 5
        for side, share in enumerate(truth.errors):
            in_burst = rng.random(bursts) < share / 0.1
            shares[side] = np.repeat(np.where(in_burst, 0.1, 0.0), 5)
    return rng.binomial(counts.astype(np.int64), shares).astype(np.float64)


def _pairs(
    setting: Setting, copied: FloatArray, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Captured pairs an hour, and how many flip; bursty: only in one hour of six."""
    truth, hourly = setting.truth, copied.reshape(-1, HOUR).sum(axis=1).astype(np.int64)
    distinct = rng.binomial(hourly, setting.captured)
    distinct //= truth.repeats
    share = np.full(distinct.size, truth.flips)
    if truth.flip_bursts == "bursty":
        share = np.where(rng.random(distinct.size) < 1 / 6, 6 * truth.flips, 0.0)
    return distinct * truth.repeats, rng.binomial(distinct, share) * truth.repeats
