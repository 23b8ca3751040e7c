"""What the values mean that a policy chooses from, and where a verdict's evidence may be from.

In: meaning and what to do. Out: roles, inferences and all words of decisions (`words`).
"""

from __future__ import annotations

_KIND = "Set predictions.kind where outputs were read as another kind."
_KEY = "Set pairing.keys to choose the keys and their order."
_SLICE = "Name it under [slices] in the policy."
_CHANGE = "Set change in the policy to what was changed."
_TAIL = "Set tail in the policy to choose."
_SHOWN = "Set redaction.payloads to choose."
_MODE = "Nothing; a verdict says it as its subject's mode."

VALUES: dict[str, tuple[str, str]] = {
    "auto": ("kind of outputs, the default: found from a sample of them.", _KIND),
    "probability": (
        "kind of outputs: scores from 0 to 1; at or above predictions.label_at they are positive.",
        _KIND,
    ),
    "label": ("kind of outputs: the name of a class; 1, 1.0 and 1.00 are one name.", _KIND),
    "multiclass": ("kind of outputs: a score for each class; the largest is the answer.", _KIND),
    "json": ("kind of outputs: documents; what their fields say is compared and counted.", _KIND),
    "text": ("kind of outputs: texts; equal or not, and how alike.", _KIND),
    "vector": (
        "kind of outputs: lists of numbers, compared place by place; found, not chosen.",
        'Set predictions.kind = "multiclass" if they are scores of classes.',
    ),
    "model": (
        "change, the default: the shadow has another model, whose answers may move.",
        _CHANGE,
    ),
    "infrastructure": (
        "change: the model is the same on other machines, so predictions must not move.",
        _CHANGE,
    ),
    "inference_id": ("join key: the client's ID of the request, carried to its copy.", _KEY),
    "event_id": ("join key: AWS's ID of the invocation, where both variants share it.", _KEY),
    "payload": ("join key: equal input, nearest in time; weaker than an ID.", _KEY),
    "hour": ("slice: by hour of the day, UTC.", _SLICE),
    "content_type": ("slice: by the content type of the input.", _SLICE),
    "quantiles": ("slice: a number of the input, in fifths.", _SLICE),
    "categories": ("slice: a value of the input, the 20 commonest and the rest.", _SLICE),
    "p99": ("tail, the default: the slowest 1 % is judged.", _TAIL),
    "p95": ("tail: the slowest 5 % are left unjudged, and the verdict says so.", _TAIL),
    "none": ("redaction, the default: no text of an answer is in a bundle.", _SHOWN),
    "hashed": ("redaction: a bundle says of the worst pairs whether answers are equal.", _SHOWN),
    "shown": ("redaction: a bundle has the worst pairs' answers, word by word.", _SHOWN),
    "cloudwatch": ("mode: judged by captures and CloudWatch's metrics.", _MODE),
    "replay": ("mode: judged by a replay, not on live traffic.", _MODE),
    "captures": ("mode: judged by captures alone: latency and errors stay open.", _MODE),
    "metrics": ("mode: judged by CloudWatch's metrics alone: predictions stay open.", _MODE),
}
"""Value -> (what it is and means, what to do)."""
