"""Which variant is right more often, where somebody has said since what the truth was?

In: counts and sums of labelled predictions (`labels`) -> accuracy against its margin, and as
evidence what scores and quantities say beyond it. Out: reading labels, matching them to pairs.

With labels, a shadow that answers differently can be told from one that answers worse: accuracy is
a guardrail. A loss is the harm, so its margin is negative and its lower bound decides a pass. A
single look is judged by Tango's interval; planned looks keep the betting bound, as shares do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analyzer.figures import counted, grouped, percent, points, stated
from analyzer.metrics.failures import bounds_once
from analyzer.metrics.judging import judge, levels
from analyzer.metrics.label_relation import UNRELATED, settled_by_flips, unrelated
from analyzer.metrics.label_selection import MORE_FLIPS, weigh
from analyzer.metrics.labelled import LEAST_LABELLED, LabelCounts, applying
from analyzer.metrics.lately import unless_worse
from analyzer.metrics.metric import Metric
from analyzer.metrics.predictions import in_time, planned, repetition
from analyzer.metrics.ratio import ONLY_LOOK
from analyzer.metrics.shares import fewest
from analyzer.model import (
    Effect,
    Evidence,
    Family,
    Intervals,
    Needs,
    Note,
    Outcome,
    Role,
    Test,
)
from analyzer.policy import MetricDefault
from analyzer.stats.agreement import below_chance
from analyzer.stats.boundary import anytime_multiplier
from analyzer.stats.paired_accuracy import Outcomes, e_value, lower_bound, upper_bound

if TYPE_CHECKING:
    from analyzer.metrics.label_selection import Bounds
    from analyzer.metrics.metric import Facts
    from analyzer.policy import MetricRule

LEAST_OTHER_TRUTHS = 20
"""Labelled predictions needed outside the commonest truth: answering one thing is no accuracy."""
MOST_FOREIGN = 0.5
"""Share of labels neither variant ever gives above which they are of another vocabulary."""

CONTRADICTED = "labels-contradict"
"""The code of labels that say neither that the shadow is as good nor that it is worse."""

METHOD = "betting-paired/1"
SOURCE = (
    "Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS B "
    "86:1 (2024), a fixed mixture of stakes; a single look: Tango, Statistics in Medicine 17:891 "
    "(1998); repeated inputs by Kish's effective size (1965), bursts by the design effect of hours "
    "(Cochran 1977, 9A)"
)
_DECIDING = frozenset({"probability", "label", "multiclass"})


def assess_accuracy(facts: Facts, rule: MetricRule) -> Evidence:
    """The difference of both variants' shares of right answers against its margin."""
    found = applying(facts, rule, _DECIDING, unit="share", method=METHOD)
    if isinstance(found, Evidence):
        return found
    evidence = _judged_accuracy(facts, rule, found)
    return _lately(facts, found, evidence) if in_time(facts) else evidence


def _lately(facts: Facts, found: LabelCounts, evidence: Evidence) -> Evidence:
    """A pass is none where the last day of labels by itself would fail."""
    fail_level, pass_level = levels(facts.policy)
    bounds = bounds_once if facts.policy.inference == "fixed" else _at_any_look
    for hours, outcomes in found.latest():
        most = bounds(outcomes, 1 - pass_level, 1 - fail_level)[1]
        evidence = unless_worse(evidence, outcomes.difference, most, hours=hours, figure=points)
    return evidence


