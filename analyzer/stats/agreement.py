"""Do two variants name the same labels, and if not, do they err both ways alike?

In: kappa for agreement beyond chance, Bowker's test of symmetry, the tests of Stuart and Maxwell
and of Bhapkar that both name each label equally often. Rows are one variant's labels, columns the
other's. Counts may be fractions: callers scale them to an effective number first. Out: whether the
labels are right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from analyzer.stats.ewc import FloatArray


_NOTHING_OPEN = 1e-12
"""The variance of one prediction's agreement below which one side always says the same."""


class Kappa(NamedTuple):
    """Agreement beyond chance: 1 is perfect, 0 what both label frequencies alone would give."""

    kappa: float
    se: float


class ChiSquare(NamedTuple):
    """A chi-square test; p 1 with no degree of freedom, where nothing could differ."""

    statistic: float
    df: int
    p_value: float


def cohens_kappa(table: FloatArray) -> Kappa | None:
    """How much more often do both agree than their label frequencies alone would make them?

    Shapes: table (K, K), a label having the same place in rows and columns.

    Returns:
        None for an empty table, or where both always name one same label: chance is perfect then.

    Source: Cohen, Educational and Psychological Measurement 20:37 (1960); standard error: Fleiss,
    Cohen and Everitt, Psychological Bulletin 72:323 (1969).

    >>> round(cohens_kappa(np.array([[35.0, 5, 0], [15, 20, 5], [10, 5, 5]])).kappa, 6)
    0.354839
    """
    n = float(_checked(table).sum())
    if n <= 0:
        return None
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    agreed, chance = float(np.trace(p)), float(rows @ columns)
    if chance >= 1 - 1e-12:
        return None
    kappa = (agreed - chance) / (1 - chance)
    share = np.diag(p)
    own = float(share @ (1 - (rows + columns) * (1 - kappa)) ** 2)
    cross = p * (columns[:, None] + rows[None, :]) ** 2
    others = (1 - kappa) ** 2 * float(cross.sum() - np.trace(cross))
    variance = (own + others - (kappa - chance * (1 - kappa)) ** 2) / (1 - chance) ** 2 / n
    return Kappa(kappa, math.sqrt(max(variance, 0.0)))


def below_chance(agreed: float, chance: float, spread: float, n: float) -> float:
    """How many standard errors do two agree less often than if they knew nothing of each other?

    The score test of kappa = 0 against a smaller one. It needs both label frequencies and the
    share of agreement, and no table of which label meets which.

    Args:
        agreed: share of agreement.
        chance: the sum of p q over labels, p and q being the label's shares on both sides.
        spread: the sum of p q (p + q).
        n: independent predictions.

    Returns:
        Positive where they agree less often; 0 where chance leaves nothing open.

    Source: Fleiss, Cohen and Everitt, Psychological Bulletin 72:323 (1969), equation 14.

    >>> p, q = np.array([0.9, 0.1]), np.array([0.2, 0.8])
    >>> round(below_chance(0.22, float(p @ q), float(p * q @ (p + q)), 1_000), 3)
    5.27
    """
    variance = chance + chance**2 - spread
    if n <= 0 or variance <= _NOTHING_OPEN:
        return 0.0
    return (chance - agreed) / math.sqrt(variance / n)


def bowker(table: FloatArray) -> ChiSquare:
    """Is every change from one label to another as frequent as the change back?

    With two labels it is McNemar's test. Every pair of labels counts as a degree of freedom, those
    that were never confused too.

    Shapes: table (K, K).

    Source: Bowker, Journal of the American Statistical Association 43:572 (1948).

    >>> test = bowker(np.array([[35.0, 5, 0], [15, 20, 5], [10, 5, 5]]))
    >>> round(test.statistic, 6), test.df, round(test.p_value, 6)
    (15.0, 3, 0.001817)
    """
    upper = np.triu_indices(len(_checked(table)), 1)
    one_way, other_way = table[upper], table.T[upper]
    seen = one_way + other_way > 0
    change = (one_way[seen] - other_way[seen]) ** 2 / (one_way[seen] + other_way[seen])
    return _chi_square(float(change.sum()), len(one_way))


def stuart_maxwell(table: FloatArray) -> ChiSquare:
    """Do both name each label equally often? Variance as if they did.

    Labels that are never confused with another carry no information and no degree of freedom.

    Shapes: table (K, K).

    Source: Stuart, Biometrika 42:412 (1955); Maxwell, British Journal of Psychiatry 116:651 (1970).

    >>> test = stuart_maxwell(np.array([[35.0, 5, 0], [15, 20, 5], [10, 5, 5]]))
    >>> round(test.statistic, 6), test.df, round(test.p_value, 6)
    (14.0, 2, 0.000912)
    """
    both = _checked(table) + table.T
    np.fill_diagonal(both, 0.0)
    difference = table.sum(axis=1) - table.sum(axis=0)
    covariance = np.diag(both.sum(axis=1)) - both
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
    inverse = np.linalg.pinv(covariance, hermitian=True)
    return _chi_square(max(float(difference @ inverse @ difference), 0.0), rank)


def bhapkar(table: FloatArray) -> ChiSquare:
    """As `stuart_maxwell`, with the variance the counts themselves show: more powerful.

    Source: Bhapkar, Journal of the American Statistical Association 61:228 (1966); as a function of
    Stuart and Maxwell's statistic: Keefe, Biometrics 38:1103 (1982).

    >>> test = bhapkar(np.array([[35.0, 5, 0], [15, 20, 5], [10, 5, 5]]))
    >>> round(test.statistic, 3), round(test.p_value, 6)
    (16.279, 0.000292)
    """
    alike, n = stuart_maxwell(table), float(table.sum())
    if n <= 0 or alike.statistic >= n * (1 - 1e-12):
        # every prediction changed in one direction: nothing is left to vary
        return _chi_square(math.inf, alike.df) if n > 0 else alike
    return _chi_square(alike.statistic / (1 - alike.statistic / n), alike.df)


def _checked(table: FloatArray) -> FloatArray:
    if table.ndim != 2 or table.shape[0] != table.shape[1]:  # noqa: PLR2004 - rows and columns
        raise ValueError(f"a table of shape {table.shape}: must be square")
    if not (np.isfinite(table).all() and (table >= 0).all()):
        raise ValueError("counts must be finite and not negative")
    return table


def _chi_square(statistic: float, df: int) -> ChiSquare:
    from scipy.special import chdtrc

    return ChiSquare(statistic, df, float(chdtrc(df, statistic)) if df > 0 else 1.0)
