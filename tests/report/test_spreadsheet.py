"""What a spreadsheet is given: the same numbers, and no formula."""

from __future__ import annotations

import csv as reader
import io

import polars as pl
import pytest

from analyzer.report.spreadsheet import csv, parquet

FORMULAS = (
    "=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\n=1", "  =1", "\r\n@x", "|cmd", "%0A=1", "\uff1d1",
    '=HYPERLINK("http://evil.test","x")', "=cmd|' /C calc'!A0",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_begins_a_formula(text: str) -> None:
    ((cell,),) = list(reader.reader(io.StringIO(csv(pl.DataFrame({"a": [text]})))))[1:]
    assert cell.startswith("'")
    assert "\n" not in cell


def test_headers_are_no_formulas_either() -> None:
    assert csv(pl.DataFrame({"=1": [1]})).startswith("'=1")


def test_numbers_and_times_stay_what_they_are() -> None:
    frame = pl.DataFrame({"n": [-5, None], "x": [-0.25, 1e-9], "name": ["a,b", 'say "x"']})
    (_, first, second) = list(reader.reader(io.StringIO(csv(frame))))
    assert first == ["-5", "-0.25", "a,b"]
    assert second[0] == ""
    assert float(second[1]) == 1e-9
    assert second[2] == 'say "x"'


def test_parquet_is_the_frame_itself() -> None:
    frame = pl.DataFrame({"a": ["=1", None], "b": [[1, 2], [3]]})
    assert pl.read_parquet(io.BytesIO(parquet(frame))).equals(frame)
    assert csv(frame)