def _judged_accuracy(facts: Facts, rule: MetricRule, found: LabelCounts) -> Evidence:
    scaled = found.outcomes.scaled(found.effective / found.predictions)
    fail_level, pass_level = levels(facts.policy)
    once = facts.policy.inference == "fixed"
    bounds = bounds_once if once else _at_any_look
    useless = _uninformative(found, bounds, facts.policy.alpha, rule.margin)
    lower, upper = bounds(scaled, 1 - pass_level, 1 - fail_level)
    weighed = weigh(found, bounds, 1 - pass_level, 1 - fail_level)
    if weighed is not None:  # neither a pass nor harm by labelled predictions alone
        lower, upper = min(lower, weighed.lower), max(upper, weighed.upper)
    effect = Effect(
        kind="difference",
        estimate=found.outcomes.difference,
        lower=None if useless else lower,
        lower_level=pass_level,
        upper=None if useless and useless.code == CONTRADICTED else upper,
        upper_level=fail_level,
        mode="fixed" if once else "anytime",
    )
    outcome = judge(effect, rule.margin, rule.role)
    needs = None
    if outcome is Outcome.UNRESOLVED and rule.margin is not None:
        # labels of one answer alone cannot show that answers depend on them: flips come first
        if weighed and (useless is None or useless.code == UNRELATED):
            needs = MORE_FLIPS
        elif useless:
            needs = Needs.of(useless)
        else:
            needs = _needs(found, rule.margin, facts.policy.alpha, once=once)
    right = found.count("both_right")
    return Evidence(
        family=Family.DIVERGENCE,
        role=rule.role,
        required=rule.required and rule.role is Role.GUARDRAIL,
        outcome=outcome,
        production=(right + found.count("production_right")) / found.predictions,
        shadow=(right + found.count("shadow_right")) / found.predictions,
        unit="share",
        effect=effect,
        test=None if rule.margin is None or weighed else _test(scaled, rule.margin),
        intervals=_intervals(scaled, facts.policy.alpha),
        margin=rule.margin,
        margin_source=rule.source,
        n=found.sizes,
        method=METHOD,
        needs=needs,
        notes=(
            *planned(facts),
            *_outcome_notes(found, scaled),
            *((useless,) if useless else ()),
            *((weighed.note,) if weighed else ()),
        ),
    )


def _uninformative(
    found: LabelCounts, bounds: Bounds, alpha: float, margin: float | None
) -> Note | None:
    """Why no difference, however small, would say that the shadow is as good."""
    if contradicted := _contradicted(found, alpha):
        return contradicted
    if found.predictions < LEAST_LABELLED:
        text = (
            f"only {counted(found.predictions, 'labelled prediction')}; at least "
            f"{grouped(LEAST_LABELLED)} are needed"
        )
        return Note(code="too-few-labels", text=text)
    others = found.predictions - found.count("commonest_truth")
    if others < LEAST_OTHER_TRUTHS:
        text = (
            f"only {counted(others, 'label')} differ from the commonest one; at least "
            f"{LEAST_OTHER_TRUTHS} are needed before being right says anything"
        )
        return Note(code="one-truth", text=text)
    foreign = found.count("foreign_truth") / found.predictions
    if found.kind != "probability" and foreign > MOST_FOREIGN:
        text = (
            f"{percent(foreign)} of labels are ones that neither variant ever answers: labels and "
            "answers are spelled differently"
        )
        return Note(code="foreign-labels", text=text)
    return None if settled_by_flips(found, bounds, alpha, margin) else unrelated(found, alpha)


def _contradicted(found: LabelCounts, alpha: float) -> Note | None:
    """That production is right less often than if its answers had nothing to do with the labels.

    A rare class, or a threshold low enough to miss none of it, may leave a good model right less
    often than one answer to everything is; but no model that knows anything is right less often
    than its own answers are when they are dealt out at random.
    """
    n = found.predictions
    right = (found.count("both_right") + found.count("production_right")) / n
    chance = found.row["chance_products"] / n**2
    apart = below_chance(right, chance, found.row["chance_cubes"] / n**3, found.effective)
    if apart <= anytime_multiplier(alpha, found.effective, t_star=LEAST_LABELLED):
        return None
    text = (
        f"production is right in {percent(right, 2)} of {counted(n, 'labelled prediction')}, which "
        f"is less than the {percent(chance, 2)} that its answers dealt out at random would be "
        f"({apart:.1f} standard errors): the labels do not say what it predicts. They are "
        "exchanged, of other requests, or written in another way"
    )
    return Note(code=CONTRADICTED, text=text)


