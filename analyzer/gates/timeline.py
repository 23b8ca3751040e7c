"""Was the time that was looked at long enough, covered, and alike for both variants?

Gates: window_match, coverage, load_match, min_days, stable_effect, tail_evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.figures import counted, grouped, percent, period, plain, stated
from analyzer.gates.clocks import shifted
from analyzer.gates.sampling import configured_share
from analyzer.metrics.exports import not_given
from analyzer.metrics.lately import WORSE_LATELY
from analyzer.metrics.latency import mean_arms
from analyzer.metrics.metric import GateCheck
from analyzer.metrics.series import (
    HOUR,
    MINUTE,
    PRODUCTION,
    SHADOW,
    Cover,
    invocations,
    longest_whole_days,
    matched,
    means,
    positive,
    requests,
    sent_requests,
    settled,
    values,
)
from analyzer.model import Family, Gate, GateOutcome
from analyzer.stats.ewc import day_stability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.metrics.metric import Facts
    from analyzer.metrics.series import BoolArray, FloatArray, Span, Variant
    from analyzer.model import Evidence

SERVED = (Family.LATENCY, Family.ERROR_RATE)
LATENCY_ONLY = (Family.LATENCY,)
LEAST_WINDOW_SHARE = 0.95
QUIET_REQUESTS = 10
"""A gap in which fewer production requests than this were due may just be a quiet moment."""
LEAST_COVERAGE = 0.98
LEAST_EXPECTED = 5
COVERAGE_BLOCKS = (1, 5, 15, 60)
"""Minutes a block of the coverage gate may hold, the shortest first."""
BLOCK_TRAFFIC_SHARE = 0.8
LOAD_RANGE = (0.8, 1.25)
BUSIEST_SHARE = 0.1
LEAST_STABLE_P = 0.1
"""Days this unlikely to be alike wait. At 0.01 a slow drift passed on the third day too often."""
WEEK_DAYS = 7


def _window_match(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    cover = Cover.of(facts)
    sent = None if cover is None else _timed_requests(facts, cover, PRODUCTION)
    if cover is None or sent is None or not np.isfinite(sent).any():
        text = not_given(facts, PRODUCTION) or "No metric minutes of production."
        return _gate(GateOutcome.NOT_MEASURED, text, covers=SERVED)
    share = min(
        _covered(series[cover.part(cover.window)], cover.beyond)
        for series in (sent, invocations(facts, cover, PRODUCTION))
        if np.isfinite(series).any()
    )
    said = (
        f"CloudWatch minutes cover {percent(share)} of the window's "
        f"{counted(cover.minutes, 'minute')} ({stated(LEAST_WINDOW_SHARE)} needed)."
    )
    wrong = _left_out(facts) or shifted(facts, cover)
    if wrong is not None:
        return _gate(GateOutcome.FAIL, wrong, covers=SERVED, value=share)
    return _at_least(share, LEAST_WINDOW_SHARE, said, covers=SERVED)


def _left_out(facts: Facts) -> str | None:
    """Requests the shadow took where the captures that draw the window have ended, if many.

    Failed requests leave no capture record, so a failing shadow would end its own window.
    """
    points = facts.metric_series.get((SHADOW, "Invocations", "Sum", MINUTE))
    if facts.captures is None or facts.start is None or facts.end is None or points is None:
        return None
    second, sent = points
    start, end = facts.start.timestamp(), facts.end.timestamp()
    inside = sent[(second >= start) & (second < end)].sum()
    early = sent[second < start].sum() if facts.asked[0] is None else 0.0
    late = sent[second >= end].sum() if facts.asked[1] is None else 0.0
    outside = float(early + late)
    due = facts.captures.shadow_records * outside / inside if inside else 0.0
    if due < QUIET_REQUESTS or outside * (end - start) < inside * HOUR:
        return None
    return (
        f"The shadow took {counted(outside, 'request')} before or after the time in which both "
        "variants have captures, and failed requests leave no capture; set --since and --until to "
        "what is to be judged."
    )


def _covered(sent: FloatArray, beyond: int) -> float:
    """Share of minutes with data, or in gaps too short to expect a request; `beyond` have none."""
    present = np.isfinite(sent)
    quiet = QUIET_REQUESTS / float(sent[present].mean())
    edges = np.flatnonzero(np.diff(np.concatenate(([0], ~present, [0]))))
    gaps = edges[1::2] - edges[::2]
    return 1 - (float(gaps[gaps > quiet].sum()) + beyond) / (sent.size + beyond)


def _coverage(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    cover = Cover.of(facts)
    if cover is None:
        return _gate(GateOutcome.NOT_MEASURED, "Nothing dates the window.", covers=SERVED)
    if (text := not_given(facts, PRODUCTION, SHADOW)) is not None:
        return _gate(GateOutcome.NOT_MEASURED, text, covers=SERVED)
    shares = []
    for reader in (_timed_requests, invocations):
        kept = settled(facts, cover)
        production, shadow = (
            np.where(kept, np.nan_to_num(reader(facts, cover, side)), 0.0)
            for side in (PRODUCTION, SHADOW)
        )
        if production.any() or shadow.any():
            shares.append(_shadow_share(facts, production, shadow))
    known = [share for share in shares if share is not None]
    if not known or len(known) < len(shares):
        text = "Too little traffic, or no minute of both variants, to see whether the shadow ran."
        return _gate(GateOutcome.NOT_MEASURED, text, covers=SERVED)
    share, block = min(known)
    span = "minutes" if block == 1 else f"{block}-minute spans"
    said = (
        f"The shadow has data in {percent(share)} of production's {span} that should bring it "
        f"{LEAST_EXPECTED} requests or more ({stated(LEAST_COVERAGE)} needed)."
    )
    return _at_least(share, LEAST_COVERAGE, said, covers=SERVED)


def _timed_requests(facts: Facts, cover: Cover, side: Variant) -> FloatArray:
    """Requests per minute where a latency mean is there too."""
    timed = positive(means(facts, cover, side, "ModelLatency"))
    return np.where(np.isfinite(timed), requests(facts, cover, side), np.nan)


def _shadow_share(
    facts: Facts, production: FloatArray, shadow: FloatArray
) -> tuple[float, int] | None:
    """(share of spans with shadow data, minutes per span) over spans that expect enough requests.

    The shortest span is taken in which most of the traffic is expected often enough: at few
    requests a minute a single empty one says nothing.
    """
    if production.sum() == 0:
        return None
    for block in COVERAGE_BLOCKS:
        sent = production.reshape(-1, block).sum(axis=1)
        copied = shadow.reshape(-1, block).sum(axis=1)
        seen = copied > 0
        expected = _sampled_share(facts, sent[seen], copied[seen]) * sent
        due = expected >= LEAST_EXPECTED
        if expected[due].sum() >= BLOCK_TRAFFIC_SHARE * expected.sum() > 0:
            return float(seen[due].mean()), block
    return None


def _sampled_share(facts: Facts, sent: FloatArray, copied: FloatArray) -> float:
    """The share of requests that is copied while the shadow answers, or was told to be.

    Taken over spans with shadow data only: a shadow dead for half the time would halve its own
    share, and so excuse its silence.
    """
    seen = float(copied.sum() / sent.sum()) if sent.sum() > 0 else 0.0
    return max(seen, configured_share(facts) or 0.0)


def _load_match(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    found = _load(facts)
    if found is None:
        text = (
            "Requests per instance are not known: export InvocationsPerInstance (Sum, 60 s) of "
            "both variants, or give the instance counts under [sampling] in the policy."
        )
        outcome = GateOutcome.NOT_MEASURED
        if facts.policy.accept_load_mismatch:
            outcome, text = GateOutcome.PASS, "The policy accepts any load; it is not known."
        return _gate(outcome, text, covers=LATENCY_ONLY)
    ratio, source = found
    low, high = LOAD_RANGE
    said = (
        f"In production's busiest minutes an instance of the shadow gets {ratio:.2f} times the "
        f"requests of one of production ({source}); comparable from {low} to {high}."
    )
    outcome = GateOutcome.PASS if low <= ratio <= high else GateOutcome.FAIL
    if outcome is GateOutcome.FAIL and facts.policy.accept_load_mismatch:
        outcome, said = GateOutcome.PASS, f"{said} The policy accepts the mismatch."
    return _gate(outcome, said, covers=LATENCY_ONLY, value=ratio, limit=high)


def _load(facts: Facts) -> tuple[float, str] | None:
    """Shadow over production requests per instance-minute in the busiest tenth, and its source."""
    cover = Cover.of(facts)
    if cover is None:
        return None
    per_instance = [
        positive(values(facts, cover, side, "InvocationsPerInstance", "Sum"))
        for side in (PRODUCTION, SHADOW)
    ]
    ratio = _busiest_ratio(per_instance[0], per_instance[1])
    if ratio is not None:
        return ratio, "InvocationsPerInstance"
    instances = [_instances(facts, side) for side in (PRODUCTION, SHADOW)]
    production, shadow = (sent_requests(facts, cover, side) for side in (PRODUCTION, SHADOW))
    if instances[0] is None or instances[1] is None:
        return None
    ratio = _busiest_ratio(production / instances[0], shadow / instances[1])
    counts = f"{grouped(instances[0])} and {counted(instances[1], 'instance')}"
    return None if ratio is None else (ratio, counts)


def _busiest_ratio(production: FloatArray, shadow: FloatArray) -> float | None:
    """Ratio of sums over production's busiest tenth of minutes; a silent shadow counts as zero."""
    if not np.isfinite(production).any() or not np.isfinite(shadow).any():
        return None
    known = production[np.isfinite(production)]
    busy = np.nan_to_num(production) >= np.quantile(known, 1 - BUSIEST_SHARE)
    return float(np.nansum(shadow[busy]) / production[busy].sum())


