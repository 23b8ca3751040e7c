"""`analyzer verdict`: verify a bundle, render its verdict for CI, exit with its code."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.flags import FailOn, FailOnOption, Format, VerdictFormat, read
from analyzer.cli.showing import exit_code, show
from analyzer.errors import InputError, ResourceError, UsageError

if TYPE_CHECKING:
    from analyzer.model import Verdict

_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def verdict(
    path: Annotated[
        Path | None,
        typer.Argument(help="A bundle, or a verdict.json on its own.", callback=read("a bundle")),
    ] = None,
    *,
    fail_on: FailOnOption = FailOn.HOLD,
    form: Annotated[
        VerdictFormat,
        typer.Option(
            "--format",
            help="What stdout carries. github: annotations; the summary goes to "
            "$GITHUB_STEP_SUMMARY, or below them where that is not set. evaluation: the metrics "
            "file of a model package.",
        ),
    ] = VerdictFormat.TEXT,
    max_age: Annotated[
        str | None,
        typer.Option(help="Refuse a verdict whose window ended longer ago, such as 7d or 36h."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Refuse a verdict of another endpoint.")
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of verdict.json.")
    ] = False,
) -> None:
    """Verify a bundle, print its verdict, exit with its code.

    Refused, with exit code 3: files that are not those of the manifest, a verdict that is not what
    its own evidence says, one that is too old or of another endpoint. That finds accidents and
    hand edits; it is no signature and does not find forgery.
    """
    from analyzer import bundle
    from analyzer.verdict.cross_check import unfit

    if schema:
        print(bundle.verdict_schema(), end="")
        return
    if path is None:
        raise UsageError("verdict: name a bundle or a verdict.json")
    oldest = None if max_age is None else _length(max_age)
    held = bundle.examine(path)
    reason = unfit(held, endpoint=endpoint, max_age=oldest, now=datetime.now(UTC))
    if reason is not None:
        raise InputError(f"{path}: {reason}")
    _show(held, path, form, fail_on)
    raise typer.Exit(exit_code(held, fail_on))


def _length(text: str) -> timedelta:
    from analyzer.policy import HORIZON, length_minutes

    if not HORIZON.fullmatch(text):
        raise UsageError(f"--max-age {text}: expected a length such as 7d, 36h or 90m")
    return timedelta(minutes=length_minutes(text))


def _show(read: Verdict, path: Path, form: VerdictFormat, fail_on: FailOn) -> None:
    from analyzer.report import evaluation, github, junit
    from analyzer.report.plain_text import printed_json

    if form is VerdictFormat.JUNIT:
        print(junit.render(read, skip_holds=fail_on is FailOn.REJECT), end="")
    elif form is VerdictFormat.GITHUB:
        print(github.render(read), end="")
        _summarise(read, path)
    elif form is VerdictFormat.EVALUATION:
        print(printed_json(evaluation.render(read)), end="")
    else:
        show(read, path, Format(form.value))


def _summarise(read: Verdict, path: Path) -> None:
    """The step's summary, added to the file GitHub names; outside GitHub it is printed."""
    from analyzer.report import markdown
    from analyzer.report.content import verdict_page

    summary = os.environ.get(_STEP_SUMMARY)
    if not summary:
        show(read, path, Format.MARKDOWN)
        return
    text = markdown.render(verdict_page(read))
    try:
        with Path(summary).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise ResourceError(f"${_STEP_SUMMARY}: cannot be written: {error.strerror}") from None
