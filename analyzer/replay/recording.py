"""A journal -> capture records in SageMaker's layout, and the sidecar that says how they were made.

In: what was sent and what came of it. Out: judging it. The files are a function of the journal
alone: written again after a later sending they hold what they held and more, in the same order.

A record says what a capture of the same request says: the event, its inference ID and its time are
production's, so the two pair exactly and stand in the same window; when it was really sent is in
the sidecar. A request that failed has its input and no output. One that is `unfinished` has no
record, because whether it reached the variant is not known.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analyzer.replayed import sidecar

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO, Self

    from analyzer.replay.journal import Entry, Index, Journal, Outcome
    from analyzer.replay.plan import Requests
    from analyzer.replay.requests import Request

LATE_US = 5_000
_LATE_SHARE = 0.01
_HOUR_US = 3_600_000_000
_JSON = re.compile(r"application/(?:.+\+)?(?:json|jsonlines|x-jsonlines|jsonl|x-ndjson)")
_NAMES = uuid.UUID("d0a1ef39-2f9e-4c55-8f4e-7d9a4c1b7c11")
_BATCH_ROWS = 65_536
_RAW = pa.schema(
    [
        field.with_type(pa.int64()) if pa.types.is_timestamp(field.type) else field
        for field in sidecar.SCHEMA
    ]
)
"""As the sidecar, with times as microseconds since 1970 UTC."""
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def variant_folder(out: Path, endpoint: str | None, variant: str) -> Path:
    """Where a variant's records go; an endpoint without a name is called `endpoint`."""
    is_name = endpoint is not None and _FOLDER.fullmatch(endpoint)
    return out / (endpoint if endpoint and is_name else "endpoint") / variant


def record(
    folder: Path, variant: str, index: Index, requests: Requests, journal: Journal
) -> pa.Table:
    """Write a variant's capture records and its sidecar; returns the sidecar's table.

    Args:
        folder: the variant's.
        variant: its name.
        index: what was sent to it.
        requests: of the plan.
        journal: where answers lie.

    Raises:
        OSError: they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    batches: list[pa.RecordBatch] = []
    rows: list[dict[str, Any]] = []
    with _HourFiles(folder, variant) as files:
        for order in index.begun.tolist():
            entry, request = journal.entry(index, order), requests[order]
            rows.append(_row(entry, request, variant))
            if entry.outcome is not None:
                files.add(request.at_us // _HOUR_US, _line(entry.outcome, entry.body, request))
            if len(rows) == _BATCH_ROWS:
                batches.append(pa.RecordBatch.from_pylist(rows, schema=_RAW))
                rows = []
    batches.append(pa.RecordBatch.from_pylist(rows, schema=_RAW))
    table = _marked_late(pa.Table.from_batches(batches))
    sidecar.write(folder, table)
    return table


class _HourFiles:
    """One file an hour of captures, whole or not at all; records come by time."""

    def __init__(self, folder: Path, variant: str) -> None:
        self._folder, self._variant = folder, variant
        self._hour: int | None = None
        self._stream: BinaryIO | None = None
        self._fresh = self._path = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._close(keep=kind is None)

    def add(self, hour: int, line: bytes) -> None:
        """Write a record of an hour counted from 1970."""
        if hour != self._hour or self._stream is None:
            self._close(keep=True)
            folder = self._folder / f"{datetime.fromtimestamp(hour * 3600, UTC):%Y/%m/%d/%H}"
            folder.mkdir(parents=True, exist_ok=True)
            name = f"00-00-000-{uuid.uuid5(_NAMES, f'{self._variant} {hour}')}.jsonl"
            self._fresh, self._path = folder / f".{name}", folder / name
            self._stream, self._hour = self._fresh.open("wb"), hour
        self._stream.write(line)

    def _close(self, *, keep: bool) -> None:
        if self._stream is None:
            return
        self._stream.close()
        self._stream = None
        if keep:
            self._fresh.replace(self._path)
        else:
            self._fresh.unlink()


def _row(entry: Entry, request: Request, variant: str) -> dict[str, Any]:
    """A row of the sidecar, times as microseconds."""
    sent, outcome = entry.sent, entry.outcome
    row = {
        "inference_id": request.inference_id,
        "event_id": request.event_id,
        "variant": variant,
        "order": sent.order,
        "intended_at": sent.intended_us,
        "sent_at": sent.sent_us,
        "error_code": "unfinished",
        "error_text": "the replay was killed before an answer came",
        "began_at": sent.began_us,
        "warm_up": sent.warm_up,
        "late": False,
    }
    if outcome is None:
        return row
    return row | {
        "sent_at": outcome.sent_us,
        "first_byte_at": outcome.first_byte_us,
        "done_at": outcome.done_us,
        "status": outcome.status,
        "error_code": outcome.error_code,
        "error_text": outcome.error_text,
    }


def _marked_late(raw: pa.Table) -> pa.Table:
    """Mark what was sent later than max(5 ms, 1 % of the median service time) after it was due."""
    done, sent, intended = (
        raw.column(name).to_numpy() for name in ("done_at", "sent_at", "intended_at")
    )
    taken = (done - sent)[~raw.column("warm_up").to_numpy()]
    taken = taken[~np.isnan(taken)]
    limit = max(LATE_US, _LATE_SHARE * float(np.median(taken)) if len(taken) else 0.0)
    place = _RAW.get_field_index("late")
    late = pa.array(sent - intended > limit)
    return raw.set_column(place, _RAW.field(place), late).cast(sidecar.SCHEMA)


def _line(outcome: Outcome, body: bytes, request: Request) -> bytes:
    """A capture record; without an output where there is no usable answer."""
    data: dict[str, Any] = {"endpointInput": request.input}
    if outcome.error_code is None:
        data["endpointOutput"] = _output(outcome.content_type, body, request)
    meta: dict[str, Any] = {"eventId": request.event_id}
    if request.attributes:
        meta["customAttributes"] = list(request.attributes)
    if request.inference_id is not None:
        meta["inferenceId"] = request.inference_id
    meta["inferenceTime"] = request.time
    written = {"captureData": data, "eventMetadata": meta, "eventVersion": "0"}
    return json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _output(content_type: str | None, body: bytes, request: Request) -> dict[str, Any]:
    """An answer as data capture writes it."""
    encoding = encoding_of(content_type, request)
    text = None if encoding == "BASE64" else _text(body)
    if text is None:
        encoding, text = "BASE64", base64.b64encode(body).decode("ascii")
    return {
        "observedContentType": content_type,
        "mode": "OUTPUT",
        "data": text,
        "encoding": encoding,
    }


def encoding_of(content_type: str | None, request: Request) -> str:
    """How an answer is captured: by its type; any other as production's of that type, or BASE64."""
    media = _media(content_type)
    if media == "text/csv":
        return "CSV"
    if _JSON.fullmatch(media):
        return "JSON"
    same = media and media == _media(request.output_type)
    return (request.output_encoding or "BASE64").upper() if same else "BASE64"


def _media(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
