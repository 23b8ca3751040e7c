"""An export in another time zone is known by its busy minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analyzer.gates.clocks import shifted
from analyzer.gates.timeline import TIMELINE_GATES
from analyzer.metrics.series import Cover
from analyzer.model import GateOutcome
from tests.metrics.points import Shadow, shadow_test

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts

CHECKS = {gate.id: gate.check for gate in TIMELINE_GATES}


def moved(test: Shadow, minutes: int) -> Shadow:
    """The test with the shadow's export so many minutes later; what leaves the window is lost."""
    for name in ("counts", "mean_ms"):
        series = np.roll(getattr(test.shadow, name), minutes)
        series[: max(minutes, 0)] = np.nan
        series[series.size + min(minutes, 0) :] = np.nan
        setattr(test.shadow, name, series)
    return test


def said(facts: Facts) -> str | None:
    cover = Cover.of(facts)
    assert cover is not None
    return shifted(facts, cover)


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(60, "1 h later"), (-330, "5.5 h earlier"), (30, "0.5 h later")],
)
@pytest.mark.parametrize("sampling", [1.0, 0.1])
def test_a_shadow_exported_in_another_time_zone_is_named(
    minutes: int, text: str, sampling: float
) -> None:
    facts = moved(shadow_test(4, sampling=sampling), minutes).facts()
    found = said(facts)
    assert found is not None
    assert found.startswith(f"The shadow's requests come {text} than production's")
    gate = CHECKS["window_match"](facts, {})
    assert (gate.outcome, gate.text) == (GateOutcome.FAIL, found)


@pytest.mark.parametrize("days", [0.6, 2.5])
@pytest.mark.parametrize("sampling", [1.0, 0.1, 0.02])
def test_a_shadow_of_the_same_clock_is_not(sampling: float, days: float) -> None:
    assert said(shadow_test(days, sampling=sampling).facts()) is None


def test_traffic_that_is_the_same_every_minute_or_every_hour_says_nothing() -> None:
    test = shadow_test(2)
    steady = np.full(test.minutes, 60.0)
    hourly = np.where(np.arange(test.minutes) % 60 == 0, 600.0, 60.0)
    for counts in (steady, hourly, np.full(test.minutes, np.nan)):
        test.production.counts, test.shadow.counts = counts, counts.copy()
        assert said(test.facts()) is None
        assert said(moved(test, 60).facts()) is None


def test_a_shadow_that_took_nothing_is_anothers_to_find() -> None:
    test = shadow_test(2)
    test.shadow.counts[:] = np.nan
    assert said(test.facts()) is None
