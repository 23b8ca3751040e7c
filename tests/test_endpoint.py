"""endpoint.json: roles, models, shares and since when, from AWS's raw answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from errno import EACCES
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.endpoint import read_endpoint
from analyzer.errors import AccessError, AnalyzerError, InputError
from analyzer.metrics.metric import EndpointFacts

CONFIG = {
    "EndpointConfigName": "churn-2",
    "EndpointConfigArn": "arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/churn-2",
    "ProductionVariants": [
        {
            "VariantName": "AllTraffic",
            "ModelName": "churn-v1",
            "InitialInstanceCount": 2,
            "InstanceType": "ml.m5.large",
            "InitialVariantWeight": 2.0,
        }
    ],
    "ShadowProductionVariants": [
        {
            "VariantName": "Shadow-01",
            "ModelName": "churn-v2",
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "InitialVariantWeight": 1.0,
        }
    ],
    "DataCaptureConfig": {
        "EnableCapture": True,
        "InitialSamplingPercentage": 80,
        "DestinationS3Uri": "s3://bucket/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    },
    "CreationTime": "2026-11-15T20:00:00+00:00",
}
ENDPOINT = {
    "EndpointName": "churn",
    "EndpointConfigName": "churn-2",
    "ProductionVariants": [
        {"VariantName": "AllTraffic", "CurrentWeight": 2.0, "CurrentInstanceCount": 3}
    ],
    "ShadowProductionVariants": [
        {"VariantName": "Shadow-01", "CurrentWeight": 0.5, "CurrentInstanceCount": 1}
    ],
    "EndpointStatus": "InService",
    "CreationTime": "2026-10-01 08:00:00.123000+00:00",
    "LastModifiedTime": "2026-11-15 20:30:00.500000+00:00",
}
EXPERIMENT = {
    "Name": "churn-shadow",
    "Type": "ShadowMode",
    "Schedule": {"StartTime": "2026-11-16T00:00:00Z", "EndTime": "2026-11-23T00:00:00Z"},
    "CreationTime": "2026-11-15T23:50:00Z",
    "ModelVariants": [
        {
            "ModelName": "churn-v2",
            "VariantName": "Shadow-01",
            "InfrastructureConfig": {
                "InfrastructureType": "RealTimeInference",
                "RealTimeInferenceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
            },
        },
        {
            "ModelName": "churn-v1",
            "VariantName": "AllTraffic",
            "InfrastructureConfig": {
                "RealTimeInferenceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 4}
            },
        },
    ],
    "ShadowModeConfig": {
        "SourceModelVariantName": "AllTraffic",
        "ShadowModelVariants": [{"ShadowModelVariantName": "Shadow-01", "SamplingPercentage": 40}],
    },
}


def read(folder: Path, body: object) -> EndpointFacts:
    path = folder / "endpoint.json"
    path.write_text(json.dumps(body))
    return read_endpoint(path)


def test_endpoint_and_configuration_together_give_every_fact(tmp_path: Path) -> None:
    facts = read(tmp_path, {"DescribeEndpoint": ENDPOINT, "DescribeEndpointConfig": CONFIG})
    assert facts == EndpointFacts(
        name="churn",
        production_variant="AllTraffic",
        shadow_variant="Shadow-01",
        production_model="churn-v1",
        shadow_model="churn-v2",
        shadow_percentage=25.0,
        capture_percentage=80.0,
        production_instances=3,
        shadow_instances=1,
        live_since=datetime(2026, 11, 15, 20, 30, 0, 500_000, tzinfo=UTC),
    )


def test_the_configuration_alone_gives_the_planned_share_and_its_creation(tmp_path: Path) -> None:
    facts = read(tmp_path, {"DescribeEndpointConfig": CONFIG, "DescribeEndpoint": None})
    assert (facts.shadow_percentage, facts.production_instances) == (50.0, 2)
    assert facts.live_since == datetime(2026, 11, 15, 20, tzinfo=UTC)
    assert facts.live_since_at_earliest


def test_an_experiment_says_roles_models_sampling_counts_and_start(tmp_path: Path) -> None:
    facts = read(tmp_path, {"DescribeInferenceExperiment": EXPERIMENT})
    assert facts == EndpointFacts(
        production_variant="AllTraffic",
        shadow_variant="Shadow-01",
        production_model="churn-v1",
        shadow_model="churn-v2",
        shadow_percentage=40.0,
        production_instances=4,
        shadow_instances=2,
        live_since=datetime(2026, 11, 16, tzinfo=UTC),
        scheduled_minutes=7 * 1440,
    )


@pytest.mark.parametrize(
    ("status", "scaled"),
    [("Successful", 1), ("InProgress", 1), ("Failed", 0), ("Unfulfilled", 0), (None, 1)],
)
def test_scaling_that_failed_brings_no_instance(
    status: str | None, scaled: int, tmp_path: Path
) -> None:
    activity = {"StartTime": "2026-11-16T10:00:00Z", "EndTime": "2026-11-16T10:05:00Z"}
    if status is not None:
        activity["StatusCode"] = status
    assert len(read(tmp_path, {"ScalingActivities": [activity]}).scaled_at) == scaled


def test_scaling_modifies_an_endpoint_without_a_new_configuration(tmp_path: Path) -> None:
    activity = {
        "ActivityId": "1",
        "StartTime": "2026-11-15T20:29:00Z",
        "EndTime": "2026-11-15T20:30:00Z",
    }
    for activities in ([activity], {"ScalingActivities": [activity]}):
        body = {
            "DescribeEndpoint": ENDPOINT,
            "DescribeEndpointConfig": CONFIG,
            "ScalingActivities": activities,
        }
        facts = read(tmp_path, body)
        assert facts.live_since == datetime(2026, 11, 15, 20, tzinfo=UTC)
        assert facts.live_since_at_earliest


def test_capture_that_is_off_says_no_percentage(tmp_path: Path) -> None:
    capture = {**CONFIG["DataCaptureConfig"], "EnableCapture": False}  # type: ignore[dict-item]
    facts = read(tmp_path, {"DescribeEndpointConfig": {**CONFIG, "DataCaptureConfig": capture}})
    assert facts.capture_percentage is None


def test_several_production_variants_are_no_role(tmp_path: Path) -> None:
    variants = [{"VariantName": "a"}, {"VariantName": "b"}]
    facts = read(tmp_path, {"DescribeEndpoint": {**ENDPOINT, "ProductionVariants": variants}})
    assert facts.production_variant is None
    assert facts.shadow_variant == "Shadow-01"
    assert facts.shadow_percentage is None


@pytest.mark.parametrize("weight", [0, 5.0])
def test_a_weight_that_is_no_share_says_no_percentage(weight: float, tmp_path: Path) -> None:
    shadow = [{"VariantName": "Shadow-01", "CurrentWeight": weight}]
    facts = read(tmp_path, {"DescribeEndpoint": {**ENDPOINT, "ShadowProductionVariants": shadow}})
    assert facts.shadow_percentage is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "endpoint.json: "),
        ({}, "expected the keys DescribeEndpoint, DescribeEndpointConfig"),
        ({"ProductionVariants": []}, "expected the keys DescribeEndpoint"),
        ({"DescribeEndpoint": {"ProductionVariants": "AllTraffic"}}, "ProductionVariants"),
        ({"DescribeEndpoint": {"LastModifiedTime": "yesterday"}}, "LastModifiedTime"),
    ],
)
def test_a_file_of_another_form_is_refused_with_the_place(
    body: object, message: str, tmp_path: Path
) -> None:
    with pytest.raises(AnalyzerError, match=message) as caught:
        read(tmp_path, body)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("name", ["endpoint.json", ".", "file/endpoint.json"])
def test_an_endpoint_file_that_is_not_there_is_unusable_input(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError) as caught:
        read_endpoint(tmp_path / name)
    assert (caught.value.exit_code, caught.value.code) == (3, "no-such-file")


def test_an_endpoint_file_that_may_not_be_read_is_an_access_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(AccessError, match="Permission denied"):
        read_endpoint(tmp_path / "endpoint.json")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_bytes_end_in_anything_but_a_named_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "endpoint.json"
    path.write_bytes(content)
    with pytest.raises(AnalyzerError):
        read_endpoint(path)


@pytest.mark.parametrize(
    ("status", "modified", "shadow", "live_since"),
    [
        ("Running", "2026-11-18T12:00:00Z", True, datetime(2026, 11, 16, tzinfo=UTC)),
        ("Completed", "2026-11-23T00:10:00Z", False, datetime(2026, 11, 16, tzinfo=UTC)),
        ("Completed", "2026-11-30T00:00:00Z", False, datetime(2026, 11, 30, tzinfo=UTC)),
        ("Completed", "2026-11-30T00:00:00Z", True, datetime(2026, 11, 30, tzinfo=UTC)),
        ("Completed", "2026-11-23T00:10:00Z", True, datetime(2026, 11, 23, 0, 10, tzinfo=UTC)),
        ("Created", "2026-11-10T00:00:00Z", False, datetime(2026, 11, 10, tzinfo=UTC)),
    ],
    ids=["running", "over", "changed since", "a shadow since", "a shadow at once", "not begun"],
)
def test_a_test_that_is_over_does_not_speak_for_what_the_endpoint_runs_now(
    tmp_path: Path,
    status: str,
    modified: str,
    shadow: bool,  # noqa: FBT001 - a table of cases
    live_since: datetime,
) -> None:
    variants = [{"VariantName": "own-shadow", "CurrentWeight": 0.1}] if shadow else []
    endpoint = {
        "EndpointName": "churn",
        "LastModifiedTime": modified,
        "ProductionVariants": [{"VariantName": "AllTraffic", "CurrentWeight": 1.0}],
        "ShadowProductionVariants": variants,
    }
    ended = {"Status": status, "CompletionTime": "2026-11-23T00:00:00Z"}
    if status not in {"Completed", "Cancelled"}:
        del ended["CompletionTime"]
    facts = read(
        tmp_path,
        {"DescribeEndpoint": endpoint, "DescribeInferenceExperiment": EXPERIMENT | ended},
    )
    assert facts.live_since == live_since
    speaks = live_since == datetime(2026, 11, 16, tzinfo=UTC)
    assert facts.shadow_percentage == (40.0 if speaks else 10.0 if shadow else None)
