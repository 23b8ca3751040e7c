"""Reading, pairing and windowing of captures whose records lie in the parts of a Spark engine.

In: the face of `captures.Captures`; the order of shuffles, and which decisions are made on the
driver between two of them. Out: what is done in a part (`parts`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.captures import Captures
from analyzer.captures.pairing import PairingCounts, repeated_ids, rules_in_use, seen_ids
from analyzer.captures.shards import ObjectTally
from analyzer.captures.tables import naive_window
from analyzer.payloads.closely import SAMPLED_PAIRS
from analyzer.slices import sliced_inputs
from analyzer.sources.objects import ROLES
from analyzer.sources.reading import refuse_denied
from analyzer.spark import beside, parts
from analyzer.spark.parts import Pairing, Parsing, Window
from analyzer.spark.pieces import FAILED
from analyzer.spark.reread import as_before
from analyzer.spark.spoken import read_loaded, read_notes, task_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from pyspark.sql import DataFrame

    from analyzer.captures.pairing import Ids
    from analyzer.model import Note
    from analyzer.policy import PairingRules, Policy
    from analyzer.replayed.outcomes import Sidecars
    from analyzer.sources import Listing, SourceObject
    from analyzer.sources.objects import ObjectFailure, Role
    from analyzer.spark.driver import SparkEngine
    from analyzer.steps import Progress

_TASK_BYTES = 256 << 20
_MARGIN = 3
"""So many times as many pairs as are looked at are gathered by their hash."""
_LARGEST_HASH = (1 << 64) - 1
_IDS = "inference_id"


class SparkCaptures(Captures):
    """The capture records of a run in the parts of a Spark engine.

    Records are shuffled by their event, of which one copy is kept; what is left without a partner,
    by what the next rule joins by; pairs by their input, because repeated inputs are counted. A
    pair leaves its records where it is found, so that pairing waits for the window. Between the
    two, labels meet IDs of pairs, and what they name is shuffled with the pairs.

    Args:
        engine: a fresh one.
        listing: what is read, by tasks; the cluster must reach it as this machine does.
        policy: how lines are read.
        failures: filled with what could not be read.
        labels: files of labels, also read by tasks; None for none.
        sidecars: of a replay, whose requests are looked up in production's records.
        progress: told when these are read.

    Raises:
        AccessError: every object of one variant is denied.
    """

    def __init__(
        self,
        engine: SparkEngine,
        listing: Listing,
        policy: Policy,
        failures: dict[int, ObjectFailure],
        *,
        labels: Listing | None,
        sidecars: Callable[[], Sidecars],
        progress: Progress,
    ) -> None:
        self._spark = engine
        self._policy = policy
        self._labels = labels
        self._sidecars = sidecars
        self._progress = progress
        self._damaged: tuple[Note, ...] = ()
        loaded, found, said = self._loaded(listing, parts.load)
        engine.know(found)
        engine.hold(loaded, said)
        tallies: dict[Role, ObjectTally] = {}
        for by_role, failed in map(read_loaded, said):
            failures.update(failed)
            for role, tally in by_role.items():
                tallies[role] = tallies.get(role, ObjectTally()) + tally
        refuse_denied(listing.objects, failures)
        super()._hold(engine, tallies)
        self._rules: PairingRules | None = None
        self._count = engine.partitions(sum(tally.line_bytes for tally in tallies.values()))

    def pair(self, rules: PairingRules) -> None:
        """Remember the rules."""
        self._rules = rules

    def set_window(self, start: datetime | None, end: datetime | None) -> None:
        """Find the pairs, and keep those of a half-open interval; once."""
        if self._rules is None:
            raise LookupError("pair")
        window = Window(*naive_window(start, end))
        engine, rules = self._spark, self._rules
        rows, replayed = engine.rows, self._sidecars().events
        if replayed is not None:
            rows = rows.union(engine.sent("replay_events", replayed))
        kept, found = self._shuffled(rows, "event_id", parts.settle, window, replayed is not None)
        if replayed is not None:
            engine.know({"replay_requests": found["replay_requests"]})
        ids, fates, pairs = seen_ids(found), [found["capture_fate_counts"]], []
        repeated = 0
        for key in _keys_in_use(rules, ids):
            if key != _IDS and not _both_left(fates):
                continue
            kept, found = self._shuffled(kept, key, parts.pair, Pairing(key, rules, ids), window)
            fates.append(found["capture_fate_counts"])
            pairs.append(kept.filter(kept.name.isin("pairs", FAILED)))
            repeated += found[repeated_ids(rules)]["ids"][0].as_py() if key == _IDS else 0
        self._counts = PairingCounts(repeated_ids=repeated, event_id_overlap=ids.overlap)
        engine.make(capture_fate_counts=_fates(fates))
        self._fates = engine.table("capture_fates").to_pylist()
        # production's records without a partner may be asked what they answered
        rows = kept.filter(kept.name.isin("production_files", FAILED))
        if self._labels is not None:
            rows = rows.union(self._named(self._labels, pairs, window))
        for found_pairs in pairs:
            rows = rows.union(found_pairs)
        self._gather(rows, window)

    def damaged_labels(self) -> tuple[Note, ...]:
        """A note for each label file that was not read to its end; known with the window."""
        return self._damaged

    def _named(self, labels: Listing, pairs: Sequence[DataFrame], window: Window) -> DataFrame:
        """Which label names which pair, decided where all labels of an ID lie."""
        engine, files = self._spark, len(labels.objects)
        self._progress("reading labels", 0, files)
        rows, codes, said = self._loaded(labels, beside.load_labels)
        rows = engine.mapped(rows, as_before, frozenset(said))
        self._damaged = read_notes(said)
        self._progress("reading labels", files, files)
        for found_pairs in pairs:
            rows = rows.union(found_pairs)
        rows, _ = self._shuffled(rows, "label_id", beside.join_labels, window)
        rows, fates = self._shuffled(rows, "pair_id", beside.join_labels, window)
        engine.know(codes | fates)
        return rows.filter(rows.name.isin("label_pairs", FAILED))

    def _gather(self, rows: DataFrame, window: Window) -> None:
        engine = self._spark
        paired = sum(
            fate["records"]
            for fate in self._fates
            if fate["role"] == "production" and fate["fate"] == "paired"
        )
        spread = engine.kept(engine.spread(rows, "input", self._count))
        most = _LARGEST_HASH
        if paired > 2 * _MARGIN * SAMPLED_PAIRS:
            most = _LARGEST_HASH * _MARGIN * SAMPLED_PAIRS // paired
        while True:
            gathered = engine.kept(engine.mapped(spread, parts.gather, window, most))
            found, _ = engine.answers(gathered)
            if engine.has_sample() or most == _LARGEST_HASH:
                break
            most = min(_LARGEST_HASH, 8 * most)
        engine.hold(gathered)
        engine.make(**found)

    def _loaded(
        self, listing: Listing, step: Callable[..., Iterator[pa.RecordBatch]]
    ) -> tuple[DataFrame, dict[str, pa.Table], list[bytes]]:
        """Objects read by tasks, what their rows answer, and what is said of them."""
        engine = self._spark
        nothing = replace(listing, objects=(), sidecars=(), notes=(), skipped={})
        how = Parsing(nothing, self._policy.max_line_bytes, sliced_inputs(self._policy))
        tasks = [task_text(task) for task in _tasks(listing.objects, engine.parallelism)]
        loaded = engine.kept(engine.mapped(engine.scattered(tasks), step, how))
        return loaded, *engine.answers(loaded)

    def _shuffled(
        self,
        frame: DataFrame,
        by: str,
        step: Callable[..., Iterator[pa.RecordBatch]],
        *args: object,
    ) -> tuple[DataFrame, dict[str, pa.Table]]:
        """Records brought together by a key, and a step taken there."""
        engine = self._spark
        done = engine.kept(engine.mapped(engine.spread(frame, by, self._count), step, *args))
        found, _ = engine.answers(done)
        return done, found


def _keys_in_use(rules: PairingRules, ids: Ids) -> list[str]:
    """The rules worth a shuffle: inference IDs are counted even where they pair nothing."""
    some_ids = ids.production or ids.shadow
    keys = [key for key in rules_in_use(rules, ids) if key != _IDS or some_ids]
    return keys if _IDS in keys or not some_ids else [_IDS, *keys]


def _both_left(counts: Sequence[pa.Table]) -> bool:
    """Whether either variant has a record that is no duplicate and has no partner."""
    left: Counter[str] = Counter()
    for row in _fates(counts).to_pylist():
        left[row["role"]] += row["records"] if row["kind"] == "all" else -row["records"]
    return all(left[role] for role in ROLES)


def _fates(counts: Sequence[pa.Table]) -> pa.Table:
    """All records and duplicates as they were first counted, and the pairs of every rule."""
    first, *others = counts
    paired = [table.filter(pc.field("kind") == "paired") for table in others]
    return pa.concat_tables([first, *paired])


def _tasks(objects: Sequence[SourceObject], least: int) -> Iterator[list[tuple[int, SourceObject]]]:
    """Objects that are read by one task each time, in the order of their listing."""
    most = min(_TASK_BYTES, sum(item.size for item in objects) // least + 1)
    task: list[tuple[int, SourceObject]] = []
    held = 0
    for object_id, item in enumerate(objects):
        if task and held + item.size > most:
            yield task
            task, held = [], 0
        task.append((object_id, _anywhere(item)))
        held += item.size
    if task:
        yield task


def _anywhere(item: SourceObject) -> SourceObject:
    """The same from any working folder."""
    on_s3 = "://" in item.location
    location = item.location if on_s3 or not item.location else str(Path(item.location).absolute())
    batch = item.batch
    if batch is not None:
        sides = [side and _anywhere(side) for side in (batch.input, batch.output)]
        batch = replace(batch, input=sides[0], output=sides[1])
    return replace(item, location=location, batch=batch)
