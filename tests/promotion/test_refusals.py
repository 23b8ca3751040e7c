"""What becomes of a plan when AWS fails: undone only where it is proven that nothing happened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber

from analyzer.errors import AccessError
from analyzer.promotion.aws import Aws
from analyzer.sources import AwsOptions
from tests.promotion.conftest import REGION
from tests.promotion.endpoints import ENDPOINT, PRODUCTION, SHADOW
from tests.promotion.sagemaker import RESET
from tests.promotion.sending import (
    NOTHING,
    WHOLE,
    assert_promoted,
    promote,
    scale,
    scaling_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.promotion.sagemaker import Server

REFUSALS = ("AccessDeniedException", "ValidationException", "ResourceLimitExceeded")
OPEN = ("InternalFailure", "ServiceUnavailable", "ThrottlingException", "ExpiredTokenException")
LONG = pytest.mark.long
AS_IT_WAS = {**WHOLE, "triggers": [f"{PRODUCTION}-busy"]}
AS_PROMOTED = {**WHOLE, "triggers": [f"{SHADOW}-busy"]}


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        *((code, 400, "refused") for code in REFUSALS),
        ("AccessDenied", 403, "refused"),
        *((code, 400, "access-error") for code in ("ThrottlingException", "ExpiredTokenException")),
        ("RequestExpired", 400, "access-error"),
        ("RequestTimeout", 408, "access-error"),
        ("InternalFailure", 500, "access-error"),
        ("ServiceUnavailable", 503, "access-error"),
        ("ValidationException", 500, "access-error"),
        ("SomethingNew", 400, "access-error"),
    ],
)
def test_only_an_answer_that_proves_that_nothing_happened_is_a_refusal(
    code: str, status: int, meaning: str
) -> None:
    aws = Aws(AwsOptions(region=REGION, endpoint_url="http://127.0.0.1:9", max_attempts=1))
    stub = Stubber(aws._client("sagemaker"))  # noqa: SLF001 - what is stubbed
    stub.add_client_error("update_endpoint", code, "why", status)
    request = {"EndpointName": ENDPOINT, "EndpointConfigName": "any"}
    with stub, pytest.raises(AccessError) as error:
        aws.call("sagemaker", "UpdateEndpoint", request)
    assert (error.value.code, error.value.exit_code) == (meaning, 4)


@pytest.mark.parametrize(
    "code", [REFUSALS[0], *(pytest.param(code, marks=LONG) for code in REFUSALS[1:])]
)
def test_a_refused_update_leaves_everything_as_it_was(
    code: str, server: Server, tmp_path: Path
) -> None:
    scale(server)
    path = tmp_path / "p.json"
    server.fail("UpdateEndpoint", code)
    with pytest.raises(AccessError, match="UpdateEndpoint") as error:
        promote(server, path)
    assert error.value.code == "refused"
    assert not path.exists()
    assert scaling_of(server, PRODUCTION) == AS_IT_WAS


@pytest.mark.parametrize(
    "code", [OPEN[0], *(pytest.param(code, marks=LONG) for code in OPEN[1:]), RESET]
)
def test_an_update_that_fails_otherwise_keeps_the_plan_and_undoes_nothing_yet(
    code: str, server: Server, tmp_path: Path
) -> None:
    scale(server)
    path = tmp_path / "p.json"
    server.fail("UpdateEndpoint", code)
    with pytest.raises(AccessError, match="Whether AWS carried it out is not known") as error:
        promote(server, path)
    assert error.value.code == "not-known"
    assert f"The plan stays in {path}: run the same command again" in str(error.value)
    assert json.loads(path.read_text())["sent"] is True
    assert scaling_of(server, PRODUCTION) == NOTHING

    with pytest.raises(AccessError, match="or never began it") as error:
        promote(server, path)
    assert (error.value.code, path.exists()) == ("rolled-back", False)
    assert scaling_of(server, PRODUCTION) == AS_IT_WAS
    plan, _ = promote(server, path)
    assert_promoted(server, plan, path)
    assert scaling_of(server, SHADOW) == AS_PROMOTED


@pytest.mark.parametrize("code", ["InternalFailure", RESET])
def test_an_update_that_aws_took_without_saying_so_is_waited_for(
    code: str, server: Server, tmp_path: Path
) -> None:
    scale(server)
    path = tmp_path / "p.json"
    server.fail("UpdateEndpoint", code, taken=True)
    plan, _ = promote(server, path)
    assert_promoted(server, plan, path)
    assert server.sent["UpdateEndpoint"] == 1
    assert scaling_of(server, SHADOW) == AS_PROMOTED


def test_an_update_that_shows_late_is_not_undone(server: Server, tmp_path: Path) -> None:
    """Undone, production's scaling would be back while AWS replaces it."""
    scale(server)
    path = tmp_path / "p.json"
    server.lags = 3  # one description after the failure, the next two of the second call
    server.fail("UpdateEndpoint", "InternalFailure", taken=True)
    with pytest.raises(AccessError) as error:
        promote(server, path)
    assert error.value.code == "not-known"
    plan, _ = promote(server, path)
    assert_promoted(server, plan, path)
    assert server.sent["UpdateEndpoint"] == 1
    assert "RegisterScalableTarget" in server.sent
    assert scaling_of(server, PRODUCTION) == NOTHING
    assert scaling_of(server, SHADOW) == AS_PROMOTED


