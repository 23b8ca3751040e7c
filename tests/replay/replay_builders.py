"""Replays made here: production's captures, what a candidate answered, and both sidecars."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.replayed import sidecar

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from analyzer.analysis import Analysis

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

CAPTURED = datetime(2026, 11, 16, 10, tzinfo=UTC)
SENT = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = "2026/11/16/10"
RATE = 50.0


@dataclass(frozen=True)
class World:
    """A replay of `requests` captured requests, as fast as `RATE`.

    Attributes:
        base_s: a typical latency of the baseline.
        slower: factor of the candidate's latencies.
        failing, baseline_failing: shares of requests that get a 500.
        late_s, late_share: how late how many of the sends were.
        paced: at `RATE`; otherwise all are due when the sending begins.
        warm_up: how many of the first requests.
        together: the baseline is sent its requests in turns with the candidate, not before.
        repeats: how many requests ask the same.
        shift: how far the candidate's scores are off.
    """

    requests: int = 5_000
    base_s: float = 0.04
    slower: float = 1.0
    failing: float = 0.0
    baseline_failing: float = 0.0
    late_s: float = 0.0
    late_share: float = 0.0
    paced: bool = True
    warm_up: int = 50
    baseline: bool = True
    together: bool = True
    repeats: int = 1
    shift: float = 1e-3
    seed: int = 1


def event_id(k: int) -> str:
    """The ID production's endpoint gave the k-th request: a UUID of version 4."""
    return f"00000000-0000-4000-8000-{k + 1:012x}"


def build(folder: Path, world: World) -> tuple[Path, Path]:
    """Write the captures and the replay; returns the folders of both."""
    rng = np.random.default_rng(world.seed)
    n = world.requests
    scores = rng.beta(2, 2, size=-(-n // world.repeats)).repeat(world.repeats)[:n]
    request = 0.2 * rng.normal(size=n)
    production, out = folder / "captures" / "churn" / "v1", folder / "replay"
    everything = np.ones(n, dtype=np.bool_)
    write_captures(production, scores, scores, everything)
    sides = [("candidate", world.slower, world.failing)]
    if world.baseline:
        sides.append(("baseline", 1.0, world.baseline_failing))
    first = rng.random(n) < 0.5
    for name, factor, failing in sides:
        latency_s = factor * world.base_s * np.exp(request + 0.2 * rng.normal(size=n))
        failed = rng.random(n) < failing
        late = np.where(rng.random(n) < world.late_share, world.late_s, 0.0)
        # each variant has half of a request's slot, whichever comes first
        turn = np.where(first == (name == "candidate"), 0.0, 0.5)
        at = (np.arange(n) + turn) / RATE
        if not world.together and name == "baseline":
            at = at + n / RATE
        at = at * world.paced
        shift = world.shift if name == "candidate" else 0.0
        home = out / "churn" / name
        write_captures(home, scores, np.clip(scores + shift, 0, 1), ~failed)
        table = sidecar_of(name, at, late, latency_s, failed, warm_up=world.warm_up)
        sidecar.write(home, table)
    (out / ".replay").mkdir(parents=True)
    (out / ".replay" / "requests.jsonl").write_bytes(b"{}\n")
    return production, out


def write_captures(variant: Path, inputs: Floats, scores: Floats, answered: Flags) -> None:
    """Capture records of one variant, one a second."""
    (variant / HOUR).mkdir(parents=True)
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    record = {
        "captureData": {
            "endpointInput": {**side, "mode": "INPUT", "data": "%.9f,1"},
            "endpointOutput": {**side, "mode": "OUTPUT", "data": "%.6f"},
        },
        "eventMetadata": {"eventId": "%s", "inferenceTime": "%s"},
        "eventVersion": "0",
    }
    form = f"{json.dumps(record)}\n"
    moments = [
        (CAPTURED + timedelta(seconds=k)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for k in range(len(inputs) // 2 + 1)
    ]
    (variant / HOUR / "00-00-000-a.jsonl").write_text(
        "".join(
            form % (inputs[k], scores[k], event_id(k), moments[k // 2])
            for k in np.flatnonzero(answered).tolist()
        ),
        encoding="utf-8",
    )


def sidecar_of(
    name: str, at_s: Floats, late_s: Floats, latency_s: Floats, failed: Flags, *, warm_up: int
) -> pa.Table:
    """Rows of a sidecar; a failed request took as long as any other."""
    n = len(at_s)
    start = int(SENT.timestamp() * 1e6)
    intended = start + np.round(at_s * 1e6).astype(np.int64)
    sent = intended + np.round(late_s * 1e6).astype(np.int64) + 40
    done = sent + np.round(latency_s * 1e6).astype(np.int64)
    columns = {
        "inference_id": [None] * n,
        "event_id": [event_id(k) for k in range(n)],
        "variant": [name] * n,
        "order": list(range(n)),
        "intended_at": intended.tolist(),
        "sent_at": sent.tolist(),
        "first_byte_at": done.tolist(),
        "done_at": done.tolist(),
        "status": [500 if bad else 200 for bad in failed.tolist()],
        "error_code": ["status" if bad else None for bad in failed.tolist()],
        "error_text": [None] * n,
        "began_at": [start] * n,
        "warm_up": [k < warm_up for k in range(n)],
        "late": [bool(s > 0.005) for s in late_s.tolist()],
    }
    return pa.table(columns, schema=sidecar.SCHEMA)


def judged(folder: Path, world: World, *policy: str) -> Analysis:
    """The verdict on a world, asked for as a person would."""
    production, out = build(folder, world)
    return run(str(production), str(out / "churn" / "candidate"), *policy)


def run(production: str, shadow: str, *policy: str) -> Analysis:
    """`analyzer run --production PATH --shadow PATH`."""
    request = analysis.Request(production=production, shadow=shadow, overrides=policy)
    return analysis.run(replace(request, use_cache=False), silent)
