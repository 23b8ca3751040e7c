"""An endpoint with a shadow variant of its own: a new configuration, and an update to it.

In: verdict, description, choice. Out: scaling and alarms, which are the same on both routes.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import TYPE_CHECKING, Any

from analyzer.errors import InputError
from analyzer.model import Note
from analyzer.promotion import scaling
from analyzer.promotion.alarms import PERIOD_S, PERIODS, rollback_alarms
from analyzer.promotion.choice import SIZING, sizing
from analyzer.promotion.requests import Draft, Phase, Step, carried

if TYPE_CHECKING:
    from analyzer.model import Verdict
    from analyzer.promotion.choice import Choice, Traffic
    from analyzer.promotion.description import Description

_LONGEST_NAME = 63
_HASH_DIGITS = 12
_CANARY_SHARE = 0.3
_LINEAR_STEPS = 5
_WAIT_S = PERIOD_S * PERIODS + PERIOD_S
"""Between shifts of traffic: the alarms' two periods, and one for metrics to arrive."""
_STARTING_S = 3600
_LONGEST_DEPLOYMENT_S = 28800
_LEAST_SHIFTABLE = 2
"""A canary takes at most half of the instances."""


def promotion(verdict: Verdict, digest: str, description: Description, choice: Choice) -> Draft:
    """The shadow's variant as the only one, in a new configuration that is otherwise the same."""
    del digest
    old, new = description.production, _shadow(description)
    variant = {key: value for key, value in new.items() if key not in SIZING}
    variant |= sizing(choice, verdict, description)
    # A shadow's weight is the share of requests it was sent a copy of.
    variant["InitialVariantWeight"] = old.get("InitialVariantWeight", 1.0)
    body, notes = _configuration(description, variant)
    config = str(body["EndpointConfigName"])
    endpoint, name = str(description.endpoint["EndpointName"]), str(new["VariantName"])
    alarms = rollback_alarms(verdict, endpoint, name, config)
    deployment, wait_s, more = _deployment(variant, choice.traffic, alarms)
    moved = scaling.promoted(description, str(old["VariantName"]), name)
    update: dict[str, Any] = {"EndpointName": endpoint, "EndpointConfigName": config}
    update |= {"DeploymentConfig": deployment} if deployment else {}
    guards = alarms if deployment else ()
    steps = (
        _create(body, f"{name} as the production variant; every other field as it is now"),
        *guards,
        *moved.before,
        _step(Phase.DEPLOY, "UpdateEndpoint", update, _moving(deployment, name, endpoint)),
        *moved.after,
        *moved.undo,
        *_cleaning(description, guards, moved.replaced),
    )
    return Draft(steps=steps, config=config, wait_s=wait_s, warnings=(*notes, *more))


def removal(verdict: Verdict, digest: str, description: Description, choice: Choice) -> Draft:
    """The production variant alone, in a new configuration that is otherwise the same."""
    del verdict, digest, choice
    old, gone = description.production, str(_shadow(description)["VariantName"])
    variant = dict(old)
    now = description.instances_now(str(old["VariantName"]))
    if now is not None and "InitialInstanceCount" in variant:
        variant["InitialInstanceCount"] = now
    body, notes = _configuration(description, variant)
    config, endpoint = str(body["EndpointConfigName"]), str(description.endpoint["EndpointName"])
    moved = scaling.removed(description, gone)
    update = {
        "EndpointName": endpoint,
        "EndpointConfigName": config,
        # Scaling goes on during the update; the count at its end is the one that counts.
        "RetainAllVariantProperties": True,
    }
    steps = (
        _create(body, f"the present configuration without {gone}"),
        *moved.before,
        _step(Phase.DEPLOY, "UpdateEndpoint", update, f"removes {gone} from {endpoint}"),
        *moved.undo,
        *_cleaning(description, (), moved.replaced),
    )
    return Draft(steps=steps, config=config, wait_s=_STARTING_S, warnings=notes)


def _shadow(description: Description) -> dict[str, Any]:
    shadow = description.shadow
    if shadow is None or not shadow.get("ModelName"):
        raise InputError(
            f"{description.name}: the shadow variant has no model of its own", code="variants"
        )
    return shadow


def _configuration(
    description: Description, variant: dict[str, Any]
) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """The present configuration with one variant and a name made from all that is in it.

    Raises:
        InputError: it has fields that this botocore does not know, and would lose.
    """
    now = {key: value for key, value in description.config.items() if "Variants" not in key}
    body, unknown = carried(
        "sagemaker",
        "DescribeEndpointConfig",
        "CreateEndpointConfig",
        {**now, "ProductionVariants": [variant]},
    )
    if unknown:
        raise InputError(
            f"{description.name}: fields this version of botocore does not know and would not "
            f"carry over: {', '.join(unknown)}; upgrade boto3 and run again",
            code="unknown-fields",
        )
    own = [tag for tag in description.tags if not str(tag["Key"]).lower().startswith("aws:")]
    if own:
        body["Tags"] = own
    body["EndpointConfigName"] = _name(str(description.endpoint["EndpointName"]), body)
    kept = len(description.tags) - len(own)
    text = f"{kept} tags that begin with aws: belong to AWS and cannot be copied"
    return body, (Note(code="aws-tags", text=text),) if kept else ()


