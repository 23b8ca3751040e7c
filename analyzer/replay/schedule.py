"""When each request is meant to be sent: an open loop, fixed before the first one goes.

In: captured times and a speed. Out: sending. An answer that is late delays no later request, or
its slowness would hide itself; that is why latency counts from here and not from the sending.

Source: G. Tene, "How NOT to Measure Latency" (2013), on coordinated omission; Schroeder, Wierman
and Harchol-Balter, "Open Versus Closed: A Cautionary Tale", NSDI 2006, section 2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.errors import UsageError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

_SECOND_US = 1_000_000
_SPEED = re.compile(r"([0-9]+(?:\.[0-9]+)?)(x|/s)")


@dataclass(frozen=True)
class Speed:
    """How fast requests follow each other; without a number all are meant to go at once.

    Attributes:
        times: captured distances in time are divided by it; None for a fixed rate or none.
        per_second: requests a second to each variant; None without a fixed rate.
    """

    times: float | None = None
    per_second: float | None = None


def speed_of(text: str) -> Speed:
    """Read `captured`, `Nx`, `N/s` or `max`.

    >>> speed_of("10x").times
    10.0

    Raises:
        UsageError: none of them.
    """
    if text == "captured":
        return Speed(times=1.0)
    if text == "max":
        return Speed()
    found = _SPEED.fullmatch(text)
    number = float(found[1]) if found else 0.0
    if found is None or not 0 < number < float("inf"):
        raise UsageError(f"--speed {text}: expected captured, max, or such as 10x or 50/s")
    return Speed(times=number) if found[2] == "x" else Speed(per_second=number)


@dataclass(frozen=True)
class Schedule:
    """When each request is due.

    Shapes: parallel, one row a request in the order of sending.

    Attributes:
        due_s: seconds after the first request's.
        slot_s: the time that belongs to a request until the next one is due; the variants share
            it, so that they do not load one machine at the same moment.
    """

    due_s: Floats
    slot_s: Floats


def schedule(at_us: Ints, speed: Speed) -> Schedule:
    """Fix when each request is due.

    Captured times have a resolution of one second. m requests of one second are put in the middle
    of m equal parts of it; times that are finer are taken as they are.

    Args:
        at_us: when each was captured, ascending, microseconds; at least one.
        speed: how fast.

    >>> schedule(np.array([0, 0, 1_000_000]), Speed(times=2.0)).due_s
    array([0.   , 0.25 , 0.625])
    """
    count = len(at_us)
    if speed.times is None:
        slot_s = 1 / speed.per_second if speed.per_second is not None else 0.0
        return Schedule(np.arange(count, dtype=np.float64) * slot_s, np.full(count, slot_s))
    at_s: Floats = at_us / _SECOND_US
    if np.any(at_us % _SECOND_US):
        slot: Floats = np.append(np.minimum(np.diff(at_s), 1.0), 1.0)
    else:
        _, place, met = np.unique(at_us, return_inverse=True, return_counts=True)
        slot = 1.0 / met[place]
        within = np.arange(count) - np.searchsorted(at_us, at_us, side="left")
        at_s = at_s + (within + 0.5) * slot
    return Schedule((at_s - at_s[0]) / speed.times, slot / speed.times)
