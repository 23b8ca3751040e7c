"""Percentile latency from CloudWatch: which period can carry it, and the judgement at that period.

A percentile of few requests is biased, and differently for two variants with different traffic.
So it is judged at the shortest period that has enough requests in both variants for most of the
traffic, and not at all where none has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from analyzer.figures import duration, grouped, percent, period, periods, stated
from analyzer.metrics.case import Case
from analyzer.metrics.exports import Wanted, export_needs
from analyzer.metrics.plausible import check_percentile
from analyzer.metrics.ratio import Arms, Comparison, Traffic, hours_of
from analyzer.metrics.series import (
    HOUR,
    MINUTE,
    PRODUCTION,
    SHADOW,
    Cover,
    looks,
    matched,
    positive,
    requests,
    settled,
    values,
)
from analyzer.model import Family, Needs, Role, SampleSizes

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.metrics.series import BoolArray, FloatArray, Span
    from analyzer.model import Evidence
    from analyzer.policy import MetricRule

PERIODS = (60, 300, 3_600, 21_600)
TRIMMED_MEAN = "tm99"
LEAST_REQUESTS = {"p50": 20, "p95": 200, "p99": 1_000, TRIMMED_MEAN: 1_000}
"""10 / (1 - q) requests per period and variant; fewer bias the percentile."""
LEAST_TRAFFIC_SHARE = 0.8
LEAST_EXPORTED = 0.98
LEAST_PERIODS = 12


@dataclass(frozen=True)
class Candidate:
    """One period length: its counts, and where the percentile can be compared.

    Attributes:
        countable: both variants have enough requests.
        usable: countable, and both variants' percentile is exported.
        total: production's requests in the whole window.
    """

    cover: Cover
    production_n: FloatArray
    shadow_n: FloatArray
    production: FloatArray
    shadow: FloatArray
    countable: BoolArray
    usable: BoolArray
    total: float

    @classmethod
    def of(cls, facts: Facts, stat: str, period_s: int) -> Candidate | None:
        """The period's series; None when nothing dates the run."""
        cover, minutes = Cover.of(facts, period_s), Cover.of(facts)
        if cover is None or minutes is None:
            return None
        counts = [requests(facts, cover, side) for side in (PRODUCTION, SHADOW)]
        sides = [
            positive(values(facts, cover, s, "ModelLatency", stat)) for s in (PRODUCTION, SHADOW)
        ]
        enough = [np.nan_to_num(count) >= LEAST_REQUESTS[stat] for count in counts]
        inside = np.zeros(cover.size, dtype=np.bool_)
        inside[cover.part(cover.window)] = True
        inside &= settled(facts, cover)
        countable = inside & enough[0] & enough[1]
        usable = countable & np.isfinite(sides[0]) & np.isfinite(sides[1])
        # The larger of both totals: a series cut short must not make the rest look complete.
        total = max(np.nansum(requests(facts, minutes, PRODUCTION)), np.nansum(counts[0]))
        return cls(cover, counts[0], counts[1], sides[0], sides[1], countable, usable, float(total))

    def share(self, where: BoolArray) -> float:
        """Share of production's requests that fall into these periods."""
        return float(self.production_n[where].sum()) / self.total if self.total > 0 else 0.0

    @property
    def carries(self) -> bool:
        """Whether the percentile may be judged here: for most of the traffic, and without holes.

        Where requests suffice and the percentile is missing all the same, the export has a hole,
        and what is in it may be the slow part.
        """
        known = self.share(self.usable)
        whole = known >= LEAST_EXPORTED * self.share(self.countable)
        return whole and known >= LEAST_TRAFFIC_SHARE

    @property
    def whole_periods(self) -> int:
        """How many periods of this length the window holds."""
        part = self.cover.part(self.cover.window)
        return int(part.stop - part.start)


def assess_percentile(facts: Facts, rule: MetricRule, *, stat: str, method: str) -> Evidence:
    """The evidence on one percentile of ModelLatency."""
    case = percentile_case(facts, rule, stat, method)
    found = [Candidate.of(facts, stat, period_s) for period_s in PERIODS]
    candidates = [one for one in found if one is not None]
    if not candidates or facts.metric_points.is_empty():
        return case.unmeasured(
            "not-exported", "no CloudWatch metrics were given", _export(stat, PERIODS)
        )
    for candidate in candidates:
        if candidate.carries:
            return _judge(case, stat, candidate)
    return _unmeasured(case, stat, candidates)


def choose(facts: Facts, stat: str) -> Candidate | None:
    """The period a percentile is judged at; None when none can carry it."""
    for period_s in PERIODS:
        candidate = Candidate.of(facts, stat, period_s)
        if candidate and candidate.carries:
            return candidate
    return None


def percentile_arms(candidate: Candidate) -> Arms:
    """The usable periods of a candidate as arrays to compare."""
    sides = (candidate.production, candidate.shadow)
    return Arms.where(candidate.usable, candidate.cover, candidate.production_n, sides)


def shared_minutes(facts: Facts) -> tuple[Cover, BoolArray] | None:
    """The minutes in which both variants timed requests: what makes a day whole."""
    cover = Cover.of(facts)
    if cover is None:
        return None
    counts = [requests(facts, cover, side) for side in (PRODUCTION, SHADOW)]
    return cover, matched(cover, settled(facts, cover), counts)


