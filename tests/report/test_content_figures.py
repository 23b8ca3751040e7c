"""Rounding, units and signs: what the reader checks by eye must be true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.figures import percent
from analyzer.model import Family, Outcome
from analyzer.replay.summary import Summary, VariantSummary
from analyzer.report.content import figures
from analyzer.report.content.page import Table
from analyzer.report.content.replay_page import replay_page
from tests.report.verdicts import effect, evidence


@pytest.mark.parametrize(
    ("pair", "unit", "shown"),
    [
        ((12.41, 12.9), "ms", ("12.4 ms", "12.9 ms")),
        ((260.2, 1633.0), "ms", ("260 ms", "1 633 ms")),
        ((0.00012, 0.00017), "share", ("0.012 %", "0.017 %")),
        ((0.0, 0.0), "share", ("0.00 %", "0.00 %")),
        ((None, 0.0031), "share", ("-", "0.31 %")),
        ((63.12, 64.0), "percent", ("63.1 %", "64.0 %")),
    ],
)
def test_both_levels_have_the_same_decimals(
    pair: tuple[float | None, float | None], unit: str, shown: tuple[str, str]
) -> None:
    assert figures.levels(*pair, unit) == shown


def test_bound_just_below_the_margin_does_not_read_like_the_margin() -> None:
    seen = effect("difference", 0.0005, 0.0, 0.000996)
    assert figures.interval(seen, 0.001, "share") == "[+0.0000 .. +0.0996]"
    assert figures.allowed(0.001, "difference", "share") == "< +0.10 pp"


@given(
    margin=st.floats(1.01, 2.0),
    gap=st.floats(1e-4, 0.5),
    side=st.sampled_from([-1, 1]),
)
def test_shown_bound_is_on_the_same_side_of_the_margin_as_the_judged_one(
    margin: float, gap: float, side: int
) -> None:
    margin = round(margin, 2)
    bound = margin + side * gap
    seen = effect("ratio", bound, bound, bound)
    shown = figures.interval(seen, margin, "ms").strip("[]").split(" .. ")[0]
    allowed = figures.allowed(margin, "ratio", "ms").removeprefix("< ").removesuffix(" %")
    assert (float(shown) > float(allowed)) is (side > 0)


@pytest.mark.parametrize("margin", [None, 5.0, 1_500.0])
def test_bounds_of_thousands_are_written_and_compared(margin: float | None) -> None:
    seen = effect("proportion", 1_300.0, 1_210.91, 1_499.996)
    low, high = figures.interval(seen, margin, "score").strip("[]").split(" .. ")
    assert low.startswith("1 210.9")
    assert (float(high.replace(" ", "")) < 1_500) is (margin == 1_500)


def test_missing_bound_is_a_question_mark() -> None:
    assert figures.interval(effect("ratio", 1.0, None, 1.2), 1.1, "ms") == "[? .. +20.0]"
    assert figures.interval(effect("ratio", 1.0, None, None), 1.1, "ms") == "?"
    assert figures.interval(None, 1.1, "ms") == "?"


@given(st.floats(0, 1))
def test_only_a_whole_share_reads_one_hundred_percent(share: float) -> None:
    assert (percent(share) == "100.0 %") is (share == 1)


def test_negative_zero_reads_as_zero() -> None:
    assert (
        figures.interval(effect("difference", 0, -1e-9, 1e-4), 0.001, "share") == "[+0.00 .. +0.01]"
    )


def test_level_shows_no_fewer_decimals_than_its_interval() -> None:
    seen = effect("proportion", 0.102, 0.0862, 0.1165)
    row = evidence(Outcome.FAIL, seen, 0.05, family=Family.DIVERGENCE, unit="share")
    assert figures.decimals_of([row], "share") == figures.Decimals(2, 2, 2)
    assert figures.levels(None, 0.102, "share", 2) == ("-", "10.20 %")


def test_bound_that_differs_from_zero_does_not_read_as_zero() -> None:
    seen = effect("difference", 0.0, -0.0001, 0.00003)
    assert figures.interval(seen, 0.001, "share") == "[-0.010 .. +0.003]"


def test_a_tenfold_change_and_more_reads_as_how_many_times() -> None:
    slow = effect("ratio", 13808.6, 8.2, 15000.0)
    assert figures.change(slow, "ms", 1) == "13 809 times"
    assert figures.interval(slow, 1.2, "ms") == "[+720.0 .. 15 000 times]"
    assert figures.interval(effect("ratio", 30, 20.04, 40), 20.0, "ms") == "[+1904.0 .. +3900.0]"
    assert figures.allowed(20.0, "ratio", "ms") == "< +1900 %"


def test_change_is_never_a_negative_zero() -> None:
    assert figures.change(effect("ratio", 0.99999, 0.9, 1.1), "ms", 1) == "+0.0 %"
    assert figures.change(effect("difference", -1e-9, 0, 0), "share", 3) == "+0.000 pp"


def _replayed_row(service_ms: dict[str, float]) -> tuple[str, ...]:
    """What a replay says of its candidate."""
    variant = VariantSummary(
        sent=3_500,
        usable=3_500,
        errors={},
        said={},
        statuses={"200": 3_500},
        warm_up=70,
        late=0,
        service_ms=service_ms,
        response_ms={},
    )
    summary = Summary(
        state="complete",
        left=0,
        speed="captured",
        captures="captures",
        counts={"lines": 3_500, "requests": 3_500},
        objects_failed={},
        seconds=60.0,
        variants={"candidate": variant},
        folders={"candidate": "churn/candidate"},
    )
    (sent,) = (one for one in replay_page(summary, "out", "analyzer").blocks
               if isinstance(one, Table))  # fmt: skip
    return sent.rows[0]


def test_a_replay_writes_thousands_of_milliseconds_as_it_writes_thousands_of_requests() -> None:
    row = _replayed_row({"p50": 1_032.74, "p95": 2_000.0, "p99": 12_345.6})
    assert row[1] == "3 500"
    assert row[4:7] == ("1 032.7 ms", "2 000.0 ms", "12 345.6 ms")


@pytest.mark.parametrize(
    ("ms", "said"),
    [(0.021, "0.021 ms"), (0.998, "0.998 ms"), (1.5, "1.50 ms"), (12.34, "12.3 ms")],
)
def test_a_replay_writes_short_times_with_the_digits_they_have(ms: float, said: str) -> None:
    times = {"p50": ms, "p95": ms, "p99": ms}
    assert _replayed_row(times)[4:7] == (said, said, said)
