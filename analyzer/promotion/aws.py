"""Calls to SageMaker, Application Auto Scaling and CloudWatch, with JSON in and JSON out.

In: one call at a time, and what AWS refuses as one line. Out: which calls are made (`describe`,
`apply`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analyzer.errors import AccessError
from analyzer.sources.aws import (
    CONNECT_TIMEOUT_S,
    READ_TIMEOUT_S,
    answer_code,
    explain,
    missing_permission,
    session_of,
    unusable,
)

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
            AccessError: refused or unreachable; denials name the permission.
            UsageError: a request the service's model refuses.
        """
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError

        client = self._client(service)
        self._raw.clear()
        try:
            answer = getattr(client, xform_name(operation))(**request)
        except ClientError as error:
            raise _refused(error, service, operation) from None
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
        """One list of an answer, all pages of it."""
        items: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            answer = self.call(service, operation, {**request, **token})
            items += answer.get(member) or ()
            if not answer.get("NextToken"):
                return items
            token = {"NextToken": answer["NextToken"]}

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        if service not in self._clients:
            self._clients[service] = self._made(service)
        return self._clients[service]

    def _made(self, service: str) -> Any:  # noqa: ANN401
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        config = Config(
            retries={"mode": "standard", "total_max_attempts": self._options.max_attempts},
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
        )
        try:
            client: Any = session_of(self._options).client(
                service,  # type: ignore[call-overload]  # one of three names
                endpoint_url=self._options.endpoint_url,
                config=config,
            )
        except (BotoCoreError, ValueError) as error:
            raise unusable(error) from None
        if service == "sagemaker":
            client.meta.events.register(_RAW, self._keep)
        return client

    def _keep(self, response_dict: Mapping[str, Any], **_: object) -> None:
        """The answer as it came: botocore drops fields it does not know without a word."""
        if response_dict["status_code"] == _OK:
            self._raw[:] = [json.loads(response_dict["body"])]


_OK = 200


def _refused(error: ClientError, service: str, operation: str) -> AccessError:
    """What a refusal means: `not-found`, for which SageMaker has no code, or `refused`."""
    message = str(error.response.get("Error", {}).get("Message", ""))
    what = f"{service} {operation}"
    if missing_permission(error) is not None:
        name = f"{service}:{operation}"
        return AccessError(
            f"{what}: access denied: {name} is missing; `analyzer promote` prints the smallest "
            "policy",
            code="refused",
            permission=name,
        )
    text = str(explain(error, what))
    gone = answer_code(error) in {"ValidationException", "ResourceNotFound"}
    missing = gone and "could not find" in message.lower()
    return AccessError(text, code="not-found" if missing else "refused")


def as_json(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with times as ISO 8601 text and without what only the transport has."""
    body: dict[str, Any] = json.loads(json.dumps(dict(answer), default=str))
    body.pop("ResponseMetadata", None)
    return body
