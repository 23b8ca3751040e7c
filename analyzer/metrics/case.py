"""From a measured ratio, or from nothing, to Evidence: one place for what both have in common.

In: role, margin, outcome, notes, needs. Out: measuring.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp
from typing import TYPE_CHECKING

from analyzer.figures import plain, relative, stated
from analyzer.metrics.judging import judge
from analyzer.metrics.lately import unless_worse
from analyzer.metrics.looking import without_horizon
from analyzer.model import Evidence, Family, Mode, Note, Outcome, SampleSizes, round_significant
from analyzer.stats.ewc import MIN_N_EFF

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.metrics.ratio import Comparison, Supply
    from analyzer.model import Needs
    from analyzer.policy import MetricRule

GREATEST_ABSOLUTE_RATIO = 1.5
"""A margin in milliseconds widens the ratio to this at most."""
LEAST_LEVEL_FOR_MS = 1.0
"""A model behind HTTP that takes less is more likely one whose export is in another unit."""


def ratio_of_ms(rule: MetricRule, level_ms: float) -> float | None:
    """A rule's margin in milliseconds as a ratio at production's level, where that is the wider."""
    if rule.margin is None or rule.margin_ms is None:
        return None
    absolute = min(1 + rule.margin_ms / level_ms, GREATEST_ABSOLUTE_RATIO)
    return absolute if absolute > rule.margin else None


def is_implausible(level_ms: float, mode: Mode) -> bool:
    """Whether no margin in milliseconds counts, for the level may be in another unit."""
    return level_ms < LEAST_LEVEL_FOR_MS and mode is not Mode.REPLAY


@dataclass(frozen=True)
class Case:
    """One metric about to be judged.

    Attributes:
        required: whether it holds a promotion while unresolved, by rule and by the policy's tail.
        margin: the margin as a ratio or share; None where the metric has none.
    """

    facts: Facts
    rule: MetricRule
    family: Family
    unit: str
    method: str
    required: bool
    margin: float | None
    period_s: int | None = None
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, facts: Facts, rule: MetricRule, family: Family, unit: str, method: str) -> Case:
        """A case as the policy's rule opens it."""
        return cls(facts, rule, family, unit, method, rule.required, rule.margin)

    def noting(self, code: str, text: str) -> Case:
        """The case with one more note."""
        return replace(self, notes=(*self.notes, Note(code=code, text=text)))

    def with_level(self, level_ms: float) -> Case:
        """The case with the margin in milliseconds turned into a ratio where that is larger."""
        absolute = ratio_of_ms(self.rule, level_ms)
        if absolute is None:
            return self
        if is_implausible(level_ms, self.facts.mode):
            return self.noting(
                "absolute-margin-unused",
                f"production's {plain(level_ms)} ms is less than a model behind HTTP takes, so the "
                f"margin of +{self.rule.margin_ms:g} ms is left out: is the export in milliseconds "
                "and labelled microseconds?",
            )
        widened = replace(self, margin=round_significant(absolute))
        return widened.noting(
            "absolute-margin",
            f"the margin is +{self.rule.margin_ms:g} ms, which at production's "
            f"{plain(level_ms)} ms is {relative(absolute)} (at most "
            f"+{stated(GREATEST_ABSOLUTE_RATIO - 1)})",
        )

    def unmeasured(
        self, code: str, text: str, needs: Needs, n: SampleSizes | None = None
    ) -> Evidence:
        """Evidence that there is none, why, and what would give it."""
        return Evidence(
            family=self.family,
            role=self.rule.role,
            required=self.required,
            outcome=judge(None, self.margin, self.rule.role),
            unit=self.unit,
            margin=self.margin,
            margin_source=self.rule.source,
            n=n or SampleSizes(),
            method=self.method,
            period_s=self.period_s,
            needs=needs,
            notes=self.noting(code, text).notes,
        )

    def ratio_lately(
        self, comparison: Comparison, lately: Comparison | None, n: SampleSizes, traffic: Supply
    ) -> Evidence:
        """Evidence from a comparison over time, whose last day by itself must not fail."""
        evidence = self.ratio(comparison, n, traffic)
        if lately is None:
            return evidence
        effect = lately.effect(self.facts.policy, without_horizon(self.facts.looking))
        return unless_worse(
            evidence,
            exp(lately.window.theta),
            effect.lower,
            hours="the last 24 hours",
            figure=relative,
        )

    def ratio(self, comparison: Comparison, n: SampleSizes, traffic: Supply) -> Evidence:
        """Evidence from a comparison of two levels."""
        alpha = self.facts.policy.alpha
        effect = comparison.effect(self.facts.policy, self.facts.looking)
        outcome = judge(effect, self.margin, self.rule.role)
        open_ = outcome is Outcome.UNRESOLVED and self.margin is not None
        case = self
        if comparison.effective < MIN_N_EFF:
            case = case.noting(
                "too-few-independent-minutes",
                f"the {'periods' if self.period_s else 'requests'} seen are worth "
                f"{comparison.effective:.1f} independent ones; an interval needs {MIN_N_EFF:g}",
            )
        if outcome is Outcome.PASS and effect.lower is not None and effect.lower > 1:
            case = case.noting(
                "slower-within-margin",
                "the shadow is slower for certain, by less than the margin",
            )
        bounds = (effect.lower, effect.upper)
        if self.margin is not None and open_ and None not in bounds:
            low, high = (relative(bound) for bound in bounds if bound is not None)
            case = case.noting(
                "interval-across-margin",
                f"the interval, {low} to {high}, reaches across the margin of "
                f"+{stated(self.margin - 1)}",
            )
        return Evidence(
            family=self.family,
            role=self.rule.role,
            required=self.required,
            outcome=outcome,
            production=comparison.window.level_production,
            shadow=comparison.window.level_shadow,
            unit=self.unit,
            effect=effect,
            test=None if self.margin is None else comparison.test(self.margin, alpha),
            intervals=comparison.intervals(alpha, self.facts.looking),
            margin=self.margin,
            margin_source=self.rule.source,
            n=n,
            method=self.method,
            period_s=self.period_s,
            needs=comparison.needs(self.margin, alpha, traffic, self.facts.looking)
            if open_ and self.margin is not None
            else None,
            notes=case.notes,
        )
