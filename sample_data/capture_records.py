"""Capture files as SageMaker writes them: one JSON record a line, in variant and hour folders.

In: which requests were captured, what each variant answered, record and key shapes. Out: damage
(`faults`). Files roll once an hour here, where SageMaker rolls them about every minute.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from sample_data.models import draw_customers, request_lines, score
from sample_data.traffic import START

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from sample_data.models import Family
    from sample_data.traffic import Served, Traffic

    IntArray: TypeAlias = NDArray[np.int64]
    FloatArray: TypeAlias = NDArray[np.float64]

InferenceIds = Literal["uuid", "sequence", "none"]


@dataclass(frozen=True)
class Outputs:
    """Which models answer, and whether each container ends its CSV with a line end."""

    production: Family = "boosted"
    shadow: Family = "boosted-retrained"
    production_newline: bool = True
    shadow_newline: bool = False


@dataclass(frozen=True)
class Captured:
    """The captured requests of both variants.

    Shapes: parallel.

    Attributes:
        request: index into the traffic, ascending.
        lines: the request bodies.
        production_seen, shadow_seen: whether the variant left a record.
    """

    request: IntArray
    lines: list[str]
    production_scores: FloatArray
    shadow_scores: FloatArray
    production_seen: NDArray[np.bool_]
    shadow_seen: NDArray[np.bool_]


@dataclass(frozen=True)
class Record:
    """One line of a capture file and the time that files it."""

    at: datetime
    line: str


def capture(traffic: Traffic, share: float, outputs: Outputs, rng: np.random.Generator) -> Captured:
    """Choose the captured requests and score them with both models.

    The same requests are chosen in both variants, and always one at each end of the test so that
    the captures span it. An answer that failed leaves no record.
    """
    production = _succeeded(traffic, traffic.production)
    shadow = _succeeded(traffic, traffic.shadow)
    chosen = rng.random(traffic.minute.size) < share
    early_enough = (traffic.second < 58) & production & shadow
    for end in (0, traffic.minutes - 1):
        chosen[np.flatnonzero(early_enough & (traffic.minute == end))[0]] = True
    request = np.flatnonzero(chosen & (production | shadow))
    features = _distinct_customers(request.size, rng)
    return Captured(
        request=request,
        lines=request_lines(features),
        production_scores=score(outputs.production, features),
        shadow_scores=score(outputs.shadow, features),
        production_seen=production[request],
        shadow_seen=shadow[request],
    )


def records(
    traffic: Traffic,
    captured: Captured,
    outputs: Outputs,
    ids: InferenceIds,
    rng: np.random.Generator,
) -> dict[str, list[Record]]:
    """Role -> its capture records in the order of time."""
    found: dict[str, list[Record]] = {"production": [], "shadow": []}
    lag = rng.random(captured.request.size) * 0.6
    for row, request in enumerate(captured.request.tolist()):
        arrived = float(traffic.minute[request]) * 60 + float(traffic.second[request])
        inference_id = _inference_id(ids, request, rng)
        answers = _answers(captured, outputs, row)
        for role, second in (("production", arrived), ("shadow", arrived + float(lag[row]))):
            event_id = seeded_uuid(rng)
            if role not in answers:
                continue
            at = START + timedelta(seconds=int(second))
            line = record_line(captured.lines[row], answers[role], event_id, inference_id, at)
            found[role].append(Record(at, line))
    for side in found.values():
        side.sort(key=lambda record: record.at)
    return found


def _answers(captured: Captured, outputs: Outputs, row: int) -> dict[str, str]:
    """Role -> what its container printed for one request, where it left a record."""
    answers: dict[str, str] = {}
    if captured.production_seen[row]:
        score_text = repr(float(captured.production_scores[row]))
        answers["production"] = score_text + "\n" * outputs.production_newline
    if captured.shadow_seen[row]:
        score_text = repr(float(captured.shadow_scores[row]))
        answers["shadow"] = score_text + "\n" * outputs.shadow_newline
    return answers


def record_line(
    request: str, answer: str, event_id: str, inference_id: str | None, at: datetime
) -> str:
    """One capture record, its keys in the order SageMaker writes them."""
    metadata = {"eventId": event_id}
    if inference_id is not None:
        metadata["inferenceId"] = inference_id
    metadata["inferenceTime"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": request,
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "text/csv; charset=utf-8",
                "mode": "OUTPUT",
                "data": answer,
                "encoding": "CSV",
            },
        },
        "eventMetadata": metadata,
        "eventVersion": "0",
    }
    return json.dumps(body, separators=(",", ":"))


def hour_files(side: list[Record], prefix: str, rng: np.random.Generator) -> dict[str, bytes]:
    """Object key -> lines of one variant: `prefix/yyyy/mm/dd/hh/MM-SS-mmm-uuid.jsonl`."""
    files: dict[str, bytes] = {}
    for hour, group in groupby(side, key=lambda record: record.at.strftime("%Y/%m/%d/%H")):
        lines = list(group)
        millisecond = int(rng.integers(1000))
        name = f"{lines[0].at:%M-%S}-{millisecond:03d}-{seeded_uuid(rng)}.jsonl"
        body = "".join(f"{record.line}\n" for record in lines)
        files[f"{prefix}/{hour}/{name}"] = body.encode()
    return files


def seeded_uuid(rng: np.random.Generator) -> str:
    """A version 4 UUID drawn from `rng`."""
    return str(uuid.UUID(bytes=rng.bytes(16), version=4))


def _inference_id(ids: InferenceIds, request: int, rng: np.random.Generator) -> str | None:
    if ids == "uuid":
        return seeded_uuid(rng)
    return f"churn-{request:07d}" if ids == "sequence" else None


def _succeeded(traffic: Traffic, served: Served) -> NDArray[np.bool_]:
    """For each request of the traffic: whether this variant answered it with 2XX."""
    seen = np.zeros(traffic.minute.size, dtype=np.bool_)
    seen[served.request[served.succeeded]] = True
    return seen


def _distinct_customers(count: int, rng: np.random.Generator) -> FloatArray:
    """Customers no two of whom send the same request."""
    features = draw_customers(count + 64, rng).features
    _, first = np.unique(features, axis=0, return_index=True)
    return features[np.sort(first)[:count]]
