"""Do the labels that answers hold beside their predictions say the same, too?

In: in how many pairs one of them differs (`payloads`). Out: what the metrics say of the predictions
(`divergence`). `{"score": 0.9, "decision": "decline"}` is read by its score, and whoever calls the
endpoint may act on the other. A decision follows from its score, so an honest one differs as
seldom: within the margin of what is judged, or nothing is said by judging the score alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer import figures
from analyzer.metrics.predictions import withheld
from analyzer.model import Needs, Note, Outcome

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.metrics.predictions import Counted
    from analyzer.model import Evidence


def beside_other_labels(facts: Facts, counted: Counted, evidence: Evidence) -> Evidence:
    """A pass is one only where labels beside the predictions differ within the same margin."""
    share = counted.share("relabelled_pairs", "labelled_pairs", "judged_squares", "pairs")
    margin = evidence.margin
    if evidence.outcome is not Outcome.PASS or share is None or margin is None:
        return evidence
    upper = share.effect(facts.policy).upper
    if upper is not None and upper < margin:
        return evidence
    may = "" if upper is None else f" and may in {figures.percent(upper, 2)}"
    note = Note(
        code="other-labels",
        text=f"labels that the answers hold beside it differ in "
        f"{figures.percent(share.estimate, 2)} of {figures.counted(share.outcomes, 'pair')}{may}: "
        "set predictions.path to the one that callers read",
    )
    return withheld(evidence, note, Needs.of(note))
