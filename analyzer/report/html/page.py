"""Pages of blocks as one HTML document.

In: one small function a block, which words, rounds and computes nothing. Every string is escaped;
the document's own policy forbids scripts and any request all the same.
"""

from __future__ import annotations

import html
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

from analyzer.report.content.page import (
    TALL_TABLE,
    Chart,
    Choice,
    Compared,
    Data,
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
from analyzer.report.html.converter import Converter
from analyzer.report.plain_text import clean, unbroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from analyzer.report.content.page import Block, Fact, Item, Page, Words

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(pages: Sequence[Page], title: str, converter: Converter | None = None) -> str:
    """The pages one below the other, with a menu; ends with a newline.

    Args:
        pages: in reading order; ids unlike each other.
        title: of the document.
        converter: draws the charts, and has started, perhaps; None for one of this document's own.
    """
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    with converter or Converter() as drawing:
        drawn = _drawings(pages, drawing)
    menu = "".join(f'<a href="#{page.id}">{escape(page.title)}</a>' for page in pages)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'<nav aria-label="Pages">{menu}</nav>\n<main>\n'
        f"{''.join(_section(page, drawn) for page in pages)}</main>\n</body>\n</html>\n"
    )


def escape(text: str) -> str:
    """Text that is nothing but text, in an element and in an attribute.

    >>> escape('<b> "&"')
    '&lt;b&gt; &quot;&amp;&quot;'
    """
    return html.escape(clean(text))


def flowing(text: str) -> str:
    """Text of sentences, whose lines break where they must, and never within a number."""
    return escape(unbroken(text))


def _drawings(pages: Sequence[Page], converter: Converter) -> dict[str, str]:
    """Every chart of the pages as SVG, by name."""
    asked = {
        _name(page, number): block
        for page in pages
        for number, block in enumerate(page.blocks)
        if isinstance(block, Chart)
    }
    if not asked:
        return {}
    converter.start()
    # Altair is imported while the converter starts.
    from analyzer.report.html.drawing import svgs

    return svgs(asked, converter)


def _name(page: Page, number: int) -> str:
    return f"{page.id}-{number}"


def _section(page: Page, drawn: Mapping[str, str]) -> str:
    head = f"<h1>{escape(page.title)}</h1>\n<p>{flowing(page.lead)}</p>\n" if page.lead else ""
    parts = []
    for together, blocks in groupby(enumerate(page.blocks), key=lambda entry: _pairs(entry[1])):
        text = "".join(
            _chart(block, drawn.get(_name(page, number), ""))
            if isinstance(block, Chart)
            else _DRAW[type(block)](block)
            for number, block in blocks
        )
        parts.append(f'<div class="pair">\n{text}</div>\n' if together else text)
    return f'<section id="{page.id}">\n{head}{"".join(parts)}</section>\n'


def _pairs(block: Block) -> bool:
    return isinstance(block, Chart) and block.kind != "forest"


def _headline(block: Headline) -> str:
    detail = _quiet([block.detail])
    return (
        f'<header class="decision {block.tone.value}">\n'
        f"<h1>{escape(block.symbol)} {escape(block.word)}</h1>\n"
        f"<p>{flowing(block.sentence)}</p>\n{detail}</header>\n"
    )


def _identity(block: Identity) -> str:
    return f"{_described(block.facts)}{_quiet([block.volume])}"


def _facts(block: Facts) -> str:
    details = _quiet(fact.detail for fact in block.items)
    return _card(block.title, f"{_described(block.items)}{details}")


def _described(facts: Sequence[Fact]) -> str:
    items = "".join(
        f"<div><dt>{escape(fact.label)}</dt><dd>{flowing(fact.value)}</dd></div>" for fact in facts
    )
    return f'<dl class="facts">{items}</dl>\n'


def _table(block: Table) -> str:
    heads = "".join(
        f'<th class="{_kind(block, number)}" scope="col">{escape(column.title)}</th>'
        for number, column in enumerate(block.columns)
    )
    tones = block.tones or (Tone.PLAIN,) * len(block.rows)
    rows = "".join(
        f"<tr>{_cells(block, row, tone)}</tr>\n"
        for row, tone in zip(block.rows, tones, strict=True)
    )
    names = [
        *(["tall"] if len(block.rows) > TALL_TABLE else []),
        *(["told"] if block.toned is not None else []),
    ]
    kind = f' class="{" ".join(names)}"' if names else ""
    notes = _quiet([*(f"{note.mark} {note.text}" for note in block.notes), block.caption])
    return _card(
        block.title,
        f'<div class="wide"><table{kind}>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table></div>\n{notes}",
    )


def _cells(block: Table, row: Sequence[str], tone: Tone) -> str:
    cells = []
    for number, (column, cell) in enumerate(zip(block.columns, row, strict=True)):
        text = flowing(cell) if column.sentence else escape(cell)
        if number == block.toned:
            text = f'<span class="badge {tone.value}">{text}</span>'
        kind = f"{_kind(block, number)} sentence" if column.sentence else _kind(block, number)
        # A phone shows what has an outcome as a list, each value below its title.
        title = "" if block.toned is None or not number else f' data-title="{escape(column.title)}"'
        cells.append(f'<td class="{kind}"{title}>{text}</td>')
    return "".join(cells)


