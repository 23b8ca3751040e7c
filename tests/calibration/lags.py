"""How often is a pass withheld because lists follow production's a step late or early?

    python tests/calibration/lags.py --worlds 20 --seed 1

Lists are counted by sql/vector_lags.sql and asked through `score_large_shift_share`'s own `assess`,
at its default margin and with no large shift at all: every world would pass.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pyarrow as pa

# `python tests/calibration/lags.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.engine import Engine
from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.payloads.closely import lag_counts
from analyzer.policy.files import load_policy
from tests.calibration.printing import asked, show
from tests.metrics.prediction_facts import counts_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.calibration.noise import FloatArray

    Made = Callable[[np.random.Generator, int], FloatArray]
    """How many lists -> production's, one a row."""
    Case = Callable[[np.random.Generator, FloatArray], FloatArray]
    """Production's lists -> the shadow's."""

SAMPLES = (200, 2_000)
POLICY = load_policy(None, DEFAULTS, ["predictions.kind=regression"])
METRIC = "score_large_shift_share"
NAMED = "off-by-one"
HEAD = ("The shadow", "worlds", "withheld")


def _cycles(rng: np.random.Generator, lists: int, *, places: int) -> FloatArray:
    """Levels that differ widely, a day's or a week's cycle, and what is peculiar to each."""
    phase = 2 * np.pi * (np.arange(places) + rng.integers(0, places, (lists, 1))) / places
    shape = 1 + 0.5 * np.sin(phase) + rng.normal(0, 0.03, (lists, places))
    found: FloatArray = np.exp(rng.normal(3, 1.5, (lists, 1))) * shape
    return found


def _walks(rng: np.random.Generator, lists: int) -> FloatArray:
    return 100 + rng.normal(0, 1, (lists, 48)).cumsum(1)


def _growing(rng: np.random.Generator, lists: int) -> FloatArray:
    """By 2 to 20 % a step."""
    found: FloatArray = 10 * np.exp(rng.uniform(0.02, 0.2, (lists, 1)) * np.arange(12))
    return found


def _falling(rng: np.random.Generator, lists: int) -> FloatArray:
    """Scores of the best ten, in order."""
    found: FloatArray = -np.sort(-rng.gamma(2, 1, (lists, 10)), axis=1)
    return found


def _lines(rng: np.random.Generator, lists: int) -> FloatArray:
    return rng.normal(50, 10, (lists, 1)) + rng.normal(0, 2, (lists, 1)) * np.arange(10)


def _levels(rng: np.random.Generator, lists: int) -> FloatArray:
    """One number again and again, but for rounding."""
    return rng.normal(50, 10, (lists, 1)) + rng.normal(0, 1e-3, (lists, 20))


def _seldom(rng: np.random.Generator, lists: int) -> FloatArray:
    """Demand that comes in few steps."""
    return np.where(rng.random((lists, 14)) < 0.2, rng.poisson(3.0, (lists, 14)), 0.0)


def _quantiles(rng: np.random.Generator, lists: int) -> FloatArray:
    steps = np.array([-1.28, -0.84, -0.52, -0.25, 0, 0.25, 0.52, 0.84, 1.28])
    found: FloatArray = np.exp(rng.normal(3, 1, (lists, 1)) + rng.gamma(4, 0.1, (lists, 1)) * steps)
    return found


def _unordered(rng: np.random.Generator, lists: int, *, places: int) -> FloatArray:
    """Embeddings, or the requests of a batch."""
    return rng.normal(0, 1, (lists, places))


def _classes(rng: np.random.Generator, lists: int) -> FloatArray:
    found = np.exp(rng.normal(0, 2, (lists, 10)))
    shares: FloatArray = found / found.sum(1, keepdims=True)
    return shares


KINDS: dict[str, Made] = {
    "24 hours": partial(_cycles, places=24),
    "7 days": partial(_cycles, places=7),
    "random walks": _walks,
    "growth": _growing,
    "the best ten": _falling,
    "straight lines": _lines,
    "one level": _levels,
    "seldom any": _seldom,
    "quantiles": _quantiles,
    "5 unordered": partial(_unordered, places=5),
    "64 unordered": partial(_unordered, places=64),
    "classes": _classes,
}
ORDERED = ("24 hours", "7 days", "random walks", "the best ten")
"""Whose neighbours are alike, and whose steps are not all alike."""


def _spread(lists: FloatArray) -> FloatArray:
    found: FloatArray = lists.std(1, keepdims=True)
    return found


def _noisy(rng: np.random.Generator, lists: FloatArray, *, by: float) -> FloatArray:
    return lists + by * _spread(lists) * rng.normal(0, 1, lists.shape)


def _off(rng: np.random.Generator, lists: FloatArray) -> FloatArray:
    """Another level and scale for each, by a tenth."""
    factors = rng.normal(1.1, 0.05, (len(lists), 1))
    return _noisy(rng, lists, by=0.05) * factors + 0.1 * _spread(lists)


def _drifting(rng: np.random.Generator, lists: FloatArray) -> FloatArray:
    """Farther off the farther ahead."""
    errors: FloatArray = rng.normal(0, 0.1, lists.shape).cumsum(1)
    return lists + _spread(lists) * errors


