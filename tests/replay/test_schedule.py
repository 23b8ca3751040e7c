"""When requests are due: spread within seconds, scaled, and the same for the same captures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import UsageError
from analyzer.replay.schedule import Speed, schedule, speed_of

SECOND = 1_000_000


def test_the_requests_of_one_second_are_spread_over_it() -> None:
    due = schedule(np.array([0, 0, 0, 0, 2 * SECOND]), Speed(times=1.0))
    np.testing.assert_allclose(due.due_s, [0.0, 0.25, 0.5, 0.75, 2.375])
    np.testing.assert_allclose(due.slot_s, [0.25, 0.25, 0.25, 0.25, 1.0])


def test_times_finer_than_a_second_are_kept_as_they_are() -> None:
    due = schedule(np.array([0, 500_000, 500_000, 3 * SECOND]), Speed(times=2.0))
    np.testing.assert_allclose(due.due_s, [0.0, 0.25, 0.25, 1.5])


def test_a_fixed_rate_ignores_captured_times() -> None:
    due = schedule(np.array([0, 0, 9 * SECOND]), speed_of("50/s"))
    np.testing.assert_allclose(due.due_s, [0.0, 0.02, 0.04])


@given(
    st.lists(st.integers(0, 50), min_size=1).map(sorted),
    st.floats(0.1, 100),
)
def test_due_times_ascend_and_no_request_leaves_its_second(
    seconds: list[int], times: float
) -> None:
    due = schedule(np.array(seconds) * SECOND, Speed(times=times))
    assert due.due_s[0] == 0
    assert np.all(np.diff(due.due_s) > 0)
    within = due.due_s * times + due.slot_s[0] * times / 2 + seconds[0]
    np.testing.assert_array_equal(np.floor(within + 1e-9), seconds)


@pytest.mark.parametrize("text", ["", "fast", "0x", "-1x", "10", "nan/s", "infx", "1e3/s"])
def test_a_speed_that_is_none_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--speed"):
        speed_of(text)
