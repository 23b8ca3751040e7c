"""Does a verdict follow from its own evidence, and is it the one that is meant?

In: a verdict as read from JSON. Out: the first thing in it that contradicts another; everything
that can be computed again is. It finds accidents and hand edits; whoever changes the evidence
itself, consistently, is not found out: that takes a signature.
"""

from __future__ import annotations

import hashlib
import json
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from analyzer import __version__
from analyzer.errors import ExitCode
from analyzer.figures import duration
from analyzer.gates import BY_ID as GATES
from analyzer.metrics import BY_ID as METRICS
from analyzer.metrics.case import is_implausible, ratio_of_ms
from analyzer.metrics.judging import judge, levels
from analyzer.metrics.metric import applies
from analyzer.metrics.sliced import HOLM_ALPHA, LEAST_PAIRS
from analyzer.model import Decision, Family, GateOutcome, Mode, Outcome, Role
from analyzer.policy import Policy
from analyzer.stats.multiple import holm
from analyzer.verdict import EXIT_CODES, decide, ungated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Evidence, Gate, Verdict, Window
    from analyzer.policy import MetricRule

_MINUTE = timedelta(minutes=1)
_AHEAD = timedelta(days=1)
"""How far a window may end after now: a period of metrics, or a whole day, that is not over."""
_ROUNDING = 1e-6
"""A margin in milliseconds is taken at a level the verdict holds to nine digits only."""
_AT_LEAST = frozenset(
    {
        "coverage",
        "distinct_inputs",
        "interleaved",
        "min_days",
        "pairing",
        "stable_effect",
        "window_match",
    }
)
_AT_MOST = frozenset(
    {"baseline_answers", "endpoint_match", "objects", "open_loop", "roles", "warm_up"}
)
"""Gates whose pass says that their value lies on one side of their limit."""


def contradiction(verdict: Verdict) -> str | None:
    """What in a verdict does not follow from the rest of it; None when all of it does."""
    return next(_contradictions(verdict), None)


def unfit(
    verdict: Verdict, *, endpoint: str | None, max_age: timedelta | None, now: datetime
) -> str | None:
    """Why a verdict may not stand for this endpoint today; None when it may.

    An ERROR claims nothing that could be out of date or another's, so it always may.

    Args:
        verdict: what was read.
        endpoint: the endpoint meant; None for any.
        max_age: the oldest end of its window; None for any.
        now: UTC.
    """
    if verdict.decision is Decision.ERROR:
        return None
    own = verdict.subject.endpoint
    if endpoint not in {None, own}:
        whose = "names no endpoint" if own is None else f"is of {own}"
        return f"--endpoint {endpoint}: the verdict {whose}"
    return None if max_age is None else _out_of_date(verdict.window, max_age, now)


def _out_of_date(window: Window | None, max_age: timedelta, now: datetime) -> str | None:
    if window is None:
        return "--max-age: the verdict has no window that would date it"
    try:
        age = now - datetime.fromisoformat(window.end)
    except (ValueError, TypeError):
        return f"--max-age: the window's end, {window.end}, is no time"
    if age > max_age:
        ago = duration(age / _MINUTE)
        return f"--max-age: its window ended {ago} ago, at {window.end}; run again on newer data"
    if age < -_AHEAD:
        return (
            f"--max-age: its window ends in the future, at {window.end}; check --until, the clock"
        )
    return None


def _contradictions(verdict: Verdict) -> Iterator[str]:
    if verdict.decision is Decision.ERROR:
        if not ExitCode.INTERNAL <= verdict.exit_code <= ExitCode.RESOURCES:
            yield f"exit_code {verdict.exit_code} is not that of an error"
        if verdict.metrics or verdict.gates:
            yield "an ERROR holds no evidence"
        return
    if verdict.exit_code != EXIT_CODES[verdict.decision]:
        yield f"exit_code {verdict.exit_code} is not that of {verdict.decision}"
    yield from _counts(verdict)
    yield from _policy(verdict)
    yield from _gates(verdict)
    yield from _outcomes(verdict)
    yield from _slices(verdict)


def _counts(verdict: Verdict) -> Iterator[str]:
    ledger, inputs = verdict.ledger, verdict.inputs
    if not ledger.balanced or ledger.lines != ledger.accounted:
        yield f"the ledger has {ledger.lines} lines and accounts for {ledger.accounted}"
    unread = sum(inputs.objects_skipped.values()) + sum(inputs.objects_failed.values())
    if inputs.objects_listed != inputs.objects_read + unread:
        yield f"{inputs.objects_listed} objects listed are not those read, skipped and failed"


def _policy(verdict: Verdict) -> Iterator[str]:
    """Whether the policy is the one its digest names, and every metric is judged by it."""
    effective = verdict.policy.effective
    canonical = json.dumps(effective, sort_keys=True, separators=(",", ":"))
    if verdict.policy.digest != f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}":
        yield "policy.digest is not that of policy.effective"
    try:
        policy = Policy.model_validate(effective, extra="ignore")
    except ValidationError as error:
        yield f"policy.effective: {'.'.join(map(str, error.errors()[0]['loc']))} cannot be read"
        return
    asked = {metric for metric, rule in policy.metrics.items() if rule.role is not Role.OFF}
    unfit_ = {metric for metric in asked if _of_some_outputs(metric, policy.metrics[metric])}
    for metric in sorted((asked ^ verdict.metrics.keys()) - unfit_):
        yield f"{metric} is in the {'policy' if metric in asked else 'evidence'} only"
    for metric, item in verdict.metrics.items():
        if metric in asked:
            yield from _rule(metric, item, policy, verdict.subject.mode)


