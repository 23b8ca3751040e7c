"""Bytes of capture files -> one row a line: where it stands, its text, or why it has none.

In: chunks of whole lines. Out: JSON; what a line says is SQL's to read. Whole chunks are handled
at once; only oversize lines, and lines outside ASCII where something is not UTF-8, one by one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.engine import integers
from analyzer.sources.objects import Oversize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from analyzer.sources.objects import Chunk

    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]
    Text = pa.StringArray | pa.LargeStringArray

_BOM = b"\xef\xbb\xbf"
_NEWLINE = 0x0A
_FIRST_NON_ASCII = 0x80
_JSON_SPACE = " \t\r\n"
_ROWS_PER_BATCH = 4096  # DuckDB hands Arrow batches to threads one at a time
_OVERSIZE_COLUMNS = {
    "object_id": pl.Int64,
    "is_shadow": pl.Int64,
    "line_number": pl.Int64,
    "line_bytes": pl.Int64,
    "line_sha256": pl.String,
    "line_md5": pl.String,
}


@dataclass(frozen=True)
class SplitLines:
    """The lines of several chunks.

    Attributes:
        counted: newline-delimited lines, counted on the bytes and not on the rows below.
        blank: lines of nothing but spaces.
        lines: object_id, is_shadow, line_number, unterminated, line (text without outer spaces).
        undecodable: the same columns; line is binary.
        oversize: object_id, is_shadow, line_number, line_bytes, line_sha256, line_md5 (the
            number that DuckDB's md5_number gives, as text).
    """

    counted: int
    blank: int
    lines: pa.Table
    undecodable: pa.Table
    oversize: pa.Table


def split(chunks: Sequence[Chunk], max_line_bytes: int) -> SplitLines:
    """Split chunks into lines.

    Shapes: every non-blank line is one row of one of the three tables.
    Assumes: outer spaces, tabs and carriage returns carry no meaning in JSON Lines, so CRLF
    files and LF files give the same text.
    """
    read = [chunk for chunk in chunks if chunk.data]
    texts = [_without_bom(chunk) for chunk in read]
    counts = np.array([text.count(b"\n") + _is_unterminated(text) for text in texts], np.int64)
    data = b"".join(text + b"\n" if _is_unterminated(text) else text for text in texts)
    offsets = _line_offsets(data)
    places = _places(read, texts, counts)
    text = _trimmed(data, offsets)
    too_long = dict(_oversize_lines(data, offsets, max_line_bytes))
    oversize = np.zeros(len(text), np.bool_)
    oversize[list(too_long)] = True
    blank = (_lengths(text) == 0) & ~oversize
    undecodable = _undecodable(data, offsets, text) & ~blank & ~oversize
    usable = ~(blank | oversize | undecodable)
    columns = {name: integers(values) for name, values in places.items()}
    lines = pa.table({**columns, "line": text})
    return SplitLines(
        counted=int(counts.sum()) + sum(chunk.oversize is not None for chunk in chunks),
        blank=int(blank.sum()),
        lines=_in_batches(lines if usable.all() else _chosen(lines, usable)),
        undecodable=_as_binary(_chosen(lines, undecodable)),
        oversize=_oversize_table([*_passed_by(chunks), *_found_here(places, too_long)]),
    )


def _without_bom(chunk: Chunk) -> bytes:
    at_start = chunk.first_line_number == 1
    return chunk.data.removeprefix(_BOM) if at_start else chunk.data


def _is_unterminated(text: bytes) -> bool:
    return bool(text) and not text.endswith(b"\n")


def _line_offsets(data: bytes) -> Ints:
    """Where each line starts, and the end of the last."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE)
    return np.concatenate(([0], ends + 1))


def _trimmed(data: bytes, offsets: Ints) -> Text:
    """The lines without outer spaces; works on bytes, so text that is not UTF-8 passes through."""
    raw = pa.LargeStringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets.data), pa.py_buffer(data)
    )
    return pc.ascii_trim(raw, _JSON_SPACE)


