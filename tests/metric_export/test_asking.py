from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import pytest

from analyzer import analysis
from analyzer.metric_export.asking import (
    MOST_POINTS,
    MOST_QUERIES,
    SETTLING,
    Question,
    kept_from,
    questions,
    requests,
)
from tests.metric_export.cloudwatch_of import at

NOW = at("2026-11-20T12:34:56")


def test_requests_ask_for_whole_periods_of_utc_that_are_over() -> None:
    asked = questions("churn", ["blue", "green"])
    for request in requests(asked, at("2026-11-18T07:10:30"), NOW, NOW):
        (period_s,) = {question.period_s for question in request.questions}
        assert request.start.timestamp() % period_s == 0
        assert request.end.timestamp() % period_s == 0
        assert request.end <= NOW - SETTLING


def test_requests_cover_every_period_once_and_fit_into_one_answer() -> None:
    start = at("2026-11-06T00:00")
    asked = questions("churn", ["blue", "green"])
    for period_s in {question.period_s for question in asked}:
        spans = [
            request
            for request in requests(asked, start, NOW, NOW)
            if request.questions[0].period_s == period_s
        ]
        assert spans[0].start == start
        assert all(one.end == other.start for one, other in pairwise(spans))
        for request in spans:
            steps = (request.end - request.start) / timedelta(seconds=period_s)
            assert len(request.questions) * steps <= MOST_POINTS
            assert len(request.questions) <= MOST_QUERIES


@pytest.mark.parametrize(
    ("period_s", "days"), [(60, 15), (300, 63), (3_600, 455), (21_600, 455), (86_400, 455)]
)
def test_nothing_is_asked_for_that_cloudwatch_has_dropped(period_s: int, days: int) -> None:
    first = kept_from(period_s, NOW)
    assert NOW - timedelta(days=days) < first
    assert first <= NOW - timedelta(days=days) + timedelta(seconds=period_s + 60)
    long_ago = NOW - timedelta(days=600)
    asked = [Question("churn", "blue", "ModelLatency", "p99", period_s)]
    assert min(one.start for one in requests(asked, long_ago, NOW, NOW)) == first


def test_every_series_a_verdict_says_it_misses_is_asked_for() -> None:
    """The needs of a run without metrics name metric, statistics and periods."""
    done = analysis.run(
        analysis.Request(source="sample_data/thin_sample/captures", use_cache=False),
        lambda *_, **__: None,
    )
    named = [
        (metric, stat, int(period))
        for item in done.verdict.metrics.values()
        if item.needs is not None
        for metric, stats, periods in re.findall(r"(\w+) \(([^;()]+); ([\d, ]+) s", item.needs.text)
        for stat in stats.split(", ")
        for period in periods.split(", ")
    ]
    asked = {(one.metric, one.stat, one.period_s) for one in questions("churn", ["blue"])}
    assert len(named) > 30
    assert set(named) <= asked
