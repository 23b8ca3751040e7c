"""What holds of every world: coverage, and what swapping and scaling may not do to a decision."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from analyzer.metrics import BY_ID
from analyzer.model import Decision
from tests.calibration import noise
from tests.calibration.judging import FIVE_XX, FLIPS, decision
from tests.calibration.seen import Seen, policy_of
from tests.calibration.worlds import Setting, Truth, World, draw
from tests.examples import examples

DAYS = 3
LOOK = 24 * DAYS
BETTER = {Decision.PROMOTE: 2, Decision.HOLD: 1, Decision.REJECT: 0}
FEW_MISSES = 1e-4


def world_of(truth: Truth, seed: int, own: noise.Noise = noise.ar8) -> World:
    return draw(Setting(own, days=DAYS, truth=truth), np.random.default_rng([13, seed]))


def swapped(world: World) -> World:
    """Production's minutes as the shadow's, and the other way round."""
    return replace(
        world,
        counts=world.counts[::-1],
        mean_us=world.mean_us[::-1],
        tails={key: levels[::-1] for key, levels in world.tails.items()},
        errors=world.errors[::-1],
    )


def slowed(world: World, factor: float) -> World:
    """Every time of the shadow that much longer."""
    both = np.array([[1.0], [factor]])
    tails = {key: levels * both for key, levels in world.tails.items()}
    return replace(world, mean_us=world.mean_us * both, tails=tails)


def decided(world: World) -> Decision:
    return decision(Seen(world, policy_of({})).at(LOOK)).decision


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 1_000), harm=st.floats(0.11, 0.4), slower=st.booleans())
def test_of_two_variants_with_harm_between_them_one_at_most_is_promoted(
    seed: int,
    harm: float,
    slower: bool,  # noqa: FBT001 - which of the two is slower
) -> None:
    world = world_of(Truth(slower=exp(harm if slower else -harm)), seed)
    both = [decided(world), decided(swapped(world))]
    assert both.count(Decision.PROMOTE) <= 1


@settings(max_examples=examples(1, whole=2), deadline=None)
@given(seed=st.integers(0, 1_000), true=st.floats(0.9, 1.1), factor=st.floats(1.001, 1.5))
def test_a_slower_shadow_is_never_decided_better(seed: int, true: float, factor: float) -> None:
    world = world_of(Truth(slower=true), seed)
    assert BETTER[decided(slowed(world, factor))] <= BETTER[decided(world)]


@pytest.mark.parametrize(
    ("metric", "truth", "true"),
    [
        ("latency_mean", Truth(slower=1.07), 1.07),
        pytest.param("latency_p99", Truth(slower=1.07), 1.07, marks=pytest.mark.long),
        (FIVE_XX, Truth(errors=(0.002, 0.003)), 0.001),
        (FLIPS, Truth(flips=0.03), 0.03),
    ],
)
def test_an_interval_of_one_look_covers_the_truth_as_often_as_it_says(
    metric: str, truth: Truth, true: float
) -> None:
    """Each bound misses in one of twenty worlds, so both together in one of ten."""
    worlds = examples(12, whole=20)
    policy = policy_of({"inference": "fixed", "final": True})
    missed = 0
    for seed in range(worlds):
        facts = Seen(world_of(truth, seed), policy).at(LOOK)
        shown = BY_ID[metric].assess(facts, policy.metrics[metric]).intervals.fixed
        assert shown is not None
        missed += not shown[0] <= true <= shown[1]
    assert missed <= binom.isf(FEW_MISSES, worlds, 0.1)
