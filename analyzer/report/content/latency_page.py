"""Page 2: how fast both variants answered, and what the interval did as the data came in.

In: the verdict and the tables minutes, running, percentiles, instances. Out: blocks; a table that
is not there becomes a sentence on how to get it. No distribution is drawn from per-minute
aggregates: they hold none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import period
from analyzer.model import Family
from analyzer.report.content import series
from analyzer.report.content.evidence import metric_table, ordered
from analyzer.report.content.page import Block, Chart, Missing, Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import Evidence, Verdict

EXPORT = (
    "Export the endpoint's metrics (aws cloudwatch get-metric-data; README, Prepare a test) and "
    "pass the folder as --cloudwatch."
)
_INSTANCES = (
    "CPUUtilization",
    "MemoryUtilization",
    "GPUUtilization",
    "GPUMemoryUtilization",
    "DiskUtilization",
)


def latency_page(verdict: Verdict, tables: Mapping[str, pl.DataFrame]) -> Page:
    """Latency of both variants: judged numbers first, then what they are made of."""
    blocks: list[Block] = []
    named = ordered(verdict, Family.LATENCY)
    if named:
        blocks.append(metric_table(verdict, named, "Latency metrics"))
    blocks += _per_minute(tables.get("minutes"))
    blocks += _running(verdict, tables.get("running"))
    blocks += _percentiles(verdict, tables.get("percentiles"))
    blocks += _load(tables.get("minutes"))
    blocks += _instances(tables.get("instances"))
    return Page(
        "latency",
        "Latency",
        tuple(blocks),
        "Both variants in the same minutes; each minute counts by production's traffic.",
    )


def _per_minute(minutes: pl.DataFrame | None) -> list[Block]:
    title = "Mean model latency per minute"
    if minutes is None or minutes.is_empty():
        return [Missing(title, "No latency per minute in this bundle.", EXPORT)]
    blocks: list[Block] = []
    for suffix, heading in (("latency_ms", title), ("overhead_ms", "Overhead latency per minute")):
        frame = series.overlay(minutes, suffix)
        if frame.is_empty():
            metric = "ModelLatency" if suffix == "latency_ms" else "OverheadLatency"
            blocks.append(Missing(heading, f"{metric} was not exported.", EXPORT))
            continue
        blocks.append(
            Chart(
                "overlay",
                heading,
                f"{heading} of production and shadow over the window; breaks are minutes "
                "without data.",
                frame,
                caption="Breaks in a line are minutes without data.",
                y_title="ms",
            )
        )
    return blocks


def _running(verdict: Verdict, running: pl.DataFrame | None) -> list[Block]:
    if running is None or running.is_empty():
        text = "The interval was not followed over time: too few minutes of both variants."
        return [Missing("How the interval narrowed", text, EXPORT)]
    blocks: list[Block] = []
    for metric in sorted(running["metric"].unique()):
        evidence = verdict.metrics.get(metric)
        frame = running.filter(pl.col("metric") == metric).select(
            "timestamp",
            *((pl.col(name) - 1).alias(name) for name in ("estimate", "lower", "upper")),
        )
        blocks.append(
            Chart(
                "running",
                f"How the interval narrowed: {metric}",
                f"Estimated change of {metric} and its anytime interval after each hour, "
                "against the margin.",
                frame,
                caption="The anytime interval may be read after any hour without losing its level.",
                limit=evidence.margin - 1 if evidence and evidence.margin else None,
                y_title="shadow against production",
            )
        )
    return blocks


def _percentiles(verdict: Verdict, percentiles: pl.DataFrame | None) -> list[Block]:
    if percentiles is None or percentiles.is_empty():
        text = "No percentiles in this bundle: p99 cannot be recovered from per-minute averages."
        return [Missing("Percentiles per period", text, EXPORT)]
    blocks: list[Block] = []
    columns = {role: f"{role}_ms" for role in series.ROLES}
    for stat in sorted(percentiles["stat"].unique()):
        part = percentiles.filter(pl.col("stat") == stat)
        period_s = _shown_period(verdict.metrics.get(f"latency_{stat}"), part)
        part = part.filter(pl.col("period_s") == period_s).sort("timestamp")
        if part.height < 2:  # noqa: PLR2004 - one point is no course over time
            continue
        title = f"{stat} per {period(period_s)}"
        blocks.append(
            Chart(
                "overlay",
                title,
                f"{title} of production and shadow, as CloudWatch computed it over each period.",
                series.by_role(part, columns, ("timestamp",)),
                y_title="ms",
            )
        )
    return blocks


def _shown_period(evidence: Evidence | None, part: pl.DataFrame) -> int:
    """The period that was judged, else the one nearest to an hour."""
    periods: list[int] = part["period_s"].unique().sort().to_list()
    if evidence is not None and evidence.period_s in periods:
        return evidence.period_s
    return min(periods, key=lambda period: abs(period - 3600))


def _load(minutes: pl.DataFrame | None) -> list[Block]:
    if minutes is None or minutes.is_empty():
        return []
    frame = series.totals(minutes, "invocations")
    if frame.is_empty():
        return [Missing("Load", "Invocations were not exported.", EXPORT)]
    return [
        Chart(
            "overlay",
            "Invocations per minute",
            "Invocations per minute of production and shadow.",
            frame,
            caption="A shadow under less load answers faster; gate load_match compares the two.",
            y_title="invocations",
            zero_y=True,
        )
    ]


def _instances(instances: pl.DataFrame | None) -> list[Block]:
    if instances is None or instances.is_empty():
        return [Missing("Instances", "No instance metrics in this bundle.", EXPORT)]
    blocks: list[Block] = []
    columns = {role: role for role in series.ROLES}
    for name in _INSTANCES:
        part = instances.filter(pl.col("metric_name") == name).sort("timestamp")
        if part.is_empty():
            continue
        blocks.append(
            Chart(
                "overlay",
                name,
                f"{name} of production and shadow over the window.",
                series.by_role(part, columns, ("timestamp",)),
                y_title="%",
            )
        )
    return blocks
