"""CloudWatch alarms: those that roll a deployment back, and those that follow a variant's name.

In: margins of the verdict, alarms as described. Out: what scales a variant (`scaling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from analyzer.promotion.requests import Phase, Step, carried_member

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model import Verdict
    from analyzer.promotion.description import Description

PERIOD_S = 300
PERIODS = 2
"""Two periods of five minutes, as AWS's own examples last: one slow minute rolls nothing back."""
_US_PER_MS = 1000
_LONGEST_NAME = 255
_NUMBER_DIGITS = 6


@dataclass(frozen=True)
class _Watch:
    """A judged metric and the CloudWatch metric whose average tells of it.

    Attributes:
        scale: CloudWatch's unit in the verdict's.
    """

    metric: str
    cloudwatch: str
    ratio: bool
    scale: float


_WATCHES = (
    _Watch("latency_mean", "ModelLatency", ratio=True, scale=_US_PER_MS),
    _Watch("error_5xx_rate", "Invocation5XXErrors", ratio=False, scale=1),
    _Watch("model_error_rate", "InvocationModelErrors", ratio=False, scale=1),
)
"""Percentiles are left out: five minutes of one canary hold too few requests for a tail."""


def rollback_alarms(verdict: Verdict, endpoint: str, variant: str, config: str) -> tuple[Step, ...]:
    """Alarms that go off when the new fleet alone breaks the margins it was promoted under.

    The threshold is production's level in the verdict's window times, or plus, its margin. The
    dimension EndpointConfigName keeps the old fleet's requests out of it.

    Source:
        SageMaker developer guide, "Auto-rollback configuration and monitoring": monitor model
        latency on the new fleet.
    """
    return tuple(
        step
        for watch in _WATCHES
        if (step := _rollback_alarm(watch, verdict, endpoint, variant, config)) is not None
    )


def _rollback_alarm(
    watch: _Watch, verdict: Verdict, endpoint: str, variant: str, config: str
) -> Step | None:
    evidence = verdict.metrics.get(watch.metric)
    level = evidence.production if evidence else None
    margin = evidence.margin if evidence else None
    if level is None or margin is None or not evidence:
        return None
    bound = level * margin if watch.ratio else level + margin
    between = "times" if watch.ratio else "plus"
    said = (
        f"{watch.metric}: production's {level:.4g} {evidence.unit} {between} its margin {margin:g}"
    )
    return Step(
        phase=Phase.PREPARE,
        service="cloudwatch",
        operation="PutMetricAlarm",
        request={
            "AlarmName": f"{config}-{watch.cloudwatch}",
            "AlarmDescription": f"Rolls {endpoint} back from {config}. {said}.",
            "ActionsEnabled": False,
            "Namespace": "AWS/SageMaker",
            "MetricName": watch.cloudwatch,
            "Statistic": "Average",
            "Dimensions": [
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": variant},
                {"Name": "EndpointConfigName", "Value": config},
            ],
            "Period": PERIOD_S,
            "EvaluationPeriods": PERIODS,
            "Threshold": round(bound * watch.scale, 9),
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        },
        reason=f"rolls the deployment back when the new fleet is worse than {said}",
    )


def following(
    description: Description, old: str, new: str, arns: Mapping[str, str]
) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """Copies of the alarms on one variant's metrics, for the variant that takes its place.

    Alarms that target tracking made are left out: it makes its own for the new name.

    Args:
        description: with the alarms.
        old: the variant whose alarms there are.
        new: the variant they are copied for.
        arns: scaling policies' ARNs -> what stands for the new ones.

    Returns:
        The requests, and the names of the alarms that were copied.
    """
    endpoint = str(description.endpoint["EndpointName"])
    taken = {str(alarm.get("AlarmName")) for alarm in description.alarms}
    steps, names = [], []
    for alarm in of_variant(description, old):
        body, _ = carried_member(
            "cloudwatch", "DescribeAlarms", "MetricAlarms", "PutMetricAlarm", alarm
        )
        body = replaced(renamed(body, endpoint, old, new), arns)
        names.append(str(alarm["AlarmName"]))
        body["AlarmName"] = _name(names[-1], old, new, taken)
        taken.add(body["AlarmName"])
        steps.append(
            Step(
                phase=Phase.RESTORE,
                service="cloudwatch",
                operation="PutMetricAlarm",
                request=body,
                reason=f"the alarm {names[-1]} watches {old}; this one watches {new}",
            )
        )
    return tuple(steps), tuple(names)


