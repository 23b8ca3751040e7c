"""One share of predictions or pairs, counted, bounded at every look, and judged.

In: counts with their repetition -> effect, test, displayed intervals, and what would settle them.
Out: which share it is, and whether it applies to the outputs at hand.

A single look is judged by Wilson's score interval. Planned looks keep the exact anytime bound: the
planned boundary is that of a Brownian motion, which a handful of events is not.

How bursty hours are can be measured once there are many, and the first ones may be the bad ones. So
harm must be certain twice: of all outcomes together, and hour by hour (`stats.hourly_share`). The
lower bound is the smaller of both; the upper one, on which a pass rests, is not touched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.figures import duration, grouped, percent, stated
from analyzer.metrics.judging import levels
from analyzer.metrics.ratio import ONLY_LOOK, hours_of
from analyzer.model import Effect, Intervals, Mode, Needs, Test
from analyzer.stats import hourly_share
from analyzer.stats.effective import effective_share_n
from analyzer.stats.proportion_sequence import e_value, log_e_value, lower_bound, upper_bound
from analyzer.stats.proportions import wilson

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.metrics.metric import Facts
    from analyzer.policy import Policy

METHOD = "beta-binomial/1"
SOURCE = (
    "Beta-binomial mixture e-process for the null 'share >= margin', after Howard, Ramdas, "
    "McAuliffe and Sekhon, Annals of Statistics 49:1055 (2021); repeated inputs by Kish's "
    "effective size (1965), bursts by the design effect of hours (Cochran 1977, 9A), harm by a bet "
    "each hour (Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B 86:1, 2024)"
)
_MOST_OUTCOMES = 1e12


@dataclass(frozen=True)
class Share:
    """Events among outcomes that come in clusters: of one input payload, and of one hour.

    Attributes:
        squares: sum over distinct inputs of their squared number of outcomes.
        unit: what one outcome is, in the plural: "pairs" or "predictions".
        bursts: how many times as much the events vary by hour as independent ones would.
        by_hour: the share of each hour that has outcomes; empty where time is not what counts.
        lately: the same of the last 24 hours that have outcomes; None where there are no more.
    """

    events: int
    outcomes: int
    squares: float
    unit: str
    bursts: float = 1.0
    by_hour: tuple[float, ...] = ()
    lately: Share | None = None

    @property
    def estimate(self) -> float:
        """The plain share; repetition changes what it is worth, not what it is."""
        return self.events / self.outcomes

    @property
    def effective(self) -> float:
        """Independent outcomes it is worth; never more than were seen."""
        # The wider cluster counts: what repeats within an hour is in the hour's spread already.
        distinct = effective_share_n(self.outcomes, self.squares)
        return min(distinct, self.outcomes / self.bursts, float(self.outcomes))

    def scaled(self) -> tuple[float, float]:
        """Events and outcomes at the effective size."""
        size = self.effective
        # where every outcome is an event, rounding could make one too many
        return min(self.events * (size / self.outcomes), size), size

    def hourly_lower(self, alpha: float) -> float:
        """Above which share the truth lies if each hour may be one burst; 1 without hours."""
        return hourly_share.lower_bound(np.array(self.by_hour), alpha) if self.by_hour else 1.0

    def pooled_lower(self, alpha: float, *, once: bool) -> float:
        """The lower bound of all outcomes together."""
        return (_once if once else _at_any_look)(*self.scaled(), alpha, alpha)[0]

    def upper(self, alpha: float) -> float:
        """The anytime upper bound."""
        return upper_bound(*self.scaled(), alpha)

    def effect(self, policy: Policy) -> Effect:
        """The judged share with its two one-sided bounds."""
        lower_level, upper_level = levels(policy)
        once = policy.inference == "fixed"
        lower, upper = self._bounds(1 - lower_level, 1 - upper_level, once=once)
        return Effect(
            kind="proportion",
            estimate=self.estimate,
            lower=lower,
            lower_level=lower_level,
            upper=upper,
            upper_level=upper_level,
            mode="fixed" if once else "anytime",
        )

    def intervals(self, alpha: float) -> Intervals:
        """Both ways to look that exist for a share, each end at one-sided alpha."""
        return Intervals(
            fixed=self._bounds(alpha, alpha, once=True),
            anytime=self._bounds(alpha, alpha, once=False),
        )

    def _bounds(self, alpha_lower: float, alpha_upper: float, *, once: bool) -> tuple[float, float]:
        upper = (_once if once else _at_any_look)(*self.scaled(), alpha_upper, alpha_upper)[1]
        pooled = self.pooled_lower(alpha_lower, once=once)
        return min(pooled, self.hourly_lower(alpha_lower)), upper

    def test(self, margin: float) -> Test:
        """The e-value against "the share is the margin or more"."""
        found = e_value(*self.scaled(), margin)
        return Test(e_value=found, p_value=min(1.0, 1 / found) if found > 0 else 1.0)

    @property
    def levels(self) -> tuple[float | None, float | None]:
        """Production's and the shadow's: a share of differences is of both at once."""
        return None, None

    def needs(self, facts: Facts, margin: float) -> Needs:
        """How many outcomes in all would settle it, if the share and the repetition stay."""
        once = facts.policy.inference == "fixed"
        needed = outcomes_needed(self.estimate, margin, facts.policy.alpha, once=once)
        if needed is None:
            return Needs(
                text=(
                    f"Cannot be resolved at this margin: the share itself, "
                    f"{percent(self.estimate, 2)}, does not stay below the margin of "
                    f"{stated(margin)}. More data will not turn it into a pass."
                )
            )
        return self.projected(facts, needed)

    def projected(self, facts: Facts, needed: int) -> Needs:
        """When that many independent outcomes will be there, at the present rate."""
        once = facts.policy.inference == "fixed"
        # a tenth more than seen, at the least: the projection is rough
        factor = max(needed / self.effective, 1.1)
        requests = math.ceil(self.outcomes * factor)
        seen = f"{grouped(self.outcomes)} seen"
        if self.effective < 0.99 * self.outcomes:
            seen += f", worth {grouped(self.effective)} independent ones"
        all_ = f"{grouped(requests)} {self.unit} in all ({seen})"
        minutes = window_minutes(facts)
        if minutes is None:
            return Needs(requests=requests, text=f"About {all_} would settle it.")
        more = duration(minutes * (factor - 1))
        return Needs(
            minutes=math.ceil(minutes * factor),
            hours=hours_of(minutes * factor),
            requests=requests,
            text=f"About {more} more at the present rate of capture, {all_}, would settle it."
            + (f" {ONLY_LOOK}" if once else ""),
        )


def _once(x: float, n: float, alpha_lower: float, alpha_upper: float) -> tuple[float, float]:
    """Wilson's bounds, each at its own one-sided level."""
    return wilson(x, n, 1 - 2 * alpha_lower)[0], wilson(x, n, 1 - 2 * alpha_upper)[1]


