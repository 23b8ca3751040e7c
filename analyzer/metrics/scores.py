"""By how much do two variants' scores differ, and what would a moved threshold mend?

In: exact moments, counts by bucket and changes by minute (`payloads.scores`) -> evidence. Out: what
is judged (`divergence`): a retrained model moves its scores, and how far says nothing of harm,
unless all of them move one way (`beside_mean`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.figures import counted, grouped, percent, plain
from analyzer.metrics.below_zero import is_amount
from analyzer.metrics.floor import mean_distance
from analyzer.metrics.predictions import nothing_compared, otherwise, withheld
from analyzer.metrics.series import MINUTE, Cover
from analyzer.metrics.shares import METHOD as SHARE_METHOD
from analyzer.metrics.shares import SOURCE as SHARE_SOURCE
from analyzer.metrics.shares import Share
from analyzer.metrics.shown import Finding, asking
from analyzer.model import Intervals, Note, Outcome, Role
from analyzer.stats.bucket_distances import bucket_distances, expected_stability
from analyzer.stats.bucket_quantiles import bucket_quantile
from analyzer.stats.ewc import MIN_N_EFF, LongRun, long_run
from analyzer.stats.log_ratio import bounds
from analyzer.stats.score_agreement import PairedMoments, concordance, limits_of_agreement

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts, Metric
    from analyzer.metrics.predictions import Counted
    from analyzer.model import Evidence
    from analyzer.stats.ewc import FloatArray

_PROBABILITY = frozenset({"probability"})
_SCORED = frozenset({"probability", "regression"})
_DISTANT = frozenset({"probability", "regression", "vector", "multiclass"})
_QUANTILES = (0.5, 0.9, 0.99)
_PER_DECADE = 64
_PER_LOGIT = 16
_PER_SPREAD = 64
_CERTAIN = 256
"""The bucket of scores at 1 or above; its negative that of scores at 0 or below."""
_MOST_MOVED = 0.1
"""Of the mean of amounts; as much as latency's margin allows."""

BIAS_METHOD = "ewc-mean/1"
DISTANCE_METHOD = "order-statistics/1"
CONCORDANCE_METHOD = "lin-concordance/1"
DISTRIBUTION_METHOD = "bucket-distances/1"


def _bias(facts: Facts, found: Counted) -> Finding | Note:
    """The mean of shadow - production with the uncertainty that time and repetition leave."""
    row = found.row
    if "bias" not in row:
        return nothing_compared(found)
    effective = _effective(found)
    alike = row["difference_sd"] / math.sqrt(effective)
    notes = [_agreement(row), _limits(row)]
    series = _influence(facts, found)
    if series is None:
        intervals = Intervals(fixed=_normal(row["bias"], alike, facts.policy.alpha))
        text = f"fewer than {MIN_N_EFF:g} minutes hold pairs: inputs are taken as independent"
        notes.append(Note(code="bias-without-time", text=text))
    else:
        run = long_run(series, period_s=MINUTE)
        widest = LongRun(max(run.se, alike), run.nu, run.n_eff)
        intervals = _every_way(facts, row["bias"], widest, len(series))
        if not run.has_interval:
            text = (
                f"the minutes seen are worth {run.n_eff:.1f} independent ones; an interval needs "
                f"{MIN_N_EFF:g}"
            )
            notes.append(Note(code="too-few-independent-minutes", text=text))
    levels = (row["production_mean"], row["shadow_mean"])
    return Finding(row["bias"], effective, "difference", intervals, levels, tuple(notes))


