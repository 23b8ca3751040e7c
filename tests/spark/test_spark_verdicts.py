"""Captures in any number of parts on Spark come to what they come to on one machine."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.console.progress import silent
from analyzer.policy import Policy
from analyzer.reading.captures import read_captures
from analyzer.reading.opening import EngineLimits
from analyzer.sources import discover
from analyzer.spark import captures as spark_captures
from analyzer.spark import driver, parts
from analyzer.spark.driver import SparkPlan
from tests.captures.capture_builders import line
from tests.captures.test_capture_oracle import bucket
from tests.examples import examples
from tests.faults.shadow_tests import PRODUCTION, SHADOW, object_path, put_object
from tests.spark.sessions import first_time_fatal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.usefixtures("spark"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings(
        "ignore::ResourceWarning"
    ),  # sockets to Java live as long as it does
]
DEFAULT = Policy()


def captured(
    folder: Path, partitions: int | None, policy: Policy = DEFAULT
) -> tuple[object, dict[str, Any]]:
    """Everything that captures come to: the ledger, the pairing, every table, every note."""
    plan = None if partitions is None else SparkPlan(partitions=partitions)
    limits = EngineLimits(use_cache=False, spark=plan)
    found = read_captures(discover(str(folder)), policy, (None, None), limits, silent)
    tables = {name: (t.schema, t.to_pylist()) for name, t in found.facts.tables.items()}
    return replace(found, facts=replace(found.facts, tables={})), tables


def put(folder: Path, side: str, name: str, lines: list[bytes]) -> None:
    put_object(object_path(folder, side, 0).with_name(name), b"".join(b"%s\n" % x for x in lines))


def put_bucket(folder: Path, seed: int) -> None:
    """What the oracle's tests make, and a record of each side that can be paired."""
    for number, (role, lines) in enumerate(bucket(seed)):
        side = SHADOW if role == "shadow" else PRODUCTION
        put(folder, side, f"{number:02}.jsonl", lines)
    for side in (PRODUCTION, SHADOW):
        put(folder, side, "last.jsonl", [line(5, output="0.5", payload="9", inference_id="last")])


@pytest.mark.parametrize("seed", range(examples(1, whole=2)))
def test_what_captures_come_to_is_the_same_to_the_last_table(seed: int, tmp_path: Path) -> None:
    put_bucket(tmp_path, seed)
    assert captured(tmp_path, 3) == captured(tmp_path, None)


@pytest.mark.long
def test_what_sampled_captures_lack_is_counted_the_same(tmp_path: Path) -> None:
    draw = random.Random(5)
    for side in (PRODUCTION, SHADOW):
        lines = [
            line(k, output=f"0.{k % 97:02}", payload=f"{k}", inference_id=f"r{k}")
            for k in range(3_000)
            if draw.random() < 0.5
        ]
        put(tmp_path, side, "a.jsonl", lines)
    alone = captured(tmp_path, None)
    assert {"missing_by_bytes", "missing_by_score"} <= alone[1].keys()
    assert captured(tmp_path, 3) == alone


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 40))
@pytest.mark.parametrize("partitions", [1, 3])
def test_what_more_captures_come_to_is_the_same(seed: int, partitions: int, tmp_path: Path) -> None:
    put_bucket(tmp_path, seed)
    assert captured(tmp_path, partitions) == captured(tmp_path, None)


