"""`analyzer metrics`: an endpoint's CloudWatch metrics, written as the export `run` reads best."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli import flags
from analyzer.cli.flags import PlainOption
from analyzer.console.process import Interruptible, started_as


def metrics(
    endpoint: Annotated[str, typer.Argument(help="Name of the endpoint.")],
    *,
    since: Annotated[
        str | None,
        typer.Option(help="Start: ISO 8601, UTC if it has no offset; default: 15 days ago."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="End, not included; default: now.")] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for the export.", callback=flags.written("an export"))
    ] = Path("metrics"),
    form: PlainOption = "text",
    quiet: flags.Quiet = False,
    profile: flags.Profile = None,
    region: flags.Region = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="Endpoint URL of every service that is asked.")
    ] = None,
    role_arn: flags.RoleArn = None,
) -> None:
    """Export the CloudWatch metrics the verdict needs."""
    from analyzer.console.progress import progress
    from analyzer.metric_export import export_metrics
    from analyzer.reading.window import asked_span
    from analyzer.sources import AwsOptions

    aws = AwsOptions(profile, region, endpoint_url, role_arn)
    with Interruptible(), progress(quiet=quiet) as report:
        done = export_metrics(endpoint, asked_span(since, until), out, aws, report)
    for remark in done.remarks:
        print(f"note: {remark}", file=sys.stderr)
    if form == "json":
        print(done.to_json(), end="")
        return
    for name in done.files:
        print(done.folder / name)
    for variant, points in done.points.items():
        print(f"{points:>12,} points of {variant}")
    print(f"\n{started_as()} run CAPTURES --cloudwatch {done.folder}")
