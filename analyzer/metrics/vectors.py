"""How far are lists of numbers apart, which of their places moved, and does each say anything?

In: sums over sampled pairs (`payloads.closely`) -> evidence. Out: what is judged: whether any place
differs beyond the tolerance is `score_shift_share`, of all pairs; it passes only where
`beside_each_place` finds that one list for every request would not do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.figures import counted, plain
from analyzer.metrics.answers import MOST_APART
from analyzer.metrics.predictions import nothing_compared, otherwise, withheld
from analyzer.metrics.shares import Share
from analyzer.metrics.shown import Finding, asking, sampled
from analyzer.model import Intervals, Note, Outcome
from analyzer.stats.effective import effective_share_n
from analyzer.stats.multiple import holm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.metrics.metric import Facts, Metric
    from analyzer.metrics.predictions import Counted
    from analyzer.model import Evidence

LISTS = frozenset({"vector", "multiclass"})
_NAMED_PLACES = 5
_LEAST_APART, _LEAST_SETTLED = 20, 50
"""Sampled lists that one number would not do for: before harm is certain, and before it must be
excluded. The sample does not grow, so fewer than fifty would hold shadows for ever."""

DISTANCE_METHOD = "relative-l2/1"
BIAS_METHOD = "holm-normal/1"


def _distance(facts: Facts, found: Counted) -> Finding | Note:
    """Mean distance in units of production's length."""
    from scipy.special import ndtri

    if "relative_distance" not in found.row:
        return nothing_compared(found)
    row, n = found.row, _independent(found)
    reach = -float(ndtri(facts.policy.alpha)) * row["relative_distance_sd"] / math.sqrt(n)
    notes = [sampled(found.count("vectors"), found.count("predictions"), "prediction")]
    if row["cosine"] is not None:
        text = f"mean cosine of both lists {row['cosine']:.6f}"
        notes.append(Note(code="vector-cosine", text=text))
    mean = row["relative_distance"]
    interval = (max(mean - reach, 0.0), mean + reach)
    return Finding(mean, n, intervals=Intervals(fixed=interval), notes=tuple(notes))


def _places(facts: Facts, found: Counted) -> Finding | Note:
    """Share of places whose mean moved, many places being allowed for."""
    from scipy.special import erfc

    tables = {} if facts.captures is None else facts.captures.tables
    table = tables.get("vector_coordinates")
    if table is None or not table.num_rows:
        return nothing_compared(found)
    columns = table.to_pydict()
    place, seen = (np.array(columns[name], np.int64) for name in ("place", "vectors"))
    bias, sd = (np.array(columns[name], float) for name in ("bias", "difference_sd"))
    n = _independent(found)
    se = sd / np.sqrt(seen * (n / found.count("vectors")))
    z = np.divide(np.abs(bias), se, out=np.where(bias == 0, 0.0, np.inf), where=se > 0)
    moved = np.array(holm(erfc(z / math.sqrt(2)).tolist(), facts.policy.alpha))
    notes = [sampled(found.count("vectors"), found.count("predictions"), "prediction")]
    if moved.any():
        order = [at for at in np.argsort(-np.abs(bias), kind="stable") if moved[at]]
        named = ", ".join(f"{place[at]}: {bias[at]:+.4g}" for at in order[:_NAMED_PLACES])
        text = f"largest mean change by place from 0: {named} (Holm, one look)"
        notes.append(Note(code="vector-places", text=text))
    largest = f"of {counted(len(place), 'place')}, the largest mean change is "
    notes.append(Note(code="vector-bias", text=f"{largest}{plain(float(np.abs(bias).max()))}"))
    return Finding(float(moved.mean()), n, notes=tuple(notes))


def beside_each_place(facts: Facts, found: Counted, shifts: Share, evidence: Evidence) -> Evidence:
    """A pass is one only where, at each place, most lists that one number would not do for agree.

    Where the tolerance is wider than the numbers, one list would do for every request, and that
    few differ by more says nothing. Places where one number does for nearly all are not asked.
    """
    if evidence.outcome is not Outcome.PASS or evidence.effect is None:
        return evidence
    tables = {} if facts.captures is None else facts.captures.tables
    table = tables.get("vector_coordinates")
    rows = [] if table is None else table.to_pylist()
    asked = [row for row in rows if row["apart"] >= _LEAST_APART]
    independent = _independent(found) / found.count("vectors") if asked else 1.0
    bursts = max(shifts.bursts, 1 / independent)
    bounds: dict[tuple[int, int], float] = {}
    for events, n in {(row["shifted"], row["apart"]) for row in asked}:
        effect = Share(events, n, float(n), "pairs", bursts).effect(facts.policy)
        bounds[events, n] = (effect.upper if n >= _LEAST_SETTLED else effect.lower) or 0.0
    worst = max(asked, key=lambda row: bounds[row["shifted"], row["apart"]], default=None)
    if worst is not None and bounds[worst["shifted"], worst["apart"]] < MOST_APART:
        return evidence
    note = _one_list_would_do() if worst is None else _place_lost(worst)
    return withheld(evidence, note, otherwise(note))


def _one_list_would_do() -> Note:
    return Note(
        code="one-answer",
        text="one list for every request would differ from nearly none of production's by more "
        "than the tolerance: that few differ says nothing; make the tolerance smaller than the "
        "numbers vary",
    )


def _place_lost(row: Mapping[str, Any]) -> Note:
    text = (
        f"place {row['place']}: of {counted(row['apart'], 'sampled list')} for which the best "
        f"single number would not do, {row['shifted']} differ by more than the tolerance, and half "
        "may"
    )
    return Note(code="answer-lost", text=text)


def _independent(found: Counted) -> float:
    n = found.count("vectors")
    return min(effective_share_n(n, float(found.count("vector_squares"))), float(n))


VECTORS: tuple[Metric, ...] = (
    asking(_distance, LISTS, "relative", DISTANCE_METHOD)(
        id="vector_distance",
        title="distance of lists",
        meaning="Mean distance of the shadow's list of numbers from production's, in units of "
        "production's length (relative L2), over sampled pairs; of a long list, of its first 1,024 "
        "numbers.",
        source="Golub and Van Loan, Matrix Computations (2013), 2.2; normal interval at Kish's "
        "effective size (1965)",
        advice="Around 1e-7 is rounding of float32, 1e-3 that of float16; more is another model.",
    ),
    asking(_places, LISTS, "share", BIAS_METHOD)(
        id="vector_bias_share",
        title="places that moved",
        meaning="Share of the list's places whose mean differs between the variants, over sampled "
        "pairs, many places being allowed for.",
        source="Holm, Scandinavian Journal of Statistics 6:65 (1979), on normal tests at Kish's "
        "effective size (1965)",
        advice="See the table of places; of classes, compare how often each is meant to be likely.",
    ),
)