def _steeper(rng: np.random.Generator, lists: FloatArray) -> FloatArray:
    """Grows by 3 % more a step."""
    return _noisy(rng, lists, by=0.02) * 1.03 ** np.arange(lists.shape[1])


def _smoother(rng: np.random.Generator, lists: FloatArray) -> FloatArray:
    """Each the mean of itself and its neighbours."""
    wide = np.pad(lists, ((0, 0), (1, 1)), mode="edge")
    return _noisy(rng, (wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]) / 3, by=0.05)


def _flatter(rng: np.random.Generator, lists: FloatArray, *, power: float) -> FloatArray:
    """What is far from the middle is nearer to it, or with a power above 1 farther off."""
    middle, spread = lists.mean(1, keepdims=True), _spread(lists) + 1e-12
    far = (lists - middle) / spread
    return _noisy(rng, middle + spread * np.sign(far) * np.abs(far) ** power, by=0.02)


def _sharper(rng: np.random.Generator, lists: FloatArray, *, power: float) -> FloatArray:
    """As a calibration or a temperature does it, from the least."""
    least, spread = lists.min(1, keepdims=True), _spread(lists) + 1e-12
    return _noisy(rng, least + spread * ((lists - least) / spread) ** power, by=0.02)


def _rounded(_rng: np.random.Generator, lists: FloatArray) -> FloatArray:
    return np.round(lists)


HONEST: dict[str, Case] = {
    **{f"off by {by:g} of a list's spread": partial(_noisy, by=by) for by in (1e-7, 0.05, 0.3, 2)},
    "a tenth more, and higher": _off,
    "farther off the farther ahead": _drifting,
    "growing faster": _steeper,
    "smoother": _smoother,
    "nearer to the middle": partial(_flatter, power=0.8),
    "less steep": partial(_sharper, power=0.8),
    "steeper": partial(_sharper, power=1.2),
    "rounded": _rounded,
}


def late(lists: FloatArray, steps: int = 1) -> FloatArray:
    """The first again, and then what belongs to the place before."""
    return np.concatenate([np.repeat(lists[:, :1], steps, axis=1), lists[:, :-steps]], axis=1)


def _late(
    rng: np.random.Generator, lists: FloatArray, *, by: float = 0.05, part: float = 1.0
) -> FloatArray:
    shadow = _noisy(rng, lists, by=by)
    chosen = rng.random(len(lists)) < part
    shadow[chosen] = late(shadow[chosen])
    return shadow


def _late_and_off(rng: np.random.Generator, lists: FloatArray) -> FloatArray:
    return late(_off(rng, lists))


def _early(rng: np.random.Generator, lists: FloatArray) -> FloatArray:
    return late(_noisy(rng, lists, by=0.05)[:, ::-1])[:, ::-1]


def _later(rng: np.random.Generator, lists: FloatArray) -> FloatArray:
    return late(_noisy(rng, lists, by=0.05), 2)


HARMFUL: dict[str, Case] = {
    "a step late": _late,
    "a step early": _early,
    "two steps late": _later,
    "a step late, off by 0.3 of the spread": partial(_late, by=0.3),
    "a step late, a tenth more, and higher": _late_and_off,
    "a step late in half of the lists": partial(_late, part=0.5),
    "a step late in a tenth of the lists": partial(_late, part=0.1),
}


def withheld(engine: Engine, production: FloatArray, shadow: FloatArray) -> bool:
    """Whether a pass is withheld."""
    lists = pa.table(
        {
            "pair_id": list(range(len(production))),
            "input_key": pa.array(range(len(production)), pa.uint64()),
            "production": production.tolist(),
            "shadow": shadow.tolist(),
        }
    )
    with engine.lend(vector_sample=lists):
        found = lag_counts(engine)
    counts = {**counts_of(10_000, production.shape[1]), **found}
    counts |= {"production_mean": 10.0, "shadow_mean": 10.0}
    facts = facts_of(counts, kind="regression", policy=POLICY)
    evidence = BY_ID[METRIC].assess(facts, POLICY.metrics[METRIC])
    return any(note.code == NAMED for note in evidence.notes)


def rows(worlds: int, seed: int) -> Iterator[tuple[str, ...]]:
    """A row of each kind of lists and what the shadow makes of them."""
    cases = [(kind, name, case) for kind in KINDS for name, case in HONEST.items()]
    cases += [(kind, name, case) for kind in ORDERED for name, case in HARMFUL.items()]
    with Engine(threads=1) as engine:
        for kind, name, case in cases:
            rng = np.random.default_rng([seed, crc32(f"{kind} {name}".encode())])
            found = 0
            for number in range(worlds):
                production = KINDS[kind](rng, SAMPLES[number % len(SAMPLES)])
                found += withheld(engine, production, case(rng, production))
            yield f"{kind}: {name}", f"{worlds}", f"{found}"


if __name__ == "__main__":
    given = asked(__doc__, worlds=20)
    show(given, HEAD, rows(given.worlds, given.seed))