def _at_any_look(x: float, n: float, alpha_lower: float, alpha_upper: float) -> tuple[float, float]:
    """The e-process's bounds, each at its own one-sided level."""
    return lower_bound(x, n, alpha_lower), upper_bound(x, n, alpha_upper)


def outcomes_needed(share: float, margin: float, alpha: float, *, once: bool = False) -> int | None:
    """Fewest independent outcomes with which this share stays below the margin.

    At every look, or `once`: for a single one. None when the share reaches the margin, or nothing
    below 10^12 would do.

    >>> outcomes_needed(0.0, 0.005, 0.05), outcomes_needed(0.0, 0.005, 0.05, once=True)
    (836, 539)
    """
    if share >= margin:
        return None
    enough = math.log(1 / alpha)

    def settled(n: float) -> bool:
        if once:
            return wilson(share * n, n, 1 - 2 * alpha)[1] < margin
        return log_e_value(share * n, n, margin) > enough

    return fewest(settled)


def fewest(settled: Callable[[float], bool]) -> int | None:
    """The least number of outcomes that settles something; None where nothing below 10^12 does."""
    high = 1.0
    while not settled(high):
        high *= 2
        if high > _MOST_OUTCOMES:
            return None
    low = high / 2
    while high - low > max(0.5, low * 1e-6):
        middle = (low + high) / 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return math.ceil(high)


def window_minutes(facts: Facts) -> float | None:
    """Length of the window in minutes; None where nothing dates it, or time is not what counts."""
    if (
        facts.mode is Mode.REPLAY
        or facts.start is None
        or facts.end is None
        or facts.end <= facts.start
    ):
        return None
    return (facts.end - facts.start).total_seconds() / 60
