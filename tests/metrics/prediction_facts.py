"""Facts of a run whose predictions were counted, without any captures behind them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from analyzer.metrics.metric import CaptureFacts, EndpointFacts, Facts
from analyzer.model import Inputs, Ledger, Mode, Pairing
from analyzer.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

START = datetime(2026, 11, 16, tzinfo=UTC)
END = datetime(2026, 11, 20, tzinfo=UTC)

SCORES: dict[str, Any] = {
    "shifted": 0,
    "flipped": 0,
    "large_shifted": 0,
    "commonest_label": 0,
    "production_mean": 0.3,
    "shadow_mean": 0.3,
    "production_sd": 0.2,
    "shadow_sd": 0.2,
    "covariance": 0.0396,
    "bias": 0.0,
    "difference_sd": 0.01,
    "mean_absolute_difference": 0.005,
    "concordance": 0.99,
    "large_shift": 0.1,
    "atol": 1e-6,
    "rtol": 1e-5,
}


def counts_of(pairs: int = 10_000, rows: int = 1, **changes: float) -> dict[str, Any]:
    """Counts of pairs with that many predictions each, nothing different unless changed."""
    predictions = pairs * rows
    plain = {
        "pairs": pairs,
        "judged_pairs": pairs,
        "changed_pairs": 0,
        "answered_pairs": pairs,
        "mismatched_pairs": pairs,
        "judged_squares": float(pairs),
        "answered_squares": float(pairs),
        "predictions": predictions,
        "labelled": predictions,
        "measured": predictions,
        "prediction_squares": float(pairs * rows**2),
        "production_at_or_above": predictions // 4,
        "production_below": predictions - predictions // 4,
        "shadow_at_or_above": predictions // 4,
        "one_answer_shifted": predictions // 4,
        "one_answer_large": predictions // 4,
    }
    return {**plain, **SCORES, **changes}


def answers_of(counts: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """Two answers, flips taking as much from the rarer one as they give to it."""
    rare = counts["production_at_or_above"]
    if kind != "probability":
        rare = counts["labelled"] - counts["commonest_label"]
    flipped, spread = counts["flipped"], counts["prediction_squares"] / counts["predictions"]
    return [
        answer_of(name, production, production + flipped // 2, flipped, spread)
        for name, production in (("yes", rare), ("no", counts["labelled"] - rare))
    ]


def answer_of(
    name: str, production: int, either: int, apart: int, spread: float = 1.0
) -> dict[str, Any]:
    """A row of `answer_counts`; `spread` predictions of a payload lie together."""
    counts = {"production": production, "either": either, "apart": apart}
    return {"answer": name, **counts, "squares": str(round(either * spread))}


def facts_of(
    counts: dict[str, Any] | None = None,
    *,
    answers: Sequence[Mapping[str, Any]] | None = None,
    places: Sequence[Mapping[str, Any]] = (),
    kind: str = "probability",
    policy: Policy | None = None,
    ledger: Ledger | None = None,
    pairing: Pairing | None = None,
    records: tuple[int, int] = (10_000, 10_000),
    invocations: tuple[float, float] | None = None,
    endpoint: EndpointFacts | None = None,
    captured: bool = True,
) -> Facts:
    """Facts of four days; `records` and `invocations` are (production, shadow)."""
    row = counts_of() if counts is None else counts
    tables = {
        "prediction_shape": pa.table({"kind": [kind], "path": [""]}),
        "prediction_counts": pa.Table.from_pylist([row]),
    }
    if answers is None and kind in {"probability", "label", "multiclass"} and row["predictions"]:
        answers = answers_of(row, kind)
    if answers:
        tables["answer_counts"] = pa.Table.from_pylist([dict(one) for one in answers])
    if places:
        tables["vector_coordinates"] = pa.Table.from_pylist([dict(one) for one in places])
    captures = CaptureFacts(
        ledger=ledger or Ledger(pairs=row["pairs"]),
        pairing=pairing or Pairing(rate=1.0, distinct_inputs=row["pairs"]),
        production_records=records[0],
        shadow_records=records[1],
        same_objects=False,
        first_at=(START, START),
        last_at=(END, END),
        tables=tables,
    )
    return Facts(
        policy=policy or Policy(),
        mode=Mode.CLOUDWATCH,
        start=START,
        end=END,
        metric_points=_points(invocations),
        points_dropped={},
        points_endpoints=(),
        inputs=Inputs(digest=""),
        captures=captures if captured else None,
        endpoint=endpoint,
    )


def with_tables(facts: Facts, **tables: pa.Table) -> Facts:
    """The same with more tables of its captures."""
    assert facts.captures is not None
    captures = replace(facts.captures, tables={**facts.captures.tables, **tables})
    return replace(facts, captures=captures)


def _points(invocations: tuple[float, float] | None) -> pl.DataFrame:
    """Hourly Invocations, and a coarser series of the same requests that must not count twice."""
    production, shadow = invocations or (0.0, 0.0)
    rows = [
        {
            "role": role,
            "metric_name": "Invocations",
            "stat": "Sum",
            "period_s": period,
            "timestamp": START,
            "value": float(requests),
            "unit": "count",
        }
        for role, requests in (("production", production), ("shadow", shadow))
        for period in (3_600, 86_400)
    ]
    frame = pl.DataFrame(rows, schema_overrides={"timestamp": pl.Datetime("us", "UTC")})
    return frame if invocations else frame.clear()


def facts_from(
    tables: Mapping[str, pa.Table],
    *,
    policy: Policy | None = None,
    span: tuple[datetime, datetime] = (START, END),
) -> Facts:
    """Facts of a run whose outputs came to these tables."""
    (counts,) = tables["prediction_counts"].to_pylist()
    facts = facts_of({**counts_of(), **counts}, policy=policy)
    assert facts.captures is not None
    captures = replace(facts.captures, tables=tables)
    return replace(facts, captures=captures, start=span[0], end=span[1])
