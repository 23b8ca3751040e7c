"""How often does accuracy not pass for its last day: of honest shadows, and of those wrong on it?

    python tests/calibration/last_labels.py --worlds 100 --seed 1

Labels come late, each by a time of its own, so that every look sees few of the last hours. Every
world is looked at once a day through the metric's own `assess`; wrong ones at their end alone.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pyarrow as pa

# `python tests/calibration/last_labels.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analyzer.metrics import DEFAULTS
from analyzer.metrics.accuracy import assess_accuracy
from analyzer.metrics.lately import WORSE_LATELY
from analyzer.policy.files import load_policy
from tests.metrics.prediction_facts import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from analyzer.metrics.metric import Facts

DAY = 24
POLICY = load_policy(None, DEFAULTS)
NAMES = ("predictions", "production_right", "shadow_right")


@dataclass(frozen=True)
class Labels:
    """A world of labelled predictions.

    Attributes:
        each: predictions an hour in the mean; by day there are three times as many as by night.
        differing: share of predictions that one variant alone answers rightly.
        loss: by how much the shadow is right less often, on every day.
        bursts: a + b of the beta distribution that an hour's share of differing ones has; None
            where all hours have the same.
        delay_h: mean hours until a label is known.
    """

    each: float
    differing: float = 0.02
    loss: float = 0.0
    bursts: float | None = None
    delay_h: float = 6.0


HONEST = {
    "alike": Labels(400),
    "0.2 pp worse": Labels(400, loss=0.002),
    "0.3 pp worse, 2 000 an hour": Labels(2_000, loss=0.003),
    "few": Labels(25, differing=0.005),
    "late": Labels(400, delay_h=48),
    "in bad hours": Labels(400, bursts=5),
    "0.2 pp worse, in bad hours": Labels(2_000, loss=0.002, bursts=5),
}
WRONG = (
    Labels(400, delay_h=0),
    Labels(400),
    Labels(100, differing=0.005, delay_h=0),
    Labels(2_000, delay_h=48),
)
LOSSES = (0.01, 0.02, 0.04)
"""By how much the shadow of a wrong world is right less often on its last day."""

Counts = dict[str, "npt.NDArray[np.int64]"]


def drawn(labels: Labels, days: int, last: float, rng: np.random.Generator) -> Counts:
    """Counts by hour, (hours,) each; on the last day the shadow loses `last` beside all else."""
    hour = np.arange(days * DAY)
    n = rng.poisson(labels.each * (1 + 0.5 * np.sin(2 * np.pi * hour / DAY)))
    apart = np.full(hour.size, labels.differing)
    if labels.bursts is not None:
        a = labels.differing * labels.bursts
        apart = rng.beta(a, labels.bursts - a, hour.size)
    lost = apart * (1 + labels.loss / labels.differing) / 2
    won = apart - lost
    lost[-DAY:] += last
    mine = np.minimum(rng.binomial(n, np.minimum(lost, 1)), n)
    return dict(zip(NAMES, (n, mine, rng.binomial(n - mine, won)), strict=True))


def seen(counts: Counts, hours: int, delay_h: float, rng: np.random.Generator) -> Counts:
    """The labels of the first hours that are known when these are over."""
    age = hours - 0.5 - np.arange(hours)
    known = -np.expm1(-age / delay_h) if delay_h else np.ones(hours)
    n, production, shadow = (counts[name][:hours] for name in NAMES)
    mine, rival, alike = (
        rng.binomial(part, known) for part in (production, shadow, n - production - shadow)
    )
    return dict(zip(NAMES, (mine + rival + alike, mine, rival), strict=True))


def facts(counts: Counts) -> Facts:
    """Facts of a run that counted these; half of all answers and truths are yes."""
    held = counts["predictions"] > 0
    hours = {name: column[held] for name, column in counts.items()}
    n, production, shadow = (int(hours[name].sum()) for name in NAMES)
    both = (n - production - shadow) * 9 // 10
    row = {
        "labelled_pairs": n,
        "predictions": n,
        "prediction_squares": float(n),
        "both_right": both,
        "production_right": production,
        "shadow_right": shadow,
        "both_wrong": n - production - shadow - both,
        "commonest_truth": n // 2,
        "foreign_truth": 0,
        "chance_products": n**2 / 2,
        "chance_cubes": n**3 / 2,
        "production_found": n * 9 // 20,
        "shadow_found": n * 9 // 20,
        "production_products": n**2 / 4,
        "shadow_products": n**2 / 4,
    }
    found = facts_of(kind="label", policy=POLICY)
    assert found.captures is not None
    told = {"hour": np.flatnonzero(held), **hours}
    tables = {"label_counts": pa.Table.from_pylist([row]), "label_hours": pa.table(told)}
    tables = {**found.captures.tables, **tables}
    return replace(found, captures=replace(found.captures, tables=tables))


def withheld(counts: Counts) -> bool | None:
    """Whether accuracy's pass is withheld for its last day; None where it does not pass anyway."""
    evidence = assess_accuracy(facts(counts), POLICY.metrics["accuracy"])
    late = any(note.code == WORSE_LATELY for note in evidence.notes)
    return late if late or evidence.outcome == "pass" else None


def honest(name: str, days: int, worlds: int, seed: int) -> str:
    """One row: how many daily looks would pass, and how many of them do not."""
    labels, passes, held, ever = HONEST[name], 0, 0, 0
    for number in range(worlds):
        rng = np.random.default_rng([seed, crc32(name.encode()), days, number])
        counts = drawn(labels, days, 0.0, rng)
        looks = [
            withheld(seen(counts, DAY * day, labels.delay_h, rng)) for day in range(2, days + 1)
        ]
        passes += sum(look is not None for look in looks)
        held += sum(look is True for look in looks)
        ever += True in looks
    return row(name, days, "-", worlds, passes, held, ever)


def wrong(labels: Labels, days: int, loss: float, worlds: int, seed: int) -> str:
    """One row: how many would pass at the end of their last day, and how many of them do not."""
    passes = held = 0
    name = f"{labels.each:g} an hour, {labels.delay_h:g} h late"
    for number in range(worlds):
        rng = np.random.default_rng([seed, crc32(name.encode()), days, round(1e4 * loss), number])
        look = withheld(seen(drawn(labels, days, loss, rng), DAY * days, labels.delay_h, rng))
        passes += look is not None
        held += look is True
    return row(name, days, f"-{100 * loss:g} pp", worlds, passes, held, held)


def row(*cells: object) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def table(worlds: int, seed: int) -> Iterable[str]:
    """Every row, as it is measured."""
    yield row("Labels", "days", "last day", "worlds", "would pass", "withheld", "worlds withheld")
    yield "|-|-:|-|-:|-:|-:|-:|"
    for name in HONEST:
        for days in (7, 14):
            yield honest(name, days, worlds, seed)
    for labels in WRONG:
        for days in (7, 14):
            for loss in LOSSES:
                yield wrong(labels, days, loss, worlds, seed)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--worlds", type=int, default=100, help="worlds a row")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for line in table(given.worlds, given.seed):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