def scores(side: str, count: int, **named: Any) -> list[bytes]:  # noqa: ANN401 - of `line`
    rng = random.Random(side)
    return [
        line(
            n % 3_000,
            output=f"{rng.random():.17g}\n",
            **{
                "payload": f"{n % 7},{n}",
                "inference_id": f"request {n}",
                "event_id": f"{side} {n}",
                **named,
            },
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    "named",
    [
        pytest.param({"inference_id": "one for all"}, marks=pytest.mark.long),
        pytest.param({"event_id": "one for all"}, marks=pytest.mark.long),
        pytest.param({"inference_id": None}, marks=pytest.mark.long),
    ],
    ids=["one inference ID", "one event ID", "no inference ID"],
)
def test_one_id_for_everything_in_one_file_changes_no_byte(
    named: dict[str, object], tmp_path: Path
) -> None:
    for side in (PRODUCTION, SHADOW):
        put(tmp_path, side, "huge.jsonl", scores(side, 4_000, **named))
    assert captured(tmp_path, 2) == captured(tmp_path, None)


@pytest.mark.long
def test_records_a_duplicate_of_which_names_another_request_are_paired_alike(
    tmp_path: Path,
) -> None:
    """Copies of an event lie together before anything is paired, whatever else they say."""
    for side in (PRODUCTION, SHADOW):
        lines = scores(side, 300)
        others = scores(side, 300, inference_id="another")
        put(tmp_path, side, "a.jsonl", [*lines, *others[::2]])
    assert captured(tmp_path, 4) == captured(tmp_path, None)


@pytest.mark.long
def test_the_answers_of_the_worst_pairs_come_from_whatever_part_they_lie_in(
    tmp_path: Path,
) -> None:
    for side in (PRODUCTION, SHADOW):
        put(tmp_path, side, "a.jsonl", scores(side, 300))
    shown = Policy.model_validate({"redaction": {"payloads": "shown"}})
    found = captured(tmp_path, 3, shown)
    assert "worst_outputs" in str(found)
    assert found == captured(tmp_path, None, shown)


@pytest.mark.long
def test_outputs_that_are_texts_are_sampled_alike(tmp_path: Path) -> None:
    for side in (PRODUCTION, SHADOW):
        lines = [
            line(n % 3_000, output=f'{{"text": "{side} says {n}"}}', inference_id=f"r{n}")
            for n in range(2_500)
        ]
        put(tmp_path, side, "a.jsonl", lines)
    assert captured(tmp_path, 3) == captured(tmp_path, None)


def test_parts_of_the_traffic_and_defaults_in_place_of_scores_are_counted_alike(
    tmp_path: Path,
) -> None:
    """Regions, fifths of a number, hours and content types; inputs repeat, some scores are 0."""
    policy = Policy(
        slices={
            "input.1": "categories",
            "input.2": "quantiles",
            "hour": "hour",
            "content_type": "content_type",
        }
    )
    draw = random.Random(7)
    right = [draw.random() for _ in range(2_500)]
    for side in (PRODUCTION, SHADOW):
        lines = [
            line(
                n,
                output=f"{0 if side == SHADOW and n % 20 == 0 else score}",
                payload=f"{n % 7},{n}",
                inference_id=f"r{n}",
            )
            for n, score in enumerate(right)
        ]
        put(tmp_path, side, "a.jsonl", lines)
        put(tmp_path, side, "b.jsonl", scores(side, 100, payload="3", event_id=None))
    found = captured(tmp_path, 2, policy)
    assert "slice_counts" in str(found)
    (counts,) = found[1]["prediction_counts"][1]
    assert counts["default_score"] == 0
    assert 100 < counts["default_above_given"] <= 125
    assert found == captured(tmp_path, None, policy)


@pytest.mark.long
def test_an_object_that_cannot_be_read_to_its_end_is_named_alike(tmp_path: Path) -> None:
    for side in (PRODUCTION, SHADOW):
        put(tmp_path, side, "a.jsonl", scores(side, 50))
    put_object(object_path(tmp_path, SHADOW, 1).with_suffix(".jsonl.gz"), b"\x1f\x8b\x08\x00cut")
    found = captured(tmp_path, 2)
    assert "corrupt-gzip" in str(found)
    assert found == captured(tmp_path, None)


@pytest.mark.long
def test_answers_of_many_parts_are_added_by_tasks_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_bucket(tmp_path, 2)
    monkeypatch.setattr(driver, "_ANSWERS_AT_ONCE", 2)
    assert captured(tmp_path, 5) == captured(tmp_path, None)


@pytest.mark.long
def test_a_worker_process_killed_in_the_middle_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for side in (PRODUCTION, SHADOW):
        put(tmp_path, side, "a.jsonl", scores(side, 500))
    killed = tmp_path / "killed"
    steps = {"load", "settle", "pair", "gather", "ask"}
    for name in steps:
        monkeypatch.setattr(parts, name, first_time_fatal(getattr(parts, name), killed / name))
    found = captured(tmp_path, 2)
    assert {path.name for path in killed.iterdir()} == steps
    monkeypatch.undo()
    assert found == captured(tmp_path, None)


def test_an_error_of_a_task_keeps_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analyzer.errors import ResourceError

    put_bucket(tmp_path, 1)

    def full(_batches: Any, *_args: Any) -> Iterator[Any]:  # noqa: ANN401
        raise ResourceError("no space", code="disk-full")
        yield

    monkeypatch.setattr(parts, "settle", full)
    with pytest.raises(ResourceError, match="no space") as raised:
        captured(tmp_path, 2)
    assert raised.value.code == "disk-full"


@pytest.mark.long
def test_a_sample_that_is_too_small_is_gathered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pairs without an output are gathered too, so that a first look may find too few."""
    for side in (PRODUCTION, SHADOW):
        lines = [
            line(n % 3_000, output=None if n % 5 else f"{n / 9e3}", inference_id=f"r{n}")
            for n in range(9_000)
        ]
        put(tmp_path, side, "a.jsonl", lines)
    monkeypatch.setattr(spark_captures, "_MARGIN", 1)
    assert captured(tmp_path, 2) == captured(tmp_path, None)
