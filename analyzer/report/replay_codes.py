"""Codes that only a run on a replay can print: meaning and what to do."""

from __future__ import annotations

_NOTHING = "Nothing; it says how the number was made."
_BASELINE = "Replay with --baseline, production's model served on the same machine."

REPLAY_CODES: dict[str, tuple[str, str]] = {
    "response-time": (
        "Which requests of a replay were timed on both variants, and what was left out.",
        _NOTHING,
    ),
    "typical-shift": (
        "By how much a single request is slower or faster, by Hodges and Lehmann's estimate.",
        _NOTHING,
    ),
    "no-baseline": ("The replay timed the candidate alone, which says nothing of it.", _BASELINE),
    "no-sidecar": (
        "The candidate's replay.parquet holds the times and could not be read.",
        "Replay into another folder.",
    ),
    "closed-loop": (
        "The sender was late so often that latencies show its pace, not the server's waiting.",
        "Replay more slowly (--speed), or with more --concurrency.",
    ),
    "failed-alone": ("Which variant failed requests that the other answered.", _NOTHING),
    "failures-together": (
        "Failures of equal inputs, or in bursts, count as fewer than as many independent ones.",
        _NOTHING,
    ),
    "production-answered": (
        "Without a baseline, production is taken to have answered all captured requests.",
        _BASELINE,
    ),
    "unfinished-requests": (
        "The replay was killed while these were under way; they are neither success nor failure.",
        "Nothing; replay into another folder to have them counted.",
    ),
    "no-outcomes": (
        "No request that was sent belongs to the captures and the window given.",
        "Give the captures that were replayed, and check --since and --until.",
    ),
    "not-asked": (
        "The policy names metrics of a live endpoint in a run on a replay, or the other way round.",
        "Nothing; each kind of run has guardrails of its own.",
    ),
    "replay-baseline": (
        "Captures of a replay's baseline, which is held against the candidate's times only.",
        "Nothing; to judge the baseline itself, name its folder as --shadow.",
    ),
    "replay-sidecar": (
        "The replay.parquet of a variant that is not judged here.",
        "Nothing, or choose the variant with --shadow.",
    ),
    "replay-journal": ("What a replay keeps to go on after an interruption.", "Nothing."),
    "bad-sidecar": (
        "A replay.parquet that is damaged, or contradicts itself.",
        "Replay into another folder.",
    ),
}
