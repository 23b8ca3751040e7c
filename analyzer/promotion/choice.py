"""What a person chooses about a promotion: on which instances, and how traffic moves.

In: the choices and what they are on a given endpoint. Out: requests.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from analyzer.errors import InputError, UsageError
from analyzer.model import Frozen

if TYPE_CHECKING:
    from analyzer.model import Verdict
    from analyzer.promotion.description import Description

Traffic = Literal["canary", "linear", "all-at-once"]
SIZING = (
    "InstanceType",
    "InitialInstanceCount",
    "InstancePools",
    "VariantInstanceProvisionTimeoutInSeconds",
    "AcceleratorType",
    "AcceleratorPartitionLayouts",
    "ServerlessConfig",
    "ManagedInstanceScaling",
    "CapacityReservationConfig",
    "VolumeSizeInGB",
)
"""The fields of a variant that say on what it runs; all others belong to its model."""
_GIVEN = re.compile(r"(ml\.[a-z0-9.-]+):([1-9][0-9]{0,3})")


class Choice(Frozen):
    """What the command line chose.

    Attributes:
        instances: `production`, `shadow`, or a type and count as `ml.m5.large:2`; None for what
            AWS recommends: production's, unless the instances are what was tested.
    """

    instances: str | None = None
    traffic: Traffic = "canary"


def parsed(instances: str | None, traffic: Traffic) -> Choice:
    """A choice, if it can be meant.

    Raises:
        UsageError: `instances` is neither a variant's part nor TYPE:COUNT.
    """
    named = instances in {None, "production", "shadow"}
    if not named and not _GIVEN.fullmatch(instances or ""):
        raise UsageError(
            f"--instances {instances!r}: expected production, shadow, or TYPE:COUNT such as "
            "ml.m5.large:2"
        )
    return Choice(instances=instances, traffic=traffic)


def whose(choice: Choice, verdict: Verdict) -> str:
    """`production`, `shadow` or `given`."""
    recommended = "shadow" if verdict.subject.change == "infrastructure" else "production"
    chosen = choice.instances or recommended
    return chosen if chosen in {"production", "shadow"} else "given"


def sizing(choice: Choice, verdict: Verdict, description: Description) -> dict[str, Any]:
    """On what the promoted variant runs: the `SIZING` fields of a variant's configuration.

    The count is the variant's present one, not the configured one: scaling may have changed it.

    Raises:
        InputError: production's instance pools name models of their own.
    """
    kind = whose(choice, verdict)
    if kind == "given":
        found = _GIVEN.fullmatch(choice.instances or "")
        given = found.groups() if found else ("", "1")
        return {"InstanceType": given[0], "InitialInstanceCount": int(given[1])}
    variant = description.production if kind == "production" else description.shadow or {}
    fields = {name: variant[name] for name in SIZING if variant.get(name) is not None}
    pools = fields.get("InstancePools") or ()
    if kind == "production" and any(one.get("ModelNameOverride") for one in pools):
        raise InputError(
            "production's InstancePools name models of their own, which would go on serving: "
            "choose --instances shadow",
            code="instance-pools",
        )
    own = description.shadow or {}
    if {"VolumeSizeInGB"} <= fields.keys() & own.keys():
        # The model has to fit, as it did where it was judged.
        fields["VolumeSizeInGB"] = max(fields["VolumeSizeInGB"], own["VolumeSizeInGB"])
    now = description.instances_now(str(variant["VariantName"]))
    if now is not None and "InitialInstanceCount" in fields:
        fields["InitialInstanceCount"] = now
    return fields
