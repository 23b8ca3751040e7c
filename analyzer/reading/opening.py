"""The records of a listing opened for questions: in an engine of this process, or on Spark.

In: what is read and what may be used. Out: what is asked of the records (`captures`).
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from analyzer.captures import Captures
from analyzer.engine import Engine, disk_errors_named
from analyzer.labels.joining import join_labels
from analyzer.reading.cache import Found
from analyzer.replayed.outcomes import read_sidecars
from analyzer.slices import sliced_inputs
from analyzer.sources import open_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.captures.shards import PlacedShard
    from analyzer.model import Note
    from analyzer.policy import Policy
    from analyzer.reading.cache import ShardCache
    from analyzer.replayed.outcomes import Sidecars
    from analyzer.sources import Chunk, Listing
    from analyzer.sources.objects import ObjectFailure
    from analyzer.spark.driver import SparkEngine, SparkPlan
    from analyzer.steps import Progress

    Failures = dict[int, ObjectFailure]
    """By object id."""


@dataclass(frozen=True)
class EngineLimits:
    """What the engine may use; None for its own default.

    Attributes:
        use_cache: whether parsed objects are kept for the next run, and taken from the last.
        spark: where rows lie, if not on this machine; then nothing is kept.
    """

    memory_limit: str | None = None
    threads: int | None = None
    use_cache: bool = True
    spark: SparkPlan | None = None


@dataclass(frozen=True)
class Opened:
    """The records of a run, and what was given beside them.

    Attributes:
        sidecars: reads those of a replay.
        label_damage: notes on damaged label files, once labels have met the pairs; None where
            no labels were given.
    """

    engine: Engine | SparkEngine
    captures: Captures
    sidecars: Callable[[], Sidecars]
    label_damage: Callable[[], tuple[Note, ...]] | None


@dataclass(frozen=True)
class Opening:
    """What is read, how, and with what; either way is a context manager.

    Attributes:
        failures: filled by object id with what could not be read.
    """

    listing: Listing
    policy: Policy
    labels: Listing | None
    limits: EngineLimits
    cache: ShardCache | None
    failures: Failures
    progress: Progress

    @contextmanager
    def here(self) -> Iterator[Opened]:
        """The records in an engine of this process."""
        listing, cache, limits, labels = self.listing, self.cache, self.limits, self.labels
        with Engine(
            memory_limit=limits.memory_limit,
            threads=limits.threads,
            shared=cache.folder if cache else None,
        ) as engine:
            found = cache.find(listing) if cache else Found((), tuple(range(len(listing.objects))))

            def keep(shard: PlacedShard) -> None:
                if cache is not None:
                    with disk_errors_named():
                        cache.keep(shard, listing, self.failures)

            captures = Captures(
                engine,
                _chunks(listing, found, self.policy, self.failures, self.progress),
                max_line_bytes=self.policy.max_line_bytes,
                inputs=sliced_inputs(self.policy),
                folder=cache.folder if cache else None,
                known=found.known,
                on_shard=keep,
            )
            joining = (self.policy.max_line_bytes, self.progress)
            join = None if labels is None else partial(join_labels, engine, labels, *joining)
            yield Opened(engine, captures, partial(read_sidecars, engine.folder, listing), join)

    @contextmanager
    def on_spark(self) -> Iterator[Opened]:
        """The records in parts on Spark, which nothing else imports."""
        from analyzer.spark.captures import SparkCaptures
        from analyzer.spark.driver import SparkEngine, SparkPlan

        objects = len(self.listing.objects)
        with SparkEngine(self.limits.spark or SparkPlan(), self.limits.memory_limit) as engine:
            self.progress("reading objects", 0, objects)
            sidecars = cache(partial(read_sidecars, engine.folder, self.listing))
            captures = SparkCaptures(
                engine,
                self.listing,
                self.policy,
                self.failures,
                labels=self.labels,
                sidecars=sidecars,
                progress=self.progress,
            )
            self.progress("reading objects", objects, objects)
            join = None if self.labels is None else captures.damaged_labels
            yield Opened(engine, captures, sidecars, join)


def _chunks(
    listing: Listing,
    found: Found,
    policy: Policy,
    failures: Failures,
    progress: Progress,
) -> Iterator[Chunk]:
    """Every chunk with lines of the objects that must be read; a failure is kept by object."""
    fresh = replace(listing, objects=tuple(listing.objects[i] for i in found.missing))
    reused = len(listing.objects) - len(found.missing)

    def on_read(objects: int, _total: int, done: int, size: int) -> None:
        progress(
            "reading objects",
            reused + objects,
            len(listing.objects),
            bytes_done=done,
            bytes_total=size,
        )

    known = Counter(use.role for shard in found.known for use in shard.uses)
    chunks = open_chunks(fresh, max_line_bytes=policy.max_line_bytes, known=known, progress=on_read)
    for chunk in chunks:
        object_id = found.missing[chunk.object_id]
        if chunk.failure is None:
            yield replace(chunk, object_id=object_id)
            continue
        failures[object_id] = chunk.failure
