"""Every pair's outputs decoded, compared and reduced to small tables, by SQL.

In: which query runs with which parameters, and the exact arithmetic between two of them. Out: what
the tables mean for a verdict (`metrics.divergence`).

Determinism: what reaches the verdict is counts, extremes and fixed-point sums, so that threads, row
order and any split of the data give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from analyzer.payloads.closely import document_tables, vector_tables
from analyzer.payloads.decoding import decode_binary
from analyzer.payloads.missing import missing_tables
from analyzer.payloads.scores import Tolerance, one_row, score_counts, score_tables
from analyzer.payloads.shape import OutputShape, detect

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    import pyarrow as pa

    from analyzer.policy import Policy, Redaction

_SAMPLE_OUTPUTS = 2_000
_SAMPLE_BYTES = 64 << 20
_BATCH = 10_000
_BINS = 50
LONGEST_OUTPUT = 2_000
"""Characters of an output that a policy which shows payloads shows."""
_DOCUMENTS = frozenset({"json", "text"})
_COMPARING = {
    "label": "prediction_labels",
    "multiclass": "prediction_vectors",
    "vector": "prediction_vectors",
}
_LISTS = frozenset({"multiclass", "vector"})
_SCORES = frozenset({"probability", "regression"})


class Engine(Protocol):
    """What this module asks of the table engine."""

    def table(self, name: str, **params: object) -> pa.Table:
        """What `sql/<name>.sql` gives."""

    def execute(self, name: str, **params: object) -> int:
        """Run `sql/<name>.sql` for its effect."""

    def keep(
        self, name: str, *, table: str | None = None, replace: bool = False, **params: object
    ) -> int:
        """Add what `sql/<name>.sql` gives to a table on disk."""

    def lend(self, **tables: pa.Table) -> AbstractContextManager[None]:
        """Make Arrow tables readable from SQL inside the block."""


def prepare(
    engine: Engine, policy: Policy, *, lost_in: tuple[datetime, datetime] | None = None
) -> dict[str, pa.Table]:
    """Tables that say how the two variants' outputs differ, from `pairs` and `repeated_inputs`.

    Args:
        engine: holds them.
        policy: how outputs become predictions.
        lost_in: the window, UTC without saying so, where production's records without a partner
            are worth a look.

    Returns:
        By name: `prediction_shape` (kind, path, notes), `prediction_counts` (one row),
        `contract_changes`, `worst_pairs`, with a policy that shows payloads `worst_outputs`, and,
        where predictions are numbers or labels, `score_histogram`, `score_grid`,
        `difference_histogram`, `flips`, `flip_distance`; for the metrics `difference_counts`,
        `score_marginals` and `score_bias_minutes`; of scores `shift_sizes`, from which another run
        counts shifts beyond a size of its own.

    Raises:
        PolicyError: `predictions.path` is not a path.
    """
    _decode_binary(engine)
    sample = engine.table("prediction_sample", size=_SAMPLE_OUTPUTS, bytes=_SAMPLE_BYTES)
    shape = detect(_texts(sample, "text"), policy.predictions)
    tolerance = tolerance_of(policy)
    label_at = policy.predictions.label_at if shape.kind == "probability" else None
    _compare(engine, shape, tolerance, label_at)
    counts = _contract_counts(engine)
    tables: dict[str, pa.Table] = {}
    if shape.kind in _DOCUMENTS:
        fields = shape.kind == "json"
        found, tables = document_tables(
            engine, shape.sql_path, tolerance, policy.redaction, fields=fields
        )
        counts |= found
    else:
        noise = Tolerance(policy.predictions.atol, policy.predictions.rtol)
        counts |= _prediction_counts(engine, noise, label_at)
        counts |= {"atol": tolerance.atol, "rtol": tolerance.rtol}
        tables["prediction_hours"] = engine.table(
            "prediction_hours", far=counts.get("large_shift"), atol=noise.atol, rtol=noise.rtol
        )
        if shape.kind in _LISTS and counts["largest_difference"] is not None:
            found, tables = vector_tables(engine, counts["largest_difference"])
            counts |= found
        tables |= _spread(engine, shape, label_at, counts.get("step"))
    tables |= _outputs(engine, policy.redaction, tables["worst_pairs"])
    if lost_in is not None:
        tables |= missing_tables(engine, shape, counts, *lost_in)
    return {
        "prediction_shape": _shape_table(shape),
        "contract_changes": engine.table("contract_changes"),
        "contract_hours": engine.table("contract_hours"),
        "prediction_counts": _row_table(counts),
        **tables,
    }


def tolerance_of(policy: Policy) -> Tolerance:
    """The tolerance of a shift: numeric noise, or under a model change what the policy allows."""
    rules = policy.predictions
    if policy.change == "model" and rules.tolerance is not None:
        return Tolerance(rules.tolerance, 0.0)
    return Tolerance(rules.atol, rules.rtol)


def _decode_binary(engine: Engine) -> None:
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
    engine: Engine, shape: OutputShape, tolerance: Tolerance, label_at: float | None
) -> None:
    """Fill `contract_pairs` and, where outputs hold predictions, `predictions`."""
    if shape.kind in _DOCUMENTS:
        engine.keep("contract_documents", table="contract_pairs", json_path=shape.sql_path)
        return
    engine.keep(
        "prediction_values",
        json_path=shape.sql_path,
        json_rows=shape.sql_rows,
        csv_column=shape.csv_column,
    )
    engine.keep(
        _COMPARING.get(shape.kind, "prediction_scores"),
        table="predictions",
        by_largest=shape.kind == "multiclass",
        label_at=label_at,
        atol=tolerance.atol,
        rtol=tolerance.rtol,
    )
    engine.keep("contract_rows", table="contract_pairs")


def _contract_counts(engine: Engine) -> dict[str, Any]:
    row = one_row(engine.table("contract_counts"))
    return row | {
        "judged_squares": float(int(row["judged_squares"])),
        "answered_squares": float(int(row["answered_squares"])),
    }


def _prediction_counts(engine: Engine, noise: Tolerance, label_at: float | None) -> dict[str, Any]:
    """Counts of predictions, and of scores what `scores` makes of them."""
    extent = one_row(engine.table("prediction_extent"))
    counts = extent | one_row(engine.table("prediction_commonest"))
    counts["prediction_squares"] = float(int(extent["prediction_squares"]))
    if extent["lowest"] is None:
        return counts
    return counts | score_counts(engine, extent, noise, label_at)


def _spread(
    engine: Engine, shape: OutputShape, label_at: float | None, step: float | None
) -> dict[str, pa.Table]:
    """Tables of how predictions are spread: for the report, and for what one row cannot hold."""
    tables = {"worst_pairs": engine.table("worst_pairs")}
    if shape.kind != "label":
        engine.execute("difference_cells")
        tables["difference_counts"] = engine.table("difference_counts")
        tables["difference_histogram"] = engine.table("difference_histogram")
    if shape.kind not in {"regression", "vector"}:
        at = f"{label_at:g}" if label_at is not None else ""
        tables["flips"] = engine.table(
            "flips", label_at=label_at, below=f"below {at}", above=f"{at} or above"
        )
    if shape.kind in _SCORES:
        tables |= _score_tables(engine, shape)
    if step is not None:
        tables |= score_tables(engine, step)
    if label_at is not None:
        width = max(label_at, 1 - label_at, 0.5) / 20
        tables["flip_distance"] = engine.table(
            "flip_distance", label_at=label_at, width=width, bins=20
        )
    return tables


def _outputs(engine: Engine, redaction: Redaction, worst: pa.Table) -> dict[str, pa.Table]:
    """The answers of the most divergent pairs, as far as the policy shows them."""
    if redaction.payloads == "none":
        return {}
    hashed = redaction.payloads == "hashed"
    with engine.lend(worst_pairs=worst):
        outputs = engine.table("worst_outputs", longest=LONGEST_OUTPUT, hashed=hashed)
    return {"worst_outputs": outputs}


def _score_tables(engine: Engine, shape: OutputShape) -> dict[str, pa.Table]:
    lowest, highest = 0.0, 1.0
    if shape.kind == "regression":
        extent = one_row(engine.table("score_range"))
        lowest, highest = extent["lower"] or 0.0, extent["upper"] or 0.0
    width = (highest - lowest) / _BINS or 1.0
    axis = {"lowest": lowest, "width": width, "bins": _BINS}
    drawn = {name: engine.table(name, **axis) for name in ("score_histogram", "score_grid")}
    return drawn | {"shift_sizes": engine.table("shift_sizes")}


def _shape_table(shape: OutputShape) -> pa.Table:
    rows = [(shape.kind, shape.shown_path, note.code, note.text) for note in shape.notes]
    unnoted = (shape.kind, shape.shown_path, None, None)
    columns = dict.fromkeys(("kind", "path", "code", "text"), pl.String)
    return pl.DataFrame(rows or [unnoted], schema=columns, orient="row").to_arrow()


def _texts(table: pa.Table, column: str) -> list[str]:
    return [str(text) for text in table.column(column).to_pylist()]


def _row_table(row: dict[str, Any]) -> pa.Table:
    return pl.DataFrame([row]).to_arrow()
