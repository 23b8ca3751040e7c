"""Do quantities lie in the order in which production puts them, where no large shift would show it?

In: how much of production's order the shadow's answers keep, by buckets of scores (`payloads`).
Out: the share of large shifts, and its margin (`divergence`).

A large shift is half a standard deviation of production's answers, and of amounts with a long tail
a few make the standard deviation: then most lie within one large shift of each other, and a shadow
that answers one value to all of them makes none. Ranks know no tail. A retrained model exchanges
neighbours; a shadow that has lost what tells requests apart keeps no order among them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analyzer.figures import percent
from analyzer.metrics.predictions import otherwise, withheld
from analyzer.model import Note, Outcome
from analyzer.stats.boundary import anytime_multiplier

if TYPE_CHECKING:
    from analyzer.metrics.predictions import Counted
    from analyzer.metrics.shares import Share
    from analyzer.model import Evidence

LEAST_KEPT = 2 / 3
"""Of production's order; one value for the smallest 69 % of answers keeps as much."""
_TIGHTEST = 1_000  # predictions, the fewest of which a share passes


def beside_order(counted: Counted, share: Share, alpha: float, evidence: Evidence) -> Evidence:
    """A pass is one only where the shadow keeps production's order for certain.

    Kept is the slope of the shadow's ranks on production's: 1 where the order is the same, 0 where
    answers are dealt out anew. What production answers alike has no order to be kept.

    Args:
        counted: of quantities; of anything else no order is asked.
        share: of large shifts, for how many independent predictions there are.
        alpha: one-sided level, over all looks.
        evidence: of large shifts.

    Source: Spearman's ranks (1904), of buckets; the normal error of a least-squares slope.
    """
    kept = counted.row.get("order_kept")
    if evidence.outcome is not Outcome.PASS or counted.kind != "regression" or kept is None:
        return evidence
    least = kept - _reach(kept, counted.row.get("rank_correlation"), share.effective, alpha)
    if least > LEAST_KEPT:
        return evidence
    note = Note(
        code="order-lost",
        text=f"of the order in which production puts its answers the shadow keeps "
        f"{percent(kept)} ({percent(max(least, 0.0))} or more), and {percent(LEAST_KEPT)} is the "
        "least: a few large answers make a shift large, and most others are not told apart by it",
    )
    return withheld(evidence, note, otherwise(note))


def _reach(kept: float, correlation: float | None, n: float, alpha: float) -> float:
    """How far below the slope the truth may lie, at any look."""
    if not correlation:
        return 0.0
    unexplained = max(1 / correlation**2 - 1, 0.0)
    return anytime_multiplier(alpha, n, t_star=_TIGHTEST) * abs(kept) * math.sqrt(unexplained / n)
