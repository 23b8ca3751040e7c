"""Does the shadow put amounts below zero, where production puts none?

In: how many quantities the shadow puts below zero that production puts above it, and production's
lowest (`payloads`). Out: the share of large shifts, and its margin (`divergence`).

A price of -3 is as near to 2 as one of 7, so that no size of a shift tells them apart, and whoever
asked for a price cannot use it. Which quantities are amounts is told by production, which puts none
below zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import counted as count_of
from analyzer.figures import percent
from analyzer.metrics.predictions import LEAST_EACH_SIDE, otherwise, withheld
from analyzer.model import Note, Outcome

if TYPE_CHECKING:
    from analyzer.metrics.predictions import Counted
    from analyzer.model import Evidence

MOST_BELOW = 0.001
"""Of amounts; as many answers as may change in what callers rely on."""


def is_amount(counted: Counted) -> bool:
    """A quantity that production never puts below zero."""
    lowest = counted.row.get("production_lowest")
    return counted.kind == "regression" and lowest is not None and lowest >= 0


def beside_zero(counted: Counted, evidence: Evidence) -> Evidence:
    """A pass is one only where the shadow puts next to no amount below zero.

    Those count that production puts at least half as far above zero: a little less than nothing,
    for what production answers with nothing, is no other sign. Production has none among as many,
    so twenty are no chance.
    """
    if evidence.outcome is not Outcome.PASS or not is_amount(counted):
        return evidence
    below, share = counted.count("below_zero"), 0.0
    if counted.count("predictions"):
        share = below / counted.count("predictions")
    if below < LEAST_EACH_SIDE or share < MOST_BELOW:
        return evidence
    note = Note(
        code="below-zero",
        text=f"the shadow puts {count_of(below, 'prediction')} ({percent(share, 2)}) below zero "
        "that production puts as far above it, or half as far, and production puts none below: who "
        "takes these numbers for amounts cannot use them",
    )
    return withheld(evidence, note, otherwise(note))