def beside_mean(facts: Facts, found: Counted, evidence: Evidence) -> Evidence:
    """A pass is one only where the mean has moved by less than half a large shift for certain.

    What moves every score by nearly a large shift makes none, and is met by every caller. Changes
    that come with either sign even out in the mean, as a retrained model's do. Of amounts a few
    large ones make the spread, beside which a tenth more of everything is nothing: where production
    answers nothing below zero, the mean must not move by a tenth of itself either.
    """
    if evidence.outcome is not Outcome.PASS or evidence.effect is None:
        return evidence
    bias = _bias(facts, found)
    if isinstance(bias, Note) or bias.intervals is None:
        return evidence
    judged = getattr(bias.intervals, facts.looking.mode) or bias.intervals.fixed
    least, most = judged or (bias.estimate, bias.estimate)
    allowed, name = found.row["large_shift"] / 2, "half a large shift"
    if is_amount(found) and 0 < _MOST_MOVED * found.row["production_mean"] < allowed:
        allowed, name = _MOST_MOVED * found.row["production_mean"], "a tenth of production's mean"
    if max(abs(least), abs(most)) < allowed:
        return evidence
    note = Note(
        code="mean-moved",
        text=f"the mean of all scores moved by {bias.estimate:+.4g} ({least:+.4g} to {most:+.4g}), "
        f"and {name} is {plain(allowed)}: that few move far says nothing where all move one way",
    )
    return withheld(evidence, note, otherwise(note))


def _influence(facts: Facts, found: Counted) -> FloatArray | None:
    """What each minute of the window's known days adds to the bias; 0 where none is predicted.

    None where so few minutes hold any that they say nothing of likeness in time.
    """
    cover = Cover.of(facts)
    tables = {} if facts.captures is None else facts.captures.tables
    if cover is None or "score_bias_minutes" not in tables:
        return None
    minutes = tables["score_bias_minutes"].to_pydict()
    if len(minutes["minute"]) < MIN_N_EFF:
        return None
    first, last = cover.laid_out.start // MINUTE, cover.laid_out.end // MINUTE
    at = np.array(minutes["minute"], np.int64) - first
    inside = (at >= 0) & (at < last - first)
    seen, change = (np.array(minutes[name], float) for name in ("predictions", "change"))
    series = np.zeros(last - first)
    series[at[inside]] = (change - seen * found.row["bias"])[inside]
    psi: FloatArray = series * (len(series) / seen.sum())
    return psi


def _every_way(facts: Facts, estimate: float, run: LongRun, minutes: int) -> Intervals:
    alpha = facts.policy.alpha
    shown = {
        way.mode: bounds(
            estimate,
            run,
            minutes,
            alpha_lower=alpha,
            alpha_upper=alpha,
            mode=way.mode,
            horizon_minutes=way.horizon_minutes,
        )
        for way in facts.looking.ways()
    }
    return Intervals.model_validate(shown)


def _distance(facts: Facts, found: Counted) -> Finding | Note:
    """The mean of |shadow - production|; for lists of numbers the median of their largest."""
    tables = {} if facts.captures is None else facts.captures.tables
    table = tables.get("difference_counts")
    if table is None or not table.num_rows:
        return nothing_compared(found)
    effective = _effective(found)
    said, median = _quantiles(table.to_pydict(), effective, facts.policy.alpha)
    notes: tuple[Note, ...] = (Note(code="difference-quantiles", text=said),)
    mean = found.row.get("mean_absolute_difference")
    if mean is None:
        return Finding(median, effective, notes=notes)
    notes += mean_distance(facts)
    square = found.row["difference_sd"] ** 2 + found.row["bias"] ** 2
    se = math.sqrt(max(square - mean**2, 0.0) / effective)
    low, high = _normal(mean, se, facts.policy.alpha)
    return Finding(mean, effective, intervals=Intervals(fixed=(max(low, 0.0), high)), notes=notes)


def _quantiles(cells: dict[str, list[Any]], effective: float, alpha: float) -> tuple[str, float]:
    """Quantiles of the differences as one sentence, and the median."""
    sizes = [0.0 if b is None else 10 ** ((b + 1) / _PER_DECADE) for b in cells["bucket"]]
    least = [0.0 if b is None else 10 ** (b / _PER_DECADE) for b in cells["bucket"]]
    counts = np.array(cells["predictions"], np.int64)
    parts, median = [], 0.0
    for q in _QUANTILES:
        place = bucket_quantile(counts, q, effective, alpha)
        if q == 0.5:  # noqa: PLR2004 - the middle
            median = sizes[place.place]
        low = 0.0 if place.lower is None else least[place.lower]
        high = "no bound" if place.upper is None else plain(sizes[place.upper])
        text = f"{100 * q:g} % of |differences| are at most {plain(sizes[place.place])}"
        parts.append(f"{text} ({plain(low)} to {high})")
    return "; ".join(parts), median


