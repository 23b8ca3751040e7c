"""Kappa, symmetry and label frequencies of the flips table: evidence that decides nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from analyzer.metrics.label_agreement import LABEL_AGREEMENT
from analyzer.model import Outcome, Role
from analyzer.policy.files import parse_policy
from tests.metrics.prediction_facts import counts_of, facts_of

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence

BY_ID = {metric.id: metric for metric in LABEL_AGREEMENT}
POLICY = parse_policy({}, {metric.id: metric.default for metric in LABEL_AGREEMENT})
FLEISS = {
    ("a", "a"): 35,
    ("a", "b"): 5,
    ("b", "a"): 15,
    ("b", "b"): 20,
    ("b", "c"): 5,
    ("c", "a"): 10,
    ("c", "b"): 5,
    ("c", "c"): 5,
}


def labelled(
    cells: dict[tuple[str, str], int], *, kind: str = "label", repeats: int = 1, unlisted: int = 0
) -> Facts:
    """Facts whose flips table holds these cells; each input came `repeats` times."""
    total = sum(cells.values()) + unlisted
    counts = counts_of(pairs=total, prediction_squares=float(total * repeats))
    facts = facts_of(counts, kind=kind, policy=POLICY)
    assert facts.captures is not None
    rows = [
        {"production_label": row, "shadow_label": column, "predictions": n}
        for (row, column), n in cells.items()
    ]
    tables = {**facts.captures.tables, "label_flips": pa.Table.from_pylist(rows)}
    return replace(facts, captures=replace(facts.captures, tables=tables))


def assess(metric: str, facts: Facts) -> Evidence:
    return BY_ID[metric].assess(facts, POLICY.metrics[metric])


def p_value(evidence: Evidence) -> float:
    assert evidence.test is not None
    assert evidence.test.p_value is not None
    return evidence.test.p_value


def estimate(evidence: Evidence) -> float:
    assert evidence.effect is not None
    assert evidence.effect.estimate is not None
    return evidence.effect.estimate


@pytest.mark.parametrize("kind", ["label", "multiclass", "probability"])
def test_a_published_table_gives_its_published_numbers(kind: str) -> None:
    facts = labelled(FLEISS, kind=kind)
    assert estimate(assess("label_kappa", facts)) == pytest.approx(0.354839, abs=1e-6)
    symmetry = assess("label_asymmetry", facts)
    assert p_value(symmetry) == pytest.approx(0.001817, abs=1e-6)
    assert estimate(symmetry) == pytest.approx(0.2)
    drift = assess("label_drift", facts)
    assert p_value(drift) == pytest.approx(0.000912, abs=1e-6)
    assert estimate(drift) == pytest.approx(0.2)
    assert any("Bhapkar: chi-square 16.279 on 2 df" in note.text for note in drift.notes)


def test_the_numbers_are_evidence_and_can_neither_pass_nor_fail() -> None:
    for metric in BY_ID:
        evidence = assess(metric, labelled(FLEISS))
        assert (evidence.role, evidence.outcome) == (Role.EVIDENCE, Outcome.INFO)
        assert not evidence.required
        assert evidence.margin is None


def test_kappa_has_an_interval_around_it_that_ends_at_one() -> None:
    interval = assess("label_kappa", labelled(FLEISS)).intervals.fixed
    assert interval is not None
    assert interval[0] < 0.354839 < interval[1] < 0.5
    perfect = assess("label_kappa", labelled({("a", "a"): 99, ("b", "b"): 1}))
    assert estimate(perfect) == 1
    assert perfect.intervals.fixed == (1, 1)


def test_repeated_inputs_make_a_test_weaker_and_leave_the_estimate() -> None:
    once, often = (
        assess("label_asymmetry", labelled(FLEISS, repeats=repeats)) for repeats in (1, 4)
    )
    assert estimate(once) == estimate(often)
    assert p_value(often) > 10 * p_value(once)
    assert often.n.effective == 25


def test_flips_both_ways_alike_move_no_frequency() -> None:
    cells = {("a", "a"): 500, ("a", "b"): 40, ("b", "a"): 40, ("b", "b"): 300}
    for metric in ("label_asymmetry", "label_drift"):
        evidence = assess(metric, labelled(cells))
        assert estimate(evidence) == 0
        assert p_value(evidence) == 1


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (labelled(FLEISS, unlisted=7), "too-many-labels"),
        (labelled(FLEISS, kind="regression"), "not-applicable"),
        (facts_of(counts_of(), kind="label", policy=POLICY), "nothing-comparable"),
        (facts_of(captured=False, policy=POLICY), "no-captures"),
        (labelled({("a", "a"): 50}), "one-label"),
    ],
)
def test_where_there_is_no_kappa_the_reason_is_said(facts: Facts, code: str) -> None:
    evidence = assess("label_kappa", facts)
    assert evidence.effect is None
    assert [note.code for note in evidence.notes] == [code]
