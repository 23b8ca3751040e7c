"""What is lost with a worker is made again and is the same; where it is not, a run ends.

A cluster keeps what a step gave on the disks of its workers, and repeats the step where a disk is
gone. Here nothing is kept, so that every job repeats every step before it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.console.progress import silent
from analyzer.errors import AccessError, ResourceError
from analyzer.policy import Policy
from analyzer.sources import discover
from analyzer.spark import driver, parts
from analyzer.spark.captures import SparkCaptures
from analyzer.spark.driver import SparkEngine, SparkPlan
from tests.faults.shadow_tests import PRODUCTION, SHADOW
from tests.spark.any_captures import KINDS, seeded
from tests.spark.test_spark_any_captures import check
from tests.spark.test_spark_verdicts import captured, put, put_bucket, scores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame

pytestmark = [
    pytest.mark.usefixtures("spark"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def keep_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SparkEngine, "kept", lambda _engine, frame: frame)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_rows_that_are_made_again_for_every_job_give_the_same_bundle(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_nothing(monkeypatch)
    monkeypatch.setattr(driver, "_ANSWERS_AT_ONCE", 2)
    check(seeded(list(KINDS)[seed % len(KINDS)], seed, 60), 2, Counter())


def test_pieces_of_answers_that_are_made_again_go_where_they_went_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else those that a lost worker had would be added twice, or not at all."""
    put_bucket(tmp_path, 2)
    monkeypatch.setattr(driver, "_ANSWERS_AT_ONCE", 1)
    placed: list[Counter[Any]] = []
    unhurt = SparkEngine.mapped

    def looked_at(engine: SparkEngine, frame: DataFrame, step: Any, *args: object) -> DataFrame:  # noqa: ANN401
        if step is parts.add:
            for _ in range(3):  # a frame of its own each time, or Spark repeats nothing
                at = frame.selectExpr("spark_partition_id() at", "name", "length(data) bytes")
                placed.append(Counter(map(tuple, at.collect())))
        return unhurt(engine, frame, step, *args)

    keep_nothing(monkeypatch)
    monkeypatch.setattr(SparkEngine, "mapped", looked_at)
    with SparkEngine(SparkPlan(partitions=4), None) as engine:
        found = discover(str(tmp_path))
        more: Any = {"labels": None, "sidecars": None, "progress": silent}
        SparkCaptures(engine, found, Policy(), {}, **more)
    first, *others = placed
    assert len(first) > 10
    assert all(other == first for other in others)


@pytest.mark.parametrize("name", ["spread", pytest.param("add", marks=pytest.mark.long)])
def test_an_error_of_a_step_whose_rows_go_straight_on_ends_the_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_bucket(tmp_path, 1)

    def full(_batches: Any, *_args: Any) -> Iterator[Any]:  # noqa: ANN401
        raise ResourceError("no space", code="disk-full")
        yield

    monkeypatch.setattr(driver, "_ANSWERS_AT_ONCE", 1)
    monkeypatch.setattr(parts, name, full)
    with pytest.raises(ResourceError, match="no space") as raised:
        captured(tmp_path, 3)
    assert raised.value.code == "disk-full"


@pytest.mark.parametrize(
    "name", ["load", *(pytest.param(name, marks=pytest.mark.long) for name in ("settle", "gather"))]
)
def test_an_error_of_a_step_that_is_taken_again_ends_the_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_bucket(tmp_path, 1)
    taken = tmp_path / "taken"
    unhurt = getattr(parts, name)

    def only_once(batches: Any, *args: Any) -> Iterator[Any]:  # noqa: ANN401
        if taken.exists():
            raise ResourceError("no space", code="disk-full")
        yield from unhurt(batches, *args)

    mapped, answers = SparkEngine.mapped, SparkEngine.answers
    steps: list[Any] = []

    def noted(engine: SparkEngine, frame: DataFrame, step: Any, *args: object) -> DataFrame:  # noqa: ANN401
        steps.append(step)
        return mapped(engine, frame, step, *args)

    def answered(engine: SparkEngine, frame: DataFrame) -> Any:  # noqa: ANN401
        found = answers(engine, frame)
        if only_once in steps:
            taken.touch()
        return found

    keep_nothing(monkeypatch)
    monkeypatch.setattr(parts, name, only_once)
    monkeypatch.setattr(SparkEngine, "mapped", noted)
    monkeypatch.setattr(SparkEngine, "answers", answered)
    with pytest.raises(ResourceError, match="no space"):
        captured(tmp_path, 2)
    assert taken.exists()


@pytest.mark.parametrize(
    "left", [b"", pytest.param(b'{"captureData": {}}\n', marks=pytest.mark.long)]
)
def test_an_object_that_reads_differently_when_it_is_read_again_ends_the_run(
    left: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for side in (PRODUCTION, SHADOW):
        for name in ("a.jsonl", "b.jsonl"):
            put(tmp_path, side, name, scores(side, 50, inference_id=None))
    (changed,) = tmp_path.rglob(f"{SHADOW}/**/b.jsonl")
    answers = SparkEngine.answers

    def answered(engine: SparkEngine, frame: DataFrame) -> Any:  # noqa: ANN401
        found = answers(engine, frame)
        changed.write_bytes(left)
        return found

    keep_nothing(monkeypatch)
    monkeypatch.setattr(SparkEngine, "answers", answered)
    with pytest.raises(AccessError, match="run again"):
        captured(tmp_path, 3)
