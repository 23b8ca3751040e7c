"""Page 3: how often each variant failed, by class of error.

In: the verdict and the table minutes. Out: blocks. A series that was not exported is said to be
missing; it is never drawn as zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import percent
from analyzer.model import Family, Mode, Outcome
from analyzer.report.content import series
from analyzer.report.content.evidence import metric_table, ordered
from analyzer.report.content.latency_page import EXPORT
from analyzer.report.content.page import Block, Chart, Item, Missing, Notes, Page
from analyzer.report.content.replay_blocks import LEAD, LIMITS
from analyzer.report.content.unfinished import stopped, unfinished

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from analyzer.model import Verdict

_CLASSES = {
    "errors_5xx": ("Invocation5XXErrors", "5XX errors per invocation"),
    "errors_4xx": ("Invocation4XXErrors", "4XX errors per invocation"),
    "model_errors": ("InvocationModelErrors", "Model errors per invocation"),
}


def errors_page(verdict: Verdict, tables: Mapping[str, pl.DataFrame]) -> Page:
    """Error rates of both variants: judged numbers, then their course."""
    lead = _lead(verdict)
    if unfinished(verdict):
        return Page("errors", "Errors", (stopped(verdict),), lead)
    blocks: list[Block] = []
    named = ordered(verdict, Family.ERROR_RATE)
    if named:
        blocks.append(metric_table(verdict, named, "Error rates"))
    if verdict.subject.mode is Mode.REPLAY:
        limits = Notes("What a replay does not show", (Item("outcomes", LIMITS),))
        return Page("errors", "Errors", (*blocks, limits), LEAD)
    minutes = tables.get("minutes")
    for suffix, (metric, title) in _failing_first(verdict):
        blocks.append(_course(minutes, suffix, metric, title))
    blocks.append(_survivors())
    return Page("errors", "Errors", tuple(blocks), lead)


def _lead(verdict: Verdict) -> str:
    """What the shadow's errors may be compared with: the sampling decides."""
    copied = verdict.pairing.expected_sampling
    if copied == 1:
        return "Both variants receive the same requests, so a difference is the variant's own."
    part = "some" if copied is None else percent(copied)
    return (
        f"The shadow receives copies of {part} of production's requests; each variant's errors "
        "are counted against its own."
    )


def _failing_first(verdict: Verdict) -> list[tuple[str, tuple[str, str]]]:
    """The classes of errors as they are read, those that fail before the others."""
    failing = {
        suffix
        for suffix, metric in _JUDGED.items()
        if metric in verdict.metrics and verdict.metrics[metric].outcome is Outcome.FAIL
    }
    return sorted(_CLASSES.items(), key=lambda entry: entry[0] not in failing)


_JUDGED = {
    "errors_5xx": "error_5xx_rate",
    "errors_4xx": "error_4xx_rate",
    "model_errors": "model_error_rate",
}


def _course(minutes: pl.DataFrame | None, suffix: str, metric: str, title: str) -> Block:
    if minutes is None or minutes.is_empty():
        return Missing(title, "No error counts per minute in this bundle.", EXPORT)
    frame = series.error_share(minutes, suffix)
    if frame.is_empty():
        return Missing(title, f"{metric} was not exported; it is not taken as zero.", EXPORT)
    each = series.length(series.point_minutes(minutes))
    return Chart(
        "strip",
        title,
        f"{title} in each {each} of the window: production above the line, shadow below it.",
        frame,
        caption=(
            f"Share of invocations that failed, one bar per {each}: production above, shadow "
            "below. Grey: a variant has no data."
        ),
        y_title="share of invocations",
    )


def _survivors() -> Notes:
    text = (
        "An invocation that failed usually leaves no capture record. Error rates therefore come "
        "from CloudWatch counts, and missing pairs have a gate of their own."
    )
    return Notes("What captures do not show", (Item("survivorship", text),))
