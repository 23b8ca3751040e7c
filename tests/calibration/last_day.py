"""How often is a pass withheld for its last day: of honest shadows, and of those slower on it?

    python tests/calibration/last_day.py --worlds 10 --seed 1

Every world is judged once, after its last hour, through each metric's own `assess`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np

# `python tests/calibration/last_day.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.metrics import BY_ID as METRIC
from analyzer.metrics.lately import WORSE_LATELY
from tests.calibration import noise
from tests.calibration.seen import Seen, policy_of
from tests.calibration.worlds import DAY, Setting, World, draw

JUDGED = ("latency_mean", "latency_p99", "error_5xx_rate")
NOISES = {
    "AR(1) 0.8": noise.ar8,
    "AR(1) 0.95": noise.ar95,
    "long memory": noise.long_memory,
    "incidents": noise.incidents,
    "autoscaling steps": noise.scaling,
}
FACTORS = (1.0, 1.25)
"""How much slower the shadow is on its last day; 1 is an honest world."""


def slower_lately(world: World, factor: float, *, minutes: int = DAY) -> World:
    """The same world with a shadow that is slower in its last minutes."""
    means = world.mean_us.copy()
    means[1, -minutes:] *= factor
    tails = {}
    for (stat, period_s), levels in world.tails.items():
        tails[stat, period_s] = levels.copy()
        tails[stat, period_s][1, -(minutes * 60 // period_s) :] *= factor
    return replace(world, mean_us=means, tails=tails)


def withheld(world: World) -> dict[str, bool | None]:
    """Whether each judged metric's pass is withheld for its last day; None where none passes."""
    seen = Seen(world, policy_of({"sampling": {"shadow_percentage": 100}}))
    facts = seen.at(world.hours)
    found: dict[str, bool | None] = {}
    for metric in JUDGED:
        item = METRIC[metric].assess(facts, facts.policy.metrics[metric])
        late = any(note.code == WORSE_LATELY for note in item.notes)
        found[metric] = late if late or item.outcome == "pass" else None
    return found


def line(name: str, days: int, factor: float, worlds: int, seed: int) -> str:
    """One row: how many would pass all that is judged, and how many of them still do."""
    passes = left = 0
    for number in range(worlds):
        rng = np.random.default_rng([seed, crc32(name.encode()), days, number])
        found = withheld(slower_lately(draw(Setting(NOISES[name], days=days), rng), factor))
        would = None not in found.values()
        passes += would
        left += would and not any(found.values())
    return f"| {name} | {days} | +{100 * (factor - 1):.0f} % | {worlds} | {passes} | {left} |"


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--worlds", type=int, default=10, help="worlds a row")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.stdout.write("| Noise | days | last day | worlds | would pass | still pass |\n")
    sys.stdout.write("|-|-:|-:|-:|-:|-:|\n")
    for name in NOISES:
        for days in (7, 14):
            for factor in FACTORS:
                sys.stdout.write(f"{line(name, days, factor, given.worlds, given.seed)}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
