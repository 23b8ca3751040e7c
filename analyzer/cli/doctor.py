"""`analyzer doctor`: what a run would read and what it lacks."""

from __future__ import annotations

import typer

from analyzer.cli import flags
from analyzer.cli.flags import PlainOption
from analyzer.cli.showing import print_page


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
    from analyzer.console.progress import progress
    from analyzer.doctor.diagnosing import examine
    from analyzer.doctor.diagnosis import Question
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
        print_page(doctor_page(diagnosis), requests=True)
    raise typer.Exit(diagnosis.exit_code)
