"""Tables of the bundle as frames a chart can draw: long, thinned, gaps kept as nulls.

In: a bundle table. Out: at most `MOST_POINTS` rows a chart. Thinning averages whole buckets of
minutes and never bridges one without data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_POINTS = 2_000
ROLES = ("production", "shadow")


def overlay(minutes: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """Both variants' column `<role>_<suffix>` over time, each minute weighted by its invocations.

    Gives: timestamp, role, value (null = gap); empty when neither column has data.
    """
    parts = [
        _thinned(
            minutes,
            (pl.col(f"{role}_{suffix}") * pl.col(f"{role}_invocations")).sum()
            / pl.col(f"{role}_invocations").filter(pl.col(f"{role}_{suffix}").is_not_null()).sum(),
            role,
        )
        for role in ROLES
        if f"{role}_{suffix}" in minutes.columns
    ]
    return _long(parts)


def totals(minutes: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """Mean per minute of a count column of both variants; gives timestamp, role, value."""
    parts = [
        _thinned(minutes, pl.col(f"{role}_{suffix}").mean(), role)
        for role in ROLES
        if f"{role}_{suffix}" in minutes.columns
    ]
    return _long(parts)


def error_share(minutes: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """Errors per invocation of both variants over time; gives timestamp, role, value (share)."""
    parts = [
        _thinned(
            minutes,
            pl.col(f"{role}_{suffix}").sum()
            / pl.col(f"{role}_invocations").filter(pl.col(f"{role}_{suffix}").is_not_null()).sum(),
            role,
        )
        for role in ROLES
        if f"{role}_{suffix}" in minutes.columns
    ]
    return _long(parts)


def by_role(frame: pl.DataFrame, columns: Mapping[str, str], keys: tuple[str, ...]) -> pl.DataFrame:
    """Wide columns (role -> column) as rows, thinned alike; gives keys, role, value."""
    every = max(1, -(-frame.height * len(columns) // MOST_POINTS))
    thin = frame.gather_every(every)
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


def _thinned(minutes: pl.DataFrame, value: pl.Expr, role: str) -> pl.DataFrame:
    """One row per bucket on a gapless grid; a bucket without data is null."""
    if minutes.is_empty():
        return pl.DataFrame(
            schema={"timestamp": pl.Datetime("us", "UTC"), "role": pl.String, "value": pl.Float64}
        )
    span = minutes["timestamp"].max() - minutes["timestamp"].min()  # type: ignore[operator]
    whole = int(span.total_seconds() // 60) + 1  # type: ignore[union-attr]
    bucket = f"{-(-whole * len(ROLES) // MOST_POINTS)}m"
    return (
        minutes.sort("timestamp")
        .group_by_dynamic("timestamp", every=bucket)
        .agg(value.alias("value"))
        .upsample("timestamp", every=bucket)
        .select(
            "timestamp",
            pl.lit(role).alias("role"),
            pl.when(pl.col("value").is_finite()).then(pl.col("value")).alias("value"),
        )
    )


def _long(parts: list[pl.DataFrame]) -> pl.DataFrame:
    if not parts or all(part["value"].null_count() == part.height for part in parts):
        return pl.DataFrame(
            schema={"timestamp": pl.Datetime("us", "UTC"), "role": pl.String, "value": pl.Float64}
        )
    return pl.concat(parts)
