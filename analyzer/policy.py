"""policy.toml: everything that can change a judgement, with its default.

In: reading, checking and completing a policy. Out: judging with it. Metrics bring their own
default margins and roles (`MetricDefault`), so this module names no metric itself.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from analyzer.errors import PolicyError
from analyzer.model import Figure, Frozen, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Change = Literal["model", "infrastructure"]
JoinKey = Literal["inference_id", "event_id", "payload"]


def _percentage(meaning: str) -> Any:  # noqa: ANN401 - pydantic types its Field so
    """A percentage in 1..100, unset by default; below 1 it is a share written by mistake."""
    return Field(default=None, ge=1, le=100, description=meaning, examples=[100])


_PERCENTAGE = "a percentage in 1..100"
GREATEST_RATIO = 3.0
"""Ratio margins above this are percentages written by mistake: 20 would allow +1,900 %."""
_HORIZON = re.compile(r"[1-9][0-9]{0,5}[dhm]")
_HORIZON_MINUTES = {"d": 1_440, "h": 60, "m": 1}
_LIKELY = 0.4
"""How alike a metric's name and a known one are to be suggested; 1 is equal."""


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
    """Join keys in order, the time window of payload pairs, the lowest pairing rate."""

    keys: tuple[JoinKey, ...] = Field(
        default=("inference_id", "event_id", "payload"), description="join keys, in order"
    )
    window_s: int = Field(
        default=60, ge=0, le=86_400, description="seconds between records paired by payload"
    )
    min_rate: Figure = Field(
        default=0.95, ge=0, le=1, description="lowest pairs / shadow records at 100 % capture"
    )


class Redaction(Frozen):
    """What of a payload may appear in a bundle."""

    payloads: Literal["none"] = Field(default="none", description="none: no payload is shown")


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
        default=0.05, gt=0, lt=0.5, description="one-sided error level of each bound"
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
    redaction: Redaction = Redaction()

    @property
    def digest(self) -> str:
        """sha256 of the effective policy's canonical JSON."""
        body = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(body.encode()).hexdigest()

    @property
    def horizon_minutes(self) -> float | None:
        """The declared length of the test; None where the policy declares none."""
        given = self.horizon
        return None if given is None else float(given[:-1]) * _HORIZON_MINUTES[given[-1]]

    @property
    def guardrails(self) -> int:
        """Guardrails the policy names (k of the decision rule), fixed before data are read."""
        return max(1, sum(rule.role is Role.GUARDRAIL for rule in self.metrics.values()))


class _Mistake(Exception):  # noqa: N818 - becomes a PolicyError once it is known who wrote the key
    """What is wrong with a dotted key, before it is known where the key was written."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key}: {text}")
        self.key = key


_METRIC_KEYS = ("margin", "margin_ms", "role")
_NOT_BUILT = {
    "slices": "slices are not judged in this version; remove the table",
}


def load_policy(
    path: Path | None,
    defaults: Mapping[str, MetricDefault],
    overrides: Sequence[str] = (),
) -> Policy:
    """Read policy.toml (or nothing), apply `KEY=VALUE` overrides, complete it with defaults.

    Args:
        path: the file; None for the default policy.
        defaults: metric id -> default rule; a metric outside it is unknown.
        overrides: dotted assignments in TOML syntax, e.g. `metrics.latency_p99.margin=1.1`.

    Raises:
        PolicyError: unreadable file, unknown key or metric, wrong type, margin of the wrong sign,
            or fixed looks without the promise that this is the only one.
    """
    body = _read(path) if path else {}
    assigned = {_assign(body, override): override for override in overrides}
    try:
        return _completed(body, defaults)
    except _Mistake as mistake:
        given = [override for key, override in assigned.items() if _touches(key, mistake.key)]
        where = f"--set {given[-1]}" if given else path.name if path else "policy"
        raise PolicyError(f"{where}: {mistake}") from None


def parse_policy(
    body: Mapping[str, object], defaults: Mapping[str, MetricDefault], where: str = "policy"
) -> Policy:
    """Check and complete a policy that is already a mapping; errors as in `load_policy`."""
    try:
        return _completed(body, defaults)
    except _Mistake as mistake:
        raise PolicyError(f"{where}: {mistake}") from None


def _completed(body: Mapping[str, object], defaults: Mapping[str, MetricDefault]) -> Policy:
    for key, text in _NOT_BUILT.items():
        if body.get(key):
            raise _Mistake(key, text)
    plain = {key: value for key, value in body.items() if key not in {"metrics", *_NOT_BUILT}}
    try:
        policy = Policy.model_validate(plain, strict=False)
    except ValidationError as error:
        raise _explained(error) from None
    if policy.inference == "fixed" and not policy.final:
        raise _Mistake(
            "inference",
            '"fixed" holds for one look only: set final = true to promise that this is it, '
            'or use "anytime"',
        )
    if policy.horizon is not None and not _HORIZON.fullmatch(policy.horizon):
        raise _Mistake("horizon", f'a length such as "7d" or "36h", got {policy.horizon!r}')
    rules = _rules(body.get("metrics", {}), policy.change, defaults)
    return policy.model_copy(update={"metrics": rules})


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path.name}: not valid TOML: {error}") from None


def _assign(body: dict[str, object], override: str) -> str:
    """Apply one dotted `KEY=VALUE`, a bare word being a string; returns the key."""
    key, separator, value = override.partition("=")
    if not separator or not key.strip():
        raise PolicyError(f"--set {override}: expected KEY=VALUE")
    try:
        parsed: object = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    *tables, last = key.strip().split(".")
    node = body
    for table in tables:
        child = node.setdefault(table, {})
        if not isinstance(child, dict):
            raise PolicyError(f"--set {override}: {table} is not a table")
        node = child
    node[last] = parsed
    return ".".join([*tables, last])


def _touches(given: str, key: str) -> bool:
    """Whether giving one dotted key gives the other, or a part of it."""
    return f"{given}.".startswith(f"{key}.") or f"{key}.".startswith(f"{given}.")


def _explained(error: ValidationError, table: tuple[str, ...] = ()) -> _Mistake:
    """The first pydantic error as a key, what is wrong with it and the nearest known key."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in (*table, *first["loc"]))
    if first["type"] == "extra_forbidden":
        nearest = _nearest(str(first["loc"][-1]), _known(first["loc"]))
        return _Mistake(key, f"unknown key{nearest}")
    if key.endswith("_percentage"):
        return _Mistake(key, f"{_PERCENTAGE}, got {first['input']!r}")
    return _Mistake(key, f"{first['msg'].lower()}, got {first['input']!r}")


