"""`analyzer promote`: the AWS requests that carry a verdict out; printed, or sent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from analyzer.cli import flags
from analyzer.cli.flags import BundleArgument, PlainOption
from analyzer.cli.showing import print_page
from analyzer.errors import ExitCode, InputError, UsageError

if TYPE_CHECKING:
    from analyzer.model import Verdict
    from analyzer.promotion.description import Description
    from analyzer.promotion.plan import Plan
    from analyzer.promotion.record import Begun
    from analyzer.report.content.promotion_page import State
    from analyzer.sources import AwsOptions


def promote(
    bundle: BundleArgument,
    *,
    endpoint: Annotated[str, typer.Option(help="The endpoint to change.")],
    endpoint_file: flags.EndpointFile = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Send the requests and wait until InService.")
    ] = False,
    force_decision: Annotated[
        Literal["PROMOTE", "HOLD", "REJECT"] | None,
        typer.Option(
            help="Carry out this verdict, named by its decision, although it is no PROMOTE or the "
            "endpoint was changed since."
        ),
    ] = None,
    instances: Annotated[
        str | None,
        typer.Option(
            help="What the shadow's model runs on: production, shadow, or TYPE:COUNT; default "
            "production's, or the shadow's where instances were tested."
        ),
    ] = None,
    traffic: Annotated[
        Literal["canary", "linear", "all-at-once"],
        typer.Option(help="How traffic moves to the new fleet."),
    ] = "canary",
    form: PlainOption = "text",
    quiet: flags.Quiet = False,
    profile: flags.Profile = None,
    region: flags.Region = None,
    endpoint_url: Annotated[str | None, typer.Option(help="Endpoint URL of all services.")] = None,
    role_arn: flags.RoleArn = None,
) -> None:
    """Print the AWS requests that carry a verdict out, or send them."""
    from analyzer import bundle as bundles
    from analyzer.promotion import record
    from analyzer.promotion.choice import parsed
    from analyzer.sources import AwsOptions

    choice = parsed(instances, traffic)
    if apply and endpoint_file is not None:
        raise UsageError("--apply looks at the endpoint itself: leave --endpoint-file out")
    held = bundles.read(bundle)
    bundles.derive_again(bundle, held.verdict)
    options = AwsOptions(profile, region, endpoint_url, role_arn)
    path = record.record_of(bundle)
    begun = record.begun(path, held.digest, endpoint, choice)
    unfinished = begun is not None and not apply
    forced = unfinished or _forced(held.verdict, force_decision, apply=apply)
    if begun is None:
        from analyzer.promotion.description import read_description
        from analyzer.promotion.plan import make_plan

        described = (
            _described(options, endpoint, quiet=quiet)
            if endpoint_file is None
            else read_description(endpoint_file, endpoint)
        )
        plan = make_plan(held.verdict, held.digest, described, choice, forced=forced)
        begun = record.Begun(plan, sent=False)
    if apply and begun.plan.steps:
        _send(begun, options, path, quiet=quiet)
    where = region or begun.plan.region
    named = {"--profile": profile, "--region": where, "--endpoint-url": endpoint_url}
    given = [word for flag, value in named.items() if value for word in (flag, value)]
    plan = record.unfinished(begun.plan, path) if unfinished else begun.plan
    _show(plan, form, given, "begun" if unfinished else "done" if apply else "planned")
    if begun.plan.action == "remove-shadow" and not forced:
        raise typer.Exit(ExitCode.REJECT)


def _forced(verdict: Verdict, named: str | None, *, apply: bool) -> bool:
    """Whether the verdict is carried out whatever speaks against it.

    Raises:
        UsageError: another decision was named than the verdict's.
        InputError: there is no decision.
        Exit: a HOLD, or a REJECT to be sent, that was not named.
    """
    decision = verdict.decision.value
    if decision == "ERROR":
        raise InputError("the run ended with an error, so there is nothing to carry out: run again")
    if named is not None and named != decision:
        raise UsageError(f"--force-decision {named}: the verdict is {decision}")
    if named is None and (decision == "HOLD" or (decision == "REJECT" and apply)):
        would = "promotes the shadow" if decision == "HOLD" else "removes the shadow"
        from analyzer.report.plain_text import clean

        print(clean(f"{decision}: {verdict.summary}"), file=sys.stderr)
        print(f"not carried out; `--force-decision {decision}` {would}", file=sys.stderr)
        raise typer.Exit(verdict.exit_code)
    return named is not None


def _described(options: AwsOptions, endpoint: str, *, quiet: bool) -> Description:
    from analyzer.console.progress import progress
    from analyzer.promotion.aws import Aws
    from analyzer.promotion.describe import describe

    with progress(quiet=quiet) as report_progress:
        return describe(Aws(options), endpoint, report_progress)


def _send(begun: Begun, options: AwsOptions, path: Path, *, quiet: bool) -> None:
    from analyzer.console.progress import progress
    from analyzer.promotion.apply import apply
    from analyzer.promotion.aws import Aws
    from analyzer.report.plain_text import clean

    def say(sentence: str) -> None:
        if not quiet:
            print(clean(sentence), file=sys.stderr)

    with progress(quiet=quiet) as report_progress:
        apply(begun, Aws(options), path, say=say, progress=report_progress)


def _show(plan: Plan, form: str, given: list[str], state: State) -> None:
    from analyzer.report.content.promotion_page import promotion_page

    if form == "json":
        print(plan.to_json(given), end="")
    else:
        print_page(promotion_page(plan, given, state), requests=True)
