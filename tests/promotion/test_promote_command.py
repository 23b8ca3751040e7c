"""`analyzer promote`: what it prints, sends and refuses, and the whole way from captures to AWS."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analyzer import bundle
from analyzer.analysis import error_verdict
from analyzer.errors import InputError
from analyzer.model import Decision
from analyzer.promotion.record import record_of
from tests.forked_runs import analyzer
from tests.here import here
from tests.promotion.conftest import REGION, client
from tests.promotion.endpoints import CONFIG, ENDPOINT, PRODUCTION, SHADOW, answers, scaled

if TYPE_CHECKING:
    from tests.promotion.sagemaker import Server

SAMPLES = Path(__file__).parents[2] / "sample_data"
SAMPLE = SAMPLES / "promote"
JUDGED = {PRODUCTION: "churn-v1", SHADOW: "churn-v2-shadow"}
"""The sample data's variants, for those of `endpoints`."""
SCENARIOS = {
    Decision.PROMOTE: "promote",
    Decision.HOLD: "label_flips",
    Decision.REJECT: "slow_tail",
}


def promote(
    held: Path, server: Server | None = None, *more: str | Path, endpoint: str = ENDPOINT
) -> subprocess.CompletedProcess[str]:
    where = [] if server is None else ["--endpoint-url", server.url, "--region", REGION]
    return here("promote", held, "--endpoint", endpoint, *where, *more)


def bundle_of(folder: Path, decision: Decision) -> Path:
    """A bundle with a verdict of the sample data, whose parts follow from each other."""
    held = folder / "analysis"
    if decision is Decision.ERROR:
        verdict = error_verdict(InputError("no captures"))
    else:
        verdict = bundle.read_verdict(SAMPLES / SCENARIOS[decision] / "expected_verdict.json")
    # This endpoint was not described to the run, so the verdict names no models.
    unnamed = verdict.subject.model_copy(update={"production_model": None, "shadow_model": None})
    verdict = verdict.model_copy(update={"subject": unnamed})
    bundle.write(held, verdict, {"summary.md": "summary\n"}, {})
    return held


