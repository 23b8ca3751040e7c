"""Is the shadow slower? Mean, percentile and overhead latency from CloudWatch's aggregates.

In: the latency metrics and how the means are judged. Out: the percentiles' choice of period
(`percentiles`), and every gate.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analyzer.metrics import plausible
from analyzer.metrics.case import Case
from analyzer.metrics.exports import Wanted, export_needs
from analyzer.metrics.metric import Metric
from analyzer.metrics.percentiles import TRIMMED_MEAN, assess_percentile, percentile_case
from analyzer.metrics.ratio import Arms, Comparison, Traffic
from analyzer.metrics.replay import LATENCY_SOURCE, QUANTILE_METHOD, assess_latency
from analyzer.metrics.replay import MEAN_METHOD as PAIRED_MEAN_METHOD
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
)
from analyzer.model import Family, Mode, Role, SampleSizes
from analyzer.policy import MetricDefault

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.metrics.series import BoolArray
    from analyzer.model import Evidence, Needs
    from analyzer.policy import MetricRule

MEAN_METHOD = "ewc-ratio/1"
PERCENTILE_METHOD = "ewc-percentile-ratio/1"
EWC_SOURCE = (
    "Lazarus, Lewis, Stock and Watson, Journal of Business & Economic Statistics 36:541 (2018); "
    "Waudby-Smith et al., Annals of Statistics (2024), arXiv:2103.06476"
)


def mean_arms(facts: Facts, metric: str = "ModelLatency") -> tuple[Arms, BoolArray] | None:
    """Both variants' means per minute, and the minutes they share; None when nothing is dated."""
    cover = Cover.of(facts)
    if cover is None:
        return None
    weights = requests(facts, cover, PRODUCTION)
    sides = tuple(positive(means(facts, cover, side, metric)) for side in (PRODUCTION, SHADOW))
    minutes = matched(cover, settled(facts, cover), (weights, *sides))
    return Arms.where(minutes, cover, weights, sides), minutes


def _assess_mean(facts: Facts, rule: MetricRule, *, metric: str) -> Evidence:
    if facts.mode is Mode.REPLAY:
        case = Case.of(facts, rule, Family.LATENCY, "ms", PAIRED_MEAN_METHOD)
        return assess_latency(facts, case, "mean")
    case = Case.of(facts, rule, Family.LATENCY, "ms", MEAN_METHOD)
    needs = _mean_needs(metric)
    found = mean_arms(facts, metric)
    if found is None or facts.metric_points.is_empty():
        return case.unmeasured("not-exported", "no CloudWatch metrics were given", needs)
    arms, minutes = found
    if not minutes.any():
        return case.unmeasured(
            "not-exported",
            f"no minute has {metric} of both variants with production's request count",
            needs,
        )
    comparison = Comparison.of(arms, looks(arms.cover, minutes))
    if comparison is None:
        return case.unmeasured("not-exported", f"no whole look has {metric} of both", needs)
    check = plausible.check_mean if metric == "ModelLatency" else plausible.check_overhead
    check(comparison)
    n = _sizes(facts, arms, minutes, comparison)
    traffic = Traffic(arms.cover.minutes, float(np.nansum(arms.weights)))
    case = replace(case, period_s=arms.cover.period_s)
    case = case.with_level(comparison.window.level_production)
    return case.ratio_lately(comparison, arms.lately(), n, traffic)


def _sizes(facts: Facts, arms: Arms, minutes: BoolArray, comparison: Comparison) -> SampleSizes:
    shadow = np.where(minutes, requests(facts, arms.cover, SHADOW), np.nan)
    return SampleSizes(
        production=round(float(np.nansum(arms.weights))),
        shadow=round(float(np.nansum(shadow))),
        minutes=int(minutes.sum()),
        effective=comparison.effective,
    )


def _mean_needs(metric: str) -> Needs:
    counts = Wanted("ModelLatency", ("SampleCount",))
    if metric == "ModelLatency":
        return export_needs(Wanted("ModelLatency", ("Average", "SampleCount")))
    return export_needs(Wanted(metric, ("Average",)), counts)


