"""Parsed files and pairings -> the tables that everything about records and pairs is asked of.

In: where files lie, and which of their objects belong to a run. Out: how lines were parsed
(`shards`), which records pair (`pairing`), what both come to (`records`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from analyzer.captures.shards import ObjectTally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from analyzer.captures.shards import PlacedShard
    from analyzer.engine import Engine
    from analyzer.sources.objects import Role

_PAIRS_PER_PART = 500_000


def show_shards(engine: Engine, placed: Sequence[PlacedShard]) -> None:
    """Make the parsed files readable as this run's records and rejects."""
    files: dict[str, list[Path]] = {"production": [], "shadow": [], "shared": [], "reject": []}
    shared, rejected = _Belonging(), _Belonging()
    for one in placed:
        role = one.only_role or "shared"
        if role == "shared":
            shared.add(one, len(files[role]), one.shard.records)
        rejected.add(one, len(files["reject"]), one.shard.rejects)
        files[role].extend(one.shard.records)
        files["reject"].extend(one.shard.rejects)
    show_records(engine, files, shared.table(), rejected.table())


def show_records(
    engine: Engine,
    files: Mapping[str, Sequence[Path]],
    shared: pa.Table | None = None,
    rejected: pa.Table | None = None,
) -> None:
    """Make files readable as `records` and `rejects`.

    Args:
        engine: has none yet.
        files: of `production` and `shadow`, and of lines that are `shared` or `reject`.
        shared: which objects of the shared files belong; None for none.
        rejected: the same for rejects.
    """
    nothing = engine.folder / "no-records.parquet"
    no_rejects = engine.folder / "no-rejects.parquet"
    engine.write("capture_none", nothing)
    engine.write("capture_rejects_none", no_rejects)
    for name in ("production", "shadow", "shared", "reject"):
        none = no_rejects if name == "reject" else nothing
        engine.show(f"{name}_files", files.get(name) or [none], located=True)
    nobody = _Belonging().table()
    shared = nobody if shared is None else shared
    rejected = nobody if rejected is None else rejected
    with engine.lend(shared_objects=shared, reject_objects=rejected):
        engine.execute("capture_tables")


def tallies_by_role(placed: Sequence[PlacedShard]) -> dict[Role, ObjectTally]:
    """What the objects of each role held together."""
    tallies: dict[Role, ObjectTally] = defaultdict(ObjectTally)
    for one in placed:
        for use in one.uses:
            tallies[use.role] += one.shard.objects[use.number]
    return dict(tallies)


def naive_window(start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """The ends of a window as the engine's times are: UTC without saying so; open where None."""
    first = _naive(start or datetime.min.replace(tzinfo=UTC))
    last = _naive(end or datetime.max.replace(tzinfo=UTC))
    return first, last


def keep_pairs(engine: Engine, start: datetime, end: datetime) -> None:
    """Build `pairs` of the matches whose production record lies in the window, naive UTC."""
    minutes = engine.table("pair_minutes", start=start, end=end).to_pylist()
    for number, part in enumerate(_in_parts(minutes, start, end)):
        engine.keep(
            "pairs",
            replace=number == 0,
            start=part.start,
            end=part.end,
            first_shadow_at=part.first_shadow_at,
            last_shadow_at=part.last_shadow_at,
        )


class _Belonging:
    """Which objects of which files belong to this run."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, str, int]] = []

    def add(self, placed: PlacedShard, first_index: int, files: Sequence[Path]) -> None:
        self._rows += [
            (first_index + place, use.number, use.role, use.object_id)
            for place in range(len(files))
            for use in placed.uses
        ]

    def table(self) -> pa.Table:
        columns = {
            "file_index": pl.UInt64,
            "object_number": pl.Int64,
            "role": pl.String,
            "object_id": pl.Int64,
        }
        return pl.DataFrame(self._rows, schema=columns, orient="row").to_arrow()


@dataclass
class _Part:
    """A part of the window and when its shadow records lie."""

    start: datetime
    end: datetime
    first_shadow_at: datetime
    last_shadow_at: datetime
    pairs: int = 0

    def add(self, minute: Mapping[str, Any]) -> None:
        first, last = minute["first_shadow_at"], minute["last_shadow_at"]
        self.first_shadow_at = min(self.first_shadow_at, first) if self.pairs else first
        self.last_shadow_at = max(self.last_shadow_at, last) if self.pairs else last
        self.pairs += minute["pairs"]


def _in_parts(
    minutes: Iterable[Mapping[str, Any]], start: datetime, end: datetime
) -> Iterator[_Part]:
    """The window in parts of about half a million pairs, so that no join outgrows memory."""
    part = _Part(start, end, start, end)
    for minute in minutes:
        if part.pairs and part.pairs + minute["pairs"] > _PAIRS_PER_PART:
            begins = minute["minute"]
            yield replace(part, end=begins)
            part = _Part(begins, end, begins, end)
        part.add(minute)
    yield part


def _naive(moment: datetime) -> datetime:
    """The engine's timestamps are UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
