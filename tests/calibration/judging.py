"""What the tool decides about a world, look after look, through the code `analyzer run` judges by.

`decision` is `analysis.run` from its facts on, without the words: every judged metric's `assess`,
every gate's `check`, `verdict.decide`. Of a week's 168 hourly looks most can only say HOLD, so they
are judged in steps: whether the estimates lie far enough from their margins (`screen`), then
whether the intervals do, made by the functions that `assess` makes them with, and whether the days
suffice. Only then is a look judged in full, and only what that says counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.gates import BY_ID as GATE
from analyzer.gates import GATES
from analyzer.metrics import BY_ID as METRIC
from analyzer.metrics import fitting
from analyzer.metrics.error_rate import Differences
from analyzer.metrics.error_series import Missing, error_counts
from analyzer.metrics.judging import judge
from analyzer.metrics.latency import mean_arms
from analyzer.metrics.metric import applies
from analyzer.metrics.percentiles import LEAST_PERIODS, choose, percentile_arms, shared_minutes
from analyzer.metrics.ratio import Comparison
from analyzer.metrics.series import looks
from analyzer.metrics.sliced import sliced
from analyzer.model import Decision, GateOutcome, Outcome, Role
from analyzer.verdict import decide
from tests.calibration.screen import looks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.metrics.metric import Facts
    from analyzer.model import Effect
    from analyzer.verdict import Judgement
    from tests.calibration.screen import Open
    from tests.calibration.seen import Seen

JUDGED = frozenset({Role.GUARDRAIL, Role.REVIEW})
FIVE_XX, FLIPS = "error_5xx_rate", "flip_rate"
SCREENED = ("latency_mean", "latency_p99", "latency_p95", FIVE_XX, FLIPS)
"""What can fail or stay open in these worlds: model errors are the same series as 5XX errors, no
request is refused and no answer changes its form."""
REQUIRED = ("latency_mean", "latency_p99", FIVE_XX, FLIPS)
_DAY_GATES = ("min_days", "stable_effect")


@dataclass(frozen=True)
class Settled:
    """The first hour at which the answer was yes, and the first at which it was no; None: never.

    For a whole decision these are PROMOTE and REJECT, for one metric its pass and its failure.
    """

    promoted: int | None
    rejected: int | None


def decision(facts: Facts) -> Judgement:
    """Evidence, gates and decision, as `analysis.run` has them."""
    evidence = {
        metric.id: metric.assess(facts, rule)
        for metric, rule in fitting(facts)
        if rule.role in JUDGED  # what is only shown cannot reach the decision
    }
    gates = {
        gate.id: gate.check(facts, evidence)
        for gate in GATES
        if applies(gate.asked_of, replayed=False)
    }
    return decide(evidence, gates, {}, sliced(facts, evidence))


def settle(seen: Seen, hours: Sequence[int], metric: str | None = None) -> Settled:
    """Look at these hours until the first yes: it ends the test, and a no does not.

    Whoever polls until PROMOTE is not stopped by a REJECT on the way, so neither is this.

    Args:
        seen: the world.
        hours: the looks.
        metric: one metric's own outcome instead of the whole decision.
    """
    rejected: int | None = None
    opened = _open(seen, metric)
    for hour in hours:
        may_pass = hour >= 24 * seen.policy.min_days and bool(opened.may_pass[hour - 1])
        may_fail = rejected is None and bool(opened.may_fail[hour - 1])
        if not may_pass and not may_fail:
            continue
        facts = seen.at(hour)
        if _undecided(facts, metric, may_pass=may_pass, may_fail=may_fail):
            continue
        said = _said(decision(facts), metric)
        if said is Decision.PROMOTE:
            return Settled(hour, rejected)
        if said is Decision.REJECT and rejected is None:
            rejected = hour
    return Settled(None, rejected)


def _said(judged: Judgement, metric: str | None) -> Decision:
    if metric is None:
        return judged.decision
    outcome = judged.evidence[metric].outcome
    said = {Outcome.PASS: Decision.PROMOTE, Outcome.FAIL: Decision.REJECT}
    return said.get(outcome, Decision.HOLD)


def _open(seen: Seen, metric: str | None) -> Open:
    """The looks worth judging."""
    first, *more = SCREENED if metric is None else (metric,)
    opened = looks_of(seen.world, seen.policy, first)
    for one in more:
        other = looks_of(seen.world, seen.policy, one)
        rejects = seen.policy.metrics[one].role is Role.GUARDRAIL
        opened = opened.joined(other, required=one in REQUIRED, rejects=rejects)
    return opened


def _undecided(facts: Facts, metric: str | None, *, may_pass: bool, may_fail: bool) -> bool:
    """Whether this look can only say HOLD: nothing fails, and something required does not pass."""
    for one in SCREENED if metric is None else (metric,):
        if not may_pass and not may_fail:
            return True
        outcome = outcome_alone(facts, one)
        rejects = metric is not None or facts.policy.metrics[one].role is Role.GUARDRAIL
        if outcome is Outcome.FAIL and rejects:
            return not may_fail
        if outcome is not Outcome.PASS and one in (*REQUIRED, metric):
            may_pass = False
    closed = (GATE[gate].check(facts, {}).outcome is not GateOutcome.PASS for gate in _DAY_GATES)
    return not may_pass or any(closed)


def outcome_alone(facts: Facts, metric: str) -> Outcome:
    """A metric's outcome before the gates: `assess` without notes, tests and what is needed."""
    rule = facts.policy.metrics[metric]
    if metric == FLIPS:
        return METRIC[metric].assess(facts, rule).outcome
    effect = _errors(facts) if metric == FIVE_XX else _ratio(facts, metric)
    return judge(effect, rule.margin, rule.role)


def _errors(facts: Facts) -> Effect | None:
    counts = error_counts(facts, "Invocation5XXErrors")
    if isinstance(counts, Missing):
        return None
    spans = looks(counts.cover, counts.minutes)
    return Differences(counts, spans, facts.looking).effect(facts.policy)[0]


def _ratio(facts: Facts, metric: str) -> Effect | None:
    if metric == "latency_mean":
        found = mean_arms(facts)
        if found is None or not found[1].any():
            return None
        comparison = Comparison.of(found[0], looks(found[0].cover, found[1]))
    else:
        candidate = choose(facts, metric.removeprefix("latency_"))
        shared = shared_minutes(facts)
        if candidate is None or shared is None:
            return None
        arms = percentile_arms(candidate)
        comparison = Comparison.of(arms, looks(*shared), least_points=LEAST_PERIODS)
    return None if comparison is None else comparison.effect(facts.policy, facts.looking)
