"""The window a run analyses: half open, UTC, asked for or found from the data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from analyzer.errors import InputError, UsageError
from analyzer.sources.objects import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

Span = tuple[datetime | None, datetime | None]
"""The ends a person asked for; None where it is left to the data."""

_MINUTE = timedelta(minutes=1)
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def asked_span(since: str | None, until: str | None) -> Span:
    """The ends as --since and --until give them.

    Raises:
        UsageError: not ISO 8601, or the end is not after the start.
    """
    start, end = moment(since, "--since"), moment(until, "--until")
    if start is not None and end is not None and start >= end:
        raise UsageError("--since must be before --until")
    return start, end


def moment(text: str | None, flag: str) -> datetime | None:
    """A point in time as a flag gives it: ISO 8601, UTC unless it says otherwise.

    Raises:
        UsageError: not ISO 8601, or of another age.
    """
    if text is None:
        return None
    said = f"{flag} {printable(text)}"
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{said}: expected ISO 8601 such as 2026-11-20T00:00Z") from None
    aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    # Compared first: in UTC, a moment of the calendar's first or last hours may have no date.
    if not _EARLIEST <= aware <= _LATEST:
        raise UsageError(
            f"{said}: expected a time from 1970 to 2199; leave the flag out for an open end"
        )
    return aware.astimezone(UTC)


def captured_window(
    extent: Mapping[str, tuple[datetime, datetime]], span: Span, *, apart: bool = False
) -> tuple[datetime, datetime]:
    """Where both variants have captures, in whole minutes; the flags' ends where they are given.

    Args:
        extent: earliest and latest inferenceTime of both roles.
        span: the ends asked for.
        apart: the variants did not run at the same time and need not have, as batch-transform
            jobs do not. The window is then all that either has.

    Raises:
        InputError: no capture lies in the window, or it ends before it starts.
    """
    since, until = span
    first = (min if apart else max)(times[0] for times in extent.values())
    last = (max if apart else min)(times[1] for times in extent.values())
    window = since or _floor(first), until or _floor(last) + _MINUTE
    _refuse_empty("captures", window, {role: extent[role] for role in sorted(extent)}, apart=apart)
    return window


def measured_window(points: pl.DataFrame, span: Span) -> tuple[datetime, datetime]:
    """Where both variants have metric points; the flags' ends where they are given.

    Raises:
        InputError: a variant has no points, and the flags do not settle the window; or no point
            lies in it, or it ends before it starts.
    """
    since, until = span
    ends = (pl.col("timestamp") + pl.duration(seconds="period_s")).max().alias("last")
    spans = (
        points.drop_nulls("role")
        .group_by("role")
        .agg(pl.col("timestamp").min().alias("first"), ends)
    )
    extent = {role: (first, last) for role, first, last in sorted(spans.rows())}
    if since is not None and until is not None:
        _refuse_empty("metric points", (since, until), extent)
        return since, until
    if spans.height < len(("production", "shadow")):
        seen = ", ".join(extent) or "neither variant"
        raise InputError(f"--cloudwatch: metric points of {seen} only; both variants are needed")
    first, last = (max(at for at, _ in extent.values()), min(at for _, at in extent.values()))
    window = since or first, until or last
    _refuse_empty("metric points", window, extent)
    return window


def _refuse_empty(
    what: str,
    window: tuple[datetime, datetime],
    extent: Mapping[str, tuple[datetime, datetime]],
    *,
    apart: bool = False,
) -> None:
    start, end = window
    inside = any(first < end and last >= start for first, last in extent.values())
    if start < end and inside:
        return
    spans = [
        f"{what} run from {_stamp(first)} to {_stamp(last)} ({role})"
        for role, (first, last) in extent.items()
    ]
    if extent and not apart and max(extent.values())[0] > min(last for _, last in extent.values()):
        raise InputError(
            f"nothing to judge: {' and '.join(extent)} have no time in common; "
            f"{', '.join(spans)}; give {what} of the same time",
            code="empty-window",
        )
    raise InputError(
        f"nothing to judge from {_stamp(start)} to {_stamp(end)}: "
        f"{', '.join(spans) or f'there are no {what}'}; choose --since and --until inside a time "
        "that both variants have",
        code="empty-window",
    )


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _floor(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
