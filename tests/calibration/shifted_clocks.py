"""How often are two exports of one clock called shifted, and is a shift of an hour found?

    python tests/calibration/shifted_clocks.py --worlds 100 --seed 1

Every window is asked as it is, and with the shadow's export an hour late, through `gates.clocks`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

# `python tests/calibration/shifted_clocks.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.gates.clocks import shifted
from analyzer.metrics.series import Cover
from tests.calibration.printing import asked, show
from tests.calibration.seen import Seen, policy_of
from tests.calibration.worlds import DAY, HOUR, PER_MINUTE, Setting, World, daily, sent_and_copied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.calibration.noise import FloatArray

    Rate = Callable[[int, np.random.Generator], FloatArray]

_BURST_SD = 0.8
"""Standard deviation of the log rate, from one five minutes to the next."""


def steady(minutes: int, _rng: np.random.Generator) -> FloatArray:
    return np.ones(minutes)


def by_day(minutes: int, _rng: np.random.Generator) -> FloatArray:
    return daily(minutes)


def hourly(minutes: int, rng: np.random.Generator) -> FloatArray:
    """Six times as many in the first minute of an hour, three times at each quarter to and past."""
    at = np.arange(minutes)
    times = np.where(at % HOUR == 0, 6.0, 1.0) * np.where(at % 30 == 15, 3.0, 1.0)
    rate: FloatArray = by_day(minutes, rng) * times
    return rate


def bursty(minutes: int, rng: np.random.Generator) -> FloatArray:
    """Each five minutes have a rate of their own."""
    bursts = np.exp(_BURST_SD * rng.normal(size=minutes // 5))
    rate: FloatArray = by_day(minutes, rng) * np.repeat(bursts, 5)
    return rate


@dataclass(frozen=True)
class Traffic:
    """Requests a minute, and the share of them that is copied; `even`: always the same number."""

    rate: Rate
    per_minute: float = PER_MINUTE
    copied: float = 1.0
    even: bool = False

    def draw(self, days: int, rng: np.random.Generator) -> FloatArray:
        """Requests of both variants, 2 x minutes."""
        rate = self.per_minute * self.rate(days * DAY, rng)
        if not self.even:
            return sent_and_copied(rate, self.copied, rng)
        sent = rate.astype(np.int64)
        return np.array([sent, rng.binomial(sent, self.copied)], np.float64)


_SHARES = (1.0, 0.1, 0.02)
TRAFFIC = {
    **{("daily", copied): Traffic(by_day, copied=copied) for copied in _SHARES},
    **{("daily, few", copied): Traffic(by_day, 3, copied) for copied in _SHARES},
    **{("steady", copied): Traffic(steady, copied=copied) for copied in _SHARES},
    **{("hourly", copied): Traffic(hourly, copied=copied) for copied in _SHARES},
    **{("bursty", copied): Traffic(bursty, copied=copied) for copied in _SHARES},
    **{("same number", copied): Traffic(steady, copied=copied, even=True) for copied in _SHARES},
}


HEAD = ("Traffic", "a minute", "copied", "days", "called shifted", "an hour late: found")


def an_hour_late(counts: FloatArray) -> FloatArray:
    """The shadow's export written an hour later; what leaves the window is lost."""
    late = counts.copy()
    late[1] = np.roll(counts[1], HOUR)
    late[1, :HOUR] = 0
    return late


def said(counts: FloatArray) -> str | None:
    """What the gate says of these requests a minute, 2 x minutes; where there is none, no point."""
    hours = counts.shape[1] // HOUR
    none = np.zeros(hours, np.int64)
    world = World(Setting(), counts, counts, counts, {}, 0 * counts, none, none)
    facts = Seen(world, policy_of({})).at(hours)
    cover = Cover.of(facts)
    if cover is None:
        raise AssertionError("a window without minutes")
    return shifted(facts, cover)


def rows(worlds: int, seed: int, days: tuple[int, ...] = (1, 7)) -> Iterator[list[object]]:
    """One for each traffic and length, and the sum."""
    windows = alarms = 0
    for (name, copied), traffic in TRAFFIC.items():
        for length in days:
            rng = np.random.default_rng([seed, crc32(name.encode()), round(100 * copied), length])
            false = found = 0
            for _ in range(worlds):
                counts = traffic.draw(length, rng)
                false += said(counts) is not None
                found += "come 1 h later" in (said(an_hour_late(counts)) or "")
            windows, alarms = windows + worlds, alarms + false
            cells = f"{traffic.per_minute:g}", f"{100 * copied:g} %", length
            yield [name, *cells, f"{false} of {worlds}", f"{found} of {worlds}"]
    yield ["**all**", "", "", "", f"{alarms} of {windows}", ""]


if __name__ == "__main__":
    given = asked(__doc__, worlds=100)
    show(given, HEAD, rows(given.worlds, given.seed))
