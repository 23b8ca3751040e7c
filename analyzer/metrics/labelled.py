"""What `labels` counted about the labelled predictions, and when that can be asked anything.

In: the one-row table of counts and the tables beside it. Out: judging (`accuracy`, `forecasts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.metrics.judging import judge
from analyzer.metrics.predictions import DAY, NO_CAPTURES, not_applicable
from analyzer.model import Evidence, Family, Needs, Note, Role, SampleSizes
from analyzer.stats.effective import burst_factor, effective_share_n
from analyzer.stats.paired_accuracy import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analyzer.metrics.metric import Facts
    from analyzer.policy import MetricRule
    from analyzer.stats.ewc import FloatArray

LEAST_LABELLED = 1_000
"""Labelled predictions below which accuracy never passes, as pairs below which nothing does."""


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
        return _bursts(self._hours) if "label_hours" in self.tables else 1.0

    @property
    def effective(self) -> float:
        """Independent predictions they are worth; the wider cluster counts, as in `shares`."""
        return min(self._distinct, self.predictions / self.bursts, float(self.predictions))

    def latest(self) -> Iterator[tuple[str, Outcomes]]:
        """The last hours with labels: what they are called, and who alone was right in them.

        They are 24 and, where these hold fewer than 1,000 predictions because labels are few or
        still come, also as many as hold so many. All hours together are no last ones.

        Yields:
            Outcomes as many as they are worth; inputs are taken to repeat as they do in all hours.
        """
        if "label_hours" not in self.tables:
            return
        hours = self._hours
        seen = np.cumsum(hours["predictions"][::-1])
        enough = int(np.searchsorted(seen, LEAST_LABELLED)) + 1
        for last in sorted({DAY, max(DAY, enough)}):
            if last < len(seen):
                yield f"the last {last} hours with labels", self._worth(last)

    def _worth(self, last: int) -> Outcomes:
        hours = {name: column[-last:] for name, column in self._hours.items()}
        ours, rival = float(hours["shadow_right"].sum()), float(hours["production_right"].sum())
        alike = float(hours["predictions"].sum()) - ours - rival
        worth = min(self._distinct / self.predictions, 1 / _bursts(hours), 1.0)
        return Outcomes(ours, rival, alike).scaled(worth)

    @property
    def _distinct(self) -> float:
        squares = float(self.row.get("prediction_squares") or 0.0)
        return effective_share_n(self.predictions, squares)

    @property
    def _hours(self) -> dict[str, FloatArray]:
        """Counts of each hour that has labels, by time."""
        table = self.tables["label_hours"].to_pydict()
        return {name: np.array(column, np.float64) for name, column in table.items()}

    @property
    def sizes(self) -> SampleSizes:
        """What was seen."""
        return SampleSizes(pairs=self.count("labelled_pairs"), effective=self.effective)

    @property
    def outcomes(self) -> Outcomes:
        """Who alone was right; the shadow's side is ours."""
        alike = self.count("both_right") + self.count("both_wrong")
        return Outcomes(self.count("shadow_right"), self.count("production_right"), alike)


def _bursts(hours: Mapping[str, FloatArray]) -> float:
    ours, rival = hours["shadow_right"], hours["production_right"]
    return burst_factor(ours - rival, hours["predictions"], float((ours + rival).sum()))


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
        asked = rule.source == "policy" or not rule.role.is_judged
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
        needs=Needs.of(note) if rule.role.is_judged else None,
        notes=(note,),
    )


NO_LABELS = Note(code="no-labels", text="no labels were given: pass --labels PATH")
NO_MATCH = Note(
    code="no-label-matches",
    text="no labelled prediction can be compared: see the notes on labels",
)
