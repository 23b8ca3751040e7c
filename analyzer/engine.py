"""The table engine: runs `sql/<name>.sql` on an in-process DuckDB that can reach nothing else.

In: a hardened connection, bound parameters, Arrow tables lent and returned, Parquet written and
read again. Out: what any query means; each `.sql` file says that in its header. The connection
reaches no socket and no file outside two folders: a private one that `close` removes, for what it
spills and keeps, and the one where parsed captures lie.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from analyzer.errors import ResourceError, UsageError
from analyzer.machine.memory_limit import default_memory_limit, memory_size
from analyzer.machine.private_folder import PrivateFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import numpy.typing as npt

_HARDENED = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,  # a Python variable is never a table
    "preserve_insertion_order": False,  # every result whose order matters says `order by`
}
_SESSION = (
    "set enable_progress_bar = false",  # it would print on stdout
    "set TimeZone = 'UTC'",
    "set parquet_metadata_cache = true",  # many queries read the same files, which never change
    "set allowed_directories = {folders}",  # before the next: it cannot be set afterwards
    "set enable_external_access = false",
    "set lock_configuration = true",  # last: nothing can be set after it
)
_THREAD_BYTES = 64 << 20
"""Ten million pairs finish on as much for each thread, and on half of it may not."""
# Looking for dictionaries of more values costs a fifth of the writing and saves nothing.
_FORM = "format parquet, parquet_version v2, dictionary_size_limit 64"
_KEPT = f"{_FORM}, compression lz4_raw"  # read back several times, then gone
_SHARED = f"{_FORM}, compression zstd, compression_level 1"  # may be read for weeks


@dataclass(frozen=True)
class Adding:
    """How answers of several parts of the rows become one.

    Attributes:
        by: columns that rows must share to be added together; all rows are, where none are named.
        least, most, either: columns of which the smallest or largest counts, or the bits that
            differ; all others are summed, whole numbers written as text too.
        rows: nothing is added, rows are put together.
        order, limit: of the result, as SQL says it.
    """

    by: tuple[str, ...] = ()
    least: tuple[str, ...] = ()
    most: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    rows: bool = False
    order: str = ""
    limit: int = 0

    def column(self, name: str, kind: str) -> str:
        """One column of the result, of the type it has in the parts."""
        if self.rows or name in self.by:
            return name
        taken = ("min", self.least), ("max", self.most), ("bit_xor", self.either)
        for function, names in taken:
            if name in names:
                return f"{function}({name}) as {name}"
        number = f"{name}::hugeint" if kind == "VARCHAR" else name
        return f"sum({number})::{kind} as {name}"


class Engine:
    """Runs named SQL files; a context manager.

    Args:
        memory_limit: DuckDB size text such as "2GB"; None for `default_memory_limit`.
        threads: worker threads; None for all cores. Fewer where memory does not suffice for so
            many. Results do not depend on it.
        temp_directory: parent of the private spill folder; None for the system's own.
        shared: a folder outside it whose Parquet files may be read and written.

    Attributes:
        folder: the private folder; gone after `close`.

    Raises:
        UsageError: `memory_limit` is no size.
        ResourceError: the spill folder cannot be made.
    """

    def __init__(
        self,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        temp_directory: Path | None = None,
        shared: Path | None = None,
    ) -> None:
        self._kept: dict[str, list[Path]] = {}
        self._numbers = count()
        size = None if memory_limit is None else memory_size(memory_limit)
        try:
            self._private = PrivateFolder(temp_directory)
        except OSError as error:
            raise ResourceError(
                f"no folder for temporary data: {error.strerror}", code="no-temporary-folder"
            ) from None
        self.folder = self._private.path
        config: dict[str, str | bool | int | float | list[str]]
        config = {**_HARDENED, "temp_directory": str(self.folder)}
        if threads is not None:
            config["threads"] = threads
        folders = _list([self.folder, *([shared] if shared else [])])
        opened = False
        try:
            with _resources_named():
                self._connection = duckdb.connect(":memory:", config=config)
                self._share_memory(size)
                for statement in _SESSION:
                    self._connection.execute(statement.format(folders=folders))
            opened = True
        except duckdb.Error as error:
            raise UsageError(f"engine setting refused: {_first_line(error)}") from None
        finally:
            if not opened:  # refused, or ended by a signal
                self._private.remove()

    def table(self, name: str, **params: object) -> pa.Table:
        """What the last statement of `sql/<name>.sql` gives, as Arrow."""
        with _resources_named():
            *before, last = self._bound(name, params)
            for statement, named in before:
                self._connection.execute(statement, named)
            table: pa.Table = self._connection.sql(last[0], params=last[1]).to_arrow_table()
        return table

    def tables(self, *names: str, **params: object) -> dict[str, pa.Table]:
        """`table` of each of several questions, which need not wait for one another."""
        return {name: self.table(name, **params) for name in names}

    def each(self, step: Callable[[Engine], object]) -> None:
        """Take a step that handles rows one by one or by what they share; here all lie together."""
        step(self)

    def reduce(self, name: str, **params: object) -> None:
        """Make what `sql/<name>.sql` adds up from rows readable under its name."""
        self.keep(name, table=name, replace=True, **params)

    def execute(self, name: str, **params: object) -> int:
        """Run `sql/<name>.sql` for its effect; the rows its last statement inserted, if it did."""
        with _resources_named():
            for statement, named in self._bound(name, params):
                self._connection.execute(statement, named)
            row = self._connection.fetchone()
        return int(row[0]) if row and isinstance(row[0], int) else 0

    def write(self, name: str, path: Path, **params: object) -> int:
        """Write what the last statement of `sql/<name>.sql` gives to a Parquet file; its rows."""
        return self._copy(name, path, _SHARED, params)

    def keep(
        self, name: str, *, table: str | None = None, replace: bool = False, **params: object
    ) -> int:
        """Add what `sql/<name>.sql` gives to a table that lies on disk, not in memory.

        Args:
            name: the query.
            table: readable under this name from now on; None for the query's own name.
            replace: the rows take the place of those the table held, which the query may read.
            params: of the query.

        Returns:
            Rows added.
        """
        table = table or name
        before = self._kept.get(table, [])
        # No name is used twice: the engine remembers what it read of a file's end.
        path = self.folder / f"{table}-{next(self._numbers)}.parquet"
        rows = self._copy(name, path, _KEPT, params)
        self._kept[table] = [path] if replace else [*before, path]
        self.show(table, self._kept[table])
        for old in before if replace else ():
            old.unlink()
        return rows

    def adopt(self, table: str, paths: Sequence[Path]) -> None:
        """Take Parquet files in the private folder, at least one, for what `keep` has written."""
        self._kept[table] = list(paths)
        self.show(table, paths)

    def files(self, table: str) -> tuple[Path, ...]:
        """Where a kept table lies; nowhere if there is none."""
        return tuple(self._kept.get(table, ()))

    def split(self, name: str, **params: object) -> list[tuple[int, Path]]:
        """Write what `sql/<name>.sql` gives, apart by its column `part`, which no file holds."""
        folder = self.folder / f"{name}-{next(self._numbers)}"
        self._copy(name, folder, f"{_SHARED}, partition_by (part)", params)
        return [(int(path.parent.name.removeprefix("part=")), path) for path in folder.rglob("*.*")]

    def added(self, paths: Sequence[Path], how: Adding) -> pa.Table:
        """The rows of Parquet files of one schema, at least one file, added together."""
        with _resources_named():
            table: pa.Table = self._connection.sql(self._adding(paths, how)).to_arrow_table()
        return table

    def write_added(self, paths: Sequence[Path], how: Adding, path: Path) -> None:
        """The same, written to a Parquet file, to be added to others."""
        with _resources_named():
            added = self._adding(paths, how)
            self._connection.execute(f"copy ({added}) to {_literal(path)} ({_SHARED})")

    def _adding(self, paths: Sequence[Path], how: Adding) -> str:
        source = _files(paths)
        found = self._connection.sql(f"from {source}")
        kinds = zip(found.columns, map(str, found.types), strict=True)
        columns = ", ".join(how.column(name, kind) for name, kind in kinds)
        grouped = f" group by {', '.join(how.by)}" if how.by and not how.rows else ""
        ordered = f" order by {how.order}" if how.order else ""
        limited = f" limit {how.limit}" if how.limit else ""
        query = f"select {columns} from {source}"  # noqa: S608 - our own names, paths quoted
        return query + f"{grouped}{ordered}{limited}"

    def show(self, table: str, paths: Sequence[Path], *, located: bool = False) -> None:
        """Make Parquet files of one schema, at least one, readable as one table.

        `located` adds the columns file_index, a file's place in `paths`, and file_row_number.
        """
        columns = "*, file_index, file_row_number" if located else "*"
        shown = f"select {columns} from {_files(paths)}"  # noqa: S608 - our own names, paths quoted
        with _resources_named():
            self._connection.execute(f"create or replace temp view {table} as {shown}")

    @contextmanager
    def lend(self, **tables: pa.Table) -> Iterator[None]:
        """Make Arrow tables readable from SQL under these names inside the block, uncopied."""
        lent: list[str] = []
        try:
            with _resources_named():
                for name, table in tables.items():
                    self._connection.register(name, table)
                    lent.append(name)
            yield
        finally:
            with _resources_named():
                for name in lent:
                    self._connection.unregister(name)

    def close(self) -> None:
        """Drop every table and remove the spill folder."""
        self._connection.close()
        self._private.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _share_memory(self, size: int | None) -> None:
        """Bound memory, and threads to those it suffices for: every thread has buffers of its own.

        Args:
            size: bytes; None for `default_memory_limit`.
        """
        asked = "select current_setting('threads')::integer"
        (cores,) = self._connection.execute(asked).fetchone() or (1,)
        size = size or default_memory_limit(cores)
        threads = max(1, min(cores, size // _THREAD_BYTES))
        self._connection.execute(f"set memory_limit = '{size}B'; set threads = {threads}")

    def _bound(
        self, name: str, params: Mapping[str, object]
    ) -> list[tuple[duckdb.Statement, dict[str, object] | None]]:
        """A file's statements, each with the parameters it names: DuckDB refuses spare ones."""
        return [
            (statement, {key: params[key] for key in statement.named_parameters} or None)
            for statement in self._connection.extract_statements(_text(name))
        ]

    def _copy(self, name: str, path: Path, form: str, params: Mapping[str, object]) -> int:
        """Run a file's statements, the last one into a Parquet file."""
        with _resources_named():
            *before, (last, named) = self._bound(name, params)
            for statement, given in before:
                self._connection.execute(statement, given)
            query = last.query.strip().removesuffix(";")
            copy = f"copy ({query}) to {_literal(path)} ({form})"
            row = self._connection.execute(copy, named).fetchone()
        return int(row[0]) if row else 0


