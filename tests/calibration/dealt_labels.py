"""How often do labels of other requests pass for labels, and how many honest ones show themselves?

    python tests/calibration/dealt_labels.py --worlds 200 --seed 1

Every world is asked through `metrics.label_relation` at looks that accuracy has enough labels for:
with its labels dealt out anew, and with its own.
"""

from __future__ import annotations

import sys
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

# `python tests/calibration/dealt_labels.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.metrics import DEFAULTS
from analyzer.metrics.accuracy import LEAST_OTHER_TRUTHS
from analyzer.metrics.label_relation import unrelated
from analyzer.metrics.labelled import LEAST_LABELLED
from analyzer.policy.files import load_policy
from tests.calibration.printing import asked, show
from tests.metrics.labelled_worlds import WORLDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.metrics.labelled_worlds import Make, World

HEAD = ("Model", "events", "dealt out: let through", "own: labels in the median (events)")
SHARES = (0.001, 0.005, 0.02, 0.2, 0.5)
DEALT = 20_000
LOOKS = np.unique(np.geomspace(LEAST_LABELLED, DEALT, 24).astype(int)).tolist()
_A_LOOK_LATER = 1.12
ALPHA = load_policy(None, DEFAULTS).alpha


def shown_at(world: World, looks: Iterable[int]) -> float:
    """The first look, in labels, at which answers are shown to depend on them; else infinite."""
    for labels in looks:
        counts = world.first(labels).counts()
        others = labels - counts.count("commonest_truth")
        if others >= LEAST_OTHER_TRUTHS and unrelated(counts, ALPHA) is None:
            return labels
    return inf


def looks_until(most: int) -> Iterator[int]:
    """Looks at ever more labels, each an eighth later than the one before."""
    labels = LEAST_LABELLED
    while labels <= most:
        yield labels
        labels = int(labels * _A_LOOK_LATER) + 1


def median_labels(make: Make, share: float, worlds: int, rng: np.random.Generator) -> str:
    """The median of the labels that honest worlds need, and how many of them are events."""
    most = int(min(200_000, max(5_000, 300 / share)))
    needed = [shown_at(make(rng, most, share), looks_until(most)) for _ in range(worlds)]
    middle = float(np.quantile(needed, 0.5, method="lower"))
    return f"{middle:.0f} ({middle * share:.0f})" if middle < inf else f"> {most}"


def rows(worlds: int, seed: int) -> Iterator[list[object]]:
    """One for each model and share of events, and the sum."""
    through = dealt = 0
    for share in SHARES:
        for make in WORLDS:
            rng = np.random.default_rng([seed, crc32(make.__name__.encode()), round(1000 * share)])
            drawn = (make(rng, DEALT, share).dealt(rng) for _ in range(worlds))
            found = sum(shown_at(world, LOOKS) < inf for world in drawn)
            through, dealt = through + found, dealt + worlds
            own = median_labels(make, share, worlds, rng)
            yield [make.__name__, f"{100 * share:g} %", f"{found} of {worlds}", own]
    yield ["**all**", "", f"{through} of {dealt}", ""]


if __name__ == "__main__":
    given = asked(__doc__, worlds=200)
    show(given, HEAD, rows(given.worlds, given.seed))
