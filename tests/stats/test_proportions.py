"""Intervals of shares against published tables, other implementations and brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import optimize, special, stats
from statsmodels.stats.contingency_tables import (  # type: ignore[import-untyped]
    mcnemar as statsmodels_mcnemar,
)
from statsmodels.stats.proportion import (  # type: ignore[import-untyped]
    confint_proportions_2indep,
    proportion_confint,
)

from analyzer.stats.proportions import (
    clopper_pearson,
    jeffreys,
    mcnemar,
    miettinen_nurminen,
    miettinen_nurminen_ratio,
    miettinen_nurminen_z,
    newcombe,
    newcombe_paired,
    tango,
    wilson,
)

Counts = tuple[float, float, float, float]
Pair = tuple[float, float]

# Newcombe 1998, Statistics in Medicine 17:873, table II: (x1, n1, x2, n2), method 10, score.
NEWCOMBE: list[tuple[Counts, Pair, Pair]] = [
    ((56, 70, 48, 80), (0.0524, 0.3339), (0.0528, 0.3382)),
    ((9, 10, 3, 10), (0.1705, 0.8090), (0.1700, 0.8406)),
    ((6, 7, 2, 7), (0.0582, 0.8062), (0.0342, 0.8534)),
    ((5, 56, 0, 29), (-0.0381, 0.1926), (-0.0326, 0.1933)),
    ((0, 10, 0, 20), (-0.1611, 0.2775), (-0.1658, 0.2844)),
    ((0, 10, 0, 10), (-0.2775, 0.2775), (-0.2879, 0.2879)),
    ((10, 10, 0, 20), (0.6791, 1.0), (0.7156, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0), (0.6636, 1.0)),
]

# (a, b, c, d), Tango's interval, Newcombe's paired interval where published.
PAIRED: list[tuple[Counts, Pair, Pair | None]] = [
    ((1, 1, 7, 12), (-0.5172, -0.0260), (-0.5069, -0.0256)),
    ((59, 6, 16, 80), (-0.1240, -0.0054), (-0.1186, -0.0046)),
    ((7, 25, 2, 68), (0.1392, 0.3213), (0.1329, 0.3185)),
    ((794, 150, 86, 570), (0.0214, 0.0590), (0.0212, 0.0587)),
    ((43, 0, 1, 0), (-0.1181, 0.0594), None),
    ((4, 9, 3, 16), (-0.0271, 0.3897), None),
    ((53, 16, 8, 9), (-0.0197, 0.2069), None),
]


@pytest.mark.parametrize(("counts", "method_10", "score"), NEWCOMBE)
def test_independent_differences_match_newcombes_table(
    counts: Counts, method_10: Pair, score: Pair
) -> None:
    assert newcombe(*counts) == pytest.approx(method_10, abs=6e-5)
    assert miettinen_nurminen(*counts) == pytest.approx(score, abs=6e-5)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((7, 34, 1, 34), (0.027042, 0.345291)),
        ((0, 16, 15, 72), (-0.31637, -0.005574)),
        ((0, 3000, 0, 3000), (-0.001279, 0.001279)),
        ((12, 40_000, 6, 80_000), (0.000074, 0.000454)),
        ((5, 5000, 2, 5000), (-0.000566, 0.001984)),
        ((3, 1000, 1, 1000), (-0.002895, 0.007891)),
    ],
)
def test_score_differences_match_published_rare_event_examples(
    counts: Counts, expected: Pair
) -> None:
    assert miettinen_nurminen(*counts) == pytest.approx(expected, abs=1e-6)


def test_the_score_ratio_matches_fagerlands_chapter_four() -> None:
    assert miettinen_nurminen_ratio(7, 34, 1, 34) == pytest.approx((1.2086, 43.0330), abs=6e-5)


@pytest.mark.parametrize(
    ("interval", "expected"),
    [(wilson, (0.5699, 0.9341)), (clopper_pearson, (0.5435, 0.9595)), (jeffreys, (0.5792, 0.9442))],
)
def test_one_share_matches_fagerlands_chapter_two(interval: object, expected: Pair) -> None:
    assert callable(interval)
    assert interval(13, 16) == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize(("table", "score", "method_10"), PAIRED)
def test_paired_differences_match_published_examples(
    table: Counts, score: Pair, method_10: Pair | None
) -> None:
    assert tango(*table) == pytest.approx(score, abs=6e-5)
    if method_10 is not None:
        assert newcombe_paired(*table) == pytest.approx(method_10, abs=6e-5)


def test_tango_holds_at_low_error_shares() -> None:
    assert tango(9900, 12, 30, 58) == pytest.approx((-0.003195, -0.000556), abs=1e-6)


@pytest.mark.parametrize(
    ("b", "c", "asymptotic", "exact", "mid_p"),
    [
        (1, 7, 0.033895, 0.070313, 0.039063),
        (6, 16, 0.033006, 0.052479, 0.034690),
        (150, 86, 3.0993e-5, 3.7159e-5, 2.8934e-5),
    ],
)
def test_mcnemar_matches_published_examples(
    b: int, c: int, asymptotic: float, exact: float, mid_p: float
) -> None:
    assert mcnemar(b, c) == pytest.approx((asymptotic, exact, mid_p), rel=2e-5)


def test_mcnemar_matches_the_smallest_published_p_values() -> None:
    result = mcnemar(25, 2)
    assert result.exact == pytest.approx(6e-6, abs=5e-7)
    assert result.mid_p == pytest.approx(3e-6, abs=5e-7)


def test_mcnemar_matches_statsmodels_and_the_binomial_law() -> None:
    for b, c in itertools.product([0, 1, 2, 5, 40], [0, 1, 3, 17, 300]):
        table = [[10, b], [c, 10]]
        result = mcnemar(b, c)
        assert result.exact == pytest.approx(float(statsmodels_mcnemar(table).pvalue))
        if b + c:
            chi2 = statsmodels_mcnemar(table, exact=False, correction=False).pvalue
            assert result.asymptotic == pytest.approx(float(chi2))
        if b == c:
            assert result == pytest.approx((1.0, 1.0, 1.0))
        else:
            law = stats.binom(b + c, 0.5)
            expected = float(2 * law.cdf(min(b, c)) - law.pmf(min(b, c)))
            assert result.mid_p == pytest.approx(expected, rel=1e-9)
        assert mcnemar(c, b) == result
        assert max(result) <= 1.0


@pytest.mark.parametrize("level", [0.5, 0.9, 0.999])
def test_one_share_matches_statsmodels(level: float) -> None:
    names = {wilson: "wilson", clopper_pearson: "beta", jeffreys: "jeffreys"}
    for x, n in [(0, 7), (7, 7), (1, 40), (13, 16), (500, 10_000)]:
        for interval, name in names.items():
            lower, upper = proportion_confint(x, n, alpha=1 - level, method=name)
            # Jeffreys ends at 0 and 1 where nothing or everything happened.
            low = 0.0 if x == 0 else float(lower)
            high = 1.0 if x == n else float(upper)
            assert interval(x, n, level) == pytest.approx((low, high), abs=1e-10)


def test_ratios_match_statsmodels() -> None:
    for counts in [(7, 34, 1, 34), (30, 100, 45, 120), (5, 5000, 2, 5000)]:
        expected = confint_proportions_2indep(
            *counts, method="score", compare="ratio", correction=True
        )
        assert miettinen_nurminen_ratio(*counts) == pytest.approx(expected, rel=1e-5)


def restricted_variance(difference: float, counts: Counts) -> float:
    """Null variance by maximising the likelihood numerically, for brute-force comparison."""
    x1, n1, x2, n2 = counts

    def negative_log_likelihood(p2: float) -> float:
        p1 = p2 + difference
        cells = [(x1, p1), (n1 - x1, 1 - p1), (x2, p2), (n2 - x2, 1 - p2)]
        return -sum(count * math.log(max(share, 1e-300)) for count, share in cells if count)

    low, high = max(0.0, -difference), min(1.0, 1 - difference)
    best = optimize.minimize_scalar(
        negative_log_likelihood, bounds=(low, high), method="bounded", options={"xatol": 1e-13}
    ).x
    p1 = best + difference
    n = n1 + n2
    return float((p1 * (1 - p1) / n1 + best * (1 - best) / n2) * n / (n - 1))


@pytest.mark.parametrize(
    "counts", [(7, 34, 1, 34), (3, 1000, 1, 1000), (40, 50, 80, 90), (2.5, 31.7, 0.4, 12.3)]
)
@pytest.mark.parametrize("level", [0.9, 0.99])
def test_score_bounds_lie_where_the_brute_force_score_is_critical(
    counts: Counts, level: float
) -> None:
    x1, n1, x2, n2 = counts
    z = float(stats.norm.isf((1 - level) / 2))
    for bound in miettinen_nurminen(*counts, level):
        score = (x1 / n1 - x2 / n2 - bound) / math.sqrt(restricted_variance(bound, counts))
        assert abs(score) == pytest.approx(z, rel=1e-4)


@pytest.mark.parametrize("table", [(1, 1, 7, 12), (59, 6, 16, 80), (20.5, 3.2, 0.0, 44.1)])
def test_tango_bounds_lie_where_the_brute_force_score_is_critical(table: Counts) -> None:
    a, b, c, d = table
    n = a + b + c + d
    z = float(stats.norm.isf(0.025))
    for bound in tango(*table):

        def negative_log_likelihood(p21: float, bound: float = bound) -> float:
            cells = [(b, p21 + bound), (c, p21), (a + d, 1 - 2 * p21 - bound)]
            return -sum(count * math.log(max(share, 1e-300)) for count, share in cells if count)

        p21 = optimize.minimize_scalar(
            negative_log_likelihood,
            bounds=(max(0.0, -bound), (1 - bound) / 2),
            method="bounded",
            options={"xatol": 1e-13},
        ).x
        score = (b - c - n * bound) / math.sqrt(n * (2 * p21 + bound - bound**2))
        assert abs(score) == pytest.approx(z, rel=1e-4)


def test_swapping_the_samples_negates_differences_and_inverts_ratios() -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        n1, n2 = (int(n) for n in rng.integers(1, 10_000, 2))
        x1, x2 = int(rng.binomial(n1, 0.02)), int(rng.binomial(n2, 0.03))
        for interval in (miettinen_nurminen, newcombe):
            lower, upper = interval(x1, n1, x2, n2)
            assert interval(x2, n2, x1, n1) == pytest.approx((-upper, -lower), abs=1e-9)
        low, high = miettinen_nurminen_ratio(x1, n1, x2, n2)
        swapped = miettinen_nurminen_ratio(x2, n2, x1, n1)
        assert swapped[0] == pytest.approx(1 / high, rel=1e-6)
        assert swapped[1] == pytest.approx(1 / low if low else math.inf, rel=1e-6)


def test_swapping_the_paired_outcomes_negates_their_difference() -> None:
    for table, _, _ in PAIRED:
        a, b, c, d = table
        for interval in (tango, newcombe_paired):
            lower, upper = interval(a, b, c, d)
            assert interval(a, c, b, d) == pytest.approx((-upper, -lower), abs=1e-9)


def test_equal_samples_have_a_difference_around_zero() -> None:
    for x, n in [(0, 50), (10, 50), (50, 50)]:
        lower, upper = miettinen_nurminen(x, n, x, n)
        assert lower == pytest.approx(-upper)
        assert upper > 0
    assert tango(5, 0, 0, 95)[1] == pytest.approx(-tango(5, 0, 0, 95)[0])


def test_intervals_contain_their_estimate_and_widen_with_the_level() -> None:
    for x1, n1, x2, n2 in [(0, 9, 3, 1000), (1, 2, 999, 1000), (4, 4, 1, 3), (17, 5000, 2, 80)]:
        estimate = x1 / n1 - x2 / n2
        widths = []
        for level in (0.5, 0.9, 0.99, 0.9999):
            lower, upper = miettinen_nurminen(x1, n1, x2, n2, level)
            assert -1 <= lower <= estimate <= upper <= 1
            widths.append(upper - lower)
        assert widths == sorted(widths)


def test_more_events_move_both_score_bounds_up() -> None:
    bounds = [miettinen_nurminen(x, 400, 7, 300) for x in range(401)]
    lower, upper = zip(*bounds, strict=True)
    assert list(lower) == sorted(lower)
    assert list(upper) == sorted(upper)


def test_dividing_counts_by_a_design_effect_widens_the_interval() -> None:
    plain = miettinen_nurminen(120, 86_400, 60, 86_400)
    halved = miettinen_nurminen(60, 43_200, 30, 43_200)
    assert halved[0] < plain[0] < plain[1] < halved[1]


def test_zero_errors_bound_the_difference_like_the_rule_of_three() -> None:
    n = 86_400
    z2 = float(stats.norm.isf(0.05)) ** 2 * 2 * n / (2 * n - 1)
    upper = miettinen_nurminen(0, n, 0, n, 0.9)[1]
    assert upper == pytest.approx(z2 / (n + z2), rel=1e-7)


@pytest.mark.parametrize(("n1", "n2"), [(4e7, 300), (1e6, 300), (1e6, 2e4), (3e6, 1e4)])
def test_zero_errors_are_bounded_exactly_at_very_unequal_sizes(n1: float, n2: float) -> None:
    n = n1 + n2
    z2 = float(stats.norm.isf(0.025)) ** 2 * n / (n - 1)
    assert miettinen_nurminen(0, n1, 0, n2)[1] == pytest.approx(z2 / (n1 + z2), rel=1e-6)


def test_empty_and_full_counts_have_exact_ends() -> None:
    for n in (1, 3, 17, 1000, 86_400, 12.7):
        for interval in (wilson, clopper_pearson, jeffreys):
            assert interval(0, n)[0] == 0.0
            assert interval(n, n)[1] == 1.0


def test_score_coverage_is_near_nominal_for_rare_events() -> None:
    n1, p1, n2, p2 = 800, 0.006, 1600, 0.004
    covered = 0.0
    for x1, x2 in itertools.product(range(20), range(25)):
        lower, upper = miettinen_nurminen(x1, n1, x2, n2)
        if lower <= p1 - p2 <= upper:
            covered += float(stats.binom.pmf(x1, n1, p1) * stats.binom.pmf(x2, n2, p2))
    assert 0.93 < covered < 0.975


def test_nothing_seen_excludes_nothing() -> None:
    assert wilson(0, 0) == clopper_pearson(0, 0) == jeffreys(0, 0) == (0.0, 1.0)
    assert miettinen_nurminen(0, 0, 3, 10) == newcombe(0, 0, 3, 10) == (-1.0, 1.0)
    assert miettinen_nurminen(0, 0.3, 0, 0.6) == (-1.0, 1.0)
    assert miettinen_nurminen_ratio(0.1, 0.3, 0.1, 0.6) == (0.0, math.inf)
    assert miettinen_nurminen_ratio(0, 10, 0, 10) == (0.0, math.inf)
    assert miettinen_nurminen_ratio(0, 0, 1, 10) == (0.0, math.inf)
    assert tango(0, 0, 0, 0) == newcombe_paired(0, 0, 0, 0) == (-1.0, 1.0)


def test_a_ratio_without_events_on_one_side_is_open_on_that_side() -> None:
    lower, upper = miettinen_nurminen_ratio(0, 100, 9, 100)
    assert lower == 0.0
    assert 0 < upper < 1
    lower, upper = miettinen_nurminen_ratio(9, 100, 0, 100)
    assert 1 < lower < 10
    assert upper == math.inf


@pytest.mark.parametrize(("x", "n"), [(-1, 10), (11, 10), (math.nan, 10)])
def test_impossible_counts_are_refused(x: float, n: float) -> None:
    with pytest.raises(ValueError, match="events"):
        wilson(x, n)
    with pytest.raises(ValueError, match="events"):
        miettinen_nurminen(1, 10, x, n)


def test_a_level_of_certainty_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        wilson(1, 10, 1.0)


def test_the_perondi_table_is_told_apart_as_published_tests_tell_it() -> None:
    """Seven of 34 against one of 34: near 5 %, where methods part ways."""
    table = np.array([[7, 1], [27, 33]])  # scipy's samples are columns
    law = stats.hypergeom(68, 8, 34)
    probabilities = law.pmf(range(9))
    seen = law.pmf(7)
    as_rare = probabilities[probabilities <= seen * (1 + 1e-9)].sum()
    exactly = probabilities[abs(probabilities / seen - 1) < 1e-9].sum()
    assert as_rare == pytest.approx(0.054400, abs=5e-7)
    assert as_rare - exactly / 2 == pytest.approx(0.02966, abs=5e-6)
    assert stats.fisher_exact(table).pvalue == pytest.approx(0.054400, abs=5e-7)
    assert stats.barnard_exact(table).pvalue == pytest.approx(0.028106, abs=5e-6)
    assert stats.boschloo_exact(table).pvalue == pytest.approx(0.038464, abs=5e-6)
    # the score interval excludes zero at the level its own test reaches, with its N - 1
    z = float(
        stats.norm.isf(stats.chi2.sf((7 * 33 - 27 * 1) ** 2 * 67 / (34 * 34 * 8 * 60), 1) / 2)
    )
    for shifted, excluded in ((z - 1e-6, True), (z + 1e-6, False)):
        level = 2 * float(stats.norm.cdf(shifted)) - 1
        lower = miettinen_nurminen(7, 34, 1, 34, level)[0]
        assert (lower > 0) is excluded
    assert 0.02 < 2 * float(stats.norm.sf(z)) < 0.0544


def test_the_lady_tasting_tea_cannot_be_told_from_guessing() -> None:
    law = stats.hypergeom(8, 4, 4)
    probabilities = law.pmf(range(5))
    as_rare = probabilities[probabilities <= law.pmf(3) * (1 + 1e-9)].sum()
    assert as_rare == pytest.approx(0.48571, abs=5e-6)
    assert as_rare - law.pmf(3) == pytest.approx(0.25714, abs=5e-6)
    lower, upper = miettinen_nurminen(3, 4, 1, 4)
    assert lower < 0 < upper


@pytest.mark.parametrize("level", [0.8, 0.9, 0.999])
@pytest.mark.parametrize("counts", [(9, 10, 3, 10), (5, 5000, 2, 5000), (0, 10, 0, 20)])
def test_at_its_own_bound_the_score_is_the_normal_quantile_of_the_level(
    counts: tuple[float, float, float, float], level: float
) -> None:
    lower, upper = miettinen_nurminen(*counts, level)
    z = -float(special.ndtri((1 - level) / 2))
    assert miettinen_nurminen_z(*counts, upper) == pytest.approx(z, rel=1e-5)
    assert miettinen_nurminen_z(*counts, lower) == pytest.approx(-z, rel=1e-5)


def test_counts_that_cannot_vary_lie_infinitely_far_below_and_empty_ones_nowhere() -> None:
    assert miettinen_nurminen_z(0, 10, 10, 10, 1.0) == math.inf
    assert miettinen_nurminen_z(0, 10, 10, 10, -1.0) == 0.0
    assert miettinen_nurminen_z(0, 0, 3, 10, 0.1) == 0.0
