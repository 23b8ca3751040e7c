"""Drawings of what scores and labels became, pair by pair.

In: the divergence tables, and the row of counts behind them. Out: blocks of the predictions page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from analyzer.figures import counted, grouped, percent, plain
from analyzer.report.content.page import Chart, Item, Line, Notes, Tone
from analyzer.stats.score_agreement import PairedMoments, limits_of_agreement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from analyzer.report.content.page import Block

Counts: TypeAlias = "Mapping[str, Any]"

_MOST_LABELS = 12


def scores(frame: pl.DataFrame, _counts: Counts) -> Chart:
    """How the scores of each variant are distributed."""
    return Chart(
        "distribution",
        "Scores of both variants",
        "Number of predictions per score bin, production and shadow.",
        frame.rename({"predictions": "value"}),
        caption="Equal distributions do not mean equal answers: see the pairs below.",
        x_title="score",
        y_title="predictions",
    )


def grid(frame: pl.DataFrame, _counts: Counts) -> Chart:
    """Each pair's two scores against each other."""
    return Chart(
        "score_grid",
        "Production score against shadow score",
        "Binned scatter of paired scores; equal answers lie on the diagonal.",
        frame,
        caption="Each square counts pairs; equal answers lie on the dashed diagonal.",
        x_title="production score",
        y_title="shadow score",
    )


def differences(frame: pl.DataFrame, counts: Counts) -> Block:
    """Which share of the scores of a pair lie how close together, and what the policy tolerates."""
    bins = frame.filter(pl.col("upper") > 0).sort("lower")
    whole = int(frame["predictions"].sum())
    equal = whole - int(bins["predictions"].sum())
    if bins.is_empty():
        text = f"All {counted(whole, 'prediction')} are exactly equal."
        return Notes("Size of the difference", (Item("none", text, tone=Tone.GOOD),))
    upto = (bins["predictions"].cum_sum() + equal) / whole
    beyond = counts["shifted"] / counts["measured"] if counts.get("measured") else None
    lines, said = _tolerance(counts)
    return Chart(
        "cumulative",
        "Size of the difference"
        if beyond is None
        else f"{percent(beyond)} of predictions differ by more than the tolerance",
        "Share of predictions whose scores are at most so far apart, against the distance on a "
        "logarithmic axis.",
        pl.DataFrame(
            {
                "value": [bins["lower"][0], *bins["upper"]],
                "share": [equal / whole, *upto],
            },
            schema={"value": pl.Float64, "share": pl.Float64},
        ),
        caption=f"{percent(equal / whole) if equal else 'None'} of the predictions "
        f"{'are' if equal else 'is'} exactly equal.{said}",
        x_title="absolute difference",
        y_title="predictions at or below",
        lines=lines,
    )


def _tolerance(counts: Counts) -> tuple[tuple[Line, ...], str]:
    """The tolerance as a line and in words; it may grow with the score."""
    fixed, relative = counts.get("atol") or 0.0, counts.get("rtol") or 0.0
    at = fixed + relative * abs(counts.get("production_mean") or 0.0)
    if not at:
        return (), ""
    said = ""
    if relative and counts.get("production_mean") is not None:
        said = (
            f" The tolerance is {plain(fixed)} and {plain(relative)} of production's score; the "
            "line stands where it is for production's mean score."
        )
    return (Line(at, f"tolerance {at:.2g}".replace("e-0", "e-")),), said


def agreement(frame: pl.DataFrame, counts: Counts) -> Block:
    """By how much the scores of a pair differ, along the score."""
    title = "Difference along the score"
    moments = [float(counts[name]) for name in _MOMENTS if counts.get(name) is not None]
    if len(moments) < len(_MOMENTS) or not counts.get("difference_sd"):
        moved = counts.get("bias") or 0.0
        text = f"Every score of the shadow lies {plain(moved)} above production's."
        text = text if moved else "Every score of the shadow is production's."
        return Notes(title, (Item("alike", text),))
    bias, sd = counts["bias"], counts["difference_sd"]
    limits = limits_of_agreement(PairedMoments(*moments), sd)
    way = "higher" if bias > 0 else "lower"
    return Chart(
        "agreement",
        f"The shadow's scores are {abs(bias):.2g} {way} on average",
        "Binned scatter of the difference between the scores of a pair against their mean, with "
        f"the mean difference, {plain(bias)}, and the limits of agreement, {plain(limits.lower)} "
        f"to {plain(limits.upper)}.",
        frame,
        caption=(
            "Each square counts pairs. Solid: the mean difference. Dashed: the limits between "
            "which 95 % of normal differences lie (Bland and Altman). Larger differences count in "
            "the outermost rows."
        ),
        x_title="mean of both scores",
        y_title="shadow - production",
        lines=tuple(Line(at, f"{at:+.2g}") for at in (bias, limits.lower, limits.upper)),
    )


