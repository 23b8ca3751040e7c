"""A live SageMaker endpoint, asked by InvokeEndpoint, once a request.

In: the call and what its errors mean. Out: everything else. The only permission used is
sagemaker:InvokeEndpoint.

Source: sagemaker-runtime in botocore's service model: InvokeEndpoint and its errors.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from analyzer.errors import AccessError, UsageError
from analyzer.replay.targets.target import MOST_BYTES, OK, TIMEOUT_S, Answer
from analyzer.sources.aws import (
    CONNECT_TIMEOUT_S,
    answer_code,
    client_of,
    explain,
    session_of,
    unusable,
)
from analyzer.sources.objects import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.exceptions import ClientError

    from analyzer.replay.requests import Request
    from analyzer.sources import AwsOptions

_NAME = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}")
_FROM_MODEL = {"ModelError", "ModelNotReadyException", "ModelStreamError"}
_FROM_SERVICE = {"InternalFailure", "InternalDependencyException", "ServiceUnavailable"}
_NOT_FOUND = re.compile(r"[Ee]ndpoint .* not found|[Cc]ould not find (?:endpoint|variant)")


class RuntimeClient(Protocol):
    """The one call made here."""

    def invoke_endpoint(self, **request: object) -> Mapping[str, Any]:
        """Headers and a streaming `Body`."""


class Endpoint:
    """`ENDPOINT`, or `ENDPOINT/VARIANT` for one of its variants.

    Raises:
        UsageError: not a name; AWS options that cannot be meant.
        AccessError: no credentials.
    """

    def __init__(self, name: str, flag: str, aws: AwsOptions, connections: int) -> None:
        endpoint, _, variant = name.partition("/")
        self._where = f"{flag} sagemaker:{printable(name)}"
        if not _NAME.fullmatch(endpoint) or (variant and not _NAME.fullmatch(variant)):
            raise UsageError(f"{self._where}: expected sagemaker:ENDPOINT or ENDPOINT/VARIANT")
        self._fixed = {"EndpointName": endpoint, **({"TargetVariant": variant} if variant else {})}
        self._client = _client(aws, connections)

    def check(self) -> None:
        """Nothing can be asked without another permission: the first request will tell."""

    def send(self, request: Request) -> Answer:
        """Invoke it once."""
        from botocore import exceptions as aws

        optional = {
            "Accept": request.accept,
            "InferenceId": request.inference_id,
            "CustomAttributes": request.custom_attributes,
        }
        given = {key: value for key, value in optional.items() if value is not None}
        try:
            answer = self._client.invoke_endpoint(
                **self._fixed, ContentType=request.content_type, Body=request.body, **given
            )
            first_byte_s = time.monotonic()
            body: bytes = answer["Body"].read(MOST_BYTES + 1)
            if len(body) <= MOST_BYTES:
                answer["Body"].read(1)  # only at the end it checks the length
        except aws.ClientError as error:
            return self._refused(error)
        except (aws.ReadTimeoutError, aws.ConnectTimeoutError):
            text = f"no answer in {TIMEOUT_S:g} s"
            return Answer(time.monotonic(), error_code="timeout", error_text=text)
        except (
            aws.ConnectionError,
            aws.HTTPClientError,
            aws.IncompleteReadError,
            aws.ResponseStreamingError,
        ) as error:
            text = type(error).__name__
            return Answer(time.monotonic(), error_code="connection", error_text=text)
        except aws.BotoCoreError as error:
            raise explain(error, self._where) from None
        done_s = time.monotonic()
        status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", OK.start))
        if len(body) > MOST_BYTES:
            text = f"more than {MOST_BYTES} bytes"
            return Answer(done_s, first_byte_s, status, error_code="too-large", error_text=text)
        kind = answer.get("ContentType")
        return Answer(done_s, first_byte_s, status, kind and printable(str(kind)), body)

    def expire(self, now_s: float) -> None:
        """Botocore's own read timeout does it."""

    def close(self) -> None:
        """Requests under way end with the process."""

    def _refused(self, error: ClientError) -> Answer:
        """What the service said: the model's failure, or that nothing can be asked at all."""
        now_s = time.monotonic()
        code = answer_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        message = str(error.response.get("Error", {}).get("Message", ""))
        if code == "ValidationError" and _NOT_FOUND.search(message):
            raise UsageError(f"{self._where}: there is no such endpoint or variant") from None
        if code in _FROM_MODEL:
            original = cast("Mapping[str, Any]", error.response).get("OriginalStatusCode")
            status = original or status
        elif code not in _FROM_SERVICE | {"ValidationError", "ThrottlingException"}:
            if code in {"AccessDenied", "AccessDeniedException"}:
                raise AccessError(
                    f"{self._where}: access denied: sagemaker:InvokeEndpoint is missing",
                    permission="sagemaker:InvokeEndpoint",
                ) from None
            raise explain(error, self._where) from None
        text = f"{printable(code)}, status {status}"
        return Answer(now_s, now_s, int(status or 0) or None, error_code="status", error_text=text)


def _client(options: AwsOptions, connections: int) -> RuntimeClient:
    from botocore.exceptions import BotoCoreError

    try:
        if session_of(options).get_credentials() is None:
            raise AccessError("no AWS credentials found: configure them, or choose --profile")
    except (BotoCoreError, ValueError) as error:
        raise unusable(error) from None
    client = client_of(
        # Nothing is sent twice; and an endpoint takes no anonymous requests, as a bucket may.
        replace(options, max_attempts=1, no_sign_request=False),
        "sagemaker-runtime",
        max_pool_connections=connections,
        read_timeout=TIMEOUT_S + CONNECT_TIMEOUT_S,  # the service answers after its own limit
    )
    return cast("RuntimeClient", client)
