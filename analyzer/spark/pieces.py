"""Rows on their way through Spark: pieces of Parquet files, which a task puts together again.

In: rows of `BLOBS`. Out: what a task does with the tables it then has (`parts`, `beside`). Spark
sees no record and no column: it moves, keeps and repeats pieces of compressed files, and a record
crosses from Java to Python and back at the size it has on disk. Nothing holds a part in memory:
pieces are written to the task's private folder as they come, and the table engine reads them from
there and spills beside them.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa

from analyzer.engine import Engine
from analyzer.errors import AnalyzerError
from analyzer.spark.spoken import error_text, read_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Batches = Iterable[pa.RecordBatch]
    Questions = Sequence[tuple[str, Mapping[str, object]]]

BLOBS = "part bigint, name string, file string, place bigint, data binary"
"""One piece of one file: the part it belongs to, the table, the file's own name, where the piece
begins in it. A name with `ANSWER` in front is no table of the part but an answer of it; `LOAD` and
`FAILED` are what a task says of its objects, and what stopped it."""
ANSWER, LOAD, FAILED = "?", "?load", "?failed"
PIECE_BYTES = 1 << 20
_TYPES: dict[str, pa.DataType] = {
    "part": pa.int64(),
    "name": pa.string(),
    "file": pa.string(),
    "place": pa.int64(),
    "data": pa.binary(),
}
_SCHEMA = pa.schema(_TYPES)


def reported(step: Callable[[Batches], Iterator[pa.RecordBatch]]) -> Callable[[Any], Any]:
    """The step, with what stops it said as a row: an error of ours is no failure of Spark's."""

    def taken(batches: Batches) -> Iterator[pa.RecordBatch]:
        _keep_imports()
        try:
            yield from step(batches)
        except AnalyzerError as error:
            yield piece(0, FAILED, None, 0, error_text(error))

    return taken


@cache
def _keep_imports() -> None:
    """Leave what is there for good out of the search for garbage that follows every task."""
    gc.freeze()


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


def task_engine(memory_limit: str | None) -> Engine:
    """An engine for one task: Spark runs as many of them as there are cores."""
    return Engine(memory_limit=memory_limit, threads=1)


@contextmanager
def opened(batches: Batches, memory_limit: str | None) -> Iterator[Engine]:
    """An engine that holds the part's tables."""
    with task_engine(memory_limit) as engine:
        rows = (row for batch in batches for row in batch.to_pylist())
        for table, paths in receive(rows, engine.folder).items():
            engine.adopt(table, paths)
        start(engine)
        yield engine


def start(engine: Engine) -> None:
    """Say how lines and outputs are read."""
    for macros in ("capture_macros", "prediction_macros"):
        engine.execute(macros)


def answers(engine: Engine, questions: Questions) -> Iterator[pa.RecordBatch]:
    """What the part's tables answer."""
    for name, params in questions:
        path = engine.folder / f"{uuid4().hex}.parquet"
        engine.write(name, path, **params)
        yield from sent(f"{ANSWER}{name}", [path])


def sent(name: str, paths: Iterable[Path], part: int = 0) -> Iterator[pa.RecordBatch]:
    """Files as rows, a piece at a time."""
    for path in paths:
        file = uuid4().hex
        with path.open("rb") as stream:
            for data in iter(partial(stream.read, PIECE_BYTES), b""):
                yield piece(part, name, file, stream.tell() - len(data), data)


def piece(part: int, name: str, file: str | None, place: int, data: bytes) -> pa.RecordBatch:
    """One row of `BLOBS`."""
    values = zip(_SCHEMA.names, (part, name, file, place, data), strict=True)
    return pa.RecordBatch.from_pydict({key: [value] for key, value in values}, schema=_SCHEMA)
