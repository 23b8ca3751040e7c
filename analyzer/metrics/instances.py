"""What the instances were doing: CPU, memory, GPU and disk utilisation, shadow against production.

Evidence only: a busier instance is a reason for a slower model, not a harm by itself.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analyzer.metrics.case import Case
from analyzer.metrics.exports import INSTANCE_NAMESPACE, Wanted, export_needs
from analyzer.metrics.metric import Metric
from analyzer.metrics.ratio import Arms, Comparison, Traffic
from analyzer.metrics.series import (
    PRODUCTION,
    SHADOW,
    Cover,
    looks,
    matched,
    means,
    positive,
    requests,
    settled,
    values,
)
from analyzer.model import Family, Role, SampleSizes
from analyzer.policy import MetricDefault

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence
    from analyzer.policy import MetricRule

METHOD = "ewc-ratio/1"
SOURCE = "Amazon SageMaker: metrics for monitoring in CloudWatch"
DISK_FULL_PERCENT = 75.0
"""SageMaker stops capturing above this disk utilisation."""


def _assess(facts: Facts, rule: MetricRule, *, metric: str) -> Evidence:
    case = Case.of(facts, rule, Family.LATENCY, "percent", METHOD)
    needs = export_needs(Wanted(metric, ("Average",), namespace=INSTANCE_NAMESPACE))
    cover = Cover.of(facts)
    if cover is None or facts.metric_points.is_empty():
        return case.unmeasured("not-exported", "no CloudWatch metrics were given", needs)
    if metric == "DiskUtilization":
        case = _disk_note(case, cover)
    weights = requests(facts, cover, PRODUCTION)
    sides = tuple(positive(means(facts, cover, side, metric)) for side in (PRODUCTION, SHADOW))
    minutes = matched(cover, settled(facts, cover), (weights, *sides))
    arms = Arms.where(minutes, cover, weights, sides)
    comparison = Comparison.of(arms, looks(cover, minutes)) if minutes.any() else None
    if comparison is None:
        text = f"{metric} is not exported for both variants in minutes with requests"
        return case.unmeasured("not-exported", text, needs)
    n = SampleSizes(minutes=int(minutes.sum()), effective=comparison.effective)
    return case.ratio(comparison, n, Traffic(cover.minutes, float(np.nansum(arms.weights))))


def _disk_note(case: Case, cover: Cover) -> Case:
    for side in (PRODUCTION, SHADOW):
        highest = np.maximum(
            np.nan_to_num(values(case.facts, cover, side, "DiskUtilization", "Average")),
            np.nan_to_num(values(case.facts, cover, side, "DiskUtilization", "Maximum")),
        ).max()
        if highest > DISK_FULL_PERCENT:
            case = case.noting(
                "disk-capture-loss",
                f"the disk of {side} was {highest:.0f} % full; above {DISK_FULL_PERCENT:.0f} % "
                "SageMaker drops capture records",
            )
    return case


def _metric(id_: str, metric: str, title: str, meaning: str) -> Metric:
    return Metric(
        id=id_,
        family=Family.LATENCY,
        title=title,
        meaning=f"{meaning} Weighted by production's requests.",
        unit="percent",
        method=METHOD,
        source=SOURCE,
        advice="Compare per core: variants on other instance types have other totals.",
        default=MetricDefault(role=Role.EVIDENCE, scale="ratio"),
        assess=partial(_assess, metric=metric),
        asked_of="endpoint",
    )


INSTANCES: tuple[Metric, ...] = (
    _metric(
        "cpu_utilization",
        "CPUUtilization",
        "CPU utilisation",
        "Sum over cores, so 400 % is four busy cores.",
    ),
    _metric(
        "memory_utilization",
        "MemoryUtilization",
        "memory utilisation",
        "Share of the instances' memory in use.",
    ),
    _metric(
        "gpu_utilization",
        "GPUUtilization",
        "GPU utilisation",
        "Sum over GPUs, so 200 % is two busy GPUs.",
    ),
    _metric(
        "gpu_memory_utilization",
        "GPUMemoryUtilization",
        "GPU memory utilisation",
        "Sum over GPUs of the memory in use.",
    ),
    _metric(
        "disk_utilization",
        "DiskUtilization",
        "disk utilisation",
        "Share of the instances' disk in use.",
    ),
)
