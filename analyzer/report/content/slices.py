"""The parts of the traffic that the policy names, drawn and as tables of the predictions page.

In: slices of a verdict. Out: blocks. Values of inputs stand here because the policy names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import NONE, counted, grouped, percent, stated
from analyzer.metrics import BY_ID
from analyzer.metrics.sliced import LEAST_PAIRS, small_and_certain
from analyzer.model import Outcome
from analyzer.report.content.evidence import TONES, WORDS
from analyzer.report.content.page import Chart, Column, Table
from analyzer.verdict import part_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import Slice, SliceBin, SlicedShare, Verdict
    from analyzer.report.content.page import Block, Tone

_BY = {
    "hour": "Hours of the day, UTC.",
    "content_type": "Content types of the input.",
    "quantiles": "Fifths of the number, by production's inputs.",
    "categories": "The values with the most pairs; all others are one part.",
}


UNREAD = "nearly no pair has a value there: not looked at"


def slice_blocks(verdict: Verdict) -> list[Block]:
    """The outcomes of every slice at a glance, then one table a slice: a row a part and metric."""
    told_apart = [(name, held) for name, held in verdict.slices.items() if not held.unread]
    shown = [(name, held) for name, held in told_apart if _metrics(held)]
    small = small_parts(verdict)
    tables = [_table(name, held) for name, held in verdict.slices.items()]
    return [*(_drawn(name, held, small.get(name)) for name, held in shown), *tables]


def slice_summary(verdict: Verdict) -> str:
    """How many parts each slice has and how many of them fail; empty without slices."""
    said = []
    small = small_parts(verdict)
    for name, held in verdict.slices.items():
        parts = counted(len(held.bins), "part")
        if held.unread:
            said.append(f"{name}: {parts}, {UNREAD}")
            continue
        failing = sum(
            any(share.outcome is Outcome.FAIL for share in part.shares.values())
            for part in held.bins
        )
        fails = f"{failing} fail" if failing > 1 else "one fails" if failing else "none fails"
        aside = f", {small[name]}" if name in small else ""
        said.append(f"{name}: {parts}{aside}, {fails}")
    return "; ".join(said)


def small_parts(verdict: Verdict) -> dict[str, str]:
    """By slice, which parts are above the margin for certain and too small to fail."""
    said = {}
    for name, found in small_and_certain(verdict.slices).items():
        named = [f"{part_name(part)} ({_worst(shares)})" for part, shares in found[:_MOST_NAMED]]
        more = f" and {grouped(len(found) - _MOST_NAMED)} more" if found[_MOST_NAMED:] else ""
        said[name] = (
            f"{grouped(len(found))} of fewer than {grouped(LEAST_PAIRS)} pairs above the margin "
            f"for certain: {', '.join(named)}{more}"
        )
    return said


def _worst(shares: Mapping[str, SlicedShare]) -> str:
    return ", ".join(
        f"{BY_ID[metric].title if metric in BY_ID else metric} {percent(share.estimate)}"
        for metric, share in shares.items()
    )


_MOST_NAMED = 5


def _metrics(held: Slice) -> list[str]:
    """Metrics of any part, in the order in which they come."""
    return [*dict.fromkeys(metric for part in held.bins for metric in part.shares)]


def _drawn(name: str, held: Slice, small: str | None) -> Chart:
    rows = [
        (
            part_name(part),
            grouped(part.pairs),
            metric,
            f"{_SYMBOLS[share.outcome]} {percent(share.estimate, 2)}{_pointed(share)}".strip(),
            WORDS[share.outcome],
            TONES[share.outcome].value,
        )
        for part in held.bins
        for metric, share in part.shares.items()
    ]
    failing = [
        part_name(part)
        for part in held.bins
        if any(share.outcome is Outcome.FAIL for share in part.shares.values())
    ]
    named = f"Failing: {', '.join(failing)}." if failing else "No part fails."
    unsettled = sum(
        any(share.outcome is Outcome.UNRESOLVED for share in part.shares.values())
        for part in held.bins
        if part_name(part) not in failing
    )
    of = counted(len(held.bins), "part")
    said = f"{grouped(len(failing))} of {of} FAIL" if failing else "no part fails"
    if small:
        said += ", small ones are above the margin"
    if unsettled:
        said += f", {grouped(unsettled)} not settled"
    columns = ("part", "pairs", "metric", "said", "outcome", "tone")
    return Chart(
        "parts",
        f"By {name}: {said}",
        f"Parts of the traffic by {name} against metrics; the share and the corrected outcome of "
        f"each. {named}",
        pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row"),
        caption=(f"Of {of} {small}. " if small else "")
        + (
            "Each cell: the share of the part's pairs or predictions, and its outcome after Holm's "
            "correction: ✗ FAIL, ✓ pass, ? unresolved, (!) pointed at by the false discovery rate."
        ),
    )


_SYMBOLS = {
    Outcome.PASS: "✓",
    Outcome.FAIL: "✗",
    Outcome.UNRESOLVED: "?",
    Outcome.INFO: "",
}


def _pointed(share: SlicedShare) -> str:
    return " (!)" if share.discovery and share.outcome is not Outcome.FAIL else ""


def _table(name: str, held: Slice) -> Table:
    rows = [
        _row(part, metric, share) for part in held.bins for metric, share in part.shares.items()
    ]
    tones: list[Tone] = [
        TONES[share.outcome] for part in held.bins for share in part.shares.values()
    ]
    caption = (
        f"{_BY[held.by]} Each interval stands at one-sided alpha for its part alone. FAIL is said "
        "after Holm's correction over all parts and metrics, of parts with at least 1 000 pairs, "
        "and holds a promotion; (!) is above what is allowed by the false discovery rate alone, "
        "and holds nothing."
    )
    if held.direction != "none":
        caption += f" All pairs together move {held.direction}."
    if held.simpson:
        caption += " Most parts for certain move the other way: few carry the whole."
    return Table(
        f"Slice: {name}",
        (
            Column("part"),
            Column("pairs", "right"),
            Column("moves"),
            Column("metric"),
            Column("share", "right"),
            Column("interval", "interval"),
            Column("allowed", "right"),
            Column("outcome"),
        ),
        tuple(rows),
        tones=tuple(tones),
        toned=7,
        caption=caption,
        first=("part", "outcome", "metric", "share"),
        find=f"part of {name}",
    )


def _row(part: SliceBin, metric: str, share: SlicedShare) -> tuple[str, ...]:
    return (
        part_name(part),
        grouped(part.pairs),
        NONE if part.direction == "none" else part.direction,
        metric,
        percent(share.estimate, 2),
        f"[{100 * share.lower:.2f} .. {100 * share.upper:.2f}]",
        NONE if share.allowed is None else f"< {stated(share.allowed)}",
        f"{WORDS[share.outcome]}{_pointed(share)}",
    )
