"""Does the candidate fail more often than production on the same requests?

In: the two-by-two table of a replay's outcomes -> the difference of the failed shares against its
margin. Out: what a failure is (`replayed`).

Failures are paired with the baseline's, and without one with production's captured answers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analyzer.figures import counted, grouped, percent, points, stated
from analyzer.metrics.case import Case
from analyzer.metrics.judging import judge, levels
from analyzer.metrics.metric import Metric
from analyzer.metrics.ratio import ONLY_LOOK
from analyzer.metrics.replay import NO_SIDECAR, Sent
from analyzer.metrics.shares import outcomes_needed
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
from analyzer.stats.paired_accuracy import lower_bound
from analyzer.stats.proportion_sequence import e_value
from analyzer.stats.proportion_sequence import upper_bound as share_upper_bound
from analyzer.stats.proportions import mcnemar, tango

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.policy import MetricRule
    from analyzer.stats.paired_accuracy import Outcomes

METHOD = "paired-failures/1"
SOURCE = (
    "upper bound: beta-binomial e-process of requests only the shadow fails; lower bound: betting, "
    "Waudby-Smith and Ramdas, JRSS B 86:1 (2024); one look: Tango, Statistics in Medicine 17:891 "
    "(1998); counts divided by the design effect of equal inputs and of bursts"
)


def assess_failures(facts: Facts, rule: MetricRule) -> Evidence:
    """The shadow's share of failed requests minus production's, on the same requests."""
    case = Case.of(facts, rule, Family.ERROR_RATE, "share", METHOD)
    sent = Sent.of(facts)
    if sent is None:
        return case.unmeasured("no-sidecar", NO_SIDECAR.text, Needs.of(NO_SIDECAR))
    if not sent.count("pairs"):
        note = Note(code="no-outcomes", text="no request of the window has an outcome of both")
        return case.unmeasured(note.code, note.text, Needs.of(note))
    return _judged(facts, case, sent)


def _judged(facts: Facts, case: Case, sent: Sent) -> Evidence:
    outcomes, deff = sent.outcomes, float(sent.row["deff"])
    scaled = outcomes.scaled(1 / deff)
    fail_level, pass_level = levels(facts.policy)
    once = facts.looking.mode == "fixed"
    lower, upper = (bounds_once if once else bounds_at_any_look)(
        scaled, 1 - fail_level, 1 - pass_level
    )
    effect = Effect(
        kind="difference",
        estimate=outcomes.difference,
        lower=lower,
        lower_level=fail_level,
        upper=upper,
        upper_level=pass_level,
        mode=facts.looking.mode,
    )
    outcome = judge(effect, case.margin, case.rule.role)
    alpha, both, pairs = facts.policy.alpha, sent.count("both"), sent.count("pairs")
    tested = None if case.margin is None else e_value(scaled.ours, scaled.pairs, case.margin)
    open_ = outcome is Outcome.UNRESOLVED and case.margin is not None
    return Evidence(
        family=case.family,
        role=case.rule.role,
        required=case.required,
        outcome=outcome,
        production=(both + outcomes.rival) / pairs,
        shadow=(both + outcomes.ours) / pairs,
        unit=case.unit,
        effect=effect,
        test=None
        if tested is None
        else Test(e_value=tested, p_value=min(1.0, 1 / tested) if tested > 0 else 1.0),
        intervals=Intervals(
            fixed=bounds_once(scaled, alpha, alpha),
            anytime=bounds_at_any_look(scaled, alpha, alpha),
        ),
        margin=case.margin,
        margin_source=case.rule.source,
        n=SampleSizes(pairs=pairs, effective=scaled.pairs),
        method=case.method,
        needs=_needs(facts, sent, case.margin) if open_ and case.margin is not None else None,
        notes=_notes(sent, scaled, effect, case.margin, outcome),
    )


def bounds_once(scaled: Outcomes, alpha_lower: float, alpha_upper: float) -> tuple[float, float]:
    """Tango's bounds, each at its own one-sided level."""
    table = (0.0, scaled.ours, scaled.rival, scaled.alike)
    return tango(*table, 1 - 2 * alpha_lower)[0], tango(*table, 1 - 2 * alpha_upper)[1]