def test_a_refused_retry_proves_nothing_about_the_first_attempt(
    server: Server, tmp_path: Path
) -> None:
    """The first attempt is carried out and unanswered, and the second meets its update."""
    scale(server)
    path = tmp_path / "p.json"
    aws = Aws(AwsOptions(region=REGION, endpoint_url=server.url, max_attempts=2))
    server.lags = 1
    server.fail("UpdateEndpoint", RESET, taken=True)
    with pytest.raises(AccessError, match="in-progress") as error:
        promote(server, path, aws=aws)
    assert error.value.code == "not-known"
    plan, _ = promote(server, path, aws=aws)
    assert_promoted(server, plan, path)
    assert scaling_of(server, PRODUCTION) == NOTHING


@pytest.mark.parametrize("when", ["before it was carried out", "after"])
@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("CreateEndpointConfig", RESET),
        ("DeregisterScalableTarget", "ThrottlingException"),
        pytest.param("CreateEndpointConfig", "InternalFailure", marks=LONG),
        pytest.param("CreateEndpointConfig", "ThrottlingException", marks=LONG),
        pytest.param("DeregisterScalableTarget", "InternalFailure", marks=LONG),
        pytest.param("DeregisterScalableTarget", RESET, marks=LONG),
    ],
)
def test_what_fails_before_the_update_is_gone_on_with(
    operation: str, code: str, when: str, server: Server, tmp_path: Path
) -> None:
    scale(server)
    path = tmp_path / "p.json"
    server.fail(operation, code, taken=when == "after")
    with pytest.raises(AccessError, match="run the same command again") as error:
        promote(server, path)
    assert error.value.code == "not-known"
    assert json.loads(path.read_text())["sent"] is False
    plan, _ = promote(server, path)
    assert_promoted(server, plan, path)
    assert scaling_of(server, SHADOW) == AS_PROMOTED


def test_what_fails_while_it_waits_or_restores_is_gone_on_with(
    server: Server, tmp_path: Path
) -> None:
    scale(server)
    path = tmp_path / "p.json"
    server.fail("RegisterScalableTarget", "ThrottlingException")
    with pytest.raises(AccessError, match="run the same command again"):
        promote(server, path)
    server.fail("DescribeEndpoint", "ExpiredTokenException")
    with pytest.raises(AccessError, match=r"credentials have expired.*run the same command again"):
        promote(server, path)
    plan, _ = promote(server, path)
    assert_promoted(server, plan, path)
    assert scaling_of(server, SHADOW) == AS_PROMOTED
    assert server.sent["UpdateEndpoint"] == 1
