"""Page 4: where the answers of both variants to the same request differ.

In: the verdict and the divergence tables. Out: blocks of numbers and labels; payload text is never
shown. Everything here is about pairs, because shuffled answers leave every distribution unmoved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from analyzer.figures import counted, grouped, percent, plain
from analyzer.model import Family
from analyzer.report.content.downloads import downloads
from analyzer.report.content.evidence import metric_table, ordered
from analyzer.report.content.noise_floor import floor_table
from analyzer.report.content.page import (
    Block,
    Chart,
    Column,
    Fact,
    Facts,
    Item,
    Missing,
    Notes,
    Page,
    Table,
    Tone,
)
from analyzer.report.content.score_charts import DRAWN, score_charts
from analyzer.report.content.slices import slice_blocks
from analyzer.report.content.unfinished import stopped, unfinished
from analyzer.report.content.verdict_page import volume_text
from analyzer.report.content.worst_pairs import worst_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analyzer.model import Verdict

CAPTURES = "Run with a SOURCE that holds data capture of both variants."
_MOST_ROWS = 100
WORST = ("worst_pairs", "worst_parts", "worst_clusters", "worst_outputs")


def predictions_page(verdict: Verdict, tables: Mapping[str, pl.DataFrame]) -> Page:
    """Divergence between paired responses: judged numbers, then where it sits."""
    if unfinished(verdict):
        return Page("predictions", "Predictions", (stopped(verdict),), _LEAD)
    blocks: list[Block] = []
    named = ordered(verdict, Family.DIVERGENCE)
    if named:
        blocks.append(metric_table(verdict, named, "Divergence"))
    if not verdict.ledger.pairs:
        text = "No pairs of production and shadow responses were compared."
        blocks.append(Missing("Pairs", text, CAPTURES))
        return Page("predictions", "Predictions", tuple(blocks), _LEAD)
    blocks.append(_volume(verdict))
    if verdict.noise_floor is not None:
        blocks.append(floor_table(verdict, verdict.noise_floor))
    blocks += slice_blocks(verdict)
    drawn = [*score_charts(tables)]
    drawn += [
        build(tables[name])
        for name, build in _SECTIONS.items()
        if name in tables and not tables[name].is_empty()
    ]
    drawn += worst_blocks(tables)
    blocks += drawn or [Missing("Distributions", _NO_VALUES, _SET_PATH)]
    blocks += downloads(tables, ("slices", *WORST, *DRAWN, *_SECTIONS))
    return Page("predictions", "Predictions", tuple(blocks), _LEAD)


_LEAD = "Responses of both variants to the same request, compared pair by pair."
_NO_VALUES = "No number or label was read from the responses of the pairs."
_SET_PATH = (
    "Set predictions.kind and predictions.path in the policy, so that the responses can be read."
)


def _volume(verdict: Verdict) -> Facts:
    pairing = verdict.pairing
    return Facts(
        "Pairs compared",
        (
            Fact("pairs", grouped(verdict.ledger.pairs), volume_text(verdict)),
            Fact("paired share of shadow", percent(pairing.rate)),
            Fact("distinct inputs", grouped(pairing.distinct_inputs)),
        ),
    )


def _contract(frame: pl.DataFrame) -> Block:
    """Code "same" counts the pairs that keep the contract."""
    rows = frame.filter(pl.col("code") != "same").sort("pairs", "code", descending=[True, False])
    if rows.is_empty():
        kept = counted(int(frame["pairs"].sum()), "pair")
        text = f"{kept}: every shadow response has production's shape, type and row count."
        return Notes("Contract changes", (Item("none", text, tone=Tone.GOOD),))
    return Table(
        "Contract changes",
        (Column("code"), Column("pairs", "right")),
        tuple((str(code), grouped(pairs)) for code, pairs in rows.select("code", "pairs").rows()),
        caption="Pairs whose shadow response has another shape, type or row count.",
    )


def _fields(frame: pl.DataFrame) -> Block:
    """Which fields of documents differ; those that never do say nothing."""
    rows = frame.filter(pl.col("differing") > 0)
    if rows.is_empty():
        text = f"none of {counted(frame.height, 'field')} differs in the sampled documents"
        return Notes("Changed JSON fields", (Item("none", text, tone=Tone.GOOD),))
    counts = ("documents", "differing", "changed", "retyped", "missing", "added")
    return Table(
        "Changed JSON fields",
        (
            Column("field"),
            *(Column(name, "right") for name in counts),
            Column("largest difference", "right"),
        ),
        tuple(
            (
                row["field"] or _RARE,
                *(grouped(row[name]) for name in counts),
                plain(row["largest_difference"]),
            )
            for row in rows.head(_MOST_ROWS).iter_rows(named=True)
        ),
        caption="Documents of the sample that hold the field on either side, and those in which it "
        "differs beyond the tolerance, has another type, or only one variant has it. Fields of "
        "fewer than 20 documents, or of fewer than 5 %, may be names of customers: they are one "
        "row together unless the policy shows payloads.",
    )


_RARE = "(fields of few documents)"


def _places(frame: pl.DataFrame) -> Table:
    rows = frame.sort(pl.col("bias").abs(), "place", descending=[True, False]).head(_MOST_ROWS)
    return Table(
        "Change by place of the list",
        (Column("place", "right"), Column("mean change", "right"), Column("sd", "right")),
        tuple(
            (str(row["place"]), plain(row["bias"]), plain(row["difference_sd"]))
            for row in rows.iter_rows(named=True)
        ),
        caption=f"Places from 0, the {counted(rows.height, 'place')} that moved most first, over "
        "the sampled pairs.",
    )


def _outcomes(frame: pl.DataFrame) -> Chart:
    return Chart(
        "matrix",
        "Right and wrong: production and shadow",
        "Number of labelled predictions by whether production and the shadow were right.",
        frame.select(
            pl.col("production").alias("production_label"),
            pl.col("shadow").alias("shadow_label"),
            pl.col("predictions").alias("value"),
            pl.Series("text", [grouped(count) for count in frame["predictions"]], dtype=pl.String),
        ),
        caption="Only the predictions that one variant alone gets right tell the two apart.",
        x_title="shadow",
        y_title="production",
    )


def _calibration(frame: pl.DataFrame) -> Table:
    return Table(
        "Stated and observed shares",
        (
            Column("variant"),
            Column("score", "right"),
            Column("predictions", "right"),
            Column("stated", "right"),
            Column("observed", "right"),
        ),
        tuple(
            (
                row["variant"],
                f"{row['lower']:.1f} .. {row['upper']:.1f}",
                grouped(row["predictions"]),
                percent(row["stated"]),
                percent(row["happened"]),
            )
            for row in frame.sort("variant", "lower").iter_rows(named=True)
        ),
        caption="Labelled predictions by tenths of the score: the mean score, and how often the "
        "label says it happened.",
    )


def _labels(frame: pl.DataFrame) -> Table:
    """What became of the labels; zeros say nothing."""
    rows = frame.filter(pl.col("count") > 0)
    return Table(
        "Labels",
        (Column("code"), Column("count", "right"), Column("of")),
        tuple((code, grouped(count), f"{unit}s") for code, count, unit in rows.iter_rows()),
        caption="Each code is explained by analyzer explain CODE.",
    )


_SECTIONS: dict[str, Callable[[pl.DataFrame], Block]] = {
    "contract_changes": _contract,
    "json_field_changes": _fields,
    "vector_coordinates": _places,
    "label_outcomes": _outcomes,
    "calibration": _calibration,
    "labels": _labels,
}
