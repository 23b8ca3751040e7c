"""The README's recipes and the action do what they say: each is run as a pipeline would run it."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.loaders
import botocore.model
import botocore.validate
import pytest
import yaml
from junitparser import JUnitXml

from analyzer import bundle
from analyzer.model import Verdict
from tests.forked_runs import relayed
from tests.servers.make_venv import interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from _pytest.mark import ParameterSet

ROOT = Path(__file__).parents[1]
SAMPLE_DATA = ROOT / "sample_data"
README = (ROOT / "README.md").read_text(encoding="utf-8")
ACTION = ROOT / ".github" / "actions" / "gate" / "action.yml"
CODES = {"promote": 0, "thin_sample": 10, "slow_tail": 20}
BUCKET = "my-bucket"


def block(name: str) -> str:
    """The block marked `<!-- test: name -->`."""
    found = re.search(rf"<!-- test: {name} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, name
    return found[1].replace("7d", "90000d")  # the samples do not grow younger


@dataclass(frozen=True)
class Pipeline:
    """A working folder as the recipes expect it, with the captures in a bucket on loopback."""

    folder: Path
    environment: dict[str, str]

    def shell(
        self,
        script: str,
        environment: Mapping[str, str] | None = None,
        by: tuple[str, ...] = ("bash", "-e", "-o", "pipefail"),
    ) -> subprocess.CompletedProcess[str]:
        """Run a step as CI systems do: bash that stops at the first error."""
        return subprocess.run(
            [*by, "-c", script],
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def command(self, name: str, script: str) -> None:
        """Put a command of that name on the path."""
        path = self.folder / "bin" / name
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """Address of an S3 server that holds one bucket."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client(address).create_bucket(Bucket=BUCKET)
    yield address
    server.stop()


@cache
def client(address: str) -> Any:  # noqa: ANN401 - boto3's clients have no static type
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - the server takes any
    )


@dataclass(frozen=True)
class Stocked:
    """What lies in the bucket, and where its objects are kept once one run has parsed them."""

    scenario: str
    parsed: Path


