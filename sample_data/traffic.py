"""Requests at a SageMaker endpoint with a shadow variant: when they came and how each was served.

In: arrivals with daily load and bursts, correlated latency, failures, which requests were copied
to the shadow. Out: what the requests asked and answered (`models`), and how CloudWatch would
report them (`cloudwatch_points`). Every number the exports show is taken from the same drawn
requests, so that means, percentiles and counts agree with each other as real ones do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.signal import lfilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray: TypeAlias = NDArray[np.float64]
    IntArray: TypeAlias = NDArray[np.int64]
    BoolArray: TypeAlias = NDArray[np.bool_]

START = datetime(2026, 11, 16, tzinfo=UTC)
MINUTES_PER_DAY = 1440
BURST_MINUTES = 5


@dataclass(frozen=True)
class Arrivals:
    """How many requests come: Poisson with a gamma-overdispersed daily curve.

    Attributes:
        per_minute: mean over the day.
        daily_swing: amplitude of the daily sine, 0.6 for +-60 %.
        overdispersion: squared coefficient of variation of the minute's rate.
    """

    per_minute: float = 48.0
    daily_swing: float = 0.6
    overdispersion: float = 0.01


@dataclass(frozen=True)
class Failures:
    """Shares of requests that fail, over all minutes.

    Attributes:
        rejected: 4XX, decided by the request and therefore the same in both variants.
        failed: 5XX of this variant.
        burstiness: squared coefficient of variation of the 5XX rate between five-minute blocks.
        timed_out: no answer within a minute; a model error without latency and without status.
    """

    rejected: float = 4e-4
    failed: float = 1.5e-4
    burstiness: float = 1.0
    timed_out: float = 2e-5


@dataclass(frozen=True)
class Speed:
    """How long one variant takes, in the terms a latency complaint is made in.

    Attributes:
        median_ms: of an ordinary request in an average minute.
        spread: sigma of the log latency between requests; half of its variance is the request's
            own and shared by both variants.
        slow_share: share of requests that are slow (a cold path, a pause).
        slow_factor: how many times slower those are.
        load_effect: log latency added when a minute has twice the mean load of an instance.
    """

    median_ms: float = 46.0
    spread: float = 0.5
    slow_share: float = 0.02
    slow_factor: float = 5.0
    load_effect: float = 0.12


@dataclass(frozen=True)
class Deployment:
    """One variant: how fast, how reliable, on how many instances of how much headroom."""

    speed: Speed = field(default_factory=Speed)
    failures: Failures = field(default_factory=Failures)
    instances: int = 2
    cpu_percent: float = 85.0


@dataclass(frozen=True)
class Shape:
    """The traffic of a whole test. `mirrored` is the share of requests copied to the shadow."""

    days: int = 4
    arrivals: Arrivals = field(default_factory=Arrivals)
    mirrored: float = 1.0
    production: Deployment = field(default_factory=Deployment)
    shadow: Deployment = field(default_factory=Deployment)

    @property
    def minutes(self) -> int:
        """Length of the test in minutes."""
        return self.days * MINUTES_PER_DAY


@dataclass(frozen=True)
class Served:
    """How one variant served its requests.

    Shapes: `request` indexes into the arrivals, ascending; the others are parallel to it.

    Attributes:
        latency_us, overhead_us: whole microseconds; latency is meaningless where timed out.
        rejected, failed, timed_out: 4XX, 5XX, no answer; at most one is true.
        cpu: CPU utilisation per minute in percent, summed over cores.
    """

    request: IntArray
    latency_us: IntArray
    overhead_us: IntArray
    rejected: BoolArray
    failed: BoolArray
    timed_out: BoolArray
    cpu: FloatArray
    instances: int

    @property
    def answered(self) -> BoolArray:
        """Requests the model gave any HTTP response to: those ModelLatency counts."""
        return ~self.timed_out

    @property
    def succeeded(self) -> BoolArray:
        """Requests answered with 2XX."""
        return ~(self.rejected | self.failed | self.timed_out)


@dataclass(frozen=True)
class Traffic:
    """Every request of a test. Shapes: `minute` and `second` have one entry a request, in order."""

    minutes: int
    minute: IntArray
    second: FloatArray
    production: Served
    shadow: Served


def simulate(shape: Shape, rng: np.random.Generator) -> Traffic:
    """Draw a whole test.

    The minute's conditions (AR 0.95, sd 0.15) are shared; each variant has noise of its own
    (AR 0.8, sd 0.08) and answers to its own load.
    """
    per_minute = _arrivals(shape, rng)
    minute = np.repeat(np.arange(shape.minutes), per_minute)
    second = _seconds(minute, rng)
    total = minute.size
    conditions = autoregressive(shape.minutes, 0.95, 0.15, rng)
    own_work = rng.standard_normal(total)
    rejected = rng.random(total) < shape.production.failures.rejected
    asked = _Asked(shape, minute, conditions, own_work, rejected)
    mirrored = np.flatnonzero(rng.random(total) < shape.mirrored)
    production = _serve(asked, shape.production, np.arange(total), rng)
    shadow = _serve(asked, shape.shadow, mirrored, rng)
    return Traffic(shape.minutes, minute, second, production, shadow)


def autoregressive(length: int, rho: float, sd: float, rng: np.random.Generator) -> FloatArray:
    """A stationary AR(1) series of the given lag-1 correlation and standard deviation."""
    shocks = rng.standard_normal(length) * sd * np.sqrt(1 - rho**2)
    shocks[0] = rng.standard_normal() * sd
    series: FloatArray = np.asarray(lfilter([1.0], [1.0, -rho], shocks), dtype=np.float64)
    return series


def _arrivals(shape: Shape, rng: np.random.Generator) -> IntArray:
    """Requests in each minute; least at 04:00 and most at 16:00 UTC."""
    arrivals = shape.arrivals
    hour = np.arange(shape.minutes) / 60
    daily = 1 - arrivals.daily_swing * np.cos(2 * np.pi * (hour - 4) / 24)
    k = 1 / arrivals.overdispersion
    rate = arrivals.per_minute * daily * rng.gamma(k, 1 / k, shape.minutes)
    return np.maximum(rng.poisson(rate), 1).astype(np.int64)


def _seconds(minute: IntArray, rng: np.random.Generator) -> FloatArray:
    """Second within the minute of each request, ascending within a minute."""
    second = rng.random(minute.size) * 60
    return second[np.lexsort((second, minute))]


@dataclass(frozen=True)
class _Asked:
    """What both variants meet: the requests, the minute's conditions, each request's own work."""

    shape: Shape
    minute: IntArray
    conditions: FloatArray
    own_work: FloatArray
    rejected: BoolArray


def _serve(
    asked: _Asked, deployment: Deployment, request: IntArray, rng: np.random.Generator
) -> Served:
    """One variant's answers to the requests it was sent."""
    at = asked.minute[request]
    relative_load = _relative_load(asked.shape, deployment, at)
    refused = asked.rejected[request]
    failure_rate = _failure_rate(asked.shape.minutes, deployment.failures, rng)
    failed = ~refused & (rng.random(request.size) < failure_rate[at])
    silent = rng.random(request.size) < deployment.failures.timed_out
    overhead = np.exp(np.log(2300) + 0.3 * rng.standard_normal(request.size))
    wobble = autoregressive(asked.shape.minutes, 0.8, 3.0, rng)
    cpu = 6.0 + deployment.cpu_percent * relative_load + wobble
    return Served(
        request=request,
        latency_us=_latency_us(asked, deployment.speed, request, relative_load, rng),
        overhead_us=np.rint(overhead).astype(np.int64),
        rejected=refused,
        failed=failed,
        timed_out=~refused & ~failed & silent,
        cpu=np.clip(cpu, 1.0, None),
        instances=deployment.instances,
    )


