from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from analyzer import analysis
from analyzer.errors import AccessError, InputError
from analyzer.metric_export import export_metrics, fetching, writing
from analyzer.metric_export.asking import Question, Request
from analyzer.metric_export.describing import Clients, describe
from analyzer.promotion.description import read_description
from analyzer.sources import AwsOptions
from tests.metric_export.cloudwatch_of import RawCloudWatch, at, traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

START = at("2026-11-16T00:00")
MINUTES = 1_440
NOW = START + timedelta(minutes=MINUTES + 30)
BRIEFLY = 90
SOON = START + timedelta(minutes=BRIEFLY + 30)
"""Time enough for what does not depend on how long a test was."""
VARIANTS = ("churn-v1", "churn-v2-shadow")
FLEET: dict[str, Any] = {
    "EndpointName": "churn",
    "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/churn",
    "EndpointConfigName": "churn-7",
    "EndpointStatus": "InService",
    "CreationTime": START - timedelta(days=30),
    "LastModifiedTime": START - timedelta(days=1),
    "ProductionVariants": [{"VariantName": VARIANTS[0], "CurrentWeight": 1.0}],
    "ShadowProductionVariants": [{"VariantName": VARIANTS[1], "CurrentWeight": 0.5}],
}
CONFIG: dict[str, Any] = {
    "EndpointConfigName": "churn-7",
    "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/churn-7",
    "CreationTime": START - timedelta(days=1),
    "ProductionVariants": [{"VariantName": VARIANTS[0], "ModelName": "churn-model-1"}],
    "ShadowProductionVariants": [{"VariantName": VARIANTS[1], "ModelName": "churn-model-2"}],
}


def silent(*_: object, **__: object) -> None:
    return None


def refused(operation: str, code: str = "AccessDeniedException", text: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text}}, operation)


class Answers:
    """A client that gives what it was told to, and raises what is an error."""

    def __init__(self, **answers: object) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Mapping[str, Any]]:
        def call(**_: object) -> Mapping[str, Any]:
            answer = self._answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer  # type: ignore[return-value]

        return call


SAGEMAKER = Answers(
    describe_endpoint={**FLEET, "ResponseMetadata": {"RequestId": "secret-request"}},
    describe_endpoint_config=CONFIG,
    list_inference_experiments={"InferenceExperiments": []},
)
SCALING = Answers(describe_scaling_activities={"ScalingActivities": []})


