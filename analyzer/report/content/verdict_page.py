"""Page 1: can I promote, why, how sure, what is missing.

In: the verdict. Out: blocks that the terminal, the pull request and the report all show.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import counted, grouped, percent
from analyzer.model import Decision, GateOutcome
from analyzer.report.content.evidence import (
    TONES,
    WORDS,
    effect_kind,
    judged,
    metric_table,
    precision,
    sureness,
)
from analyzer.report.content.figures import allowed, change, interval
from analyzer.report.content.page import (
    Block,
    Chart,
    Check,
    Fact,
    Headline,
    Identity,
    Item,
    Next,
    Notes,
    Page,
    Request,
    Strip,
    Tone,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import Evidence, Gate, Verdict, Window
    from analyzer.report.content.figures import Decimals

_DECISIONS = {
    Decision.PROMOTE: ("✓", Tone.GOOD),
    Decision.HOLD: ("‖", Tone.OPEN),
    Decision.REJECT: ("✗", Tone.BAD),
    Decision.ERROR: ("!", Tone.BAD),
}
_GATES = {
    GateOutcome.PASS: ("pass", "✓", Tone.GOOD),
    GateOutcome.FAIL: ("FAIL", "✗", Tone.BAD),
    GateOutcome.NOT_MEASURED: ("not measured", "?", Tone.OPEN),
}
_FOREST_EDGE = 3.0


def verdict_page(
    verdict: Verdict,
    tables: Mapping[str, pl.DataFrame] | None = None,
    bundle: str = "",
    tool: str = "analyzer",
) -> Page:
    """The decision with everything it rests on.

    Args:
        verdict: what was decided.
        tables: the bundle's tables; this page reads none, every page builder takes them.
        bundle: how the reader names the bundle on a command line; empty inside the report.
        tool: how the reader starts this tool there.
    """
    del tables
    named = judged(verdict)
    blocks: list[Block] = [headline(verdict), identity(verdict)]
    if named:
        explained = {reason.metric for reason in verdict.reasons if reason.metric}
        blocks.append(_forest(verdict, named))
        blocks.append(metric_table(verdict, named, "Guardrails", explained=explained))
    blocks += [_reasons(verdict), _worth_knowing(verdict), gate_strip(verdict)]
    if not bundle:
        blocks.append(_download(verdict))
    else:
        blocks.append(Next("report", f"{tool} report {bundle}"))
    return Page("verdict", "Verdict", tuple(block for block in blocks if not _empty(block)))


def headline(verdict: Verdict) -> Headline:
    """The decision as a word, a symbol and one sentence."""
    symbol, tone = _DECISIONS[verdict.decision]
    return Headline(verdict.decision.value, symbol, tone, verdict.summary, _detail(verdict))


def _detail(verdict: Verdict) -> str:
    """How sure, how many gates are closed, and the first thing to do."""
    closed = sum(gate.closed for gate in verdict.gates.values())
    parts = [
        sureness([verdict.metrics[metric] for metric in judged(verdict)]),
        f"{counted(closed, 'gate') if closed else 'no gate'} closed" if verdict.gates else "",
        next((f"next: {reason.advice}" for reason in verdict.reasons if reason.advice), ""),
    ]
    return "; ".join(part for part in parts if part)


def identity(verdict: Verdict) -> Identity:
    """Endpoint, variants, window, and how much was compared."""
    subject = verdict.subject
    facts = [
        Fact("", subject.endpoint or ""),
        Fact("production", subject.production_variant or ""),
        Fact("shadow", subject.shadow_variant or ""),
        Fact("", window_text(verdict.window) if verdict.window else ""),
    ]
    return Identity(tuple(fact for fact in facts if fact.value), volume_text(verdict))


def window_text(window: Window) -> str:
    """The window to the minute, as `2026-11-20 00:00Z .. 2026-11-22 00:00Z`."""
    return " .. ".join(_minute(stamp) for stamp in (window.start, window.end))


def volume_text(verdict: Verdict) -> str:
    """How many pairs, and what became of the lines that are in none."""
    ledger, pairing = verdict.ledger, verdict.pairing
    points = counted(verdict.inputs.metric_points, "CloudWatch point")
    if not ledger.lines:
        return f"no captures, {points}: predictions were not compared"
    partners = ledger.pairs + ledger.unpaired_production
    share = ledger.pairs / partners if partners else None
    unpaired = ledger.unpaired_production + ledger.unpaired_shadow
    rejects = ledger.malformed + ledger.not_capture
    return (
        f"{counted(ledger.pairs, 'pair')}  ({percent(pairing.rate)} of shadow, "
        f"{percent(share)} of production; {grouped(unpaired)} unpaired, "
        f"{counted(ledger.duplicate, 'duplicate')}, {counted(rejects, 'reject')})"
    )


def gate_strip(verdict: Verdict) -> Strip:
    """Every validity gate as a badge, closed ones first."""
    items = sorted(verdict.gates.items(), key=lambda entry: (not entry[1].closed, entry[0]))
    counts = {
        outcome: sum(gate.outcome is outcome for gate in verdict.gates.values())
        for outcome in GateOutcome
    }
    summary = ", ".join(
        f"{count} {_GATES[outcome][0].lower()}" for outcome, count in counts.items() if count
    )
    told = frozenset(reason.text for reason in verdict.reasons if reason.gate)
    return Strip("Validity gates", summary, tuple(_check(*item, told) for item in items))


def _check(name: str, gate: Gate, told: frozenset[str]) -> Check:
    """A gate as a badge; one that is not measured but only noted is no alarm."""
    word, symbol, tone = _GATES[gate.outcome]
    if gate.outcome is GateOutcome.NOT_MEASURED and not gate.closed:
        tone = Tone.PLAIN
    return Check(name, word, symbol, tone, gate.text, gate.text in told)


def _reasons(verdict: Verdict) -> Notes:
    """Why not PROMOTE, one item an advice: whose it is, what is so, what to do."""
    titles = {
        Decision.PROMOTE: "What this rests on",
        Decision.HOLD: "What holds it, and what to do",
        Decision.REJECT: "Why, and what to do",
        Decision.ERROR: "What went wrong",
    }
    items: dict[str, Item] = {}
    for reason in verdict.reasons:
        evidence = verdict.metrics.get(reason.metric or "")
        tone = TONES[evidence.outcome] if evidence else _DECISIONS[verdict.decision][1]
        item = Item(reason.metric or reason.gate or reason.code, reason.text, reason.advice, tone)
        key = reason.advice or reason.code
        items[key] = _joined(items[key], item) if key in items else item
    return Notes(titles[verdict.decision], tuple(items.values()))


def _worth_knowing(verdict: Verdict) -> Notes:
    """What was chosen not to be asked, and what is weaker than it could be."""
    items = (Item(note.code, note.text, "", Tone.OPEN) for note in verdict.notes)
    return Notes("Worth knowing", tuple(items))


def _joined(first: Item, second: Item) -> Item:
    """Two items with the same advice as one."""
    text = first.text if second.text in first.text else f"{first.text} {second.text}"
    return replace(first, label=f"{first.label}, {second.label}", text=text)


def _forest(verdict: Verdict, metrics: tuple[str, ...]) -> Chart:
    """Every judged interval on one axis: 0 is no change, 1 is the metric's own margin."""
    frame = pl.DataFrame(
        [
            _forest_row(
                metric,
                verdict.metrics[metric],
                precision(verdict, verdict.metrics[metric]),
            )
            for metric in metrics
        ],
        schema=_FOREST_SCHEMA,
        orient="row",
    )
    said = "; ".join(
        f"{metric} {row['change']}, interval {row['interval']}, margin {row['margin']}: "
        f"{row['outcome']}"
        for metric, row in zip(metrics, frame.iter_rows(named=True), strict=True)
    )
    return Chart(
        "forest",
        "Every guardrail against its margin",
        f"Interval of each guardrail relative to its margin. {said}.",
        frame,
        caption=(
            "Each interval is drawn in units of its own margin: left of 1 is acceptable harm, "
            f"right of it is not. Arrows continue beyond {_FOREST_EDGE:.0f} margins."
        ),
        limit=1.0,
    )


