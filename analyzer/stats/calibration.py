"""How far are stated probabilities from what happened?

In: counts and sums by bin of the stated probability. Out: how cases come into bins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


def expected_calibration_error(stated: Floats, happened: Floats, cases: Floats) -> float | None:
    """Mean over cases of the distance between a bin's stated and observed share.

    Args:
        stated: sum of the stated probabilities in each bin.
        happened: number of cases in each bin in which the event happened.
        cases: number of cases in each bin.

    Shapes: three times (B,).

    Returns:
        A number in 0..1; None without cases. Even a perfect forecast is above 0 by chance, about
        sqrt(B / n) / 2 at the most.

    Source: Naeini, Cooper and Hauskrecht, AAAI (2015).

    >>> expected_calibration_error(np.array([2.0, 8.0]), np.array([1.0, 9.0]), np.array([10., 10.]))
    0.1
    """
    total = float(cases.sum())
    return float(np.abs(stated - happened).sum()) / total if total else None
