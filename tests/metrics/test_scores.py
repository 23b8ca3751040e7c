"""What is shown of scores, from outputs to evidence, against numpy and a brute force."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from analyzer.metrics import DEFAULTS, fitting
from analyzer.metrics.predictions import Counted, positive_rates
from analyzer.metrics.scores import SCORES
from analyzer.model import Outcome, Role
from analyzer.policy.files import load_policy
from tests.metrics.lent_scores import facts_between, large_shifts
from tests.metrics.prediction_facts import facts_from, facts_of
from tests.payloads.captured_pairs import START, compare, policy_of

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence, Note
    from analyzer.policy import Policy

BY_ID = {metric.id: metric for metric in SCORES}
Floats = npt.NDArray[np.float64]


def facts(
    production: Floats,
    shadow: Floats,
    *,
    label_at: float = 0.5,
    kind: str = "auto",
    inputs: list[int] | None = None,
    looking: tuple[str, ...] = (),
) -> Facts:
    """Facts of pairs one second apart, the window being exactly theirs."""
    sides = (np.asarray(side, np.float64).tobytes() for side in (production, shadow))
    given = None if inputs is None else tuple(inputs)
    return _facts(*sides, label_at=label_at, kind=kind, inputs=given, looking=looking)


@cache
def _facts(
    production: bytes,
    shadow: bytes,
    *,
    label_at: float,
    kind: str,
    inputs: tuple[int, ...] | None,
    looking: tuple[str, ...],
) -> Facts:
    """The same, compared once for all tests that ask of the same scores."""
    policy = load_policy(
        None, DEFAULTS, [f"predictions.label_at={label_at}", f"predictions.kind={kind}", *looking]
    )
    answers = [[*map(repr, np.frombuffer(side).tolist())] for side in (production, shadow)]
    compared = compare(answers[0], answers[1], policy=policy, inputs=inputs)
    end = START + timedelta(seconds=len(answers[0]))
    return facts_from(compared.tables, policy=policy, span=(START, end))


def shown(metric: str, of: Facts) -> Evidence:
    return BY_ID[metric].assess(of, of.policy.metrics[metric])


def estimate(evidence: Evidence) -> float:
    assert evidence.effect is not None
    assert evidence.effect.estimate is not None
    return evidence.effect.estimate


def note(evidence: Evidence, code: str) -> str:
    (found,) = (one.text for one in evidence.notes if one.code == code)
    return found


def models(seed: int = 5, n: int = 3_000, noise: float = 0.8) -> tuple[Floats, Floats]:
    """Scores of two models of which the shadow is the more careful one."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-1.5, 1.5, n)
    both = [1 / (1 + np.exp(-(truth + move + rng.normal(0, noise, n)))) for move in (0.0, -0.7)]
    return both[0].round(6), both[1].round(6)


@pytest.mark.parametrize(
    "label_at", [0.5, *(pytest.param(at, marks=pytest.mark.long) for at in (0.37, 0.05))]
)
def test_the_restored_threshold_is_the_best_of_all_thresholds(label_at: float) -> None:
    production, shadow = models()
    counts = facts(production, shadow, label_at=label_at).captures
    assert counts is not None
    row = counts.tables["prediction_counts"].to_pylist()[0]
    wanted = int((production >= label_at).sum())
    misses = [abs(int((shadow >= at).sum()) - wanted) for at in np.unique(shadow)]
    assert abs(row["even_positive"] - wanted) == min(misses)
    assert row["even_positive"] == int((shadow >= row["even_at"]).sum())
    assert row["even_flips"] == int(((production >= label_at) != (shadow >= row["even_at"])).sum())


def test_a_shadow_that_is_only_more_careful_flips_nothing_at_the_restored_threshold() -> None:
    production, _ = models()
    shadow = production**2
    of = facts(production, shadow)
    assert estimate(shown("flips_at_equal_rate", of)) == 0
    assert "would flip there" in note(shown("flips_at_equal_rate", of), "restored-threshold")
    counted = Counted.of(of)
    assert counted is not None
    assert counted.count("flipped") > 100


def test_tied_scores_take_the_nearest_rate_there_is() -> None:
    production = np.array([0.9] * 10 + [0.1] * 90 + [0.25] * 5)
    for tied, expected in ((8, 8), (13, 13)):
        shadow = np.array([0.75] * tied + [0.25] * (95 - tied) + [0.125] * 10)
        counted = Counted.of(facts_between(production, shadow, "probability"))
        assert counted is not None
        assert (counted.row["even_at"], counted.row["even_positive"]) == (0.75, expected)


