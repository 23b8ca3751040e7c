"""The default policy as a commented policy.toml, made from the types so that it cannot drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.model import Frozen
from analyzer.policy.files import parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

    from analyzer.policy import MetricDefault, MetricRule


_MARGINS_AND_ROLES = (
    "#",
    "# Margins of [metrics.*]: the largest harm that is accepted.",
    "#   ratio  shadow / production, above 1 and at most 3: 1.20 allows +20 %",
    "#   share  added share of requests, or share of predictions, in 0..1: 0.001 = 0.1 pp",
    "#   loss   what the shadow may lose, in -1..0: -0.005 = -0.5 pp; judged with --labels only",
    "# Roles of [metrics.*]:",
    "#   guardrail  a failure rejects, and a required one that is unresolved holds",
    "#   review     anything but a pass holds until a person has looked",
    "#   evidence   shown beside what is judged",
    "#   info       shown",
    "#   off        not measured",
    "",
)

_SLICES = (
    "[slices]  # Parts of the traffic judged apart: one that fails for certain holds a promotion.",
    "# The values of what is named stand in the verdict, the report and the cache.",
    "# hour = true  # hour of the day, UTC",
    "# content_type = true  # of the input",
    '# "input.3" = "quantiles"  # third column of a CSV input, in fifths',
    '# "input.customer.tier" = "categories"  # path of a JSON input, 20 commonest values',
)


def commented(defaults: Mapping[str, MetricDefault]) -> str:
    """policy.toml with every key at its default and one line of meaning each.

    A key that is unset by default stands as a comment. The text, read back, is the default policy.
    """
    policy = parse_policy({}, defaults)
    lines = [
        "# Everything that can change a judgement, at its default.",
        *_MARGINS_AND_ROLES,
        *_table(policy),
    ]
    for name in ("sampling", "predictions", "pairing", "redaction"):
        table: Frozen = getattr(policy, name)
        lines += ["", f"[{name}]  # {_first_line(table)}", *_table(table)]
    lines += ["", *_SLICES]
    for metric, rule in policy.metrics.items():
        lines += ["", f"[metrics.{metric}]", *_rule(rule, defaults[metric])]
    return "\n".join(lines) + "\n"


def _table(table: Frozen) -> Iterator[str]:
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        if isinstance(value, Frozen | dict):
            continue
        yield _line(name, field, value)


def _line(name: str, field: FieldInfo, value: object) -> str:
    meaning = f"  # {field.description}" if field.description else ""
    if value is None:
        example = field.examples[0] if field.examples else 1
        return f"# {name} = {_toml(example)}{meaning}"
    return f"{name} = {_toml(value)}{meaning}"


def _rule(rule: MetricRule, default: MetricDefault) -> Iterator[str]:
    if rule.margin is not None:
        yield f"margin = {_toml(rule.margin)}  # {default.scale}"
    if rule.margin_ms is not None:
        yield f"margin_ms = {_toml(rule.margin_ms)}  # or this many milliseconds, if larger"
    elif not default.judged:
        yield "# it only informs: evidence, info or off"
    elif rule.margin is None:
        yield f"# margin is a {default.scale}, unset: needed to make it a guardrail or a review"
    yield f"role = {_toml(rule.role.value)}"


def _toml(value: object) -> str:
    """A scalar or a list of strings in TOML.

    >>> _toml(True), _toml("p99"), _toml(("a", "b")), _toml(0.05)
    ('true', '"p99"', '["a", "b"]', '0.05')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value)


def _first_line(table: Frozen) -> str:
    return (type(table).__doc__ or "").splitlines()[0].rstrip(".")
