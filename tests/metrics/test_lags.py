"""A forecast that lies a step late is wrong, however little each place differs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.model import Outcome
from analyzer.policy.files import load_policy
from tests.metrics.prediction_facts import counts_of, facts_from, facts_of
from tests.payloads.captured_pairs import Compared, compare, in_json

if TYPE_CHECKING:
    from analyzer.model import Evidence

Floats = npt.NDArray[np.float64]
FORECASTS = 600
HOURS = np.arange(24)
QUANTILES = np.array([-1.28, -0.84, -0.52, -0.25, 0, 0.25, 0.52, 0.84, 1.28])
ROWS, LISTS = "score_large_shift_share", "score_shift_share"
SETTINGS = {
    ROWS: ["predictions.path=predictions[*].mean[*]"],
    LISTS: ["predictions.tolerance=80", "metrics.score_shift_share.margin=0.08"],
}


def forecasts() -> tuple[Floats, Floats]:
    """Days of widely differing levels with one peak, and what an honest shadow says of them."""
    rng = np.random.default_rng(8)
    cycle = 1 + 0.5 * np.sin(2 * np.pi * (HOURS - 6) / 24)
    level = np.exp(rng.normal(3, 1.5, (FORECASTS, 1)))
    production = level * cycle * np.exp(rng.normal(0, 0.02, (FORECASTS, 24)))
    return production, production * np.exp(rng.normal(0, 0.02, production.shape))


def late(lists: Floats) -> Floats:
    return np.concatenate([lists[:, :1], lists[:, :-1]], axis=1)


def early(lists: Floats) -> Floats:
    return late(lists[:, ::-1])[:, ::-1]


def compared(production: Floats, shadow: Floats, metric: str) -> Compared:
    """As several predictions of one answer, or as one list."""
    policy = load_policy(None, DEFAULTS, SETTINGS[metric])
    answers = [
        [
            in_json(json.dumps({"predictions": [{"mean": one}]}))
            if metric == ROWS
            else ",".join(map(str, one))
            for one in side.round(3).tolist()
        ]
        for side in (production, shadow)
    ]
    return compare(answers[0], answers[1], policy=policy)


def judged(production: Floats, shadow: Floats, metric: str) -> Evidence:
    policy = load_policy(None, DEFAULTS, SETTINGS[metric])
    of = facts_from(compared(production, shadow, metric).tables, policy=policy)
    return BY_ID[metric].assess(of, policy.metrics[metric])


def test_an_hour_without_a_number_in_either_variant_hides_no_step() -> None:
    policy = load_policy(None, DEFAULTS, SETTINGS[ROWS])
    production, shadow = forecasts()
    for moved, outcome in ((shadow, Outcome.PASS), (late(shadow), Outcome.UNRESOLVED)):
        answers = [
            [in_json(json.dumps({"predictions": [{"mean": [*one, None]}]})) for one in side]
            for side in (production.round(3).tolist(), moved.round(3).tolist())
        ]
        of = facts_from(compare(*answers, policy=policy).tables, policy=policy)
        assert BY_ID[ROWS].assess(of, policy.metrics[ROWS]).outcome is outcome


@pytest.mark.parametrize("metric", [ROWS, LISTS])
def test_forecasts_that_lie_a_step_off_do_not_pass(metric: str) -> None:
    production, shadow = forecasts()
    assert judged(production, shadow, metric).outcome is Outcome.PASS
    for moved, said in ((late(shadow), "late"), (early(shadow), "early")):
        item = judged(production, moved, metric)
        assert item.outcome is Outcome.UNRESOLVED
        assert item.notes[-1].code == "off-by-one"
        assert f"better a step {said} than in place, and 0 the other way" in item.notes[-1].text
        assert item.needs is not None
        assert "let --labels judge" in item.needs.text


def lists_of(kind: str) -> Floats:
    rng, days = np.random.default_rng(9), forecasts()[0]
    return {
        "days": days,
        "in order": np.sort(days, axis=1),
        "quantiles": days[:, :1] * np.exp(0.4 * QUANTILES),
        "straight lines": days[:, :1] + HOURS,
        "one number": days[:, :1] + 0 * HOURS,
        "without order": rng.normal(0, 30, days.shape),
        "short": days[:, :3],
    }[kind]


@pytest.mark.parametrize("change", ["a tenth more", "higher", "noisy", "bent"])
@pytest.mark.parametrize(
    "kind",
    ["days", "in order", "quantiles", "straight lines", "one number", "without order", "short"],
)
def test_no_other_difference_is_a_step(kind: str, change: str) -> None:
    lists = lists_of(kind)
    noise = np.random.default_rng(11).normal(1, 0.5, lists.shape)
    least, spread = lists.min(1, keepdims=True), np.ptp(lists, axis=1, keepdims=True) + 1e-9
    shadow = {
        "a tenth more": 1.1 * lists,
        "higher": lists + 20,
        "noisy": lists * noise,
        "bent": least + spread * ((lists - least) / spread) ** 0.8,
    }[change]
    counts = compared(lists, shadow, ROWS).counts
    moved, other = (counts[name] for name in ("late", "early"))
    assert max(moved, other) <= max(0.05 * FORECASTS, 1.5 * min(moved, other))


def test_lists_out_of_place_to_both_sides_pass_and_to_one_do_not() -> None:
    counts = counts_of(2_000, 24, production_mean=10.0, shadow_mean=10.0)
    policy = load_policy(None, DEFAULTS, ["predictions.kind=regression"])
    counts |= {"sequences": 2_000, "sequence_squares": 2_000}
    for moved, other, passes in ((600, 500, True), (600, 100, False), (60, 0, True), (0, 0, True)):
        found = counts | {"late": other, "early": moved}
        facts = facts_of(found, kind="regression", policy=policy)
        item = BY_ID[ROWS].assess(facts, policy.metrics[ROWS])
        assert (item.outcome is Outcome.PASS) is passes, (moved, other)


def test_lists_of_one_input_are_worth_one() -> None:
    counts = counts_of(2_000, 24, production_mean=10.0, shadow_mean=10.0)
    policy = load_policy(None, DEFAULTS, ["predictions.kind=regression"])
    counts |= {"sequences": 2_000, "late": 500, "early": 0}
    for squares, passes in ((2_000, False), (2_000 * 400, True)):
        facts = facts_of(counts | {"sequence_squares": squares}, kind="regression", policy=policy)
        item = BY_ID[ROWS].assess(facts, policy.metrics[ROWS])
        assert (item.outcome is Outcome.PASS) is passes


def test_lists_are_counted_by_the_place_they_match() -> None:
    rng = np.random.default_rng(10)
    production = rng.normal(0, 1, (30, 8))
    shadow = production.copy()
    shadow[:7], shadow[7:10] = late(production[:7]), early(production[7:10])
    shadow[10] = 0.5  # one number throughout matches nothing
    for metric in (ROWS, LISTS):
        counts = compared(production, shadow, metric).counts
        found = [counts[name] for name in ("sequences", "late", "early", "sequence_squares")]
        assert found == [29, 7, 3, 29]


def test_a_list_of_unequal_or_unreadable_numbers_is_none() -> None:
    answers = ["1.5\n2\n4\n3\n1\n0\n2"] * 2
    changed = ["1.5\n1.5\n2\nnan\n3\n1\n0", "1.5\n1.5\n2\n4\n3\n1\n0"]
    counts = compare(answers, changed).counts
    assert (counts["sequences"], counts["late"]) == (1, 1)
