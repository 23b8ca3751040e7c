"""What a task of a Spark job does: one part of the rows, in a table engine of its own.

In: rows of `BLOBS`, pieces of Parquet files. Out: the same, of other files. Spark sees no record
and no column: it moves, keeps and repeats pieces of compressed files, and a record crosses from
Java to Python and back at the size it has on disk. Nothing holds a part in memory: pieces are
written to the task's private folder as they come, and the table engine reads them from there and
spills beside them.

A step is a generator function from batches to batches, so that Spark can run it by `mapInArrow`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa

from analyzer.captures.pairing import SEEN, pair_by, repeated_ids, start_pairing
from analyzer.captures.shards import write_shards
from analyzer.captures.tables import keep_pairs, show_records, show_shards, tallies_by_role
from analyzer.engine import Engine, mentions
from analyzer.errors import AnalyzerError
from analyzer.sources import open_chunks
from analyzer.sources.objects import ROLES
from analyzer.spark.adding import ADDED
from analyzer.spark.spoken import error_text, loaded_text, read_error, read_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from analyzer.captures.pairing import Ids
    from analyzer.policy import PairingRules
    from analyzer.slices import SlicedInputs
    from analyzer.sources import Chunk, Listing, ObjectFailure

    Batches = Iterable[pa.RecordBatch]
    Step = Callable[[Engine], object]
    Questions = Sequence[tuple[str, Mapping[str, object]]]

BLOBS = "part bigint, name string, file string, place bigint, data binary"
"""One piece of one file: the part it belongs to, the table, the file's own name, where the piece
begins in it. A name with `ANSWER` in front is no table of the part but an answer of it; `LOAD` and
`FAILED` are what a task says of its objects, and what stopped it."""
ANSWER, LOAD, FAILED = "?", "?load", "?failed"
PIECE_BYTES = 1 << 20
LOADED = ("capture_extent", "capture_without_zone", "capture_reject_codes")
LISTED = "capture_rejects_listed"
WINDOWED = ("pairing_counts", "pair_skews")
CARRIED = (
    "pairs",
    "repeated_inputs",
    "production_files",
    "prediction_decoded",
    "contract_pairs",
    "predictions",
    "missing_outputs",
    "slice_values",
)
"""Tables a part has from one job to the next; everything else is of one job only."""

_TEXTS, _DECODED = "prediction_texts", "prediction_decoded"
"""A view of the outputs, and what it reads beside the pairs."""
_TYPES: dict[str, pa.DataType] = {
    "part": pa.int64(),
    "name": pa.string(),
    "file": pa.string(),
    "place": pa.int64(),
    "data": pa.binary(),
}
_SCHEMA = pa.schema(_TYPES)


@dataclass(frozen=True)
class Window:
    """The half-open window of a run, UTC without saying so."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Parsing:
    """How a task reads its objects; the listing names none of them."""

    listing: Listing
    max_line_bytes: int
    inputs: SlicedInputs


@dataclass(frozen=True)
class Pairing:
    """One rule of a run.

    Attributes:
        key: the rule; inference IDs that are none of this run only have their repeats counted.
    """

    key: str
    rules: PairingRules
    ids: Ids


@dataclass(frozen=True)
class Spreading:
    """How rows are sent to other parts.

    Attributes:
        by: what must lie together: event_id, inference_id, payload, or input for pairs.
        keys: part -> the number whose hash leads there.
    """

    by: str
    keys: tuple[int, ...]


def load(batches: Batches, memory_limit: str | None, how: Parsing) -> Iterator[pa.RecordBatch]:
    """Read and parse some objects: their records, their rejects, and what both come to."""
    objects = [one for batch in batches for row in batch["data"] for one in read_task(row.as_py())]
    ids = [object_id for object_id, _ in objects]
    listing = replace(how.listing, objects=tuple(item for _, item in objects))
    failures: dict[int, ObjectFailure] = {}
    with _engine(memory_limit) as engine:
        start(engine)
        shards = list(
            write_shards(
                engine,
                _chunks(listing, ids, how.max_line_bytes, failures),
                engine.folder,
                max_line_bytes=how.max_line_bytes,
                inputs=how.inputs,
            )
        )
        show_shards(engine, shards)
        yield from _answers(engine, [(name, {}) for name in LOADED])
        keys = pa.table(
            {
                "object_id": pa.array(ids, pa.int64()),
                "object_key": pa.array([item.key for item in listing.objects], pa.string()),
            }
        )
        with engine.lend(objects=keys):
            yield from _answers(engine, [(LISTED, {})])
        engine.keep("capture_rejects_placed", table="rejects")
        yield from _sent("rejects", engine.files("rejects"))
        for shard in shards:
            for role in {use.role for use in shard.uses}:
                yield from _sent(f"{role}_files", shard.shard.records)
        yield _row(0, LOAD, None, 0, loaded_text(tallies_by_role(shards), failures))


