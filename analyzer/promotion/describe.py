"""Ask AWS what an endpoint is: its configuration, its managed test, what scales and watches it.

In: `Aws` and an endpoint's name. Out: what follows from the answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.errors import AccessError, InputError
from analyzer.promotion.description import Description, resource_id, verify

if TYPE_CHECKING:
    from analyzer.promotion.aws import Aws
    from analyzer.promotion.requests import Service
    from analyzer.steps import Progress

_SCALING = ("ScalableTargets", "ScalingPolicies", "ScheduledActions", "ScalingActivities")
_ASKED = 11
"""Calls of a description, for its progress."""


def describe(aws: Aws, endpoint: str, progress: Progress) -> Description:
    """Everything about an endpoint that a plan depends on; nothing is changed.

    Raises:
        InputError: there is no such endpoint.
        AccessError: denied or unreachable, or the endpoint is being changed at this moment.
    """
    counted = _Counted(aws, progress)
    running = counted.found("DescribeEndpoint", {"EndpointName": endpoint})
    if running is None:
        raise InputError(f"there is no endpoint {endpoint} in this account and region")
    status = running.get("EndpointStatus")
    if status != "InService":
        raise AccessError(
            f"{endpoint} is {status}, not InService: wait until it is, and run again",
            code="not-in-service",
        )
    name = str(running["EndpointConfigName"])
    config = counted.found("DescribeEndpointConfig", {"EndpointConfigName": name})
    if config is None:
        raise InputError(f"{endpoint} runs the configuration {name}, which was deleted")
    answers: dict[str, Any] = {"DescribeEndpoint": running, "DescribeEndpointConfig": config}
    answers["ListTags"] = {
        "Tags": aws.listed(
            "sagemaker", "ListTags", {"ResourceArn": config["EndpointConfigArn"]}, "Tags"
        )
    }
    groups = ("ProductionVariants", "ShadowProductionVariants")
    variants = [one for group in groups for one in config.get(group) or ()]
    answers |= _scaling(counted, endpoint, [one["VariantName"] for one in variants])
    answers["DescribeAlarms"] = {
        "MetricAlarms": counted.listed("cloudwatch", "DescribeAlarms", {}, "MetricAlarms")
    }
    experiment = _experiment(counted, endpoint)
    if experiment is not None:
        answers["DescribeInferenceExperiment"] = experiment
    for shadow in config.get("ShadowProductionVariants") or ():
        if shadow.get("ModelName"):
            model = counted.found("DescribeModel", {"ModelName": shadow["ModelName"]})
            answers["DescribeModel"] = model
    progress("describing", _ASKED, _ASKED)
    description = Description(answers, endpoint)
    verify(description, endpoint)
    return description


class _Counted:
    """Calls that say how many of them were made."""

    def __init__(self, aws: Aws, progress: Progress) -> None:
        self._aws, self._progress, self._made = aws, progress, 0

    def found(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | None:
        self._count()
        return self._aws.found("sagemaker", operation, request)

    def listed(
        self,
        service: Service,
        operation: str,
        request: dict[str, Any],
        member: str,
    ) -> list[dict[str, Any]]:
        self._count()
        return self._aws.listed(service, operation, request, member)

    def _count(self) -> None:
        self._made += 1
        self._progress("describing", min(self._made, _ASKED), _ASKED)


def _scaling(counted: _Counted, endpoint: str, variants: list[str]) -> dict[str, dict[str, Any]]:
    """Each describe call's answer about all variants, under the name an endpoint file has it."""
    found: dict[str, dict[str, Any]] = {}
    for kind in _SCALING:
        items: list[dict[str, Any]] = []
        for variant in variants:
            resource = resource_id(endpoint, variant)
            one: dict[str, Any] = {"ResourceId": resource}
            where = {"ResourceIds": [resource]} if kind == "ScalableTargets" else one
            items += counted.listed(
                "application-autoscaling",
                f"Describe{kind}",
                {"ServiceNamespace": "sagemaker", **where},
                kind,
            )
        found[kind if kind == "ScalingActivities" else f"Describe{kind}"] = {kind: items}
    return found


def _experiment(counted: _Counted, endpoint: str) -> dict[str, Any] | None:
    """The managed test that runs on the endpoint; the list of tests does not say which."""
    running = {"Type": "ShadowMode", "StatusEquals": "Running"}
    for listed in counted.listed(
        "sagemaker", "ListInferenceExperiments", running, "InferenceExperiments"
    ):
        test = counted.found("DescribeInferenceExperiment", {"Name": listed["Name"]})
        if test is not None and test["EndpointMetadata"]["EndpointName"] == endpoint:
            return test
    return None
