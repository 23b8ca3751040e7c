"""`analyzer verdict`: verify a bundle, print its verdict, exit with its code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.flags import FailOn, FailOnOption, Format, FormatOption
from analyzer.cli.showing import exit_code, show
from analyzer.errors import UsageError


def verdict(
    path: Annotated[
        Path | None, typer.Argument(help="A bundle, or a verdict.json on its own.")
    ] = None,
    *,
    fail_on: FailOnOption = FailOn.HOLD,
    form: FormatOption = Format.TEXT,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of verdict.json.")
    ] = False,
) -> None:
    """Verify a bundle, print its verdict, exit with its code."""
    from analyzer import bundle

    if schema:
        print(bundle.verdict_schema(), end="")
        return
    if path is None:
        raise UsageError("verdict: name a bundle or a verdict.json")
    read = bundle.read_alone(path) if path.is_file() else bundle.read(path).verdict
    show(read, path, form)
    raise typer.Exit(exit_code(read, fail_on))