def integers(values: npt.NDArray[np.int64]) -> pa.Array[Any]:
    """The same numbers as an Arrow column, uncopied.

    `pa.array`, and `to_numpy` on the way back, would import pandas: more than a second.
    """
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values.data)])


def numbers(column: pa.ChunkedArray[Any]) -> npt.NDArray[np.int64]:
    """The other way: the words of a 64-bit integer column without nulls."""
    chunks = [
        np.frombuffer(memoryview(words), np.int64, len(chunk), 8 * chunk.offset)
        for chunk in column.chunks
        if (words := chunk.buffers()[1]) is not None
    ]
    return np.concatenate([np.empty(0, np.int64), *chunks])


@contextmanager
def _resources_named() -> Iterator[None]:
    """Turn DuckDB running out of memory or disk into the error with exit code 5."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise ResourceError(
            f"out of memory or of space to spill: {_first_line(error)}; raise --memory-limit, "
            "free disk space, or shorten the run with --since and --until",
            code="out-of-memory",
        ) from None
    except duckdb.IOException as error:
        raise _disk_full(_first_line(error)) from None


@contextmanager
def disk_errors_named() -> Iterator[None]:
    """Turn a file that cannot be written into the error with exit code 5."""
    try:
        yield
    except OSError as error:
        raise _disk_full(str(error.strerror)) from None


def _disk_full(why: str) -> ResourceError:
    return ResourceError(
        f"parsed or temporary data could not be written: {why}; free disk space, or point TMPDIR "
        "and XDG_CACHE_HOME at a larger disk",
        code="disk-full",
    )


def mentions(name: str, tables: Iterable[str]) -> set[str]:
    """Which of these tables `sql/<name>.sql` speaks of."""
    words = set(re.findall(r"\w+", _text(name)))
    return words & set(tables)


def _text(name: str) -> str:
    return files("analyzer").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def _files(paths: Sequence[Path]) -> str:
    """Parquet files as a table function; `day=1` in a folder's name makes no column of theirs."""
    return f"read_parquet({_list(paths)}, hive_partitioning = false)"


def _list(paths: Sequence[Path]) -> str:
    return f"[{', '.join(map(_literal, paths))}]"


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _first_line(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0]
