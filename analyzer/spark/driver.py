"""The driver's side: which part of the rows goes where, and what the answers of all come to.

In: the face of `engine.Engine` and of `captures.Captures`, answered by Spark jobs. Out: what a task
does (`parts`). Steps and sums are taken down when they are asked for and sent with the next job
that is needed; a job reads the rows once. The driver's own table engine is one more part, which
holds a sample of the pairs and whatever was added up: what reads nothing else is answered there.
"""

from __future__ import annotations

import os
import pickle
import sys
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.captures import Captures
from analyzer.captures.pairing import PairingCounts, repeated_ids, rules_in_use, seen_ids
from analyzer.captures.records import naive_window
from analyzer.captures.shards import ObjectTally
from analyzer.engine import Engine, mentions
from analyzer.errors import AnalyzerError, ResourceError, UsageError
from analyzer.payloads.closely import SAMPLED_PAIRS
from analyzer.slices import sliced_inputs
from analyzer.sources.reading import refuse_denied
from analyzer.spark import parts
from analyzer.spark.adding import ADDED, HERE
from analyzer.spark.parts import ANSWER, SAID, Parsing, Spreading, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from pyspark.sql import DataFrame, SparkSession

    from analyzer.captures.pairing import Ids
    from analyzer.policy import PairingRules, Policy
    from analyzer.sources import Listing, SourceObject
    from analyzer.sources.objects import ObjectFailure, Role

LOCAL = "local[*,4]"
"""This machine's cores, and four tries of a task as on a cluster."""
_TASK_BYTES = 256 << 20
_PART_BYTES = 1 << 30
_PIECES_AT_ONCE = 32
_MARGIN = 3
"""So many times as many pairs as are looked at are gathered by their hash."""
_LARGEST_HASH = (1 << 64) - 1
_IDS = "inference_id"
_SUBMITTED = "PYSPARK_GATEWAY_PORT"  # spark-submit has started Java already

@dataclass(frozen=True)
class SparkPlan:
    """Where a run's rows lie.

    Attributes:
        master: Spark's URL; None for what spark-submit says, else `LOCAL`.
        partitions: how many parts; None for one a gibibyte and at least one a core. Verdicts do
            not depend on it.
    """

    master: str | None = None
    partitions: int | None = None


