"""Does the number that answers hold beside their labels say the same, too?

In: in how many sampled answers it is a standard deviation away from production's
(`payloads.closely`). Out: flips, and their margin (`divergence`).

`{"label": "spam", "score": 0.93}` is read by its label, and a score that belongs to another request
flips none. Whoever calls the endpoint may rank by it, or leave to a person what is not sure. The
score of what was chosen spreads half as far as that of a yes does, so that a whole standard
deviation is here what half of one is for a score that decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import counted as count_of
from analyzer.figures import percent, stated
from analyzer.metrics.floor import own_share
from analyzer.metrics.predictions import withheld
from analyzer.metrics.shares import Share
from analyzer.model import Needs, Note, Outcome

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.metrics.predictions import Counted
    from analyzer.model import Evidence


def beside_other_numbers(
    facts: Facts, counted: Counted, flips: Share, evidence: Evidence
) -> Evidence:
    """A pass is one only where no more of these numbers than the margin are apart for certain.

    A sample does not grow, so certainty that they are not is not asked for.

    Args:
        facts: for the policy's error level, and what production flips by itself.
        counted: the sampled numbers; none where labels have none beside them.
        flips: of all predictions, for how much hours differ.
        evidence: of it.
    """
    numbers = counted.count("beside_numbers")
    if evidence.outcome is not Outcome.PASS or evidence.margin is None or not numbers:
        return evidence
    squares = float(counted.count("beside_squares"))
    apart = Share(counted.count("beside_apart"), numbers, squares, "numbers", flips.bursts)
    once = facts.policy.inference == "fixed"
    least = apart.pooled_lower(facts.policy.alpha, once=once)
    limit = evidence.margin + own_share(facts, "flip_rate")
    if least <= limit:
        return evidence
    note = Note(
        code="other-numbers",
        text=f"of {count_of(numbers, 'number')} that sampled answers hold beside their labels "
        f"{percent(apart.estimate)} ({percent(least)} or more) lie over a standard deviation "
        f"from production's, and {stated(limit)} is the most: set predictions.path to the one "
        "that callers read",
    )
    return withheld(evidence, note, Needs.of(note))
