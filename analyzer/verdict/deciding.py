"""The court: what one interval says, what the gates take away, and what to do about the whole.

Pure functions over the nouns of `model`; no I/O, no statistics. `decide` is total, deterministic
and monotone: replacing any outcome or gate by a worse one never improves the decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from analyzer.errors import ExitCode
from analyzer.figures import bin_name, counted, grouped, percent, points, relative, stated
from analyzer.model import (
    GAPS,
    Decision,
    Family,
    GateOutcome,
    Needs,
    Note,
    Outcome,
    Reason,
    Role,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from analyzer.model import Evidence, Gate, Slice, SliceBin, SlicedShare

EXIT_CODES = {
    Decision.PROMOTE: ExitCode.PROMOTE,
    Decision.HOLD: ExitCode.HOLD,
    Decision.REJECT: ExitCode.REJECT,
    Decision.ERROR: ExitCode.INTERNAL,
}


@dataclass(frozen=True)
class Words:
    """How a metric or gate is called in a sentence, and what to do when it stands in the way."""

    title: str
    advice: str


@dataclass(frozen=True)
class Judgement:
    """The decision, the evidence after the gates, and why."""

    decision: Decision
    summary: str
    reasons: tuple[Reason, ...]
    evidence: dict[str, Evidence]


def decide(
    evidence: Mapping[str, Evidence],
    gates: Mapping[str, Gate],
    words: Mapping[str, Words],
    slices: Mapping[str, Slice] | None = None,
    observed: str = "for the days observed",
) -> Judgement:
    """PROMOTE, HOLD or REJECT, with reasons in order of weight: causes before what they cause.

    Args:
        evidence: metric id -> evidence with the outcome its own interval gives.
        gates: gate id -> gate.
        words: metric or gate id -> its words; an id without words is named by itself.
        slices: parts of the traffic that the policy names; one that fails holds, and so does a
            slice that tells no parts apart.
        observed: what a promotion holds for.
    """
    gated = {metric: _gated(item, gates) for metric, item in evidence.items()}
    failed = tuple(_failures(gated, words))
    closed = tuple(_closed(gates, words))
    everything = tuple(reason for reason in closed if _covers_everything(gates, reason))
    holding = (
        *everything,
        *_reviews(evidence, words, Outcome.FAIL),
        *(reason for reason in closed if reason not in everything),
        *_unresolved(evidence, words),
        *_reviews(evidence, words, Outcome.UNRESOLVED),
        *_sliced(slices or {}, words),
        *_unread(slices or {}),
    )
    nothing_required = not any(item.required for item in gated.values())
    if failed:
        reasons = (*failed, *holding)
        return Judgement(Decision.REJECT, _first_of(reasons), reasons, gated)
    if nothing_required:
        holding = (_NOTHING_REQUIRED, *holding)
    if holding:
        return Judgement(Decision.HOLD, _first_of(holding), holding, gated)
    return Judgement(Decision.PROMOTE, _promote_summary(gated, gates, observed), (), gated)


def ungated(item: Evidence, outcome: Outcome) -> Evidence:
    """Evidence as it was before the gates, with the outcome that its own interval gives."""
    notes = tuple(note for note in item.notes if not note.code.startswith(_GATE))
    return item.model_copy(update={"outcome": outcome, "notes": notes})


SLICE_REASON = "slice-review"
UNREAD_SLICE = "slice-unread"
_NOTHING_REQUIRED = Reason(
    code="nothing-required",
    text="The policy requires no metric, so nothing was shown.",
    advice="Give at least one metric the role guardrail.",
)


def _gated(item: Evidence, gates: Mapping[str, Gate]) -> Evidence:
    """A pass under a closed gate of its family becomes unresolved; a failure stands."""
    if item.outcome is not Outcome.PASS:
        return item
    closed = [
        gate for gate, held in sorted(gates.items()) if held.closed and item.family in held.covers
    ]
    if not closed:
        return item
    notes = [Note(code=f"{_GATE}{gate}", text=f"gate {gate} is closed") for gate in closed]
    return item.model_copy(
        update={
            "outcome": Outcome.UNRESOLVED,
            "notes": (*item.notes, *notes),
            "needs": _opening(item, gates, closed),
        }
    )


def _opening(item: Evidence, gates: Mapping[str, Gate], closed: list[str]) -> Needs:
    """What a metric needs whose own interval passes: time, where days are all that is missing."""
    text = f"Its own interval passes; it waits for {_listed(closed)} to open."
    days = gates[_DAYS].limit if _DAYS in closed else None
    seen, requests = item.n.minutes, item.n.production
    if days is None:
        return Needs(text=text)
    minutes = round(days * _DAY_MINUTES)
    return Needs(
        minutes=minutes,
        hours=minutes / 60,
        requests=round(requests * minutes / seen) if seen and requests else None,
        text=f"{text} {_DAYS} opens after {counted(days, 'whole day')}.",
    )


def _listed(gates: list[str]) -> str:
    return f"gate {gates[0]}" if len(gates) == 1 else f"gates {', '.join(gates)}"


_GATE = "gate-"
_DAYS = "min_days"
_DAY_MINUTES = 1_440


def _failures(evidence: Mapping[str, Evidence], words: Mapping[str, Words]) -> Iterator[Reason]:
    for metric, item in evidence.items():
        if item.role is Role.GUARDRAIL and item.outcome is Outcome.FAIL:
            said = _words(metric, words)
            yield Reason(
                code=f"{_code(metric)}-regression",
                metric=metric,
                text=f"{_sentence(said.title)}: {describe(item)}.",
                advice=said.advice,
            )


def _unresolved(evidence: Mapping[str, Evidence], words: Mapping[str, Words]) -> Iterator[Reason]:
    """Metrics their own interval leaves unsettled; what only a gate unsettled, the gate says."""
    for metric, item in evidence.items():
        rejects = item.role is Role.GUARDRAIL and item.outcome is Outcome.FAIL
        if item.required and item.outcome is not Outcome.PASS and not rejects:
            said = _words(metric, words)
            open_ = item.notes[-1].text if item.notes and not _bounded(item) else describe(item)
            yield Reason(
                code=f"{_code(metric)}-unresolved",
                metric=metric,
                text=f"{_sentence(said.title)}, not settled: {open_}.",
                advice=item.needs.text if item.needs else said.advice,
            )


def _covers_everything(gates: Mapping[str, Gate], reason: Reason) -> bool:
    """Whether a closed gate doubts the whole comparison: then nothing else matters first."""
    families = {family for gate in gates.values() for family in gate.covers}
    return reason.gate is not None and set(gates[reason.gate].covers) == families


def _closed(gates: Mapping[str, Gate], words: Mapping[str, Words]) -> Iterator[Reason]:
    for gate, held in gates.items():
        if held.closed:
            said = _words(gate, words)
            yield Reason(code=f"gate-{_code(gate)}", gate=gate, text=held.text, advice=said.advice)


def _reviews(
    evidence: Mapping[str, Evidence], words: Mapping[str, Words], outcome: Outcome
) -> Iterator[Reason]:
    for metric, item in evidence.items():
        if item.role is Role.REVIEW and item.outcome is outcome:
            said = _words(metric, words)
            yield Reason(
                code=f"{_code(metric)}-review",
                metric=metric,
                text=f"{_sentence(said.title)}, for a person to review: {describe(item)}.",
                advice=item.needs.text if item.needs else said.advice,
            )


def _sliced(slices: Mapping[str, Slice], words: Mapping[str, Words]) -> Iterator[Reason]:
    """One reason for each metric that fails in parts of a slice, its worst part first.

    Of a slice that tells no parts apart the gap is none: what lies there is the traffic itself.
    """
    for name, held in slices.items():
        failing: dict[str, list[tuple[SlicedShare, SliceBin]]] = {}
        for part in held.bins:
            if held.unread and part.kind in GAPS:
                continue
            for metric, share in part.shares.items():
                if share.outcome is Outcome.FAIL:
                    failing.setdefault(metric, []).append((share, part))
        for metric, found in failing.items():
            found.sort(key=lambda one: -one[0].lower)
            share, part = found[0]
            more = f", and in {counted(len(found) - 1, 'other part')}" if found[1:] else ""
            title = _words(metric, words).title
            yield Reason(
                code=SLICE_REASON,
                text=f"{_sentence(title)} in a part of the traffic, {name} "
                f"{part_name(part)} ({counted(part.pairs, 'pair')}): "
                f"{percent(share.lower, 2)} to {percent(share.upper, 2)}; the policy allows "
                f"{stated(share.allowed or 0.0)}{more}.",
                advice=f"Mend the shadow's {title} for {name} {part_name(part)}{more} (see the "
                "slices on the predictions page), or take the slice out of the policy if that part "
                "may differ.",
            )


def _unread(slices: Mapping[str, Slice]) -> Iterator[Reason]:
    """Slices whose place holds nothing that would tell parts apart: a review that was not made."""
    for name, held in slices.items():
        if not held.unread:
            continue
        pairs = sum(part.pairs for part in held.bins)
        gaps = {part.kind: part.pairs for part in held.bins if part.kind in GAPS}
        commonest = max(gaps, key=gaps.__getitem__)
        said = ", ".join(f"{grouped(count)} {kind}" for kind, count in gaps.items())
        yield Reason(
            code=UNREAD_SLICE,
            text=f"Slice {name} tells no parts of the traffic apart: of {counted(pairs, 'pair')} "
            f"{said}.",
            advice=f"{_UNREAD_ADVICE[commonest]}, or take {name} out of [slices].",
        )


_UNREAD_ADVICE = {
    "missing": "No input has a value there: correct the column or path",
    "unreadable": "Inputs are not of the form that is asked for: name a column of a CSV input by "
    "its number, a value of a JSON input by its path",
    "not-a-number": 'What stands there is no number: slice by "categories", or correct the column '
    "or path",
    "several": "Rows of one request differ there: name a place that they share",
}


def part_name(part: SliceBin) -> str:
    """A bin of a slice, as `3 .. 7` or `missing`."""
    return bin_name(part.kind, part.value, part.lower, part.upper)


def describe(item: Evidence) -> str:
    """The interval against the margin, in words.

    Ratios read as percent higher or lower, differences as percentage points, shares as percent.
    """
    effect = item.effect
    if effect is None or effect.lower is None or item.margin is None:
        return "no interval yet"
    low, high = effect.lower, effect.upper
    if effect.kind == "ratio":
        if high is None:
            return "no interval yet"
        return f"{_change(low, high)}; the policy allows {stated(item.margin - 1)}"
    if effect.kind == "difference":
        allowed = f"{'+' if item.margin > 0 else ''}{stated(item.margin, 'pp')}"
        against = "production's own noise floor" if _above_floor(item) else "production"
        return f"{_span(low, high, points)} against {against}; the policy allows {allowed}"
    return (
        f"{_span(low, high, partial(percent, decimals=2))}; the policy allows {stated(item.margin)}"
    )


def _span(low: float, high: float | None, shown: Callable[[float], str]) -> str:
    """Both bounds; the upper one is withheld where a pass would say nothing."""
    return f"{shown(low)} or more" if high is None else f"{shown(low)} to {shown(high)}"


def _above_floor(item: Evidence) -> bool:
    return item.family is Family.DIVERGENCE and item.margin is not None and item.margin > 0


def _bounded(item: Evidence) -> bool:
    effect = item.effect
    return effect is not None and None not in {effect.lower, effect.upper, item.margin}


def _change(lower: float, upper: float) -> str:
    """Both bounds of a ratio as what they mean; a sign where the words do not tell it."""
    low, high = relative(lower), relative(upper)
    if high.endswith("times"):
        return f"from {low} up to {high} production's"
    if lower >= 1:
        return f"{low[1:]} to {high[1:]} higher than production"
    if upper <= 1:
        return f"{high[1:]} to {low[1:]} lower than production"
    return f"between {low} and {high} against production"


def _first_of(reasons: tuple[Reason, ...]) -> str:
    first, rest = reasons[0], len(reasons) - 1
    more = f" ({rest} more reason{'s' if rest > 1 else ''})" if rest else ""
    return f"{first.text.rstrip('.')}{more}."


def _promote_summary(
    evidence: Mapping[str, Evidence], gates: Mapping[str, Gate], observed: str
) -> str:
    required = sum(item.required for item in evidence.values())
    named = "The required metric is" if required == 1 else f"All {required} required metrics are"
    unmeasured = [
        name for name, gate in sorted(gates.items()) if gate.outcome is GateOutcome.NOT_MEASURED
    ]
    aside = f"; not measured: {', '.join(unmeasured)}" if unmeasured else ""
    return f"{named} within the policy's margins {observed}, and every gate is open{aside}."


def _words(key: str, words: Mapping[str, Words]) -> Words:
    return words.get(key, Words(title=key, advice="See `analyzer explain`."))


def _code(key: str) -> str:
    return key.replace("_", "-")


def _sentence(title: str) -> str:
    """A title that starts a sentence; p99 keeps its small letter."""
    return title if title[1:2].isdigit() else title[:1].upper() + title[1:]
