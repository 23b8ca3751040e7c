"""Which CloudWatch series a metric wants, and once for all of them how to export one.

In: the text of `needs` where something was not exported, and the verdict's note on how. Out:
reading exports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from analyzer.metrics.series import Cover, utc
from analyzer.model import Needs, Note, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence

ENDPOINT_NAMESPACE = "AWS/SageMaker"
INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"
_EXPORT = "Export "


@dataclass(frozen=True)
class Wanted:
    """One metric to export: its statistics and periods in seconds."""

    metric: str
    stats: tuple[str, ...]
    periods: tuple[int, ...] = (60,)
    namespace: str = ENDPOINT_NAMESPACE

    def __str__(self) -> str:
        """The metric with what a query must ask for; the namespace where it is not the usual one.

        >>> str(Wanted("ModelLatency", ("Average", "SampleCount")))
        'ModelLatency (Average, SampleCount; 60 s)'
        >>> str(Wanted("CPUUtilization", ("Average",), namespace=INSTANCE_NAMESPACE))
        'CPUUtilization (Average; 60 s; namespace /aws/sagemaker/Endpoints)'
        """
        periods = ", ".join(str(period) for period in self.periods)
        told = "" if self.namespace == ENDPOINT_NAMESPACE else f"; namespace {self.namespace}"
        return f"{self.metric} ({', '.join(self.stats)}; {periods} s{told})"


def export_needs(*wanted: Wanted) -> Needs:
    """Needs that name the missing series and no more; `how_to_export` says the rest once."""
    return Needs(text=f"{_EXPORT}{' and '.join(str(one) for one in wanted)} of both variants.")


def how_to_export(
    facts: Facts,
    evidence: Mapping[str, Evidence],
    *,
    endpoint: str | None = None,
    production: str | None = None,
    shadow: str | None = None,
) -> Note | None:
    """How to export what the unresolved metrics miss; None where they miss nothing.

    Args:
        facts: give the window, and names where the arguments do not.
        evidence: metric id -> evidence, before or after the gates.
        endpoint: the endpoint's name where it is known.
        production: the production variant's name where it is known.
        shadow: the shadow variant's name where it is known.
    """
    missing = [
        item
        for item in evidence.values()
        if item.outcome is Outcome.UNRESOLVED
        and item.needs is not None
        and item.needs.text.startswith(_EXPORT)
    ]
    if not missing:
        return None
    start, end = _window(facts)
    variants = " and ".join(
        name or _variant(facts, role)
        for role, name in (("production", production), ("shadow", shadow))
    )
    return Note(
        code="how-to-export",
        text=(
            "aws cloudwatch get-metric-data --metric-data-queries file://metrics-queries.json "
            f"--start-time {start} --end-time {end} > metrics.json, with one query per metric, "
            "statistic, period and variant, dimensions EndpointName = "
            f"{endpoint or _endpoint(facts)} and VariantName = {variants}; keep both files in one "
            "folder and pass it with --cloudwatch. README, Prepare a test, has a query to copy"
        ),
    )


def _window(facts: Facts) -> tuple[str, str]:
    cover = Cover.of(facts)
    if cover is None:
        return "START", "END"
    return utc(cover.window.start), utc(cover.window.end)


def _variant(facts: Facts, role: str) -> str:
    known = getattr(facts.endpoint, f"{role}_variant", None)
    names = _names(facts, "variant", role) if known is None else [known]
    return names[0] if len(names) == 1 else f"{role.upper()}_VARIANT"


def _endpoint(facts: Facts) -> str:
    names = _names(facts, "endpoint", None) or list(facts.points_endpoints)
    return names[0] if len(names) == 1 else "ENDPOINT"


def _names(facts: Facts, column: str, role: str | None) -> list[str]:
    points = facts.metric_points
    if role is not None:
        points = points.filter(pl.col("role") == role)
    return points[column].drop_nulls().unique().sort().to_list()
