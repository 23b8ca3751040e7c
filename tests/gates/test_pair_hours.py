"""Pairs of a part of the time, and a shadow that was production for a part of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from analyzer.gates.identity import IDENTITY_GATES
from analyzer.gates.pair_hours import seen_share, unchanged_hours, unchanged_values
from analyzer.model import GateOutcome
from tests.gates.test_pair_gates import check
from tests.metrics.points import shadow_test
from tests.metrics.prediction_facts import START, counts_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.metrics.metric import Facts

HOURS = 96
IDENTITY = {gate.id: gate for gate in IDENTITY_GATES}


def paired(pairs: Sequence[int]) -> Facts:
    """Four days of traffic with a daily rhythm, and so many pairs in each hour."""
    facts = facts_of()
    assert facts.captures is not None
    rows = [
        {
            "hour": START.replace(tzinfo=None) + timedelta(hours=h),
            "role": role,
            "records": n,
            "paired": n,
        }
        for h, n in enumerate(pairs)
        for role in ("production", "shadow")
    ]
    tables = {**facts.captures.tables, "capture_hours": pa.Table.from_pylist(rows)}
    captures = replace(facts.captures, tables=tables)
    return replace(facts, captures=captures, metric_points=shadow_test(4).points())


def share(pairs: Sequence[int]) -> float | None:
    facts = paired(pairs)
    assert facts.captures is not None
    return seen_share(facts, facts.captures)


def test_pairs_of_a_few_hours_do_not_speak_for_days() -> None:
    held = check("pairing", paired([5_000] + [0] * 94 + [1]))
    assert held.outcome is GateOutcome.FAIL
    assert "10 000 pairs lie in hours that carry 2." in held.text
    assert held.value is not None
    assert held.value < 0.03
    assert check("pairing", paired([100] * HOURS)).outcome is GateOutcome.PASS


@pytest.mark.parametrize(
    ("pairs", "least"),
    [
        ([60] * 92 + [0] * 4, 0.95),  # four silent hours of 96
        ([3] * HOURS, 1.0),  # three pairs an hour: six hours are the stretch
        ([3, 0, 0, 0] * 24, 1.0),  # a day is
        (np.random.default_rng(1).poisson(8, HOURS).tolist(), 1.0),
    ],
)
def test_thin_captures_are_held_to_longer_stretches(pairs: list[int], least: float) -> None:
    seen = share(pairs)
    assert seen is not None
    assert seen >= least


def test_without_pairs_or_requests_nothing_is_said_of_the_time() -> None:
    assert share([0] * HOURS) is None
    facts = paired([100] * HOURS)
    assert facts.captures is not None
    silent = facts.metric_points.filter(pl.col("metric_name") != "Invocations")
    assert seen_share(replace(facts, metric_points=silent), facts.captures) is None


def answered(changed: Sequence[int], each: int = 50, kind: str = "probability") -> Facts:
    """So many changed outputs in each hour of `each`."""
    facts = facts_of(kind=kind)
    assert facts.captures is not None
    hours = pa.table({"answered_pairs": [each] * len(changed), "mismatched_pairs": list(changed)})
    tables = {**facts.captures.tables, "contract_hours": hours}
    return replace(facts, captures=replace(facts.captures, tables=tables))


def test_hours_in_which_a_retrained_model_changes_nothing_are_another_models() -> None:
    text = unchanged_hours(answered([50] * 64 + [0] * 32))
    assert text is not None
    assert "In 32 hours all 1 600 outputs are byte-identical, in the others 100.0 % differ" in text


@pytest.mark.parametrize(
    "facts",
    [
        answered([50] * HOURS),
        answered([0] * HOURS),  # nothing changed at all: asked of all pairs
        answered([1] * 64 + [0] * 32),  # a small change that few requests meet
        answered([50] * 92 + [0] * 4),  # too little to thin anything out
        answered([10] * 64 + [0] * 32, each=10),  # ten alike may be chance
        answered([50] * 64 + [0] * 32, kind="label"),
    ],
)
def test_hours_alike_by_chance_or_in_passing_are_left_alone(facts: Facts) -> None:
    assert unchanged_hours(facts) is None


def test_under_an_infrastructure_change_nothing_should_change_in_any_hour() -> None:
    facts = answered([50] * 64 + [0] * 32)
    policy = facts.policy.model_copy(update={"change": "infrastructure"})
    assert unchanged_hours(replace(facts, policy=policy)) is None


def compared(*, moved: float = 0.0, kind: str = "probability", pairs: int = 5_000) -> Facts:
    return facts_of(counts_of(pairs, mean_absolute_difference=moved), kind=kind)


def test_scores_that_never_move_are_no_predictions_of_a_changed_model() -> None:
    held = IDENTITY["roles"].check(compared(), {})
    assert held.outcome is GateOutcome.FAIL
    assert (
        "None of 5 000 compared scores differs, though 5 000 outputs differ elsewhere" in held.text
    )
    assert "predictions.path" in held.text
    assert "infrastructure" in IDENTITY["roles"].advice


def test_the_same_model_behind_another_line_end_is_not_said_to_differ_elsewhere() -> None:
    same = facts_of(counts_of(5_000, mean_absolute_difference=0.0, mismatched_pairs=0))
    text = unchanged_values(same)
    assert text is not None
    assert "differs, though the policy says the model changed" in text


@pytest.mark.parametrize(
    "facts",
    [compared(moved=1e-9), compared(kind="label"), compared(pairs=999)],
)
def test_scores_that_move_labels_and_few_pairs_prove_no_echo(facts: Facts) -> None:
    assert unchanged_values(facts) is None
    policy = facts.policy.model_copy(update={"change": "infrastructure"})
    assert unchanged_values(replace(compared(), policy=policy)) is None
