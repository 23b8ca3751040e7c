"""Batch-transform manifests: where they lie, which files are some, what they name.

AWS gives their place and their content and not their names, so a file is a manifest when it lies
in an hour folder of `input/` or `output/` and begins like one. In: entries. Out: whether what they
name is there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from analyzer.sources import layout
from analyzer.sources.batch_transform.stored import part, parts, stored
from analyzer.sources.objects import ObjectError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from analyzer.sources.objects import AwsOptions, Entry

Side: TypeAlias = Literal["input", "output"]
MAX_MANIFEST_BYTES = 16 << 20
_HEAD_BYTES = 4096
_MOST_LOOKED_AT = 16
_FOLDER = re.compile(r"(.*/)(input|output)/+([0-9]{4}/+[0-9]{2}/+[0-9]{2}/+[0-9]{2})/*", re.DOTALL)
# Without a slash behind the bucket, a name would lengthen the bucket's.
_PREFIX = re.compile(r"s3://[^/]+/")
_SIDE = re.compile(r"((?:.*/)?)(?:input|output)(?:/+[0-9]{2,4}){0,4}(?:/+[^/]*)?", re.DOTALL)
_HEAD = re.compile(rb'(?:\xef\xbb\xbf)?\s*\[\s*\{\s*"prefix"\s*:')


@dataclass(frozen=True)
class Spot:
    """Where a manifest lies.

    Attributes:
        root: location of the folder that holds `input/` and `output/`, with a slash behind it.
        hour_path: the hour folders as they are spelled, such as `2026/10/05/13`.
    """

    root: str
    side: Side
    hour: datetime
    hour_path: str


@dataclass(frozen=True)
class Candidate:
    """An entry that lies where a manifest would; variants may be called input and output, too."""

    entry: Entry
    spot: Spot


@dataclass(frozen=True)
class Manifest:
    """What one manifest names.

    Attributes:
        key: the manifest's own, for messages.
        prefix: `s3://` location; the address of a data object is prefix + name.
    """

    key: str
    spot: Spot
    prefix: str
    names: tuple[str, ...]


def candidate(entry: Entry) -> Candidate | None:
    """An entry as a candidate; None when it cannot be a manifest."""
    if entry.size == 0 or entry.hidden:
        return None
    spot = spot_of(entry.location)
    return None if spot is None else Candidate(entry, spot)


def spot_of(location: str) -> Spot | None:
    """Where a location is among a job's capture folders; None when it is in none.

    >>> found = spot_of("s3://bucket/capture/output/2026/10/05/13/x")
    >>> found.root, found.side, found.hour.hour
    ('s3://bucket/capture/', 'output', 13)
    """
    return _spot_of_folder(location.rpartition("/")[0])


@lru_cache(maxsize=4096)
def _spot_of_folder(folder: str) -> Spot | None:
    match = _FOLDER.fullmatch(folder)
    place = layout.place(f"{folder}/") if match else None
    if match is None or place is None or place.hour is None:
        return None
    side: Side = "input" if match[2] == "input" else "output"
    return Spot(root=match[1], side=side, hour=place.hour, hour_path=match[3])


def capture_folder(prefix: str) -> str:
    """The folder that holds `input/` and `output/`, from a prefix at or below one of them.

    >>> capture_folder("capture/output/2026/10/05"), capture_folder("capture")
    ('capture/', 'capture')
    """
    match = _SIDE.fullmatch(prefix)
    return match[1] if match else prefix


def are_manifests(candidates: Sequence[Candidate], aws: AwsOptions) -> bool:
    """Whether batch-transform manifests are among the candidates; a few of each side tell.

    Raises:
        AccessError, InputError: storage cannot be reached.
    """
    for side in ("output", "input"):
        few = [one for one in candidates if one.spot.side == side][:_MOST_LOOKED_AT]
        if any(_begins_like_one(one, aws) for one in few):
            return True
    return False


def _begins_like_one(one: Candidate, aws: AwsOptions) -> bool:
    try:
        return is_manifest(one, aws)
    except ObjectError:
        return False


def is_manifest(one: Candidate, aws: AwsOptions) -> bool:
    """Whether a candidate begins as a manifest does.

    Raises:
        ObjectError: it cannot be read.
    """
    item = stored(one.entry, "production")
    head = part(item, 0, min(_HEAD_BYTES, item.size), aws)
    return _HEAD.match(head) is not None


def read_manifest(one: Candidate, aws: AwsOptions) -> list[Manifest]:
    """What a manifest names; one file may hold several, one after the other.

    Raises:
        ObjectError: bad-manifest, or why it cannot be read.
    """
    data = bytearray()
    for block in parts(stored(one.entry, "production"), aws):
        data += block
        if len(data) > MAX_MANIFEST_BYTES:
            raise ObjectError("bad-manifest", f"a manifest of more than {MAX_MANIFEST_BYTES} bytes")
    return [
        Manifest(one.entry.key, one.spot, prefix, names) for prefix, names in _parsed(bytes(data))
    ]


def _parsed(data: bytes) -> list[tuple[str, tuple[str, ...]]]:
    """(prefix, names) of every array in a manifest's text."""
    try:
        text = data.decode("utf-8-sig").strip()
        documents = []
        while text:
            document, end = json.JSONDecoder().raw_decode(text)
            documents.append(document)
            text = text[end:].lstrip()
    except (ValueError, RecursionError):
        raise ObjectError("bad-manifest", "a batch-transform manifest that is not JSON") from None
    return [_named(document) for document in documents]


def _named(document: object) -> tuple[str, tuple[str, ...]]:
    if isinstance(document, list) and document and isinstance(document[0], dict):
        head, *names = document
        prefix = head.get("prefix")
        if isinstance(prefix, str) and _PREFIX.match(prefix) and _are_texts(names):
            return prefix, tuple(names)
    raise ObjectError(
        "bad-manifest",
        'a batch-transform manifest that is not [{"prefix": "s3://bucket/..."}, "name", ...]',
    )


def _are_texts(names: Sequence[object]) -> bool:
    return all(isinstance(name, str) for name in names)
