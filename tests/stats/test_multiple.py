"""Corrections for looking at many hypotheses: against statsmodels' and by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.stats.multiple import benjamini_hochberg, e_benjamini_hochberg, holm
from tests.examples import examples

P_VALUES = st.lists(st.floats(0, 1), max_size=30)


@settings(max_examples=examples(40, whole=100), deadline=None)
@given(P_VALUES)
def test_holm_refutes_more_than_bonferroni_and_less_than_nothing_at_all(p: list[float]) -> None:
    refuted = holm(p, 0.05)
    for value, found in zip(p, refuted, strict=True):
        assert found or value > 0.05 / len(p)
        assert not found or value <= 0.05


@settings(max_examples=examples(40, whole=100), deadline=None)
@given(P_VALUES)
def test_the_rate_of_false_discoveries_refutes_all_that_holm_does(p: list[float]) -> None:
    looser = benjamini_hochberg(p, 0.05 * (1 + 1e-9))
    assert all(b for a, b in zip(holm(p, 0.05), looser, strict=True) if a)


@settings(max_examples=examples(40, whole=100), deadline=None)
@given(P_VALUES)
def test_e_values_refute_no_more_than_the_p_values_they_give(p: list[float]) -> None:
    e = [1 / max(value, 1e-300) for value in p]
    by_e, by_p = e_benjamini_hochberg(e, 0.05), benjamini_hochberg(p, 0.05 * (1 + 1e-9))
    assert all(b for a, b in zip(by_e, by_p, strict=True) if a)


def test_holm_and_benjamini_hochberg_are_those_of_statsmodels() -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    rng = np.random.default_rng(1)
    for size in (1, 2, 7, 40):
        p = rng.beta(0.3, 3, size).tolist()
        assert holm(p, 0.05) == multitest.multipletests(p, 0.05, "holm")[0].tolist()
        assert benjamini_hochberg(p, 0.05) == multitest.multipletests(p, 0.05, "fdr_bh")[0].tolist()


def test_holm_errs_at_all_in_five_of_a_hundred_families() -> None:
    rng = np.random.default_rng(2)
    wrong = sum(any(holm(rng.random(20).tolist(), 0.05)) for _ in range(2_000))
    assert wrong / 2_000 <= 0.05 + 3 * (0.05 * 0.95 / 2_000) ** 0.5
