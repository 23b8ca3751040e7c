"""The parts of the traffic that the policy names, as tables of the predictions page.

In: slices of a verdict. Out: blocks. Values of inputs stand here because the policy names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import NONE, grouped, percent, stated
from analyzer.model import Outcome
from analyzer.report.content.evidence import TONES, WORDS
from analyzer.report.content.page import Column, Table
from analyzer.verdict import part_name

if TYPE_CHECKING:
    from analyzer.model import Slice, SliceBin, SlicedShare, Verdict
    from analyzer.report.content.page import Tone

_BY = {
    "hour": "Hours of the day, UTC.",
    "content_type": "Content types of the input.",
    "quantiles": "Fifths of the number, by production's inputs.",
    "categories": "The values with the most pairs; all others are one part.",
}


def slice_tables(verdict: Verdict) -> list[Table]:
    """One table a slice, one row a part and metric."""
    return [_table(name, held) for name, held in verdict.slices.items()]


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
    pointed = " (!)" if share.discovery and share.outcome is not Outcome.FAIL else ""
    return (
        part_name(part),
        grouped(part.pairs),
        NONE if part.direction == "none" else part.direction,
        metric,
        percent(share.estimate, 2),
        f"[{100 * share.lower:.2f} .. {100 * share.upper:.2f}]",
        NONE if share.allowed is None else f"< {stated(share.allowed)}",
        f"{WORDS[share.outcome]}{pointed}",
    )
