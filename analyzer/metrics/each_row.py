"""Do answers with several predictions agree in each of their rows?

In: how often predictions differ by their row in the answer, from its start and from its end
(`payloads`). Out: the share of all predictions, and its margin (`divergence`).

A share of all predictions is a mean over the rows of answers: of batches of twenty requests, a
shadow that answers the last with what it said of another loses one in twenty, and of ten labels a
request that it never gives one loses a tenth of those that are seldom given. What happens in one
row happens to every request that stands there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import counted as count_of
from analyzer.figures import percent, stated
from analyzer.metrics.answers import most_apart
from analyzer.metrics.floor import own_share
from analyzer.metrics.predictions import LEAST_EACH_SIDE, otherwise, withheld
from analyzer.metrics.shares import Share
from analyzer.model import Note, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from analyzer.metrics.metric import Facts
    from analyzer.metrics.predictions import Counted
    from analyzer.model import Evidence

FLIPPED = "flipped"
_POSITIVE = "prediction at or above the threshold in either variant"


def beside_each_row(
    facts: Facts, counted: Counted, share: Share, evidence: Evidence, *, metric: str, events: str
) -> Evidence:
    """A pass is one only where no row of the answers is beyond the margin for certain by itself.

    Of decisions, a row whose yeses are seldom must not be lost either: of the predictions there
    that either variant decides that way, fewer than half may be known to differ. The error level
    is shared by all rows that are asked.

    Args:
        facts: for the policy's error level, and whether production differs from itself.
        counted: the rows; none where each answer holds one prediction.
        share: of all predictions.
        evidence: of it.
        metric: whose share it is; what production differs by itself is added to its margin.
        events: which of a row's counts it is a share of; empty where rows are not asked.
    """
    if not events or evidence.outcome is not Outcome.PASS or evidence.margin is None:
        return evidence
    rows = [row for row in counted.rows if row["predictions"] >= LEAST_EACH_SIDE]
    if not rows:
        return evidence
    limit = evidence.margin + own_share(facts, metric)
    found: list[tuple[float, bool, str]] = []
    for row in rows:
        for name, of, most in _asked(facts, row, events, limit):
            one = _share(counted, share, int(row[events]), of)
            once = facts.policy.inference == "fixed"
            least = one.pooled_lower(facts.policy.alpha / len(rows), once=once)
            if least > most:
                said = _told(row, name, one, least, most)
                found.append((least / most, not row["from_end"], said))
    if not found:
        return evidence
    note = Note(code="row-apart", text=max(found)[-1])
    return withheld(evidence, note, otherwise(note))


def _asked(
    facts: Facts, row: Mapping[str, Any], events: str, limit: float
) -> Iterator[tuple[str, int, float]]:
    """What a row's events are a share of, how many these are, and what share is too much."""
    yield "prediction", row["predictions"], limit
    if events == FLIPPED and row["either"] >= LEAST_EACH_SIDE:
        yield _POSITIVE, row["either"], most_apart(facts, row["predictions"], row["either"])


def _share(counted: Counted, share: Share, events: int, outcomes: int) -> Share:
    """A row's share: each answer counts once, inputs repeat and hours differ as everywhere."""
    pairs = counted.count("judged_pairs")
    repeated = float(counted.row.get("judged_squares") or pairs) / pairs if pairs else 1.0
    return Share(events, outcomes, outcomes * repeated, share.unit, share.bursts)


def _told(row: Mapping[str, Any], name: str, one: Share, least: float, most: float) -> str:
    number = row["row"] + 1
    place = f"prediction {number}"
    if row["from_end"]:
        place = "the last prediction" if number == 1 else f"prediction {number} from the end"
    predictions = count_of(one.outcomes, name, name.replace("prediction", "predictions", 1))
    return (
        f"{place} of each answer: of {predictions} there {percent(one.estimate)} differ "
        f"({percent(least)} or more), and {stated(most)} is the most; what happens there happens "
        "to every request in that place"
    )
