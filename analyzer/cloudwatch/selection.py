"""The one canonical table of the two variants' points, whatever the files and their order.

In: readings of any number of files -> one frame without repetition. Out: parsing (`reading`) and
which series is whose (`placing`). Every point read is kept, a repetition, or counted.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from analyzer.cloudwatch.dropped import FileUse
from analyzer.cloudwatch.placing import Place, Wanted, endpoints_in, placed, variants_in
from analyzer.cloudwatch.remarks import notes_of
from analyzer.cloudwatch.vocabulary import KNOWN, conversion
from analyzer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.cloudwatch.reading import Reading
    from analyzer.model import Note

Column = pl.DataType | type[pl.DataType]
POINT_SCHEMA: dict[str, Column] = {
    "role": pl.String,
    "endpoint": pl.String,
    "variant": pl.String,
    "namespace": pl.String,
    "metric_name": pl.String,
    "stat": pl.String,
    "period_s": pl.Int64,
    "timestamp": pl.Datetime("us", "UTC"),
    "value": pl.Float64,
    "unit": pl.String,
}
_ROUNDING = 1e-6
"""Relative difference below which two exports of one point agree."""


@dataclass(frozen=True)
class MetricExport:
    """The metrics of the two variants.

    Attributes:
        points: one row a point, `POINT_SCHEMA`; latencies in ms, counts as counts, utilisation in
            percent; `role` null where only a variant's name is known. Sorted and unique.
        dropped: reason -> rows not used; `duplicate` are repetitions of a point that is kept.
        endpoints: every endpoint the rows of known metrics name, used or not.
        variants: every variant the usable rows name, of any endpoint.
        digest: sha256 of the points, the same for any order and repetition of files.
        files: exports read.
        uses: what became of the points of every file, in the order read.
    """

    points: pl.DataFrame
    dropped: dict[str, int]
    endpoints: tuple[str, ...]
    variants: tuple[str, ...]
    notes: tuple[Note, ...]
    digest: str
    files: int
    uses: tuple[FileUse, ...] = ()


def select(
    readings: Sequence[Reading], endpoint: str | None, variants: Mapping[str, str]
) -> MetricExport:
    """The points of `variants` (role -> name) of `endpoint`; of every variant when none is named.

    Raises:
        InputError: a unit contradicts its metric, or two exports disagree about one point.
        UsageError: one role's rows come from several endpoints or variants.
    """
    by_file = [Counter(reading.dropped) for reading in readings]
    wanted = placed(readings, endpoint, variants, by_file)
    places = sorted({one.place for one in wanted}, key=_order)
    gathered = _gathered(readings, wanted, places)
    usable = gathered.filter((pl.col("value") >= 0) & pl.col("value").is_finite())
    distinct = _distinct(usable, places, readings)
    uses = tuple(_uses(readings, by_file, gathered, usable))
    dropped: Counter[str] = sum((Counter(use.dropped) for use in uses), Counter())
    dropped["duplicate"] += usable.height - distinct.height
    points = _table(distinct, places)
    remarks = _unaligned(points).union(
        *(reading.remarks for reading in readings), *(one.remarks for one in wanted)
    )
    return MetricExport(
        points=points,
        dropped={reason: dropped[reason] for reason in sorted(dropped) if dropped[reason]},
        endpoints=endpoints_in(readings),
        variants=variants_in(readings),
        notes=notes_of(remarks),
        digest=_digest(points),
        files=sum(1 for reading in readings if reading.series),
        uses=uses,
    )


def _uses(
    readings: Sequence[Reading],
    dropped: Sequence[Counter[str]],
    gathered: pl.DataFrame,
    usable: pl.DataFrame,
) -> Iterator[FileUse]:
    """Usable points and dropped ones of every file; a repetition is usable."""
    given, kept = (dict(one.group_by("file").len().rows()) for one in (gathered, usable))
    for number, reading in enumerate(readings):
        points = kept.get(number, 0)
        negative = Counter({"negative-value": given.get(number, 0) - points})
        counts = dropped[number] + negative
        yield FileUse(reading.file.origin, points, dict(sorted(counts.items())))


_GATHERED = {"place": pl.UInt32, "file": pl.UInt32, "timestamp": pl.Int64, "value": pl.Float64}
_KEYS = {"series": pl.UInt32, "place": pl.UInt32, "multiply": pl.Float64, "divide": pl.Float64}


def _gathered(
    readings: Sequence[Reading], wanted: Sequence[Wanted], places: Sequence[Place]
) -> pl.DataFrame:
    """(place, file, timestamp, value) of every wanted point, in its canonical unit."""
    numbers = {place: number for number, place in enumerate(places)}
    keys: dict[int, list[tuple[int, int, float, float]]] = {}
    for one in wanted:
        convert = one.conversion
        key = (one.series, numbers[one.place], convert.multiply, convert.divide)
        keys.setdefault(one.reading, []).append(key)
    frames = [
        readings[index]
        .points.join(pl.DataFrame(rows, schema=_KEYS, orient="row"), on="series")
        .select(
            "place",
            pl.lit(index, dtype=pl.UInt32).alias("file"),
            "timestamp",
            pl.col("value") * pl.col("multiply") / pl.col("divide"),
        )
        for index, rows in keys.items()
    ]
    return pl.concat([pl.DataFrame(schema=_GATHERED), *frames])


def _distinct(
    points: pl.DataFrame, places: Sequence[Place], readings: Sequence[Reading]
) -> pl.DataFrame:
    """Each point once; the smaller value where repetitions differ by rounding.

    Raises:
        InputError: repetitions differ by more.
    """
    spans = points.group_by("place", "timestamp").agg(
        low=pl.col("value").min(), high=pl.col("value").max()
    )
    differing = spans.filter(pl.col("high") - pl.col("low") > _ROUNDING * pl.col("high"))
    if not differing.is_empty():
        named = [(repr(places[row[0]]), *row) for row in differing.rows()]
        _, place, timestamp, low, high = min(named)
        same = points.filter(pl.col("place") == place, pl.col("timestamp") == timestamp)
        files = {
            value: min(readings[file].file.name for file in same.filter(value=value)["file"])
            for value in (low, high)
        }
        raise InputError(_conflict(places[place], timestamp, files), code="conflicting-points")
    _refuse_crowding(spans, places)
    return spans.select("place", "timestamp", value="low")


def _refuse_crowding(points: pl.DataFrame, places: Sequence[Place]) -> None:
    """One period has one point: of two that start inside it, only one could be judged.

    Raises:
        InputError: two exports of a series begin their periods at different times.
    """
    lengths = [1_000_000 * place.period_s for place in places]
    periods = pl.DataFrame(
        {"place": range(len(places)), "length": lengths},
        schema={"place": pl.UInt32, "length": pl.Int64},
    )
    crowded = (
        points.join(periods, on="place")
        .group_by("place", pl.col("timestamp") // pl.col("length"))
        .agg(at=pl.col("timestamp").min(), starts=pl.len())
        .filter(pl.col("starts") > 1)
    )
    if crowded.is_empty():
        return
    _, number, at = min((repr(places[row[0]]), row[0], row[2]) for row in crowded.rows())
    raise InputError(
        f"{_named(places[number], at)} is not alone in its period: exports that start at "
        "different times were mixed; keep one of them",
        code="conflicting-points",
    )


def _conflict(place: Place, timestamp: int, files: Mapping[float, str]) -> str:
    values = ", ".join(f"{value:.9g} in {name}" for value, name in files.items())
    return f"{_named(place, timestamp)} has two values: {values}; keep the export that is right"


def _named(place: Place, timestamp: int) -> str:
    """One point in words."""
    at = datetime.fromtimestamp(timestamp / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    who = " ".join(name for name in (place.role, place.variant) if name)
    return f"{place.metric_name} {place.stat} ({place.period_s} s) of {who} at {at}"


def _order(place: Place) -> tuple[str, str, str, int, str, str]:
    """The table's order, but for time."""
    names = (place.endpoint or "", place.variant or "")
    return (place.role or "", place.metric_name, place.stat, place.period_s, *names)


