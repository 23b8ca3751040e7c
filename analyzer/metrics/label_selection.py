"""Do labels speak for all predictions, or for some answers only?

In: how many predictions flip, by production's answer, and for how many the truth is known. Out:
accuracy among labelled predictions (`accuracy`).

Nobody learns what a declined loan would have become, so labels may come for one answer alone, or
for flips first. Where both variants answer alike neither is more often right: the difference lies
in flips, which are counted whether labelled or not. So where flips have labels in another share
than the rest, what labelled flips say is weighed by how many flip, at the least and at the most.
Where some answers have labels more often than others, each label stands for as many flips as its
answer has; answers with few labels are bounded by themselves, and nothing is known of those with
none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.figures import percent
from analyzer.model import Needs, Note
from analyzer.stats.effective import effective_share_n
from analyzer.stats.missingness import informative_missingness
from analyzer.stats.paired_accuracy import Outcomes
from analyzer.stats.proportions import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from analyzer.metrics.labelled import LabelCounts
    from analyzer.stats.ewc import FloatArray

    BoolArray = npt.NDArray[np.bool_]
    Bounds = Callable[[Outcomes, float, float], tuple[float, float]]
    """Outcomes and a level for each end -> bounds of the difference of right answers."""

MORE_FLIPS = Needs(
    text="Label a random part of the predictions that flip, whatever production answered; labels "
    "that come late count too."
)
_UNEVEN = 0.005
"""The chance, of either test, that labels which came regardless of flips are weighed."""
_FIRST_PART = 0.8
"""Of a level, for what labelled flips say: how many flip is known far better than who is right."""
_LACKING = 0.5
"""An answer's flips have few labels below this part of the share that all flips have."""


@dataclass(frozen=True)
class Weighed:
    """Bounds of the difference of right answers among all predictions, labelled or not."""

    lower: float
    upper: float
    note: Note


@dataclass(frozen=True)
class _Flips:
    """Predictions by production's answer, each array of shape (answers,), made independent."""

    flips: FloatArray
    known_flips: FloatArray
    shadow_right: FloatArray
    production_right: FloatArray
    others: FloatArray
    known_others: FloatArray

    @property
    def everything(self) -> float:
        return float(self.flips.sum() + self.others.sum())


def weigh(
    found: LabelCounts, bounds: Bounds, alpha_lower: float, alpha_upper: float
) -> Weighed | None:
    """Bounds for all predictions; None where flips have labels as other predictions do.

    Args:
        found: what was counted of labels.
        bounds: of outcomes that are independent.
        alpha_lower: one-sided level of the lower bound.
        alpha_upper: of the upper one.

    Assumes: among the flips of one answer labels came regardless of who is right. Strata and
    weights are made from labels' being there, never from what they say.

    Source: post-stratification, Holt and Smith, JRSS A 142:33 (1979); Kish's effective size (1965)
    of unequal weights; Bonferroni over the strata, and within each over both ends of the share that
    flips and the difference among them.
    """
    table = found.tables.get("label_selection")
    if table is None:
        return None
    independent = found.effective / found.predictions
    counted = {
        name: independent * np.array(column, np.float64)
        for name, column in table.to_pydict().items()
    }
    flips = _Flips(**counted)
    if not flips.flips.any() or not (_apart(flips) or _uneven(flips)):
        return None
    strata = list(_strata(flips))
    lower = upper = 0.0
    for stratum in strata:
        lower += _added(flips, stratum, bounds, alpha_lower / len(strata))[0]
        upper += _added(flips, stratum, bounds, alpha_upper / len(strata))[1]
    return Weighed(lower, upper, _note(flips))


def _added(flips: _Flips, stratum: _Stratum, bounds: Bounds, alpha: float) -> tuple[float, float]:
    """What the flips of a stratum add to the difference, at the least and at the most."""
    among, either = _FIRST_PART * alpha, (1 - _FIRST_PART) * alpha / 2
    known = stratum.known
    low, high = bounds(known, among, among) if known.pairs else (-1.0, 1.0)
    rest = flips.everything - stratum.flips
    few, most = bounds(Outcomes(stratum.flips, 0.0, rest), either, either)
    few = max(few, 0.0)
    return min(few * low, most * low), max(few * high, most * high)


@dataclass(frozen=True)
class _Stratum:
    """Some flips.

    Attributes:
        flips: how many there are.
        known: what those with a label come to, at the number of equal ones they are worth.
    """

    flips: float
    known: Outcomes


def _strata(flips: _Flips) -> Iterator[_Stratum]:
    """All flips; where labels are uneven, those of answers with labels, with few, and with none."""
    every, known = flips.flips, flips.known_flips
    if not _uneven(flips):
        yield _stratum(flips, every >= 0, np.ones_like(every))
        return
    each = np.divide(every, known, out=np.zeros_like(every), where=known > 0)
    enough = known * every.sum() >= _LACKING * every * known.sum()
    for answers in (enough & (known > 0), ~enough & (known > 0), known == 0):
        if every[answers].any():
            yield _stratum(flips, answers, each)


def _stratum(flips: _Flips, answers: BoolArray, each: FloatArray) -> _Stratum:
    """The flips of some answers, of which each with a label stands for so many."""
    weight, known = each[answers], flips.known_flips[answers]
    total = float((weight * known).sum())
    worth = effective_share_n(total, float((weight * weight * known).sum()))
    ours, rival = (
        float((weight * one[answers]).sum()) for one in (flips.shadow_right, flips.production_right)
    )
    outcomes = Outcomes(ours, rival, max(total - ours - rival, 0.0))
    scaled = outcomes.scaled(worth / total) if total else outcomes
    return _Stratum(float(flips.flips[answers].sum()), scaled)


def _apart(flips: _Flips) -> bool:
    """Whether flips have labels more often than other predictions, or less."""
    others = float(flips.others.sum())
    if not others:
        return False
    share = float(flips.known_others.sum()) / others
    known = clopper_pearson(float(flips.known_flips.sum()), float(flips.flips.sum()), 1 - _UNEVEN)
    return not known[0] <= share <= known[1]


def _uneven(flips: _Flips) -> bool:
    """Whether flips of some answers have labels more often than flips of others.

    Answers are taken in the order in which their other predictions have labels, so that neighbours
    may be pooled: that order knows nothing of the labels of flips.
    """
    order = np.argsort(flips.known_others / np.maximum(flips.others, 1.0), kind="stable")
    known, missing = flips.known_flips[order], (flips.flips - flips.known_flips)[order]
    cells = np.arange(float(len(order)))
    return informative_missingness(cells, missing, known).p_value < _UNEVEN


def _note(flips: _Flips) -> Note:
    known = float(flips.known_flips.sum() / flips.flips.sum())
    others = float(flips.known_others.sum() / max(flips.others.sum(), 1.0))
    text = (
        f"labels do not speak for all alike: {percent(known)} of the predictions that flip have "
        f"one, of other predictions {percent(others)}; bounds allow for the flips without a label, "
        f"by how many of all predictions flip ({percent(flips.flips.sum() / flips.everything)})"
    )
    return Note(code="labels-selective", text=text)