def _places(chunks: Sequence[Chunk], texts: Sequence[bytes], counts: Ints) -> dict[str, Ints]:
    """Object, role, line number and missing terminator (0 or 1) of every line."""
    ends = np.cumsum(counts)
    lines = int(counts.sum())
    object_id = np.array([chunk.object_id for chunk in chunks], np.int64)
    is_shadow = np.array([chunk.role == "shadow" for chunk in chunks], np.int64)
    first = np.array([chunk.first_line_number for chunk in chunks], np.int64)
    unterminated = np.zeros(lines, np.int64)
    for end, text in zip(ends, texts, strict=True):
        unterminated[end - 1 : end] = _is_unterminated(text)
    return {
        "object_id": np.repeat(object_id, counts),
        "is_shadow": np.repeat(is_shadow, counts),
        "line_number": np.repeat(first - (ends - counts), counts) + np.arange(lines),
        "unterminated": unterminated,
    }


def _lengths(text: Text) -> Ints:
    """Bytes of each text of a column with 64-bit offsets."""
    offsets = np.frombuffer(memoryview(text.buffers()[1] or b""), np.int64)
    return offsets[1:] - offsets[:-1]


def _oversize_lines(
    data: bytes, offsets: Ints, max_line_bytes: int
) -> Iterator[tuple[int, Oversize]]:
    """Row and digests of the lines that are too long, as the reader gives them for longer ones."""
    for row in np.flatnonzero(np.diff(offsets) - 1 > max_line_bytes).tolist():
        line = data[offsets[row] : offsets[row + 1] - 1].removesuffix(b"\r")
        if len(line) > max_line_bytes:
            md5 = hashlib.md5(line, usedforsecurity=False).hexdigest()
            yield row, Oversize(len(line), hashlib.sha256(line).hexdigest(), md5)


def _undecodable(data: bytes, offsets: Ints, text: Text) -> Bools:
    """Which lines are not text: invalid UTF-8, or NUL bytes (as UTF-16 has them)."""
    found = np.zeros(len(text), np.bool_)
    if b"\0" in data:
        found |= np.minimum.reduceat(np.frombuffer(data, np.uint8), offsets[:-1]) == 0
    if not _is_valid(text):
        highest = np.maximum.reduceat(np.frombuffer(data, np.uint8), offsets[:-1])
        for row in np.flatnonzero(highest >= _FIRST_NON_ASCII).tolist():
            found[row] |= not _is_valid(text.slice(row, 1))
    return found


def _is_valid(text: Text) -> bool:
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _chosen(lines: pa.Table, rows: Bools) -> pa.Table:
    return lines.take(integers(np.flatnonzero(rows)))


def _as_binary(lines: pa.Table) -> pa.Table:
    at = lines.schema.get_field_index("line")
    return lines.set_column(at, "line", lines["line"].cast(pa.large_binary()))


def _in_batches(table: pa.Table) -> pa.Table:
    return pa.Table.from_batches(
        table.to_batches(max_chunksize=_ROWS_PER_BATCH), schema=table.schema
    )


def _passed_by(chunks: Sequence[Chunk]) -> Iterator[tuple[object, ...]]:
    """Rows for the lines that were too long to be held while reading."""
    for chunk in chunks:
        if chunk.oversize is not None:
            place = (chunk.object_id, int(chunk.role == "shadow"), chunk.first_line_number)
            yield (*place, *_facts(chunk.oversize))


def _found_here(
    places: Mapping[str, Ints], too_long: Mapping[int, Oversize]
) -> Iterator[tuple[object, ...]]:
    """Rows for the lines that are too long but were held."""
    for row, line in too_long.items():
        place = (int(places[name][row]) for name in ("object_id", "is_shadow", "line_number"))
        yield (*place, *_facts(line))


def _facts(line: Oversize) -> tuple[int, str, str]:
    return line.length, line.sha256, str(int.from_bytes(bytes.fromhex(line.md5), "little"))


def _oversize_table(rows: list[tuple[object, ...]]) -> pa.Table:
    return pl.DataFrame(rows, schema=_OVERSIZE_COLUMNS, orient="row").to_arrow()
