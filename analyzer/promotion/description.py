"""What an endpoint is now: the raw answers of the describe calls, as JSON.

In: answers under the names of their calls, from AWS (`describe`) or an endpoint file, and what a
plan asks of them. Out: asking AWS.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from analyzer.endpoint import endpoint_facts
from analyzer.errors import InputError, unopened
from analyzer.promotion.answers import CALLS, checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analyzer.metrics.metric import EndpointFacts

    Answer = dict[str, Any]

_NEEDED = ("DescribeEndpoint", "DescribeEndpointConfig")
_SCALING = {
    "ScalableTargets": "DescribeScalableTargets",
    "ScalingPolicies": "DescribeScalingPolicies",
    "ScheduledActions": "DescribeScheduledActions",
}


@dataclass(frozen=True)
class Description:
    """The answers, each under the name of its call; calls that were not made are absent.

    Attributes:
        answers: `DescribeEndpoint` and `DescribeEndpointConfig`, and as far as known
            `DescribeInferenceExperiment`, `ListTags` (of the configuration), `DescribeModel` (of
            the shadow's model), `ScalingActivities`, `DescribeScalableTargets`,
            `DescribeScalingPolicies`, `DescribeScheduledActions` and `DescribeAlarms`.
        name: what a person calls it: a file's name, or the endpoint's.
    """

    answers: Mapping[str, Answer | None]
    name: str

    @property
    def endpoint(self) -> Answer:
        """The endpoint as it runs."""
        return self.answers["DescribeEndpoint"] or {}

    @property
    def config(self) -> Answer:
        """The configuration it was made from."""
        return self.answers["DescribeEndpointConfig"] or {}

    @property
    def experiment(self) -> Answer | None:
        """The managed shadow test that runs on it; one that is over is none."""
        test = self.answers.get("DescribeInferenceExperiment")
        return test if test and test.get("Status") == "Running" else None

    @property
    def scaling_known(self) -> bool:
        """Whether anybody asked what scales it."""
        return self.answers.get("DescribeScalableTargets") is not None

    @cached_property
    def facts(self) -> EndpointFacts:
        """The same as a run reads it."""
        known = {key: value for key, value in self.answers.items() if value is not None}
        return endpoint_facts(json.dumps(known), self.name)

    @property
    def production(self) -> Answer:
        """The production variant's configuration."""
        return self._only("ProductionVariants")

    @property
    def shadow(self) -> Answer | None:
        """The shadow variant's configuration; None where the endpoint has none."""
        return (
            self._only("ShadowProductionVariants") if self._of("ShadowProductionVariants") else None
        )

    def instances_now(self, variant: str) -> int | None:
        """How many instances a variant has at this moment, which scaling may have changed."""
        for group in ("ProductionVariants", "ShadowProductionVariants"):
            for one in self.endpoint.get(group) or ():
                if one.get("VariantName") == variant:
                    return one.get("CurrentInstanceCount") or None
        return None

    def scaling(self, kind: str, variant: str) -> list[Answer]:
        """Scalable targets, scaling policies or scheduled actions of one variant."""
        answer = self.answers.get(_SCALING[kind]) or {}
        resource = resource_id(str(self.endpoint["EndpointName"]), variant)
        return [one for one in answer.get(kind) or () if one.get("ResourceId") == resource]

    @property
    def alarms(self) -> list[Answer]:
        """Metric alarms, of this endpoint and others."""
        return list((self.answers.get("DescribeAlarms") or {}).get("MetricAlarms") or ())

    @property
    def tags(self) -> list[Answer]:
        """Tags of the configuration."""
        return list((self.answers.get("ListTags") or {}).get("Tags") or ())

    def _of(self, group: str) -> list[Answer]:
        return list(self.config.get(group) or ())

    def _only(self, group: str) -> Answer:
        found = self._of(group)
        if len(found) != 1:
            names = ", ".join(str(one.get("VariantName")) for one in found) or "none"
            raise InputError(
                f"{self.name}: one variant expected in {group}, found {names}", code="variants"
            )
        return found[0]


def resource_id(endpoint: str, variant: str) -> str:
    """How Application Auto Scaling names a variant."""
    return f"endpoint/{endpoint}/variant/{variant}"


def read_description(path: Path, endpoint: str) -> Description:
    """The description in an endpoint file.

    Raises:
        AccessError: the file cannot be opened.
        InputError: not there, not JSON, without the two needed answers, not of AWS's form, of
            another endpoint, or of one that was being changed.
    """
    try:
        answers = json.loads(path.read_bytes())
    except OSError as error:
        raise unopened(path, error) from None
    except (ValueError, RecursionError):
        raise InputError(f"{path.name}: not JSON", code="endpoint-file") from None
    held = answers if isinstance(answers, dict) else {}
    missing = [name for name in _NEEDED if held.get(name) is None]
    if missing:
        text = f"{path.name}: {' and '.join(missing)} missing: a plan carries over what is in them"
        raise InputError(text, code="endpoint-file")
    known = {key: held[key] for key in CALLS if held.get(key) is not None}
    answered: Any = {key: checked(key, one, path.name) for key, one in known.items()}
    description = Description(answered, path.name)
    verify(description, endpoint)
    status = description.endpoint.get("EndpointStatus")
    if status != "InService":
        raise InputError(
            f"{path.name}: {endpoint} was {status} when it was described, not InService: describe "
            "it again once it is",
            code="endpoint-file",
        )
    return description


def verify(description: Description, endpoint: str) -> None:
    """Refuse answers that do not belong together.

    Raises:
        InputError: they are of another endpoint, or of two configurations.
    """
    named = description.endpoint.get("EndpointName")
    if named != endpoint:
        raise InputError(f"{description.name}: it describes the endpoint {named}, not {endpoint}")
    runs, described = (
        one.get("EndpointConfigName") for one in (description.endpoint, description.config)
    )
    if runs != described:
        raise InputError(
            f"{description.name}: the endpoint runs the configuration {runs}, and {described} is "
            "described; describe them again"
        )
