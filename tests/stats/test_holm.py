"""Holm's adjusted p-values against statsmodels, and what must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from analyzer.stats.holm import holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(P_VALUES)
def test_the_same_as_an_independent_implementation(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1]
    assert holm(np.array(p_values)) == pytest.approx(expected)


@given(P_VALUES)
def test_never_below_the_plain_value_and_never_above_bonferroni(p_values: list[float]) -> None:
    adjusted = holm(np.array(p_values))
    assert (adjusted >= np.array(p_values)).all()
    assert (adjusted <= np.minimum(np.array(p_values) * len(p_values), 1) + 1e-12).all()
