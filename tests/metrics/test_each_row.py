"""What happens in one row of every answer is no small share of all of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.model import Outcome
from analyzer.policy.files import load_policy
from tests.metrics.prediction_facts import facts_from
from tests.payloads.captured_pairs import compare, in_json

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence

Floats = npt.NDArray[np.float64]
ANSWERS = 1_500
SETTINGS = [f"metrics.{name}.margin=0.08" for name in ("flip_rate", "score_large_shift_share")]


def judged(
    production: Floats, shadow: Floats, metric: str, kind: str, sizes: list[int]
) -> Evidence:
    """Rows of two arrays as answers of so many predictions each, one after the other."""
    of = compared(production.tobytes(), shadow.tobytes(), kind, tuple(sizes))
    return BY_ID[metric].assess(of, of.policy.metrics[metric])


@cache
def compared(production: bytes, shadow: bytes, kind: str, sizes: tuple[int, ...]) -> Facts:
    """Once for all metrics that are asked of the same answers."""
    policy = load_policy(None, DEFAULTS, [f"predictions.kind={kind}", *SETTINGS])
    cuts = np.cumsum(sizes)[:-1]
    answers = [
        ["\n".join(repr(float(score)) for score in one) for one in np.split(side, cuts)]
        for side in (np.frombuffer(production), np.frombuffer(shadow))
    ]
    return facts_from(compare(answers[0], answers[1], policy=policy).tables, policy=policy)


def batches(seed: int = 5) -> tuple[Floats, Floats, list[int], npt.NDArray[np.int64]]:
    """Probabilities of honest models in batches of unlike sizes; where the last of each lies."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(18, 23, ANSWERS // 4).tolist()
    logits = rng.normal(-1.0, 1.5, sum(sizes))
    shadow = logits + rng.normal(0, 0.1, logits.size)
    return 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(-shadow)), sizes, np.cumsum(sizes) - 1


@pytest.mark.parametrize("metric", ["flip_rate", "score_large_shift_share"])
def test_a_last_row_that_answers_another_request_does_not_pass(metric: str) -> None:
    production, shadow, sizes, last = batches()
    assert judged(production, shadow, metric, "probability", sizes).outcome is Outcome.PASS
    shadow[last] = np.roll(shadow[last], 1)
    item = judged(production, shadow, metric, "probability", sizes)
    assert item.outcome is Outcome.UNRESOLVED
    assert item.notes[-1].code == "row-apart"
    assert item.notes[-1].text.startswith("the last prediction of each answer: of ")
    assert item.needs is not None
    assert "let --labels judge" in item.needs.text


def test_a_last_quantity_that_is_left_at_its_default_does_not_pass() -> None:
    rng = np.random.default_rng(6)
    sizes = [20] * (ANSWERS // 4)
    production = rng.normal(50, 10, sum(sizes))
    shadow = production + rng.normal(0, 1, production.size)
    metric = "score_large_shift_share"
    assert judged(production, shadow, metric, "regression", sizes).outcome is Outcome.PASS
    # every other default, so that none of them is one that many requests share
    shadow[19::20] = rng.normal(50, 10, len(sizes))
    item = judged(production, shadow, metric, "regression", sizes)
    assert item.outcome is Outcome.UNRESOLVED
    # rows of answers alike in length are named from the start
    assert item.notes[-1].text.startswith("prediction 20 of each answer: of 375 predictions there ")


def labels_of(seed: int, *, lost: bool) -> Evidence:
    """Ten labels a request, of which the fifth is given to one in fifty."""
    rng = np.random.default_rng(seed)
    centres = [-0.4, -0.8, -0.8, -1.3, -3.1, -1.3, -1.3, -0.8, -0.8, -1.3]
    logits = rng.normal(centres, 1.5, (ANSWERS, 10))
    shadow = logits + rng.normal(0, 0.1, logits.shape)
    if lost:
        shadow[:, 4] = np.minimum(shadow[:, 4], -1)
    answers = [
        [in_json(str({"predictions": row.round(6).tolist()}).replace("'", '"')) for row in side]
        for side in (1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(-shadow)))
    ]
    policy = load_policy(None, DEFAULTS, ["predictions.kind=probability"])
    of = facts_from(compare(answers[0], answers[1], policy=policy).tables, policy=policy)
    return BY_ID["flip_rate"].assess(of, of.policy.metrics["flip_rate"])


def test_a_rare_label_that_the_shadow_never_gives_does_not_pass() -> None:
    assert labels_of(7, lost=False).outcome is Outcome.PASS
    item = labels_of(7, lost=True)
    assert item.outcome is Outcome.UNRESOLVED
    assert item.notes[-1].code == "row-apart"
    assert item.notes[-1].text.startswith("prediction 5 of each answer: of ")
    assert "at or above the threshold in either variant there 100.0 % differ" in item.notes[-1].text


def test_rows_are_counted_from_both_ends_and_only_where_there_are_several() -> None:
    several = compare(["0.1\n0.9\n0.2", "0.7\n0.1", "0.2"], ["0.1\n0.9\n0.8", "0.7\n0.1", "0.9"])
    found = {
        (row["from_end"], row["row"]): (row["predictions"], row["flipped"], row["either"])
        for row in several.rows("row_counts")
    }
    assert found == {
        (False, 0): (2, 0, 1),
        (False, 1): (2, 0, 1),
        (False, 2): (1, 1, 1),
        (True, 0): (2, 1, 1),
        (True, 1): (2, 0, 2),
        (True, 2): (1, 0, 0),
    }
    assert compare(["0.1", "0.9"], ["0.1", "0.8"]).rows("row_counts") == []