def _instances(facts: Facts, side: Variant) -> int | None:
    told: int | None = getattr(facts.policy.sampling, f"{side}_instances")
    if told is None and facts.endpoint is not None:
        told = getattr(facts.endpoint, f"{side}_instances")
    return told


def _min_days(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    found = _whole_days(facts)
    needed = facts.policy.min_days
    if not found:
        text = "No minutes with metrics of both variants: no day can be whole."
        return _gate(GateOutcome.NOT_MEASURED, text, covers=SERVED, limit=needed)
    days = min(found)
    opted = "" if needed >= 3 else " (fewer than three: the policy's own choice)"  # noqa: PLR2004 - the default, as a sentence
    said = (
        f"Both variants have metrics on {counted(days, 'whole UTC day')} in a row; the policy asks "
        f"for {needed}{opted}."
    )
    return _at_least(float(days), float(needed), said, covers=SERVED)


def _whole_days(facts: Facts) -> list[int]:
    """Whole days in a row, for the latency means and for the error counts."""
    days = []
    arms = mean_arms(facts)
    if arms is not None and arms[1].any():
        days.append(longest_whole_days(arms[0].cover, arms[1]).whole_days)
    cover = Cover.of(facts)
    if cover is not None:
        sent = [invocations(facts, cover, side) for side in (PRODUCTION, SHADOW)]
        both: BoolArray = matched(cover, settled(facts, cover), sent)
        if both.any():
            days.append(longest_whole_days(cover, both).whole_days)
    return days


def _stable_effect(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    found = mean_arms(facts)
    if found is None or not found[1].any():
        text = "No minutes with both variants' mean latency."
        return _gate(GateOutcome.NOT_MEASURED, text, covers=SERVED, limit=LEAST_STABLE_P)
    arms, minutes = found
    run: Span = longest_whole_days(arms.cover, minutes)
    days = run.whole_days
    if days and days % WEEK_DAYS == 0:
        text = f"{days} whole days are whole weeks: every weekday counts alike, no test is needed."
        return _gate(GateOutcome.PASS, text, covers=SERVED, limit=LEAST_STABLE_P)
    if days < 2:  # noqa: PLR2004 - one day cannot differ from another
        outcome = GateOutcome.PASS if facts.policy.min_days <= days else GateOutcome.NOT_MEASURED
        text = f"{counted(days, 'whole day')} cannot show whether the effect is the same every day."
        return _gate(outcome, text, covers=SERVED, limit=LEAST_STABLE_P)
    look = arms.look(run)
    if look is None:
        text = "The whole days have no comparable minutes."
        return _gate(GateOutcome.NOT_MEASURED, text, covers=SERVED, limit=LEAST_STABLE_P)
    p_value = day_stability(look.psi, period_s=MINUTE)[1]
    said = (
        f"Daily means of the latency effect over {days} days differ as much as their noise "
        f"explains with p = {plain(p_value)} (at most {LEAST_STABLE_P:g} closes the gate)."
    )
    if p_value > LEAST_STABLE_P:
        return _gate(GateOutcome.PASS, said, covers=SERVED, value=p_value, limit=LEAST_STABLE_P)
    week = -(-days // WEEK_DAYS) * WEEK_DAYS
    said = f"{said} The effect changes from day to day; look again after {week} whole days."
    return _gate(GateOutcome.FAIL, said, covers=SERVED, value=p_value, limit=LEAST_STABLE_P)


def _tail_evidence(facts: Facts, evidence: Mapping[str, Evidence]) -> Gate:
    metric = f"latency_{facts.policy.tail}"
    tail = evidence.get(metric)
    unseen = "" if facts.policy.tail == "p99" else " The slowest 5 % were not judged (tail = p95)."
    if tail is not None and not tail.role.is_judged:
        text = f"The policy does not judge {metric}: the tail was not judged."
        return _gate(GateOutcome.PASS, text, covers=LATENCY_ONLY)
    if tail is None:
        return _gate(GateOutcome.NOT_MEASURED, f"There is no {metric}.", covers=LATENCY_ONLY)
    late = any(note.code == WORSE_LATELY for note in tail.notes)
    if tail.effect is None or (tail.effect.upper is None and not late):
        why = tail.notes[-1].text if tail.notes else "no interval"
        text = f"No interval for {metric}: {why}. The mean does not stand in for it."
        return _gate(GateOutcome.FAIL, text, covers=LATENCY_ONLY)
    typical = f" of a typical {period(tail.period_s)}" if tail.period_s else ""
    text = f"The tail is judged by {metric}{typical}.{unseen}"
    return _gate(GateOutcome.PASS, text, covers=LATENCY_ONLY)


def _at_least(value: float, limit: float, text: str, *, covers: tuple[Family, ...]) -> Gate:
    outcome = GateOutcome.PASS if value >= limit else GateOutcome.FAIL
    return _gate(outcome, text, covers=covers, value=value, limit=limit)


def _gate(
    outcome: GateOutcome,
    text: str,
    *,
    covers: tuple[Family, ...],
    value: float | None = None,
    limit: float | None = None,
    blocks: bool = True,
) -> Gate:
    return Gate(
        outcome=outcome,
        covers=covers,
        value=value,
        limit=limit,
        when_not_measured="blocks" if blocks else "note",
        text=text,
    )


TIMELINE_GATES: tuple[GateCheck, ...] = (
    GateCheck(
        id="window_match",
        meaning="The metrics cover the window that is judged.",
        advice="Export both variants' metrics for the whole window (60 s points are kept for 15 "
        "days) in UTC, or set --since and --until to the time to be judged.",
        check=_window_match,
        asked_of="endpoint",
    ),
    GateCheck(
        id="coverage",
        meaning="The shadow was answering whenever production was.",
        advice="Export Invocations (Sum) and ModelLatency (Average, SampleCount) of both variants "
        "at 60 s; where they are exported, find out why the shadow gave no answers in the gaps.",
        check=_coverage,
        asked_of="endpoint",
    ),
    GateCheck(
        id="load_match",
        meaning="An instance of either variant carried the same load.",
        advice="Where the load is known to differ, raise the shadow's sampling to 100 % and give "
        "both variants as many instances; where it is not known, export InvocationsPerInstance "
        "(Sum, 60 s) of both, or set production_instances and shadow_instances under [sampling].",
        check=_load_match,
        asked_of="endpoint",
    ),
    GateCheck(
        id="min_days",
        meaning="Enough whole days were seen: traffic and load have a daily rhythm.",
        advice="Let the shadow test run until enough whole UTC days are over, and export the "
        "metrics of all of them.",
        check=_min_days,
        asked_of="endpoint",
    ),
    GateCheck(
        id="stable_effect",
        meaning="The effect is the same on every day seen.",
        advice="Export ModelLatency (Average, SampleCount; 60 s) of both variants for every day, "
        "and let the test run for a whole week, in which every weekday counts alike.",
        check=_stable_effect,
        asked_of="endpoint",
    ),
    GateCheck(
        id="tail_evidence",
        meaning="The slow tail was judged, not only the mean.",
        advice="See what the tail metric needs (latency_p99; latency_p95 where tail = p95): its "
        "percentile exported, more requests per period, or more periods.",
        check=_tail_evidence,
        asked_of="endpoint",
    ),
)
