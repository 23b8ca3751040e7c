"""Which CloudWatch series a metric wants, and once for all of them how to export one.

In: the text of `needs` where something was not exported, and the verdict's note on how. Out:
reading exports.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.metrics.series import Cover, utc
from analyzer.model import Needs, Note, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.metrics.metric import Facts
    from analyzer.metrics.series import Variant
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


def not_given(facts: Facts, *variants: Variant) -> str | None:
    """That nothing was exported, at all or of one of these; None where something was of each."""
    if facts.metric_points.is_empty():
        return "No CloudWatch metrics were given."
    given = {role for role, *_ in facts.metric_series}
    absent = [facts.called.get(one, f"the {one}") for one in variants if one not in given]
    return f"No CloudWatch metrics of {' or '.join(absent)} were given." if absent else None


def how_to_export(
    facts: Facts,
    evidence: Mapping[str, Evidence],
    *,
    endpoint: str | None = None,
) -> Note | None:
    """How to export what the unresolved metrics miss; None where they miss nothing.

    Args:
        facts: give the window, and names where the arguments do not.
        evidence: metric id -> evidence, before or after the gates.
        endpoint: the endpoint's name where it is known.
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
    name = endpoint or _endpoint(facts)
    return Note(
        code="how-to-export",
        text=(
            f"analyzer metrics {shlex.quote(name)} --since {start} --until {end} --out metrics "
            "exports all of it; pass --cloudwatch metrics. Where this machine may not ask "
            "CloudWatch: README, Prepare a test, has the queries for aws cloudwatch "
            "get-metric-data"
        ),
    )


def _window(facts: Facts) -> tuple[str, str]:
    cover = Cover.of(facts)
    if cover is None:
        return "START", "END"
    return utc(cover.window.start), utc(cover.window.end)


def _endpoint(facts: Facts) -> str:
    named = facts.metric_points["endpoint"].drop_nulls().unique().sort().to_list()
    names = named or list(facts.points_endpoints)
    return names[0] if len(names) == 1 else "ENDPOINT"
