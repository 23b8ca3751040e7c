"""Flags and arguments that several commands have.

In: their types, names and help. Out: what a command does with them.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from analyzer.addresses import refuse_reading, refuse_writing
from analyzer.console.messages import LOG_FORMAT, LogFormat

if TYPE_CHECKING:
    from collections.abc import Callable

_Paths = Path | list[str] | None


def written(
    what: str, *, file: bool = False
) -> Callable[[typer.CallbackParam, Path | None], Path | None]:
    """A callback that refuses an address where a path is written to."""

    def check(param: typer.CallbackParam, value: Path | None) -> Path | None:
        if value is not None:
            refuse_writing(value, _flag(param), what, file=file)
        return value

    return check


def read(what: str, *, file: bool = False) -> Callable[[typer.CallbackParam, _Paths], _Paths]:
    """A callback that refuses an address where paths are read from."""

    def check(param: typer.CallbackParam, value: _Paths) -> _Paths:
        paths = value if isinstance(value, list) else [value] if value else []
        for one in paths:
            refuse_reading(one, _flag(param), what, file=file)
        return value

    return check


def _flag(param: typer.CallbackParam) -> str:
    """How a parameter is given; an argument has no name there."""
    return next((name for name in param.opts if name.startswith("-")), "")


class Format(StrEnum):
    """What stdout carries."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class VerdictFormat(StrEnum):
    """What stdout carries of a verdict that lies on disk."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"
    GITHUB = "github"
    EVALUATION = "evaluation"


class FailOn(StrEnum):
    """Which decisions end with a code other than 0."""

    HOLD = "hold"
    REJECT = "reject"
    NEVER = "never"


FormatOption = Annotated[Format, typer.Option("--format", help="What stdout carries.")]
FailOnOption = Annotated[
    FailOn,
    typer.Option(
        help="Decisions that keep their exit code: hold (HOLD and REJECT), reject (REJECT) or "
        "never (none); the others exit 0."
    ),
]
OutOption = Annotated[
    Path, typer.Option(help="Folder for the bundle.", callback=written("a bundle"))
]
BundleArgument = Annotated[
    Path,
    typer.Argument(help="Folder that `analyzer run --out` wrote.", callback=read("a bundle")),
]
VerdictArgument = Annotated[
    Path,
    typer.Argument(help="A bundle, or a verdict.json on its own.", callback=read("a bundle")),
]
PlainOption = Annotated[
    Literal["text", "json"], typer.Option("--format", help="What stdout carries.")
]

Source = Annotated[str | None, typer.Argument(help="Folder or s3://bucket/prefix of captures.")]
Endpoint = Annotated[str | None, typer.Option(help="Endpoint, when several are found.")]
Production = Annotated[
    str | None, typer.Option(help="Production variant name; without SOURCE, a path.")
]
Shadow = Annotated[str | None, typer.Option(help="Shadow variant name; without SOURCE, a path.")]
Since = Annotated[
    str | None, typer.Option(help="Start of the window: ISO 8601, UTC if it has no offset.")
]
Until = Annotated[str | None, typer.Option(help="End of the window, not included.")]
EndpointFile = Annotated[
    Path | None,
    typer.Option(
        help="endpoint.json with the endpoint's description.",
        callback=read("endpoint.json", file=True),
    ),
]
LogFormatOption = Annotated[
    LogFormat, typer.Option(LOG_FORMAT, help="What stderr carries: text, or JSON Lines.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]
Profile = Annotated[str | None, typer.Option(help="AWS profile.")]
Region = Annotated[str | None, typer.Option(help="AWS region.")]
EndpointUrl = Annotated[str | None, typer.Option(help="S3 endpoint URL.")]
RoleArn = Annotated[str | None, typer.Option(help="Role to assume.")]
NoSignRequest = Annotated[bool, typer.Option("--no-sign-request", help="Anonymous requests.")]
RequestPayer = Annotated[bool, typer.Option("--request-payer", help="Requester pays.")]
