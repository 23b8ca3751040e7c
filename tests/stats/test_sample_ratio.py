"""The sampling test: closed forms, its level over hourly looks, and what it detects how soon."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from analyzer.stats.sample_ratio import log_bayes_factor

ALARM = math.log(1_000)


@pytest.mark.parametrize(
    ("copied", "requests", "share"), [(3, 10, 0.5), (40, 60, 0.1), (0, 9, 0.9)]
)
def test_the_factor_is_the_mixture_of_binomials_over_the_one_at_the_share(
    copied: int, requests: int, share: float
) -> None:
    prior = stats.beta(20 * share, 20 * (1 - share))
    mixture = integrate.quad(
        lambda p: stats.binom.pmf(copied, requests, p) * prior.pdf(p), 0, 1, limit=200
    )[0]
    expected = math.log(mixture / stats.binom.pmf(copied, requests, share))
    found = log_bayes_factor(copied, requests, share, weight=20)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_the_factor_averages_to_one_under_the_share() -> None:
    x = np.arange(201)
    factors = np.exp([log_bayes_factor(float(k), 200.0, 0.3) for k in x])
    assert float(factors @ stats.binom.pmf(x, 200, 0.3)) == pytest.approx(1, rel=1e-9)


def first_alarms(rate: float, share: float, *, tests: int, hours: int, seed: int) -> list[int]:
    """First hour, of 3,600 requests each, at which each test alarms; 0 where none does."""
    rng = np.random.default_rng(seed)
    firsts = []
    for _ in range(tests):
        copied = np.cumsum(rng.binomial(3_600, rate, size=hours))
        looks = [
            log_bayes_factor(float(x), 3_600.0 * (hour + 1), share) > ALARM
            for hour, x in enumerate(copied)
        ]
        firsts.append(looks.index(True) + 1 if any(looks) else 0)
    return firsts


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_week_of_hourly_looks_raises_hardly_any_false_alarm(share: float) -> None:
    alarms = [at for at in first_alarms(share, share, tests=300, hours=168, seed=31) if at]
    assert len(alarms) <= stats.binom.ppf(0.999, 300, 0.001)


def test_one_percentage_point_too_few_is_seen_within_a_day_at_3600_an_hour() -> None:
    found = first_alarms(0.49, 0.5, tests=100, hours=72, seed=32)
    assert all(found)
    assert 8 <= np.median(found) <= 18


@pytest.mark.parametrize(
    ("copied", "requests", "share"), [(11, 10, 0.5), (-1, 10, 0.5), (1, 2, 1.0)]
)
def test_counts_and_shares_that_cannot_be_are_refused(
    copied: int, requests: int, share: float
) -> None:
    with pytest.raises(ValueError, match="must be"):
        log_bayes_factor(copied, requests, share)
