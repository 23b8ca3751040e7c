"""Endpoints as AWS describes them, and answers made from botocore's own service model."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from analyzer.promotion.description import Description, resource_id

if TYPE_CHECKING:
    from collections.abc import Iterable

ENDPOINT = "churn-endpoint"
PRODUCTION, SHADOW = "xgb-v1", "xgb-v2"
CONFIG = "churn-shadow-test"
ACCOUNT = "arn:aws:sagemaker:eu-west-1:111122223333"
LONG_AGO = "2026-10-01T00:00:00+00:00"
"""Before the window of the verdicts in `tests.report.verdicts`."""
POLICY_ARN = (
    "arn:aws:autoscaling:eu-west-1:111122223333:scalingPolicy:0000:resource/sagemaker/"
    f"endpoint/{ENDPOINT}/variant/{PRODUCTION}:policyName/steps"
)


def variant(name: str, model: str, count: int = 2, kind: str = "ml.m5.large") -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": kind,
        "InitialInstanceCount": count,
        "InitialVariantWeight": 1.0,
    }


def running(name: str, count: int = 2) -> dict[str, Any]:
    return {"VariantName": name, "CurrentInstanceCount": count, "CurrentWeight": 1.0}


def answers() -> dict[str, Any]:
    """An endpoint with a shadow of the same size, that nothing scales or watches."""
    return {
        "DescribeEndpoint": {
            "EndpointName": ENDPOINT,
            "EndpointArn": f"{ACCOUNT}:endpoint/{ENDPOINT}",
            "EndpointConfigName": CONFIG,
            "EndpointStatus": "InService",
            "CreationTime": LONG_AGO,
            "LastModifiedTime": LONG_AGO,
            "ProductionVariants": [running(PRODUCTION)],
            "ShadowProductionVariants": [running(SHADOW)],
        },
        "DescribeEndpointConfig": {
            "EndpointConfigName": CONFIG,
            "EndpointConfigArn": f"{ACCOUNT}:endpoint-config/{CONFIG}",
            "CreationTime": LONG_AGO,
            "ProductionVariants": [variant(PRODUCTION, "model-1")],
            "ShadowProductionVariants": [variant(SHADOW, "model-2")],
        },
        "ScalingActivities": {"ScalingActivities": []},
        "ListTags": {"Tags": []},
        "DescribeScalableTargets": {"ScalableTargets": []},
        "DescribeScalingPolicies": {"ScalingPolicies": []},
        "DescribeScheduledActions": {"ScheduledActions": []},
        "DescribeAlarms": {"MetricAlarms": []},
        "DescribeModel": {
            "ModelName": "model-2",
            "ModelArn": f"{ACCOUNT}:model/model-2",
            "CreationTime": LONG_AGO,
        },
    }


def described(**changes: Any) -> Description:  # noqa: ANN401 - JSON
    """That endpoint with some answers replaced."""
    return Description({**answers(), **changes}, ENDPOINT)


def scaled(name: str = PRODUCTION) -> dict[str, Any]:
    """Answers about a variant with a target, a policy of each kind, a schedule and two alarms."""
    key = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource_id(ENDPOINT, name),
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    dimensions = [
        {"Name": "EndpointName", "Value": ENDPOINT},
        {"Name": "VariantName", "Value": name},
    ]
    target = {
        **key,
        "MinCapacity": 2,
        "MaxCapacity": 8,
        "RoleARN": "arn:aws:iam::111122223333:role/aws-service-role/any",
        "CreationTime": LONG_AGO,
        "ScalableTargetARN": "arn:aws:application-autoscaling:eu-west-1:1:scalable-target/x",
    }
    tracking: dict[str, Any] = {
        **key,
        "PolicyARN": POLICY_ARN.replace("steps", "tracking"),
        "PolicyName": "tracking",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 0.7,
            "CustomizedMetricSpecification": {
                "MetricName": "CPUUtilization",
                "Namespace": "/aws/sagemaker/Endpoints",
                "Dimensions": dimensions,
                "Statistic": "Average",
            },
        },
        "Alarms": [{"AlarmName": "TargetTracking-high", "AlarmARN": "arn:any"}],
        "CreationTime": LONG_AGO,
    }
    steps = {
        **key,
        "PolicyARN": POLICY_ARN,
        "PolicyName": "steps",
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        },
        "CreationTime": LONG_AGO,
    }
    schedule = {
        **key,
        "ScheduledActionName": "mornings",
        "ScheduledActionARN": "arn:any",
        "Schedule": "cron(0 6 * * ? *)",
        "ScalableTargetAction": {"MinCapacity": 4},
        "CreationTime": LONG_AGO,
    }
    tracked = _alarm("TargetTracking-high", dimensions, [tracking["PolicyARN"]])
    stepping = _alarm(f"{name}-busy", dimensions, [POLICY_ARN, "arn:aws:sns:eu-west-1:1:pager"])
    stepping["StateValue"] = "OK"
    elsewhere = _alarm("another endpoint", [{**dimensions[0], "Value": "other"}, dimensions[1]], [])
    return {
        "DescribeScalableTargets": {"ScalableTargets": [target]},
        "DescribeScalingPolicies": {"ScalingPolicies": [tracking, steps]},
        "DescribeScheduledActions": {"ScheduledActions": [schedule]},
        "DescribeAlarms": {"MetricAlarms": [tracked, stepping, elsewhere]},
    }


def _alarm(name: str, dimensions: list[dict[str, str]], actions: list[str]) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmArn": "arn:any",
        "AlarmActions": actions,
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocations",
        "Statistic": "Sum",
        "Dimensions": copy.deepcopy(dimensions),
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 100.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "StateUpdatedTimestamp": LONG_AGO,
    }


def experiment(status: str = "Running", share: int = 100) -> dict[str, Any]:
    """DescribeInferenceExperiment of a managed test on that endpoint."""
    return {
        "Name": "churn-test",
        "Arn": f"{ACCOUNT}:inference-experiment/churn-test",
        "Type": "ShadowMode",
        "Status": status,
        "EndpointMetadata": {"EndpointName": ENDPOINT, "EndpointConfigName": CONFIG},
        "Schedule": {"StartTime": LONG_AGO, "EndTime": "2026-12-01T00:00:00+00:00"},
        "ModelVariants": [_tried(PRODUCTION, "model-1"), _tried(SHADOW, "model-2")],
        "ShadowModeConfig": {
            "SourceModelVariantName": PRODUCTION,
            "ShadowModelVariants": [
                {"ShadowModelVariantName": SHADOW, "SamplingPercentage": share}
            ],
        },
    }


def _tried(name: str, model: str) -> dict[str, Any]:
    infrastructure = {
        "InfrastructureType": "RealTimeInference",
        "RealTimeInferenceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
    }
    return {
        "ModelName": model,
        "VariantName": name,
        "InfrastructureConfig": infrastructure,
        "Status": "InService",
    }


def everything(shape: Any, held: Iterable[str] = ()) -> Any:  # noqa: ANN401 - shapes have no type
    """A value of a botocore shape in which every member is present, at every depth.

    Members in which the same shape comes again are left out; of a union there is one.
    """
    inside = {*held, shape.name}
    if shape.type_name == "structure":
        members = [(key, one) for key, one in shape.members.items() if one.name not in held]
        kept = members[:1] if shape.is_tagged_union else members
        return {key: everything(one, inside) for key, one in kept}
    if shape.type_name == "list":
        return [everything(shape.member, inside)] * max(1, shape.metadata.get("min", 1))
    if shape.type_name == "map":
        return {str(everything(shape.key, inside)): everything(shape.value, inside)}
    if shape.type_name == "string":
        text = shape.enum[0] if shape.enum else f"a-{shape.name}"
        return text.ljust(shape.metadata.get("min", 0), "x")
    scalars: dict[str, Any] = {"boolean": True, "timestamp": LONG_AGO, "blob": "x"}
    least = shape.metadata.get("min", 1)
    return scalars.get(shape.type_name, float(least) if shape.type_name == "double" else least)