def _of_some_outputs(metric: str, rule: MetricRule) -> bool:
    """Whether a metric is shown of outputs it fits alone, and so may be absent."""
    known = METRICS.get(metric)
    return rule.source == "default" and known is not None and known.kinds is not None


def _rule(metric: str, item: Evidence, policy: Policy, mode: Mode) -> Iterator[str]:
    """Whether one metric's role, need, margin and levels are the policy's."""
    rule = policy.metrics[metric]
    if item.role is not rule.role and not _stood_down(metric, item, policy):
        yield f"{metric} has the role {item.role}, the policy says {rule.role}"
    if item.required is not _required(metric, item, policy):
        yield f"{metric} is {'' if item.required else 'not '}required, the policy says otherwise"
    if not _same_margin(item, rule, mode):
        yield f"the margin of {metric}, {item.margin}, is not the policy's"
    if item.effect is not None:
        found = item.effect.lower_level, item.effect.upper_level
        failing, passing = levels(policy)
        wanted = (passing, failing) if (item.margin or 0) < 0 else (failing, passing)
        if not all(map(_close, found, wanted)):
            yield f"the bounds of {metric} stand at {found}, the policy says {wanted}"


def _stood_down(metric: str, item: Evidence, policy: Policy) -> bool:
    """Whether a run itself shows what the policy's default judges: predictions only, never a wish.

    It does so with the shifts of a new model's scores, for which nobody gave a tolerance, and with
    what these outputs cannot be asked.
    """
    rule = policy.metrics[metric]
    default = rule.source == "default" and item.family is Family.DIVERGENCE
    if not default or item.role is not Role.EVIDENCE:
        return False
    if metric == "score_shift_share" and policy.change == "model":
        return policy.predictions.tolerance is None
    unasked = any(note.code == "not-applicable" for note in item.notes)
    return unasked and item.effect is None


def _required(metric: str, item: Evidence, policy: Policy) -> bool:
    if policy.tail == "p95" and metric in {"latency_p95", "latency_p99"}:
        return metric == "latency_p95" and item.role is Role.GUARDRAIL
    return policy.metrics[metric].required and item.role is Role.GUARDRAIL


def _same_margin(item: Evidence, rule: MetricRule, mode: Mode) -> bool:
    """Whether it is the policy's margin, or its milliseconds as a ratio at production's level."""
    if item.margin is None or rule.margin is None:
        return item.margin == rule.margin
    level_ms = item.production
    wanted = None
    if level_ms and not is_implausible(level_ms, mode):
        wanted = ratio_of_ms(rule, level_ms)
    return _close(item.margin, wanted or rule.margin)


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_ROUNDING)


def _gates(verdict: Verdict) -> Iterator[str]:
    if verdict.tool.version == __version__:
        replayed = verdict.subject.mode is Mode.REPLAY
        due = {name for name, gate in GATES.items() if applies(gate.asked_of, replayed=replayed)}
        for name in sorted(due - verdict.gates.keys()):
            yield f"gate {name} is missing"
    for name, gate in verdict.gates.items():
        if gate.outcome is GateOutcome.PASS and _beyond(name, gate):
            yield f"gate {name} is open, but {gate.value} is beyond its limit of {gate.limit}"
    objects = verdict.gates.get("objects")
    if objects is not None and not objects.closed and verdict.inputs.objects_failed:
        yield "gate objects is open, but objects could not be read"


def _beyond(name: str, gate: Gate) -> bool:
    if gate.value is None or gate.limit is None:
        return False
    return (name in _AT_LEAST and gate.value < gate.limit) or (
        name in _AT_MOST and gate.value > gate.limit
    )


def _slices(verdict: Verdict) -> Iterator[str]:
    """Whether every slice of the policy is there, and fails where its p-values say so."""
    asked = verdict.policy.effective.get("slices")
    named = set(asked) if isinstance(asked, dict) and verdict.ledger.pairs else set()
    for name in sorted(named ^ verdict.slices.keys()):
        yield f"slice {name} is in the {'policy' if name in named else 'evidence'} only"
    tested = [
        (name, metric, share)
        for name, held in verdict.slices.items()
        for part in held.bins
        for metric, share in part.shares.items()
        if share.p_value is not None and part.pairs >= LEAST_PAIRS
    ]
    fails = holm([share.p_value or 0.0 for _, _, share in tested], HOLM_ALPHA)
    for (name, metric, share), failed in zip(tested, fails, strict=True):
        if (share.outcome is Outcome.FAIL) is not failed:
            yield f"slice {name}: {metric} is {share.outcome}, but its p-value says otherwise"


def _outcomes(verdict: Verdict) -> Iterator[str]:
    """Whether bounds and margins give the outcomes, and these with the gates the decision."""
    alone: dict[str, Evidence] = {}
    for metric, item in verdict.metrics.items():
        alone[metric] = ungated(item, judge(item.effect, item.margin, item.role))
    again = decide(alone, verdict.gates, {}, verdict.slices)
    for metric, item in verdict.metrics.items():
        expected = again.evidence[metric].outcome
        if item.outcome is not expected:
            yield f"{metric} is {item.outcome}, but its interval and gates say {expected}"
    if verdict.decision is not again.decision:
        yield f"the decision is {verdict.decision}, but the evidence says {again.decision}"
    told, due = (sorted(reason.code for reason in one) for one in (verdict.reasons, again.reasons))
    for code in sorted(set(told) ^ set(due)):
        yield f"the reason {code} {'is missing' if code in due else 'has no evidence'}"
