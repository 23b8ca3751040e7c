"""Which series an export holds, and which spans CloudWatch can still give of them.

In: pure questions and their bodies as GetMetricData takes them. Out: sending them (`fetching`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from analyzer.cloudwatch.vocabulary import KNOWN
from analyzer.metrics.percentiles import PERIODS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DAY_S = 86_400
MINUTE_S = 60
MOST_QUERIES = 500
MOST_POINTS = 100_800
"""Of one GetMetricData answer. Source: the API reference, "Service quotas"."""

SETTLING = timedelta(minutes=5)
"""Points of the last minutes are still being counted."""
_KEPT = ((3_600, timedelta(days=455)), (300, timedelta(days=63)), (60, timedelta(days=15)))
"""Period in seconds from which on, and how long CloudWatch keeps its points. Source: AWS,
"GetMetricStatistics", retention of metric data."""

_LATENCY = ("p50", "p90", "p95", "p99", "tm99")
_UTILIZATION = (
    "CPUUtilization",
    "MemoryUtilization",
    "GPUUtilization",
    "GPUMemoryUtilization",
    "DiskUtilization",
)
_SERIES: tuple[tuple[str, tuple[str, ...], tuple[int, ...]], ...] = (
    ("Invocations", ("Sum",), (MINUTE_S,)),
    ("InvocationsPerInstance", ("Sum",), (MINUTE_S,)),
    ("ModelLatency", ("Average", "Minimum", "Maximum"), (MINUTE_S,)),
    ("ModelLatency", ("SampleCount", *_LATENCY), (*PERIODS, DAY_S)),
    ("OverheadLatency", ("Average", "SampleCount"), (MINUTE_S,)),
    ("Invocation4XXErrors", ("Sum",), (MINUTE_S,)),
    ("Invocation5XXErrors", ("Sum",), (MINUTE_S,)),
    ("InvocationModelErrors", ("Sum",), (MINUTE_S,)),
    *((metric, ("Average", "Maximum"), (MINUTE_S,)) for metric in _UTILIZATION),
)
"""Metric, statistics, periods in seconds: every series a verdict or its report uses."""


@dataclass(frozen=True)
class Question:
    """One series of one variant.

    Attributes:
        unit: what its values are in; CloudWatch is asked for points of that unit alone where
            another would change a number's meaning a thousandfold.
    """

    endpoint: str
    variant: str
    metric: str
    stat: str
    period_s: int

    @property
    def namespace(self) -> str:
        """Where CloudWatch keeps it."""
        return KNOWN[self.metric].namespace

    @property
    def unit(self) -> str:
        """The unit of the metric itself; a SampleCount is a number of points whatever they say."""
        return KNOWN[self.metric].unit

    def body(self, query_id: str) -> dict[str, Any]:
        """As one of GetMetricData's `MetricDataQueries`."""
        latency = {"Unit": self.unit} if KNOWN[self.metric].kind == "latency" else {}
        return {
            "Id": query_id,
            "MetricStat": {
                "Metric": {
                    "Namespace": self.namespace,
                    "MetricName": self.metric,
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": self.endpoint},
                        {"Name": "VariantName", "Value": self.variant},
                    ],
                },
                "Period": self.period_s,
                "Stat": self.stat,
                **latency,
            },
            "ReturnData": True,
        }


@dataclass(frozen=True)
class Request:
    """Questions of one period over one span, no larger than one answer may be."""

    questions: tuple[Question, ...]
    start: datetime
    end: datetime


def questions(endpoint: str, variants: Sequence[str]) -> tuple[Question, ...]:
    """Every series of every variant."""
    return tuple(
        Question(endpoint, variant, metric, stat, period_s)
        for metric, stats, periods in _SERIES
        for period_s in periods
        for stat in stats
        for variant in variants
    )


def kept_from(period_s: int, now: datetime) -> datetime:
    """The earliest start of a period of this length that CloudWatch still has."""
    kept = next(age for least_s, age in _KEPT if period_s >= least_s)
    return _ceil(now - kept + timedelta(seconds=MINUTE_S), period_s)


def requests(
    asked: Sequence[Question], start: datetime, end: datetime, now: datetime
) -> Iterator[Request]:
    """The questions as requests, one period after the other, each period in order of time.

    Whole periods only, on the hours and days of UTC: a percentile of half an hour called an hour's
    would be compared with whole ones. The first may begin before `start`; none ends after `end`.
    """
    for period_s in sorted({question.period_s for question in asked}):
        same = [question for question in asked if question.period_s == period_s]
        first = max(_floor(start, period_s), kept_from(period_s, now))
        last = _floor(min(end, now - SETTLING), period_s)
        for at in range(0, len(same), MOST_QUERIES):
            group = tuple(same[at : at + MOST_QUERIES])
            step = timedelta(seconds=period_s * (MOST_POINTS // len(group)))
            begin = first
            while begin < last:
                yield Request(group, begin, min(begin + step, last))
                begin += step


def _floor(at: datetime, period_s: int) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // period_s * period_s, UTC)


def _ceil(at: datetime, period_s: int) -> datetime:
    return datetime.fromtimestamp(-(-at.timestamp() // period_s) * period_s, UTC)
