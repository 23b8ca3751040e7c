"""Accuracy against its margin, from counts: what passes, what fails, and what would settle it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binom

from analyzer.metrics import DEFAULTS, asked
from analyzer.metrics.accuracy import assess_accuracy, predictions_needed
from analyzer.model import Mode, Outcome
from analyzer.policy.files import load_policy
from analyzer.stats.paired_accuracy import Outcomes, lower_bound
from analyzer.stats.proportions import tango
from analyzer.verdict import describe
from tests.examples import examples
from tests.metrics.prediction_facts import facts_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence


def labelled(
    production_right: int,
    shadow_right: int,
    pairs: int = 20_000,
    *,
    times: int = 1,
    settings: tuple[str, ...] = (),
) -> Facts:
    """Facts of a run whose labels were counted; each input comes `times` times."""
    counts = {
        "labelled_pairs": pairs,
        "predictions": pairs,
        "prediction_squares": float(pairs * times),
        "both_right": pairs * 9 // 10,
        "production_right": production_right,
        "shadow_right": shadow_right,
        "both_wrong": pairs - pairs * 9 // 10 - production_right - shadow_right,
        "commonest_truth": pairs // 2,
        "foreign_truth": 0,
        "chance_products": pairs**2 / 2,  # two labels, each the right one and given in half
        "chance_cubes": pairs**3 / 2,
        "production_found": pairs * 9 // 20,
        "shadow_found": pairs * 9 // 20,
        "production_products": pairs**2 / 4,
        "shadow_products": pairs**2 / 4,
    }
    policy = load_policy(None, DEFAULTS, settings)
    facts = facts_of(kind="label", policy=policy)
    assert facts.captures is not None
    tables = {**facts.captures.tables, "label_counts": pa.Table.from_pylist([counts])}
    return replace(facts, captures=replace(facts.captures, tables=tables))


def by_hour(
    losses: npt.NDArray[np.int64],
    each: int | npt.NDArray[np.int64],
    *,
    mode: Mode = Mode.CLOUDWATCH,
    settings: tuple[str, ...] = (),
) -> Facts:
    """Facts of a run with so many labelled predictions in each hour, of which these are losses."""
    predictions = np.broadcast_to(each, losses.shape)
    facts = labelled(int(losses.sum()), 0, int(predictions.sum()), settings=settings)
    assert facts.captures is not None
    hours = {
        "hour": np.arange(len(losses)),
        "predictions": predictions,
        "production_right": losses,
        "shadow_right": np.zeros_like(losses),
    }
    tables = {**facts.captures.tables, "label_hours": pa.table(hours)}
    return replace(facts, mode=mode, captures=replace(facts.captures, tables=tables))


def judged(facts: Facts) -> Evidence:
    return assess_accuracy(facts, facts.policy.metrics["accuracy"])


@pytest.mark.parametrize(
    ("production_right", "shadow_right", "outcome"),
    [
        (100, 100, Outcome.PASS),
        (100, 600, Outcome.PASS),
        (600, 100, Outcome.FAIL),
        (200, 100, Outcome.UNRESOLVED),
        (1_000, 1_000, Outcome.UNRESOLVED),
    ],
)
def test_the_margin_is_the_largest_loss_accepted(
    production_right: int, shadow_right: int, outcome: Outcome
) -> None:
    evidence = judged(labelled(production_right, shadow_right))
    assert evidence.outcome is outcome
    assert evidence.margin == -0.005
    assert (evidence.needs is None) == (outcome is not Outcome.UNRESOLVED)


@pytest.mark.parametrize(("pairs", "outcome"), [(999, Outcome.UNRESOLVED), (1_000, Outcome.PASS)])
def test_a_thousand_labels_are_needed_however_clear_they_are(pairs: int, outcome: Outcome) -> None:
    wide = ("metrics.accuracy.margin=-0.2",)
    assert judged(labelled(0, 0, pairs, settings=wide)).outcome is outcome


def test_inputs_that_come_back_buy_no_certainty() -> None:
    once, often = judged(labelled(100, 100)), judged(labelled(100, 100, times=10))
    assert (once.outcome, often.outcome) == (Outcome.PASS, Outcome.UNRESOLVED)
    assert once.effect is not None
    assert often.effect is not None
    assert once.effect.estimate == often.effect.estimate
    assert often.n.effective == 2_000
    assert often.notes[-1].code == "repeated-inputs"


def test_the_two_bounds_stand_at_the_levels_of_what_they_decide() -> None:
    facts = labelled(100, 100)
    effect = judged(facts).effect
    assert effect is not None
    assert effect.lower_level == pytest.approx(0.95)
    assert effect.upper_level == pytest.approx(1 - 0.05 / facts.policy.guardrails)


FIXED = ("inference=fixed", "final=true")
PLANNED = ("inference=planned", "horizon=7d")


def test_a_single_look_is_judged_by_tango() -> None:
    facts = labelled(200, 150, settings=FIXED)
    evidence = judged(facts)
    assert evidence.effect is not None
    assert evidence.effect.mode == "fixed"
    fail_at = 0.05 / facts.policy.guardrails
    assert evidence.effect.lower == pytest.approx(tango(0, 150, 200, 19_650, 0.9)[0], rel=1e-8)
    assert evidence.effect.upper == pytest.approx(
        tango(0, 150, 200, 19_650, 1 - 2 * fail_at)[1], rel=1e-8
    )
    assert (evidence.outcome, judged(labelled(200, 150)).outcome) == (
        Outcome.PASS,
        Outcome.UNRESOLVED,
    )


def test_planned_looks_keep_the_bound_that_holds_at_any_look_and_say_so() -> None:
    planned, anytime = (judged(labelled(200, 150, settings=way)) for way in (PLANNED, ()))
    assert planned.effect == anytime.effect
    assert planned.effect is not None
    assert planned.effect.mode == "anytime"
    assert [note.code for note in planned.notes] == ["planned-by-anytime", "right-alone"]


@pytest.mark.parametrize("way", [FIXED, PLANNED, ()])
def test_every_way_of_looking_that_exists_is_shown_however_it_is_judged(
    way: tuple[str, ...],
) -> None:
    shown = judged(labelled(200, 150, settings=way)).intervals
    assert shown == judged(labelled(200, 150)).intervals
    assert shown.fixed is not None
    assert shown.anytime is not None
    assert shown.anytime[0] < shown.fixed[0] < shown.fixed[1] < shown.anytime[1]
    assert shown.planned is None


def test_tango_passes_a_harm_at_the_margin_as_often_as_it_says() -> None:
    """Worlds of 5 000 pairs, the loss exactly 0.5 pp, one look each."""
    rng, count = np.random.default_rng(41), examples(500, whole=2_000)
    for differing in (0.02, 0.3):
        shares = [(differing - 0.005) / 2, (differing + 0.005) / 2, 1 - differing]
        worlds = rng.multinomial(5_000, shares, count)
        passed = sum(
            tango(0, int(ours), int(rival), int(alike), 0.9)[0] > -0.005
            for ours, rival, alike in worlds
        )
        assert passed <= binom.ppf(0.9999, count, 0.05)


def test_a_loss_reads_as_percentage_points_below_the_margin() -> None:
    said = describe(judged(labelled(600, 100)))
    assert re.fullmatch(
        r"-2\.[5-9]\d+ pp to -2\.[0-4]\d+ pp against production; the policy allows -0\.5 pp", said
    )


def test_the_e_value_reaches_twenty_where_a_pass_begins() -> None:
    for alone in range(100, 600, 500 // examples(8, whole=25)):
        evidence = judged(labelled(alone, alone))
        assert evidence.test is not None
        assert evidence.test.e_value is not None
        assert (evidence.outcome is Outcome.PASS) == (evidence.test.e_value >= 20)


def test_what_is_needed_settles_it_and_no_less() -> None:
    outcomes = Outcomes(25, 25, 950)
    needed = predictions_needed(outcomes, -0.005, 0.05)
    assert needed is not None
    assert lower_bound(outcomes.scaled(needed / 1_000), 0.05) > -0.005
    assert lower_bound(outcomes.scaled(0.98 * needed / 1_000), 0.05) < -0.005
    assert predictions_needed(Outcomes(10, 30, 960), -0.005, 0.05) is None
    once = predictions_needed(outcomes, -0.005, 0.05, once=True)
    assert once is not None
    assert tango(0, *outcomes.scaled(once / 1_000), 0.9)[0] > -0.005
    assert tango(0, *outcomes.scaled(0.98 * once / 1_000), 0.9)[0] < -0.005
    text = judged(labelled(200, 90)).needs
    assert text is not None
    assert text.text.startswith("Cannot be resolved at this margin: the difference itself, -0.550")


def test_labels_add_a_guardrail_and_no_labels_take_nothing_away() -> None:
    policy = load_policy(None, DEFAULTS)
    without, with_labels = (
        asked(policy, labelled=given, replayed=False) for given in (False, True)
    )
    assert {*policy.metrics} - {*with_labels.metrics} == {"failure_rate"}
    assert with_labels.guardrails == without.guardrails + 1
    assert "accuracy" not in without.metrics
    named = load_policy(None, DEFAULTS, ["metrics.accuracy.role=review"])
    assert "accuracy" in asked(named, labelled=False, replayed=False).metrics


@pytest.mark.parametrize(
    ("bad", "loss"),
    [(0.1, 0.05), pytest.param(0.1, 0.06, marks=pytest.mark.long), (0.05, 0.12)],
)
def test_losses_that_come_in_bad_hours_do_not_pass_because_few_were_seen(
    bad: float, loss: float
) -> None:
    """Three days of a shadow whose loss is at the margin or beyond it."""
    rng, count = np.random.default_rng(11), examples(20, whole=100)
    worlds = (rng.binomial(200, np.where(rng.random(72) < bad, loss, 0.0)) for _ in range(count))
    passed = sum(judged(by_hour(one, 200)).outcome is Outcome.PASS for one in worlds)
    assert passed <= 0.05 * count


def test_losses_of_all_hours_count_as_before() -> None:
    rng = np.random.default_rng(12)
    losses = rng.binomial(400, 0.001, size=72)
    found = judged(by_hour(losses, 400))
    assert found.outcome is Outcome.PASS
    assert found.n.effective is not None
    assert found.n.effective > 0.7 * 72 * 400
    assert "bursts" not in {note.code for note in found.notes}


def on_days(*losses: int, first: int = 13, settings: tuple[str, ...] = ()) -> Evidence:
    """Evidence of 400 labelled predictions an hour: good days, then one a number of losses."""
    hours = np.repeat([0] * first + [*losses], 24)
    return judged(by_hour(hours, 400, settings=settings))


@pytest.mark.parametrize("way", [FIXED, PLANNED, ()])
def test_a_last_day_that_would_fail_does_not_pass_on_the_days_before(way: tuple[str, ...]) -> None:
    """Two weeks as right as production, of whose last day 3 % is lost: 0.2 pp of all."""
    broken, mended = on_days(12, settings=way), on_days(12, 0, first=12, settings=way)
    assert (broken.outcome, broken.notes[-1].code) == (Outcome.UNRESOLVED, "worse-lately")
    assert (mended.outcome, mended.notes[-1].code) != (Outcome.UNRESOLVED, "worse-lately")
    assert mended.outcome is Outcome.PASS
    assert broken.effect is not None
    assert broken.effect.lower is None  # a pass is read off this bound, here and by who reads it
    assert broken.effect.estimate == pytest.approx(-0.03 / 14)
    assert broken.needs is not None
    assert re.match(
        r"Of the last 24 hours with labels alone it is -3\.000 pp \(-[12]\.\d+ pp or less\)",
        broken.needs.text,
    )


def test_a_last_day_within_the_margin_or_better_withholds_nothing() -> None:
    for lost in (0, 1, 2):
        assert on_days(lost).outcome is Outcome.PASS
    better = by_hour(np.repeat([0] * 14, 24), 400)
    assert better.captures is not None
    hours = better.captures.tables["label_hours"]
    gains = pa.array(np.repeat([0] * 13 + [12], 24))
    hours = hours.set_column(3, "shadow_right", gains)
    tables = {**better.captures.tables, "label_hours": hours}
    assert (
        judged(replace(better, captures=replace(better.captures, tables=tables))).outcome
        is Outcome.PASS
    )


def test_one_bad_hour_is_no_bad_day() -> None:
    losses = np.zeros(14 * 24, np.int64)
    losses[-5] = 100  # 1 % of the last day
    assert "worse-lately" not in {note.code for note in judged(by_hour(losses, 400)).notes}


def test_where_few_labels_have_come_the_last_thousand_are_asked_as_well() -> None:
    """A bad day, and after it two labels an hour that came at once."""
    losses = np.repeat([0] * 13 + [12, 0], 24)
    few = np.repeat([400] * 14 + [2], 24)
    found = judged(by_hour(losses, few))
    assert (found.outcome, found.notes[-1].code) == (Outcome.UNRESOLVED, "worse-lately")
    assert found.needs is not None
    assert found.needs.text.startswith("Of the last 27 hours with labels alone")
    assert judged(by_hour(losses, 400)).outcome is Outcome.PASS


def test_requests_that_are_sent_anew_have_no_last_day() -> None:
    losses = np.repeat([0] * 13 + [12], 24)
    assert judged(by_hour(losses, 400, mode=Mode.REPLAY)).outcome is Outcome.PASS


def test_a_day_of_labels_is_no_last_day_of_itself() -> None:
    """All there is has failed or passed already."""
    wide = ("metrics.accuracy.margin=-0.1",)
    losses = np.full(24, 12)
    assert judged(by_hour(losses, 400, settings=wide)).outcome is Outcome.PASS
