"""The curves along a distribution, against quantiles of the values themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analyzer.metrics.quantile_shift import shift_tables
from tests.metrics.prediction_facts import facts_of
from tests.metrics.test_scores import facts, models
from tests.replay.replay_builders import World, judged

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("kind", "scale"), [("probability", 1.0), ("regression", 4_000.0)])
def test_percentiles_read_off_buckets_are_near_those_of_the_scores(kind: str, scale: float) -> None:
    production, shadow = (scale * side for side in models())
    frame = shift_tables(facts(production, shadow, kind=kind))["score_quantiles"]
    for name, scores in (("production", production), ("shadow", shadow)):
        exact = np.quantile(scores, frame["share"].to_numpy())
        assert np.abs(frame[name].to_numpy() - exact).max() < 0.02 * scale
    assert frame["shift"].to_numpy() == pytest.approx(
        frame["shadow"].to_numpy() - frame["production"].to_numpy()
    )


def test_answers_without_scores_have_no_percentiles() -> None:
    assert shift_tables(facts_of(kind="label")) == {}


def test_a_candidate_slower_by_a_factor_is_so_at_every_percentile(tmp_path: Path) -> None:
    frame = judged(tmp_path, World(requests=1_500, slower=1.2)).tables["replay_quantiles"]
    assert frame["share"].to_list() == [0.01, *(step / 20 for step in range(1, 20)), 0.99]
    assert frame["shift"].to_numpy() == pytest.approx(0.2, abs=0.12)
    assert (frame["lower"] <= frame["shift"]).all()
    assert (frame["shift"] <= frame["upper"]).all()


def test_percentiles_without_ten_requests_on_either_side_are_not_drawn(tmp_path: Path) -> None:
    frame = judged(tmp_path, World(requests=350)).tables["replay_quantiles"]
    assert frame["share"].min() == 0.05
    assert frame["share"].max() == 0.95
