"""CloudWatch points of a simulated test, and the three shapes people export them in.

In: statistics per minute and true percentiles of longer periods, both from the drawn requests;
metric rows, metric-stream JSON, GetMetricData answers. Out: the requests themselves (`traffic`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sample_data.traffic import MINUTES_PER_DAY, START

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from sample_data.traffic import Served, Traffic

    FloatArray: TypeAlias = NDArray[np.float64]
    IntArray: TypeAlias = NDArray[np.int64]

ENDPOINT = "churn-endpoint"
ACCOUNT = "111122223333"
REGION = "eu-central-1"
REQUEST_METRICS = "AWS/SageMaker"
INSTANCE_METRICS = "/aws/sagemaker/Endpoints"
PERCENTILES = {
    300: ("p50", "p95"),
    3600: ("p50", "p95", "p99", "tm99"),
    21_600: ("p50", "p95", "p99", "tm99"),
    86_400: ("p50", "p95", "p99", "tm99"),
}
"""Period in seconds -> the statistics of model latency worth exporting at it."""

MINUTE_PERCENTILES = {60: ("p50",)}
PAGES = 2


@dataclass(frozen=True)
class Metric:
    """What one set of points is of."""

    variant: str
    namespace: str
    name: str
    unit: str
    period_s: int


@dataclass(frozen=True)
class StatisticSets:
    """One metric of one variant as CloudWatch keeps it: a statistic set for each period.

    Shapes: `start` (minutes since the start of the test), count, total, low and high are parallel.
    """

    of: Metric
    start: IntArray
    count: IntArray
    total: FloatArray
    low: FloatArray
    high: FloatArray

    def series(self, stat: str) -> Series:
        """One statistic of every period."""
        values = {
            "SampleCount": self.count.astype(np.float64),
            "Sum": self.total,
            "Average": self.total / self.count,
            "Minimum": self.low,
            "Maximum": self.high,
        }[stat]
        return Series(self.of, stat, self.start, values)


@dataclass(frozen=True)
class Series:
    """One statistic of one metric of one variant; `start` in minutes since the test began."""

    of: Metric
    stat: str
    start: IntArray
    values: FloatArray


def statistic_sets(
    traffic: Traffic, variants: Mapping[str, str], *, instances: bool = True
) -> list[StatisticSets]:
    """Every metric of both variants, minute by minute.

    Args:
        traffic: the simulated test.
        variants: role -> variant name.
        instances: whether the instances' own metrics are among them.
    """
    found: list[StatisticSets] = []
    for role, served in (("production", traffic.production), ("shadow", traffic.shadow)):
        found += _request_metrics(traffic, served, variants[role])
        if instances:
            found += _instance_metrics(traffic, served, variants[role])
    return found


def minute_series(sets: Iterable[StatisticSets]) -> list[Series]:
    """The statistics a verdict needs of each metric, and no more."""
    wanted = {
        "ModelLatency": ("SampleCount", "Sum"),
        "OverheadLatency": ("SampleCount", "Sum"),
        "CPUUtilization": ("Average",),
        "MemoryUtilization": ("Average",),
        "DiskUtilization": ("Average",),
    }
    return [one.series(stat) for one in sets for stat in wanted.get(one.of.name, ("Sum",))]


def percentile_series(
    traffic: Traffic, variants: Mapping[str, str], wanted: Mapping[int, Sequence[str]]
) -> list[Series]:
    """True percentiles and trimmed means of model latency over each whole period."""
    found: list[Series] = []
    for role, served in (("production", traffic.production), ("shadow", traffic.shadow)):
        minute, latency = _answered(traffic, served)
        for period_s, stats in wanted.items():
            of = Metric(variants[role], REQUEST_METRICS, "ModelLatency", "Microseconds", period_s)
            start, table = period_statistics(minute, latency, period_s // 60, stats)
            found += [Series(of, stat, start, values) for stat, values in table.items()]
    return found


def period_statistics(
    minute: IntArray, value: FloatArray, period: int, stats: Sequence[str]
) -> tuple[IntArray, dict[str, FloatArray]]:
    """Statistics of every period that has a value.

    Percentiles (`p99`) are linear between order statistics; trimmed means (`tm99`) are of the
    values up to the percentile.

    Args:
        minute: minute of each value, any order.
        value: what is summarised.
        period: length in minutes.
        stats: their names in CloudWatch.

    Returns:
        First minute of each period; statistic name -> one value a period.
    """
    block = minute // period
    order = np.lexsort((value, block))
    blocks, first, size = np.unique(block[order], return_index=True, return_counts=True)
    table = {
        stat: _trimmed_means(value[order], first, size, float(stat[2:]) / 100)
        if stat.startswith("tm")
        else _quantiles(value[order], first, size, float(stat[1:]) / 100)
        for stat in stats
    }
    return blocks * period, table


def _quantiles(ranked: FloatArray, first: IntArray, size: IntArray, share: float) -> FloatArray:
    """Quantile of each run of `size` ascending values that starts at `first`."""
    rank = (size - 1) * share
    below = np.floor(rank).astype(np.int64)
    low = ranked[first + below]
    high = ranked[first + np.minimum(below + 1, size - 1)]
    between: FloatArray = low + (rank - below) * (high - low)
    return between


def _trimmed_means(ranked: FloatArray, first: IntArray, size: IntArray, share: float) -> FloatArray:
    """Mean of the lowest `share` of each run of ascending values, at least one."""
    kept = np.maximum((size * share).astype(np.int64), 1)
    running = np.concatenate([[0.0], np.cumsum(ranked)])
    means: FloatArray = (running[first + kept] - running[first]) / kept
    return means


def metric_rows(series: Iterable[Series]) -> Iterator[str]:
    """Metric rows as JSON Lines, one self-describing point a line."""
    for one in series:
        head = {
            "namespace": one.of.namespace,
            "metric_name": one.of.name,
            "dimensions": {"EndpointName": ENDPOINT, "VariantName": one.of.variant},
            "period": one.of.period_s,
            "stat": one.stat,
        }
        for start, value in zip(one.start.tolist(), one.values.tolist(), strict=True):
            at = (START + timedelta(minutes=start)).strftime("%Y-%m-%dT%H:%M:%SZ")
            yield _line({**head, "timestamp": at, "value": _plain(value), "unit": one.of.unit})


def metric_stream(sets: Iterable[StatisticSets]) -> Iterator[tuple[int, str]]:
    """Metric-stream JSON in the order of time: (minute, record)."""
    rows = [(start, one, index) for one in sets for index, start in enumerate(one.start.tolist())]
    for start, one, index in sorted(rows, key=lambda row: row[0]):
        yield start, _stream_record(one, index)


def metric_data(series: Sequence[Series]) -> str:
    """A GetMetricData answer as the command line merges its pages: ids repeat, newest first.

    The labels are what `${PROP('Namespace')}|${PROP('MetricName')}|...` expands to.
    """
    results = [
        _page_of(one, f"m{number}", page)
        for page in range(PAGES)
        for number, one in enumerate(series)
    ]
    return json.dumps({"MetricDataResults": results, "Messages": []}, indent=1) + "\n"


def _stream_record(sets: StatisticSets, index: int) -> str:
    at = START + timedelta(minutes=int(sets.start[index]))
    return _line(
        {
            "metric_stream_name": "churn-metrics",
            "account_id": ACCOUNT,
            "region": REGION,
            "namespace": sets.of.namespace,
            "metric_name": sets.of.name,
            "dimensions": {"EndpointName": ENDPOINT, "VariantName": sets.of.variant},
            "timestamp": int(at.timestamp()) * 1000,
            "value": {
                "count": float(sets.count[index]),
                "sum": _plain(float(sets.total[index])),
                "max": _plain(float(sets.high[index])),
                "min": _plain(float(sets.low[index])),
            },
            "unit": sets.of.unit,
        }
    )


def _page_of(series: Series, query: str, page: int) -> dict[str, object]:
    """One page's share of a series, newest first."""
    part = np.array_split(np.arange(series.start.size)[::-1], PAGES)[page]
    of = series.of
    return {
        "Id": query,
        "Label": f"{of.namespace}|{of.name}|{ENDPOINT}|{of.variant}|{series.stat}|{of.period_s}",
        "Timestamps": [
            (START + timedelta(minutes=start)).isoformat() for start in series.start[part].tolist()
        ],
        "Values": [_plain(value) for value in series.values[part].tolist()],
        "StatusCode": "Complete" if page == PAGES - 1 else "PartialData",
    }


