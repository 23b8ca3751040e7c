"""A page in a terminal: aligned columns, footnotes, the decision and the next command last.

In: a Page. Out: Rich `Text`, whose `.plain` is the same without colour. Every string is stripped of
control characters: captured text must not move the cursor, recolour or spoof a line.
"""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING

from rich.text import Text

from analyzer.report.content.page import (
    Facts,
    Headline,
    Identity,
    Missing,
    Next,
    Notes,
    Request,
    Strip,
    Table,
    Tone,
)
from analyzer.report.plain_text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.report.content.page import Block, Column, Page

STYLES = {Tone.GOOD: "green", Tone.BAD: "bold red", Tone.OPEN: "yellow", Tone.PLAIN: ""}
GAP = "   "
TABLE_GAP = "  "


def render(page: Page, *, requests: bool = False) -> Text:
    """The page as lines; blocks that a terminal cannot show (charts, downloads) are left out.

    Args:
        page: what to draw.
        requests: also draw texts to copy.
    """
    blocks = [one for one in page.blocks if requests or not isinstance(one, Request)]
    sections = [text for block in _terminal_order(blocks) if (text := _draw(block))]
    lines = Text("\n").join(sections)
    lines.append("\n")
    return lines


def _terminal_order(blocks: Sequence[Block]) -> list[Block]:
    """What a report shows first, a terminal shows last: there the eye rests on the last line."""
    last = [block for kind in (Headline, Next) for block in blocks if isinstance(block, kind)]
    return [block for block in blocks if block not in last] + last


def _draw(block: Block) -> Text | None:
    for kind, draw in _DRAW.items():
        if isinstance(block, kind):
            return draw(block)
    return None


def _headline(block: Headline) -> Text:
    line = Text(block.word, style=f"bold {STYLES[block.tone]}")
    return line.append(f"  {clean(block.sentence)}", style="not bold default")


def _identity(block: Identity) -> Text:
    facts = GAP.join(f"{fact.label} {clean(fact.value)}".strip() for fact in block.facts)
    return Text(f"{facts}\n{clean(block.volume)}\n")


def _facts(block: Facts) -> Text:
    line = Text(f"{block.title}: ")
    said = (" ".join(filter(None, (fact.label, clean(fact.value)))) for fact in block.items)
    return line.append(GAP.join(said))


def _table(block: Table) -> Text:
    cells = [_heads(block), *([clean(cell) for cell in row] for row in block.rows)]
    for cells_of_row, mark in zip(cells[1:], block.marks, strict=False):
        cells_of_row[0] += mark
    by_column = zip(block.columns, map(list, zip(*cells, strict=True)), strict=True)
    columns = list(starmap(_aligned, (one for one in by_column if not one[0].wide)))
    toned = (
        None
        if block.toned is None
        else block.toned - sum(column.wide for column in block.columns[: block.toned])
    )
    text = Text()
    for number, row in enumerate(zip(*columns, strict=True)):
        tone = block.tones[number - 1] if number and block.tones else Tone.PLAIN
        styles = [STYLES[tone] if index == toned else "" for index in range(len(row))]
        line = Text(TABLE_GAP).join(
            Text(cell, style) for cell, style in zip(row, styles, strict=True)
        )
        line.rstrip()
        text.append(line).append("\n")
    if block.legend:
        text.append(f"{block.legend}\n")
    for note in block.notes:
        text.append(f"{note.mark} {clean(note.text)}\n")
    return text


def _heads(block: Table) -> list[str]:
    heads = [column.title for column in block.columns]
    return ["", *heads[1:-1], ""] if block.untitled_first else heads


def _aligned(column: Column, cells: list[str]) -> list[str]:
    """Cells of one column at one width."""
    if column.align == "interval":
        cells = _interval_aligned(cells)
    width = max(map(len, cells))
    if column.align == "right":
        return [cell.rjust(width) for cell in cells]
    return [cell.ljust(width) for cell in cells]


def _interval_aligned(cells: list[str]) -> list[str]:
    """`[lower .. upper]` cells padded inside the brackets, so both numbers stand in a column."""
    parts = [cell[1:-1].split(" .. ") for cell in cells if cell.startswith("[")]
    if not parts:
        return cells
    left, right = (max(len(part[side]) for part in parts) for side in (0, 1))
    return [_padded(cell, left, right) if cell.startswith("[") else cell for cell in cells]


def _padded(cell: str, left: int, right: int) -> str:
    lower, upper = cell[1:-1].split(" .. ")
    return f"[{lower.rjust(left)} .. {upper.rjust(right)}]"


def _strip(block: Strip) -> Text:
    """The gates in one line, and each that is not in order in a line of its own."""
    text = Text(f"gates: {clean(block.summary)}\n")
    for check in block.items:
        if check.tone in {Tone.BAD, Tone.OPEN}:
            text.append(f"  {clean(check.label)} ").append(check.word, style=STYLES[check.tone])
            text.append(f": {clean(check.text)}\n")
    return text


def _missing(block: Missing) -> Text:
    return Text(f"{clean(block.title)}: {clean(block.text)} {clean(block.advice)}".rstrip() + "\n")


def _notes(block: Notes) -> Text | None:
    """What to do about a reason, which the footnotes already gave; else what there is to know."""
    lines = [f"- {clean(item.label)}: {clean(item.advice or item.text)}" for item in block.items]
    return Text("\n".join(lines) + "\n") if lines else None


def _request(block: Request) -> Text:
    """A text to copy, line by line as it is."""
    lines = [clean(line) for line in block.text.splitlines()]
    title = f"{clean(block.title)}: {clean(block.caption)}".removesuffix(": ")
    return Text("\n".join([f"{title}:", *lines, ""]))


def _next(block: Next) -> Text:
    return Text(f"{block.label}: {clean(block.command)}")


_DRAW: dict[type[Block], Callable[..., Text | None]] = {
    Headline: _headline,
    Identity: _identity,
    Facts: _facts,
    Table: _table,
    Strip: _strip,
    Missing: _missing,
    Notes: _notes,
    Request: _request,
    Next: _next,
}
