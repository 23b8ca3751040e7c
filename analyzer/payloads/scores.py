"""Paired scores reduced to exact sums, counts by bucket, and the threshold that evens them out.

In: which query runs with which parameters, and the exact arithmetic between two of them. Out: what
the numbers mean (`metrics`).

Scores lie in buckets: sixteenths of a logit for probabilities, so that rare scores stay apart, and
for quantities 64ths of production's standard deviation, growing far from its mean. Counts by bucket
add up over any split of the data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyzer.asked import one_row
from analyzer.model import round_significant
from analyzer.stats.fixed_point import steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from analyzer.asked import Asked

_MOST_SCORES, _PIECES = 100_000, 1_024
_LARGE_SHIFT = 0.5  # production standard deviations
_PER_SPREAD = 64  # buckets, as quantity_bucket has them
FAR_OUT = 3.0
"""Production's standard deviations from its mean, beyond which a quantity is an extreme one."""


@dataclass(frozen=True)
class Tolerance:
    """What counts as no shift: |d| <= atol + rtol |production|."""

    atol: float
    rtol: float


def score_counts(
    engine: Asked,
    extent: Mapping[str, Any],
    noise: Tolerance,
    tolerance: Tolerance,
    label_at: float | None,
) -> dict[str, Any]:
    """Means, spreads, bias, agreement and thresholds of the scores in `predictions`.

    Leaves the tables `score_minutes` and `score_cells` in the engine. No shift within numeric
    noise is a large one, however alike production's scores are.

    Args:
        engine: holds `predictions`.
        extent: lowest and highest score of either variant.
        noise: what is no difference.
        tolerance: what is no shift.
        label_at: the decision threshold; None where scores are quantities.
    """
    moments = _moments(engine, extent["lowest"], extent["highest"])
    far = round_significant(_LARGE_SHIFT * moments["production_sd"])
    place = {
        "centre": round_significant(moments["production_mean"]),
        "spread": round_significant(moments["production_sd"]) or 1.0,
    }
    engine.reduce("score_cells", by_logit=label_at is not None, label_at=label_at, **place)
    thresholds = engine.table(
        "prediction_thresholds", far=far, atol=noise.atol, rtol=noise.rtol, label_at=label_at
    )
    counts = moments | one_row(thresholds) | {"large_shift": far} | place
    counts |= _ranks(engine)
    counts |= next(iter(engine.table("default_answer", far=far).to_pylist()), {})
    marginals = engine.table("score_marginals").to_pylist()
    counts["production_lowest"] = min(
        (row["production_lowest"] for row in marginals if row["production"]), default=None
    )
    counts["one_answer_shifted"] = missed_by_one_answer(marginals, tolerance)
    counts["one_answer_large"] = missed_by_one_answer(marginals, noise, at_least=far)
    if label_at is None:
        counts |= _extremes(engine)
    else:
        counts |= _evened_out(engine, marginals, counts["production_at_or_above"], label_at)
    return counts


def score_tables(engine: Asked, step: float) -> dict[str, pa.Table]:
    """Counts of either variant by bucket and changes by minute, once `score_counts` has run."""
    return {
        "score_marginals": engine.table("score_marginals"),
        "score_bias_minutes": engine.table("score_bias_minutes", scale=step),
    }


def missed_by_one_answer(
    marginals: Iterable[Mapping[str, Any]], tolerance: Tolerance, at_least: float = 0.0
) -> int:
    """Of how many of production's scores would the best single score for all be a shift?

    Args:
        marginals: rows of sql/score_marginals.sql.
        tolerance: what is no shift.
        at_least: a smaller difference is none either.

    Returns:
        That many or fewer: a bucket counts as reached where one of its scores may be.
    """
    ends: list[tuple[float, int, int]] = []
    scores = reached = most = 0
    for row in marginals:
        if not row["production"]:
            continue
        scores += row["production"]
        low, high = row["production_lowest"], row["production_highest"]
        far = tolerance.atol + tolerance.rtol * max(abs(low), abs(high))
        far = max(far, at_least)
        # where both lie at one place, the one that begins comes first
        ends += (low - far, 0, row["production"]), (high + far, 1, -row["production"])
    for _, _, change in sorted(ends):
        reached += change
        most = max(most, reached)
    return scores - most


