"""Error shares: counted minute by minute, and never zero for want of a series."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from analyzer.metrics.error_rate import score
from analyzer.metrics.error_series import Totals
from analyzer.model import Outcome
from analyzer.stats.proportions import miettinen_nurminen
from tests.metrics.points import (
    FIVE_XX,
    MODEL,
    START,
    Shadow,
    assess,
    facts_of,
    shadow_test,
    without,
)

if TYPE_CHECKING:
    from analyzer.model import Evidence


def failing(share: float, days: float = 3, **test_options: float) -> Shadow:
    """A test whose shadow answers this share of its requests with a 5XX."""
    test = shadow_test(days, **test_options)  # type: ignore[arg-type]
    errors = test.rng.binomial(test.shadow.counts.astype(int), share).astype(float)
    test.shadow.errors[FIVE_XX] = errors
    return test


def test_one_percent_more_errors_fail() -> None:
    item = assess(failing(0.01).facts(), "error_5xx_rate")
    assert item.outcome is Outcome.FAIL
    assert item.shadow == pytest.approx(0.01, rel=0.1)


def test_a_few_errors_more_within_the_margin_pass() -> None:
    item = assess(failing(0.0002).facts(), "error_5xx_rate")
    assert item.outcome is Outcome.PASS
    assert item.n.production is not None
    assert item.n.production > 200_000
    assert item.effect is not None
    assert item.effect.lower is not None
    assert item.effect.lower > 0
    assert [note.code for note in item.notes] == ["higher-within-margin"]


def test_errors_of_the_last_day_alone_above_the_margin_do_not_pass() -> None:
    """Twice as many as may fail, after thirteen days of hardly any."""
    test = failing(0.0001, 14)
    day = slice(-1440, None)
    errors = test.shadow.errors[FIVE_XX]
    errors[day] = test.rng.binomial(test.shadow.counts[day].astype(int), 0.002)
    item = assess(test.facts(), "error_5xx_rate")
    assert (item.outcome, item.notes[-1].code) == (Outcome.UNRESOLVED, "worse-lately")
    assert item.notes[-1].text.startswith("of the last 24 hours alone it is +0.1")
    assert item.effect is not None
    assert item.effect.estimate is not None
    assert item.effect.estimate < 0.0003
    assert item.effect.upper is None
    errors[:1440], errors[day] = errors[day].copy(), errors[:1440].copy()
    assert assess(test.facts(), "error_5xx_rate").outcome is Outcome.PASS


def test_no_error_at_all_does_not_pass_on_too_few_requests() -> None:
    item = assess(shadow_test(3, per_minute=1).facts(), "error_5xx_rate")
    assert item.outcome is Outcome.UNRESOLVED
    assert item.needs is not None
    assert item.needs.minutes is not None
    assert item.needs.minutes > 3 * 1440
    assert item.needs.minutes % 1440 == 0


@pytest.mark.parametrize("role", ["production", "shadow", None])
def test_a_missing_error_series_is_unresolved_and_never_zero(role: str | None) -> None:
    facts = facts_of(without(shadow_test(3).points(), FIVE_XX, role))
    item = assess(facts, "error_5xx_rate")
    assert item.outcome is Outcome.UNRESOLVED
    assert item.shadow is None
    assert item.notes[-1].code == "error-series-missing"
    assert item.needs is not None
    assert FIVE_XX in item.needs.text


@pytest.mark.parametrize("role", ["production", "shadow"])
@pytest.mark.parametrize(("gap_minutes", "known"), [(40, True), (60, False)])
def test_gaps_in_an_error_series_beyond_one_percent_are_unresolved(
    role: str, gap_minutes: int, *, known: bool
) -> None:
    test = shadow_test(3)
    errors = np.zeros(test.minutes)
    errors[100 : 100 + gap_minutes] = np.nan
    getattr(test, role).errors[FIVE_XX] = errors
    item = assess(test.facts(), "error_5xx_rate")
    assert (item.outcome is Outcome.PASS) == known
    assert known or item.notes[-1].code == "error-series-gaps"


@pytest.mark.parametrize("role", ["production", "shadow"])
def test_errors_without_invocations_have_no_denominator(role: str) -> None:
    facts = facts_of(without(shadow_test(3).points(), "Invocations", role))
    item = assess(facts, "error_5xx_rate")
    assert item.outcome is Outcome.UNRESOLVED
    assert item.notes[-1].code == "not-exported"


def test_more_errors_than_invocations_is_a_contradiction_not_a_rate() -> None:
    test = shadow_test(1)
    test.shadow.errors[FIVE_XX] = 2 * test.shadow.counts
    item = assess(test.facts(), "error_5xx_rate")
    assert item.outcome is Outcome.UNRESOLVED
    assert item.notes[-1].code == "error-count-implausible"


def timed(shares: dict[str, float], errors: float = 0.0) -> Evidence:
    """Model errors where so many of each variant's requests have a latency sample."""
    test = failing(errors, days=1)
    for side in (test.production, test.shadow):
        side.errors[MODEL] = np.round(side.counts * errors)
    samples = (pl.col("stat") == "SampleCount") & (pl.col("period_s") == 60)
    share = pl.col("role").replace_strict(shares, return_dtype=pl.Float64)
    points = test.points().with_columns(
        value=pl.when(samples).then(pl.col("value") * share).otherwise(pl.col("value"))
    )
    return assess(facts_of(points, end=START + timedelta(days=1)), "model_error_rate")


