"""The nouns: what a verdict is made of, frozen, and exactly what verdict.json holds.

In: every value that crosses from measurement to judgement to report. Out: how any is computed.
Floats are rounded to nine significant digits when a value is made, so what is judged is what is
written, whatever the CPU's last digit. Not knowing is `None`, never 0 and never NaN.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Literal

from pydantic import Field

from analyzer.model.compared import FloorShare, NoiseFloor, Slice, SliceBin, SlicedShare
from analyzer.model.values import Figure, Frozen, Outcome, round_significant

__all__ = [
    "SCHEMA_VERSION",
    "Decision",
    "Effect",
    "Evidence",
    "Family",
    "Figure",
    "FloorShare",
    "Frozen",
    "Gate",
    "GateOutcome",
    "Inputs",
    "Intervals",
    "Ledger",
    "Mode",
    "Needs",
    "NoiseFloor",
    "Note",
    "Outcome",
    "Pairing",
    "PolicyRecord",
    "Reason",
    "Role",
    "SampleSizes",
    "Slice",
    "SliceBin",
    "SlicedShare",
    "Subject",
    "Test",
    "Tool",
    "Verdict",
    "Window",
    "round_significant",
]

SCHEMA_VERSION = "1.0"


class Decision(StrEnum):
    """What to do with the shadow variant."""

    PROMOTE = "PROMOTE"
    HOLD = "HOLD"
    REJECT = "REJECT"
    ERROR = "ERROR"


class GateOutcome(StrEnum):
    """Whether a validity condition holds."""

    PASS = "pass"
    FAIL = "fail"
    NOT_MEASURED = "not_measured"


class Role(StrEnum):
    """What a metric's outcome can do: reject, hold, inform, or nothing."""

    GUARDRAIL = "guardrail"
    REVIEW = "review"
    EVIDENCE = "evidence"
    INFO = "info"
    OFF = "off"

    @property
    def is_judged(self) -> bool:
        """Whether an outcome is asked for, and a bad one keeps from promoting."""
        return self in {Role.GUARDRAIL, Role.REVIEW}


class Family(StrEnum):
    """Metrics that are judged together and share gates."""

    SAMPLING = "sampling"
    LATENCY = "latency"
    ERROR_RATE = "error_rate"
    DIVERGENCE = "divergence"


class Mode(StrEnum):
    """Where the evidence comes from."""

    CLOUDWATCH = "cloudwatch"
    REPLAY = "replay"
    CAPTURES = "captures"
    METRICS = "metrics"


class Note(Frozen):
    """A caveat that travels with its number."""

    code: str
    text: str


class Effect(Frozen):
    """The judged change: estimate and the two one-sided bounds at their levels.

    Harm is upward; under a negative margin, as accuracy has, it is downward.

    `ratio` is shadow / production, `difference` is shadow - production (both proportions in 0..1),
    `proportion` is a share of pairs or predictions. A bound that does not exist is None.
    """

    kind: Literal["ratio", "difference", "proportion"]
    estimate: Figure | None
    lower: Figure | None
    lower_level: Figure
    upper: Figure | None
    upper_level: Figure
    mode: Literal["anytime", "planned", "fixed"] = "anytime"


class Test(Frozen):
    """Significance test of the null "harm >= margin"; the p-value may be read at any time."""

    __test__ = False  # not a pytest class

    null: str = "harm >= margin"
    e_value: Figure | None
    p_value: Figure | None


class Intervals(Frozen):
    """Two-sided display of each way to look: [lower, upper] at one-sided alpha each."""

    fixed: tuple[Figure, Figure] | None = None
    planned: tuple[Figure, Figure] | None = None
    anytime: tuple[Figure, Figure] | None = None


class SampleSizes(Frozen):
    """How much was seen; None where the count has no meaning for the metric."""

    production: int | None = None
    shadow: int | None = None
    pairs: int | None = None
    minutes: int | None = None
    effective: Figure | None = None


class Needs(Frozen):
    """What would settle an unresolved metric, from the start of the test.

    Attributes:
        minutes, hours: length of the test in all; None where time does not settle it.
        requests: production's requests, or the pairs or predictions, in that time.
    """

    minutes: int | None = None
    hours: Figure | None = None
    requests: int | None = None
    text: str

    @classmethod
    def of(cls, note: Note) -> Needs:
        """What a note says, as a sentence: no number of requests settles it."""
        return cls(text=f"{note.text[:1].upper()}{note.text[1:]}.")


