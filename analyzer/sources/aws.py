"""AWS sessions, and what to tell a person when AWS says no.

In: building a client from `AwsOptions`; turning botocore's errors into one line with what to do.
Out: any S3 semantics.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from analyzer.errors import AccessError, AnalyzerError, InputError, UsageError
from analyzer.sources.objects import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3
    import botocore.session
    from botocore.exceptions import ClientError

    from analyzer.sources.objects import AwsOptions

NO_BUCKET = "no-such-bucket"
CONNECTIONS = 16
CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 20
"""A connection on which nothing has come for so long is dead; S3 says something within one."""
_PERMISSIONS = {
    "ListObjectsV2": "s3:ListBucket",
    "GetObject": "s3:GetObject",
    "AssumeRole": "sts:AssumeRole",
    "GetMetricData": "cloudwatch:GetMetricData",
    "ListMetrics": "cloudwatch:ListMetrics",
    "DescribeEndpoint": "sagemaker:DescribeEndpoint",
    "DescribeEndpointConfig": "sagemaker:DescribeEndpointConfig",
    "ListInferenceExperiments": "sagemaker:ListInferenceExperiments",
    "DescribeInferenceExperiment": "sagemaker:DescribeInferenceExperiment",
    "DescribeScalingActivities": "application-autoscaling:DescribeScalingActivities",
}
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "403"})
S3_REACHED_BY = "the network and --endpoint-url"
STS_REACHED_BY = "the network, --region and AWS_ENDPOINT_URL_STS"
_RENEW = "renew the credentials (for example `aws sso login`) and run again"
_ADVICE: dict[str, str] = {
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"),
        f"the credentials have expired: {_RENEW}",
    ),
    **dict.fromkeys(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidClientTokenId"),
        "the credentials are not accepted: check --profile, or the access key and its secret",
    ),
    **dict.fromkeys(
        (
            "PermanentRedirect",
            "TemporaryRedirect",
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
            "301",
            "307",
        ),
        "the bucket is in another region: give it with --region",
    ),
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it and run again",
    **dict.fromkeys(
        (
            *("SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout"),
            *("500", "502", "503", "504"),
        ),
        "still failing after retries: run again later",
    ),
}


class S3Client(Protocol):
    """The S3 calls this package makes."""

    def get_object(self, **request: object) -> Mapping[str, Any]:
        """Headers and a streaming `Body`."""

    def list_objects_v2(self, **request: object) -> Mapping[str, Any]:
        """One page of a listing."""

    def head_bucket(self, **request: object) -> Mapping[str, Any]:
        """Where a bucket is."""


@lru_cache(maxsize=8)
def s3_client(options: AwsOptions, connections: int = CONNECTIONS) -> S3Client:
    """A client that is safe to share between threads and retries with jitter.

    Kept: making one takes longer than reading many objects.

    Raises:
        AccessError: the credentials cannot be loaded.
        UsageError: unknown profile, impossible region or endpoint URL.
    """
    client = client_of(
        options,
        "s3",
        max_pool_connections=connections,
        # Virtual-host names need DNS that private endpoints seldom have.
        s3={"addressing_style": "path" if options.endpoint_url else "auto"},
    )
    # The calls made here are described by a protocol, so that tests can stand in for them.
    return cast("S3Client", client)


def client_of(options: AwsOptions, service: str, **config: Any) -> object:  # noqa: ANN401 - botocore's
    """A client of any service, with the credentials, region and endpoint that were asked for.

    Args:
        options: how AWS is reached.
        service: as boto3 names it.
        config: what `botocore.config.Config` takes, in place of what stands here or beside it.

    Raises:
        AccessError: the credentials cannot be loaded.
        UsageError: unknown profile, impossible region or endpoint URL.
    """
    import botocore
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    given: dict[str, Any] = {
        # "standard" pauses at random, longer each time, and shares one budget of retries among all
        # threads. "adaptive" would also slow the whole client down at the first SlowDown: worth it
        # for a client that can outrun a service, which these few connections cannot (S3 answers
        # thousands of reads a second below one prefix), and AWS calls it experimental.
        "retries": {"mode": "standard", "total_max_attempts": options.max_attempts},
        "connect_timeout": CONNECT_TIMEOUT_S,
        "read_timeout": READ_TIMEOUT_S,
        **({"signature_version": botocore.UNSIGNED} if options.no_sign_request else {}),
        **config,
    }
    try:
        session: Any = session_of(options)  # its types name each service apart
        return session.client(service, endpoint_url=options.endpoint_url, config=Config(**given))
    except (BotoCoreError, ValueError) as error:
        raise unusable(error) from None


def session_of(options: AwsOptions) -> boto3.Session:
    """A session with the credentials and the region that were asked for."""
    import boto3

    return boto3.Session(botocore_session=_core_session(options), region_name=options.region)


def _core_session(options: AwsOptions) -> botocore.session.Session:
    """The ambient session, or one whose credentials are an assumed role's."""
    import botocore.session

    session = botocore.session.Session(profile=options.profile)
    if options.role_arn is None or options.no_sign_request:
        return session
    from botocore.credentials import (
        AssumeRoleCredentialFetcher,
        CredentialProvider,
        DeferredRefreshableCredentials,
    )
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    source = session.get_credentials()
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=session.create_client,
        source_credentials=source,
        role_arn=options.role_arn,
        extra_args={"RoleSessionName": "shadow-analyzer"},
    )
    assuming = f"assume --role-arn {printable(options.role_arn)}"

    def assume() -> Mapping[str, Any]:
        # Asked in the middle of another service's request, whose name and advice would be wrong.
        try:
            if source is None:
                raise NoCredentialsError
            return cast("Mapping[str, Any]", fetcher.fetch_credentials())
        except (BotoCoreError, ClientError) as error:
            raise explain(error, assuming, check=STS_REACHED_BY) from None

    class AssumedRole(CredentialProvider):
        """Credentials of the role, fetched on first use and renewed before they expire."""

        METHOD = "assume-role"

        def load(self) -> DeferredRefreshableCredentials:
            return DeferredRefreshableCredentials(method=self.METHOD, refresh_using=assume)

    assumed = botocore.session.Session(profile=options.profile)
    assumed.get_component("credential_provider").providers.insert(0, AssumedRole())
    return assumed


