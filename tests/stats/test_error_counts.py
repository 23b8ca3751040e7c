"""Error shares from counts per minute: bursts, looks, zeros and gaps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from analyzer.stats.boundary import anytime_multiplier
from analyzer.stats.error_counts import ErrorDifference, miettinen_nurminen_bounds
from analyzer.stats.proportions import miettinen_nurminen
from tests.examples import examples

if TYPE_CHECKING:
    from analyzer.stats.ewc import FloatArray

DAY = 1440


def minutes(value: float = 60.0, size: int = DAY) -> FloatArray:
    return np.full(size, float(value))


def failures(rng: np.random.Generator, invocations: int, share: float) -> FloatArray:
    """Independent failures in each minute of a day."""
    return rng.binomial(invocations, share, DAY).astype(np.float64)


def judged(
    errors_production: FloatArray,
    errors_shadow: FloatArray,
    n_production: FloatArray,
    n_shadow: FloatArray,
    *,
    alpha: float = 0.05,
    whole_days: int = 0,
    fixed: bool = False,
) -> ErrorDifference:
    result = miettinen_nurminen_bounds(
        errors_production,
        errors_shadow,
        n_production,
        n_shadow,
        alpha_lower=alpha,
        alpha_upper=alpha,
        t_minutes=len(n_production),
        whole_days=whole_days,
        mode="fixed" if fixed else "anytime",
    )
    assert result is not None
    return result


def bounded(result: ErrorDifference) -> tuple[float, float]:
    assert result.lower is not None
    assert result.upper is not None
    return result.lower, result.upper


def test_zero_errors_give_a_finite_interval_on_the_price_of_looking_alone() -> None:
    result = judged(minutes(0), minutes(0), minutes(), minutes(30))
    price = (anytime_multiplier(0.05, DAY, nu=51) / float(stats.norm.isf(0.05))) ** 2
    expected = miettinen_nurminen(0, 30 * DAY / price, 0, 60 * DAY / price, 0.9)
    assert (result.estimate, result.deff, result.nu) == (0.0, 1.0, 51)
    assert bounded(result) == pytest.approx(expected)


def test_any_error_halves_what_the_counts_are_worth() -> None:
    errors = minutes(0)
    errors[[100, 900]] = 1
    result = judged(minutes(0), errors, minutes(), minutes())
    assert result.deff == 2.0
    price = 2 * (anytime_multiplier(0.05, DAY, nu=51) / float(stats.norm.isf(0.05))) ** 2
    n = 60 * DAY / price
    assert bounded(result) == pytest.approx(miettinen_nurminen(2 / price, n, 0, n, 0.9))


def test_independent_errors_have_a_measured_design_effect_near_one() -> None:
    rng = np.random.default_rng(1)
    n = minutes(6000)
    result = judged(failures(rng, 6000, 0.01), failures(rng, 6000, 0.01), n, n)
    assert result.deff == 2.0
    assert result.n_eff > 20


def test_bursts_widen_the_interval_by_their_clustering() -> None:
    rng = np.random.default_rng(2)
    scattered, bursty = minutes(0), minutes(0)
    scattered[rng.choice(DAY, 300, replace=False)] = 1
    for start in rng.choice(DAY // 5, 5, replace=False) * 5:
        bursty[start : start + 5] = 12
    assert scattered.sum() == bursty.sum()
    calm = judged(minutes(0), scattered, minutes(), minutes())
    wild = judged(minutes(0), bursty, minutes(), minutes())
    assert wild.estimate == calm.estimate
    assert wild.deff > 10 > calm.deff
    assert bounded(wild)[1] > bounded(calm)[1]
    assert bounded(wild)[0] < bounded(calm)[0]


def test_bursts_shared_by_both_variants_cancel() -> None:
    burst = minutes(0)
    for start in (200, 600, 1100):
        burst[start : start + 5] = 6
    shared = judged(burst, burst, minutes(), minutes())
    alone = judged(minutes(0), burst, minutes(), minutes())
    assert (shared.estimate, shared.deff) == (0.0, 2.0)
    assert alone.deff > 5


def test_changing_traffic_is_no_burst() -> None:
    traffic = np.array([100.0 + 50 * math.sin(minute / 200) for minute in range(DAY)])
    result = judged(0.02 * traffic, 0.3 * traffic, traffic, traffic)
    assert result.estimate == pytest.approx(0.28)
    assert result.deff == 2.0


def test_swapping_the_variants_negates_everything() -> None:
    rng = np.random.default_rng(3)
    e_p, e_s = failures(rng, 60, 0.01), failures(rng, 30, 0.02)
    there, back = judged(e_p, e_s, minutes(), minutes(30)), judged(e_s, e_p, minutes(30), minutes())
    assert back.estimate == pytest.approx(-there.estimate)
    lower, upper = bounded(there)
    assert bounded(back) == pytest.approx((-upper, -lower), abs=1e-9)
    assert back.deff == pytest.approx(there.deff)


def test_the_design_effect_is_the_long_run_variance_over_the_binomial_one() -> None:
    errors = minutes(0)
    errors[::10] = 3
    errors[700:720] = 20
    n = minutes()
    result = judged(minutes(0), errors, n, n, fixed=True)
    share = errors.sum() / n.sum()
    psi = DAY * (errors - share * n) / n.sum()
    t = np.arange(DAY)
    cosines = [
        math.sqrt(2 / DAY) * float(psi @ np.cos(math.pi * j * (t + 0.5) / DAY))
        for j in range(1, 52)
    ]
    ewc_variance = float(np.mean(np.square(cosines))) / DAY
    binomial = share * (1 - share) / n.sum()
    assert result.deff >= ewc_variance / binomial * (1 - 1e-12)
    assert result.deff < 3 * ewc_variance / binomial


def test_a_minute_missing_in_any_series_counts_in_none() -> None:
    e_p, e_s, n_p, n_s = minutes(1), minutes(0), minutes(), minutes()
    e_s[5], n_p[6] = math.nan, math.nan
    e_s[7] = 2
    result = judged(e_p, e_s, n_p, n_s)
    assert result.p_production == pytest.approx(1 / 60)
    assert result.p_shadow == pytest.approx(2 / (60 * (DAY - 2)))


def test_no_invocations_are_no_measurement() -> None:
    for n_p, n_s in [(0.0, 60.0), (60.0, 0.0), (math.nan, 60.0)]:
        result = miettinen_nurminen_bounds(
            minutes(0),
            minutes(0),
            minutes(n_p),
            minutes(n_s),
            alpha_lower=0.05,
            alpha_upper=0.05,
            t_minutes=DAY,
        )
        assert result is None


def test_too_few_minutes_have_an_estimate_but_no_bounds() -> None:
    result = judged(minutes(0, 8), minutes(1, 8), minutes(size=8), minutes(size=8))
    assert result.estimate == pytest.approx(1 / 60)
    assert result.lower is None
    assert result.upper is None


def test_a_variant_that_always_fails_is_clearly_worse() -> None:
    result = judged(minutes(0), minutes(60), minutes(), minutes())
    assert result.estimate == 1.0
    assert bounded(result)[0] > 0.99
    both = judged(minutes(60), minutes(60), minutes(), minutes())
    assert both.estimate == 0.0
    assert bounded(both)[0] < 0 < bounded(both)[1]


def test_each_bound_has_its_own_level() -> None:
    errors = minutes(0)
    errors[::100] = 1
    series = (minutes(0), errors, minutes(), minutes())
    strict, loose = judged(*series, alpha=0.005), judged(*series, alpha=0.05)
    mixed = miettinen_nurminen_bounds(*series, alpha_lower=0.005, alpha_upper=0.05, t_minutes=DAY)
    assert mixed is not None
    assert (mixed.lower, mixed.upper) == (strict.lower, loose.upper)
    assert bounded(strict)[0] < bounded(loose)[0]


def test_reading_once_is_tighter_than_reading_at_any_time() -> None:
    errors = minutes(0)
    errors[::50] = 1
    series = (minutes(0), errors, minutes(), minutes())
    once, any_time = bounded(judged(*series, fixed=True)), bounded(judged(*series))
    assert any_time[0] < once[0] < once[1] < any_time[1]


def test_over_whole_days_a_daily_rhythm_of_errors_is_no_burst() -> None:
    size = 2 * DAY
    wave = [10 + 9 * math.cos(2 * math.pi * minute / DAY) for minute in range(size)]
    series = (minutes(0, size), np.array(wave), minutes(size=size), minutes(size=size))
    assert judged(*series, whole_days=2).deff == 2.0
    assert judged(*series).deff > 20


def test_coarser_points_are_not_looked_at_in_blocks_of_minutes() -> None:
    errors = failures(np.random.default_rng(6), 60, 0.05)[:200]
    series = (minutes(0, 200), errors, minutes(size=200), minutes(size=200))
    hourly = miettinen_nurminen_bounds(
        *series, alpha_lower=0.05, alpha_upper=0.05, t_minutes=12_000, period_s=3600
    )
    assert hourly is not None
    assert hourly.n_eff > 100 > judged(*series).n_eff


def test_more_errors_than_invocations_are_refused() -> None:
    with pytest.raises(ValueError, match="events"):
        judged(minutes(0), minutes(61), minutes(), minutes())


def test_a_rise_exactly_at_the_margin_is_rarely_cleared() -> None:
    rng = np.random.default_rng(4)
    runs, margin, cleared, cleared_equal = examples(80, whole=150), 0.001, 0, 0
    n_p, n_s = minutes(), minutes(30)
    for _ in range(runs):
        e_p = failures(rng, 60, 0.001)
        harmful = judged(e_p, failures(rng, 30, 0.001 + margin), n_p, n_s, fixed=True)
        equal = judged(e_p, failures(rng, 30, 0.001), n_p, n_s, fixed=True)
        cleared += bounded(harmful)[1] < margin
        cleared_equal += bounded(equal)[1] < margin
    assert cleared <= stats.binom.ppf(0.999, runs, 0.05)
    assert cleared_equal > 0.95 * runs
