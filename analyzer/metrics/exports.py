"""Which CloudWatch series a metric wants, in words a reader can act on.

In: the text of `needs` where something was not exported. Out: reading exports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from analyzer.metrics.series import Cover, utc
from analyzer.model import Needs

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts

ENDPOINT_NAMESPACE = "AWS/SageMaker"
INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"


@dataclass(frozen=True)
class Wanted:
    """One metric to export: its statistics and periods in seconds."""

    metric: str
    stats: tuple[str, ...]
    periods: tuple[int, ...] = (60,)
    namespace: str = ENDPOINT_NAMESPACE

    def __str__(self) -> str:
        """As the fields of a metric data query: `ModelLatency (Average, SampleCount; Period 60)`.

        >>> str(Wanted("Invocations", ("Sum",)))
        'Invocations (Stat Sum; Period 60)'
        """
        periods = ", ".join(str(period) for period in self.periods)
        return f"{self.metric} (Stat {', '.join(self.stats)}; Period {periods})"


def export_needs(facts: Facts, *wanted: Wanted) -> Needs:
    """Needs that name the command, the series and how to hand the answer over."""
    start, end = _window(facts)
    series = " and ".join(str(one) for one in wanted)
    namespaces = ", ".join(dict.fromkeys(one.namespace for one in wanted))
    names = " and ".join(_variant(facts, role) for role in ("production", "shadow"))
    return Needs(
        text=(
            f"Export {series} of namespace {namespaces} for each variant ({names}; dimensions "
            f"EndpointName={_endpoint(facts)} and VariantName, no others) with: "
            f"aws cloudwatch get-metric-data --start-time {start} --end-time {end} "
            "--metric-data-queries file://queries.json > metrics.json. Keep queries.json beside "
            "metrics.json, and pass their folder with --cloudwatch."
        )
    )


def _window(facts: Facts) -> tuple[str, str]:
    cover = Cover.of(facts)
    if cover is None:
        return "START", "END"
    return utc(cover.window.start), utc(cover.window.end)


def _variant(facts: Facts, role: str) -> str:
    known = getattr(facts.endpoint, f"{role}_variant", None)
    names = _names(facts, "variant", role) if known is None else [known]
    return f"VariantName={names[0]}" if len(names) == 1 else f"VariantName of {role}"


def _endpoint(facts: Facts) -> str:
    names = _names(facts, "endpoint", None) or list(facts.points_endpoints)
    return names[0] if len(names) == 1 else "NAME"


def _names(facts: Facts, column: str, role: str | None) -> list[str]:
    points = facts.metric_points
    if role is not None:
        points = points.filter(pl.col("role") == role)
    return points[column].drop_nulls().unique().sort().to_list()
