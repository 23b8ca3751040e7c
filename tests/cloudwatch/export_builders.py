"""One set of points, written in every shape a CloudWatch export can have."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ENDPOINT = "churn-endpoint"
VARIANTS = {"production": "churn-v1", "shadow": "churn-v2-shadow"}
START = datetime(2026, 11, 16, tzinfo=UTC)
UNITS = {"ModelLatency": "Microseconds", "Invocation5XXErrors": "None"}
STREAM_FIELDS = {"SampleCount": "count", "Sum": "sum", "Minimum": "min", "Maximum": "max"}


@dataclass(frozen=True)
class Minute:
    """The statistics CloudWatch keeps of one minute of one metric of one variant."""

    variant: str
    metric: str
    at: datetime
    stats: tuple[tuple[str, float], ...]


def minute(variant: str, metric: str, offset: int, values: Sequence[float]) -> Minute:
    """A minute made of these raw values."""
    ordered = sorted(values)
    stats = {
        "SampleCount": float(len(ordered)),
        "Sum": sum(ordered),
        "Minimum": ordered[0],
        "Maximum": ordered[-1],
        "p99": ordered[-1],
        "Average": sum(ordered) / len(ordered),
    }
    return Minute(variant, metric, START + timedelta(minutes=offset), tuple(stats.items()))


def two_variants(minutes: int = 3, value: float = 70_000.0) -> list[Minute]:
    """The same steady minutes of both metrics of both variants."""
    return [
        minute(variant, metric, offset, [level + offset, level + 2 * offset])
        for variant in VARIANTS.values()
        for metric, level in (("ModelLatency", value), ("Invocation5XXErrors", 0.0))
        for offset in range(minutes)
    ]


def row(**changes: object) -> dict[str, object]:
    """One metric row, as this project's own export writes it."""
    variant = changes.pop("variant", VARIANTS["production"])
    return {
        "namespace": "AWS/SageMaker",
        "metric_name": "ModelLatency",
        "dimensions": {"EndpointName": ENDPOINT, "VariantName": variant},
        "period": 60,
        "stat": "p99",
        "timestamp": "2026-11-16T00:00:00Z",
        "value": 71234.5,
        "unit": "Microseconds",
        **changes,
    }


def stream_object(**changes: object) -> dict[str, object]:
    """One object of a metric stream."""
    return {
        "metric_stream_name": "s",
        "account_id": "123456789012",
        "region": "eu-west-1",
        "namespace": "AWS/SageMaker",
        "metric_name": "ModelLatency",
        "dimensions": {"EndpointName": ENDPOINT, "VariantName": VARIANTS["production"]},
        "timestamp": 1_794_787_200_000,
        "value": {"count": 2.0, "sum": 5000.0, "min": 2000.0, "max": 3000.0, "p99": 2990.0},
        "unit": "Microseconds",
        **changes,
    }


def lines(objects: Sequence[object]) -> bytes:
    """JSON Lines."""
    return "".join(f"{json.dumps(one)}\n" for one in objects).encode()


