"""A sample of pairs looked at closely: texts, fields of JSON documents, lists of numbers.

In: which query runs with which parameters on pairs that a hash spreads over the window. Out: what
the sums mean (`metrics`). Comparing every character of every text would cost more than the run; a
sample of 2 000 pairs shows a share to about one point, and the notes say how many were taken.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from analyzer.asked import one_row
from analyzer.stats.fixed_point import steps

if TYPE_CHECKING:
    import pyarrow as pa

    from analyzer.asked import Asked
    from analyzer.payloads.scores import Tolerance
    from analyzer.policy import Redaction

SAMPLED_PAIRS = 2_000
LONGEST_TEXT = 256
LONGEST_VECTOR = 1_024
_LEAST_DOCUMENTS, _LEAST_SHARE = 20, 0.05
_LARGEST_DOCUMENT = 64 << 10
_DOCUMENT_BYTES = 16 << 20
_LARGEST_LOG_RATIO = 64.0
_LARGEST_RELATIVE = 1_000.0
_LEAST_SEQUENCE = 5
"""Numbers of a list of which three lie between others: two correlate with whatever there is."""
_TIE = 1e-6
"""Of correlations: a straight line is alike at every step, but for how its numbers are rounded."""


def document_tables(
    engine: Asked,
    json_path: str | None,
    tolerance: Tolerance,
    redaction: Redaction,
    *,
    fields: bool,
) -> tuple[dict[str, Any], dict[str, pa.Table]]:
    """How alike sampled texts are and, with `fields`, which fields of documents differ.

    A document may be a map whose keys are customers. So a path is named where it is the schema's:
    where at least `_LEAST_SHARE` of the documents have it. All others are one row together, unless
    the policy shows payloads.

    Returns:
        Counts, the table `worst_pairs`, and `json_field_changes` where fields were asked for.
    """
    _sample_documents(engine, json_path)
    counts = _texts(engine)
    tables = {"worst_pairs": engine.table("worst_texts")}
    if not fields:
        return counts, tables
    engine.execute("json_fields", atol=tolerance.atol, rtol=tolerance.rtol)
    counts |= one_row(engine.table("json_field_counts"))
    least = max(_LEAST_DOCUMENTS, math.ceil(_LEAST_SHARE * counts["documents"]))
    least = 0 if redaction.payloads == "shown" else least
    changes = engine.table("json_field_changes", least=least)
    return counts, {**tables, "json_field_changes": changes}


def vector_tables(
    engine: Asked, largest: float, tolerance: Tolerance
) -> tuple[dict[str, Any], dict[str, pa.Table]]:
    """How far sampled lists of numbers are apart, and which of their places moved.

    Of a list longer than `LONGEST_VECTOR` that many numbers are looked at.

    Args:
        engine: holds `pairs` and `prediction_values`.
        largest: no number differs by more.
        tolerance: what is no shift.

    Returns:
        Counts, and `vector_coordinates` with exact means as floats.
    """
    engine.execute("sampled_pairs", size=SAMPLED_PAIRS)
    engine.execute("vector_sample", longest=LONGEST_VECTOR)
    scale, square_scale = steps(_LARGEST_RELATIVE), steps(_LARGEST_RELATIVE**2)
    row = one_row(engine.table("vector_sums", scale=scale, square_scale=square_scale))
    n = row["vectors"]
    counts: dict[str, Any] = {"vectors": n, "vector_squares": row["vector_squares"]}
    if not n:
        return counts, {}
    mean = int(row["relative"]) / n / scale
    square = int(row["relative_squares"]) / n / square_scale
    counts |= {
        "relative_distance": mean,
        "relative_distance_sd": math.sqrt(max(square - mean**2, 0.0)),
        "cosine": int(row["cosine"]) / row["directed"] / scale if row["directed"] else None,
    }
    counts |= lag_counts(engine)
    return counts, {"vector_coordinates": _coordinates(engine, largest, tolerance)}


def row_counts_by_lag(engine: Asked) -> dict[str, Any]:
    """Of sampled answers with several scores, how many match production's a place before or after.

    Args:
        engine: holds `pairs` and `predictions`.
    """
    engine.execute("sampled_pairs", size=SAMPLED_PAIRS)
    engine.execute("vector_sample_rows", longest=LONGEST_VECTOR)
    return lag_counts(engine)


def number_counts(engine: Asked, json_path: str, noise: Tolerance) -> dict[str, Any]:
    """How many numbers beside sampled labels are a standard deviation away from production's.

    Args:
        engine: holds `pairs` and shows `prediction_texts`.
        json_path: where they are, as SQL needs it.
        noise: what is never apart.
    """
    _sample_documents(engine, None)
    return one_row(
        engine.table("number_beside", json_path=json_path, atol=noise.atol, rtol=noise.rtol)
    )


def lag_counts(engine: Asked) -> dict[str, Any]:
    """The counts of sql/vector_lags.sql; the engine holds `vector_sample`."""
    return one_row(engine.table("vector_lags", least=_LEAST_SEQUENCE, tie=_TIE))


def _sample_documents(engine: Asked, json_path: str | None) -> None:
    engine.execute("sampled_pairs", size=SAMPLED_PAIRS)
    engine.execute(
        "document_sample", json_path=json_path, largest=_LARGEST_DOCUMENT, bytes=_DOCUMENT_BYTES
    )


def _texts(engine: Asked) -> dict[str, Any]:
    scale, square_scale = steps(_LARGEST_LOG_RATIO), steps(1.0)
    engine.execute("document_likeness", longest=LONGEST_TEXT)
    row = one_row(engine.table("text_sums", scale=scale, square_scale=square_scale))
    n = row["texts"]
    sums = {name: int(row.pop(name)) for name in ("likeness", "likeness_squares", "longer")}
    if not n:
        return row
    mean = sums["likeness"] / n / scale
    square = sums["likeness_squares"] / n / square_scale
    return row | {
        "likeness": mean,
        "likeness_sd": math.sqrt(max(square - mean**2, 0.0)),
        "longest_text": LONGEST_TEXT,
        "length_ratio": math.exp(sums["longer"] / n / scale),
    }


def _coordinates(engine: Asked, largest: float, tolerance: Tolerance) -> pa.Table:
    import polars as pl

    scale, square_scale = steps(largest), steps(largest * largest)
    rows = []
    table = engine.table(
        "vector_coordinates",
        scale=scale,
        square_scale=square_scale,
        atol=tolerance.atol,
        rtol=tolerance.rtol,
    )
    for row in table.to_pylist():
        n = row["vectors"]
        bias = int(row["change"]) / n / scale
        square = int(row["change_squares"]) / n / square_scale
        spread = math.sqrt(max(square - bias**2, 0.0))
        rows.append((row["place"], n, bias, spread, row["apart"], row["shifted"]))
    schema = {
        "place": pl.Int64,
        "vectors": pl.Int64,
        "bias": pl.Float64,
        "difference_sd": pl.Float64,
        "apart": pl.Int64,
        "shifted": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").to_arrow()
