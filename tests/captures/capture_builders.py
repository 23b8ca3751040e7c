"""Capture lines and objects for tests, and one run over them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from analyzer.captures import Captures
from analyzer.engine import Engine
from analyzer.policy import PairingRules
from analyzer.sources.objects import Chunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.metrics.metric import CaptureFacts
    from analyzer.sources.objects import Role

START = datetime(2026, 3, 1, tzinfo=UTC)
RULES = PairingRules()
PAYLOAD_ONLY = PairingRules(keys=("payload",))


def stamp(second: float) -> str:
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def side(data: object, encoding: object = "CSV", content_type: object = "text/csv") -> object:
    return {"observedContentType": content_type, "mode": "X", "data": data, "encoding": encoding}


def line(
    second: float = 0,
    *,
    output: object = "0.5\n",
    payload: object = "1,2,3",
    inference_id: object = None,
    event_id: object = None,
    encoding: object = "CSV",
    **metadata: object,
) -> bytes:
    """One capture line; None leaves a field out."""
    given = {"eventId": event_id, "inferenceId": inference_id, "inferenceTime": stamp(second)}
    capture = {
        "endpointInput": None if payload is None else side(payload),
        "endpointOutput": side(output, encoding),
    }
    record = {
        "captureData": {key: value for key, value in capture.items() if value is not None},
        "eventMetadata": {
            key: value for key, value in {**given, **metadata}.items() if value is not None
        },
        "eventVersion": "0",
    }
    return json.dumps(record).encode()


def chunk(object_id: int, role: Role, lines: Iterable[bytes]) -> Chunk:
    return Chunk(object_id, role, 1, b"".join(text + b"\n" for text in lines))


def sides(production: Iterable[bytes], shadow: Iterable[bytes]) -> list[Chunk]:
    return [chunk(0, "production", production), chunk(1, "shadow", shadow)]


@dataclass(frozen=True)
class Reading:
    """Everything a run says about its captures."""

    facts: CaptureFacts
    pairs: list[dict[str, Any]]
    digest: tuple[str, int]
    notes: list[str]

    @property
    def outputs(self) -> list[tuple[str, str, str]]:
        """(rule, production output, shadow output) of every pair, sorted."""
        return sorted(
            (pair["paired_by"], pair["production_data"], pair["shadow_data"]) for pair in self.pairs
        )


def read(
    chunks: Sequence[Chunk],
    rules: PairingRules = RULES,
    *,
    window: tuple[datetime | None, datetime | None] = (None, None),
    threads: int = 2,
    batch_bytes: int = 1 << 24,
    max_line_bytes: int = 1 << 24,
) -> Reading:
    with Engine(threads=threads, memory_limit="1GB") as engine:
        captures = Captures(engine, chunks, max_line_bytes=max_line_bytes, batch_bytes=batch_bytes)
        captures.pair(rules)
        captures.set_window(*window)
        keys = {part.object_id: f"object-{part.object_id:04d}" for part in chunks}
        return Reading(
            facts=captures.facts(keys, same_objects=False),
            pairs=_rows(engine, "pairs"),
            digest=captures.digest(),
            notes=[note.text for note in captures.notes()],
        )


def _rows(engine: Engine, table: str) -> list[dict[str, Any]]:
    connection = engine._connection  # noqa: SLF001 - no query of the product lists whole pairs
    rows: list[dict[str, Any]] = (
        connection.view(table).order("captured_at, pair_id").to_arrow_table().to_pylist()
    )
    for row in rows:
        row["inference_id"] = row["inference_text"] or row["inference_key"]
    return rows
