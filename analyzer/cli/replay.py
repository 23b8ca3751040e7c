"""`analyzer replay`: captured requests to a candidate, its answers as captures."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli import flags
from analyzer.cli.flags import PlainOption
from analyzer.cli.showing import print_page
from analyzer.console.messages import line
from analyzer.console.process import Interruptible, started_as
from analyzer.errors import ExitCode

_TARGET = "http(s)://HOST:PORT, sagemaker:ENDPOINT[/VARIANT] or python:MODULE:FUNCTION"


def replay(
    source: Annotated[str, typer.Argument(help="Folder or s3://bucket/prefix of captures.")],
    *,
    candidate: Annotated[str, typer.Option(help=f"What to send to: {_TARGET}.")],
    baseline: Annotated[
        str | None, typer.Option(help="The production model's server, sent the same requests.")
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the records; an unfinished replay goes on.",
            callback=flags.written("a replay"),
        ),
    ],
    endpoint: flags.Endpoint = None,
    production: Annotated[
        str | None, typer.Option(help="Variant whose requests are sent, when several are found.")
    ] = None,
    speed: Annotated[
        str, typer.Option(help="captured, Nx, N/s (requests a second to each), or max.")
    ] = "captured",
    concurrency: Annotated[
        int, typer.Option(help="Requests under way at the same time, at most.", min=1, max=1024)
    ] = 32,
    sample: Annotated[
        int | None, typer.Option(help="Send so many requests, each payload in proportion.", min=1)
    ] = None,
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Send equal requests once.")] = False,
    since: flags.Since = None,
    until: flags.Until = None,
    allow_insecure: Annotated[
        bool, typer.Option("--allow-insecure", help="Allow http to another machine.")
    ] = False,
    form: PlainOption = "text",
    quiet: flags.Quiet = False,
    profile: flags.Profile = None,
    region: flags.Region = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="Endpoint URL of S3 and of a sagemaker:ENDPOINT.")
    ] = None,
    role_arn: flags.RoleArn = None,
    no_sign_request: flags.NoSignRequest = False,
    request_payer: flags.RequestPayer = False,
) -> None:
    """Send captured requests to a candidate; record its answers."""
    from analyzer.console.progress import progress
    from analyzer.replay import Replay
    from analyzer.replay import replay as replayed
    from analyzer.report.content.replay_page import replay_page
    from analyzer.sources import AwsOptions

    asked = Replay(
        source=source,
        candidate=candidate,
        out=out,
        baseline=baseline,
        endpoint=endpoint,
        production=production,
        speed=speed,
        concurrency=concurrency,
        sample=sample,
        dedupe=dedupe,
        since=since,
        until=until,
        allow_insecure=allow_insecure,
        aws=AwsOptions(
            profile, region, endpoint_url, role_arn, no_sign_request, request_payer=request_payer
        ),
    )
    # What a function prints while it answers is no part of this command's output.
    with Interruptible(), contextlib.redirect_stdout(sys.stderr):
        try:
            with progress(quiet=quiet) as report_progress:
                summary = replayed(asked, report_progress, None if quiet else _note)
        except SystemExit:
            _note(f"what was answered is in {out}; the same command goes on")
            raise
    if form == "json":
        print(summary.model_dump_json(indent=2))
    else:
        print_page(replay_page(summary, str(out), started_as()), requests=True)
    if summary.unanswered:
        raise typer.Exit(ExitCode.ACCESS)


def _note(text: str) -> None:
    print(line("note", text), file=sys.stderr)
