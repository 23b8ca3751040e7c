"""Replays to a SageMaker endpoint: what InvokeEndpoint is asked, by AWS's own model of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from analyzer.errors import AccessError, UsageError
from analyzer.replay import Replay
from analyzer.replay.requests import read_request
from analyzer.replay.targets.endpoint import Endpoint
from analyzer.sources import AwsOptions
from tests.replay.replays import (
    line,
    outputs,
    production_model,
    replayed_as,
    serving,
    write_captures,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUEST = read_request(line(1, meta={"customAttributes": ["a=1"]}).encode())
ASKED = {
    "EndpointName": "churn",
    "TargetVariant": "v2",
    "ContentType": "text/csv",
    "Accept": "text/csv",
    "InferenceId": "request 1",
    "CustomAttributes": "a=1",
    "Body": b"1,1,2.5",
}


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
    ):
        monkeypatch.setenv(name, value)
    return Endpoint("churn/v2", "--candidate", AwsOptions(), 4)


@pytest.fixture
def stub(endpoint: Endpoint) -> Iterator[Stubber]:
    with Stubber(endpoint._client) as stubber:  # type: ignore[arg-type]  # noqa: SLF001
        yield stubber
        stubber.assert_no_pending_responses()


def body(data: bytes, length: int | None = None) -> dict[str, Any]:
    stream = StreamingBody(io.BytesIO(data), len(data) if length is None else length)
    return {"Body": stream, "ContentType": "text/csv; charset=utf-8"}


def test_an_endpoint_is_asked_as_the_caller_asked(endpoint: Endpoint, stub: Stubber) -> None:
    stub.add_response("invoke_endpoint", body(b"0.25\n"), ASKED)
    answer = endpoint.send(REQUEST)
    assert (answer.status, answer.error_code) == (200, None)
    assert (answer.body, answer.content_type) == (b"0.25\n", "text/csv; charset=utf-8")


def test_an_answer_that_breaks_off_is_an_outcome(endpoint: Endpoint, stub: Stubber) -> None:
    stub.add_response("invoke_endpoint", body(b"0.2", length=10), ASKED)
    assert endpoint.send(REQUEST).error_code == "connection"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (("ModelError", 424, {"OriginalStatusCode": 500}), 500),
        (("ModelError", 424, {}), 424),
        (("ModelNotReadyException", 429, {}), 429),
        (("ServiceUnavailable", 503, {}), 503),
        (("InternalFailure", 500, {}), 500),
        (("ValidationError", 400, {}), 400),
    ],
)
def test_a_failure_of_the_model_or_the_service_is_an_outcome(
    endpoint: Endpoint, stub: Stubber, said: tuple[str, int, dict[str, Any]], status: int
) -> None:
    code, http_status, fields = said
    stub.add_client_error(
        "invoke_endpoint", code, "quotes the payload", http_status, modeled_fields=fields
    )
    answer = endpoint.send(REQUEST)
    assert (answer.status, answer.error_code) == (status, "status")
    assert "payload" not in str(answer.error_text)


def test_what_no_request_gets_past_ends_the_replay(endpoint: Endpoint, stub: Stubber) -> None:
    stub.add_client_error("invoke_endpoint", "AccessDeniedException", "no", 403)
    with pytest.raises(AccessError, match="sagemaker:InvokeEndpoint is missing"):
        endpoint.send(REQUEST)
    stub.add_client_error("invoke_endpoint", "ExpiredTokenException", "old", 403)
    with pytest.raises(AccessError, match="expired"):
        endpoint.send(REQUEST)
    message = "Endpoint churn of account 1 not found."
    stub.add_client_error("invoke_endpoint", "ValidationError", message, 400)
    with pytest.raises(UsageError, match="no such endpoint"):
        endpoint.send(REQUEST)


def test_an_endpoint_url_is_where_the_endpoint_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    captures = write_captures(tmp_path / "captures", [line(number) for number in range(20)])
    out = tmp_path / "out"
    with serving(production_model) as server:
        aws = AwsOptions(region="eu-west-1", endpoint_url=server.url)
        asked = Replay(str(captures), "sagemaker:churn/v2", out, speed="max", aws=aws)
        summary = replayed_as(asked)
    assert summary.variants["candidate"].errors == {}
    assert len(outputs(out)) == 20
    assert {seen.path for seen in server.seen} == {"/endpoints/churn/invocations"}
    headers = [{key.lower(): value for key, value in seen.headers.items()} for seen in server.seen]
    assert {one["x-amzn-sagemaker-target-variant"] for one in headers} == {"v2"}
    assert all(one["authorization"].startswith("AWS4-HMAC-SHA256") for one in headers)


def test_nothing_is_sent_twice(endpoint: Endpoint) -> None:
    retries = endpoint._client.meta.config.retries  # type: ignore[attr-defined]  # noqa: SLF001
    assert retries["total_max_attempts"] == 1


def test_without_credentials_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(AccessError, match="no AWS credentials"):
        Endpoint("churn", "--candidate", AwsOptions(region="eu-west-1"), 4)
