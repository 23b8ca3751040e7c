"""The door: which commands there are, and what happens to arguments that cannot be parsed.

In: the Typer application. Out: what a command does (a module each), and every way to end
(`__main__`).
"""

from __future__ import annotations

import difflib
import re
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from analyzer.cli.arguments import Command
from analyzer.cli.demo import demo
from analyzer.cli.diff import diff
from analyzer.cli.doctor import doctor
from analyzer.cli.explain import explain
from analyzer.cli.metrics import metrics
from analyzer.cli.policy import policy
from analyzer.cli.promote import promote
from analyzer.cli.replay import replay
from analyzer.cli.report import report
from analyzer.cli.run import leave_error, run
from analyzer.cli.verdict import verdict
from analyzer.console.process import started_as
from analyzer.errors import AnalyzerError, ExitCode, UsageError

COMMANDS = (
    demo,
    run,
    report,
    verdict,
    replay,
    diff,
    promote,
    metrics,
    policy,
    explain,
    doctor,
)
"""Every command, in the order of `--help`."""

EXIT_CODES_HELP = (
    "Exit codes: 0 PROMOTE or done, 10 HOLD, 20 REJECT, 1 internal error, 2 usage or policy, "
    "3 input unusable, 4 access, 5 disk or memory, 130 interrupted, 143 terminated."
)

app = typer.Typer(
    name="analyzer",
    help="Decide whether a SageMaker shadow variant may take production's place.",
    epilog=EXIT_CODES_HELP,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer hands a callback its value
    if wanted:
        from analyzer import __version__

        print(f"shadow-analyzer {__version__}")
        raise typer.Exit


@app.callback()
def door(
    context: typer.Context,
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Decide whether a SageMaker shadow variant may take production's place."""
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(ExitCode.USAGE)


for _command in COMMANDS:
    app.command(cls=Command)(_command)


def run_command_line() -> int:
    """Run the command that the arguments name; its exit code.

    Raises:
        AnalyzerError: it cannot be done; arguments that cannot be parsed are a `UsageError`.
    """
    try:
        return _run()
    except AnalyzerError as error:
        leave_error(error, sys.argv[1:])
        raise


def _run() -> int:
    try:
        code: int | None = app(standalone_mode=False)
    except TyperException as error:
        raise UsageError(_mistake(error)) from None
    return code or 0


_POSSIBLE = re.compile(r"(No such option: --(\S+)) \(Possible options: (.+)\)")


def _near(found: re.Match[str]) -> str:
    """The options that are alike in name; the parser counts the dashes that all have in common."""
    names = [option.removeprefix("--") for option in found[3].split(", ")]
    near = difflib.get_close_matches(found[2], names)
    options = ", ".join(f"--{name}" for name in sorted(near))
    return f"{found[1]} (Possible options: {options})" if options else found[1]


def _mistake(error: TyperException) -> str:
    """What the parser found, as one sentence, and which help to read."""
    said = " ".join(error.format_message().split()).rstrip(".")
    said = _POSSIBLE.sub(_near, said)
    said = re.sub(r"^Invalid value for '(.+?)': (Value error, )?", r"\1: ", said)
    known = {command.__name__ for command in COMMANDS}
    words = [started_as(), *(word for word in sys.argv[1:2] if word in known), "--help"]
    return f"{said[:1].lower()}{said[1:]}; see `{' '.join(words)}`"
