"""What a replay measured of each request: the distribution of both variants and their statistics.

In: the tables replay_latency and replay_distribution. Out: blocks of the latency page; nothing
there is of CloudWatch.
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
    return [_drawn(distribution), _numbers(latency)]


def _drawn(distribution: pl.DataFrame) -> Chart:
    return Chart(
        "distribution",
        "Response times of both variants",
        "Number of requests by response time, production's model and the shadow, on a logarithmic "
        "axis.",
        distribution.rename({"lower_ms": "lower", "upper_ms": "upper", "requests": "value"}),
        caption=(
            "Requests that every variant answered, after warm-up, each step a quarter of an "
            "octave wide. Equal distributions do not mean equal times for the same request."
        ),
        x_title="response time, ms",
        y_title="requests",
        x_log=True,
    )


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
