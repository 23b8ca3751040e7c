"""A share above its A/A noise floor: what the shadow adds to what production does to itself.

In: counts of the share and of production's own -> effect, test, intervals and what would settle
them, as `shares` gives them for a share alone. Out: where a floor comes from (`noise_floor`).

A single look is judged by the score interval of Miettinen and Nurminen for two independent shares;
requests that both comparisons have in common make it wider than it need be, not narrower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.figures import grouped, percent, plain, stated
from analyzer.metrics.judging import levels
from analyzer.metrics.predictions import NO_NOISE_FLOOR, withheld
from analyzer.metrics.shares import Share, fewest, outcomes_needed
from analyzer.model import (
    Effect,
    FloorShare,
    Intervals,
    Needs,
    Note,
    Outcome,
    Test,
    round_significant,
)
from analyzer.stats.excess import FIRST_PART, excess_e_value, lower_excess, upper_excess
from analyzer.stats.proportion_sequence import lower_bound, upper_bound
from analyzer.stats.proportions import miettinen_nurminen

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence
    from analyzer.policy import Policy

METHOD = "beta-binomial-above-floor/1"
_MOST_OWN = 0.5
"""How often production may differ from itself, if differing shall say anything.

A shadow that is wrong on a share of requests adds it times the share that was alike: at a half,
twice the margin may be wrong before it shows, and where all differ nothing ever does.
"""


@dataclass(frozen=True)
class AboveFloor:
    """A share, and how often production differs from itself."""

    share: Share
    floor: FloorShare

    @property
    def lately(self) -> AboveFloor | None:
        """The same of the last 24 hours; None where the share has no more."""
        lately = self.share.lately
        return None if lately is None else AboveFloor(lately, self.floor)

    @property
    def _counts(self) -> tuple[float, float, float, float]:
        """Events and outcomes of both at their effective sizes."""
        floor = self.floor
        return (
            *self.share.scaled(),
            floor.events * (floor.effective / floor.outcomes),
            floor.effective,
        )

    @property
    def own(self) -> float:
        """How often production differs from itself."""
        return self.floor.events / self.floor.outcomes

    @property
    def levels(self) -> tuple[float | None, float | None]:
        """How often production, and how often the shadow, differs from production."""
        return self.own, self.share.estimate

    @property
    def estimate(self) -> float:
        """What the shadow adds."""
        return self.share.estimate - self.own

    @property
    def effective(self) -> float:
        """Independent outcomes of the share itself."""
        return self.share.effective

    def effect(self, policy: Policy) -> Effect:
        """The judged difference with its two one-sided bounds."""
        lower_level, upper_level = levels(policy)
        once = policy.inference == "fixed"
        bounds = self._once if once else self._at_any_look
        lower, upper = bounds(1 - lower_level, 1 - upper_level)
        return Effect(
            kind="difference",
            estimate=self.estimate,
            lower=lower,
            lower_level=lower_level,
            upper=upper,
            upper_level=upper_level,
            mode="fixed" if once else "anytime",
        )

    def intervals(self, alpha: float) -> Intervals:
        """Both ways to look, each end at one-sided alpha."""
        return Intervals(fixed=self._once(alpha, alpha), anytime=self._at_any_look(alpha, alpha))

    def test(self, margin: float) -> Test:
        """The e-value against "the share lies the margin or more above the floor"."""
        found = excess_e_value(*self._counts, margin)
        return Test(e_value=found, p_value=min(1.0, 1 / found) if found > 0 else 1.0)

    def needs(self, facts: Facts, margin: float) -> Needs:
        """How many outcomes in all would settle it, if both shares and the floor's size stay."""
        alpha, share = facts.policy.alpha, self.share.estimate
        x0, n0 = self._counts[2:]
        if facts.policy.inference == "fixed":
            needed = fewest(
                lambda n: miettinen_nurminen(share * n, n, x0, n0, 1 - 2 * alpha)[1] < margin
            )
        else:
            certain = lower_bound(x0, n0, (1 - FIRST_PART) * alpha)
            allowed = min(margin + certain, 1 - 1e-9)
            needed = outcomes_needed(share, allowed, FIRST_PART * alpha)
        if needed is not None:
            return self.share.projected(facts, needed)
        if round_significant(self.estimate) < margin:
            return Needs(
                text="More pairs alone will not settle it: the A/A comparison itself, worth "
                f"{grouped(n0)} independent outcomes, leaves too much open. Give a longer one."
            )
        return Needs(
            text=f"Cannot be resolved at this margin: {percent(share, 2)} less the floor of "
            f"{percent(self.own, 2)} does not stay below the margin of {stated(margin)}. More "
            "data will not turn it into a pass."
        )

    def _once(self, alpha_lower: float, alpha_upper: float) -> tuple[float, float]:
        """The score interval of two shares, each end at its own one-sided level."""
        lower = miettinen_nurminen(*self._counts, 1 - 2 * alpha_lower)[0]
        upper = miettinen_nurminen(*self._counts, 1 - 2 * alpha_upper)[1]
        return min(lower, self._hourly_lower(alpha_lower)), upper

    def _at_any_look(self, alpha_lower: float, alpha_upper: float) -> tuple[float, float]:
        """Bounds of the difference of two e-processes' bounds."""
        lower = lower_excess(*self._counts, alpha_lower)
        upper = upper_excess(*self._counts, alpha_upper)
        return min(lower, self._hourly_lower(alpha_lower)), upper

    def _hourly_lower(self, alpha: float) -> float:
        """The lower bound if each hour may be one burst, at the parts of `stats.excess`."""
        floor = upper_bound(*self._counts[2:], (1 - FIRST_PART) * alpha)
        return self.share.hourly_lower(FIRST_PART * alpha) - floor


