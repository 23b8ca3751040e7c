"""What a task of a Spark job does: one part of the rows, in a table engine of its own.

In: capture records and pairs, as pieces of files (`pieces`). Out: what else is read (`beside`).

A step is a generator function from batches to batches, so that Spark can run it by `mapInArrow`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa

from analyzer.captures.pairing import SEEN, pair_by, repeated_ids, start_pairing
from analyzer.captures.shards import write_shards
from analyzer.captures.tables import keep_pairs, show_records, show_shards, tallies_by_role
from analyzer.engine import mentions
from analyzer.sources import open_chunks
from analyzer.sources.objects import ROLES
from analyzer.spark.adding import ADDED
from analyzer.spark.pieces import (
    ANSWER,
    FAILED,
    LOAD,
    answers,
    opened,
    piece,
    receive,
    sent,
    start,
    task_engine,
)
from analyzer.spark.spoken import loaded_text, read_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from analyzer.captures.pairing import Ids
    from analyzer.engine import Engine
    from analyzer.policy import PairingRules
    from analyzer.slices import SlicedInputs
    from analyzer.sources import Chunk, Listing, ObjectFailure
    from analyzer.spark.pieces import Batches, Questions

    Step = Callable[[Engine], object]

LOADED = ("capture_extent", "capture_without_zone", "capture_reject_codes")
LISTED = "capture_rejects_listed"
WINDOWED = ("pairing_counts", "pair_skews")
CARRIED = (
    "pairs",
    "label_pairs",
    "label_predictions",
    "repeated_inputs",
    "production_files",
    "prediction_decoded",
    "contract_pairs",
    "predictions",
    "production_answers",
    "slice_values",
)
"""Tables a part has from one job to the next; everything else is of one job only."""

_RECORDS = {f"{role}_files": "spread_records" for role in ROLES}
_RECORDS["replay_events"] = "spread_events"
_BY_ID = dict.fromkeys(("label_lines", "labels", "label_pairs"), "spread_labels")
_BY_ID["pairs"] = "spread_pair_ids"
_SPREAD = {
    "label_id": _BY_ID,
    "pair_id": _BY_ID,
    "input": _RECORDS | dict.fromkeys(("pairs", "label_pairs"), "spread_pairs"),
}
"""What lies together by what: the tables, and which query says where their rows go. All other keys
are those of records."""

_TEXTS, _DECODED = "prediction_texts", "prediction_decoded"
"""A view of the outputs, and what it reads beside the pairs."""


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
        by: what must lie together: event_id, inference_id or payload of records, input of pairs;
            label_id or pair_id of pairs with labels.
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
    with task_engine(memory_limit) as engine:
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
        yield from answers(engine, [(name, {}) for name in LOADED])
        keys = pa.table(
            {
                "object_id": pa.array(ids, pa.int64()),
                "object_key": pa.array([item.key for item in listing.objects], pa.string()),
            }
        )
        with engine.lend(objects=keys):
            yield from answers(engine, [(LISTED, {})])
        engine.keep("capture_rejects_placed", table="rejects")
        yield from sent("rejects", engine.files("rejects"))
        for shard in shards:
            for role in {use.role for use in shard.uses}:
                yield from sent(f"{role}_files", shard.shard.records)
        yield piece(0, LOAD, None, 0, loaded_text(tallies_by_role(shards), failures))


def spread(
    batches: Batches, memory_limit: str | None, where: Spreading
) -> Iterator[pa.RecordBatch]:
    """Send every row to the part where it meets those that it may have to do with."""
    with opened(batches, memory_limit) as engine:
        for table, query in _SPREAD.get(where.by, _RECORDS).items():
            if files := engine.files(table):
                engine.show("spreading", files)
                for part, path in engine.split(query, by=where.by, parts=len(where.keys)):
                    yield from sent(table, [path], where.keys[part])


def settle(
    batches: Batches,
    memory_limit: str | None,
    window: Window,
    replayed: bool,  # noqa: FBT001 - sent by place
) -> Iterator[pa.RecordBatch]:
    """Where all records of an event lie together, and what was replayed of it: keep one of each."""
    with opened(batches, memory_limit) as engine:
        _show_records(engine)
        engine.keep("capture_duplicates", table="duplicates")
        engine.execute("capture_kept")
        start_pairing(engine)
        inside = {"start": window.start, "end": window.end}
        questions = [("capture_fate_counts", inside), *((name, {}) for name in SEEN)]
        if replayed:
            engine.keep("replay_none", table="replay_events")
            questions.append(("replay_requests", inside))
        yield from answers(engine, questions)
        yield from _left_over(engine)


def pair(
    batches: Batches, memory_limit: str | None, how: Pairing, window: Window
) -> Iterator[pa.RecordBatch]:
    """Where all records that a rule may join lie together: take the rule.

    What is paired goes on as pairs, all else as records for the next rule.
    """
    with opened(batches, memory_limit) as engine:
        begin(engine)
        if how.key in how.rules.keys:
            pair_by(engine, how.key, how.rules, how.ids)
        keep_pairs(engine, window.start, window.end)
        questions: list[tuple[str, Mapping[str, object]]] = [
            ("capture_fate_counts", {"start": window.start, "end": window.end})
        ]
        if how.key == "inference_id":
            questions.append((repeated_ids(how.rules), {}))
        yield from answers(engine, questions)
        yield from sent("pairs", engine.files("pairs"))
        yield from _left_over(engine)


def gather(
    batches: Batches, memory_limit: str | None, window: Window, most: int
) -> Iterator[pa.RecordBatch]:
    """Where all pairs of an input lie together: what the pairs come to, and a sample of them."""
    with opened(batches, memory_limit) as engine:
        begin(engine)
        if not engine.files("pairs"):
            keep_pairs(engine, window.start, window.end)  # none, with the columns of some
        engine.keep("repeated_inputs")
        yield from answers(engine, [(name, {}) for name in WINDOWED])
        yield from answers(engine, [("pair_sample", {"most": most})])
        yield from _carried(engine)


def ask(
    batches: Batches, memory_limit: str | None, steps: Sequence[Step], questions: Questions
) -> Iterator[pa.RecordBatch]:
    """Take steps that handle the rows of the part, then answer questions about them.

    After any step the part's tables go on beside the answers.
    """
    with opened(batches, memory_limit) as engine:
        if steps:
            begin(engine)
        for step in steps:
            step(engine)
        if engine.files(_DECODED):
            engine.execute(_TEXTS)
        yield from answers(engine, questions)
        if steps:
            yield from _carried(engine)


def add(batches: Batches, memory_limit: str | None) -> Iterator[pa.RecordBatch]:
    """Add the answers of some parts, so that fewer come to the driver; what is said goes on."""
    said: list[dict[str, Any]] = []
    with task_engine(memory_limit) as engine:
        rows = (row for batch in batches for row in batch.to_pylist())
        for name, paths in receive(_answers_of(rows, said), engine.folder).items():
            path = engine.folder / f"{uuid4().hex}.parquet"
            engine.write_added(paths, ADDED[name.removeprefix(ANSWER)], path)
            yield from sent(name, [path])
    for row in said:
        yield piece(**row)


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


def _show_records(engine: Engine) -> None:
    show_records(engine, {role: engine.files(f"{role}_files") for role in ROLES})


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


def _left_over(engine: Engine) -> Iterator[pa.RecordBatch]:
    for role in ROLES:
        path = engine.folder / f"{uuid4().hex}.parquet"
        if engine.write("left_over", path, role=role):
            yield from sent(f"{role}_files", [path])


def _carried(engine: Engine) -> Iterator[pa.RecordBatch]:
    for table in CARRIED:
        yield from sent(table, engine.files(table))