def serve(patch: pytest.MonkeyPatch, cloudwatch: object) -> None:
    """Put a CloudWatch in place of AWS's; the endpoint is described by the constants above."""
    clients = {
        "cloudwatch": cloudwatch,
        "sagemaker": SAGEMAKER,
        "application-autoscaling": SCALING,
    }
    patch.setattr(writing, "client_of", lambda _, service: clients[service])


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    return partial(serve, monkeypatch)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    with gzip.open(folder / writing.METRIC_ROWS, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def two_variants(slower: float = 1.0, minutes: int = BRIEFLY) -> RawCloudWatch:
    values = traffic(START, minutes, variant=VARIANTS[0])
    values |= traffic(START, minutes, variant=VARIANTS[1], slower=slower)
    return RawCloudWatch(values)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> writing.Exported:
    """A day of both variants, in a folder to read only."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        serve(patch, two_variants(minutes=MINUTES))
        return export_metrics("churn", (START, None), folder, AwsOptions(), silent, now=NOW)


def test_an_export_is_read_without_flags_and_lacks_nothing_a_verdict_needs(
    exported: writing.Exported,
) -> None:
    assert exported.files == ("metric_rows.jsonl.gz", "endpoint.json")
    assert not exported.remarks
    request = analysis.Request(endpoint="churn", cloudwatch=(str(exported.folder),))
    verdict = analysis.run(request, silent).verdict
    assert verdict.subject.production_variant == "churn-v1"
    assert verdict.subject.shadow_model == "churn-model-2"
    judged = {"latency_mean", "latency_p99", "latency_p95", "latency_p50", "overhead_latency"}
    judged |= {"error_5xx_rate", "error_4xx_rate", "model_error_rate"}
    for metric in judged:
        effect = verdict.metrics[metric].effect
        assert effect is not None, metric
        assert effect.estimate is not None, metric
    unexported = {
        metric
        for metric, item in verdict.metrics.items()
        if any(note.code == "not-exported" for note in item.notes)
    }
    assert not unexported & judged


def test_a_promotion_is_planned_from_the_endpoint_file_of_an_export(
    exported: writing.Exported,
) -> None:
    described = read_description(exported.folder / "endpoint.json", "churn")
    assert described.production["ModelName"] == "churn-model-1"
    assert described.shadow is not None
    assert not described.scaling_known


def test_a_configuration_changed_between_two_exports_of_one_test_is_not_judged_as_one(
    tmp_path: Path, served: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    served(two_variants())
    export_metrics("churn", (START, SOON), tmp_path / "m/1", AwsOptions(), silent, now=SOON)
    changed = START + timedelta(minutes=40)
    later = {**FLEET, "EndpointConfigName": "churn-8", "LastModifiedTime": changed}
    monkeypatch.setitem(vars(SAGEMAKER)["_answers"], "describe_endpoint", later)
    export_metrics("churn", (START, SOON), tmp_path / "m/2", AwsOptions(), silent, now=SOON)
    one, two = (str(tmp_path / "m" / name) for name in "12")
    for folders, outcome in (
        ((one,), "pass"),
        ((one, two), "fail"),
        ((str(tmp_path / "m"),), "fail"),
    ):
        request = analysis.Request(endpoint="churn", cloudwatch=folders)
        verdict = analysis.run(request, silent).verdict
        assert verdict.gates["deployment"].outcome.value == outcome
        noted = {note.code for note in verdict.notes}
        assert ("configurations-differ" in noted) == (outcome == "fail")


class Refusing(RawCloudWatch):
    """One whose second request is refused, as when credentials expire in between."""

    def get_metric_data(self, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - any request
        if self.requests:
            raise refused("GetMetricData")
        return super().get_metric_data(**body)


def test_an_export_that_was_refused_leaves_no_trace(
    tmp_path: Path, served: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    served(two_variants())
    export_metrics("churn", (START, None), tmp_path, AwsOptions(), silent, now=SOON)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setitem(
        vars(SAGEMAKER)["_answers"], "describe_endpoint", {**FLEET, "EndpointConfigName": "churn-8"}
    )
    served(Refusing(traffic(START, BRIEFLY, variant=VARIANTS[0]), page=777))
    with pytest.raises(AccessError):
        export_metrics("churn", (START, None), tmp_path, AwsOptions(), silent, now=SOON)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_both_files_are_the_earlier_ones_until_both_are_complete(
    tmp_path: Path, served: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    served(two_variants())
    export_metrics("churn", (START, None), tmp_path, AwsOptions(), silent, now=SOON)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def stopped(*_: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "_write_description", stopped)
    served(two_variants(slower=1.5))
    with pytest.raises(KeyboardInterrupt):
        export_metrics("churn", (START, None), tmp_path, AwsOptions(), silent, now=SOON)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_two_exports_into_one_folder_do_not_share_a_draft(
    tmp_path: Path, served: Callable[[object], None]
) -> None:
    served(two_variants())
    export_metrics("churn", (START, None), tmp_path / "alone", AwsOptions(), silent, now=SOON)
    inner: list[bool] = []

    def within(stage: str, done: int, of: int | None, **_: object) -> None:
        if stage == "exporting metrics" and done not in {0, of} and not inner:
            inner.append(True)
            export_metrics("churn", (START, None), tmp_path / "m", AwsOptions(), silent, now=SOON)

    export_metrics("churn", (START, None), tmp_path / "m", AwsOptions(), within, now=SOON)
    assert inner
    assert rows_of(tmp_path / "m") == rows_of(tmp_path / "alone")
    assert len(list((tmp_path / "m").iterdir())) == 2


def test_an_exported_slowdown_is_the_one_the_requests_had(
    tmp_path: Path, served: Callable[[object], None]
) -> None:
    served(two_variants(slower=1.5, minutes=MINUTES // 2))
    export_metrics("churn", (START, None), tmp_path / "m", AwsOptions(), silent, now=NOW)
    request = analysis.Request(endpoint="churn", cloudwatch=(str(tmp_path / "m"),))
    verdict = analysis.run(request, silent).verdict
    assert verdict.decision.value == "REJECT"
    for metric in ("latency_mean", "latency_p99"):
        effect = verdict.metrics[metric].effect
        assert effect is not None
        assert effect.estimate == pytest.approx(1.5)


def test_every_page_of_every_answer_is_kept(
    tmp_path: Path, served: Callable[[object], None]
) -> None:
    values = traffic(START, BRIEFLY, variant=VARIANTS[0])
    small, large = RawCloudWatch(values, page=777), RawCloudWatch(values, page=10**9)
    bodies = []
    for name, cloudwatch in (("small", small), ("large", large)):
        served(cloudwatch)
        export_metrics("churn", (START, None), tmp_path / name, AwsOptions(), silent, now=SOON)
        bodies.append((tmp_path / name / writing.METRIC_ROWS).read_bytes())
    assert len(small.requests) > len(large.requests)
    assert bodies[0] == bodies[1]


def test_rows_say_everything_the_reader_asks_of_a_row(exported: writing.Exported) -> None:
    rows = rows_of(exported.folder)
    daily = [row for row in rows if row["period"] == 86_400 and row["stat"] == "p99"]
    assert len(daily) == 2
    assert daily[0] == {
        "namespace": "AWS/SageMaker",
        "metric_name": "ModelLatency",
        "dimensions": {"EndpointName": "churn", "VariantName": "churn-v1"},
        "period": 86_400,
        "stat": "p99",
        "unit": "Microseconds",
        "timestamp": "2026-11-16T00:00:00Z",
        "value": daily[0]["value"],
    }


def test_minutes_that_cloudwatch_has_dropped_are_said(
    tmp_path: Path, served: Callable[[object], None]
) -> None:
    served(RawCloudWatch({}))
    later = START + timedelta(days=16)
    done = export_metrics("churn", (START, later), tmp_path, AwsOptions(), silent, now=later)
    assert "those before 2026-11-17T00:01:00Z are gone" in done.remarks[0]


def test_a_variant_without_points_is_said(tmp_path: Path, served: Callable[[object], None]) -> None:
    served(RawCloudWatch(traffic(START, BRIEFLY, variant=VARIANTS[0])))
    done = export_metrics("churn", (START, None), tmp_path, AwsOptions(), silent, now=SOON)
    assert done.points["churn-v2-shadow"] == 0
    (remark,) = done.remarks
    assert remark.startswith(
        "CloudWatch has no points of Invocations of churn-v2-shadow and ModelLatency of"
    )


def test_a_failed_export_leaves_the_older_one_whole(
    tmp_path: Path, served: Callable[[object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    served(two_variants())
    export_metrics("churn", (START, None), tmp_path, AwsOptions(), silent, now=SOON)
    older = (tmp_path / writing.METRIC_ROWS).read_bytes()
    monkeypatch.setattr(fetching, "_PAUSE_S", 0.0)
    broken = {"Id": "q0", "StatusCode": "InternalError", "Timestamps": [], "Values": []}
    served(Answers(get_metric_data={"MetricDataResults": [broken]}))
    with pytest.raises(AccessError, match="InternalError after 4 tries"):
        export_metrics("churn", (START, None), tmp_path, AwsOptions(), silent, now=SOON)
    assert (tmp_path / writing.METRIC_ROWS).read_bytes() == older


def test_a_denied_call_names_the_permission(
    tmp_path: Path, served: Callable[[object], None]
) -> None:
    served(Answers(get_metric_data=refused("GetMetricData", "AccessDenied")))
    with pytest.raises(AccessError, match="cloudwatch:GetMetricData is missing"):
        export_metrics("churn", (START, None), tmp_path, AwsOptions(), silent, now=SOON)


def test_an_answer_that_may_not_be_read_is_left_out_and_said() -> None:
    sagemaker = Answers(
        describe_endpoint=FLEET,
        describe_endpoint_config=refused("DescribeEndpointConfig"),
        list_inference_experiments=refused("ListInferenceExperiments"),
    )
    found = describe(Clients(Answers(), sagemaker, SCALING), "churn")
    assert set(found.answers) == {"DescribeEndpoint"}
    assert found.variants == VARIANTS
    assert "sagemaker:DescribeEndpointConfig is missing" in found.remarks[0]
    assert "sagemaker:ListInferenceExperiments is missing" in found.remarks[1]


def test_an_endpoint_that_is_gone_is_known_by_its_metrics() -> None:
    gone = refused("DescribeEndpoint", "ValidationException", "Could not find endpoint")
    named = [
        {"Dimensions": [{"Name": "EndpointName", "Value": "churn"}, *extra]}
        for extra in (
            [{"Name": "VariantName", "Value": "churn-v2-shadow"}],
            [{"Name": "VariantName", "Value": "churn-v1"}],
            [{"Name": "VariantName", "Value": "x"}, {"Name": "InstanceId", "Value": "i-1"}],
            [],
        )
    ]
    clients = Clients(
        Answers(list_metrics={"Metrics": named}), Answers(describe_endpoint=gone), SCALING
    )
    found = describe(clients, "churn")
    assert found.variants == VARIANTS
    assert found.answers == {}
    assert "no endpoint.json" in found.remarks[0]
    nobody = Clients(
        Answers(list_metrics={"Metrics": []}), Answers(describe_endpoint=gone), SCALING
    )
    with pytest.raises(InputError, match="no such endpoint"):
        describe(nobody, "churn")


def test_requests_and_answers_are_those_of_the_services() -> None:
    """Stubber refuses any request or answer that the service's own model does not allow."""
    sagemaker, scaling, cloudwatch = (
        boto3.client(
            name,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",  # noqa: S106 - Stubber asks nobody
        )
        for name in ("sagemaker", "application-autoscaling", "cloudwatch")
    )
    experiment = {
        "Arn": "arn:aws:sagemaker:us-east-1:123456789012:inference-experiment/churn-test",
        "Name": "churn-test",
        "Type": "ShadowMode",
        "Status": "Running",
        "EndpointMetadata": {"EndpointName": "churn"},
        "ModelVariants": [],
    }
    stubs = [Stubber(client) for client in (sagemaker, scaling, cloudwatch)]
    stubs[0].add_response("describe_endpoint", FLEET, {"EndpointName": "churn"})
    stubs[0].add_response("describe_endpoint_config", CONFIG, {"EndpointConfigName": "churn-7"})
    summary = {
        "Name": "churn-test",
        "Type": "ShadowMode",
        "Status": "Running",
        "CreationTime": START,
        "LastModifiedTime": START,
    }
    stubs[0].add_response("list_inference_experiments", {"InferenceExperiments": [summary]})
    stubs[0].add_response("describe_inference_experiment", experiment, {"Name": "churn-test"})
    for variant, token in ((VARIANTS[0], "more"), (VARIANTS[0], None), (VARIANTS[1], None)):
        activity = {
            "ActivityId": f"{variant}-{token}",
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/churn/variant/{variant}",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "Description": "more",
            "Cause": "traffic",
            "StartTime": START,
            "StatusCode": "Successful",
        }
        answer = {"ScalingActivities": [activity], **({"NextToken": token} if token else {})}
        stubs[1].add_response("describe_scaling_activities", answer)
    page = {"Id": "q0", "StatusCode": "PartialData", "Timestamps": [START], "Values": [1.0]}
    last = {
        "Id": "q0",
        "StatusCode": "Complete",
        "Timestamps": [START + timedelta(minutes=1)],
        "Values": [2.0],
    }
    stubs[2].add_response("get_metric_data", {"MetricDataResults": [page], "NextToken": "t"})
    stubs[2].add_response("get_metric_data", {"MetricDataResults": [last]})
    for stub in stubs:
        stub.activate()
    found = describe(Clients(cloudwatch, sagemaker, scaling), "churn")
    assert not found.remarks
    assert found.answers["DescribeInferenceExperiment"]["Name"] == "churn-test"
    assert len(found.answers["ScalingActivities"]) == 3
    question = Question("churn", "churn-v1", "ModelLatency", "p99", 60)
    asked = Request((question,), START, START + timedelta(minutes=2))
    ((_, points),) = fetching.fetch(cloudwatch, [asked])
    assert [value for _, value in points[question]] == [1.0, 2.0]
    for stub in stubs:
        stub.assert_no_pending_responses()


def test_no_request_id_or_header_reaches_endpoint_json(exported: writing.Exported) -> None:
    described = (exported.folder / "endpoint.json").read_text(encoding="utf-8")
    assert "churn-7" in described
    assert "secret-request" not in described


def test_the_clock_is_the_callers_and_defaults_to_now(
    tmp_path: Path, served: Callable[[object], None]
) -> None:
    cloudwatch = RawCloudWatch({})
    served(cloudwatch)
    done = export_metrics("churn", (None, None), tmp_path, AwsOptions(), silent)
    assert abs(done.end - datetime.now(UTC)) < timedelta(minutes=5)
    assert done.end - done.start == writing.MINUTES_KEPT


@pytest.mark.parametrize(
    ("status", "said", "tries"),
    [("PartialData", "PartialData after 4 tries", 4), ("Forbidden", "GetMetricData", 1)],
)
def test_an_answer_that_stays_partial_or_is_forbidden_is_no_export(
    tmp_path: Path,
    served: Callable[[object], None],
    monkeypatch: pytest.MonkeyPatch,
    *,
    status: str,
    said: str,
    tries: int,
) -> None:
    monkeypatch.setattr(fetching, "_PAUSE_S", 0.0)
    asked: list[object] = []

    class Partial:
        def get_metric_data(self, **body: object) -> Mapping[str, Any]:
            asked.append(body)
            series = {"Id": "q0", "StatusCode": status, "Timestamps": [START], "Values": [1.0]}
            return {"MetricDataResults": [series]}

    served(Partial())
    with pytest.raises(AccessError, match=said):
        export_metrics("churn", (START, None), tmp_path, AwsOptions(), silent, now=SOON)
    assert len(asked) == tries


def test_answers_that_lead_round_are_not_followed_for_ever() -> None:
    tokens = cycle("ab")

    class Round:
        def __getattr__(self, name: str) -> Callable[..., Mapping[str, Any]]:
            return lambda **_: {"MetricDataResults": [], "NextToken": next(tokens)}

    clients = Clients(Round(), Answers(describe_endpoint=refused("DescribeEndpoint")), SCALING)
    with pytest.raises(AccessError, match="CloudWatch: the server does not go on"):
        describe(clients, "churn")
    question = Question("churn", "churn-v1", "ModelLatency", "p99", 60)
    asked = Request((question,), START, START + timedelta(minutes=2))
    with pytest.raises(AccessError, match="CloudWatch: the server does not go on"):
        list(fetching.fetch(clients.cloudwatch, [asked]))


def test_without_credentials_nothing_is_advised_that_this_command_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    aws = AwsOptions(region="eu-west-1")
    advice = "no AWS credentials found: configure them, or choose --profile$"
    with pytest.raises(AccessError, match=advice):
        export_metrics("churn", (START, SOON), tmp_path / "out", aws, silent, now=NOW)
