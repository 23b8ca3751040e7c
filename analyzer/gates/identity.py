"""Are these the two variants of one test, deployed as stated, and read completely?

Gates: objects, roles, deployment, endpoint_match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.figures import counted, grouped, percent, period, stated
from analyzer.gates.pair_hours import unchanged_hours, unchanged_values
from analyzer.metrics.metric import GateCheck
from analyzer.metrics.series import (
    PRODUCTION,
    SHADOW,
    Cover,
    invocations,
    means,
    utc,
    values,
)
from analyzer.model import Family, Gate, GateOutcome, Mode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from analyzer.metrics.metric import CaptureFacts, Facts
    from analyzer.model import Evidence

ALL = (Family.SAMPLING, Family.LATENCY, Family.ERROR_RATE, Family.DIVERGENCE)
SERVED = (Family.LATENCY, Family.ERROR_RATE)
GREATEST_EXCESS = 1.01
"""A shadow gets copies: more than this share of production's count is not a shadow."""
LEAST_PAIRS_FOR_IDENTITY = 1_000
LEAST_POINTS_FOR_IDENTITY = 10
GREATEST_AGREEING_SHARE = 0.1
"""Chance agrees in a thousandth of the points; an export with one wrong day of seven in a tenth."""
SAME_DIGITS = 3e-5
"""Relative difference that rounding to whole microseconds leaves from 17 ms up."""
LEAST_DIFFERENT_SHARE = 0.5
MICROSECOND_MS = 1e-3
"""What CloudWatch measures latency in: neighbouring values are no nearer."""
NEIGHBOURHOOD = 3.5
"""Steps of resolution, within which chance puts more points beside equality than on it."""


