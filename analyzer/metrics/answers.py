"""Do both variants mean the same requests by each answer, rare ones too?

In: how often either variant gives each answer, and where they differ (`payloads`). Out: the share
of all predictions that flips, and its margin (`divergence`).

A budget of flips over all predictions says nothing of an answer rarer than the budget: of a
detector that says yes to 2 %, a shadow that keeps two yeses of five flips 1.2 %. So each answer is
asked by itself: of the predictions to which either variant gives it, in how many do they differ?
Where that may be half and more, the shadow's answer is not production's: half lost and none
found, as many found as there were, or a third lost and a third found. Below half for every answer
but the commonest, flips are also fewer than one answer to every request would make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer import figures
from analyzer.metrics.floor import own_share
from analyzer.metrics.predictions import LEAST_EACH_SIDE, otherwise, withheld
from analyzer.metrics.shares import Share, outcomes_needed
from analyzer.model import Note, Outcome

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.metrics.predictions import Counted
    from analyzer.model import Evidence, Needs

MOST_APART = 0.5
"""Of the predictions to which either variant gives an answer, fewer than this may differ."""
_SAME_MODEL = 0.1
"""As few where only the surroundings change: a tenth, as the margin of all flips is."""


@dataclass(frozen=True)
class Answer:
    """One answer, or the rare ones together, as a share of the predictions that have it.

    Attributes:
        name: as it may be shown.
        apart: of the predictions to which either variant gives it, those that flip.
        of_all: share of all predictions to which production gives it.
        upper: what that share may still be, at the policy's error level.
        limit: what it must stay below.
    """

    name: str
    apart: Share
    of_all: float
    upper: float
    limit: float

    @property
    def told(self) -> str:
        """How many both variants mean by it."""
        both = self.apart.outcomes - self.apart.events
        return (
            f"of {figures.counted(self.apart.outcomes, 'prediction')} to which either variant "
            f"answers {self.name}, both do in {figures.grouped(both)} "
            f"({figures.percent(1 - self.apart.estimate)})"
        )


def each_answer(facts: Facts, counted: Counted, flips: Share) -> tuple[Answer, ...]:
    """The answers that are given often enough to be asked, the one most in doubt first.

    Bursts are those of all flips: if these are an answer's own, so is their design effect.
    """
    found = []
    for row in counted.answers:
        apart = Share(
            int(row["apart"]), int(row["either"]), float(row["squares"]), flips.unit, flips.bursts
        )
        upper = apart.effect(facts.policy).upper
        if apart.outcomes >= LEAST_EACH_SIDE and upper is not None:
            of_all = int(row["production"]) / flips.outcomes
            limit = most_apart(facts, flips.outcomes, apart.outcomes)
            found.append(Answer(str(row["answer"]), apart, of_all, upper, limit))
    return tuple(sorted(found, key=lambda one: (one.limit - one.upper, one.name)))


def beside_each_answer(
    facts: Facts, counted: Counted, flips: Share, evidence: Evidence
) -> Evidence:
    """A pass is one only where, of each answer, the variants differ in less than half."""
    answers = each_answer(facts, counted, flips)
    passed, margin = evidence.outcome is Outcome.PASS, evidence.margin
    if not answers or margin is None or evidence.outcome is Outcome.FAIL:
        return evidence
    worst = answers[0]
    if worst.upper < worst.limit:
        rare = [one for one in answers if one.of_all < margin]
        if not passed or not rare:
            return evidence
        note = Note(code="rare-answers", text=f"rarer than the margin: {rare[0].told}")
        return evidence.model_copy(update={"notes": (*evidence.notes, note)})
    note = Note(
        code="answer-lost",
        text=f"{worst.told}; they may differ in {figures.percent(worst.upper)}, and however few of "
        f"all predictions flip, less than {figures.stated(worst.limit)} of each answer's own must",
    )
    needs = _needs(facts, flips, worst, note)
    if not passed and (evidence.outcome is not Outcome.UNRESOLVED or not _longer(needs, evidence)):
        return evidence
    return withheld(evidence, note, needs)


def most_apart(facts: Facts, predictions: int, either: int) -> float:
    """Which share of an answer's own may be apart: half, or a tenth where the same model answers.

    What production flips by itself may all be of this one answer, and is added to the tenth.

    Args:
        facts: for what changed, and production's own flips.
        predictions: of all answers.
        either: those to which either variant gives it.
    """
    if facts.policy.change != "infrastructure":
        return MOST_APART
    own = own_share(facts, "flip_rate") * predictions / either
    return min(_SAME_MODEL + own, MOST_APART)


def _needs(facts: Facts, flips: Share, worst: Answer, note: Note) -> Needs:
    """When so many predictions with that answer will be there that it is settled."""
    once = facts.policy.inference == "fixed"
    alpha = facts.policy.alpha
    needed = outcomes_needed(worst.apart.estimate, worst.limit, alpha, once=once)
    if needed is None:
        return otherwise(note)
    grown = needed / worst.apart.effective
    return flips.projected(facts, round(grown * flips.effective))


def _longer(needs: Needs, evidence: Evidence) -> bool:
    """Whether this takes longer than what is asked for already, or no time would do."""
    asked = None if evidence.needs is None else evidence.needs.requests
    return needs.requests is None or (asked is not None and needs.requests > asked)
