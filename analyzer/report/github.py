"""A verdict as GitHub's workflow commands: the annotations of a run.

In: the verdict. Out: one line an annotation, the weightiest first, of which GitHub shows ten a
step and level. The step's summary is the page as Markdown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.model import Decision, Outcome, Role
from analyzer.report.plain_text import clean
from analyzer.verdict import SLICE_REASON

if TYPE_CHECKING:
    from analyzer.model import Verdict

_LEVELS = {
    Decision.PROMOTE: "notice",
    Decision.HOLD: "warning",
    Decision.REJECT: "error",
    Decision.ERROR: "error",
}
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def render(verdict: Verdict) -> str:
    """The decision, then each reason with what to do about it; every line ends."""
    lines = [_command(_LEVELS[verdict.decision], verdict.decision.value, verdict.summary)]
    for reason in verdict.reasons:
        item = verdict.metrics.get(reason.metric or "")
        failed = item is not None and item.role is Role.GUARDRAIL and item.outcome is Outcome.FAIL
        rejects = verdict.decision is Decision.ERROR or (failed and reason.code != SLICE_REASON)
        about = reason.metric or reason.gate or reason.code
        text = f"{reason.text}\n{reason.advice}".strip()
        lines.append(_command("error" if rejects else "warning", about, text))
    return "".join(lines)


def _command(level: str, title: str, text: str) -> str:
    r"""One workflow command; text from captures or AWS can neither end it nor begin another.

    >>> _command("error", "a,b: c", "100 %\n::set-output::")
    '::error title=a%2Cb%3A c::100 %25%0A:\u200b:set-output::\n'
    """
    said = "\n".join(clean(line) for line in text.split("\n"))
    return f"::{level} title={_escaped(clean(title), _PROPERTY)}::{_escaped(said, _DATA)}\n"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(character, character) for character in text)