@pytest.fixture(scope="module")
def stocked(
    bucket: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Stocked:
    """The scenario whose captures, and nothing else, are the bucket's `capture`.

    The first and the last day's of the slow tail, which is seen in CloudWatch's metrics. Of the
    module's scope, so that pytest runs all tests of a scenario before the next one's.
    """
    scenario: str = request.param
    s3 = client(bucket)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for item in page.get("Contents", ()):
            s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    folder = SAMPLE_DATA / scenario / "captures"
    taken = "2026/11/1[69]/*/*" if scenario == "slow_tail" else "*"
    for path in sorted(path for path in folder.rglob(taken) if path.is_file()):
        key = f"capture/{path.relative_to(folder).as_posix()}"
        s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
    return Stocked(scenario, tmp_path_factory.mktemp("parsed"))


@pytest.fixture
def pipeline(bucket: str, stocked: Stocked, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline about the scenario the test is parametrised with."""
    shutil.copytree(SAMPLE_DATA / stocked.scenario / "cloudwatch", tmp_path / "metrics")
    shutil.copyfile(SAMPLE_DATA / stocked.scenario / "policy.toml", tmp_path / "policy.toml")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": bucket,
        "XDG_CACHE_HOME": str(stocked.parsed),
    }
    (tmp_path / "bin").mkdir()
    with relayed(tmp_path / "bin"):
        yield Pipeline(tmp_path, environment)


def every(*scenarios: str | ParameterSet) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stocked", scenarios, indirect=True, scope="module")


def decided(pipeline: Pipeline) -> str:
    return bundle.examine(pipeline.folder / "analysis").decision.value


@every("promote", "slow_tail")
def test_three_lines_deploy_after_a_promotion_only(pipeline: Pipeline) -> None:
    deploy = pipeline.folder / "deploy.sh"
    deploy.write_text("#!/bin/sh\ntouch deployed\n", encoding="utf-8")
    deploy.chmod(0o755)
    done = pipeline.shell(block("gate"), by=("sh",))  # which goes on after an error
    assert done.returncode == {"PROMOTE": 0, "REJECT": 20}[decided(pipeline)], done.stderr
    assert (pipeline.folder / "deployed").exists() is (done.returncode == 0)


def action() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return read


def step(name: str) -> dict[str, Any]:
    (found,) = (one for one in action()["runs"]["steps"] if one["id"] == name)
    read: dict[str, Any] = found
    return read


def github(pipeline: Pipeline, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's own step on the inputs of the README, as the runner would."""
    (used,) = yaml.safe_load(block("github"))
    known = action()["inputs"]
    given = {**used["with"], **{name.replace("_", "-"): text for name, text in inputs.items()}}
    assert given.keys() <= known.keys()
    assert all(name in given for name, one in known.items() if one.get("required"))
    given = {name: given.get(name, one.get("default", "")) for name, one in known.items()}
    environment = {
        name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: given[found[1]], text)
        for name, text in step("judge")["env"].items()
    }
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        environment[name] = str(pipeline.folder / name)
    return pipeline.shell(step("judge")["run"], environment)


@every(pytest.param("promote", marks=pytest.mark.long), "thin_sample", "slow_tail")
def test_the_action_fails_the_job_annotates_it_and_says_the_decision(
    pipeline: Pipeline, stocked: Stocked
) -> None:
    done = github(pipeline)
    assert done.returncode == CODES[stocked.scenario], done.stderr
    level = {0: "notice", 10: "warning", 20: "error"}[done.returncode]
    assert done.stdout.splitlines()[-1].startswith("::")
    assert any(line.startswith(f"::{level} ") for line in done.stdout.splitlines())
    summary = (pipeline.folder / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8")
    assert decided(pipeline) in summary.splitlines()[0]
    output = (pipeline.folder / "GITHUB_OUTPUT").read_text(encoding="utf-8")
    assert output == f"decision={decided(pipeline)}\n"


@every("thin_sample")
def test_the_action_passes_on_what_it_is_given(pipeline: Pipeline) -> None:
    assert github(pipeline, fail_on="reject").returncode == 0
    other = github(pipeline, endpoint="fraud; touch injected")
    assert other.returncode == 3
    assert "the verdict is of churn-endpoint" in other.stderr
    mistaken = github(pipeline, arguments="--set\nalhpa=$(touch injected)\n\n")
    assert mistaken.returncode == 2
    assert "did you mean 'alpha'" in mistaken.stderr
    assert not (pipeline.folder / "injected").exists()


@every("thin_sample")
def test_the_action_says_why_a_run_failed(pipeline: Pipeline) -> None:
    done = github(pipeline, source="s3://my-bucket/no-such-prefix", endpoint="", max_age="")
    assert done.returncode == 3, done.stderr
    assert any(line.startswith("::error ") for line in done.stdout.splitlines())
    summary = (pipeline.folder / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8")
    assert "ERROR" in summary.splitlines()[0]
    output = (pipeline.folder / "GITHUB_OUTPUT").read_text(encoding="utf-8")
    assert output == "decision=ERROR\n"


def test_the_action_puts_no_input_into_a_script_and_installs_what_is_here() -> None:
    for one in action()["runs"]["steps"]:
        assert "${{" not in one["run"]
    assert "$project/constraints.txt" in step("install")["run"]
    project = (ACTION.parent / "../../..").resolve()
    assert (project / "constraints.txt").is_file()
    assert (project / "pyproject.toml").is_file()
    assert action()["outputs"]["decision"]["value"] == "${{ steps.judge.outputs.decision }}"


@every("thin_sample", "slow_tail")
def test_gitlab_warns_of_a_hold_fails_a_rejection_and_lists_the_tests(
    pipeline: Pipeline, stocked: Stocked
) -> None:
    job = yaml.safe_load(block("gitlab"))["shadow-gate"]
    done = pipeline.shell("\n".join(job["script"]))
    assert done.returncode == CODES[stocked.scenario], done.stderr
    warns = done.returncode in job["allow_failure"]["exit_codes"]
    assert warns is (decided(pipeline) == "HOLD")
    tests = JUnitXml.fromfile(str(pipeline.folder / job["artifacts"]["reports"]["junit"]))
    assert tests.failures > 0
    (kept,) = job["artifacts"]["paths"]
    assert (pipeline.folder / kept / "verdict.json").is_file()


def test_the_image_installs_what_the_readme_installs() -> None:
    copied, installed = block("image").splitlines()[1:]
    assert copied == "COPY shadow-analyzer /src"
    assert installed.replace("/src/constraints.txt", "constraints.txt").replace("/src", ".") == (
        "RUN pip install -q -c constraints.txt ."
    )
    assert "pip install -q -c constraints.txt . " in README


def request_shape(operation: str) -> Any:  # noqa: ANN401 - botocore's shapes are untyped
    model = botocore.loaders.Loader().load_service_model("sagemaker", "service-2")
    return botocore.model.ServiceModel(model).operation_model(operation).input_shape


def problems(operation: str, body: Mapping[str, object]) -> str:
    """What AWS's own description has against a request."""
    shape = request_shape(operation)
    return str(botocore.validate.ParamValidator().validate(body, shape).generate_report())


@cache
def definition() -> dict[str, Any]:
    """The pipeline of the README as the SDK would send it."""
    python = interpreter("sagemaker_pipelines")
    if not python.exists():
        pytest.skip("no SageMaker SDK: python tests/servers/make_venv.py sagemaker_pipelines")
    before = (
        "import boto3\n"
        "from sagemaker.core.workflow.pipeline_context import PipelineSession\n"
        "role, region = 'arn:aws:iam::123456789012:role/pipeline', 'eu-west-1'\n"
        "image = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/shadow-analyzer:1'\n"
        "session = PipelineSession(boto3.Session(region_name=region), default_bucket='b')\n"
        "promotion_steps = []\n"
    )
    done = subprocess.run(
        [python, "-c", f"{before}{block('sagemaker')}print(pipeline.definition())"],
        env={
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": "/nonexistent",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return read


def json_get(body: object, path: str) -> object:
    """What JsonGet finds: names between dots."""
    for name in path.split("."):
        assert isinstance(body, dict)
        body = body[name]
    return body


def golden(scenario: str) -> dict[str, Any]:
    path = SAMPLE_DATA / scenario / "expected_verdict.json"
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return body


@pytest.mark.parametrize("scenario", CODES)
def test_the_condition_step_lets_a_promotion_through_only(scenario: str) -> None:
    judge, gate = definition()["Steps"]
    (condition,) = gate["Arguments"]["Conditions"]
    asked = condition["LeftValue"]["Std:JsonGet"]
    (file,) = judge["PropertyFiles"]
    name = f"Steps.{judge['Name']}.PropertyFiles.{file['PropertyFileName']}"
    assert asked["PropertyFile"] == {"Get": name}
    met = json_get(golden(scenario), asked["Path"]) == condition["RightValue"]
    assert condition["Type"] == "Equals"
    assert met is (scenario == "promote")
    assert [one["Type"] for one in gate["Arguments"]["ElseSteps"]] == ["Fail"]


@every("slow_tail")
def test_the_processing_step_leaves_the_property_file_whatever_was_decided(
    pipeline: Pipeline,
) -> None:
    judge = definition()["Steps"][0]
    arguments = judge["Arguments"]
    assert problems("CreateProcessingJob", {**arguments, "ProcessingJobName": "j"}) == ""
    job = arguments["AppSpecification"]
    (output,) = arguments["ProcessingOutputConfig"]["Outputs"]
    (given,) = arguments["ProcessingInputs"]
    (file,) = judge["PropertyFiles"]
    assert file["OutputName"] == output["OutputName"]
    places = {
        given["S3Input"]["LocalPath"]: str(pipeline.folder),
        output["S3Output"]["LocalPath"]: str(pipeline.folder / "out"),
    }
    (pipeline.folder / "out").mkdir()  # the platform makes it before the container starts
    command = [*job["ContainerEntrypoint"], *job["ContainerArguments"]]
    for there, here in places.items():
        command = [argument.replace(there, here) for argument in command]
    done = subprocess.run(
        command, env=pipeline.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    verdict = json.loads((pipeline.folder / "out" / file["FilePath"]).read_text(encoding="utf-8"))
    assert verdict["decision"] == "REJECT"


def test_every_path_the_readme_names_is_in_a_verdict() -> None:
    named = re.findall(r"`((?:metrics|gates)\.[a-z0-9_.]+)`", README.split("**SageMaker")[1])
    assert len(named) >= 3
    for path in named:
        assert json_get(golden("slow_tail"), path) is not None


@every("promote")
@pytest.mark.parametrize(
    ("scenario", "status"),
    [
        ("promote", "Approved"),
        ("thin_sample", "PendingManualApproval"),
        ("slow_tail", "Rejected"),
        ("altered", None),
    ],
)
def test_the_registry_is_told_what_was_decided_and_nothing_of_a_refused_verdict(
    pipeline: Pipeline, scenario: str, status: str | None
) -> None:
    pipeline.command("aws", '#!/bin/sh\nprintf "%s\\n" "$@" > asked\n')
    body = golden("slow_tail" if status is None else scenario)
    if status is None:
        body |= {"decision": "PROMOTE", "exit_code": 0}
    written = Verdict.model_validate_json(json.dumps(body))
    bundle.write(pipeline.folder / "analysis", written, {}, {})
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/7"
    done = pipeline.shell(block("registry"), {"ARN": arn})
    asked = pipeline.folder / "asked"
    if status is None:
        assert (done.returncode, asked.exists()) == (3, False)
        return
    assert done.returncode == 0, done.stderr
    words = asked.read_text(encoding="utf-8").splitlines()
    assert words[:2] == ["sagemaker", "update-model-package"]
    flags = dict(zip(words[2::2], words[3::2], strict=True))
    request = {
        "".join(part.title() for part in name.strip("-").split("-")): text
        for name, text in flags.items()
    }
    assert request["ModelApprovalStatus"] == status
    assert problems("UpdateModelPackage", request) == ""
    members = request_shape("UpdateModelPackage").members
    assert status in members["ModelApprovalStatus"].enum


def test_the_metrics_file_of_a_version_is_one_the_registry_takes() -> None:
    body = {"ModelMetrics": json.loads(block("model-metrics"))}
    assert problems("CreateModelPackage", body) == ""
    assert problems("CreateModelPackage", {"ModelMetrics": {"Quality": {}}}) != ""


@every("slow_tail")
def test_the_metrics_file_holds_the_shadows_levels_in_the_form_of_model_quality(
    pipeline: Pipeline,
) -> None:
    (command,) = re.findall(r"`(analyzer verdict [^`]*evaluation\.json)`", README)
    verdict = Verdict.model_validate_json(json.dumps(golden("slow_tail")))
    bundle.write(pipeline.folder / "analysis", verdict, {}, {})
    assert pipeline.shell(command).returncode == 0
    written = json.loads((pipeline.folder / "evaluation.json").read_text(encoding="utf-8"))
    assert written["shadow_test_metrics"]["latency_p99"] == {
        "value": 361.214075, "standard_deviation": "NaN",
    }  # fmt: skip
