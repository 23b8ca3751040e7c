"""What `payloads` counted about the outputs, and what is worth saying beside the numbers.

In: the one-row table of counts, and the notes made of it. Out: judging.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer import figures
from analyzer.metrics.judging import levels
from analyzer.metrics.shares import Share
from analyzer.model import Mode, Needs, Note, Outcome, Role
from analyzer.stats.effective import burst_factor

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence
    from analyzer.policy import Policy
    from analyzer.stats.ewc import FloatArray

DAY = 24  # hours
_HOURLY = ("prediction_hours", "contract_hours")
_WORTH_SAYING = 1.5
"""Bursts below this are what chance makes of independent outcomes."""
LEAST_EACH_SIDE = 20
"""Production records needed on either side of the threshold before flips say anything."""

_HINTS = {
    "probability": "set predictions.kind to what the outputs are",
    "regression": 'set predictions.kind = "probability" and predictions.label_at where a number '
    "decides something",
    "label": "set predictions.path to a score",
    "multiclass": "set predictions.path to one score",
    "vector": 'set predictions.kind = "multiclass" or predictions.path to one number',
    "json": "set predictions.path to the score, label or text in them that decides",
    "text": "set predictions.path to a score or label in them, or, where the same request must get "
    "the same text, give metrics.output_mismatch_share a margin and the role review; other texts "
    "are for people to judge",
}


@dataclass(frozen=True)
class Counted:
    """What `payloads` counted: one row of numbers and the kind of the outputs.

    Attributes:
        hours: some of the counts by hour, under the same names.
        answers: rows of sql/answer_counts.sql; none where no answer is one of several.
        rows: rows of sql/row_counts.sql; none where each answer holds one prediction.
        in_time: whether requests came over time, so that some hours may have been bad ones.
    """

    kind: str
    row: dict[str, Any]
    hours: Mapping[str, FloatArray] = field(default_factory=dict)
    in_time: bool = False
    answers: tuple[dict[str, Any], ...] = ()
    rows: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, facts: Facts) -> Counted | None:
        """The counts of a run; None where there are no captures or nothing was prepared."""
        found = None if facts.captures is None else cls.of_tables(facts.captures.tables)
        return None if found is None else replace(found, in_time=in_time(facts))

    @classmethod
    def of_tables(cls, tables: Mapping[str, pa.Table]) -> Counted | None:
        """The counts among a run's tables; None where nothing was prepared."""
        if "prediction_counts" not in tables or "prediction_shape" not in tables:
            return None
        kind = tables["prediction_shape"].column("kind")[0].as_py()
        hours = {
            name: np.array(tables[table].column(name).to_pylist(), float)
            for table in _HOURLY
            if table in tables
            for name in tables[table].column_names
        }
        answers, rows = (
            tuple(tables[name].to_pylist()) if name in tables else ()
            for name in ("answer_counts", "row_counts")
        )
        row = tables["prediction_counts"].to_pylist()[0]
        return cls(kind, row, hours, answers=answers, rows=rows)

    def count(self, name: str) -> int:
        """A count; zero where the outputs are of a kind that has none."""
        return int(self.row.get(name) or 0)

    def share(self, events: str, outcomes: str, squares: str, unit: str) -> Share | None:
        """A share of counts; None without outcomes."""
        if not self.count(outcomes):
            return None
        return Share(
            self.count(events),
            self.count(outcomes),
            float(self.row.get(squares) or 0.0),
            unit,
            bursts=self._bursts(events, outcomes),
            by_hour=self._by_hour(events, outcomes) if self.in_time else (),
            lately=self._lately(events, outcomes, squares, unit) if self.in_time else None,
        )

    def _lately(self, events: str, outcomes: str, squares: str, unit: str) -> Share | None:
        """The last 24 hours with outcomes; inputs are taken to repeat as they do in all of them."""
        if events not in self.hours or outcomes not in self.hours:
            return None
        seen = self.hours[outcomes] > 0
        x, n = self.hours[events][seen], self.hours[outcomes][seen]
        if len(n) <= DAY:
            return None
        x, n = x[-DAY:], n[-DAY:]
        repeated = float(self.row.get(squares) or 0.0) / self.count(outcomes)
        by_hour = tuple((x / n).tolist())
        total = int(n.sum())
        return Share(
            int(x.sum()), total, total * repeated, unit, bursts=burst_factor(x, n), by_hour=by_hour
        )

    def _bursts(self, events: str, outcomes: str) -> float:
        if events not in self.hours or outcomes not in self.hours:
            return 1.0
        return burst_factor(self.hours[events], self.hours[outcomes])

    def _by_hour(self, events: str, outcomes: str) -> tuple[float, ...]:
        if events not in self.hours or outcomes not in self.hours:
            return ()
        x, n = self.hours[events], self.hours[outcomes]
        seen = n > 0
        return tuple((x[seen] / n[seen]).tolist())