def _name(endpoint: str, body: dict[str, Any]) -> str:
    """A name that is the same for the same configuration, and for no other."""
    content = {key: value for key, value in body.items() if key != "EndpointConfigName"}
    hashed = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    room = _LONGEST_NAME - _HASH_DIGITS - 1
    stem = re.sub(r"[^a-zA-Z0-9-]", "-", endpoint)[:room].rstrip("-")
    return f"{stem}-{hashed[:_HASH_DIGITS]}"


def _deployment(
    variant: dict[str, Any], traffic: Traffic, alarms: tuple[Step, ...]
) -> tuple[dict[str, Any], int, tuple[Note, ...]]:
    """How traffic moves, the longest that takes, and what to know of it."""
    if "ServerlessConfig" in variant:
        text = "AWS shifts no traffic and rolls nothing back on serverless endpoints"
        return {}, _STARTING_S, (Note(code="no-guardrails", text=text),)
    count = variant.get("InitialInstanceCount")
    notes = []
    if traffic != "all-at-once" and (count is None or count < _LEAST_SHIFTABLE):
        text = f"one instance cannot be split: all traffic moves at once, not by {traffic}"
        notes.append(Note(code="one-instance", text=text))
        traffic = "all-at-once"
    routing, pauses = _routing(traffic, count or 1)
    waits = pauses * _WAIT_S + _WAIT_S
    longest = min(waits + _STARTING_S, _LONGEST_DEPLOYMENT_S)
    body: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": _WAIT_S,
            "MaximumExecutionTimeoutInSeconds": longest,
        }
    }
    if alarms:
        names = [{"AlarmName": step.request["AlarmName"]} for step in alarms]
        body["AutoRollbackConfiguration"] = {"Alarms": names}
    else:
        text = "the verdict holds no level and margin to make an alarm of: nothing rolls it back"
        notes.append(Note(code="no-alarms", text=text))
    return body, longest + _STARTING_S, tuple(notes)


def _routing(traffic: Traffic, count: int) -> tuple[dict[str, Any], int]:
    """How traffic moves, and how many pauses that has.

    In instances, because a percentage of few of them is none.
    """
    if traffic == "canary":
        size = {"Type": "INSTANCE_COUNT", "Value": max(1, math.floor(count * _CANARY_SHARE))}
        return {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": _WAIT_S}, 1
    if traffic == "linear":
        step = math.ceil(count / _LINEAR_STEPS)
        size = {"Type": "INSTANCE_COUNT", "Value": step}
        routing = {"Type": "LINEAR", "LinearStepSize": size, "WaitIntervalInSeconds": _WAIT_S}
        return routing, math.ceil(count / step)
    return {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": _WAIT_S}, 1


def _moving(deployment: dict[str, Any], variant: str, endpoint: str) -> str:
    if not deployment:
        return f"{variant} takes over {endpoint}"
    routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    how = {"CANARY": "a canary first", "LINEAR": "step by step", "ALL_AT_ONCE": "all at once"}
    guard = ", back if an alarm goes off" if "AutoRollbackConfiguration" in deployment else ""
    return f"{variant} takes over {endpoint}: {how[routing['Type']]}{guard}"


def _create(body: dict[str, Any], reason: str) -> Step:
    return _step(Phase.PREPARE, "CreateEndpointConfig", body, reason)


def _cleaning(
    description: Description, alarms: tuple[Step, ...], replaced: tuple[str, ...]
) -> tuple[Step, ...]:
    """What may go once nobody wants to go back."""
    names = [*(str(step.request["AlarmName"]) for step in alarms), *replaced]
    before = str(description.config["EndpointConfigName"])
    deleted = {"EndpointConfigName": before}
    reason = f"only when nobody wants to go back: UpdateEndpoint to {before} is the way back"
    steps = [_step(Phase.CLEAN_UP, "DeleteEndpointConfig", deleted, reason)]
    if names:
        steps += [alarms_deleted(names)]
    return tuple(steps)


def alarms_deleted(names: list[str]) -> Step:
    """Alarms that watch a deployment that is over, or a variant that is gone."""
    return Step(
        phase=Phase.CLEAN_UP,
        service="cloudwatch",
        operation="DeleteAlarms",
        request={"AlarmNames": names},
        reason="they watch a deployment that is over, or a variant that is gone",
    )


def _step(phase: Phase, operation: str, request: dict[str, Any], reason: str) -> Step:
    return Step(
        phase=phase, service="sagemaker", operation=operation, request=request, reason=reason
    )
