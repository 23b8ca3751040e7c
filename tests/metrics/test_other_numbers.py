"""Numbers beside the labels: what the labels alone do not say of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.model import FloorShare, NoiseFloor, Outcome
from analyzer.policy.files import load_policy
from tests.metrics.prediction_facts import counts_of, facts_from, facts_of
from tests.payloads.captured_pairs import Compared, Output, compare, in_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.model import Evidence

    Write = Callable[[str, float], Any]

Floats = npt.NDArray[np.float64]
FLIPS = BY_ID["flip_rate"]
ANSWERS = 600
WRITTEN: dict[str, Write] = {
    "a list": lambda label, score: [{"label": label, "score": score}],
    "one object": lambda label, score: {"predicted_label": label, "confidence": score},
    "rows": lambda label, score: {"predictions": [{"label": label, "score": score}] * 2},
}


def answers() -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
    """Labels, and what an honest pair of models scores them."""
    logits = np.random.default_rng(12).normal(0, 2, ANSWERS)
    noisy = logits + np.random.default_rng(13).normal(0, 0.05, ANSWERS)
    production, shadow = (1 / (1 + np.exp(-np.abs(x))) for x in (logits, noisy))
    return logits >= 0, production, shadow


def compared(
    production: Floats, shadow: Floats, write: Write, *settings: str
) -> tuple[Compared, Evidence]:
    policy = load_policy(None, DEFAULTS, list(settings))
    said = ["yes" if positive else "no" for positive in answers()[0]]
    texts = [
        [
            in_json(json.dumps(write(label, score)))
            for label, score in zip(said, side.round(6).tolist(), strict=True)
        ]
        for side in (production, shadow)
    ]
    found = compare(texts[0], texts[1], policy=policy)
    return found, FLIPS.assess(facts_from(found.tables, policy=policy), policy.metrics[FLIPS.id])


@pytest.mark.parametrize("form", WRITTEN)
def test_scores_of_other_requests_beside_right_labels_do_not_pass(form: str) -> None:
    _, production, shadow = answers()
    honest, item = compared(production, shadow, WRITTEN[form])
    assert (honest.kind, item.outcome) == ("label", Outcome.PASS)
    assert honest.counts["beside_apart"] < 0.01 * ANSWERS
    dealt = np.random.default_rng(14).permutation(shadow)
    for wrong in (dealt, 1 - shadow, np.full(ANSWERS, 0.99)):
        item = compared(production, wrong, WRITTEN[form])[1]
        assert item.outcome is Outcome.UNRESOLVED
        note = item.notes[-1]
        assert note.code == "other-numbers"
        assert "numbers that sampled answers hold beside their labels" in note.text
        assert item.needs is not None
        assert "set predictions.path" in item.needs.text


def test_a_place_that_the_policy_names_is_judged_alone() -> None:
    _, production, shadow = answers()
    dealt = np.random.default_rng(14).permutation(shadow)
    found, item = compared(production, dealt, WRITTEN["a list"], "predictions.path=[*].label")
    assert "beside_numbers" not in found.counts
    assert item.outcome is Outcome.PASS


def test_what_is_compared_is_said() -> None:
    _, production, shadow = answers()
    found, _ = compared(production, shadow, WRITTEN["a list"])
    texts = {row["code"]: row["text"] for row in found.rows("prediction_shape")}
    assert "their values are not, but for score (" in texts["fields-uncompared"]


def test_numbers_are_counted_by_their_distance_and_where_the_shadow_has_none() -> None:
    def answer(at: int, score: str | float) -> Output:
        return in_json(f'[{{"label": "{"ab"[at % 2]}", "score": {score}}}]')

    production = [answer(at, at + 0.5) for at in range(100)]
    far = np.arange(100).std()
    moved = {3: 3.5 + 0.9 * far, 4: 4.5 + 1.1 * far, 5: 5.5 - 1.1 * far, 6: "null"}
    shadow = [answer(at, moved.get(at, at + 0.5)) for at in range(100)]
    shadow[7] = in_json('[{"label": "b"}]')
    counts = compare(production, shadow, inputs=[0, 0, *range(98)]).counts
    assert {name: counts[name] for name in counts if name.startswith("beside")} == {
        "beside_numbers": 100,
        "beside_apart": 4,
        "beside_squares": 100 - 3 + 9,
    }


def test_a_score_that_production_may_leave_out_and_the_shadow_never_gives_does_not_pass() -> None:
    positive, scores, _ = answers()
    said = [{"label": "yes" if one else "no"} for one in positive]
    given = [
        one if at % 10 == 0 else {**one, "score": score}
        for at, (one, score) in enumerate(zip(said, scores.round(6).tolist(), strict=True))
    ]
    production, without = ([in_json(json.dumps([one])) for one in side] for side in (given, said))
    policy = load_policy(None, DEFAULTS, [])
    for shadow, outcome in ((production, Outcome.PASS), (without, Outcome.UNRESOLVED)):
        of = facts_from(compare(production, shadow, policy=policy).tables, policy=policy)
        assert FLIPS.assess(of, policy.metrics[FLIPS.id]).outcome is outcome


def test_what_production_flips_by_itself_is_added_to_the_margin() -> None:
    policy = load_policy(None, DEFAULTS, ["predictions.kind=label"])
    counts = counts_of(commonest_label=7_500, beside_numbers=2_000, beside_squares=2_000)
    for apart, own, outcome in (
        (200, 0, Outcome.UNRESOLVED),
        (200, 1_000, Outcome.PASS),
        (90, 0, Outcome.PASS),
        (0, 0, Outcome.PASS),
    ):
        facts = facts_of({**counts, "beside_apart": apart}, kind="label", policy=policy)
        floor = NoiseFloor(
            source="captures",
            digest="sha256:floor",
            endpoint=None,
            production_model=None,
            kind="label",
            pairs=10_000,
            distinct_inputs=10_000,
            shares={FLIPS.id: FloorShare(events=own, outcomes=10_000, effective=10_000)},
        )
        item = FLIPS.assess(replace(facts, floor=floor), policy.metrics[FLIPS.id])
        assert item.outcome is outcome
