"""`analyzer run`: captures and exports in, a bundle and a decision out."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli import flags
from analyzer.cli.flags import FailOn, FailOnOption, Format, FormatOption, OutOption
from analyzer.cli.showing import document, exit_code, show
from analyzer.console.messages import LogFormat, line
from analyzer.console.process import Interruptible
from analyzer.errors import AnalyzerError, UsageError
from analyzer.out_folder import (
    DEFAULT_OUT,
    JUNIT,
    REPORT,
    SUMMARY,
    VERDICT,
    asked_out,
    claim,
    run_log,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.analysis import Analysis, Request
    from analyzer.console.run_log import RunLog
    from analyzer.model import Verdict
    from analyzer.report.html.converter import Converter
    from analyzer.spark.driver import SparkPlan
    from analyzer.steps import Progress


class TableEngine(StrEnum):
    """What captures are read and paired with."""

    DUCKDB = "duckdb"
    SPARK = "spark"


LIVE = "cloudwatch:"
"""Before an endpoint's name, where an export's path could stand."""


def run(
    source: flags.Source = None,
    *,
    endpoint: flags.Endpoint = None,
    production: flags.Production = None,
    shadow: flags.Shadow = None,
    cloudwatch: Annotated[
        list[str] | None,
        typer.Option(
            help="CloudWatch export: file, folder, or cloudwatch:ENDPOINT to make one; repeatable.",
            callback=flags.read("an export"),
        ),
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
        Path | None,
        typer.Option(
            help="policy.toml; default policy without it.",
            callback=flags.read("a policy", file=True),
        ),
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
            help="For the table engine, such as 2GB; default: 224MiB to 1GiB by the number of "
            "cores, a quarter of memory at most."
        ),
    ] = None,
    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Read every object, draw everything, keep nothing."),
    ] = False,
    engine: Annotated[
        TableEngine, typer.Option(help="Where captures are read and paired: here, or on Spark.")
    ] = TableEngine.DUCKDB,
    master: Annotated[
        str | None,
        typer.Option(
            help="Spark's master URL; default: spark-submit's, else this machine's cores."
        ),
    ] = None,
    out: OutOption = DEFAULT_OUT["run"],
    fail_on: FailOnOption = FailOn.HOLD,
    form: FormatOption = Format.TEXT,
    log_format: flags.LogFormatOption = LogFormat.TEXT,
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
        spark=_spark_plan(engine, master),
        aws=AwsOptions(
            profile=profile,
            region=region,
            endpoint_url=endpoint_url,
            role_arn=role_arn,
            no_sign_request=no_sign_request,
            request_payer=request_payer,
        ),
    )
    verdict = analyse(request, out, quiet=quiet, fail_on=fail_on, log_format=log_format)
    show(verdict, out, form)
    raise typer.Exit(exit_code(verdict, fail_on))


def _spark_plan(engine: TableEngine, master: str | None) -> SparkPlan | None:
    """Where rows lie if not here.

    Raises:
        UsageError: there is a master and nobody to talk to it.
    """
    if engine is TableEngine.SPARK:
        from analyzer.spark.driver import SparkPlan

        return SparkPlan(master)
    if master is not None:
        raise UsageError("--master is Spark's: give --engine spark with it")
    return None


def analyse(
    request: Request,
    out: Path,
    *,
    quiet: bool,
    fail_on: FailOn = FailOn.HOLD,
    log_format: LogFormat = LogFormat.TEXT,
) -> Verdict:
    """Run the analysis and write its bundle; a failure leaves an ERROR verdict behind."""
    from analyzer import analysis, bundle
    from analyzer.console.progress import progress
    from analyzer.console.run_log import RunLog
    from analyzer.machine.memory_limit import memory_size
    from analyzer.report.html.converter import Converter
    from analyzer.steps import COMPARING, as_it_ends

    log = RunLog()
    with Interruptible(), Converter() as converter:
        try:
            if request.memory_limit is not None:
                memory_size(request.memory_limit)
            with progress(quiet=quiet, form=log_format) as shown:
                # While the last numbers are computed, on one core, another starts what draws.
                drawing = as_it_ends(COMPARING, converter.start, shown)
                report_progress = log.listening(drawing)
                given = exports_made(request, out, report_progress, log_format)
                done = analysis.run(replace(request, cloudwatch=given), report_progress)
        except AnalyzerError as error:
            failed = analysis.error_verdict(error)
            bundle.write(out, failed, _texts(failed, fail_on), {})
            _keep(log, out, failed, [])
            raise
        texts = _texts(done.verdict, fail_on)
        texts[REPORT] = _report(done, converter, use_cache=request.use_cache)
        bundle.write(out, done.verdict, texts, done.tables)
        _keep(log, out, done.verdict, done.remarks)
        for remark in () if quiet else done.remarks:
            print(line("note", remark, log_format), file=sys.stderr)
    return done.verdict


def _report(done: Analysis, converter: Converter, *, use_cache: bool) -> str:
    """The static report, drawn unless an earlier run drew the same."""
    if not use_cache:
        return document(done.verdict, done.tables, converter)
    from analyzer.report.kept import KeptReport

    kept = KeptReport(done.verdict, done.tables)
    text = kept.text()
    if text is None:
        text = document(done.verdict, done.tables, converter)
        if converter.drew:
            kept.keep(text)
    return text


def leave_error(error: AnalyzerError, arguments: Sequence[str]) -> None:
    """Leave an ERROR verdict where a run that never began would have written its bundle.

    Args:
        error: what refused it.
        arguments: all of them, perhaps not valid.
    """
    out = asked_out(arguments)
    if out is None:
        return
    from analyzer import analysis, bundle

    with suppress(AnalyzerError, OSError):  # a folder that is not ours, or none
        if (out / VERDICT).exists():  # this run's: an older one was removed first
            return
        claim(out)
        failed = analysis.error_verdict(error)
        bundle.write(out, failed, _texts(failed, FailOn.HOLD), {})


def _keep(log: RunLog, out: Path, verdict: Verdict, remarks: Sequence[str]) -> None:
    """Write the run's log beside the bundle; without it the verdict is as good."""
    outcome = {
        "decision": verdict.decision.value,
        "exit_code": verdict.exit_code,
        "summary": verdict.summary,
        "notes": list(remarks),
    }
    try:
        log.write(run_log(out), outcome)
    except OSError as error:
        text = f"{run_log(out)}: the run's log was not written: {error.strerror}"
        print(line("note", text), file=sys.stderr)