def _request_metrics(traffic: Traffic, served: Served, variant: str) -> Iterator[StatisticSets]:
    """What SageMaker sends once a request."""
    minute = traffic.minute[served.request]
    answered = served.answered
    counted = {
        "Invocations": np.ones(minute.size),
        "InvocationsPerInstance": np.full(minute.size, 1 / served.instances),
        "Invocation4XXErrors": served.rejected.astype(np.float64),
        "Invocation5XXErrors": served.failed.astype(np.float64),
        "InvocationModelErrors": (~served.succeeded).astype(np.float64),
    }
    for name, values in counted.items():
        yield _reduce(Metric(variant, REQUEST_METRICS, name, "None", 60), minute, values)
    timed = served.latency_us[answered].astype(np.float64)
    latency = Metric(variant, REQUEST_METRICS, "ModelLatency", "Microseconds", 60)
    yield _reduce(latency, minute[answered], timed)
    overhead = Metric(variant, REQUEST_METRICS, "OverheadLatency", "Microseconds", 60)
    yield _reduce(overhead, minute, served.overhead_us.astype(np.float64))


def _reduce(of: Metric, minute: IntArray, values: FloatArray) -> StatisticSets:
    """Statistic sets of each minute that has a value; `minute` ascending."""
    start, first, count = np.unique(minute, return_index=True, return_counts=True)
    return StatisticSets(
        of=of,
        start=start,
        count=count,
        total=np.add.reduceat(values, first),
        low=np.minimum.reduceat(values, first),
        high=np.maximum.reduceat(values, first),
    )


def _instance_metrics(traffic: Traffic, served: Served, variant: str) -> Iterator[StatisticSets]:
    """What each instance sends once a minute: CPU follows the load, the disk fills with logs."""
    start = np.arange(traffic.minutes)
    percents = {
        "CPUUtilization": served.cpu,
        "MemoryUtilization": 38 + 0.04 * served.cpu,
        "DiskUtilization": 21 + 0.35 * start / MINUTES_PER_DAY,
    }
    count = np.full(start.size, served.instances)
    for name, percent in percents.items():
        each = percent.round(1)
        of = Metric(variant, INSTANCE_METRICS, name, "Percent", 60)
        yield StatisticSets(of, start, count, total=each * count, low=each, high=each)


def _answered(traffic: Traffic, served: Served) -> tuple[IntArray, FloatArray]:
    answered = served.answered
    minute = traffic.minute[served.request][answered]
    return minute, served.latency_us[answered].astype(np.float64)


def _plain(value: float) -> float:
    """At most three decimals: microseconds, percent and counts carry no more."""
    return round(value, 3)


def _line(body: Mapping[str, object]) -> str:
    return json.dumps(body, separators=(",", ":")) + "\n"
