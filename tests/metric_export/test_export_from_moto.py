"""An export from moto's CloudWatch, SageMaker and Auto Scaling, which nobody here wrote.

moto knows no shadow variants, so that two production variants stand for both; percentiles,
experiments and scaling activities, for which it has no answer, are added to it.
"""

from __future__ import annotations

import gzip
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import numpy as np
import pytest

from tests.forked_runs import analyzer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "eu-west-1"
VARIANTS = ("v1", "v2")
MINUTES = 30


@pytest.fixture
def moto_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
    from moto.cloudwatch import models
    from moto.sagemaker.responses import SageMakerResponse
    from moto.server import ThreadedMotoServer

    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(models.Statistics, "get_statistics_for_type", with_percentiles)
    for kind, operation, answer in (
        (ApplicationAutoScalingResponse, "describe_scaling_activities", "ScalingActivities"),
        (SageMakerResponse, "list_inference_experiments", "InferenceExperiments"),
    ):
        none = json.dumps({answer: []})
        monkeypatch.setattr(kind, operation, lambda _, said=none: said, raising=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def with_percentiles(self: Any, stat: str) -> float | None:  # noqa: ANN401 - moto's
    """What moto answers, and for its nothing the percentile."""
    plain: float | None = getattr(self, _PLAIN.get(stat, ""), None)
    if plain is not None:
        return plain
    values = [one.value for one in self.metric_data]
    return float(np.percentile(values, float(stat.removeprefix("tm").removeprefix("p"))))


_PLAIN = {
    "Average": "average",
    "Minimum": "minimum",
    "Maximum": "maximum",
    "SampleCount": "sample_count",
    "Sum": "sum",
}


def put_endpoint(url: str) -> None:
    sagemaker = boto3.client("sagemaker", endpoint_url=url)
    role = f"arn:aws:iam::{'1' * 12}:role/r"
    variants: Any = []
    for name in VARIANTS:
        sagemaker.create_model(ModelName=f"model-{name}", ExecutionRoleArn=role)
        variants.append({"VariantName": name, "ModelName": f"model-{name}"})
        variants[-1] |= {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName="churn", EndpointConfigName="c")


def put_points(url: str, start: datetime) -> None:
    """Each minute has as many invocations as its number; each took a millisecond of it."""
    cloudwatch = boto3.client("cloudwatch", endpoint_url=url)
    for number, variant in enumerate(VARIANTS, 1):
        dimensions = [
            {"Name": "EndpointName", "Value": "churn"},
            {"Name": "VariantName", "Value": variant},
        ]
        data: Any = []
        for minute in range(MINUTES):
            at = start + timedelta(minutes=minute)
            common = {"Dimensions": dimensions, "Timestamp": at}
            data.append({**common, "MetricName": "Invocations", "Value": minute, "Unit": "None"})
            latency = {"Value": 1000.0 * number * minute, "Unit": "Microseconds"}
            data.append({**common, "MetricName": "ModelLatency", **latency})
        cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=data)


def test_what_moto_was_told_is_what_is_exported(moto_url: str, tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    start = now - timedelta(minutes=MINUTES + 10)
    put_endpoint(moto_url)
    put_points(moto_url, start)
    until = start + timedelta(minutes=MINUTES)
    command = ["metrics", "churn", "--endpoint-url", moto_url]
    command += ["--since", start.isoformat(), "--until", until.isoformat()]
    done = analyzer(*command, "--out", tmp_path / "m", "--quiet")
    assert done.returncode == 0, done.stderr
    with gzip.open(tmp_path / "m" / "metric_rows.jsonl.gz", "rt") as stream:
        rows = [json.loads(one) for one in stream]
    for number, variant in enumerate(VARIANTS, 1):
        found: dict[tuple[str, str], dict[str, float]] = {}
        for row in rows:
            if row["dimensions"]["VariantName"] == variant and row["period"] == 60:
                series = found.setdefault((row["metric_name"], row["stat"]), {})
                series[row["timestamp"]] = row["value"]
        times = [
            (start + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")
            for minute in range(MINUTES)
        ]
        assert found["Invocations", "Sum"] == dict(zip(times, range(MINUTES), strict=True))
        assert found["ModelLatency", "Average"] == {
            at: 1000.0 * number * minute for minute, at in enumerate(times)
        }
    described = json.loads((tmp_path / "m" / "endpoint.json").read_text())
    assert described["DescribeEndpoint"]["EndpointStatus"] == "InService"
    models = [one["ModelName"] for one in described["DescribeEndpointConfig"]["ProductionVariants"]]
    assert models == ["model-v1", "model-v2"]

    judged = analyzer(
        "run", "--endpoint", "churn", "--production", "v1", "--shadow", "v2",
        "--cloudwatch", tmp_path / "m", "--out", tmp_path / "a",
        "--fail-on", "never", "--format", "json", "--quiet",
    )  # fmt: skip
    assert judged.returncode == 0, judged.stderr
    told = json.loads(judged.stdout)
    assert told["subject"]["shadow_variant"] == "v2"
    assert told["inputs"]["metric_points"] == len(rows)
