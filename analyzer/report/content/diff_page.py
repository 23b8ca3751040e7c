"""What `analyzer diff` says: whether the decision moved and why, then everything that differs.

In: a difference. Out: blocks for the terminal and Markdown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import NONE, counted, grouped
from analyzer.metrics import BY_ID
from analyzer.report.content.evidence import TONES, WORDS, effect_kind, role_word
from analyzer.report.content.figures import allowed, interval
from analyzer.report.content.page import (
    Column,
    Headline,
    Item,
    Notes,
    Page,
    Table,
    Tone,
)
from analyzer.report.content.verdict_page import DECISIONS, gate_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.model import Evidence
    from analyzer.report.content.page import Block
    from analyzer.verdict.diff import Cause, Change, Difference, GateChange, MetricChange

_ORDER = tuple(BY_ID)
_ARROW = " -> "
_FEW_CHARACTERS = 28
_BECAUSE = {
    "evidence": "because the evidence moved",
    "policy": "because the policy changed",
    "evidence and policy": "because evidence and policy changed",
    "gate": "because what the gate checks came out otherwise",
    "not judged before": "because only one of the two has it",
}
_GRAVE = {"endpoint": "endpoints", "schema_version": "schema versions"}


def diff_page(difference: Difference) -> Page:
    """A difference as a page."""
    return Page("diff", "Difference", tuple(_blocks(difference)))


def _blocks(difference: Difference) -> Iterator[Block]:
    yield _headline(difference)
    if difference.unlike:
        items = tuple(
            Item(f"not the same {one.name}", _moved(one), "", Tone.OPEN)
            for one in difference.unlike
        )
        yield Notes("They are about different things", items)
    if difference.causes:
        items = tuple(map(_cause, difference.causes))
        moved = difference.moved
        yield Notes("Why the decision moved" if moved else "Reasons that came or went", items)
    if difference.metrics:
        yield _metrics(difference.metrics)
    if any(one.turned for one in difference.gates):
        yield _gates(difference.gates)
    for title, head, changes in (
        ("Policy", "policy key", difference.policy),
        ("Inputs", "input", difference.inputs),
    ):
        if changes:
            columns = (Column(head), Column("first", "right"), Column("second", "right"))
            yield Table(title, columns, tuple(map(_row, changes)))


def _headline(difference: Difference) -> Headline:
    symbol, tone = DECISIONS[difference.second]
    if difference.empty:
        return Headline(difference.second, symbol, tone, "The two verdicts say the same.")
    differs = _sentence(difference)
    if not difference.moved:
        return Headline(difference.second, symbol, tone, f"The decision is the same; {differs}")
    word = f"{difference.first}{_ARROW}{difference.second}"
    if not difference.causes:
        return Headline(word, symbol, tone, f"No reason of either accounts for it; {differs}")
    named = ", ".join(one.metric or one.gate or one.code for one in difference.causes)
    came = "came with" if difference.causes[0].came else "ended with"
    return Headline(word, symbol, tone, f"It {came} {named}; {differs}")


def _sentence(difference: Difference) -> str:
    """How much turned, and a warning where the two do not speak of the same."""
    metrics = sum(one.turned for one in difference.metrics)
    gates = sum(one.turned for one in difference.gates)
    keys = len(difference.policy)
    parts = [
        counted(count, noun)
        for count, noun in ((metrics, "metric"), (gates, "gate"), (keys, "policy key"))
        if count
    ]
    turned = [f"{', '.join(parts)} turned"] if parts else []
    reasons = [] if difference.moved else _came_and_went(difference.causes)
    said = f"{'; '.join([*turned, *reasons]) or 'only numbers differ'}."
    grave = [_GRAVE[one.name] for one in difference.unlike if one.name in _GRAVE]
    return f"{said} They are of different {' and '.join(grave)}." if grave else said


def _came_and_went(causes: Sequence[Cause]) -> list[str]:
    """How many reasons there are more and fewer, where the decision does not say so."""
    came = sum(one.came for one in causes)
    counts = (came, "came"), (len(causes) - came, "went")
    return [f"{counted(count, 'reason')} {word}" for count, word in counts if count]


def _cause(cause: Cause) -> Item:
    why = _BECAUSE[cause.because]
    text = f"new, {why}: {cause.text}" if cause.came else f"gone, {why}; it was: {cause.text}"
    name = cause.metric or cause.gate or cause.code
    return Item(name, text, "", Tone.BAD if cause.came else Tone.GOOD)


def _metrics(changes: tuple[MetricChange, ...]) -> Table:
    columns = (
        Column("metric"),
        Column("first interval", "interval"),
        Column("second interval", "interval"),
        Column("margin"),
        Column("role"),
        Column("outcome"),
    )
    shown = sorted((one for one in changes if one.turned or _judged(one)), key=_place)
    tones = tuple(TONES[one.second.outcome] if one.second else Tone.PLAIN for one in shown)
    rows = tuple(map(_metric, shown))
    rest = _rest(changes, shown)
    return Table("Metrics", columns, rows, tones, toned=len(columns) - 1, legend=rest, caption=rest)


def _judged(change: MetricChange) -> bool:
    return any(side is not None and side.role.is_judged for side in (change.first, change.second))


def _place(change: MetricChange) -> tuple[int, str]:
    """Reading order; what this version does not know comes last."""
    return (_ORDER.index(change.metric) if change.metric in _ORDER else len(_ORDER)), change.metric


def _rest(changes: Sequence[object], shown: Sequence[object]) -> str:
    hidden = len(changes) - len(shown)
    return f"{hidden} more differ in numbers only; --format json has them" if hidden else ""


def _metric(change: MetricChange) -> tuple[str, ...]:
    sides = (change.first, change.second)
    first, second = (_interval(side) for side in sides)
    return (
        change.metric,
        first,
        second,
        _pair(*(_margin(side) for side in sides)),
        _pair(*(NONE if side is None else role_word(side) for side in sides)),
        _pair(*(NONE if side is None else WORDS[side.outcome] for side in sides)),
    )


def _interval(item: Evidence | None) -> str:
    return NONE if item is None else interval(item.effect, item.margin, item.unit)


def _margin(item: Evidence | None) -> str:
    return NONE if item is None else allowed(item.margin, effect_kind(item), item.unit)


def _gates(changes: tuple[GateChange, ...]) -> Table:
    shown = [one for one in changes if one.turned]
    columns = (Column("gate"), Column("state"), Column("now", sentence=True))
    rows = tuple(
        (
            one.gate,
            _pair(*(NONE if side is None else gate_word(side) for side in (one.first, one.second))),
            one.second.text if one.second else "not checked",
        )
        for one in shown
    )
    tones = tuple(
        Tone.BAD if one.second is not None and one.second.closed else Tone.GOOD for one in shown
    )
    rest = _rest(changes, shown)
    return Table("Gates", columns, rows, tones, toned=1, legend=rest, caption=rest)


def _pair(first: str, second: str) -> str:
    return first if first == second else f"{first}{_ARROW}{second}"


def _row(change: Change) -> tuple[str, str, str]:
    return change.name, *_values(change)


def _moved(change: Change) -> str:
    return _ARROW.join(_values(change))


def _values(change: Change) -> tuple[str, str]:
    """Both values, with all their digits where fewer would show two of them as one."""
    first, second = _value(change.first), _value(change.second)
    if first == second and isinstance(change.first, float) and isinstance(change.second, float):
        return f"{change.first:.9g}", f"{change.second:.9g}"
    return first, second


def _value(value: object) -> str:
    """Any JSON value as a cell; a digest by its first figures, which is enough to tell two apart.

    >>> _value(12345), _value(0.12345678), _value(None), _value(True), _value(["a", "b"])
    ('12 345', '0.123457', '-', 'true', 'a, b')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return grouped(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    text = NONE if value is None else str(value)
    return f"{text[:_FEW_CHARACTERS]}..." if text.startswith("sha256:") else text
