"""Does the shadow fail more often? Error shares from CloudWatch counts.

In: the difference of two error shares, judged against its margin. Out: where the counts come from
(`error_series`) and every gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import exp, inf, log
from typing import TYPE_CHECKING

from analyzer.figures import points, stated
from analyzer.metrics.case import Case
from analyzer.metrics.error_series import MODEL_ERRORS, Counts, Missing, error_counts
from analyzer.metrics.exports import export_needs
from analyzer.metrics.judging import judge, levels
from analyzer.metrics.lately import unless_worse
from analyzer.metrics.looking import without_horizon
from analyzer.metrics.metric import Metric
from analyzer.metrics.ratio import Traffic
from analyzer.metrics.series import MINUTE, last_day, looks
from analyzer.model import (
    Effect,
    Evidence,
    Family,
    Intervals,
    Needs,
    Note,
    Outcome,
    SampleSizes,
    Test,
)
from analyzer.policy import MetricDefault
from analyzer.stats.boundary import anytime_e_value, anytime_p_value, multiplier
from analyzer.stats.ewc import MIN_N_EFF
from analyzer.stats.proportions import miettinen_nurminen, miettinen_nurminen_z

if TYPE_CHECKING:
    from analyzer.metrics.error_series import Totals
    from analyzer.metrics.metric import Facts
    from analyzer.metrics.series import Span
    from analyzer.policy import MetricRule, Policy
    from analyzer.stats.boundary import Looking
    from analyzer.stats.error_counts import ErrorDifference

METHOD = "mn-design-effect/1"
SOURCE = (
    "Miettinen and Nurminen, Statistics in Medicine 4:213 (1985), on counts divided by the design "
    "effect of Lazarus, Lewis, Stock and Watson's standard error (2018)"
)
_POWER_Z = 0.8416
"""Normal quantile of 80 %: the chance that the projected time is enough."""
_MOST_Z = 8.0
"""Beyond eight standard errors a normal tail says nothing more of counts."""


@dataclass(frozen=True)
class Differences:
    """The difference of shares over the window and, where they differ, over its whole days.

    Judged as `ratio.Comparison` is: the window's lower bound, the largest upper bound.
    """

    counts: Counts
    spans: tuple[Span, ...]
    looking: Looking

    def looks(
        self, alpha_lower: float, alpha_upper: float, looking: Looking
    ) -> list[ErrorDifference]:
        """Every span's difference, window first."""
        return [
            self.counts.look(
                span, alpha_lower=alpha_lower, alpha_upper=alpha_upper, looking=looking
            )
            for span in self.spans
        ]

    def effect(self, policy: Policy) -> tuple[Effect, float]:
        """The judged change, and how many independent minutes stand behind it."""
        lower_level, upper_level = levels(policy)
        found = self.looks(1 - lower_level, 1 - upper_level, self.looking)
        lower, upper = _extremes(found)
        effect = Effect(
            kind="difference",
            estimate=found[0].estimate,
            lower=lower,
            lower_level=lower_level,
            upper=upper,
            upper_level=upper_level,
            mode=self.looking.mode,
        )
        return effect, min(one.n_eff for one in found)

    def lately(self, policy: Policy) -> ErrorDifference | None:
        """The difference over the last 24 hours alone; None where there are no others."""
        span = last_day(self.counts.cover, self.counts.minutes)
        if span is None:
            return None
        lower_level, upper_level = levels(policy)
        return self.counts.look(
            span,
            alpha_lower=1 - lower_level,
            alpha_upper=1 - upper_level,
            looking=without_horizon(self.looking),
        )

    def intervals(self, alpha: float) -> Intervals:
        """What each way to look shows, at `alpha` on each side."""
        shown: dict[str, tuple[float, float]] = {}
        for way in self.looking.ways():
            lower, upper = _extremes(self.looks(alpha, alpha, way))
            if lower is not None and upper is not None:
                shown[way.mode] = (lower, upper)
        return Intervals.model_validate(shown)

    def test(self, margin: float, alpha: float) -> Test:
        """Evidence against "harm >= margin": the weaker of the looks."""
        values = []
        for span, one in zip(self.spans, self.looks(alpha, alpha, self.looking), strict=True):
            if one.n_eff < MIN_N_EFF:
                return Test(e_value=None, p_value=None)
            z = score(self.counts.totals(span).scaled(1 / one.deff), margin)
            values.append(anytime_e_value(z, alpha, _minutes(span), nu=one.nu))
        return Test(e_value=min(values), p_value=anytime_p_value(min(values)))

    def needs(self, margin: float, alpha: float) -> Needs:
        """How much more of the present traffic would settle the metric."""
        traffic = Traffic(self.counts.cover.minutes, self.counts.totals().production)
        factors = []
        for span, one in zip(self.spans, self.looks(alpha, alpha, self.looking), strict=True):
            if one.estimate >= margin:
                return Needs(
                    text=(
                        f"Cannot be resolved at this margin: the difference seen, "
                        f"{points(one.estimate)}, is not below +{stated(margin, 'pp')}. More data "
                        "will not turn it into a pass."
                    )
                )
            if one.n_eff < MIN_N_EFF:
                factors.append(MIN_N_EFF / one.n_eff if one.n_eff > 0 else inf)
                continue
            effective = self.counts.totals(span).scaled(1 / one.deff)
            factors.append(
                self._factor(effective, margin, alpha, minutes=_minutes(span), nu=one.nu)
            )
        by_day = any(span.whole_days for span in self.spans)
        minutes = traffic.minutes * min(max(factors), 1e6)
        return traffic.needs(minutes, by_day=by_day, looking=self.looking)

    def _factor(
        self, counts: Totals, margin: float, alpha: float, *, minutes: float, nu: int
    ) -> float:
        """How many times the present counts would clear the margin at the present shares."""
        from scipy.special import ndtri

        def cleared(log_factor: float) -> bool:
            factor = exp(log_factor)
            step = multiplier(
                self.looking.mode,
                alpha,
                nu=nu,
                t_minutes=minutes * factor,
                horizon_minutes=self.looking.horizon_minutes,
            )
            reach = step + _POWER_Z
            # The interval's level stays at alpha; fewer counts carry the longer reach.
            more = counts.scaled(factor * (float(ndtri(alpha)) / reach) ** 2)
            upper = miettinen_nurminen(
                more.errors_shadow,
                more.shadow,
                more.errors_production,
                more.production,
                1 - 2 * alpha,
            )[1]
            return upper < margin

        low, high = 0.0, log(1e6)
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if cleared(middle) else (middle, high)
        return exp(high)