def in_time(facts: Facts) -> bool:
    """Not a replay, whose requests are sent anew, nor a job, whose records bear one moment."""
    captures = facts.captures
    if facts.mode is Mode.REPLAY or captures is None:
        return False
    if captures.first_at is None or captures.last_at is None:
        return True
    return captures.first_at[0] < captures.last_at[0]


def one_sided(facts: Facts, counted: Counted) -> Note | None:
    """Whether either variant's decisions are so one-sided that few flips say nothing."""
    fewest = fewest_on_a_side(counted)
    if counted.kind == "probability":
        place = f"the threshold {facts.policy.predictions.label_at:g}"
        advice = "set predictions.label_at to the threshold that decides"
    else:
        place = "its most frequent label"
        advice = "capture for longer"
    if fewest >= LEAST_EACH_SIDE:
        return None
    return Note(
        code="threshold-uninformative",
        text=f"only {figures.counted(fewest, 'production prediction')} on the other side of "
        f"{place}; at least {LEAST_EACH_SIDE} are needed before few flips say anything: {advice}",
    )


def fewest_on_a_side(counted: Counted) -> int:
    """Production predictions on the rarer side of the threshold, or off the commonest label."""
    if counted.kind == "probability":
        return min(counted.count("production_at_or_above"), counted.count("production_below"))
    return counted.count("labelled") - counted.count("commonest_label")


def no_better_than_one_answer(share: float, upper: float) -> Note | None:
    """Whether the shadow may differ half as often as the best single answer for all would.

    Args:
        share: of predictions in which that answer would differ from production's.
        upper: the upper bound of the shadow's own share.
    """
    if 2 * upper < share:
        return None
    return Note(
        code="one-answer",
        text=f"one answer to every request would differ in {figures.percent(share, 2)} of "
        f"predictions and the shadow may in {figures.percent(upper, 2)}: half as many and more say "
        "nothing of rare answers",
    )


def rare_answers(share: float, upper: float) -> Note:
    """That the margin allows more than one answer would cost, and how much of that was seen.

    Args:
        share: of predictions in which the best single answer would differ from production's.
        upper: the upper bound of the shadow's own share, below half of it.
    """
    return Note(
        code="rare-answers",
        text=f"one answer to every request would differ in only {figures.percent(share, 2)} of "
        f"predictions, within the margin; the shadow may in {figures.percent(upper, 2)}, "
        f"{figures.percent(upper / share, 0)} of that",
    )


def otherwise(note: Note) -> Needs:
    """What settles it where no number of pairs does: another judge."""
    return Needs(
        text=f"{Needs.of(note).text} If the shadow is right to differ, let --labels judge it and "
        "give this metric the role evidence."
    )


def withheld(evidence: Evidence, note: Note, needs: Needs) -> Evidence:
    """Evidence that settles nothing, and why; the bound that made a pass is withheld with it."""
    effect = evidence.effect
    if evidence.outcome is Outcome.PASS and effect is not None:
        loss = evidence.margin is not None and evidence.margin < 0
        effect = effect.model_copy(update={"lower" if loss else "upper": None})
    return evidence.model_copy(
        update={
            "outcome": Outcome.UNRESOLVED,
            "effect": effect,
            "needs": needs,
            "notes": (*evidence.notes, note),
        }
    )


def positive_rates(facts: Facts, counted: Counted, _role: Role) -> tuple[Note, ...]:
    """How the share of positive decisions moves, which way flips go, and how far they reach."""
    if counted.kind != "probability":
        return ()
    positive = [counted.count(f"{side}_at_or_above") for side in ("production", "shadow")]
    production, shadow = (count / counted.count("labelled") for count in positive)
    text = (
        f"at or above the threshold: production {figures.percent(production, 2)} of predictions, "
        f"shadow {figures.percent(shadow, 2)}"
    )
    rates = Note(code="positive-rates", text=text)
    flipped = counted.count("flipped")
    if not flipped:
        return (rates,)
    upward = (flipped + positive[1] - positive[0]) // 2
    text = (
        f"{figures.counted(flipped, 'flip')}: {figures.grouped(upward)} to positive, "
        f"{figures.grouped(flipped - upward)} to negative"
    )
    return (rates, Note(code="flip-directions", text=text), *_flip_distance(facts, flipped))


