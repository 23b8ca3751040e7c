"""CSV files of labels: a damaged line costs itself, and no line is lost without being counted."""

from __future__ import annotations

import csv
import gzip
import io
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.labels.csv_rows import csv_rows
from analyzer.labels.files import _chunks, find_labels
from analyzer.sources.objects import AwsOptions, Chunk
from tests.labels.labels_builders import Asked, capture, fates, judged, line_codes, outcomes, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.labels.csv_rows import Row

HEADERS = (("id", "label"), ("label", "id"), ("note", "label", "id"), ("id", "label", "note"))
SEVERAL = "yes\nno\n"  # of a request of two rows


def rows(text: str) -> list[Row]:
    return list(csv_rows([Chunk(0, "labels", 1, data=text.encode())], 4_096))


def file_of(
    labels: Sequence[str], header: Sequence[str] = HEADERS[0], *, quoted: bool, end: str = "\n"
) -> str:
    """What Python's csv writes: r-0, r-1, ... with these labels."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator=end
    )
    writer.writerow(header)
    for k, label in enumerate(labels):
        cells = {"id": f"r-{k}", "label": label, "note": "n"}
        writer.writerow([cells[name] for name in header])
    return text.getvalue()


def rows_of(labels: Sequence[str]) -> list[Row]:
    return [(f"r-{k}", label, None) for k, label in enumerate(labels)]


def rows_in(folder: Path) -> set[Row]:
    """The rows of a folder's one file, damaged as it may be."""
    chunks = _chunks(find_labels(str(folder), AwsOptions()), 4_096, [], lambda *_: None)
    return set(csv_rows(chunks, 4_096))


def counted(found: Sequence[Row]) -> list[str]:
    return [code for _, _, code in found if code is not None]


def test_one_stray_quote_costs_one_label_of_many(tmp_path: Path) -> None:
    lines = ["id,label\n", *(f"r-{k},{k % 2}\n" for k in range(2_000))]
    lines[101] = 'r-100,"0\n'
    assert line_codes(write(tmp_path / "l.csv", lines)) == {None: 1_999, "label.invalid-csv": 1}


def test_a_run_tells_of_the_line_with_the_stray_quote_and_uses_the_others(tmp_path: Path) -> None:
    source = capture(tmp_path / "captures", [Asked("yes", "no", f"r{k}") for k in range(30)])
    lines = ["id,label\n", *(f"r{k},yes\n" for k in range(30))]
    lines[4] = '"r3,yes\n'
    done = judged(source, write(tmp_path / "l.csv", lines))
    found = fates(done)
    assert (found["label.paired"], found["label.missing"], found["label.invalid-csv"]) == (29, 1, 1)
    assert outcomes(done)["right", "wrong"] == 29


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("several", ["maybe", SEVERAL])
def test_one_quote_too_many_or_too_few_costs_one_label_wherever_it_is(
    header: Sequence[str], several: str, *, quoted: bool, end: str
) -> None:
    labels = ["yes", several, "no", 'a "quote"', "yes", "no", several, "yes"]
    text = file_of(labels, header, quoted=quoted, end=end)
    whole = rows_of(labels)
    assert rows(text) == whole
    start = text.index(end) + len(end)
    damaged = [text[:at] + '"' + text[at:] for at in range(start, len(text) + 1)]
    gone = [at for at in range(start, len(text)) if text[at] == '"']
    damaged += [text[:at] + text[at + 1 :] for at in gone]
    for one in damaged:
        found = rows(one)
        assert sum(row not in found for row in whole) <= 1, one
        if several != SEVERAL:  # where the first of two lines is closed it is a label like any
            assert {row for row in found if row[2] is None} <= set(whole), one
            assert len(whole) <= len(found) <= len(whole) + 1, one  # a quote can be a line


def test_labels_over_several_lines_are_whole_with_two_columns_in_either_order() -> None:
    labels = [SEVERAL, "a, b\nc", "[\n  1,\n  2\n]", "", 'say ""\n\n"hello"', "yes"]
    for header in HEADERS:
        for quoted in (False, True):
            assert rows(file_of(labels, header, quoted=quoted)) == rows_of(labels)


def test_a_note_of_several_lines_costs_no_label() -> None:
    text = file_of(["yes", "no"], HEADERS[3], quoted=True)
    for note in ("seen twice,\nonce by day", "one, two, three\nfour, five, six", "a\n\nb"):
        found = rows(text.replace('"n"', f'"{note}"'))
        assert [row for row in found if row[0] in {"r-0", "r-1"}] == rows_of(["yes", "no"])
    assert rows('id,label,note\nr-0,yes,"n\nr-1,no,n\n') == rows_of(["yes", "no"])