def _assess_percentile(facts: Facts, rule: MetricRule, *, stat: str) -> Evidence:
    if facts.mode is Mode.REPLAY:
        case = percentile_case(facts, rule, stat, QUANTILE_METHOD)
        return assess_latency(facts, case, stat)
    evidence = assess_percentile(facts, rule, stat=stat, method=PERCENTILE_METHOD)
    _check_beside_mean(facts, stat, evidence)
    return evidence


def _check_beside_mean(facts: Facts, stat: str, evidence: Evidence) -> None:
    """That a percentile is in the unit of the means, where both are known."""
    found = None if stat == TRIMMED_MEAN else mean_arms(facts)
    if evidence.production is None or evidence.shadow is None or found is None:
        return
    arms, minutes = found
    if minutes.any():
        weights = np.where(minutes, arms.weights, 0.0)
        sides = (np.where(minutes, side, 0.0) for side in (arms.production, arms.shadow))
        production, shadow = (float(weights @ side) / float(weights.sum()) for side in sides)
        above = 1 - float(stat.removeprefix("p")) / 100
        levels = (evidence.production, evidence.shadow)
        plausible.check_beside_mean(stat, above, levels, (production, shadow))


def _percentile(
    stat: str, title: str, meaning: str, default: MetricDefault, *, replayed: bool = True
) -> Metric:
    return Metric(
        id=f"latency_{stat}",
        family=Family.LATENCY,
        title=title,
        meaning=meaning,
        unit="ms",
        method=PERCENTILE_METHOD,
        source=EWC_SOURCE,
        advice=(
            "Compare the slow requests of both variants: payload sizes, cold caches, garbage "
            "collection, a queue behind too few workers."
        ),
        default=default,
        assess=partial(_assess_percentile, stat=stat),
        asked_of="both" if replayed else "endpoint",
        in_replay=(QUANTILE_METHOD, LATENCY_SOURCE) if replayed else None,
    )


LATENCY: tuple[Metric, ...] = (
    Metric(
        id="latency_mean",
        family=Family.LATENCY,
        title="mean latency",
        meaning=(
            "Mean model latency per minute, weighted by production's requests; the change is "
            "shadow over production."
        ),
        unit="ms",
        method=MEAN_METHOD,
        source=EWC_SOURCE,
        advice="Profile the shadow's model and compare instance type, batch size and load.",
        default=MetricDefault(margin=1.10, margin_ms=2, required=True, scale="ratio"),
        assess=partial(_assess_mean, metric="ModelLatency"),
        in_replay=(PAIRED_MEAN_METHOD, LATENCY_SOURCE),
    ),
    _percentile(
        "p99",
        "p99 latency",
        "99th percentile of model latency in a typical period, weighted by production's requests.",
        MetricDefault(margin=1.20, margin_ms=10, required=True, scale="ratio"),
    ),
    _percentile(
        "p95",
        "p95 latency",
        "95th percentile of model latency in a typical period, weighted by production's requests.",
        MetricDefault(margin=1.10, margin_ms=5, scale="ratio"),
    ),
    _percentile(
        "p50",
        "median latency",
        "Median model latency in a typical period, weighted by production's requests.",
        MetricDefault(margin=1.10, role=Role.EVIDENCE, scale="ratio"),
    ),
    _percentile(
        TRIMMED_MEAN,
        "trimmed mean latency",
        "Mean model latency of a typical period without its slowest 1 %.",
        MetricDefault(margin=1.10, role=Role.EVIDENCE, scale="ratio"),
        replayed=False,
    ),
    Metric(
        id="overhead_latency",
        family=Family.LATENCY,
        title="overhead latency",
        meaning="What SageMaker adds to the model's time; it should not depend on the model.",
        unit="ms",
        method=MEAN_METHOD,
        source=EWC_SOURCE,
        advice="A different overhead points at payload sizes, authentication or instance load.",
        default=MetricDefault(margin=1.10, role=Role.EVIDENCE, scale="ratio"),
        assess=partial(_assess_mean, metric="OverheadLatency"),
        asked_of="endpoint",
    ),
)