def percentile_case(facts: Facts, rule: MetricRule, stat: str, method: str) -> Case:
    """A percentile about to be judged; the policy's `tail` says which of two is required."""
    case = Case.of(facts, rule, Family.LATENCY, "ms", method)
    if facts.policy.tail != "p95" or stat not in {"p95", "p99"}:
        return case
    required = stat == "p95" and rule.role is Role.GUARDRAIL
    case = replace(case, required=required)
    text = 'the policy says tail = "p95": the slowest 5 % were not judged'
    return case.noting("tail-p95", text) if stat == "p95" else case


def _judge(case: Case, stat: str, candidate: Candidate) -> Evidence:
    facts, cover = case.facts, candidate.cover
    arms = percentile_arms(candidate)
    spans = _spans(facts)
    count = int(candidate.usable.sum())
    case = replace(case, period_s=cover.period_s).noting(
        "percentile-period",
        f"{stat} of a typical {period(cover.period_s)}: {periods(count, cover.period_s)} with >= "
        f"{grouped(LEAST_REQUESTS[stat])} requests {'carries' if count == 1 else 'carry'} "
        f"{percent(candidate.share(candidate.usable), 0)} of production's requests",
    )
    comparison = Comparison.of(arms, spans, least_points=LEAST_PERIODS)
    traffic = Traffic(cover.minutes, candidate.total)
    if comparison is None:
        needed = LEAST_PERIODS * cover.period_s / MINUTE
        return case.unmeasured(
            "too-few-periods",
            f"{periods(count, cover.period_s)} compared; an interval needs {LEAST_PERIODS}",
            traffic.needs(max(needed, cover.minutes * LEAST_PERIODS / max(count, 1))),
        )
    check_percentile(comparison, stat)
    n = SampleSizes(
        production=round(float(candidate.production_n[candidate.usable].sum())),
        shadow=round(float(candidate.shadow_n[candidate.usable].sum())),
        minutes=count * cover.period_s // MINUTE,
        effective=comparison.effective,
    )
    case = case.with_level(comparison.window.level_production)
    return case.ratio_lately(comparison, arms.lately(), n, traffic)


def _spans(facts: Facts) -> tuple[Span, ...]:
    shared = shared_minutes(facts)
    return () if shared is None else looks(*shared)


def _unmeasured(case: Case, stat: str, candidates: list[Candidate]) -> Evidence:
    """No period carries the percentile: because it is not exported, or for want of requests."""
    eligible = [c for c in candidates if c.share(c.countable) >= LEAST_TRAFFIC_SHARE]
    if eligible:
        best = max(eligible, key=lambda c: c.share(c.usable))
        period_s = eligible[0].cover.period_s
        return case.unmeasured(
            "not-exported",
            f"ModelLatency {stat} at a period of {grouped(period_s)} s is not exported for both "
            f"variants over the whole window ({grouped(best.cover.period_s)} s has it where "
            f"{percent(best.share(best.usable), 0)} of production's requests are)",
            _export(stat, (period_s,)),
        )
    if candidates[0].total == 0 or not any(np.isfinite(c.shadow_n).any() for c in candidates):
        return case.unmeasured(
            "not-exported",
            "without both variants' request counts no percentile can be trusted",
            export_needs(
                Wanted("ModelLatency", ("SampleCount",)),
                Wanted("ModelLatency", (stat,), PERIODS),
            ),
        )
    text, needs = _too_little_traffic(stat, candidates)
    return case.unmeasured("too-few-requests", text, needs)


def _too_little_traffic(stat: str, candidates: list[Candidate]) -> tuple[str, Needs]:
    """What was seen against what the longest possible period needs, and what would give it."""
    longest = [c for c in candidates if c.whole_periods][-1:] or candidates[:1]
    candidate, least = longest[0], LEAST_REQUESTS[stat]
    hours = candidate.cover.minutes / MINUTE
    needed = least * HOUR / candidate.cover.period_s
    production = float(np.nansum(candidate.production_n)) / hours
    shadow = float(np.nansum(candidate.shadow_n)) / hours
    said = (
        f"{stat} needs {grouped(least)} requests of each variant per "
        f"{period(candidate.cover.period_s)}, {grouped(needed)} an hour, in periods that carry "
        f"{stated(LEAST_TRAFFIC_SHARE)} of the traffic; production had {grouped(production)} and "
        f"the shadow {grouped(shadow)} an hour"
    )
    return said, _remedy(candidate, least)


def _remedy(candidate: Candidate, least: int) -> Needs:
    if candidate.cover.period_s < PERIODS[-1] and candidate.whole_periods < LEAST_PERIODS:
        minutes = LEAST_PERIODS * PERIODS[-1] // MINUTE
        return Needs(
            minutes=minutes,
            hours=hours_of(minutes),
            text=(
                f"A window of {duration(minutes)}: periods of up to {period(PERIODS[-1])} can be "
                f"judged from {LEAST_PERIODS} periods on."
            ),
        )
    counts = np.sort(np.nan_to_num(candidate.production_n))[::-1]
    carried = np.cumsum(counts) >= LEAST_TRAFFIC_SHARE * candidate.total
    # The smallest of the busiest periods that together carry the share.
    smallest = float(counts[int(np.argmax(carried))]) if carried.any() else 0.0
    if smallest < least:
        return Needs(
            text=(
                "It cannot be settled from CloudWatch percentiles at this traffic: replay the "
                "captures."
            )
        )
    percentage = ceil(100 * least / smallest)
    return Needs(
        text=(
            f"Send at least {percentage} % of production's requests to the shadow (its sampling "
            "percentage), all the time."
        )
    )


def _export(stat: str, lengths: tuple[int, ...]) -> Needs:
    return export_needs(
        Wanted("ModelLatency", (stat,), lengths),
        Wanted("ModelLatency", ("SampleCount",)),
    )
