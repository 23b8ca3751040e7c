"""Servers that are busy, slow or gone for a moment: asked again with pauses, and not for ever."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from analyzer import __main__
from analyzer.errors import AccessError, ExitCode
from analyzer.sources import AwsOptions, aws, discover, open_chunks
from tests.faults.fault_server import (
    BAD_GATEWAY,
    EXPIRED_TOKEN,
    INTERNAL_ERROR,
    NO_SUCH_BUCKET,
    SLOW_DOWN,
    UNAVAILABLE,
    Cut,
    Fault,
    FaultServer,
    Refuse,
    Reset,
    Stall,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.fault_server import Operation

KEYS = [
    f"churn/{variant}/2026/10/05/13/{n}.jsonl"
    for variant in ("AllTraffic", "Shadow-01")
    for n in range(5)
]
BODY = b'{"n":1}\n'
BUSY = [SLOW_DOWN, INTERNAL_ERROR, UNAVAILABLE, BAD_GATEWAY, Refuse(400, "RequestTimeout")]
GONE = [Reset(), Cut(-1)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Half a second of silence counts as failure."""
    monkeypatch.setattr(aws, "READ_TIMEOUT_S", 0.5)
    aws.s3_client.cache_clear()
    yield
    aws.s3_client.cache_clear()


@pytest.fixture
def bucket_of_ten(faults: FaultServer) -> FaultServer:
    faults.put(dict.fromkeys(KEYS, BODY))
    return faults


def read(options: AwsOptions) -> list[bytes]:
    return [chunk.data for chunk in open_chunks(discover("s3://busy", aws=options))]


@pytest.mark.parametrize("operation", ["list", "get"])
@pytest.mark.parametrize("fault", [*BUSY, *GONE], ids=str)
def test_a_server_in_trouble_for_a_moment_is_asked_again(
    bucket_of_ten: FaultServer,
    faulty: AwsOptions,
    pauses: list[float],
    *,
    operation: Operation,
    fault: Fault,
) -> None:
    bucket_of_ten.plan(operation, "", fault, fault)
    assert read(faulty) == [BODY] * len(KEYS)
    assert len(pauses) == 2
    assert len(bucket_of_ten.seen(operation)) == 2 + (1 if operation == "list" else len(KEYS))


@pytest.mark.parametrize("operation", ["list", "get"])
@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_silent_for_a_moment_is_asked_again(
    bucket_of_ten: FaultServer, faulty: AwsOptions, pauses: list[float], operation: Operation
) -> None:
    bucket_of_ten.plan(operation, "", Stall())
    assert read(faulty) == [BODY] * len(KEYS)
    assert pauses


def test_pauses_grow_and_no_two_are_alike(
    bucket_of_ten: FaultServer, faulty: AwsOptions, pauses: list[float]
) -> None:
    bucket_of_ten.plan("list", "", *[SLOW_DOWN] * 5)
    assert len(read(faulty)) == len(KEYS)
    assert all(0 <= pause <= 2**number for number, pause in enumerate(pauses))
    assert len(set(pauses)) == 5


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        *(("list", fault) for fault in BUSY),
        *(("get", fault) for fault in (SLOW_DOWN, BAD_GATEWAY)),
        *(
            pytest.param("get", fault, marks=pytest.mark.long)
            for fault in BUSY
            if fault not in {SLOW_DOWN, BAD_GATEWAY}
        ),
    ],
    ids=str,
)
@pytest.mark.usefixtures("pauses")
def test_a_server_that_stays_busy_stops_the_run_after_a_bounded_number_of_requests(
    bucket_of_ten: FaultServer, faulty: AwsOptions, operation: Operation, fault: Fault
) -> None:
    bucket_of_ten.plan(operation, "", *[fault] * 1000)
    with pytest.raises(AccessError, match="still failing after retries") as error:
        read(faulty)
    assert str(error.value).isprintable()
    # Six tries of one request; all threads together share a budget of a hundred more.
    most = 6 if operation == "list" else len(KEYS) + 100
    assert 6 <= len(bucket_of_ten.seen(operation)) <= most


@pytest.mark.parametrize("fault", [*GONE, Stall()], ids=str)
@pytest.mark.usefixtures("pauses", "impatient")
def test_a_server_that_stays_silent_is_unreachable(
    bucket_of_ten: FaultServer, fault: Fault
) -> None:
    bucket_of_ten.plan("list", "", *[fault] * 100)
    with pytest.raises(AccessError, match=r"unreachable after retries.*--endpoint-url") as error:
        read(AwsOptions(endpoint_url=bucket_of_ten.url, max_attempts=3))
    assert str(error.value).isprintable()
    assert len(bucket_of_ten.seen("list")) == 3


