"""Builders of CloudWatch points: a shadow test of some days as the reader would hand it over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from analyzer.metrics.error_rate import ERROR_RATE
from analyzer.metrics.instances import INSTANCES
from analyzer.metrics.latency import LATENCY
from analyzer.metrics.metric import CaptureFacts, Facts
from analyzer.model import Inputs, Ledger, Mode, Pairing
from analyzer.policy.files import parse_policy

if TYPE_CHECKING:
    from analyzer.metrics.metric import EndpointFacts
    from analyzer.model import Evidence
    from analyzer.policy import Policy

START = datetime(2026, 11, 16, tzinfo=UTC)
METRICS = {metric.id: metric for metric in (*LATENCY, *ERROR_RATE, *INSTANCES)}
DEFAULTS = {name: metric.default for name, metric in METRICS.items()}
FIVE_XX, FOUR_XX, MODEL = "Invocation5XXErrors", "Invocation4XXErrors", "InvocationModelErrors"
PERCENTILES = {"p50": 1.0, "p95": 2.3, "p99": 3.4}
"""Percentiles of one request's latency as multiples of the minute's mean."""


def ar(rng: np.random.Generator, size: int, rho: float, sd: float) -> np.ndarray:
    """A first-order autoregression with marginal standard deviation `sd`."""
    noise = rng.normal(size=size) * sd * np.sqrt(1 - rho**2)
    series = np.empty(size)
    last = rng.normal() * sd
    for i, step in enumerate(noise):
        last = rho * last + step
        series[i] = last
    return series


@dataclass
class Side:
    """One variant's minutes; edit the arrays, NaN = no point."""

    counts: np.ndarray
    mean_ms: np.ndarray
    tails: dict[str, float] = field(default_factory=lambda: dict(PERCENTILES))
    errors: dict[str, np.ndarray] = field(default_factory=dict)
    overhead_ms: np.ndarray | None = None


@dataclass
class Shadow:
    """A shadow test in the making."""

    minutes: int
    production: Side
    shadow: Side
    rng: np.random.Generator
    start: datetime = START
    periods: tuple[int, ...] = (60, 300, 3600, 21600)

    def points(self) -> pl.DataFrame:
        """The canonical frame."""
        frames = [self._side("production", self.production), self._side("shadow", self.shadow)]
        return pl.concat(frames).sort("role", "metric_name", "stat", "period_s", "timestamp")

    def _side(self, role: str, side: Side) -> pl.DataFrame:
        rows = [
            self._series(role, "Invocations", "Sum", 60, side.counts),
            self._series(role, "InvocationsPerInstance", "Sum", 60, side.counts),
            self._series(role, "ModelLatency", "SampleCount", 60, side.counts),
            self._series(role, "ModelLatency", "Average", 60, side.mean_ms),
        ]
        if side.overhead_ms is not None:
            rows.append(self._series(role, "OverheadLatency", "Average", 60, side.overhead_ms))
        for metric in (FIVE_XX, FOUR_XX, MODEL):
            errors = side.errors.get(metric)
            quiet = np.where(np.isnan(side.counts), np.nan, 0.0)
            rows.append(self._series(role, metric, "Sum", 60, quiet if errors is None else errors))
        for period in self.periods:
            for stat, factor in side.tails.items():
                rows.append(
                    self._series(
                        role, "ModelLatency", stat, period, self._tail(side, factor, period)
                    )
                )
        return pl.concat(rows)

    def _tail(self, side: Side, factor: float, period: int) -> np.ndarray:
        """A period's percentile: its mean latency times the factor, with estimation noise."""
        step = period // 60
        whole = len(side.counts) // step * step
        weights = np.nan_to_num(side.counts)[:whole].reshape(-1, step)
        sums = weights * np.nan_to_num(side.mean_ms)[:whole].reshape(-1, step)
        n = weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = sums.sum(axis=1) / n
            noise = 1 + self.rng.normal(size=n.size) * 1.5 / np.sqrt(np.maximum(n, 1))
        return np.where(n > 0, mean * factor * noise, np.nan)

    def _series(
        self, role: str, metric: str, stat: str, period: int, values: np.ndarray
    ) -> pl.DataFrame:
        known = np.flatnonzero(np.isfinite(values))
        first = round(self.start.timestamp())
        timed = metric in {"ModelLatency", "OverheadLatency"} and stat != "SampleCount"
        return pl.DataFrame({"second": first + period * known, "value": values[known]}).select(
            role=pl.lit(role),
            endpoint=pl.lit("churn"),
            variant=pl.lit(f"model-{role}"),
            namespace=pl.lit("AWS/SageMaker"),
            metric_name=pl.lit(metric),
            stat=pl.lit(stat),
            period_s=pl.lit(period, pl.Int64),
            timestamp=pl.from_epoch("second", "s")
            .dt.cast_time_unit("us")
            .dt.replace_time_zone("UTC"),
            value=pl.col("value").cast(pl.Float64),
            unit=pl.lit("ms" if timed else "count"),
        )

    def facts(
        self, policy: Policy | None = None, *, endpoint: EndpointFacts | None = None
    ) -> Facts:
        """The facts of a run over exactly these minutes."""
        end = self.start + timedelta(minutes=self.minutes)
        return facts_of(self.points(), policy, start=self.start, end=end, endpoint=endpoint)


