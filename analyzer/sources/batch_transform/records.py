"""Lines of an input and of the output made from it -> capture records, in bounded memory.

Both objects are read twice: to see that their lines stand side by side, and to put them together.
In: one data file. Out: what the rest of the tool reads from any capture object, chunks of whole
lines, each a record in SageMaker's schema under the line number of the output. The columns or
fields that GenerateInferenceId appends are taken out of the output again: they are the job's, not
the model's, and differ between two jobs by design.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING

from analyzer.figures import counted
from analyzer.sources.batch_transform.stored import PART_BYTES, parts
from analyzer.sources.lines import LineCutter, inflated
from analyzer.sources.objects import Chunk, ObjectError, Oversize, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.sources.objects import AwsOptions, BatchFile, Role, SourceObject

    Line = bytes | Oversize

RECORD_FORM = 1
"""Raised when the same two objects are to give other records, so that kept ones are not used."""

CHUNK_BYTES = 4 << 20
_LONGEST_NAME = 48
_HASH_CHARACTERS = 40
_BLANK = b" \t\r"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ID_FIELD, _TIME_FIELD = "SageMakerInferenceId", "SageMakerInferenceTime"
_ENDING_CHARACTERS = 200
_CSV_ENDING = re.compile(
    r",[ \t]*([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})[ \t]*"
    r",[ \t]*([0-9T:.Z-]{20,30})[ \t]*$"
)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z")
_SPACE = re.compile(r"[ \t\r\n]*")
# Numbers stay text: only the form is of interest, and a long integer is no error.
_JSON = json.JSONDecoder(parse_int=str, parse_float=str)


def batch_chunks(
    object_id: int, item: SourceObject, aws: AwsOptions, max_line_bytes: int
) -> Iterator[Chunk]:
    """The records of one data file as chunks, then its failure, if any.

    Raises:
        AccessError: storage cannot be reached any more.
    """
    file = item.batch
    chunks = _Chunks(object_id, item.role)
    failure = None if file is None else file.failure
    if file is not None and failure is None:
        try:
            for line in _lines_of(file, aws, max_line_bytes):
                yield from chunks.add(line)
        except ObjectError as error:
            failure = error.failure
    yield from chunks.flush()
    if failure is not None:
        yield Chunk(object_id, item.role, chunks.line_number, failure=failure)


class _Chunks:
    """Gathers lines to chunks.

    Attributes:
        line_number: of the next line.
    """

    def __init__(self, object_id: int, role: Role) -> None:
        self._object_id = object_id
        self._role = role
        self._held: list[bytes] = []
        self._held_bytes = 0
        self.line_number = 1

    def add(self, line: Line) -> Iterator[Chunk]:
        """The chunks this line completes."""
        if isinstance(line, Oversize):
            yield from self.flush()
            yield Chunk(self._object_id, self._role, self.line_number, oversize=line)
            self.line_number += 1
            return
        self._held.append(line)
        self._held_bytes += len(line) + 1
        self.line_number += 1
        if self._held_bytes >= CHUNK_BYTES:
            yield from self.flush()

    def flush(self) -> Iterator[Chunk]:
        """What is held, as a chunk."""
        if self._held:
            first = self.line_number - len(self._held)
            data = b"\n".join([*self._held, b""])
            yield Chunk(self._object_id, self._role, first, data=data)
            self._held, self._held_bytes = [], 0


def _lines_of(file: BatchFile, aws: AwsOptions, max_line_bytes: int) -> Iterator[Line]:
    """One line for each line of the output; blank where both sides are.

    Raises:
        ObjectError: an object cannot be read, or line-counts-differ.
    """
    if file.input is None or file.output is None:
        return
    given = _Text(file.input, aws, max_line_bytes)
    made = _Text(file.output, aws, max_line_bytes)
    asked, answered = given.extent(), made.extent()
    side_by_side = asked.lines == answered.lines or asked.filled == answered.filled
    records = _Records(file)
    if (
        answered.may_be_one_document(side_by_side=side_by_side)
        and max(asked.size, answered.size) <= max_line_bytes
        and _is_json(document := made.whole())
    ):
        yield records.record(1, given.whole(), document)
        return
    if not side_by_side:
        raise ObjectError(
            "line-counts-differ",
            f"{counted(answered.filled, 'line')} of output for {counted(asked.filled, 'line')} of "
            f"{printable(file.input.key)}: which belongs to which is not known; a job with "
            "SplitType Line and AssembleWith Line gives one for one",
        )
    pairs = zip_longest(given.lines(), made.lines(), fillvalue=b"")
    for number, (question, answer) in enumerate(pairs, 1):
        if number > answered.lines:
            return
        if isinstance(question, Oversize):
            yield question
        elif isinstance(answer, Oversize):
            yield answer
        elif question.strip(_BLANK) or answer.strip(_BLANK):
            yield records.record(number, question, answer)
        else:
            yield b""


@dataclass
class _Extent:
    """How a text lies in lines.

    Attributes:
        lines, filled: how many there are; the number of the last that is not blank.
        size: bytes with line ends.
        opens_json, first_is_json: its first line begins like a JSON object or array, or is one.
    """

    lines: int = 0
    filled: int = 0
    size: int = 0
    opens_json: bool = False
    first_is_json: bool = False

    def may_be_one_document(self, *, side_by_side: bool) -> bool:
        """Whether all of it may be one answer: a document over many lines, or one for many."""
        if self.first_is_json:
            return self.filled == 1 and not side_by_side
        return self.opens_json


class _Text:
    """The lines of one object, as often as they are asked for; a small object is fetched once."""

    def __init__(self, item: SourceObject, aws: AwsOptions, max_line_bytes: int) -> None:
        self._item = item
        self._aws = aws
        self._max_line_bytes = max_line_bytes
        self._kept: list[bytes] | None = None

    def extent(self) -> _Extent:
        """How it lies in lines."""
        found = _Extent()
        for line in self.lines():
            found.lines += 1
            found.size += line.length if isinstance(line, Oversize) else len(line) + 1
            if isinstance(line, bytes):
                filled = line.strip(_BLANK)
                if filled and not found.filled:
                    found.opens_json = filled.startswith((b"{", b"["))
                    found.first_is_json = _is_json(filled)
            if isinstance(line, Oversize) or filled:
                found.filled = found.lines
        return found

    def whole(self) -> bytes:
        """All of it, without a byte order mark."""
        return b"".join(self._blocks()).removeprefix(_BYTE_ORDER_MARK)

    def lines(self) -> Iterator[Line]:
        """Its lines without their ends."""
        cutter = LineCutter(0, self._item.role, self._max_line_bytes)
        for block in self._blocks():
            yield from self._split(cutter.feed(block))
        yield from self._split(cutter.finish(None))

    def _split(self, chunks: Iterable[Chunk]) -> Iterator[Line]:
        """Lines of chunks; where a long line fell among its blocks makes no difference."""
        for chunk in chunks:
            if chunk.oversize is not None:
                yield chunk.oversize
                continue
            data = chunk.data
            if chunk.first_line_number == 1:
                data = data.removeprefix(_BYTE_ORDER_MARK)
            for ended in data.removesuffix(b"\n").split(b"\n"):
                line = ended.removesuffix(b"\r")
                yield line if len(line) <= self._max_line_bytes else _oversize(line)

    def _blocks(self) -> Iterator[bytes]:
        if self._kept is None and self._item.size <= PART_BYTES:
            self._kept = list(parts(self._item, self._aws))
        yield from inflated(self._kept if self._kept is not None else parts(self._item, self._aws))


def _oversize(line: bytes) -> Oversize:
    return Oversize(len(line), hashlib.sha256(line).hexdigest())


class _Records:
    """Makes the records of one data file.

    Every inference ID is the file's name and the line number, which two jobs over one input share.
    The event ID is the one the job recorded, else the output's address and the line number, which
    no other job has. Neither knows a role: the records are the same for whoever asks for them.
    """

    def __init__(self, file: BatchFile) -> None:
        self._name = _short(file.name)
        self._made = _hash(file.made)
        self._hour = f"{file.hour:%Y-%m-%dT%H:%M:%SZ}"

    def record(self, line_number: int, question: bytes, answer: bytes) -> bytes:
        """One capture record as a line of JSON without its newline."""
        text, event_id, time = without_job_fields(answer)
        record = {
            "captureData": {
                "endpointInput": _side(question, "INPUT"),
                "endpointOutput": _side(text, "OUTPUT"),
            },
            "eventMetadata": {
                "eventId": event_id or f"{self._made}:{line_number}",
                "inferenceId": f"{self._name}:{line_number}",
                "inferenceTime": time or self._hour,
            },
            "eventVersion": "0",
        }
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def _short(name: str) -> str:
    """A file's name, or a hash of it, so that with a line number it is a valid inference ID."""
    plain = name.isprintable() and not name[:1].isspace()
    if plain and len(name) <= _LONGEST_NAME:
        return name
    return _hash(name)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARACTERS]


