"""What scales a variant: targets, policies, scheduled actions, all keyed by the variant's name.

In: Application Auto Scaling's answers. Out: alarms (`alarms`), instance counts (`choice`).

AWS refuses an update that removes a variant, or changes its instance type, while it is a scalable
target. So both variants are deregistered first, which also deletes their policies, and the
promoted one is registered afterwards.

Source:
    SageMaker developer guide, "Update endpoints that use auto scaling".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from analyzer.promotion.alarms import following, of_variant, renamed, triggering
from analyzer.promotion.description import resource_id
from analyzer.promotion.requests import Phase, Step, carried_member, placeholder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.promotion.description import Description

_SERVICE: Final = "application-autoscaling"
_KEY = ("ServiceNamespace", "ResourceId", "ScalableDimension")


@dataclass(frozen=True)
class Scaling:
    """The requests about scaling and the alarms beside it.

    Attributes:
        before: deregister the variants.
        after: register the variant that goes on, with everything that scaled its predecessor.
        undo: register the variants as they were, should the deployment be rolled back.
        replaced: names of the alarms on a variant that is gone afterwards.
    """

    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    undo: tuple[Step, ...] = ()
    replaced: tuple[str, ...] = ()


def promoted(description: Description, old: str, new: str) -> Scaling:
    """For a variant that takes production's place under its own name.

    It scales as production does; where production does not scale, as it did itself.
    """
    source = old if description.scaling("ScalableTargets", old) else new
    numbers = count(1)
    after, arns = _registered(description, source, new, Phase.RESTORE, numbers)
    alarms, names = following(description, old, new, arns)
    own = triggering(description, new, arns, Phase.RESTORE)
    return Scaling(
        before=tuple(_deregistered(description, (old, new))),
        after=(*after, *own, *alarms),
        undo=_as_they_were(description, (old, new), numbers),
        replaced=names,
    )


def removed(description: Description, gone: str) -> Scaling:
    """For a shadow that goes; production's own scaling is left as it is."""
    return Scaling(
        before=tuple(_deregistered(description, (gone,))),
        undo=_as_they_were(description, (gone,), count(1)),
        replaced=tuple(str(alarm["AlarmName"]) for alarm in of_variant(description, gone)),
    )


def _as_they_were(
    description: Description, variants: tuple[str, ...], numbers: Iterator[int]
) -> tuple[Step, ...]:
    found: list[Step] = []
    for variant in variants:
        steps, arns = _registered(description, variant, variant, Phase.ROLLED_BACK, numbers)
        found += (*steps, *triggering(description, variant, arns, Phase.ROLLED_BACK))
    return tuple(found)


def _deregistered(description: Description, variants: tuple[str, ...]) -> Iterator[Step]:
    for variant in variants:
        for target in description.scaling("ScalableTargets", variant):
            yield Step(
                phase=Phase.PREPARE,
                service=_SERVICE,
                operation="DeregisterScalableTarget",
                request={key: target[key] for key in _KEY},
                reason=f"AWS refuses to update an endpoint while {variant} is a scalable target",
            )


def _registered(
    description: Description, source: str, variant: str, phase: Phase, numbers: Iterator[int]
) -> tuple[tuple[Step, ...], dict[str, str]]:
    """Everything that scales one variant, for another or itself; and old ARN -> placeholder."""
    steps, arns = [], {}
    why = "as before" if source == variant else f"as {source} was"
    for target in description.scaling("ScalableTargets", source):
        body = _body(description, "DescribeScalableTargets", target, source, variant)
        # The role is AWS's own for the service; naming it would need a right to pass it.
        body.pop("RoleARN", None)
        reason = f"{variant} scales between the same bounds {why}"
        steps.append(_step(phase, "RegisterScalableTarget", body, reason))
    for policy in description.scaling("ScalingPolicies", source):
        body = _body(description, "DescribeScalingPolicies", policy, source, variant)
        name, token = placeholder(next(numbers))
        if "PolicyARN" in policy:
            arns[policy["PolicyARN"]] = token
        reason = f"{variant} scales by the same policy {why}"
        steps.append(_step(phase, "PutScalingPolicy", body, reason, name))
    for action in description.scaling("ScheduledActions", source):
        body = _body(description, "DescribeScheduledActions", action, source, variant)
        reason = f"{variant} scales on the same schedule {why}"
        steps.append(_step(phase, "PutScheduledAction", body, reason))
    return tuple(steps), arns


_MEMBERS = {
    "DescribeScalableTargets": ("ScalableTargets", "RegisterScalableTarget"),
    "DescribeScalingPolicies": ("ScalingPolicies", "PutScalingPolicy"),
    "DescribeScheduledActions": ("ScheduledActions", "PutScheduledAction"),
}


def _body(
    description: Description, described: str, item: dict[str, Any], source: str, variant: str
) -> dict[str, Any]:
    endpoint = str(description.endpoint["EndpointName"])
    member, created = _MEMBERS[described]
    body, _ = carried_member(_SERVICE, described, member, created, item)
    body["ResourceId"] = resource_id(endpoint, variant)
    fresh: dict[str, Any] = renamed(body, endpoint, source, variant)
    return fresh


def _step(
    phase: Phase, operation: str, request: dict[str, Any], reason: str, gives: str = ""
) -> Step:
    return Step(
        phase=phase,
        service=_SERVICE,
        operation=operation,
        request=request,
        reason=reason,
        gives=gives,
    )
