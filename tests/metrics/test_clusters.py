"""Parts are named only where the worst pairs are far denser than all pairs, and not by chance."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from analyzer.metrics.clusters import cluster_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def tables(
    worst: Sequence[str], held: Mapping[str, int], hours: Sequence[int] | None = None
) -> dict[str, pa.Table]:
    """Worst pairs in these values of a slice, all pairs in those; the hours of both."""
    bins = {"slice": "input.1", "kind": "value", "range_lower": None, "range_upper": None}
    at = hours or [k % 24 for k in range(len(worst))]
    found: dict[str, list[dict[str, object]]] = {
        "worst_pairs": [
            {"rank": k + 1, "captured_at": datetime(2026, 11, 16, hour)}  # noqa: DTZ001 - UTC
            for k, hour in enumerate(at)
        ],
        "worst_slices": [{"rank": k + 1, "value": one, **bins} for k, one in enumerate(worst)],
        "slice_counts": [{"value": one, "pairs": pairs, **bins} for one, pairs in held.items()],
        "capture_hours": [
            {"hour": datetime(2026, 11, 16, hour), "role": role, "paired": 100}  # noqa: DTZ001
            for hour in range(24)
            for role in ("production", "shadow")
        ],
    }
    return {name: pa.Table.from_pylist(rows) for name, rows in found.items()}


def test_a_part_with_most_of_the_worst_and_few_of_all_is_named() -> None:
    worst = ["csv"] * 41 + ["json"] * 9
    frames = cluster_tables(tables(worst, {"csv": 100, "json": 900}))
    assert frames["worst_clusters"].rows() == [("input.1", "csv", 41, 50, 0.1)]
    assert frames["worst_parts"]["part"].to_list() == worst


def test_worst_pairs_spread_like_all_pairs_say_nothing() -> None:
    named = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        worst = random.choice(["a", "b", "c", "d"], 50, p=(0.7, 0.1, 0.1, 0.1)).tolist()
        hours = random.integers(0, 24, 50).tolist()
        held = {"a": 700, "b": 100, "c": 100, "d": 100}
        named += not cluster_tables(tables(worst, held, hours))["worst_clusters"].is_empty()
    assert named <= 6


@pytest.mark.parametrize(("worst", "others"), [(4, 0), (30, 20)])
def test_a_handful_or_a_small_excess_is_no_cluster(worst: int, others: int) -> None:
    frames = cluster_tables(
        tables(["a"] * worst + ["b"] * others, {"a": 350 if others else 1, "b": 650})
    )
    assert frames["worst_clusters"].is_empty()


def test_hours_are_looked_at_without_being_asked_for() -> None:
    given = tables(["a"] * 50, {"a": 1000}, [4] * 38 + list(range(12)))
    del given["worst_slices"], given["slice_counts"]
    (row,) = cluster_tables(given)["worst_clusters"].rows()
    assert row == ("hour", "04", 39, 50, pytest.approx(1 / 24))


def test_without_worst_pairs_there_is_no_table() -> None:
    assert cluster_tables({}) == {}


def test_ranges_whose_ends_read_alike_are_one_part() -> None:
    """All worst pairs lie in fifths that cannot be told apart at four digits; so do all pairs."""
    ends = [None, 0.500001, 0.500002, 0.500003, 0.500004, None]
    bins = [
        {"slice": "input.1", "kind": "range", "value": None, "range_lower": low, "range_upper": up}
        for low, up in pairwise(ends)
    ]
    given = tables(["a"] * 60, {"a": 1})
    given["slice_counts"] = pa.Table.from_pylist([{**one, "pairs": 200} for one in bins])
    given["worst_slices"] = pa.Table.from_pylist(
        [{"rank": k + 1, **bins[1 + k % 3]} for k in range(60)]
    )
    del given["capture_hours"]
    assert cluster_tables(given)["worst_clusters"].is_empty()
