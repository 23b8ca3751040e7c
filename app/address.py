"""What an address asks for: where it is shown, and what is said of what there is not.

In: the query of the address and the blocks of a page. Out: names within a line, blocks in order,
and the choices that the address names too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analyzer.report.content.page import Choice, Headline, Identity, Table
from analyzer.report.plain_text import clean, unbroken

if TYPE_CHECKING:
    from analyzer.report.content.page import Block, Page

_OPENED = "what the address asked for"
_LONGEST_NAME = 80


def opened_with() -> dict[str, str]:
    """What the address asked for when the reader opened it, whatever was chosen since.

    Streamlit takes a value that is none of the options out of the address.
    """
    asked: dict[str, str] = st.session_state.setdefault(_OPENED, st.query_params.to_dict())
    return asked


def named(asked: str) -> str:
    """A name from an address, which may be of any length, within a line."""
    text = clean(asked)
    return unbroken(text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…")


def parameters(block: Block) -> set[str]:
    """Names by which an address asks for something of this block."""
    if isinstance(block, Choice):
        return {block.parameter}
    if isinstance(block, Table) and block.find:
        return {block.find, *(choice_key(block, title) for title in block.choose)}
    return set()


def choice_key(block: Table, title: str) -> str:
    """The name by which an address chooses a value of that column."""
    return f"{block.find} by {title}"


def in_order(page: Page) -> list[tuple[int, Block]]:
    """The blocks with their numbers; what the address asked for directly below the decision.

    What a reader chooses later stays where it was chosen.
    """
    asked = opened_with().keys()

    def place(entry: tuple[int, Block]) -> int:
        if isinstance(entry[1], (Headline, Identity)):
            return 0
        return 1 if parameters(entry[1]) & asked else 2

    return sorted(enumerate(page.blocks), key=place)


def selected(label: str, options: list[str], key: str) -> str | None:
    """What the reader chose, which the address names too; a name in it of nothing is said."""
    asked = opened_with().get(key)
    chosen: str | None = st.selectbox(label, options, index=None, key=key, bind="query-params")
    if chosen is None and asked and asked not in options:
        st.text(f"The address asks for {named(asked)}, which is none of these.")
    return chosen
