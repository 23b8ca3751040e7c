"""Have labels anything to do with the answers of the requests that they are given to?

In: what `labels` counted. Out: which variant they say is right more often (`accuracy`).

Labels that a wrong ID gave to other requests agree with either variant as chance does. Of such
labels the commonest is right most often, whoever says it: a shadow that only says it more often
than production does looks more accurate.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analyzer.figures import grouped, percent
from analyzer.metrics.shares import fewest
from analyzer.model import Note
from analyzer.stats.dependence import hit_payoffs, log_dependence, rank_payoffs
from analyzer.stats.paired_accuracy import Outcomes

if TYPE_CHECKING:
    from analyzer.metrics.label_selection import Bounds
    from analyzer.metrics.labelled import LabelCounts
    from analyzer.stats.ewc import FloatArray

UNRELATED = "labels-unrelated"
"""The code of labels that agree with neither variant more than chance would."""
_SIDES = ("production", "shadow")


class _Bet(NamedTuple):
    """That answers lean towards the truth: what they gain by case, and how many cases there are."""

    payoffs: FloatArray
    cases: FloatArray


def unrelated(found: LabelCounts, alpha: float) -> Note | None:
    """That neither variant's answers are shown to depend on the labels.

    Either is enough: labels that a shadow alone can tell are labels of its requests. Bets on both
    variants, and on scores beside answers, are one e-value by their mean.
    """
    bets = [*_on_answers(found), *_on_scores(found)]
    independent, enough = found.effective / found.predictions, -math.log(alpha)
    if _evidence(bets, independent) >= enough:
        return None
    needed = fewest(lambda n: _evidence(bets, n / found.predictions) >= enough)
    others = found.predictions - found.count("commonest_truth")
    sides = "; ".join(
        f"{side} names {percent(found.count(f'{side}_found') / others)}, by chance "
        f"{percent(_chance(found, side, others))}"
        for side in _SIDES
    )
    more = (
        "no number of labels would show more if these shares stay"
        if needed is None
        else f"about {grouped(math.ceil(needed / independent))} labelled predictions would show it "
        "if these shares stay"
    )
    text = (
        f"labels are not shown to have anything to do with the answers: of the {grouped(others)} "
        f"labels other than the commonest, {sides}. They are of other requests, or {more}"
    )
    return Note(code=UNRELATED, text=text)


def settled_by_flips(
    found: LabelCounts, bounds: Bounds, alpha: float, margin: float | None
) -> bool:
    """Whether so few predictions flip that nothing is lost, whoever is right when they do."""
    table = found.tables.get("label_selection")
    if table is None or margin is None:
        return False
    flips, others = (
        float(sum(table.column(name).to_pylist())) * found.effective / found.predictions
        for name in ("flips", "others")
    )
    return bounds(Outcomes(0.0, flips, others), alpha, alpha)[0] > margin


def _evidence(bets: list[_Bet], factor: float) -> float:
    """The log of the mean e-value, at so many times the cases seen."""
    logs = [log_dependence(bet.payoffs, bet.cases * factor) for bet in bets]
    return float(np.logaddexp.reduce(logs)) - math.log(len(logs))


def _on_answers(found: LabelCounts) -> list[_Bet]:
    """Whether each variant names labels other than the commonest where they are the truth.

    The commonest one tells nothing: both variants name it in nearly every case of a rare class.
    """
    others = found.predictions - found.count("commonest_truth")
    named = (float(found.count(f"{side}_found")) for side in _SIDES)
    return [
        _Bet(hit_payoffs(_chance(found, side, others)), np.array([hits, others - hits]))
        for side, hits in zip(_SIDES, named, strict=True)
    ]


def _chance(found: LabelCounts, side: str, others: int) -> float:
    return float(found.row[f"{side}_products"]) / found.predictions / others


def _on_scores(found: LabelCounts) -> list[_Bet]:
    """Whether cases of the rarer class have higher scores, or lower ones if it is the negative.

    Scores tell where answers do not: rarely is a probability of 1 % ever above a half.
    """
    table = found.tables.get("label_score_cells")
    if table is None:
        return []
    cells = {name: np.array(column, np.float64) for name, column in table.to_pydict().items()}
    rising = cells["positive"].sum() <= cells["negative"].sum()
    bets = []
    for side in _SIDES:
        _, place = np.unique(cells[f"{side}_bucket"], return_inverse=True)
        positive, negative = (
            np.bincount(place, cells[name]).astype(np.float64) for name in ("positive", "negative")
        )
        payoffs = rank_payoffs(positive + negative)
        bets.append(_Bet(payoffs, positive) if rising else _Bet(-payoffs, negative))
    return bets
