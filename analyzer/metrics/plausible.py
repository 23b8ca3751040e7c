"""Are these times in the unit they claim? No verdict is better than one on microseconds read as ms.

In: refusing levels that cannot be. Out: units that contradict their metric (`cloudwatch`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.errors import InputError
from analyzer.figures import plain

if TYPE_CHECKING:
    from analyzer.metrics.ratio import Comparison

LEAST_PLAUSIBLE_MS = 0.05
GREATEST_PLAUSIBLE_RATIO = 50.0


def check_mean(comparison: Comparison) -> None:
    """Refuse means of another unit.

    Raises:
        InputError: production's mean is under 0.05 ms, or the sides differ more than 50 times.
    """
    production, shadow = _levels(comparison)
    ratio = max(production / shadow, shadow / production)
    if production < LEAST_PLAUSIBLE_MS or ratio > GREATEST_PLAUSIBLE_RATIO:
        raise _refusal("ModelLatency averages", production, shadow)


def check_percentile(comparison: Comparison, stat: str) -> None:
    """Refuse a percentile of another unit, which would pass whatever the shadow does.

    One way only: timeouts can make a shadow's tail a hundred times slower in earnest.

    Raises:
        InputError: the shadow's percentile is more than 50 times smaller than production's.
    """
    production, shadow = _levels(comparison)
    if production / shadow > GREATEST_PLAUSIBLE_RATIO:
        raise _refusal(f"ModelLatency {stat} is", production, shadow)


def _levels(comparison: Comparison) -> tuple[float, float]:
    return comparison.window.level_production, comparison.window.level_shadow


def _refusal(what: str, production: float, shadow: float) -> InputError:
    return InputError(
        f"{what} {plain(production)} ms in production and {plain(shadow)} ms in the shadow: that "
        "looks like a wrong unit. CloudWatch gives microseconds; check the unit fields of the "
        "export.",
        code="implausible-unit",
    )