def test_two_stray_quotes_do_not_make_one_label_of_what_lies_between() -> None:
    lines = [f"r-{k},yes\n" for k in range(20)]
    lines[5], lines[11] = 'r-5,"yes\n', 'r-11,yes"\n'
    found = rows("id,label\n" + "".join(lines))
    assert [k for k, row in enumerate(found) if row[2] == "label.invalid-csv"] == [5, 11]
    neighbours = rows('id,label\nr-0,"yes\nr-1,no"\nr-2,"yes\nr-3,"\n')
    assert counted(neighbours) == ["label.invalid-csv"] * 4


QUOTES = st.lists(st.tuples(st.integers(0, 29), st.integers(0, 9)), max_size=12)


@given(QUOTES, st.booleans())
def test_every_line_is_part_of_a_label_or_counted_whatever_quotes_are_astray(
    quotes: list[tuple[int, int]],
    quoted: bool,  # noqa: FBT001 - given
) -> None:
    lines = [f'"<{k}>","yes"' if quoted else f"<{k}>,yes" for k in range(30)]
    for place, at in quotes:
        lines[place] = lines[place][:at] + '"' + lines[place][at:]
    found = rows("id,label\n" + "\n".join(lines) + "\n")
    said = "".join(f"{cell} {label} " for cell, label, code in found if code is None)
    within = sum(f"<{k}>" in said.replace('"', "") for k in range(30))
    assert within + len(counted(found)) >= 30
    assert len(found) <= 30


@given(st.lists(st.text('",\n\r x', max_size=9), max_size=12))
def test_any_text_is_read_to_its_end(pieces: list[str]) -> None:
    """A line that is not blank and has no quote is a row, whatever is around it."""
    text = "".join(f"{piece}\n<{k}>,yes\n" for k, piece in enumerate(pieces))
    found = rows(f"id,label\n{text}")
    assert [row for row in found if row[0] and row[0].startswith("<")] == [
        (f"<{k}>", "yes", None) for k in range(len(pieces))
    ]


@pytest.mark.parametrize("line", ["r-1", "r-1,1,5", 'r-1,"a"b', '"r-1,1"', 'r-1,"'])
def test_a_line_that_is_no_record_is_counted(line: str) -> None:
    found = rows(f"id,label\nr-0,yes\n{line}\nr-2,no\n")
    assert found == [
        ("r-0", "yes", None),
        (None, None, "label.invalid-csv"),
        ("r-2", "no", None),
    ]


def test_empty_cells_beyond_the_header_are_none() -> None:
    assert rows("id,label\nr-0,yes,,\n") == [("r-0", "yes", None)]


def test_a_file_without_the_columns_is_counted_line_by_line() -> None:
    no_header = "".join(f"r-{k},yes\n" for k in range(40))
    assert counted(rows(no_header)) == ["label.no-columns"] * 40
    found = counted(rows('id,"label\n' + no_header))
    assert found == ["label.invalid-csv", *["label.no-columns"] * 40]


@pytest.mark.parametrize("max_line_bytes", [1_024, 64])
def test_a_line_that_is_too_long_is_counted_as_one_of_json_is(
    tmp_path: Path, max_line_bytes: int
) -> None:
    """Read in one go or passed by: a short file is held whole, the end of a long one is not."""
    last = ["id,label\n", "a,1\n", "b," + "0" * 5_000]
    inside = ["id,label\n", "a,1\n", "b," + "é" * 600 + "\n", "c,1\n"]
    for lines, usable in ((last, 1), (inside, 2)):
        path = write(tmp_path / "l.csv", lines)
        assert line_codes(path, max_line_bytes) == {None: usable, "label.oversize": 1}


def test_a_line_is_as_long_as_its_bytes_without_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "l.csv", ["id,label\r\n", "b," + "é" * 31 + "\r\n"])
    assert line_codes(path, 64) == {None: 1}
    assert line_codes(path, 63) == {"label.oversize": 1}


def test_a_record_is_not_sought_for_beyond_the_longest_line() -> None:
    found = rows('id,label\nr-0,"yes\n' + "no\n" * 2_000 + 'r-1,yes"\n')
    assert counted(found) == ["label.invalid-csv"] * 2_002


@pytest.mark.parametrize("quoted", [False, True])
def test_a_line_that_damage_cuts_is_no_label(*, quoted: bool, tmp_path: Path) -> None:
    """Of 110 the first two digits are another label, and so is what a doubled quote may end."""
    random_ = random.Random(5)
    labels = [f'{random_.randrange(10**6, 10**7)}"{random_.randrange(10**6)}' for _ in range(300)]
    labels = labels if quoted else [label.replace('"', "") for label in labels]
    whole = gzip.compress(file_of(labels, quoted=quoted).encode())
    true = set(rows_of(labels))
    for size in range(100, len(whole) - 8, 97):
        (tmp_path / "l.csv.gz").write_bytes(whole[:size])
        found = rows_in(tmp_path)
        assert found <= true | {(None, None, "label.invalid-csv")}
