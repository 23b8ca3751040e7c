"""The standard error of a mean under noise whose true standard error is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import fft, stats

from analyzer.stats.ewc import FloatArray, LongRun, _cosines, day_stability, long_run

DAY = 1440


def autoregression(rho: float, size: int, seed: int) -> FloatArray:
    """AR(1) noise with unit innovations, after a burn-in."""
    noise = np.random.default_rng(seed).normal(size=size + 500)
    series = np.empty_like(noise)
    state = 0.0
    for i, shock in enumerate(noise):
        state = rho * state + shock
        series[i] = state
    return series[500:]


def daily_wave(days: int, period_s: int = 60, shift: float = 0.7) -> FloatArray:
    per_day = 86_400 // period_s
    wave: FloatArray = np.cos(2 * np.pi * np.arange(days * per_day) / per_day + shift)
    return wave


def brute_force_cosine_se(psi: FloatArray, nu: int) -> float:
    """EWC from its definition, one cosine at a time."""
    size = len(psi)
    t = np.arange(size)
    weights = [
        math.sqrt(2 / size) * float(np.sum(psi * np.cos(math.pi * j * (t + 0.5) / size)))
        for j in range(1, nu + 1)
    ]
    return math.sqrt(float(np.mean(np.square(weights))) / size)


def test_white_noise_has_the_textbook_standard_error() -> None:
    ratios = []
    for seed in range(10):
        psi = np.random.default_rng(seed).normal(size=7 * DAY)
        ratios.append(long_run(psi, period_s=3600).se / (psi.std() / math.sqrt(len(psi))))
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("rho", [0.5, 0.8, 0.95])
def test_autocorrelated_noise_has_its_long_run_standard_error_or_a_little_more(rho: float) -> None:
    size = 7 * DAY
    truth = 1 / (1 - rho) / math.sqrt(size)
    mean = np.mean([long_run(autoregression(rho, size, s), period_s=60).se for s in range(8)])
    assert 0.95 * truth < mean < 1.45 * truth


def test_cosines_are_those_of_the_definition() -> None:
    psi = np.random.default_rng(3).normal(size=200)
    # Negative autocorrelation leaves the guard at the white-noise error, below the cosines here.
    psi = psi + 3 * np.linspace(-1, 1, 200)
    estimate = long_run(psi, period_s=3600)
    assert estimate.nu == math.floor(0.4 * 200 ** (2 / 3)) == 13
    expected = brute_force_cosine_se(psi - psi.mean(), 13)
    r1 = float(np.corrcoef(psi[1:], psi[:-1])[0, 1])
    guard = math.sqrt(psi.var() / 200 * (1 + r1) / (1 - r1))
    assert expected > guard
    assert estimate.se == pytest.approx(expected)


@pytest.mark.parametrize("size", [2, 5, 64, 101, 1_440])
def test_cosines_are_those_of_scipy(size: int) -> None:
    series = np.random.default_rng(size).normal(size=size)
    expected = fft.dct(series, type=2, norm="ortho")
    np.testing.assert_allclose(_cosines(series)[1:], expected[1:], rtol=1e-12, atol=1e-12)


def test_the_guard_takes_over_where_cosines_are_blind() -> None:
    psi = np.tile(np.repeat([1.0, -1.0], 3), 200)  # all variance far above the slow cosines
    estimate = long_run(psi, period_s=3600)
    size = len(psi)
    r1 = float(psi[1:] @ psi[:-1]) / size
    r = r1 + (1 + 3 * r1) / size
    assert estimate.se == pytest.approx(math.sqrt((1 + r) / (1 - r) / size))
    assert estimate.n_eff == pytest.approx(size * (1 - r) / (1 + r))


def test_the_guard_looks_at_five_and_thirty_minutes_of_minute_series_only() -> None:
    blocks = np.repeat(autoregression(0.9, 96, seed=1), 30)
    noise = 4 * np.random.default_rng(1).normal(size=len(blocks))
    psi = blocks + noise
    minutes, other = long_run(psi, period_s=60), long_run(psi, period_s=300)
    assert minutes.n_eff < 20
    assert other.n_eff > 100
    assert minutes.se > other.se


def test_thirty_minute_persistence_is_judged_from_one_day_on() -> None:
    psi = np.repeat(autoregression(0.9, 48, seed=2), 30)
    psi = psi + 4 * np.random.default_rng(2).normal(size=DAY)
    assert long_run(psi, period_s=60).n_eff < 48
    assert long_run(psi[:-1], period_s=60).n_eff > 48


def test_five_minute_persistence_is_judged_below_one_day() -> None:
    psi = np.random.default_rng(14).normal(size=600)
    estimate = long_run(psi, period_s=60)
    blocks = psi.reshape(120, 5).mean(axis=1)
    blocks = blocks - blocks.mean()
    r1 = float(blocks[1:] @ blocks[:-1]) / float(blocks @ blocks)
    r = max(r1 + (1 + 3 * r1) / 120, 0.0)
    assert estimate.n_eff == pytest.approx(120 * (1 - r) / (1 + r))


def test_persistence_is_capped_so_that_a_long_ramp_is_worth_something() -> None:
    estimate = long_run(np.linspace(-1, 1, 10_000), period_s=3600)
    assert estimate.n_eff == pytest.approx(10_000 * 0.01 / 1.99)


def test_a_random_walk_leaves_too_few_independent_points_for_an_interval() -> None:
    walk = np.random.default_rng(4).normal(size=DAY).cumsum()
    estimate = long_run(walk, period_s=60)
    assert estimate.n_eff < 10
    assert not estimate.has_interval


def test_an_hour_of_independent_minutes_has_an_interval() -> None:
    steady = [long_run(np.random.default_rng(s).normal(size=90), period_s=60) for s in range(20)]
    assert sum(estimate.has_interval for estimate in steady) >= 10
    assert not long_run(np.random.default_rng(5).normal(size=9), period_s=60).has_interval


def test_ten_independent_points_are_enough_for_an_interval() -> None:
    assert LongRun(se=0.1, nu=4, n_eff=10.0).has_interval
    assert not LongRun(se=0.1, nu=4, n_eff=9.999).has_interval


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3])
def test_a_constant_series_has_no_error(value: float) -> None:
    estimate = long_run(np.full(200, value), period_s=60)
    assert (estimate.se, estimate.n_eff) == (0.0, 200.0)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 7])
def test_the_shortest_series_have_no_interval_and_no_nan(size: int) -> None:
    estimate = long_run(np.random.default_rng(size).normal(size=size), period_s=60)
    assert math.isfinite(estimate.se)
    assert estimate.nu >= 1
    assert not estimate.has_interval


@pytest.mark.parametrize(
    ("period_s", "days", "nu"),
    [(60, 0, 51), (60, 1, 51), (300, 7, 13), (3600, 1, 4), (3600, 3, 5), (21_600, 2, 3)],
)
def test_degrees_of_freedom_follow_the_length(period_s: int, days: int, nu: int) -> None:
    size = max(days, 1) * 86_400 // period_s
    psi = np.random.default_rng(6).normal(size=size)
    assert long_run(psi, period_s=period_s, whole_days=days).nu == nu


@pytest.mark.parametrize("period_s", [60, 300, 3600])
def test_over_whole_days_the_daily_wave_is_not_noise(period_s: int) -> None:
    days = 3
    noise = np.random.default_rng(8).normal(size=days * 86_400 // period_s)
    with_wave = noise + 5 * daily_wave(days, period_s)
    plain = long_run(noise, period_s=period_s, whole_days=days)
    waved = long_run(with_wave, period_s=period_s, whole_days=days)
    assert waved.se == pytest.approx(plain.se)
    assert waved.n_eff == pytest.approx(plain.n_eff)
    assert long_run(with_wave, period_s=period_s).se > 3 * plain.se


def test_a_pure_daily_wave_leaves_nothing_over_whole_days() -> None:
    estimate = long_run(daily_wave(2), period_s=60, whole_days=2)
    assert (estimate.se, estimate.n_eff) == (0.0, 2.0 * DAY)


def test_a_wave_over_one_day_stays_noise() -> None:
    psi = daily_wave(1) + np.random.default_rng(9).normal(size=DAY)
    assert long_run(psi, period_s=60, whole_days=1) == long_run(psi, period_s=60)


@pytest.mark.parametrize(("size", "period_s"), [(2 * DAY - 1, 60), (48, 60), (4, 43_200)])
def test_a_series_that_is_not_whole_days_is_refused(size: int, period_s: int) -> None:
    with pytest.raises(ValueError, match="2 days"):
        long_run(np.arange(size, dtype=float), period_s=period_s, whole_days=2)


def test_scale_sign_and_shift_pass_through() -> None:
    psi = autoregression(0.6, 600, seed=10)
    base = long_run(psi, period_s=60)
    moved = long_run(5 - 3 * psi, period_s=60)
    assert moved.se == pytest.approx(3 * base.se)
    assert moved.n_eff == pytest.approx(base.n_eff)


def test_the_series_given_is_not_changed() -> None:
    psi = daily_wave(2) + 1
    before = psi.copy()
    long_run(psi, period_s=60, whole_days=2)
    day_stability(psi, period_s=60)
    assert np.array_equal(psi, before)


def test_the_fixed_interval_covers_an_autocorrelated_mean() -> None:
    runs, missed = 300, 0
    for seed in range(runs):
        psi = autoregression(0.8, 720, seed=1000 + seed)
        estimate = long_run(psi, period_s=60)
        missed += float(psi.mean()) > float(stats.t.isf(0.05, estimate.nu)) * estimate.se
    assert missed <= stats.binom.ppf(0.999, runs, 0.05)


def test_steady_days_are_rarely_called_unstable() -> None:
    runs, called = 100, 0
    for seed in range(runs):
        psi = autoregression(0.5, 3 * DAY, seed=2000 + seed)
        called += day_stability(psi, period_s=60)[1] <= 0.01
    assert called <= stats.binom.ppf(0.999, runs, 0.01)


def test_an_effect_that_drifts_from_day_to_day_is_unstable() -> None:
    psi = autoregression(0.8, 4 * DAY, seed=11) + np.repeat([0.0, 0.3, 0.6, 0.9], DAY)
    statistic, p_value, days = day_stability(psi, period_s=60)
    assert days == 4
    assert 1e-12 < p_value < 0.01
    assert p_value == pytest.approx(float(stats.chi2.sf(statistic, 3)), rel=1e-6, abs=0)


def test_a_daily_wave_alone_does_not_make_days_unstable() -> None:
    noise = np.random.default_rng(12).normal(size=3 * DAY)
    plain = day_stability(noise, period_s=60)
    waved = day_stability(noise + 10 * daily_wave(3), period_s=60)
    assert waved == pytest.approx(plain)


def test_the_stability_statistic_is_the_one_defined() -> None:
    psi = np.random.default_rng(13).normal(size=3 * DAY)
    t = np.arange(len(psi))
    basis = np.column_stack(
        [np.ones(len(psi)), np.cos(2 * np.pi * t / DAY), np.sin(2 * np.pi * t / DAY)]
    )
    rest = psi - basis @ np.linalg.lstsq(basis, psi, rcond=None)[0]
    variance = np.mean([long_run(day, period_s=60).se ** 2 for day in rest.reshape(3, -1)])
    means = psi.reshape(3, -1).mean(axis=1)
    expected = float(((means - means.mean()) ** 2).sum() / variance)
    assert day_stability(psi, period_s=60)[0] == pytest.approx(expected)


def test_one_day_says_nothing_about_stability() -> None:
    assert day_stability(np.ones(DAY), period_s=60) == (0.0, 1.0, 1)
    assert day_stability(np.zeros(0), period_s=60) == (0.0, 1.0, 0)


def test_days_without_noise_are_stable_only_when_equal() -> None:
    assert day_stability(np.zeros(3 * DAY), period_s=60) == (0.0, 1.0, 3)
    statistic, p_value, _ = day_stability(np.repeat([0.0, 1.0], 24), period_s=3600)
    assert math.isfinite(statistic)
    assert p_value < 0.01


def test_stability_of_a_broken_day_is_refused() -> None:
    with pytest.raises(ValueError, match="whole days"):
        day_stability(np.zeros(DAY + 1), period_s=60)


def test_a_missing_point_must_have_been_set_to_zero() -> None:
    with pytest.raises(ValueError, match="missing"):
        long_run(np.array([0.1, math.nan, 0.2]), period_s=60)
