"""Reading, checking and completing a policy.

In: policy.toml and `KEY=VALUE` overrides. Out: what the keys mean (`policy`).
"""

from __future__ import annotations

import difflib
import json
import tomllib
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from analyzer.errors import PolicyError
from analyzer.model import Frozen, Role
from analyzer.policy import (
    HORIZON,
    INPUT,
    Change,
    MetricDefault,
    MetricRule,
    PairingRules,
    Policy,
    Predictions,
    Redaction,
    Sampling,
    SliceBy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_Kind = TypeVar("_Kind", bound=Frozen)
_PERCENTAGE = "a percentage in 1..100"
GREATEST_RATIO = 3.0
"""Ratio margins above this are percentages written by mistake: 20 would allow +1,900 %."""
MOST_COLUMNS = 100_000
"""A column beyond this is taken for a mistake; DuckDB's numbers end much later, at 2 ** 31."""
_DEEPEST = 64
"""Tables within tables; only a JSON path that is not quoted has more than three."""
_LIKELY = 0.4
"""How alike a metric's name and a known one are to be suggested; 1 is equal."""


class _Mistake(Exception):  # noqa: N818 - becomes a PolicyError once it is known who wrote the key
    """What is wrong with a dotted key, before it is known where the key was written."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key}: {text}")
        self.key = key


_METRIC_KEYS = ("margin", "margin_ms", "role")


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
    if _too_deep(body):
        raise PolicyError(f"{path or 'policy'}: {_NESTED}")
    assigned = {_assign(body, override): override for override in overrides}
    try:
        return _completed(body, defaults)
    except _Mistake as mistake:
        given = [override for key, override in assigned.items() if _touches(key, mistake.key)]
        where = f"--set {given[-1]}" if given else str(path or "policy")
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
    plain = {key: value for key, value in body.items() if key not in {"metrics", "slices"}}
    slices = _slices(body.get("slices", {}))
    try:
        policy = _typed(Policy, plain)
    except ValidationError as error:
        raise _explained(error) from None
    if policy.inference == "fixed" and not policy.final:
        raise _Mistake(
            "inference",
            '"fixed" holds for one look only: set final = true to promise that this is it, '
            'or use "anytime"',
        )
    if policy.horizon is not None and not HORIZON.fullmatch(policy.horizon):
        raise _Mistake("horizon", f'a length such as "7d" or "36h", got {policy.horizon!r}')
    rules = _rules(body.get("metrics", {}), policy.change, defaults)
    return policy.model_copy(update={"metrics": rules, "slices": slices})


def _typed(kind: type[_Kind], body: Mapping[str, object]) -> _Kind:
    """Validate types as they were written: TOML has them, so "3" is no number and true no count.

    By way of JSON, whose strict reading takes a list for a tuple and a word for a role.
    """
    return kind.model_validate_json(json.dumps(body, default=str), strict=True)


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: not valid TOML: {error}") from None
    except RecursionError:
        raise PolicyError(f"{path}: {_NESTED}") from None


_NESTED = f"tables or lists are nested more than {_DEEPEST} deep"


def _too_deep(value: object) -> bool:
    """Whether nesting goes deeper than what reads it recursively may be given."""
    level = [value]
    for _ in range(_DEEPEST):
        inside: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inside += one.values()
            elif isinstance(one, list):
                inside += one
        level = inside
    return bool(level)


def _assign(body: dict[str, object], override: str) -> str:
    """Apply one dotted `KEY=VALUE`, a bare word being a string; returns the key."""
    (*tables, last), value = _split(override)
    try:
        parsed: object = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    except RecursionError:
        raise PolicyError(f"--set {last}: {_NESTED}") from None
    if len(tables) >= _DEEPEST or _too_deep(parsed):
        raise PolicyError(f"--set {last}: {_NESTED}")
    node = body
    for table in tables:
        child = node.setdefault(table, {})
        if not isinstance(child, dict):
            raise PolicyError(f"--set {override}: {table} is not a table")
        node = child
    node[last] = parsed
    return ".".join([*tables, last])


def _split(override: str) -> tuple[list[str], str]:
    """The parts of the key, quoted ones whole as in TOML, and the value as it was written."""
    signs = [place for place, letter in enumerate(override) if letter == "="]
    for place in signs:  # a quoted key may hold the sign itself
        try:
            node: object = tomllib.loads(f"{override[:place].strip()} = 0")
        except tomllib.TOMLDecodeError:
            continue
        parts = []
        while isinstance(node, dict) and len(node) == 1:
            ((part, node),) = node.items()
            parts.append(part)
        if node == 0:
            return parts, override[place + 1 :]
    raise PolicyError(f"--set {override}: expected KEY=VALUE, the key as in TOML")


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


_SWITCHES: tuple[SliceBy, ...] = ("hour", "content_type")
_BINS: tuple[SliceBy, ...] = ("quantiles", "categories")


def _slices(given: object) -> dict[str, SliceBy]:
    """What the policy slices by; a switch that is off is not there."""
    if not isinstance(given, dict):
        raise _Mistake("slices", "expected a table such as [slices]")
    found: dict[str, SliceBy] = {}
    for name, value in _flat(given):
        if name in _SWITCHES:
            if not isinstance(value, bool):
                raise _Mistake(f"slices.{name}", f"true or false, got {value!r}")
            found |= {by: by for by in _SWITCHES if by == name and value}
        elif name.startswith(INPUT) and name != INPUT:
            bins = [by for by in _BINS if by == value]
            if not bins:
                raise _Mistake(f"slices.{name}", f'"quantiles" or "categories", got {value!r}')
            place = name.removeprefix(INPUT)
            if place.isdigit() and not _is_column(place):
                raise _Mistake(f"slices.{name}", f"columns count from 1 to {MOST_COLUMNS:,}")
            found[name] = bins[0]
        else:
            raise _Mistake(
                f"slices.{name}",
                'unknown key; hour, content_type, or "input." and a column from 1 or a JSON path',
            )
    return found


def _is_column(place: str) -> bool:
    """Whether a place written in digits, of whatever script, is the number of a column."""
    short = place.isascii() and len(place) <= len(str(MOST_COLUMNS))
    return short and 1 <= int(place) <= MOST_COLUMNS


def _flat(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """Dotted keys: TOML reads `input.3` without quotes as a table in a table."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


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
    role = default.role_under(change)
    start: dict[str, object] = {
        "margin": default.margin_under(change),
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
        rule = _typed(MetricRule, {**start, **given, "source": "policy"})
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
    if not default.judged and rule.role.is_judged:
        raise _Mistake(f"{key}.role", "it only informs; evidence, info or off")
    if rule.margin is None:
        if rule.role.is_judged:
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
