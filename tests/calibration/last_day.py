"""How often is a pass withheld for its last day: of honest shadows, and of those worse on it?

    python tests/calibration/last_day.py --worlds 30 --seed 1

Every world is judged once, after its last hour, through each metric's own `assess`. A cell says how
many of the passes are withheld.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

# `python tests/calibration/last_day.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.metrics import BY_ID as METRIC
from analyzer.metrics.lately import WORSE_LATELY
from tests.calibration import noise
from tests.calibration.printing import asked, show
from tests.calibration.seen import Seen, policy_of
from tests.calibration.worlds import DAY, HOUR, Setting, Truth, World, draw

if TYPE_CHECKING:
    from collections.abc import Iterator

JUDGED = ("latency_mean", "latency_p99", "error_5xx_rate")
TOGETHER = "all three"
HEAD = ("Shadow", "Noise", "days", "worlds", *JUDGED, TOGETHER)
NOISES = {
    "independent": noise.iid,
    "AR(1) 0.8": noise.ar8,
    "AR(1) 0.95": noise.ar95,
    "long memory": noise.long_memory,
    "incidents": noise.incidents,
    "autoscaling steps": noise.scaling,
}


@dataclass(frozen=True)
class Case:
    """What is true of a shadow, all along and in its last minutes.

    Attributes:
        slower: in its last minutes, by this factor.
        failing: the share of the last minutes' requests that fail; None: as before.
        minutes: how many are the last.
    """

    truth: Truth = field(default_factory=Truth)
    slower: float = 1.0
    failing: float | None = None
    minutes: int = DAY
    noises: tuple[str, ...] = tuple(NOISES)
    days: tuple[int, ...] = (2, 7, 14)


CASES = {
    "as good": Case(),
    "5 % slower": Case(Truth(slower=1.05)),
    "errors in bursts": Case(Truth(error_bursts="bursty"), noises=("AR(1) 0.8",)),
    "25 % slower on the last day": Case(slower=1.25, days=(7, 14)),
    "50 % slower for 12 hours": Case(slower=1.5, minutes=12 * HOUR, days=(14,)),
    "0.2 % errors on the last day": Case(failing=0.002, noises=("AR(1) 0.8",), days=(7, 14)),
    "0.2 % errors on the last day, 0.01 % before": Case(
        Truth(errors=(0.0001, 0.0001)), failing=0.002, noises=("AR(1) 0.8",), days=(7, 14)
    ),
}


def slower_lately(world: World, factor: float, *, minutes: int = DAY) -> World:
    """The same world with a shadow that is slower in its last minutes."""
    means = world.mean_us.copy()
    means[1, -minutes:] *= factor
    tails = {}
    for (stat, period_s), levels in world.tails.items():
        tails[stat, period_s] = levels.copy()
        tails[stat, period_s][1, -(minutes * 60 // period_s) :] *= factor
    return replace(world, mean_us=means, tails=tails)


def failing_lately(
    world: World, share: float, rng: np.random.Generator, *, minutes: int = DAY
) -> World:
    """The same world with a shadow of whose last minutes' requests that share fails."""
    errors = world.errors.copy()
    errors[1, -minutes:] = rng.binomial(world.counts[1, -minutes:].astype(np.int64), share)
    return replace(world, errors=errors)


def worlds_of(
    case: Case, name: str, days: int, rng: np.random.Generator, worlds: int
) -> Iterator[World]:
    """That many worlds of a case."""
    for _ in range(worlds):
        drawn = draw(Setting(NOISES[name], days=days, truth=case.truth), rng)
        world = slower_lately(drawn, case.slower, minutes=case.minutes)
        if case.failing is not None:
            world = failing_lately(world, case.failing, rng, minutes=case.minutes)
        yield world


def withheld(world: World) -> dict[str, bool | None]:
    """Whether each judged metric's pass is withheld for its last day; None where none passes."""
    seen = Seen(world, policy_of({"sampling": {"shadow_percentage": 100}}))
    facts = seen.at(world.hours)
    found: dict[str, bool | None] = {}
    for metric in JUDGED:
        item = METRIC[metric].assess(facts, facts.policy.metrics[metric])
        late = any(note.code == WORSE_LATELY for note in item.notes)
        found[metric] = late if late or item.outcome == "pass" else None
    found[TOGETHER] = None if None in found.values() else any(found.values())
    return found


def rows(worlds: int, seed: int) -> Iterator[list[object]]:
    """One for each noise and length, and the sum of each case."""
    for title, case in CASES.items():
        sums: Counter[tuple[str, bool | None]] = Counter()
        for name in case.noises:
            for days in case.days:
                rng = np.random.default_rng([seed, crc32(f"{title}, {name}".encode()), days])
                every = worlds_of(case, name, days, rng, worlds)
                found = Counter(item for world in every for item in withheld(world).items())
                sums += found
                yield [title, name, days, worlds, *_cells(found)]
        yield [f"**{title}**", "", "", sums.total() // (len(JUDGED) + 1), *_cells(sums)]


def _cells(found: Counter[tuple[str, bool | None]]) -> list[str]:
    return [
        f"{found[metric, True]} of {found[metric, True] + found[metric, False]}"
        for metric in (*JUDGED, TOGETHER)
    ]


if __name__ == "__main__":
    given = asked(__doc__, worlds=30)
    show(given, HEAD, rows(given.worlds, given.seed))
