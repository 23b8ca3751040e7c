"""What a replay sent is found among captures that lie in parts on Spark as on one machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.replayed import sidecar
from analyzer.spark.driver import SparkPlan
from tests.replay.replay_builders import World, build, event_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.analysis import Analysis

pytestmark = [
    pytest.mark.usefixtures("spark"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SMALL = World(requests=1_200, failing=0.02, baseline_failing=0.01, repeats=3)


def alike(folders: tuple[Path, Path], *, parts: int = 3, **more: Any) -> Analysis:  # noqa: ANN401 - of Request
    """The analysis of one machine, once Spark's is the same to the byte."""
    production, out = map(str, folders)
    request = replace(analysis.Request(production=production, shadow=out), use_cache=False, **more)
    here, there = (
        analysis.run(replace(request, spark=plan), silent)
        for plan in (None, SparkPlan(partitions=parts))
    )
    assert there.verdict.to_json() == here.verdict.to_json()
    assert there.tables.keys() == here.tables.keys()
    for name, table in here.tables.items():
        assert there.tables[name].schema == table.schema, name
        assert there.tables[name].equals(table), name
    return here


def edit(out: Path, variant: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Write a sidecar anew, changed."""
    home = out / "churn" / variant
    changed = change(pl.DataFrame(sidecar.read(home / sidecar.NAME)))
    sidecar.write(home, changed.to_arrow().cast(sidecar.SCHEMA))


@pytest.mark.long
@pytest.mark.parametrize("parts", [1, 3, 16])
def test_a_replay_is_judged_alike_in_any_number_of_parts(parts: int, tmp_path: Path) -> None:
    done = alike(build(tmp_path, SMALL), parts=parts)
    assert done.verdict.subject.mode == "replay"
    assert done.verdict.metrics["failure_rate"].n.pairs == 1_200
    assert {"replay_latency", "replay_distribution"} <= set(done.tables)


def test_what_is_missing_and_too_many_is_found_wherever_it_lies(tmp_path: Path) -> None:
    """Lost answers, answers nobody sent, strangers, copies of an event, and a window's border."""
    production, out = build(tmp_path, World(requests=1_800))
    (answers,) = (out / "churn" / "candidate").rglob("*.jsonl")
    answers.write_bytes(b"".join(answers.read_bytes().splitlines(keepends=True)[40:]))
    (asked,) = production.rglob("*.jsonl")
    lines = asked.read_text(encoding="utf-8").splitlines()
    copies = [json.loads(line) for line in lines[:600:3]]
    for number, copy in enumerate(copies):
        copy["captureData"]["endpointInput"]["data"] = f"0.{number % 7},1"
    again = "\n".join([*lines, *map(json.dumps, copies), *lines[100:200]])
    asked.with_name("again.jsonl").write_text(again, encoding="utf-8")
    stranger = pl.concat_str(pl.lit("stranger-"), pl.col("order").cast(pl.String))
    for variant in ("candidate", "baseline"):
        edit(
            out,
            variant,
            lambda rows: rows.filter(pl.col("order") % 50 != 7).with_columns(
                event_id=pl.when(pl.col("order") % 90 == 8)
                .then(stranger)
                .when(pl.col("order") % 90 == 9)  # the same request once more
                .then(pl.lit(event_id(300)))
                .otherwise("event_id")
            ),
        )
    done = alike((production, out), until="2026-11-16T10:12")
    gate = done.verdict.gates["missing_pairs"]
    assert gate.closed
    assert "how they ended is not known" in gate.text


def cut(out: Path) -> None:
    (out / "churn" / "candidate" / sidecar.NAME).write_bytes(b"PAR1 no more")


def emptied(out: Path) -> None:
    for variant in ("candidate", "baseline"):
        edit(out, variant, lambda rows: rows.clear())


@pytest.mark.parametrize("harm", [cut, pytest.param(emptied, marks=pytest.mark.long)])
def test_a_sidecar_that_says_nothing_is_answered_alike(
    harm: Callable[[Path], None], tmp_path: Path
) -> None:
    production, out = build(tmp_path, SMALL)
    harm(out)
    assert alike((production, out), parts=1).verdict.decision.value == "HOLD"


@pytest.mark.long
def test_a_replay_is_judged_by_labels_and_without_a_baseline_alike(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    rows = [f"{event_id(k)},{k % 2}\n" for k in range(1_000)]
    labels.write_text("".join(["id,label\n", *rows]), encoding="utf-8")
    done = alike(build(tmp_path, replace(SMALL, baseline=False)), labels=str(labels))
    assert (done.verdict.metrics["accuracy"].n.pairs or 0) > 900
