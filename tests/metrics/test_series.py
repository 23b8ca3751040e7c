"""Grids, whole days and looks."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.metrics.series import (
    Cover,
    Span,
    last_day,
    longest_whole_days,
    looks,
    requests,
    values,
)
from tests.metrics.points import START, captured, facts_of, shadow_test, without

DAY = 1440
NOTHING = shadow_test(0.01).points().clear()


def cover_of(days: float, start: datetime = START) -> Cover:
    cover = Cover.of(facts_of(NOTHING, start=start, end=start + timedelta(days=days)))
    assert cover is not None
    return cover


def matched(cover: Cover) -> np.ndarray:
    inside = np.zeros(cover.size, dtype=np.bool_)
    inside[cover.part(cover.window)] = True
    return inside


def test_a_window_of_whole_days_is_one_look_of_that_many_days() -> None:
    cover = cover_of(3)
    assert looks(cover, matched(cover)) == (Span(cover.window.start, cover.window.end, 3),)


def test_a_part_of_a_day_adds_a_second_look_at_the_whole_days() -> None:
    cover = cover_of(3.5)
    days = Span(cover.start, cover.start + 3 * 86_400, 3)
    assert looks(cover, matched(cover)) == (cover.window, days)


@pytest.mark.parametrize("days", [0.5, 1, 1.5])
def test_fewer_than_two_whole_days_are_looked_at_as_one_window(days: float) -> None:
    cover = cover_of(days)
    assert looks(cover, matched(cover)) == (cover.window,)


def test_the_last_day_ends_with_the_last_compared_minute_and_is_not_all_there_is() -> None:
    cover = cover_of(3.5)
    minutes = matched(cover)
    minutes[3 * DAY + 60 :] = False
    end = cover.start + 3 * 86_400 + 3_600
    assert last_day(cover, minutes) == Span(end - 86_400, end)
    minutes[: 2 * DAY + 60] = False
    assert last_day(cover, minutes) is None
    minutes[2 * DAY + 59] = True
    assert last_day(cover, minutes) is not None
    assert last_day(cover, np.zeros(cover.size, dtype=np.bool_)) is None


def test_a_day_without_one_of_its_hours_is_not_whole() -> None:
    cover = cover_of(3)
    minutes = matched(cover)
    minutes[DAY + 600 : DAY + 660] = False
    assert longest_whole_days(cover, minutes).whole_days == 1
    minutes[DAY + 630] = True
    assert longest_whole_days(cover, minutes).whole_days == 3


def test_days_apart_do_not_add_up() -> None:
    cover = cover_of(5)
    minutes = matched(cover)
    minutes[2 * DAY : 3 * DAY] = False
    assert longest_whole_days(cover, minutes) == Span(cover.start, cover.start + 2 * 86_400, 2)


def test_a_window_from_noon_to_noon_has_one_whole_day_less() -> None:
    noon = START + timedelta(hours=12)
    cover = cover_of(3, noon)
    assert longest_whole_days(cover, matched(cover)).whole_days == 2


@given(
    offset=st.floats(0, 8 * 86_400),
    minutes=st.integers(1, 3 * DAY),
    period=st.sampled_from([60, 300, 3600, 21_600]),
)
def test_every_part_of_a_window_lies_wholly_inside_it(
    offset: float, minutes: int, period: int
) -> None:
    start = START + timedelta(seconds=offset)
    facts = facts_of(NOTHING, start=start, end=start + timedelta(minutes=minutes))
    cover = Cover.of(facts, period)
    assert cover is not None
    times = cover.times()[cover.part(cover.window)]
    assert (times >= cover.window.start).all()
    assert (times + period <= cover.window.end).all()
    assert len(times) >= minutes * 60 // period - 1
    assert cover.window.start <= start.timestamp()
    assert cover.window.end >= facts.end.timestamp()  # type: ignore[union-attr]


@pytest.mark.parametrize("period", [60, 3600])
@pytest.mark.parametrize(("before", "after"), [(50, 0), (0, 170), (50, 170)])
def test_years_of_which_nothing_is_known_are_counted_and_not_laid_out(
    before: int, after: int, period: int
) -> None:
    test = shadow_test(2.5)
    start = START.replace(year=START.year - before)
    end = (START + timedelta(days=2.5)).replace(year=START.year + after)
    cover = Cover.of(facts_of(test.points(), start=start, end=end), period)
    assert cover is not None
    assert cover.size == 3 * 86_400 // period
    assert cover.start == START.timestamp()
    assert cover.minutes == (end - start).total_seconds() // 60
    laid_out = cover.laid_out
    assert cover.part(cover.window) == cover.part(laid_out)
    assert laid_out.end == min(cover.window.end, cover.start + 3 * 86_400)
    assert cover.part(Span(cover.window.start, cover.window.start + 3600)).stop <= cover.size


def test_a_window_beside_all_points_is_one_day_of_nothing() -> None:
    later = START.replace(year=START.year + 50)
    cover = Cover.of(facts_of(shadow_test(1).points(), start=later, end=later.replace(month=12)))
    assert cover is not None
    assert (cover.start, cover.size) == (later.timestamp(), DAY)


def test_records_without_points_are_known_of_as_well() -> None:
    captures = captured(START, START + timedelta(days=4, minutes=1))
    points = shadow_test(1).points()
    wide = facts_of(points, end=START + timedelta(days=9_000), captures=captures)
    cover = Cover.of(wide)
    assert cover is not None
    assert cover.size == 5 * DAY


def test_points_outside_the_window_are_missing() -> None:
    points = shadow_test(1).points()
    later, earlier = START + timedelta(hours=6), START + timedelta(hours=12)
    facts = facts_of(points, start=later, end=earlier)
    cover = Cover.of(facts)
    assert cover is not None
    known = np.isfinite(values(facts, cover, "shadow", "ModelLatency", "Average"))
    assert known.sum() == 360
    assert known[360:720].all()


def test_requests_of_longer_periods_are_added_up_from_the_minutes() -> None:
    test = shadow_test(1)
    facts = test.facts()
    hourly = Cover.of(facts, 3600)
    assert hourly is not None
    expected = test.production.counts.reshape(24, 60).sum(axis=1)
    assert requests(facts, hourly, "production") == pytest.approx(expected)


def test_a_hole_in_the_counts_of_longer_periods_is_filled_from_the_minutes() -> None:
    test = shadow_test(1)
    counts = (pl.col("metric_name") == "ModelLatency") & (pl.col("stat") == "SampleCount")
    hours = (
        test.points()
        .filter(counts & (pl.col("role") == "production"))
        .with_columns(pl.col("timestamp").dt.truncate("1h"), period_s=pl.lit(3600, pl.Int64))
    )
    hours = hours.group_by(pl.exclude("value")).agg(pl.col("value").sum())
    holed = hours.filter(pl.col("timestamp").dt.hour() != 11).select(test.points().columns)
    facts = facts_of(pl.concat([test.points(), holed]), end=START + timedelta(days=1))
    cover = Cover.of(facts, 3600)
    assert cover is not None
    expected = test.production.counts.reshape(24, 60).sum(axis=1)
    assert requests(facts, cover, "production") == pytest.approx(expected)


def test_invocations_stand_in_for_missing_sample_counts() -> None:
    test = shadow_test(0.5)
    points = without(test.points(), "ModelLatency")
    facts = facts_of(points, end=START + timedelta(days=0.5))
    cover = Cover.of(facts)
    assert cover is not None
    assert np.nansum(requests(facts, cover, "shadow")) == test.shadow.counts.sum()
