"""A page as Markdown: the comment on a pull request, the summary of a CI step.

In: a Page. Out: GitHub-flavoured Markdown. Text from captures, keys or AWS cannot become markup:
no HTML, image, link, mention, issue reference, table cell, code fence or workflow command.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.report.content.page import (
    Facts,
    Headline,
    Identity,
    Missing,
    Next,
    Notes,
    Strip,
    Table,
    Tone,
)
from analyzer.report.plain_text import BREAK, clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.report.content.page import Block, Page

_ESCAPES = (
    (re.compile(r"&"), "&amp;"),
    (re.compile(r"<"), "&lt;"),
    (re.compile(r">"), "&gt;"),
    (re.compile(r"([\\\\`*~|$])"), r"\\\1"),
    (re.compile(r"(?<!\w)_|_(?!\w)"), r"\\_"),
    (re.compile(r"!(?=\[)"), r"\\!"),
    (re.compile(r"\](?=[(\[:])"), r"\\]"),
    # GitHub finds mentions, references and addresses in the rendered text, after escapes are gone.
    (re.compile(r"([@#])(?=\w)"), rf"\1{BREAK}"),
    (re.compile(r":(?=//|:)"), f":{BREAK}"),
    (re.compile(r"\bwww(?=\.)", re.IGNORECASE), f"www{BREAK}"),
    (re.compile(r"%(?=0[ad])", re.IGNORECASE), f"%{BREAK}"),
)
_ALIGN = {"left": ":--", "right": "--:", "interval": "--:"}


def render(page: Page) -> str:
    """The page as Markdown with one final newline."""
    parts = [text for block in page.blocks if (text := _draw(block))]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    r"""Text that Markdown, GitHub and a CI log show as it is.

    >>> escape("a|b <i> latency_p99 [+1 .. +2]")
    'a\\|b &lt;i&gt; latency_p99 [+1 .. +2]'
    """
    safe = clean(text)
    for pattern, replacement in _ESCAPES:
        safe = pattern.sub(replacement, safe)
    return safe


def _draw(block: Block) -> str | None:
    for kind, draw in _DRAW.items():
        if isinstance(block, kind):
            return draw(block)
    return None


def _headline(block: Headline) -> str:
    return f"## {block.symbol} {block.word}\n\n{escape(block.sentence)}"


def _identity(block: Identity) -> str:
    facts = " · ".join(f"{fact.label} **{escape(fact.value)}**".strip() for fact in block.facts)
    return f"{facts}  \n{escape(block.volume)}"


def _facts(block: Facts) -> str:
    facts = " · ".join(f"{fact.label} **{escape(fact.value)}**" for fact in block.items)
    return f"### {block.title}\n\n{facts}"


def _table(block: Table) -> str:
    lines = [
        _row([column.title for column in block.columns]),
        _row([_ALIGN[column.align] for column in block.columns]),
        *(_row([escape(cell) for cell in row]) for row in block.rows),
    ]
    notes = [f"{note.mark} {escape(note.text)}" for note in block.notes]
    below = [*notes, *([escape(block.caption)] if block.caption else [])]
    return "\n".join([*lines, "", "  \n".join(f"<sub>{line}</sub>" for line in below)]).rstrip()


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _strip(block: Strip) -> str:
    lines = [
        f"- {check.symbol} **{escape(check.label)}** {check.word}: {escape(check.text)}"
        for check in block.items
        if check.tone in {Tone.BAD, Tone.OPEN} and not check.told
    ]
    return "\n".join([f"**{block.title}**: {escape(block.summary)}", *lines])


def _notes(block: Notes) -> str:
    lines = [
        f"- **{escape(item.label)}**: {escape(item.text)} {escape(item.advice)}".rstrip()
        for item in block.items
    ]
    return "\n".join([f"### {block.title}", "", *lines])


def _missing(block: Missing) -> str:
    return f"**{escape(block.title)}**: {escape(block.text)} {escape(block.advice)}".rstrip()


def _next(block: Next) -> str:
    return f"{block.label}: `{clean(block.command).replace('`', '')}`"


_DRAW: dict[type[Block], Callable[..., str]] = {
    Headline: _headline,
    Identity: _identity,
    Facts: _facts,
    Table: _table,
    Strip: _strip,
    Notes: _notes,
    Missing: _missing,
    Next: _next,
}
