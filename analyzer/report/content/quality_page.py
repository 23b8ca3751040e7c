"""Page 5: how good the evidence is: what was read, what was paired, what cannot be told.

In: the verdict and the tables ledger, capture_hours, rejects. Out: blocks.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import NONE, counted, grouped, percent
from analyzer.model import Family, Mode
from analyzer.report.content.downloads import downloads
from analyzer.report.content.evidence import ways_table
from analyzer.report.content.page import (
    Block,
    Chart,
    Column,
    Fact,
    Facts,
    Item,
    Missing,
    Notes,
    Page,
    Request,
    Table,
    Tone,
)
from analyzer.report.content.predictions_page import CAPTURES
from analyzer.report.content.unfinished import stopped, unfinished
from analyzer.report.content.verdict_page import gate_strip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import Gate, Ledger, Verdict

_MOST_REJECTS = 200


def evidence_page(verdict: Verdict, tables: Mapping[str, pl.DataFrame]) -> Page:
    """From the lines that were read to what may be concluded from them."""
    ending: list[Block] = [_limits(verdict), _inputs(verdict), _policy(verdict)]
    blocks: list[Block] = []
    if unfinished(verdict):
        blocks += [stopped(verdict), *_rejects(verdict, tables.get("rejects")), *ending]
        return Page("evidence", "Evidence quality", tuple(blocks), _LEAD)
    if verdict.gates:
        blocks.append(_gates(verdict))
    ways = ways_table(verdict)
    blocks += [ways] if ways else []
    blocks += [*_ledger(verdict), *_pairing(verdict), _coverage(tables.get("capture_hours"))]
    blocks += [*_rejects(verdict, tables.get("rejects")), *ending]
    blocks += downloads(tables, ("capture_hours", "rejects"))
    return Page("evidence", "Evidence quality", tuple(blocks), _LEAD)


_LEAD = "Whether the data can carry a verdict at all."


def _gates(verdict: Verdict) -> Table:
    strip = gate_strip(verdict)
    return Table(
        "Validity gates",
        (
            Column("gate"),
            Column("state"),
            Column("what was found", sentence=True),
            Column("covers"),
        ),
        tuple(
            (
                check.label,
                f"{check.symbol} {check.word}",
                check.text,
                _covers(verdict.gates[check.label]),
            )
            for check in strip.items
        ),
        tones=tuple(check.tone for check in strip.items),
        toned=1,
        caption=(
            f"{strip.summary}. A closed gate takes passes away from the families it covers; never "
            "a FAIL."
        ),
    )


def _covers(gate: Gate) -> str:
    """Families by name; `all` when none is left out."""
    if set(gate.covers) >= {Family.LATENCY, Family.ERROR_RATE, Family.DIVERGENCE}:
        return "all"
    return ", ".join(family.value.replace("_", " ") for family in gate.covers)


def _ledger(verdict: Verdict) -> list[Block]:
    ledger = verdict.ledger
    if not ledger.lines:
        return [Missing("Ledger", "No capture lines were read.", CAPTURES)]
    steps = _steps(ledger)
    return [
        Chart(
            "funnel",
            "Where every line went",
            "Capture lines by what became of them: "
            + "; ".join(f"{step} {text}" for step, _, _, text in steps)
            + ".",
            pl.DataFrame(steps, schema=["label", "value", "kept", "text"], orient="row"),
            caption=(
                f"{counted(ledger.lines, 'line')} read, every one counted once: the ledger "
                + ("balances." if ledger.balanced else "does NOT balance.")
            ),
            x_title="lines",
        )
    ]


def _steps(ledger: Ledger) -> list[tuple[str, int, bool, str]]:
    """Each term of the ledger equation that is not zero, largest meaning first."""
    named = (
        ("in pairs", 2 * ledger.pairs, True),
        ("unpaired, production", ledger.unpaired_production, False),
        ("unpaired, shadow", ledger.unpaired_shadow, False),
        ("duplicate", ledger.duplicate, False),
        ("outside the window", ledger.out_of_window, False),
        ("malformed", ledger.malformed, False),
        ("not a capture record", ledger.not_capture, False),
        ("blank", ledger.blank, False),
    )
    shown = [("lines read", ledger.lines, True), *(step for step in named if step[1])]
    return [(label, lines, kept, grouped(lines)) for label, lines, kept in shown]


def _pairing(verdict: Verdict) -> list[Block]:
    pairing = verdict.pairing
    if not verdict.ledger.pairs:
        return []
    facts = [
        Fact("by inference ID", grouped(pairing.by_inference_id)),
        Fact("by event ID", grouped(pairing.by_event_id)),
        Fact(
            "by payload",
            grouped(pairing.by_payload),
            "Pairs by payload are weaker: equal input, nearest in time.",
        ),
        Fact("repeated IDs", grouped(pairing.repeated_ids)),
    ]
    sampling = [
        *_captured(verdict),
        Fact("sampling expected", percent(pairing.expected_sampling, 2)),
        Fact("sampling observed", percent(pairing.observed_sampling, 2)),
        Fact("pairing rate", percent(pairing.rate)),
    ]
    return [Facts("Pairs by key", tuple(facts)), Facts("Sampling", tuple(sampling))]


def _captured(verdict: Verdict) -> tuple[Fact, ...]:
    """Which share of production's requests left a record; pairs can be of no others."""
    errors = verdict.metrics.get("error_5xx_rate")
    requests = errors.n.production if errors and verdict.subject.mode is Mode.CLOUDWATCH else None
    if not requests:
        return ()
    records = verdict.ledger.pairs + verdict.ledger.unpaired_production
    text = f"{counted(records, 'record')} of {counted(requests, 'invocation')} in CloudWatch."
    return (Fact("captured of production", percent(records / requests, 2), text),)


