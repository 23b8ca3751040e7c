"""The requests of a replay, fixed on disk before the first is sent.

In: captures and what is wanted of them -> `{out}/.replay/`. Out: sending. A replay that was
interrupted goes on from there: captures that came meanwhile change nothing, and a command that
asks for something else is refused.

    requests.jsonl  the requests, in the order they are sent
    index.parquet   where each of them stands, and when it was captured
    plan.json       what was asked for, and the count of every line read; written last
    journal         see `journal`
    lock            held while a replay runs
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from analyzer.errors import InputError, UsageError
from analyzer.replay.requests import Request, Unsendable, read_request
from analyzer.replay.selection import INDEX, select
from analyzer.sources import open_chunks
from analyzer.sources.one_variant import folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO, Self

    import numpy.typing as npt

    from analyzer.replay.selection import Wanted
    from analyzer.sources import Listing
    from analyzer.steps import Progress

    Ints = npt.NDArray[np.int64]

FOLDER = ".replay"
_PLAN, _REQUESTS, _INDEX, _LOCK = "plan.json", "requests.jsonl", "index.parquet", "lock"
_BATCH_ROWS = 65_536
_BOM = b"\xef\xbb\xbf"


class Workplace:
    """The folder of one replay, held by one process at a time; a context manager.

    Raises:
        UsageError: another replay runs in it.
        OSError: it cannot be made.
    """

    def __init__(self, out: Path) -> None:
        self.folder = out / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise UsageError(f"--out {out}: another replay is running there") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def asked(self) -> dict[str, Any] | None:
        """What the replay that began here was asked for; None where none has begun.

        Raises:
            InputError: it cannot be read.
        """
        path = self.folder / _PLAN
        if not path.exists():
            return None
        return dict(_read_told(path)["asked"])


@dataclass(frozen=True)
class Plan:
    """The requests that are sent.

    Attributes:
        endpoint: the name their endpoint has in the layout; None outside it.
        captures: the folder of the variant they were sent to; None outside the layout.
        at_us: when each was captured.
        first: which variant each is sent to first, as a draw of 256.
        counts: every line read by what became of it; `requests` are sent.
        failed: objects that could not be read, by code.
    """

    folder: Path
    endpoint: str | None
    captures: str | None
    at_us: Ints
    first: Ints
    counts: Mapping[str, int]
    failed: Mapping[str, int]
    offset: Ints
    length: Ints

    def __len__(self) -> int:
        return len(self.at_us)

    def open(self) -> Requests:
        """The requests themselves."""
        return Requests(self)

    def remove(self) -> None:
        """Remove them from the disk."""
        for name in (_REQUESTS, _INDEX):
            (self.folder / name).unlink(missing_ok=True)


class Requests:
    """Reads requests of a plan, from any thread; a context manager."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._file = os.open(plan.folder / _REQUESTS, os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def __getitem__(self, order: int) -> Request:
        offset, length = int(self._plan.offset[order]), int(self._plan.length[order])
        return Request.from_json(os.pread(self._file, length, offset))


@dataclass(frozen=True)
class _Tally:
    """Lines by what became of them, and objects that failed by code."""

    lines: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)


