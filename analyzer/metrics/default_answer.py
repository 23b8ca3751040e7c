"""Does the shadow answer some requests with a default, whatever they ask?

In: to how many requests that production scores far from it the shadow gives one same score
(`payloads`). Out: the share of large shifts, and its margin (`divergence`).

A service that cannot compute a score may fall back to one, 0 as a rule. Where most scores are near
it few shifts are large, so that a budget of them leaves room for one request in twenty-five that
gets no answer. A default is known by its indifference: it is given, to the bit, to requests that
production scores far from it as often as to any, on both sides if there are two. A score that many
honest answers share, by rounding or as the leaf of a tree, is given where production's is near.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import counted as count_of
from analyzer.figures import percent, plain
from analyzer.metrics.predictions import LEAST_EACH_SIDE, otherwise, withheld
from analyzer.model import Note, Outcome

if TYPE_CHECKING:
    from analyzer.metrics.predictions import Counted
    from analyzer.model import Evidence

LEAST_SHARE = 0.01
"""Of the requests that production scores far from it, what a default is given to at least."""
_A_SIDE = 0.05
"""Share of all requests far above it, or below, from which on they are asked by themselves."""
_INDIFFERENT = 0.5
"""A default is given to far requests this many times as often as to all, at least."""
_PRODUCTIONS_OWN = 0.5
"""Where production gives it in this many times as many such cases, it is how both answer."""


def beside_default(counted: Counted, evidence: Evidence) -> Evidence:
    """A pass is one only where no score is given whatever production says of the request."""
    if evidence.outcome is not Outcome.PASS or not _indifferent(counted):
        return evidence
    given = counted.count("default_above_given") + counted.count("default_below_given")
    far = counted.count("default_above") + counted.count("default_below")
    note = Note(
        code="default-answer",
        text=f"the shadow answers exactly {plain(counted.row['default_score'])} to "
        f"{count_of(given, 'prediction')} that production scores far from it "
        f"({percent(given / far, 2)} of all such), production in the like case to "
        f"{counted.count('default_production')}: a default takes the place of a score",
    )
    return withheld(evidence, note, otherwise(note))


def _indifferent(counted: Counted) -> bool:
    """Whether one score is given regardless of production's."""
    measured, given = counted.count("measured"), counted.count("default_given")
    sides = [
        (counted.count(f"default_{side}_given"), counted.count(f"default_{side}"))
        for side in ("above", "below")
    ]
    least = max(LEAST_SHARE, _INDIFFERENT * given / measured) if measured else 1.0
    asked = [(found, far) for found, far in sides if far >= _A_SIDE * measured]
    return (
        sum(found for found, _ in asked) >= LEAST_EACH_SIDE
        and all(found >= least * far for found, far in asked)
        and counted.count("default_production") < _PRODUCTIONS_OWN * sum(one for one, _ in sides)
    )
