"""Betting that answers lean towards the truth gains nothing where they are dealt out at random."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import hypergeom

from analyzer.stats.dependence import hit_payoffs, log_dependence, rank_payoffs
from tests.examples import examples


@pytest.mark.parametrize(
    ("requests", "events", "alarms"),
    [(1_000, 20, 20), (1_000, 20, 600), (400, 200, 200), (50, 3, 1)],
)
def test_the_e_value_of_answers_dealt_out_is_at_most_one(
    requests: int, events: int, alarms: int
) -> None:
    """Over every number of hits that dealing can give, at its own chance."""
    hits = np.arange(0, min(events, alarms) + 1)
    chances = hypergeom(requests, events, alarms).pmf(hits)
    payoffs = hit_payoffs(alarms / requests)
    values = [math.exp(log_dependence(payoffs, np.array([h, events - h], float))) for h in hits]
    assert float(chances @ values) <= 1 + 1e-12


@pytest.mark.parametrize("ties", [1, pytest.param(7, marks=pytest.mark.long), 500])
def test_the_e_value_of_scores_dealt_out_is_at_most_one(ties: int) -> None:
    rng, worlds = np.random.default_rng(31), examples(1_500, whole=4_000)
    scores = np.arange(1_000) // ties
    payoffs = rank_payoffs(np.bincount(scores).astype(float))
    values = [
        math.exp(
            log_dependence(
                payoffs, np.bincount(scores[dealt], minlength=len(payoffs)).astype(float)
            )
        )
        for dealt in (rng.choice(1_000, 30, replace=False) for _ in range(worlds))
    ]
    assert float(np.mean(values)) < 1.1


def test_payoffs_are_zero_on_average() -> None:
    cases = np.array([3.0, 0.0, 5.0, 92.0])
    assert float(rank_payoffs(cases) @ cases) == pytest.approx(0, abs=1e-12)
    assert float(hit_payoffs(0.3) @ [0.3, 0.7]) == pytest.approx(0, abs=1e-12)


def test_two_scores_are_two_answers() -> None:
    cases = np.array([80.0, 20.0])
    assert rank_payoffs(cases)[::-1] == pytest.approx(hit_payoffs(0.2))


def test_counts_that_are_halved_take_the_root_of_every_stake() -> None:
    payoffs, cases = hit_payoffs(0.1), np.array([30.0, 70.0])
    whole, half = log_dependence(payoffs, cases), log_dependence(payoffs, cases / 2)
    assert 0 < half < whole
    assert log_dependence(payoffs, np.zeros(2)) == pytest.approx(0, abs=1e-12)
