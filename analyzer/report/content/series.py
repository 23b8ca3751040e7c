"""Tables of the bundle as frames a chart can draw: long, thinned, gaps kept as nulls.

In: a bundle table. Out: at most `MOST_POINTS` rows a chart, and how long one point is, so that a
caption can say it. Thinning averages whole buckets of minutes and never bridges one without data.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_POINTS = 1_000
ROLES = ("production", "shadow")
_MINUTE = 60
_CLOCK = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440)
_TIME = pl.Datetime("us", "UTC")
_SCHEMA = pl.Schema({"timestamp": _TIME, "role": pl.String(), "value": pl.Float64()})


def overlay(minutes: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """Both variants' column `<role>_<suffix>` over time, each minute weighted by its invocations.

    Gives: timestamp, role, value (null = gap); empty when neither column has data.
    """

    def weighted(role: str) -> pl.Expr:
        level, sent = pl.col(f"{role}_{suffix}"), pl.col(f"{role}_invocations")
        return (level * sent).sum() / sent.filter(level.is_not_null()).sum()

    return _long(minutes, suffix, weighted)


def totals(minutes: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """Mean per minute of a count column of both variants; gives timestamp, role, value."""
    return _long(minutes, suffix, lambda role: pl.col(f"{role}_{suffix}").mean())


def error_share(minutes: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """Errors per invocation of both variants over time; gives timestamp, role, value (share)."""

    def share(role: str) -> pl.Expr:
        errors, sent = pl.col(f"{role}_{suffix}"), pl.col(f"{role}_invocations")
        return errors.sum() / sent.filter(errors.is_not_null()).sum()

    return _long(minutes, suffix, share)


def means(frame: pl.DataFrame) -> pl.DataFrame:
    """Plain means of the columns production and shadow over time; gives timestamp, role, value."""
    parts = [_thinned(frame, pl.col(role).mean(), role) for role in ROLES]
    return pl.concat(parts)


def by_role(frame: pl.DataFrame, columns: Mapping[str, str], keys: tuple[str, ...]) -> pl.DataFrame:
    """Wide columns (role -> column) as rows, thinned alike; gives keys, role, value."""
    thin = frame.gather_every(one_in(frame))
    return pl.concat(
        [
            thin.select(
                *keys,
                pl.lit(role).alias("role"),
                pl.col(column).cast(pl.Float64).alias("value"),
            )
            for role, column in columns.items()
        ]
    )


def one_in(frame: pl.DataFrame) -> int:
    """Which share of the rows `by_role` draws: one in so many."""
    return max(1, -(-frame.height * len(ROLES) // MOST_POINTS))


def point_minutes(frame: pl.DataFrame) -> int:
    """Minutes that one point of a thinned course stands for; never less than its own period."""
    seconds: list[int] = frame["timestamp"].unique().sort().dt.epoch("s").to_list()
    period = min((after - before for before, after in pairwise(seconds)), default=_MINUTE)
    whole = (seconds[-1] - seconds[0]) // _MINUTE + 1 if seconds else 1
    least = -(-whole * len(ROLES) // MOST_POINTS)
    period = max(1, period // _MINUTE)
    fitting = -(-least // period) * period
    # A clock has parts: 10 minutes are read at a glance, 9 are not.
    return next((part for part in _CLOCK if part >= fitting and not part % period), fitting)


def length(minutes: int) -> str:
    """A length of time in whole minutes or hours, as in "each 6 minutes".

    >>> length(1), length(6), length(60), length(120)
    ('minute', '6 minutes', 'hour', '2 hours')
    """
    unit, count = ("minute", minutes) if minutes % 60 else ("hour", minutes // 60)
    return unit if count == 1 else counted(count, unit)


def _long(minutes: pl.DataFrame, suffix: str, value: Callable[[str], pl.Expr]) -> pl.DataFrame:
    """Both variants below each other; empty when neither has a value."""
    parts = [
        _thinned(minutes, value(role), role)
        for role in ROLES
        if f"{role}_{suffix}" in minutes.columns
    ]
    if not parts or all(part["value"].null_count() == part.height for part in parts):
        return pl.DataFrame(schema=_SCHEMA)
    return pl.concat(parts)


def _thinned(frame: pl.DataFrame, value: pl.Expr, role: str) -> pl.DataFrame:
    """One row per bucket on a gapless grid; a bucket without data is null."""
    if frame.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    bucket = f"{point_minutes(frame)}m"
    return (
        frame.sort("timestamp")
        .group_by_dynamic("timestamp", every=bucket)
        .agg(value.alias("value"))
        .upsample("timestamp", every=bucket)
        .select(
            pl.col("timestamp").cast(_TIME),
            pl.lit(role).alias("role"),
            pl.when(pl.col("value").is_finite()).then(pl.col("value")).alias("value"),
        )
    )
