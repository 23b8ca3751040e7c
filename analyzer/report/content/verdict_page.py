"""Page 1: can I promote, why, how sure, what is missing.

In: the verdict. Out: blocks that the terminal, the pull request and the report all show.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.figures import counted, grouped, percent
from analyzer.model import Decision, GateOutcome, Mode
from analyzer.report.content.evidence import TONES, judged, metric_table, sureness
from analyzer.report.content.explained import explained
from analyzer.report.content.forecast import when_known
from analyzer.report.content.forest import forest
from analyzer.report.content.page import (
    Block,
    Check,
    Choice,
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
from analyzer.report.content.promotion_page import promotion_request
from analyzer.report.content.slices import slice_summary, small_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from analyzer.model import Gate, Verdict, Window

DECISIONS = {
    Decision.PROMOTE: ("✓", Tone.GOOD),
    Decision.HOLD: ("‖", Tone.OPEN),
    Decision.REJECT: ("✗", Tone.BAD),
    Decision.ERROR: ("!", Tone.BAD),
}
_UNMEASURED = "not measured"


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
    blocks: list[Block] = [headline(verdict)]
    if verdict.decision is not Decision.ERROR:  # which claims nothing but why
        blocks.append(identity(verdict))
    if named:
        told = {reason.metric for reason in verdict.reasons if reason.metric}
        blocks.append(forest(verdict, named))
        blocks.append(metric_table(verdict, named, "Judged metrics", explained=told))
    blocks += [_reasons(verdict), when_known(verdict), _worth_knowing(verdict), gate_strip(verdict)]
    if not bundle:
        if _has_plan(verdict):
            blocks.append(promotion_request(verdict))
        blocks += [explained(verdict), _download(verdict)]
    else:
        blocks.append(Next("report", f"{tool} report {bundle}"))
    return Page("verdict", "Verdict", tuple(block for block in blocks if not _empty(block)))


def headline(verdict: Verdict) -> Headline:
    """The decision as a word, a symbol and one sentence."""
    symbol, tone = DECISIONS[verdict.decision]
    return Headline(verdict.decision.value, symbol, tone, verdict.summary, _detail(verdict))


def _detail(verdict: Verdict) -> str:
    """How sure, how many gates are closed, and the first thing to do."""
    closed = sum(gate.closed for gate in verdict.gates.values())
    parts = [
        sureness([verdict.metrics[metric] for metric in judged(verdict)]),
        f"{counted(closed, 'gate') if closed else 'no gate'} closed" if verdict.gates else "",
    ]
    said = "; ".join(part for part in parts if part)
    sure = f"{said[:1].upper()}{said[1:]}." if said else ""
    return f"{sure} {_next_step(verdict)}".strip()


def _next_step(verdict: Verdict) -> str:
    if _has_plan(verdict):
        return "Carry out the promotion plan below."
    return next((reason.advice for reason in verdict.reasons if reason.advice), "")


def identity(verdict: Verdict) -> Identity:
    """Endpoint, variants, window, and how much was compared."""
    subject = verdict.subject
    facts = [
        Fact("", subject.endpoint or ""),
        Fact("production", subject.production_variant or ""),
        Fact("shadow", subject.shadow_variant or ""),
        Fact("", window_text(verdict.window) if verdict.window else ""),
        Fact("", _MEASURED_BY.get(subject.mode, "")),
    ]
    return Identity(tuple(fact for fact in facts if fact.value), volume_text(verdict))


_MEASURED_BY = {
    Mode.REPLAY: "measured by a replay, not on live traffic",
    Mode.METRICS: "measured by metrics alone",
    Mode.CAPTURES: "measured by captures alone",
}


def _has_plan(verdict: Verdict) -> bool:
    return verdict.decision is Decision.PROMOTE and bool(verdict.subject.endpoint)


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
        f"{counted(ledger.pairs, 'pair')}  ({percent(pairing.rate)} of shadow records, "
        f"{percent(share)} of production records; {grouped(unpaired)} unpaired, "
        f"{counted(ledger.duplicate, 'duplicate')}, {counted(rejects, 'reject')})"
    )


def gate_strip(verdict: Verdict) -> Strip:
    """Every validity gate as a badge, closed ones first."""
    items = sorted(verdict.gates.items(), key=lambda entry: (not entry[1].closed, entry[0]))
    parts = (
        _counted(word, {name: gate for name, gate in items if gate.closed is closed})
        for word, closed in (("open", False), ("closed", True))
    )
    summary = ", ".join(part for part in parts if part)
    told = frozenset(reason.text for reason in verdict.reasons if reason.gate)
    return Strip("Validity gates", summary, tuple(_check(*item, told) for item in items))


def _counted(word: str, gates: Mapping[str, Gate]) -> str:
    """How many are in a state, and which of them could not be measured."""
    unmeasured = [name for name, gate in gates.items() if gate.outcome is GateOutcome.NOT_MEASURED]
    aside = f" ({_UNMEASURED}: {', '.join(unmeasured)})" if unmeasured else ""
    return f"{len(gates)} {word}{aside}" if gates else ""


def _check(name: str, gate: Gate, told: frozenset[str]) -> Check:
    """A gate as a badge: open or closed, as every sentence about gates says it."""
    symbol, tone = ("✗", Tone.BAD) if gate.closed else ("✓", Tone.GOOD)
    if gate.outcome is GateOutcome.NOT_MEASURED:
        # Closed for want of data is no finding against the shadow; open all the same is no alarm.
        symbol, tone = (symbol, Tone.OPEN) if gate.closed else ("○", Tone.PLAIN)
    return Check(name, gate_word(gate), symbol, tone, gate.text, gate.text in told)


def gate_word(gate: Gate) -> str:
    """Open or closed, and whether for want of data."""
    word = "closed" if gate.closed else "open"
    return f"{word}, {_UNMEASURED}" if gate.outcome is GateOutcome.NOT_MEASURED else word


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
        tone = TONES[evidence.outcome] if evidence else DECISIONS[verdict.decision][1]
        item = Item(reason.metric or reason.gate or reason.code, reason.text, reason.advice, tone)
        key = reason.advice or reason.code
        items[key] = _joined(items[key], item) if key in items else item
    return Notes(titles[verdict.decision], tuple(items.values()))


def _worth_knowing(verdict: Verdict) -> Notes:
    """What was chosen not to be asked, and what is weaker than it could be."""
    items = [Item(note.code, note.text, "", Tone.OPEN) for note in verdict.notes]
    if sliced := slice_summary(verdict):
        tone = Tone.OPEN if small_parts(verdict) else Tone.PLAIN
        items.append(Item("slices", sliced, "", tone))
    return Notes("Worth knowing", tuple(items))


def _joined(first: Item, second: Item) -> Item:
    """Two items with the same advice as one."""
    text = first.text if second.text in first.text else f"{first.text} {second.text}"
    return replace(first, label=f"{first.label}, {second.label}", text=text)


def _download(verdict: Verdict) -> Request:
    return Request(
        "verdict.json",
        verdict.to_json(),
        "The decision and all its evidence, byte for byte what a CI job reads.",
        file_name="verdict.json",
    )


def _minute(stamp: str) -> str:
    return f"{stamp[:16].replace('T', ' ')}Z"


def _empty(block: Block) -> bool:
    if isinstance(block, Choice):
        return not block.options
    return isinstance(block, (Notes, Strip)) and not block.items
