"""How often are honest scores taken for a default, and is a default for a few requests found?

    python tests/calibration/default_scores.py --worlds 10 --seed 1

Paired scores are counted by the queries of `payloads.scores`. Each world is asked twice: whether
`metrics.default_answer` would withhold a pass, whatever share of large shifts it has, and by the
metric itself at its default margin: how many would pass, and how many of these are withheld.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pyarrow as pa

# `python tests/calibration/default_scores.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.engine import Engine
from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.metrics.default_answer import beside_default
from analyzer.metrics.predictions import Counted
from analyzer.model import Outcome
from analyzer.payloads.comparison import tolerance_of
from analyzer.payloads.scores import Tolerance, score_counts
from analyzer.policy.files import load_policy
from tests.calibration.printing import asked, show
from tests.metrics.prediction_facts import START, counts_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.model import Evidence
    from tests.calibration.noise import FloatArray

    Drawn = tuple[FloatArray, FloatArray]
    """Scores of production and of the shadow."""

METRIC = BY_ID["score_large_shift_share"]
NAMED = "default-answer"
CENTRES, PAIRS = (-4.0, -2.0, 0.0), (5_000, 20_000)
MARGIN = DEFAULTS[METRIC.id].margin or 0.0
HEAD = ("Scores", "a default is named", f"passes at {100 * MARGIN:g} % withheld")
_LOGIT_SD, _RETRAINED = 2.0, 0.3


@dataclass(frozen=True)
class Case:
    """How both variants' scores come of the logits of the requests, and their kind."""

    make: Callable[[np.random.Generator, FloatArray], Drawn]
    kind: str = "probability"


def share(logits: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-logits)))


def retrained(rng: np.random.Generator, logits: FloatArray) -> FloatArray:
    return logits + rng.normal(0, _RETRAINED, logits.size)


def tree(rng: np.random.Generator, logits: FloatArray, leaves: int) -> FloatArray:
    """Each score replaced by the mean of its leaf; leaves begin at random."""
    leaf = np.digitize(logits, np.quantile(logits, np.sort(rng.random(leaves - 1))))
    means = np.bincount(leaf, share(logits)) / np.maximum(np.bincount(leaf), 1)
    return np.asarray(means[leaf])


def leafy(rng: np.random.Generator, logits: FloatArray, *, leaves: int, both: bool) -> Drawn:
    ours = tree(rng, logits, leaves) if both else share(logits)
    return ours, tree(rng, logits + rng.normal(0, _RETRAINED / 2, logits.size), leaves)


def made(
    rng: np.random.Generator,
    logits: FloatArray,
    *,
    ours: Callable[[FloatArray], FloatArray] = share,
    other: Callable[[FloatArray], FloatArray] = share,
) -> Drawn:
    return ours(logits), other(retrained(rng, logits))


def own_defaults(rng: np.random.Generator, logits: FloatArray, *, same: bool) -> Drawn:
    """Both answer 0 to 4 %, to the same requests or each to others."""
    ours, other = made(rng, logits)
    mine = rng.random(logits.size) < 0.04
    others = mine if same else rng.random(logits.size) < 0.04
    return np.where(mine, 0.0, ours), np.where(others, 0.0, other)


def defaulted(
    rng: np.random.Generator,
    logits: FloatArray,
    *,
    score: float,
    part: float,
    of: Callable[[FloatArray], FloatArray] = share,
) -> Drawn:
    """The shadow gives one score to a part of the requests, whatever they ask."""
    ours, other = made(rng, logits, ours=of, other=of)
    return ours, np.where(rng.random(logits.size) < part, score, other)


def _rounded(logits: FloatArray, decimals: int) -> FloatArray:
    return np.round(share(logits), decimals)


def _clipped(logits: FloatArray) -> FloatArray:
    return np.clip(share(logits), 0.05, 0.95)


def _cut_off(logits: FloatArray) -> FloatArray:
    return np.where(share(logits) < 0.1, 0.0, share(logits))


def _quantity(logits: FloatArray) -> FloatArray:
    return np.asarray(np.exp(logits / 2))


def _inflated(logits: FloatArray) -> FloatArray:
    return np.maximum(0, logits + 2)


def _whole(logits: FloatArray) -> FloatArray:
    return np.round(_quantity(logits))


