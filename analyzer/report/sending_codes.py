"""What `analyzer replay` says of lines it does not send and of requests that failed.

In: meaning and what to do. Out: what a run on a replay says (`note_codes` and its like).
"""

from __future__ import annotations

from analyzer.replayed.sidecar import ERROR_CODES

_NOTHING = "Nothing; it was asked for."
_CAPTURE = "Nothing if such lines are few; otherwise look at them in the capture."
_CONTAINER = (
    "See error_text and sent_at in replay.parquet, and the candidate's log at those moments."
)

SENDING_CODES: dict[str, tuple[str, str]] = {
    **{
        code: (f"A replayed request: {meaning}.", _CONTAINER)
        for code, meaning in ERROR_CODES.items()
    },
    "unfinished": (
        "A replayed request that was under way when the replay was killed; it is not sent again.",
        "Replay into another folder where missing_pairs closes: it is neither success nor failure.",
    ),
    "late": (
        "Requests sent later than they were due: all threads waited, or the machine was busy.",
        "Raise --concurrency, lower --speed, or leave the machine to it, and replay anew.",
    ),
    "no-requests": (
        "No captured line gives a request to send.",
        "Check SOURCE, --production, --since and --until.",
    ),
    "not-json": ("A line that is no JSON text.", _CAPTURE),
    "not-capture": ("A line that is JSON and no capture record.", _CAPTURE),
    "no-input": (
        "A record without the request's payload, so that there is nothing to send.",
        "Capture input and output: CaptureOptions InputAndOutput.",
    ),
    "no-time": ("A record without a time it can be sent by.", _CAPTURE),
    "bad-payload": ("A payload captured as BASE64 that is none.", _CAPTURE),
    "bad-header": (
        "A content type, inference ID or custom attribute that cannot stand in a header.",
        _CAPTURE,
    ),
    "too-long": ("A line longer than is read.", _CAPTURE),
    "out-of-window": ("A record before --since, or not before --until.", _NOTHING),
    "repeated-payload": ("A request equal to an earlier one, left out by --dedupe.", _NOTHING),
    "not-sampled": ("A request left out by --sample.", _NOTHING),
}