def test_without_positives_no_threshold_is_named() -> None:
    production, shadow = models()
    evidence = shown("flips_at_equal_rate", facts(production / 4, shadow / 4))
    assert evidence.effect is None
    assert [one.code for one in evidence.notes] == ["threshold-uninformative"]


def told(of: Facts) -> dict[str, str]:
    counted = Counted.of(of)
    assert counted is not None
    notes: tuple[Note, ...] = positive_rates(of, counted, Role.REVIEW)
    return {one.code: one.text for one in notes}


def test_flips_are_told_by_direction_and_by_distance() -> None:
    production = np.array([0.6] * 30 + [0.4] * 10 + [0.9] * 10 + [0.1] * 50)
    shadow = np.array([0.4] * 30 + [0.6] * 10 + [0.3] * 10 + [0.1] * 50)
    notes = told(facts(production, shadow))
    assert notes["flip-directions"] == "50 flips: 10 to positive, 40 to negative"
    assert "within 0.1 of the threshold, nine tenths within 0.425" in notes["flip-distance"]
    assert "flip-directions" not in told(facts(production, production))


def test_bias_and_its_interval_are_those_of_independent_minutes() -> None:
    rng = np.random.default_rng(8)
    production = rng.normal(10, 3, 60 * 100)
    shadow = production + rng.normal(0.05, 1, len(production))
    evidence = shown("score_bias", facts(production, shadow))
    assert estimate(evidence) == pytest.approx(float((shadow - production).mean()), abs=1e-9)
    assert evidence.production == pytest.approx(production.mean())
    assert evidence.intervals.fixed is not None
    assert evidence.intervals.anytime is not None
    reach = (evidence.intervals.fixed[1] - evidence.intervals.fixed[0]) / 2
    independent = 1.645 * (shadow - production).std() / len(production) ** 0.5
    assert independent <= reach <= 2 * independent
    assert evidence.intervals.anytime[0] < evidence.intervals.fixed[0]


