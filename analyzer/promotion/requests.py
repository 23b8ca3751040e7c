"""One AWS request: what is asked, why, and how it reads on a command line.

In: building, checking and spelling a request, all from botocore's own model of the service. Out:
which requests a plan has (`plan`), and sending them (`apply`).
"""

from __future__ import annotations

import json
import re
import shlex
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from analyzer.errors import InputError
from analyzer.model import Frozen, Note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from botocore.model import ServiceModel, Shape

Service: TypeAlias = Literal["sagemaker", "application-autoscaling", "cloudwatch"]
_PLACEHOLDER = re.compile(r"\$\{policy_arn_[0-9]+\}")


class Phase(StrEnum):
    """When a request is sent; `--apply` sends the first three, and `rolled_back` if it must."""

    PREPARE = "prepare"
    DEPLOY = "deploy"
    RESTORE = "restore"
    ROLLED_BACK = "rolled_back"
    CLEAN_UP = "clean_up"


class Step(Frozen):
    """One request of a plan.

    Attributes:
        operation: as the API names it, such as `CreateEndpointConfig`.
        request: the exact body.
        reason: why it is sent, one sentence.
        gives: the placeholder in later requests that stands for this answer's `PolicyARN`.
    """

    phase: Phase
    service: Service
    operation: str
    request: dict[str, Any]
    reason: str
    gives: str = ""

    def command(self, flags: Sequence[str] = ()) -> str:
        """The request as one line of shell; a placeholder becomes a variable.

        Args:
            flags: of every `aws` command, such as `--region` and its value.
        """
        from botocore import xform_name

        words = shlex.join(["aws", self.service, xform_name(self.operation, "-"), *flags])
        line = f"{words} --cli-input-json {_in_shell(self.request)}"
        if not self.gives:
            return line
        return f"{self.gives}=$({line} --query PolicyARN --output text)"


class Draft(Frozen):
    """What one route makes of a verdict.

    Attributes:
        config: name of the configuration it creates; empty where AWS names it.
        wait_s: the longest the deployment may take.
    """

    steps: tuple[Step, ...]
    config: str = ""
    wait_s: int
    warnings: tuple[Note, ...] = ()


def placeholder(number: int) -> tuple[str, str]:
    """The name of an answer that only sending brings, and what stands for it in a request.

    >>> placeholder(1)
    ('policy_arn_1', '${policy_arn_1}')
    """
    name = f"policy_arn_{number}"
    return name, f"${{{name}}}"


def filled(value: object, answers: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """The same JSON with every placeholder that has an answer replaced by it."""
    if isinstance(value, dict):
        return {key: filled(one, answers) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, answers) for one in value]
    return answers.get(value, value) if isinstance(value, str) else value


def _in_shell(request: Mapping[str, Any]) -> str:
    """A body as one shell word; placeholders are the only thing the shell may expand."""
    quoted = shlex.quote(json.dumps(request))
    for token in _placeholders(request):
        quoted = quoted.replace(f'"{token}"', f'"\'"{token}"\'"')
    return quoted


def _placeholders(value: object) -> set[str]:
    if isinstance(value, dict):
        return {token for one in value.values() for token in _placeholders(one)}
    if isinstance(value, list):
        return {token for one in value for token in _placeholders(one)}
    # Anything else that looks like a variable is somebody's text, and the shell must not see it.
    return {value} if isinstance(value, str) and _PLACEHOLDER.fullmatch(value) else set()


@lru_cache(maxsize=8)
def service_model(service: str) -> ServiceModel:
    """What botocore knows of a service: every operation with the shapes it takes and gives."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"))


def problems(step: Step) -> str:
    """What the service's model has against a request body; empty when it has nothing."""
    from botocore.validate import ParamValidator

    shape: Any = service_model(step.service).operation_model(step.operation).input_shape
    return str(ParamValidator().validate(step.request, shape).generate_report())


def checked(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps, each of which AWS would accept as far as its model says.

    Raises:
        InputError: one that it would not, with what is wrong in it.
    """
    for step in steps:
        found = problems(step)
        if found:
            text = " ".join(found.split())
            raise InputError(f"{step.operation}: not a request AWS takes: {text}")
    return steps


def carried(
    service: str, described: str, created: str, answer: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Everything of a describe answer that a create request takes, whatever the fields are.

    Args:
        service: whose model knows both operations.
        described: the operation that answered.
        created: the operation whose request is wanted.
        answer: JSON.

    Returns:
        The request, without what only an answer has (ARNs, times); and the paths of fields this
        botocore does not know at all, which could therefore not be carried over.
    """
    model = service_model(service)
    source = model.operation_model(described).output_shape
    return _carried_shape(answer, source, model.operation_model(created).input_shape)


def carried_member(
    service: str, described: str, member: str, created: str, item: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """As `carried`, for one item of a list in the answer."""
    model = service_model(service)
    listed: Any = model.operation_model(described).output_shape
    source = listed.members[member].member
    return _carried_shape(item, source, model.operation_model(created).input_shape)


def _carried_shape(
    answer: Mapping[str, Any], source: Shape | None, target: Shape | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    unknown: list[str] = []
    body = _carry(answer, source, target, "", unknown)
    return body, tuple(sorted(unknown))


def _carry(value: Any, source: Any, target: Any, path: str, unknown: list[str]) -> Any:  # noqa: ANN401 - shapes and JSON have no static type
    if target.type_name == "structure":
        body: dict[str, Any] = {}
        for key, one in value.items():
            below = f"{path}.{key}" if path else key
            given = source.members.get(key)
            wanted = target.members.get(key)
            if one is None or key == "ResponseMetadata":
                continue
            if wanted is None:
                if given is None:
                    unknown.append(below)
                continue
            if one == {} and wanted.type_name == "structure" and wanted.required_members:
                continue  # says nothing, and is no request
            body[key] = _carry(one, given or wanted, wanted, below, unknown)
        return body
    if target.type_name == "list":
        members = source.member, target.member
        return [_carry(one, *members, f"{path}[]", unknown) for one in value]
    if target.type_name == "map":
        members = source.value, target.value
        return {key: _carry(one, *members, f"{path}.{key}", unknown) for key, one in value.items()}
    return value
