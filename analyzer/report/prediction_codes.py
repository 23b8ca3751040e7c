"""Codes of notes beside what is shown of predictions: meaning and what to do.

In: what `explain` prints for them. Out: all other codes (`note_codes`).
"""

from __future__ import annotations

_NOTHING = "Nothing; it says how the number was made."

_OUTPUT = "See the tables contract_changes and worst_pairs, and compare both containers' output."

PREDICTION_CODES: dict[str, tuple[str, str]] = {
    "floor-too-high": (
        "Production differs from itself in more than half of all pairs: a pass would say nothing.",
        "Judge something steadier: a score or label (predictions.path), or a wider tolerance.",
    ),
    "default-answer": (
        "The shadow gives one same score to requests that production scores in any other way.",
        "See worst_pairs for these requests, and the shadow's log for why it did not score them.",
    ),
    "answer-lost": (
        "Of the predictions to which either variant gives some answer, half and more may differ.",
        "Check the shadow's model, or capture for longer; let labels judge rare answers.",
    ),
    "one-answer": (
        "One answer to every request would differ not even twice as often: rare ones may be lost.",
        "Check the shadow's model; let labels judge rare answers; make a wide tolerance smaller.",
    ),
    "mean-moved": (
        "All scores together moved far, though hardly one by itself did.",
        "Look for a unit, a scale or a default that changed; where it is meant, let labels judge.",
    ),
    "order-lost": (
        "Answers are not in production's order, and too close for a large shift to show it.",
        "Check the shadow's inputs and model; where it is right to differ, let labels judge.",
    ),
    "below-zero": (
        "The shadow answers amounts below zero, which production never does.",
        "Look for a sign, a logarithm or a difference that is not undone.",
    ),
    "row-apart": (
        "One place of answers with several predictions differs far more than the rest.",
        "Look at how batches and lists are put together, or set the margin to that place's share.",
    ),
    "off-by-one": (
        "Lists of the shadow match production's better when they are moved by one place.",
        "Look at which step a forecast begins with; where production is late, let labels judge.",
    ),
    "extremes-lost": (
        "What one variant puts far above or below the rest, the other does not.",
        "Look at the worst pairs; where the shadow is right to differ, let labels judge.",
    ),
    "rare-answers": (
        "The margin is wider than production's rarer answers are frequent.",
        "Set the metric's margin to how many of these may change.",
    ),
    "threshold-uninformative": (
        "Almost all predictions are on one side of the threshold, so few can flip.",
        "Set predictions.label_at to the threshold that is used, or collect more pairs.",
    ),
    "other-labels": (
        "Labels that answers hold beside their predictions differ more than the margin allows.",
        "Set predictions.path to the field that callers read: the score, if no caller reads them.",
    ),
    "other-numbers": (
        "The number that answers hold beside their labels is far from production's too often.",
        "Look at where it is put beside its label; if no caller reads it, name the label's path.",
    ),
    "fields-uncompared": (
        (
            "Answers hold more than their predictions. Every answer of the shadow must hold the "
            "fields that all sampled answers of production have, and of a type they have there; "
            "what these fields say is not compared but where the note says so."
        ),
        (
            "Where callers read one of them, judge it: predictions.path names the place of what is "
            'compared, predictions.kind = "json" compares whole documents.'
        ),
    ),
    "field-missing": ("The shadow's answer lacks a field that production's always has.", _OUTPUT),
    "field-type": (
        "A field of the shadow's answer has a type that production's never has.",
        _OUTPUT,
    ),
    "not-a-share": ("The shadow's score is no share: below 0 or above 1.", _OUTPUT),
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
    "sampled": (
        "A hash of the pairs' IDs chose them, so that another run takes the same.",
        _NOTHING,
    ),
    "text-lengths": ("How many sampled texts are equal, and which variant is wordier.", _NOTHING),
    "texts-cut": ("Long texts are compared by their beginning alone.", _NOTHING),
    "no-texts": ("No sampled pair has two texts.", "Set predictions.kind and predictions.path."),
    "json-alone": ("How many texts are JSON of one variant alone.", _NOTHING),
    "json-reshaped": (
        "How many documents lost, gained or retyped a field.",
        "See the table of changed JSON fields, and compare both containers' output.",
    ),
    "json-fields": ("Which fields differ most often.", "See the table of changed JSON fields."),
    "no-json-fields": (
        "No sampled pair has two JSON documents with a field.",
        "Set predictions.kind to what the outputs are.",
    ),
    "vector-cosine": ("Whether both variants' lists point the same way; 1 is the same.", _NOTHING),
    "vector-places": ("Which places of the list moved most.", "See the table of places."),
    "vector-bias": ("How far the place that moved most moved on average.", _NOTHING),
    "same": ("The shadow's answer has production's form.", _NOTHING),
    "format": ("One variant answers JSON where the other answers lines.", _OUTPUT),
    "type": ("The shadow answers another type: text for a number, a string for a list.", _OUTPUT),
    "shape": ("The shadow answers a list of another length, or other keys.", _OUTPUT),
    "one-score": ("Scores do not vary, so there is nothing to compare.", "Capture for longer."),
}
