"""One export: the endpoint described, its metrics asked for, both written as files.

In: the order of the steps and the two files. Out: what is asked (`asking`) and how (`fetching`).
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from analyzer.errors import ResourceError, UsageError
from analyzer.metric_export.asking import MINUTE_S, kept_from, questions, requests
from analyzer.metric_export.describing import Clients, Description, describe
from analyzer.metric_export.fetching import fetch
from analyzer.sources.aws import client_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.metric_export.asking import Question
    from analyzer.metric_export.fetching import Points
    from analyzer.sources import AwsOptions
    from analyzer.steps import Progress

METRIC_ROWS = "metric_rows.jsonl.gz"
ENDPOINT_FILE = "endpoint.json"
MINUTES_KEPT = timedelta(days=15)
"""Of one-minute points, without which latency and errors cannot be judged by the minute."""
_NEEDED = ("Invocations", "ModelLatency")


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        files: names in the folder.
        points: by variant.
        remarks: what a reader of the export should know.
    """

    folder: Path
    endpoint: str
    start: datetime
    end: datetime
    files: tuple[str, ...]
    points: dict[str, int]
    remarks: tuple[str, ...]

    def to_json(self) -> str:
        """As a JSON document."""
        body = {
            "endpoint": self.endpoint,
            "start": _stamp(self.start),
            "end": _stamp(self.end),
            "files": list(self.files),
            "points": self.points,
            "remarks": list(self.remarks),
        }
        return json.dumps(body, indent=2, sort_keys=True) + "\n"


def export_metrics(
    endpoint: str,
    span: tuple[datetime | None, datetime | None],
    folder: Path,
    aws: AwsOptions,
    progress: Progress,
    *,
    now: datetime | None = None,
) -> Exported:
    """Write the metrics of an endpoint's variants, and what the endpoint is, into a folder.

    Args:
        endpoint: its name; it need not exist any more.
        span: start, the last 15 days without it; end, now without it.
        folder: made if missing; an earlier export in it is replaced once this one is complete.
        aws: how AWS is reached; its endpoint URL is for every service that is asked.
        progress: told of every request that was answered.
        now: the moment of asking, for tests.

    Raises:
        AccessError: AWS refuses or cannot be reached.
        InputError: nobody knows the endpoint.
        ResourceError: the folder cannot be written.
        UsageError: the span lies in the future or ends before it starts.
    """
    now = now or datetime.now(UTC)
    start, end = span[0] or now - MINUTES_KEPT, span[1] or now
    if start >= min(end, now):
        raise UsageError("--since must be before --until and before now")
    clients = Clients(
        cloudwatch=cast("Any", client_of(aws, "cloudwatch")),
        sagemaker=cast("Any", client_of(aws, "sagemaker")),
        scaling=cast("Any", client_of(aws, "application-autoscaling")),
    )
    progress("describing the endpoint", 0, 1)
    described = describe(clients, endpoint)
    progress("describing the endpoint", 1, 1)
    asked = questions(endpoint, described.variants)
    plan = list(requests(asked, start, end, now))
    found: Counter[Question] = Counter()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Of this export alone, and gone with it: whatever stops it, the earlier one stays whole.
        with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as held:
            draft = Path(held)
            # Without a time of its own, so that the same points give the same bytes.
            with (
                (draft / METRIC_ROWS).open("wb") as raw,
                gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file,
            ):
                for number, (_, points) in enumerate(fetch(clients.cloudwatch, plan)):
                    for question, values in points.items():
                        _write(cast("IO[bytes]", file), question, values)
                        found[question] += len(values)
                    progress("exporting metrics", number + 1, len(plan))
            files = (METRIC_ROWS, *_write_description(draft, described))
            _replace(draft, folder, files)
    except OSError as error:
        raise ResourceError(f"{folder}: cannot be written: {error.strerror}") from None
    totals = dict.fromkeys(described.variants, 0)
    for question, count in found.items():
        totals[question.variant] += count
    return Exported(
        folder=folder,
        endpoint=endpoint,
        start=start,
        end=min(end, now),
        files=files,
        points=totals,
        remarks=(*_remarks(start, now), *_empty(found, asked), *described.remarks),
    )


def _write(file: IO[bytes], question: Question, points: Points) -> None:
    """Metric rows, one a line; what they share is formed once."""
    shared = {
        "namespace": question.namespace,
        "metric_name": question.metric,
        "dimensions": {"EndpointName": question.endpoint, "VariantName": question.variant},
        "period": question.period_s,
        "stat": question.stat,
        "unit": question.unit,
    }
    head = json.dumps(shared)[:-1]
    lines = [
        f'{head}, "timestamp": "{_stamp(at)}", "value": {json.dumps(value)}}}\n'
        for at, value in points
    ]
    file.write("".join(lines).encode())


def _write_description(folder: Path, described: Description) -> list[str]:
    """endpoint.json where there is anything to say in it; the names of what was written."""
    if not described.answers:
        return []
    text = json.dumps(described.answers, indent=2, sort_keys=True, default=_moment) + "\n"
    (folder / ENDPOINT_FILE).write_text(text, encoding="utf-8")
    return [ENDPOINT_FILE]


def _replace(draft: Path, folder: Path, files: Iterable[str]) -> None:
    """The finished files in place of the earlier ones, with nothing slow in between."""
    for name in files:
        (draft / name).replace(folder / name)
    if ENDPOINT_FILE not in files:
        # An older one may say otherwise of what the new rows are.
        (folder / ENDPOINT_FILE).unlink(missing_ok=True)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(type(value))


def _remarks(start: datetime, now: datetime) -> list[str]:
    kept = kept_from(MINUTE_S, now)
    if start >= kept - timedelta(seconds=MINUTE_S):
        return []
    text = (
        f"CloudWatch keeps one-minute points for 15 days: those before {_stamp(kept)} are gone, so "
        "latency and errors can be judged from then on only"
    )
    return [text]


def _empty(found: Counter[Question], asked: tuple[Question, ...]) -> list[str]:
    """Series without which much cannot be judged, of which there is no point at all."""
    seen = {(question.variant, question.metric) for question, count in found.items() if count}
    variants = list(dict.fromkeys(question.variant for question in asked))
    missing = [
        f"{metric} of {variant}"
        for variant in variants
        for metric in _NEEDED
        if (variant, metric) not in seen
    ]
    if not missing:
        return []
    return [f"CloudWatch has no points of {' and '.join(missing)} in this time"]


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
