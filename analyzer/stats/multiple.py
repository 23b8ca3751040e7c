"""Which of many hypotheses stay refuted when all of them are looked at together?

In: p-values or e-values, one a hypothesis. Out: how any of them was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Refuted so that any mistake at all has probability alpha at most, however dependent.

    Source: Holm, Scandinavian Journal of Statistics 6:65 (1979).

    >>> holm([0.04, 0.01, 0.001], 0.05), holm([0.03, 0.04, 0.001], 0.05)
    ([True, True, True], [False, False, True])
    """
    refuted = [False] * len(p_values)
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[place] > alpha / (len(p_values) - rank):
            break
        refuted[place] = True
    return refuted


def benjamini_hochberg(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Refuted so that alpha of them at most are expected to be mistakes; for a single look.

    Assumes: p-values independent, or positively dependent.

    Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 57:289 (1995).

    >>> benjamini_hochberg([0.03, 0.04, 0.001, 0.9], 0.06)
    [True, True, True, False]
    """
    count = len(p_values)
    order = sorted(range(count), key=p_values.__getitem__)
    return _stepped_up(order, lambda rank, place: p_values[place] * count <= rank * alpha)


def e_benjamini_hochberg(e_values: Sequence[float], alpha: float) -> list[bool]:
    """As `benjamini_hochberg`, at any look and however dependent: from e-values.

    Source: Wang and Ramdas, Journal of the Royal Statistical Society B 84:822 (2022).

    >>> e_benjamini_hochberg([1.0, 30.0, 90.0], 0.05)
    [False, True, True]
    """
    count = len(e_values)
    order = sorted(range(count), key=e_values.__getitem__, reverse=True)
    return _stepped_up(order, lambda rank, place: e_values[place] * rank * alpha >= count)


def _stepped_up(order: Sequence[int], passes: Callable[[int, int], bool]) -> list[bool]:
    """Refuted is everything up to the last, most extreme first, that passes at its rank."""
    kept = max((rank for rank, place in enumerate(order, 1) if passes(rank, place)), default=0)
    refuted = [False] * len(order)
    for place in order[:kept]:
        refuted[place] = True
    return refuted
