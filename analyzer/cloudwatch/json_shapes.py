"""CloudWatch's own JSON: metric streams, get-metric-data and get-metric-statistics.

In: any sequence of JSON objects, glued, one a line or in an array, each known by its keys; metric
rows too, where a file is not fit for reading in bulk. Out: OpenTelemetry metric streams, which are
length-delimited protobuf.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from analyzer.cloudwatch.metric_rows import row_series
from analyzer.cloudwatch.naming import named
from analyzer.cloudwatch.reading import (
    Collector,
    Reading,
    Series,
    finite,
    period_of,
    text_of,
)
from analyzer.cloudwatch.vocabulary import KNOWN, statistic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")
_NEXT_OBJECT = re.compile(r"(?<=\n)[{\[]")
_MINUTE_US = 60_000_000
_STREAM_PERIOD_S = 60
_STREAM_NAMES = ("namespace", "metric_name", "dimensions", "unit")
_MOST_DAMAGES = 100
_LABEL_FIELDS = (5, 6)
Queries = dict[str, Series | None]
"""Query id -> its series; None for an expression, which has no metric."""


def read_json(data: bytes, collector: Collector, queries: Queries) -> Reading:
    """The reading of a file of JSON objects.

    Args:
        data: the file's bytes, UTF-8 with or without a byte order mark.
        collector: where points and problems go.
        queries: what the queries file beside it says; {} without one.

    Raises:
        InputError: not valid JSON, or no export at all, in a file the user named.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        collector.problem("unreadable", f"not UTF-8: {error.reason} at byte {error.start}")
        return collector.reading()
    streams = _Streams(collector)
    for one in json_objects(text, collector):
        if isinstance(one.get("MetricDataResults"), list):
            _metric_data(one, queries, collector)
        elif isinstance(one.get("Datapoints"), list):
            _statistics(one, collector)
        elif "metric_name" in one and isinstance(values := one.get("value"), dict):
            streams.add(one, values)
        elif "metric_name" in one and "stat" in one:
            number = collector.number(row_series(one, one.get("dimensions")))
            collector.add(number, one.get("timestamp"), one.get("value"))
        else:
            collector.problem("not-an-export", "a JSON object of no known metric export")
    return collector.reading()


def json_objects(text: str, collector: Collector) -> Iterator[Mapping[str, object]]:
    """Every object of the text, arrays opened; what is not JSON is skipped to the next line.

    After a hundred damaged places the rest is not read: each costs a pass over the text.

    Raises:
        InputError: not valid JSON in a file the user named.
    """
    position = _skip_space(text, 0)
    damages = 0
    while position < len(text):
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            damages += 1
            line = text.count("\n", 0, position) + 1
            why = error.msg if isinstance(error, json.JSONDecodeError) else "beyond all limits"
            rest = ", and the rest was not read" if damages == _MOST_DAMAGES else ""
            collector.problem("unreadable", f"line {line}: not valid JSON: {why}{rest}")
            resumed = None if rest else _NEXT_OBJECT.search(text, position + 1)
            position = resumed.start() if resumed else len(text)
            continue
        position = _skip_space(text, position)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield one
            else:
                collector.problem("not-an-export", "JSON that is no object")


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


class _Streams:
    """Objects of a metric stream: the statistics of one minute of one metric each."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._numbers: dict[tuple[str, ...], dict[str, int]] = {}

    def add(self, one: Mapping[str, object], values: Mapping[str, object]) -> None:
        """All statistics of one object; the mean is its sum over its count, exactly."""
        numbers = self._described(one)
        count, total = finite(values.get("count")), finite(values.get("sum"))
        if count and total is not None and count > 0:
            values = {**values, "Average": total / count}
        for word in values.keys() - numbers.keys():
            numbers[word] = self._collector.number(_stream_series(one, word))
        points = [(numbers[word], value) for word, value in values.items()]
        self._collector.add_all(points, one.get("timestamp"), floor_us=_MINUTE_US)

    def _described(self, one: Mapping[str, object]) -> dict[str, int]:
        """Statistic -> series index of the object's metric, so that each is described once."""
        key = tuple(str(one.get(name)) for name in _STREAM_NAMES)
        return self._numbers.setdefault(key, {})


