"""Describing an endpoint, against answers botocore itself has checked, and against moto."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from analyzer.console.progress import silent
from analyzer.errors import AccessError
from analyzer.model import Decision
from analyzer.promotion.apply import apply
from analyzer.promotion.aws import Aws
from analyzer.promotion.choice import Choice
from analyzer.promotion.describe import describe
from analyzer.promotion.plan import make_plan
from analyzer.promotion.record import Begun
from analyzer.promotion.requests import Phase
from analyzer.sources import AwsOptions
from tests.promotion.conftest import REGION, client
from tests.promotion.endpoints import (
    CONFIG,
    ENDPOINT,
    LONG_AGO,
    PRODUCTION,
    SHADOW,
    answers,
    described,
    experiment,
    variant,
)
from tests.report.verdicts import verdict

DIGEST = "ef" * 32


def timed(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same answer with times as boto3 has them."""
    if isinstance(value, dict):
        return {key: timed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [timed(one) for one in value]
    iso = isinstance(value, str) and value.endswith("+00:00")
    return datetime.fromisoformat(value).astimezone(UTC) if iso else value


def stubbed() -> tuple[Aws, dict[str, Stubber]]:
    aws = Aws(AwsOptions(region=REGION, endpoint_url="http://127.0.0.1:9", max_attempts=1))
    stubs = {}
    for service in ("sagemaker", "application-autoscaling", "cloudwatch"):
        stubs[service] = Stubber(aws._client(service))  # noqa: SLF001 - what is stubbed
        stubs[service].activate()
    return aws, stubs


def test_a_managed_test_is_found_described_and_stopped_in_aws_own_shapes(tmp_path: Any) -> None:  # noqa: ANN401
    aws, stubs = stubbed()
    here, test = timed(answers()), timed(experiment())
    model = {"ModelName": "model-2", "ModelArn": "arn:aws:sagemaker:eu-west-1:111122223333:model/m"}
    sagemaker = stubs["sagemaker"]
    endpoint = {"EndpointName": ENDPOINT}
    sagemaker.add_response("describe_endpoint", here["DescribeEndpoint"], endpoint)
    sagemaker.add_response(
        "describe_endpoint_config", here["DescribeEndpointConfig"], {"EndpointConfigName": CONFIG}
    )
    arn = here["DescribeEndpointConfig"]["EndpointConfigArn"]
    pages: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({"Tags": [{"Key": "a", "Value": "1"}], "NextToken": "2"}, {}),
        ({"Tags": [{"Key": "b", "Value": "2"}]}, {"NextToken": "2"}),
    ]
    for page, token in pages:
        sagemaker.add_response("list_tags", page, {"ResourceArn": arn, **token})
    listed = {"Name": "churn-test", "Type": "ShadowMode", "Status": "Running"}
    listed |= {"CreationTime": timed(LONG_AGO), "LastModifiedTime": timed(LONG_AGO)}
    running = {"Type": "ShadowMode", "StatusEquals": "Running"}
    sagemaker.add_response(
        "list_inference_experiments", {"InferenceExperiments": [listed]}, running
    )
    name = {"Name": "churn-test"}
    sagemaker.add_response("describe_inference_experiment", test, name)
    made = {**model, "CreationTime": timed(LONG_AGO)}
    sagemaker.add_response("describe_model", made, {"ModelName": "model-2"})
    scaling = stubs["application-autoscaling"]
    for kind in ("scalable_targets", "scaling_policies", "scheduled_actions", "scaling_activities"):
        for _ in (PRODUCTION, SHADOW):
            scaling.add_response(f"describe_{kind}", {})
    stubs["cloudwatch"].add_response("describe_alarms", {"MetricAlarms": []}, {})

    description = describe(aws, ENDPOINT, silent)
    for stub in stubs.values():
        stub.assert_no_pending_responses()
    assert [one["Key"] for one in description.tags] == ["a", "b"]
    plan = make_plan(verdict(Decision.PROMOTE, name=ENDPOINT), DIGEST, description, Choice())
    stop = plan.of(Phase.DEPLOY)[0].request

    # then --apply: before, the stop itself, and after
    after = {**here["DescribeEndpoint"], "ProductionVariants": [{"VariantName": SHADOW}]}
    after.pop("ShadowProductionVariants")
    sagemaker.add_response("describe_endpoint", here["DescribeEndpoint"], endpoint)
    sagemaker.add_response("describe_inference_experiment", test, name)
    sagemaker.add_response(
        "stop_inference_experiment", {"InferenceExperimentArn": test["Arn"]}, stop
    )
    sagemaker.add_response("describe_endpoint", after, endpoint)
    done = {**test, "Status": "Completed"}
    sagemaker.add_response("describe_inference_experiment", done, name)
    begun = Begun(plan, sent=False)
    apply(begun, aws, tmp_path / "p.json", say=lambda _: None, progress=silent)
    sagemaker.assert_no_pending_responses()


def test_tags_that_lead_round_are_not_followed_for_ever() -> None:
    aws, stubs = stubbed()
    for token in ("2", "3", "2"):
        stubs["sagemaker"].add_response("list_tags", {"Tags": [], "NextToken": token})
    with pytest.raises(AccessError, match="sagemaker ListTags: the server does not go on"):
        aws.listed("sagemaker", "ListTags", {"ResourceArn": "arn:aws:sagemaker:x:1:y/z"}, "Tags")


def test_moto_takes_the_configuration_and_gives_it_back(moto_url: str) -> None:
    sagemaker = client("sagemaker", moto_url)
    for model in ("model-1", "model-2"):
        sagemaker.create_model(ModelName=model, ExecutionRoleArn=f"arn:aws:iam::{'1' * 12}:role/r")
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://b/p",
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName=CONFIG,
        ProductionVariants=[variant(PRODUCTION, "model-1")],
        DataCaptureConfig=capture,
        KmsKeyId="key-1",
    )
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=CONFIG)
    aws = Aws(AwsOptions(region=REGION, endpoint_url=moto_url, max_attempts=1))
    name = {"EndpointConfigName": CONFIG}
    now = aws.call("sagemaker", "DescribeEndpointConfig", name)
    now["ShadowProductionVariants"] = [variant(SHADOW, "model-2")]  # which moto does not know
    here = described(
        DescribeEndpoint={
            **aws.call("sagemaker", "DescribeEndpoint", {"EndpointName": ENDPOINT}),
            "LastModifiedTime": LONG_AGO,
        },
        DescribeEndpointConfig=now,
    )
    plan = make_plan(verdict(Decision.PROMOTE, name=ENDPOINT), DIGEST, here, Choice(), forced=True)
    created = next(one for one in plan.steps if one.operation == "CreateEndpointConfig")
    aws.call(created.service, created.operation, created.request)
    held = aws.call("sagemaker", "DescribeEndpointConfig", {"EndpointConfigName": plan.after})
    assert held["ProductionVariants"] == [variant(SHADOW, "model-2")]
    assert (held["DataCaptureConfig"], held["KmsKeyId"]) == (capture, "key-1")
