"""Whether a verdict speaks of what the endpoint runs now.

In: a verdict's subject and window, the description. Out: what is done about it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from analyzer.errors import InputError
from analyzer.model import Decision, Note
from analyzer.promotion.answers import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Verdict
    from analyzer.promotion.description import Description

State = Literal["to-do", "done"]


def state(verdict: Verdict, description: Description) -> State:
    """Whether the verdict is still to be carried out, or the endpoint is as it would leave it.

    Raises:
        InputError: its variants are others than the verdict's, so nothing can be meant.
    """
    subject = verdict.subject
    endpoint = description.endpoint["EndpointName"]
    if subject.endpoint is not None and subject.endpoint != endpoint:
        raise InputError(
            f"the verdict is about the endpoint {subject.endpoint}, not {endpoint}",
            code="other-endpoint",
        )
    production = str(description.production["VariantName"])
    shadow = description.shadow
    if shadow is None:
        rejected = verdict.decision is Decision.REJECT
        left = subject.production_variant if rejected else subject.shadow_variant
        model = subject.production_model if rejected else subject.shadow_model
        if production == left and model in {None, description.production.get("ModelName")}:
            return "done"
    runs = (production, None if shadow is None else str(shadow["VariantName"]))
    judged = (subject.production_variant, subject.shadow_variant)
    if runs != judged:
        raise InputError(
            f"{endpoint} runs {_pair(*runs)}, and the verdict is about {_pair(*judged)}",
            code="other-variants",
        )
    return "to-do"


def _pair(production: str | None, shadow: str | None) -> str:
    return f"{production or 'no production variant'} with {shadow or 'no shadow'}"


def objections(verdict: Verdict, description: Description) -> tuple[Note, ...]:
    """Why what the endpoint runs may not be what was judged; none where it is the same."""
    return (*_names(verdict, description), *_times(verdict, description))


def _names(verdict: Verdict, description: Description) -> Iterator[Note]:
    subject = verdict.subject
    if subject.endpoint is None:
        yield Note(code="no-endpoint", text="the verdict does not say which endpoint it is about")
    pairs = (
        ("production", subject.production_model, description.production),
        ("shadow", subject.shadow_model, description.shadow or {}),
    )
    for role, judged, variant in pairs:
        runs = variant.get("ModelName")
        if judged is not None and judged != runs:
            text = f"the {role} variant runs the model {runs}; {judged} was judged"
            yield Note(code="other-model", text=text)


def _times(verdict: Verdict, description: Description) -> Iterator[Note]:
    """What is younger than the window cannot have been judged in it."""
    if verdict.window is None:
        return
    start = datetime.fromisoformat(verdict.window.start)
    since = description.facts.live_since
    if since is not None and since > start:
        text = (
            f"the endpoint was changed at {_stamp(since)}, after the window began "
            f"({_stamp(start)}): part of the evidence is about another configuration"
        )
        yield Note(code="changed-since", text=text)
    created = (description.answers.get("DescribeModel") or {}).get("CreationTime")
    if created is not None and moment(created) > start:
        text = (
            f"the shadow's model was created at {_stamp(moment(created))}, after the window began "
            f"({_stamp(start)}): a new fleet would load something else under its name"
        )
        yield Note(code="model-made-again", text=text)


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%MZ}"