def score(counts: Totals, margin: float) -> float:
    """By how many standard errors is the difference below the margin? Zero where it is not.

    >>> from analyzer.metrics.error_series import Totals
    >>> round(score(Totals(0, 0, 3000, 3000), 0.001279), 3)
    1.96
    """
    z = miettinen_nurminen_z(
        counts.errors_shadow, counts.shadow, counts.errors_production, counts.production, margin
    )
    return min(max(z, 0.0), _MOST_Z)


def _extremes(found: list[ErrorDifference]) -> tuple[float | None, float | None]:
    """The window's lower bound and the largest upper bound; None where one look has none."""
    uppers = [one.upper for one in found if one.upper is not None]
    return found[0].lower, max(uppers) if len(uppers) == len(found) else None


def _minutes(span: Span) -> float:
    return (span.end - span.start) / MINUTE


def _assess(facts: Facts, rule: MetricRule, *, metric: str) -> Evidence:
    case = Case.of(facts, rule, Family.ERROR_RATE, "share", METHOD)
    counts = error_counts(facts, metric)
    if isinstance(counts, Missing):
        return case.unmeasured(counts.code, counts.text, export_needs(*counts.wanted))
    differences = Differences(counts, looks(counts.cover, counts.minutes), facts.looking)
    evidence, lately = _judge(case, differences), differences.lately(facts.policy)
    if lately is None:
        return evidence
    return unless_worse(
        evidence, lately.estimate, lately.lower, hours="the last 24 hours", figure=points
    )


