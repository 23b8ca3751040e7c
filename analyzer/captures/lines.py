"""Bytes of capture files -> one row a line: where it stands, its text, or why it has none.

In: chunks of whole lines. Out: JSON; what a line says is SQL's to read. Whole batches are handled
at once; only oversize lines, lines with outer spaces, and lines outside ASCII where something is
not UTF-8, one by one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from analyzer.engine import integers
from analyzer.sources.objects import Oversize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from analyzer.sources.objects import Chunk

    Bytes = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

MOST_LINES = 1 << 18
"""How many lines are held as rows at once.

A row takes a few hundred bytes beside its text: with a batch of ordinary lines as much as they do
themselves, with one of line ends alone a hundred times as much.
"""

_BOM = b"\xef\xbb\xbf"
_NEWLINE, _CARRIAGE_RETURN, _SPACE = 0x0A, 0x0D, 0x20
_FIRST_NON_ASCII = 0x80
_JSON_SPACE = b" \t\r\n"
_PREFIX = 4  # an Arrow view repeats the first four bytes of its text
_INLINE = 12  # and holds a text of at most twelve whole
_PIECE_BYTES = 2 << 20
_ROWS_PER_BATCH = 4096  # DuckDB hands Arrow batches to threads one at a time
_OVERSIZE_COLUMNS = {
    "object_number": pl.Int64,
    "line_number": pl.Int64,
    "line_bytes": pl.Int64,
    "line_sha256": pl.String,
}


@dataclass(frozen=True)
class SplitLines:
    """The lines of several chunks.

    Attributes:
        counted: object -> newline-delimited lines, counted on the bytes and not on the rows below.
        blank: object -> lines of nothing but spaces.
        lines: object_number, line_number, unterminated, line (text without outer spaces).
        undecodable: the same columns; line is binary.
        oversize: object_number, line_number, line_bytes, line_sha256.
    """

    counted: Counter[int]
    blank: Counter[int]
    lines: pa.Table
    undecodable: pa.Table
    oversize: pa.Table


def split(
    chunks: Sequence[Chunk], max_line_bytes: int, *, most_lines: int = MOST_LINES
) -> Iterator[SplitLines]:
    """Split chunks into lines, no more than `most_lines` of them at once.

    Shapes: every non-blank line is one row of one of the three tables. At least one is given.
    Assumes: outer spaces, tabs and carriage returns carry no meaning in JSON Lines, so CRLF
    files and LF files give the same text. No chunk holds 2 GiB. `most_lines` is at least one.
    """
    held: list[SplitLines] = []
    lines = 0
    for piece in _pieces(chunks):
        for part in _in_parts(piece, max_line_bytes, most_lines):
            more = part.counted.total()
            if held and lines + more > most_lines:
                yield _together(held)
                held, lines = [], 0
            held.append(part)
            lines += more
    yield _together(held)


def _pieces(chunks: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
    """Large chunks alone, small ones together: joining copies, and each piece has its price."""
    piece: list[Chunk] = []
    held = 0
    for chunk in chunks:
        if piece and held + len(chunk.data) > _PIECE_BYTES:
            yield piece
            piece, held = [], 0
        piece.append(chunk)
        held += len(chunk.data)
    yield piece


def _in_parts(
    chunks: Sequence[Chunk], max_line_bytes: int, most_lines: int
) -> Iterator[SplitLines]:
    """One piece, in halves of halves while they hold too many lines."""
    lines = _split(chunks, max_line_bytes, most_lines)
    if lines is not None:
        yield lines
        return
    for half in _halves(chunks):
        yield from _in_parts(half, max_line_bytes, most_lines)


def _together(parts: Sequence[SplitLines]) -> SplitLines:
    """The same lines as one; their text stays where it is."""
    return SplitLines(
        counted=sum((part.counted for part in parts), Counter()),
        blank=sum((part.blank for part in parts), Counter()),
        lines=pa.concat_tables([part.lines for part in parts]),
        undecodable=pa.concat_tables([part.undecodable for part in parts]),
        oversize=pa.concat_tables([part.oversize for part in parts]),
    )


def _split(chunks: Sequence[Chunk], max_line_bytes: int, most_lines: int) -> SplitLines | None:
    """All lines; None if they are too many."""
    texts = [(chunk, text) for chunk in chunks if (text := _without_bom(chunk))]
    data = texts[0][1] if len(texts) == 1 else b"".join(_terminated(texts))
    is_end = np.frombuffer(data, np.uint8) == _NEWLINE
    if np.count_nonzero(is_end) > most_lines:
        return None
    rows = _rows(texts, data, np.flatnonzero(is_end))
    oversize = rows.stop - rows.start > max_line_bytes
    too_long = dict(_oversize_lines(data, rows, oversize, max_line_bytes))
    oversize[:] = False
    oversize[list(too_long)] = True
    _trim(data, rows)
    blank = (rows.start == rows.stop) & ~oversize
    undecodable = _undecodable(data, rows) & ~blank & ~oversize
    usable = ~(blank | oversize | undecodable)
    counted = _per_object(rows.object_number)
    counted.update(chunk.object_id for chunk in chunks if chunk.oversize is not None)
    return SplitLines(
        counted=counted,
        blank=_per_object(rows.object_number[blank]),
        lines=_in_batches(_table(data, rows, usable, pa.string_view())),
        undecodable=_table(data, rows, undecodable, pa.binary_view()),
        oversize=_oversize_table([*_passed_by(chunks), *_found_here(rows, too_long)]),
    )


def _halves(chunks: Sequence[Chunk]) -> tuple[Sequence[Chunk], Sequence[Chunk]]:
    """Chunks with at least two lines, in two parts with at least one each."""
    if len(chunks) > 1:
        return chunks[: len(chunks) // 2], chunks[len(chunks) // 2 :]
    (chunk,) = chunks
    half = len(chunk.data) // 2
    cut = chunk.data.find(b"\n", half) + 1
    if cut in {0, len(chunk.data)}:  # a line reaches from before the middle to the end
        cut = chunk.data.rfind(b"\n", 0, half) + 1
    first, second = chunk.data[:cut], chunk.data[cut:]
    following = chunk.first_line_number + first.count(b"\n")
    return (
        [replace(chunk, data=first)],
        [replace(chunk, data=second, first_line_number=following)],
    )


@dataclass(frozen=True)
class _Rows:
    """Lines as places in one buffer: bytes [start, stop) without the newline."""

    object_number: Ints
    line_number: Ints
    unterminated: Ints
    start: Ints
    stop: Ints


def _without_bom(chunk: Chunk) -> bytes:
    at_start = chunk.first_line_number == 1
    return chunk.data.removeprefix(_BOM) if at_start else chunk.data


def _terminated(texts: Iterable[tuple[Chunk, bytes]]) -> Iterator[bytes]:
    for _, text in texts:
        yield text
        if not text.endswith(b"\n"):
            yield b"\n"


def _rows(texts: Sequence[tuple[Chunk, bytes]], data: bytes, ends: Ints) -> _Rows:
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    whole = np.array([text.endswith(b"\n") for _, text in texts], np.bool_)
    sizes = np.array([len(text) for _, text in texts], np.int64) + ~whole
    last = np.searchsorted(ends, np.cumsum(sizes)) - 1
    counts = np.diff(last, prepend=-1)
    numbers = np.array([chunk.object_id for chunk, _ in texts], np.int64)
    first = np.array([chunk.first_line_number for chunk, _ in texts], np.int64)
    unterminated = np.zeros(len(ends), np.int64)
    unterminated[last[~whole]] = 1
    return _Rows(
        object_number=np.repeat(numbers, counts),
        line_number=np.repeat(first - (last + 1 - counts), counts) + np.arange(len(ends)),
        unterminated=unterminated,
        start=np.concatenate(([0], ends + 1))[: len(ends)],
        stop=ends,
    )


def _per_object(object_number: Ints) -> Counter[int]:
    numbers, lines = np.unique(object_number, return_counts=True)
    return Counter(dict(zip(numbers.tolist(), lines.tolist(), strict=True)))


def _trim(data: bytes, rows: _Rows) -> None:
    """Move every line's ends inwards over spaces; most lines have none, or one carriage return."""
    text = np.frombuffer(data, np.uint8)
    rows.stop[(rows.stop > rows.start) & (text[rows.stop - 1] == _CARRIAGE_RETURN)] -= 1
    filled = rows.stop > rows.start
    spaced = filled & ((text[rows.start] <= _SPACE) | (text[rows.stop - 1] <= _SPACE))
    for row in np.flatnonzero(spaced).tolist():
        start, stop = int(rows.start[row]), int(rows.stop[row])
        line = data[start:stop]
        rows.start[row] = start + len(line) - len(line.lstrip(_JSON_SPACE))
        rows.stop[row] = max(int(rows.start[row]), start + len(line.rstrip(_JSON_SPACE)))


