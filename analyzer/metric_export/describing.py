"""What SageMaker says an endpoint is: the raw answers that endpoint.json holds.

In: DescribeEndpoint, DescribeEndpointConfig, the shadow experiment where there is one, and scaling
activities. Out: what they mean (`endpoint`). An answer that may not be read is left out and said; a
verdict can do without it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from analyzer.cloudwatch.vocabulary import INVOCATIONS
from analyzer.errors import InputError
from analyzer.sources.aws import Trail, answer_code, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from analyzer.metric_export.fetching import CloudWatchClient

_EXPERIMENTS = 50
"""How many of the latest experiments are looked at to find the endpoint's own."""
_GONE = "ValidationException"
_NOT_BEGUN = frozenset({"Creating", "Created", "Starting"})
_VARIANTS = ("ProductionVariants", "ShadowProductionVariants")


class SageMakerClient(Protocol):
    """The SageMaker calls this module makes; all read only."""

    def describe_endpoint(self, **request: object) -> Mapping[str, Any]:
        """What runs now."""

    def describe_endpoint_config(self, **request: object) -> Mapping[str, Any]:
        """What was asked to run."""

    def list_inference_experiments(self, **request: object) -> Mapping[str, Any]:
        """One page of experiments."""

    def describe_inference_experiment(self, **request: object) -> Mapping[str, Any]:
        """One experiment."""


class ScalingClient(Protocol):
    """The Application Auto Scaling call this module makes."""

    def describe_scaling_activities(self, **request: object) -> Mapping[str, Any]:
        """One page of what was scaled."""


@dataclass(frozen=True)
class Clients:
    """Whom to ask."""

    cloudwatch: CloudWatchClient
    sagemaker: SageMakerClient
    scaling: ScalingClient


@dataclass
class Description:
    """What was found out.

    Attributes:
        answers: name in endpoint.json -> raw answer.
        variants: every variant of the endpoint, production first.
        remarks: what could not be found out, and why.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    variants: tuple[str, ...] = ()
    remarks: list[str] = field(default_factory=list)


def describe(clients: Clients, endpoint: str) -> Description:
    """The endpoint's raw answers and its variants.

    An endpoint that is gone, as after an experiment of its own, still has metrics: its variants are
    then those CloudWatch names.

    Raises:
        AccessError: DescribeEndpoint is refused and CloudWatch names no variant either.
        InputError: neither service knows the endpoint.
    """
    found = Description()
    try:
        answer = _without_metadata(clients.sagemaker.describe_endpoint(EndpointName=endpoint))
    except (BotoCoreError, ClientError) as error:
        found.variants = tuple(sorted(_metered(clients.cloudwatch, endpoint)))
        if not found.variants:
            gone = isinstance(error, ClientError) and answer_code(error) == _GONE
            if gone:
                raise InputError(
                    f"{endpoint}: no such endpoint, and no metrics of the last two weeks name it; "
                    "check the name, --region and --profile"
                ) from None
            raise explain(error, f"describe endpoint {endpoint}") from None
        found.remarks.append(f"no endpoint.json: {explain(error, 'DescribeEndpoint')}")
        return found
    found.answers["DescribeEndpoint"] = answer
    config = answer.get("EndpointConfigName")
    found.variants = _named(answer)
    _add(
        found,
        "DescribeEndpointConfig",
        lambda: clients.sagemaker.describe_endpoint_config(EndpointConfigName=config),
    )
    _add(
        found,
        "DescribeInferenceExperiment",
        lambda: _experiment(clients.sagemaker, endpoint),
    )
    _add(
        found,
        "ScalingActivities",
        lambda: _scaling(clients.scaling, endpoint, found.variants),
    )
    return found


def _add(found: Description, name: str, ask: Callable[[], Any]) -> None:
    """One more answer, or the remark that it could not be had."""
    try:
        answer = ask()
    except (BotoCoreError, ClientError) as error:
        found.remarks.append(f"endpoint.json lacks {name}: {explain(error, name)}")
        return
    if answer:
        found.answers[name] = _without_metadata(answer) if isinstance(answer, dict) else answer


def _without_metadata(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer without the service's own request ids and headers."""
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _named(answer: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(one["VariantName"] for kind in _VARIANTS for one in answer.get(kind) or ())


def _experiment(client: SageMakerClient, endpoint: str) -> Mapping[str, Any] | None:
    """The latest shadow experiment on the endpoint, among the last fifty, that has begun."""
    listed = client.list_inference_experiments(
        Type="ShadowMode", SortBy="CreationTime", SortOrder="Descending", MaxResults=_EXPERIMENTS
    )
    for summary in listed.get("InferenceExperiments", []):
        if summary.get("Status") in _NOT_BEGUN:
            continue
        found = client.describe_inference_experiment(Name=summary["Name"])
        if (found.get("EndpointMetadata") or {}).get("EndpointName") == endpoint:
            return found
    return None


def _scaling(
    client: ScalingClient, endpoint: str, variants: tuple[str, ...]
) -> list[Mapping[str, Any]]:
    return [
        activity
        for variant in variants
        for page in _pages(
            "ScalingActivities",
            client.describe_scaling_activities,
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{endpoint}/variant/{variant}",
        )
        for activity in page.get("ScalingActivities", [])
    ]


def _metered(client: CloudWatchClient, endpoint: str) -> set[str]:
    """Variants of the endpoint that CloudWatch has Invocations of."""
    named = set()
    try:
        for page in _pages(
            "CloudWatch",
            client.list_metrics,
            Namespace=INVOCATIONS,
            MetricName="Invocations",
            Dimensions=[{"Name": "EndpointName", "Value": endpoint}],
        ):
            for metric in page.get("Metrics", []):
                dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
                if dimensions.keys() == {"EndpointName", "VariantName"}:
                    named.add(dimensions["VariantName"])
    except (BotoCoreError, ClientError) as error:
        raise explain(error, "CloudWatch") from None
    return named


def _pages(
    what: str, call: Callable[..., Mapping[str, Any]], **request: object
) -> Iterator[Mapping[str, Any]]:
    trail = Trail()
    while True:
        page = call(**request)
        yield page
        if not page.get("NextToken"):
            return
        request["NextToken"] = trail.on(page["NextToken"], what)
