"""What is listed and what is read: objects, their bytes in whole lines, and why one failed.

In: the frozen values other modules see. Out: where they come from (`local`, `s3`, `discovery`)
and how bytes become chunks (`reading`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from analyzer.model import Note

_LIVE = timedelta(minutes=5)
_LONGEST_FILE = timedelta(hours=2)
"""After the start of its hour folder a file of it is closed by then."""

Role: TypeAlias = Literal["production", "shadow", "labels"]
MAX_LINE_BYTES = 16 << 20
"""Longer lines are counted and not parsed."""
ROLES: tuple[Role, Role] = ("production", "shadow")
"""The variants' own; labels belong to neither."""


@dataclass(frozen=True)
class AwsOptions:
    """How AWS is reached; all unset means the ambient credential chain.

    Attributes:
        endpoint_url: an S3-compatible server or a VPC endpoint; addressed path-style.
        role_arn: role assumed on top of the ambient credentials, renewed while a run lasts.
        no_sign_request: anonymous requests, for public buckets.
        request_payer: the caller pays for the requests.
        max_attempts: tries of one request before it counts as failed, the first included.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    role_arn: str | None = None
    no_sign_request: bool = False
    request_payer: bool = False
    max_attempts: int = 6


@dataclass(frozen=True)
class Entry:
    """One thing a folder or bucket listing names, before anybody asked whether it is a capture.

    Attributes:
        key: path below the root with `/`, always valid Unicode; the whole key on S3.
        location: what opens it: a file path, or `s3://bucket/key`.
        size: bytes; None when it could not be found out, which is not the same as empty.
        etag: what S3 names this version by, without quotes; None for files.
        identity: equal for two entries that are the same bytes on the same storage.
        is_file: False for a folder, pipe, socket or device: named, and never read.
        hidden: as `is_hidden` says of its path below what was named.
        archived: listed in a storage class that S3 reads only after a restore; whether that was
            done a listing does not say.
    """

    key: str
    location: str
    size: int | None
    etag: str | None
    modified: datetime | None
    identity: str
    is_file: bool = True
    hidden: bool = False
    archived: bool = False


@dataclass(frozen=True)
class SourceObject:
    """One capture object of one variant.

    Attributes:
        key: path below the root with `/`; the whole key on S3.
        size: bytes as stored, compressed if the object is.
        hour: UTC start of its hour folder; None in a flat layout.
        location: what opens it: a file path, or `s3://bucket/key`. Never printed: it names the
            machine, and two machines must write the same verdict.
        batch: the data file it stands for, where a batch-transform manifest named it; it is then
            read by `batch_transform`, `size` is that of input and output together, and `etag`
            changes whenever either does, or what is made of them.
        archived: as of `Entry`; of a data file see its parts.
    """

    key: str
    size: int
    role: Role
    hour: datetime | None
    etag: str | None
    modified: datetime | None
    location: str = field(default="", repr=False)
    batch: BatchFile | None = field(default=None, repr=False)
    archived: bool = False

    def may_have_company(self, now: datetime) -> bool:
        """Whether others of its minutes may be on their way: written just now, and not of long ago.

        Captures land up to two minutes late. What is copied or unpacked is new as a file only: its
        hour folder says when its requests were; in a flat layout nothing does.
        """
        if self.modified is None or now - self.modified >= _LIVE:
            return False
        return self.hour is None or now - self.hour < _LONGEST_FILE

    @property
    def stored(self) -> tuple[SourceObject, ...]:
        """What is read for it: itself, or the output and the input of a data file."""
        if self.batch is None:
            return (self,)
        return tuple(part for part in (self.batch.output, self.batch.input) if part is not None)


@dataclass(frozen=True)
class BatchFile:
    """A data file of a batch-transform job: an input object and the output made from it.

    Attributes:
        name: what both jobs call it; with a line number it names one record.
        origin, made: `s3://` addresses of the input and the output, as their manifests say them.
        hour: UTC start of the hour the job began in.
        input, output: None where one is not there; `failure` then says which.
        failure: why it cannot be read, known before anything is.
    """

    name: str
    origin: str
    made: str
    hour: datetime
    input: SourceObject | None
    output: SourceObject | None
    failure: ObjectFailure | None


@dataclass(frozen=True)
class Listing:
    """What a run would read.

    Attributes:
        production_variant, shadow_variant: None where neither the layout nor endpoint.json
            names them.
        objects: sorted by (role, key); an object's id is its place here.
        skipped: code -> objects that were listed and are not read.
        same_objects: production and shadow share at least one object.
        aws: how objects on S3 are reached.
        notes: what was recognised and is not read, or is read in its own way.
        sidecars: of a replay; role shadow is the candidate's, production its baseline's.
    """

    endpoint: str | None
    production_variant: str | None
    shadow_variant: str | None
    objects: tuple[SourceObject, ...]
    skipped: Mapping[str, int]
    same_objects: bool
    aws: AwsOptions = field(default_factory=AwsOptions)
    notes: tuple[Note, ...] = ()
    sidecars: tuple[SourceObject, ...] = ()

    @property
    def batch(self) -> bool:
        """Whether batch-transform jobs are among it, which start when they like."""
        return any(item.batch is not None for item in self.objects)

    @property
    def listed(self) -> int:
        """Objects looked at; = read + skipped + failed once everything has been read."""
        return len(self.objects) + len(self.sidecars) + sum(self.skipped.values())

    @property
    def size(self) -> int:
        """Bytes to read, as stored."""
        return sum(item.size for item in self.objects)


@dataclass(frozen=True)
class ObjectFailure:
    """Why an object could not be read to its end; counted, and a gate then holds.

    Attributes:
        code: access-denied, archived, corrupt-body, corrupt-gzip, deleted-or-replaced,
            gzip-bomb, incomplete-body, parquet or unreadable; of a batch-transform job also
            ambiguous-data, bad-manifest, line-counts-differ, missing-data, missing-input,
            missing-output or unsafe-name.
    """

    code: str
    text: str


@dataclass(frozen=True)
class Oversize:
    """A line too long to hold: what the ledger needs of it.

    Attributes:
        length: bytes without line end and byte order mark.
        sha256: of the same bytes, lower-case hex.
    """

    length: int
    sha256: str


@dataclass(frozen=True)
class Chunk:
    """Consecutive bytes of one object: whole lines, or one oversize line, or its failure.

    Exactly one of `data`, `oversize` and `failure` is set. `data` ends with a newline unless it
    is the object's last. What could be read before a failure comes before it.

    Attributes:
        object_id: index into `Listing.objects`.
        first_line_number: number of the first line, counted from 1 in its object.
    """

    object_id: int
    role: Role
    first_line_number: int
    data: bytes = b""
    oversize: Oversize | None = None
    failure: ObjectFailure | None = None


class ObjectError(Exception):
    """Carries an `ObjectFailure` up through the stages that read one object."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.failure = ObjectFailure(code, text)


def is_hidden(below: str) -> bool:
    """Whether a name on a path begins with a dot or an underscore, as what nobody is to read does.

    Args:
        below: the path below the folder or prefix that was named, which may be called anything.

    >>> is_hidden("prod/.old/x.jsonl"), is_hidden("prod/_SUCCESS"), is_hidden("prod/x.jsonl")
    (True, True, False)
    """
    path = f"/{below}"
    return "/." in path or "/_" in path


def printable(text: str) -> str:
    r"""Text on one line that no terminal takes for a command.

    >>> printable("a\x1b[31m\nb")
    'a\\x1b[31m\\nb'
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