def _known(location: tuple[int | str, ...]) -> list[str]:
    tables: dict[str, type[Frozen]] = {
        "sampling": Sampling,
        "predictions": Predictions,
        "pairing": PairingRules,
        "redaction": Redaction,
    }
    table: type[Frozen] | None = tables.get(str(location[0])) if len(location) > 1 else None
    return list((table or Policy).model_fields)


def _nearest(word: str, known: Sequence[str], alike: float = 0.6) -> str:
    matches = difflib.get_close_matches(word, known, n=1, cutoff=alike)
    return f"; did you mean '{matches[0]}'?" if matches else ""


def _rules(
    given: object, change: Change, defaults: Mapping[str, MetricDefault]
) -> dict[str, MetricRule]:
    if not isinstance(given, dict):
        raise _Mistake("metrics", "expected tables such as [metrics.latency_p99]")
    for metric in given:
        if metric not in defaults:
            hint = _nearest(metric, list(defaults), _LIKELY)
            raise _Mistake(f"metrics.{metric}", f"unknown metric{hint}")
    return {
        metric: _rule(metric, given.get(metric), default, change)
        for metric, default in defaults.items()
    }


def _rule(metric: str, given: object, default: MetricDefault, change: Change) -> MetricRule:
    infrastructure = change == "infrastructure"
    margin = default.infrastructure_margin if infrastructure else None
    role = default.role_under(change)
    start: dict[str, object] = {
        "margin": default.margin if margin is None else margin,
        "margin_ms": default.margin_ms,
        "role": role,
    }
    # An infrastructure change promises that predictions do not move, so each must be shown.
    moved = infrastructure and default.infrastructure_role is Role.GUARDRAIL
    required = default.required or moved
    silent = MetricRule.model_validate({**start, "required": required})
    if given is None:
        return silent
    if not isinstance(given, dict):
        raise _Mistake(f"metrics.{metric}", "expected a table")
    for key in given:
        if key not in _METRIC_KEYS:
            raise _Mistake(f"metrics.{metric}.{key}", f"unknown key{_nearest(key, _METRIC_KEYS)}")
    if "margin" in given and "margin_ms" not in given:
        start["margin_ms"] = None
    try:
        rule = MetricRule.model_validate({**start, **given, "source": "policy"})
    except ValidationError as error:
        raise _explained(error, ("metrics", metric)) from None
    _check_margin(f"metrics.{metric}", rule, default)
    if (rule.margin, rule.margin_ms, rule.role) == (silent.margin, silent.margin_ms, silent.role):
        return silent  # a default written out asks for nothing new
    # A guardrail that only the policy makes one must be shown as well: it was asked for.
    required = required or role is not Role.GUARDRAIL
    return rule.model_copy(update={"required": required and rule.role is Role.GUARDRAIL})


def _check_margin(key: str, rule: MetricRule, default: MetricDefault) -> None:
    if rule.margin_ms is not None and (default.margin_ms is None or rule.margin_ms <= 0):
        raise _Mistake(
            f"{key}.margin_ms", "a positive number of milliseconds, latency metrics only"
        )
    if not default.judged and rule.role in {Role.GUARDRAIL, Role.REVIEW}:
        raise _Mistake(f"{key}.role", "it only informs; evidence, info or off")
    if rule.margin is None:
        if rule.role in {Role.GUARDRAIL, Role.REVIEW}:
            raise _Mistake(key, f"role {rule.role} needs a margin")
        return
    if default.scale == "ratio" and rule.margin <= 1:
        raise _Mistake(f"{key}.margin", f"a ratio above 1 (1.10 allows +10 %), got {rule.margin}")
    if default.scale == "ratio" and rule.margin > GREATEST_RATIO:
        raise _Mistake(
            f"{key}.margin",
            f"a ratio such as 1.20 for +20 %, at most {GREATEST_RATIO:g}, got {rule.margin}",
        )
    if default.scale == "share" and not 0 < rule.margin < 1:
        raise _Mistake(
            f"{key}.margin", f"a share between 0 and 1 (0.001 = 0.1 pp), got {rule.margin}"
        )
    if default.scale == "loss" and not -1 < rule.margin < 0:
        raise _Mistake(
            f"{key}.margin", f"a loss between -1 and 0 (-0.005 = -0.5 pp), got {rule.margin}"
        )
