"""Small slices of the measurements that DESIGN.md quotes for what withholds a pass."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analyzer.engine import Engine
from tests.calibration import (
    beside_labels,
    dealt_labels,
    default_scores,
    each_row,
    lags,
    last_day,
    printing,
    shifted_clocks,
)
from tests.calibration.last_day import CASES, TOGETHER, withheld, worlds_of
from tests.metrics.labelled_worlds import WORLDS, ignorant, precise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.metrics.labelled_worlds import Make

COMMANDS = (
    last_day,
    shifted_clocks,
    dealt_labels,
    default_scores,
    each_row,
    lags,
    beside_labels,
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(threads=1) as opened:
        opened.execute("prediction_macros")
        yield opened


def last(name: str, days: int) -> dict[str, bool | None]:
    """What comes of one world of a case."""
    (world,) = worlds_of(CASES[name], "AR(1) 0.8", days, np.random.default_rng(41), 1)
    return withheld(world)


@pytest.mark.parametrize("name", ["as good", "5 % slower"])
def test_an_honest_shadow_passes_as_a_whole(name: str) -> None:
    assert set(last(name, 4).values()) == {False}


def test_two_weeks_with_errors_on_the_last_day_do_not_pass() -> None:
    found = last("0.2 % errors on the last day, 0.01 % before", 14)
    assert found["error_5xx_rate"] is True
    assert found["latency_mean"] is False
    assert found[TOGETHER] is True


@pytest.mark.parametrize("copied", [1.0, 0.1])
@pytest.mark.parametrize("name", ["daily", "steady", "hourly", "bursty"])
def test_one_clock_is_not_called_shifted_and_an_hour_is_found(name: str, copied: float) -> None:
    rng = np.random.default_rng(42)
    for _ in range(2):
        counts = shifted_clocks.TRAFFIC[name, copied].draw(1, rng)
        assert shifted_clocks.said(counts) is None
        found = shifted_clocks.said(shifted_clocks.an_hour_late(counts))
        assert found is not None
        assert "come 1 h later" in found


@pytest.mark.parametrize("traffic", [("same number", 1.0), ("daily, few", 0.02)])
def test_minutes_that_tell_nothing_call_nothing_shifted(traffic: tuple[str, float]) -> None:
    counts = shifted_clocks.TRAFFIC[traffic].draw(2, np.random.default_rng(43))
    assert shifted_clocks.said(counts) is None
    assert shifted_clocks.said(shifted_clocks.an_hour_late(counts)) is None


@pytest.mark.parametrize("make", WORLDS)
def test_dealt_labels_are_seldom_let_through(make: Make) -> None:
    rng = np.random.default_rng(44)
    worlds = [make(rng, 4_000, 0.02).dealt(rng) for _ in range(12)]
    looks = list(dealt_labels.looks_until(4_000))
    found = [dealt_labels.shown_at(world, looks) < inf for world in worlds]
    assert sum(found) <= 4  # 5 % of twelve, and chance


@pytest.mark.parametrize(("make", "most"), [(precise, 2_000), (ignorant, 20_000)])
def test_honest_labels_show_themselves(make: Make, most: int) -> None:
    world = make(np.random.default_rng(45), most, 0.02)
    assert dealt_labels.shown_at(world, [500]) == inf  # too few to be asked
    assert dealt_labels.shown_at(world, dealt_labels.looks_until(most)) <= most


def drawn(case: default_scores.Case) -> default_scores.Drawn:
    rng = np.random.default_rng(46)
    return case.make(rng, rng.normal(-2, 2, 4_000))


@pytest.mark.parametrize("name", default_scores.HONEST)
def test_scores_of_an_honest_shadow_are_no_default(engine: Engine, name: str) -> None:
    case = default_scores.HONEST[name]
    evidence, _ = default_scores.assessed(engine, drawn(case), case.kind)
    assert not default_scores.named(evidence)


@pytest.mark.parametrize("name", ["0 for 4 %", "quantity of 0 for 4 %"])
def test_a_default_for_a_few_requests_is_one(engine: Engine, name: str) -> None:
    found = default_scores.measured(
        default_scores.DEFAULTED[name], 1, np.random.default_rng(47), engine
    )
    assert found["named"] == found["worlds"]
    assert found["held"] == found["passes"] > 0


@pytest.mark.parametrize("name", ["a little noise", "no yes in the last place"])
def test_a_place_is_withheld_for_where_it_is_lost_alone(name: str) -> None:
    rng = np.random.default_rng(48)
    logits = rng.normal(-1.5, 2, (1_000, 20))
    shadow = (each_row.HONEST | each_row.HARMFUL)[name](rng, logits)
    assert each_row.withheld(logits, shadow)["flip_rate"] is (name in each_row.HARMFUL)


@pytest.mark.parametrize("kind", lags.ORDERED)
@pytest.mark.parametrize(
    "name", ["off by 0.3 of a list's spread", "smoother", "a step late", "two steps late"]
)
def test_lists_are_withheld_for_where_they_lie_a_step_off(
    engine: Engine, kind: str, name: str
) -> None:
    rng = np.random.default_rng(49)
    production = lags.KINDS[kind](rng, 500)
    shadow = (lags.HONEST | lags.HARMFUL)[name](rng, production)
    assert lags.withheld(engine, production, shadow) is (name in lags.HARMFUL)


@pytest.mark.parametrize("name", ["off by 0.05 of the logits", *beside_labels.HARMFUL])
def test_scores_beside_labels_are_withheld_for_where_they_are_apart(
    engine: Engine, name: str
) -> None:
    rng = np.random.default_rng(50)
    logits = beside_labels.logits_of("10 classes, sure", rng, 500)
    shadow = (beside_labels.HONEST | beside_labels.HARMFUL)[name](rng, logits)
    production = beside_labels.likeliest(logits)
    found = beside_labels.withheld(engine, production, shadow)
    assert found is (name in beside_labels.HARMFUL)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda module: module.__name__.split(".")[-1])
def test_a_command_prints_its_table(
    command: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hasattr(command, "HEAD")
    assert hasattr(command, "rows")
    monkeypatch.setattr("sys.argv", ["tests/calibration/one.py", "--worlds", "1", "--seed", "5"])
    given = printing.asked("What?", worlds=9)
    row = next(command.rows(given.worlds, given.seed))
    printing.show(given, command.HEAD, [row])
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "`python tests/calibration/one.py --worlds 1 --seed 5`:"
    assert [line.count("|") for line in said[2:]] == [len(command.HEAD) + 1] * 3
