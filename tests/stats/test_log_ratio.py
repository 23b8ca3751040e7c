"""The weighted log ratio: its estimand, its influence values, and the bounds around it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import signal, stats

from analyzer.stats.boundary import Looks, anytime_multiplier, planned_multiplier
from analyzer.stats.ewc import FloatArray, LongRun, long_run
from analyzer.stats.log_ratio import (
    WeightedLogRatio,
    bounds,
    e_value_at_margin,
    weighted_log_ratio,
)
from tests.examples import examples

SIZE = 480


def traffic(seed: int = 1) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weights, production and a shadow about 5 % slower, minute by minute."""
    rng = np.random.default_rng(seed)
    weights = rng.poisson(60, SIZE).astype(float)
    shared = rng.lognormal(0, 0.1, SIZE)
    production = 100 * shared * rng.lognormal(0, 0.05, SIZE)
    shadow = 105 * shared * rng.lognormal(0, 0.05, SIZE)
    return weights, production, shadow


def measured(
    weights: FloatArray,
    production: FloatArray,
    shadow: FloatArray,
    *,
    period_s: int = 60,
    whole_days: int = 0,
) -> WeightedLogRatio:
    ratio = weighted_log_ratio(
        weights, production, shadow, period_s=period_s, whole_days=whole_days
    )
    assert ratio is not None
    return ratio


def test_identical_series_have_no_effect_and_no_error() -> None:
    weights, production, _ = traffic()
    ratio = measured(weights, production, production)
    assert ratio.theta == 0.0
    assert ratio.long_run.se == 0.0
    assert ratio.long_run.n_eff == SIZE


@pytest.mark.parametrize("factor", [2.0, 1.1, 0.3])
def test_a_constant_factor_is_its_logarithm_without_error(factor: float) -> None:
    weights, production, _ = traffic()
    ratio = measured(weights, production, factor * production)
    assert ratio.theta == pytest.approx(math.log(factor))
    assert ratio.long_run.se == 0.0


def test_swapping_the_variants_negates_the_effect_at_the_same_error() -> None:
    weights, production, shadow = traffic()
    ratio, swapped = measured(weights, production, shadow), measured(weights, shadow, production)
    assert swapped.theta == pytest.approx(-ratio.theta)
    assert swapped.psi == pytest.approx(-ratio.psi)
    assert swapped.long_run.se == pytest.approx(ratio.long_run.se)


def test_levels_are_means_weighted_by_production_traffic() -> None:
    weights, production, shadow = traffic()
    ratio = measured(weights, production, shadow)
    assert ratio.level_production == pytest.approx(np.average(production, weights=weights))
    assert ratio.level_shadow == pytest.approx(np.average(shadow, weights=weights))
    assert ratio.theta == pytest.approx(math.log(ratio.level_shadow / ratio.level_production))
    assert ratio.psi.mean() == pytest.approx(0, abs=1e-15)


def test_the_influence_values_are_the_derivative_of_the_estimate() -> None:
    weights, production, shadow = traffic()
    ratio = measured(weights, production, shadow)
    for i in (0, 17, SIZE - 1):
        raised = weights.copy()
        raised[i] *= 1 + 1e-6
        slope = (measured(raised, production, shadow).theta - ratio.theta) / 1e-6
        assert slope * SIZE == pytest.approx(ratio.psi[i], rel=1e-4)


def test_a_minute_missing_in_either_variant_counts_in_neither() -> None:
    weights, production, shadow = traffic()
    production[40], shadow[90], weights[130] = math.nan, math.nan, 0.0
    ratio = measured(weights, production, shadow)
    kept = np.setdiff1d(np.arange(SIZE), [40, 90, 130])
    assert ratio.level_shadow == pytest.approx(np.average(shadow[kept], weights=weights[kept]))
    assert np.all(ratio.psi[[40, 90, 130]] == 0)
    assert np.isfinite(ratio.psi).all()


def test_a_gap_leaves_the_effect_and_each_minutes_influence_on_it() -> None:
    weights, production, shadow = traffic()
    gap = np.full(120, math.nan)
    whole = measured(weights, production, shadow)
    gapped = measured(
        np.insert(weights, 200, np.zeros(120)),
        np.insert(production, 200, gap),
        np.insert(shadow, 200, gap),
    )
    assert gapped.theta == pytest.approx(whole.theta)
    influence = np.delete(gapped.psi, np.arange(200, 320)) / len(gapped.psi)
    assert influence == pytest.approx(whole.psi / SIZE)
    assert np.all(gapped.psi[200:320] == 0)


