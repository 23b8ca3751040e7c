"""The engine reaches nothing it was not lent, and says so when memory or disk run out."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from analyzer import engine as engine_module
from analyzer.engine import Engine, integers, numbers
from analyzer.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def run(engine: Engine, monkeypatch: pytest.MonkeyPatch, sql: str, **params: object) -> pa.Table:
    monkeypatch.setattr(engine_module, "_text", lambda _: sql)
    return engine.table("any", **params)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from '/etc/passwd'",
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('https://example.com/x.csv')",
        "attach '/etc/passwd' as other",
        "copy (select 1) to 'out.csv'",
        "install httpfs",
        "set enable_external_access = true",
        "set memory_limit = '100GB'",
        "select * from python_variable",
    ],
)
def test_a_query_reaches_no_file_no_network_no_variable_and_no_setting(
    monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    python_variable = pa.table({"a": [1]})
    assert python_variable.num_rows == 1
    with Engine(threads=1) as engine, pytest.raises(duckdb.Error):
        run(engine, monkeypatch, sql)


def test_lent_tables_are_readable_inside_the_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sql = "select sum(a)::bigint as total from lent"
    with Engine(threads=1) as engine:
        with engine.lend(lent=pa.table({"a": [1, 2]})):
            assert run(engine, monkeypatch, sql).to_pylist() == [{"total": 3}]
        with pytest.raises(duckdb.CatalogException):
            run(engine, monkeypatch, sql)


def test_only_parameters_a_statement_names_are_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    sql = "create table t as select $a as a; select a + $b as c from t"
    with Engine(threads=1) as engine:
        assert run(engine, monkeypatch, sql, a=1, b=2, spare=3).to_pylist() == [{"c": 3}]


def test_a_parameter_is_never_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = "'); drop table t; --"
    with Engine(threads=1) as engine:
        found = run(engine, monkeypatch, "select $text as text", text=hostile)
    assert found.to_pylist() == [{"text": hostile}]


def test_the_clock_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with Engine(threads=1) as engine:
        sql = "select epoch('2026-03-01T00:00:00'::timestamptz)::bigint as at"
        assert run(engine, monkeypatch, sql).to_pylist() == [{"at": 1_772_323_200}]


def test_running_out_of_memory_is_exit_code_5_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sql = "select list(md5(range::varchar)) as all_at_once from range(1_000_000)"
    with Engine(threads=1, memory_limit="20MB", temp_directory=tmp_path) as engine:
        monkeypatch.setattr(engine_module, "_text", lambda _: sql)
        with pytest.raises(ResourceError, match="--memory-limit"):
            engine.execute("any")
    assert list(tmp_path.iterdir()) == []


def test_running_out_of_memory_while_a_table_is_lent_is_exit_code_5() -> None:
    class Full:
        def register(self, _name: str, _table: object) -> None:
            raise duckdb.OutOfMemoryException("no room")

        def close(self) -> None: ...

    with Engine(threads=1) as engine:
        engine._connection.close()  # noqa: SLF001 - only a stand-in runs out when asked to
        engine._connection = Full()  # type: ignore[assignment]  # noqa: SLF001 - the same
        with pytest.raises(ResourceError, match="--memory-limit"), engine.lend(a=pa.table({})):
            pass


@pytest.mark.parametrize(
    ("limit", "cores", "threads"),
    [("20MB", 4, 1), ("256MiB", 64, 4), ("512MB", 192, 7), ("16GiB", 8, 8)],
)
def test_no_more_threads_work_than_memory_suffices_for(
    limit: str, cores: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(threads=cores, memory_limit=limit) as engine:
        found = run(engine, monkeypatch, "select current_setting('threads') as threads")
    assert found.to_pylist() == [{"threads": threads}]


def test_a_full_disk_is_exit_code_5(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> str:
        raise duckdb.IOException("Could not write file: No space left on device")

    monkeypatch.setattr(engine_module, "_text", refuse)
    with Engine(threads=1) as engine, pytest.raises(ResourceError, match="free disk space"):
        engine.execute("any")


def test_a_size_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a size"):
        Engine(memory_limit="plenty", temp_directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_temporary_folder_is_exit_code_5(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="no folder for temporary data"):
        Engine(temp_directory=tmp_path / "missing")


def test_closing_removes_the_spill_folder(tmp_path: Path) -> None:
    with Engine(temp_directory=tmp_path):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_signal_while_the_engine_starts_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_args: object, **_settings: object) -> None:
        assert len(list(tmp_path.iterdir())) == 1
        raise SystemExit(143)

    monkeypatch.setattr(duckdb, "connect", ended)
    with pytest.raises(SystemExit):
        Engine(temp_directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_integers_go_to_arrow_and_back_unchanged() -> None:
    values = np.array([3, -1, 2**62], np.int64)
    column = pa.chunked_array([integers(values), integers(values).slice(1, 1)])
    assert numbers(column).tolist() == [3, -1, 2**62, -1]
    assert numbers(pa.chunked_array([], pa.int64())).tolist() == []


def test_every_query_file_opens_with_the_question_it_answers() -> None:
    queries = [file for file in files("analyzer").joinpath("sql").iterdir() if file.is_file()]
    assert len(queries) > 10
    for query in queries:
        assert query.read_text().startswith("-- "), query.name


def test_no_progress_bar_can_reach_stdout() -> None:
    with Engine() as engine:
        connection = engine._connection  # noqa: SLF001 - a setting has no public face
        row = connection.execute("select current_setting('enable_progress_bar')").fetchone()
    assert row == (False,)
