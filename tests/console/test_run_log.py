"""What machines read of a run beside its verdict: the run's log, and stderr as JSON Lines."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analyzer import bundle
from analyzer.console.messages import LogFormat, asked_format, line
from analyzer.console.progress import silent
from analyzer.console.run_log import RunLog
from analyzer.out_folder import claim, run_log
from tests.faults.shadow_tests import read_only_scenario
from tests.forked_runs import analyzer
from tests.here import here

ROOT = Path(__file__).parents[2]
THIN = ROOT / "sample_data" / "thin_sample"


def run(out: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    thin = read_only_scenario("thin_sample")
    return analyzer(
        "run", thin / "captures", "--cloudwatch", thin / "cloudwatch", "--out", out, *extra
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what a run leaves, and nothing else; nobody alters it."""
    folder = tmp_path_factory.mktemp("ran")
    assert run(folder / "analysis", "--no-cache").returncode == 10
    return folder


def read(path: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return body


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(one) for one in text.splitlines()]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def test_each_step_has_its_time_and_amount(tmp_path: Path) -> None:
    clock = Clock()
    log = RunLog(clock, lambda: datetime(2026, 11, 20, tzinfo=UTC))
    told: list[tuple[str, int]] = []

    def shown(step: str, done: int, total: int | None, /, **_: int | None) -> None:
        told.append((step, done))
        silent(step, done, total)

    report = log.listening(shown)
    for wait, step, done, size in (
        (1.0, "listing", 10, None),
        (0.5, "reading", 0, 0),
        (2.25, "reading", 10, 4_000),
    ):
        clock.now += wait
        report(step, done, 10, bytes_done=size, bytes_total=4_000)
    clock.now += 0.25
    log.write(tmp_path / "new" / "log.json", {"decision": "HOLD"})
    body = read(tmp_path / "new" / "log.json")
    assert body["steps"] == [
        {"step": "listing", "began_s": 1.0, "seconds": 0.0, "items": 10, "bytes": None},
        {"step": "reading", "began_s": 1.5, "seconds": 2.25, "items": 10, "bytes": 4_000},
    ]
    assert (body["seconds"], body["decision"]) == (4.0, "HOLD")
    assert (body["began_at"], body["ended_at"]) == (
        "2026-11-20T00:00:00.000Z",
        "2026-11-20T00:00:04.000Z",
    )
    assert told == [("listing", 10), ("reading", 0), ("reading", 10)]


def test_a_run_leaves_its_log_beside_the_bundle_and_outside_its_seal(
    ran: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(ran, tmp_path / "ran")
    out = folder / "analysis"
    assert sorted(path.name for path in folder.iterdir()) == ["analysis", "analysis.run_log.json"]
    body = read(run_log(out))
    assert (body["decision"], body["exit_code"]) == ("HOLD", 10)
    assert [step["step"] for step in body["steps"]] == [
        "listing", "reading objects", "pairing", "comparing outputs", "metrics",
    ]  # fmt: skip
    assert body["versions"].keys() >= {"shadow-analyzer", "python", "duckdb"}
    assert body["host"]["cpus"] >= 1
    assert body["peak_memory_bytes"] > 10_000_000
    assert os.uname().nodename not in json.dumps(body)
    run_log(out).write_text("altered", encoding="utf-8")
    assert bundle.examine(out).decision.value == "HOLD"


def test_the_log_of_a_run_that_failed_says_why_and_none_survives_a_claim(tmp_path: Path) -> None:
    out = tmp_path / "analysis"
    assert analyzer("run", tmp_path / "nowhere", "--out", out).returncode == 3
    body = read(run_log(out))
    assert (body["decision"], body["exit_code"]) == ("ERROR", 3)
    assert "nowhere" in body["summary"]
    claim(out)
    assert not run_log(out).exists()


def test_a_log_that_cannot_be_written_costs_no_verdict(ran: Path, tmp_path: Path) -> None:
    from analyzer.cli.run import _keep

    out = shutil.copytree(ran / "analysis", tmp_path / "analysis")
    run_log(out).mkdir()
    _keep(RunLog(), out, bundle.examine(out), [])
    assert run_log(out).is_dir()


def test_every_line_on_stderr_is_json_where_that_was_asked(tmp_path: Path) -> None:
    done = run(tmp_path / "out", "--log-format", "json", "--no-cache")
    assert done.returncode == 10
    told = lines(done.stderr)
    assert {one["level"] for one in told} == {"progress"}
    assert {"listing", "pairing", "metrics"} <= {one["text"] for one in told}
    last = [one for one in told if one["text"] == "reading objects"][-1]
    assert (last["done"], last["bytes"]) == (last["total"], last["bytes_total"])
    metrics = ("--endpoint", "churn-endpoint", "--cloudwatch", THIN / "cloudwatch")
    soon = ("run", *metrics, "--out", tmp_path / "out", "--log-format", "json")
    assert '"progress"' in analyzer(*soon).stderr
    assert analyzer(*soon, "--quiet").stderr == ""


@pytest.mark.parametrize(
    "mistake", [["--set", "alhpa=1"], ["--bogus"], ["--format", "yaml"], ["--since", "yesterday"]]
)
def test_a_mistake_is_said_in_the_form_that_was_asked_for(
    mistake: list[str], tmp_path: Path
) -> None:
    done = here("run", THIN / "captures", "--out", tmp_path, "--log-format=json", *mistake)
    assert done.returncode == 2
    assert [one["level"] for one in lines(done.stderr)][-1] == "error"


def test_a_signal_is_said_in_the_form_that_was_asked_for(tmp_path: Path) -> None:
    """Held at a pipe that nobody writes to, so that the signal comes in the middle of the run."""
    os.mkfifo(tmp_path / "policy.toml")
    command = [sys.executable, "-m", "analyzer", "run", str(THIN / "captures"), "--policy"]
    command += [str(tmp_path / "policy.toml"), "--out", str(tmp_path / "out")]
    running = subprocess.Popen(
        [*command, "--log-format", "json"], stderr=subprocess.PIPE, text=True
    )
    with (tmp_path / "policy.toml").open("w", encoding="utf-8"):  # opens once the run reads it
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 143
    assert [(one["level"], one["text"]) for one in lines(said)] == [("error", "terminated")]


@pytest.mark.parametrize(
    ("arguments", "form"),
    [
        ([], LogFormat.TEXT),
        (["run", "--log-format", "json"], LogFormat.JSON),
        (["run", "--log-format=json"], LogFormat.JSON),
        (["run", "--log-format", "json", "--log-format", "text"], LogFormat.TEXT),
        (["run", "--log-format"], LogFormat.TEXT),
        (["run", "--", "--log-format=json"], LogFormat.TEXT),
    ],
)
def test_the_form_is_found_in_arguments_that_may_be_wrong(
    arguments: list[str], form: LogFormat
) -> None:
    assert asked_format(arguments) is form


def test_a_line_is_one_line_whatever_it_says() -> None:
    text = 'a "quoted"\nline\u2028 of \x1b[31m'
    assert "\n" not in line("note", text, LogFormat.JSON, step=3)
    assert json.loads(line("note", text, LogFormat.JSON, step=3))["text"] == text
    assert line("note", "plain", LogFormat.TEXT, step=3) == "note: plain"
