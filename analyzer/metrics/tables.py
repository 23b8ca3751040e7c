"""The tables of a bundle: what the report draws and a reader downloads.

In: a run's facts and its judged slices. Out: drawing, and writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from analyzer.metrics.clusters import cluster_tables
from analyzer.metrics.quantile_shift import shift_tables
from analyzer.metrics.running import latency_tables
from analyzer.metrics.sliced import slice_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.metrics.metric import Facts
    from analyzer.model import Slice

_INTERNAL_TABLES = {
    "answer_counts",
    "pairing_facts",
    "difference_counts",
    "score_bias_minutes",
    "score_marginals",
    "missing_by_bytes",
    "missing_by_score",
    "missing_by_label",
    "label_counts",
    "label_flips",
    "label_hours",
    "label_score_cells",
    "label_selection",
    "replay_outcomes",
    "replay_quantiles",
    "row_counts",
    "slice_counts",
    "worst_slices",
}
"""Tables the verdict is computed from; everything in them that is shown is in verdict.json."""


def bundle_tables(facts: Facts, slices: Mapping[str, Slice]) -> dict[str, pl.DataFrame]:
    """By name, every table that is not internal."""
    captured = facts.captures.tables if facts.captures else {}
    frames = latency_tables(facts) | shift_tables(facts) | cluster_tables(captured)
    if slices:
        frames["slices"] = slice_frame(slices)
    for name, table in captured.items():
        if name not in _INTERNAL_TABLES:
            frame = pl.from_arrow(table)
            frames[name] = frame if isinstance(frame, pl.DataFrame) else frame.to_frame()
    return frames
