"""How often is a pass withheld for one place of answers with several predictions?

    python tests/calibration/each_row.py --worlds 50 --seed 1

Flips and large shifts are counted by place as sql/row_counts.sql counts them, and asked through
each metric's own `assess` at its default margin.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pyarrow as pa

# `python tests/calibration/each_row.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.model import Outcome
from analyzer.policy.files import load_policy
from tests.calibration.printing import asked, show
from tests.metrics.prediction_facts import counts_of, facts_of, with_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.calibration.noise import FloatArray

    Case = Callable[[np.random.Generator, FloatArray], FloatArray]
    """Logits of production, an answer a row -> the shadow's."""

ANSWERS, ROWS = (1_000, 10_000), (4, 20)
POLICY = load_policy(None, DEFAULTS, ["predictions.kind=probability"])
METRICS = {"flip_rate": "flips", "score_large_shift_share": "large shifts"}
NAMED = "row-apart"
HEAD = (
    "Answers",
    *(f"of passes of {name} withheld" for name in METRICS.values()),
    "of passes of both",
)
_LOGIT_SD = 2.0


def _noisy(rng: np.random.Generator, logits: FloatArray, *, by: float) -> FloatArray:
    return logits + rng.normal(0, by, logits.shape)


def _worse_by_place(rng: np.random.Generator, logits: FloatArray) -> FloatArray:
    """As forecasts are: the farthest is twice as far off as the mean."""
    return logits + rng.normal(0, 0.2, logits.shape) * np.linspace(0, 2, logits.shape[1])


def _other(rng: np.random.Generator, logits: FloatArray, *, part: float) -> FloatArray:
    """The last is, in so many answers, what belongs to another request."""
    shadow = _noisy(rng, logits, by=0.1)
    chosen = np.flatnonzero(rng.random(len(shadow)) < part)
    shadow[chosen, -1] = shadow[np.roll(chosen, 1), -1]
    return shadow


def _never(rng: np.random.Generator, logits: FloatArray) -> FloatArray:
    """No yes in the last place."""
    shadow = _noisy(rng, logits, by=0.1)
    shadow[:, -1] = np.minimum(shadow[:, -1], -0.5)
    return shadow


HONEST: dict[str, Case] = {
    "a little noise": partial(_noisy, by=0.1),
    "as much as passes": partial(_noisy, by=0.25),
    "more by place": _worse_by_place,
}
HARMFUL: dict[str, Case] = {
    **{
        f"another request's in the last place of {100 * part:g} %": partial(_other, part=part)
        for part in (1.0, 0.3, 0.1)
    },
    "no yes in the last place": _never,
}


def _requests(rng: np.random.Generator, places: int) -> FloatArray:
    """One share of yeses wherever a request stands."""
    return np.full(places, rng.uniform(-3, 0))


def _labels(_rng: np.random.Generator, places: int) -> FloatArray:
    """One label a place, from four in ten to one in forty."""
    return np.linspace(-0.5, -4, places)


KINDS = {"requests of a batch": _requests, "labels, some rare": _labels}


def withheld(logits: FloatArray, shadow: FloatArray) -> dict[str, bool | None]:
    """Whether each metric's pass is withheld; None where it would be none anyway."""
    production, other = (1 / (1 + np.exp(-x)) for x in (logits, shadow))
    far = production.std() / 2
    flipped, large = (production >= 0.5) != (other >= 0.5), np.abs(other - production) > far
    either = (production >= 0.5) | (other >= 0.5)
    answers, rows = logits.shape
    counts = counts_of(
        answers,
        rows,
        flipped=int(flipped.sum()),
        large_shifted=int(large.sum()),
        large_shift=far,
        production_sd=production.std(),
        bias=float((other - production).mean()),
    )
    places = pa.table(
        {
            "from_end": [False] * rows,
            "row": list(range(rows)),
            "predictions": [answers] * rows,
            "flipped": flipped.sum(0),
            "shifted": [0] * rows,
            "large_shifted": large.sum(0),
            "either": either.sum(0),
        }
    )
    facts = with_tables(facts_of(counts, answers=(), policy=POLICY), row_counts=places)
    found: dict[str, bool | None] = {}
    for name in METRICS:
        evidence = BY_ID[name].assess(facts, POLICY.metrics[name])
        named = any(note.code == NAMED for note in evidence.notes)
        found[name] = named if named or evidence.outcome is Outcome.PASS else None
    return found


def rows(worlds: int, seed: int) -> Iterator[tuple[str, ...]]:
    """A row of each kind of answers and what the shadow makes of them."""
    for kind, centres in KINDS.items():
        for name, case in (HONEST | HARMFUL).items():
            rng = np.random.default_rng([seed, crc32(f"{kind} {name}".encode())])
            seen: Counter[tuple[str, bool]] = Counter()
            for number in range(worlds * len(ANSWERS) * len(ROWS)):
                places = ROWS[number % 2]
                shape = (ANSWERS[number // 2 % 2], places)
                logits = rng.normal(centres(rng, places), _LOGIT_SD, shape)
                found = withheld(logits, case(rng, logits))
                for metric, held in found.items():
                    if held is not None:
                        seen[metric, held] += 1
                if None not in found.values():
                    seen["both", any(found.values())] += 1
            told = [_told(seen, metric) for metric in (*METRICS, "both")]
            yield f"{kind}: {name}", *told


def _told(seen: Counter[tuple[str, bool]], metric: str) -> str:
    return f"{seen[metric, True]} of {seen[metric, True] + seen[metric, False]}"


if __name__ == "__main__":
    given = asked(__doc__, worlds=50)
    show(given, HEAD, rows(given.worlds, given.seed))
