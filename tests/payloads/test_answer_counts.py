"""How often either variant gives each answer, on how many inputs, and where they differ."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.payloads.captured_pairs import compare, policy_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def counted(
    production: Sequence[str], shadow: Sequence[str], clusters: Sequence[int]
) -> dict[str, tuple[int, int, int, int]]:
    """(production, either, apart, squares) of every answer, one prediction after the other."""
    found = {}
    for answer in {*production, *shadow}:
        have = [
            (first, second, cluster)
            for first, second, cluster in zip(production, shadow, clusters, strict=True)
            if answer in {first, second}
        ]
        sizes = Counter(cluster for _, _, cluster in have)
        found[answer] = (
            sum(first == answer for first, _, _ in have),
            len(have),
            sum(first != second for first, second, _ in have),
            sum(size * size for size in sizes.values()),
        )
    return found


@pytest.mark.parametrize("rows", [1, 4], ids=["one row", "four rows"])
def test_answers_are_counted_with_their_inputs(rows: int) -> None:
    """Labels of payloads, of which some come again; a payload's rows lie together."""
    rng = np.random.default_rng(5)
    payloads = 900
    inputs = [int(one) for one in rng.integers(0, 500, payloads)]
    names = np.array(["first", "second", "third"])
    production = rng.choice(names, (payloads, rows), p=[0.7, 0.2, 0.1])
    shadow = np.where(rng.random((payloads, rows)) < 0.9, production, rng.choice(names))
    tables = compare(
        ["\n".join(one) for one in production], ["\n".join(one) for one in shadow], inputs=inputs
    )
    assert tables.kind == "label"
    found = {
        row["answer"]: (row["production"], row["either"], row["apart"], int(row["squares"]))
        for row in tables.rows("answer_counts")
    }
    clusters = [one for one in inputs for _ in range(rows)]
    assert found == counted([*map(str, production.flat)], [*map(str, shadow.flat)], clusters)


def test_scores_answer_on_either_side_of_the_threshold() -> None:
    rng = np.random.default_rng(6)
    production = rng.beta(0.5, 3, 2_000)
    shadow = np.clip(production + rng.normal(0, 0.1, 2_000), 0, 1)
    inputs = [int(one) for one in rng.integers(0, 1_500, 2_000)]
    tables = compare(
        [f"{one!r}" for one in production.tolist()],
        [f"{one!r}" for one in shadow.tolist()],
        inputs=inputs,
        policy=policy_of(label_at=0.4),
    )
    first, second = (
        ["0.4 or above" if one >= 0.4 else "below 0.4" for one in side]
        for side in (production, shadow)
    )
    found = {
        row["answer"]: (row["production"], row["either"], row["apart"], int(row["squares"]))
        for row in tables.rows("answer_counts")
    }
    assert found == counted(first, second, inputs)


def test_labels_given_less_than_fifty_times_are_counted_together() -> None:
    """Their predictions count once, also where one rare label became another."""
    production = ["common"] * 400 + ["fifty"] * 50 + [f"rare {i % 10}" for i in range(100)]
    shadow = ["common"] * 400 + ["fifty"] * 50 + [f"rare {i % 9}" for i in range(100)]
    rows = {row["answer"]: row for row in compare(production, shadow).rows("answer_counts")}
    assert set(rows) == {"common", "fifty", "(rare label)"}
    apart = sum(i % 10 != i % 9 for i in range(100))
    rare = rows["(rare label)"]
    assert (rare["production"], rare["either"], rare["apart"]) == (100, 100, apart)


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(["3.5", "7.25"], marks=pytest.mark.long),
        ["[1, 2.5]", "[3, 4.5]"],
    ],
)
def test_quantities_and_lists_of_them_are_no_answers(answers: list[str]) -> None:
    given = [f"{answers[i % 2]}" for i in range(100)]
    assert "answer_counts" not in compare(given, given).tables
