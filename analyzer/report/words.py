"""What the words of a verdict mean: decisions, outcomes, roles and endings of reason codes."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "promote": ("decision: every required metric passes and nothing stands open.", "Promote it."),
    "hold": (
        "decision: something required is unresolved, a gate is closed, or a review is due.",
        "Do what the reasons say; none of them says that the shadow is bad.",
    ),
    "reject": ("decision: a guardrail fails for certain.", "Mend the shadow before another test."),
    "error": ("decision: the run could not go on and claims nothing.", "Do what the reason says."),
    "pass": (
        "outcome: the upper bound of the harm is below the margin; of a gate: it is open.",
        "Nothing.",
    ),
    "fail": (
        "outcome: the lower bound of the harm is above the margin; of a gate: it is closed.",
        "Explain the metric or gate.",
    ),
    "open": ("state of a gate: it takes nothing away from the metrics it covers.", "Nothing."),
    "closed": (
        "state of a gate: what it asks does not hold, so the metrics it covers cannot pass.",
        "Explain the gate.",
    ),
    "unresolved": (
        "outcome, and ending of reasons: neither pass nor fail is shown, or there are no data.",
        "Do what the metric's needs say.",
    ),
    "not_measured": (
        "outcome of a gate: it could not be checked; it is closed where it must be known.",
        "Give what its text misses.",
    ),
    "guardrail": (
        "role: a failure rejects; where it is required, unresolved holds.",
        "Set metrics.ID.role in the policy to change it.",
    ),
    "review": (
        "role, and ending of reasons: anything but a pass holds until a person has looked.",
        "Look; if it is intended, raise the margin or change the role in the policy.",
    ),
    "evidence": ("role: shown beside what is judged; it cannot hold or reject.", "Nothing."),
    "info": ("role and outcome: shown and not judged.", "Nothing."),
    "off": ("role: not measured at all.", "Nothing."),
    "anytime": (
        "inference, the default: the interval holds however often and whenever it is read.",
        "Nothing.",
    ),
    "planned": (
        "inference: the interval holds at every look up to a length declared before the test.",
        'Set horizon, such as "7d", or give the endpoint.json of a scheduled experiment.',
    ),
    "fixed": (
        "inference: the interval holds for exactly one look, promised with final = true.",
        "Use anytime if the result is polled.",
    ),
    "required": (
        "of a guardrail: unresolved holds a promotion.",
        "Do what the metric's needs say.",
    ),
    "regression": (
        "ending of reasons: a guardrail fails for certain; and a kind of outputs: quantities.",
        "Explain the metric, and mend the shadow.",
    ),
}
"""Word -> (what it is and means, what to do)."""
