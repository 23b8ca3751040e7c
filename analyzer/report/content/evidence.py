"""The table of metrics: levels, change, judged interval, margin, outcome, and its footnotes.

In: evidence of a verdict. Out: finished rows. Notes travel with their numbers as footnotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import NONE, UNKNOWN
from analyzer.metrics import BY_ID
from analyzer.model import Family, Outcome, Role
from analyzer.report.content.figures import allowed, change, interval, levels
from analyzer.report.content.page import Column, Footnote, Table, Tone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from analyzer.model import Evidence, Verdict

WORDS = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "FAIL",
    Outcome.UNRESOLVED: "unresolved",
    Outcome.INFO: "info",
}
TONES = {
    Outcome.PASS: Tone.GOOD,
    Outcome.FAIL: Tone.BAD,
    Outcome.UNRESOLVED: Tone.OPEN,
    Outcome.INFO: Tone.PLAIN,
}
JUDGED = frozenset({Role.GUARDRAIL, Role.REVIEW})
COLUMNS = (
    Column("metric"),
    Column("production", "right"),
    Column("shadow", "right"),
    Column("change", "right"),
    Column("judged interval", "interval"),
    Column("margin", "right"),
    Column("outcome"),
)
_FAMILIES = tuple(Family)
_ROLES = (Role.GUARDRAIL, Role.REVIEW, Role.EVIDENCE, Role.INFO)


def judged(verdict: Verdict) -> tuple[str, ...]:
    """Metrics whose outcome can change the decision, in reading order."""
    return tuple(metric for metric in ordered(verdict) if verdict.metrics[metric].role in JUDGED)


def ordered(verdict: Verdict, family: Family | None = None) -> tuple[str, ...]:
    """Metrics that are on, by family, guardrails first; as the verdict has them within a role."""
    found = [
        metric
        for metric, evidence in verdict.metrics.items()
        if evidence.role is not Role.OFF and family in {None, evidence.family}
    ]
    return tuple(sorted(found, key=lambda metric: _rank(metric, verdict.metrics[metric])))


def metric_table(
    verdict: Verdict, metrics: Iterable[str], title: str, *, explained: Collection[str] = ()
) -> Table:
    """One row per metric, its notes as footnotes; `explained` has its needs said elsewhere."""
    marks: dict[str, str] = {}
    chosen = [(metric, verdict.metrics[metric]) for metric in metrics]
    rows = tuple(
        _row(metric, evidence, marks, footnotes(evidence, needs=metric not in explained))
        for metric, evidence in chosen
    )
    return Table(
        title=title,
        columns=COLUMNS,
        rows=rows,
        tones=tuple(TONES[evidence.outcome] for _, evidence in chosen),
        toned=len(COLUMNS) - 1,
        notes=tuple(Footnote(mark, text) for text, mark in marks.items()),
        caption=_caption([evidence for _, evidence in chosen]),
        untitled_first=True,
    )


def footnotes(evidence: Evidence, *, needs: bool = True) -> list[str]:
    """What a reader must know beside this row: caveats, and what would settle it."""
    texts = [
        note.text if note.code.startswith("gate-") else f"{note.code}: {note.text}"
        for note in evidence.notes
    ]
    if needs and evidence.outcome is Outcome.UNRESOLVED and evidence.needs:
        texts.append(evidence.needs.text)
    return texts


def effect_kind(evidence: Evidence) -> str:
    """Kind of change the margin is about, also when nothing was measured."""
    return evidence.effect.kind if evidence.effect else _KINDS[evidence.family]


_KINDS = {
    Family.SAMPLING: "proportion",
    Family.LATENCY: "ratio",
    Family.ERROR_RATE: "difference",
    Family.DIVERGENCE: "proportion",
}
_ORDER = tuple(BY_ID)


def _rank(metric: str, evidence: Evidence) -> tuple[int, int, int]:
    place = _ORDER.index(metric) if metric in _ORDER else len(_ORDER)
    return _FAMILIES.index(evidence.family), _ROLES.index(evidence.role), place


def _row(
    metric: str, evidence: Evidence, marks: dict[str, str], notes: list[str]
) -> tuple[str, ...]:
    effect = evidence.effect
    shadow = evidence.shadow
    if shadow is None and effect is not None and effect.kind == "proportion":
        shadow = effect.estimate
    production_cell, shadow_cell = levels(evidence.production, shadow, evidence.unit)
    found = "".join(f" {_mark(text, marks)}" for text in notes).strip()
    bounds = interval(effect, evidence.margin, evidence.unit)
    word = WORDS[evidence.outcome]
    if bounds == UNKNOWN and found:
        bounds, found = found, ""
    return (
        metric,
        production_cell,
        shadow_cell,
        change(effect, evidence.margin, evidence.unit),
        bounds,
        allowed(evidence.margin, effect_kind(evidence), evidence.unit)
        if evidence.role in JUDGED
        else NONE,
        f"{word} {found}".rstrip(),
    )


def _mark(text: str, marks: dict[str, str]) -> str:
    return marks.setdefault(text, f"({len(marks) + 1})")


def _caption(chosen: list[Evidence]) -> str:
    """At which levels the interval stands; one sentence when all agree."""
    effects = [evidence.effect for evidence in chosen if evidence.effect]
    looks = {(effect.lower_level, effect.upper_level, effect.mode) for effect in effects}
    if len(looks) != 1:
        return ""
    lower, upper, mode = looks.pop()
    return (
        f"Judged interval: lower bound at {100 * lower:.4g} %, upper bound at {100 * upper:.4g} %, "
        f"{_MODES[mode]}. pass = upper bound below the margin; FAIL = lower bound above it."
    )


_MODES = {
    "anytime": "valid at every look (anytime)",
    "planned": "valid up to the planned horizon",
    "fixed": "valid for this one look (fixed)",
}