@pytest.mark.usefixtures("pauses")
def test_the_number_of_tries_is_an_option(bucket_of_ten: FaultServer) -> None:
    bucket_of_ten.plan("list", "", *[SLOW_DOWN] * 100)
    with pytest.raises(AccessError, match="still failing after retries"):
        read(AwsOptions(endpoint_url=bucket_of_ten.url, max_attempts=2))
    assert len(bucket_of_ten.seen("list")) == 2


def test_nobody_answering_is_one_line_with_what_to_check() -> None:
    nobody = AwsOptions(endpoint_url="http://127.0.0.1:9", max_attempts=1)
    with pytest.raises(AccessError, match=r"unreachable after retries.*--endpoint-url") as error:
        discover("s3://faulty/p", aws=nobody)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("operation", "fault", "code", "complaint"),
    [
        ("list", SLOW_DOWN, ExitCode.ACCESS, "still failing after retries"),
        ("get", SLOW_DOWN, ExitCode.ACCESS, "still failing after retries"),
        ("list", Reset(), ExitCode.ACCESS, "unreachable after retries"),
        ("get", EXPIRED_TOKEN, ExitCode.ACCESS, "credentials have expired"),
        ("list", Refuse(301, "PermanentRedirect"), ExitCode.ACCESS, "--region"),
        ("get", Refuse(400, "AuthorizationHeaderMalformed"), ExitCode.ACCESS, "--region"),
        ("list", Refuse(403, "AccessDenied"), ExitCode.ACCESS, "s3:ListBucket is missing"),
        ("get", Refuse(403, "AccessDenied"), ExitCode.ACCESS, "s3:GetObject is missing"),
        ("list", NO_SUCH_BUCKET, ExitCode.INPUT, "no such bucket"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("pauses")
def test_a_run_that_cannot_go_on_ends_with_one_line_and_its_code(
    bucket_of_ten: FaultServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    operation: Operation,
    fault: Fault,
    code: ExitCode,
    complaint: str,
) -> None:
    bucket_of_ten.plan(operation, "", *[fault] * 1000)
    command = ["analyzer", "run", "s3://busy", "--endpoint-url", bucket_of_ten.url]
    monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path / "out")])
    assert __main__._exit_code() == code  # noqa: SLF001 - main() would end the tests
    said = capsys.readouterr()
    assert said.out == ""
    assert complaint in said.err
    assert said.err.count("\n") == 1


def test_requests_are_signed_by_the_profile_that_was_asked_for(
    bucket_of_ten: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "credentials"
    path.write_text(
        "[reader]\naws_access_key_id = READER\naws_secret_access_key = x\n"
        "[other]\naws_access_key_id = OTHER\naws_secret_access_key = x\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    aws.s3_client.cache_clear()
    read(AwsOptions(endpoint_url=bucket_of_ten.url, profile="reader"))
    signed = {one.headers["Authorization"].partition("/")[0] for one in bucket_of_ten.asked}
    assert signed == {"AWS4-HMAC-SHA256 Credential=READER"}


def test_no_sign_request_signs_nothing(bucket_of_ten: FaultServer) -> None:
    read(AwsOptions(endpoint_url=bucket_of_ten.url, no_sign_request=True))
    assert len(bucket_of_ten.asked) == len(KEYS) + 1
    assert not [one for one in bucket_of_ten.asked if "Authorization" in one.headers]


def test_the_requester_pays_for_listing_and_reading(bucket_of_ten: FaultServer) -> None:
    read(AwsOptions(endpoint_url=bucket_of_ten.url, request_payer=True))
    payers = {one.headers.get("x-amz-request-payer") for one in bucket_of_ten.asked}
    assert payers == {"requester"}


def test_the_region_asked_for_is_in_the_signature(bucket_of_ten: FaultServer) -> None:
    read(AwsOptions(endpoint_url=bucket_of_ten.url, region="eu-central-1"))
    assert all("/eu-central-1/s3/" in one.headers["Authorization"] for one in bucket_of_ten.asked)


def test_an_endpoint_url_of_the_environment_is_used(
    bucket_of_ten: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket_of_ten.url)
    aws.s3_client.cache_clear()
    assert len(read(AwsOptions(region="us-east-1"))) == len(KEYS)
    aws.s3_client.cache_clear()


def test_a_bucket_in_another_region_is_followed_there(bucket_of_ten: FaultServer) -> None:
    elsewhere = Refuse(301, "PermanentRedirect", headers=(("x-amz-bucket-region", "eu-west-1"),))
    bucket_of_ten.plan("list", "", elsewhere)
    options = AwsOptions(endpoint_url=bucket_of_ten.url, region="us-east-1")
    assert len(read(options)) == len(KEYS)
    signed = ["/eu-west-1/" in one.headers["Authorization"] for one in bucket_of_ten.asked]
    assert signed == [False] + [True] * (len(KEYS) + 1)
