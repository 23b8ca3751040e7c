"""The replay's sidecar: what is written is read again, and what is none is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analyzer.errors import InputError
from analyzer.replayed import sidecar

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=UTC)


def table(rows: int = 3, **changes: object) -> pa.Table:
    row = {
        "inference_id": None,
        "event_id": "e",
        "variant": "candidate",
        "intended_at": AT,
        "sent_at": AT + timedelta(microseconds=1),
        "first_byte_at": None,
        "done_at": None,
        "status": None,
        "error_code": "timeout",
        "error_text": "no answer within 60 s",
        "began_at": AT,
        "warm_up": False,
        "late": False,
        **changes,
    }
    return pa.Table.from_pylist(
        [{**row, "order": order} for order in range(rows)], schema=sidecar.SCHEMA
    )


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    sidecar.write(tmp_path, table())
    assert sidecar.read(tmp_path / sidecar.NAME).equals(table())
    assert [path.name for path in tmp_path.iterdir()] == [sidecar.NAME]


def test_columns_of_a_later_version_are_left_out(tmp_path: Path) -> None:
    wider = table().append_column("colour", pa.array(["red"] * 3))
    pq.write_table(wider, tmp_path / "wider.parquet")
    assert sidecar.read(tmp_path / "wider.parquet").equals(table())


@pytest.mark.parametrize("column", sidecar.SCHEMA.names)
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    pq.write_table(table().drop_columns([column]), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=f"column {column} is missing"):
        sidecar.read(tmp_path / "x.parquet")


def test_a_column_of_another_type_is_named(tmp_path: Path) -> None:
    place = sidecar.SCHEMA.get_field_index("sent_at")
    other = table().set_column(place, "sent_at", pa.array([1, 2, 3]))
    pq.write_table(other, tmp_path / "x.parquet")
    with pytest.raises(InputError, match="column sent_at is int64, not timestamp"):
        sidecar.read(tmp_path / "x.parquet")


def test_a_time_that_must_be_there_and_is_not_is_refused(tmp_path: Path) -> None:
    nullable = True
    loose = pa.schema([field.with_nullable(nullable) for field in sidecar.SCHEMA])
    place = sidecar.SCHEMA.get_field_index("intended_at")
    nulls = pa.nulls(3, sidecar.SCHEMA.field(place).type)
    holes = table().cast(loose).set_column(place, loose.field(place), nulls)
    pq.write_table(holes, tmp_path / "x.parquet")
    with pytest.raises(InputError, match="intended_at"):
        sidecar.read(tmp_path / "x.parquet")


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        sidecar.read(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="no such file"):
        sidecar.read(tmp_path / "y.parquet")