def _judge(case: Case, differences: Differences) -> Evidence:
    policy, counts = case.facts.policy, differences.counts
    effect, effective = differences.effect(policy)
    outcome = judge(effect, case.margin, case.rule.role)
    totals = counts.totals()
    margin, alpha = case.margin, policy.alpha
    return Evidence(
        family=case.family,
        role=case.rule.role,
        required=case.required,
        outcome=outcome,
        production=totals.errors_production / totals.production,
        shadow=totals.errors_shadow / totals.shadow,
        unit=case.unit,
        effect=effect,
        test=None if margin is None else differences.test(margin, alpha),
        intervals=differences.intervals(alpha),
        margin=margin,
        margin_source=case.rule.source,
        n=SampleSizes(
            production=round(totals.production),
            shadow=round(totals.shadow),
            minutes=int(counts.minutes.sum()),
            effective=effective,
        ),
        method=case.method,
        period_s=counts.cover.period_s,
        needs=None
        if margin is None or outcome is not Outcome.UNRESOLVED
        else differences.needs(margin, alpha),
        notes=(*counts.notes, *_remarks(effect, effective, margin, outcome)),
    )


def _remarks(
    effect: Effect, effective: float, margin: float | None, outcome: Outcome
) -> tuple[Note, ...]:
    """What keeps an unresolved difference open, and what a passing one costs."""
    if effective < MIN_N_EFF:
        text = (
            f"the minutes seen are worth {effective:.1f} independent ones; an interval needs "
            f"{MIN_N_EFF:g}"
        )
        return (Note(code="too-few-independent-minutes", text=text),)
    lower, upper = effect.lower, effect.upper
    if outcome is Outcome.PASS and lower is not None and lower > 0:
        text = "the share is higher for certain, by less than the margin"
        return (Note(code="higher-within-margin", text=text),)
    if outcome is not Outcome.UNRESOLVED or lower is None or upper is None or margin is None:
        return ()
    text = (
        f"the interval, {points(lower)} to {points(upper)}, reaches across the margin of "
        f"+{stated(margin, 'pp')}"
    )
    return (Note(code="interval-across-margin", text=text),)


def _metric(
    id_: str, metric: str, *, title: str, meaning: str, advice: str, margin: float
) -> Metric:
    return Metric(
        id=id_,
        family=Family.ERROR_RATE,
        title=title,
        meaning=meaning,
        unit="share",
        method=METHOD,
        source=SOURCE,
        advice=advice,
        default=MetricDefault(margin=margin, required=True),
        assess=partial(_assess, metric=metric),
        asked_of="endpoint",
    )


ERROR_RATE: tuple[Metric, ...] = (
    _metric(
        "error_5xx_rate",
        "Invocation5XXErrors",
        title="5XX error rate",
        meaning="Share of invocations the model answered with a 5XX status.",
        advice="Read the shadow container's log at the minutes with errors.",
        margin=0.001,
    ),
    _metric(
        "error_4xx_rate",
        "Invocation4XXErrors",
        title="4XX error rate",
        meaning="Share of invocations the model answered with a 4XX status.",
        advice=(
            "Both variants get the same input, so compare the input contract: the shadow refuses "
            "requests that production accepts."
        ),
        margin=0.005,
    ),
    _metric(
        "model_error_rate",
        MODEL_ERRORS,
        title="model error rate",
        meaning="Share of invocations without a 2XX answer: timeouts and broken connections too.",
        advice="Look for timeouts, restarts and out-of-memory kills of the shadow's container.",
        margin=0.001,
    ),
)