def write(folder: Path, name: str, content: bytes | str | object) -> Path:
    """The path of a file of these bytes, text or JSON."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def as_rows(minutes: Sequence[Minute], folder: Path) -> None:
    rows = [
        row(
            metric_name=one.metric,
            variant=one.variant,
            stat=stat,
            timestamp=one.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            value=value,
            unit=UNITS[one.metric],
        )
        for one in minutes
        for stat, value in one.stats
    ]
    write(folder, "rows.jsonl", lines(rows))


def as_stream(minutes: Sequence[Minute], folder: Path) -> None:
    """Glued without newlines, as Firehose may deliver them; the mean is for the reader to make."""
    objects = [
        stream_object(
            metric_name=one.metric,
            dimensions={"VariantName": one.variant, "EndpointName": ENDPOINT},
            timestamp=int(one.at.timestamp() * 1000) + 7_000,
            value={STREAM_FIELDS.get(s, s): v for s, v in one.stats if s != "Average"},
            unit=UNITS[one.metric],
        )
        for one in minutes
    ]
    write(folder, "stream-1", "".join(json.dumps(one) for one in objects))


def _series(minutes: Sequence[Minute]) -> dict[tuple[str, str, str], list[tuple[str, float]]]:
    """(variant, metric, stat) -> points, newest first."""
    found: dict[tuple[str, str, str], list[tuple[str, float]]] = {}
    for one in sorted(minutes, key=lambda each: each.at, reverse=True):
        for stat, value in one.stats:
            points = found.setdefault((one.variant, one.metric, stat), [])
            points.append((one.at.isoformat(), value))
    return found


def _answer(results: Sequence[tuple[str, str, Sequence[tuple[str, float]]]]) -> dict[str, object]:
    """A get-metric-data answer whose every id is on two pages."""
    pages = [
        {
            "Id": key,
            "Label": label,
            "Timestamps": [at for at, _ in part],
            "Values": [value for _, value in part],
            "StatusCode": status,
        }
        for key, label, points in results
        for part, status in ((points[:1], "PartialData"), (points[1:], "Complete"))
    ]
    return {"MetricDataResults": pages, "Messages": []}


def as_labelled_data(minutes: Sequence[Minute], folder: Path) -> None:
    results = [
        (f"m{n}", f"AWS/SageMaker|{metric}|{ENDPOINT}|{variant}|{stat}|60", points)
        for n, ((variant, metric, stat), points) in enumerate(_series(minutes).items())
    ]
    write(folder, "data.json", _answer(results))


def as_queried_data(minutes: Sequence[Minute], folder: Path) -> None:
    series = _series(minutes)
    queries = [
        {
            "Id": f"m{n}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": metric,
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": ENDPOINT},
                        {"Name": "VariantName", "Value": variant},
                    ],
                },
                "Period": 60,
                "Stat": stat,
            },
        }
        for n, (variant, metric, stat) in enumerate(series)
    ]
    results = [(f"m{n}", "a label", points) for n, points in enumerate(series.values())]
    write(folder, "data.json", _answer(results))
    write(folder, "data-queries.json", {"MetricDataQueries": queries})


def as_named_data(minutes: Sequence[Minute], folder: Path) -> None:
    roles = {name: role for role, name in VARIANTS.items()}
    results = [
        (f"{roles[variant]}_{metric}_{stat}", metric, points)
        for (variant, metric, stat), points in _series(minutes).items()
    ]
    write(folder, "data.json", _answer(results))


def as_statistics(minutes: Sequence[Minute], folder: Path) -> None:
    for variant in VARIANTS.values():
        for metric, unit in UNITS.items():
            mine = [one for one in minutes if (one.variant, one.metric) == (variant, metric)]
            points = [
                {
                    "Timestamp": str(one.at),
                    "Unit": unit,
                    **{stat: value for stat, value in one.stats if stat != "p99"},
                    "ExtendedStatistics": {"p99": dict(one.stats)["p99"]},
                }
                for one in mine[1:] + mine[:1]
            ]
            answer = {"Label": metric, "Datapoints": points}
            write(folder, f"{variant}-{metric}-60s.json", answer)


def as_csv(minutes: Sequence[Minute], folder: Path) -> None:
    series = _series(minutes)
    times = sorted({at for points in series.values() for at, _ in points})
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["Time", *(f"{v} {m} {s}" for v, m, s in series)])
    for at in times:
        values = [dict(points).get(at, "") for points in series.values()]
        writer.writerow([at, *values])
    write(folder, "metrics.csv", table.getvalue())


SHAPES: dict[str, Callable[[Sequence[Minute], Path], None]] = {
    "rows": as_rows,
    "stream": as_stream,
    "labelled data": as_labelled_data,
    "queried data": as_queried_data,
    "named data": as_named_data,
    "statistics": as_statistics,
    "csv": as_csv,
}
