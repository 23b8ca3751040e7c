"""Do both variants name the same labels, and do flips go both ways alike?

In: the table of which label became which. Out: how many flip, which is judged (`divergence`).
Evidence, never judged: a retrained model may well name one label more often, and a table can be
symmetric while every third prediction flips.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analyzer.figures import grouped, plain
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
    Test,
)
from analyzer.policy import MetricDefault
from analyzer.stats.agreement import bhapkar, bowker, cohens_kappa, stuart_maxwell

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.metrics.metric import Facts
    from analyzer.policy import MetricRule
    from analyzer.stats.agreement import ChiSquare
    from analyzer.stats.ewc import FloatArray

_KINDS = frozenset({"probability", "label", "multiclass"})
KAPPA_METHOD = "cohen-kappa/1"
SYMMETRY_METHOD = "bowker/1"
MARGINS_METHOD = "stuart-maxwell/1"
_ONE_LOOK = Note(
    code="one-look-test",
    text="the p-value is of a single look, on the effective number of predictions",
)


@dataclass(frozen=True)
class Labels:
    """Which label became which, as far as it was counted.

    Attributes:
        table: predictions by production's label (row) and the shadow's (column).
        effective: independent predictions the table is worth, because inputs repeat.
        pairs: captured pairs behind it.
    """

    table: FloatArray
    effective: float
    pairs: int

    @property
    def scaled(self) -> FloatArray:
        """The table at its effective number of predictions."""
        return self.table * (self.effective / float(self.table.sum()))

    @classmethod
    def of(cls, facts: Facts) -> Labels | Note:
        """The table of a run, or why there is none."""
        counted = Counted.of(facts)
        if counted is None or facts.captures is None:
            return predictions.NO_CAPTURES
        if counted.kind not in _KINDS:
            return predictions.not_applicable(counted.kind)
        share = counted.share("flipped", "labelled", "prediction_squares", "predictions")
        flips = facts.captures.tables.get("label_flips")
        if share is None or flips is None or flips.num_rows == 0:
            return predictions.nothing_compared(counted)
        rows = flips.to_pylist()
        listed = sum(row["predictions"] for row in rows)
        if listed < share.outcomes:
            text = (
                f"the {len(rows)} most frequent pairs of labels hold {grouped(listed)} of "
                f"{grouped(share.outcomes)} predictions: labels are too many for this"
            )
            return Note(code="too-many-labels", text=text)
        places = {name: at for at, name in enumerate(sorted(_names(rows)))}
        table = np.zeros((len(places), len(places)))
        for row in rows:
            table[places[row["production_label"]], places[row["shadow_label"]]] += row[
                "predictions"
            ]
        return cls(table, share.effective, counted.count("pairs"))


def _names(rows: list[dict[str, str]]) -> set[str]:
    return {row[side] for row in rows for side in ("production_label", "shadow_label")}


@dataclass(frozen=True)
class Finding:
    """What one question says of the labels: a number and, where there is one, its test."""

    estimate: float
    null: str | None = None
    test: ChiSquare | None = None
    interval: tuple[float, float] | None = None
    notes: tuple[Note, ...] = ()


def _kappa(labels: Labels, alpha: float) -> Finding | Note:
    from scipy.special import ndtri

    found = cohens_kappa(labels.scaled)
    if found is None:
        text = "both variants give every request the same one label: chance explains all of it"
        return Note(code="one-label", text=text)
    reach = -float(ndtri(alpha)) * found.se
    return Finding(found.kappa, interval=(found.kappa - reach, min(found.kappa + reach, 1.0)))


def _symmetry(labels: Labels, _alpha: float) -> Finding | Note:
    one_way = float(np.abs(labels.table - labels.table.T).sum()) / 2
    test = bowker(labels.scaled)
    return Finding(
        one_way / float(labels.table.sum()),
        "each flip is as frequent as the flip back",
        test,
        notes=(_said("symmetry-test", "Bowker", test),),
    )


def _marginals(labels: Labels, _alpha: float) -> Finding | Note:
    moved = np.abs(labels.table.sum(axis=1) - labels.table.sum(axis=0)).sum() / 2
    test = stuart_maxwell(labels.scaled)
    return Finding(
        float(moved) / float(labels.table.sum()),
        "both variants give each label equally often",
        test,
        notes=(
            _said("marginal-test", "Stuart-Maxwell", test),
            _said("marginal-test", "Bhapkar", bhapkar(labels.scaled)),
        ),
    )


def _said(code: str, name: str, test: ChiSquare) -> Note:
    text = f"{name}: chi-square {test.statistic:.3f} on {test.df} df, p = {plain(test.p_value)}"
    return Note(code=code, text=text)


def _assess(
    facts: Facts,
    rule: MetricRule,
    *,
    ask: Callable[[Labels, float], Finding | Note],
    unit: str,
    method: str,
) -> Evidence:
    role = Role.EVIDENCE if rule.role.is_judged else rule.role
    labels = Labels.of(facts)
    found = labels if isinstance(labels, Note) else ask(labels, facts.policy.alpha)
    evidence = Evidence(
        family=Family.DIVERGENCE,
        role=role,
        required=False,
        outcome=Outcome.INFO,
        unit=unit,
        method=method,
        margin_source=rule.source,
    )
    if isinstance(found, Note) or isinstance(labels, Note):
        note = found if isinstance(found, Note) else labels
        return evidence.model_copy(update={"notes": (note,)})
    lower_level, upper_level = levels(facts.policy)
    effect = Effect(
        kind="proportion",
        estimate=found.estimate,
        lower=None,
        lower_level=lower_level,
        upper=None,
        upper_level=upper_level,
        mode="fixed",
    )
    told: dict[str, object] = {
        "effect": effect,
        "intervals": Intervals(fixed=found.interval),
        "n": SampleSizes(pairs=labels.pairs, effective=labels.effective),
        "notes": found.notes if found.test is None else (*found.notes, _ONE_LOOK),
    }
    if found.test is not None and found.null is not None:
        told["test"] = Test(null=found.null, e_value=None, p_value=found.test.p_value)
    return evidence.model_copy(update=told)


_metric = partial(
    Metric,
    family=Family.DIVERGENCE,
    default=MetricDefault(role=Role.EVIDENCE, judged=False),
)

LABEL_AGREEMENT: tuple[Metric, ...] = (
    _metric(
        id="label_kappa",
        title="label agreement",
        meaning="Cohen's kappa: the share of agreement beyond what both variants' label "
        "frequencies alone would give; 1 is perfect.",
        unit="kappa",
        method=KAPPA_METHOD,
        source="Cohen, Educational and Psychological Measurement 20:37 (1960); Fleiss, Cohen and "
        "Everitt, Psychological Bulletin 72:323 (1969)",
        advice="A low kappa beside few flips means that nearly all requests have one label: look "
        "at the rare labels.",
        assess=partial(_assess, ask=_kappa, unit="kappa", method=KAPPA_METHOD),
    ),
    _metric(
        id="label_asymmetry",
        title="one-way flips",
        meaning="Share of predictions whose flip from one label to another is not matched by a "
        "flip back; the test is Bowker's, McNemar's for two labels.",
        unit="share",
        method=SYMMETRY_METHOD,
        source="Bowker, Journal of the American Statistical Association 43:572 (1948)",
        advice="See the flips table for the pair of labels that changes one way.",
        assess=partial(_assess, ask=_symmetry, unit="share", method=SYMMETRY_METHOD),
    ),
    _metric(
        id="label_drift",
        title="label frequencies",
        meaning="Share of predictions by which the variants' label frequencies differ; the tests "
        "are Stuart and Maxwell's and Bhapkar's.",
        unit="share",
        method=MARGINS_METHOD,
        source="Stuart, Biometrika 42:412 (1955); Maxwell, British Journal of Psychiatry 116:651 "
        "(1970); Bhapkar, Journal of the American Statistical Association 61:228 (1966)",
        advice="If a label's frequency matters to who uses it, move the decision threshold or "
        "recalibrate.",
        assess=partial(_assess, ask=_marginals, unit="share", method=MARGINS_METHOD),
    ),
)
