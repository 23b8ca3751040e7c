"""Each answer by itself: what few flips of all predictions do not say of a rare one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analyzer.metrics.divergence import DIVERGENCE
from analyzer.model import Outcome
from analyzer.policy.files import parse_policy
from analyzer.verdict import describe
from tests.examples import examples
from tests.metrics.prediction_facts import answer_of, counts_of, facts_of

if TYPE_CHECKING:
    from typing import Any

    from analyzer.model import Evidence

(FLIP_RATE,) = (metric for metric in DIVERGENCE if metric.id == "flip_rate")
DEFAULTS = {metric.id: metric.default for metric in DIVERGENCE}
YES = 200


def judged(
    *answers: dict[str, Any], pairs: int = 10_000, kind: str = "label", **policy: object
) -> Evidence:
    """`flip_rate` where these answers are given, and another one to the rest."""
    flipped = sum(one["apart"] for one in answers)
    rare = sum(one["production"] for one in answers)
    counts = counts_of(
        pairs,
        flipped=flipped,
        commonest_label=pairs - rare,
        production_at_or_above=rare,
        production_below=pairs - rare,
    )
    commonest = answer_of("no", pairs - rare, pairs - rare + flipped, flipped)
    facts = facts_of(
        counts, kind=kind, answers=[commonest, *answers], policy=parse_policy(policy, DEFAULTS)
    )
    return FLIP_RATE.assess(facts, facts.policy.metrics["flip_rate"])


def yes(lost: int, found: int, of: int = YES, spread: float = 1.0) -> dict[str, Any]:
    """Production says yes so often; the shadow loses some of these and finds others."""
    return answer_of("yes", of, of + found, lost + found, spread)


@pytest.mark.parametrize("kind", ["probability", "label", "multiclass"])
@pytest.mark.parametrize(
    ("lost", "found"),
    [(200, 0), (120, 0), (0, 200), (80, 80), (200, 200)],
    ids=["never says yes", "keeps two of five", "twice as many", "moves two of five", "at random"],
)
def test_flips_within_the_budget_do_not_pass_a_shadow_that_gives_a_rare_answer_elsewhere(
    kind: str, lost: int, found: int
) -> None:
    """Production says yes to 2 %, and 5 % may flip."""
    item = judged(yes(lost, found), kind=kind)
    assert (item.outcome, item.notes[-1].code) == (Outcome.UNRESOLVED, "answer-lost")
    assert item.effect is not None
    assert item.effect.upper is None
    assert f"of {YES + found} predictions to which either variant answers yes" in (
        item.notes[-1].text
    )
    assert describe(item).endswith(" % or more; the policy allows 5 %")


def test_a_retrained_model_that_keeps_most_of_a_rare_answer_passes_and_says_how_many() -> None:
    item = judged(yes(25, 25))
    assert (item.outcome, item.notes[-1].code) == (Outcome.PASS, "rare-answers")
    assert item.notes[-1].text.endswith("both do in 175 (77.8 %)")


def test_the_same_model_elsewhere_keeps_nine_of_ten_of_each_answer() -> None:
    """A fifth of the yeses lost is 0.4 % of all predictions, and 0.5 % may flip."""
    kept, lost = yes(6, 0), yes(40, 0)
    assert judged(kept, change="infrastructure").outcome is Outcome.PASS
    item = judged(lost, change="infrastructure", pairs=20_000)
    assert (item.outcome, item.notes[-1].code) == (Outcome.UNRESOLVED, "answer-lost")
    assert "less than 10 % of each answer's own" in item.notes[-1].text
    assert judged(lost).outcome is Outcome.PASS


def test_a_class_that_is_never_given_again_holds_beside_nine_that_are() -> None:
    others = [answer_of(f"class {i}", 970, 975, 8) for i in range(9)]
    assert judged(*others, answer_of("lost", 270, 275, 10)).outcome is Outcome.PASS
    item = judged(*others, answer_of("lost", 270, 270, 270))
    assert (item.outcome, item.notes[-1].code) == (Outcome.UNRESOLVED, "answer-lost")
    assert "answers lost, both do in 0 (0.0 %)" in item.notes[-1].text


def test_what_production_answers_fewer_than_twenty_times_is_not_asked_by_itself() -> None:
    wide = yes(40, 0, of=2_000)
    assert judged(wide, answer_of("seldom", 19, 19, 19)).outcome is Outcome.PASS
    assert judged(wide, answer_of("seldom", 20, 20, 20)).outcome is Outcome.UNRESOLVED


def test_yeses_to_one_request_sent_again_and_again_are_one_yes() -> None:
    assert judged(yes(0, 0)).outcome is Outcome.PASS
    repeated = judged(yes(0, 0, spread=40.0))
    assert (repeated.outcome, repeated.notes[-1].code) == (Outcome.UNRESOLVED, "answer-lost")


def test_until_enough_of_an_answer_was_seen_it_says_how_long_that_takes() -> None:
    open_yet = judged(yes(5, 5, of=25), pairs=1_250)
    assert (open_yet.outcome, open_yet.notes[-1].code) == (Outcome.UNRESOLVED, "answer-lost")
    assert open_yet.needs is not None
    assert open_yet.needs.requests is not None
    times = open_yet.needs.requests / 1_250
    enough = yes(int(5 * times), int(5 * times), of=round(25 * times))
    assert judged(enough, pairs=open_yet.needs.requests).outcome is Outcome.PASS


def test_no_number_of_pairs_settles_an_answer_that_is_lost() -> None:
    item = judged(yes(120, 0))
    assert item.needs is not None
    assert item.needs.requests is None
    assert "let --labels judge it" in item.needs.text


def test_a_failure_stays_a_failure() -> None:
    item = judged(yes(200, 800))
    assert (item.outcome, "answer-lost" in {note.code for note in item.notes}) == (
        Outcome.FAIL,
        False,
    )


def test_a_single_look_is_judged_by_the_bound_of_a_single_look() -> None:
    """Fourteen of forty apart: Wilson's bound is below a half, the one at any look is not."""
    answer = yes(6, 8, of=32)
    assert judged(answer, pairs=4_000).outcome is Outcome.UNRESOLVED
    once = judged(answer, pairs=4_000, inference="fixed", final=True)
    assert once.outcome is Outcome.PASS


def test_what_is_truly_apart_by_half_passes_in_few_worlds_and_an_honest_shadow_in_nearly_all() -> (
    None
):
    """A model retrained on half as many customers more differs in a quarter of its rare yeses."""
    rng, worlds = np.random.default_rng(11), examples(80, whole=300)
    passed = {}
    for share in (0.5, 0.25):
        apart = rng.binomial(125, share, worlds)
        outcomes = [judged(yes(int(x), 0, of=125), pairs=5_500).outcome for x in apart]
        passed[share] = outcomes.count(Outcome.PASS) / worlds
    assert passed[0.5] <= 0.05
    assert passed[0.25] >= 0.98
