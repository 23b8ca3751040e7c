"""A CloudWatch that keeps raw values, and answers as the service documents it.

It shares no code with the export: statistics come from the raw values, pages are as small as a test
wants, and every request body is checked against botocore's own model of the service.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import numpy as np
from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from collections.abc import Mapping

Series = tuple[str, str]
"""Variant and metric."""
Samples = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
"""Seconds since 1970, in order, and values."""

_MODEL = boto3.client("cloudwatch", region_name="us-east-1").meta.service_model


class RawCloudWatch:
    """Raw values by (variant, metric), each with its second since 1970."""

    def __init__(
        self, values: Mapping[tuple[str, str], tuple[Any, Any]], page: int = 1_000
    ) -> None:
        self._values = values
        self._page = page
        self._whole: list[tuple[str, datetime, float]] = []
        self.requests: list[dict[str, Any]] = []

    def get_metric_data(self, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - any request
        problems = ParamValidator().validate(
            body, _MODEL.operation_model("GetMetricData").input_shape
        )
        assert not problems.has_errors(), problems.generate_report()
        self.requests.append(body)
        begin = int(body.get("NextToken", 0))
        if begin == 0:
            self._whole = [
                (query["Id"], at, value)
                for query in body["MetricDataQueries"]
                for at, value in self._points(
                    query["MetricStat"], body["StartTime"], body["EndTime"]
                )
            ]
        results: dict[str, dict[str, Any]] = {
            query["Id"]: {
                "Id": query["Id"],
                "Label": query["Id"],
                "Timestamps": [],
                "Values": [],
                "StatusCode": "Complete",
            }
            for query in body["MetricDataQueries"]
        }
        for name, at, value in self._whole[begin : begin + self._page]:
            results[name]["Timestamps"].append(at)
            results[name]["Values"].append(value)
        answer: dict[str, Any] = {"MetricDataResults": list(results.values())}
        if begin + self._page < len(self._whole):
            answer["NextToken"] = str(begin + self._page)
        return answer

    def _points(
        self, asked: Mapping[str, Any], start: datetime, end: datetime
    ) -> list[tuple[datetime, float]]:
        dimensions = {one["Name"]: one["Value"] for one in asked["Metric"]["Dimensions"]}
        name = (dimensions["VariantName"], asked["Metric"]["MetricName"])
        if name not in self._values:
            return []
        seconds, values = self._values[name]
        period_s = asked["Period"]
        edges = [*np.arange(start.timestamp(), end.timestamp(), period_s), end.timestamp()]
        places = np.searchsorted(seconds, edges)
        return [
            (
                start + timedelta(seconds=number * period_s),
                _statistic(asked["Stat"], values[places[number] : places[number + 1]]),
            )
            for number in np.flatnonzero(np.diff(places)).tolist()
        ]


def _statistic(stat: str, values: np.ndarray[Any, Any]) -> float:
    if stat == "SampleCount":
        return float(len(values))
    if stat in {"Sum", "Average", "Minimum", "Maximum"}:
        name = {"Average": "mean", "Minimum": "min", "Maximum": "max"}.get(stat, "sum")
        return float(getattr(values, name)())
    if stat.startswith("p"):
        place = (len(values) - 1) * float(stat[1:]) / 100
        # as numpy.quantile, which takes twenty times as long over so few values
        return float(np.interp(place, np.arange(len(values)), np.sort(values)))
    return float(np.sort(values)[: max(1, int(len(values) * float(stat[2:]) / 100))].mean())


def traffic(
    start: datetime, minutes: int, *, variant: str, slower: float = 1.0, per_minute: int = 20
) -> dict[Series, Samples]:
    """Seeded requests of one variant, in microseconds, without any error."""
    random = np.random.default_rng(7)
    seconds = start.timestamp() + np.sort(random.uniform(0, 60 * minutes, per_minute * minutes))
    latency = random.lognormal(10, 0.3, len(seconds)) * slower
    nothing, each = np.zeros(len(seconds)), np.ones(len(seconds))
    return {
        (variant, "Invocations"): (seconds, each),
        (variant, "ModelLatency"): (seconds, latency),
        (variant, "OverheadLatency"): (seconds, latency / 20),
        (variant, "Invocation4XXErrors"): (seconds, nothing),
        (variant, "Invocation5XXErrors"): (seconds, nothing),
        (variant, "InvocationModelErrors"): (seconds, nothing),
        (variant, "CPUUtilization"): (seconds[::per_minute], np.full(minutes, 40.0)),
    }


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
