"""What a replay measured of each request: the distribution of both variants and their statistics.

In: the tables replay_latency, replay_quantiles and replay_distribution. Out: blocks of the latency
page; nothing there is of CloudWatch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import NONE, counted, plain, relative
from analyzer.report.content.page import Block, Chart, Column, Missing, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAD = "Both variants answered the same requests on the same machine; each pair counts once."
LIMITS = (
    "A request that failed is counted whether or not it left a capture record: outcomes come from "
    "the replay's own replay.parquet. How failures differ behind a load balancer, under "
    "autoscaling or on another instance type, a replay does not show."
)
_MEANS = {
    "response": "from the moment it was meant to be sent",
    "service": "from the moment it was sent",
}


def replay_blocks(tables: Mapping[str, pl.DataFrame]) -> list[Block]:
    """How long requests took, drawn and in numbers."""
    latency, distribution = tables.get("replay_latency"), tables.get("replay_distribution")
    if latency is None or distribution is None or not latency["requests"].sum():
        text = "No request of the window was timed on every variant of the replay."
        advice = "Replay with --baseline, and give the captures that were replayed."
        return [Missing("Response times", text, advice)]
    drawn = [_drawn(distribution, latency), *_shifted(tables.get("replay_quantiles"))]
    return [*drawn, _numbers(latency)]


def _drawn(distribution: pl.DataFrame, latency: pl.DataFrame) -> Chart:
    upto = pl.col("requests").cum_sum() / pl.col("requests").sum()
    return Chart(
        "cumulative",
        _half(latency),
        "Share of requests that took at most so long, production's model and the shadow, on a "
        "logarithmic axis.",
        distribution.select(
            "role",
            pl.col("upper_ms").alias("value"),
            upto.over("role").alias("share"),
        ),
        caption=(
            "Requests that every variant answered, after warm-up. Equal distributions do not mean "
            "equal times for the same request."
        ),
        x_title="response time, ms",
        y_title="requests at or below",
    )


def _half(latency: pl.DataFrame) -> str:
    """The medians in a sentence, of the variants that have one."""
    median = latency.filter(pl.col("kind") == "response", pl.col("stat") == "p50")
    said = [
        f"{plain(level)} ms ({role})"
        for role in ("production", "shadow")
        for level in median[f"{role}_ms"].drop_nulls()
    ]
    return f"Half of the requests took up to {' and '.join(said)}" if said else "Response times"


def _shifted(quantiles: pl.DataFrame | None) -> list[Block]:
    """The change along the distribution; nothing where no baseline was timed."""
    if quantiles is None or quantiles.is_empty():
        return []
    far = quantiles.sort(pl.col("shift").abs(), descending=True).row(0, named=True)
    named = f"{relative(1 + far['shift'])}, at p{round(100 * far['share'])}"
    return [
        Chart(
            "shift",
            f"Response times by percentile: the largest change is {named}",
            "By how much each percentile of the shadow's response times lies above the same "
            "percentile of production's, with its interval.",
            quantiles.select("share", "shift", "lower", "upper"),
            caption=(
                "Each interval is the one a judged percentile has, and holds for itself, not for "
                "all at once. Rising to the right: the slow requests become slower still."
            ),
            x_title="percentile of the response times",
            y_title="shadow against production",
            y_share=True,
        )
    ]


def _numbers(latency: pl.DataFrame) -> Table:
    rows = [_row(row) for row in latency.iter_rows(named=True)]
    shifts = latency.filter(pl.col("kind") == "response")["shift"].drop_nulls()
    typical = (
        f" The same request typically takes {relative(math.exp(shifts[0]))} (Hodges-Lehmann)."
        if len(shifts)
        else ""
    )
    requests = int(latency["requests"].max() or 0)  # type: ignore[arg-type]
    return Table(
        "Latency by request",
        (
            Column("time"),
            Column("statistic"),
            Column("production, ms", "right"),
            Column("shadow, ms", "right"),
            Column("change", "right"),
        ),
        tuple(rows),
        caption=(
            f"{counted(requests, 'request')} timed; response is {_MEANS['response']}, service "
            f"{_MEANS['service']}. Response is judged, see the table above.{typical}"
        ),
    )


def _row(row: Mapping[str, object]) -> tuple[str, ...]:
    theta = row["theta"]
    levels = (row["production_ms"], row["shadow_ms"])
    return (
        str(row["kind"]),
        str(row["stat"]),
        *(plain(level) if isinstance(level, float) else NONE for level in levels),
        relative(math.exp(theta)) if isinstance(theta, float) else NONE,
    )
