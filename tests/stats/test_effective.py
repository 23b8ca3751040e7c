"""Effective counts of repeated inputs."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.stats.effective import burst_factor, effective_share_n


@pytest.mark.parametrize(
    ("repeats", "expected"),
    [([1] * 1000, 1000), ([5] * 334, 334), ([50] * 100, 100), ([2000], 1), ([3, 1], 1.6)],
)
def test_repeats_of_an_input_count_once(repeats: list[int], expected: float) -> None:
    m = np.array(repeats)
    assert effective_share_n(m.sum(), (m**2).sum()) == pytest.approx(expected)


def test_no_pairs_are_worth_nothing() -> None:
    assert effective_share_n(0, 0) == 0.0


def test_independent_outcomes_come_in_no_bursts() -> None:
    random = np.random.default_rng(3)
    outcomes = random.poisson(400, size=(400, 96)).astype(float)
    events = random.binomial(outcomes.astype(int), 0.02).astype(float)
    factors = [burst_factor(x, n) for x, n in zip(events, outcomes, strict=True)]
    assert np.mean(factors) < 1.12
    assert np.quantile(factors, 0.99) < 1.5


def test_the_spread_of_bursts_is_the_spread_that_repetitions_have() -> None:
    """The factor is the variance of the share over many worlds against that of independence."""
    random = np.random.default_rng(4)
    outcomes = np.full(96, 400.0)
    chances = np.where(random.uniform(size=(2_000, 96)) < 0.05, 0.2, 0.005)
    events = random.binomial(400, chances).astype(float)
    shares = events.sum(1) / outcomes.sum()
    whole = shares.mean()
    truth = shares.var() / (whole * (1 - whole) / outcomes.sum())
    found = np.median([burst_factor(x, outcomes) for x in events])
    assert truth > 10
    assert found == pytest.approx(truth, rel=0.25)


@pytest.mark.parametrize(
    ("events", "outcomes"),
    [([3.0] * 11, [100.0] * 11), ([0.0] * 30, [10.0] * 30), ([5.0] * 30, [5.0] * 30), ([], [])],
    ids=["eleven hours", "no event", "events alone", "nothing"],
)
def test_where_the_hours_say_nothing_of_bursts_there_are_none(
    events: list[float], outcomes: list[float]
) -> None:
    assert burst_factor(np.array(events), np.array(outcomes)) == 1.0


def test_hours_without_outcomes_and_their_order_change_nothing() -> None:
    random = np.random.default_rng(5)
    outcomes = random.integers(50, 500, 40).astype(float)
    events = np.minimum(random.poisson(5, 40), outcomes)
    found = burst_factor(events, outcomes)
    order = random.permutation(40)
    empty = np.zeros(7)
    assert found == pytest.approx(
        burst_factor(np.append(events[order], empty), np.append(outcomes[order], empty)), rel=1e-12
    )