def test_changing_sampling_cannot_make_a_difference_by_itself() -> None:
    # Half the day is slow in both variants; an unweighted pooled shadow mean would see a change.
    production = np.repeat([100.0, 300.0], SIZE // 2)
    weights = np.repeat([80.0, 20.0], SIZE // 2)
    assert measured(weights, production, production).theta == 0.0


def test_minutes_are_the_grid_and_coarser_points_their_own_length() -> None:
    weights, production, shadow = traffic()
    shadow[:80] = math.nan
    assert measured(weights, production, shadow).t_minutes == SIZE
    hourly = measured(weights, production, shadow, period_s=3600)
    assert hourly.t_minutes == (SIZE - 80) * 60
    weights[100:110] = 0.0
    idle = measured(weights, production, shadow, period_s=3600)
    assert idle.t_minutes == (SIZE - 90) * 60


def test_over_whole_days_the_daily_rhythm_of_the_effect_is_not_noise() -> None:
    rng = np.random.default_rng(2)
    size = 2 * 1440
    wave = 1 + 0.2 * np.cos(2 * np.pi * np.arange(size) / 1440)
    production = rng.lognormal(4, 0.05, size)
    shadow = rng.lognormal(4, 0.05, size) * wave
    weights = np.full(size, 60.0)
    aware = measured(weights, production, shadow, whole_days=2)
    unaware = measured(weights, production, shadow)
    assert aware.theta == unaware.theta
    assert aware.long_run.se < unaware.long_run.se / 3


def test_nothing_matched_is_nothing_measured() -> None:
    empty, ones = np.full(5, math.nan), np.ones(5)
    assert weighted_log_ratio(ones, empty, ones, period_s=60) is None
    assert weighted_log_ratio(0 * ones, ones, ones, period_s=60) is None
    assert weighted_log_ratio(empty, ones, ones, period_s=60) is None
    assert weighted_log_ratio(ones, 0 * ones, ones, period_s=60) is None
    assert weighted_log_ratio(ones[:0], ones[:0], ones[:0], period_s=60) is None


def test_the_error_matches_repeated_draws() -> None:
    draws = [measured(*traffic(seed)) for seed in range(200)]
    spread = float(np.std([draw.theta for draw in draws]))
    assert np.mean([draw.long_run.se for draw in draws]) == pytest.approx(spread, rel=0.2)


def test_bounds_step_the_multiplier_of_the_way_of_looking() -> None:
    noise = LongRun(se=0.01, nu=51, n_eff=300.0)
    anytime = bounds(0.02, noise, 1440, alpha_lower=0.005, alpha_upper=0.05)
    assert anytime == pytest.approx(
        (
            0.02 - 0.01 * anytime_multiplier(0.005, 1440, nu=51),
            0.02 + 0.01 * anytime_multiplier(0.05, 1440, nu=51),
        )
    )
    fixed = bounds(0.02, noise, 1440, alpha_lower=0.05, alpha_upper=0.05, mode="fixed")
    step = 0.01 * float(stats.t.isf(0.05, 51))
    assert fixed == pytest.approx((0.02 - step, 0.02 + step))
    planned = bounds(
        0.02, noise, 1440, alpha_lower=0.05, alpha_upper=0.05, mode="planned", horizon_minutes=2880
    )
    step = 0.01 * planned_multiplier(0.05, 0.5, 51)
    assert planned == pytest.approx((0.02 - step, 0.02 + step))


def test_fewer_than_ten_independent_points_have_no_bounds_and_no_e_value() -> None:
    noise = LongRun(se=0.01, nu=4, n_eff=9.99)
    assert bounds(0.0, noise, 600, alpha_lower=0.05, alpha_upper=0.05) is None
    assert e_value_at_margin(0.0, 0.1, noise, 600, alpha=0.05) is None


def test_the_e_value_says_the_same_as_the_upper_bound() -> None:
    noise = LongRun(se=0.01, nu=20, n_eff=100.0)
    for theta in np.linspace(0, 0.1, 201):
        interval = bounds(float(theta), noise, 720, alpha_lower=0.05, alpha_upper=0.05)
        value = e_value_at_margin(float(theta), math.log(1.1), noise, 720, alpha=0.05)
        assert interval is not None
        assert value is not None
        assert (value >= 20) == (interval[1] < math.log(1.1))


def test_without_noise_the_estimate_decides() -> None:
    noise = LongRun(se=0.0, nu=51, n_eff=1440.0)
    assert bounds(0.02, noise, 1440, alpha_lower=0.05, alpha_upper=0.05) == (0.02, 0.02)
    assert e_value_at_margin(0.02, 0.1, noise, 1440, alpha=0.05) == 1e300
    assert e_value_at_margin(0.1, 0.1, noise, 1440, alpha=0.05) == 0.0


def test_sigma_is_the_noise_of_one_minute() -> None:
    ratio = measured(*traffic())
    assert ratio.sigma_lr == pytest.approx(ratio.long_run.se * math.sqrt(SIZE))


def test_planned_bounds_of_correlated_minutes_hold_up_to_the_horizon_and_fixed_do_not() -> None:
    """At the margin, looked at every six hours of seven days, with autocorrelation 0.8."""
    rng, runs, horizon = np.random.default_rng(7), examples(20, whole=80), 7 * 1440
    modes: tuple[Looks, ...] = ("planned", "fixed")
    passed = dict.fromkeys(modes, 0)
    for _ in range(runs):
        psi = signal.lfilter([0.1], [1, -0.8], rng.normal(size=horizon + 500))[500:]
        cleared = dict.fromkeys(passed, False)
        for t in range(360, horizon + 1, 360):
            theta, noise = float(psi[:t].mean()), long_run(psi[:t] - psi[:t].mean(), period_s=60)
            for mode in modes:
                found = bounds(
                    theta,
                    noise,
                    t,
                    alpha_lower=0.05,
                    alpha_upper=0.05,
                    mode=mode,
                    horizon_minutes=horizon,
                )
                cleared[mode] |= found is not None and found[1] < 0
        for mode in modes:
            passed[mode] += cleared[mode]
    assert passed["planned"] <= stats.binom.ppf(0.999, runs, 0.05)
    assert passed["fixed"] > 0.1 * runs