def _roles(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    counts = _role_counts(facts)
    wrong = _other_names(facts) or _swapped_names(facts) or _one_thing(facts)
    if wrong is not None:
        return _roles_gate(GateOutcome.FAIL, None, wrong)
    if not counts:
        text = "Neither captures nor invocation counts of both variants are there."
        return _roles_gate(GateOutcome.NOT_MEASURED, None, text)
    name, (production, shadow) = max(counts.items(), key=lambda item: _excess(*item[1]))
    excess = _excess(production, shadow)
    said = f"{grouped(shadow)} shadow {name} against {grouped(production)} of production"
    if excess > GREATEST_EXCESS:
        unread = _rejected(facts) if name == "records" else 0
        why = "The roles may be swapped."
        if _excess(production + unread, shadow) <= GREATEST_EXCESS:
            lines = counted(unread, "line")
            why = f"{lines} that could not be read may be production's: mend those first."
        text = f"The shadow has more than production: {said}. {why}"
        return _roles_gate(GateOutcome.FAIL, excess, text)
    return _roles_gate(GateOutcome.PASS, excess, f"The roles fit the counts: {said}.")


def _other_names(facts: Facts) -> str | None:
    """That endpoint.json gives a role to another variant than this run; None where it does not."""
    endpoint = facts.endpoint
    if endpoint is None or facts.mode is Mode.REPLAY:
        return None
    told = {PRODUCTION: endpoint.production_variant, SHADOW: endpoint.shadow_variant}
    measured = dict(facts.metric_points.select("role", "variant").unique().iter_rows())
    # a folder may be called anything: only one that is called as a variant is one
    captured = {role: name for role, name in facts.called.items() if name in told.values()}
    for taken in (measured, captured):
        for role, name in told.items():
            if name is not None and taken.get(role) not in {None, name}:
                found = taken[role]
                return f"endpoint.json says the {role} is {name}; this run took {found} for it."
    return None


def _swapped_names(facts: Facts) -> str | None:
    """That production is called a shadow and the shadow is not; None where names do not say so.

    A slower shadow given the other way round is a faster one, and equal counts do not tell. What
    endpoint.json says of either variant comes first; a replay knows its candidate by its sidecar.
    """
    production, shadow = facts.called.get(PRODUCTION), facts.called.get(SHADOW)
    if facts.mode is Mode.REPLAY or production is None or shadow is None:
        return None
    if "shadow" not in production.lower() or "shadow" in shadow.lower():
        return None
    told = facts.endpoint
    if told and (told.production_variant == production or told.shadow_variant == shadow):
        return None
    return (
        f"The roles may be swapped: what was given as production is called {production}, and the "
        f"shadow {shadow}. If that is right, endpoint.json says so (--endpoint-file)."
    )


def _one_thing(facts: Facts) -> str | None:
    """Why both roles are one and the same, in part at least; None where nothing says so."""
    if facts.captures is not None and facts.captures.same_objects:
        return "Both roles read the same capture objects."
    if _nothing_changed(facts):
        return (
            "Every output is byte-identical, though the policy says the model changed "
            "(no-change-observed): it is the same model, or a stale capture."
        )
    return _copied_series(facts) or unchanged_values(facts) or unchanged_hours(facts)


def _roles_gate(outcome: GateOutcome, value: float | None, text: str) -> Gate:
    return Gate(
        outcome=outcome,
        covers=ALL,
        value=value,
        limit=GREATEST_EXCESS,
        when_not_measured="blocks",
        text=text,
    )


def _role_counts(facts: Facts) -> dict[str, tuple[float, float]]:
    counts: dict[str, tuple[float, float]] = {}
    if facts.captures is not None:
        captures = facts.captures
        counts["records"] = (captures.production_records, captures.shadow_records)
    sent = _sent(facts)
    if sent is not None and all(sent):
        counts["invocations"] = sent
    return counts


def _excess(production: float, shadow: float) -> float:
    # Without production any shadow is too much; the figure stays finite for the verdict's JSON.
    return shadow / max(production, 1.0)


def _sent(facts: Facts) -> tuple[float, float] | None:
    """Invocations of (production, shadow) in the window; None when nothing dates it."""
    cover = Cover.of(facts)
    if cover is None:
        return None
    production, shadow = (
        float(np.nansum(invocations(facts, cover, side))) for side in (PRODUCTION, SHADOW)
    )
    return production, shadow


def _copied_series(facts: Facts) -> str | None:
    """Which latency series of the shadow is production's, in part at least; None where none is.

    Two variants that serve the same requests never take the same time to the last digit, minute
    after minute. So a file exported with the other variant's name is known by its agreeing points,
    though it was cut elsewhere, holds some days only, or was rounded on the way. Series of few
    different values, whole milliseconds for example, agree by themselves and are left alone. So are
    steady ones of a millisecond, whose percentiles meet by chance: then more lie just beside.
    """
    for metric, stat, period_s in _latency_series(facts):
        cover = Cover.of(facts, period_s)
        if cover is None:
            return None
        production, shadow = (
            means(facts, cover, side, metric)
            if stat == "Average"
            else values(facts, cover, side, metric, stat)
            for side in (PRODUCTION, SHADOW)
        )
        both = np.isfinite(production) & np.isfinite(shadow) & (production > 0)
        first, second = production[both], shadow[both]
        apart = np.abs(second - first)
        agreeing = int((apart <= SAME_DIGITS * first).sum())
        if agreeing < max(LEAST_POINTS_FOR_IDENTITY, GREATEST_AGREEING_SHARE * first.size):
            continue
        near = apart <= NEIGHBOURHOOD * np.maximum(SAME_DIGITS * first, MICROSECOND_MS)
        if int(near.sum()) > 2 * agreeing:
            continue
        if np.unique(first).size < LEAST_DIFFERENT_SHARE * first.size:
            continue
        return (
            f"Both roles resolve to the same metric series: {metric} {stat} "
            f"(per {period(period_s)}) agrees to the last digits at {grouped(agreeing)} of "
            f"{counted(first.size, 'point')}."
        )
    return None


def _latency_series(facts: Facts) -> list[tuple[str, str, int]]:
    """(metric, statistic, period) of every judged latency series of the shadow, the mean first."""
    found = {
        (str(metric), "Average" if stat == "Sum" else str(stat), int(str(period_s)))
        for role, metric, stat, period_s in facts.metric_series
        if role == SHADOW and metric == "ModelLatency"
        if stat in {"Average", "Sum"} or str(stat).startswith(("p", "tm"))
    }
    return sorted(found, key=lambda one: (one[1] != "Average", one))


def _nothing_changed(facts: Facts) -> bool:
    """A changed model that gives byte for byte the same answers."""
    captures = facts.captures
    if facts.policy.change != "model" or captures is None:
        return False
    pairs = captures.ledger.pairs
    return pairs >= LEAST_PAIRS_FOR_IDENTITY and _identical_outputs(captures) == pairs


def _identical_outputs(captures: CaptureFacts) -> int | None:
    table = captures.tables.get("pairing_facts")
    if table is None or table.num_rows == 0:
        return None
    return int(table.column("identical_outputs")[0].as_py())


def _deployment(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    endpoint = facts.endpoint
    if endpoint is None or endpoint.live_since is None or facts.start is None or facts.end is None:
        text = "When the present configuration went live is not known (no endpoint.json)."
        return _deployment_gate(GateOutcome.NOT_MEASURED, text)
    if facts.start < endpoint.live_since:
        since = _second(endpoint.live_since)
        text = f"The window starts before the configuration went live; use --since {since}."
        return _deployment_gate(GateOutcome.FAIL, text)
    inside = [change for change in endpoint.config_changes if facts.start < change < facts.end]
    if inside:
        since = _second(max(inside))
        text = (
            f"The endpoint's configuration changed {counted(len(inside), 'time')} inside the "
            f"window; use --since {since}."
        )
        return _deployment_gate(GateOutcome.FAIL, text)
    text = f"One configuration over the whole window, live since {_second(endpoint.live_since)}."
    if endpoint.live_since_at_earliest:
        text = (
            f"The configuration was created at {_second(endpoint.live_since)}, before the window. "
            "When the endpoint took it up is not known, because scaling has modified the endpoint "
            "since or no time is given: see that it was before the window, too."
        )
    return _deployment_gate(GateOutcome.PASS, text)


def _second(when: datetime) -> str:
    return utc(int(when.timestamp()))


def _deployment_gate(outcome: GateOutcome, text: str) -> Gate:
    return Gate(outcome=outcome, covers=ALL, when_not_measured="note", text=text)


def _endpoint_match(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    named = facts.points_endpoints
    if facts.metric_points.is_empty():
        text = "No metric rows of this endpoint and its two variants."
        return _endpoint_gate(facts, GateOutcome.NOT_MEASURED, None, text)
    kept = facts.metric_points["endpoint"].unique().to_list()
    certain = [name for name in kept if name is not None]
    if len(certain) > 1 or (None in kept and len(named) > 1):
        text = f"The metric rows hold several endpoints: {', '.join(sorted({*named, *certain}))}."
        return _endpoint_gate(facts, GateOutcome.FAIL, float(len(named)), text)
    excess = _captured_excess(facts)
    if excess is not None and excess[0] > GREATEST_EXCESS:
        text = (
            f"Captured records per invocation of {excess[1]}: {excess[0]:.2f}. The metrics are of "
            "another endpoint, variant or time."
        )
        return _endpoint_gate(facts, GateOutcome.FAIL, excess[0], text)
    strangers = sum(facts.points_dropped.get(c, 0) for c in ("other-endpoint", "other-variant"))
    dropped = f" Left out: {counted(strangers, 'row')} of others." if strangers else ""
    value = None if excess is None else excess[0]
    text = f"The metric rows belong to one endpoint.{dropped}"
    return _endpoint_gate(facts, GateOutcome.PASS, value, text)


def _captured_excess(facts: Facts) -> tuple[float, str] | None:
    """The larger of both variants' captured records per invocation, and whose it is."""
    sent, captures = _sent(facts), facts.captures
    if captures is None or sent is None or not all(sent):
        return None
    records = (captures.production_records, captures.shadow_records)
    shares = [n / total for n, total in zip(records, sent, strict=True)]
    return max(zip(shares, (PRODUCTION, SHADOW), strict=True))


def _endpoint_gate(facts: Facts, outcome: GateOutcome, value: float | None, text: str) -> Gate:
    return Gate(
        outcome=outcome,
        covers=SERVED,
        value=value,
        limit=GREATEST_EXCESS,
        when_not_measured="blocks" if len(facts.points_endpoints) > 1 else "note",
        text=text,
    )


def _rejected(facts: Facts) -> int:
    """Lines of either variant that are no capture records."""
    ledger = facts.captures.ledger if facts.captures is not None else None
    return ledger.malformed + ledger.not_capture if ledger else 0


def _objects(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    limit = facts.policy.max_reject_share
    failed = sum(facts.inputs.objects_failed.values())
    captures = facts.captures
    ledger = captures.ledger if captures is not None else None
    rejects = _rejected(facts)
    contradictions = captures.contradictions if captures is not None else 0
    lines = ledger.lines if ledger else 0
    share = (rejects + contradictions) / lines if lines else 0.0
    outcome = GateOutcome.FAIL if failed or share > limit else GateOutcome.PASS
    unread = f"{grouped(failed)} of {counted(facts.inputs.objects_listed, 'object')}"
    text = (
        f"{unread} could not be read; {counted(rejects, 'line')} "
        f"({percent(rejects / lines if lines else 0.0, 3)}) rejected as no capture records"
    )
    if contradictions:
        text += (
            f", {grouped(contradictions)} ({percent(contradictions / lines, 3)}) that contradict "
            "another of the same event"
        )
    text += f", {stated(limit)} allowed."
    return Gate(
        outcome=outcome,
        covers=ALL,
        value=share,
        limit=limit,
        when_not_measured="blocks",
        text=text,
    )


IDENTITY_GATES: tuple[GateCheck, ...] = (
    GateCheck(
        id="objects",
        meaning="All that was listed could be read, and hardly a record contradicts another.",
        advice="See the notes, and the table of rejects in report.html, for file, line and reason; "
        "restore access or replace the broken files, and run again.",
        check=_objects,
    ),
    GateCheck(
        id="roles",
        meaning="Production and shadow are two different things, in the right order.",
        advice="Check --production and --shadow: each must name its own variant, and each variant "
        "must serve its own model; where only its surroundings were to change, say "
        'change = "infrastructure" in the policy. With no counts of both, give captures or export '
        "Invocations.",
        check=_roles,
    ),
    GateCheck(
        id="deployment",
        meaning="One configuration was live over the whole window.",
        advice="Start the window after the last change (--since); where that time is not known, "
        "give the endpoint's description (--endpoint-file).",
        check=_deployment,
    ),
    GateCheck(
        id="endpoint_match",
        meaning="The metrics are of the endpoint and variants that were captured.",
        advice="Export the metrics of this endpoint's two variants and of no other, or name the "
        "endpoint with --endpoint.",
        check=_endpoint_match,
        asked_of="endpoint",
    ),
)
