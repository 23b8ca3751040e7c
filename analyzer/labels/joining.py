"""Ground truth: one label an ID -> the pairs it names -> sums that say who was right.

In: lines of label files, and the engine's tables `pairs` and `predictions`. Out: reading files
(`files`), judging (`metrics.accuracy`).

Labels come late and in part: a pair without one is not judged, a label without a pair is counted.
What leaves here adds up over any split of the data: counts, counts by bucket, fixed-point sums.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from analyzer.asked import one_row
from analyzer.figures import counted, grouped
from analyzer.labels.files import read_labels
from analyzer.model import Note
from analyzer.sources.objects import printable
from analyzer.stats.fixed_point import steps
from analyzer.stats.root_error import SquareMoments, root_difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    from analyzer.asked import Asked, Rows
    from analyzer.engine import Engine
    from analyzer.policy import Policy
    from analyzer.sources import Listing
    from analyzer.steps import Progress

_LARGEST_LOSS = 64.0  # above -ln(1e-15)
_LEAST_NAMED, _MOST_NAMED = 20, 4
_FITTING = {
    "probability": "0 or 1, true or false",
    "regression": "a number",
    "vector": "no label",
}
_DOCUMENTS = frozenset({"json", "text"})
_OF_ANSWERS = ("label_commonest", "label_hours", "label_selection")
_PRODUCTS = ("chance_products", "chance_cubes", "production_products", "shadow_products")
_QUESTIONS = {
    "probability": (*_OF_ANSWERS, "label_losses", "label_score_cells", "label_reliability"),
    "regression": ("label_error_extent",),
    "vector": (),
}
"""By kind of outputs; all others are answers that are right or wrong."""


@dataclass(frozen=True)
class Labelled:
    """What the labels of a run came to.

    Attributes:
        tables: `label_counts`, `label_hours`, `label_selection` and `label_score_cells` for the
            metrics; `labels`, `label_outcomes` and `calibration` for the report.
        digest: of the usable labels as a set and of the number of other lines, by code.
        notes: how many pairs have a label, and what was left out.
    """

    tables: dict[str, pa.Table]
    digest: str
    notes: tuple[Note, ...]


def join_labels(
    engine: Engine, files: Listing, max_line_bytes: int, progress: Progress
) -> tuple[Note, ...]:
    """Read the labels and find the pairs they name: `labels` and `label_pairs`.

    Args:
        engine: holds `pairs`; has the macros of capture_macros and prediction_macros.
        files: what `find_labels` found.
        max_line_bytes: a longer line is counted and not read.
        progress: told after every file.

    Returns:
        A note for each file that is damaged and was read as far as that.

    Raises:
        AccessError: a file cannot be read any more; a re-run may help.
    """
    damaged = read_labels(engine, files, max_line_bytes, progress)
    name_pairs(engine)
    return damaged


def name_pairs(engine: Rows) -> None:
    """Add to `label_pairs` which of `labels`, made where they are not yet, names which pair.

    Those of an ID must lie together.
    """
    if not engine.files("labels"):
        engine.keep("label_ids", table="labels")
    engine.keep("label_pairs")


def sum_labels(engine: Asked, policy: Policy, kind: str, damaged: Iterable[Note]) -> Labelled:
    """Reduce labelled pairs to sums.

    Args:
        engine: holds what `join_labels` has found and, unless the outputs are documents,
            `predictions`.
        policy: how outputs become predictions.
        kind: of the outputs, as `payloads.detect` names it.
        damaged: what `join_labels` noted.
    """
    codes = engine.table("label_codes").to_pylist()
    counts = one_row(engine.table("label_fates"))
    counts["pairs"] = one_row(engine.table("pairing_facts"))["pairs"]
    tables: dict[str, pa.Table] = {}
    noted: list[Note] = []
    if kind not in _DOCUMENTS:
        label_at = policy.predictions.label_at if kind == "probability" else None
        engine.each(partial(_keep_predictions, kind=kind, label_at=label_at))
        asked = ("label_outcomes", *_QUESTIONS.get(kind, _OF_ANSWERS))
        if set(_OF_ANSWERS) <= set(asked):
            engine.reduce("label_truths")
            engine.reduce("label_answers", label_at=label_at)
        scales = {f"{name}_scale": steps for name, steps in _LOSS_STEPS.items()}
        found = engine.tables(*asked, kind=kind, scale=steps(1.0), **scales)
        counts |= _outcomes(found)
        if kind == "probability":
            counts |= _losses(found["label_losses"])
            tables["label_score_cells"] = found["label_score_cells"]
            tables["calibration"] = _reliability(found["label_reliability"])
        if kind == "regression":
            counts |= _errors(engine, found["label_error_extent"])
        elif kind != "vector":
            tables["label_outcomes"] = _outcome_table(counts)
            tables |= {name: found[name] for name in ("label_hours", "label_selection")}
        noted.extend(_misfit_notes(engine, policy, kind, counts["unusable"]))
    left_out = {row["code"]: row["lines"] for row in codes if row["code"] is not None}
    fates = list(_fates(counts, left_out))
    tables["labels"] = pl.DataFrame(fates, schema=_FATES, orient="row").to_arrow()
    tables["label_counts"] = pl.DataFrame([counts]).to_arrow()
    return Labelled(tables, _digest(codes), (*_notes(counts, fates), *noted, *damaged))


def _keep_predictions(engine: Rows, kind: str, label_at: float | None) -> None:
    if not engine.files("label_pairs"):  # rows of which no label names any
        engine.keep("label_pairs_none", table="label_pairs")
    engine.keep("label_predictions", kind=kind, label_at=label_at)


def _outcomes(found: Mapping[str, pa.Table]) -> dict[str, Any]:
    row = one_row(found["label_outcomes"])
    row["prediction_squares"] = float(int(row["prediction_squares"]))
    if "label_commonest" not in found:
        return row
    commonest = one_row(found["label_commonest"])
    return row | commonest | {name: float(int(commonest[name])) for name in _PRODUCTS}


def _losses(losses: pa.Table) -> dict[str, Any]:
    """Mean log loss and Brier score of both variants, and the spread of their differences."""
    row = {key: int(text) for key, text in one_row(losses).items()}
    found: dict[str, Any] = {"outside": row["outside"]}
    if not row["predictions"]:
        return found
    for name, squares in (("loss", "loss_square"), ("brier", "brier")):
        found |= _moments(row, name, _LOSS_STEPS[name], _LOSS_STEPS[squares])
    return found


def _errors(engine: Asked, extent: pa.Table) -> dict[str, Any]:
    """Mean and root mean square distance from the labels, and the spread of their differences."""
    largest = one_row(extent)["largest_error"]
    if largest is None:
        return {}
    scale, square_scale = steps(largest), steps(largest * largest)
    unit, one = largest if largest > 0 else 1.0, steps(1.0)
    scales = {"scale": scale, "square_scale": square_scale, "largest": unit, "one": one}
    row = {key: int(text) for key, text in one_row(engine.table("label_errors", **scales)).items()}
    n = row["predictions"]
    squares = [row[f"{side}_squares"] / n / square_scale for side in ("production", "shadow")]
    fourths = ("production_fourths", "shadow_fourths", "products")
    parts = (square / unit / unit for square in squares)
    moments = SquareMoments(*parts, *(row[name] / n / one for name in fourths))
    roots = {
        "production_root_error": math.sqrt(squares[0]),
        "shadow_root_error": math.sqrt(squares[1]),
        "root_error_sd": root_difference(moments)[1] * unit,
    }
    return _moments(row, "error", scale, square_scale) | roots


def _moments(row: dict[str, int], name: str, scale: float, square_scale: float) -> dict[str, float]:
    n = row["predictions"]
    production, shadow = (row[f"{side}_{name}"] / n / scale for side in ("production", "shadow"))
    square = row[f"{name}_squares"] / n / square_scale
    return {
        f"production_{name}": production,
        f"shadow_{name}": shadow,
        f"{name}_sd": math.sqrt(max(square - (shadow - production) ** 2, 0.0)),
    }


_LOSS_STEPS = {
    "loss": steps(_LARGEST_LOSS),
    "loss_square": steps(_LARGEST_LOSS**2),
    "brier": steps(1.0),
}


def _reliability(tenths: pa.Table) -> pa.Table:
    """Stated against observed shares: variant, lower, upper, predictions, stated, happened."""
    scale = steps(1.0)
    rows = [
        (
            row["variant"],
            row["tenth"] / 10,
            (row["tenth"] + 1) / 10,
            row["predictions"],
            int(row["score_sum"]) / scale / row["predictions"],
            row["positive"] / row["predictions"],
        )
        for row in tenths.to_pylist()
    ]
    return pl.DataFrame(rows, schema=_RELIABILITY, orient="row").to_arrow()


_RELIABILITY = {
    "variant": pl.String,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "predictions": pl.Int64,
    "stated": pl.Float64,
    "happened": pl.Float64,
}


def _outcome_table(counts: dict[str, Any]) -> pa.Table:
    rows = [
        ("right", "right", counts["both_right"]),
        ("right", "wrong", counts["production_right"]),
        ("wrong", "right", counts["shadow_right"]),
        ("wrong", "wrong", counts["both_wrong"]),
    ]
    schema = {"production": pl.String, "shadow": pl.String, "predictions": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").to_arrow()


_FATES = {"code": pl.String, "count": pl.Int64, "unit": pl.String}


def _fates(counts: dict[str, Any], left_out: dict[str, int]) -> Iterator[tuple[str, int, str]]:
    """What became of every label and every pair, by code."""
    unlabelled = counts["pairs"] - sum(
        counts[f"{kind}_pairs"] for kind in ("labelled", "ambiguous", "conflict")
    )
    yield "label.matched", counts["matched"], "ID"
    yield "label.unmatched", counts["unmatched"], "ID"
    yield "label.conflict", counts["conflicts"], "ID"
    yield "label.repeated", counts["repeated"], "line"
    for code, lines in sorted(left_out.items()):
        yield code, lines, "line"
    yield "label.paired", counts["labelled_pairs"], "pair"
    yield "label.missing", unlabelled, "pair"
    yield "label.conflicting-pair", counts["conflict_pairs"], "pair"
    yield "label.ambiguous-id", counts["ambiguous_pairs"], "pair"
    if "compared_pairs" in counts:
        yield "label.not-comparable", counts["labelled_pairs"] - counts["compared_pairs"], "pair"
        yield "label.misfit", counts["unusable"], "prediction"


_ALWAYS_SAID = frozenset({"label.matched", "label.unmatched", "label.paired", "label.missing"})


def _notes(counts: dict[str, Any], fates: Iterable[tuple[str, int, str]]) -> Iterator[Note]:
    yield Note(
        code="labels",
        text=f"{grouped(counts['labelled_pairs'])} of {counted(counts['pairs'], 'pair')} have a "
        f"label; {counted(counts['unmatched'], 'labelled ID')} of "
        f"{grouped(counts['matched'] + counts['unmatched'])} match no pair",
    )
    others = [
        f"{counted(count, unit)} {code}"
        for code, count, unit in fates
        if count and code not in _ALWAYS_SAID
    ]
    if others:
        yield Note(code="labels-left-out", text=f"labels counted apart: {', '.join(others)}")


def _misfit_notes(engine: Asked, policy: Policy, kind: str, misfits: int) -> Iterator[Note]:
    """What labels say that do not fit, and what would; a rare one may be somebody's name."""
    if not misfits:
        return
    engine.reduce("label_misfits")
    least = 1 if policy.redaction.payloads == "shown" else _LEAST_NAMED
    named = engine.table("shown_misfits", least=least, most=_MOST_NAMED).to_pylist()
    seen = [f"{printable(row['label'])} ({grouped(row['predictions'])})" for row in named]
    rest = misfits - sum(row["predictions"] for row in named)
    seen += [f"others ({grouped(rest)})"] if rest else []
    yield Note(
        code="label-misfits",
        text=f"labels of {counted(misfits, 'prediction')} do not fit outputs read as {kind}, which "
        f"take {_FITTING.get(kind, 'the names that the outputs have')}; seen: {', '.join(seen)}",
    )


def _digest(codes: Iterable[dict[str, Any]]) -> str:
    """Of the labels as a set: neither files nor order change it."""
    text = "".join(
        f"{row['code']} {row['lines']} {row['hash_sum']} {row['hash_xor']}\n" for row in codes
    )
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