_TWO, _ONE = partial(_rounded, decimals=2), partial(_rounded, decimals=1)
HONEST = {
    "retrained": Case(made),
    "rounded to two decimals": Case(partial(made, other=_TWO)),
    "rounded to one": Case(partial(made, other=_ONE)),
    "both rounded": Case(partial(made, ours=_TWO, other=_TWO)),
    "clipped": Case(partial(made, other=_clipped)),
    "cut off": Case(partial(made, other=_cut_off)),
    "one default of both": Case(partial(own_defaults, same=True)),
    "as many defaults of either": Case(partial(own_defaults, same=False)),
    "zero-inflated": Case(partial(made, ours=_inflated, other=_inflated), "regression"),
    "whole numbers": Case(partial(made, ours=_quantity, other=_whole), "regression"),
}
TREES = {
    f"{'both trees' if both else 'a tree'} of {leaves} leaves": Case(
        partial(leafy, leaves=leaves, both=both)
    )
    for both in (False, True)
    for leaves in (8, 15, 30, 60)
}
DEFAULTED = {
    f"{score:g} for {100 * part:g} %": Case(partial(defaulted, score=score, part=part))
    for score, part in ((0.0, 0.015), (0.0, 0.02), (0.0, 0.04), (0.1, 0.04), (0.5, 0.04))
} | {
    f"quantity of {score:g} for 4 %": Case(
        partial(defaulted, score=score, part=0.04, of=_quantity), "regression"
    )
    for score in (0.0, 1.0)
}
SECTIONS = {"honest": HONEST, "honest trees": TREES, "defaults": DEFAULTED}


def assessed(engine: Engine, drawn: Drawn, kind: str) -> tuple[Evidence, Counted]:
    """The metric's evidence on these pairs, and what was counted of them."""
    policy = load_policy(None, DEFAULTS, [f"predictions.kind={kind}"])
    production, shadow = drawn
    predictions = pa.table(
        {
            "code": pa.repeat("same", production.size),
            "captured_at": pa.repeat(pa.scalar(START), production.size),
            "production_score": production,
            "shadow_score": shadow,
            "difference": np.abs(shadow - production),
        }
    )
    extent = {"lowest": float(min(map(np.min, drawn))), "highest": float(max(map(np.max, drawn)))}
    noise = Tolerance(policy.predictions.atol, policy.predictions.rtol)
    label_at = policy.predictions.label_at if kind == "probability" else None
    with engine.lend(predictions=predictions):
        found = score_counts(engine, extent, noise, tolerance_of(policy), label_at)
    facts = facts_of(counts_of(**{"pairs": production.size, **found}), kind=kind, policy=policy)
    counted = Counted.of(facts)
    assert counted is not None
    return METRIC.assess(facts, policy.metrics[METRIC.id]), counted


def named(evidence: Evidence) -> bool:
    """Whether it says that a default takes the place of a score."""
    return any(note.code == NAMED for note in evidence.notes)


def measured(case: Case, worlds: int, rng: np.random.Generator, engine: Engine) -> Counter[str]:
    """Over all centres and numbers of pairs: worlds, defaults named, passes and those withheld."""
    found: Counter[str] = Counter()
    for centre, pairs, _ in product(CENTRES, PAIRS, range(worlds)):
        drawn = case.make(rng, rng.normal(centre, _LOGIT_SD, pairs))
        evidence, counted = assessed(engine, drawn, case.kind)
        passing = evidence.model_copy(update={"outcome": Outcome.PASS, "notes": ()})
        held = named(evidence)
        found["worlds"] += 1
        found["named"] += named(beside_default(counted, passing))
        found["passes"] += held or evidence.outcome is Outcome.PASS
        found["held"] += held
    return found


def rows(worlds: int, seed: int) -> Iterator[list[object]]:
    """One for each kind of scores, and the sum of each section."""
    with Engine(threads=1) as engine:
        engine.execute("prediction_macros")
        for title, cases in SECTIONS.items():
            total: Counter[str] = Counter()
            for name, case in cases.items():
                rng = np.random.default_rng([seed, crc32(name.encode())])
                found = measured(case, worlds, rng, engine)
                total += found
                yield [name, *_cells(found)]
            yield [f"**{title}**", *_cells(total)]


def _cells(found: Counter[str]) -> list[str]:
    return [f"{found['named']} of {found['worlds']}", f"{found['held']} of {found['passes']}"]


if __name__ == "__main__":
    given = asked(__doc__, worlds=10)
    show(given, HEAD, rows(given.worlds, given.seed))
