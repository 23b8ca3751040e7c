"""The table of metrics: levels, change, judged interval, margin, outcome, and its footnotes.

In: evidence of a verdict. Out: finished rows. Notes travel with their numbers as footnotes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.figures import NONE
from analyzer.metrics import BY_ID
from analyzer.model import Family, Outcome, Role
from analyzer.report.content.figures import (
    Decimals,
    allowed,
    change,
    decimals_of,
    interval,
    levels,
)
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
COLUMNS = (
    Column("metric"),
    Column("production", "right"),
    Column("shadow", "right"),
    Column("change", "right"),
    Column("judged interval", "interval"),
    Column("margin", "right"),
    Column("role", wide=True),
    Column("outcome"),
)
_FIRST = ("metric", "outcome", "judged interval", "margin")
REQUIRED = "required"
MARKS = {REQUIRED: "*", Role.REVIEW.value: "~"}
_LEGEND = {REQUIRED: "* required for PROMOTE", Role.REVIEW.value: "~ for a person to review"}
_FAMILIES = tuple(Family)
_ROLES = (Role.GUARDRAIL, Role.REVIEW, Role.EVIDENCE, Role.INFO)


def judged(verdict: Verdict) -> tuple[str, ...]:
    """Metrics whose outcome can change the decision, in reading order."""
    return tuple(metric for metric in ordered(verdict) if verdict.metrics[metric].role.is_judged)


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
    marks: dict[str, int] = {}
    chosen = [(metric, verdict.metrics[metric]) for metric in metrics]
    rows = tuple(
        _row(
            metric,
            evidence,
            precision(verdict, evidence),
            _marked(footnotes(evidence, needs=metric not in explained), marks),
        )
        for metric, evidence in chosen
    )
    roles = [role_word(evidence) for _, evidence in chosen]
    return Table(
        title=title,
        columns=COLUMNS,
        rows=rows,
        tones=tuple(TONES[evidence.outcome] for _, evidence in chosen),
        toned=len(COLUMNS) - 1,
        first=_FIRST,
        notes=tuple(Footnote(f"({number})", text) for text, number in marks.items()),
        caption=_caption([evidence for _, evidence in chosen]),
        untitled_first=True,
        marks=tuple(MARKS.get(role, "") for role in roles),
        legend="   ".join(said for role, said in _LEGEND.items() if role in roles),
    )


def role_word(evidence: Evidence) -> str:
    """What the outcome decides: `required` holds a promotion until it passes."""
    return REQUIRED if evidence.required else evidence.role.value


def precision(verdict: Verdict, evidence: Evidence) -> Decimals:
    """Decimals of one row: those of all judged metrics of its family and unit, on every page.

    Levels in a unit of their own, such as milliseconds, keep three digits each.
    """
    peers = [
        other
        for other in verdict.metrics.values()
        if evidence.role.is_judged
        and other.role.is_judged
        and (other.family, other.unit, effect_kind(other))
        == (evidence.family, evidence.unit, effect_kind(evidence))
    ]
    shared = decimals_of([*peers, evidence], evidence.unit)
    if evidence.unit == "share":
        return shared
    return replace(shared, level=decimals_of([evidence], evidence.unit).level)


def footnotes(evidence: Evidence, *, needs: bool = True) -> list[str]:
    """What a reader must know beside this row: caveats, closed gates, what would settle it."""
    gates = [note for note in evidence.notes if note.code.startswith(_GATE)]
    texts = [f"{note.code}: {note.text}" for note in evidence.notes if note not in gates]
    if len(gates) > 1:
        texts.append(f"closed gates: {', '.join(note.code[len(_GATE) :] for note in gates)}")
    else:
        texts += [note.text for note in gates]
    # where only gates hold it, what it needs repeats their names
    if needs and not gates and evidence.outcome is Outcome.UNRESOLVED and evidence.needs:
        said = {_bare(note.text) for note in evidence.notes}
        texts += [] if _bare(evidence.needs.text) in said else [evidence.needs.text]
    if once := _read_once(evidence):
        texts.append(f"not judged; its interval for this one look is {once}")
    return texts


_GATE = "gate-"


def _bare(text: str) -> str:
    """A sentence without what makes the same words another sentence."""
    return text.strip(" .").casefold()


def _read_once(evidence: Evidence) -> str:
    """The interval of a change that by design has no judged bounds; empty for every other."""
    effect, fixed = evidence.effect, evidence.intervals.fixed
    if effect is None or fixed is None or (effect.lower, effect.upper) != (None, None):
        return ""
    if evidence.margin is not None:
        return ""
    seen = effect.model_copy(update=dict(zip(("lower", "upper"), fixed, strict=True)))
    return interval(seen, None, evidence.unit)


def effect_kind(evidence: Evidence) -> str:
    """Kind of change the margin is about, also when nothing was measured."""
    if evidence.effect:
        return evidence.effect.kind
    return "difference" if _is_loss(evidence) else _KINDS[evidence.family]


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


def _row(metric: str, evidence: Evidence, decimals: Decimals, footnoted: str) -> tuple[str, ...]:
    effect = evidence.effect
    shadow = evidence.shadow
    if shadow is None and effect is not None and effect.kind == "proportion":
        shadow = effect.estimate
    return (
        metric,
        *levels(evidence.production, shadow, evidence.unit, decimals.level),
        change(effect, evidence.unit, decimals.change),
        NONE
        if _read_once(evidence)
        else interval(effect, evidence.margin, evidence.unit, decimals.interval),
        allowed(evidence.margin, effect_kind(evidence), evidence.unit)
        if evidence.role.is_judged
        else NONE,
        role_word(evidence),
        f"{WORDS[evidence.outcome]} {footnoted}".rstrip(),
    )


def _marked(texts: list[str], marks: dict[str, int]) -> str:
    """Numbers of a row's footnotes, counted in reading order over the table, as `(1,3-5)`.

    >>> _marked(["a", "b", "c", "d"], {"b": 1})
    '(1-4)'
    """
    numbers = sorted({marks.setdefault(text, len(marks) + 1) for text in texts})
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    said = ",".join(f"{run[0]}-{run[-1]}" if run[2:] else ",".join(map(str, run)) for run in runs)
    return f"({said})" if said else ""


def ways_table(verdict: Verdict) -> Table | None:
    """Each judged metric's interval for every way of looking; None where none has one.

    Both ends stand at one-sided alpha, so that the ways compare; the judged bounds, which pay for
    the number of guardrails too, are in the table of metrics.
    """
    rows = []
    for metric in judged(verdict):
        evidence = verdict.metrics[metric]
        shown = [
            _way(evidence, bounds)
            for bounds in (
                evidence.intervals.fixed,
                evidence.intervals.planned,
                evidence.intervals.anytime,
            )
        ]
        if evidence.effect is not None and set(shown) != {NONE}:
            rows.append((metric, *shown, evidence.effect.mode))
    if not rows:
        return None
    return Table(
        "Intervals by when they may be read",
        (
            Column("metric"),
            Column("fixed: once", "interval"),
            Column("planned: up to the horizon", "interval"),
            Column("anytime: at every look", "interval"),
            Column("judged by"),
        ),
        tuple(rows),
        caption=(
            "Both ends at one-sided alpha. A planned interval needs a horizon that was declared "
            "before the test; shares of pairs have none."
        ),
    )


def _way(evidence: Evidence, bounds: tuple[float, float] | None) -> str:
    if bounds is None or evidence.effect is None:
        return NONE
    effect = evidence.effect.model_copy(update={"lower": bounds[0], "upper": bounds[1]})
    return interval(effect, evidence.margin, evidence.unit)


def sureness(chosen: Iterable[Evidence]) -> str:
    """The levels of a pass and of a FAIL and the looks they hold for; empty when metrics differ."""
    looks = [looked for looked in map(_looked, chosen) if looked[2]]
    levels_ = {(failing, passing) for failing, passing, _ in looks}
    if len(levels_) != 1:
        return ""
    failing, passing = (f"{100 * level:.4g} %" for level in levels_.pop())
    modes = " or ".join(_LOOKS[mode] for mode in _LOOKS if mode in {look[2] for look in looks})
    return f"a pass is {passing} sure, a FAIL {failing} sure, {modes}"


_LOOKS = {
    "anytime": "at any look",
    "planned": "up to the planned horizon",
    "fixed": "for this one look",
}


def _caption(chosen: list[Evidence]) -> str:
    """At which levels the interval stands; one sentence when all agree."""
    looks = [looked for looked in map(_looked, chosen) if looked[2]]
    levels_ = {(failing, passing) for failing, passing, _ in looks}
    if len(levels_) != 1:
        return ""
    failing, passing = levels_.pop()
    modes = " or ".join(_MODES[mode] for mode in _MODES if mode in {look[2] for look in looks})
    said = (
        f"Judged interval: lower bound at {100 * failing:.4g} %, upper bound at "
        f"{100 * passing:.4g} %, {modes}. pass = upper bound below the margin; FAIL = lower "
        "bound above it."
    )
    losses = any(_is_loss(evidence) for evidence in chosen)
    return f"{said} Where less is worse, the bounds change their parts." if losses else said


def _looked(evidence: Evidence) -> tuple[float, float, str]:
    """Levels of the bound that can fail and of the one that can pass, and for which looks."""
    effect = evidence.effect
    if effect is None:
        return 0.0, 0.0, ""
    bounds = effect.lower_level, effect.upper_level
    failing, passing = reversed(bounds) if _is_loss(evidence) else bounds
    return failing, passing, effect.mode


def _is_loss(evidence: Evidence) -> bool:
    """Whether less is worse, as with accuracy."""
    return evidence.margin is not None and evidence.margin < 0


_MODES = {
    "anytime": "valid at every look (anytime)",
    "planned": "valid up to the planned horizon",
    "fixed": "valid for this one look (fixed)",
}