def spread(
    batches: Batches, memory_limit: str | None, where: Spreading
) -> Iterator[pa.RecordBatch]:
    """Send every row to the part where it meets those that it may have to do with."""
    with _opened(batches, memory_limit) as engine:
        for role in ROLES:
            table = f"{role}_files"
            if files := engine.files(table):
                engine.show("spreading", files)
                # a record that no rule can pair any more is still asked what it answered
                by = "event_id" if where.by == "input" else where.by
                parts = engine.split("spread_records", by=by, parts=len(where.keys))
                for part, path in parts:
                    yield from _sent(table, [path], where.keys[part])
        if engine.files("pairs"):
            for part, path in engine.split("spread_pairs", parts=len(where.keys)):
                yield from _sent("pairs", [path], where.keys[part])


def settle(batches: Batches, memory_limit: str | None, window: Window) -> Iterator[pa.RecordBatch]:
    """Where all records of an event lie together: keep one of each."""
    with _opened(batches, memory_limit) as engine:
        _show_records(engine)
        engine.keep("capture_duplicates", table="duplicates")
        engine.execute("capture_kept")
        start_pairing(engine)
        counts = ("capture_fate_counts", {"start": window.start, "end": window.end})
        yield from _answers(engine, [counts, *((name, {}) for name in SEEN)])
        yield from _left_over(engine)


def pair(
    batches: Batches, memory_limit: str | None, how: Pairing, window: Window
) -> Iterator[pa.RecordBatch]:
    """Where all records that a rule may join lie together: take the rule.

    What is paired goes on as pairs, all else as records for the next rule.
    """
    with _opened(batches, memory_limit) as engine:
        begin(engine)
        if how.key in how.rules.keys:
            pair_by(engine, how.key, how.rules, how.ids)
        keep_pairs(engine, window.start, window.end)
        questions: list[tuple[str, Mapping[str, object]]] = [
            ("capture_fate_counts", {"start": window.start, "end": window.end})
        ]
        if how.key == "inference_id":
            questions.append((repeated_ids(how.rules), {}))
        yield from _answers(engine, questions)
        yield from _sent("pairs", engine.files("pairs"))
        yield from _left_over(engine)


def gather(
    batches: Batches, memory_limit: str | None, window: Window, most: int
) -> Iterator[pa.RecordBatch]:
    """Where all pairs of an input lie together: what the pairs come to, and a sample of them."""
    with _opened(batches, memory_limit) as engine:
        begin(engine)
        if not engine.files("pairs"):
            keep_pairs(engine, window.start, window.end)  # none, with the columns of some
        engine.keep("repeated_inputs")
        yield from _answers(engine, [(name, {}) for name in WINDOWED])
        yield from _answers(engine, [("pair_sample", {"most": most})])
        yield from _carried(engine)


def ask(
    batches: Batches, memory_limit: str | None, steps: Sequence[Step], questions: Questions
) -> Iterator[pa.RecordBatch]:
    """Take steps that handle the rows of the part, then answer questions about them.

    After any step the part's tables go on beside the answers.
    """
    with _opened(batches, memory_limit) as engine:
        if steps:
            begin(engine)
        for step in steps:
            step(engine)
        if engine.files(_DECODED):
            engine.execute(_TEXTS)
        yield from _answers(engine, questions)
        if steps:
            yield from _carried(engine)


def add(batches: Batches, memory_limit: str | None) -> Iterator[pa.RecordBatch]:
    """Add the answers of some parts, so that fewer come to the driver; what is said goes on."""
    said: list[dict[str, Any]] = []
    with _engine(memory_limit) as engine:
        rows = (row for batch in batches for row in batch.to_pylist())
        for name, paths in receive(_answers_of(rows, said), engine.folder).items():
            path = engine.folder / f"{uuid4().hex}.parquet"
            engine.write_added(paths, ADDED[name.removeprefix(ANSWER)], path)
            yield from _sent(name, [path])
    for row in said:
        yield _row(**row)