def shadow_test(
    days: float = 3,
    *,
    slower: float = 1.0,
    tail_slower: float = 1.0,
    per_minute: float = 60,
    sampling: float = 1.0,
    rho: float = 0.8,
    seed: int = 1,
) -> Shadow:
    """A test with a daily rhythm and autocorrelated latency; equal variants unless told."""
    rng = np.random.default_rng(seed)
    minutes = round(days * 1440)
    daily = 1 + 0.5 * np.sin(2 * np.pi * np.arange(minutes) / 1440)
    counts = np.maximum(rng.poisson(per_minute * daily), 1).astype(float)
    copies = (
        counts if sampling == 1 else np.maximum(rng.binomial(counts.astype(int), sampling), 1.0)
    )
    shared = ar(rng, minutes, 0.95, 0.15)
    sides = []
    for n, factor in ((counts, 1.0), (copies, slower)):
        own = ar(rng, minutes, rho, 0.08)
        mean = 20.0 * factor * np.exp(0.1 * (daily - 1) + shared + own)
        sides.append(Side(n.astype(float), mean))
    sides[1].tails["p99"] *= tail_slower
    return Shadow(minutes, sides[0], sides[1], rng)


def policy_of(**body: object) -> Policy:
    """A policy from its TOML body; defaults where it is silent."""
    return parse_policy(body, DEFAULTS)


def facts_of(
    points: pl.DataFrame,
    policy: Policy | None = None,
    *,
    start: datetime | None = START,
    end: datetime | None = START + timedelta(days=3),
    captures: CaptureFacts | None = None,
    endpoint: EndpointFacts | None = None,
    endpoints: tuple[str, ...] = ("churn",),
    dropped: dict[str, int] | None = None,
    inputs: Inputs | None = None,
) -> Facts:
    """Facts around a frame of points."""
    return Facts(
        policy=policy or policy_of(),
        mode=Mode.CLOUDWATCH,
        start=start,
        end=end,
        metric_points=points,
        points_dropped=dropped or {},
        points_endpoints=endpoints,
        inputs=inputs or Inputs(digest="sha256:0"),
        captures=captures,
        endpoint=endpoint,
    )


def captured(first: datetime, last: datetime, records: int = 5_000) -> CaptureFacts:
    """Records of both variants in that time, all of them paired."""
    return CaptureFacts(
        ledger=Ledger(pairs=records),
        pairing=Pairing(),
        production_records=records,
        shadow_records=records,
        same_objects=False,
        first_at=(first, first),
        last_at=(last, last),
    )


def assess(facts: Facts, metric: str) -> Evidence:
    """One metric's evidence under the facts' policy."""
    return METRICS[metric].assess(facts, facts.policy.metrics[metric])


def assess_all(facts: Facts) -> dict[str, Evidence]:
    """Every metric's evidence."""
    return {name: assess(facts, name) for name in METRICS}


def without(points: pl.DataFrame, metric: str, role: str | None = None) -> pl.DataFrame:
    """The frame without one metric, of one variant or of both."""
    gone = pl.col("metric_name") == metric
    return points.filter(~(gone if role is None else gone & (pl.col("role") == role)))
