"""What `labels` counted about the labelled predictions, and when that can be asked anything.

In: the one-row table of counts and the tables beside it. Out: judging (`accuracy`, `forecasts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.metrics.predictions import NO_CAPTURES, not_applicable
from analyzer.model import Evidence, Family, Needs, Note, Role, SampleSizes
from analyzer.stats.effective import burst_factor, effective_share_n
from analyzer.stats.paired_accuracy import Outcomes
from analyzer.verdict import judge

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.policy import MetricRule

_JUDGED = frozenset({Role.GUARDRAIL, Role.REVIEW})


@dataclass(frozen=True)
class LabelCounts:
    """What `labels` counted: one row, the kind of the outputs, and the tables behind it."""

    kind: str
    row: dict[str, Any]
    tables: dict[str, Any]

    @classmethod
    def of(cls, facts: Facts) -> LabelCounts | None:
        """The counts of a run; None where no labels were given."""
        tables = {} if facts.captures is None else facts.captures.tables
        if "label_counts" not in tables:
            return None
        kind = tables["prediction_shape"].column("kind")[0].as_py()
        return cls(kind, tables["label_counts"].to_pylist()[0], dict(tables))

    def count(self, name: str) -> int:
        """A count; zero where the outputs are of a kind that has none."""
        return int(self.row.get(name) or 0)

    @property
    def predictions(self) -> int:
        """Labelled predictions of both variants that can be compared."""
        return self.count("predictions")

    @property
    def bursts(self) -> float:
        """How many times as much the difference varies by hour as that of independent ones."""
        if "label_hours" not in self.tables:
            return 1.0
        hours = {
            name: np.array(column, np.float64)
            for name, column in self.tables["label_hours"].to_pydict().items()
        }
        ours, rival = hours["shadow_right"], hours["production_right"]
        return burst_factor(ours - rival, hours["predictions"], float((ours + rival).sum()))

    @property
    def effective(self) -> float:
        """Independent predictions they are worth; the wider cluster counts, as in `shares`."""
        squares = float(self.row.get("prediction_squares") or 0.0)
        distinct = effective_share_n(self.predictions, squares)
        return min(distinct, self.predictions / self.bursts, float(self.predictions))

    @property
    def sizes(self) -> SampleSizes:
        """What was seen."""
        return SampleSizes(pairs=self.count("labelled_pairs"), effective=self.effective)

    @property
    def outcomes(self) -> Outcomes:
        """Who alone was right; the shadow's side is ours."""
        alike = self.count("both_right") + self.count("both_wrong")
        return Outcomes(self.count("shadow_right"), self.count("production_right"), alike)


def applying(
    facts: Facts,
    rule: MetricRule,
    kinds: frozenset[str],
    *,
    unit: str,
    method: str,
) -> LabelCounts | Evidence:
    """The counts of a run whose outputs the question fits; else evidence that there is none."""
    if facts.captures is None:
        return unmeasured(rule, NO_CAPTURES, unit=unit, method=method)
    found = LabelCounts.of(facts)
    if found is None:
        return unmeasured(rule, NO_LABELS, unit=unit, method=method)
    if found.kind not in kinds:
        note = not_applicable(found.kind)
        # a default must not hold a run up over a question its outputs cannot be asked
        asked = rule.source == "policy" or rule.role not in _JUDGED
        kept = rule if asked else rule.model_copy(update={"role": Role.EVIDENCE})
        return unmeasured(kept, note, unit=unit, method=method)
    if not found.predictions:
        return unmeasured(rule, NO_MATCH, unit=unit, method=method)
    return found


def unmeasured(rule: MetricRule, note: Note, *, unit: str, method: str) -> Evidence:
    """Evidence that there is none, and why."""
    return Evidence(
        family=Family.DIVERGENCE,
        role=rule.role,
        required=rule.required and rule.role is Role.GUARDRAIL,
        outcome=judge(None, rule.margin, rule.role),
        unit=unit,
        margin=rule.margin,
        margin_source=rule.source,
        method=method,
        needs=said(note) if rule.role in _JUDGED else None,
        notes=(note,),
    )


def said(note: Note) -> Needs:
    """A note as the sentence that says what is needed."""
    return Needs(text=f"{note.text[:1].upper()}{note.text[1:]}.")


NO_LABELS = Note(code="no-labels", text="no labels were given: pass --labels PATH")
NO_MATCH = Note(
    code="no-label-matches",
    text="no labelled prediction can be compared: see the notes on labels",
)
