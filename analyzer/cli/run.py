"""`analyzer run`: captures and exports in, a bundle and a decision out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli import flags
from analyzer.cli.flags import FailOn, FailOnOption, Format, FormatOption, OutOption
from analyzer.cli.showing import exit_code, show
from analyzer.errors import AnalyzerError
from analyzer.out_folder import DEFAULT_OUT, claim
from analyzer.process import Interruptible

if TYPE_CHECKING:
    from analyzer.analysis import Request
    from analyzer.model import Verdict


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
    noise_floor: Annotated[
        str | None,
        typer.Option(
            help="Production against itself: a bundle, or folder or s3 prefix of captures."
        ),
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
            help="For the table engine, such as 2GB; default: a quarter of memory, 512MiB at most."
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
        noise_floor=noise_floor,
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
    verdict = analyse(request, out, quiet=quiet)
    show(verdict, out, form)
    raise typer.Exit(exit_code(verdict, fail_on))


def analyse(request: Request, out: Path, *, quiet: bool) -> Verdict:
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
