"""Bytes of one object in, chunks of whole lines out, in bounded memory.

A gzip object is recognised by its first two bytes, not its name, and may have many members.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

from analyzer.sources.objects import Chunk, ObjectError, Oversize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.sources.objects import ObjectFailure, Role

CHUNK_BYTES = 16 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_INFLATE_BYTES = 4 << 20
# Captures of one payload sent over and over reach 30x; deflate's own limit is about 1,030x.
MAX_RATIO = 100
RATIO_FLOOR_BYTES = 64 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def inflated(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks as they are, or decompressed when the first one starts like gzip.

    Raises:
        ObjectError: corrupt-gzip where the data end early, are damaged or go on as something
            else; gzip-bomb beyond 100 times their size (never below 64 MiB); parquet where they
            are no lines at all.
    """
    source = iter(blocks)
    first = next(source, b"")
    if first.startswith(_PARQUET_MAGIC):
        raise ObjectError("parquet", "a Parquet file, not JSON Lines as data capture writes them")
    if first.startswith(_GZIP_MAGIC):
        yield from _Gunzip().run(first, source)
        return
    yield first
    yield from source


class _Gunzip:
    """Streams gzip members one after the other and counts both sides."""

    def __init__(self) -> None:
        self._consumed = 0
        self._produced = 0

    def run(self, first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
        member = zlib.decompressobj(_GZIP_WINDOW)
        pending = first
        while True:
            yield from self._inflate(member, pending)
            pending = member.unused_data
            if not member.eof:
                pending = next(rest, b"")
                if not pending:
                    raise ObjectError("corrupt-gzip", "the compressed data end early")
                continue
            # Between members only zero padding is allowed.
            pending = pending.lstrip(b"\0")
            while len(pending) < len(_GZIP_MAGIC):
                block = next(rest, b"")
                if not block:
                    break
                pending = (pending + block).lstrip(b"\0")
            if not pending:
                return
            if not pending.startswith(_GZIP_MAGIC):
                raise ObjectError("corrupt-gzip", "something else follows the compressed data")
            member = zlib.decompressobj(_GZIP_WINDOW)

    def _inflate(self, member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        """What `data` decompresses to in this member, a few MiB at a time."""
        while data:
            try:
                block = member.decompress(data, _INFLATE_BYTES)
            except zlib.error as error:
                raise ObjectError("corrupt-gzip", f"damaged: {error}") from None
            # At a member's end zlib may name what follows as unconsumed, too: it is the next one's.
            left = b"" if member.eof else member.unconsumed_tail
            self._consumed += len(data) - len(left) - len(member.unused_data)
            self._produced += len(block)
            if self._produced > max(RATIO_FLOOR_BYTES, MAX_RATIO * self._consumed):
                raise ObjectError("gzip-bomb", f"expands to more than {MAX_RATIO} times its size")
            if block:
                yield block
            data = left


class LineCutter:
    """Cuts the bytes of one object at line ends.

    Lines longer than the limit are hashed as they pass, never held; whether a long line that
    happens to lie within a block is cut out here or left in a chunk, its length and digest are the
    same.

    Assumes: `feed` for every block in order, then `finish` once.
    """

    def __init__(self, object_id: int, role: Role, max_line_bytes: int) -> None:
        self._object_id = object_id
        self._role: Role = role
        # A carriage return belongs to the line end, a byte order mark to the file: to no line.
        self._max_held = max_line_bytes + len(_BYTE_ORDER_MARK) + 1
        self._whole: list[bytes | memoryview] = []
        self._whole_bytes = 0
        self._partial: list[bytes] = []
        self._partial_bytes = 0
        self._long: _LongLine | None = None
        self._line_number = 1

    def feed(self, block: bytes) -> Iterator[Chunk]:
        """The chunks this block completes."""
        if self._long is not None:
            end = block.find(b"\n")
            self._long.update(block if end < 0 else block[:end])
            if end < 0:
                return
            yield self._end_long_line(self._long)
            block = block[end + 1 :]
        end = block.rfind(b"\n") + 1
        if end:
            if self._whole_bytes + self._partial_bytes + end > CHUNK_BYTES:
                yield from self._flush()
            # A view: these bytes are copied once, into the chunk.
            head = block if end == len(block) else memoryview(block)[:end]
            self._whole += [*self._partial, head]
            self._whole_bytes += self._partial_bytes + end
            self._partial, self._partial_bytes = [], 0
        if end < len(block):
            self._partial.append(block[end:])
            self._partial_bytes += len(block) - end
        if self._partial_bytes > self._max_held:
            yield from self._flush()
            self._start_long_line()

    def finish(self, failure: ObjectFailure | None) -> Iterator[Chunk]:
        """What is left, the last line perhaps without its newline; then the failure, if any."""
        if self._long is not None:
            yield self._end_long_line(self._long)
        self._whole += self._partial
        # Counting lines takes as long as reading them: not when no line number follows.
        yield from self._flush(count=failure is not None)
        if failure is not None:
            yield Chunk(self._object_id, self._role, self._line_number, failure=failure)

    def _flush(self, *, count: bool = True) -> Iterator[Chunk]:
        first = self._whole[0] if len(self._whole) == 1 else None
        data = first if isinstance(first, bytes) else b"".join(self._whole)
        self._whole, self._whole_bytes = [], 0
        if data:
            yield Chunk(self._object_id, self._role, self._line_number, data=data)
            if count:
                self._line_number += data.count(b"\n") + (not data.endswith(b"\n"))

    def _start_long_line(self) -> None:
        start = b"".join(self._partial)
        if self._line_number == 1:
            start = start.removeprefix(_BYTE_ORDER_MARK)
        self._partial, self._partial_bytes = [], 0
        self._long = _LongLine()
        self._long.update(start)

    def _end_long_line(self, line: _LongLine) -> Chunk:
        number = self._line_number
        self._long = None
        self._line_number += 1
        return Chunk(self._object_id, self._role, number, oversize=line.oversize())


class _LongLine:
    """Length and digest of a line that passes by; a final carriage return does not count."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._length = 0
        self._held_return = b""

    def update(self, data: bytes) -> None:
        if not data:
            return
        data = self._held_return + data
        self._held_return = data[-1:] if data.endswith(b"\r") else b""
        data = data[: len(data) - len(self._held_return)]
        self._sha256.update(data)
        self._length += len(data)

    def oversize(self) -> Oversize:
        return Oversize(self._length, self._sha256.hexdigest())