def _table(distinct: pl.DataFrame, places: Sequence[Place]) -> pl.DataFrame:
    """The canonical table of distinct points; `places` are in order."""
    columns = {
        "place": range(len(places)),
        "role": [place.role for place in places],
        "endpoint": [place.endpoint for place in places],
        "variant": [place.variant for place in places],
        "namespace": [KNOWN[place.metric_name].namespace for place in places],
        "metric_name": [place.metric_name for place in places],
        "stat": [place.stat for place in places],
        "period_s": [place.period_s for place in places],
        "unit": [conversion(KNOWN[one.metric_name], one.stat, None).unit for one in places],
    }
    schema: dict[str, Column] = {name: POINT_SCHEMA.get(name, pl.UInt32) for name in columns}
    series = pl.DataFrame(columns, schema=schema).with_columns(
        rank=pl.struct("role", "metric_name", "stat", "period_s").rle_id()
    )
    return (
        distinct.join(series, on="place")
        .sort("rank", "timestamp", "place")
        .with_columns(
            pl.from_epoch("timestamp", time_unit="us").dt.replace_time_zone("UTC"),
            pl.col("value").abs(),  # the sign of zero is not worth two digests
        )
        .select(*POINT_SCHEMA)
    )


def _unaligned(points: pl.DataFrame) -> frozenset[tuple[str, str]]:
    late = points.filter(
        pl.col("timestamp").dt.epoch("us") % (pl.col("period_s") * 1_000_000) != 0
    ).select("metric_name", "stat", "period_s")
    return frozenset(
        ("unaligned", f"{metric} {stat} ({period} s)")
        for metric, stat, period in late.unique().rows()
    )


def _digest(points: pl.DataFrame) -> str:
    """sha256 over each series' names, times and values, in the table's order."""
    whole = hashlib.sha256()
    names = [name for name in POINT_SCHEMA if name not in {"timestamp", "value"}]
    points = points.with_columns(pl.col("timestamp").dt.epoch("us"))
    for key, series in points.partition_by(names, as_dict=True, maintain_order=True).items():
        whole.update(json.dumps(key).encode())
        whole.update(series["timestamp"].to_numpy().astype("<i8").tobytes())
        whole.update(series["value"].to_numpy().astype("<f8").tobytes())
    return f"sha256:{whole.hexdigest()}"
