"""Lines of capture objects -> parsed files on disk, a shard at a time.

In: chunks of whole lines. Out: Parquet files and, for each object, what its ledger needs. A shard
holds whole objects of one role, so that it can be kept and used again for as long as they live.
While the engine parses one batch of lines the next is split by a thread of its own.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from analyzer.captures.lines import MOST_LINES, split
from analyzer.slices import SlicedInputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from analyzer.captures.lines import SplitLines
    from analyzer.engine import Engine
    from analyzer.sources.objects import Chunk, Role

BATCH_BYTES = 32 << 20


@dataclass(frozen=True)
class ObjectTally:
    """What one object held.

    Attributes:
        lines, blank: lines, counted on the bytes; how many held nothing but spaces.
        line_bytes: of all lines that are not blank, without terminators and outer spaces.
        hash_sum, hash_product_sum: see sql/capture_sums.sql.
    """

    lines: int = 0
    blank: int = 0
    line_bytes: int = 0
    hash_sum: int = 0
    hash_product_sum: int = 0

    def __add__(self, other: ObjectTally) -> ObjectTally:
        return ObjectTally(
            self.lines + other.lines,
            self.blank + other.blank,
            self.line_bytes + other.line_bytes,
            self.hash_sum + other.hash_sum,
            self.hash_product_sum + other.hash_product_sum,
        )


@dataclass(frozen=True)
class Shard:
    """Parsed files that hold the lines of some objects and nothing else.

    Attributes:
        records: files of sql/capture_records.sql; rejects: of sql/capture_rejects.sql.
        objects: by their number in the files.
    """

    records: tuple[Path, ...]
    rejects: tuple[Path, ...]
    objects: tuple[ObjectTally, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return self.records + self.rejects


@dataclass(frozen=True)
class Use:
    """One object of a shard in this run: its number there, its id here, its role."""

    number: int
    object_id: int
    role: Role


@dataclass(frozen=True)
class PlacedShard:
    """A shard and what of it belongs to this run."""

    shard: Shard
    uses: tuple[Use, ...]

    @property
    def only_role(self) -> Role | None:
        """The role of everything in it; None when that is not one, or part of it is not meant."""
        roles = {use.role for use in self.uses}
        whole = len(self.uses) == len(self.shard.objects)
        return roles.pop() if whole and len(roles) == 1 else None


@dataclass
class _OpenShard:
    """A shard that is being written."""

    role: Role
    numbers: dict[int, int] = field(default_factory=dict)  # object id -> number
    tallies: Counter[tuple[int, str]] = field(default_factory=Counter)
    records: list[Path] = field(default_factory=list)
    rejects: list[Path] = field(default_factory=list)

    def numbered(self, chunk: Chunk) -> Chunk:
        number = self.numbers.setdefault(chunk.object_id, len(self.numbers))
        return replace(chunk, object_id=number)

    def closed(self) -> PlacedShard:
        objects = tuple(
            ObjectTally(
                **{name: self.tallies[number, name] for name in ObjectTally.__dataclass_fields__}
            )
            for number in self.numbers.values()
        )
        uses = tuple(
            Use(number, object_id, self.role) for object_id, number in self.numbers.items()
        )
        return PlacedShard(Shard(tuple(self.records), tuple(self.rejects), objects), uses)


def write_shards(
    engine: Engine,
    chunks: Iterable[Chunk],
    folder: Path,
    *,
    max_line_bytes: int,
    batch_bytes: int = BATCH_BYTES,
    most_lines: int = MOST_LINES,
    inputs: SlicedInputs | None = None,
) -> Iterator[PlacedShard]:
    """Parse every line once and write it down.

    Args:
        engine: may write to `folder`; has the macros of sql/capture_macros.sql.
        chunks: object by object; pulled one at a time, so a generator may show progress.
        folder: where the files go, under names nobody else uses.
        max_line_bytes: longer lines are rejects.
        batch_bytes: how much is handed to the engine at once; results do not depend on it.
        most_lines: how many lines, for those that are very short.
        inputs: what of an input is kept; None for nothing.

    Yields:
        A shard as soon as its files are complete. Files of one that never is are removed.
    """
    unfinished: list[Path] = []
    parsing = (inputs or SlicedInputs()).params
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="lines") as splitter:
            ahead: tuple[_Batch, Future[Iterator[SplitLines]]] | None = None
            for batch in _batches(chunks, batch_bytes):
                parts = split(batch.chunks, max_line_bytes, most_lines=most_lines)
                following = batch, splitter.submit(_begun, parts)
                if ahead is not None:
                    yield from _written(engine, folder, unfinished, *ahead, parsing=parsing)
                ahead = following
            if ahead is not None:
                yield from _written(engine, folder, unfinished, *ahead, parsing=parsing)
    finally:
        for path in unfinished:
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Batch:
    """Chunks to be parsed at once, the shard they belong to, and whether they complete it."""

    shard: _OpenShard
    chunks: list[Chunk]
    is_last: bool


def _batches(chunks: Iterable[Chunk], batch_bytes: int) -> Iterator[_Batch]:
    """Small chunks together, so that many small objects cost no more than one large one."""
    shard: _OpenShard | None = None
    batch: list[Chunk] = []
    held = 0
    last_id: int | None = None
    for chunk in chunks:
        full = held >= batch_bytes
        ends = shard is not None and (
            chunk.role != shard.role or (full and chunk.object_id != last_id)
        )
        if shard is not None and (full or ends):
            yield _Batch(shard, batch, ends)
            batch, held = [], 0
        if shard is None or ends:
            shard = _OpenShard(chunk.role)
        batch.append(shard.numbered(chunk))
        held += len(chunk.data)
        last_id = chunk.object_id
    if shard is not None:
        yield _Batch(shard, batch, is_last=True)


def _begun(parts: Iterator[SplitLines]) -> Iterator[SplitLines]:
    """The same, the first of them made already: most batches have no other."""
    return chain([next(parts)], parts)


def _written(
    engine: Engine,
    folder: Path,
    unfinished: list[Path],
    batch: _Batch,
    splitting: Future[Iterator[SplitLines]],
    *,
    parsing: Mapping[str, object],
) -> Iterator[PlacedShard]:
    shard = batch.shard
    for parts in splitting.result():
        name = uuid4().hex
        records, unusual, rejects = (
            folder / f"{name}-{kind}.parquet" for kind in ("records", "unusual", "rejects")
        )
        unfinished += records, unusual, rejects
        lent = {"lines": parts.lines, "undecodable": parts.undecodable, "oversize": parts.oversize}
        with engine.lend(**lent):
            engine.write("capture_records", records, **parsing)
            shard.records.append(records)
            file = str(records)
            unread = engine.table("capture_unread", records_file=file)["lines"][0].as_py()
            if unread:
                engine.write("capture_unusual", unusual, records_file=file, **parsing)
                shard.records.append(unusual)
            if unread or parts.undecodable.num_rows or parts.oversize.num_rows:
                engine.write("capture_rejects", rejects, records_file=file)
                shard.rejects.append(rejects)
            sums = engine.table("capture_sums").to_pylist()
        _tally(shard, parts, sums)
    if batch.is_last:
        unfinished.clear()
        yield shard.closed()


def _tally(shard: _OpenShard, parts: SplitLines, sums: list[dict[str, Any]]) -> None:
    for name, counts in (("lines", parts.counted), ("blank", parts.blank)):
        for number, lines in counts.items():
            shard.tallies[number, name] += lines
    for row in sums:
        for name in ("line_bytes", "hash_sum", "hash_product_sum"):
            shard.tallies[row["object_number"], name] += int(row[name])