def _stream_series(one: Mapping[str, object], word: str) -> Series:
    return row_series({**one, "stat": word, "period": _STREAM_PERIOD_S}, one.get("dimensions"))


def _metric_data(answer: Mapping[str, object], queries: Queries, collector: Collector) -> None:
    """Every result of a get-metric-data answer; repeated ids are further pages of one series."""
    if answer.get("NextToken"):
        collector.remarks.add(("pages-missing", collector.file.path.name))
    complete: set[str] = set()
    partial: set[str] = set()
    results = answer["MetricDataResults"]
    for one in results if isinstance(results, list) else []:
        result = one if isinstance(one, dict) else {}
        status = complete if result.get("StatusCode", "Complete") == "Complete" else partial
        status.add(str(result.get("Id")))
        _result(result, queries, collector)
    collector.remarks.update(("partial-data", key) for key in partial - complete)


def _result(result: Mapping[str, object], queries: Queries, collector: Collector) -> None:
    times, values = result.get("Timestamps"), result.get("Values")
    if not isinstance(times, list) or not isinstance(values, list) or len(times) != len(values):
        collector.problem("unreadable", "a result without as many Values as Timestamps")
        return
    series = _result_series(result, queries, collector)
    if series is None:
        collector.dropped["unnamed-metric"] += len(times)
        return
    number = collector.number(series)
    for at, value in zip(times, values, strict=True):
        collector.add(number, at, value)


def _result_series(
    result: Mapping[str, object], queries: Queries, collector: Collector
) -> Series | None:
    """What a result's dynamic label, its query, or else its id and label say it is."""
    label, key = text_of(result.get("Label")) or "", text_of(result.get("Id")) or ""
    if series := _labelled(label):
        return series
    by_id, by_label = named(key), named(label)
    if key in queries:
        asked = queries[key]
        # A label naming another metric proves that these are another answer's queries.
        same = asked and by_label.metric_name in {None, asked.metric_name}
        return asked if same else None
    metric = by_id.metric_name or by_label.metric_name
    stat = by_id.stat or by_label.stat
    if metric is None or stat is None:
        return None
    return Series(
        metric_name=metric,
        stat=stat,
        period_hint=by_id.period_s or by_label.period_s,
        unit=by_label.unit,
        hints=(key, label, *collector.hints),
    )


def _labelled(label: str) -> Series | None:
    """A label of the form namespace|metric|endpoint|variant|statistic|period."""
    fields = [part.strip() for part in label.split("|")]
    if len(fields) not in _LABEL_FIELDS or fields[1] not in KNOWN:
        return None
    namespace, metric, endpoint, variant, stat, *period = fields
    return Series(
        metric_name=metric,
        stat=stat,
        namespace=namespace or None,
        endpoint=endpoint or None,
        variant=variant or None,
        dimensions="exact" if endpoint and variant else "missing",
        period_s=period_of(period[0]) if period else None,
    )


def _statistics(answer: Mapping[str, object], collector: Collector) -> None:
    """Every statistic of a get-metric-statistics answer; its file's name says whose it is."""
    points = answer["Datapoints"]
    by_label, by_file = named(text_of(answer.get("Label")) or ""), named(collector.hints[0])
    metric = by_label.metric_name or by_file.metric_name
    for one in points if isinstance(points, list) else []:
        point = one if isinstance(one, dict) else {}
        extended = point.get("ExtendedStatistics")
        values = {**point, **(extended if isinstance(extended, dict) else {})}
        stats = [word for word in values if statistic(word)]
        if metric is None or not stats:
            collector.dropped["unnamed-metric"] += 1
            continue
        for word in stats:
            series = Series(
                metric_name=metric,
                stat=word,
                period_hint=by_file.period_s,
                unit=text_of(point.get("Unit")),
                hints=collector.hints,
            )
            collector.add(collector.number(series), point.get("Timestamp"), values[word])