@pytest.mark.parametrize(("length", "widened"), [(2, True), (50, False)])
def test_differences_that_persist_in_time_widen_or_forbid_the_interval_of_the_bias(
    length: int, *, widened: bool
) -> None:
    rng = np.random.default_rng(9)
    drift = np.repeat(rng.normal(0, 1, 150 // length), 60 * length)
    production = rng.normal(10, 3, len(drift))
    shadow = production + drift + rng.normal(0, 1, len(drift))
    evidence = shown("score_bias", facts(production, shadow))
    fixed = evidence.intervals.fixed
    codes = {one.code for one in evidence.notes}
    assert (fixed is None) == ("too-few-independent-minutes" in codes) == (not widened)
    alike = 1.645 * float((shadow - production).std()) / len(drift) ** 0.5
    assert fixed is None or (fixed[1] - fixed[0]) / 2 > 3 * alike


def test_inputs_that_come_back_widen_the_interval_of_the_bias() -> None:
    rng = np.random.default_rng(10)
    production = np.tile(rng.normal(10, 3, 300), 20)
    shadow = production + np.tile(rng.normal(0, 1, 300), 20)
    of = facts(production, shadow, inputs=list(range(300)) * 20)
    fixed = shown("score_bias", of).intervals.fixed
    assert fixed is not None
    assert (fixed[1] - fixed[0]) / 2 >= 1.64 * float((shadow - production).std()) / 300**0.5


def test_a_job_of_one_moment_still_has_an_interval_and_says_what_it_leaves_out() -> None:
    production, shadow = models(n=50)
    evidence = shown("score_bias", facts(production, shadow))
    assert evidence.intervals.fixed is not None
    assert evidence.intervals.anytime is None
    assert "bias-without-time" in {one.code for one in evidence.notes}


def test_every_way_of_looking_is_shown_beside_the_bias() -> None:
    production, shadow = models(n=60 * 120)
    of = facts(production, shadow, looking=("inference=planned", "horizon=1d"))
    intervals = shown("score_bias", of).intervals
    assert None not in {intervals.fixed, intervals.planned, intervals.anytime}


def test_distance_and_its_quantiles_are_those_of_numpy_to_a_bucket() -> None:
    production, shadow = models()
    evidence = shown("score_distance", facts(production, shadow))
    apart = np.abs(shadow - production)
    assert estimate(evidence) == pytest.approx(float(apart.mean()), rel=1e-8)
    parts = note(evidence, "difference-quantiles").split("; ")
    for q, part in zip((0.5, 0.9, 0.99), parts, strict=True):
        found = float(part.split(" at most ")[1].split(" ")[0])
        assert found == pytest.approx(float(np.quantile(apart, q, method="inverted_cdf")), rel=0.04)
        low, high = (float(b) for b in part.split("(")[1].rstrip(")").split(" to "))
        ranks = [int(stats.binom.ppf(tail, len(apart), q)) for tail in (0.05, 0.95)]
        assert low == pytest.approx(float(np.sort(apart)[ranks[0] - 1]), rel=0.04)
        assert high == pytest.approx(float(np.sort(apart)[ranks[1]]), rel=0.04)


@pytest.mark.parametrize("kind", ["auto", "regression"])
def test_ranks_by_bucket_are_spearmans_to_a_thousandth(kind: str) -> None:
    production, shadow = models()
    evidence = shown("score_concordance", facts(production, shadow, kind=kind))
    found = float(note(evidence, "rank-correlation").split("correlation ")[1].split(";")[0])
    assert found == pytest.approx(float(stats.spearmanr(production, shadow)[0]), abs=1e-3)


@pytest.mark.parametrize("kind", ["auto", "regression"])
def test_distribution_distances_are_those_of_scipy_to_a_bucket(kind: str) -> None:
    production, shadow = models()
    evidence = shown("score_distribution", facts(production, shadow, kind=kind))
    assert evidence.role is Role.INFO
    wasserstein = stats.wasserstein_distance(production, shadow) / production.std()
    assert estimate(evidence) == pytest.approx(wasserstein, rel=0.02)
    found = float(
        note(evidence, "distribution-distances").split("Smirnov ")[1].split(",", maxsplit=1)[0]
    )
    assert found == pytest.approx(stats.ks_2samp(production, shadow).statistic, abs=0.02)


def test_shuffled_answers_move_no_distribution_and_every_paired_number() -> None:
    production, _ = models()
    of = facts(production, np.random.default_rng(1).permutation(production))
    assert estimate(shown("score_distribution", of)) == 0
    assert estimate(shown("score_concordance", of)) < 0.1
    assert estimate(shown("flips_at_equal_rate", of)) > 0.1


def test_equal_scores_agree_and_constant_ones_say_so() -> None:
    production, _ = models()
    of = facts(production, production)
    assert estimate(shown("score_concordance", of)) == 1
    assert estimate(shown("score_distance", of)) == estimate(shown("score_bias", of)) == 0
    constant = np.full(50, 0.25)
    of = facts(constant, constant)
    assert [one.code for one in shown("score_concordance", of).notes] == ["one-score"]
    assert [one.code for one in shown("score_distribution", of).notes] == ["one-score"]


@pytest.mark.parametrize("metric", sorted(BY_ID))
def test_swapped_variants_turn_the_bias_and_leave_what_is_symmetric(metric: str) -> None:
    production, shadow = models()
    evidence = shown(metric, facts(production, shadow))
    assert evidence.outcome is Outcome.INFO
    if metric in {"score_bias", "score_distance", "score_concordance"}:
        back = estimate(shown(metric, facts(shadow, production)))
        sign = -1 if metric == "score_bias" else 1
        assert back == pytest.approx(sign * estimate(evidence), rel=1e-6)


def test_sums_do_not_depend_on_how_requests_are_spread_over_minutes() -> None:
    production, shadow = models(n=600)
    order = np.random.default_rng(2).permutation(600)
    one, other = (facts(production[by], shadow[by]).captures for by in (np.arange(600), order))
    assert one is not None
    assert other is not None
    assert one.tables["prediction_counts"].equals(other.tables["prediction_counts"])
    assert one.tables["score_marginals"].equals(other.tables["score_marginals"])


def names(kind: str, policy: Policy | None = None) -> set[str]:
    policy = policy or load_policy(None, DEFAULTS)
    return {metric.id for metric, _ in fitting(facts_of(kind=kind, policy=policy))}


def test_only_what_fits_the_outputs_is_asked_unless_the_policy_asks() -> None:
    assert {"score_bias", "flips_at_equal_rate"} <= names("probability")
    assert "flips_at_equal_rate" not in names("regression")
    assert not names("text") & {"score_bias", "score_distance", "score_distribution"}
    named = load_policy(None, DEFAULTS, ["metrics.score_bias.role=info"])
    assert "score_bias" in names("text", named)
    alone = replace(facts_of(policy=load_policy(None, DEFAULTS)), captures=None)
    assert "score_bias" not in {metric.id for metric, _ in fitting(alone)}


def test_a_metric_asked_of_outputs_it_does_not_fit_says_so() -> None:
    of = facts_of(kind="text", policy=load_policy(None, DEFAULTS))
    for metric in BY_ID:
        assert [one.code for one in shown(metric, of).notes] == ["not-applicable"]


def test_a_policy_of_its_own_kind_still_reads_scores() -> None:
    assert compare(["0.25"], ["0.5"], policy=policy_of(kind="probability")).kind == "probability"


@pytest.mark.parametrize(
    ("sign", "moved", "outcome"),
    [
        (1, 0.2, Outcome.PASS),
        pytest.param(1, 0.3, Outcome.UNRESOLVED, marks=pytest.mark.long),
        pytest.param(-1, 0.2, Outcome.PASS, marks=pytest.mark.long),
        (-1, 0.3, Outcome.UNRESOLVED),
    ],
)
def test_scores_that_all_move_one_way_do_not_pass_because_none_moves_far(
    moved: float, outcome: Outcome, sign: int
) -> None:
    """A large shift is half a standard deviation, of prices about 50; half of it may be common."""
    rng = np.random.default_rng(12)
    production = rng.normal(50, 10, 3_000)
    shadow = production + sign * moved * production.std() + rng.normal(0, 0.3, 3_000)
    item = large(production, shadow)
    assert item.outcome is outcome
    assert (item.notes[-1].code == "mean-moved") is (outcome is Outcome.UNRESOLVED)


def test_scores_that_move_either_way_pass() -> None:
    rng = np.random.default_rng(13)
    production = rng.normal(50, 10, 3_000)
    assert large(production, production + 3 * rng.choice([-1, 1], 3_000)).outcome is Outcome.PASS


def amounts(n: int = 4_000) -> Floats:
    """Of which the largest hundredth makes the spread: 82 % lie within a large shift."""
    rng = np.random.default_rng(14)
    return rng.lognormal(0, 2.5, n)


def large(production: Floats, shadow: Floats, *, written: bool = False) -> Evidence:
    return large_shifts(production, shadow, "regression", written=written)


def test_one_value_for_most_amounts_does_not_pass_because_a_few_are_large() -> None:
    production = amounts()
    low = production < 10
    lost = large(production, np.where(low, production[low].mean(), production), written=True)
    assert (lost.outcome, lost.notes[-1].code) == (Outcome.UNRESOLVED, "order-lost")
    assert lost.effect is not None
    assert lost.effect.estimate == 0
    assert lost.effect.upper is None
    assert "the shadow keeps 51.1 %" in lost.notes[-1].text
    assert lost.needs is not None
    assert "let --labels judge" in lost.needs.text


def test_amounts_that_are_dealt_out_anew_do_not_pass() -> None:
    rng, production = np.random.default_rng(15), amounts()
    low = np.flatnonzero(production < 10)
    dealt = production.copy()
    dealt[low] = production[rng.permutation(low)]
    assert large(production, dealt).notes[-1].code == "order-lost"


@pytest.mark.parametrize(
    "off", [*(pytest.param(x, marks=pytest.mark.long) for x in (0.05, 0.2)), 0.3]
)
def test_amounts_that_are_somewhat_off_pass(off: float) -> None:
    rng, production = np.random.default_rng(16), amounts()
    shadow = production * rng.lognormal(0, off, production.size)
    # shifts among the largest are another matter
    largest = production > np.quantile(production, 0.99)
    assert large(production, np.where(largest, production, shadow)).outcome is Outcome.PASS


def test_what_production_answers_alike_has_no_order_to_be_kept() -> None:
    """Four of five are nothing, and a little more or less in the shadow."""
    rng = np.random.default_rng(17)
    production = np.where(rng.random(4_000) < 0.8, 0.0, rng.normal(50, 10, 4_000))
    shadow = production + rng.normal(0, 2, 4_000)
    assert large(production, shadow).outcome is Outcome.PASS


def test_the_order_kept_is_the_slope_of_ranks() -> None:
    rng = np.random.default_rng(18)
    production = rng.normal(50, 10, 3_000)
    shadow = production + rng.normal(0, 4, 3_000)
    counted = Counted.of(facts_between(production, shadow, "regression"))
    assert counted is not None
    slope = stats.linregress(stats.rankdata(production), stats.rankdata(shadow)).slope
    assert counted.row["order_kept"] == pytest.approx(slope, abs=0.002)
    alike = Counted.of(facts_between(np.full(9, 2.0), rng.normal(2, 1, 9), "regression"))
    assert alike is not None
    assert alike.row["order_kept"] is None


def anomalies(n: int = 5_000, share: float = 0.01) -> tuple[Floats, np.ndarray[Any, Any]]:
    """Scores near 1 of which a few are ten of their standard deviations higher, and which."""
    rng = np.random.default_rng(19)
    far = rng.random(n) < share
    return rng.normal(1, 0.2, n) + 2.0 * far, far


def test_anomalies_that_the_shadow_never_scores_high_do_not_pass() -> None:
    production, far = anomalies()
    blind = large(production, np.where(far, production - 2.0, production), written=True)
    assert (blind.outcome, blind.notes[-1].code) == (Outcome.UNRESOLVED, "extremes-lost")
    assert blind.effect is not None
    assert blind.effect.estimate == far.mean() < 0.05
    assert blind.effect.upper is None
    assert f"of {far.sum()} predictions" in blind.notes[-1].text
    assert "the other puts 0 (0.0 %) half as far" in blind.notes[-1].text
    assert blind.needs is not None
    assert "let --labels judge" in blind.needs.text


def test_anomalies_below_are_asked_like_those_above() -> None:
    production, far = anomalies()
    blind = large(-production, -np.where(far, production - 2.0, production))
    assert blind.notes[-1].code == "extremes-lost"
    assert "deviations below its mean" in blind.notes[-1].text


def test_anomalies_found_in_other_requests_do_not_pass() -> None:
    production, far = anomalies()
    assert large(production, production + 2.0 * np.roll(far, 1) - 2.0 * far).notes[-1].code == (
        "extremes-lost"
    )
    assert large(production - 2.0 * far, production).notes[-1].code == "extremes-lost"


def test_anomalies_that_both_score_high_pass_whatever_their_size() -> None:
    production, far = anomalies()
    rng = np.random.default_rng(20)
    shadow = production + rng.normal(0, 0.05, production.size) + far * rng.normal(0, 0.2, far.size)
    assert large(production, shadow).outcome is Outcome.PASS


def test_fewer_extremes_than_say_anything_are_not_asked() -> None:
    production, far = anomalies()
    few = far & (np.cumsum(far) <= 12)
    kept = np.where(far & ~few, production - 2.0, production)
    assert large(kept, np.where(few, kept - 2.0, kept)).outcome is Outcome.PASS


def test_some_extremes_apart_wait_for_as_many_as_settle_it() -> None:
    """Two of five: below a half, and with two dozen not for certain."""
    production, far = anomalies(2_400)
    apart = far & (np.cumsum(far) % 5 < 2)
    waits = large(production, np.where(apart, production - 2.0, production))
    assert waits.notes[-1].code == "extremes-lost"
    assert waits.needs is not None
    assert "would settle it" in waits.needs.text
    production, far = anomalies(16_000)
    apart = far & (np.cumsum(far) % 5 < 2)
    assert large(production, np.where(apart, production - 2.0, production)).outcome is Outcome.PASS


def test_what_lies_far_out_is_counted_in_standard_deviations_of_production() -> None:
    rng = np.random.default_rng(21)
    production = rng.normal(50, 10, 10_000)
    shadow = production + rng.normal(0, 12, 10_000)
    counted = Counted.of(facts_between(production, shadow, "regression"))
    assert counted is not None
    one, two = ((x - production.mean()) / production.std() for x in (production, shadow))
    far = np.maximum(one, two) > 3
    assert counted.row["far_above"] == pytest.approx(far.sum(), rel=0.1)
    apart = far & (np.minimum(one, two) < 1.5)
    assert counted.row["far_above_apart"] == pytest.approx(apart.sum(), rel=0.1)
