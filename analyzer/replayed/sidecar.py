"""The sidecar of a replay: when each request was meant to go, when it went, and what came of it.

In: one Parquet file, `{variant}/replay.parquet`, beside the capture records of the same variant;
its columns, writing it, reading it checked. Out: who sends (`replay`), what the numbers mean.

Shapes: one row for each request that was sent to the variant, a request being sent once.

    inference_id    the client's ID, where the request had one
    event_id        as in the variant's capture records, and as in production's where they have one
    variant         candidate or baseline
    order           the request's place in the replay, from 0; the same for both variants
    intended_at     when it should have been sent
    sent_at         when it was
    first_byte_at   when the answer began; null without one, and for a function, which has no bytes
    done_at         when the answer was complete or the attempt given up; null for `unfinished`
    status          HTTP status of the answer, 200 for what a function returned; null without one
    error_code      why there is no usable answer, see `ERROR_CODES`; null when there is one
    error_text      the same for a person: never a payload, an address or a header
    began_at        when the uninterrupted sending began that it belongs to
    warm_up         among the first of that, which find caches and connections cold: no latency
    late            sent later than max(5 ms, 1 % of the median latency) after `intended_at`

Units: times are UTC, to the microsecond, off one monotonic clock for each uninterrupted sending.
Response time is `done_at - intended_at`, service time `done_at - sent_at`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from analyzer.errors import InputError, ResourceError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "replay.parquet"
_TIME = pa.timestamp("us", tz="UTC")
_COLUMNS: list[pa.Field[Any]] = [
    pa.field("inference_id", pa.string()),
    pa.field("event_id", pa.string(), nullable=False),
    pa.field("variant", pa.string(), nullable=False),
    pa.field("order", pa.int64(), nullable=False),
    pa.field("intended_at", _TIME, nullable=False),
    pa.field("sent_at", _TIME, nullable=False),
    pa.field("first_byte_at", _TIME),
    pa.field("done_at", _TIME),
    pa.field("status", pa.int32()),
    pa.field("error_code", pa.string()),
    pa.field("error_text", pa.string()),
    pa.field("began_at", _TIME, nullable=False),
    pa.field("warm_up", pa.bool_(), nullable=False),
    pa.field("late", pa.bool_(), nullable=False),
]
SCHEMA = pa.schema(_COLUMNS)
ERROR_CODES = {
    "status": "an answer outside 200 to 299; `status` says which",
    "timeout": "no complete answer in time",
    "connection": "refused, reset, or ended before the answer was complete",
    "bad-answer": "an answer that is not HTTP, or of a kind that no capture can hold",
    "empty-answer": "an answer from 200 to 299 without a body",
    "too-large": "an answer longer than a replay takes",
    "raised": "the function raised an exception",
    "unfinished": "the replay was killed after it was sent: nobody knows what came of it",
}
"""Every `error_code`. All but `unfinished` are the variant's failures."""

_MOST_BYTES = 2 << 30
"""Of a whole table in memory: some ten million rows; a file of a few kB can ask for any amount."""


def write(folder: Path, table: pa.Table) -> None:
    """Write a variant's sidecar into its folder, whole or not at all.

    Args:
        folder: the variant's.
        table: of `SCHEMA`.

    Raises:
        OSError: it cannot be written.
    """
    fresh = folder / f".{NAME}"
    with fresh.open("wb") as stream:
        pq.write_table(table.cast(SCHEMA), stream, compression="zstd")
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(folder / NAME)


def read(path: Path) -> pa.Table:
    """Read a sidecar; columns it has beside those of `SCHEMA` are left out.

    Raises:
        InputError: no Parquet, or not the columns of `SCHEMA` with their types.
        ResourceError: more than can be held.
    """
    try:
        with pq.ParquetFile(path) as file:
            found = file.schema_arrow
            for wanted in SCHEMA:
                _check(path, wanted, found)
            groups = range(file.metadata.num_row_groups)
            size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
            if size > _MOST_BYTES:
                raise ResourceError(f"{path}: {size} bytes of rows; too many to hold")
            table = file.read(columns=SCHEMA.names).select(SCHEMA.names)
            table.validate(full=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {_first_line(error)}") from None
    for field in SCHEMA:
        if not field.nullable and table.column(field.name).null_count:
            raise InputError(f"{path}: column {field.name} has rows without a value")
    return table.cast(SCHEMA)


def _check(path: Path, wanted: pa.Field[Any], found: pa.Schema) -> None:
    places = found.get_all_field_indices(wanted.name)
    if len(places) != 1:
        what = "missing" if not places else "there twice"
        raise InputError(f"{path}: column {wanted.name} is {what}; not a replay's sidecar")
    kind = found.field(places[0]).type
    if kind != wanted.type:
        raise InputError(f"{path}: column {wanted.name} is {kind}, not {wanted.type}")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
