"""Evidence that is shown beside what is judged and decides nothing.

In: a number with its intervals and notes, or the note that says why there is none. Out: measuring.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from analyzer import figures
from analyzer.metrics import predictions
from analyzer.metrics.judging import levels
from analyzer.metrics.metric import Metric
from analyzer.metrics.predictions import Counted
from analyzer.model import (
    Effect,
    Evidence,
    Family,
    Intervals,
    Note,
    Outcome,
    Role,
    SampleSizes,
    round_significant,
)
from analyzer.policy import MetricDefault

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.metrics.metric import Facts
    from analyzer.policy import MetricRule


@dataclass(frozen=True)
class Finding:
    """What one question says of the predictions.

    Attributes:
        kind: a "difference" reads with its sign, anything else as it is.
        effective: independent predictions it rests on.
        levels: both variants' levels, where there are such.
    """

    estimate: float
    effective: float
    kind: Literal["difference", "proportion"] = "proportion"
    intervals: Intervals = field(default_factory=Intervals)
    levels: tuple[float, float] | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Question:
    """What is asked of outputs of some kinds.

    Attributes:
        ask: facts and counts of outputs that fit -> the answer, or why there is none.
        kinds: kinds of output it can be asked of.
        unit: of the answer.
        method: stable method id.
    """

    ask: Callable[[Facts, Counted], Finding | Note]
    kinds: frozenset[str]
    unit: str
    method: str

    def assess(self, facts: Facts, rule: MetricRule) -> Evidence:
        """The answer as evidence that no decision rests on."""
        counted = Counted.of(facts)
        if counted is None:
            found: Finding | Note = predictions.NO_CAPTURES
        elif counted.kind not in self.kinds:
            found = predictions.not_applicable(counted.kind)
        else:
            found = self.ask(facts, counted)
        told = (found,) if isinstance(found, Note) else found.notes
        evidence = Evidence(
            family=Family.DIVERGENCE,
            role=Role.EVIDENCE if rule.role.is_judged else rule.role,
            required=False,
            outcome=Outcome.INFO,
            unit=self.unit,
            margin_source=rule.source,
            method=self.method,
            notes=told,
        )
        if counted is None or isinstance(found, Note):
            return evidence
        return evidence.model_copy(update=_numbers(facts, counted, found))


def asking(
    ask: Callable[[Facts, Counted], Finding | Note],
    kinds: frozenset[str],
    unit: str,
    method: str,
    *,
    role: Role = Role.EVIDENCE,
) -> partial[Metric]:
    """A metric that shows the answer to a question, all but its words.

    Outputs of other kinds are not asked, unless the policy names the metric.
    """
    return partial(
        Metric,
        family=Family.DIVERGENCE,
        unit=unit,
        method=method,
        default=MetricDefault(role=role, judged=False),
        assess=Question(ask, kinds, unit, method).assess,
        kinds=kinds,
    )


def sampled(seen: int, of: int, noun: str = "pair") -> Note:
    """How many were looked at closely, of how many."""
    return Note(
        code="sampled",
        text=f"{figures.grouped(seen)} of {figures.counted(of, noun)} looked at closely",
    )


def _numbers(facts: Facts, counted: Counted, found: Finding) -> dict[str, object]:
    """What the answer adds to evidence, rounded as everything in a verdict is."""
    lower_level, upper_level = levels(facts.policy)
    effect = Effect(
        kind=found.kind,
        estimate=found.estimate,
        lower=None,
        lower_level=lower_level,
        upper=None,
        upper_level=upper_level,
    )
    production, shadow = (
        (None, None) if found.levels is None else map(round_significant, found.levels)
    )
    return {
        "production": production,
        "shadow": shadow,
        "effect": effect,
        "intervals": found.intervals,
        "n": SampleSizes(pairs=counted.count("pairs"), effective=found.effective),
    }
