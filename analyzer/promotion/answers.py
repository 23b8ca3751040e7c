"""Whether JSON that a person hands over has the form of the answers AWS gives.

In: JSON, and botocore's model of the operation that answered. Out: what the answers say
(`description`).

Plans read answers at dozens of places and copy parts of them whole. A file that was cut, edited or
made by another tool is refused here, at one place, with the path of what is wrong in it.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from analyzer.errors import InputError
from analyzer.promotion.requests import service_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.promotion.requests import Service

CALLS: dict[str, tuple[Service, str]] = {
    "DescribeEndpoint": ("sagemaker", "DescribeEndpoint"),
    "DescribeEndpointConfig": ("sagemaker", "DescribeEndpointConfig"),
    "DescribeInferenceExperiment": ("sagemaker", "DescribeInferenceExperiment"),
    "DescribeModel": ("sagemaker", "DescribeModel"),
    "ListTags": ("sagemaker", "ListTags"),
    "ScalingActivities": ("application-autoscaling", "DescribeScalingActivities"),
    "DescribeScalableTargets": ("application-autoscaling", "DescribeScalableTargets"),
    "DescribeScalingPolicies": ("application-autoscaling", "DescribeScalingPolicies"),
    "DescribeScheduledActions": ("application-autoscaling", "DescribeScheduledActions"),
    "DescribeAlarms": ("cloudwatch", "DescribeAlarms"),
}
"""Key in an endpoint file -> the call whose answer it holds."""
_ALWAYS_THERE = {"MetricAlarm": ("AlarmName",)}
"""What AWS always answers although its model does not require it."""
_LARGEST = 2**63


def checked(key: str, answer: object, name: str) -> object:
    """An answer without its nulls; fields that botocore does not know are left as they are.

    Args:
        key: of `CALLS`.
        answer: JSON; under `ScalingActivities` also the list within the answer.
        name: of the file.

    Raises:
        InputError: something in it is not what the call answers, and where.
    """
    service, operation = CALLS[key]
    shape: Any = service_model(service).operation_model(operation).output_shape
    if key == "ScalingActivities" and isinstance(answer, list):
        shape = shape.members[key]
    try:
        return _checked(answer, shape, key)
    except ValueError as error:
        raise InputError(f"{name}: {error}", code="endpoint-file") from None


def moment(value: object) -> datetime:
    """A time as boto3, the AWS command line or the wire writes it.

    Raises:
        ValueError: it is none.
    """
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(str(value))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, OSError):
        raise ValueError from None


def _checked(value: Any, shape: Any, path: str) -> Any:  # noqa: ANN401 - JSON and shapes
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return _structure(value, shape, path)
    if kind == "list" and isinstance(value, list):
        return [_checked(one, shape.member, f"{path}[{at}]") for at, one in enumerate(value)]
    if kind == "map" and isinstance(value, dict):
        return {key: _checked(one, shape.value, f"{path}.{key}") for key, one in value.items()}
    holds, words = _SCALARS.get(kind) or (_never, _CONTAINERS[kind])
    if not holds(value):
        raise ValueError(f"{path}: {words} expected, found {_words(value)}")
    return value


def _structure(value: dict[str, Any], shape: Any, path: str) -> dict[str, Any]:  # noqa: ANN401
    given = {key: one for key, one in value.items() if one is not None}
    for required in (*shape.required_members, *_ALWAYS_THERE.get(shape.name, ())):
        if required not in given:
            raise ValueError(f"{path}: {required} is missing")
    return {
        key: _checked(one, shape.members[key], f"{path}.{key}") if key in shape.members else one
        for key, one in given.items()
    }


def _never(_: object) -> bool:
    return False


def _is_text(value: object) -> bool:
    # Half a surrogate pair, which JSON can spell, is no character and cannot be printed.
    return isinstance(value, str) and not any("\ud800" <= one <= "\udfff" for one in value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST


def _is_number(value: object) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_time(value: object) -> bool:
    if not (_is_number(value) or _is_text(value)):
        return False
    try:
        moment(value)
    except ValueError:
        return False
    return True


_SCALARS: dict[str, tuple[Callable[[object], bool], str]] = {
    "string": (_is_text, "text"),
    "blob": (_is_text, "text"),
    "character": (_is_text, "text"),
    "integer": (_is_whole, "a whole number"),
    "long": (_is_whole, "a whole number"),
    "float": (_is_number, "a number"),
    "double": (_is_number, "a number"),
    "boolean": (_is_boolean, "true or false"),
    "timestamp": (_is_time, "a time"),
}
_CONTAINERS = {"structure": "an object", "list": "a list", "map": "an object"}
_SHOWN = 40


def _words(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return ascii(value)[:_SHOWN] if isinstance(value, str) else str(value).lower()[:_SHOWN]