_FOREST_SCHEMA = {
    "metric": pl.String,
    "outcome": pl.String,
    "tone": pl.String,
    "position": pl.Float64,
    "from": pl.Float64,
    "to": pl.Float64,
    "beyond": pl.Boolean,
    "change": pl.String,
    "interval": pl.String,
    "margin": pl.String,
}


def _forest_row(metric: str, evidence: Evidence, decimals: Decimals) -> tuple[object, ...]:
    effect, margin, unit = evidence.effect, evidence.margin, evidence.unit
    values: list[float | None] = [None, None, None]
    if effect is not None and margin:
        values = [
            _in_margins(value, margin, effect.kind)
            for value in (effect.estimate, effect.lower, effect.upper)
        ]
    clipped = [None if v is None else max(-_FOREST_EDGE, min(_FOREST_EDGE, v)) for v in values]
    return (
        metric,
        WORDS[evidence.outcome],
        TONES[evidence.outcome].value,
        *clipped,
        any(v is not None and v > _FOREST_EDGE for v in values),
        change(effect, unit, decimals.change),
        interval(effect, margin, unit, decimals.interval),
        allowed(margin, effect_kind(evidence), unit),
    )


def _in_margins(value: float | None, margin: float, kind: str) -> float | None:
    """Harm as a multiple of the margin; ratios on the log scale they are judged on."""
    if value is None:
        return None
    if kind != "ratio":
        return value / margin
    return math.log(value) / math.log(margin) if value > 0 else -math.inf


def _download(verdict: Verdict) -> Request:
    return Request(
        "verdict.json",
        verdict.to_json(),
        "json",
        "The decision and all its evidence, byte for byte what a CI job reads.",
        file_name="verdict.json",
    )


def _minute(stamp: str) -> str:
    return f"{stamp[:16].replace('T', ' ')}Z"


def _empty(block: Block) -> bool:
    return isinstance(block, (Notes, Strip)) and not block.items
