"""How often is a pass withheld because the numbers beside labels are apart?

    python tests/calibration/beside_labels.py --worlds 20 --seed 1

Answers are the likeliest class and its probability. They are counted by sql/number_beside.sql and
asked through `flip_rate`'s own `assess`, at its default margin and with no flip at all: every world
would pass.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pyarrow as pa

# `python tests/calibration/beside_labels.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.engine import Engine
from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.payloads.closely import number_counts
from analyzer.payloads.scores import Tolerance
from analyzer.policy.files import load_policy
from tests.calibration.printing import asked, show
from tests.metrics.prediction_facts import counts_of, facts_of
from tests.payloads.captured_pairs import in_json, pairs_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.calibration.noise import FloatArray

    Case = Callable[[np.random.Generator, FloatArray], FloatArray]
    """Logits of production, an answer a row and a class a column -> the shadow's probabilities."""

SAMPLES = (200, 2_000)
POLICY = load_policy(None, DEFAULTS, ["predictions.kind=label"])
METRIC = "flip_rate"
NAMED = "other-numbers"
HEAD = ("The shadow", "worlds", "withheld")
KINDS = {
    f"{classes} classes, {name}": (classes, spread, first)
    for classes in (2, 10)
    for name, spread, first in (
        ("unsure", 1.0, 0.0),
        ("sure", 4.0, 0.0),
        ("one of them common", 2.0, 4.0),
    )
}


def logits_of(kind: str, rng: np.random.Generator, answers: int) -> FloatArray:
    """Production's."""
    classes, spread, first = KINDS[kind]
    logits = rng.normal(0, spread, (answers, classes))
    logits[:, 0] += first
    return logits


def likeliest(logits: FloatArray) -> FloatArray:
    """The largest of the probabilities that these come to."""
    shares = np.exp(logits - logits.max(1, keepdims=True))
    found: FloatArray = 1 / shares.sum(1)
    return found


def _noisy(rng: np.random.Generator, logits: FloatArray, *, by: float) -> FloatArray:
    return likeliest(logits + rng.normal(0, by * logits.std(), logits.shape))


def _surer(rng: np.random.Generator, logits: FloatArray, *, by: float) -> FloatArray:
    return likeliest(by * (logits + rng.normal(0, 0.01, logits.shape)))


def _dealt(rng: np.random.Generator, logits: FloatArray, *, part: float = 1.0) -> FloatArray:
    """What belongs to another request."""
    found = likeliest(logits)
    chosen = np.flatnonzero(rng.random(len(found)) < part)
    found[chosen] = found[rng.permutation(chosen)]
    return found


def _dealt_by_class(rng: np.random.Generator, logits: FloatArray) -> FloatArray:
    """What belongs to another request with the same label."""
    found = likeliest(logits)
    for name in range(logits.shape[1]):
        (same,) = np.nonzero(logits.argmax(1) == name)
        found[same] = found[rng.permutation(same)]
    return found


def _one(_rng: np.random.Generator, logits: FloatArray) -> FloatArray:
    return np.full(len(logits), 0.99)


def _rest(_rng: np.random.Generator, logits: FloatArray) -> FloatArray:
    return 1 - likeliest(logits)


HONEST: dict[str, Case] = {
    **{f"off by {by:g} of the logits": partial(_noisy, by=by) for by in (1e-6, 0.02, 0.05, 0.1)},
    "a little surer": partial(_surer, by=1.05),
    "surer": partial(_surer, by=1.2),
}
HARMFUL: dict[str, Case] = {
    "another request's": _dealt,
    "another request's of the same label": _dealt_by_class,
    "another request's for three in ten": partial(_dealt, part=0.3),
    "always 0.99": _one,
    "the rest to one": _rest,
}


def withheld(engine: Engine, production: FloatArray, shadow: FloatArray) -> bool:
    """Whether a pass is withheld."""
    answers = [
        [in_json(json.dumps([{"label": "yes", "score": round(one, 6)}])) for one in side.tolist()]
        for side in (production, shadow)
    ]
    table = pairs_table(answers[0], answers[1])
    texts = pa.table(
        {
            "pair_id": table["pair_id"],
            "input_key": table["input_key"],
            "production_text": table["production_data"],
            "shadow_text": table["shadow_data"],
        }
    )
    with engine.lend(pairs=table, prediction_texts=texts):
        found = number_counts(engine, '$[*][*]."score"', Tolerance(1e-6, 1e-5))
    counts = {**counts_of(10_000, commonest_label=5_000), **found}
    facts = facts_of(counts, kind="label", policy=POLICY)
    evidence = BY_ID[METRIC].assess(facts, POLICY.metrics[METRIC])
    return any(note.code == NAMED for note in evidence.notes)


def rows(worlds: int, seed: int) -> Iterator[tuple[str, ...]]:
    """A row of each kind of answers and what the shadow makes of them."""
    with Engine(threads=1) as engine:
        engine.execute("prediction_macros")
        for kind in KINDS:
            for name, case in (HONEST | HARMFUL).items():
                rng = np.random.default_rng([seed, crc32(f"{kind} {name}".encode())])
                found = 0
                for number in range(worlds):
                    logits = logits_of(kind, rng, SAMPLES[number % len(SAMPLES)])
                    found += withheld(engine, likeliest(logits), case(rng, logits))
                yield f"{kind}: {name}", f"{worlds}", f"{found}"


if __name__ == "__main__":
    given = asked(__doc__, worlds=20)
    show(given, HEAD, rows(given.worlds, given.seed))
