"""Tables as CSV that a spreadsheet shows and never runs.

In: a frame. Out: RFC 4180 text. Text from captures may begin with what a spreadsheet takes for a
formula, also behind blanks, a line break, or as a full-width character.
Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import io
import json
import re

import polars as pl

from analyzer.report.plain_text import clean

_FORMULA = re.compile(r"^\s*[=+\-@|%＝＋－＠]")  # noqa: RUF001 - full-width forms are taken too


def csv(frame: pl.DataFrame) -> str:
    """The frame as CSV with a header; nested values as JSON, times as ISO 8601.

    Texts lose control characters and line breaks, and what could be a formula gets an apostrophe,
    which spreadsheets hide. Numbers stay numbers.
    """
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    flat = frame.with_columns(
        pl.Series(name, [json.dumps(value, default=str) for value in frame[name].to_list()])
        for name in nested
    )
    texts = [name for name, kind in flat.schema.items() if kind == pl.String]
    safe = flat.with_columns(
        pl.col(name).map_elements(cell, return_dtype=pl.String) for name in texts
    )
    return safe.rename(cell).write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%.fZ")


def parquet(frame: pl.DataFrame) -> bytes:
    """The frame as it lies in the bundle."""
    written = io.BytesIO()
    frame.write_parquet(written, compression="zstd")
    return written.getvalue()


def cell(text: str) -> str:
    r"""Text that no spreadsheet takes for a formula.

    >>> [cell(text) for text in ("=1+1", "\n@SUM(A1)", "request 7", "-5")]
    ["'=1+1", "' @SUM(A1)", 'request 7', "'-5"]
    """
    # A line break before a formula must not be lost before it is looked at.
    safe = clean(text)
    return f"'{safe}" if _FORMULA.match(text) or _FORMULA.match(safe) else safe
