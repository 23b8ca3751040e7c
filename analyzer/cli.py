"""The door: parse, call, print, exit code. The only module that prints on stdout.

stdout carries the chosen format and nothing else; progress, notes and errors go to stderr.
Everything heavy is imported inside the command that needs it, so that `--help` stays fast.
"""

from __future__ import annotations

import errno
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from analyzer import flags  # noqa: TC001 - Typer reads annotations
from analyzer.errors import AccessError, AnalyzerError, ExitCode, UsageError
from analyzer.flags import (
    BundleArgument,
    FailOn,
    FailOnOption,
    Format,
    FormatOption,
    OutOption,
    PlainOption,
)
from analyzer.out_folder import DEFAULT_OUT, claim
from analyzer.process import Interruptible, started_as

if TYPE_CHECKING:
    from analyzer.analysis import Request
    from analyzer.model import Verdict
    from analyzer.report.content.page import Page

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


@app.command()
def demo(
    out: OutOption = DEFAULT_OUT["demo"],
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Run the main job on a sample; print how to see its report."""
    claim(out)
    from analyzer import analysis

    scenario = _shipped("sample_data/slow_tail", "_sample/slow_tail")
    request = analysis.Request(
        source=str(scenario / "captures"),
        cloudwatch=(str(scenario / "cloudwatch"),),
        policy_file=scenario / "policy.toml",
        use_cache=False,
    )
    command = ["run", str(scenario / "captures")]
    command += ["--cloudwatch", str(scenario / "cloudwatch")]
    command += ["--policy", str(scenario / "policy.toml"), "--out", str(out)]
    print(f"{started_as()} {shlex.join(command)}\n")
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
    labels: Annotated[
        str | None,
        typer.Option(help="Ground truth: file, folder or s3 prefix of .jsonl, .csv or .parquet."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="policy.toml; default policy without it.")
    ] = None,
    since: flags.Since = None,
    until: flags.Until = None,
    endpoint_file: flags.EndpointFile = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="Policy KEY=VALUE; repeatable.")
    ] = None,
    memory_limit: Annotated[
        str | None,
        typer.Option(
            help="For the table engine, such as 2GB; default: a quarter of memory, 768MiB at most."
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Read every object, keep nothing parsed.")
    ] = False,
    out: OutOption = DEFAULT_OUT["run"],
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
    """Decide PROMOTE, HOLD or REJECT from captures and CloudWatch."""
    claim(out)
    from analyzer import analysis
    from analyzer.sources import AwsOptions

    request = analysis.Request(
        source=source,
        endpoint=endpoint,
        production=production,
        shadow=shadow,
        cloudwatch=tuple(cloudwatch or ()),
        labels=labels,
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
    _require_free(port)
    folder = _shipped("app", "_app")
    command = [sys.executable, "-m", "streamlit", "run", "serve.py"]
    command += ["--server.port", str(port), "--", str(path.resolve())]
    print(f"http://127.0.0.1:{port}", file=sys.stderr)
    # The command is our own script; the bundle's path is passed as one argument, never by a shell.
    with Interruptible():
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
    from analyzer.policy_file import load_policy

    if path is None:
        print(policy_text.commented(DEFAULTS), end="")
        return
    load_policy(path, DEFAULTS)
    print(f"{path}: valid")


@app.command()
def explain(
    code: Annotated[str, typer.Argument(help="A metric, gate, note or reason code.")],
) -> None:
    """Say what a metric, gate or code means and what to do."""
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


def run_command_line() -> int:
    """Run the command that the arguments name; its exit code.

    Raises:
        AnalyzerError: it cannot be done; arguments that cannot be parsed are a `UsageError`.
    """
    try:
        code: int | None = app(standalone_mode=False)
    except TyperException as error:
        raise UsageError(_mistake(error)) from None
    return code or 0


def _mistake(error: TyperException) -> str:
    """What the parser found, as one sentence, and which help to read."""
    said = " ".join(error.format_message().split()).rstrip(".")
    said = re.sub(r"^Invalid value for '(.+?)': (Value error, )?", r"\1: ", said)
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    words = [started_as(), *(word for word in sys.argv[1:2] if word in known), "--help"]
    return f"{said[:1].lower()}{said[1:]}; see `{' '.join(words)}`"


def _analyse(request: Request, out: Path, *, quiet: bool) -> Verdict:
    """Run the analysis and write its bundle; a failure leaves an ERROR verdict behind."""
    from analyzer import analysis, bundle
    from analyzer.memory_limit import memory_size
    from analyzer.progress import progress
    from analyzer.report import markdown
    from analyzer.report.content import verdict_page

    with Interruptible():
        try:
            if request.memory_limit is not None:
                memory_size(request.memory_limit)
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
        _print_page(verdict_page(verdict, bundle=shlex.quote(str(out)), tool=started_as()))


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


def _require_free(port: int) -> None:
    """Refuse a port nobody could listen on before its address is printed."""
    import socket

    with socket.socket() as probe:
        # As the server does: a connection that has just ended does not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            what = "in use" if error.errno == errno.EADDRINUSE else error.strerror
            raise AccessError(f"--port {port}: {what}") from None


def _shipped(checkout: str, wheel: str) -> Path:
    """A folder that lies in the wheel, or in a checkout beside the package."""
    package = Path(__file__).parent
    for folder in (package / wheel, package.parent / checkout):
        if folder.is_dir():
            return folder
    raise AnalyzerError(f"{wheel} is missing from the installation")
