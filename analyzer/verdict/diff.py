"""What changed between two verdicts, and which of it moved the decision.

In: two verdicts. Out: their differences as values, for `report.content.diff_page` and as JSON.
Nothing is judged anew except each interval against the other verdict's rule, to tell a moved
interval from a moved margin.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

from analyzer.metrics.judging import judge
from analyzer.model import Decision, Effect, Evidence, Frozen, Gate, Outcome, Role
from analyzer.verdict import SLICE_REASON, UNREAD_SLICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from analyzer.model import Reason, Verdict

Because = Literal["evidence", "policy", "evidence and policy", "gate", "not judged before"]

_SUBJECT = (
    "endpoint", "production_variant", "shadow_variant", "production_model", "shadow_model",
    "change", "mode",
)  # fmt: skip
_RANK = {Decision.ERROR: 0, Decision.REJECT: 1, Decision.HOLD: 2, Decision.PROMOTE: 3}
_NUMBERS = re.compile(r" \(|: ")
"""What stands before a reason's numbers."""
_UNSAID = frozenset({"source"})
"""Keys of the effective policy that say where a value is from, not what it is."""


class Change(Frozen):
    """One named value in the first and in the second verdict; None where it is absent."""

    name: str
    first: object = None
    second: object = None


class MetricChange(Frozen):
    """One metric whose rule, interval or outcome differs; None where a verdict has none."""

    metric: str
    first: Evidence | None
    second: Evidence | None

    @property
    def turned(self) -> bool:
        """Whether more than numbers differs: outcome, role, need or margin."""
        if self.first is None or self.second is None:
            return True
        return _seen(self.first)[:-1] != _seen(self.second)[:-1]


class GateChange(Frozen):
    """One gate whose outcome, value or limit differs; None where a verdict has none."""

    gate: str
    first: Gate | None
    second: Gate | None

    @property
    def turned(self) -> bool:
        """Whether the gate opened, closed, or is checked in one verdict only."""
        if self.first is None or self.second is None:
            return True
        return self.first.closed is not self.second.closed


class Cause(Frozen):
    """One reason that came or went, and with it the decision where that moved.

    Attributes:
        code: the reason's code; `metric` or `gate` says whose it is.
        came: True for a reason of the second verdict, False for one of the first.
        because: what moved it: the interval, the policy's rule, both, or the gate.
        text: as its verdict words it.
    """

    code: str
    metric: str | None
    gate: str | None
    came: bool
    because: Because
    text: str


