"""Asking CloudWatch: requests -> points, every page of every answer.

In: GetMetricData and what its status codes mean. Out: which series are asked for (`asking`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from analyzer.errors import AccessError
from analyzer.sources.aws import Trail, explain
from analyzer.sources.objects import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from analyzer.metric_export.asking import Question, Request

_TRIES = 4
_PAUSE_S = 1.0
_FAILED = {"InternalError", "Forbidden"}

Points = list[tuple["datetime", float]]


class CloudWatchClient(Protocol):
    """The CloudWatch calls this package makes."""

    def get_metric_data(self, **request: object) -> Mapping[str, Any]:
        """One page of an answer."""

    def list_metrics(self, **request: object) -> Mapping[str, Any]:
        """One page of the metrics there are."""


def fetch(
    client: CloudWatchClient, requests: Iterable[Request]
) -> Iterator[tuple[Request, dict[Question, Points]]]:
    """Each request with its points, in order of time.

    Raises:
        AccessError: CloudWatch refuses, or fails again after it was asked four times.
    """
    for request in requests:
        for again in range(_TRIES):
            points, failed = _answer(client, request)
            if not failed:
                yield request, points
                break
            if failed.startswith("Forbidden"):
                raise AccessError(f"CloudWatch: {failed}; the role needs cloudwatch:GetMetricData")
            if again + 1 < _TRIES:
                time.sleep(_PAUSE_S * 2**again)
        else:
            raise AccessError(f"CloudWatch: {failed} after {_TRIES} tries: run again later")


def _answer(
    client: CloudWatchClient, request: Request
) -> tuple[dict[Question, Points], str | None]:
    """Every page of one answer; the status of a series that CloudWatch itself failed on.

    An answer of several pages repeats a query's Id on each; a series that is still partial on the
    last one is not whole.
    """
    names = {f"q{number}": question for number, question in enumerate(request.questions)}
    points: dict[Question, Points] = {question: [] for question in request.questions}
    body: dict[str, object] = {
        "MetricDataQueries": [question.body(name) for name, question in names.items()],
        "StartTime": request.start,
        "EndTime": request.end,
        "ScanBy": "TimestampAscending",
    }
    partial: dict[str, Mapping[str, Any]] = {}
    trail = Trail()
    while True:
        page = _called(client, body)
        for result in page["MetricDataResults"]:
            partial.pop(result["Id"], None)
            if result.get("StatusCode") == "PartialData":
                partial[result["Id"]] = result
            if result.get("StatusCode") in _FAILED:
                return {}, _status(result)
            times, values = result["Timestamps"], result["Values"]
            points[names[result["Id"]]] += zip(times, values, strict=True)
        if not page.get("NextToken"):
            if partial:
                return {}, _status(next(iter(partial.values())))
            return {question: sorted(found) for question, found in points.items()}, None
        body["NextToken"] = trail.on(page["NextToken"], "CloudWatch")


def _called(client: CloudWatchClient, body: Mapping[str, object]) -> Mapping[str, Any]:
    try:
        return client.get_metric_data(**body)
    except (BotoCoreError, ClientError) as error:
        raise explain(error, "CloudWatch") from None


def _status(result: Mapping[str, Any]) -> str:
    said = "; ".join(str(message.get("Value", "")) for message in result.get("Messages", []))
    return printable(f"{result['StatusCode']}{': ' if said else ''}{said}")