def _relative_load(shape: Shape, deployment: Deployment, at: IntArray) -> FloatArray:
    """Requests per instance in each minute, over production's daily mean."""
    usual = shape.arrivals.per_minute / shape.production.instances
    return np.bincount(at, minlength=shape.minutes) / deployment.instances / usual


def _latency_us(
    asked: _Asked,
    speed: Speed,
    request: IntArray,
    relative_load: FloatArray,
    rng: np.random.Generator,
) -> IntArray:
    """Lognormal latencies around the minute's level, a few of them many times slower."""
    noise = autoregressive(asked.shape.minutes, 0.8, 0.08, rng)
    level = np.log(speed.median_ms * 1000) + asked.conditions + noise
    level = level + speed.load_effect * (relative_load - 1)
    half = speed.spread / np.sqrt(2)
    log_us = level[asked.minute[request]]
    log_us = log_us + half * (asked.own_work[request] + rng.standard_normal(request.size))
    slow = rng.random(request.size) < speed.slow_share
    latency: FloatArray = np.exp(log_us + slow * np.log(speed.slow_factor))
    return np.rint(latency).astype(np.int64)


def _failure_rate(minutes: int, failures: Failures, rng: np.random.Generator) -> FloatArray:
    """5XX probability of each minute, constant over five-minute blocks."""
    blocks = -(-minutes // BURST_MINUTES)
    k = 1 / failures.burstiness
    rate: FloatArray = np.repeat(rng.gamma(k, failures.failed / k, blocks), BURST_MINUTES)
    return np.minimum(rate[:minutes], 1.0)