def test_requests_without_latency_or_error_contradict_the_error_count() -> None:
    item = timed({"production": 1.0, "shadow": 0.99})
    assert item.outcome is Outcome.UNRESOLVED
    assert item.notes[-1].code == "requests-untimed"
    assert "1.00 % of the shadow's requests are neither timed nor counted" in item.notes[-1].text


@pytest.mark.parametrize(
    ("production", "shadow", "errors"),
    [
        (1.0, 0.9995, 0.0),  # within what late samples may be
        (0.97, 0.97, 0.0),  # how this endpoint counts
        (0.97, 1.0, 0.0),
        (1.0, 1.0, 0.02),  # failed requests are timed, too
        (0.98, 0.98, 0.02),  # failed requests are not timed
    ],
)
def test_requests_without_latency_in_both_variants_say_nothing(
    production: float, shadow: float, errors: float
) -> None:
    item = timed({"production": production, "shadow": shadow}, errors)
    assert item.effect is not None
    assert "requests-untimed" not in {note.code for note in item.notes}


def test_average_times_requests_stands_in_for_a_missing_sum() -> None:
    test = failing(0.01, days=1)
    points = test.points()
    sums = (pl.col("metric_name") == FIVE_XX) & (pl.col("stat") == "Sum")
    counts = points.filter(pl.col("metric_name") == "Invocations").select(
        "role", "timestamp", n="value"
    )
    averages = (
        points.filter(sums)
        .join(counts, on=["role", "timestamp"])
        .with_columns(value=pl.col("value") / pl.col("n"), stat=pl.lit("Average"))
        .drop("n")
    )
    end = START + timedelta(days=1)
    there = assess(facts_of(points, end=end), "error_5xx_rate")
    back = assess(facts_of(pl.concat([points.filter(~sums), averages]), end=end), "error_5xx_rate")
    assert there == back


def test_model_errors_are_derived_from_untimed_invocations() -> None:
    test = shadow_test(3)
    timed = pl.col("stat") == "SampleCount"
    points = without(test.points(), MODEL).with_columns(
        value=pl.when(timed & (pl.col("role") == "shadow"))
        .then((pl.col("value") * 0.97).floor())
        .otherwise(pl.col("value"))
    )
    item = assess(facts_of(points), "model_error_rate")
    assert item.outcome is Outcome.FAIL
    assert item.shadow == pytest.approx(0.037, abs=0.008)
    assert item.notes[0].code == "model-errors-derived"


