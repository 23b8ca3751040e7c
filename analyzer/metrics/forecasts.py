"""What labels say of scores and quantities beyond right and wrong: how sure, how ranked, how far.

In: fixed-point sums and counts by bucket of labelled predictions -> both variants' levels and the
interval of their paired difference at one look. Out: judging; all of it is evidence.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from analyzer.figures import counted, plain
from analyzer.metrics.judging import levels
from analyzer.metrics.labelled import LabelCounts, applying, unmeasured
from analyzer.metrics.metric import Metric
from analyzer.model import Effect, Evidence, Family, Intervals, Note, Outcome, Role
from analyzer.policy import MetricDefault

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.policy import MetricRule

MEAN_METHOD = "paired-mean-normal/1"
AREA_METHOD = "delong-buckets/1"
BINS_METHOD = "ece-tenths/1"
_PROBABILITY = frozenset({"probability"})
_QUANTITY = frozenset({"regression"})


def assess_mean(
    name: str, unit: str, kinds: frozenset[str], facts: Facts, rule: MetricRule
) -> Evidence:
    """The mean of one loss or error of both variants, and of its paired difference."""
    from scipy.special import ndtri

    found = applying(facts, rule, kinds, unit=unit, method=MEAN_METHOD)
    if isinstance(found, Evidence):
        return found
    if f"{name}_sd" not in found.row or found.count("outside"):
        return unmeasured(rule, _no_probability(found), unit=unit, method=MEAN_METHOD)
    production, shadow = found.row[f"production_{name}"], found.row[f"shadow_{name}"]
    reach = -float(ndtri(facts.policy.alpha)) * found.row[f"{name}_sd"] / found.effective**0.5
    change = shadow - production
    shown = _shown(facts, rule, found, (production, shadow), unit=unit, method=MEAN_METHOD)
    intervals = Intervals(fixed=(change - reach, change + reach))
    return shown.model_copy(update={"intervals": intervals, "notes": _roots(facts, found)})


def _roots(facts: Facts, found: LabelCounts) -> tuple[Note, ...]:
    """The root mean square errors of quantities: few large errors weigh more in them."""
    from scipy.special import ndtri

    if "root_error_sd" not in found.row:
        return ()
    production, shadow, sd = (
        found.row[name] for name in ("production_root_error", "shadow_root_error", "root_error_sd")
    )
    change, reach = shadow - production, -float(ndtri(facts.policy.alpha)) * sd
    reach /= found.effective**0.5
    text = (
        f"root mean square error: production {plain(production)}, shadow {plain(shadow)}; "
        f"difference {plain(change)} ({plain(change - reach)} to {plain(change + reach)})"
    )
    return (Note(code="root-mean-square-error", text=text),)


def assess_area(facts: Facts, rule: MetricRule) -> Evidence:
    """The areas under both ROC curves and the difference they show, paired."""
    import numpy as np
    from scipy.special import ndtri

    from analyzer.stats.ranking import paired_areas

    found = applying(facts, rule, _PROBABILITY, unit="area", method=AREA_METHOD)
    if isinstance(found, Evidence):
        return found
    cells = found.tables["label_score_cells"].to_pydict()
    columns = ("positive", "negative", "production_bucket", "shadow_bucket")
    areas = paired_areas(*(np.array(cells[name], np.int64) for name in columns))
    if areas is None:
        note = Note(code="one-truth", text="the labels are all of one class: nothing to rank")
        return unmeasured(rule, note, unit="area", method=AREA_METHOD)
    se = areas.se * (found.predictions / found.effective) ** 0.5
    reach = -float(ndtri(facts.policy.alpha)) * se
    change = areas.second - areas.first
    text = f"scores in buckets of a sixteenth logit: areas are exact to {areas.coarseness:.2g}"
    both = (areas.first, areas.second)
    return _shown(facts, rule, found, both, unit="area", method=AREA_METHOD).model_copy(
        update={
            "intervals": Intervals(fixed=(change - reach, change + reach)),
            "notes": (Note(code="score-buckets", text=text),),
        }
    )


def assess_calibration(facts: Facts, rule: MetricRule) -> Evidence:
    """How far both variants' stated probabilities are from what happened."""
    import numpy as np

    from analyzer.stats.calibration import expected_calibration_error

    found = applying(facts, rule, _PROBABILITY, unit="share", method=BINS_METHOD)
    if isinstance(found, Evidence):
        return found
    if found.count("outside"):
        return unmeasured(rule, _no_probability(found), unit="share", method=BINS_METHOD)
    both = []
    for side in ("production", "shadow"):
        rows = found.tables["calibration"].to_pylist()
        mine = [row for row in rows if row["variant"] == side]
        cases = np.array([row["predictions"] for row in mine], float)
        stated_, happened = (
            np.array([row[name] for row in mine], float) * cases for name in ("stated", "happened")
        )
        both.append(expected_calibration_error(stated_, happened, cases) or 0.0)
    return _shown(facts, rule, found, (both[0], both[1]), unit="share", method=BINS_METHOD)


