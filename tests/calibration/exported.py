"""A world as files: metric rows and capture records, which `analyzer run` reads like any others.

In: which series CloudWatch would have of a world, and writing them and the captured pairs down.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from tests.calibration.noise import FloatArray
    from tests.calibration.worlds import World

ENDPOINT = "calibration"
VARIANTS = {"production": "model-v1", "shadow": "model-v2-shadow"}
START = datetime(2026, 11, 16, tzinfo=UTC)
"""A Monday, midnight."""
_INSTANCES = 10
_THRESHOLD = 0.5


@dataclass(frozen=True)
class Series:
    """One exported series from the start of the world; nan where there is no point."""

    role: str
    metric: str
    stat: str
    period_s: int
    values: FloatArray
    endpoint: str = ENDPOINT
    unit: str = ""

    @property
    def timed(self) -> bool:
        """Whether the values are times, in microseconds."""
        return self.metric == "ModelLatency" and self.stat != "SampleCount"


def series_of(world: World) -> Iterator[Series]:
    """What the README asks to export. The shadow's fleet is smaller by its sampling."""
    fleets = (_INSTANCES, _INSTANCES * world.setting.sampling)
    for side, (role, instances) in enumerate(zip(VARIANTS, fleets, strict=True)):
        sent = np.where(world.counts[side] > 0, world.counts[side], np.nan)
        errors = np.where(np.isnan(sent), np.nan, world.errors[side])
        yield Series(role, "Invocations", "Sum", 60, sent)
        yield Series(role, "InvocationsPerInstance", "Sum", 60, sent / instances)
        yield Series(role, "Invocation4XXErrors", "Sum", 60, sent * 0)
        yield Series(role, "Invocation5XXErrors", "Sum", 60, errors)
        yield Series(role, "InvocationModelErrors", "Sum", 60, errors)
        yield Series(role, "ModelLatency", "SampleCount", 60, sent)
        yield Series(role, "ModelLatency", "Average", 60, world.mean_us[side])
        for (stat, period_s), values in world.tails.items():
            yield Series(role, "ModelLatency", stat, period_s, values[side])


def write_world(folder: Path, world: World) -> None:
    """The exports below `cloudwatch/`, the captured pairs below `captures/`."""
    write_series(folder / "cloudwatch", series_of(world))
    repeats = world.setting.truth.repeats
    write_records(folder / "captures", world.pairs, world.flips, repeats=repeats)


def write_series(folder: Path, found: Iterable[Series]) -> None:
    """Metric rows as JSON Lines."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "metrics.jsonl").open("w", encoding="utf-8") as file:
        for one in found:
            head = {
                "namespace": "AWS/SageMaker",
                "metric_name": one.metric,
                "dimensions": {"EndpointName": one.endpoint, "VariantName": VARIANTS[one.role]},
                "period": one.period_s,
                "stat": one.stat,
                "unit": one.unit or ("Microseconds" if one.metric == "ModelLatency" else "None"),
            }
            opening = json.dumps(head)[:-1]
            for index, value in enumerate(one.values.tolist()):
                if value == value:  # noqa: PLR0124 - not a number: no point
                    at = stamp(index * one.period_s)
                    file.write(f'{opening}, "timestamp": "{at}", "value": {value!r}}}\n')


def write_records(
    folder: Path,
    pairs: npt.NDArray[np.int64],
    flips: npt.NDArray[np.int64],
    *,
    repeats: int,
) -> None:
    """One object an hour and variant; of an hour's inputs the first ones flip."""
    for role, hours in records(pairs, flips, repeats=repeats).items():
        for hour, lines in enumerate(hours):
            write_hour(folder, VARIANTS[role], hour, "".join(lines).encode())


def write_hour(folder: Path, variant: str, hour: int, body: bytes) -> None:
    """One object of capture records."""
    at = START + timedelta(hours=hour)
    path = folder / ENDPOINT / variant / f"{at:%Y/%m/%d/%H}" / "00-00-000-a.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def records(
    pairs: npt.NDArray[np.int64], flips: npt.NDArray[np.int64], *, repeats: int
) -> dict[str, list[list[str]]]:
    """Role -> the lines of every hour, pairs at the same place."""
    found: dict[str, list[list[str]]] = {role: [] for role in VARIANTS}
    for hour, (count, flipped) in enumerate(zip(pairs.tolist(), flips.tolist(), strict=True)):
        answers = list(_answers(hour, count, flipped, repeats))
        for role, hours in found.items():
            hours.append(
                [
                    record(3600 * hour + 3600 * index // count, role, name, payload, scores[role])
                    for index, (name, payload, scores) in enumerate(answers)
                ]
            )
    return found


def _answers(
    hour: int, count: int, flipped: int, repeats: int
) -> Iterator[tuple[str, str, dict[str, float]]]:
    """(inference ID, payload, score of each role) of an hour's pairs.

    A flip is a small step across the threshold: no large shift of the score.
    """
    for index in range(count):
        step = 0.001 + 0.03 * (index // repeats % 97) / 97
        away = step if index // repeats % 2 else -step
        production = _THRESHOLD + away * (1 if index < flipped else 14)
        shadow = _THRESHOLD - away if index < flipped else production + 0.0004 * (away > 0)
        payload = f"{hour},{index // repeats}"
        yield f"{hour}-{index}", payload, {"production": production, "shadow": shadow}


def record(second: int, role: str, name: str, payload: str, score: float) -> str:
    """One captured invocation, as SageMaker writes it."""
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    body = {
        "captureData": {
            "endpointInput": {**side, "mode": "INPUT", "data": payload},
            "endpointOutput": {**side, "mode": "OUTPUT", "data": f"{score:.6f}\n"},
        },
        "eventMetadata": {
            "eventId": f"{role} {name}",
            "inferenceId": name,
            "inferenceTime": stamp(second),
        },
        "eventVersion": "0",
    }
    return json.dumps(body, separators=(",", ":")) + "\n"


@cache
def stamp(second: int) -> str:
    """Seconds since the start of the world as ISO 8601."""
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
