"""AWS's own error codes, and the options that decide who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import exceptions as aws_errors
from botocore.stub import Stubber

from analyzer.errors import AccessError, AnalyzerError, InputError, UsageError
from analyzer.sources import AwsOptions, aws, discover, open_chunks, s3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sources.conftest import Storage

KEY = "churn/AllTraffic/2026/10/05/13/a.jsonl"
OTHER = "churn/Shadow-01/2026/10/05/13/b.jsonl"
BODY = b'{"n":1}\n'


@pytest.fixture(scope="module")
def stub() -> Stubber:
    return Stubber(boto3.client("s3", region_name="us-east-1"))


@pytest.fixture
def stubbed(
    stub: Stubber, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str, str], None]]:
    """Make the next S3 call answer with an error, checked against AWS's own model."""

    def prepare(operation: str, code: str, message: str) -> None:
        stub.add_client_error(operation, code, message)
        stub.activate()
        monkeypatch.setattr(s3, "s3_client", lambda *_, **__: stub.client)

    yield prepare
    stub.deactivate()


@pytest.mark.parametrize(
    ("code", "message", "error", "words"),
    [
        ("AccessDenied", "Access Denied", AccessError, "s3:ListBucket is missing"),
        ("403", "Forbidden", AccessError, "s3:ListBucket is missing"),
        ("AccessDenied", "no kms:Decrypt on key", AccessError, "kms:Decrypt is missing"),
        ("ExpiredToken", "expired", AccessError, "credentials have expired"),
        ("InvalidAccessKeyId", "unknown key", AccessError, "check --profile"),
        ("SignatureDoesNotMatch", "bad", AccessError, "check --profile"),
        ("RequestTimeTooSkewed", "late", AccessError, "clock is wrong"),
        ("PermanentRedirect", "elsewhere", AccessError, "--region"),
        ("AuthorizationHeaderMalformed", "elsewhere", AccessError, "--region"),
        ("SlowDown", "busy", AccessError, "run again later"),
        ("NoSuchBucket", "none", InputError, "no such bucket"),
        ("InvalidBucketName", "bad", UsageError, "not a bucket name"),
        ("Teapot", "short\nand \x1b[31mstout", AccessError, r"AWS refused \(Teapot: short\\nand"),
    ],
)
def test_a_refused_listing_says_what_is_missing_in_one_line(
    stubbed: Callable[[str, str, str], None],
    code: str,
    message: str,
    error: type[AnalyzerError],
    words: str,
) -> None:
    stubbed("list_objects_v2", code, message)
    with pytest.raises(error, match=words) as raised:
        discover("s3://captures/churn")
    assert str(raised.value).startswith("list s3://captures/churn/")
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("NoSuchKey", "", "deleted-or-replaced"),
        ("PreconditionFailed", "", "deleted-or-replaced"),
        ("InvalidRange", "", "deleted-or-replaced"),
        ("AccessDenied", "", "access-denied"),
        ("AccessDenied", "not allowed to do kms:Decrypt", "access-denied"),
        ("KMS.DisabledException", "", "access-denied"),
        ("InvalidObjectState", "", "archived"),
    ],
)
def test_a_refused_object_is_a_failure_with_a_code(
    moto_bucket: Storage,
    stubbed: Callable[[str, str, str], None],
    code: str,
    message: str,
    expected: str,
) -> None:
    moto_bucket.put({KEY: BODY, OTHER: BODY, KEY.replace("a.", "z."): b"{}\n"})
    listing = discover(moto_bucket.root, aws=moto_bucket.aws)
    stubbed("get_object", code, message)
    first = next(open_chunks(listing, threads=1, read_ahead_bytes=1))
    assert first.failure is not None
    assert first.failure.code == expected
    assert ("kms:Decrypt" in first.failure.text) == ("KMS" in code or "kms" in message)


@pytest.mark.parametrize("code", ["NoSuchBucket", "ExpiredToken", "InternalError"])
def test_an_answer_about_all_objects_stops_the_run(
    moto_bucket: Storage, stubbed: Callable[[str, str, str], None], code: str
) -> None:
    moto_bucket.put({KEY: BODY, OTHER: BODY})
    listing = discover(moto_bucket.root, aws=moto_bucket.aws)
    stubbed("get_object", code, "")
    with pytest.raises(AnalyzerError, match=f"^read {KEY}: "):
        list(open_chunks(listing, threads=1, read_ahead_bytes=1))


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        (aws_errors.NoCredentialsError(), AccessError, "configure them, or choose --profile"),
        (
            aws_errors.PartialCredentialsError(provider="env", cred_var="x"),
            AccessError,
            "no AWS credentials",
        ),
        (aws_errors.UnauthorizedSSOTokenError(), AccessError, "aws sso login"),
        (
            aws_errors.CredentialRetrievalError(provider="p", error_msg="e"),
            AccessError,
            "renew the credentials",
        ),
        (aws_errors.ParamValidationError(report="bad bucket"), UsageError, "bad bucket"),
        (aws_errors.ReadTimeoutError(endpoint_url="http://h"), AccessError, "check the network"),
        (
            aws_errors.SSLError(endpoint_url="http://h", error=OSError("e")),
            AccessError,
            "check the network",
        ),
    ],
)
def test_errors_before_any_answer_say_what_to_do(
    error: Exception, expected: type[AnalyzerError], words: str
) -> None:
    explained = aws.explain(error, "list s3://b/p")
    assert type(explained) is expected
    assert words in str(explained)
    assert str(explained).isprintable()


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    aws.s3_client.cache_clear()


