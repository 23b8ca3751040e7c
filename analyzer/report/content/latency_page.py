"""Page 2: how fast both variants answered, and what the interval did as the data came in.

In: the verdict and the tables minutes, running, percentiles, instances. Out: blocks; a table that
is not there becomes a sentence on how to get it. No distribution is drawn from per-minute
aggregates: they hold none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import period
from analyzer.model import Family, Mode, Outcome
from analyzer.report.content import series
from analyzer.report.content.descriptive import descriptive
from analyzer.report.content.downloads import downloads
from analyzer.report.content.evidence import metric_table, ordered
from analyzer.report.content.page import Block, Chart, Missing, Page
from analyzer.report.content.replay_blocks import LEAD, replay_blocks
from analyzer.report.content.running import running_charts
from analyzer.report.content.unfinished import stopped, unfinished

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import Evidence, Verdict

EXPORT = (
    "Export the endpoint's metrics (analyzer metrics ENDPOINT) and pass the folder as --cloudwatch."
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
    if unfinished(verdict):
        return Page("latency", "Latency", (stopped(verdict),), _LEAD)
    blocks: list[Block] = []
    named = ordered(verdict, Family.LATENCY)
    if named:
        blocks.append(metric_table(verdict, named, "Latency metrics"))
    if verdict.subject.mode is Mode.REPLAY:
        blocks += replay_blocks(tables)
        blocks += downloads(tables, ("replay_latency", "replay_quantiles", "replay_distribution"))
        return Page("latency", "Latency", tuple(blocks), LEAD)
    courses = [
        *_running(verdict, tables.get("running")),
        *_percentiles(verdict, tables.get("percentiles")),
        *_per_minute(tables.get("minutes")),
    ]
    blocks += [block for metric, block in sorted(courses, key=lambda one: _rank(verdict, one[0]))]
    described = descriptive(tables)
    blocks += [described] if described else []
    blocks += _load(tables.get("minutes"))
    blocks += _instances(tables.get("instances"))
    blocks += downloads(tables, ("minutes", "running", "percentiles", "instances"))
    return Page("latency", "Latency", tuple(blocks), _LEAD)


_LEAD = "Both variants in the same minutes; each minute counts by production's traffic."
_OUTCOMES = (Outcome.FAIL, Outcome.UNRESOLVED, Outcome.PASS)


def _rank(verdict: Verdict, metric: str) -> tuple[int, int]:
    """Place of a metric's charts: what decides first, failing before others; then the mean."""
    evidence = verdict.metrics.get(metric)
    if evidence is None or not evidence.role.is_judged:
        return len(_OUTCOMES) + 1, 0
    if metric == _MEAN and evidence.outcome is not Outcome.FAIL:
        return len(_OUTCOMES), 0
    named = ordered(verdict, Family.LATENCY)
    return _OUTCOMES.index(evidence.outcome), named.index(metric)


_MEAN = "latency_mean"


def _running(verdict: Verdict, running: pl.DataFrame | None) -> list[tuple[str, Block]]:
    if running is None or running.is_empty():
        text = "The interval was not followed over time: too few minutes of both variants."
        return [(_MEAN, Missing("The interval over time", text, EXPORT))]
    return [*running_charts(verdict, running)]


def _per_minute(minutes: pl.DataFrame | None) -> list[tuple[str, Block]]:
    title = "Mean model latency"
    if minutes is None or minutes.is_empty():
        return [(_MEAN, Missing(title, "No latency per minute in this bundle.", EXPORT))]
    blocks: list[tuple[str, Block]] = []
    for metric, suffix, heading, source in (
        (_MEAN, "latency_ms", title, "ModelLatency"),
        ("overhead_latency", "overhead_ms", "Overhead latency", "OverheadLatency"),
    ):
        frame = series.overlay(minutes, suffix)
        if frame.is_empty():
            blocks.append((metric, Missing(heading, f"{source} was not exported.", EXPORT)))
            continue
        titled = f"{heading} per {series.length(series.point_minutes(minutes))}"
        chart = Chart(
            "overlay",
            titled,
            f"{titled} of production and shadow over the window; breaks are times without data.",
            frame,
            caption="Every minute counts by its requests. Breaks in a line are times without data.",
            y_title="ms",
        )
        blocks.append((metric, chart))
    return blocks


def _percentiles(verdict: Verdict, percentiles: pl.DataFrame | None) -> list[tuple[str, Block]]:
    if percentiles is None or percentiles.is_empty():
        text = "No percentiles in this bundle: p99 cannot be recovered from per-minute averages."
        return [(_TAIL, Missing("Percentiles per period", text, EXPORT))]
    blocks: list[tuple[str, Block]] = []
    columns = {role: f"{role}_ms" for role in series.ROLES}
    for stat in sorted(percentiles["stat"].unique(), reverse=True):
        metric = f"latency_{stat}"
        part = percentiles.filter(pl.col("stat") == stat)
        period_s = _shown_period(verdict.metrics.get(metric), part)
        part = part.filter(pl.col("period_s") == period_s).sort("timestamp")
        if part.height < 2:  # noqa: PLR2004 - one point is no course over time
            continue
        title = f"{stat} per {period(period_s)}"
        every = series.one_in(part)
        # The mean of percentiles is no percentile, so a long course is picked from, not averaged.
        thinned = f" Drawn: one {period(period_s)} in {every}." if every > 1 else ""
        chart = Chart(
            "overlay",
            title,
            f"{title} of production and shadow, as CloudWatch computed it over each period.",
            series.by_role(part, columns, ("timestamp",)),
            caption=f"As CloudWatch computed it over each {period(period_s)}.{thinned}",
            y_title="ms",
        )
        blocks.append((metric, chart))
    return blocks


_TAIL = "latency_p99"


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
            caption=(
                f"{_averaged(minutes)}A shadow under less load answers faster; gate load_match "
                "compares the two."
            ),
            y_title="invocations",
            zero_y=True,
        )
    ]


def _averaged(frame: pl.DataFrame) -> str:
    """What one point of a thinned course is; empty where it is one minute."""
    minutes = series.point_minutes(frame)
    return f"Each point is the mean of {series.length(minutes)}. " if minutes > 1 else ""


def _instances(instances: pl.DataFrame | None) -> list[Block]:
    if instances is None or instances.is_empty():
        return [Missing("Instances", "No instance metrics in this bundle.", EXPORT)]
    blocks: list[Block] = []
    for name in _INSTANCES:
        part = instances.filter(pl.col("metric_name") == name).sort("timestamp")
        if part.is_empty():
            continue
        blocks.append(
            Chart(
                "overlay",
                name,
                f"{name} of production and shadow over the window.",
                series.means(part),
                caption=_averaged(part).strip(),
                y_title="%",
            )
        )
    return blocks
