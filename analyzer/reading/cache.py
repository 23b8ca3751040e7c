"""Parsed capture objects kept between runs, so that a run reads only what is new.

In: which objects a run wants, which shards it wrote. Out: how an object is parsed (`captures`).

A shard is a few Parquet files and one sheet, a small JSON file that names them with their digests
and says which objects they hold. The sheet is renamed into place when all else is written: a shard
without a sheet does not exist, and one whose bytes are not those of its sheet is thrown away and
its objects are read again. Sheets never change and share nothing, so runs side by side need no
lock. File names are random and sheets hold digests only: nothing here is named after a key.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from analyzer import __version__
from analyzer.captures.shards import ObjectTally, PlacedShard, Shard, Use
from analyzer.machine.user_cache import code_digest, read_checked, write_checked
from analyzer.slices import SlicedInputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analyzer.sources.objects import Listing, SourceObject

UNUSED_DAYS = 30
"""A shard that no run used for this long is removed."""

SETTLED_S = 60.0
"""A file younger than this is not kept: it may still grow within one tick of its clock."""
_UNFINISHED_S = 86_400.0  # files without a sheet are a run's that is over by then
_DAY_S = 86_400.0
_FILE_NAME = re.compile(r"[\w-]+\.parquet", re.ASCII)  # never a path that leads elsewhere


@dataclass(frozen=True)
class Found:
    """What an earlier run has parsed of this run's objects.

    Attributes:
        known: shards and what of them belongs to this run.
        missing: ids of the objects that must be read.
    """

    known: tuple[PlacedShard, ...]
    missing: tuple[int, ...]


class ShardCache:
    """Shards of one version of the parser in one folder, which only its owner may read.

    Args:
        folder: made if missing.
        max_line_bytes, inputs: what the parser was told; other words have other shards.

    Attributes:
        folder: where shards are written.

    Raises:
        OSError: the folder cannot be made or written.
    """

    def __init__(
        self, folder: Path, max_line_bytes: int, inputs: SlicedInputs | None = None
    ) -> None:
        self.folder = folder / _parser_version(max_line_bytes, inputs or SlicedInputs())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.folder):
            pass  # what another user or a read-only disk holds can be there and not be written
        self._unkept: list[Shard] = []
        self._identities: dict[int, str] = {}
        self._remove_unused(folder)

    def find(self, listing: Listing) -> Found:
        """The shards that hold objects of a listing, undamaged, each object taken once.

        Comes before anything is read: what `keep` says of an object is how it stood then.
        """
        self._identities = {n: identity(item, listing) for n, item in enumerate(listing.objects)}
        wanted: dict[str, list[int]] = {}
        for object_id, name in self._identities.items():
            wanted.setdefault(name, []).append(object_id)
        placed = []
        sheets = [(path, _read(path)) for path in sorted(self.folder.glob("*.json"))]
        for path, sheet in sheets:
            here = {name: n for n, name in enumerate(sheet.identities) if name in wanted}
            if not here:
                continue
            if not sheet.is_whole():
                _discard(path, sheet.shard.files)
                continue
            with suppress(OSError):
                os.utime(path)
            uses = [
                Use(number, object_id, listing.objects[object_id].role)
                for name, number in here.items()
                for object_id in wanted.pop(name)
            ]
            placed.append(PlacedShard(sheet.shard, tuple(uses)))
        return Found(tuple(placed), tuple(sorted(i for ids in wanted.values() for i in ids)))

    def keep(self, placed: PlacedShard, listing: Listing, failed: Iterable[int]) -> None:
        """Make a shard that was written to `folder` findable.

        Args:
            placed: complete.
            listing: what `find` was given.
            failed: ids of objects that could not be read to their end; never found again.

        Raises:
            OSError: the disk is full.
        """
        broken, now = set(failed), datetime.now(UTC)
        names: list[str | None] = [None] * len(placed.shard.objects)
        for use in placed.uses:
            item = listing.objects[use.object_id]
            if use.object_id not in broken and _is_settled(item, now):
                names[use.number] = self._identities[use.object_id]
        self._unkept.append(placed.shard)
        if any(names):
            _write(self.folder / f"{uuid4().hex}.json", placed.shard, names)
            self._unkept.remove(placed.shard)

    def reduction(self, listing: Listing, *questions: str) -> Path | None:
        """Where the answer to these questions about these objects is kept, or would be.

        Args:
            listing: what is read; its keys count too, for answers name them.
            questions: everything else the answer depends on.

        Returns:
            A path; None where an object may still change under the same identity.
        """
        now = datetime.now(UTC)
        if not all(_is_settled(item, now) for item in listing.objects):
            return None
        parts = [code_digest("**/*.py", "**/*.sql"), *questions, str(listing.same_objects)]
        parts += [f"{item.role} {identity(item, listing)} {item.key}" for item in listing.objects]
        digest = hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
        return self.folder / f"{digest}.reduced"

    def close(self) -> None:
        """Remove what was written and cannot be found again."""
        for shard in self._unkept:
            _discard(None, shard.files)
        self._unkept.clear()

    def _remove_unused(self, folder: Path) -> None:
        """Shards nobody used for long, those of other versions too, and what killed runs left."""
        now = time.time()
        for path in folder.glob("*/*.json"):
            if _age_s(path, now) > UNUSED_DAYS * _DAY_S:
                _discard(path, _read(path).shard.files)
        for path in folder.glob("*/*.reduced"):
            if _age_s(path, now) > UNUSED_DAYS * _DAY_S:
                _discard(path, ())
        named = {file for path in folder.glob("*/*.json") for file in _read(path).shard.files}
        for path in (*folder.glob("*/*.parquet"), *folder.glob("*/*.draft")):
            if path not in named and _age_s(path, now) > _UNFINISHED_S:
                _discard(path, ())


def identity(item: SourceObject, listing: Listing) -> str:
    """What stands for one version of one object: where it lies and its ETag, or size and times.

    A file's own time can be set to any value, and unpacking an archive does; the time of its last
    change on this disk cannot.
    """
    on_s3 = item.location.startswith("s3://")
    place = item.location if on_s3 else os.path.abspath(item.location)  # noqa: PTH100 - no link is followed
    modified = item.modified.isoformat() if item.modified else None
    changed = None if on_s3 else _changed(item.location)
    version_of = [item.etag] if item.etag else [item.size, modified, changed]
    parts = [listing.aws.endpoint_url if on_s3 else None, place, *version_of]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _changed(location: str) -> tuple[int, int] | None:
    """Which file it is on its disk, and when that was last changed."""
    try:
        status = Path(location).stat()
    except OSError:
        return None
    return status.st_ino, status.st_ctime_ns


@dataclass(frozen=True)
class _File:
    path: Path
    size: int
    sha256: str

    def is_whole(self) -> bool:
        try:
            return self.path.stat().st_size == self.size and _sha256(self.path) == self.sha256
        except OSError:
            return False


@dataclass(frozen=True)
class _Sheet:
    """What a sheet says; an unreadable one says that it holds nothing."""

    shard: Shard
    identities: tuple[str | None, ...]
    files: tuple[_File, ...]

    def is_whole(self) -> bool:
        with ThreadPoolExecutor(2) as pool:
            return all(pool.map(_File.is_whole, self.files))


_EMPTY = _Sheet(Shard((), (), ()), (), ())


def _write(path: Path, shard: Shard, identities: Sequence[str | None]) -> None:
    body = json.dumps(
        {
            "records": [_described(file) for file in shard.records],
            "rejects": [_described(file) for file in shard.rejects],
            "objects": [
                [name, *astuple(tally)]
                for name, tally in zip(identities, shard.objects, strict=True)
            ],
        }
    )
    write_checked(path, body)


def _described(path: Path) -> list[Any]:
    return [path.name, path.stat().st_size, _sha256(path)]


def _read(path: Path) -> _Sheet:
    body = read_checked(path)
    if body is None:
        return _EMPTY
    try:
        return _sheet(path.parent, json.loads(body))
    except (KeyError, TypeError, ValueError):  # another version's
        return _EMPTY


def _sheet(folder: Path, body: Mapping[str, Any]) -> _Sheet:
    records, rejects = (
        tuple(_file(folder, *described) for described in body[kind])
        for kind in ("records", "rejects")
    )
    shard = Shard(
        tuple(file.path for file in records),
        tuple(file.path for file in rejects),
        tuple(ObjectTally(*tally) for _, *tally in body["objects"]),
    )
    return _Sheet(shard, tuple(name for name, *_ in body["objects"]), (*records, *rejects))


def _file(folder: Path, name: str, size: int, sha256: str) -> _File:
    if not _FILE_NAME.fullmatch(name):
        raise ValueError(name)
    return _File(folder / name, size, sha256)


def _discard(sheet: Path | None, others: Iterable[Path]) -> None:
    """Remove a shard, its sheet first; another run may be doing the same."""
    for path in (*([sheet] if sheet else []), *others):
        with suppress(OSError):
            path.unlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _age_s(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except OSError:
        return 0.0


def _is_settled(item: SourceObject, now: datetime) -> bool:
    """Whether what was read cannot change under the same identity.

    A batch-transform job's object is two, output and input, and its identity is of the first.
    """
    if item.batch is not None:
        return False
    if item.etag:
        return True
    return item.modified is not None and (now - item.modified).total_seconds() > SETTLED_S


def _parser_version(max_line_bytes: int, inputs: SlicedInputs) -> str:
    """Whatever decides what a shard holds."""
    code = code_digest("captures/**/*.py", "sources/**/*.py", "*.py", "sql/capture_*.sql")
    parts = [__version__, str(max_line_bytes), repr(inputs), code]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