_MOMENTS = ("production_mean", "shadow_mean", "production_sd", "shadow_sd", "covariance")


def quantiles(frame: pl.DataFrame, _counts: Counts) -> Chart:
    """By how much each percentile of the shadow's scores lies above production's."""
    far = frame.sort(pl.col("shift").abs(), descending=True).row(0, named=True)
    return Chart(
        "shift",
        f"Scores by percentile: the largest change is {far['shift']:+.3g}, at p{_hundredth(far)}",
        "By how much each percentile of the shadow's scores lies above the same percentile of "
        "production's.",
        frame.select("share", "shift"),
        caption=(
            "Percentiles of each variant, read off counts by bucket; a flat line at 0 does not "
            "mean equal answers, because shuffled answers leave it flat."
        ),
        x_title="percentile of the scores",
        y_title="shadow - production",
    )


def _hundredth(row: dict[str, float]) -> int:
    return round(100 * row["share"])


def flips(frame: pl.DataFrame, _counts: Counts) -> Chart:
    """Which label became which; the most frequent only."""
    shares = pl.col("predictions") / pl.col("predictions").sum().over("production_label")
    top = (
        frame.with_columns(shares.alias("value"))
        .sort("predictions", descending=True)
        .head(_MOST_LABELS**2)
    )
    return Chart(
        "matrix",
        "Flips: production label to shadow label",
        "Number of predictions per pair of production label and shadow label.",
        top.select(
            pl.col("production_label", "shadow_label").cast(pl.String),
            "value",
            (pl.col("production_label") != pl.col("shadow_label")).alias("flip"),
            pl.Series("text", [grouped(count) for count in top["predictions"]], dtype=pl.String),
            pl.Series("share", [percent(share) for share in top["value"]], dtype=pl.String),
        ),
        caption=(
            "Each cell: predictions, and their share of production's label (the row). Orange are "
            "flips, blue agreement; the stronger, the larger the share."
        ),
        x_title="shadow label",
        y_title="production label",
    )


def distance(frame: pl.DataFrame, _counts: Counts) -> Chart:
    """How far from the threshold production's scores lie that flip."""
    bins = frame.sort("lower")
    return Chart(
        "bars",
        "Flips by distance from the threshold",
        "Share of predictions that flip, by distance of production's score from the threshold.",
        bins.select(
            _edges(bins),
            (pl.col("flips") / pl.col("predictions")).alias("value"),
        ),
        caption=(
            "Flips far from the threshold are not rounding: the model disagrees with production."
        ),
        x_title="distance from the threshold, up to",
        y_title="share that flips",
        y_share=True,
    )


def _edges(frame: pl.DataFrame) -> pl.Series:
    """Upper edges of the bins at three digits."""
    return pl.Series("label", [f"{edge:.3g}" for edge in frame["upper"]], dtype=pl.String)


_DRAWN: dict[str, Callable[[pl.DataFrame, Counts], Block]] = {
    "score_grid": grid,
    "score_agreement": agreement,
    "score_histogram": scores,
    "score_quantiles": quantiles,
    "difference_histogram": differences,
    "flips": flips,
    "flip_distance": distance,
}
DRAWN = tuple(_DRAWN)
"""The tables that are drawn here, in reading order."""


def score_charts(tables: Mapping[str, pl.DataFrame]) -> Iterator[Block]:
    """Every drawing for which the bundle has a table."""
    known = tables.get("prediction_counts")
    counts = {} if known is None or known.is_empty() else known.row(0, named=True)
    for name, build in _DRAWN.items():
        if name in tables and not tables[name].is_empty():
            yield build(tables[name], counts)
