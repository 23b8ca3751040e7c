"""Capture objects in S3: finding a prefix, reading a part of one object exactly once.

A body that breaks off is not retried by boto3: it is resumed here with Range and If-Match, and
its length and ETag are verified, so that part of an object is never taken for all of it.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from analyzer.errors import AccessError, UsageError
from analyzer.figures import grouped
from analyzer.sources.aws import (
    CONNECTIONS,
    answer_code,
    explain,
    missing_permission,
    payer,
    s3_client,
)
from analyzer.sources.listing import Bucket, below, described
from analyzer.sources.objects import ObjectError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.exceptions import ClientError

    from analyzer.sources.days import Days
    from analyzer.sources.objects import AwsOptions, Entry, SourceObject

_URL = re.compile(r"s3://(arn:[^/]+:accesspoint[/:][^/]+|[^/]+)(?:/(.*))?", re.DOTALL)
BLOCK_BYTES = 1 << 20
_RESUMES = 5
PAUSE_SECONDS = 0.2
_GONE = frozenset(
    {"NoSuchKey", "NoSuchVersion", "PreconditionFailed", "InvalidRange", "404", "412"}
)


def split_url(url: str) -> tuple[str, str]:
    """Bucket (or access point ARN) and key or prefix of an `s3://` URL.

    >>> split_url("s3://captures/churn//AllTraffic")
    ('captures', 'churn//AllTraffic')
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise UsageError(f"{printable(url)}: expected s3://bucket/prefix")
    return match[1], match[2] or ""


def entries(url: str, options: AwsOptions, days: Days) -> Iterator[Entry]:
    """Every object below a prefix, or the one object of that key; in any order.

    A destination that ends in a slash makes SageMaker write a double one; a prefix under which
    nothing lies is therefore tried with each of its slashes doubled.

    Args:
        url: `s3://bucket/prefix`.
        options: how S3 is reached.
        days: which days are needed; others are left out where that saves requests.

    Raises:
        AccessError, InputError, UsageError: the bucket cannot be listed; says what is missing.
    """
    name, prefix = split_url(url)
    folder = prefix if not prefix or prefix.endswith("/") else prefix + "/"
    what = described(name, folder)
    bucket = Bucket(s3_client(options, CONNECTIONS), name, options, what, folder)
    page = bucket.page(folder)
    if page.entries or page.token is not None:
        yield from below(bucket, folder, page, days)
        return
    # Of all keys that start with this one, the key itself sorts first.
    named = replace(bucket, root=prefix)
    alone = named.page(prefix, most=1).entries if prefix != folder else ()
    if alone and alone[0].key == prefix:
        yield alone[0]
        return
    for spelling in _doubled(folder):
        bucket = replace(bucket, root=spelling)
        try:
            page = bucket.page(spelling)
        except AccessError as error:
            if error.permission:
                # A right to this prefix alone is enough; that it holds nothing is the answer.
                return
            raise
        if page.entries or page.token is not None:
            yield from below(bucket, spelling, page, days)
            return


def found_under(prefix: str, key: str) -> str:
    """The prefix, as keys spell it, under which `entries` found a key: a folder, or the key itself.

    >>> found_under("captures/churn", "captures//churn/AllTraffic/2026/10/05/13/a.jsonl")
    'captures//churn/'
    """
    folder = prefix if not prefix or prefix.endswith("/") else prefix + "/"
    spellings = (folder, *_doubled(folder))
    return next((one for one in spellings if key.startswith(one)), key)


def _doubled(folder: str) -> Iterator[str]:
    """The spellings of a prefix with one of its inner slashes doubled, innermost first."""
    for match in reversed(list(re.finditer(r"(?<!/)/(?=[^/])", folder))):
        yield f"{folder[: match.start()]}/{folder[match.start() :]}"


class Body(Protocol):
    """A streaming answer."""

    def read(self, amt: int) -> bytes:
        """At most `amt` bytes; empty at the end."""

    def close(self) -> None:
        """Give the connection up."""


class S3Reader:
    """Reads parts of objects; one instance serves many threads.

    Attributes:
        stop: set to make reads in other threads end early; what they return is then unused.
    """

    def __init__(self, options: AwsOptions, connections: int) -> None:
        self._options = options
        self._client = s3_client(options, connections)
        self.stop = Event()

    def read(self, item: SourceObject, start: int, end: int) -> bytes:
        """Bytes [start, end) of the version that was listed.

        Raises:
            ObjectError: this object cannot be read.
            AccessError, InputError: no object can.
        """
        parts: list[bytes] = []
        position = start
        for resume in range(_RESUMES + 1):
            for block in self._blocks(item, position, end):
                parts.append(block)
                position += len(block)
            if position == end or self.stop.is_set():
                return b"".join(parts)
            self.stop.wait(random.uniform(0, PAUSE_SECONDS * 2**resume))  # noqa: S311 - jitter, no secret
        raise ObjectError(
            "incomplete-body",
            f"the body broke off {_RESUMES + 1} times, last at byte {grouped(position)}",
        )

    def _blocks(self, item: SourceObject, start: int, end: int) -> Iterator[bytes]:
        """Blocks of one answer; simply ends where its body breaks off."""
        from botocore.exceptions import (
            FlexibleChecksumError,
            HTTPClientError,
            IncompleteReadError,
        )
        from urllib3.exceptions import HTTPError

        body = self._open(item, start, end)
        try:
            while not self.stop.is_set() and (block := body.read(BLOCK_BYTES)):
                yield block
        except FlexibleChecksumError:
            raise ObjectError("corrupt-body", "its checksum does not match its bytes") from None
        except (HTTPClientError, IncompleteReadError, HTTPError):
            return
        finally:
            body.close()

    def _open(self, item: SourceObject, start: int, end: int) -> Body:
        """The body of a GET pinned to the listed version."""
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = split_url(item.location)
        request: dict[str, object] = {"Bucket": bucket, "Key": key, **payer(self._options)}
        if item.etag is not None:
            request["IfMatch"] = f'"{item.etag}"'
        if (start, end) != (0, item.size):
            request["Range"] = f"bytes={start}-{end - 1}"
        try:
            answer = self._client.get_object(**request)
        except ClientError as error:
            raise _fault(error) or explain(error, f"read {printable(item.key)}") from None
        except BotoCoreError as error:
            raise explain(error, f"read {printable(item.key)}", public=True) from None
        if not _same_version(item, answer, start, end):
            answer["Body"].close()
            raise ObjectError("deleted-or-replaced", "another version than the one listed")
        body: Body = answer["Body"]
        return body


def _fault(error: ClientError) -> ObjectError | None:
    """What an answer says about this one object; None when it is about all of them."""
    code = answer_code(error)
    permission = missing_permission(error)
    if permission is not None:
        return ObjectError("access-denied", f"access denied: {permission} is missing")
    if code == "InvalidObjectState":
        return ObjectError("archived", "in an archive storage class: restore it first")
    if code in _GONE:
        return ObjectError("deleted-or-replaced", f"no longer the object listed ({code})")
    return None


def _same_version(item: SourceObject, answer: Mapping[str, Any], start: int, end: int) -> bool:
    """Whether an answer is the listed version and the asked range; some servers ignore If-Match."""
    etag = answer.get("ETag", "").strip('"')
    if item.etag and etag and etag != item.etag:
        return False
    asked = f"bytes {start}-{end - 1}/{item.size}"
    ranged = (start, end) == (0, item.size) or answer.get("ContentRange") == asked
    return ranged and answer.get("ContentLength") == end - start
