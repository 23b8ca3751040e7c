"""Paired latency ratios: what they estimate, how often they pass a harm, and what swapping does."""

from __future__ import annotations

import math
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.stats.log_ratio import WeightedLogRatio, bounds
from analyzer.stats.paired_quantile import (
    boundary_minutes,
    hodges_lehmann,
    least_requests,
    paired_log_mean_ratio,
    paired_log_quantile_ratio,
)
from tests.examples import examples

if TYPE_CHECKING:
    from analyzer.stats.ewc import FloatArray

MARGIN = math.log(1.1)


def drift(rng: np.random.Generator, n: int, rho: float) -> FloatArray:
    """A first-order autoregression of standard deviation 0.15."""
    shocks = 0.15 * math.sqrt(1 - rho**2) * rng.normal(size=n)
    level, path = 0.15 * float(rng.normal()), np.empty(n)
    for k, shock in enumerate(shocks.tolist()):
        level = rho * level + shock
        path[k] = level
    return path


def latencies(
    rng: np.random.Generator, n: int, *, effect: float = 0.0, rho: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Both variants' latencies: a part of the request's, their own noise, 2 % five times slower."""
    request = 0.3 * rng.normal(size=n)
    logs = [
        request
        + 0.4 * rng.normal(size=n)
        + math.log(5) * (rng.random(n) < 0.02)
        + (drift(rng, n, rho) if rho else 0.0)
        for _ in range(2)
    ]
    return np.exp(logs[0]), np.exp(logs[1] + effect)


def ratio_of(production: FloatArray, shadow: FloatArray, q: float | None) -> WeightedLogRatio:
    found = (
        paired_log_mean_ratio(production, shadow)
        if q is None
        else paired_log_quantile_ratio(production, shadow, q)
    )
    assert found is not None
    return found


def passes(found: WeightedLogRatio, mode: str) -> bool:
    limits = bounds(
        found.theta,
        found.long_run,
        found.t_minutes,
        alpha_lower=0.05,
        alpha_upper=0.05,
        mode="fixed" if mode == "fixed" else "anytime",
    )
    return limits is not None and limits[1] < MARGIN


@pytest.mark.parametrize(
    ("n", "rho", "q"),
    [
        (1_000, 0.0, 0.5),
        (1_000, 0.0, 0.99),
        (1_000, 0.95, 0.95),
        (5_000, 0.95, None),
        *(
            pytest.param(*case, marks=pytest.mark.long)
            for case in (
                (1_000, 0.0, 0.95),
                (5_000, 0.0, 0.5),
                (5_000, 0.0, 0.95),
                (5_000, 0.0, 0.99),
                (5_000, 0.95, 0.5),
                (5_000, 0.95, 0.99),
            )
        ),
    ],
)
def test_one_look_passes_a_harm_at_the_margin_one_time_in_twenty(
    n: int, rho: float, q: float | None
) -> None:
    worlds = examples(100, whole=200)
    rng = np.random.default_rng([n, int(100 * rho), int(100 * (q or 0))])
    passed = sum(
        passes(ratio_of(*latencies(rng, n, effect=MARGIN, rho=rho), q), "fixed")
        for _ in range(worlds)
    )
    assert passed / worlds <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / worlds)


@pytest.mark.parametrize("q", [None, pytest.param(0.5, marks=pytest.mark.long), 0.95])
def test_looking_after_every_thousand_requests_passes_no_more_harm_than_one_look_may(
    q: float | None,
) -> None:
    worlds = examples(40, whole=60)
    rng = np.random.default_rng([int(100 * (q or 0))])
    passed = 0
    for _ in range(worlds):
        production, shadow = latencies(rng, 10_000, effect=MARGIN)
        passed += any(
            passes(ratio_of(production[:n], shadow[:n], q), "anytime")
            for n in range(1_000, 10_001, 1_000)
        )
    assert passed / worlds <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / worlds)


def test_equal_variants_pass_within_five_thousand_requests() -> None:
    rng = np.random.default_rng(3)
    worlds = [latencies(rng, 5_000) for _ in range(20)]
    for q in (None, 0.5):
        passed = sum(passes(ratio_of(*pair, q), "anytime") for pair in worlds)
        assert passed >= 19


def test_a_disturbance_as_long_as_the_replay_leaves_no_interval() -> None:
    """Half of it on one level, half on another: two independent stretches, not thousands."""
    rng = np.random.default_rng(5)
    production, shadow = latencies(rng, 5_000)
    shadow[2_500:] *= 1.6
    found = ratio_of(production, shadow, None)
    assert not found.long_run.has_interval


@pytest.mark.parametrize("q", [None, 0.5, 0.95])
def test_swapping_the_variants_negates_the_ratio_and_keeps_its_error(q: float | None) -> None:
    production, shadow = latencies(np.random.default_rng(6), 2_000, effect=0.1)
    forward, back = ratio_of(production, shadow, q), ratio_of(shadow, production, q)
    assert forward.theta == pytest.approx(-back.theta)
    assert forward.long_run.se == pytest.approx(back.long_run.se)


@given(st.floats(0.01, 100.0))
def test_a_variant_that_is_exactly_so_many_times_slower_has_that_ratio_and_no_error(
    factor: float,
) -> None:
    production = np.linspace(1.0, 9.0, 400)
    for q in (None, 0.5, 0.95):
        found = ratio_of(production, factor * production, q)
        assert found.theta == pytest.approx(math.log(factor), abs=1e-9)
        assert found.long_run.se == pytest.approx(0.0, abs=1e-9)


def test_what_both_variants_share_takes_nothing_from_the_precision() -> None:
    rng = np.random.default_rng(8)
    request, own = rng.normal(size=4_000), 0.1 * rng.normal(size=(2, 4_000))
    paired = ratio_of(np.exp(request + own[0]), np.exp(request + own[1]), 0.5)
    torn = ratio_of(np.exp(request + own[0]), np.exp(rng.permutation(request) + own[1]), 0.5)
    assert paired.long_run.se < torn.long_run.se / 2


def test_the_error_of_a_quantile_is_that_of_its_spread_over_many_samples() -> None:
    rng = np.random.default_rng(9)
    found = [ratio_of(*latencies(rng, 1_000), 0.95) for _ in range(400)]
    spread = float(np.std([one.theta for one in found]))
    stated = float(np.mean([one.long_run.se for one in found]))
    assert stated == pytest.approx(spread, rel=0.15)


def test_latencies_of_a_coarse_clock_keep_an_error() -> None:
    rng = np.random.default_rng(10)
    production, shadow = np.ceil(np.stack(latencies(rng, 2_000)) * 2)
    assert ratio_of(production, shadow, 0.5).long_run.se > 0


@pytest.mark.parametrize(("q", "least"), [(0.5, 20), (0.95, 200), (0.99, 1_000)])
def test_a_quantile_needs_ten_requests_beyond_it(q: float, least: int) -> None:
    production, shadow = latencies(np.random.default_rng(11), least)
    assert least_requests(q) == least
    assert paired_log_quantile_ratio(production[1:], shadow[1:], q) is None
    assert paired_log_quantile_ratio(production, shadow, q) is not None


def test_a_mean_of_a_handful_of_requests_is_no_ratio() -> None:
    production, shadow = latencies(np.random.default_rng(12), 19)
    assert paired_log_mean_ratio(production, shadow) is None


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=12))
def test_the_typical_shift_is_the_median_of_all_means_of_two(differences: list[float]) -> None:
    means = sorted((a + b) / 2 for a, b in combinations_with_replacement(differences, 2))
    middle = means[(len(means) - 1) // 2]
    assert hodges_lehmann(np.array(differences)) == pytest.approx(middle, abs=2e-5)


def test_the_clock_of_a_replay_counts_requests() -> None:
    assert boundary_minutes(10_000) == 2 * boundary_minutes(5_000) == 720