class SparkEngine:
    """The face of `Engine` over rows in many parts; a context manager.

    Args:
        plan: where the rows lie.
        memory_limit: of the table engine of the driver, and of that of every task.

    Raises:
        UsageError: there is no PySpark or no Java, or the master does not answer.
    """

    def __init__(self, plan: SparkPlan, memory_limit: str | None) -> None:
        self._plan = plan
        self._memory_limit = memory_limit
        self._known: dict[str, pa.Table] = {}
        self._steps: list[parts.Step] = []
        self._sums: dict[str, Mapping[str, object]] = {}
        self._parts: DataFrame | None = None
        self._cached: list[DataFrame] = []
        self._open = ExitStack()
        with ExitStack() as opening:
            self.session = opening.enter_context(_session(plan.master))
            self._own = opening.enter_context(Engine(memory_limit=memory_limit))
            parts.start(self._own)
            parts.begin(self._own)
            self._open = opening.pop_all()

    def table(self, name: str, **params: object) -> pa.Table:
        """What `sql/<name>.sql` gives over all rows."""
        return self.tables(name, **params)[name]

    def tables(self, *names: str, **params: object) -> dict[str, pa.Table]:
        """`table` of each of several questions; those that parts must answer, in one job."""
        asked = [(name, params) for name in names if name in ADDED and name not in self._known]
        unmade = {sums for name in names for sums in mentions(name, self._sums)}
        found = self._made(asked) if asked or unmade else {}
        return {name: found[name] if name in found else self._here(name, params) for name in names}

    def reduce(self, name: str, **params: object) -> None:
        """Make what `sql/<name>.sql` adds up over all rows readable under its name."""
        if name not in ADDED:
            raise LookupError(name)
        self._sums[name] = params

    def each(self, step: parts.Step) -> None:
        """Take a step in every part before the next question, and over the sample."""
        step(self._own)
        self._steps.append(step)

    def execute(self, name: str, **params: object) -> int:
        """Run `sql/<name>.sql`, which reads the sample of the pairs, for its effect."""
        return self._own.execute(name, **params)

    @contextmanager
    def lend(self, **tables: pa.Table) -> Iterator[None]:
        """Make Arrow tables readable to questions about sums inside the block."""
        with self._own.lend(**tables):
            yield

    def know(self, tables: Mapping[str, pa.Table]) -> None:
        """Answers about rows that no part has any more."""
        self._known |= tables

    @property
    def parallelism(self) -> int:
        """How many tasks run at once."""
        return self.session.sparkContext.defaultParallelism

    @property
    def rows(self) -> DataFrame:
        """The rows that are asked."""
        if self._parts is None:
            raise LookupError("nothing was read")
        return self._parts

    def partitions(self, size: int) -> int:
        """Into how many parts so many bytes of lines are shuffled."""
        return self._plan.partitions or max(self.parallelism, -(-size // _PART_BYTES))

    def scattered(self, rows: Sequence[bytes]) -> DataFrame:
        """Each of these in a part of its own."""
        keys = self._keys(len(rows))
        listed = [(key, "", None, 0, row) for key, row in zip(keys, rows, strict=True)]
        return self.session.createDataFrame(listed, parts.BLOBS).repartition(len(rows), "part")

    def spread(self, frame: DataFrame, by: str, count: int) -> DataFrame:
        """Rows shuffled so that those that share a key lie together; no part is left empty."""
        keys = self._keys(count)
        moving = self.mapped(_tables(frame), parts.spread, Spreading(by, keys))
        nobody = [(key, "", None, 0, b"") for key in keys]
        marks = self.session.createDataFrame(nobody, parts.BLOBS)
        return moving.union(marks).repartition(count, "part")

    def mapped(
        self, frame: DataFrame, step: Callable[..., Iterator[pa.RecordBatch]], *args: object
    ) -> DataFrame:
        """A step taken in every part."""
        taken = parts.bound(step, self._memory_limit, *args)
        with warnings.catch_warnings():
            # PySpark says on import which pandas it has not been tried with; none is used here
            warnings.simplefilter("ignore", FutureWarning)
            return frame.mapInArrow(taken, parts.BLOBS)

    def kept(self, frame: DataFrame) -> DataFrame:
        """The same, computed once and kept on the disks of the cluster."""
        from pyspark import StorageLevel

        self._cached.append(frame.persist(StorageLevel.DISK_ONLY))
        return frame

    def answers(self, frame: DataFrame) -> tuple[dict[str, pa.Table], list[Any]]:
        """Run a job; what its parts answer, added together, and what else they say.

        Raises:
            AnalyzerError: a part cannot go on.
            ResourceError: the job failed, whatever Spark tried.
        """
        first = frame.name.substr(1, 1)
        rows = _collected(frame.filter(first.isin(ANSWER, SAID)))
        said = [pickle.loads(row.data) for row in rows if row.name == SAID]  # noqa: S301 - ours
        for error in said:
            if isinstance(error, AnalyzerError):
                raise error
        files = parts.receive((row for row in rows if row.name != SAID), self._own.folder)
        found = {}
        for name, paths in sorted(files.items()):
            question = name.removeprefix(ANSWER)
            if question == "pair_sample":
                self._own.adopt("pairs", paths)
                continue
            found[question] = self._own.added(paths, ADDED[question])
            for path in paths:
                path.unlink()
        return found, said

    def hold(self, frame: DataFrame) -> None:
        """Take these for the rows that are asked from now on, and let go of all others."""
        self._parts = _tables(frame)
        for cached in self._cached:
            if cached is not frame:
                cached.unpersist()
        self._cached = [cached for cached in self._cached if cached is frame]

    def make(self, **tables: pa.Table) -> None:
        """Make sums readable here, in place of those of these names."""
        self._open.enter_context(self._own.lend(**tables))

    def has_sample(self) -> bool:
        """Whether the pairs that were gathered here are as many as anybody looks at."""
        (row,) = self._own.table("pair_sample_size").to_pylist()
        return min(row.values()) >= SAMPLED_PAIRS

    def close(self) -> None:
        """Let go of the rows, and of Spark if this is who started it."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _made(self, asked: parts.Questions) -> dict[str, pa.Table]:
        """One job: every step not yet taken, every sum not yet made, and these questions."""
        questions = [*self._sums.items(), *asked]
        sums, steps = set(self._sums), tuple(self._steps)
        self._sums.clear()
        self._steps.clear()
        if steps:
            done = self.kept(self.mapped(self.rows, parts.ask, steps, questions))
        else:
            read = self.rows.filter(self.rows.name.isin(sorted(parts.needed(questions))))
            done = self.mapped(read, parts.ask, steps, questions)
        found, _ = self.answers(done)
        if steps:
            self.hold(done)
        self.make(**{name: found[name] for name in sums})
        return found

    def _here(self, name: str, params: Mapping[str, object]) -> pa.Table:
        if name in self._known:
            return self._known[name]
        if name not in HERE:
            raise LookupError(name)
        return self._own.table(name, **params)

    def _keys(self, count: int) -> tuple[int, ...]:
        """For each of so many parts a number that Spark's hash leads there."""
        numbers = self.session.range(64 * count).selectExpr("id", f"pmod(hash(id), {count}) as at")
        found: dict[int, int] = {}
        for row in _collected(numbers):
            found.setdefault(row["at"], row["id"])
        return tuple(found[part] for part in range(count))


class SparkCaptures(Captures):
    """The capture records of a run in the parts of a Spark engine.

    Records are shuffled by their event, of which one copy is kept; what is left without a partner,
    by what the next rule joins by; pairs by their input, because repeated inputs are counted. A
    pair leaves its records where it is found, so that pairing waits for the window.

    Args:
        engine: a fresh one.
        listing: what is read, by tasks; the cluster must reach it as this machine does.
        policy: how lines are read.
        failures: filled with what could not be read.

    Raises:
        AccessError: every object of one variant is denied.
    """

    def __init__(
        self,
        engine: SparkEngine,
        listing: Listing,
        policy: Policy,
        failures: dict[int, ObjectFailure],
    ) -> None:
        nothing = replace(listing, objects=(), sidecars=(), notes=(), skipped={})
        parsing = Parsing(nothing, policy.max_line_bytes, sliced_inputs(policy))
        tasks = [pickle.dumps(task) for task in _tasks(listing.objects, engine.parallelism)]
        loaded = engine.kept(engine.mapped(engine.scattered(tasks), parts.load, parsing))
        found, said = engine.answers(loaded)
        engine.know(found)
        engine.hold(loaded)
        tallies: dict[Role, ObjectTally] = {}
        for by_role, failed in said:
            failures.update(failed)
            for role, tally in by_role.items():
                tallies[role] = tallies.get(role, ObjectTally()) + tally
        refuse_denied(listing.objects, failures)
        super()._hold(engine, tallies)
        self._spark = engine
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
        kept, found = self._shuffled(engine.rows, "event_id", parts.settle, window)
        ids, fates, pairs = seen_ids(found), [found["capture_fate_counts"]], []
        repeated = 0
        for key in _keys_in_use(rules, ids):
            kept, found = self._shuffled(kept, key, parts.pair, key, rules, ids, window)
            fates.append(found["capture_fate_counts"])
            pairs.append(kept.filter(kept.name == "pairs"))
            repeated += found[repeated_ids(rules)]["ids"][0].as_py() if key == _IDS else 0
        self._counts = PairingCounts(repeated_ids=repeated, event_id_overlap=ids.overlap)
        engine.make(capture_fate_counts=_fates(fates))
        self._fates = engine.table("capture_fates").to_pylist()
        # production's records without a partner may be asked what they answered
        rows = kept.filter(kept.name == "production_files")
        for found_pairs in pairs:
            rows = rows.union(found_pairs)
        self._gather(rows, window)

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


def refuse(labels: Listing | None, listing: Listing, policy: Policy) -> None:
    """Say what is not yet done in parts, before anything is read.

    Raises:
        UsageError: a flag or a table of the policy asks for it.
    """
    asked = {
        "--labels": labels is not None,
        "a replay's sidecar": bool(listing.sidecars),
        "[slices] of the policy": bool(policy.slices),
    }
    for what, is_asked in asked.items():
        if is_asked:
            raise UsageError(f"--engine spark: {what} is judged on one machine only")


def _keys_in_use(rules: PairingRules, ids: Ids) -> list[str]:
    """The rules worth a shuffle: inference IDs are counted even where they pair nothing."""
    some_ids = ids.production or ids.shadow
    keys = [key for key in rules_in_use(rules, ids) if key != _IDS or some_ids]
    return keys if _IDS in keys or not some_ids else [_IDS, *keys]


def _fates(counts: Sequence[pa.Table]) -> pa.Table:
    """All records and duplicates as they were first counted, and the pairs of every rule."""
    first, *others = counts
    paired = [table.filter(pc.field("kind") == "paired") for table in others]
    return pa.concat_tables([first, *paired])


def _tasks(
    objects: Sequence[SourceObject], least: int
) -> Iterator[list[tuple[int, SourceObject]]]:
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


def _tables(frame: DataFrame) -> DataFrame:
    """Without answers and what else was said."""
    return frame.filter(~frame.name.substr(1, 1).isin(ANSWER, SAID))


def _collected(frame: DataFrame) -> list[Any]:
    """The rows of a job's result.

    Raises:
        ResourceError: Spark gave up; an error in a task's own code is a bug and stays one.
    """
    from py4j.protocol import Py4JJavaError

    try:
        rows: list[Any] = frame.collect()
    except Py4JJavaError as error:
        why = str(error.java_exception.getMessage()).partition("\n")[0]
        raise ResourceError(f"a Spark job failed: {why}", code="spark-job-failed") from None
    return rows


@contextmanager
def _session(master: str | None) -> Iterator[SparkSession]:
    """The session there is, which stays open; else one for this run.

    Raises:
        UsageError: PySpark, Java or the master is missing.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise UsageError(
            "--engine spark needs PySpark and Java 17: pip install 'shadow-analyzer[spark]'"
        ) from None
    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    builder = SparkSession.builder.appName("shadow-analyzer")
    if master or _SUBMITTED not in os.environ:
        builder = builder.master(master or LOCAL)
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError) as error:
        raise UsageError(f"--engine spark: Spark did not start: {error}; it needs Java 17") from None
    try:
        session.sparkContext.setLogLevel("ERROR")
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(_PIECES_AT_ONCE))
        yield session
    finally:
        session.stop()