def _coverage(hours: pl.DataFrame | None) -> Block:
    title = "Captured records by hour"
    if hours is None or hours.is_empty():
        return Missing(title, "No captured records by hour in this bundle.", CAPTURES)
    return Chart(
        "overlay",
        title,
        "Captured records per hour of production and shadow.",
        hours.sort("role", "hour").select(
            pl.col("hour").alias("timestamp"),
            "role",
            pl.col("records").cast(pl.Float64).alias("value"),
        ),
        caption="An hour in which one variant has none is an hour nothing was compared.",
        y_title="records",
        zero_y=True,
    )


def _rejects(verdict: Verdict, rejects: pl.DataFrame | None) -> list[Block]:
    by_code = verdict.ledger.rejects_by_code
    blocks: list[Block] = []
    if by_code:
        rows = sorted(by_code.items(), key=lambda entry: (-entry[1], entry[0]))
        blocks.append(
            Table(
                "Rejects by reason",
                (Column("code"), Column("lines", "right")),
                tuple((code, grouped(lines)) for code, lines in rows),
            )
        )
    if rejects is not None and not rejects.is_empty():
        shown = rejects.head(_MOST_REJECTS)
        blocks.append(
            Table(
                "Rejected lines",
                (
                    Column("code"),
                    Column("variant"),
                    Column("object"),
                    Column("line", "right"),
                    Column("bytes", "right"),
                ),
                tuple(
                    (str(code), str(role), str(key), _count(line), _count(size))
                    for code, role, key, line, size in shown.select(
                        "code", "role", "object_key", "line_number", "line_bytes"
                    ).rows()
                ),
                find="reject",
                caption=f"{grouped(shown.height)} of {counted(rejects.height, 'recorded line')}.",
            )
        )
    return blocks


def _inputs(verdict: Verdict) -> Table:
    inputs = verdict.inputs
    rows = [
        ("objects listed", grouped(inputs.objects_listed)),
        ("objects read", grouped(inputs.objects_read)),
        *((f"skipped: {code}", grouped(n)) for code, n in sorted(inputs.objects_skipped.items())),
        *((f"failed: {code}", grouped(n)) for code, n in sorted(inputs.objects_failed.items())),
        ("bytes", grouped(inputs.bytes)),
        ("CloudWatch points", grouped(inputs.metric_points)),
        *(
            (f"dropped: {code}", grouped(n))
            for code, n in sorted(inputs.metric_points_dropped.items())
        ),
        ("input digest", inputs.digest),
        ("policy digest", verdict.policy.digest),
        ("judged by", f"{verdict.tool.name} {verdict.tool.version}"),
    ]
    return Table("What was read", (Column("input"), Column("amount", sentence=True)), tuple(rows))


def _limits(verdict: Verdict) -> Notes:
    """What this kind of data cannot tell, then the verdict's own notes."""
    days = () if verdict.subject.mode is Mode.REPLAY else (Item("days observed", _DAYS),)
    items = [*days, *_MODE_LIMITS.get(verdict.subject.mode, ())]
    items += [Item(note.code, note.text, tone=Tone.OPEN) for note in verdict.notes]
    return Notes("What this data cannot tell", tuple(items))


_DAYS = "A verdict holds for the days observed; an effect that starts later cannot be excluded."
_TAIL = Item(
    "slowest requests",
    "CloudWatch percentiles say nothing about requests rarer than about one in a hundred.",
)
_MODE_LIMITS = {
    Mode.CLOUDWATCH: (
        _TAIL,
        Item("same request", "Latency is compared by minute, not by request."),
    ),
    Mode.METRICS: (_TAIL, Item("predictions", "Without captures no answer was compared.")),
    Mode.CAPTURES: (
        Item("latency and errors", "Captures hold neither; without CloudWatch they are unknown."),
    ),
    Mode.REPLAY: (
        Item("machine", "Replay latency holds for the machine and rate it was measured at."),
        Item(
            "other hours", "Requests that were not replayed may be slower, or answered otherwise."
        ),
    ),
}


def _policy(verdict: Verdict) -> Request:
    return Request(
        "Policy in force",
        json.dumps(verdict.policy.effective, indent=2, sort_keys=True, ensure_ascii=False),
        "Everything that could change the judgement, defaults included.",
    )


def _count(value: int | None) -> str:
    return NONE if value is None else grouped(value)