class Evidence(Frozen):
    """Everything known about one metric.

    Attributes:
        margin: the effective margin, on the effect's scale (a ratio, or a share in 0..1).
        production, shadow: the two levels in `unit`; None where a metric has no level.
        effect: None when nothing could be measured; then the outcome is unresolved or info.
    """

    family: Family
    role: Role
    required: bool
    outcome: Outcome
    production: Figure | None = None
    shadow: Figure | None = None
    unit: str
    effect: Effect | None = None
    test: Test | None = None
    intervals: Intervals = Intervals()
    margin: Figure | None = None
    margin_source: Literal["default", "policy"] = "default"
    n: SampleSizes = SampleSizes()
    method: str
    period_s: int | None = None
    needs: Needs | None = None
    notes: tuple[Note, ...] = ()


class Gate(Frozen):
    """One validity condition: a failed gate takes passes away from the families it covers.

    Attributes:
        when_not_measured: "blocks" counts not_measured as failed, "note" only says it.
    """

    outcome: GateOutcome
    covers: tuple[Family, ...]
    value: Figure | None = None
    limit: Figure | None = None
    when_not_measured: Literal["blocks", "note"]
    text: str

    @property
    def closed(self) -> bool:
        """True when the gate takes passes away."""
        return self.outcome is GateOutcome.FAIL or (
            self.outcome is GateOutcome.NOT_MEASURED and self.when_not_measured == "blocks"
        )


class Reason(Frozen):
    """One reason for the decision, with what to do about it."""

    code: str
    metric: str | None = None
    gate: str | None = None
    text: str
    advice: str


class Tool(Frozen):
    """Which program judged."""

    name: str
    version: str


class Subject(Frozen):
    """What was compared."""

    endpoint: str | None
    production_variant: str | None
    shadow_variant: str | None
    production_model: str | None = None
    shadow_model: str | None = None
    change: Literal["model", "infrastructure"]
    mode: Mode


class Window(Frozen):
    """Half-open UTC interval analysed, ISO 8601 with Z."""

    start: str
    end: str


class Inputs(Frozen):
    """Which objects were read: listed = read + skipped + failed."""

    digest: str
    objects_listed: int = 0
    objects_read: int = 0
    objects_skipped: dict[str, int] = Field(default_factory=dict)
    objects_failed: dict[str, int] = Field(default_factory=dict)
    bytes: int = 0
    metric_points: int = 0
    metric_points_dropped: dict[str, int] = Field(default_factory=dict)


class PolicyRecord(Frozen):
    """The policy that judged, whole."""

    digest: str
    effective: dict[str, object] = Field(default_factory=dict)


class Ledger(Frozen):
    """Every line counted once.

    lines = blank + malformed + not_capture + out_of_window + duplicate
            + unpaired_production + unpaired_shadow + 2 * pairs
    """

    lines: int = 0
    blank: int = 0
    malformed: int = 0
    not_capture: int = 0
    out_of_window: int = 0
    duplicate: int = 0
    unpaired_production: int = 0
    unpaired_shadow: int = 0
    pairs: int = 0
    rejects_by_code: dict[str, int] = Field(default_factory=dict)
    balanced: bool = True

    @property
    def accounted(self) -> int:
        """The right-hand side of the ledger equation."""
        return (
            self.blank
            + self.malformed
            + self.not_capture
            + self.out_of_window
            + self.duplicate
            + self.unpaired_production
            + self.unpaired_shadow
            + 2 * self.pairs
        )


class Pairing(Frozen):
    """How pairs were found. `rate` = pairs / shadow records; samplings are shares in 0..1."""

    by_inference_id: int = 0
    by_event_id: int = 0
    by_payload: int = 0
    repeated_ids: int = 0
    rate: Figure | None = None
    event_id_overlap: Figure | None = None
    distinct_inputs: int = 0
    expected_sampling: Figure | None = None
    observed_sampling: Figure | None = None


class Verdict(Frozen):
    """The decision and all its evidence; verdict.json is exactly this."""

    schema_version: str = SCHEMA_VERSION
    tool: Tool
    decision: Decision
    exit_code: int
    summary: str
    reasons: tuple[Reason, ...]
    notes: tuple[Note, ...] = ()
    subject: Subject
    window: Window | None
    inputs: Inputs
    policy: PolicyRecord
    ledger: Ledger
    pairing: Pairing
    gates: dict[str, Gate]
    metrics: dict[str, Evidence]
    noise_floor: NoiseFloor | None = None
    slices: dict[str, Slice] = Field(default_factory=dict)

    def to_json(self) -> str:
        """Strict JSON, sorted keys, two-space indent, final newline: the bytes of verdict.json."""
        body = self.model_dump(mode="json")
        return (
            json.dumps(body, sort_keys=True, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
        )
