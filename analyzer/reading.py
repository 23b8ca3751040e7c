"""Reading one test's captures: objects -> records -> pairs -> reduced facts, inside one engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzer.captures import Captures
from analyzer.engine import Engine
from analyzer.model import Note
from analyzer.payloads import prepare
from analyzer.sources import open_chunks
from analyzer.window import captured_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    import pyarrow as pa

    from analyzer.metrics.metric import CaptureFacts
    from analyzer.policy import Policy
    from analyzer.sources import Chunk, Listing
    from analyzer.window import Span

    Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class EngineLimits:
    """What the engine may use; None for its own default."""

    memory_limit: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Captured:
    """What reading the capture objects gave.

    Attributes:
        digest: of the lines as a set; size: their bytes without terminators.
        failed: code -> objects that could not be read to their end.
    """

    facts: CaptureFacts
    start: datetime
    end: datetime
    digest: str
    size: int
    failed: dict[str, int]
    notes: tuple[Note, ...]


def read_captures(
    listing: Listing,
    policy: Policy,
    span: Span,
    limits: EngineLimits,
    progress: Progress,
) -> Captured:
    """Capture objects -> records -> pairs -> reduced facts, inside one engine."""
    failed: Counter[str] = Counter()
    notes: list[Note] = []
    with Engine(memory_limit=limits.memory_limit, threads=limits.threads) as engine:
        captures = Captures(
            engine,
            _chunks(listing, policy, failed, notes, progress),
            max_line_bytes=policy.max_line_bytes,
        )
        progress("pairing", 0, 1)
        captures.pair(policy.pairing)
        start, end = captured_window(captures.extent(), span)
        captures.set_window(start, end)
        keys = {number: item.key for number, item in enumerate(listing.objects)}
        facts = captures.facts(keys, same_objects=listing.same_objects)
        progress("pairing", 1, 1)
        progress("comparing outputs", 0, 1)
        predictions = prepare(engine, policy)
        progress("comparing outputs", 1, 1)
        digest, size = captures.digest()
        noted = (*captures.notes(), *_shape_notes(predictions), *notes)
    return Captured(
        facts=replace(facts, tables={**facts.tables, **predictions}),
        start=start,
        end=end,
        digest=digest,
        size=size,
        failed=dict(sorted(failed.items())),
        notes=noted,
    )


def _shape_notes(predictions: Mapping[str, pa.Table]) -> Iterator[Note]:
    """How the outputs were read, and what to set where that was not clear."""
    for row in predictions["prediction_shape"].to_pylist():
        if row["code"] is not None:
            yield Note(code=row["code"], text=row["text"])


def _chunks(
    listing: Listing,
    policy: Policy,
    failed: Counter[str],
    notes: list[Note],
    progress: Progress,
) -> Iterator[Chunk]:
    """Every chunk with lines; a failure is counted by code and named in a note."""

    def on_read(objects: int, total: int, _bytes: int, _size: int) -> None:
        progress("reading objects", objects, total)

    chunks = open_chunks(listing, max_line_bytes=policy.max_line_bytes, progress=on_read)
    for chunk in chunks:
        if chunk.failure is None:
            yield chunk
            continue
        failed[chunk.failure.code] += 1
        key = listing.objects[chunk.object_id].key
        notes.append(Note(code=f"object-{chunk.failure.code}", text=f"{key}: {chunk.failure.text}"))