def judged(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same answers with the sample data's variants."""
    text = json.dumps(value)
    for old, new in JUDGED.items():
        text = text.replace(old, new)
    return json.loads(text)


def endpoint_file(folder: Path, **changes: Any) -> Path:  # noqa: ANN401 - JSON
    path = folder / "endpoint.json"
    path.write_text(json.dumps(judged({**answers(), **changes})))
    return path


@pytest.fixture
def server(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The account of `conftest`, where an update takes one description and no time."""
    monkeypatch.setattr("analyzer.promotion.apply.POLL_S", 0.0)
    server.endpoint, server.configs = judged([server.endpoint, server.configs])
    server.polls = 1
    return server


def test_from_captures_to_the_new_production_variant(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "analysis"
    files = ("--cloudwatch", SAMPLE / "cloudwatch", "--policy", SAMPLE / "policy.toml")
    run = analyzer("run", SAMPLE / "captures", *files, "--out", out)
    assert run.returncode == 0, run.stderr

    planned = promote(out, server)
    assert planned.returncode == 0, planned.stderr
    assert "nothing was sent" in planned.stdout
    assert not server.sent

    done = promote(out, server, "--apply")
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith(f"DONE  {ENDPOINT}: promotes churn-v2-shadow (model-2)")
    assert "UpdateEndpoint: churn-v2-shadow takes over" in done.stderr
    held = server.configs[server.endpoint["EndpointConfigName"]]
    assert [one["VariantName"] for one in held["ProductionVariants"]] == ["churn-v2-shadow"]
    assert [one["ModelName"] for one in held["ProductionVariants"]] == ["model-2"]
    assert "ShadowProductionVariants" not in held
    alarms = client("cloudwatch", server.moto_url).describe_alarms()["MetricAlarms"]
    assert len(alarms) == 3
    assert not record_of(out).exists()
    assert bundle.read(out).verdict.decision is Decision.PROMOTE  # sealed as before

    again = promote(out, server, "--apply", "--quiet")
    assert again.returncode == 0
    assert again.stderr == ""
    assert "NOTHING TO DO" in again.stdout
    assert server.sent["UpdateEndpoint"] == 1


def test_without_aws_it_plans_from_a_file_as_json(tmp_path: Path) -> None:
    held = bundle_of(tmp_path, Decision.PROMOTE)
    done = promote(held, None, "--endpoint-file", endpoint_file(tmp_path), "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    plan = json.loads(done.stdout)
    assert plan["action"] == "promote"
    assert plan["verdict"] == bundle.read(held).digest
    assert plan["steps"][0]["operation"] == "CreateEndpointConfig"
    assert all(one["command"].startswith("aws ") for one in plan["steps"])


def test_lines_planned_from_a_file_name_the_endpoints_own_region(tmp_path: Path) -> None:
    held, file = bundle_of(tmp_path, Decision.PROMOTE), endpoint_file(tmp_path, **scaled())
    done = promote(held, None, "--endpoint-file", file)
    commands = [line for line in done.stdout.splitlines() if "aws " in line and line[0] != "#"]
    assert commands
    assert all(f"--region {REGION}" in line for line in commands)
    elsewhere = promote(held, None, "--endpoint-file", file, "--region", "us-east-1")
    assert "--region us-east-1" in elsewhere.stdout
    assert f"--region {REGION}" not in elsewhere.stdout


def test_a_plan_that_apply_did_not_finish_is_shown_as_such_until_it_is(
    server: Server, tmp_path: Path
) -> None:
    held = bundle_of(tmp_path, Decision.PROMOTE)
    server.lags = 1
    server.fail("UpdateEndpoint", "InternalFailure", taken=True)
    failed = promote(held, server, "--apply", "--quiet")
    assert (failed.returncode, failed.stdout) == (4, "")
    assert "run the same command again to go on" in failed.stderr

    sent = server.sent.copy()
    shown = promote(held, server)
    assert shown.returncode == 0, shown.stderr
    assert "UNFINISHED" in shown.stdout
    assert "Give the same command with --apply to go on" in " ".join(shown.stdout.split())
    assert "nothing was sent" not in shown.stdout
    plan = json.loads(promote(held, server, "--format", "json").stdout)
    assert [note["code"] for note in plan["warnings"]][:1] == ["begun"]
    other = promote(held, server, "--instances", "shadow")
    assert (other.returncode, other.stdout) == (2, "")
    assert "finish that one" in other.stderr
    assert server.sent == sent

    done = promote(held, server, "--apply", "--quiet")
    assert done.returncode == 0, done.stderr
    assert not record_of(held).exists()
    assert "NOTHING TO DO" in promote(held, server).stdout


def test_every_printed_line_is_a_comment_or_a_command_until_the_policy(tmp_path: Path) -> None:
    held = bundle_of(tmp_path, Decision.PROMOTE)
    done = promote(held, None, "--endpoint-file", endpoint_file(tmp_path, **scaled()))
    requests = done.stdout.split("# the smallest IAM policy")[0].split("# before", 1)[1]
    commands = [line for line in requests.splitlines()[1:] if line and not line.startswith("# ")]
    assert len(commands) >= 15
    assert all(line.startswith(("aws ", "policy_arn_")) for line in commands)
    checked = subprocess.run(["sh", "-n"], input="\n".join(commands), text=True, check=False)
    assert checked.returncode == 0


def test_a_hold_is_not_carried_out_unless_it_is_named(server: Server, tmp_path: Path) -> None:
    held = bundle_of(tmp_path, Decision.HOLD)
    for arguments in ((), ("--apply",)):
        refused = promote(held, server, *arguments)
        assert (refused.returncode, refused.stdout) == (10, "")
        assert "--force-decision HOLD" in refused.stderr
    wrong = promote(held, server, "--apply", "--force-decision", "PROMOTE")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "the verdict is HOLD" in wrong.stderr
    assert not server.sent
    forced = promote(held, server, "--apply", "--force-decision", "HOLD")
    assert forced.returncode == 0, forced.stderr
    assert "forced-decision" in forced.stdout
    assert server.endpoint["EndpointConfigName"] != CONFIG


def test_a_reject_prints_the_removal_and_sends_it_only_when_named(
    server: Server, tmp_path: Path
) -> None:
    held = bundle_of(tmp_path, Decision.REJECT)
    printed = promote(held, server)
    assert printed.returncode == 20
    assert f"removes the shadow and keeps {JUDGED[PRODUCTION]}" in printed.stdout
    refused = promote(held, server, "--apply")
    assert (refused.returncode, refused.stdout) == (20, "")
    assert not server.sent
    done = promote(held, server, "--apply", "--force-decision", "REJECT")
    assert done.returncode == 0, done.stderr
    variants = server.configs[server.endpoint["EndpointConfigName"]]["ProductionVariants"]
    assert [one["VariantName"] for one in variants] == [JUDGED[PRODUCTION]]


def test_a_run_that_failed_has_nothing_to_carry_out(server: Server, tmp_path: Path) -> None:
    held = bundle_of(tmp_path, Decision.ERROR)
    done = promote(held, server, "--apply")
    assert (done.returncode, done.stdout) == (3, "")
    assert not server.sent


def test_a_bundle_that_was_altered_is_refused_before_anything_is_asked(
    server: Server, tmp_path: Path
) -> None:
    held = bundle_of(tmp_path, Decision.HOLD)
    path = held / "verdict.json"
    path.write_text(path.read_text().replace('"HOLD"', '"PROMOTE"'))
    done = promote(held, server, "--apply")
    assert (done.returncode, done.stdout) == (3, "")
    assert "was altered" in done.stderr
    assert not server.sent


@pytest.mark.parametrize(
    ("more", "code", "complaint"),
    [
        (["--instances", "big"], 2, "TYPE:COUNT"),
        (["--traffic", "slow"], 2, "slow"),
        (["--apply", "--endpoint-file", "endpoint.json"], 2, "leave --endpoint-file out"),
        (["--endpoint-file", "nowhere.json"], 3, "nowhere.json: No such file"),
        (
            ["--endpoint", "other", "--endpoint-file", "FILE"],
            3,
            f"describes the endpoint {ENDPOINT}",
        ),
    ],
)
def test_a_mistake_is_one_line_and_the_right_code(
    more: list[str], code: int, complaint: str, tmp_path: Path
) -> None:
    held = bundle_of(tmp_path, Decision.PROMOTE)
    named = [str(endpoint_file(tmp_path)) if one == "FILE" else one for one in more]
    done = promote(held, None, *named)
    assert done.returncode == code, done.stderr
    assert complaint in done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_an_endpoint_that_changed_since_is_refused_with_its_reason(tmp_path: Path) -> None:
    held = bundle_of(tmp_path, Decision.PROMOTE)
    here = {**answers()["DescribeEndpoint"], "LastModifiedTime": "2026-11-18T12:00:00Z"}
    file = endpoint_file(tmp_path, DescribeEndpoint=here)
    done = promote(held, None, "--endpoint-file", file)
    assert (done.returncode, done.stdout) == (3, "")
    assert "changed at 2026-11-18 12:00Z" in done.stderr
    forced = promote(held, None, "--endpoint-file", file, "--force-decision", "PROMOTE")
    assert forced.returncode == 0
    assert "changed-since" in forced.stdout


def test_hostile_text_from_aws_cannot_move_the_cursor_or_break_a_line(tmp_path: Path) -> None:
    held = bundle_of(tmp_path, Decision.PROMOTE)
    hostile = "x\x1b[2J\n[red]$(touch hacked)"
    here = scaled()
    here["DescribeAlarms"]["MetricAlarms"][1]["AlarmName"] = hostile
    done = promote(held, None, "--endpoint-file", endpoint_file(tmp_path, **here))
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "[red]$(touch hacked)" in done.stdout
    assert not any(line.startswith("[red]") for line in done.stdout.splitlines())
