"""Would the last day fail if it were the whole window? Then all days together do not pass.

In: evidence, and estimate and a bound of its last 24 hours -> the same evidence, or a pass that is
not settled. Out: which hours these are (`series.last_day`, `Counted.share`, `LabelCounts.latest`),
and failing: one bad day rejects nobody.

What a shadow did at last is what it will do next, and the days before do not make up for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.metrics.predictions import withheld
from analyzer.model import Needs, Note, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.model import Evidence

WORSE_LATELY = "worse-lately"


def unless_worse(
    evidence: Evidence,
    estimate: float,
    bound: float | None,
    *,
    hours: str,
    figure: Callable[[float], str],
) -> Evidence:
    """A pass is none where the last day by itself is beyond the margin for certain.

    Args:
        evidence: of the whole window; harm is upward, where the margin is negative downward.
        estimate: of the last hours alone, on the scale of the margin.
        bound: its end towards no harm: the lower one, of a loss the upper; None where these hours
            have none.
        hours: what these hours are called.
        figure: writes a number on that scale.
    """
    margin = evidence.margin
    if evidence.outcome is not Outcome.PASS or margin is None or bound is None:
        return evidence
    harm, end = (1, "more") if margin > 0 else (-1, "less")
    if harm * bound <= harm * margin:
        return evidence
    text = f"of {hours} alone it is {figure(estimate)} ({figure(bound)} or {end})"
    note = Note(code=WORSE_LATELY, text=text)
    then = "Find out what changed; where that is over, a day more shows it."
    return withheld(evidence, note, Needs(text=f"{Needs.of(note).text} {then}"))
