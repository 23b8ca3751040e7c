"""Where a function of one number crosses zero, without the import of `scipy.optimize`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_RELATIVE, _ABSOLUTE = 1e-15, 1e-300
"""How narrow the bracket is at the end: what is left of one minus a share keeps its digits."""
_MOST_STEPS = 2_000
"""Halving alone needs fewer, whatever the bracket."""


class Point(NamedTuple):
    """What a function is somewhere."""

    at: float
    value: float


def crossing(function: Callable[[float], float], first: float, last: float) -> float:
    """Where in [first, last] does the function change its sign?

    As `scipy.optimize.brentq`, to a few last bits: inverse quadratic interpolation where the last
    three points allow it, else the middle of the bracket.

    Assumes: continuous.

    Source: Chandrupatla, Advances in Engineering Software 28:145 (1997).

    Raises:
        ValueError: the function has the same sign at both ends.

    >>> round(crossing(lambda x: x * x - 2, 0, 2), 12)
    1.414213562373
    """
    newest, across = (Point(at, function(at)) for at in (float(first), float(last)))
    for end in (newest, across):
        if end.value == 0:
            return end.at
    if newest.value * across.value > 0:
        raise ValueError(f"no change of sign between {first} and {last}")
    share = 0.5
    for _ in range(_MOST_STEPS):
        at = newest.at + share * (across.at - newest.at)
        point = Point(at, function(at))
        if (point.value > 0) == (newest.value > 0):
            before = newest
        else:
            before, across = across, newest
        newest = point
        best = min(newest, across, key=lambda point: abs(point.value))
        width, reach = abs(across.at - newest.at), _RELATIVE * abs(best.at) + _ABSOLUTE
        if width <= reach or best.value == 0:
            break
        least = reach / width / 2  # a step that could leave the bracket where it is
        share = min(max(_share(newest, across, before), least), 1 - least)
    return best.at


def _share(newest: Point, across: Point, before: Point) -> float:
    """How far to go from the newest point across, as a share of the bracket."""
    along = (newest.at - across.at) / (before.at - across.at)
    rise = (newest.value - across.value) / (before.value - across.value)
    if not 1 - (1 - along) ** 0.5 < rise < along**0.5:  # a parabola through them turns inside
        return 0.5
    rising, turning = across.value - newest.value, before.value - newest.value
    between = across.value - before.value
    by_across = newest.value / rising * before.value / between
    by_before = newest.value / turning * across.value / between
    return by_across - (before.at - newest.at) / (across.at - newest.at) * by_before