def _concordance(facts: Facts, found: Counted) -> Finding | Note:
    if "covariance" not in found.row:
        return nothing_compared(found)
    effective = _effective(found)
    agreed = concordance(_moments(found.row), effective, facts.policy.alpha)
    if agreed is None:
        return Note(code="one-score", text="both variants give every request the same one score")
    interval = None
    if agreed.lower is not None and agreed.upper is not None:
        interval = (agreed.lower, agreed.upper)
    ranks = found.row.get("rank_correlation")
    notes: tuple[Note, ...] = ()
    if ranks is not None:
        text = f"Spearman's rank correlation {ranks:.4f}; scores of one bucket share their rank"
        notes = (Note(code="rank-correlation", text=text),)
    return Finding(agreed.value, effective, intervals=Intervals(fixed=interval), notes=notes)


def _distribution(facts: Facts, found: Counted) -> Finding | Note:
    tables = {} if facts.captures is None else facts.captures.tables
    table = tables.get("score_marginals")
    if table is None or not table.num_rows:
        return nothing_compared(found)
    cells = table.to_pydict()
    edges = bucket_edges(np.array(cells["bucket"], float), found)
    first, second = (np.array(cells[name], np.int64) for name in ("production", "shadow"))
    apart = bucket_distances(first, second, edges)
    effective = _effective(found)
    expected = expected_stability(apart.groups, effective, effective)
    text = (
        f"Kolmogorov-Smirnov {apart.kolmogorov:.4f}, Jensen-Shannon {apart.jensen_shannon:.4f}, "
        f"population stability index {plain(apart.stability)} over "
        f"{counted(apart.groups, 'group')} ({plain(expected)} expected of two independent samples "
        "of one distribution)"
    )
    notes = (Note(code="distribution-distances", text=text),)
    sd = found.row["production_sd"]
    if sd <= 0:
        return Note(code="one-score", text="production gives every request one score")
    return Finding(apart.wasserstein / sd, effective, notes=notes)


def bucket_edges(buckets: FloatArray, found: Counted) -> FloatArray:
    """Both ends of each bucket, as `score_bucket` and `quantity_bucket` cut them.

    The first and the last bucket end where the scores do.
    """
    both = np.stack([buckets, buckets + 1], axis=1)
    if found.kind == "probability":
        scores = 1 / (1 + np.exp(-both / _PER_LOGIT))
        scores[buckets <= -_CERTAIN] = 0.0
        scores[buckets >= _CERTAIN] = 1.0
        return np.asarray(scores)
    scores = found.row["centre"] + found.row["spread"] * np.sinh(both / _PER_SPREAD)
    clipped: FloatArray = np.clip(scores, found.row["lowest"], found.row["highest"])
    return clipped


def _evened_out(facts: Facts, found: Counted) -> Finding | Note:
    """Flips that remain when the shadow calls as many positive as production does."""
    row = found.row
    if row.get("even_at") is None:
        text = "production calls all predictions positive or none: no threshold restores that share"
        return Note(code="threshold-uninformative", text=text)
    n = found.count("labelled")
    flips = found.count("even_flips")
    share = Share(flips, n, float(row["prediction_squares"]), "predictions")
    wanted, given = row["production_at_or_above"] / n, row["even_positive"] / n
    text = (
        f"at a shadow threshold of {row['even_at']:.6g} its share at or above is "
        f"{percent(given, 2)}, production's {percent(wanted, 2)} at "
        f"{facts.policy.predictions.label_at:g}; "
        f"{counted(flips, 'prediction')} would flip there, {grouped(found.count('flipped'))} do now"
    )
    notes = (Note(code="restored-threshold", text=text),)
    return Finding(
        share.estimate, share.effective, intervals=share.intervals(facts.policy.alpha), notes=notes
    )


