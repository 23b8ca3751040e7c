"""Who asks AWS, where a bucket is, and whether one object can be read: tried, never guessed.

In: `AwsOptions`, a bucket, an object. Out: what was granted, what is missing, never a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

from analyzer.errors import AccessError
from analyzer.secrets import without_secrets
from analyzer.sources import local
from analyzer.sources.aws import (
    CONNECTIONS,
    STS_REACHED_BY,
    answer_code,
    explain,
    missing_permission,
    payer,
    s3_client,
    session_of,
    unusable,
)
from analyzer.sources.objects import ObjectError, printable
from analyzer.sources.s3 import split_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.exceptions import ClientError

    from analyzer.sources.objects import AwsOptions, SourceObject
    from analyzer.sources.s3 import Body

_CONNECT_TIMEOUT_S = 3
_READ_TIMEOUT_S = 5
_REGION_HEADER = "x-amz-bucket-region"
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
_KMS = ("aws:kms", "aws:kms:dsse")
START_BYTES = 1 << 20
"""What is read of an object to see what it begins with."""
READ_FILE = "read permission"
ARCHIVED = "archived"


class _Sts(Protocol):
    """The one STS call made here; it needs no permission."""

    def get_caller_identity(self) -> Mapping[str, Any]:
        """Who signs the requests."""


@dataclass(frozen=True)
class Identity:
    """Who asks.

    Attributes:
        kind: what botocore calls the source of the credentials, such as `env` or `sso`;
            `anonymous` for unsigned requests; None where there are no credentials.
        arn: as STS names the caller; None where it was not asked or did not say.
        why_unnamed: why there is no ARN; empty where there is one.
    """

    kind: str | None
    arn: str | None = None
    why_unnamed: str = ""


@dataclass(frozen=True)
class Tried:
    """What reading the start of an object showed.

    Attributes:
        missing: the permission that was missing; empty when none was.
        text: what went wrong; empty when the object may be read.
        kms_key: ARN of the key an SSE-KMS object is encrypted with; empty when it is not known,
            None for an object that needs no key.
        code: of an object that failed for another reason than a permission.
        start: the bytes it begins with, `START_BYTES` or all there are; none where they could
            not be had.
    """

    missing: str = ""
    text: str = ""
    kms_key: str | None = None
    code: str = ""
    start: bytes = b""


def identity(options: AwsOptions) -> Identity:
    """Who signs the requests, without saying with which key.

    Raises:
        AccessError: the credentials cannot be loaded.
        UsageError: unknown profile.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    if options.no_sign_request:
        return Identity("anonymous")
    try:
        credentials = session_of(options).get_credentials()
        if credentials is None:
            return Identity(None)
        sts, address = _sts(options)
    except (BotoCoreError, ValueError) as error:
        raise unusable(error) from None
    host = urlsplit(address).hostname or ""
    if options.endpoint_url is not None and host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        # What signs for somebody else's server is no business of AWS's.
        return Identity(credentials.method, why_unnamed="not asked, because of --endpoint-url")
    try:
        return Identity(credentials.method, printable(str(sts.get_caller_identity()["Arn"])))
    except (BotoCoreError, ClientError) as error:
        why = str(explain(error, "ask STS", check=STS_REACHED_BY))
        return Identity(credentials.method, why_unnamed=why)
    except AccessError as error:
        return Identity(credentials.method, why_unnamed=str(error))


def _sts(options: AwsOptions) -> tuple[_Sts, str]:
    """A client that gives up soon, and the address it asks."""
    from botocore.config import Config

    session = session_of(options)
    config = Config(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    client = session.client("sts", region_name=session.region_name or "us-east-1", config=config)
    return cast("_Sts", client), str(client.meta.endpoint_url)


def bucket_region(options: AwsOptions, bucket: str) -> str | None:
    """The region a bucket is in; S3 says so even to those it refuses. None where nobody does."""
    from botocore.exceptions import BotoCoreError, ClientError

    if bucket.startswith("arn:"):
        return bucket.split(":")[3] or None
    try:
        answer = s3_client(options, CONNECTIONS).head_bucket(Bucket=bucket)
    except ClientError as error:
        answer = cast("dict[str, Any]", error.response)
    except (AccessError, BotoCoreError):
        return None
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    told = answer.get("BucketRegion") or headers.get(_REGION_HEADER)
    return None if told is None else printable(str(told))


def partition_of(region: str | None) -> str:
    """The part of AWS a region belongs to, as ARNs spell it."""
    from botocore.exceptions import UnknownRegionError
    from botocore.session import Session

    try:
        return str(Session().get_partition_for_region(region)) if region else "aws"
    except UnknownRegionError:
        return "aws"


def try_reading(options: AwsOptions, item: SourceObject) -> Tried:
    """Read the start of an object or file.

    Raises:
        AccessError, InputError: the trouble is not with this object.
    """
    if not item.location.startswith("s3://"):
        try:
            start = local.read(item, 0, min(item.size, START_BYTES))
        except ObjectError as error:
            failure = error.failure
            denied = READ_FILE if failure.code == "unreadable" else ""
            return Tried(denied, failure.text, code=failure.code)
        return Tried(start=start)
    return _try_object(options, item)


def _try_object(options: AwsOptions, item: SourceObject) -> Tried:
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = split_url(item.location)
    part = f"bytes=0-{START_BYTES - 1}"
    request = {"Bucket": bucket, "Key": key, "Range": part, **payer(options)}
    try:
        answer = s3_client(options, CONNECTIONS).get_object(**request)
    except ClientError as error:
        return _refused(error, f"read {printable(item.key)}")
    except BotoCoreError as error:
        raise explain(error, f"read {printable(item.key)}", public=True) from None
    encrypted = answer.get("ServerSideEncryption") in _KMS
    kms_key = answer.get("SSEKMSKeyId", "") if encrypted else None
    return Tried(kms_key=kms_key, start=_start(answer["Body"]))


def _start(body: Body) -> bytes:
    """What a body holds, as far as asked for; nothing where it breaks off: it may be read."""
    from botocore.exceptions import BotoCoreError
    from urllib3.exceptions import HTTPError

    try:
        return body.read(START_BYTES)
    except (BotoCoreError, HTTPError):
        return b""
    finally:
        body.close()


def _refused(error: ClientError, what: str) -> Tried:
    code = answer_code(error)
    permission = missing_permission(error)
    if permission is None:
        if code in {"NoSuchKey", "404"}:
            return Tried(text="no longer there", code="deleted-or-replaced")
        if code == "InvalidObjectState":
            return Tried(text="in an archive storage class: restore it first", code=ARCHIVED)
        raise explain(error, what)
    message = str(error.response.get("Error", {}).get("Message", ""))
    key = None
    if permission == "kms:Decrypt":
        found = _KEY_ARN.search(message)
        key = found[0] if found else ""
    return Tried(permission, printable(without_secrets(f"{code}: {message}")), key)
