"""On a cluster every scenario gives its golden verdict, byte for byte, in any number of parts.

The executors are processes of their own on this machine: what a task is sent, shuffles, keeps and
loses goes between processes as it does between machines.
"""

from __future__ import annotations

import os
from itertools import product
from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.spark import parts
from analyzer.spark.driver import SparkPlan
from tests.spark.sessions import ADAPTIVE, executor, first_time_fatal
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
    scenario: str, partitions: int, cluster: SparkSession
) -> None:
    if partitions == 3:
        cluster.conf.set(ADAPTIVE, "true")
    assert judged(SAMPLE_DATA / scenario, partitions) == golden(scenario)


def test_processes_killed_in_the_middle_change_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: SparkSession
) -> None:
    """One of a task in each step, and an executor with all rows that it had kept and shuffled."""
    cluster.conf.set(ADAPTIVE, "true")
    killed = tmp_path / "killed"
    victims = dict.fromkeys(("load", "settle", "pair", "ask"), os.getpid) | {"gather": executor}
    for name, victim in victims.items():
        fatal = first_time_fatal(getattr(parts, name), killed / name, victim)
        monkeypatch.setattr(parts, name, fatal)
    assert judged(SAMPLE_DATA / "no_inference_id", 2) == golden("no_inference_id")
    assert {path.name for path in killed.iterdir()} == victims.keys()
