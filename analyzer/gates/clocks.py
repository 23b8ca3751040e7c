"""Do both variants' exports tell the time alike, or is one in another time zone?

In: requests per minute of both. Out: the gate that asks (`timeline`). A shadow takes copies of
production's requests, so a busy minute of one is a busy minute of the other. What repeats by hour
or day says nothing of the hour, so only how minutes differ within their hour is compared.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from analyzer.metrics.series import HOUR, MINUTE, PRODUCTION, SHADOW, sent_requests

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.metrics.series import Cover, FloatArray

_STEP = HOUR // MINUTE // 2
_FARTHEST = 14 * HOUR // MINUTE
"""Time zones lie on half hours, up to fourteen hours from UTC."""
_LEAST_MINUTES = 600
_LEAST_GAIN = 0.05
_LEAST_Z = 8.0
"""Standard errors of one correlation; of two, as are compared here, it is 5.7."""


def shifted(facts: Facts, cover: Cover) -> str | None:
    """That the shadow's minutes are production's of another hour; None where they are not."""
    production, shadow = (
        _within_hours(sent_requests(facts, cover, s)) for s in (PRODUCTION, SHADOW)
    )
    here, _ = _likeness(production, shadow, 0)
    offsets = [at for at in range(-_FARTHEST, _FARTHEST + 1, _STEP) if at]
    likenesses = {at: _likeness(production, shadow, at) for at in offsets}
    there, offset = max((found - chance, at) for at, (found, chance) in likenesses.items())
    if there - here <= 0:
        return None
    apart = f"{abs(offset) * MINUTE / HOUR:g} h {'later' if offset > 0 else 'earlier'}"
    return (
        f"The shadow's requests come {apart} than production's: moved by that, their minutes "
        f"correlate with {likenesses[offset][0]:.2f}, as exported with {max(here, 0):.2f}; the "
        "export of one of them is in another time zone."
    )


def _within_hours(sent: FloatArray) -> FloatArray:
    """By how much each minute's log count differs from the mean of its hour; NaN where none is."""
    by_hour = np.log1p(sent).reshape(-1, HOUR // MINUTE)
    known = np.isfinite(by_hour)
    sums = np.where(known, by_hour, 0.0).sum(axis=1, keepdims=True)
    residual: FloatArray = by_hour - sums / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return residual.ravel()


def _likeness(production: FloatArray, shadow: FloatArray, offset: int) -> tuple[float, float]:
    """How the minutes correlate with the shadow's `offset` later, and how much more is a sign."""
    size = max(0, production.size - abs(offset))
    x, y = production[max(0, -offset) :][:size], shadow[max(0, offset) :][:size]
    both = np.isfinite(x) & np.isfinite(y)
    count = int(both.sum())
    if count < _LEAST_MINUTES:
        return 0.0, 1.0
    x, y = x[both] - x[both].mean(), y[both] - y[both].mean()
    power = float(x @ x) * float(y @ y)
    found = float(x @ y) / sqrt(power) if power > 0 else 0.0
    return found, max(_LEAST_GAIN, _LEAST_Z / sqrt(count))