def _oversize_lines(
    data: bytes, rows: _Rows, long: Bools, max_line_bytes: int
) -> Iterator[tuple[int, Oversize]]:
    """Row and digest of the lines that are too long, as the reader gives them for longer ones."""
    for row in np.flatnonzero(long).tolist():
        line = data[rows.start[row] : rows.stop[row]].removesuffix(b"\r")
        if len(line) > max_line_bytes:
            yield row, Oversize(len(line), hashlib.sha256(line).hexdigest())


def _undecodable(data: bytes, rows: _Rows) -> Bools:
    """Which lines are not text: invalid UTF-8, or NUL bytes (as UTF-16 has them)."""
    found = np.zeros(len(rows.start), np.bool_)
    if b"\0" in data:
        places = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
        found[np.searchsorted(rows.stop, places, side="right")] = True
    if not _is_text(data):
        places = np.flatnonzero(np.frombuffer(data, np.uint8) >= _FIRST_NON_ASCII)
        for row in np.unique(np.searchsorted(rows.stop, places, side="right")).tolist():
            found[row] |= not _is_text(data[rows.start[row] : rows.stop[row]])
    return found


def _is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8; Arrow's check is several times as fast as decoding."""
    offsets = np.array([0, len(data)], np.int64)
    text = pa.LargeStringArray.from_buffers(1, pa.py_buffer(offsets.data), pa.py_buffer(data))
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _table(data: bytes, rows: _Rows, chosen: Bools, kind: pa.DataType) -> pa.Table:
    """The chosen rows; `line` is a view into the bytes that were read, which are not copied."""
    at = slice(None) if chosen.all() else np.flatnonzero(chosen)
    columns = {
        "object_number": rows.object_number[at],
        "line_number": rows.line_number[at],
        "unterminated": rows.unterminated[at],
    }
    table = pa.table({name: integers(np.ascontiguousarray(c)) for name, c in columns.items()})
    return table.append_column("line", _views(data, rows.start[at], rows.stop[at], kind))