def bounds_at_any_look(
    scaled: Outcomes, alpha_lower: float, alpha_upper: float
) -> tuple[float, float]:
    """Bounds of the difference that hold at every look.

    Above, what only the shadow fails bounds the difference: production failing alone can only
    lower it. That takes 4 200 requests without a failure to clear 0.1 pp, betting on the
    difference itself 7 100; who fails at random on both sides needs more than either has.
    """
    upper = share_upper_bound(scaled.ours, scaled.pairs, alpha_upper)
    return lower_bound(scaled, alpha_lower), upper


def _needs(facts: Facts, sent: Sent, margin: float) -> Needs:
    """How many requests in all would settle it, if failures stay as they are."""
    outcomes, deff = sent.outcomes, float(sent.row["deff"])
    once = facts.looking.mode == "fixed"
    share = max(outcomes.difference, 0.0) if once else outcomes.ours / outcomes.pairs
    needed = outcomes_needed(share, margin, facts.policy.alpha, once=once)
    if needed is None:
        return Needs(
            text=f"Cannot be resolved at this margin: the shadow alone fails {percent(share, 2)} "
            f"of requests, and {stated(margin, 'pp')} are allowed. More requests will not turn it "
            "into a pass."
        )
    requests = math.ceil(max(needed * deff, 1.1 * sent.count("pairs")))
    return Needs(
        requests=requests,
        text=f"About {grouped(requests)} requests in all ({grouped(sent.count('pairs'))} seen) "
        f"would settle it.{f' {ONLY_LOOK}' if once else ''}",
    )


def _notes(
    sent: Sent, scaled: Outcomes, effect: Effect, margin: float | None, outcome: Outcome
) -> tuple[Note, ...]:
    p = mcnemar(round(scaled.ours), round(scaled.rival)).mid_p
    alone = (
        f"failed alone: production {grouped(sent.count('only_production'))}, shadow "
        f"{grouped(sent.count('only_shadow'))}; both {grouped(sent.count('both'))} of "
        f"{counted(sent.count('pairs'), 'request')} (McNemar mid-p {p:.2g}, one look)"
    )
    notes = [Note(code="failed-alone", text=alone)]
    if not sent.paired:
        text = "without a baseline, production counts as having answered all it was captured with"
        notes.append(Note(code="production-answered", text=text))
    if sent.row["deff"] > 1:
        text = (
            f"failures come together, by equal input or in bursts: {grouped(sent.count('pairs'))} "
            f"requests are worth {grouped(scaled.pairs)} independent ones"
        )
        notes.append(Note(code="failures-together", text=text))
    if sent.count("unfinished"):
        text = (
            f"{counted(sent.count('unfinished'), 'request')} without an outcome, because the "
            "replay was killed"
        )
        notes.append(Note(code="unfinished-requests", text=text))
    lower, upper = effect.lower, effect.upper
    if lower is None or upper is None or margin is None:
        return tuple(notes)
    if outcome is Outcome.PASS and lower > 0:
        text = "the share is higher for certain, by less than the margin"
        notes.append(Note(code="higher-within-margin", text=text))
    if outcome is Outcome.UNRESOLVED:
        text = (
            f"the interval, {points(lower)} to {points(upper)}, reaches across the margin of "
            f"+{stated(margin, 'pp')}"
        )
        notes.append(Note(code="interval-across-margin", text=text))
    return tuple(notes)


FAILURES: tuple[Metric, ...] = (
    Metric(
        id="failure_rate",
        family=Family.ERROR_RATE,
        title="failure rate",
        meaning="Share of replayed requests without a usable answer (no 2XX, timeout, broken "
        "connection); the shadow's minus the baseline's for the same requests.",
        unit="share",
        method=METHOD,
        source=SOURCE,
        advice="Read the candidate's log at the failed requests; the sidecar's error_code and "
        "error_text say which and how.",
        default=MetricDefault(margin=0.001, required=True),
        assess=assess_failures,
        asked_of="replay",
    ),
)