def triggering(
    description: Description, variant: str, arns: Mapping[str, str], phase: Phase
) -> tuple[Step, ...]:
    """The alarms that set off a variant's scaling policies, with the policies' new ARNs."""
    steps = []
    for alarm in of_variant(description, variant):
        if not any(action in arns for action in alarm.get("AlarmActions") or ()):
            continue
        body, _ = carried_member(
            "cloudwatch", "DescribeAlarms", "MetricAlarms", "PutMetricAlarm", alarm
        )
        steps.append(
            Step(
                phase=phase,
                service="cloudwatch",
                operation="PutMetricAlarm",
                request=replaced(body, arns),
                reason="the scaling policy it sets off was made again, under another ARN",
            )
        )
    return tuple(steps)


def of_variant(description: Description, variant: str) -> list[dict[str, Any]]:
    """The alarms on metrics of one variant of the endpoint, a person's own."""
    endpoint = str(description.endpoint["EndpointName"])
    tracked = {
        alarm["AlarmName"]
        for policy in description.scaling("ScalingPolicies", variant)
        if policy.get("PolicyType") == "TargetTrackingScaling"
        for alarm in policy.get("Alarms") or ()
    }
    return [
        alarm
        for alarm in description.alarms
        if alarm.get("AlarmName") not in tracked and _watches(alarm, endpoint, variant)
    ]


def _watches(value: object, endpoint: str, variant: str) -> bool:
    """Whether an alarm has, at any depth, the dimensions of this variant."""
    if isinstance(value, dict):
        return any(
            _is_of(one, endpoint, variant)
            if key == "Dimensions"
            else _watches(one, endpoint, variant)
            for key, one in value.items()
        )
    return isinstance(value, list) and any(_watches(one, endpoint, variant) for one in value)


def _is_of(dimensions: object, endpoint: str, variant: str) -> bool:
    held = dimensions if isinstance(dimensions, list) else []
    named = {one.get("Name"): one.get("Value") for one in held if isinstance(one, dict)}
    return named.get("EndpointName") == endpoint and named.get("VariantName") == variant


def renamed(value: Any, endpoint: str, old: str, new: str) -> Any:  # noqa: ANN401 - JSON
    """The same JSON with the dimensions of one variant turned into those of another."""
    if isinstance(value, list):
        return [renamed(one, endpoint, old, new) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: [{**one, "Value": new} if one["Name"] == "VariantName" else one for one in inner]
        if key == "Dimensions" and _is_of(inner, endpoint, old)
        else renamed(inner, endpoint, old, new)
        for key, inner in value.items()
    }


def replaced(body: dict[str, Any], arns: Mapping[str, str]) -> dict[str, Any]:
    """An alarm whose actions name the new scaling policies."""
    actions = ("OKActions", "AlarmActions", "InsufficientDataActions")
    return {
        key: [arns.get(one, one) for one in value] if key in actions else value
        for key, value in body.items()
    }


def _name(name: str, old: str, new: str, taken: set[str]) -> str:
    """A name for the copy that no other alarm has, within CloudWatch's length."""
    room = _LONGEST_NAME - len(new) - _NUMBER_DIGITS
    stem = f"{name[:room]} {new}"
    numbered = (f"{stem} {number}" for number in count(2))
    candidates = chain((name.replace(old, new), stem), numbered)
    return next(one for one in candidates if one not in taken and len(one) <= _LONGEST_NAME)
