"""How far are lists of numbers apart, and which of their places moved?

In: sums over sampled pairs (`payloads.closely`) -> evidence. Out: what is judged: whether any place
differs beyond the tolerance is `score_shift_share`, of all pairs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from analyzer.figures import counted, plain
from analyzer.metrics.predictions import nothing_compared
from analyzer.metrics.shown import Finding, asking, sampled
from analyzer.model import Intervals, Note
from analyzer.stats.effective import effective_share_n
from analyzer.stats.multiple import holm

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts, Metric
    from analyzer.metrics.predictions import Counted

_LISTS = frozenset({"vector", "multiclass"})
_NAMED_PLACES = 5

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


def _independent(found: Counted) -> float:
    n = found.count("vectors")
    return min(effective_share_n(n, float(found.count("vector_squares"))), float(n))


VECTORS: tuple[Metric, ...] = (
    asking(_distance, _LISTS, "relative", DISTANCE_METHOD)(
        id="vector_distance",
        title="distance of lists",
        meaning="Mean distance of the shadow's list of numbers from production's, in units of "
        "production's length (relative L2), over sampled pairs.",
        source="Golub and Van Loan, Matrix Computations (2013), 2.2; normal interval at Kish's "
        "effective size (1965)",
        advice="Around 1e-7 is rounding of float32, 1e-3 that of float16; more is another model.",
    ),
    asking(_places, _LISTS, "share", BIAS_METHOD)(
        id="vector_bias_share",
        title="places that moved",
        meaning="Share of the list's places whose mean differs between the variants, over sampled "
        "pairs, many places being allowed for.",
        source="Holm, Scandinavian Journal of Statistics 6:65 (1979), on normal tests at Kish's "
        "effective size (1965)",
        advice="See the table of places; of classes, compare how often each is meant to be likely.",
    ),
)
