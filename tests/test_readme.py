"""The README's promises: its commands exist, its AWS bodies are what AWS accepts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.loaders
import botocore.model
import botocore.validate

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(name: str) -> object:
    """The JSON block marked `<!-- test: name -->`."""
    found = re.search(rf"<!-- test: {name} -->\n```json\n(.*?)```", README, re.DOTALL)
    assert found, name
    body: object = json.loads(found[1])
    return body


def problems(service: str, operation: str, body: Mapping[str, object]) -> str:
    """What botocore's own service model has against a request body."""
    description = botocore.loaders.Loader().load_service_model(service, "service-2")
    shape = botocore.model.ServiceModel(description).operation_model(operation).input_shape
    assert shape is not None
    return str(botocore.validate.ParamValidator().validate(body, shape).generate_report())


def test_the_endpoint_configuration_is_one_aws_accepts() -> None:
    body = block("endpoint-config")
    assert isinstance(body, dict)
    assert problems("sagemaker", "CreateEndpointConfig", body) == ""
    assert problems("sagemaker", "CreateEndpointConfig", {**body, "Variants": []}) != ""


def test_the_metric_queries_are_ones_aws_accepts() -> None:
    body = {
        "MetricDataQueries": block("metric-data-queries"),
        "StartTime": "2026-11-16T00:00:00Z",
        "EndTime": "2026-11-20T00:00:00Z",
    }
    assert problems("cloudwatch", "GetMetricData", body) == ""


def test_every_command_of_help_is_in_the_readme_and_the_other_way_round() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "analyzer", "--help"], capture_output=True, text=True, check=True
    ).stdout
    listed = shown.split("Commands:")[1].split("Exit codes")[0]
    commands = set(re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE))
    documented = set(re.findall(r"^\| `analyzer ([a-z]+)", README, re.MULTILINE))
    assert commands == documented


def test_every_exit_code_is_in_the_readme_and_in_help() -> None:
    from analyzer.cli import EXIT_CODES_HELP
    from analyzer.errors import ExitCode

    for code in ExitCode:
        assert re.search(rf"\b{code.value}\b", EXIT_CODES_HELP)
        assert re.search(rf"^\|.*\b{code.value}\b", README, re.MULTILINE)