def _views(data: bytes, start: Ints, stop: Ints, kind: pa.DataType) -> pa.Array[Any]:
    """Texts [start, stop) of a buffer as an Arrow column of views.

    Source: Arrow columnar format, "Variable-size Binary View Layout": sixteen bytes a value, its
    length and then the text itself when that has at most twelve bytes, else the text's first four
    bytes, the buffer's number and the offset in it.
    """
    text = np.frombuffer(data, np.uint8)
    views = np.zeros((len(start), 4), np.uint32)
    views[:, 0] = stop - start
    long, short = (np.flatnonzero(at) for at in (views[:, 0] > _INLINE, views[:, 0] <= _INLINE))
    first = np.ascontiguousarray(text[start[long, None] + np.arange(_PREFIX)])
    views[long, 1] = first.view(np.uint32)[:, 0]
    views[long, 3] = start[long]
    place = np.arange(_INLINE)
    inline = text[np.minimum(start[short, None] + place, len(data) - 1)]
    inline[place >= views[short, :1]] = 0
    views[short, 1:] = np.ascontiguousarray(inline).view(np.uint32)
    buffers = [None, pa.py_buffer(views.data), pa.py_buffer(data)]
    return pa.Array.from_buffers(kind, len(start), buffers)


def _in_batches(table: pa.Table) -> pa.Table:
    return pa.Table.from_batches(
        table.to_batches(max_chunksize=_ROWS_PER_BATCH), schema=table.schema
    )


def _passed_by(chunks: Sequence[Chunk]) -> Iterator[tuple[object, ...]]:
    """Rows for the lines that were too long to be held while reading."""
    for chunk in chunks:
        if chunk.oversize is not None:
            line = chunk.oversize
            yield chunk.object_id, chunk.first_line_number, line.length, line.sha256


def _found_here(rows: _Rows, too_long: dict[int, Oversize]) -> Iterator[tuple[object, ...]]:
    """Rows for the lines that are too long but were held."""
    for row, line in too_long.items():
        place = int(rows.object_number[row]), int(rows.line_number[row])
        yield (*place, line.length, line.sha256)


def _oversize_table(rows: list[tuple[object, ...]]) -> pa.Table:
    return pl.DataFrame(rows, schema=_OVERSIZE_COLUMNS, orient="row").to_arrow()
