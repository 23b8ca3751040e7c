"""Points as an export gives them: one descriptor per series, then bare times and values.

In: the types every reader fills, and how a time and a number are understood. Out: whether a series
is wanted at all, its unit and its role, which `selection` decides once for the whole series.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import polars as pl

from analyzer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.cloudwatch.files import ExportFile

POINTS = {"series": pl.UInt32, "timestamp": pl.Int64, "value": pl.Float64}
"""`timestamp` in microseconds since 1970 UTC, `value` in the export's own unit."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND_US, _MILLISECOND_US = 1_000_000, 1_000
_SECONDS_BELOW = 10**11
"""Larger numbers are milliseconds; as seconds this is the year 5138, past which no time is real."""
_EPOCH_DIGITS = 9

Dimensions = Literal["exact", "extra", "missing", "unsaid"]


@dataclass(frozen=True)
class Series:
    """One series as its export describes it; None where the export does not say.

    Attributes:
        dimensions: whether they are exactly {EndpointName, VariantName}; "unsaid" when the shape
            has no room for them.
        stat: the statistic in the export's own spelling.
        hints: texts that may name the variant, the best first; used only without a variant.
        period_hint: a period some name mentions; the points may prove it wrong.
        role: the role the user gave for the whole file.
        remarks: codes of what had to be assumed to describe the series.
    """

    metric_name: str
    stat: str
    namespace: str | None = None
    endpoint: str | None = None
    variant: str | None = None
    dimensions: Dimensions = "unsaid"
    period_s: int | None = None
    period_hint: int | None = None
    unit: str | None = None
    hints: tuple[str, ...] = ()
    role: str | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What one file gave.

    Attributes:
        points: columns as in `POINTS`; `series` indexes the tuple.
        dropped: reason -> rows not used.
        remarks: (code, subject) of everything worth a note.
    """

    file: ExportFile
    series: tuple[Series, ...]
    points: pl.DataFrame
    dropped: Counter[str]
    remarks: frozenset[tuple[str, str]]


@dataclass
class Collector:
    """Gathers the points of one file one at a time, and counts what is not a point."""

    file: ExportFile
    dropped: Counter[str] = field(default_factory=Counter)
    remarks: set[tuple[str, str]] = field(default_factory=set)
    _numbers: dict[Series, int] = field(default_factory=dict)
    _series: list[int] = field(default_factory=list)
    _timestamps: list[int] = field(default_factory=list)
    _values: list[float] = field(default_factory=list)

    @property
    def hints(self) -> tuple[str, ...]:
        """The file's name, then the folders it was found in: texts that may name a variant."""
        if self.file.given:
            return (self.file.path.name,)
        *folders, name = self.file.name.split("/")
        return (name, *(f"{folder}/" for folder in reversed(folders)))

    def number(self, series: Series) -> int:
        """The series' index; the first call with a series makes it."""
        return self._numbers.setdefault(series, len(self._numbers))

    def add(self, series: int, at: object, value: object) -> None:
        """Keep one point, or count why not."""
        self.add_all([(series, value)], at)

    def add_all(
        self, points: Sequence[tuple[int, object]], at: object, *, floor_us: int = 1
    ) -> None:
        """Keep the (series, value) points of one time, rounded down to a multiple of `floor_us`."""
        moment = moment_of(at)
        if moment is None:
            self.dropped["bad-time"] += len(points)
            return
        timestamp = moment[0] // floor_us * floor_us
        if moment[1]:
            self.remarks.add(("naive-time", ""))
        for series, value in points:
            number = finite(value)
            if number is None:
                self.dropped["non-finite"] += 1
                continue
            self._series.append(series)
            self._timestamps.append(timestamp)
            self._values.append(number)

    def problem(self, reason: str, text: str) -> None:
        """Refuse a file the user named; count and name one found in a folder.

        Raises:
            InputError: the user named this very file.
        """
        if self.file.given:
            raise InputError(f"{self.file.name}: {text}", code=reason)
        self.dropped[reason] += 1
        if reason != "not-an-export":
            self.remarks.add((reason, f"{self.file.name}: {text}"))

    def reading(self) -> Reading:
        """Everything gathered."""
        columns = (self._series, self._timestamps, self._values)
        points = pl.DataFrame(dict(zip(POINTS, columns, strict=True)), schema=POINTS)
        return reading(self, tuple(self._numbers), points)


