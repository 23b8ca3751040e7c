"""Effective counts of repeated inputs."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.stats.effective import effective_share_n


@pytest.mark.parametrize(
    ("repeats", "expected"),
    [([1] * 1000, 1000), ([5] * 334, 334), ([50] * 100, 100), ([2000], 1), ([3, 1], 1.6)],
)
def test_repeats_of_an_input_count_once(repeats: list[int], expected: float) -> None:
    m = np.array(repeats)
    assert effective_share_n(m.sum(), (m**2).sum()) == pytest.approx(expected)


def test_no_pairs_are_worth_nothing() -> None:
    assert effective_share_n(0, 0) == 0.0