def _side(data: bytes, mode: str) -> dict[str, str]:
    """One side of a record; what is no text is kept byte for byte."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        content_type, encoding = "application/octet-stream", "BASE64"
        text = base64.b64encode(data).decode()
    elif _is_json(data):
        content_type, encoding = "application/json", "JSON"
    else:
        content_type, encoding = "text/csv", "CSV"
    return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}


def without_job_fields(answer: bytes) -> tuple[bytes, str | None, str | None]:
    """An output line as the model gave it, and the ID and time that the job appended to it.

    >>> without_job_fields(b"0, 1f1d57b1-2e6f-488c-8c30-db4e6d757861,2022-08-30T00:49:15Z")
    (b'0', '1f1d57b1-2e6f-488c-8c30-db4e6d757861', '2022-08-30T00:49:15Z')
    >>> without_job_fields(b'{"output": 0, "SageMakerInferenceId": "x"}')
    (b'{"output": 0}', 'x', None)
    """
    try:
        text = answer.decode()
    except UnicodeDecodeError:
        return answer, None, None
    if _ID_FIELD in text and text.lstrip().startswith("{") and _is_json(answer):
        return _without_fields(text)
    match = _CSV_ENDING.search(text[-_ENDING_CHARACTERS:].rstrip("\r\n"))
    if match is None or not _is_time(match[2]):
        return answer, None, None
    kept = text.rstrip("\r\n")
    cut = len(kept) - (len(match.string) - match.start())
    return kept[:cut].encode(), match[1], match[2]


def _without_fields(text: str) -> tuple[bytes, str | None, str | None]:
    """The text of a JSON object without the job's two fields; the rest stays as it is written."""
    members: list[tuple[int, int]] = []
    pieces: list[str] = []
    taken: dict[str, object] = {}
    at = text.index("{") + 1
    while text[start := _skip(text, at)] != "}":
        key, at = _JSON.raw_decode(text, start)
        at = _skip(text, _skip(text, at) + 1)
        value, end = _JSON.raw_decode(text, at)
        if key in {_ID_FIELD, _TIME_FIELD}:
            taken[key] = value if text[at] == '"' else None
        elif pieces:
            pieces.append(text[members[-1][1] : end])
        else:
            pieces.append(text[start:end])
        members.append((start, end))
        at = _skip(text, end)
        at += text[at] == ","
    kept = text[: members[0][0]] + "".join(pieces) + text[members[-1][1] :]
    event_id, time = taken.get(_ID_FIELD), taken.get(_TIME_FIELD)
    return (
        kept.encode(),
        event_id if isinstance(event_id, str) and event_id.isprintable() else None,
        time if isinstance(time, str) and _is_time(time) else None,
    )


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def _is_json(data: bytes) -> bool:
    """Whether bytes are one JSON object or array."""
    if not data.lstrip().startswith((b"{", b"[")):
        return False
    try:
        _JSON.decode(data.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return _TIME.fullmatch(text) is not None
