"""The blocks a page is made of: finished words, finished numbers, a colour role for each.

In: frozen blocks. Out: how any window draws them. A renderer has one small function per block and
computes, rounds and words nothing. Strings may hold text from captures or names from AWS, so every
renderer makes them safe for its own sink.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import polars as pl

Align = Literal["left", "right", "interval"]
ChartKind = Literal[
    "forest",
    "overlay",
    "running",
    "strip",
    "distribution",
    "cumulative",
    "score_grid",
    "agreement",
    "shift",
    "bars",
    "matrix",
    "parts",
    "funnel",
]

TALL_TABLE = 20
"""Rows above which a table of the report scrolls within itself."""
FOREST_EDGES = (-2.0, 3.0)
"""Where the axis of a forest ends, in margins."""


class Tone(StrEnum):
    """Colour role: what a thing means for the decision. No window shows it by colour alone."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"
    PLAIN = "plain"


@dataclass(frozen=True)
class Headline:
    """The decision: a word, its symbol and the sentence a person can act on.

    Attributes:
        detail: how sure, how many gates are closed, what to do first; where all lines are read
            (a terminal, a pull request) they say it already, and it is left out.
    """

    word: str
    symbol: str
    tone: Tone
    sentence: str
    detail: str = ""


@dataclass(frozen=True)
class Fact:
    """One labelled value; the label is this program's word, the value may be anyone's."""

    label: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Identity:
    """What was compared, when, and on how much."""

    facts: tuple[Fact, ...]
    volume: str


@dataclass(frozen=True)
class Facts:
    """A few numbers side by side."""

    title: str
    items: tuple[Fact, ...]


@dataclass(frozen=True)
class Column:
    """A table column; "interval" cells are `[lower .. upper]` and align on both numbers.

    Attributes:
        wide: shown only where there is room; a terminal has the row's mark instead.
        sentence: its cells are sentences and take the room that is left.
    """

    title: str
    align: Align = "left"
    wide: bool = False
    sentence: bool = False


@dataclass(frozen=True)
class Footnote:
    """What a mark such as (1) in a cell stands for."""

    mark: str
    text: str


@dataclass(frozen=True)
class Table:
    """Rows of finished cells. `tones` has one role per row, worn by the `toned` column.

    Attributes:
        untitled_first: the first column's title is left out where a terminal saves words.
        marks: one mark per row, which stands after the first cell for the wide columns.
        legend: what the marks mean.
        first: titles of the columns to show first where a window may be too narrow for all.
        find: what its rows may be searched for, and the name of that search in an address; empty
            where there is nothing to search for.
        choose: titles of columns by a value of which its rows may be chosen.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    tones: tuple[Tone, ...] = ()
    toned: int | None = None
    notes: tuple[Footnote, ...] = ()
    caption: str = ""
    untitled_first: bool = False
    marks: tuple[str, ...] = ()
    legend: str = ""
    first: tuple[str, ...] = ()
    find: str = ""
    choose: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One validity gate as a badge.

    Attributes:
        told: the text stands among the reasons too; only a terminal, which gives of a reason the
            advice alone, repeats it here.
    """

    label: str
    word: str
    symbol: str
    tone: Tone
    text: str
    told: bool = False


@dataclass(frozen=True)
class Strip:
    """The gates as a health strip; `summary` counts them."""

    title: str
    summary: str
    items: tuple[Check, ...]


@dataclass(frozen=True)
class Line:
    """A line across a drawing, and what is written beside it: this program's words."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A drawing: `kind` names the drawing, `frame` holds exactly what it shows.

    Attributes:
        alt: what a reader who cannot see the drawing should know.
        limit: position of the margin line, on the drawing's axis.
        x_title, y_title: axis titles, this program's words.
        zero_y: the y axis starts at zero, as counts must.
        y_share: the values are shares in 0..1, read as percentages.
        lines: other lines to mark, the first before all others.
    """

    kind: ChartKind
    title: str
    alt: str
    frame: pl.DataFrame
    caption: str = ""
    limit: float | None = None
    x_title: str = ""
    y_title: str = ""
    zero_y: bool = False
    y_share: bool = False
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Item:
    """One point of a list: what it is about, what is so, and what to do."""

    label: str
    text: str
    advice: str = ""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Notes:
    """A list of things to know."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Words:
    """A run of words; `alone` where only one of two answers has them."""

    text: str
    alone: bool


@dataclass(frozen=True)
class Answers:
    """Two answers to one request, in runs of words."""

    title: str
    production: tuple[Words, ...]
    shadow: tuple[Words, ...]


@dataclass(frozen=True)
class Compared:
    """Answers beside each other, with what differs marked; never by colour alone."""

    title: str
    items: tuple[Answers, ...]
    caption: str = ""


@dataclass(frozen=True)
class Option:
    """One of the things to choose from, and what is said about it."""

    name: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Choice:
    """Things of which a reader looks at one; `parameter` names the choice in an address."""

    title: str
    parameter: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Data:
    """Tables of the bundle to download: by name, each as it lies there."""

    title: str
    frames: tuple[tuple[str, pl.DataFrame], ...]


@dataclass(frozen=True)
class Missing:
    """A section that has nothing to show: what is missing and how to get it."""

    title: str
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Request:
    """Text to copy or to download: a request body, a policy, a verdict."""

    title: str
    text: str
    caption: str = ""
    file_name: str = ""


@dataclass(frozen=True)
class Next:
    """The command that leads on; the last line of a terminal."""

    label: str
    command: str


Block: TypeAlias = (
    Headline
    | Identity
    | Facts
    | Table
    | Strip
    | Chart
    | Notes
    | Compared
    | Choice
    | Data
    | Missing
    | Request
    | Next
)


@dataclass(frozen=True)
class Page:
    """One page of the report, top to bottom."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    lead: str = ""
