"""Every scenario gives its golden verdict on Spark, byte for byte, in any number of parts."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.spark.driver import SparkPlan
from tests.spark.sessions import ADAPTIVE
from tests.test_golden import SAMPLE_DATA, SCENARIOS

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
PARTS = (1, 3, 16)
USUAL = {"broken": 3, "no_inference_id": 3, "thin_sample": 16}
"""In how many parts a scenario lies without --long; all others lie in one."""
ALL = [
    pytest.param(*one, id=f"{one[0]}-{one[1]}", marks=marks)
    for one in product(SCENARIOS, PARTS)
    for marks in [[] if one[1] == USUAL.get(one[0], 1) else [pytest.mark.long]]
]


def judged(folder: Path, partitions: int) -> str:
    request = analysis.Request(
        source=str(folder / "captures"),
        cloudwatch=(str(folder / "cloudwatch"),),
        policy_file=folder / "policy.toml",
        spark=SparkPlan(partitions=partitions),
    )
    return analysis.run(request, silent).verdict.to_json()


def golden(scenario: str) -> str:
    return (SAMPLE_DATA / scenario / "expected_verdict.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(("scenario", "partitions"), ALL)
def test_a_scenario_gives_its_golden_verdict_in_any_number_of_parts(
    scenario: str, partitions: int, spark: SparkSession
) -> None:
    if partitions == 3:
        spark.conf.set(ADAPTIVE, "true")
    assert judged(SAMPLE_DATA / scenario, partitions) == golden(scenario)
