"""Do answers that are sequences lie in place, or a step late or early?

In: how many sampled lists match production's a place before or after better than in place
(`payloads.closely`). Out: the share of shifts, and its margin (`divergence`).

A forecast of the next hours is smooth: moved by one hour it differs little anywhere, however wrong
it is. What tells is that it fits better when it is moved back. Noise, and numbers that have no
order, fit a place before as seldom as a place after, so one side must be much the commoner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import counted as count_of
from analyzer.figures import grouped, percent
from analyzer.metrics.answers import MOST_APART
from analyzer.metrics.predictions import otherwise, withheld
from analyzer.metrics.shares import Share
from analyzer.model import Note, Outcome

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.metrics.predictions import Counted
    from analyzer.model import Evidence

ONE_SIDED = 2 / 3
"""Of the lists out of place: more lie on one side for certain, twice as many as on the other."""
_SHIFTS = frozenset({"shifted", "large_shifted"})
_SIDES = 2  # that are asked, and share the error level


def beside_lags(
    facts: Facts, counted: Counted, share: Share, evidence: Evidence, *, events: str
) -> Evidence:
    """A pass is one only where no more lists than the margin lie a step to one side for certain.

    Args:
        facts: for the policy's error level.
        counted: the sampled lists; none where answers are single numbers.
        share: of all predictions, for how much hours differ.
        evidence: of it.
        events: what it is a share of; only shifts are asked, since a label says where it belongs.

    Source: the lag of the largest cross-correlation; Box, Jenkins, Reinsel and Ljung, Time Series
    Analysis (2015), 12.1, of three lags.
    """
    lists = counted.count("sequences") if events in _SHIFTS else 0
    if evidence.outcome is not Outcome.PASS or evidence.margin is None or not lists:
        return evidence
    late, early = counted.count("late"), counted.count("early")
    moved, other, way = max((late, early, "late"), (early, late, "early"))
    repeated = float(counted.count("sequence_squares")) / lists
    least, sided = (
        _least(facts, Share(moved, of, of * repeated, "lists", share.bursts))
        for of in (lists, moved + other)
    )
    if least <= min(evidence.margin, MOST_APART) or sided <= ONE_SIDED:
        return evidence
    note = Note(
        code="off-by-one",
        text=f"{grouped(moved)} of {count_of(lists, 'sampled list')} "
        f"({percent(moved / lists)}, {percent(least)} or more) follow production's better a step "
        f"{way} than in place, and {grouped(other)} the other way: each place holds what belongs "
        f"to the one {'before' if way == 'late' else 'after'} it",
    )
    return withheld(evidence, note, otherwise(note))


def _least(facts: Facts, share: Share) -> float:
    """Above what a share lies for certain; nothing where there are no outcomes."""
    if not share.outcomes:
        return 0.0
    once = facts.policy.inference == "fixed"
    return share.pooled_lower(facts.policy.alpha / _SIDES, once=once)
