"""The bytes of one object, wherever it lies."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from analyzer.sources import local
from analyzer.sources.aws import CONNECTIONS
from analyzer.sources.objects import SourceObject
from analyzer.sources.s3 import S3Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.sources.objects import AwsOptions, Entry, Role

PART_BYTES = 4 << 20


def stored(entry: Entry, role: Role) -> SourceObject:
    """An entry as something that can be read, pinned to the version that was listed."""
    return SourceObject(
        key=entry.key,
        size=entry.size or 0,
        role=role,
        hour=None,
        etag=entry.etag,
        modified=entry.modified,
        location=entry.location,
        archived=entry.archived,
    )


def parts(item: SourceObject, aws: AwsOptions) -> Iterator[bytes]:
    """The bytes of an object, a few MiB at a time; at least one part, perhaps empty.

    Raises:
        ObjectError: this object cannot be read.
        AccessError, InputError: no object can.
    """
    for start in range(0, max(item.size, 1), PART_BYTES):
        yield part(item, start, min(start + PART_BYTES, item.size), aws)


def part(item: SourceObject, start: int, end: int, aws: AwsOptions) -> bytes:
    """Bytes [start, end) of an object; raises as `parts`."""
    if item.location.startswith("s3://"):
        return _reader(aws).read(item, start, end)
    return local.read(item, start, end)


@lru_cache(maxsize=4)
def _reader(aws: AwsOptions) -> S3Reader:
    return S3Reader(aws, CONNECTIONS)