def exports_made(
    request: Request, out: Path, progress: Progress, form: LogFormat
) -> tuple[str, ...]:
    """The exports given, each `cloudwatch:ENDPOINT` replaced by one made beside the bundle.

    It stays there: the same run over the same files gives the same verdict, and a live endpoint's
    metrics are gone after a while.
    """
    made = []
    for given in request.cloudwatch:
        endpoint = given.removeprefix(LIVE)
        if endpoint == given:
            made.append(given)
            continue
        from analyzer.metric_export import export_metrics
        from analyzer.reading.window import asked_span

        whole = out.resolve()
        folder = whole.with_name(f"{whole.name}-metrics") / endpoint
        span = asked_span(request.since, request.until)
        # --endpoint-url is the bucket's: another service does not answer there
        aws = replace(request.aws, endpoint_url=None)
        done = export_metrics(endpoint, span, folder, aws, progress)
        for remark in (f"metrics exported to {folder}", *done.remarks):
            print(line("note", remark, form), file=sys.stderr)
        made.append(str(folder))
    return tuple(made)


def _texts(verdict: Verdict, fail_on: FailOn) -> dict[str, str]:
    """What a bundle says beside the verdict: the pull request's comment and the list of tests."""
    from analyzer.report import junit, markdown
    from analyzer.report.content import verdict_page

    return {
        SUMMARY: markdown.render(verdict_page(verdict)),
        JUNIT: junit.render(verdict, skip_holds=fail_on is FailOn.REJECT),
    }
