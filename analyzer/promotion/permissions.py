"""The smallest IAM policy for describing an endpoint, sending a plan, and waiting for it.

In: the steps of a plan. Out: asking AWS anything; reading captures (`least_privilege`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.doctor.least_privilege import literal
from analyzer.promotion.requests import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.promotion.description import Description
    from analyzer.promotion.requests import Step

_SENT = (Phase.PREPARE, Phase.DEPLOY, Phase.RESTORE, Phase.ROLLED_BACK)


def permissions(description: Description, steps: Sequence[Step], config: str) -> dict[str, Any]:
    """The policy document; what `--apply` does not send is not in it."""
    sent = [step for step in steps if step.phase in _SENT]
    head, endpoint = _head(description), str(description.endpoint["EndpointName"])
    before = str(description.config["EndpointConfigName"])
    configs = [_arn(head, "endpoint-config", name) for name in (before, config) if name]
    own = [*_reading(description, head, endpoint, configs), _LOOKING]
    operations = {step.operation for step in sent}
    if "CreateEndpointConfig" in operations:
        fresh = configs[-1:]
        body = next(one.request for one in sent if one.operation == "CreateEndpointConfig")
        tagged = ["sagemaker:AddTags"] if "Tags" in body else []
        own.append(_allow("MakeConfiguration", ["sagemaker:CreateEndpointConfig", *tagged], fresh))
        if "ExecutionRoleArn" in body:
            own.append(_allow("PassRole", ["iam:PassRole"], [str(body["ExecutionRoleArn"])]))
    if "UpdateEndpoint" in operations:
        where = [_arn(head, "endpoint", endpoint), *configs[-1:]]
        own.append(_allow("UpdateEndpoint", ["sagemaker:UpdateEndpoint"], where))
    if "StopInferenceExperiment" in operations:
        name = str((description.experiment or {})["Name"])
        where = [_arn(head, "inference-experiment", name)]
        own.append(_allow("StopTest", ["sagemaker:StopInferenceExperiment"], where))
    return {"Version": "2012-10-17", "Statement": [*own, *_scaling(sent), *_alarms(sent, head)]}


def _reading(
    description: Description, head: list[str], endpoint: str, configs: list[str]
) -> list[dict[str, Any]]:
    experiment = description.experiment
    tests = "*" if experiment is None else literal(str(experiment["Name"]))
    shadow = (description.shadow or {}).get("ModelName")
    models = [] if shadow is None else [_arn(head, "model", str(shadow))]
    own = [
        _allow("ReadEndpoint", ["sagemaker:DescribeEndpoint"], [_arn(head, "endpoint", endpoint)]),
        _allow(
            "ReadConfiguration", ["sagemaker:DescribeEndpointConfig", "sagemaker:ListTags"], configs
        ),
        _allow(
            "ReadTest",
            ["sagemaker:DescribeInferenceExperiment"],
            [":".join([*head, f"inference-experiment/{tests}"])],
        ),
    ]
    return own + ([_allow("ReadModel", ["sagemaker:DescribeModel"], models)] if models else [])


def _scaling(sent: Sequence[Step]) -> list[dict[str, Any]]:
    service = "application-autoscaling"
    actions = sorted({f"{service}:{one.operation}" for one in sent if one.service == service})
    if not actions:
        return []
    only = {"StringEquals": {f"{service}:service-namespace": "sagemaker"}}
    return [{**_allow("Scale", actions, ["*"]), "Condition": only}]


def _alarms(sent: Sequence[Step], head: list[str]) -> list[dict[str, Any]]:
    names = {str(one.request["AlarmName"]) for one in sent if one.operation == "PutMetricAlarm"}
    place = [*head[:2], "cloudwatch", *head[3:], "alarm"]
    made = (
        [
            _allow(
                "Alarms",
                ["cloudwatch:PutMetricAlarm"],
                [":".join([*place, literal(name)]) for name in sorted(names)],
            )
        ]
        if names
        else []
    )
    tracked = {
        str(one.request["ResourceId"])
        for one in sent
        if one.request.get("PolicyType") == "TargetTrackingScaling"
    }
    if not tracked:
        return made
    # Application Auto Scaling makes and deletes a policy's alarms in the name of who asks.
    own = [":".join([*place, f"TargetTracking-{literal(one)}-*"]) for one in sorted(tracked)]
    return [
        *made,
        _allow("TrackingAlarms", ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"], own),
    ]


def _head(description: Description) -> list[str]:
    """`arn:partition:sagemaker:region:account`; wildcards where no ARN tells."""
    parts = str(description.endpoint.get("EndpointArn", "")).split(":")
    whole = 6
    return parts[:5] if len(parts) >= whole else ["arn", "*", "sagemaker", "*", "*"]


def _arn(head: list[str], kind: str, name: str) -> str:
    return ":".join([*head, f"{kind}/{literal(name)}"])


def _allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    action = actions[0] if len(actions) == 1 else actions
    resource = resources[0] if len(resources) == 1 else resources
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


_LOOKING = _allow(
    "Look",
    [
        "sagemaker:ListInferenceExperiments",
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingActivities",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:DescribeScheduledActions",
        "cloudwatch:DescribeAlarms",
    ],
    ["*"],
)
"""Calls that know no resources."""
