"""How long until it is known: one line from what each open metric needs.

In: a verdict that holds. Out: a block of the verdict page; nothing where nothing is open.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from analyzer.figures import duration
from analyzer.model import Decision, Outcome, Role
from analyzer.report.content.page import Item, Notes, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Evidence, Needs, Verdict

TITLE = "How long until it is decided"

_OPENED_BY_TIME = frozenset({"min_days", "stable_effect"})


def when_known(verdict: Verdict) -> Notes:
    """The time after which everything is settled that time can settle, and what it cannot."""
    if verdict.decision is not Decision.HOLD:
        return Notes(TITLE, ())
    needed = {
        metric: evidence.needs
        for metric, evidence in verdict.metrics.items()
        if evidence.outcome is Outcome.UNRESOLVED
        and (evidence.required or evidence.role is Role.REVIEW)
    }
    if not needed:
        return Notes(TITLE, ())
    wait, said = _longest(verdict, needed)
    never = [
        metric
        for metric, needs in needed.items()
        if not _waits(needs) and not _gated(verdict.metrics[metric])
    ]
    parts = [said, f"waiting alone does not settle {', '.join(never)}" if never else ""]
    parts += [_gates(verdict), _reviews(verdict)]
    text = "; ".join(part for part in parts if part)
    return Notes(TITLE, (Item(wait, f"{text[:1].upper()}{text[1:]}.", tone=Tone.OPEN),))


def _text_of(needs: Needs | None) -> str:
    """What is needed, in its own unit: requests, predictions, labels."""
    return "" if needs is None else needs.text.rstrip(".")


def _waits(needs: Needs | None) -> bool:
    return needs is not None and (needs.minutes is not None or needs.requests is not None)


def _gated(evidence: Evidence) -> bool:
    """Whether only gates hold it, which are counted apart."""
    return any(note.code.startswith("gate-") for note in evidence.notes)


def _longest(verdict: Verdict, needed: dict[str, Needs | None]) -> tuple[str, str]:
    """How long to wait, and for which metric; requests where no time says it."""
    minutes = dict(_counts(needed, "minutes"))
    if minutes:
        last = max(minutes, key=lambda metric: minutes[metric])
        more = duration(max(0, minutes[last] - _seen(verdict)))
        text = f"decided by {last}, after {duration(minutes[last])} of test in all at this pace"
        if set(_closed(verdict)) <= _OPENED_BY_TIME:
            return f"in about {more}", text
        return "not by waiting alone", f"the numbers take about {more} more, {text}"
    requests = dict(_counts(needed, "requests"))
    if requests:
        last = max(requests, key=lambda metric: requests[metric])
        text = _text_of(needed[last])
        return "with more data", f"decided by {last}: {text[:1].lower()}{text[1:]}"
    return "not by waiting", ""


def _counts(needed: dict[str, Needs | None], name: str) -> Iterator[tuple[str, int]]:
    for metric, needs in needed.items():
        count = None if needs is None else getattr(needs, name)
        if count is not None:
            yield metric, count


def _seen(verdict: Verdict) -> int:
    """Minutes of the window."""
    if verdict.window is None:
        return 0
    start, end = (datetime.fromisoformat(at) for at in (verdict.window.start, verdict.window.end))
    return round((end - start).total_seconds() / 60)


def _closed(verdict: Verdict) -> list[str]:
    return [name for name, gate in verdict.gates.items() if gate.closed]


def _gates(verdict: Verdict) -> str:
    """Gates are not metrics: some open by themselves, others when something is mended."""
    closed = _closed(verdict)
    by_time = [name for name in closed if name in _OPENED_BY_TIME]
    mended = [name for name in closed if name not in _OPENED_BY_TIME]
    said = (
        f"time opens {_listed(by_time)}" if by_time else "",
        f"{_listed(mended)} must be opened first" if mended else "",
    )
    return "; ".join(text for text in said if text)


def _listed(gates: list[str]) -> str:
    return f"the {'gate' if len(gates) == 1 else 'gates'} {', '.join(gates)}"


def _reviews(verdict: Verdict) -> str:
    """Time changes nothing in what a person has to look at."""
    waiting = [
        metric
        for metric, evidence in verdict.metrics.items()
        if evidence.outcome is Outcome.FAIL and evidence.role is Role.REVIEW
    ]
    return f"a person must review {', '.join(waiting)}" if waiting else ""
