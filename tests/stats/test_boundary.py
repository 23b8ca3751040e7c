"""Boundaries against confseq's compiled numbers, simulation, and their own definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from analyzer.stats.boundary import (
    MAX_E_VALUE,
    Looking,
    anytime_e_value,
    anytime_multiplier,
    anytime_p_value,
    fixed_multiplier,
    minutes_needed,
    multiplier,
    planned_multiplier,
)

# confseq's one-sided and two-sided normal mixture bounds, v_opt = 360, alpha_opt = alpha = 0.05.
CONFSEQ = {
    60: (24.997590, 26.834013),
    360: (52.482505, 57.589042),
    1440: (108.609051, 118.665638),
    10080: (315.021961, 339.742484),
}


@pytest.mark.parametrize("t", CONFSEQ)
def test_the_anytime_boundary_is_the_one_compiled_confseq_computes(t: int) -> None:
    one_sided, two_sided = CONFSEQ[t]
    bound = anytime_multiplier(0.05, t) * math.sqrt(t)
    assert bound == pytest.approx(one_sided, abs=1e-5)
    assert bound < two_sided


@pytest.mark.parametrize(
    ("t", "closed"), [(60, 3.261399), (360, 2.779094), (1440, 2.868197), (10080, 3.139804)]
)
def test_the_closed_upper_form_lies_just_above_the_root(t: int, closed: float) -> None:
    level = -2 * math.log(2 * 0.05)
    u = t * (level + math.log(1 + level)) / 360
    form = math.sqrt(2 * (u + 1) / u * math.log(1 + math.sqrt(u + 1) / (2 * 0.05)))
    assert form == pytest.approx(closed, abs=1e-6)
    assert 0.98 < anytime_multiplier(0.05, t) / form < 1


@pytest.mark.parametrize("alpha", [0.4, 0.05, 0.05 / 9, 1e-4, 1e-8])
@pytest.mark.parametrize("t", [0.5, 1, 17, 360, 43_200, 1e7])
def test_the_root_solves_the_defining_equation(alpha: float, t: float) -> None:
    z = anytime_multiplier(alpha, t)
    level = -2 * math.log(2 * alpha)
    u = t * (level + math.log(1 + level)) / 360
    left = (
        math.log(2)
        - 0.5 * math.log(u + 1)
        + u * z * z / (2 * (u + 1))
        + float(stats.norm.logcdf(z * math.sqrt(u / (u + 1))))
    )
    assert left == pytest.approx(-math.log(alpha), rel=1e-10)


def test_the_boundary_is_tightest_near_the_look_it_was_tuned_for() -> None:
    looks = np.geomspace(5, 1e5, 400)
    for t_star in (60.0, 360.0, 5000.0):
        tightest = looks[np.argmin([anytime_multiplier(0.05, t, t_star=t_star) for t in looks])]
        assert t_star / 2 < tightest < t_star * 2


@pytest.mark.parametrize(
    ("tau", "expected"), [(0.05, 8.77), (0.25, 3.92), (0.5, 2.77), (1.0, 1.96)]
)
def test_the_planned_boundary_is_continuous_obrien_fleming(tau: float, expected: float) -> None:
    assert planned_multiplier(0.05, tau) == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("tau", [0.0, -1.0, 1.01])
def test_the_planned_boundary_promises_nothing_outside_its_horizon(tau: float) -> None:
    with pytest.raises(ValueError, match="tau"):
        planned_multiplier(0.05, tau)


@pytest.mark.parametrize("nu", [4, 51, 492])
def test_the_fixed_multiplier_is_students_quantile(nu: int) -> None:
    for alpha in (0.05, 0.05 / 9, 1e-6):
        assert fixed_multiplier(alpha, nu) == pytest.approx(float(stats.t.isf(alpha, nu)))


@pytest.mark.parametrize("nu", [4, 6, 51, 492])
def test_few_degrees_of_freedom_keep_the_tail_and_widen_the_step(nu: int) -> None:
    for t in (1, 60, 1440):
        z = anytime_multiplier(0.05, t)
        widened = anytime_multiplier(0.05, t, nu=nu)
        assert widened > z
        assert float(stats.t.sf(widened, nu)) == pytest.approx(float(stats.norm.sf(z)), rel=1e-6)
    tau = planned_multiplier(0.05, 0.25, nu)
    assert float(stats.t.sf(tau, nu)) == pytest.approx(float(stats.norm.sf(3.92)), rel=1e-2)


def test_a_tail_too_thin_to_invert_gives_an_infinite_step_never_a_negative_one() -> None:
    for nu in (4, 6, 10, 51):
        for tau in np.geomspace(1e-6, 1, 300):
            assert planned_multiplier(0.05, float(tau), nu) >= fixed_multiplier(0.05, nu)
    assert planned_multiplier(0.05, 1e-5, 6) == math.inf


def test_one_look_costs_less_than_planned_looks_than_any_looks() -> None:
    for t in (1440, 4320, 10_080):
        steps = [
            multiplier(looks, 0.05, nu=51, t_minutes=t, horizon_minutes=10_080)
            for looks in ("fixed", "planned", "anytime")
        ]
        assert steps[0] < min(steps[1:])
    assert steps[1] < steps[2]


@pytest.mark.parametrize(("tau", "step"), [(0.05, 8.77), (0.25, 3.92), (0.5, 2.77), (1, 1.96)])
def test_the_planned_multipliers_are_those_of_continuous_o_brien_fleming(
    tau: float, step: float
) -> None:
    assert planned_multiplier(0.05, tau) == pytest.approx(step, abs=0.005)


def test_past_its_horizon_a_planned_step_stays_where_it_ended() -> None:
    steps = [
        multiplier("planned", 0.05, nu=51, t_minutes=t, horizon_minutes=1440)
        for t in (720, 1440, 2880)
    ]
    assert steps[0] > steps[1] == steps[2]


def test_a_planned_interval_exists_only_for_a_declared_horizon() -> None:
    assert [way.mode for way in Looking().ways()] == ["fixed", "anytime"]
    declared = Looking("planned", 10_080).ways()
    assert [way.mode for way in declared] == ["fixed", "planned", "anytime"]
    assert {way.horizon_minutes for way in declared} == {10_080}


def test_planned_looks_without_a_horizon_are_refused() -> None:
    with pytest.raises(ValueError, match="horizon"):
        multiplier("planned", 0.05, nu=51, t_minutes=60)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, -0.1])
def test_a_level_the_one_sided_mixture_cannot_have_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        anytime_multiplier(alpha, 60)


def test_no_time_has_no_boundary() -> None:
    with pytest.raises(ValueError, match="t_minutes"):
        anytime_multiplier(0.05, 0.0)


@pytest.mark.parametrize("nu", [None, 6, 51])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 9])
def test_the_e_value_reaches_one_over_alpha_exactly_at_the_boundary(
    nu: int | None, alpha: float
) -> None:
    for t in (30, 360, 10_080):
        z = anytime_multiplier(alpha, t, nu=nu)
        assert anytime_e_value(z, alpha, t, nu=nu) == pytest.approx(1 / alpha, rel=1e-6)


def test_the_e_value_rises_with_z_and_stays_finite() -> None:
    for nu in (None, 6.0, 51.0):
        grid = [-1e9, -1e3, -50, -3, -1, 0, 1e-9, 1, 3, 37, 39, 1e3, 1e9]
        values = [anytime_e_value(z, 0.05, 1440, nu=nu) for z in grid]
        assert values == sorted(values)
        assert 0 <= values[0] < values[5] < 1
        assert 1e30 < values[-1] <= MAX_E_VALUE
        assert anytime_e_value(math.inf, 0.05, 1440, nu=nu) == MAX_E_VALUE
        assert anytime_e_value(-math.inf, 0.05, 1440, nu=nu) == 0.0


def test_the_e_value_has_expectation_one_at_its_null() -> None:
    z, weight = np.polynomial.hermite_e.hermegauss(200)
    for t in (1, 60, 360):
        values = [anytime_e_value(float(point), 0.05, t) for point in z]
        mean = float(np.dot(weight, values)) / math.sqrt(2 * math.pi)
        assert mean == pytest.approx(1, rel=1e-3)


def test_an_anytime_p_value_is_the_inverse_e_value_capped_at_one() -> None:
    assert anytime_p_value(20) == pytest.approx(0.05)
    assert anytime_p_value(1.25) == pytest.approx(0.8)
    assert anytime_p_value(0.5) == anytime_p_value(0.0) == 1.0
    assert anytime_p_value(MAX_E_VALUE) > 0


def crossings(walks: int, minutes: int, boundary: list[float], seed: int) -> int:
    """How many standard random walks ever stand beyond the boundary."""
    rng = np.random.default_rng(seed)
    scaled = np.array(boundary) * np.sqrt(np.arange(1, minutes + 1))
    return sum(bool((rng.standard_normal(minutes).cumsum() > scaled).any()) for _ in range(walks))


def test_independent_minutes_cross_the_anytime_boundary_rarely_over_a_week_of_looks() -> None:
    walks, minutes = 1000, 10_080
    boundary = [anytime_multiplier(0.05, t) for t in range(1, minutes + 1)]
    crossed = crossings(walks, minutes, boundary, seed=20)
    assert crossed <= stats.binom.ppf(0.999, walks, 0.05)
    assert crossed >= stats.binom.ppf(0.001, walks, 0.03)


def test_independent_minutes_cross_the_planned_boundary_at_its_level() -> None:
    walks, minutes = 1000, 4320
    boundary = [planned_multiplier(0.05, t / minutes) for t in range(1, minutes + 1)]
    crossed = crossings(walks, minutes, boundary, seed=21)
    assert stats.binom.ppf(0.001, walks, 0.045) <= crossed <= stats.binom.ppf(0.999, walks, 0.05)


def test_a_fixed_interval_read_hourly_crosses_far_too_often() -> None:
    walks, minutes = 400, 1440
    boundary = [1.645 if t % 60 == 0 else math.inf for t in range(1, minutes + 1)]
    assert crossings(walks, minutes, boundary, seed=22) > 0.15 * walks


def test_minutes_needed_is_where_the_boundary_and_power_fit_into_the_gap() -> None:
    t = minutes_needed(0.03, math.log(1.1), 0.6, 0.05, power=0.9)
    assert t is not None
    reach = (anytime_multiplier(0.05, t) + float(stats.norm.ppf(0.9))) * 0.6 / math.sqrt(t)
    assert reach == pytest.approx(math.log(1.1) - 0.03)


def test_minutes_needed_follow_the_way_of_looking() -> None:
    gap = math.log(1.1) - 0.03
    once = minutes_needed(0.03, math.log(1.1), 0.6, 0.05, looking=Looking("fixed"))
    assert once is not None
    z = float(stats.norm.isf(0.05)) + float(stats.norm.ppf(0.8))
    assert once == pytest.approx((z * 0.6 / gap) ** 2)
    planned = minutes_needed(0.03, math.log(1.1), 0.6, 0.05, looking=Looking("planned", 10_080))
    assert planned is not None
    step = planned_multiplier(0.05, planned / 10_080) + float(stats.norm.ppf(0.8))
    assert step * 0.6 / math.sqrt(planned) == pytest.approx(gap)
    too_short = minutes_needed(0.03, math.log(1.1), 0.6, 0.05, looking=Looking("planned", 60))
    assert too_short is not None
    assert too_short > 60


def test_more_noise_less_room_or_more_power_need_more_minutes() -> None:
    base = minutes_needed(0.03, 0.1, 0.6, 0.05)
    noisier = minutes_needed(0.03, 0.1, 0.9, 0.05)
    nearer = minutes_needed(0.06, 0.1, 0.6, 0.05)
    surer = minutes_needed(0.03, 0.1, 0.6, 0.05, power=0.95)
    assert base is not None
    assert all(more is not None and more > base for more in (noisier, nearer, surer))


def test_an_effect_at_or_beyond_the_margin_cannot_be_resolved_by_waiting() -> None:
    assert minutes_needed(0.1, 0.1, 0.6, 0.05) is None
    assert minutes_needed(0.2, 0.1, 0.6, 0.05) is None
    assert minutes_needed(0.1 - 1e-12, 0.1, 0.6, 0.05) is None
    assert minutes_needed(0.1, 0.1, 0.0, 0.05) is None


def test_a_series_without_noise_needs_one_minute() -> None:
    assert minutes_needed(0.0, 0.1, 0.0, 0.05) == 1.0
