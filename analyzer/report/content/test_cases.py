"""What a CI system's list of tests says: decision, metrics, gates and slices as a case each.

In: the verdict. Out: finished words and whether each case stands in the way of a promotion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from analyzer.figures import counted, grouped, percent
from analyzer.model import Decision, Outcome, Role
from analyzer.report.content.evidence import COLUMNS, metric_table, ordered
from analyzer.report.content.slices import UNREAD, small_parts
from analyzer.verdict import SLICE_REASON, UNREAD_SLICE, describe, part_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Evidence, Gate, Slice, Verdict

Result = Literal["passed", "fail", "unresolved", "error"]

_DECISION = "verdict"
_GATES = "gates"
_SLICES = "slices"
_RESULTS: dict[Decision, Result] = {
    Decision.PROMOTE: "passed",
    Decision.HOLD: "unresolved",
    Decision.REJECT: "fail",
    Decision.ERROR: "error",
}


@dataclass(frozen=True)
class Case:
    """One test case.

    Attributes:
        group: what lists it together with others: the verdict, a family of metrics, the gates.
        result: anything but `passed` stands in the way of a promotion.
        holds: it can only hold a promotion, and not reject the shadow.
        message: one sentence.
        lines: its numbers, its caveats, and what to do.
    """

    group: str
    name: str
    result: Result
    holds: bool
    message: str
    lines: tuple[str, ...]


def test_cases(verdict: Verdict) -> tuple[Case, ...]:
    """The decision, then metrics as the report orders them, then gates, then slices."""
    return tuple(_cases(verdict))


def _cases(verdict: Verdict) -> Iterator[Case]:
    yield Case(
        _DECISION,
        "decision",
        _RESULTS[verdict.decision],
        verdict.decision is Decision.HOLD,
        f"{verdict.decision}: {verdict.summary}",
        tuple(f"{one.code}: {one.text} {one.advice}".rstrip() for one in verdict.reasons),
    )
    for metric in ordered(verdict):
        yield _metric_case(verdict, metric, verdict.metrics[metric])
    for name, gate in sorted(verdict.gates.items()):
        yield _gate_case(verdict, name, gate)
    for name, held in verdict.slices.items():
        yield _slice_case(verdict, name, held)


def _metric_case(verdict: Verdict, metric: str, item: Evidence) -> Case:
    table = metric_table(verdict, [metric], "")
    cells = zip(COLUMNS[1:], table.rows[0][1:], strict=True)
    reasons = [reason for reason in verdict.reasons if reason.metric == metric]
    said = f"{item.outcome}: {describe(item)}" if item.role.is_judged else "not judged"
    return Case(
        item.family.value,
        metric,
        _result(item),
        item.role is Role.REVIEW or item.outcome is not Outcome.FAIL,
        reasons[0].text if reasons else said,
        (
            *(f"{column.title}: {cell}" for column, cell in cells),
            *(f"{note.mark} {note.text}" for note in table.notes),
            *(f"what to do: {reason.advice}" for reason in reasons),
        ),
    )


def _result(item: Evidence) -> Result:
    if item.role.is_judged and item.outcome is Outcome.FAIL:
        return "fail"
    waiting = item.required or item.role is Role.REVIEW
    return "unresolved" if waiting and item.outcome is not Outcome.PASS else "passed"


def _gate_case(verdict: Verdict, name: str, gate: Gate) -> Case:
    advice = [reason.advice for reason in verdict.reasons if reason.gate == name]
    lines = (f"outcome: {gate.outcome}", f"covers: {', '.join(gate.covers)}")
    return Case(
        _GATES,
        name,
        "unresolved" if gate.closed else "passed",
        gate.closed,
        gate.text,
        (*lines, *(f"what to do: {one}" for one in advice)),
    )


def _slice_case(verdict: Verdict, name: str, held: Slice) -> Case:
    failing = [
        f"{part_name(part)}: {metric} {percent(share.lower, 2)} to {percent(share.upper, 2)}"
        for part in held.bins
        for metric, share in part.shares.items()
        if share.outcome is Outcome.FAIL
    ]
    parts = counted(len(held.bins), "part")
    if held.unread:
        unread = [one for one in verdict.reasons if one.code == UNREAD_SLICE]
        advice = [one.advice for one in unread if name in one.advice]
        lines = tuple(f"what to do: {one}" for one in advice)
        said = f"{parts}, {UNREAD}"
        return Case(_SLICES, name, "unresolved", holds=True, message=said, lines=lines)
    small = small_parts(verdict).get(name)
    parts += f", {small}" if small else ""
    advice = [one.advice for one in verdict.reasons if one.code == SLICE_REASON]
    return Case(
        _SLICES,
        name,
        "unresolved" if failing else "passed",
        bool(failing),
        f"above what is allowed in {grouped(len(failing))} of {parts}" if failing else parts,
        (*failing, *(f"what to do: {one}" for one in advice if failing)),
    )
