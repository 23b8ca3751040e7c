"""The most divergent pairs: which they are and, where the policy shows it, what they answered.

In: the tables worst_pairs, worst_parts, worst_clusters and worst_outputs. Out: blocks of the
predictions page. Which words of two answers differ is found here, so that no window compares
anything.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import NONE, counted, grouped, percent, plain
from analyzer.report.content.page import (
    Answers,
    Column,
    Compared,
    Item,
    Notes,
    Table,
    Tone,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from analyzer.report.content.page import Block

_MOST_ROWS = 100
_MOST_COMPARED = 20
_MOST_CLUSTERS = 3
_HASHED = "sha256:"


def worst_blocks(tables: Mapping[str, pl.DataFrame]) -> Iterator[Block]:
    """Where the pairs cluster, their table and, beside each other, answers of the first of them."""
    worst, outputs = tables.get("worst_pairs"), tables.get("worst_outputs")
    if worst is None or worst.is_empty():
        return
    clusters = tables.get("worst_clusters")
    if clusters is not None and not clusters.is_empty():
        yield _clusters(clusters)
    yield _table(worst, tables.get("worst_parts"), said=outputs is not None)
    if outputs is not None and not outputs.is_empty():
        yield _compared(worst, outputs)


def _clusters(frame: pl.DataFrame) -> Notes:
    """What most of them have in common that few of all pairs have."""
    items = (
        Item(
            f"{row['slice']}: {row['part']}",
            f"{grouped(row['worst'])} of the {counted(row['of'], 'most divergent pair')}, and "
            f"{percent(row['share'])} of all pairs: {row['worst'] / row['of'] / row['share']:.2g} "
            "times as dense.",
            tone=Tone.OPEN,
        )
        for row in frame.head(_MOST_CLUSTERS).iter_rows(named=True)
    )
    return Notes("Where the most divergent pairs cluster", tuple(items))


def _table(frame: pl.DataFrame, parts: pl.DataFrame | None, *, said: bool) -> Table:
    rows = frame.sort("rank").head(_MOST_ROWS)
    # A pair's own name is the event ID of its production record; a row number names nothing.
    named = rows.schema["pair_id"] == pl.String
    # Texts have no one value.
    valued = bool(rows["production_value"].count() + rows["shadow_value"].count())
    values = {
        "production_value": Column("production", "right"),
        "shadow_value": Column("shadow", "right"),
    }
    columns = {
        "rank": Column("rank", "right"),
        **(values if valued else {}),
        "difference": Column("difference", "right"),
    }
    names = {
        "inference_id": Column("inference ID"),
        "captured_at": Column("captured at (UTC)"),
        **({"pair_id": Column("event ID in production")} if named else {}),
    }
    slices = [] if parts is None else parts["slice"].unique(maintain_order=True).to_list()
    lies = {} if parts is None else {(row[0], row[1]): row[2] for row in parts.rows()}
    return Table(
        "Most divergent pairs",
        (*columns.values(), *map(Column, slices), *names.values()),
        tuple(
            (
                *(_CELLS.get(name, _value)(row[name]) for name in columns),
                *(lies.get((row["rank"], name), NONE) for name in slices),
                *(_CELLS.get(name, _value)(row[name]) for name in names),
            )
            for row in rows.iter_rows(named=True)
        ),
        caption=(
            f"The {counted(rows.height, 'pair')} that differ most. "
            f"{'' if valued else _TEXTS}{'' if said else _UNSAID}"
        ).strip(),
        find="pair",
        choose=tuple(slices),
    )


_TEXTS = "Of the pairs looked at closely; the difference is 1 - similarity of the two texts. "
_UNSAID = (
    "Numbers and labels only; payloads are not part of the report unless the policy says "
    'redaction.payloads = "shown".'
)


def _compared(worst: pl.DataFrame, outputs: pl.DataFrame) -> Compared:
    """The first pairs' answers, word by word."""
    rows = worst.join(outputs, on="rank").sort("rank").head(_MOST_COMPARED)
    answers = tuple(
        Answers(
            f"{row['rank']}. {row['inference_id'] or row['pair_id']}",
            *_words(row["production_output"] or "", row["shadow_output"] or ""),
        )
        for row in rows.iter_rows(named=True)
    )
    first = str(rows["production_output"].drop_nulls().first() or "")
    digests = first.startswith(_HASHED)
    return Compared(
        "What they answered",
        answers,
        caption=(
            "Digests, as the policy says: they tell only whether two answers are equal."
            if digests
            else "Shown because the policy says so. Words that only one variant has are struck "
            "through (production) or underlined (shadow)."
        ),
    )


def _words(production: str, shadow: str) -> tuple[tuple[Words, ...], tuple[Words, ...]]:
    """Both texts as runs of words that both have, or one alone.

    >>> [(run.text, run.alone) for run in _words("sent on Monday", "sent on Friday")[1]]
    [('sent on', False), ('Friday', True)]
    """
    before, after = production.split(), shadow.split()
    same_before, same_after = [False] * len(before), [False] * len(after)
    for match in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        for offset in range(match.size):
            same_before[match.a + offset] = same_after[match.b + offset] = True
    return _runs(before, same_before), _runs(after, same_after)


def _runs(words: list[str], same: list[bool]) -> tuple[Words, ...]:
    runs = groupby(zip(words, same, strict=True), key=lambda pair: pair[1])
    return tuple(Words(" ".join(word for word, _ in run), alone=not kept) for kept, run in runs)


def _stamp(value: object) -> str:
    return str(value)[:19] if value is not None else NONE


def _value(value: object) -> str:
    """A label as it is, a number at four digits, whether it came as a number or as text."""
    if value is None:
        return NONE
    try:
        return plain(float(str(value)))
    except ValueError:
        return str(value)


_CELLS: dict[str, Callable[[object], str]] = {
    "captured_at": _stamp,
    "pair_id": lambda value: str(value or NONE),
    "inference_id": lambda value: str(value or NONE),
}