def _shown(
    facts: Facts,
    rule: MetricRule,
    found: LabelCounts,
    both: tuple[float, float],
    *,
    unit: str,
    method: str,
) -> Evidence:
    """Both variants' levels and their difference, for a reader and not for the decision."""
    lower_level, upper_level = levels(facts.policy)
    return Evidence(
        family=Family.DIVERGENCE,
        role=rule.role,
        required=False,
        outcome=Outcome.INFO,
        production=both[0],
        shadow=both[1],
        unit=unit,
        effect=Effect(
            kind="difference",
            estimate=both[1] - both[0],
            lower=None,
            lower_level=lower_level,
            upper=None,
            upper_level=upper_level,
        ),
        margin_source=rule.source,
        n=found.sizes,
        method=method,
    )


def _no_probability(found: LabelCounts) -> Note:
    text = f"{counted(found.count('outside'), 'labelled prediction')} outside 0..1: no probability"
    return Note(code="not-a-probability", text=text)


_EVIDENCE = MetricDefault(role=Role.EVIDENCE, judged=False)

_labelled = partial(Metric, family=Family.DIVERGENCE, default=_EVIDENCE, needs_labels=True)

FORECASTS: tuple[Metric, ...] = (
    _labelled(
        id="log_loss",
        title="log loss",
        meaning="Mean of -ln of the probability given to what was true; smaller is better.",
        unit="nats",
        method=MEAN_METHOD,
        source="Good, Rational Decisions, JRSS B 14:107 (1952); normal interval of the paired "
        "difference at Kish's effective size",
        advice="A larger log loss at equal accuracy means scores that are too sure: recalibrate.",
        assess=partial(assess_mean, "loss", "nats", _PROBABILITY),
    ),
    _labelled(
        id="brier_score",
        title="Brier score",
        meaning="Mean squared distance of the probability from 1 (true) or 0; smaller is better.",
        unit="score",
        method=MEAN_METHOD,
        source="Brier, Monthly Weather Review 78:1 (1950); normal interval of the paired "
        "difference at Kish's effective size",
        advice="Compare with log_loss and calibration_error to tell ranking from calibration.",
        assess=partial(assess_mean, "brier", "score", _PROBABILITY),
    ),
    _labelled(
        id="auc",
        title="area under the ROC curve",
        meaning="Probability that a true case has a higher score than a false one; larger is "
        "better.",
        unit="area",
        method=AREA_METHOD,
        source="DeLong, DeLong and Clarke-Pearson, Biometrics 44:837 (1988), on scores in buckets "
        "of a sixteenth logit",
        advice="A smaller area means a worse ranking, which no threshold mends.",
        assess=assess_area,
    ),
    _labelled(
        id="calibration_error",
        title="calibration error",
        meaning="Mean distance between stated and observed shares over tenths of the score; "
        "smaller is better.",
        unit="share",
        method=BINS_METHOD,
        source="Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using "
        "Bayesian Binning, AAAI (2015)",
        advice="See the calibration table for the scores that promise too much or too little.",
        assess=assess_calibration,
    ),
    _labelled(
        id="mean_absolute_error",
        title="mean absolute error",
        meaning="Mean distance of a predicted quantity from the labelled one; smaller is better.",
        unit="score",
        method=MEAN_METHOD,
        source="Normal interval of the paired difference at Kish's effective size (1965); that of "
        "root mean square errors by the delta method (van der Vaart, Asymptotic Statistics, 1998)",
        advice="See the pairs that differ most, and whether the error grew for a kind of request.",
        assess=partial(assess_mean, "error", "score", _QUANTITY),
    ),
)
