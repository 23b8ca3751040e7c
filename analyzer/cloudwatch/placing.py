"""Which series belong to which variant: every question about a series, asked once for all of it.

In: descriptors of series -> places in the canonical table, or the reason why not. Out: their
points. Nothing is guessed: a series whose variant is unnamed or ambiguous is not used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzer.cloudwatch.naming import role_of
from analyzer.cloudwatch.vocabulary import KNOWN, Conversion, conversion, statistic
from analyzer.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.cloudwatch.reading import Reading, Series


@dataclass(frozen=True)
class Place:
    """Where a series' points go in the canonical table."""

    role: str | None
    endpoint: str | None
    variant: str | None
    metric_name: str
    stat: str
    period_s: int


@dataclass(frozen=True)
class Wanted:
    """One series of one file that belongs to the table."""

    reading: int
    series: int
    place: Place
    conversion: Conversion
    remarks: frozenset[tuple[str, str]]


def placed(
    readings: Sequence[Reading],
    endpoint: str | None,
    variants: Mapping[str, str],
    dropped: Sequence[Counter[str]],
) -> list[Wanted]:
    """Every series that belongs to the table; points of the others are added to `dropped`.

    Args:
        readings: one per file.
        endpoint: only its series; None for any.
        variants: role -> name.
        dropped: reason -> points, for each reading.

    Raises:
        InputError: a unit contradicts its metric.
        UsageError: one role's rows come from several endpoints or variants.
    """
    wanted: list[Wanted] = []
    for index, reading in enumerate(readings):
        sizes = dict(reading.points.group_by("series").len().rows())
        for number, series in enumerate(reading.series):
            reason = _unwanted(series, endpoint)
            places = [] if reason else list(_places(series, variants))
            if not places and sizes.get(number):
                dropped[index][reason or _unplaced(series)] += sizes[number]
            wanted += [_wanted(index, number, place, reading) for place in places]
    return _unified(wanted, endpoint, variants)


def endpoints_in(readings: Sequence[Reading]) -> tuple[str, ...]:
    """Every endpoint named by a series of a known metric, sorted."""
    named = (one.endpoint for reading in readings for one in reading.series if _known(one))
    return tuple(sorted({name for name in named if name}))


def variants_in(readings: Sequence[Reading], endpoint: str | None = None) -> tuple[str, ...]:
    """Every variant named by a series that could be used (of one endpoint), sorted."""
    usable = (one for reading in readings for one in reading.series if not _unwanted(one, endpoint))
    return tuple(sorted({one.variant for one in usable if one.variant}))


def _known(series: Series) -> bool:
    metric = KNOWN.get(series.metric_name)
    return metric is not None and series.namespace in {None, metric.namespace}


def _unwanted(series: Series, endpoint: str | None) -> str | None:
    """Why a series cannot belong to the two variants, whichever they are."""
    if not _known(series):
        return "other-metric"
    if series.dimensions in {"extra", "missing"}:
        return f"{series.dimensions}-dimensions"
    if endpoint is not None and series.endpoint not in {None, endpoint}:
        return "other-endpoint"
    if statistic(series.stat) is None:
        return "other-statistic"
    return None if series.period_s else "unknown-period"


def _unplaced(series: Series) -> str:
    return "other-variant" if series.variant else "unnamed-variant"


def _places(series: Series, variants: Mapping[str, str]) -> Iterator[Place]:
    """The places of a wanted series: none, one, or both roles when one variant is both."""
    for role in _roles(series, variants):
        yield Place(
            role=role,
            endpoint=series.endpoint,
            variant=series.variant or variants.get(role or ""),
            metric_name=series.metric_name,
            stat=statistic(series.stat) or series.stat,
            period_s=series.period_s or 0,
        )


def _roles(series: Series, variants: Mapping[str, str]) -> list[str | None]:
    """The roles of a series: its variant's, else the one given with the file, else the hinted one.

    `None` stands for a named variant whose role is not known yet.
    """
    if series.role and series.role not in variants:
        return [series.role]
    if series.variant:
        named: list[str | None] = [role for role in variants if variants[role] == series.variant]
        return named if variants else [None]
    hinted = (role_of(hint, variants) for hint in series.hints)
    role = series.role or next((one for one in hinted if one), None)
    return [role] if role else []


def _wanted(index: int, number: int, place: Place, reading: Reading) -> Wanted:
    series = reading.series[number]
    try:
        convert = conversion(KNOWN[place.metric_name], place.stat, series.unit)
    except InputError as error:
        raise InputError(f"{reading.file.name}: {error}", code=error.code) from None
    codes = (*series.remarks, *(("unit-assumed",) if convert.assumed else ()))
    subject = f"{place.metric_name} {place.stat}"
    remarks = frozenset(
        (code, f"{subject} ({place.period_s} s)" if code == "period-inferred" else subject)
        for code in codes
    )
    return Wanted(index, number, place, convert, remarks)


def _unified(
    wanted: Sequence[Wanted], endpoint: str | None, variants: Mapping[str, str]
) -> list[Wanted]:
    """The same places with the names other exports gave, so that one point has one place."""
    with_role = [one for one in wanted if one.place.role]
    endpoints = {one.place.endpoint for one in with_role} - {None}
    if len(endpoints) > 1:
        _refuse("metric exports name several endpoints", endpoints, "choose with --endpoint")
    only_endpoint = endpoint or next(iter(endpoints), None)
    names: dict[str | None, str | None] = {}
    for role in sorted({one.place.role or "" for one in with_role}):
        found = {one.place.variant for one in with_role if one.place.role == role} - {None}
        if len(found) > 1:
            _refuse(f"metrics of several variants as {role}", found, f"choose with --{role}")
        names[role] = variants.get(role) or next(iter(found), None)
    return [
        replace(
            one,
            place=replace(one.place, endpoint=only_endpoint, variant=names[one.place.role]),
        )
        if one.place.role
        else one
        for one in wanted
    ]


def _refuse(what: str, names: set[str | None], advice: str) -> None:
    listed = ", ".join(sorted(str(name) for name in names))
    raise UsageError(f"{what}: {listed}; {advice}", code="ambiguous-metrics")
