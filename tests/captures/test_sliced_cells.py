"""Which cell of a CSV input is which: the one that Python's own reader finds there."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.engine import Engine
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACES = [1, 2, 3, 4]
_CELL = st.sampled_from(["", "x", "7.5", "q, r", 'say ""so""', ",", '""', "ü"])


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as one:
        one.execute("capture_macros")
        yield one


def found(engine: Engine, text: str) -> list[str | None]:
    connection = engine._connection  # noqa: SLF001 - no query of the product is about one input
    asked = "select [one.value for one in input_values($1, 'CSV', $2, [null for _ in $2])]"
    ((values,),) = connection.execute(asked, [text, PLACES]).fetchall()
    return list(values)


def written(cells: list[str], quoted: list[bool]) -> str:
    pairs = zip(cells, quoted, strict=True)
    return ",".join(f'"{cell}"' if quote or "," in cell else cell for cell, quote in pairs)


@example(cells=["", "x", "q, r", "9"], quoted=[False, False, True, False])
@example(cells=["", "", "q", ""], quoted=[False, False, True, False])
@example(cells=["q", "", "", ""], quoted=[True, False, True, False])
@settings(max_examples=examples(30, whole=60), deadline=None)
@given(
    cells=st.lists(_CELL, min_size=4, max_size=4),
    quoted=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_a_cell_is_the_one_that_a_csv_reader_finds_there(
    engine: Engine, cells: list[str], quoted: list[bool]
) -> None:
    line = written(cells, [q or '"' in cell for q, cell in zip(quoted, cells, strict=True)])
    (row,) = csv.reader(io.StringIO(line))
    # what a cell quotes inside itself keeps its quotes doubled: it is a name, not a number
    read = [cell.strip(' "') or None for cell in row]
    plain = [value and value.replace('""', '"').strip('"') for value in found(engine, line)]
    assert plain == read


def test_values_that_differ_far_behind_are_two_values(engine: Engine) -> None:
    one, other = (found(engine, "A" * 64 + end)[0] for end in ("1", "2"))
    assert one is not None
    assert other is not None
    assert one != other
    assert len(one) == len(other) == 64
    assert found(engine, "A" * 64)[0] == "A" * 64