def _moments(engine: Asked, lowest: float, highest: float) -> dict[str, float]:
    """Mean, spread, bias and concordance of the scores from fixed-point sums.

    Scores are centred at the middle of their range: then the spread is at least the half range over
    the root of twice the number of scores, and nothing is lost by cancellation.
    """
    centre = round_significant(lowest / 2 + highest / 2)
    reach = max(highest - centre, centre - lowest, highest - lowest)
    step, square_step = steps(reach), steps(reach * reach)
    engine.reduce("score_minutes", centre=centre, scale=step, square_scale=square_step)
    raw = {key: int(value) for key, value in one_row(engine.table("prediction_sums")).items()}
    n = raw["scores"]
    mean = {key: raw[key] / n / step for key in ("production", "shadow", "distance")}
    square = {
        key: raw[key] / n / square_step
        for key in ("production_squares", "shadow_squares", "products", "change_squares")
    }
    bias = mean["shadow"] - mean["production"]
    production = max(square["production_squares"] - mean["production"] ** 2, 0.0)
    shadow = max(square["shadow_squares"] - mean["shadow"] ** 2, 0.0)
    shared = square["products"] - mean["production"] * mean["shadow"]
    agreement = production + shadow + bias * bias
    return {
        "production_mean": mean["production"] + centre,
        "shadow_mean": mean["shadow"] + centre,
        "production_sd": math.sqrt(production),
        "shadow_sd": math.sqrt(shadow),
        "covariance": shared,
        "bias": bias,
        "difference_sd": math.sqrt(max(square["change_squares"] - bias * bias, 0.0)),
        "mean_absolute_difference": mean["distance"],
        "concordance": 2 * shared / agreement if agreement > 0 else 1.0,
        "step": step,
    }


def _ranks(engine: Asked) -> dict[str, float | None]:
    """How ranks by bucket belong together.

    Returns:
        `rank_correlation`, None where one variant's scores share one bucket; `order_kept`, the
        slope of the shadow's ranks on production's, None where production's do.
    """
    sums = {key: int(value) for key, value in one_row(engine.table("score_ranks")).items()}
    spread = math.sqrt(sums["production_squares"]) * math.sqrt(sums["shadow_squares"])
    own = sums["production_squares"]
    return {
        "rank_correlation": sums["products"] / spread if spread else None,
        "order_kept": sums["products"] / own if own else None,
    }


def _extremes(engine: Asked) -> dict[str, Any]:
    """How many quantities either variant puts far out, and how many of them both do not."""
    far, halfway = (math.ceil(_PER_SPREAD * math.asinh(sds)) for sds in (FAR_OUT, FAR_OUT / 2))
    row = one_row(engine.table("score_extremes", far=far, halfway=halfway))
    return row | {"far_out": FAR_OUT}


def _evened_out(
    engine: Asked, marginals: Sequence[dict[str, Any]], wanted: int, label_at: float
) -> dict[str, Any]:
    """The shadow's threshold that calls about as many predictions positive as production does.

    Counts by bucket find the bucket it lies in, counts by score within it find the score; a bucket
    of very many scores is cut into pieces first. Of two scores as close, the higher is taken.

    Returns:
        `even_at` the threshold, `even_positive` the shadow's predictions at or above it, and
        `even_flips` those that production decides the other way; empty where no threshold could
        do: production calls all or none positive.
    """
    if not 0 < wanted < sum(row["shadow"] for row in marginals):
        return {}
    steps: list[tuple[float, int, int]] = []
    row = _reaching(wanted, sorted(marginals, key=lambda row: -row["bucket"]), steps)
    while row["shadow"] > _MOST_SCORES and row["lowest"] < row["highest"]:
        stretch = {"lowest": row["lowest"], "highest": row["highest"], "label_at": label_at}
        pieces = engine.table("score_stretches", pieces=_PIECES, **stretch).to_pylist()
        row = _reaching(wanted, pieces, steps)
    scores = engine.table(
        "score_bucket_scores", lowest=row["lowest"], highest=row["highest"], label_at=label_at
    ).to_pylist()
    steps += [(one["score"], one["predictions"], one["positive"]) for one in scores]
    return _closest(steps, wanted)


def _reaching(
    wanted: int, rows: Iterable[dict[str, Any]], steps: list[tuple[float, int, int]]
) -> dict[str, Any]:
    """The first row, from the highest down, that makes the steps as many predictions as wanted.

    Those before it become steps.
    """
    above = sum(predictions for _, predictions, _ in steps)
    for row in rows:
        if not row["shadow"]:
            continue
        if above + row["shadow"] >= wanted:
            return row
        above += row["shadow"]
        steps.append((row["lowest"], row["shadow"], row["positive"]))
    raise LookupError(wanted)


def _closest(steps: Iterable[tuple[float, int, int]], wanted: int) -> dict[str, Any]:
    """The threshold at or above which the number of predictions is nearest to what is wanted.

    Args:
        steps: from the highest down: a threshold, how many more predictions reach it than reach
            the one before, and how many of these production calls positive.
        wanted: positives of production.
    """
    best: dict[str, Any] = {}
    above = positive = 0
    for threshold, predictions, called in steps:
        above, positive = above + predictions, positive + called
        if not best or abs(above - wanted) < abs(best["even_positive"] - wanted):
            flips = (wanted - positive) + (above - positive)
            best = {"even_at": threshold, "even_positive": above, "even_flips": flips}
    return best
