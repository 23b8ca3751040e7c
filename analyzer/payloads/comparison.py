"""Every pair's outputs decoded, compared and reduced to small tables, by SQL.

In: which query runs with which parameters, and the exact arithmetic between two of them. Out: what
the tables mean for a verdict (`metrics.divergence`).

Determinism: what reaches the verdict is counts, extremes and fixed-point sums, so that threads, row
order and any split of the data give the same bytes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from analyzer.asked import one_row
from analyzer.payloads.closely import (
    document_tables,
    number_counts,
    row_counts_by_lag,
    vector_tables,
)
from analyzer.payloads.decoding import decode_binary
from analyzer.payloads.missing import missing_tables
from analyzer.payloads.scores import Tolerance, score_counts, score_tables
from analyzer.payloads.shape import OutputShape, detect

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from analyzer.asked import Asked, Rows
    from analyzer.payloads.missing import Unpaired
    from analyzer.policy import Policy, Redaction

_SAMPLE_OUTPUTS = 2_000
_SAMPLE_BYTES = 64 << 20
_BATCH = 10_000
_BINS = 50
_DIFFERENCE_BINS, _REACH = 33, 4.0  # odd, so that the bias lies in the middle of a bin
RARE, ANOTHER = "(rare label)", "(another rare label)"
_LEAST_LABELLED, _MOST_LABELS = 20, 100
_LEAST_APART = 50
"""Uses of a label that is judged by itself: enough where the variants differ in 3 of 10."""
_MOST_ROWS = 1_024
"""Of an answer with several predictions, from either end."""
LONGEST_OUTPUT = 2_000
"""Characters of an output that a policy which shows payloads shows."""
_DOCUMENTS = frozenset({"json", "text"})
_COMPARING = {
    "label": "prediction_labels",
    "multiclass": "prediction_vectors",
    "vector": "prediction_vectors",
}
_CONTRACT = ("contract_counts", "contract_changes", "contract_hours")
_LISTS = frozenset({"multiclass", "vector"})
_SCORES = frozenset({"probability", "regression"})


def prepare(
    engine: Asked, policy: Policy, *, unpaired: Unpaired | None = None
) -> dict[str, pa.Table]:
    """Tables that say how the two variants' outputs differ, from `pairs` and `repeated_inputs`.

    Args:
        engine: holds them.
        policy: how outputs become predictions.
        unpaired: production's records without a partner, where they are worth a look.

    Returns:
        By name: `prediction_shape` (kind, path, notes), `prediction_counts` (one row),
        `contract_changes`, `worst_pairs`, with a policy that shows payloads `worst_outputs`, and,
        where predictions are numbers or labels, `score_histogram`, `score_grid`,
        `score_agreement`, `difference_histogram`, `flips`, `flip_distance`; for the metrics
        `label_flips`, `answer_counts`, `difference_counts`, `score_marginals` and
        `score_bias_minutes`; of scores `shift_sizes`, from which another run counts shifts beyond a
        size of its own.

    Raises:
        PolicyError: `predictions.path` is not a path.
    """
    engine.each(_decode_binary)
    sample = engine.table("prediction_sample", size=_SAMPLE_OUTPUTS, bytes=_SAMPLE_BYTES)
    shape = detect(_texts(sample, "text"), policy.predictions)
    tolerance = tolerance_of(policy)
    label_at = policy.predictions.label_at if shape.kind == "probability" else None
    compare = partial(_compare, shape=shape, tolerance=tolerance, label_at=label_at)
    engine.each(compare)
    if shape.kind not in _DOCUMENTS:
        engine.reduce("prediction_label_counts")
    asked = engine.tables(*_CONTRACT, *(() if shape.kind in _DOCUMENTS else ("prediction_extent",)))
    counts = _contract_counts(asked["contract_counts"])
    tables: dict[str, pa.Table] = {}
    if shape.kind in _DOCUMENTS:
        fields = shape.kind == "json"
        found, tables = document_tables(
            engine, shape.sql_path, tolerance, policy.redaction, fields=fields
        )
        counts |= found
    else:
        noise = Tolerance(policy.predictions.atol, policy.predictions.rtol)
        extent = one_row(asked["prediction_extent"])
        counts |= _prediction_counts(engine, extent, noise, tolerance, label_at)
        counts |= {"atol": tolerance.atol, "rtol": tolerance.rtol}
        if shape.kind in _LISTS and counts["largest_difference"] is not None:
            found, tables = vector_tables(engine, counts["largest_difference"], tolerance)
            counts |= found
        named = _named_labels(engine, policy.redaction)
        tables |= _spread(engine, shape, label_at, counts, noise, named=named)
        if shape.kind in _SCORES and tables["row_counts"].num_rows:
            counts |= row_counts_by_lag(engine)
        if shape.sql_number is not None:
            counts |= number_counts(engine, shape.sql_number, noise)
    tables |= _outputs(engine, policy.redaction, tables["worst_pairs"])
    if unpaired is not None:
        tables |= missing_tables(engine, shape, counts, unpaired)
    return {
        "prediction_shape": _shape_table(shape),
        "contract_changes": asked["contract_changes"],
        "contract_hours": asked["contract_hours"],
        "prediction_counts": _row_table(counts),
        **tables,
    }


def tolerance_of(policy: Policy) -> Tolerance:
    """The tolerance of a shift: numeric noise, or under a model change what the policy allows."""
    rules = policy.predictions
    if policy.change == "model" and rules.tolerance is not None:
        return Tolerance(rules.tolerance, 0.0)
    return Tolerance(rules.atol, rules.rtol)


def _decode_binary(engine: Rows) -> None:
    """Decode outside the database what SQL cannot read: NumPy arrays and loose BASE64."""
    engine.execute("prediction_macros")
    engine.keep("prediction_decoded")
    engine.keep("prediction_binary")
    engine.execute("prediction_texts")
    first = 1
    while True:
        last = first + _BATCH - 1
        batch = engine.table("prediction_binary_batch", first=first, last=last)
        if batch.num_rows == 0:
            return
        texts = pl.Series([decode_binary(data) for data in _texts(batch, "data")], dtype=pl.String)
        decoded = batch.drop_columns(["data"]).append_column("text", texts.to_arrow())
        with engine.lend(decoded_batch=decoded):
            engine.keep("prediction_decoded_batch", table="prediction_decoded")
            engine.execute("prediction_texts")
        first = last + 1


def _compare(
    engine: Rows, *, shape: OutputShape, tolerance: Tolerance, label_at: float | None
) -> None:
    """Fill `contract_pairs` and, where outputs hold predictions, `predictions`."""
    if shape.kind in _DOCUMENTS:
        engine.keep("contract_documents", table="contract_pairs", json_path=shape.sql_path)
        return
    engine.keep(
        "prediction_values",
        json_key=shape.sql_key,
        json_owners=shape.sql_owners,
        json_path=shape.sql_path,
        json_rows=shape.sql_rows,
        csv_column=shape.csv_column,
        document_fields=shape.document_fields.sql_paths,
        document_kinds=shape.document_fields.sql_kinds,
        row_fields=shape.row_fields.sql_paths,
        row_kinds=shape.row_fields.sql_kinds,
        document_labels=shape.document_fields.sql_labels,
        row_labels=shape.row_fields.sql_labels,
    )
    engine.keep(
        _COMPARING.get(shape.kind, "prediction_scores"),
        table="predictions",
        by_largest=shape.kind == "multiclass",
        shares=shape.kind == "probability",
        label_at=label_at,
        atol=tolerance.atol,
        rtol=tolerance.rtol,
    )
    engine.keep("contract_rows", table="contract_pairs")


def _contract_counts(table: pa.Table) -> dict[str, Any]:
    row = one_row(table)
    return row | {
        "judged_squares": float(int(row["judged_squares"])),
        "answered_squares": float(int(row["answered_squares"])),
    }


def _prediction_counts(
    engine: Asked,
    extent: dict[str, Any],
    noise: Tolerance,
    tolerance: Tolerance,
    label_at: float | None,
) -> dict[str, Any]:
    """Counts of predictions, and of scores what `scores` makes of them."""
    counts = extent | one_row(engine.table("prediction_commonest"))
    counts["prediction_squares"] = float(int(extent["prediction_squares"]))
    if extent["lowest"] is None:
        return counts
    return counts | score_counts(engine, extent, noise, tolerance, label_at)


def _spread(
    engine: Asked,
    shape: OutputShape,
    label_at: float | None,
    counts: dict[str, Any],
    noise: Tolerance,
    *,
    named: list[str] | None,
) -> dict[str, pa.Table]:
    """Tables of how predictions are spread: for the report, and for what one row cannot hold."""
    naming: dict[str, object] = {"named": named, "rare": RARE, "another": ANOTHER}
    asked: dict[str, object] = {"far": counts.get("large_shift"), "label_at": label_at}
    asked |= {"atol": noise.atol, "rtol": noise.rtol, "most": _MOST_ROWS}
    names = ["prediction_hours", "row_counts"]
    engine.reduce("worst_predictions")
    if shape.kind != "label":
        engine.reduce("difference_cells")
    if shape.kind not in {"regression", "vector"}:
        at = f"{label_at:g}" if label_at is not None else ""
        below, above = sides = (f"below {at}", f"{at} or above")
        engine.reduce("flip_counts", label_at=label_at, below=below, above=above)
    if shape.kind in _SCORES:
        names += ["score_histogram", "score_grid", "score_agreement", "shift_sizes"]
        asked |= _axis(engine, shape, counts) | _difference_axis(counts)
    if label_at is not None:
        names += ["flip_distance"]
        asked |= {"flip_width": max(label_at, 1 - label_at, 0.5) / 20, "flip_bins": 20}
    tables = engine.tables(*names, **asked)
    tables["worst_pairs"] = engine.table("worst_pairs", **naming)
    if shape.kind != "label":
        tables |= engine.tables("difference_counts", "difference_histogram")
    if shape.kind not in {"regression", "vector"}:
        tables["label_flips"] = engine.table("label_flips")
        tables["answer_counts"] = engine.table(
            "answer_counts",
            label_at=label_at,
            below=below,
            above=above,
            named=_frequent_labels(engine, _LEAST_APART),
            rare=RARE,
        )
        if label_at is not None:
            naming["named"] = [*sides]
        tables["flips"] = engine.table("flips", **naming)
    if counts.get("step") is not None:
        tables |= score_tables(engine, counts["step"])
    return tables


def _named_labels(engine: Asked, redaction: Redaction) -> list[str] | None:
    """The labels that may be named; None for all, where the policy shows payloads.

    What is read as a label may be a customer's name. A class is given again and again.
    """
    if redaction.payloads == "shown":
        return None
    return _frequent_labels(engine, _LEAST_LABELLED)


def _frequent_labels(engine: Asked, least: int) -> list[str]:
    """The labels that either variant gives so often, the commonest hundred."""
    return _texts(engine.table("shown_labels", least=least, most=_MOST_LABELS), "label")


def _outputs(engine: Asked, redaction: Redaction, worst: pa.Table) -> dict[str, pa.Table]:
    """The answers of the most divergent pairs, as far as the policy shows them."""
    if redaction.payloads == "none":
        return {}
    hashed = redaction.payloads == "hashed"
    pair_ids = worst["pair_id"].to_pylist()
    return engine.tables("worst_outputs", pair_ids=pair_ids, longest=LONGEST_OUTPUT, hashed=hashed)


def _axis(engine: Asked, shape: OutputShape, counts: dict[str, Any]) -> dict[str, object]:
    """The bins that scores are drawn in."""
    lowest, highest = 0.0, 1.0
    if shape.kind == "regression":
        place = {key: counts.get(key) for key in ("centre", "spread", "lowest", "highest")}
        extent = one_row(engine.table("score_range", **place)) if "centre" in counts else {}
        lowest, highest = extent.get("lower") or 0.0, extent.get("upper") or 0.0
    return {"lowest": lowest, "width": (highest - lowest) / _BINS or 1.0, "bins": _BINS}


def _difference_axis(counts: Mapping[str, Any]) -> dict[str, object]:
    """The bins that differences are drawn in: twice as far from the bias as the limits lie."""
    reach = _REACH * float(counts.get("difference_sd") or 0.0)
    return {
        "least_difference": float(counts.get("bias") or 0.0) - reach,
        "step_difference": 2 * reach / _DIFFERENCE_BINS or 1.0,
        "difference_bins": _DIFFERENCE_BINS,
    }


def _shape_table(shape: OutputShape) -> pa.Table:
    rows = [(shape.kind, shape.shown_path, note.code, note.text) for note in shape.notes]
    unnoted = (shape.kind, shape.shown_path, None, None)
    columns = dict.fromkeys(("kind", "path", "code", "text"), pl.String)
    return pl.DataFrame(rows or [unnoted], schema=columns, orient="row").to_arrow()


def _texts(table: pa.Table, column: str) -> list[str]:
    return [str(text) for text in table.column(column).to_pylist()]


def _row_table(row: dict[str, Any]) -> pa.Table:
    return pl.DataFrame([row]).to_arrow()