def _answers_of(
    rows: Iterable[dict[str, Any]], said: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The pieces of files; all other rows are put aside."""
    for row in rows:
        if row["file"] is None:
            said.append(row)
        else:
            yield row


def needed(questions: Questions) -> set[str]:
    """The rows of a part that these questions read, and what stopped a task."""
    tables = {*CARRIED, "rejects", _TEXTS}
    found = {table for name, _ in questions for table in mentions(name, tables)}
    return found | {FAILED} | ({"pairs", _DECODED} if _TEXTS in found else set())


def reported(step: Callable[[Batches], Iterator[pa.RecordBatch]]) -> Callable[[Any], Any]:
    """The step, with what stops it said as a row: an error of ours is no failure of Spark's."""

    def taken(batches: Batches) -> Iterator[pa.RecordBatch]:
        try:
            yield from step(batches)
        except AnalyzerError as error:
            yield _row(0, FAILED, None, 0, error_text(error))

    return taken


def bound(step: Callable[..., Iterator[pa.RecordBatch]], *args: object) -> Callable[[Any], Any]:
    """A step with all its arguments but the batches."""
    return reported(lambda batches: step(batches, *args))


def receive(rows: Iterable[Any], folder: Path) -> dict[str, list[Path]]:
    """Put pieces together.

    Args:
        rows: with the attributes of `BLOBS`; pieces may come in any order.
        folder: where the files are written.

    Returns:
        Name -> files.

    Raises:
        AnalyzerError: it stopped the task that made the rows.
    """
    paths: dict[str, dict[str, Path]] = {}
    for row in rows:
        if row["name"] == FAILED:
            raise read_error(row["data"])
        if row["file"] is None:  # a part that may hold nothing else
            continue
        path = folder / f"{row['file']}.parquet"
        paths.setdefault(row["name"], {})[row["file"]] = path
        with path.open("r+b" if path.exists() else "xb") as file:
            file.seek(row["place"])
            file.write(row["data"])
    return {name: list(files.values()) for name, files in paths.items()}


def _engine(memory_limit: str | None) -> Engine:
    """An engine for one task: Spark runs as many of them as there are cores."""
    return Engine(memory_limit=memory_limit, threads=1)


@contextmanager
def _opened(batches: Batches, memory_limit: str | None) -> Iterator[Engine]:
    """An engine that holds the part's tables."""
    with _engine(memory_limit) as engine:
        rows = (row for batch in batches for row in batch.to_pylist())
        for table, paths in receive(rows, engine.folder).items():
            engine.adopt(table, paths)
        start(engine)
        yield engine


def _show_records(engine: Engine) -> None:
    show_records(engine, {role: engine.files(f"{role}_files") for role in ROLES})


def start(engine: Engine) -> None:
    """Say how lines and outputs are read."""
    for macros in ("capture_macros", "prediction_macros"):
        engine.execute(macros)


def begin(engine: Engine) -> None:
    """Records of which none repeats an event, and no pairs of them yet."""
    _show_records(engine)
    engine.keep("capture_duplicates_none", table="duplicates")
    engine.execute("capture_kept")
    start_pairing(engine)


def _chunks(
    listing: Listing, ids: Sequence[int], max_line_bytes: int, failures: dict[int, ObjectFailure]
) -> Iterator[Chunk]:
    """Chunks under the numbers that the run's own listing gives their objects."""
    # whether every object of a variant is denied, this task cannot know
    others = dict.fromkeys(ROLES, 1)
    for chunk in open_chunks(listing, max_line_bytes=max_line_bytes, known=others):
        object_id = ids[chunk.object_id]
        if chunk.failure is None:
            yield replace(chunk, object_id=object_id)
        else:
            failures[object_id] = chunk.failure


def _answers(engine: Engine, questions: Questions) -> Iterator[pa.RecordBatch]:
    for name, params in questions:
        path = engine.folder / f"{uuid4().hex}.parquet"
        engine.write(name, path, **params)
        yield from _sent(f"{ANSWER}{name}", [path])


def _left_over(engine: Engine) -> Iterator[pa.RecordBatch]:
    for role in ROLES:
        path = engine.folder / f"{uuid4().hex}.parquet"
        if engine.write("left_over", path, role=role):
            yield from _sent(f"{role}_files", [path])


def _carried(engine: Engine) -> Iterator[pa.RecordBatch]:
    for table in CARRIED:
        yield from _sent(table, engine.files(table))


def _sent(name: str, paths: Iterable[Path], part: int = 0) -> Iterator[pa.RecordBatch]:
    """Files as rows, a piece at a time."""
    for path in paths:
        file = uuid4().hex
        with path.open("rb") as opened:
            for data in iter(partial(opened.read, PIECE_BYTES), b""):
                yield _row(part, name, file, opened.tell() - len(data), data)


def _row(part: int, name: str, file: str | None, place: int, data: bytes) -> pa.RecordBatch:
    values = zip(_SCHEMA.names, (part, name, file, place, data), strict=True)
    return pa.RecordBatch.from_pydict({key: [value] for key, value in values}, schema=_SCHEMA)
