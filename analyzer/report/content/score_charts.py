"""Drawings of what scores and labels became, pair by pair.

In: the divergence tables. Out: chart blocks of the predictions page.
"""

from __future__ import annotations

import re

import polars as pl

from analyzer.figures import grouped, percent
from analyzer.report.content.page import Chart

_MOST_LABELS = 12


def scores(frame: pl.DataFrame) -> Chart:
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


def grid(frame: pl.DataFrame) -> Chart:
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


def differences(frame: pl.DataFrame) -> Chart:
    """How far the scores of a pair lie apart."""
    bins = frame.sort("lower")
    whole = int(frame["predictions"].sum())
    equal = int(frame.filter(pl.col("upper") == 0)["predictions"].sum())
    return Chart(
        "bars",
        "Size of the difference",
        "Number of predictions by absolute difference between shadow and production.",
        bins.select(
            pl.when(pl.col("upper") == 0)
            .then(pl.lit("equal"))
            .otherwise(_edges(bins, 2))
            .alias("label"),
            pl.col("predictions").alias("value"),
        ),
        caption=f"{percent(equal / whole if whole else None)} of predictions are exactly equal.",
        x_title="absolute difference, up to",
        y_title="predictions",
    )


def flips(frame: pl.DataFrame) -> Chart:
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
            _short("production_label"),
            _short("shadow_label"),
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


def distance(frame: pl.DataFrame) -> Chart:
    """How far from the threshold production's scores lie that flip."""
    bins = frame.sort("lower")
    return Chart(
        "bars",
        "Flips by distance from the threshold",
        "Share of predictions that flip, by distance of production's score from the threshold.",
        bins.select(
            _edges(bins, 3),
            (pl.col("flips") / pl.col("predictions")).alias("value"),
        ),
        caption=(
            "Flips far from the threshold are not rounding: the model disagrees with production."
        ),
        x_title="distance from the threshold, up to",
        y_title="share that flips",
        y_share=True,
    )


def _edges(frame: pl.DataFrame, digits: int) -> pl.Series:
    """Upper edges of the bins, all at so many digits, as `0.013` and `1.3e-6`."""
    texts = [_EXPONENT.sub("e-", f"{edge:.{digits}g}") for edge in frame["upper"]]
    return pl.Series("label", texts, dtype=pl.String)


_EXPONENT = re.compile("e-0")


def _short(column: str) -> pl.Expr:
    label = pl.col(column).cast(pl.String)
    cut = label.str.slice(0, 40)
    return pl.when(label.str.len_chars() > 40).then(cut + "...").otherwise(label).alias(column)  # noqa: PLR2004 - what fits an axis
