"""An endpoint file of any form is a plan or one line that says what is wrong, and where."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.errors import InputError
from analyzer.model import Decision
from analyzer.promotion.choice import Choice
from analyzer.promotion.description import read_description
from analyzer.promotion.plan import Plan, make_plan
from analyzer.report.content.promotion_page import promotion_page
from analyzer.report.text import render
from tests.examples import examples
from tests.promotion.endpoints import ENDPOINT, answers, experiment, scaled
from tests.report.verdicts import verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DIGEST = "cd" * 32
MUTATIONS = examples(150, whole=500)
GONE = object()
ODD: tuple[Any, ...] = (
    *(None, GONE, True, "x", "", "\ud800", "\x1b[2J\n", 5, -1, 10**400, 0.5, 1e400, float("nan")),
    *([], {}, [1], ["x"], [None], {"a": 1}, [{}], [[[]]]),
)


NO_COUNT = (
    "DescribeEndpointConfig.ProductionVariants[0].InitialInstanceCount: a whole number expected, "
    "found 'two'"
)


def full() -> dict[str, Any]:
    """All answers there are, of a managed test on an endpoint that scales and is watched."""
    held = {**answers(), **scaled(), "DescribeInferenceExperiment": experiment()}
    held["DescribeEndpointConfig"]["DataCaptureConfig"] = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://b/c",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    held["ListTags"] = {"Tags": [{"Key": "team", "Value": "churn"}]}
    held["ScalingActivities"] = {
        "ScalingActivities": [
            {
                "ActivityId": "1",
                "ServiceNamespace": "sagemaker",
                "ResourceId": "endpoint/e/variant/v",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "Description": "d",
                "Cause": "c",
                "StartTime": 1795000000.5,
                "StatusCode": "Successful",
            }
        ]
    }
    return held


def paths(node: object, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value in some JSON is."""
    inner = enumerate(node) if isinstance(node, list) else ()
    for key, one in node.items() if isinstance(node, dict) else inner:
        yield (*above, key)
        yield from paths(one, (*above, key))


def mutated(whole: dict[str, Any], path: tuple[Any, ...], odd: object) -> dict[str, Any]:
    body = copy.deepcopy(whole)
    node: Any = body
    for key in path[:-1]:
        node = node[key]
    if odd is GONE:
        del node[path[-1]]
    else:
        node[path[-1]] = odd
    return body


def planned(path: Path, decision: Decision = Decision.PROMOTE) -> Plan:
    """What the command does with an endpoint file, up to the last line it prints."""
    described = read_description(path, ENDPOINT)
    plan = make_plan(verdict(decision, name=ENDPOINT), DIGEST, described, Choice(), forced=True)
    render(promotion_page(plan), requests=True).plain.encode()
    plan.to_json()
    return plan


@pytest.mark.parametrize("managed", ["managed", "self-service"])
def test_a_file_with_one_odd_value_is_a_plan_or_one_line(managed: str, tmp_path: Path) -> None:
    path, chosen = tmp_path / "endpoint.json", random.Random(managed)
    whole = full()
    if managed != "managed":
        del whole["DescribeInferenceExperiment"]
    places = list(paths(whole))
    refused, decisions = 0, (Decision.PROMOTE, Decision.REJECT)
    for _ in range(MUTATIONS):
        where, odd = chosen.choice(places), chosen.choice(ODD)
        path.write_text(json.dumps(mutated(whole, where, odd)))
        try:
            planned(path, chosen.choice(decisions))
        except InputError:
            refused += 1
    assert MUTATIONS / 2 < refused < MUTATIONS


@pytest.mark.parametrize(
    ("where", "odd", "complaint"),
    [
        (
            ("DescribeEndpointConfig", "ProductionVariants", 0, "InitialInstanceCount"),
            "two",
            NO_COUNT,
        ),
        (("ListTags", "Tags", 0), {"Key": "a"}, "ListTags.Tags[0]: Value is missing"),
        (("DescribeAlarms",), [], "DescribeAlarms: an object expected, found a list"),
        (
            ("DescribeAlarms", "MetricAlarms", 1, "AlarmName"),
            None,
            "DescribeAlarms.MetricAlarms[1]: AlarmName is missing",
        ),
        (
            ("DescribeModel", "CreationTime"),
            "yesterday",
            "DescribeModel.CreationTime: a time expected, found 'yesterday'",
        ),
        (
            ("DescribeAlarms", "MetricAlarms", 0, "Threshold"),
            float("nan"),
            "DescribeAlarms.MetricAlarms[0].Threshold: a number expected, found nan",
        ),
        (
            ("ScalingActivities", "ScalingActivities", 0, "StartTime"),
            1e18,
            "ScalingActivities.ScalingActivities[0].StartTime: a time expected, found 1e+18",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_path(
    where: tuple[Any, ...], odd: object, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "endpoint.json"
    path.write_text(json.dumps(mutated(full(), where, odd)))
    with pytest.raises(InputError) as error:
        planned(path)
    assert str(error.value) == f"endpoint.json: {complaint}"
    assert (error.value.code, error.value.exit_code) == ("endpoint-file", 3)


def test_nulls_and_bare_lists_of_activities_are_answers_too(tmp_path: Path) -> None:
    path, whole = tmp_path / "endpoint.json", full()
    path.write_text(json.dumps(whole))
    expected = planned(path)
    whole["ScalingActivities"] = whole["ScalingActivities"]["ScalingActivities"]
    whole["DescribeEndpoint"]["FailureReason"] = None
    whole["DescribeEndpointConfig"]["ProductionVariants"][0]["ServerlessConfig"] = None
    path.write_text(json.dumps(whole))
    assert planned(path) == expected
