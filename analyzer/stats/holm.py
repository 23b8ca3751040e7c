"""Which of many tests say something, although there are many?

In: p-values -> Holm's adjusted ones, valid whatever hangs together with what. Out: tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analyzer.stats.ewc import FloatArray


def holm(p_values: FloatArray) -> FloatArray:
    """P-values that may each be read at the level of the whole family.

    Shapes: (K,) to (K,).

    Source: Holm, Scandinavian Journal of Statistics 6:65 (1979).

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    raised = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    adjusted = np.empty_like(raised)
    adjusted[order] = raised
    return adjusted