def write_plan(
    folder: Path,
    listing: Listing,
    wanted: Wanted,
    asked: Mapping[str, Any],
    progress: Progress,
) -> None:
    """Read captures once and fix what is sent.

    Args:
        folder: the workplace's.
        listing: production's capture objects.
        wanted: of when, how many, and whether equal ones are sent once.
        asked: kept beside it; `read_plan` gives it back.
        progress: told of every object.

    Raises:
        InputError: no request is left.
        AccessError: the captures cannot be reached.
    """
    tally = _Tally()
    counts = tally.lines
    spool = folder / f"{_REQUESTS}.part"
    try:
        with spool.open("w+b") as stream:
            chosen = select(_read_all(listing, wanted, stream, tally, progress), wanted)
            counts.update(chosen.left_out)
            counts["requests"] = len(chosen.index)
            if not counts["requests"]:
                raise InputError(f"nothing to replay: {said(counts)}", code="no-requests")
            _copy(stream, chosen.index, folder / _REQUESTS)
    finally:
        spool.unlink(missing_ok=True)
    # The last byte: requests of one second are in the order of the first ones.
    first = pl.Series("first", [event[-1] for event in chosen.index["event"]], pl.Int64)
    chosen.index.select("at_us", "length", first).write_parquet(folder / _INDEX)
    plan = {
        "asked": asked,
        "endpoint": listing.endpoint,
        "captures": folder_of(listing),
        "counts": {code: count for code, count in sorted(counts.items()) if count},
        "failed": dict(sorted(tally.failed.items())),
    }
    fresh = folder / f"{_PLAN}.part"
    fresh.write_text(json.dumps(plan, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    fresh.replace(folder / _PLAN)


def read_plan(folder: Path) -> Plan:
    """Read what `write_plan` wrote.

    Raises:
        InputError: it is damaged.
    """
    try:
        told = _read_told(folder / _PLAN)
        index = pl.read_parquet(folder / _INDEX, glob=False)
        length = index["length"].to_numpy()
        offset = np.concatenate(([0], np.cumsum(length)[:-1]))
        if (folder / _REQUESTS).stat().st_size != length.sum():
            raise InputError(f"{folder}: {_REQUESTS} is damaged; remove the folder and start anew")
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        what = str(error).partition("\n")[0]
        raise InputError(f"{folder}: {what}; remove the folder and start anew") from None
    return Plan(
        folder=folder,
        endpoint=told["endpoint"],
        captures=told["captures"],
        at_us=index["at_us"].to_numpy(),
        first=index["first"].to_numpy(),
        counts=told["counts"],
        failed=told["failed"],
        offset=offset,
        length=length,
    )


def _read_told(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except ValueError:
        told = None
    if not isinstance(told, dict) or not {"asked", "endpoint", "captures", "counts"} <= told.keys():
        raise InputError(f"{path}: is damaged; remove the folder and start anew")
    return told


def said(counts: Mapping[str, int]) -> str:
    """Counts by code in one line."""
    return ", ".join(f"{count} {code}" for code, count in sorted(counts.items())) or "no line"


def _read_all(
    listing: Listing,
    wanted: Wanted,
    stream: BinaryIO,
    tally: _Tally,
    progress: Progress,
) -> pl.DataFrame:
    """Write every request of the captures into `stream`; returns its index."""
    frames: list[pl.DataFrame] = []
    rows: list[tuple[object, ...]] = []
    offset = 0
    for line in _lines(listing, tally, progress):
        try:
            request = read_request(line)
            payload, size = request.payload_key, len(request.body)
        except Unsendable as unsendable:
            tally.lines[unsendable.code] += 1
            continue
        if not wanted.includes(request.at_us):
            tally.lines["out-of-window"] += 1
            continue
        text = request.to_json().encode() + b"\n"
        event, content = _digest(request.event_id.encode()), _digest(line)
        place = offset, len(text), request.at_us
        rows.append((*place, event, content, payload, request.content_type, size))
        offset += stream.write(text)
        if len(rows) == _BATCH_ROWS:
            frames.append(pl.DataFrame(rows, schema=INDEX, orient="row"))
            rows = []
    return pl.concat([*frames, pl.DataFrame(rows, schema=INDEX, orient="row")])


def _lines(listing: Listing, tally: _Tally, progress: Progress) -> Iterator[bytes]:
    """Every line that says something; all are counted."""

    def on_read(objects: int, total: int, done: int, size: int) -> None:
        progress("reading captures", objects, total, bytes_done=done, bytes_total=size)

    for chunk in open_chunks(listing, progress=on_read):
        if chunk.failure is not None:
            tally.failed[chunk.failure.code] += 1
            continue
        if chunk.oversize is not None:
            tally.lines["lines"] += 1
            tally.lines["too-long"] += 1
            continue
        data = chunk.data.removeprefix(_BOM) if chunk.first_line_number == 1 else chunk.data
        for line in data.removesuffix(b"\n").split(b"\n") if data else ():
            tally.lines["lines"] += 1
            text = line.strip()
            if text:
                yield text
            else:
                tally.lines["blank"] += 1


def _copy(stream: BinaryIO, index: pl.DataFrame, path: Path) -> None:
    """The chosen requests in their order."""
    with path.open("wb") as ordered:
        for offset, length in index.select("offset", "length").iter_rows():
            stream.seek(offset)
            ordered.write(stream.read(length))


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
