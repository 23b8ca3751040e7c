"""Lines of a CSV file with a header -> its labels, whichever of its lines are damaged.

In: which lines make a record. Out: reading bytes (`files`), what a label means (`sql/label_rows`).
Every line that is not blank is the header, part of a label, or counted under a code.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.sources import Chunk

    Row = tuple[str | None, str | None, str | None]
    """ID, label, and the code of a row that could not be read."""

COLUMNS = ("id", "label")
_TOO_LONG, _CUT = "", "\n\n"
_LOST = {_TOO_LONG: "label.oversize", _CUT: "label.invalid-csv"}
"""What stands for a line that is too long, or that damage to its file cut short -> its code. No
line is either: a line has one end."""


def csv_rows(
    chunks: Iterable[Chunk],
    max_line_bytes: int,
    on_foreign: Callable[[list[str]], object] = lambda _: None,
) -> Iterator[Row]:
    """The labels of one file, and a code for each line that gives none.

    A file that lacks a column is counted line by line, the first one too: where there is no header
    it was a label.

    Args:
        chunks: the file's lines, in order; where it is damaged, the failure comes last.
        max_line_bytes: a longer line is counted and not read; nor are more bytes one record.
        on_foreign: called with the cells of a first line that lacks a column.
    """
    lines = _Lines(_whole(chunks, max_line_bytes))
    header: _Header | None = None
    for line in lines:
        if line in _LOST:
            yield None, None, _LOST[line]
        elif line.isspace():
            continue
        elif header is not None and not header.places:
            yield None, None, "label.no-columns"
        elif (cells := _record(line, lines, header, max_line_bytes)) is None:
            yield None, None, "label.invalid-csv"
        elif header is not None:
            yield _row(*header.named(cells))
        else:
            header = _header(cells)
            if not header.places:
                on_foreign(cells)
                yield None, None, "label.no-columns"


@dataclass(frozen=True)
class _Header:
    """Where the columns are; nowhere if one is lacking."""

    places: tuple[int, ...]
    width: int

    def fits(self, cells: list[str]) -> bool:
        """Whether a record has the columns, and no text beyond them.

        A comma that nobody quoted, as in 1,5, would leave half a label.
        """
        return max(self.places) < len(cells) and not any(cells[self.width :])

    def named(self, cells: list[str]) -> list[str]:
        """ID and label."""
        return [cells[place] for place in self.places]


def _header(cells: list[str]) -> _Header:
    names = [cell.strip().lower() for cell in cells]
    lacks = not set(COLUMNS) <= set(names)
    return _Header(() if lacks else tuple(map(names.index, COLUMNS)), len(names))


def _row(found: str, label: str) -> Row:
    if not _is_text(found) or not _is_text(label):
        return None, None, "label.invalid-utf8"
    return found, label, None


class _Lines:
    """Lines in order; those that were taken too many can be given back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._given_back: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return self._given_back.popleft() if self._given_back else next(self._source)

    def give_back(self, lines: list[str]) -> None:
        """The next ones are these."""
        self._given_back.extendleft(reversed(lines))


def _record(line: str, lines: _Lines, header: _Header | None, max_bytes: int) -> list[str] | None:
    """The record that starts with this line, which may take more lines; None if there is none."""
    if _turns(line):
        return _spanning(line, lines, header, max_bytes)
    cells = _cells(line)
    return cells if cells is None or header is None or header.fits(cells) else None


def _spanning(
    first: str, lines: _Lines, header: _Header | None, max_bytes: int
) -> list[str] | None:
    """The record of a line that leaves a quote open; None where that quote is astray.

    RFC 4180 lets a quoted cell hold line ends, and the labels of a request of many rows are written
    so, one a line. A stray quote opens such a cell too, and would take every label up to the next
    quote, or the file's end, with it. So a quote is astray where a line inside it is a record by
    itself, or where what it closes with is none. Of the first line the cells before that quote are
    left then, which do where ID and label are among them, and reading goes on with the second.

    A record ends with the next line of an odd number of quotes, and only such a line opens one. So
    no line is looked at for two openings, whatever the file.
    """
    taken: list[str] = []
    held = len(first)
    for line in lines:
        taken.append(line)
        held += len(line)
        if line in _LOST or held > max_bytes or _is_record(line, header):
            break
        if _turns(line):
            cells = _cells("".join((first, *taken)))
            if cells is None or not (header is None or header.fits(cells)):
                break
            return cells
    lines.give_back(taken)
    before = (_cells(first.rpartition('"')[0]) or [])[:-1]
    return before if header is not None and header.fits(before) else None


def _is_record(line: str, header: _Header | None) -> bool:
    """Whether a line inside quotes names an ID and a label, or did before a quote closed them."""
    closes = _turns(line)
    cells = _cells(line.partition('"')[0] if closes else line)
    if cells is None or header is None or not header.fits(cells):
        return False
    return closes or (
        len(cells) >= header.width and all(cell.strip() for cell in header.named(cells))
    )


def _cells(text: str) -> list[str] | None:
    """The cells of one record and no more; None where its quotes are not those of one."""
    if '"' not in text:
        return text.rstrip("\r\n").split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error:
        return None


def _turns(line: str) -> bool:
    """Whether a quote is open after it that was not before, or the other way round."""
    return line.count('"') % 2 == 1


def _whole(chunks: Iterable[Chunk], max_line_bytes: int) -> Iterator[str]:
    """Lines, but for one that damage cut: what is left of a label is another label."""
    held: str | None = None
    for chunk in chunks:
        if chunk.failure is not None:
            held = held if held is None or held.endswith(("\n", "\r")) else _CUT
            continue
        for line in _lines(chunk, max_line_bytes):
            if held is not None:
                yield held
            held = line
    if held is not None:
        yield held


def _lines(chunk: Chunk, max_line_bytes: int) -> Iterator[str]:
    """Lines with their ends, as `csv` wants them; bytes that are no text stay recognisable."""
    if chunk.oversize is not None:
        yield _TOO_LONG
        return
    data = chunk.data
    if chunk.first_line_number == 1:
        data = data.removeprefix(b"\xef\xbb\xbf")
    for line in io.StringIO(data.decode(errors="surrogateescape"), newline=""):
        yield _TOO_LONG if _is_longer(line, max_line_bytes) else line


def _is_longer(line: str, max_line_bytes: int) -> bool:
    if 4 * len(line) <= max_line_bytes:  # no character takes more bytes
        return False
    return len(line.rstrip("\r\n").encode(errors="surrogateescape")) > max_line_bytes


def _is_text(cell: str) -> bool:
    if cell.isascii():
        return True
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True
