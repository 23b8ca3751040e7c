"""The window a run analyses: half open, UTC, asked for or found from the data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from analyzer.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

Span = tuple[datetime | None, datetime | None]
"""The ends a person asked for; None where it is left to the data."""

_MINUTE = timedelta(minutes=1)


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
        UsageError: not ISO 8601.
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{flag} {text}: expected ISO 8601 such as 2026-11-20T00:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def captured_window(
    extent: Mapping[str, tuple[datetime, datetime]], span: Span
) -> tuple[datetime, datetime]:
    """Where both variants have captures, in whole minutes; the flags' ends where they are given.

    Args:
        extent: role -> earliest and latest inferenceTime.
        span: the ends asked for.

    Raises:
        InputError: no usable record at all.
    """
    if not extent:
        raise InputError("no usable capture record: every line was rejected; see the rejects")
    since, until = span
    first = max(times[0] for times in extent.values())
    last = min(times[1] for times in extent.values())
    return since or _floor(first), until or _floor(last) + _MINUTE


def measured_window(points: pl.DataFrame, span: Span) -> tuple[datetime, datetime]:
    """Where both variants have metric points; the flags' ends where they are given.

    Raises:
        InputError: a variant has no points, and the flags do not settle the window.
    """
    since, until = span
    if since is not None and until is not None:
        return since, until
    ends = (pl.col("timestamp") + pl.duration(seconds="period_s")).max().alias("last")
    spans = (
        points.drop_nulls("role")
        .group_by("role")
        .agg(pl.col("timestamp").min().alias("first"), ends)
    )
    if spans.height < len(("production", "shadow")):
        seen = ", ".join(spans["role"].to_list()) or "neither variant"
        raise InputError(f"--cloudwatch: metric points of {seen} only; both variants are needed")
    first: datetime = max(spans["first"].to_list())
    last: datetime = min(spans["last"].to_list())
    return since or first, until or last


def _floor(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
