"""How well do two variants' numbers for the same requests agree?

In: means, spreads and covariance of paired numbers -> concordance with its interval, limits of
agreement, and whether differences grow with the number. Out: whether the numbers are right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

_ROUNDING = 1e-12


@dataclass(frozen=True)
class PairedMoments:
    """Moments of paired numbers, each divided by their count.

    Units: the means and spreads are in the numbers' own unit, the covariance in its square.
    """

    first_mean: float
    second_mean: float
    first_sd: float
    second_sd: float
    covariance: float

    @property
    def bias(self) -> float:
        """Mean of second - first."""
        return self.second_mean - self.first_mean


class Concordance(NamedTuple):
    """Lin's coefficient: 1 where all pairs are equal; None bounds where too few stand behind it."""

    value: float
    lower: float | None
    upper: float | None


class Agreement(NamedTuple):
    """Limits that hold 95 % of normal differences, and how differences change with the number.

    Attributes:
        slope: change of the difference for one unit more of both numbers' mean; None where they do
            not vary.
    """

    lower: float
    upper: float
    slope: float | None


def concordance(moments: PairedMoments, n: float, alpha: float) -> Concordance | None:
    """How close do the pairs lie to the line of equal numbers?

    Args:
        moments: of the pairs.
        n: independent pairs they are worth.
        alpha: one-sided error of either bound.

    Returns:
        None where no number varies and all are equal: there is nothing to agree on.

    Assumes: pairs are roughly bivariate normal, for the interval; nothing, for the value.

    Source: Lin, Biometrics 45:255 (1989), the interval by Fisher's z with the variance corrected in
    Biometrics 56:324 (2000).

    >>> found = concordance(PairedMoments(0.0, 0.1, 1.0, 1.0, 0.9), 1_000, 0.05)
    >>> [round(number, 4) for number in found]
    [0.8955, 0.8848, 0.9053]
    """
    spread = moments.first_sd**2 + moments.second_sd**2 + moments.bias**2
    if spread <= 0:
        return None
    value = min(max(2 * moments.covariance / spread, -1.0), 1.0)
    both = moments.first_sd * moments.second_sd
    if both <= 0 or n <= 2 or abs(value) > 1 - _ROUNDING or value == 0:  # noqa: PLR2004 - no spread is left to estimate
        return Concordance(value, None, None)
    r = min(max(moments.covariance / both, -1.0), 1.0)
    u2 = moments.bias**2 / both
    rest = 1 - value**2
    variance = (
        (1 - r**2) * value**2 / (rest * r**2)
        + 2 * value**3 * (1 - value) * u2 / (r * rest**2)
        - value**4 * u2**2 / (2 * r**2 * rest**2)
    ) / (n - 2)
    from scipy.special import ndtri

    reach = -float(ndtri(alpha)) * math.sqrt(max(variance, 0.0))
    z = math.atanh(value)
    return Concordance(value, math.tanh(z - reach), math.tanh(z + reach))


def limits_of_agreement(moments: PairedMoments, difference_sd: float) -> Agreement:
    """Between which values do 95 % of differences lie, and do they change with the number?

    The slope is that of the differences on the means of both numbers; it is zero where both
    variants spread alike, whatever the bias.

    Assumes: differences are roughly normal, for the limits.

    Source: Bland and Altman, Lancet 327:307 (1986); slope: Statistical Methods in Medical Research
    8:135 (1999), section 3.

    >>> found = limits_of_agreement(PairedMoments(0.0, 0.1, 1.0, 1.0, 0.98), 0.2)
    >>> [round(number, 3) for number in found]
    [-0.292, 0.492, 0.0]
    """
    reach = 1.96 * difference_sd
    first, second = moments.first_sd**2, moments.second_sd**2
    mean_variance = (first + second + 2 * moments.covariance) / 4
    slope = (second - first) / 2 / mean_variance if mean_variance > 0 else None
    return Agreement(moments.bias - reach, moments.bias + reach, slope)