def _effective(found: Counted) -> float:
    squares = float(found.row.get("prediction_squares") or 0.0)
    return Share(0, found.count("predictions"), squares, "predictions").effective


def _normal(estimate: float, se: float, alpha: float) -> tuple[float, float]:
    from scipy.special import ndtri

    reach = -float(ndtri(alpha)) * se
    return estimate - reach, estimate + reach


def _moments(row: dict[str, Any]) -> PairedMoments:
    names = ("production_mean", "shadow_mean", "production_sd", "shadow_sd", "covariance")
    return PairedMoments(*(row[name] for name in names))


def _agreement(row: dict[str, Any]) -> Note:
    """How far scores are apart, and how well they agree."""
    return Note(
        code="agreement",
        text=f"mean |difference| {plain(row['mean_absolute_difference'])}, sd of differences "
        f"{plain(row['difference_sd'])}, concordance {row['concordance']:.4f}",
    )


def _limits(row: dict[str, Any]) -> Note:
    found = limits_of_agreement(_moments(row), row["difference_sd"])
    slope = "" if found.slope is None else f", changing by {found.slope:+.3g} for one more of score"
    return Note(
        code="limits-of-agreement",
        text=f"95 % of differences lie from {plain(found.lower)} to {plain(found.upper)} where "
        f"they are normal{slope}",
    )


SCORES: tuple[Metric, ...] = (
    asking(_bias, _SCORED, "score", BIAS_METHOD)(
        id="score_bias",
        title="score bias",
        meaning="Mean of the shadow's score minus production's for the same request.",
        source="Long-run standard error of the minutes' sums: Lazarus, Lewis, Stock and Watson, "
        "JBES 36:541 (2018), never less than at Kish's effective size; limits of agreement: Bland "
        "and Altman, Lancet 327:307 (1986)",
        advice="A bias far from zero moves every threshold decision one way: recalibrate.",
    ),
    asking(_distance, _DISTANT, "score", DISTANCE_METHOD)(
        id="score_distance",
        title="score distance",
        meaning="Mean of |shadow - production| for the same request, with its quantiles; of lists "
        "of numbers the median of their most different place.",
        source="Order statistics: Conover, Practical Nonparametric Statistics (1999), 3.2, from "
        "counts in 64 buckets a factor of ten; normal interval of the mean at Kish's effective "
        "size (1965)",
        advice="Set predictions.tolerance to the largest of these that means nothing, and shifts "
        "beyond it are judged.",
    ),
    asking(_concordance, _SCORED, "concordance", CONCORDANCE_METHOD)(
        id="score_concordance",
        title="score concordance",
        meaning="Lin's concordance: how close paired scores lie to the line of equal scores; 1 is "
        "equal.",
        source="Lin, Biometrics 45:255 (1989) and 56:324 (2000); Spearman, American Journal of "
        "Psychology 15:72 (1904), on ranks of buckets",
        advice="A high rank correlation beside a low concordance asks for recalibration only.",
    ),
    asking(_evened_out, _PROBABILITY, "share", SHARE_METHOD)(
        id="flips_at_equal_rate",
        title="flips at an equal positive rate",
        meaning="Share of predictions that would still flip if the shadow's threshold were moved "
        "to where it calls as many positive as production does.",
        source=SHARE_SOURCE,
        advice="Where few would remain, deploy the shadow with the threshold the note names; where "
        "many do, the models disagree about who, not about how many.",
    ),
    asking(_distribution, _SCORED, "sd", DISTRIBUTION_METHOD, role=Role.INFO)(
        id="score_distribution",
        title="score distributions",
        meaning="Wasserstein distance of both variants' scores in production's standard "
        "deviations: blind to answers shuffled between requests.",
        source="Lin, IEEE Transactions on Information Theory 37:145 (1991), Jensen-Shannon "
        "distance; Yurdakul and Naranjo, Journal of Risk Model Validation 14:89 (2020), stability "
        "index and its expectation",
        advice="Look at the paired numbers first; this says only whether scores as a whole moved.",
    ),
)