def _kind(block: Table, number: int) -> str:
    """Classes of a column; that of the outcome stands beside the name where there is no room."""
    align = block.columns[number].align
    return f"{align} toned" if number == block.toned else align


def _strip(block: Strip) -> str:
    badges = "".join(_badge(f"{check.symbol} {check.label}", check.tone) for check in block.items)
    said = [check for check in block.items if check.tone is not Tone.GOOD and not check.told]
    lines = [f"{check.label}, {check.word}: {check.text}" for check in said]
    return _card(block.title, f'<p class="badges">{badges}</p>\n{_quiet([block.summary, *lines])}')


def _chart(block: Chart, drawn: str) -> str:
    caption = f"<figcaption>{flowing(block.caption)}</figcaption>\n" if block.caption else ""
    alt = escape(block.alt)
    return _card(
        block.title,
        f'<figure>\n<div class="wide drawing {block.kind}" role="img" aria-label="{alt}">'
        f"{drawn or alt}</div>\n{caption}</figure>\n",
    )


def _notes(block: Notes) -> str:
    items = "".join(f"<li>{_item(item)}</li>\n" for item in block.items)
    return _card(block.title, f'<ul class="notes">\n{items}</ul>\n')


def _item(item: Item) -> str:
    return f"{_badge(item.label, item.tone)} {flowing(item.text)}{_quiet([item.advice])}"


def _compared(block: Compared) -> str:
    return _card(block.title, f"{answers(block)}{_quiet([block.caption])}")


def answers(block: Compared) -> str:
    """Answers beside each other: production's own words struck out, the shadow's underlined."""
    return "".join(
        f'<div class="answers"><p class="quiet">{escape(one.title)}</p>\n'
        f"<p><b>production</b> {_words(one.production, 'del')}</p>\n"
        f"<p><b>shadow</b> {_words(one.shadow, 'ins')}</p></div>\n"
        for one in block.items
    )


def _words(runs: Sequence[Words], tag: str) -> str:
    return " ".join(
        f"<{tag}>{escape(run.text)}</{tag}>" if run.alone else escape(run.text) for run in runs
    )


def _choice(block: Choice) -> str:
    """Everything there is to choose, each closed until it is asked for."""
    parts = (
        f"<details>\n<summary>{escape(option.name)}</summary>\n{_sentences(option.facts)}</details>\n"
        for option in block.options
    )
    inside = f"<summary>{escape(block.label)}</summary>\n{''.join(parts)}"
    return _card(block.title, f"<details>\n{inside}</details>\n")


def _sentences(facts: Sequence[Fact]) -> str:
    return "".join(f"<p><b>{escape(fact.label)}</b> {flowing(fact.value)}</p>\n" for fact in facts)


def _data(block: Data) -> str:
    """The tables lie beside this file, in the bundle."""
    links = (
        f'<a href="tables/{escape(name)}.parquet">{escape(name)}</a>' for name, _ in block.frames
    )
    return f'<p class="quiet">{escape(block.title)}: {", ".join(links)}</p>\n'


def _missing(block: Missing) -> str:
    return _card(block.title, f"<p>{flowing(block.text)}</p>\n{_quiet([block.advice])}")


def _request(block: Request) -> str:
    """A text to copy; what is downloaded elsewhere lies beside this file."""
    if block.file_name:
        link = f'<a href="{escape(block.file_name)}">{escape(block.file_name)}</a>'
        return f'<p class="quiet">{link}: {escape(block.caption)}</p>\n'
    text = "\n".join(escape(line) for line in block.text.split("\n"))
    return (
        f"<details>\n<summary>{escape(block.title)}</summary>\n"
        f"{_quiet([block.caption])}<pre>{text}</pre>\n</details>\n"
    )


def _next(_block: Next) -> str:
    """The next command is for a terminal."""
    return ""


def _card(title: str, body: str) -> str:
    return f'<div class="card">\n<h2>{flowing(title)}</h2>\n{body}</div>\n'


def _badge(text: str, tone: Tone) -> str:
    return f'<span class="badge {tone.value}">{flowing(text)}</span>'


def _quiet(lines: Iterable[str]) -> str:
    """Small print, one line each; nothing where there is none."""
    return "".join(f'<p class="quiet">{flowing(line)}</p>\n' for line in lines if line)


_DRAW: dict[type[Block], Callable[..., str]] = {
    Headline: _headline,
    Identity: _identity,
    Facts: _facts,
    Table: _table,
    Strip: _strip,
    Notes: _notes,
    Compared: _compared,
    Choice: _choice,
    Data: _data,
    Missing: _missing,
    Request: _request,
    Next: _next,
}
