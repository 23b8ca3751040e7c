"""Every scenario of sample_data gives its expected verdict, byte for byte, however it is read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema.validators import validator_for

from analyzer import analysis, bundle
from analyzer.console.progress import silent
from analyzer.errors import InputError
from tests.forked_runs import UNDRAWN

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

    from analyzer.analysis import Analysis

SAMPLE_DATA = Path(__file__).parents[1] / "sample_data"
SCENARIOS = sorted(path.parent.name for path in SAMPLE_DATA.glob("*/policy.toml"))
DECISIONS = {
    "promote": "PROMOTE",
    "slow_tail": "REJECT",
    "label_flips": "HOLD",
    "five_hundreds": "REJECT",
    "thin_sample": "HOLD",
    "no_inference_id": "PROMOTE",
    "new_instance": "PROMOTE",
    "broken": "HOLD",
}


def judged(folder: Path, *, threads: int | None = None) -> Analysis:
    request = analysis.Request(
        source=str(folder / "captures"),
        cloudwatch=(str(folder / "cloudwatch"),),
        policy_file=folder / "policy.toml",
        threads=threads,
    )
    return analysis.run(request, silent)


@cache
def schema() -> Validator:
    """What validates a verdict; that the schema is one is looked at once."""
    found = json.loads(bundle.verdict_schema())
    kind = validator_for(found)
    kind.check_schema(found)
    return kind(found)


def test_every_scenario_is_expected_here() -> None:
    assert set(SCENARIOS) == set(DECISIONS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_gives_its_golden_verdict(scenario: str, request: pytest.FixtureRequest) -> None:
    verdict = judged(SAMPLE_DATA / scenario).verdict
    golden = SAMPLE_DATA / scenario / "expected_verdict.json"
    if request.config.getoption("--update-golden"):
        golden.write_text(verdict.to_json(), encoding="utf-8", newline="\n")
    assert verdict.decision.value == DECISIONS[scenario], verdict.summary
    assert verdict.to_json() == golden.read_text(encoding="utf-8")
    schema().validate(json.loads(verdict.to_json()))


@pytest.mark.parametrize(
    "scenario", [pytest.param("no_inference_id", marks=pytest.mark.long), "broken"]
)
def test_files_in_another_order_and_one_thread_give_the_same_bytes(
    scenario: str, tmp_path: Path
) -> None:
    source = SAMPLE_DATA / scenario
    copy = tmp_path / scenario
    for path in sorted(source.rglob("*"), reverse=True):
        if path.is_file():
            target = copy / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    golden = (source / "expected_verdict.json").read_text(encoding="utf-8")
    assert judged(copy, threads=1).verdict.to_json() == golden


@pytest.mark.parametrize(
    ("zone", "scenario"),
    [
        ("Pacific/Kiritimati", "thin_sample"),
        pytest.param("Pacific/Kiritimati", "label_flips", marks=pytest.mark.long),
        pytest.param("America/St_Johns", "label_flips", marks=pytest.mark.long),
    ],
)
def test_another_time_zone_and_language_give_the_same_bytes(
    zone: str, scenario: str, tmp_path: Path
) -> None:
    folder = SAMPLE_DATA / scenario
    command = [sys.executable, "-c", UNDRAWN, "run", str(folder / "captures")]
    command += ["--cloudwatch", str(folder / "cloudwatch"), "--policy", str(folder / "policy.toml")]
    command += ["--out", str(tmp_path / "out"), "--format", "json", "--fail-on", "never"]
    done = subprocess.run(
        command,
        env={**os.environ, "TZ": zone, "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    )
    golden = (folder / "expected_verdict.json").read_bytes()
    assert done.stdout == golden
    assert (tmp_path / "out" / "verdict.json").read_bytes() == golden


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_golden_verdict_follows_from_its_evidence_and_no_edit_does(
    scenario: str, tmp_path: Path
) -> None:
    body = json.loads((SAMPLE_DATA / scenario / "expected_verdict.json").read_text("utf-8"))
    path = tmp_path / "verdict.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    assert bundle.examine(path).decision.value == DECISIONS[scenario]
    other = {"PROMOTE": "REJECT", "REJECT": "PROMOTE", "HOLD": "PROMOTE"}[body["decision"]]
    code = {"PROMOTE": 0, "HOLD": 10, "REJECT": 20}[other]
    latency = body["metrics"]["latency_mean"]
    turned = "fail" if latency["outcome"] != "fail" else "pass"
    for edited in (
        {**body, "decision": other},
        {**body, "decision": other, "exit_code": code},
        {**body, "metrics": {**body["metrics"], "latency_mean": {**latency, "outcome": turned}}},
    ):
        path.write_text(json.dumps(edited), encoding="utf-8")
        with pytest.raises(InputError):
            bundle.examine(path)
