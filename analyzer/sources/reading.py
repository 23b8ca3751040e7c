"""The bytes of a listing, in order, read ahead by threads within a fixed number of bytes.

Objects are cut into parts of a few MiB, each one request, so that many small objects and one
huge one are read alike. Parts arrive in (role, key) order whatever thread was first: chunks do
not depend on timing.
"""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from analyzer.errors import AccessError
from analyzer.figures import grouped
from analyzer.sources import local
from analyzer.sources.aws import CONNECTIONS
from analyzer.sources.batch_transform import batch_chunks
from analyzer.sources.lines import LineCutter, inflated
from analyzer.sources.objects import MAX_LINE_BYTES, Chunk, ObjectError, ObjectFailure
from analyzer.sources.s3 import S3Reader

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Generator,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )
    from concurrent.futures import Future

    from analyzer.sources.objects import Listing, Role, SourceObject

    Progress = Callable[[int, int, int, int], None]
    """Called with (objects done, objects, bytes done, bytes)."""

PART_BYTES = 4 << 20
READ_AHEAD_BYTES = 32 << 20


@dataclass(frozen=True)
class _Part:
    """Bytes [start, end) of one object; `data` or `failure` once it has been read."""

    object_id: int
    start: int
    end: int
    data: bytes = b""
    failure: ObjectFailure | None = None

    @property
    def size(self) -> int:
        return self.end - self.start


def open_chunks(
    listing: Listing,
    *,
    max_line_bytes: int = MAX_LINE_BYTES,
    threads: int = CONNECTIONS,
    read_ahead_bytes: int = READ_AHEAD_BYTES,
    known: Mapping[Role, int] | None = None,
    progress: Progress | None = None,
) -> Generator[Chunk]:
    """Chunks of whole lines of every object, by object, in order; batch-transform files come last.

    An object that fails gives what could be read, then a chunk with its failure; the others go
    on. Memory stays within `read_ahead_bytes`, one chunk and one line.

    Args:
        listing: what `discover` found.
        max_line_bytes: longer lines come as `Oversize` when they would have to be held.
        threads: parts read at the same time.
        read_ahead_bytes: bytes read and not yet handed out, at most.
        known: how many objects of each variant were read before and are not in the listing.
        progress: told after every object, and after every part of a large one.

    Raises:
        AccessError: storage cannot be reached any more, or every object of one variant is denied.
    """
    readers = _Readers(listing, threads)
    denials = _Denials(listing.objects, known or {})
    failed: set[int] = set()
    tally = _Tally(len(listing.objects), listing.size, progress)
    batches = _batches(_parts(listing.objects, failed), readers.batch_bytes)
    parts = _read_ahead(batches, readers, threads, read_ahead_bytes)
    try:
        for object_id, chunks in _by_object(listing, parts, tally, max_line_bytes):
            item = listing.objects[object_id]
            for chunk in chunks:
                if chunk.failure is not None:
                    failed.add(object_id)
                    if chunk.failure.code == "access-denied":
                        denials.add(item.role, chunk.failure)
                yield chunk
            tally.add(object_id, item)
    finally:
        parts.close()


def _by_object(
    listing: Listing, parts: Iterable[_Part], tally: _Tally, max_line_bytes: int
) -> Iterator[tuple[int, Iterator[Chunk]]]:
    """Every object's id and chunks; those of batch-transform jobs are read by their own rules."""
    for object_id, group in groupby(parts, key=attrgetter("object_id")):
        item = listing.objects[object_id]
        counted = tally.counted(object_id, item, group)
        yield object_id, _object_chunks(object_id, item, counted, max_line_bytes)
    for object_id, item in enumerate(listing.objects):
        if item.batch is not None:
            yield object_id, batch_chunks(object_id, item, listing.aws, max_line_bytes)


class _Tally:
    """What has been read so far, told aloud."""

    def __init__(self, objects: int, size: int, progress: Progress | None) -> None:
        self._objects = objects
        self._size = size
        self._progress = progress
        self._done = 0

    def counted(
        self, object_id: int, item: SourceObject, parts: Iterable[_Part]
    ) -> Iterator[_Part]:
        """The parts of an object; all but its last are told as they go."""
        for part in parts:
            yield part
            if part.end < item.size:
                self._tell(object_id, self._done + part.end)

    def add(self, object_id: int, item: SourceObject) -> None:
        """An object is done, whether it failed or not."""
        self._done += item.size
        self._tell(object_id + 1, self._done)

    def _tell(self, objects: int, size: int) -> None:
        if self._progress is not None:
            self._progress(objects, self._objects, size, self._size)


