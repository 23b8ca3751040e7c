"""One ratio of weighted means, looked at over the window and over its whole days, and judged.

In: arrays on a cover grid -> looks -> bounds, test, displayed intervals and what would settle
them. Out: where the arrays come from, and what a margin is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, inf, log
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analyzer.figures import duration, grouped, relative, stated
from analyzer.metrics.judging import levels
from analyzer.metrics.series import DAY, HOUR, MINUTE, Cover, Span, last_day
from analyzer.model import Effect, Intervals, Needs, Test
from analyzer.stats.boundary import anytime_p_value, minutes_needed
from analyzer.stats.ewc import MIN_N_EFF
from analyzer.stats.log_ratio import (
    WeightedLogRatio,
    bounds,
    e_value_at_margin,
    weighted_log_ratio,
)

if TYPE_CHECKING:
    from analyzer.metrics.series import BoolArray, FloatArray
    from analyzer.policy import Policy
    from analyzer.stats.boundary import Looking

_FARTHEST = 30.0
"""A log ratio beyond this, ten million million times, is no bound."""


@dataclass(frozen=True)
class Arms:
    """Both variants' levels and production's request counts on one grid.

    Shapes: all of length `cover.size`; NaN where the period is not compared.
    """

    cover: Cover
    weights: FloatArray
    production: FloatArray
    shadow: FloatArray

    @classmethod
    def where(
        cls, use: BoolArray, cover: Cover, weights: FloatArray, levels_: tuple[FloatArray, ...]
    ) -> Arms:
        """The arms with every period outside `use` missing."""
        kept = [np.where(use, series, np.nan) for series in (weights, *levels_)]
        return cls(cover, kept[0], kept[1], kept[2])

    def look(self, span: Span) -> WeightedLogRatio | None:
        """The ratio over one span."""
        part = self.cover.part(span)
        return weighted_log_ratio(
            self.weights[part],
            self.production[part],
            self.shadow[part],
            period_s=self.cover.period_s,
            whole_days=span.whole_days,
        )

    def lately(self) -> Comparison | None:
        """The ratio over the last 24 hours alone; None where there are no others."""
        span = last_day(self.cover, np.isfinite(self.weights))
        found = None if span is None else self.look(span)
        return None if found is None else Comparison(found)

    def points(self, span: Span) -> int:
        """Compared periods in a span."""
        return int(np.isfinite(self.weights[self.cover.part(span)]).sum())


@dataclass(frozen=True)
class Comparison:
    """The same ratio over the window and, where they differ, over its whole days.

    The lower bound is the window's: harm may be seen at any hour. The upper bound is the larger of
    the two: a daily rhythm must not make a part of a day stand for the day.

    Attributes:
        by_day: a look at whole days is among them, so only another whole day adds to it.
    """

    window: WeightedLogRatio
    days: WeightedLogRatio | None = None
    by_day: bool = False

    @classmethod
    def of(cls, arms: Arms, spans: tuple[Span, ...], *, least_points: int = 1) -> Comparison | None:
        """Look at every span; None where the window holds too few compared periods."""
        if any(arms.points(span) < least_points for span in spans):
            return None
        found = [arms.look(span) for span in spans]
        ratios = [ratio for ratio in found if ratio is not None]
        if not ratios or len(ratios) < len(found):
            return None
        by_day = any(span.whole_days for span in spans)
        return cls(ratios[0], ratios[1] if len(ratios) > 1 else None, by_day)

    @property
    def all(self) -> tuple[WeightedLogRatio, ...]:
        """The looks in order: window first."""
        return (self.window,) if self.days is None else (self.window, self.days)

    @property
    def effective(self) -> float:
        """Effectively independent periods: the smaller of the looks."""
        return min(look.long_run.n_eff for look in self.all)

    def bounds(
        self, alpha_lower: float, alpha_upper: float, looking: Looking
    ) -> tuple[float | None, float | None]:
        """One-sided bounds of the log ratio; None where too little is independent."""
        found = [
            bounds(
                look.theta,
                look.long_run,
                look.t_minutes,
                alpha_lower=alpha_lower,
                alpha_upper=alpha_upper,
                mode=looking.mode,
                horizon_minutes=looking.horizon_minutes,
            )
            for look in self.all
        ]
        lower = found[0][0] if found[0] else None
        uppers = [one[1] for one in found if one]
        upper = max(uppers) if len(uppers) == len(found) else None
        return _within_reach(lower), _within_reach(upper)

    def effect(self, policy: Policy, looking: Looking) -> Effect:
        """The judged change as a ratio with its two bounds."""
        lower_level, upper_level = levels(policy)
        lower, upper = self.bounds(1 - lower_level, 1 - upper_level, looking)
        return Effect(
            kind="ratio",
            estimate=exp(self.window.theta),
            lower=None if lower is None else exp(lower),
            lower_level=lower_level,
            upper=None if upper is None else exp(upper),
            upper_level=upper_level,
            mode=looking.mode,
        )

    def intervals(self, alpha: float, looking: Looking) -> Intervals:
        """What each way to look shows, at `alpha` on each side."""
        shown: dict[str, tuple[float, float]] = {}
        for way in looking.ways():
            lower, upper = self.bounds(alpha, alpha, way)
            if lower is not None and upper is not None:
                shown[way.mode] = (exp(lower), exp(upper))
        return Intervals.model_validate(shown)

    def test(self, margin: float, alpha: float) -> Test:
        """Evidence against "harm >= margin": the weaker of the looks."""
        found = [
            e_value_at_margin(look.theta, log(margin), look.long_run, look.t_minutes, alpha=alpha)
            for look in self.all
        ]
        values = [e_value for e_value in found if e_value is not None]
        if len(values) < len(found):
            return Test(e_value=None, p_value=None)
        return Test(e_value=min(values), p_value=anytime_p_value(min(values)))

    def needs(self, margin: float, alpha: float, window: Supply, looking: Looking) -> Needs:
        """How much more of the present traffic would settle the metric."""
        if self.effective < MIN_N_EFF:
            factor = MIN_N_EFF / self.effective if self.effective > 0 else inf
            return window.needs(window.minutes * min(factor, 100.0), by_day=self.by_day)
        needed = [
            minutes_needed(look.theta, log(margin), look.sigma_lr, alpha, looking=looking)
            for look in self.all
        ]
        if any(minutes is None for minutes in needed):
            return Needs(
                text=(
                    f"Cannot be resolved at this margin: the estimate itself, "
                    f"{relative(exp(max(look.theta for look in self.all)))}, does not stay below "
                    f"the margin of +{stated(margin - 1)}. More data will not turn it into a pass."
                )
            )
        shares = [
            minutes / look.t_minutes
            for minutes, look in zip(needed, self.all, strict=True)
            if minutes is not None
        ]
        return window.needs(window.minutes * max(shares), by_day=self.by_day, looking=looking)


def _within_reach(log_bound: float | None) -> float | None:
    """A bound that says something: early in a long plan the steps are beyond every number."""
    return log_bound if log_bound is not None and abs(log_bound) < _FARTHEST else None


class Supply(Protocol):
    """What was seen, counted on the clock of the looks, and what more of it would take."""

    @property
    def minutes(self) -> float:
        """Seen so far."""

    def needs(
        self, minutes: float, *, by_day: bool = False, looking: Looking | None = None
    ) -> Needs:
        """So many in all, in words."""


@dataclass(frozen=True)
class Traffic:
    """How long was looked at and how many production requests came in that time."""

    minutes: int
    requests: float

    def needs(
        self, minutes: float, *, by_day: bool = False, looking: Looking | None = None
    ) -> Needs:
        """A number of minutes in all, with the requests they carry and the time still to go.

        Rounded up to hours, or to whole days, and never to less than was seen already. What lies
        behind a planned horizon needs another plan, and says so.
        """
        step = (DAY if by_day else HOUR) // MINUTE
        minutes = float(ceil(max(minutes, self.minutes + 1) / step) * step)
        requests = round(minutes * self.requests / self.minutes)
        more = duration(minutes - self.minutes)
        text = (
            f"About {more} more at the present traffic, {grouped(requests)} production requests "
            "in all, would settle it."
        )
        if looking is not None:
            text = f"{text}{_promised(looking, minutes)}"
        return Needs(minutes=int(minutes), requests=requests, hours=hours_of(minutes), text=text)


def _promised(looking: Looking, minutes: float) -> str:
    """What a promise about looks makes of waiting for that many minutes in all."""
    if looking.mode == "fixed":
        return f" {ONLY_LOOK}"
    horizon = looking.horizon_minutes
    if looking.mode == "anytime" or horizon is None or minutes <= horizon:
        return ""
    return (
        f" That is after the declared horizon of {duration(horizon)}: declare a longer one before "
        "a new test."
    )


ONLY_LOOK = "This was declared the only look, so it takes a new test of that length."


def hours_of(minutes: float) -> float:
    """Minutes as hours, to a tenth.

    >>> hours_of(5_760), hours_of(100)
    (96.0, 1.7)
    """
    return round(minutes / 60, 1)
