"""The codes of ground truth: what is said of labels and of label files.

In: meaning and what to do. Out: all other codes (`note_codes`).
"""

from __future__ import annotations

_NOTHING = "Nothing; it says how the number was made."
_LABELS = "See the table labels for the counts; mend what writes the label files."
_FILE = "Correct the file as the message says, and run again."

LABEL_CODES: dict[str, tuple[str, str]] = {
    "labels": ("How many pairs have a label, and how many labels have no pair.", _NOTHING),
    "labels-left-out": ("Labels that were not used as they stand, by code.", _LABELS),
    "label-columns": (
        "A label file whose header does not name the columns id and label; no line of it counts.",
        "Rename the column of IDs to id and that of labels to label, and run again.",
    ),
    "label-misfits": (
        "What labels say that do not fit the outputs, the frequent ones by name.",
        "Write labels as the outputs take them, or say what outputs are with predictions.kind.",
    ),
    "no-labels": (
        "The policy asks for accuracy and no labels were given.",
        "Pass --labels PATH, or give the metric a weaker role.",
    ),
    "no-label-matches": (
        "No label belongs to a pair whose answers can be compared.",
        "See the notes on labels; an ID is the InferenceId, or the event ID where there is none.",
    ),
    "too-few-labels": (
        "So few predictions have a label that being as right says nothing.",
        "Wait for more labels.",
    ),
    "one-truth": (
        "Almost all labels say the same, so that answering only that is right as often.",
        "Wait for labels of other cases.",
    ),
    "foreign-labels": (
        "Most labels are ones that neither variant ever answers.",
        "Write labels as the model answers, or set predictions.path to the label.",
    ),
    "labels-contradict": (
        "Production is right less often than its own answers dealt out at random would be.",
        "See whether labels are exchanged, of other requests, or given to mistakes only.",
    ),
    "labels-unrelated": (
        "Neither variant's answers are shown to have anything to do with the labels.",
        "See whether labels carry the IDs of their own requests; else wait for more of them.",
    ),
    "labels-selective": (
        "Flips have a label more often, or less, than other predictions: bounds are weighed.",
        "Label a random part of the predictions that flip, of every answer; late labels count too.",
    ),
    "right-alone": ("How often only one variant is right; all the rest says nothing.", _NOTHING),
    "root-mean-square-error": (
        "As the mean absolute error, with large errors weighing more.",
        "Where it grew and the mean did not, look for a few requests that went far wrong.",
    ),
    "score-buckets": ("Scores are ranked by bucket; what that can cost is stated.", _NOTHING),
    "not-a-probability": (
        "Scores outside 0..1 have no log loss, Brier score or calibration.",
        'Set predictions.kind = "regression" if they are quantities.',
    ),
    "label.matched": ("The labelled ID is that of a pair.", _NOTHING),
    "label.unmatched": (
        "No pair has the labelled ID: another time, a request that was not captured, or no pair.",
        _NOTHING,
    ),
    "label.conflict": ("One ID has different labels; none of them counts.", _LABELS),
    "label.repeated": ("The same label of the same ID again; it counts once.", _NOTHING),
    "label.paired": ("The pair has a label.", _NOTHING),
    "label.missing": ("The pair has no label, or none yet.", "Run again when more are known."),
    "label.conflicting-pair": ("The pair's ID has different labels.", _LABELS),
    "label.ambiguous-id": (
        "The labelled InferenceId stands for requests with different inputs.",
        "Give every request its own InferenceId in the client, or label by event ID.",
    ),
    "label.not-comparable": (
        "The pair has a label, but no two answers that compare, or not as many as labels.",
        "Give one label for each prediction of a request, in their order.",
    ),
    "label.misfit": (
        "The label does not fit the outputs: no 0 or 1 for a probability, no number for a number.",
        "See label-misfits. Set predictions.kind, or write labels as the model answers.",
    ),
    "label.invalid-json": ("The line of a label file is no JSON.", _LABELS),
    "label.invalid-csv": (
        "The line of a label file has a cell too few or too many, a stray quote, or no end.",
        _LABELS,
    ),
    "label.invalid-utf8": ("The line of a label file is not UTF-8.", _LABELS),
    "label.invalid-parquet": (
        "A label file is no Parquet that can be read: none of its rows counts.",
        _FILE,
    ),
    "label.oversize": ("The line of a label file is longer than max_line_bytes.", _LABELS),
    "label.no-columns": (
        "The line of a label file whose first line does not name the columns id and label.",
        "The note label-columns names the file and the columns found; rename them to id and label.",
    ),
    "label.no-id": ("The line of a label file names no ID.", _LABELS),
    "label.no-label": ("The line of a label file holds no label that is a scalar.", _LABELS),
    "label-files-left-out": (
        "The folder of labels holds files that were not read, by code.",
        "Nothing if they were not meant; otherwise name them .csv, .jsonl or .parquet.",
    ),
    "not-labels": (
        "A file in the folder of labels that is neither CSV, JSON Lines nor Parquet.",
        "Nothing if it was not meant; otherwise name it .csv, .jsonl or .parquet.",
    ),
    "labels-unreadable": ("A label file could not be read.", "Mend access, and run again."),
}
