"""Metric rows, the JSON Lines this project's own export writes: read in bulk.

In: files of nothing but well-formed metric rows, a million a second. Out: everything else, row by
row, in `json_shapes`; whatever is odd in a file sends the whole file there.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from analyzer.cloudwatch.reading import (
    POINTS,
    Collector,
    Dimensions,
    Reading,
    Series,
    moment_of,
    period_of,
    reading,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analyzer.cloudwatch.files import ExportFile

_DESCRIPTOR = ("namespace", "metric_name", "dimensions", "period", "stat", "unit")
_SCHEMA: dict[str, type[pl.DataType]] = {
    "namespace": pl.String,
    "metric_name": pl.String,
    "dimensions": pl.String,  # the object's JSON text, so that no extra dimension is lost
    "period": pl.Int64,
    "stat": pl.String,
    "timestamp": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
}
_BLOCK = 16 << 20
_NEEDED = ("metric_name", "dimensions", "stat", "period", "timestamp")
_EXACT = {"EndpointName", "VariantName"}


def read_in_bulk(data: bytes, file: ExportFile) -> Reading | None:
    """The reading of a file of metric rows; None when any line is not exactly that."""
    collector = Collector(file)
    numbers: dict[tuple[object, ...], int] = {}
    frames: list[pl.DataFrame] = []
    for block in _blocks(data):
        try:
            rows = pl.read_ndjson(block, schema=_SCHEMA)
        except pl.exceptions.PolarsError:
            return None
        if any(rows[column].null_count() for column in _NEEDED):
            return None
        frames.append(_usable(_numbered(rows, numbers), collector))
    if not frames:
        return None
    described = (dict(zip(_DESCRIPTOR, key, strict=True)) for key in numbers)
    series = tuple(row_series(row, row["dimensions"]) for row in described)
    return reading(collector, series, pl.concat(frames))


def _blocks(data: bytes) -> Iterator[bytes]:
    """The data in blocks of whole lines, so that only one block's texts are held at a time."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + _BLOCK) + 1 or len(data)
        yield data[start:end]
        start = end


def _numbered(rows: pl.DataFrame, numbers: dict[tuple[object, ...], int]) -> pl.DataFrame:
    """(series, timestamp, value) of the rows; a series not met before is added to `numbers`."""
    described = rows.select(_DESCRIPTOR).unique(maintain_order=True)
    series = [numbers.setdefault(key, len(numbers)) for key in described.rows()]
    keys = described.with_columns(pl.Series("series", series, dtype=POINTS["series"]))
    joined = rows.join(keys, on=_DESCRIPTOR, nulls_equal=True)
    return joined.select("series", "timestamp", "value")


def row_series(row: Mapping[str, object], dimensions: object) -> Series:
    """The series a metric row belongs to."""
    endpoint, variant, state = dimensions_of(dimensions)
    return Series(
        metric_name=text_of(row.get("metric_name")) or "",
        stat=text_of(row.get("stat")) or "",
        namespace=text_of(row.get("namespace")),
        endpoint=endpoint,
        variant=variant,
        dimensions=state,
        period_s=period_of(row.get("period")),
        unit=text_of(row.get("unit")),
    )


def _usable(numbered: pl.DataFrame, collector: Collector) -> pl.DataFrame:
    """Times understood, each distinct text once; what is no time or no number is counted."""
    texts = numbered["timestamp"].unique().to_list()
    moments = {text: moment_of(text) for text in texts}
    if any(moment and moment[1] for moment in moments.values()):
        collector.remarks.add(("naive-time", ""))
    known = {text: moment[0] for text, moment in moments.items() if moment}
    times = pl.DataFrame(
        {"text": list(known), "moment": list(known.values())},
        schema={"text": pl.String, "moment": pl.Int64},
    )
    dated = numbered.join(times, left_on="timestamp", right_on="text")
    usable = dated.filter(pl.col("value").is_finite().fill_null(value=False))
    collector.dropped["bad-time"] += numbered.height - dated.height
    collector.dropped["non-finite"] += dated.height - usable.height
    return usable.select("series", pl.col("moment").alias("timestamp"), "value")


def dimensions_of(value: object) -> tuple[str | None, str | None, Dimensions]:
    """(endpoint, variant, state) of a dimension set: an object, its JSON text, or Name/Value pairs.

    >>> dimensions_of({"EndpointName": "e", "VariantName": "v", "InstanceId": "i-1"})
    ('e', 'v', 'extra')
    """
    if isinstance(value, str):
        return _dimensions_of_text(value)
    if isinstance(value, list):
        value = {
            pair["Name"]: pair.get("Value")
            for pair in value
            if isinstance(pair, dict) and isinstance(pair.get("Name"), str)
        }
    if not isinstance(value, dict):
        return None, None, "unsaid" if value is None else "missing"
    endpoint, variant = text_of(value.get("EndpointName")), text_of(value.get("VariantName"))
    if endpoint is None or variant is None:
        return endpoint, variant, "missing"
    return endpoint, variant, "exact" if set(value) == _EXACT else "extra"


@lru_cache(maxsize=1 << 14)
def _dimensions_of_text(text: str) -> tuple[str | None, str | None, Dimensions]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None, None, "missing"
    return dimensions_of(parsed) if isinstance(parsed, (dict, list)) else (None, None, "missing")
