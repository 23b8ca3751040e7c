"""What is this number, and what would settle it: every metric and gate of a verdict in words.

In: a verdict. Out: one block to choose from. The words are those of `analyzer explain`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import NONE
from analyzer.gates import BY_ID as GATES
from analyzer.metrics import BY_ID as METRICS
from analyzer.model import Mode, Outcome
from analyzer.report.assumptions import GATE_ASSUMPTIONS, METHOD_ASSUMPTIONS
from analyzer.report.content.evidence import (
    WORDS,
    effect_kind,
    ordered,
    precision,
    role_word,
)
from analyzer.report.content.figures import allowed, interval
from analyzer.report.content.page import Choice, Fact, Option

if TYPE_CHECKING:
    from analyzer.model import Evidence, Gate, Verdict


def explained(verdict: Verdict) -> Choice:
    """Every metric and gate of the verdict that this version knows, guardrails first."""
    metrics = [
        Option(metric, _metric(verdict, metric, verdict.metrics[metric]))
        for metric in ordered(verdict)
        if metric in METRICS
    ]
    gates = [
        Option(gate, _gate(gate, held))
        for gate, held in sorted(verdict.gates.items())
        if gate in GATES
    ]
    return Choice("What is this?", "guardrail", "A metric or gate", (*metrics, *gates))


def _metric(verdict: Verdict, metric: str, evidence: Evidence) -> tuple[Fact, ...]:
    known = METRICS[metric]
    decimals = precision(verdict, evidence)
    seen = interval(evidence.effect, evidence.margin, evidence.unit, decimals.interval)
    limit = allowed(evidence.margin, effect_kind(evidence), evidence.unit)
    judged = f"{WORDS[evidence.outcome]}: judged interval {seen}, margin {limit}"
    replayed = known.in_replay if verdict.subject.mode is Mode.REPLAY else None
    method, source = replayed or (known.method, known.source)
    facts = [
        Fact("what it is", f"{known.title}. {known.meaning}"),
        Fact("here", judged if evidence.margin is not None else WORDS[evidence.outcome]),
        Fact("what it decides", _DECIDES[role_word(evidence)]),
    ]
    if evidence.outcome is Outcome.UNRESOLVED and evidence.needs:
        facts.append(Fact("what would settle it", evidence.needs.text))
    facts += [Fact(note.code, note.text) for note in evidence.notes]
    return (
        *facts,
        Fact("what to do", known.advice),
        Fact("method", f"{method}: {source}"),
        Fact("assumes", METHOD_ASSUMPTIONS.get(method, NONE)),
    )


_DECIDES = {
    "required": "A FAIL rejects; as long as it is unresolved nothing is promoted.",
    "guardrail": "A FAIL rejects; unresolved, it does not hold a promotion.",
    "review": "A FAIL holds until a person has looked.",
    "evidence": "Nothing: it is shown to explain the others.",
    "info": "Nothing: it is shown to explain the others.",
}


def _gate(name: str, gate: Gate) -> tuple[Fact, ...]:
    known = GATES[name]
    covers = ", ".join(family.value.replace("_", " ") for family in gate.covers)
    closed = f"Closed, it takes every pass away from {covers}; it never makes a FAIL."
    return (
        Fact("what it is", f"A gate. {known.meaning}"),
        Fact("here", gate.text),
        Fact("what it decides", closed),
        Fact("what to do", known.advice),
        Fact("assumes", GATE_ASSUMPTIONS.get(name, NONE)),
    )
