"""The driver's side: which part of the rows goes where, and what the answers of all come to.

In: the face of `engine.Engine`, answered by Spark jobs. Out: what a task does (`parts`), in which
order captures are read and paired (`captures`). Steps and sums are taken down when they are asked
for and sent with the next job that is needed; a job reads the rows once. The driver's own table
engine is one more part, which holds a sample of the pairs and whatever was added up: what reads
nothing else is answered there.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from pyarrow import parquet

from analyzer.engine import Engine, disk_errors_named, mentions
from analyzer.errors import AccessError, ResourceError
from analyzer.payloads.closely import SAMPLED_PAIRS
from analyzer.spark import parts, pieces
from analyzer.spark.adding import ADDED, HERE
from analyzer.spark.parts import Spreading
from analyzer.spark.pieces import ANSWER, FAILED, LOAD
from analyzer.spark.reread import as_before
from analyzer.spark.session import UNREACHABLE, checked, opened, stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa
    from pyspark.sql import DataFrame

_PART_BYTES = 1 << 30
_MOST_PARTS, _ANSWERS_AT_ONCE = 1_000, 64


@dataclass(frozen=True)
class SparkPlan:
    """Where a run's rows lie.

    Attributes:
        master: Spark's URL; None for what spark-submit says, else `session.LOCAL`.
        partitions: how many parts; None for one a gibibyte and at least one a core. Verdicts do
            not depend on it.

    Raises:
        UsageError: the URL is that of no master.
    """

    master: str | None = None
    partitions: int | None = None

    def __post_init__(self) -> None:
        if self.master is not None:
            checked(self.master)


class SparkEngine:
    """The face of `Engine` over rows in many parts; a context manager.

    Args:
        plan: where the rows lie.
        memory_limit: of the table engine of the driver, and of that of every task.

    Raises:
        UsageError: there is no PySpark or no Java.
        AccessError: the master does not answer.
    """

    def __init__(self, plan: SparkPlan, memory_limit: str | None) -> None:
        self._plan = plan
        self._memory_limit = memory_limit
        self._known: dict[str, pa.Table] = {}
        self._steps: list[parts.Step] = []
        self._sums: dict[str, Mapping[str, object]] = {}
        self._parts: DataFrame | None = None
        self._cached: list[DataFrame] = []
        self._last_parts = 0
        self._hashed: dict[int, tuple[int, ...]] = {}
        self._open = ExitStack()
        with ExitStack() as opening:
            self.session = opening.enter_context(opened(plan.master))
            self._own = opening.enter_context(Engine(memory_limit=memory_limit))
            pieces.start(self._own)
            parts.begin(self._own)
            opening.callback(self._let_go)  # a session that was there before stays, with its disks
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
    def folder(self) -> Path:
        """The driver's private folder."""
        return self._own.folder

    @property
    def parallelism(self) -> int:
        """How many tasks run at once."""
        return int(self.session.sparkContext.defaultParallelism)

    @property
    def rows(self) -> DataFrame:
        """The rows that are asked."""
        if self._parts is None:
            raise LookupError("nothing was read")
        return self._parts

    def partitions(self, size: int) -> int:
        """Into how many parts so many bytes of lines are shuffled."""
        most = max(self.parallelism, min(-(-size // _PART_BYTES), _MOST_PARTS))
        return self._plan.partitions or most

    def scattered(self, rows: Sequence[bytes]) -> DataFrame:
        """Each of these in a part of its own."""
        keys = self._keys(len(rows))
        self._last_parts = len(rows)
        listed = [(key, "", None, 0, row) for key, row in zip(keys, rows, strict=True)]
        return self.session.createDataFrame(listed, pieces.BLOBS).repartition(len(rows), "part")

    def sent(self, table: str, rows: pa.Table) -> DataFrame:
        """Rows of the driver's, together in one part; Java holds them meanwhile."""
        path = self.folder / f"{table}.parquet"
        with disk_errors_named():
            parquet.write_table(rows, path, compression="zstd")
        listed = [tuple(batch.to_pylist()[0].values()) for batch in pieces.sent(table, [path])]
        return self.session.createDataFrame(listed, pieces.BLOBS).repartition(1)

    def spread(self, frame: DataFrame, by: str, count: int) -> DataFrame:
        """Rows shuffled so that those that share a key lie together; no part is left empty."""
        keys = self._keys(count)
        self._last_parts = count
        moving = self.mapped(without_answers(frame), parts.spread, Spreading(by, keys))
        nobody = [(key, "", None, 0, b"") for key in keys]
        marks = self.session.createDataFrame(nobody, pieces.BLOBS)
        return moving.union(marks).repartition(count, "part")

    def mapped(
        self, frame: DataFrame, step: Callable[..., Iterator[pa.RecordBatch]], *args: object
    ) -> DataFrame:
        """A step taken in every part."""
        taken = pieces.bound(step, self._memory_limit, *args)
        return frame.mapInArrow(taken, pieces.BLOBS)

    def kept(self, frame: DataFrame) -> DataFrame:
        """The same, computed once and kept on the disks of the cluster."""
        from pyspark import StorageLevel

        self._cached.append(frame.persist(StorageLevel.DISK_ONLY))
        return frame

    def answers(self, frame: DataFrame) -> tuple[dict[str, pa.Table], list[bytes]]:
        """Run a job; what its parts answer, added together, and what they say of objects.

        Raises:
            AnalyzerError: a part cannot go on.
            ResourceError: the job failed, whatever Spark tried.
        """
        answers = frame.filter(frame.name.startswith(ANSWER))
        adders = self._last_parts // _ANSWERS_AT_ONCE
        if adders:
            # by where they were made: a file that is made again has another name, and would be
            # added in two tasks or in none
            made = answers.selectExpr("spark_partition_id() part", "name", "file", "place", "data")
            answers = self.mapped(made.repartition(adders, "part"), parts.add)
        rows = _collected(answers)
        said = [bytes(row["data"]) for row in rows if row["name"] == LOAD]
        files = pieces.receive((row for row in rows if row["name"] != LOAD), self._own.folder)
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

    def hold(self, frame: DataFrame, said: Sequence[bytes] = ()) -> None:
        """Take these for the rows that are asked from now on, and let go of all others.

        Args:
            frame: the rows.
            said: of objects, by the tasks that read the rows from them.
        """
        read = self.mapped(frame, as_before, frozenset(said)) if said else frame
        self._parts = without_answers(read)
        self._let_go(frame)

    def _let_go(self, but: DataFrame | None = None) -> None:
        """Keep no rows any more but these."""
        for cached in self._cached:
            if cached is not but:
                cached.unpersist()
        self._cached = [cached for cached in self._cached if cached is but]

    def make(self, **tables: pa.Table) -> None:
        """Make sums readable here, in place of those of these names."""
        self._open.enter_context(self._own.lend(**tables))

    def has_sample(self) -> bool:
        """Whether the pairs that were gathered here are as many as anybody looks at."""
        (row,) = self._own.table("pair_sample_size").to_pylist()
        return bool(min(row.values()) >= SAMPLED_PAIRS)

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
        if error is not None and stopped(error):
            text = "Spark ended during the run: see the logs of its master, and run again"
            raise AccessError(text, code=UNREACHABLE) from None

    def _made(self, asked: pieces.Questions) -> dict[str, pa.Table]:
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
        if count not in self._hashed:
            hashed = self.session.range(64 * count).selectExpr("id", f"pmod(hash(id), {count}) at")
            found: dict[int, int] = {}
            for row in _collected(hashed):
                found.setdefault(row["at"], row["id"])
            self._hashed[count] = tuple(found[part] for part in range(count))
        return self._hashed[count]


def without_answers(frame: DataFrame) -> DataFrame:
    """Without answers and what was said of objects; what stopped a task, nobody may miss."""
    return frame.filter(~frame.name.startswith(ANSWER) | (frame.name == FAILED))


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
