"""Labels of other requests are told from labels that answers depend on, by counts alone."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

from analyzer.metrics.accuracy import LEAST_OTHER_TRUTHS
from analyzer.metrics.failures import bounds_once
from analyzer.metrics.label_relation import settled_by_flips, unrelated
from analyzer.metrics.labelled import LEAST_LABELLED, LabelCounts
from tests.examples import examples
from tests.metrics.labelled_worlds import WORLDS, World, ignorant, precise, three, tuned

BY_DEFAULT = {(precise, 0.02), (tuned, 0.5), (ignorant, 0.02), (three, 0.2)}


def waits(world: World) -> bool:
    return unrelated(world.counts(), 0.05) is not None


@pytest.mark.parametrize(
    ("make", "share"),
    [
        pytest.param(make, share, marks=() if (make, share) in BY_DEFAULT else pytest.mark.long)
        for make in WORLDS
        for share in (0.02, 0.2, 0.5)
    ],
)
def test_labels_of_other_requests_show_nothing_at_any_look(make: object, share: float) -> None:
    assert callable(make)
    rng = np.random.default_rng(21)
    looks = np.linspace(LEAST_LABELLED, 8_000, 8).astype(int)
    count = examples(20, whole=40)
    worlds = [make(rng, 8_000, share).dealt(rng) for _ in range(count)]
    shown = sum(any(not waits(world.first(n)) for n in looks) for world in worlds)
    assert shown <= 0.15 * count  # 5 % of them, and chance


@pytest.mark.parametrize(
    ("make", "share", "labels"),
    [
        (precise, 0.001, 35_000),
        (precise, 0.02, 1_500),
        (precise, 0.2, 1_000),
        (tuned, 0.001, 35_000),
        (tuned, 0.02, 1_500),
        (tuned, 0.2, 1_000),
        (ignorant, 0.02, 10_000),
        (ignorant, 0.2, 1_500),
        (ignorant, 0.5, 1_500),
        (three, 0.02, 1_500),
        (three, 0.5, 1_000),
    ],
)
def test_honest_labels_show_themselves_before_they_settle_anything(
    make: object, share: float, labels: int
) -> None:
    assert callable(make)
    rng = np.random.default_rng(22)
    assert sum(waits(make(rng, labels, share)) for _ in range(40)) <= 2


def test_one_hit_of_a_rare_class_is_chance() -> None:
    """Of 20 events among 20,000 requests, one alarm of twenty meets one."""
    truth = np.zeros(20_000, np.int64)
    truth[:LEAST_OTHER_TRUTHS] = 1
    alarms = np.zeros_like(truth)
    alarms[19:39] = 1
    assert waits(World(truth, alarms, alarms))


def test_a_shadow_alone_may_know_the_truth() -> None:
    world = precise(np.random.default_rng(23), 20_000, 0.02)
    nothing = np.zeros_like(world.truth)
    assert waits(world._replace(production=nothing, shadow=nothing))
    assert not waits(world._replace(production=nothing))


def test_scores_show_what_answers_do_not() -> None:
    world = ignorant(np.random.default_rng(24), 20_000, 0.02)
    assert not world.production.any()
    assert not waits(world)
    assert waits(world._replace(scores=None))


def test_scores_that_say_the_opposite_show_no_relation() -> None:
    world = ignorant(np.random.default_rng(25), 5_000, 0.5)
    assert world.scores is not None
    turned = World(world.truth, 1 - world.production, 1 - world.shadow,
                   (1 - world.scores[0], 1 - world.scores[1]))  # fmt: skip
    assert not waits(world)
    assert waits(turned)


def test_inputs_that_come_back_show_as_much_as_each_once() -> None:
    counts = precise(np.random.default_rng(26), 1_500, 0.02).counts()
    assert unrelated(counts, 0.05) is None
    counts.row["prediction_squares"] *= 20
    assert unrelated(counts, 0.05) is not None


def test_what_is_needed_shows_it_and_no_less() -> None:
    world = ignorant(np.random.default_rng(27), 2_000, 0.02)
    found = unrelated(world.counts(), 0.05)
    assert found is not None
    said = re.search("or about (.*) labelled predictions would show it", found.text)
    assert said is not None
    needed = int(re.sub(r"\D", "", said[1]))
    assert needed > 2_000
    for factor, open_ in ((0.97, True), (1.03, False)):
        tiled = int(factor * needed)
        cases = np.arange(tiled) % 2_000  # the same shares of more
        assert world.scores is not None
        scores = (world.scores[0][cases], world.scores[1][cases])
        more = World(world.truth[cases], world.production[cases], world.shadow[cases], scores)
        assert waits(more) is open_


@pytest.mark.parametrize(("flips", "settled"), [(0, True), (10, True), (60, False), (600, False)])
def test_where_hardly_any_flips_no_label_is_needed(flips: int, *, settled: bool) -> None:
    table = pa.table({"flips": [flips], "others": [10_000 - flips]})
    row = {"predictions": 10_000, "prediction_squares": 10_000.0}
    found = LabelCounts("label", row, {"label_selection": table})
    assert settled_by_flips(found, bounds_once, 0.05, -0.005) is settled
    assert not settled_by_flips(found, bounds_once, 0.05, None)