def reading(collector: Collector, series: tuple[Series, ...], points: pl.DataFrame) -> Reading:
    """The file's reading; a series without a period gets the hinted one or its smallest spacing.

    A series of one point takes the smallest spacing in the file; without any it has no period.
    """
    wanting = [number for number, one in enumerate(series) if one.period_s is None]
    described = [replace(one, role=collector.file.role) for one in series]
    if wanting:
        spacings = _spacings(points.filter(pl.col("series").is_in(wanting)))
        smallest = min(spacings.values(), default=None)
        for number in wanting:
            described[number] = _timed(described[number], spacings.get(number), smallest)
    return Reading(
        collector.file,
        tuple(described),
        points,
        collector.dropped,
        frozenset(collector.remarks),
    )


def _timed(series: Series, spacing: int | None, smallest: int | None) -> Series:
    hint = series.period_hint
    if hint and (spacing is None or spacing >= hint):
        return replace(series, period_s=hint)
    remarks = (*series.remarks, "period-inferred")
    return replace(series, period_s=spacing or smallest, remarks=remarks)


def _spacings(points: pl.DataFrame) -> dict[int, int]:
    """Series -> smallest distance between two of its points in whole seconds."""
    gaps = (
        points.unique(["series", "timestamp"])
        .sort("series", "timestamp")
        .with_columns(gap=pl.col("timestamp").diff().over("series") // _SECOND_US)
        .group_by("series")
        .agg(pl.col("gap").min())
        .filter(pl.col("gap") > 0)
    )
    return dict(gaps.rows())


def text_of(value: object) -> str | None:
    """A non-empty text that any encoder can write, else None."""
    if not isinstance(value, str) or not value:
        return None
    return value.encode("utf-8", "replace").decode()


def period_of(value: object) -> int | None:
    """A period in whole seconds from a number or its text, else None."""
    number = finite(value)
    whole = number is not None and number >= 1 and number == int(number) and number < 2**31
    return int(number) if whole and number is not None else None


def finite(value: object) -> float | None:
    """The number in `value`, itself or its text; None for anything without one finite value.

    >>> finite("12.5"), finite("Infinity"), finite(True)
    (12.5, None, None)
    """
    if type(value) is float:  # the common case of a million points
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def moment_of(value: object) -> tuple[int, bool] | None:
    """(microseconds since 1970 UTC, whether the text named no zone); None for no time.

    Numbers are seconds since 1970 below 1e11 and milliseconds from there on.

    >>> moment_of("1970-01-01T01:00:00+01:00"), moment_of(60_000_000_000_0), moment_of("1970-01-02")
    ((0, False), (600000000000000, False), (86400000000, True))
    """
    if isinstance(value, str):
        return _moment_of_text(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = finite(value)
    if number is None or abs(number) >= _SECONDS_BELOW * 1_000:
        return None
    unit = _SECOND_US if number < _SECONDS_BELOW else _MILLISECOND_US
    return _plausible(round(number * unit), naive=False)


def _plausible(timestamp: int, *, naive: bool) -> tuple[int, bool] | None:
    return (timestamp, naive) if 0 <= timestamp < _SECONDS_BELOW * _SECOND_US else None


@lru_cache(maxsize=1 << 16)
def _moment_of_text(text: str) -> tuple[int, bool] | None:
    stripped = text.strip()
    digits = stripped.partition(".")[0]
    if digits.isdecimal() and len(digits) >= _EPOCH_DIGITS:
        return moment_of(finite(stripped))
    try:
        moment = datetime.fromisoformat(stripped.replace("/", "-").removesuffix(" UTC"))
        naive = moment.tzinfo is None and not stripped.endswith(" UTC")
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return _plausible((aware - _EPOCH) // _MICROSECOND, naive=naive)
    except (ValueError, OverflowError):
        return None
