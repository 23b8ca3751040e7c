"""Codes of notes beside what is shown of predictions: meaning and what to do.

In: what `explain` prints for them. Out: all other codes (`note_codes`).
"""

from __future__ import annotations

_NOTHING = "Nothing; it says how the number was made."

PREDICTION_CODES: dict[str, tuple[str, str]] = {
    "positive-rates": ("Share of predictions at or above the threshold, by variant.", _NOTHING),
    "flip-directions": (
        "How many flips go to positive and how many to negative.",
        "Where nearly all go one way, look at flips_at_equal_rate: a moved threshold may mend it.",
    ),
    "flip-distance": (
        "How near the threshold production's score is where the decision flips.",
        "Flips far from the threshold are not rounding: look at the most divergent pairs.",
    ),
    "restored-threshold": (
        (
            "The shadow's threshold at which its positive share is nearest to production's, and "
            "how many predictions flip there. It was chosen on these pairs."
        ),
        (
            "If few remain, deploy the shadow with that threshold, and test it again with "
            "predictions.label_at."
        ),
    ),
    "agreement": ("How close both variants' scores are on the whole.", _NOTHING),
    "limits-of-agreement": (
        (
            "Bland and Altman's limits: where nearly all differences lie, and whether they grow "
            "with the score."
        ),
        "A slope far from zero means that one variant is bolder: compare their calibration.",
    ),
    "bias-without-time": (
        "The pairs lie in so few minutes that likeness in time cannot be told, as in a batch job.",
        "Capture for longer.",
    ),
    "difference-quantiles": (
        "Below which size the differences lie, with the bounds that order statistics give.",
        "Set predictions.tolerance to the largest of these that means nothing.",
    ),
    "rank-correlation": (
        "Whether both variants order requests alike, whatever the scores' scale.",
        _NOTHING,
    ),
    "distribution-distances": (
        (
            "How far the scores of both variants are apart as a whole; shuffled answers leave all "
            "of these at zero."
        ),
        "Read the paired numbers instead.",
    ),
    "one-score": ("Scores do not vary, so there is nothing to compare.", "Capture for longer."),
}
