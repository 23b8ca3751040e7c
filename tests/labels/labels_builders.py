"""Captures whose truth is known, and files of labels for them."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.engine import Engine
from analyzer.labels.files import find_labels, read_labels
from analyzer.sources import AwsOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from analyzer.analysis import Analysis
    from analyzer.model import Note
    from analyzer.spark.driver import SparkPlan

START = datetime(2026, 11, 16, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """One request: what each variant answered, and how it is known.

    Attributes:
        inference_id: None for a client that sets none.
        event_id: production's; the shadow's is another one.
        payload: None for one that no other request has.
    """

    production: str
    shadow: str
    inference_id: str | None = None
    event_id: str | None = None
    payload: str | None = None


def capture(folder: Path, requests: Sequence[Asked], *, every_s: int = 1) -> Path:
    """Write both variants' captures of these requests, one a second or less often."""
    for variant in ("v1", "v2-shadow"):
        hour = folder / "endpoint" / variant / "2026" / "11" / "16" / "00"
        hour.mkdir(parents=True)
        lines = [_line(k * every_s, asked, variant == "v1") for k, asked in enumerate(requests)]
        (hour / "00-00-000-a.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def _line(at_s: int, asked: Asked, is_production: bool) -> str:  # noqa: FBT001 - private
    when = (START + timedelta(seconds=at_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
    own = asked.event_id if is_production and asked.event_id else str(uuid.uuid4())
    event = {"eventId": own, "inferenceTime": when}
    if asked.inference_id is not None:
        event["inferenceId"] = asked.inference_id
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    output = asked.production if is_production else asked.shadow
    payload = asked.payload or f"{at_s},1"
    record = {
        "captureData": {
            "endpointInput": {**side, "mode": "INPUT", "data": payload},
            "endpointOutput": {**side, "mode": "OUTPUT", "data": output},
        },
        "eventMetadata": event,
        "eventVersion": "0",
    }
    return json.dumps(record, separators=(",", ":")) + "\n"


def truth(found: str, label: str, encoding: str | None = "CSV") -> str:
    """One line of SageMaker's ground truth."""
    data = {"data": label} if encoding is None else {"data": label, "encoding": encoding}
    body = {"groundTruthData": data, "eventMetadata": {"eventId": found}, "eventVersion": "0"}
    return json.dumps(body) + "\n"


def write(path: Path, lines: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
    return path


def judged(
    source: Path,
    labels: Path | str | None,
    *policy: str,
    threads: int = 2,
    spark: SparkPlan | None = None,
) -> Analysis:
    request = analysis.Request(
        source=str(source),
        labels=None if labels is None else str(labels),
        overrides=policy,
        threads=threads,
        spark=spark,
    )
    return analysis.run(request, silent)


def fates(done: Analysis) -> dict[str, int]:
    """What became of the labels: code -> how many, zeros left out."""
    rows = done.tables["labels"].select("code", "count").rows()
    return {code: count for code, count in rows if count}


def outcomes(done: Analysis) -> dict[tuple[str, str], int]:
    """(production, shadow) right or wrong -> predictions."""
    return {(p, s): n for p, s, n in done.tables["label_outcomes"].rows()}


def line_codes(path: Path, max_line_bytes: int = 4_096) -> dict[str | None, int]:
    """Lines of a label file by code; None for those that give a label."""
    return read(path, max_line_bytes)[0]


def read(path: Path, max_line_bytes: int = 4_096) -> tuple[dict[str | None, int], list[Note]]:
    """The same, and what a run notes of the files while it reads them."""
    with Engine() as engine:
        engine.execute("capture_macros")
        engine.execute("prediction_macros")
        found = find_labels(str(path), AwsOptions())
        notes = read_labels(engine, found, max_line_bytes, silent)
        rows = engine.table("label_codes").to_pylist()
    return {row["code"]: row["lines"] for row in rows}, [*notes]
