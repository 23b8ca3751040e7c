"""The door: parse, call, print, exit code. The only module that prints.

stdout carries the chosen format and nothing else; progress, notes and errors go to stderr.
Everything heavy is imported inside the command that needs it, so that `--help` stays fast.
"""

from __future__ import annotations

import errno
import io
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from analyzer import flags  # noqa: TC001 - Typer reads annotations
from analyzer.errors import AnalyzerError, ExitCode, UsageError
from analyzer.flags import BundleArgument, FailOn, FailOnOption, Format, FormatOption, PlainOption

if TYPE_CHECKING:
    from types import FrameType

    from analyzer.analysis import Request
    from analyzer.model import Verdict
    from analyzer.report.content.page import Page

EXIT_CODES_HELP = (
    "Exit codes: 0 PROMOTE or done, 10 HOLD, 20 REJECT, 1 internal error, 2 usage or policy, "
    "3 input unusable, 4 access, 5 disk or memory, 130 interrupted, 143 terminated."
)

_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})

app = typer.Typer(
    name="analyzer",
    help="Decide whether a SageMaker shadow variant may take production's place.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
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
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Decide whether a SageMaker shadow variant may take production's place."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the bundle.")] = Path("demo"),
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Run the main job on a sample scenario and say which report to open."""
    from analyzer import analysis, bundle

    scenario = _shipped("sample_data/slow_tail", "_sample/slow_tail")
    bundle.claim(out)
    request = analysis.Request(
        source=str(scenario / "captures"),
        cloudwatch=(str(scenario / "cloudwatch"),),
        policy_file=scenario / "policy.toml",
        use_cache=False,
    )
    command = ["analyzer", "run", str(scenario / "captures")]
    command += ["--cloudwatch", str(scenario / "cloudwatch")]
    command += ["--policy", str(scenario / "policy.toml"), "--out", str(out)]
    print(shlex.join(command) + "\n")
    verdict = _analyse(request, out, quiet=quiet)
    _show(verdict, out, Format.TEXT)


@app.command()
def run(
    source: flags.Source = None,
    *,
    endpoint: flags.Endpoint = None,
    production: flags.Production = None,
    shadow: flags.Shadow = None,
    cloudwatch: Annotated[
        list[str] | None, typer.Option(help="CloudWatch export: file or folder; repeatable.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="policy.toml; default policy else.")] = None,
    since: flags.Since = None,
    until: flags.Until = None,
    endpoint_file: flags.EndpointFile = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="Policy KEY=VALUE; repeatable.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option(help="Of the table engine, such as 2GB; default: 80 % of memory.")
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Read every object, keep nothing parsed.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for the bundle.")] = Path("analysis"),
    fail_on: FailOnOption = FailOn.HOLD,
    form: FormatOption = Format.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
    profile: flags.Profile = None,
    region: flags.Region = None,
    endpoint_url: flags.EndpointUrl = None,
    role_arn: flags.RoleArn = None,
    no_sign_request: flags.NoSignRequest = False,
    request_payer: flags.RequestPayer = False,
) -> None:
    """Read captures and CloudWatch exports, and decide PROMOTE, HOLD or REJECT."""
    from analyzer import analysis, bundle
    from analyzer.sources import AwsOptions

    bundle.claim(out)
    request = analysis.Request(
        source=source,
        endpoint=endpoint,
        production=production,
        shadow=shadow,
        cloudwatch=tuple(cloudwatch or ()),
        policy_file=policy,
        overrides=tuple(assignments or ()),
        since=since,
        until=until,
        endpoint_file=endpoint_file,
        memory_limit=memory_limit,
        use_cache=not no_cache,
        aws=AwsOptions(
            profile=profile,
            region=region,
            endpoint_url=endpoint_url,
            role_arn=role_arn,
            no_sign_request=no_sign_request,
            request_payer=request_payer,
        ),
    )
    verdict = _analyse(request, out, quiet=quiet)
    _show(verdict, out, form)
    raise typer.Exit(_gate(verdict, fail_on))


@app.command()
def report(
    path: BundleArgument,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65_535)] = 8501,
) -> None:
    """Open the Streamlit report of a bundle."""
    import subprocess

    from analyzer import bundle

    bundle.read(path)
    folder = _shipped("app", "_app")
    command = [sys.executable, "-m", "streamlit", "run", "serve.py"]
    command += ["--server.port", str(port), "--", str(path.resolve())]
    print(f"http://127.0.0.1:{port}", file=sys.stderr)
    # The command is our own script; the bundle's path is passed as one argument, never by a shell.
    done = subprocess.run(command, cwd=folder, check=False)  # noqa: S603
    raise typer.Exit(done.returncode)


@app.command()
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
    _show(read, path, form)
    raise typer.Exit(_gate(read, fail_on))


@app.command()
def policy(
    path: Annotated[Path | None, typer.Argument(help="A policy.toml to check.")] = None,
) -> None:
    """Print the default policy with its meaning, or check a file."""
    from analyzer import policy_text
    from analyzer.metrics import DEFAULTS
    from analyzer.policy import load_policy

    if path is None:
        print(policy_text.commented(DEFAULTS), end="")
        return
    load_policy(path, DEFAULTS)
    print(f"{path}: valid")


@app.command()
def explain(
    code: Annotated[str, typer.Argument(help="A metric, gate, note or reason code.")],
) -> None:
    """Say what a metric, gate or code means, how it is measured and what to do."""
    from analyzer.report.explain import explanation

    print(explanation(code), end="")


@app.command()
def doctor(
    source: flags.Source = None,
    *,
    endpoint: flags.Endpoint = None,
    production: flags.Production = None,
    shadow: flags.Shadow = None,
    since: flags.Since = None,
    until: flags.Until = None,
    endpoint_file: flags.EndpointFile = None,
    form: PlainOption = "text",
    quiet: flags.Quiet = False,
    profile: flags.Profile = None,
    region: flags.Region = None,
    endpoint_url: flags.EndpointUrl = None,
    role_arn: flags.RoleArn = None,
    no_sign_request: flags.NoSignRequest = False,
    request_payer: flags.RequestPayer = False,
) -> None:
    """Say what a run would read and what it lacks."""
    from analyzer.diagnosis import Question
    from analyzer.doctor import examine
    from analyzer.progress import progress
    from analyzer.report.content.doctor_page import doctor_page
    from analyzer.sources import AwsOptions

    asked = AwsOptions(
        profile, region, endpoint_url, role_arn, no_sign_request, request_payer=request_payer
    )
    question = Question(source, endpoint, production, shadow, since, until, endpoint_file, asked)
    with progress(quiet=quiet) as report_progress:
        diagnosis = examine(question, report_progress)
    if form == "json":
        print(diagnosis.to_json(), end="")
    else:
        _print_page(doctor_page(diagnosis), requests=True)
    raise typer.Exit(diagnosis.exit_code)


def main() -> NoReturn:
    """Run the command line; turn every expected failure into one line and its exit code."""
    interruption = Interruption()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interruption)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(_flushed(_exit_code(interruption)))


class Interruption:
    """Remembers the signal that ended a run: a library may turn it into an error of its own."""

    def __init__(self) -> None:
        self.code: ExitCode | None = None

    def __call__(self, number: int, _frame: FrameType | None) -> NoReturn:
        """Leave with the signal's exit code."""
        terminated = number == signal.SIGTERM
        self.code = ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED
        sys.exit(self.code)


def _exit_code(interruption: Interruption) -> int:
    try:
        app()
    except AnalyzerError as error:
        _complain(str(error))
        return error.exit_code
    except MemoryError:
        _complain("out of memory; set --memory-limit or shorten the run with --since and --until")
        return ExitCode.RESOURCES
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        _complain(f"output could not be written: {error.strerror}")
        return ExitCode.RESOURCES
    except RuntimeError:
        if interruption.code is None:
            raise
    except SystemExit as ended:
        if interruption.code is None:
            return ended.code if isinstance(ended.code, int) else 0
    if interruption.code is not None:
        _complain("terminated" if interruption.code is ExitCode.TERMINATED else "interrupted")
        return interruption.code
    return ExitCode.PROMOTE


def _flushed(code: int) -> int:
    """The exit code once stdout is really written; a full disk is no success."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
    except OSError as error:
        _complain(f"output could not be written: {error.strerror}")
        _silence_stdout()
        return ExitCode.RESOURCES
    return code


def _silence_stdout() -> None:
    """Keep the interpreter from flushing the unwritable stdout once more as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _analyse(request: Request, out: Path, *, quiet: bool) -> Verdict:
    """Run the analysis and write its bundle; a failure leaves an ERROR verdict behind."""
    from analyzer import analysis, bundle
    from analyzer.progress import progress
    from analyzer.report import markdown
    from analyzer.report.content import verdict_page

    try:
        with progress(quiet=quiet) as report_progress:
            done = analysis.run(request, report_progress)
    except AnalyzerError as error:
        bundle.write(out, analysis.error_verdict(error), f"error: {error}\n", {})
        raise
    summary = markdown.render(verdict_page(done.verdict))
    bundle.write(out, done.verdict, summary, done.tables)
    for remark in () if quiet else done.remarks:
        print(f"note: {remark}", file=sys.stderr)
    return done.verdict


def _show(verdict: Verdict, out: Path, form: Format) -> None:
    from analyzer.report import markdown
    from analyzer.report.content import verdict_page

    if form is Format.JSON:
        print(verdict.to_json(), end="")
    elif form is Format.MARKDOWN:
        print(markdown.render(verdict_page(verdict)), end="")
    else:
        _print_page(verdict_page(verdict, bundle=shlex.quote(str(out))))


def _print_page(page: Page, *, requests: bool = False) -> None:
    """A page as lines, with its texts to copy where those are asked for."""
    from rich.console import Console

    from analyzer.report import text

    Console(soft_wrap=True, highlight=False).print(text.render(page, requests=requests), end="")


def _gate(verdict: Verdict, fail_on: FailOn) -> int:
    """The process's exit code for a decision under `--fail-on`."""
    if fail_on is FailOn.NEVER and verdict.decision.value != "ERROR":
        return 0
    if fail_on is FailOn.REJECT and verdict.exit_code == ExitCode.HOLD:
        return 0
    return verdict.exit_code


def _shipped(checkout: str, wheel: str) -> Path:
    """A folder that lies in the wheel, or in a checkout beside the package."""
    package = Path(__file__).parent
    for folder in (package / wheel, package.parent / checkout):
        if folder.is_dir():
            return folder
    raise AnalyzerError(f"{wheel} is missing from the installation")


def _complain(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
