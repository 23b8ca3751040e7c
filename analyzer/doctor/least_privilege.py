"""The smallest IAM policy that lets one run read its captures.

In: which buckets, prefixes and keys it reads. Out: a policy document; asking AWS anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_ARN_PARTS = 5
"""`arn:partition:service:region:account:` comes before an access point's name."""


@dataclass(frozen=True)
class Reading:
    """What is read of one bucket.

    Attributes:
        bucket: its name, or an access point's ARN.
        prefix: key of the folder with its slash, empty for the whole bucket; or of one object.
        asked: the prefix as a person gave it, which is tried first.
        partition: `aws`, `aws-cn`, `aws-us-gov`, ...
        region: of the bucket; None where it is not known.
        kms_keys: ARNs of the keys its objects are encrypted with; an empty text for a key nobody
            named.
    """

    bucket: str
    prefix: str
    asked: str
    partition: str = "aws"
    region: str | None = None
    kms_keys: tuple[str, ...] = ()


def policy(readings: Iterable[Reading]) -> dict[str, Any]:
    """The policy document for all that is read.

    Returns:
        `s3:ListBucket` below the prefixes, `s3:GetObject` on what lies there, and `kms:Decrypt`
        by way of S3 where a key is needed; one statement each for every bucket.
    """
    by_bucket: dict[str, list[Reading]] = {}
    for reading in sorted(readings, key=lambda one: (one.bucket, one.prefix)):
        by_bucket.setdefault(reading.bucket, []).append(reading)
    statements: list[dict[str, Any]] = []
    for place, same_bucket in enumerate(by_bucket.values()):
        number = str(place + 1) if len(by_bucket) > 1 else ""
        statements.append(_listing(same_bucket, number))
        objects = sorted({_objects(one) for one in same_bucket})
        statements.append(_allow(f"ReadCaptures{number}", "s3:GetObject", objects))
        keys = sorted({key or _any_key(one) for one in same_bucket for key in one.kms_keys})
        if keys:
            statements.append(_decrypting(same_bucket[0], keys, number))
    return {"Version": "2012-10-17", "Statement": statements}


def _listing(same_bucket: list[Reading], number: str) -> dict[str, Any]:
    statement = _allow(f"ListCaptures{number}", "s3:ListBucket", [_bucket_arn(same_bucket[0])])
    prefixes = {prefix for one in same_bucket for prefix in (one.prefix, one.asked)}
    if "" in prefixes:
        return statement
    # Without its slash a folder's name is asked for once, to see whether it is an object.
    patterns = {literal(prefix.rstrip("/")) for prefix in prefixes}
    patterns |= {f"{literal(prefix.rstrip('/'))}/*" for prefix in prefixes}
    return {**statement, "Condition": {"StringLike": {"s3:prefix": sorted(patterns)}}}


def _decrypting(reading: Reading, keys: list[str], number: str) -> dict[str, Any]:
    statement = _allow(f"DecryptCaptures{number}", "kms:Decrypt", keys)
    if reading.region is None:
        return statement
    domain = "amazonaws.com.cn" if reading.partition == "aws-cn" else "amazonaws.com"
    through_s3 = {"kms:ViaService": f"s3.{reading.region}.{domain}"}
    return {**statement, "Condition": {"StringEquals": through_s3}}


def _allow(sid: str, action: str, resources: list[str]) -> dict[str, Any]:
    resource = resources[0] if len(resources) == 1 else resources
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def _bucket_arn(reading: Reading) -> str:
    if reading.bucket.startswith("arn:"):
        head, kind, name = _access_point(reading.bucket)
        return f"{head}:{kind}/{name}"
    return f"arn:{reading.partition}:s3:::{reading.bucket}"


def _objects(reading: Reading) -> str:
    below = literal(reading.prefix)
    if reading.prefix == "" or reading.prefix.endswith("/"):
        below += "*"
    between = "/object/" if reading.bucket.startswith("arn:") else "/"
    return f"{_bucket_arn(reading)}{between}{below}"


def _access_point(arn: str) -> tuple[str, str, str]:
    """Head, `accesspoint` and name of an access point's ARN, which may be spelled with a colon."""
    *head, last = arn.split(":", _ARN_PARTS)
    kind, name = re.split("[:/]", last, maxsplit=1)
    return ":".join(head), kind, name


def _any_key(reading: Reading) -> str:
    return f"arn:{reading.partition}:kms:{reading.region or '*'}:*:key/*"


def literal(text: str) -> str:
    """Text in which IAM sees no wildcard and no variable.

    >>> literal("a*b?c$d")
    'a${*}b${?}c${$}d'
    """
    return re.sub(r"[*?$]", lambda found: f"${{{found[0]}}}", text)
