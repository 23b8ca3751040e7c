"""Calls to SageMaker, Application Auto Scaling and CloudWatch, with JSON in and JSON out.

In: one call at a time, and what AWS refuses as one line. Out: which calls are made (`describe`,
`apply`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analyzer.errors import AccessError
from analyzer.sources.aws import Trail, answer_code, client_of, explain, missing_permission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.exceptions import ClientError

    from analyzer.promotion.requests import Service
    from analyzer.sources import AwsOptions

_RAW = "before-parse.sagemaker.DescribeEndpointConfig"


class Aws:
    """An account and a region, asked by service and operation."""

    def __init__(self, options: AwsOptions) -> None:
        self._options = options
        self._clients: dict[str, Any] = {}
        self._raw: list[dict[str, Any]] = []

    def call(self, service: Service, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One answer as JSON.

        Raises:
            AccessError: unreachable, failed, or `refused`, which alone proves that the request had
                no effect; denials name the permission.
            UsageError: a request the service's model refuses.
        """
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError

        client = self._client(service)
        self._raw.clear()
        try:
            answer = getattr(client, xform_name(operation))(**request)
        except ClientError as error:
            raise _failure(error, service, operation) from None
        except BotoCoreError as error:
            raise explain(error, f"{service} {operation}") from None
        return as_json(self._raw.pop() if self._raw else answer)

    def found(
        self, service: Service, operation: str, request: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """As `call`; None where SageMaker says that there is no such thing."""
        try:
            return self.call(service, operation, request)
        except AccessError as error:
            if error.code == "not-found":
                return None
            raise

    def listed(
        self, service: Service, operation: str, request: Mapping[str, Any], member: str
    ) -> list[dict[str, Any]]:
        """One list of an answer, all pages of it.

        Raises:
            AccessError: as `call`; or the pages do not end.
        """
        trail = Trail()
        items: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            answer = self.call(service, operation, {**request, **token})
            items += answer.get(member) or ()
            if not answer.get("NextToken"):
                return items
            token = {"NextToken": trail.on(answer["NextToken"], f"{service} {operation}")}

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        if service not in self._clients:
            client: Any = client_of(self._options, service)
            if service == "sagemaker":
                client.meta.events.register(_RAW, self._keep)
            self._clients[service] = client
        return self._clients[service]

    def _keep(self, response_dict: Mapping[str, Any], **_: object) -> None:
        """The answer as it came: botocore drops fields it does not know without a word."""
        if response_dict["status_code"] == _OK:
            self._raw[:] = [json.loads(response_dict["body"])]


_OK = 200
_SERVER_FAULTS = 500
_REFUSALS = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"),
        *("ConflictException", "ConcurrentUpdateException", "ResourceInUse"),
        *("LimitExceeded", "LimitExceededException", "ResourceLimitExceeded"),
        *("ObjectNotFoundException", "ResourceNotFound", "FailedResourceAccessException"),
        *("ValidationException", "ValidationError", "InvalidParameterValue"),
        *("InvalidParameterCombination", "MissingParameter", "MissingRequiredParameter"),
    }
)
"""Codes by which a service says that it looked at a request and will not do it. What is not among
them, such as an expired token or a throttled call, may be answered otherwise a moment later."""


def _failure(error: ClientError, service: str, operation: str) -> AccessError:
    """What an error answer means.

    Returns:
        An error with the code `refused` only where the answer proves that the request had no
        effect; with `not-found`, for which SageMaker has no code, where it names what is missing.
    """
    message = str(error.response.get("Error", {}).get("Message", ""))
    what = f"{service} {operation}"
    code = "refused" if _is_refusal(error) else ""
    if missing_permission(error) is not None:
        name = f"{service}:{operation}"
        return AccessError(
            f"{what}: access denied: {name} is missing; `analyzer promote` prints the smallest "
            "policy",
            code=code,
            permission=name,
        )
    if code and answer_code(error) in _MISSING and "could not find" in message.lower():
        code = "not-found"
    return AccessError(str(explain(error, what)), code=code)


_MISSING = frozenset({"ValidationException", "ResourceNotFound"})


def _is_refusal(error: ClientError) -> bool:
    """Whether no attempt of a request can have had an effect.

    An answer to a retry says nothing about the attempt before it, which may have been carried out:
    "the endpoint is being updated" is then the echo of the request itself.
    """
    answer = error.response.get("ResponseMetadata", {})
    once = answer.get("RetryAttempts", 0) == 0
    understood = answer.get("HTTPStatusCode", _SERVER_FAULTS) < _SERVER_FAULTS
    return once and understood and answer_code(error) in _REFUSALS


def as_json(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with times as ISO 8601 text and without what only the transport has."""
    body: dict[str, Any] = json.loads(json.dumps(dict(answer), default=str))
    body.pop("ResponseMetadata", None)
    return body