def unusable(error: Exception) -> AnalyzerError:
    """The one-line error that an exception means before there was any request."""
    from botocore import exceptions as aws

    if isinstance(
        error,
        aws.NoCredentialsError
        | aws.SSOError
        | aws.TokenRetrievalError
        | aws.CredentialRetrievalError,
    ):
        return explain(error, "load the credentials")
    if isinstance(error, aws.NoRegionError):
        return UsageError("no AWS region: give it with --region, or set AWS_DEFAULT_REGION")
    return UsageError(f"AWS options: {_one_line(error)}")


def explain(
    error: Exception, what: str, *, check: str = S3_REACHED_BY, public: bool = False
) -> AnalyzerError:
    """The one-line error a botocore exception means for somebody who wanted `what`.

    Args:
        error: the exception.
        what: what was wanted.
        check: what to look at where nobody answers.
        public: whether it may be had without credentials, as a public bucket's objects are.
    """
    from botocore import exceptions as aws

    if isinstance(error, aws.ClientError):
        return _explain_answer(error, what)
    message = _one_line(error)
    if isinstance(error, aws.NoCredentialsError | aws.PartialCredentialsError):
        ways = "configure them, or choose --profile"
        if public:
            ways = "configure them, choose --profile, or use --no-sign-request for a public bucket"
        return AccessError(f"{what}: no AWS credentials found: {ways}")
    if isinstance(error, aws.SSOError | aws.TokenRetrievalError | aws.CredentialRetrievalError):
        return AccessError(f"{what}: {message}; {_RENEW}")
    if isinstance(error, aws.ParamValidationError | aws.ValidationError):
        return UsageError(f"{what}: {message}")
    return AccessError(f"{what}: {message}; unreachable after retries: check {check}")


def _one_line(error: Exception) -> str:
    return printable(" ".join(str(error).split()))


def answer_code(error: ClientError) -> str:
    """The service's error code, e.g. `NoSuchKey`; a bare status where it sent no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def missing_permission(error: ClientError) -> str | None:
    """The permission a denial asks for; None when the answer is no denial."""
    code = answer_code(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    if code.startswith("KMS.") or (code in _DENIED and "kms" in message.lower()):
        return "kms:Decrypt"
    return _PERMISSIONS.get(error.operation_name, "access") if code in _DENIED else None


def _explain_answer(error: ClientError, what: str) -> AnalyzerError:
    code = answer_code(error)
    message = printable(str(error.response.get("Error", {}).get("Message", "")))
    permission = missing_permission(error)
    if permission is not None:
        return AccessError(
            f"{what}: access denied: {permission} is missing ({code}: {message})",
            permission=permission,
        )
    if code == "NoSuchBucket":
        return InputError(f"{what}: there is no such bucket", code=NO_BUCKET)
    if code == "InvalidBucketName":
        return UsageError(f"{what}: not a bucket name", code=NO_BUCKET)
    advice = _ADVICE.get(code, "AWS refused")
    return AccessError(f"{what}: {advice} ({code}: {message})")


class Trail:
    """The tokens of one answer's pages so far, so that its last page is reached or missed aloud."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()

    def on(self, token: str, what: str) -> str:
        """The token, where it leads on; `what` a person wanted is for the error.

        Raises:
            AccessError: there is none, or it has been followed before: it leads round.
        """
        if not token:
            raise AccessError(
                f"{what}: the server says that there is more and gives no token to ask for it; "
                "copy what is there into a folder, or use a server that pages as S3 does"
            )
        if token in self._tokens:
            raise AccessError(f"{what}: the server does not go on to the next page")
        self._tokens.add(token)
        return token


def payer(options: AwsOptions) -> dict[str, object]:
    """What a request says about who pays for it."""
    return {"RequestPayer": "requester"} if options.request_payer else {}