@pytest.mark.usefixtures("no_credentials")
def test_no_credentials_at_all_is_an_access_error(moto_bucket: Storage) -> None:
    found = r"no AWS credentials found: .*--profile, or use --no-sign-request for a public bucket$"
    with pytest.raises(AccessError, match=found):
        discover(moto_bucket.root, aws=moto_bucket.aws)
    aws.s3_client.cache_clear()


@pytest.mark.usefixtures("no_credentials")
def test_no_sign_request_needs_no_credentials(local_bucket: Storage) -> None:
    local_bucket.put({KEY: BODY, OTHER: BODY})
    options = AwsOptions(endpoint_url=local_bucket.aws.endpoint_url, no_sign_request=True)
    chunks = list(open_chunks(discover(local_bucket.root, aws=options)))
    assert [chunk.data for chunk in chunks] == [BODY, BODY]


@pytest.mark.usefixtures("no_credentials")
def test_private_objects_refuse_unsigned_requests(moto_bucket: Storage) -> None:
    moto_bucket.put({KEY: BODY, OTHER: BODY})
    options = AwsOptions(endpoint_url=moto_bucket.aws.endpoint_url, no_sign_request=True)
    with pytest.raises(AccessError, match="s3:GetObject is missing"):
        list(open_chunks(discover(moto_bucket.root, aws=options)))


def test_a_role_is_assumed_when_asked(
    moto_bucket: Storage, moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto_bucket.put({KEY: BODY, OTHER: BODY})
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    options = AwsOptions(endpoint_url=moto_url, role_arn="arn:aws:iam::123456789012:role/reader")
    client: Any = aws.s3_client(options, 1)
    frozen = client._request_signer._credentials.get_frozen_credentials()  # noqa: SLF001 - who signs
    assert frozen.access_key.startswith("ASIA")
    assert len(discover(moto_bucket.root, aws=options).objects) == 2


def test_a_role_that_cannot_be_assumed_names_the_permission(
    moto_bucket: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.credentials import AssumeRoleCredentialFetcher

    def refuse(_: object) -> object:
        answer: Any = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        raise aws_errors.ClientError(answer, "AssumeRole")

    monkeypatch.setattr(AssumeRoleCredentialFetcher, "fetch_credentials", refuse)
    options = AwsOptions(
        endpoint_url=moto_bucket.aws.endpoint_url, role_arn="arn:aws:iam::1:role/r"
    )
    with pytest.raises(AccessError, match="sts:AssumeRole is missing") as refused:
        discover(moto_bucket.root, aws=options)
    assert str(refused.value).startswith("assume --role-arn arn:aws:iam::1:role/r: access denied")
    assert refused.value.permission == "sts:AssumeRole"


def test_a_role_that_nobody_can_be_asked_for_names_neither_the_bucket_nor_its_address(
    moto_bucket: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    options = AwsOptions(
        endpoint_url=moto_bucket.aws.endpoint_url, role_arn="arn:aws:iam::123456789012:role/lost"
    )
    with pytest.raises(AccessError) as refused:
        discover(moto_bucket.root, aws=options)
    said = str(refused.value)
    assert said.startswith("assume --role-arn arn:aws:iam::123456789012:role/lost: ")
    assert moto_bucket.root not in said
    assert "--endpoint-url" not in said


def test_what_is_no_role_is_a_usage_error_in_one_line(moto_bucket: Storage) -> None:
    options = AwsOptions(endpoint_url=moto_bucket.aws.endpoint_url, role_arn="foo")
    with pytest.raises(UsageError, match=r"assume --role-arn foo: .*RoleArn.* 20") as refused:
        discover(moto_bucket.root, aws=options)
    assert "\\n" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("no_credentials")
def test_a_role_is_assumed_by_somebody(moto_bucket: Storage) -> None:
    options = AwsOptions(
        endpoint_url=moto_bucket.aws.endpoint_url, role_arn="arn:aws:iam::123456789012:role/r"
    )
    with pytest.raises(AccessError, match=r"assume --role-arn .*: no AWS credentials found"):
        discover(moto_bucket.root, aws=options)


@pytest.mark.parametrize(
    "options",
    [
        AwsOptions(profile="nobody"),
        AwsOptions(region="not a region"),
        AwsOptions(endpoint_url="nonsense"),
    ],
)
def test_options_that_cannot_be_meant_are_usage_errors(options: AwsOptions) -> None:
    with pytest.raises(UsageError, match="AWS options"):
        discover("s3://captures", aws=options)


def test_credentials_that_cannot_be_loaded_are_an_access_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config"
    path.write_text("[profile broken]\ncredential_process = false\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    with pytest.raises(AccessError, match=r"load the credentials: .*renew the credentials"):
        discover("s3://captures", aws=AwsOptions(profile="broken"))


def test_an_impossible_bucket_name_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="Invalid bucket name"):
        discover("s3://not a bucket/p")


def test_the_requester_pays_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[dict[str, object]] = []

    class Client:
        def list_objects_v2(self, **request: object) -> dict[str, object]:
            requests.append(request)
            return {}

    monkeypatch.setattr(s3, "s3_client", lambda *_, **__: Client())
    with pytest.raises(InputError):
        discover("s3://captures/churn", aws=AwsOptions(request_payer=True))
    assert requests
    assert all(request["RequestPayer"] == "requester" for request in requests)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://b", ("b", "")),
        ("s3://b/", ("b", "")),
        ("s3://b//p/", ("b", "/p/")),
        ("s3://b/p q/\u00e4", ("b", "p q/\u00e4")),
        (
            "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/p",
            ("arn:aws:s3:eu-west-1:123456789012:accesspoint/ap", "p"),
        ),
    ],
)
def test_an_s3_url_is_a_bucket_and_a_prefix(url: str, expected: tuple[str, str]) -> None:
    assert s3.split_url(url) == expected
