"""What `analyzer doctor` asks and finds: the nouns, and what they are as JSON.

In: frozen values. Out: how they are found out (`doctor`) and how they read (`report.content`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from analyzer.errors import ExitCode
from analyzer.sources import AwsOptions
from analyzer.sources.objects import ROLES

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.sources.access import Identity
    from analyzer.sources.objects import Role


@dataclass(frozen=True)
class Question:
    """What the command line asked; as of a run, without what a run does afterwards."""

    source: str | None = None
    endpoint: str | None = None
    production: str | None = None
    shadow: str | None = None
    since: str | None = None
    until: str | None = None
    endpoint_file: Path | None = None
    aws: AwsOptions = field(default_factory=AwsOptions)

    @property
    def about_captures(self) -> bool:
        """Whether there is anything to look at but this installation."""
        return any((self.source, self.endpoint, self.production, self.shadow))

    @property
    def roots(self) -> tuple[tuple[str, tuple[Role, ...]], ...]:
        """The folders, files or prefixes that are read, and for which roles."""
        if self.source is not None:
            return ((self.source, ROLES),)
        named: tuple[tuple[str | None, Role], ...] = (
            (self.production, "production"),
            (self.shadow, "shadow"),
        )
        return tuple((root, (role,)) for root, role in named if root is not None)

    @property
    def on_s3(self) -> tuple[tuple[str, tuple[Role, ...]], ...]:
        """Those of them that AWS is asked for."""
        return tuple(one for one in self.roots if one[0].startswith("s3://"))


@dataclass(frozen=True)
class Machine:
    """What this process may use.

    Attributes:
        cache_folder: where parsed objects are kept; None for a user without a home.
    """

    memory_bytes: int
    cache_folder: str | None
    cache_free_bytes: int | None
    temporary_folder: str
    temporary_free_bytes: int


@dataclass(frozen=True)
class Permission:
    """One permission, as it was found by trying.

    Attributes:
        text: what was refused and how; empty when it was granted.
    """

    name: str
    state: Literal["granted", "missing", "not known"]
    text: str = ""


@dataclass(frozen=True)
class Side:
    """What a run would read of one variant.

    Attributes:
        first_hour, last_hour: of its hour folders, UTC; None in a flat layout.
        hours: how many hour folders hold objects.
        size_bytes: as stored.
    """

    role: Role
    variant: str | None
    objects: int
    size_bytes: int
    hours: int
    first_hour: datetime | None
    last_hour: datetime | None


@dataclass(frozen=True)
class Reads:
    """What a run would read.

    Attributes:
        skipped: code -> objects that were listed and would not be read.
        young: objects so new that others of their time may still be on their way.
        archived: objects in a storage class that S3 reads only after a restore.
    """

    endpoint: str | None
    sides: tuple[Side, ...]
    listed: int
    skipped: dict[str, int]
    young: int
    archived: int


@dataclass(frozen=True)
class Problem:
    """Why a run would not work, and the code it would end with."""

    exit_code: ExitCode
    text: str


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was found out.

    Attributes:
        versions: of the tool, Python and the libraries that matter, by name.
        who: None where AWS is not needed.
        regions: bucket -> region, None where nobody said.
        policy: the smallest IAM policy; None for folders and for unsigned requests.
    """

    versions: dict[str, str]
    machine: Machine
    who: Identity | None = None
    regions: dict[str, str | None] = field(default_factory=dict)
    permissions: tuple[Permission, ...] = ()
    reads: Reads | None = None
    policy: dict[str, Any] | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with: the first problem's code."""
        return self.problems[0].exit_code if self.problems else ExitCode.PROMOTE

    def to_json(self) -> str:
        """Everything as one JSON document, with a final newline; `who` is called `credentials`."""
        found = {**asdict(self), "exit_code": int(self.exit_code)}
        found["credentials"] = found.pop("who")
        return json.dumps(found, indent=2, default=_written) + "\n"


def _written(value: object) -> str:
    """A moment as ISO 8601; there is nothing else that JSON cannot hold."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(type(value).__name__)