def above_floor(facts: Facts, metric: str, share: Share) -> tuple[Share | AboveFloor, Note]:
    """The share above production's own, where that is known; and what was done."""
    if facts.floor is None:
        return share, NO_NOISE_FLOOR
    floor = facts.floor.shares.get(metric)
    if floor is None:
        return share, NOT_SUBTRACTED
    text = (
        f"production differs from itself in {grouped(floor.events)} of {grouped(floor.outcomes)} "
        f"{share.unit}, {percent(floor.events / floor.outcomes, 2)}"
    )
    if floor.effective < 0.99 * floor.outcomes:
        text += f" (worth {grouped(floor.effective)} independent ones)"
    text += "; judged is what the shadow adds to that, and the interval carries what is not known "
    return AboveFloor(share, floor), Note(code="noise-floor", text=f"{text}of either")


def own_share(facts: Facts, metric: str) -> float:
    """How often production differs from itself; 0 where nobody knows."""
    floor = None if facts.floor is None else facts.floor.shares.get(metric)
    return 0.0 if floor is None else floor.events / floor.outcomes


def unless_all_differ(judged: Share | AboveFloor, evidence: Evidence) -> Evidence:
    """A pass is none where production itself differs so often that a bad shadow could not show."""
    if not isinstance(judged, AboveFloor) or judged.own <= _MOST_OWN:
        return evidence
    if evidence.outcome is not Outcome.PASS:
        return evidence
    text = (
        f"production differs from itself in {percent(judged.own, 2)} of {judged.share.unit}, so "
        "that answers of no use would add little"
    )
    note = Note(code="floor-too-high", text=text)
    then = "Judge something steadier: a score or label (predictions.path), or a tolerance."
    return withheld(evidence, note, Needs(text=f"{Needs.of(note).text} {then}"))


def mean_distance(facts: Facts) -> tuple[Note, ...]:
    """How far production's scores lie from its own, beside how far the shadow's do."""
    if facts.floor is None or facts.floor.mean_absolute_difference is None:
        return ()
    distance = plain(facts.floor.mean_absolute_difference)
    text = f"production against itself: mean |difference| {distance}"
    return (Note(code="noise-floor", text=text),)


NOT_SUBTRACTED = Note(
    code="no-floor-here",
    text="judged as it is: no noise floor is subtracted from it",
)