def test_a_request_timed_in_the_next_minute_is_no_error() -> None:
    test = shadow_test(3)
    points = without(test.points(), MODEL)
    late = test.rng.binomial(test.shadow.counts.astype(int), 0.1)
    samples = test.shadow.counts - late + np.concatenate(([0], late[:-1]))
    is_sample = (pl.col("stat") == "SampleCount") & (pl.col("role") == "shadow")
    moved = points.filter(is_sample).with_columns(value=pl.Series(samples))
    item = assess(facts_of(pl.concat([points.filter(~is_sample), moved])), "model_error_rate")
    assert item.outcome is Outcome.PASS
    assert item.shadow is not None
    assert item.shadow < 0.0002


def test_a_shadow_that_times_nothing_for_an_hour_has_failed_for_an_hour() -> None:
    test = shadow_test(3)
    points = without(test.points(), MODEL)
    hour = pl.col("timestamp").is_between(START, START + timedelta(minutes=59))
    silent = (pl.col("stat") == "SampleCount") & (pl.col("role") == "shadow") & hour
    item = assess(facts_of(points.filter(~silent)), "model_error_rate")
    assert item.shadow is not None
    assert item.shadow > 0.01
    assert item.outcome is not Outcome.PASS


def test_samples_beyond_the_invocations_hide_no_later_errors() -> None:
    """Five percent too many samples on the first day, four percent lost on the last."""
    points = without(shadow_test(3).points(), MODEL)
    day = pl.col("timestamp").dt.day() - START.day
    factor = pl.when(day == 0).then(1.05).when(day == 2).then(0.96).otherwise(1.0)
    timed = (pl.col("stat") == "SampleCount") & (pl.col("role") == "shadow")
    points = points.with_columns(
        value=pl.when(timed).then(pl.col("value") * factor).otherwise(pl.col("value"))
    )
    item = assess(facts_of(points), "model_error_rate")
    assert item.outcome is Outcome.UNRESOLVED
    assert item.effect is None


def test_model_errors_of_one_side_only_are_not_derived() -> None:
    facts = facts_of(without(shadow_test(1).points(), MODEL, "shadow"))
    item = assess(facts, "model_error_rate")
    assert item.outcome is Outcome.UNRESOLVED
    assert item.notes[-1].code == "error-series-missing"


def test_a_burst_widens_the_interval_more_than_the_same_errors_spread() -> None:
    spread, burst = shadow_test(3), shadow_test(3)
    spread.shadow.errors[FIVE_XX] = np.zeros(spread.minutes)
    spread.shadow.errors[FIVE_XX][::72] = 5
    burst.shadow.errors[FIVE_XX] = np.zeros(burst.minutes)
    burst.shadow.errors[FIVE_XX][1000:1010] = 30
    there = assess(spread.facts(), "error_5xx_rate")
    bursty = assess(burst.facts(), "error_5xx_rate")
    assert there.shadow == bursty.shadow
    assert there.effect is not None
    assert bursty.effect is not None
    assert there.effect.upper is not None
    assert bursty.effect.upper is not None
    assert bursty.effect.upper > there.effect.upper


def test_a_clean_part_of_a_day_does_not_narrow_the_upper_bound() -> None:
    test = failing(0.0006, days=2.6)
    test.shadow.errors[FIVE_XX][2 * 1440 :] = 0.0
    days = assess(facts_of(test.points(), end=START + timedelta(days=2)), "error_5xx_rate")
    longer = assess(test.facts(), "error_5xx_rate")
    assert days.effect is not None
    assert days.effect.estimate is not None
    assert longer.effect is not None
    assert longer.effect.estimate is not None
    assert longer.effect.estimate < days.effect.estimate
    assert longer.effect.upper == days.effect.upper


def test_more_shadow_errors_never_improve_the_outcome() -> None:
    order = {Outcome.PASS: 0, Outcome.UNRESOLVED: 1, Outcome.FAIL: 2}
    shares = (0, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02)
    outcomes = [order[assess(failing(s, days=1).facts(), "error_5xx_rate").outcome] for s in shares]
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {0, 1, 2}


def test_the_score_inverts_the_interval() -> None:
    counts = Totals(6, 12, 80_000, 40_000)
    upper = miettinen_nurminen(12, 40_000, 6, 80_000, 0.95)[1]
    assert score(counts, upper) == pytest.approx(1.959964, abs=1e-4)
    assert score(counts, 0.0001) == pytest.approx(0, abs=1e-6)
