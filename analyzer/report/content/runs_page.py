"""Page 7: all runs of a folder, and what changed between two of them.

In: verdicts by the name of their bundle, and what the reader chose. Out: blocks of the report
application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import NONE, grouped
from analyzer.report.content.diff_page import diff_page
from analyzer.report.content.page import Column, Item, Notes, Page, Table, Tone
from analyzer.report.content.verdict_page import DECISIONS, window_text
from analyzer.verdict.diff import difference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import Verdict
    from analyzer.report.content.page import Block


def runs_page(runs: Mapping[str, Verdict | str], chosen: tuple[str, str] | None) -> Page:
    """Every run with its decision and window, the latest first, and the difference of two.

    Args:
        runs: name of the bundle -> its verdict, or why it cannot be read.
        chosen: names of the two runs to compare, the earlier first.
    """
    read = {name: one for name, one in runs.items() if not isinstance(one, str)}
    latest = sorted(read, key=lambda name: (window_end(read[name]), name), reverse=True)
    blocks: list[Block] = [_table({name: read[name] for name in latest})]
    broken = {name: one for name, one in runs.items() if isinstance(one, str)}
    if broken:
        items = tuple(Item(name, why, tone=Tone.BAD) for name, why in sorted(broken.items()))
        blocks.append(Notes("Cannot be shown", items))
    if chosen is not None:
        first, second = (read[name] for name in chosen)
        blocks += diff_page(difference(first, second)).blocks
    return Page("runs", "All runs", tuple(blocks), _LEAD)


_LEAD = "Every run of this folder; what changed between two of them, and which of it decided."


def window_end(verdict: Verdict) -> str:
    """When the run's window ends, ISO 8601 in UTC; empty without one. The latest run has the last.

    The name of a run may be a date, a commit or a word, and says nothing for certain.
    """
    return verdict.window.end if verdict.window else ""


def _table(runs: Mapping[str, Verdict]) -> Table:
    return Table(
        "Runs",
        (
            Column("run"),
            Column("decision"),
            Column("window"),
            Column("endpoint"),
            Column("production"),
            Column("shadow"),
            Column("pairs", "right"),
            Column("why", sentence=True),
        ),
        tuple(
            (
                name,
                f"{DECISIONS[one.decision][0]} {one.decision.value}",
                window_text(one.window) if one.window else NONE,
                one.subject.endpoint or NONE,
                one.subject.production_variant or NONE,
                one.subject.shadow_variant or NONE,
                grouped(one.ledger.pairs),
                one.summary,
            )
            for name, one in runs.items()
        ),
        tones=tuple(DECISIONS[one.decision][1] for one in runs.values()),
        toned=1,
    )
