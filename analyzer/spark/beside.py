"""What a task does with labels, which name captured requests by ID.

In: label files, and pairs as pieces of files. Out: what a label means (`labels`), what a task does
with captures (`parts`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.captures.tables import keep_pairs
from analyzer.labels.files import read_labels
from analyzer.labels.joining import name_pairs
from analyzer.spark.parts import begin
from analyzer.spark.pieces import LOAD, answers, opened, piece, sent, start, task_engine
from analyzer.spark.spoken import notes_text, read_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from analyzer.spark.parts import Parsing, Window
    from analyzer.spark.pieces import Batches


def load_labels(
    batches: Batches, memory_limit: str | None, how: Parsing
) -> Iterator[pa.RecordBatch]:
    """Read some label files: their lines, and what these come to."""
    objects = [one for batch in batches for row in batch["data"] for one in read_task(row.as_py())]
    files = replace(how.listing, objects=tuple(item for _, item in objects))
    with task_engine(memory_limit) as engine:
        start(engine)
        damaged = read_labels(engine, files, how.max_line_bytes, _silent)
        yield from answers(engine, [("label_codes", {})])
        yield from sent("label_lines", engine.files("label_lines"))
        yield piece(0, LOAD, None, 0, notes_text(objects[0][0], damaged))


def join_labels(
    batches: Batches, memory_limit: str | None, window: Window
) -> Iterator[pa.RecordBatch]:
    """Where labels of an ID lie together, and pairs that have it: say which name which.

    Pairs come twice: by their inference ID or else their event, and, if no label names the first,
    by their event. What labels and pairs are left with goes on.
    """
    with opened(batches, memory_limit) as engine:
        begin(engine)
        if not engine.files("pairs"):
            keep_pairs(engine, window.start, window.end)  # none, with the columns of some
        if not engine.files("label_lines"):
            engine.keep("label_none", table="label_lines")
        name_pairs(engine)
        engine.keep("label_unnamed", table="unnamed")
        yield from answers(engine, [("label_fates", {})])
        for table, name in (("labels",) * 2, ("label_pairs",) * 2, ("unnamed", "pairs")):
            yield from sent(name, engine.files(table))


def _silent(_step: str, _done: int, _total: int | None, /, **_bytes: int | None) -> None:
    """The driver says when all tasks are done."""
