"""One request: carried over whole, checked by botocore's model, safe on a command line."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError
from analyzer.promotion.requests import (
    Phase,
    Step,
    carried,
    carried_member,
    checked,
    filled,
    placeholder,
    problems,
    service_model,
)
from tests.examples import examples
from tests.promotion.endpoints import everything


def step(request: dict[str, Any], operation: str = "PutMetricAlarm", gives: str = "") -> Step:
    return Step(
        phase=Phase.RESTORE,
        service="sagemaker" if "Endpoint" in operation else "cloudwatch",
        operation=operation,
        request=request,
        reason="a reason",
        gives=gives,
    )


def paths(value: Any, shape: Any, at: str = "") -> set[str]:  # noqa: ANN401 - JSON and its shape
    """Every path of a value whose members a shape has."""
    if isinstance(value, dict) and shape.type_name == "structure":
        known = {key: one for key, one in value.items() if key in shape.members}
        return set().union(
            {f"{at}.{key}" for key in known},
            *(paths(one, shape.members[key], f"{at}.{key}") for key, one in known.items()),
        )
    if isinstance(value, list):
        return set().union(*(paths(one, shape.member, f"{at}[]") for one in value))
    return set()


CARRIED = [
    ("sagemaker", "DescribeEndpointConfig", "", "CreateEndpointConfig"),
    ("cloudwatch", "DescribeAlarms", "MetricAlarms", "PutMetricAlarm"),
    (
        "application-autoscaling",
        "DescribeScalableTargets",
        "ScalableTargets",
        "RegisterScalableTarget",
    ),
    ("application-autoscaling", "DescribeScalingPolicies", "ScalingPolicies", "PutScalingPolicy"),
    (
        "application-autoscaling",
        "DescribeScheduledActions",
        "ScheduledActions",
        "PutScheduledAction",
    ),
]


@pytest.mark.parametrize(("service", "described", "member", "created"), CARRIED)
def test_every_field_that_the_create_request_takes_is_carried_over(
    service: str, described: str, member: str, created: str
) -> None:
    answer = everything(service_model(service).operation_model(described).output_shape)
    wanted: Any = service_model(service).operation_model(created).input_shape
    if member:
        answer = answer[member][0]
        body, unknown = carried_member(service, described, member, created, answer)
    else:
        body, unknown = carried(service, described, created, answer)
    expected = paths(answer, wanted)
    assert paths(body, wanted) == expected
    assert len(expected) >= 6
    assert unknown == ()
    assert not {key for key in body if key.endswith(("Arn", "ARN", "Time"))} & {
        "EndpointConfigArn",
        "CreationTime",
        "ScalableTargetARN",
        "PolicyARN",
        "AlarmArn",
    }


def test_a_carried_endpoint_configuration_is_one_aws_accepts() -> None:
    model = service_model("sagemaker").operation_model("DescribeEndpointConfig")
    answer = everything(model.output_shape)
    body, _ = carried("sagemaker", "DescribeEndpointConfig", "CreateEndpointConfig", answer)
    for name in ("KmsKeyId", "VpcConfig", "ExecutionRoleArn", "EnableNetworkIsolation"):
        assert body[name] == answer[name]
    for name in ("DataCaptureConfig", "AsyncInferenceConfig", "ExplainerConfig", "MetricsConfig"):
        assert body[name] == answer[name]
    assert problems(step(body, "CreateEndpointConfig")) == ""


def test_a_field_nobody_knows_is_named_and_an_empty_one_is_left_out() -> None:
    answer = {
        "EndpointConfigName": "c",
        "EndpointConfigArn": "arn",
        "NewThing": {"a": 1},
        "DataCaptureConfig": {},
        "KmsKeyId": None,
        "ProductionVariants": [{"VariantName": "v", "Newer": 1}],
    }
    body, unknown = carried("sagemaker", "DescribeEndpointConfig", "CreateEndpointConfig", answer)
    assert unknown == ("NewThing", "ProductionVariants[].Newer")
    assert body == {"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "v"}]}


def test_a_body_that_aws_would_refuse_stops_the_plan() -> None:
    with pytest.raises(InputError, match=r"UpdateEndpoint.*EndpointConfigName"):
        checked((step({"EndpointName": "e"}, "UpdateEndpoint"),))


HOSTILE = [
    "it's",
    '"; touch hacked; "',
    "$(touch hacked)",
    "`touch hacked`",
    "${policy_arn_$(touch hacked)}",
    "${HOME}",
    "a\nb",
    "!!",
    "\\",
    "'\"'\"'$(touch hacked)'\"'\"'",
    "\x1b[31m\u202e",
]


def in_a_shell(line: str, **variables: str) -> list[str]:
    """What a shell hands to `aws`, one argument each."""
    script = f'aws() {{ printf "%s\\0" "$@"; }}\n{line}'
    done = subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": "leaked", **variables},
    )
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_reach_the_command_line_as_they_are(text: str) -> None:
    request = {"AlarmName": text, "AlarmActions": [text, placeholder(1)[1]]}
    line = step(request).command()
    service, operation, flag, body = in_a_shell(line, policy_arn_1="arn:1")
    assert (service, operation, flag) == ("cloudwatch", "put-metric-alarm", "--cli-input-json")
    assert json.loads(body) == {"AlarmName": text, "AlarmActions": [text, "arn:1"]}
    assert line.isprintable()
    assert line.isascii()


@given(st.text(min_size=1, max_size=30))
@settings(max_examples=examples(25, whole=100))
def test_any_text_survives_the_shell(text: str) -> None:
    *_, body = in_a_shell(step({"AlarmName": text}).command())
    assert json.loads(body) == {"AlarmName": text}


def test_an_answer_becomes_a_shell_variable_that_a_later_line_uses() -> None:
    name, token = placeholder(7)
    first = step({"AlarmName": "a"}, gives=name).command(["--region", "eu-west-1"])
    assert first.startswith("policy_arn_7=$(aws cloudwatch put-metric-alarm --region eu-west-1 ")
    assert first.endswith("--query PolicyARN --output text)")
    assert filled({"A": [token, "b"]}, {token: "arn"}) == {"A": ["arn", "b"]}
