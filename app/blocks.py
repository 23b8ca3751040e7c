"""One Streamlit call per Page block; no arithmetic, no wording, no rounding.

In: finished blocks. Out: what the browser shows. Text that may come from captures, keys or AWS goes
to `st.text`, `st.code` and `st.dataframe`, which show it as it is; titles, labels and captions are
this program's words, and are escaped all the same, since Markdown could fetch an image.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import compress, groupby
from typing import TYPE_CHECKING, Literal

import polars as pl
import streamlit as st

from analyzer.report import charts
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
from analyzer.report.html.page import answers
from analyzer.report.plain_text import BREAK, clean, unbroken
from analyzer.report.spreadsheet import csv, parquet

# As in report.py: the folder of the script is on sys.path, under whatever name.
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streamlit.elements.lib.column_types import ColumnConfig

    from analyzer.report.content.page import Block, Page
    from app.address import choice_key, in_order, named, selected
else:
    from address import choice_key, in_order, named, selected

# Altair finds numpy and pandas in sys.modules, where the thread of another reader may still be
# importing them; importing here waits until they are whole.
WHOLE = tuple(import_module(name) for name in ("numpy", "pandas"))
Colour = Literal["green", "red", "orange", "gray"]
COLOURS: dict[Tone, Colour] = {
    Tone.GOOD: "green",
    Tone.BAD: "red",
    Tone.OPEN: "orange",
    Tone.PLAIN: "gray",
}
TALL_TABLE_PX = 560
_WIDEST_FIRST_PX = 200
STYLE = """
<style>
[class*="st-key-decision-"] {
  border-left: 0.5rem solid; border-radius: 0.6rem; padding: 1.1rem 1.4rem;
}
.st-key-decision-good { border-color: #009E73; background: #009E731f; }
.st-key-decision-bad { border-color: #C8322B; background: #C8322B1f; }
.st-key-decision-open { border-color: #E69F00; background: #E69F001f; }
.st-key-decision-plain { border-color: #8A8F98; background: #8A8F981f; }
[class*="st-key-decision-"] h1 { padding: 0; letter-spacing: 0.02em; }
[class*="st-key-decision-"] [data-testid="stText"] { font-size: 1.15rem; line-height: 1.5; }
[class*="st-key-quiet-"] [data-testid="stText"] { font-size: 0.875rem; opacity: 0.75; }
[class*="st-key-strong-"] [data-testid="stText"] { font-weight: 600; }
[class*="st-key-strong-"] { row-gap: 0.1rem; }
.answers { margin: 0.9rem 0; }
.answers p { margin: 0.2rem 0; overflow-wrap: anywhere; }
.answers .quiet { font-size: 0.875rem; opacity: 0.75; }
[data-testid="stText"] { overflow-wrap: anywhere; }
[data-testid="stTable"] td p { overflow-wrap: anywhere !important; }
@media (min-width: 640px) {
  /* A column is as wide as its longest word or number, up to Streamlit's 400 px; a name less. */
  [data-testid="stTable"] td:first-child, [data-testid="stTable"] td:first-child > div {
    max-width: 16rem;
  }
  [data-testid="stTable"] td p { overflow-wrap: break-word !important; }
  /* The menu stays in sight; Streamlit's empty header would lie over it. */
  [data-testid="stLayoutWrapper"]:has(> .st-key-menu) {
    position: sticky; top: 0; z-index: 999991; padding: 0.6rem 0;
    background: light-dark(#FFFFFF, #10151C);
  }
}
@media (max-width: 639px) {
  /* A table of sentences: its short cells in one line, each sentence below them at full width. */
  [data-testid="stTable"] :is(table, thead, tbody) { display: block; width: 100%; }
  [data-testid="stTable"] tr { display: flex; flex-wrap: wrap; column-gap: 0.5rem; }
  [data-testid="stTable"] :is(td, th) { border: 0; white-space: normal; min-width: 0; }
  [data-testid="stTable"] :is(td, th):nth-child(n + 3) { flex-basis: 100%; max-width: none; }
  [data-testid="stTable"] tr { border-bottom: 1px solid light-dark(#DDE3EA, #2C3644); }
}
/* Streamlit's faded captions and axes are hard to read; the page's own colour is in its theme. */
[data-testid="stCaptionContainer"] { color: inherit; opacity: 0.8; }
.marks :is(.role-axis-label, .role-axis-title, .role-legend-label, .role-legend-title) text {
  fill: currentColor; fill-opacity: 0.85;
}
</style>
"""


def draw(page: Page) -> None:
    """Every block of the page in order; neighbouring charts share a row where there is room."""
    st.html(STYLE)
    if page.lead:
        st.title(escaped(page.title), anchor=False)
        st.caption(escaped(page.lead))
    for together, blocks in groupby(in_order(page), key=lambda entry: _pairs(entry[1])):
        if together:
            _draw_side_by_side(list(blocks))
        else:
            for number, block in blocks:
                _DRAW[type(block)](block, f"{page.id}-{number}")


def escaped(text: str) -> str:
    """Text in which Markdown finds nothing to do.

    It makes links of bare addresses after it has taken the backslashes off, so these are broken
    by a character that nobody sees.
    """
    broken = _ADDRESS.sub(BREAK, clean(text))
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", broken)


_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)


def _pairs(block: Block) -> bool:
    return isinstance(block, Chart) and block.kind != "forest"


def _draw_side_by_side(blocks: list[tuple[int, Block]]) -> None:
    for left in range(0, len(blocks), 2):
        row = blocks[left : left + 2]
        for column, (_, block) in zip(st.columns(len(row)), row, strict=True):
            with column:
                _DRAW[type(block)](block, "")


def _headline(block: Headline, key: str) -> None:
    with st.container(key=f"decision-{block.tone.value}", gap="small"):
        st.title(f"{escaped(block.symbol)} {escaped(block.word)}", anchor=False)
        st.text(unbroken(block.sentence))
        _quiet([block.detail] if block.detail else [], f"detail-{key}")


def _identity(block: Identity, key: str) -> None:
    with st.container(key=f"strong-{key}", horizontal=True, gap="medium"):
        for fact in block.facts:
            st.text(unbroken(f"{fact.label} {fact.value}".strip()))
    _quiet([block.volume], key)


def _facts(block: Facts, key: str) -> None:
    with st.container(border=True):
        _title(block.title)
        for column, fact in zip(st.columns(len(block.items)), block.items, strict=True):
            column.metric(escaped(fact.label), escaped(fact.value))
        _quiet([fact.detail for fact in block.items if fact.detail], key)


def _table(block: Table, key: str) -> None:
    _title(block.title)
    if block.find:
        block = _chosen(_found(block))
    if any(column.sentence for column in block.columns):
        _sentences(block)
    else:
        _numbers(block)
    _quiet([f"{note.mark} {note.text}" for note in block.notes], key)
    if block.caption:
        st.caption(escaped(unbroken(block.caption)))


def _chosen(block: Table) -> Table:
    """The rows with the values that the reader chose, which the address names too."""
    for title, place in zip(block.choose, st.columns(len(block.choose) or 1), strict=False):
        at = [column.title for column in block.columns].index(title)
        with place:
            chosen = selected(
                escaped(title), sorted({row[at] for row in block.rows}), choice_key(block, title)
            )
        if chosen is not None:
            block = _kept(block, [row[at] == chosen for row in block.rows])
    return block


def _kept(block: Table, held: Sequence[bool]) -> Table:
    return replace(
        block,
        rows=tuple(compress(block.rows, held)),
        tones=tuple(compress(block.tones, held)),
    )


def _found(block: Table) -> Table:
    """The rows that hold what the reader looks for, which the address names too."""
    sought = st.text_input(
        escaped(f"Find {block.find}"), key=block.find, bind="query-params", max_chars=200
    )
    if not sought:
        return block
    held = [any(sought in cell for cell in row) for row in block.rows]
    if not any(held):
        st.text(f"No {unbroken(clean(block.find))} here has {named(sought)}.")
    return _kept(block, held)


def _sentences(block: Table) -> None:
    """A table that is read: its rows are as high as their sentences."""
    cells = [[escaped(unbroken(cell)) for cell in row] for row in block.rows]
    if block.toned is not None:
        for row, tone in zip(cells, block.tones, strict=True):
            row[block.toned] = f":{COLOURS[tone]}-badge[{row[block.toned]}]"
    titles = [escaped(column.title) for column in block.columns]
    st.table(
        pl.DataFrame(cells, schema=dict.fromkeys(titles, pl.String), orient="row"),
        border="horizontal",
        hide_index=True,
        alt=block.title,
    )


def _numbers(block: Table) -> None:
    """A table that is scanned: sorted, scrolled, searched."""
    titles = [column.title for column in block.columns]
    frame = pl.DataFrame(list(block.rows), schema=dict.fromkeys(titles, pl.String), orient="row")
    config: dict[str, ColumnConfig] = {
        column.title: st.column_config.TextColumn(
            alignment="left" if column.align == "left" else "right"
        )
        for column in block.columns
    }
    # Left to itself the grid measures its first rows, and cuts what is longer below them.
    config[titles[0]]["width"] = _fitting([titles[0], *frame[titles[0]]])
    if block.toned is not None:
        name = titles[block.toned]
        colours = dict(zip(frame[name], (COLOURS[tone] for tone in block.tones), strict=True))
        config[name] = st.column_config.MultiselectColumn(
            options=list(colours), color=list(colours.values())
        )
        frame = frame.with_columns(pl.concat_list(name))
    st.dataframe(
        frame,
        hide_index=True,
        column_order=[*block.first, *(title for title in titles if title not in block.first)],
        column_config=config,
        width="stretch",
        height="content" if frame.height <= TALL_TABLE else TALL_TABLE_PX,
        alt=block.title,
    )


def _fitting(texts: Sequence[str]) -> int:
    """The width in pixels of a column that cuts none of these, within half a phone's."""
    return min(20 + 7 * max(map(len, texts)), _WIDEST_FIRST_PX)


def _strip(block: Strip, key: str) -> None:
    with st.container(border=True):
        _title(block.title)
        with st.container(horizontal=True, gap="small"):
            for check in block.items:
                st.badge(escaped(f"{check.symbol} {check.label}"), color=COLOURS[check.tone])
        said = [check for check in block.items if check.tone is not Tone.GOOD and not check.told]
        lines = [f"{check.label}, {check.word}: {check.text}" for check in said]
        _quiet([block.summary, *lines], key)


def _chart(block: Chart, _key: str) -> None:
    with st.container(border=True, height="stretch"):
        _title(block.title)
        st.altair_chart(charts.draw(block), width="stretch", alt=block.alt)
        if block.caption:
            st.caption(escaped(unbroken(block.caption)))


def _notes(block: Notes, key: str) -> None:
    with st.container(border=True):
        _title(block.title)
        for number, item in enumerate(block.items):
            with st.container(gap="xsmall"):
                st.badge(escaped(item.label), color=COLOURS[item.tone])
                st.text(unbroken(item.text))
                _quiet([item.advice] if item.advice else [], f"{key}-{number}")


def _compared(block: Compared, _key: str) -> None:
    with st.container(border=True):
        _title(block.title)
        # Escaped, and cleaned by Streamlit again: HTML, because Markdown makes links of addresses.
        st.html(answers(block))
        st.caption(escaped(unbroken(block.caption)))


def _choice(block: Choice, key: str) -> None:
    """One of many, named in the address, so that it can be linked to."""
    with st.container(border=True):
        _title(block.title)
        names = [option.name for option in block.options]
        chosen = selected(escaped(block.label), names, block.parameter)
        for option in block.options:
            if option.name == chosen:
                for number, fact in enumerate(option.facts):
                    with st.container(gap="xxsmall"):
                        _quiet([fact.label], f"{key}-{number}")
                        st.text(unbroken(clean(fact.value)))


def _data(block: Data, key: str) -> None:
    with st.expander(escaped(block.title)):
        for name, frame in block.frames:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                for kind, made in (
                    ("csv", partial(csv, frame)),
                    ("parquet", partial(parquet, frame)),
                ):
                    st.download_button(
                        escaped(f"{name}.{kind}"),
                        made,
                        file_name=f"{name}.{kind}",
                        on_click="ignore",
                        key=f"data-{key}-{name}-{kind}",
                    )


def _missing(block: Missing, key: str) -> None:
    with st.container(border=True):
        _title(block.title)
        st.text(unbroken(block.text))
        _quiet([block.advice] if block.advice else [], key)


def _request(block: Request, key: str) -> None:
    if block.file_name:
        st.download_button(
            f"Download {escaped(block.file_name)}",
            block.text,
            file_name=block.file_name,
            mime="application/json",
            on_click="ignore",
            key=f"download-{key}",
            help=escaped(block.caption),
        )
        return
    with st.expander(escaped(block.title)):
        st.caption(escaped(unbroken(block.caption)))
        # Streamlit's colours of syntax are too pale to read.
        st.code(block.text, language=None)


def _next(_block: Next, _key: str) -> None:
    """The next command is for a terminal."""


def _title(text: str) -> None:
    st.subheader(escaped(unbroken(text)), anchor=False)


def _quiet(lines: list[str], key: str) -> None:
    """Small print that may hold anyone's text, one line each."""
    if lines:
        with st.container(key=f"quiet-{key}"):
            st.text("\n".join(unbroken(clean(line)) for line in lines))


_DRAW: dict[type[Block], Callable[..., None]] = {
    Headline: _headline,
    Identity: _identity,
    Facts: _facts,
    Table: _table,
    Strip: _strip,
    Chart: _chart,
    Notes: _notes,
    Compared: _compared,
    Choice: _choice,
    Data: _data,
    Missing: _missing,
    Request: _request,
    Next: _next,
}
