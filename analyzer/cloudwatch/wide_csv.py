"""Wide CSV: a time column first, then one column a series whose header says what it is.

In: any header that names a metric, a variant or role, and if possible a statistic, a period and a
unit. Out: a promise about any particular program's layout.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from analyzer.cloudwatch.naming import named
from analyzer.cloudwatch.reading import Collector, Reading, Series
from analyzer.cloudwatch.vocabulary import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEADER_WITHIN = 10


def read_csv(data: bytes, collector: Collector) -> Reading:
    """The reading of a wide CSV file; columns that name no metric are counted.

    Raises:
        InputError: not CSV, or no column names a metric, in a file the user named.
    """
    try:
        text = data.decode("utf-8-sig")
        lines = text.splitlines()
        delimiter = max(",;\t", key="\n".join(lines[:_HEADER_WITHIN]).count)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except UnicodeDecodeError as error:
        collector.problem("unreadable", f"not UTF-8: {error.reason} at byte {error.start}")
        return collector.reading()
    except csv.Error as error:
        collector.problem("unreadable", f"not CSV: {error}")
        return collector.reading()
    header = next((n for n, row in enumerate(rows[:_HEADER_WITHIN]) if _names_metric(row)), None)
    if header is None:
        collector.problem(
            "not-an-export", "no metric export: no CSV header in it names a known metric"
        )
        return collector.reading()
    columns = dict(_columns(rows[header], collector))
    for row in rows[header + 1 :]:
        for column, number in columns.items():
            if column < len(row) and row[column].strip():
                collector.add(number, row[0], row[column])
    return collector.reading()


def _names_metric(row: Sequence[str]) -> bool:
    return any(named(cell).metric_name for cell in row[1:])


def _columns(header: Sequence[str], collector: Collector) -> Iterator[tuple[int, int]]:
    """(column, series index) of every column that names a metric."""
    for column, cell in enumerate(header):
        if column == 0 or not cell.strip():
            continue
        said = named(cell)
        if said.metric_name is None:
            collector.dropped["unknown-column"] += 1
            continue
        counts = KNOWN[said.metric_name].kind == "count"
        series = Series(
            metric_name=said.metric_name,
            stat=said.stat or ("Sum" if counts else "Average"),
            period_hint=said.period_s,
            unit=said.unit,
            hints=(cell, *collector.hints),
            remarks=() if said.stat else ("statistic-assumed",),
        )
        yield column, collector.number(series)
