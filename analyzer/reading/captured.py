"""What reading one test's captures came to, and the same as text, so that it can be kept.

In: reduced facts. Out: how they were found (`reading`), where they are kept (`cache`).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analyzer.metrics.metric import CaptureFacts
from analyzer.model import Ledger, Note, Pairing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_Moments = tuple[datetime, datetime] | None


@dataclass(frozen=True)
class Captured:
    """What reading the capture objects gave.

    Attributes:
        digest: of the lines as a set; size: their bytes without terminators.
        failed: code -> objects that could not be read to their end.
        remarks: what the person at the terminal should know and no verdict depends on.
    """

    facts: CaptureFacts
    start: datetime
    end: datetime
    digest: str
    size: int
    failed: Mapping[str, int]
    notes: tuple[Note, ...]
    remarks: tuple[str, ...] = ()


def as_text(captured: Captured) -> str:
    """Everything but the remarks; `from_text` gives it back, equal to the last bit."""
    facts = captured.facts
    return json.dumps(
        {
            "ledger": facts.ledger.model_dump(mode="json"),
            "pairing": facts.pairing.model_dump(mode="json"),
            "production_records": facts.production_records,
            "shadow_records": facts.shadow_records,
            "same_objects": facts.same_objects,
            "contradictions": facts.contradictions,
            "first_at": _stamps(facts.first_at),
            "last_at": _stamps(facts.last_at),
            "tables": {name: _table_text(table) for name, table in facts.tables.items()},
            "start": captured.start.isoformat(),
            "end": captured.end.isoformat(),
            "digest": captured.digest,
            "size": captured.size,
            "failed": dict(captured.failed),
            "notes": [note.model_dump(mode="json") for note in captured.notes],
        }
    )


def from_text(text: str) -> Captured:
    """What `as_text` was given."""
    said: dict[str, Any] = json.loads(text)
    facts = CaptureFacts(
        ledger=Ledger.model_validate(said["ledger"]),
        pairing=Pairing.model_validate(said["pairing"]),
        production_records=said["production_records"],
        shadow_records=said["shadow_records"],
        same_objects=said["same_objects"],
        contradictions=said["contradictions"],
        first_at=_moments(said["first_at"]),
        last_at=_moments(said["last_at"]),
        tables={name: _table(coded) for name, coded in said["tables"].items()},
    )
    return Captured(
        facts=facts,
        start=datetime.fromisoformat(said["start"]),
        end=datetime.fromisoformat(said["end"]),
        digest=said["digest"],
        size=said["size"],
        failed=said["failed"],
        notes=tuple(Note.model_validate(note) for note in said["notes"]),
    )


def with_remarks(captured: Captured, remarks: Sequence[str]) -> Captured:
    """The same, said at another time."""
    return replace(captured, remarks=tuple(remarks))


def _stamps(moments: _Moments) -> list[str] | None:
    return None if moments is None else [moment.isoformat() for moment in moments]


def _moments(stamps: list[str] | None) -> _Moments:
    if stamps is None:
        return None
    first, second = stamps
    return datetime.fromisoformat(first), datetime.fromisoformat(second)


def _table_text(table: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return base64.b64encode(sink.getvalue()).decode("ascii")


def _table(coded: str) -> pa.Table:
    with pa.ipc.open_stream(base64.b64decode(coded)) as reader:
        return reader.read_all()
