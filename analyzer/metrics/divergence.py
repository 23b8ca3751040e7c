"""Do the shadow's answers differ from production's? Paired, label-free.

In: which share each metric is, to which kinds of output it applies, and its role. Out: decoding
and counting (`payloads`), and the gates that ask whether the pairs may be believed.

Divergence is not harm: under an infrastructure change nothing may move, under a model change it is
a review budget. Shares are judged on the effective number of distinct inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from analyzer.figures import duration, percent
from analyzer.metrics import predictions
from analyzer.metrics.answers import MOST_APART, beside_each_answer
from analyzer.metrics.below_zero import beside_zero
from analyzer.metrics.default_answer import beside_default
from analyzer.metrics.each_row import FLIPPED, beside_each_row
from analyzer.metrics.extremes import beside_extremes
from analyzer.metrics.floor import METHOD as ABOVE_FLOOR
from analyzer.metrics.floor import AboveFloor, above_floor, unless_all_differ
from analyzer.metrics.judging import judge
from analyzer.metrics.lags import beside_lags
from analyzer.metrics.lately import unless_worse
from analyzer.metrics.metric import Metric
from analyzer.metrics.order import beside_order
from analyzer.metrics.other_labels import beside_other_labels
from analyzer.metrics.other_numbers import beside_other_numbers
from analyzer.metrics.predictions import Counted
from analyzer.metrics.ratio import hours_of
from analyzer.metrics.scores import beside_mean
from analyzer.metrics.shares import METHOD, SOURCE, Share, outcomes_needed, window_minutes
from analyzer.metrics.vectors import LISTS, beside_each_place
from analyzer.model import (
    Evidence,
    Family,
    Needs,
    Outcome,
    Role,
    SampleSizes,
)
from analyzer.policy import MetricDefault

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.metrics.metric import Facts
    from analyzer.model import Note
    from analyzer.policy import MetricRule

_LABELLED = frozenset({"probability", "label", "multiclass"})
_MEASURED = frozenset({"probability", "regression", "multiclass", "vector"})
_SCORED = frozenset({"probability", "regression"})
_EVERY = _LABELLED | _MEASURED | {"json", "text"}


@dataclass(frozen=True)
class Question:
    """What one metric of this family asks of the counts.

    Attributes:
        kinds: kinds of output it applies to.
        share: the share it is; None without outcomes.
        beside: the evidence again, where few events may say nothing of some answers.
        uninformative: why, where it is so, few events would say nothing.
        role: the rule's role, or a weaker one where the policy leaves the question open.
        notes: what is worth saying beside the number.
        by_row: its events in each row of answers with several; empty where rows are not asked.
        floored: its metric's id, where it is judged above production's own share of it.
    """

    kinds: frozenset[str]
    share: Callable[[Counted], Share | None]
    beside: Callable[[Facts, Counted, Share, Evidence], Evidence] = (
        lambda _facts, _counted, _share, evidence: evidence
    )
    uninformative: Callable[[Facts, Counted], Note | None] = lambda _facts, _counted: None
    role: Callable[[Facts, MetricRule], Role] = lambda _facts, rule: rule.role
    notes: Callable[[Facts, Counted, Role], tuple[Note, ...]] = lambda _facts, _counted, _role: ()
    by_row: str = ""
    floored: str = ""


def assess_share(question: Question, facts: Facts, rule: MetricRule) -> Evidence:
    """One share of predictions or pairs against its margin."""
    counted = Counted.of(facts)
    role = question.role(facts, rule)
    if counted is None:
        return _unmeasured(rule, role, predictions.NO_CAPTURES)
    if counted.kind not in question.kinds:
        # a default must not hold a run up over a question its outputs cannot be asked
        kept = role if rule.source == "policy" else _at_most_evidence(role)
        return _unmeasured(rule, kept, predictions.not_applicable(counted.kind))
    share = question.share(counted)
    if share is None:
        return _unmeasured(rule, role, predictions.nothing_compared(counted))
    judged, floor = above_floor(facts, question.floored, share)
    notes = (
        floor,
        *predictions.planned(facts),
        *predictions.repetition(share.outcomes, share.effective, share.bursts, share.unit),
        *_hours(facts, rule, judged),
        *question.notes(facts, counted, role),
    )
    useless = question.uninformative(facts, counted)
    ruled = rule.model_copy(update={"role": role})
    evidence = _judged(facts, ruled, judged, useless)
    if useless is None:
        evidence = question.beside(facts, counted, share, evidence)
        evidence = beside_each_row(
            facts, counted, share, evidence, metric=question.floored, events=question.by_row
        )
        evidence = beside_lags(facts, counted, share, evidence, events=question.by_row)
    evidence = unless_all_differ(judged, _lately(facts, judged, evidence))
    n = SampleSizes(pairs=counted.count("pairs"), effective=share.effective)
    return evidence.model_copy(update={"n": n, "notes": (*notes, *evidence.notes)})


def _hours(facts: Facts, rule: MetricRule, judged: Share | AboveFloor) -> tuple[Note, ...]:
    if rule.margin is None or not isinstance(judged, Share):
        return ()
    return predictions.in_bad_hours(judged, facts.policy, rule.margin)


def _judged(
    facts: Facts, rule: MetricRule, share: Share | AboveFloor, useless: Note | None
) -> Evidence:
    """The share against its margin; where a pass would say nothing, harm may still be seen."""
    effect = share.effect(facts.policy)
    if useless is not None:
        effect = effect.model_copy(update={"upper": None})
    outcome = judge(effect, rule.margin, rule.role)
    needs = None
    if outcome is Outcome.UNRESOLVED and rule.margin is not None:
        needs = share.needs(facts, rule.margin) if useless is None else _longer(facts, useless)
    production, shadow = share.levels
    return Evidence(
        family=Family.DIVERGENCE,
        role=rule.role,
        required=rule.required and rule.role is Role.GUARDRAIL,
        outcome=outcome,
        production=production,
        shadow=shadow,
        unit="share",
        effect=effect,
        test=None if rule.margin is None else share.test(rule.margin),
        intervals=share.intervals(facts.policy.alpha),
        margin=rule.margin,
        margin_source=rule.source,
        method=METHOD if isinstance(share, Share) else ABOVE_FLOOR,
        needs=needs,
        notes=() if useless is None else (useless,),
    )


def _beside_one_answer(
    name: str, facts: Facts, counted: Counted, share: Share, evidence: Evidence
) -> Evidence:
    """A pass is one only where the best single score for all would have twice as many events.

    What that score would miss are production's rarer scores: below half of them, most are kept.
    Lists of numbers are asked place by place.
    """
    if counted.kind in LISTS:
        return beside_each_place(facts, counted, share, evidence)
    upper, margin = share.effect(facts.policy).upper, evidence.margin
    known = counted.kind in _SCORED and name in counted.row
    if not known or upper is None or margin is None:
        return evidence
    alone = counted.count(name) / share.outcomes
    note = predictions.no_better_than_one_answer(alone, upper)
    passed = evidence.outcome is Outcome.PASS
    if note is None and passed and alone < margin:
        notes = (*evidence.notes, predictions.rare_answers(alone, upper))
        return evidence.model_copy(update={"notes": notes})
    allowed = MOST_APART * alone
    open_yet = evidence.outcome is Outcome.UNRESOLVED and allowed < margin
    if note is None or not (passed or open_yet):
        return evidence
    once = facts.policy.inference == "fixed"
    needed = outcomes_needed(share.estimate, allowed, facts.policy.alpha, once=once)
    needs = _never(note, alone) if needed is None else share.projected(facts, needed)
    return predictions.withheld(evidence, note, needs)


def _beside_rare_and_mean(
    facts: Facts, counted: Counted, share: Share, evidence: Evidence
) -> Evidence:
    """Few large shifts say nothing of rare scores, extremes, defaults, a mean, a sign or order."""
    rare = _beside_one_answer("one_answer_large", facts, counted, share, evidence)
    moved = beside_default(counted, beside_mean(facts, counted, rare))
    moved = beside_order(counted, share, facts.policy.alpha, moved)
    moved = beside_zero(counted, beside_extremes(facts, counted, share, moved))
    # where predictions are labels themselves, flips are held against the other labels
    return moved if counted.kind in _LABELLED else beside_other_labels(facts, counted, moved)


def _beside_answers(facts: Facts, counted: Counted, flips: Share, evidence: Evidence) -> Evidence:
    """Few flips say nothing where an answer is lost, or what lies beside it differs."""
    each = beside_each_answer(facts, counted, flips, evidence)
    each = beside_other_numbers(facts, counted, flips, each)
    return beside_other_labels(facts, counted, each)


def _lately(facts: Facts, share: Share | AboveFloor, evidence: Evidence) -> Evidence:
    """A pass is none where the last day by itself would fail."""
    if share.lately is None:
        return evidence
    return unless_worse(
        evidence,
        share.lately.estimate,
        share.lately.effect(facts.policy).lower,
        hours="the last 24 hours with pairs",
        figure=partial(percent, decimals=2),
    )


def _flips(counted: Counted) -> Share | None:
    return counted.share("flipped", "labelled", "prediction_squares", "predictions")


def _shifts(counted: Counted) -> Share | None:
    return counted.share("shifted", "measured", "prediction_squares", "predictions")


def _large_shifts(counted: Counted) -> Share | None:
    return counted.share("large_shifted", "measured", "prediction_squares", "predictions")


def _contract(counted: Counted) -> Share | None:
    return counted.share("changed_pairs", "judged_pairs", "judged_squares", "pairs")


def _mismatches(counted: Counted) -> Share | None:
    return counted.share("mismatched_pairs", "answered_pairs", "answered_squares", "pairs")


def _shift_role(facts: Facts, rule: MetricRule) -> Role:
    """Under a model change every score moves: judged only with a tolerance from the policy."""
    given = facts.policy.predictions.tolerance is not None or rule.source == "policy"
    judged = facts.policy.change == "infrastructure" or given
    return rule.role if judged else _at_most_evidence(rule.role)


def _at_most_evidence(role: Role) -> Role:
    return Role.EVIDENCE if role.is_judged else role


def _longer(facts: Facts, note: Note) -> Needs:
    """What is needed, with the time at which enough predictions lie on the rarer side."""
    said, counted = Needs.of(note), Counted.of(facts)
    fewest = 0 if counted is None else predictions.fewest_on_a_side(counted)
    minutes = window_minutes(facts)
    if counted is None or minutes is None or not 0 < fewest < predictions.LEAST_EACH_SIDE:
        return said
    factor = predictions.LEAST_EACH_SIDE / fewest
    return Needs(
        minutes=ceil(minutes * factor),
        hours=hours_of(minutes * factor),
        requests=ceil(counted.count("pairs") * factor),
        text=f"{said.text} At the present rate that takes about "
        f"{duration(minutes * (factor - 1))} more.",
    )


def _never(note: Note, alone: float) -> Needs:
    """What settles it where no number of pairs does: another judge, or a finer question."""
    if alone:
        return predictions.otherwise(note)
    said = Needs.of(note)
    finer = "All of production's answers count as one: make what counts as a difference smaller."
    return Needs(text=f"{said.text} {finer}")


def _unmeasured(rule: MetricRule, role: Role, note: Note) -> Evidence:
    """Evidence that there is none, and why."""
    return Evidence(
        family=Family.DIVERGENCE,
        role=role,
        required=rule.required and role is Role.GUARDRAIL,
        outcome=judge(None, rule.margin, role),
        unit="share",
        margin=rule.margin,
        margin_source=rule.source,
        method=METHOD,
        needs=Needs.of(note) if role.is_judged else None,
        notes=(note,),
    )


FLOORED: dict[str, Callable[[Counted], Share | None]] = {
    "flip_rate": _flips,
    "score_shift_share": _shifts,
    "score_large_shift_share": _large_shifts,
    "output_mismatch_share": _mismatches,
}
"""What is judged above the A/A noise floor, and its share in the counts of such a comparison."""

_REVIEW = MetricDefault(
    margin=0.05, role=Role.REVIEW, infrastructure_margin=0.001, infrastructure_role=Role.GUARDRAIL
)
_FLIP_REVIEW = _REVIEW.model_copy(update={"infrastructure_margin": 0.005})
_REQUIRED = MetricDefault(margin=0.001, role=Role.GUARDRAIL, required=True)
_EVIDENCE = MetricDefault(role=Role.EVIDENCE)

_share_metric = partial(
    Metric, family=Family.DIVERGENCE, unit="share", method=METHOD, source=SOURCE
)

DIVERGENCE: tuple[Metric, ...] = (
    _share_metric(
        id="flip_rate",
        title="label flips",
        meaning="Share of predictions whose label, or side of the decision threshold, differs "
        "between the variants for the same request.",
        advice="Look at the flips table and at how far from the threshold they are; if they are "
        "intended, raise metrics.flip_rate.margin.",
        default=_FLIP_REVIEW,
        assess=partial(
            assess_share,
            Question(
                _LABELLED,
                _flips,
                _beside_answers,
                predictions.one_sided,
                notes=predictions.positive_rates,
                by_row=FLIPPED,
                floored="flip_rate",
            ),
        ),
    ),
    _share_metric(
        id="score_shift_share",
        title="shifted scores",
        meaning="Share of predictions whose score differs by more than the tolerance for the same "
        "request.",
        advice="Compare preprocessing, precision and library versions of the two containers; under "
        "a model change set predictions.tolerance to what is harmless.",
        default=_REVIEW,
        assess=partial(
            assess_share,
            Question(
                _MEASURED,
                _shifts,
                partial(_beside_one_answer, "one_answer_shifted"),
                role=_shift_role,
                notes=predictions.shift_tolerance,
                by_row="shifted",
                floored="score_shift_share",
            ),
        ),
    ),
    _share_metric(
        id="score_large_shift_share",
        title="large score shifts",
        meaning="Share of predictions whose score moves by more than half a standard deviation of "
        "production's scores.",
        advice="Look at the worst pairs: large shifts often share an input column or a request "
        "type.",
        default=_REVIEW,
        assess=partial(
            assess_share,
            Question(
                _SCORED,
                _large_shifts,
                _beside_rare_and_mean,
                notes=predictions.large_shift_size,
                by_row="large_shifted",
                floored="score_large_shift_share",
            ),
        ),
    ),
    _share_metric(
        id="contract_change",
        title="changed answers",
        meaning="Share of pairs whose shadow answer is absent, unreadable, not finite, or of "
        "another form than production's: callers may break.",
        advice="Look at the table of contract changes by kind and fix the shadow's output format.",
        default=_REQUIRED,
        assess=partial(assess_share, Question(_EVERY, _contract, notes=predictions.uncompared)),
    ),
    _share_metric(
        id="output_mismatch_share",
        title="different outputs",
        meaning="Share of pairs whose output text differs in any byte, white space around it "
        "aside.",
        advice="Expected under a model change; under an infrastructure change look for the first "
        "digit that differs.",
        default=_EVIDENCE,
        assess=partial(
            assess_share, Question(_EVERY, _mismatches, floored="output_mismatch_share")
        ),
    ),
)
