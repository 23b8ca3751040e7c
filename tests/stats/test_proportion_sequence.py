"""The e-process of one share: its definition, its validity, and what it must never pass."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from analyzer.stats.proportion_sequence import e_value, log_e_value, lower_bound, upper_bound


def test_more_events_never_speak_more_for_a_small_share() -> None:
    n, m = 2000, 0.05
    values = [log_e_value(x, n, m) for x in range(n + 1)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(values))
    assert values[99] > -math.inf
    assert all(value == -math.inf for value in values[100:])


def test_mass_flips_never_pass() -> None:
    for x in range(626, 2001):
        assert e_value(x, 2000, 0.05) == 0.0
        assert upper_bound(x, 2000, 0.05) > x / 2000 - 1e-12


@pytest.mark.parametrize(("n", "margin"), [(836, 0.005), (417, 0.01)])
def test_the_smallest_sample_without_a_flip_that_clears_a_budget(n: int, margin: float) -> None:
    assert upper_bound(0, n, 0.05) < margin <= upper_bound(0, n - 1, 0.05)
    assert e_value(0, n, margin) >= 20 > e_value(0, n - 1, margin)


@pytest.mark.parametrize(
    ("x", "n", "m"), [(0, 100, 0.05), (3, 200, 0.05), (9.4, 300.7, 0.04), (40, 100, 0.7)]
)
def test_the_e_value_is_the_mixture_it_claims_to_be(x: float, n: float, m: float) -> None:
    b = 1 / m - 1

    def prior(q: float) -> float:
        return float((1 - q) ** (b - 1))

    def ratio(q: float) -> float:
        return prior(q) * math.exp(
            special.xlogy(x, q / m) + (n - x) * (math.log1p(-q) - math.log1p(-m))
        )

    mixture = integrate.quad(ratio, 0, m, epsabs=0, epsrel=1e-11)[0]
    norm = integrate.quad(prior, 0, m, epsabs=0, epsrel=1e-11)[0]
    assert log_e_value(x, n, m) == pytest.approx(math.log(mixture / norm), abs=1e-8)


def test_the_published_formula_gives_the_same_value() -> None:
    x, n, m = 12, 1000, 0.05
    a, b = 1, 1 / m - 1
    expected = (
        special.betainc(a + x, b + n - x, m)
        * special.beta(a + x, b + n - x)
        / (special.betainc(a, b, m) * special.beta(a, b))
        / (m**x * (1 - m) ** (n - x))
    )
    assert e_value(x, n, m) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("p", [0.05, 0.08, 0.3])
def test_its_expectation_is_at_most_one_wherever_the_null_holds(p: float) -> None:
    n, m = 300, 0.05
    law = stats.binom(n, p)
    mean = sum(float(law.pmf(x)) * e_value(x, n, m) for x in range(n + 1))
    assert mean <= 1 + 1e-9


@pytest.mark.parametrize(("x", "n"), [(0, 50), (3, 200), (20, 10_000), (7.3, 411.9), (990, 1000)])
def test_the_bound_refutes_every_larger_share_and_no_smaller_one(x: float, n: float) -> None:
    upper = upper_bound(x, n, 0.05)
    for m in np.linspace(0, 1, 401)[1:-1]:
        refuted = log_e_value(x, n, float(m)) >= math.log(20)
        assert refuted == (m >= upper)


@pytest.mark.parametrize(("x", "n"), [(0, 50), (5, 1000), (50, 1000), (500, 1000), (7.3, 411.9)])
def test_the_lower_bound_mirrors_the_upper_one(x: float, n: float) -> None:
    for alpha in (0.05, 0.005):
        lower = lower_bound(x, n, alpha)
        assert lower == pytest.approx(1 - upper_bound(n - x, n, alpha), abs=1e-12)
        assert 0 <= lower <= x / n <= upper_bound(x, n, alpha) <= 1
        if x > 0:
            assert log_e_value(n - x, n, 1 - lower) == pytest.approx(-math.log(alpha), abs=1e-6)


def test_no_events_have_lower_bound_zero_and_only_events_upper_bound_one() -> None:
    assert lower_bound(0, 500, 0.05) == pytest.approx(0, abs=1e-9)
    assert upper_bound(500, 500, 0.05) == 1.0
    assert upper_bound(0, 0, 0.05) == 1.0
    assert lower_bound(0, 0, 0.05) == 0.0
    assert log_e_value(0, 0, 0.3) == 0.0
    assert upper_bound(0.004, 0.005, 0.05) == 1.0


def test_bounds_close_in_on_the_share() -> None:
    widths = [upper_bound(n / 50, n, 0.05) - lower_bound(n / 50, n, 0.05) for n in (50, 500, 5000)]
    assert widths == sorted(widths, reverse=True)
    assert upper_bound(200_000, 10_000_000, 0.05) == pytest.approx(0.02, abs=2e-4)
    assert lower_bound(200_000, 10_000_000, 0.05) == pytest.approx(0.02, abs=2e-4)


def test_a_stricter_level_is_further_away() -> None:
    uppers = [upper_bound(5, 2000, alpha) for alpha in (0.2, 0.05, 0.005)]
    lowers = [lower_bound(5, 2000, alpha) for alpha in (0.2, 0.05, 0.005)]
    assert uppers == sorted(uppers)
    assert lowers == sorted(lowers, reverse=True)


def test_the_bound_is_never_tighter_than_one_exact_look() -> None:
    for x, n in [(0, 836), (5, 1000), (50, 1000)]:
        exact = float(stats.beta.isf(0.05, x + 1, n - x))
        assert upper_bound(x, n, 0.05) > exact


def ever_refuted(m: float, looks: int, per_look: int, runs: int, seed: int) -> int:
    """Runs at the true share m in which any look has e-value 20 or more."""
    counts = np.random.default_rng(seed).binomial(per_look, m, (runs, looks)).cumsum(axis=1)
    n = per_look * np.arange(1, looks + 1)
    return sum(
        any(e_value(float(x), float(size), m) >= 20 for x, size in zip(run, n, strict=True))
        for run in counts
    )


def test_hourly_looks_over_a_week_falsely_clear_a_budget_no_more_often_than_alpha() -> None:
    runs = 250
    refuted = ever_refuted(0.01, looks=168, per_look=60, runs=runs, seed=4)
    assert 0 < refuted <= stats.binom.ppf(0.999, runs, 0.05)


def test_power_is_what_the_method_page_says() -> None:
    rng = np.random.default_rng(9)
    for n, share, at_least in [(2000, 0.24, 0.15), (10_000, 0.987, 0.95)]:
        cleared = np.mean([upper_bound(x, n, 0.05) < 0.005 for x in rng.binomial(n, 0.002, 400)])
        assert cleared == pytest.approx(share, abs=0.06)
        assert cleared > at_least


@pytest.mark.parametrize(("x", "n"), [(-1, 10), (11, 10)])
def test_impossible_counts_are_refused(x: float, n: float) -> None:
    with pytest.raises(ValueError, match="events"):
        log_e_value(x, n, 0.05)
    with pytest.raises(ValueError, match="events"):
        upper_bound(x, n, 0.05)


@pytest.mark.parametrize("bad", [0.0, 1.0])
def test_impossible_shares_and_levels_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="m =="):
        log_e_value(1, 10, bad)
    with pytest.raises(ValueError, match="alpha"):
        upper_bound(1, 10, bad)


def two_sided_sequence(x: int, n: int, alpha: float, tightest_at: int) -> tuple[float, float]:
    """The two-sided beta-binomial confidence sequence, written from its definition.

    Each null p has the prior Beta(r / (1 - p), r / p), whose mean is p, with r such that the
    bound is tightest at `tightest_at` outcomes.
    """
    level = 2 * math.log(1 / alpha)

    def log_e(p: float) -> float:
        v = p * (1 - p)
        r = max(tightest_at * v / (level + math.log1p(level)) - v, 1e-3 * v)
        a, b = r / (1 - p), r / p
        null = float(special.xlogy(x, p) + special.xlog1py(n - x, -p))
        return float(special.betaln(a + x, b + n - x) - special.betaln(a, b)) - null

    def edge(outside: float, inside: float) -> float:
        return float(
            optimize.brentq(lambda p: log_e(p) - math.log(1 / alpha), outside, inside, xtol=1e-14)
        )

    seen = min(max(x / n, 1e-9), 1 - 1e-9)
    return (0.0 if x == 0 else edge(1e-12, seen)), edge(1 - 1e-12, seen)


@pytest.mark.parametrize(
    ("x", "n", "published"),
    [
        (5, 1000, (0.000628, 0.014677)),
        (50, 1000, (0.031499, 0.073411)),
        (0, 500, (0.0, 0.009972)),
        (500, 1000, (0.452092, 0.547908)),
    ],
)
def test_two_one_sided_bounds_lie_near_the_published_two_sided_sequence(
    x: int, n: int, published: tuple[float, float]
) -> None:
    # Another prior, tuned to a thousand outcomes, and both sides in one: near, never equal.
    assert two_sided_sequence(x, n, 0.05, 1000) == pytest.approx(published, abs=1e-6)
    upper, lower = upper_bound(x, n, 0.025), lower_bound(x, n, 0.025)
    assert 0.85 < (upper - x / n) / (published[1] - x / n) < 1.2
    assert lower <= x / n
    if published[0] > 0.01:
        assert 0.85 < (x / n - lower) / (x / n - published[0]) < 1.2
