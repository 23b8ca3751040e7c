"""Label files -> rows of the table `label_lines`: SageMaker's ground truth, CSV or Parquet.

In: finding the files of a path and reading every line. Out: what labels mean (`labels`). No line
stops a run: one that gives no label is a row with a code that starts with `label.`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from analyzer.captures.lines import split
from analyzer.errors import AccessError, InputError
from analyzer.figures import counted, grouped
from analyzer.labels.csv_rows import COLUMNS, csv_rows
from analyzer.model import Note
from analyzer.sources import Listing, local, open_chunks, s3
from analyzer.sources.batch_transform.stored import parts, stored
from analyzer.sources.days import Days
from analyzer.sources.objects import ObjectError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.engine import Engine
    from analyzer.labels.csv_rows import Row
    from analyzer.sources import AwsOptions, Chunk, SourceObject
    from analyzer.sources.objects import Entry
    from analyzer.steps import Progress

_CSV = (".csv", ".csv.gz")
_PARQUET = (".parquet",)
_JSON_LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json")
_BATCH_BYTES = 32 << 20
_BATCH_ROWS = 100_000
_NAME = re.compile(r"[A-Za-z][A-Za-z_ .-]{0,39}[0-9]{0,2}")
"""What a column is called: letters, and hardly a digit; IDs have more."""
_MOST_COLUMNS = 20
_DAMAGED = frozenset({"corrupt-gzip", "gzip-bomb", "parquet"})


def find_labels(root: str, aws: AwsOptions) -> Listing:
    """The label files of a path: a file, a folder or an S3 prefix.

    Raises:
        InputError: nothing is there, or nothing that could hold labels.
        AccessError: it cannot be listed.
    """
    found: list[SourceObject] = []
    skipped: Counter[str] = Counter()
    on_s3 = root.startswith("s3://")
    itself = root if on_s3 else str(Path(root).absolute())
    for entry in s3.entries(root, aws, Days()) if on_s3 else local.entries(root):
        named = entry.is_file and entry.location == itself  # then it is meant, whatever its name
        code = None if named else _not_labels(entry)
        if code is not None:
            skipped[code] += 1
            continue
        found.append(stored(entry, "labels"))
    if not found:
        raise InputError(
            f"--labels {printable(root)}: no label files; looked for *.jsonl, *.csv and *.parquet",
            code="no-labels",
        )
    found.sort(key=lambda item: (_is_table(item), item.key, item.location))  # as they are read
    return Listing(
        None,
        None,
        None,
        tuple(found),
        dict(skipped),
        same_objects=False,
        aws=aws,
        notes=tuple(_left_out(skipped)),
    )


def _left_out(skipped: Counter[str]) -> Iterator[Note]:
    """What else lies there, for who meant it as labels; nothing is lost with an empty file."""
    told = Counter({code: count for code, count in skipped.items() if code != "empty"})
    if told:
        codes = ", ".join(f"{grouped(count)} {code}" for code, count in sorted(told.items()))
        text = f"not read for labels: {counted(told.total(), 'file')} ({codes})"
        yield Note(code="label-files-left-out", text=text)


def read_labels(
    engine: Engine, files: Listing, max_line_bytes: int, progress: Progress
) -> tuple[Note, ...]:
    """Add every line of the files to `label_lines`, those of tables last.

    Args:
        engine: has the macros of capture_macros and prediction_macros.
        files: what `find_labels` found.
        max_line_bytes: a longer line is counted and not read.
        progress: told after every file.

    Returns:
        A note for each file that is damaged and was read as far as that, or lacks a column.

    Raises:
        AccessError: a file cannot be read any more; a re-run may help.
    """
    engine.execute("label_macros")
    engine.keep("label_none", table="label_lines")
    tables = [item for item in files.objects if _is_table(item)]
    texts = replace(files, objects=tuple(item for item in files.objects if not _is_table(item)))
    damaged: list[Note] = []
    done = 0

    def on_read(objects: int, _total: int, _bytes: int, _size: int) -> None:
        progress("reading labels", done + objects, len(files.objects))

    _add_lines(engine, _chunks(texts, max_line_bytes, damaged, on_read), max_line_bytes)
    done = len(texts.objects)
    for item in tables:
        if item.key.lower().endswith(_PARQUET):
            _add_rows(engine, _parquet_rows(_whole(item, files.aws), _on_foreign(item, damaged)))
            progress("reading labels", done + 1, len(files.objects))
        else:
            alone = replace(files, objects=(item,))
            chunks = _chunks(alone, max_line_bytes, damaged, on_read)
            _add_rows(engine, csv_rows(chunks, max_line_bytes, _on_foreign(item, damaged)))
        done += 1
    return tuple(damaged)


def _not_labels(entry: Entry) -> str | None:
    """Why an entry of a folder is no label file; None if it is."""
    if not entry.is_file:
        return "not-a-file"
    if entry.size == 0:
        return "empty"
    if entry.hidden:
        return "hidden"
    return None if entry.key.lower().endswith(_JSON_LINES + _CSV + _PARQUET) else "not-labels"


def _is_table(item: SourceObject) -> bool:
    return item.key.lower().endswith(_CSV + _PARQUET)


def _chunks(
    files: Listing,
    max_line_bytes: int,
    damaged: list[Note],
    on_read: Callable[[int, int, int, int], None],
) -> Iterator[Chunk]:
    """The files' lines; a damaged file gives what could be read, its failure, and a note."""
    named = {item.role: 1 for item in files.objects}  # one that is refused is said by its name
    for chunk in open_chunks(files, max_line_bytes=max_line_bytes, known=named, progress=on_read):
        if chunk.failure is None:
            yield chunk
            continue
        said = f"labels: {files.objects[chunk.object_id].key}: {chunk.failure.text}"
        if chunk.failure.code not in _DAMAGED:
            raise AccessError(printable(said), code="labels-unreadable")
        damaged.append(Note(code=f"object-{chunk.failure.code}", text=said))
        yield chunk


