"""Which questions parts answer, and how their answers become the answer over all rows.

In: the names of `sql/`. Out: what they mean. A question that stands in neither table is refused: a
sum of answers that do not add up, or an answer from a sample, would look like any other.
"""

from __future__ import annotations

from analyzer.engine import Adding

_ONE = Adding()
ADDED: dict[str, Adding] = {
    "capture_extent": Adding(("role",), least=("first_at",), most=("last_at",), order="role"),
    "capture_without_zone": _ONE,
    "capture_reject_codes": Adding(("code",), order="code"),
    "capture_side_codes": Adding(("code",), order="code"),
    "capture_side_rejects": Adding(rows=True, order="object_id, line_number", limit=1),
    "capture_rejects_listed": Adding(
        rows=True, order="role, object_key, line_number", limit=10_000
    ),
    "capture_fate_counts": Adding(
        ("kind", "role", "hour", "inside", "pair_inside"), least=("first_at",), most=("last_at",)
    ),
    "pair_event_overlap": _ONE,
    "pair_carriers": Adding(most=("production", "shadow")),
    "pair_reused_ids": _ONE,
    "pair_repeated_ids": _ONE,
    "pair_sample": Adding(rows=True),
    "pairing_counts": Adding(most=("max_abs_skew_s",)),
    "pair_skews": Adding(("skew_s",)),
    "contract_counts": _ONE,
    "contract_changes": Adding(("code",), order="code"),
    "contract_hours": Adding(("hour",), order="hour"),
    "prediction_extent": Adding(least=("lowest",), most=("highest", "largest_difference")),
    "prediction_label_counts": Adding(("role", "label")),
    "prediction_thresholds": _ONE,
    "prediction_hours": Adding(("hour",), order="hour"),
    "score_minutes": Adding(("minute",)),
    "score_cells": Adding(
        ("production_bucket", "shadow_bucket", "production_positive"),
        least=("lowest", "production_lowest"),
        most=("highest", "production_highest"),
    ),
    "score_bucket_scores": Adding(("score",), order="score desc"),
    "score_stretches": Adding(
        ("bucket",), least=("lowest",), most=("highest",), order="bucket desc"
    ),
    "score_histogram": Adding(("role", "lower", "upper"), order="role, lower"),
    "score_grid": Adding(
        ("production_lower", "production_upper", "shadow_lower", "shadow_upper"),
        order="production_lower, shadow_lower",
    ),
    "score_agreement": Adding(
        ("mean_lower", "mean_upper", "difference_lower", "difference_upper"),
        order="mean_lower, difference_lower",
    ),
    "shift_sizes": Adding(("step",), order="step"),
    "flip_distance": Adding(("lower", "upper"), order="lower"),
    "flip_counts": Adding(("production_label", "shadow_label")),
    "answer_counts": Adding(("answer",), order="answer"),
    "row_counts": Adding(("from_end", "row"), order="from_end, row"),
    "difference_cells": Adding(("bucket",)),
    "worst_predictions": Adding(
        rows=True, order="difference desc, flipped desc, pair_id, row_index", limit=20_000
    ),
    "worst_outputs": Adding(rows=True, order="rank"),
    "worst_slices": Adding(rows=True, order="slice, rank"),
    "slice_frequencies": Adding(("slice", "value")),
    "slice_stretches": Adding(("stretch", "piece"), least=("lowest",), most=("highest",)),
    "slice_sums": Adding(("slice", "kind", "value", "range_lower", "range_upper")),
    "label_codes": Adding(("code",), either=("hash_xor",), order="code nulls first"),
    "label_fates": _ONE,
    "label_hours": Adding(("hour",), order="hour"),
    "label_outcomes": _ONE,
    "label_truths": Adding(("label",)),
    "label_misfits": Adding(("label",)),
    "label_answers": Adding(
        ("answer", "flipped", "has_label", "truth", "production_right", "shadow_right")
    ),
    "label_losses": _ONE,
    "label_error_extent": Adding(most=("largest_error",)),
    "label_errors": _ONE,
    "label_reliability": Adding(("variant", "tenth"), order="variant, tenth"),
    "label_score_cells": Adding(
        ("production_bucket", "shadow_bucket"), order="production_bucket, shadow_bucket"
    ),
    "replay_requests": Adding(rows=True),
    "replay_paired": Adding(rows=True),
    "missing_by_bytes": Adding(("hour", "bucket"), order="hour, bucket"),
    "missing_by_score": Adding(("hour", "bucket"), order="hour, bucket"),
    "missing_by_label": Adding(("hour", "label"), order="hour, label"),
}
"""Questions that parts answer, and how their answers become one."""
HERE = {
    "capture_fates",
    "capture_hours",
    "default_answer",
    "score_extremes",
    "difference_counts",
    "difference_histogram",
    "flips",
    "json_field_changes",
    "json_field_counts",
    "label_commonest",
    "label_flips",
    "label_selection",
    "number_beside",
    "pairing_facts",
    "prediction_commonest",
    "prediction_sample",
    "prediction_sums",
    "replay_pairs",
    "score_bias_minutes",
    "score_marginals",
    "score_range",
    "score_ranks",
    "shown_labels",
    "shown_misfits",
    "slice_counts",
    "slice_frequent",
    "text_sums",
    "vector_coordinates",
    "vector_lags",
    "vector_sums",
    "worst_pairs",
    "worst_texts",
}
"""Questions that read nothing but what was added up, or a sample."""