def _flip_distance(facts: Facts, flipped: int) -> tuple[Note, ...]:
    """Within which distance from the threshold half of the flips lie, and nine tenths."""
    table = None if facts.captures is None else facts.captures.tables.get("flip_distance")
    if table is None:
        return ()
    rows = table.to_pylist()
    seen = list(accumulate(row["flips"] for row in rows))
    within = [
        next(row["upper"] for row, sum_ in zip(rows, seen, strict=True) if sum_ >= share * flipped)
        for share in (0.5, 0.9)
    ]
    text = (
        f"half of the flips have a production score within {within[0]:.3g} of the threshold, nine "
        f"tenths within {within[1]:.3g}"
    )
    return (Note(code="flip-distance", text=text),)


def shift_tolerance(facts: Facts, counted: Counted, role: Role) -> tuple[Note, ...]:
    """What counts as a shift, and that under a model change it is not judged unasked."""
    atol, rtol = counted.row["atol"], counted.row["rtol"]
    text = f"a shift is a difference above {atol:g}"
    text += f" + {rtol:g} x production's value" if rtol else ""
    notes = [Note(code="shift-tolerance", text=text)]
    if facts.policy.change == "model" and role in {Role.EVIDENCE, Role.INFO}:
        notes.append(
            Note(
                code="no-tolerance",
                text="a retrained model moves every score: set predictions.tolerance to have "
                "shifts judged under a model change",
            )
        )
    return tuple(notes)


def large_shift_size(_facts: Facts, counted: Counted, _role: Role) -> tuple[Note, ...]:
    """What counts as a large shift, in score units."""
    far = counted.row["large_shift"]
    text = f"half a standard deviation of production's scores is {figures.plain(far)}"
    return (Note(code="large-shift", text=text),)


def uncompared(_facts: Facts, counted: Counted, _role: Role) -> tuple[Note, ...]:
    """Pairs whose production output gave nothing to compare with: counted, not judged."""
    missing = counted.count("pairs") - counted.count("judged_pairs")
    if not missing:
        return ()
    text = (
        f"{figures.counted(missing, 'pair')} not judged: the production output is absent or "
        "cannot be read"
    )
    return (Note(code="not-comparable", text=text),)


def repetition(outcomes: int, effective: float, bursts: float, unit: str) -> tuple[Note, ...]:
    """That outcomes are worth fewer, where they are."""
    worth = (
        f"{figures.grouped(outcomes)} {unit} are worth {figures.grouped(effective)} independent "
        "ones"
    )
    # of both causes the wider cluster decides, and only its own number gives what is said
    if effective < 0.99 * outcomes / bursts:
        text = f"{worth}, because inputs repeat or share a request"
        return (Note(code="repeated-inputs", text=text),)
    if bursts > _WORTH_SAYING:
        text = f"by hour they vary {bursts:.1f} times as much as if each came by itself: {worth}"
        return (Note(code="bursts", text=text),)
    return ()


def in_bad_hours(share: Share, policy: Policy, margin: float) -> tuple[Note, ...]:
    """That all outcomes together exceed the margin, and the hours may have been the bad ones."""
    alpha, once = 1 - levels(policy)[0], policy.inference == "fixed"
    least = share.hourly_lower(alpha)
    if least > margin or share.pooled_lower(alpha, once=once) <= margin:
        return ()
    text = (
        f"the {figures.counted(len(share.by_hour), 'hour')} seen are above the margin for certain "
        f"and may be bad ones: of hours like them the share is at least {figures.percent(least, 2)}"
    )
    return (Note(code="bad-hours", text=text),)


def not_applicable(kind: str) -> Note:
    """That the outputs are of a kind the question does not fit, and which key changes that."""
    return Note(
        code="not-applicable",
        text=f"outputs were read as {kind}, which this does not apply to; {_HINTS[kind]}",
    )


def nothing_compared(counted: Counted) -> Note:
    """That no pair of outputs could be compared."""
    return Note(
        code="nothing-comparable",
        text=f"none of {figures.counted(counted.count('pairs'), 'pair')} has two outputs that "
        f"compare as {counted.kind}; {_HINTS[counted.kind]}",
    )


def planned(facts: Facts) -> tuple[Note, ...]:
    """That a share keeps its anytime bound where planned looks were asked for."""
    return (_PLANNED,) if facts.looking.mode == "planned" else ()


_PLANNED = Note(
    code="planned-by-anytime",
    text="shares of pairs are judged by the anytime bound, which holds up to the horizon too",
)
NO_CAPTURES = Note(
    code="no-captures", text="no captured pairs were given, so predictions were not compared"
)
NO_NOISE_FLOOR = Note(
    code="no-a-a",
    text="no A/A noise floor: how often production would disagree with itself is taken as zero",
)