def _add_lines(engine: Engine, chunks: Iterable[Chunk], max_line_bytes: int) -> None:
    for lines in chain.from_iterable(split(batch, max_line_bytes) for batch in _batches(chunks)):
        with engine.lend(lines=lines.lines):
            engine.keep("label_json_lines", table="label_lines")
        lost = ["label.invalid-utf8"] * lines.undecodable.num_rows
        lost += ["label.oversize"] * lines.oversize.num_rows
        _add_rows(engine, ((None, None, code) for code in lost))


def _batches(chunks: Iterable[Chunk]) -> Iterator[list[Chunk]]:
    batch: list[Chunk] = []
    held = 0
    for chunk in chunks:
        if chunk.failure is None:  # what it cut is no JSON
            batch.append(chunk)
            held += len(chunk.data)
        if held >= _BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _add_rows(engine: Engine, rows: Iterable[Row]) -> None:
    source = iter(rows)
    while batch := list(islice(source, _BATCH_ROWS)):
        frame = pl.DataFrame(batch, schema=_ROW, orient="row")
        with engine.lend(label_rows=frame.to_arrow()):
            engine.keep("label_rows", table="label_lines")


_ROW = {"id": pl.String, "label": pl.String, "code": pl.String}


def _whole(item: SourceObject, aws: AwsOptions) -> bytes:
    """A file that has no lines."""
    try:
        return b"".join(parts(item, aws))
    except ObjectError as error:
        said = f"labels: {item.key}: {error.failure.text}"
        raise AccessError(printable(said), code="labels-unreadable") from None


def _on_foreign(item: SourceObject, noted: list[Note]) -> Callable[[list[str]], None]:
    """Notes of a file that lacks a column which it has, if what it begins with are names.

    Where there is no header the first line is a label, and whose it is stays out of a verdict.
    """

    def note(found: list[str]) -> None:
        names = [name.strip() for name in found]
        shown = len(names) <= _MOST_COLUMNS and all(map(_NAME.fullmatch, names))
        columns = f"the columns {', '.join(names)}" if shown else "no header"
        said = f"labels: {item.key}: found {columns}; the header must name {','.join(COLUMNS)}"
        noted.append(Note(code="label-columns", text=printable(said)))

    return note


def _parquet_rows(data: bytes, on_foreign: Callable[[list[str]], None]) -> Iterator[Row]:
    """Rows of a Parquet file; numbers and truth values as their text.

    Read by pyarrow: a bit that flips in a header makes Polars ask for all memory there is and more,
    which ends the process. A whole file or nothing, for what a damaged one says is anybody's guess.
    """
    try:
        table = _text_table(data, on_foreign)
    except (pa.ArrowException, OSError, UnicodeDecodeError):  # the last of a column's name
        yield None, None, "label.invalid-parquet"
        return
    if table is None:
        yield None, None, "label.no-columns"
        return
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        for found, label in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield found, label, None


def _text_table(data: bytes, on_foreign: Callable[[list[str]], None]) -> pa.Table | None:
    """IDs and labels as text that is UTF-8; None where there are no such columns."""
    file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
    names = {name.lower(): name for name in file.schema_arrow.names}
    if not set(COLUMNS) <= set(names):
        on_foreign(file.schema_arrow.names)
        return None
    table = file.read([names[column] for column in COLUMNS], use_threads=False)
    places = [table.column_names.index(names[column]) for column in COLUMNS]
    texts = [table.column(place).cast(pa.large_string()) for place in places]
    found = pa.Table.from_arrays(texts, names=list(COLUMNS))
    found.validate(full=True)
    return found