class Difference(Frozen):
    """Everything that differs between two verdicts.

    Attributes:
        unlike: what makes them verdicts about different things: subject, schema, tool.
        causes: reasons that account for the move of the decision; where it did not move, all that
            came and then all that went.
        inputs: window, objects, ledger and pairing.
    """

    first: Decision
    second: Decision
    unlike: tuple[Change, ...]
    causes: tuple[Cause, ...]
    metrics: tuple[MetricChange, ...]
    gates: tuple[GateChange, ...]
    policy: tuple[Change, ...]
    inputs: tuple[Change, ...]

    @property
    def moved(self) -> bool:
        """Whether the decision differs."""
        return self.first is not self.second

    @property
    def empty(self) -> bool:
        """Whether nothing at all differs."""
        found = (self.unlike, self.metrics, self.gates, self.policy, self.inputs)
        return not (self.moved or any(found))

    def to_json(self) -> str:
        """Strict JSON, sorted keys, final newline."""
        body = self.model_dump(mode="json")
        return json.dumps(body, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def difference(first: Verdict, second: Verdict) -> Difference:
    """What differs from the first verdict to the second."""
    return Difference(
        first=first.decision,
        second=second.decision,
        unlike=tuple(_changes(_identity(first), _identity(second))),
        causes=tuple(_causes(first, second)),
        metrics=tuple(_metrics(first, second)),
        gates=tuple(_gates(first, second)),
        policy=tuple(_changes(_policy(first), _policy(second))),
        inputs=tuple(_changes(_read(first), _read(second))),
    )


def _identity(verdict: Verdict) -> dict[str, object]:
    return {
        "schema_version": verdict.schema_version,
        "tool.version": verdict.tool.version,
        **{name: getattr(verdict.subject, name) for name in _SUBJECT},
    }


def _policy(verdict: Verdict) -> dict[str, object]:
    flat = dict(_flat("", verdict.policy.effective))
    return {key: value for key, value in flat.items() if key.split(".")[-1] not in _UNSAID}


def _read(verdict: Verdict) -> dict[str, object]:
    """What was read, and what became of it."""
    parts = {
        "window": verdict.window.model_dump() if verdict.window else {},
        "inputs": verdict.inputs.model_dump(),
        "ledger": verdict.ledger.model_dump(),
        "pairing": verdict.pairing.model_dump(),
    }
    return dict(_flat("", parts))


def _flat(prefix: str, node: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def _changes(first: Mapping[str, object], second: Mapping[str, object]) -> Iterator[Change]:
    for name in [*first, *(name for name in second if name not in first)]:
        if first.get(name) != second.get(name):
            yield Change(name=name, first=first.get(name), second=second.get(name))


def _metrics(first: Verdict, second: Verdict) -> Iterator[MetricChange]:
    for metric in _names(first.metrics, second.metrics):
        before, after = first.metrics.get(metric), second.metrics.get(metric)
        if before is None or after is None or _seen(before) != _seen(after):
            yield MetricChange(metric=metric, first=before, second=after)


def _seen(item: Evidence) -> tuple[Outcome, Role, bool, float | None, Effect | None]:
    return item.outcome, item.role, item.required, item.margin, item.effect


def _gates(first: Verdict, second: Verdict) -> Iterator[GateChange]:
    for gate in _names(first.gates, second.gates):
        before, after = first.gates.get(gate), second.gates.get(gate)
        if before != after:
            yield GateChange(gate=gate, first=before, second=after)


def _names(first: Mapping[str, object], second: Mapping[str, object]) -> list[str]:
    return sorted(first.keys() | second.keys())


def _causes(first: Verdict, second: Verdict) -> Iterator[Cause]:
    """Reasons that account for the move, or what changed behind a decision that is the same.

    A decision gets worse through reasons that came, and better through reasons that went; of those
    only the ones count that decided: failures make and end a REJECT, all others a HOLD.
    """
    if first.decision is second.decision:
        yield from _new(first, second, second.reasons, came=True)
        yield from _new(first, second, first.reasons, came=False)
        return
    worse = _RANK[second.decision] < _RANK[first.decision]
    whole = second if worse else first
    deciding = [reason for reason in whole.reasons if _decides(reason, whole)]
    yield from _new(first, second, deciding, came=worse)


def _new(
    first: Verdict, second: Verdict, reasons: Iterable[Reason], *, came: bool
) -> Iterator[Cause]:
    """Those of one verdict's reasons that the other lacks."""
    other = first if came else second
    known = {_identified(reason) for reason in other.reasons}
    for reason in reasons:
        if _identified(reason) not in known:
            yield Cause(
                code=reason.code,
                metric=reason.metric,
                gate=reason.gate,
                came=came,
                because=_because(reason, first, second),
                text=reason.text,
            )


def _identified(reason: Reason) -> tuple[str, str | None, str | None, str]:
    """What a reason is about, whatever its numbers; a slice is named in the text alone."""
    of_slice = reason.code in {SLICE_REASON, UNREAD_SLICE}
    slice_ = _NUMBERS.split(reason.text, maxsplit=1)[0] if of_slice else ""
    return reason.code, reason.metric, reason.gate, slice_


def _decides(reason: Reason, verdict: Verdict) -> bool:
    if verdict.decision is not Decision.REJECT:
        return True
    if reason.code == SLICE_REASON:
        return False
    item = verdict.metrics.get(reason.metric or "")
    return item is not None and item.role is Role.GUARDRAIL and item.outcome is Outcome.FAIL


def _because(reason: Reason, first: Verdict, second: Verdict) -> Because:
    if reason.gate is not None:
        return _because_gate(first.gates.get(reason.gate), second.gates.get(reason.gate))
    if reason.code in {SLICE_REASON, UNREAD_SLICE}:
        return _because_slices(first, second)
    if reason.metric is None:
        return "policy"
    before, after = first.metrics.get(reason.metric), second.metrics.get(reason.metric)
    if before is None or after is None:
        return "not judged before"
    then = _alone(before, before)
    # What either of the two would have done without the other.
    by_evidence = _alone(after, before) != then
    by_policy = _alone(before, after) != then
    if by_evidence == by_policy:
        return "evidence and policy"
    return "evidence" if by_evidence else "policy"


def _because_slices(first: Verdict, second: Verdict) -> Because:
    """A part of the traffic is judged as the policy's slices say."""
    slices = [verdict.policy.effective.get("slices") for verdict in (first, second)]
    return "evidence" if slices[0] == slices[1] else "policy"


def _because_gate(before: Gate | None, after: Gate | None) -> Because:
    if before is None or after is None:
        return "not judged before"
    if before.value is None and after.value is None:
        return "gate"
    if before.limit == after.limit:
        return "evidence"
    return "policy" if before.value == after.value else "evidence and policy"


def _alone(seen: Evidence, rule: Evidence) -> tuple[Outcome, Role, bool]:
    """One verdict's interval under the other's rule, before any gate."""
    return judge(seen.effect, rule.margin, rule.role), rule.role, rule.required