def _outcome_notes(found: LabelCounts, scaled: Outcomes) -> tuple[Note, ...]:
    """Who alone was right, and that outcomes are worth fewer where they repeat or cluster."""
    from analyzer.stats.proportions import mcnemar

    p = mcnemar(round(scaled.ours), round(scaled.rival)).mid_p
    text = (
        f"right alone: production {grouped(found.count('production_right'))}, shadow "
        f"{grouped(found.count('shadow_right'))} of "
        f"{counted(found.predictions, 'labelled prediction')} (McNemar mid-p {p:.2g}, one look)"
    )
    repeated = repetition(found.predictions, found.effective, found.bursts, "labelled predictions")
    return (Note(code="right-alone", text=text), *repeated)


def _test(scaled: Outcomes, margin: float) -> Test:
    """The e-value against "the loss is the margin or more"."""
    found = e_value(scaled, margin)
    return Test(e_value=found, p_value=min(1.0, 1 / found) if found > 0 else 1.0)


def _at_any_look(scaled: Outcomes, alpha_lower: float, alpha_upper: float) -> tuple[float, float]:
    """The bettor's bounds, each at its own one-sided level."""
    return lower_bound(scaled, alpha_lower), upper_bound(scaled, alpha_upper)


def _intervals(scaled: Outcomes, alpha: float) -> Intervals:
    """Both ways to look that exist for paired shares, each end at one-sided alpha."""
    return Intervals(
        fixed=bounds_once(scaled, alpha, alpha), anytime=_at_any_look(scaled, alpha, alpha)
    )


def _needs(found: LabelCounts, margin: float, alpha: float, *, once: bool) -> Needs:
    """How many labelled predictions in all would settle it, if their shares stay."""
    seen = f"{grouped(found.predictions)} seen"
    if found.effective < 0.99 * found.predictions:
        seen += f", worth {grouped(found.effective)} independent ones"
    needed = predictions_needed(found.outcomes, margin, alpha, once=once)
    if needed is None:
        return Needs(
            text=f"Cannot be resolved at this margin: the difference itself, "
            f"{points(found.outcomes.difference)}, does not stay above the margin of "
            f"{stated(margin, 'pp')}. More labels will not turn it into a pass."
        )
    factor = max(needed / found.effective, 1.1)  # a tenth more at the least: a rough projection
    requests = math.ceil(found.predictions * factor)
    return Needs(
        requests=requests,
        text=f"About {grouped(requests)} labelled predictions in all ({seen}) would settle it."
        + (f" {ONLY_LOOK}" if once else ""),
    )


def predictions_needed(
    outcomes: Outcomes, margin: float, alpha: float, *, once: bool = False
) -> int | None:
    """Fewest independent predictions with which these shares stay above the margin.

    At every look, or `once`: for a single one. None when the difference is at or below the margin,
    or nothing below 10^12 would do.

    >>> predictions_needed(Outcomes(25, 25, 950), -0.005, 0.05)
    17486
    >>> predictions_needed(Outcomes(25, 25, 950), -0.005, 0.05, once=True)
    5460
    """
    if outcomes.difference <= margin:
        return None
    bounds = bounds_once if once else _at_any_look
    return fewest(lambda n: bounds(outcomes.scaled(n / outcomes.pairs), alpha, alpha)[0] > margin)


ACCURACY: tuple[Metric, ...] = (
    Metric(
        id="accuracy",
        family=Family.DIVERGENCE,
        title="accuracy",
        meaning="Share of labelled predictions that are right; the shadow's minus production's for "
        "the same requests. Judged only with --labels; a loss is the harm, so the margin is "
        "negative.",
        unit="share",
        method=METHOD,
        source=SOURCE,
        advice="Look at the table of right and wrong answers, and at the requests that production "
        "alone answers right.",
        default=MetricDefault(margin=-0.005, role=Role.GUARDRAIL, required=True, scale="loss"),
        assess=assess_accuracy,
        needs_labels=True,
    ),
)
