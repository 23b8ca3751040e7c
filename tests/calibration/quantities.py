"""How often is a pass of quantities withheld for their mean, order or extremes: honest, and others?

    python tests/calibration/quantities.py --worlds 100 --seed 1

Of every world the share of large shifts, the rank correlation and what lies far out are counted as
a run counts them, by buckets, and asked through the metric's own `assess`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from scipy.stats import rankdata

# `python tests/calibration/quantities.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.payloads.scores import FAR_OUT
from analyzer.policy.files import load_policy
from tests.metrics.prediction_facts import counts_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.stats.ewc import FloatArray

    Draw = Callable[[np.random.Generator, int], FloatArray]
    Change = Callable[[np.random.Generator, FloatArray], FloatArray]

POLICY = load_policy(None, DEFAULTS)
METRIC = "score_large_shift_share"
PAIRS = (5_000, 50_000)
CODES = ("mean-moved", "order-lost", "extremes-lost")


def _intermittent(zeros: float) -> Draw:
    return lambda rng, n: np.where(rng.random(n) < zeros, 0.0, rng.lognormal(2, 1, n))


def _noisy(rng: np.random.Generator, n: int) -> FloatArray:
    """Nothing, but for noise of a 200th of what some are."""
    return np.where(rng.random(n) < 0.7, rng.gamma(4, 0.05, n), rng.gamma(2, 20, n))


def _anomalies(share: float, far: float) -> Draw:
    """Scores near 1, and a few that many of their standard deviations higher."""

    def drawn(rng: np.random.Generator, n: int) -> FloatArray:
        return rng.normal(1, 0.2, n) + np.where(rng.random(n) < share, 0.2 * far, 0.0)

    return drawn


DRAWN: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(100, 15, n),
    "gamma": lambda rng, n: rng.gamma(1, 10, n),
    "lognormal 1": lambda rng, n: rng.lognormal(0, 1, n),
    "lognormal 2": lambda rng, n: rng.lognormal(0, 2, n),
    "lognormal 2.5": lambda rng, n: rng.lognormal(0, 2.5, n),
    "Pareto 1.5": lambda rng, n: rng.pareto(1.5, n) + 1,
    "zeros 50 %": _intermittent(0.5),
    "zeros 85 %": _intermittent(0.85),
    "near nothing 70 %": _noisy,
    "anomalies 1 %, 6 out": _anomalies(0.01, 6),
    "anomalies 1 %, 20 out": _anomalies(0.01, 20),
    "anomalies 3 %, 10 out": _anomalies(0.03, 10),
}


def _leaves(leaves: int) -> Change:
    def changed(_rng: np.random.Generator, x: FloatArray) -> FloatArray:
        edges = np.unique(np.quantile(x, np.linspace(0, 1, leaves + 1)[1:-1]))
        leaf = np.searchsorted(edges, x, side="right")
        mean: FloatArray = (np.bincount(leaf, x) / np.maximum(np.bincount(leaf), 1))[leaf]
        return mean

    return changed


HONEST: dict[str, Change] = {
    "5 % off": lambda rng, x: x * rng.lognormal(0, 0.05, x.size),
    "20 % off": lambda rng, x: x * rng.lognormal(0, 0.2, x.size),
    "40 % off": lambda rng, x: x * rng.lognormal(0, 0.4, x.size),
    "a fifth of the spread off": lambda rng, x: x + rng.normal(0, 0.2 * x.std(), x.size),
    "rounded to a twentieth of the spread": lambda _, x: (
        np.round(x / (0.05 * x.std())) * 0.05 * x.std()
    ),
    "30 leaves": _leaves(30),
    "8 leaves": _leaves(8),
    "5 % off, and 3 % higher": lambda rng, x: 1.03 * x * rng.lognormal(0, 0.05, x.size),
    "5 % off, and 6 % higher": lambda rng, x: 1.06 * x * rng.lognormal(0, 0.05, x.size),
}


def _lost(share: float) -> Change:
    """One value, their median, for the smallest."""

    def changed(_rng: np.random.Generator, x: FloatArray) -> FloatArray:
        low = x <= np.quantile(x, share)
        return np.where(low, np.median(x[low]), x)

    return changed


def _dealt(share: float) -> Change:
    """The smallest, dealt out anew among each other."""

    def changed(rng: np.random.Generator, x: FloatArray) -> FloatArray:
        low = np.flatnonzero(x <= np.quantile(x, share))
        found = x.copy()
        found[low] = x[rng.permutation(low)]
        return found

    return changed


def _ordinary(share: float) -> Change:
    """The mean, for so many of those that are far above it."""

    def changed(rng: np.random.Generator, x: FloatArray) -> FloatArray:
        far = x > x.mean() + 3 * x.std()
        return np.where(far & (rng.random(x.size) < share), x.mean(), x)

    return changed


def _moved(rng: np.random.Generator, x: FloatArray) -> FloatArray:
    """As many far above the mean, but others."""
    far = np.flatnonzero(x > x.mean() + 3 * x.std())
    found = x.copy()
    found[far] = x.mean()
    found[rng.choice(x.size, far.size, replace=False)] = x[far]
    return found


HARMFUL: dict[str, Change] = {
    **{
        f"{name} of the smallest {100 * share:g} %": make(share)
        for name, make in (("one value", _lost), ("answers exchanged", _dealt))
        for share in (0.6, 0.7, 0.8, 0.9)
    },
    **{f"{100 * share:g} % of the far ones ordinary": _ordinary(share) for share in (0.3, 0.6, 1)},
    "other far ones": _moved,
    "all 20 % higher": lambda _, x: 1.2 * x,
    "all 12 % lower": lambda _, x: 0.88 * x,
}


def withheld(production: FloatArray, shadow: FloatArray) -> str | None:
    """For what a pass is withheld, "" for nothing; None where there would be none anyway."""
    n, far = production.size, production.std() / 2
    counts = counts_of(
        n,
        large_shifted=int((np.abs(shadow - production) > far).sum()),
        one_answer_large=_missed(production, far),
        large_shift=far,
        bias=float((shadow - production).mean()),
        difference_sd=float((shadow - production).std()),
        production_mean=float(production.mean()),
        production_lowest=float(production.min()),
    )
    facts = facts_of(counts | _by_bucket(production, shadow), kind="regression", policy=POLICY)
    evidence = BY_ID[METRIC].assess(facts, POLICY.metrics[METRIC])
    if evidence.outcome == "pass":
        return ""
    return next((note.code for note in evidence.notes if note.code in CODES), None)


def _missed(x: FloatArray, far: float) -> int:
    """Of how many would the best single value be a large shift?"""
    x = np.sort(x)
    return int(x.size - (np.searchsorted(x, x + 2 * far, side="right") - np.arange(x.size)).max())


def _by_bucket(production: FloatArray, shadow: FloatArray) -> dict[str, float]:
    """As sql/score_ranks.sql, sql/score_extremes.sql and quantity_bucket count them."""
    centre, spread = production.mean(), production.std()
    buckets = [np.floor(64 * np.arcsinh((x - centre) / spread)) for x in (production, shadow)]
    ranks = [rankdata(one) for one in buckets]
    (own, products), (_, other) = np.cov(ranks[0], ranks[1])
    found = {"rank_correlation": products / np.sqrt(own * other), "order_kept": products / own}
    found["far_out"] = FAR_OUT
    for side, outward in (("above", 1), ("below", -1)):
        one, two = (outward * (bucket + 0.5) / 64 for bucket in buckets)
        far = np.maximum(one, two) > np.arcsinh(FAR_OUT)
        apart = far & (np.minimum(one, two) < np.arcsinh(FAR_OUT / 2))
        found |= {f"far_{side}": int(far.sum()), f"far_{side}_apart": int(apart.sum())}
    return found


def row(name: str, changes: dict[str, Change], change: str, worlds: int, seed: int) -> str:
    """One row: how many would pass, and how many of them do not, for what."""
    found: list[str | None] = []
    for number in range(worlds):
        rng = np.random.default_rng([seed, crc32(f"{name} {change}".encode()), number])
        production = DRAWN[name](rng, PAIRS[number % len(PAIRS)])
        found.append(withheld(production, changes[change](rng, production)))
    counts = [worlds - found.count(None), *map(found.count, CODES)]
    return f"| {name} | {change} | {worlds} | {' | '.join(map(str, counts))} |"


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--worlds", type=int, default=20, help="worlds a row")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    lost = " | ".join(code.replace("-", " ") for code in CODES)
    sys.stdout.write(f"| Quantities | the shadow's | worlds | would pass | {lost} |\n")
    sys.stdout.write("|-|-|-:|-:|-:|-:|-:|\n")
    for changes in (HONEST, HARMFUL):
        for name in DRAWN:
            for change in changes:
                sys.stdout.write(f"{row(name, changes, change, given.worlds, given.seed)}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
