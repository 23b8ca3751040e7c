"""policy.toml: everything that can change a judgement, with its default.

In: what a policy is. Out: reading one (`policy.files`), judging with it. Metrics bring their own
default margins and roles (`MetricDefault`), so this module names no metric itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Literal

from pydantic import Field

from analyzer.model import Figure, Frozen, Role

Change = Literal["model", "infrastructure"]
JoinKey = Literal["inference_id", "event_id", "payload"]


def _percentage(meaning: str) -> Any:  # noqa: ANN401 - pydantic types its Field so
    """A percentage in 1..100, unset by default; below 1 it is a share written by mistake."""
    return Field(default=None, ge=1, le=100, description=meaning, examples=[100])


LEAST_ALPHA = 1e-6
"""Below, a level of 1 - alpha / k is 1 in the nine digits a verdict has."""
INPUT = "input."
"""How the key of a slice by input begins: a column of CSV, from 1, or a path of JSON, follows."""
SliceBy = Literal["hour", "content_type", "quantiles", "categories"]
HORIZON = re.compile(r"[1-9][0-9]{0,5}[dhm]")
"""How a length of time is written: days, hours or minutes."""
_HORIZON_MINUTES = {"d": 1_440, "h": 60, "m": 1}


def length_minutes(text: str) -> float:
    """Minutes of a length of time as `HORIZON` writes it.

    >>> length_minutes("7d"), length_minutes("36h")
    (10080.0, 2160.0)
    """
    return float(text[:-1]) * _HORIZON_MINUTES[text[-1]]


class MetricDefault(Frozen):
    """What a metric is judged by when the policy is silent.

    Attributes:
        margin: ratio (> 1), share (0..1) or loss (-1..0); None for metrics that are never judged.
        margin_ms: absolute floor of the margin in milliseconds (latency only).
        infrastructure_margin, infrastructure_role: used when change = "infrastructure".
        required: whether an UNRESOLVED outcome holds a promotion.
        scale: "ratio" margins must exceed 1, "share" margins lie in (0, 1), "loss" margins in
            (-1, 0): there less is worse.
        judged: False for a metric that only informs, whatever the policy says.
    """

    margin: Figure | None = None
    margin_ms: Figure | None = None
    role: Role = Role.GUARDRAIL
    infrastructure_margin: Figure | None = None
    infrastructure_role: Role | None = None
    required: bool = False
    scale: Literal["ratio", "share", "loss"] = "share"
    judged: bool = True

    def role_under(self, change: Change) -> Role:
        """The role when the policy gives none."""
        if change == "infrastructure" and self.infrastructure_role is not None:
            return self.infrastructure_role
        return self.role

    def margin_under(self, change: Change) -> float | None:
        """The margin when the policy gives none."""
        if change == "infrastructure" and self.infrastructure_margin is not None:
            return self.infrastructure_margin
        return self.margin


class MetricRule(Frozen):
    """The rule one metric is judged by: the policy's word, else the default."""

    margin: Figure | None = None
    margin_ms: Figure | None = None
    role: Role = Role.GUARDRAIL
    required: bool = False
    source: Literal["default", "policy"] = "default"


class Sampling(Frozen):
    """What the endpoint was told: percentages in 0..100, instance counts."""

    shadow_percentage: Figure | None = _percentage("requests AWS copies to the shadow")
    production_capture_percentage: Figure | None = _percentage("production requests captured")
    shadow_capture_percentage: Figure | None = _percentage("shadow requests captured")
    production_instances: int | None = Field(default=None, ge=1, description="instances")
    shadow_instances: int | None = Field(default=None, ge=1, description="instances")


class Predictions(Frozen):
    """How outputs become predictions."""

    kind: Literal["auto", "probability", "regression", "label", "multiclass", "json", "text"] = (
        Field(
            default="auto",
            description="auto | probability | regression | label | multiclass | json | text",
        )
    )
    label_at: Figure = Field(default=0.5, description="decision threshold for scores")
    path: str | None = Field(
        default=None,
        description="where the value is in a JSON output",
        examples=["predictions[*].score"],
    )
    atol: Figure = Field(default=1e-6, ge=0, description="equal within atol + rtol * |production|")
    rtol: Figure = Field(default=1e-5, ge=0)
    tolerance: Figure | None = Field(
        default=None,
        ge=0,
        description="largest score change without meaning, under a model change",
        examples=[0.1],
    )


class PairingRules(Frozen):
    """Join keys in order, the time window of payload pairs, the lowest shares of good pairs."""

    keys: tuple[JoinKey, ...] = Field(
        default=("inference_id", "event_id", "payload"), description="join keys, in order"
    )
    window_s: int = Field(
        default=60, ge=0, le=86_400, description="seconds between records paired by payload"
    )
    min_rate: Figure = Field(
        default=0.95,
        ge=0,
        le=1,
        description="lowest pairs / shadow records at 100 % capture, and of pairs with one input",
    )


class Redaction(Frozen):
    """What of a payload may appear in a bundle."""

    payloads: Literal["none", "hashed", "shown"] = Field(
        default="none",
        description="of the worst pairs' answers: none | hashed: whether they are equal | shown",
    )


class Policy(Frozen):
    """The effective policy: every key present."""

    change: Change = Field(
        default="model",
        description="model | infrastructure (same model: predictions must not move)",
    )
    inference: Literal["fixed", "planned", "anytime"] = Field(
        default="anytime",
        description="anytime: valid however often you look | planned: up to horizon | fixed: once",
    )
    alpha: Figure = Field(
        default=0.05,
        ge=LEAST_ALPHA,
        lt=0.5,
        description="one-sided error level of each bound",
    )
    min_days: int = Field(
        default=3, ge=0, le=365, description="whole UTC days before a PROMOTE on CloudWatch"
    )
    final: bool = Field(
        default=False, description="true: a promise that this is the only look, for fixed"
    )
    horizon: str | None = Field(
        default=None,
        description="length of the test, declared before it: days, hours or minutes, for planned",
        examples=["7d"],
    )
    tail: Literal["p99", "p95"] = Field(
        default="p99", description="p95 leaves the slowest 5 % unjudged and says so"
    )
    accept_load_mismatch: bool = Field(
        default=False, description="judge latency although the variants carry unequal load"
    )
    max_reject_share: Figure = Field(
        default=0.001, ge=0, le=1, description="share of lines that may be unusable"
    )
    max_line_bytes: int = Field(
        default=16_777_216, ge=1024, description="a longer line is a counted reject"
    )
    sampling: Sampling = Sampling()
    metrics: dict[str, MetricRule] = Field(default_factory=dict)
    predictions: Predictions = Predictions()
    pairing: PairingRules = PairingRules()
    slices: dict[str, SliceBy] = Field(default_factory=dict)
    redaction: Redaction = Redaction()

    @property
    def digest(self) -> str:
        """sha256 of the effective policy's canonical JSON."""
        body = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(body.encode()).hexdigest()

    @property
    def horizon_minutes(self) -> float | None:
        """The declared length of the test; None where the policy declares none."""
        return None if self.horizon is None else length_minutes(self.horizon)

    @property
    def guardrails(self) -> int:
        """Guardrails the policy names (k of the decision rule), fixed before data are read."""
        return max(1, sum(rule.role is Role.GUARDRAIL for rule in self.metrics.values()))
