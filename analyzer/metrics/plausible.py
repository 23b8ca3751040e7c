"""Are these times in the unit they claim? No verdict is better than one on microseconds read as ms.

In: refusing levels that cannot be, alone or beside each other. Out: units that contradict their
metric (`cloudwatch`).

A wrong unit on both sides leaves every ratio true and makes margins in milliseconds wrong, so a
margin in milliseconds is not taken at levels that models behind HTTP do not have (`case`). A wrong
unit on one side looks like a shadow much faster or slower than production; where the shadow truly
is slower by a factor of twenty and more, only `check_overhead` can tell, because what SageMaker
itself takes does not depend on the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.errors import InputError
from analyzer.figures import plain

if TYPE_CHECKING:
    from analyzer.metrics.ratio import Comparison

LEAST_PLAUSIBLE_MS = 0.05
GREATEST_PLAUSIBLE_RATIO = 50.0
_GREATEST_OVERHEAD_RATIO = 200.0
_SLACK = 2.0
"""A percentile's periods are not all of the mean's minutes."""
_LEAST_OF_MEAN = 1 / 200
"""One request of a hundred that times out after 60 s is a mean of 600 ms; p99 may then be 3 ms."""


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


def check_overhead(comparison: Comparison) -> None:
    """Refuse an export whose times are in another unit, by what SageMaker itself takes.

    Authentication, routing and a network lie behind every request, whatever the model. An export
    in one wrong unit has these times in it, too.

    Raises:
        InputError: either side's mean is under 0.05 ms, or they differ more than 200 times.
    """
    levels = _levels(comparison)
    if min(levels) < LEAST_PLAUSIBLE_MS or max(levels) > _GREATEST_OVERHEAD_RATIO * min(levels):
        raise _refusal("OverheadLatency averages", *levels)


def check_beside_mean(
    stat: str, above: float, percentiles: tuple[float, float], means: tuple[float, float]
) -> None:
    """Refuse a percentile that cannot belong to the mean of the same requests.

    By Markov's inequality a share 1 - q of the requests reaches at most mean / (1 - q). The other
    way nothing is impossible, but a healthy production's percentile is no 200th of its mean.

    Args:
        stat: which percentile.
        above: share of requests above it, 1 - q.
        percentiles: production's and the shadow's, in milliseconds.
        means: theirs over the minutes both have.

    Raises:
        InputError: a percentile is more than 2 mean / (1 - q), or production's is less than
            mean / 200.
    """
    greatest = _SLACK / above
    beyond = any(p > greatest * mean for p, mean in zip(percentiles, means, strict=True))
    if beyond or percentiles[0] < _LEAST_OF_MEAN * means[0]:
        production, shadow = (f"{plain(mean)} ms" for mean in means)
        averages = f"ModelLatency averages {production} in production and {shadow} in the shadow"
        raise _refusal(f"{averages}; {stat} is", *percentiles)


def _levels(comparison: Comparison) -> tuple[float, float]:
    return comparison.window.level_production, comparison.window.level_shadow


def _refusal(what: str, production: float, shadow: float) -> InputError:
    return InputError(
        f"{what} {plain(production)} ms in production and {plain(shadow)} ms in the shadow: that "
        "looks like a wrong unit. CloudWatch gives microseconds; check the unit fields of the "
        "export.",
        code="implausible-unit",
    )
