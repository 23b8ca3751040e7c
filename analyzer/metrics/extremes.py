"""Do both variants put the same requests far out, where few of them are?

In: how many quantities either variant puts far above or below the mean, and how many of those the
other does not put halfway there (`payloads`). Out: the share of large shifts, and its margin
(`divergence`).

An anomaly is a request in a hundred, and a budget of large shifts leaves room for all of them: a
shadow that follows production in the ordinary and never scores one high stays within it. Far out is
for quantities what a rare label is for labels, so it is asked as rare labels are (`answers`): of
the requests that either variant puts there, in how many are they apart?
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import counted as count_of
from analyzer.figures import grouped, percent
from analyzer.metrics.answers import MOST_APART
from analyzer.metrics.predictions import LEAST_EACH_SIDE, otherwise, withheld
from analyzer.metrics.shares import Share, outcomes_needed
from analyzer.model import Note, Outcome

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.metrics.predictions import Counted
    from analyzer.model import Evidence, Needs


def beside_extremes(facts: Facts, counted: Counted, share: Share, evidence: Evidence) -> Evidence:
    """A pass is one only where, of quantities far out on either side, less than half are apart.

    Each counts for itself. What they are held against is a half, not a few in a thousand, and how
    often inputs repeat among them is not known.

    Args:
        facts: for the policy's error level, and the time that more of them take.
        counted: of quantities; of anything else none is far out.
        share: of large shifts.
        evidence: of large shifts.
    """
    if evidence.outcome is not Outcome.PASS:
        return evidence
    sides = [
        (Share(counted.count(f"far_{side}_apart"), far, float(far), share.unit), side)
        for side in ("above", "below")
        if (far := counted.count(f"far_{side}")) >= LEAST_EACH_SIDE
    ]
    if not sides:
        return evidence
    upper, worst, side = max((_upper(facts, apart), apart, side) for apart, side in sides)
    if upper < MOST_APART:
        return evidence
    both = worst.outcomes - worst.events
    note = Note(
        code="extremes-lost",
        text=f"of {count_of(worst.outcomes, 'prediction')} that either variant puts more than "
        f"{counted.row['far_out']:g} of production's standard deviations {side} its mean, the "
        f"other puts {grouped(both)} ({percent(1 - worst.estimate)}) half as far out or farther; "
        f"they may be apart in {percent(upper)}, and {percent(MOST_APART)} or more say nothing of "
        "such answers",
    )
    return withheld(evidence, note, _needs(facts, worst, share, note))


def _upper(facts: Facts, apart: Share) -> float:
    upper = apart.effect(facts.policy).upper
    return 1.0 if upper is None else upper


def _needs(facts: Facts, worst: Share, share: Share, note: Note) -> Needs:
    """When so many will be there that it is settled, if as many stay apart."""
    once = facts.policy.inference == "fixed"
    needed = outcomes_needed(worst.estimate, MOST_APART, facts.policy.alpha, once=once)
    if needed is None:
        return otherwise(note)
    return share.projected(facts, round(needed / worst.outcomes * share.effective))