def _object_chunks(
    object_id: int, item: SourceObject, parts: Iterable[_Part], max_line_bytes: int
) -> Iterator[Chunk]:
    cutter = LineCutter(object_id, item.role, max_line_bytes)
    failure = None
    try:
        for block in inflated(_data(parts)):
            yield from cutter.feed(block)
    except ObjectError as error:
        failure = error.failure
    yield from cutter.finish(failure)


def _data(parts: Iterable[_Part]) -> Iterator[bytes]:
    for part in parts:
        if part.failure is not None:
            raise ObjectError(part.failure.code, part.failure.text)
        yield part.data


class _Denials:
    """Counts refused objects; a variant refused as a whole is a missing permission."""

    def __init__(self, objects: Iterable[SourceObject], known: Mapping[Role, int]) -> None:
        self._left = Counter(item.role for item in objects)
        self._left.update(known)
        self._all = dict(self._left)

    def add(self, role: Role, failure: ObjectFailure) -> None:
        """Stop the run once every object of a variant has been refused."""
        self._left[role] -= 1
        if not self._left[role]:
            raise AccessError(
                f"every {role} object was refused ({grouped(self._all[role])}): {failure.text}"
            )


def refuse_denied(objects: Sequence[SourceObject], failures: Mapping[int, ObjectFailure]) -> None:
    """The same where objects were read apart from each other.

    Raises:
        AccessError: every object of one variant is denied.
    """
    denials = _Denials(objects, {})
    for object_id, failure in sorted(failures.items()):
        if failure.code == "access-denied":
            denials.add(objects[object_id].role, failure)


def _parts(objects: Iterable[SourceObject], failed: Collection[int]) -> Iterator[_Part]:
    """The parts to read; what is left of an object that has failed is not."""
    for object_id, item in enumerate(objects):
        if item.batch is not None:  # read after the others, with its input
            continue
        for start in range(0, max(item.size, 1), PART_BYTES):
            if object_id in failed:
                break
            yield _Part(object_id, start, min(start + PART_BYTES, item.size))


def _batches(parts: Iterable[_Part], batch_bytes: int) -> Iterator[list[_Part]]:
    """Neighbouring parts to be read by one thread in one go."""
    batch: list[_Part] = []
    size = 0
    for part in parts:
        if batch and size + part.size > batch_bytes:
            yield batch
            batch, size = [], 0
        batch.append(part)
        size += part.size
    if batch:
        yield batch


class _Readers:
    """Reads parts from wherever their objects lie; never raises for one object.

    Attributes:
        batch_bytes: how much is read in one go. Handing a small file to a thread costs more than
            reading it; a request to S3 costs far more than either, so those go one by one.
    """

    def __init__(self, listing: Listing, threads: int) -> None:
        self._objects = listing.objects
        on_s3 = any(item.location.startswith("s3://") for item in listing.objects)
        self._s3 = S3Reader(listing.aws, threads) if on_s3 else None
        self.batch_bytes = 0 if on_s3 else PART_BYTES

    def read(self, parts: Sequence[_Part]) -> list[_Part]:
        """The parts with their data or failure."""
        return [self._read(part) for part in parts]

    def _read(self, part: _Part) -> _Part:
        item = self._objects[part.object_id]
        try:
            if self._s3 is not None and item.location.startswith("s3://"):
                data = self._s3.read(item, part.start, part.end)
            else:
                data = local.read(item, part.start, part.end)
        except ObjectError as error:
            return replace(part, failure=error.failure)
        return replace(part, data=data)

    def stop(self) -> None:
        """Make reads that are under way end early."""
        if self._s3 is not None:
            self._s3.stop.set()


def _read_ahead(
    batches: Iterable[list[_Part]], readers: _Readers, threads: int, limit: int
) -> Generator[_Part]:
    """The parts, read, in their order; at most `limit` bytes of them at any moment.

    Bytes are set aside in order before a batch is asked for, so the next one to be handed out is
    always among those being read and nothing can wait for itself.
    """
    waiting: deque[tuple[int, Future[list[_Part]]]] = deque()
    ahead = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="captures") as pool:
        try:
            for batch in batches:
                size = sum(part.size for part in batch)
                while waiting and (ahead + size > limit or len(waiting) >= 4 * threads):
                    read_size, future = waiting.popleft()
                    yield from future.result()
                    ahead -= read_size
                waiting.append((size, pool.submit(readers.read, batch)))
                ahead += size
            while waiting:
                yield from waiting.popleft()[1].result()
        finally:
            # Leaving the pool waits for what is under way: that should be short.
            readers.stop()
            for _, future in waiting:
                future.cancel()
