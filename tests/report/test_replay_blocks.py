"""The latency and error pages of a replay: only what a replay measured."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

from analyzer.report.charts import draw
from analyzer.report.content import errors_page, latency_page
from analyzer.report.content.page import Chart, Missing, Table
from tests.replay.replay_builders import World, judged

if TYPE_CHECKING:
    from analyzer.analysis import Analysis


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A replay with its baseline, which nobody alters."""
    return judged(tmp_path_factory.mktemp("replayed"), World(requests=1_200))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """One without a baseline, in which some requests fail."""
    world = World(requests=1_200, baseline=False, failing=0.01)
    return judged(tmp_path_factory.mktemp("alone"), world)


def test_the_latency_page_of_a_replay_shows_both_distributions_and_every_statistic(
    done: Analysis,
) -> None:
    page = latency_page(done.verdict, done.tables)
    upto, change = (block for block in page.blocks if isinstance(block, Chart))
    for role in ("production", "shadow"):
        share = upto.frame.filter(role=role)["share"]
        assert share.is_sorted()
        assert share[-1] == 1
    axis = draw(upto).to_dict()["layer"][0]["encoding"]["x"]
    assert axis["scale"]["type"] == "log"
    assert re.fullmatch(
        r"Half of the requests took up to [\d.]+ ms \(production\) and .*", upto.title
    )
    judged_p99 = done.verdict.metrics["latency_p99"].effect
    assert judged_p99 is not None
    drawn = change.frame.filter(pl.col("share") == 0.99).row(0, named=True)
    for name in ("lower", "upper"):
        assert 1 + drawn[name] == pytest.approx(getattr(judged_p99, name))
    table = [block for block in page.blocks if isinstance(block, Table)][-1]
    assert [row[:2] for row in table.rows] == [
        (kind, stat) for kind in ("response", "service") for stat in ("mean", "p50", "p95", "p99")
    ]
    assert "1 150 requests timed" in table.caption
    assert not any(isinstance(block, Missing) for block in page.blocks)


def test_without_a_baseline_the_page_draws_the_candidate_alone(alone: Analysis) -> None:
    page = latency_page(alone.verdict, alone.tables)
    (chart,) = (block for block in page.blocks if isinstance(block, Chart))
    assert set(chart.frame["role"]) == {"shadow"}
    table = [block for block in page.blocks if isinstance(block, Table)][-1]
    assert {(row[2], row[4]) for row in table.rows} == {("-", "-")}


def test_a_bundle_without_times_says_how_to_get_them(done: Analysis) -> None:
    page = latency_page(done.verdict, {})
    (missing,) = (block for block in page.blocks if isinstance(block, Missing))
    assert "--baseline" in missing.advice


def test_the_error_page_of_a_replay_asks_for_no_export(done: Analysis, alone: Analysis) -> None:
    for replay in (done, alone):
        page = errors_page(replay.verdict, replay.tables)
        said = repr([dataclasses.asdict(block) for block in page.blocks])
        assert "failure_rate" in said
        assert "get-metric-data" not in said
