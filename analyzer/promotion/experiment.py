"""A managed shadow test: it is stopped, and says itself which variant goes on.

In: verdict, description, choice. Out: scaling and alarms, which are the same on both routes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.errors import InputError
from analyzer.model import Note
from analyzer.promotion import scaling
from analyzer.promotion.choice import sizing
from analyzer.promotion.requests import Draft, Phase, Step
from analyzer.promotion.self_service import alarms_deleted

if TYPE_CHECKING:
    from analyzer.model import Verdict
    from analyzer.promotion.choice import Choice
    from analyzer.promotion.description import Description

_LONGEST_S = 2 * 3600


def promotion(verdict: Verdict, digest: str, description: Description, choice: Choice) -> Draft:
    """Stop the test: promote the shadow, remove production."""
    old, new = str(description.production["VariantName"]), description.shadow or {}
    name = str(new["VariantName"])
    moved = scaling.promoted(description, old, name)
    stop = _stop(
        description,
        {name: "Promote", old: "Remove"},
        _variant(new, sizing(choice, verdict, description)),
        f"{verdict.decision.value} by shadow-analyzer, manifest sha256:{digest}",
    )
    text = "AWS moves all traffic at once and rolls nothing back when a managed test is promoted"
    return Draft(
        steps=(
            *moved.before,
            _step(stop, f"completes the test: {name} is promoted, {old} removed"),
            *moved.after,
            *moved.undo,
            *_cleaning(moved.replaced),
        ),
        wait_s=_LONGEST_S,
        warnings=(Note(code="no-guardrails", text=text),),
    )


def removal(verdict: Verdict, digest: str, description: Description, choice: Choice) -> Draft:
    """Stop the test: keep production as it is, remove the shadow."""
    del choice
    old, gone = description.production, str((description.shadow or {})["VariantName"])
    kept = str(old["VariantName"])
    now = description.instances_now(kept)
    fields = dict(old) if now is None else {**old, "InitialInstanceCount": now}
    stop = _stop(
        description,
        {gone: "Remove", kept: "Retain"},
        _variant(old, fields),
        f"{verdict.decision.value} by shadow-analyzer, manifest sha256:{digest}",
    )
    moved = scaling.removed(description, gone)
    step = _step(stop, f"completes the test: {gone} is removed, {kept} stays")
    steps = (*moved.before, step, *moved.undo, *_cleaning(moved.replaced))
    return Draft(steps=steps, wait_s=_LONGEST_S)


def _cleaning(alarms: tuple[str, ...]) -> tuple[Step, ...]:
    return (alarms_deleted(list(alarms)),) if alarms else ()


def _stop(
    description: Description, actions: dict[str, str], desired: dict[str, Any], reason: str
) -> dict[str, Any]:
    return {
        "Name": str((description.experiment or {})["Name"]),
        "ModelVariantActions": actions,
        # One for each variant that is deployed after the test; the removed one has none.
        "DesiredModelVariants": [desired],
        "DesiredState": "Completed",
        "Reason": reason,
    }


def _variant(variant: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    if not variant.get("ModelName"):
        raise InputError(f"{variant['VariantName']}: it has no model of its own", code="variants")
    if "InstanceType" not in fields or "InitialInstanceCount" not in fields:
        raise InputError(
            f"{variant['VariantName']}: a managed test runs on instances of one type, and these "
            "have none; choose --instances TYPE:COUNT",
            code="instance-type",
        )
    return {
        "ModelName": variant["ModelName"],
        "VariantName": variant["VariantName"],
        "InfrastructureConfig": {
            "InfrastructureType": "RealTimeInference",
            "RealTimeInferenceConfig": {
                "InstanceType": fields["InstanceType"],
                "InstanceCount": fields["InitialInstanceCount"],
            },
        },
    }


def _step(request: dict[str, Any], reason: str) -> Step:
    return Step(
        phase=Phase.DEPLOY,
        service="sagemaker",
        operation="StopInferenceExperiment",
        request=request,
        reason=reason,
    )
