"""Pairs nearest in time: against the literal greedy rule, and at sizes where greedy is not free."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.captures.nearest import nearest_pairs

Row = tuple[int, int, bool]


def arrays(rows: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    group = np.array([row[0] for row in rows], np.int64)
    starts = np.ones(len(rows), np.bool_)
    starts[1:] = group[1:] != group[:-1]
    second = np.array([row[1] for row in rows], np.int64)
    return starts, second, np.array([row[2] for row in rows], np.bool_)


def greedy(rows: list[Row], window_s: int) -> set[tuple[int, int]]:
    """Every possible pair, the closest first; later shadow first; then first come."""
    possible = sorted(
        (abs(s[1] - p[1]), s[1] < p[1], left, right)
        for left, p in enumerate(rows)
        for right, s in enumerate(rows)
        if not p[2] and s[2] and p[0] == s[0] and abs(s[1] - p[1]) <= window_s
    )
    pairs: set[tuple[int, int]] = set()
    used: set[int] = set()
    for _, _, left, right in possible:
        if not used & {left, right}:
            used |= {left, right}
            pairs.add((left, right))
    return pairs


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(-9, 30), st.booleans()), max_size=40),
    st.integers(0, 12),
)
def test_the_rounds_take_exactly_the_greedy_pairs(rows: list[Row], window_s: int) -> None:
    rows.sort()
    production, shadow = nearest_pairs(*arrays(rows), window_s)
    pairs = list(zip(production.tolist(), shadow.tolist(), strict=True))
    assert set(pairs) == greedy(rows, window_s)
    assert len(set(pairs)) == len(pairs)


def test_a_chain_of_ever_closer_neighbours_is_resolved_from_its_closest_end() -> None:
    seconds = np.cumsum([0, *range(59, 0, -1)])
    rows = [(0, int(second), bool(n % 2)) for n, second in enumerate(seconds)]
    production, shadow = nearest_pairs(*arrays(rows), 60)
    assert set(zip(production.tolist(), shadow.tolist(), strict=True)) == greedy(rows, 60)
    assert len(production) == 30


def test_a_million_records_of_one_payload_pair_without_a_cross_product() -> None:
    seconds = np.repeat(np.arange(5_000, dtype=np.int64), 200)
    is_shadow = np.tile(np.repeat([False, True], 100), 5_000)
    starts = np.zeros(len(seconds), np.bool_)
    starts[0] = True
    production, shadow = nearest_pairs(starts, seconds, is_shadow, 60)
    assert len(production) == 500_000
    assert np.array_equal(seconds[production], seconds[shadow])


def test_no_records_give_no_pairs() -> None:
    production, shadow = nearest_pairs(*arrays([]), 60)
    assert len(production) == len(shadow) == 0
