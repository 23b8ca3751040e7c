"""What to know before a verdict is carried out; nothing of it stops the plan.

In: verdict, description, choice. Out: what stops it (`matching`).

Source:
    SageMaker developer guide, "Best practices" and "Complete a shadow test" of shadow tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.model import Decision, Note
from analyzer.promotion.choice import sizing, whose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Verdict
    from analyzer.promotion.choice import Choice
    from analyzer.promotion.description import Description

_WHOLE = 100


def cautions(
    verdict: Verdict, description: Description, choice: Choice, action: str
) -> tuple[Note, ...]:
    """AWS's advice that was not followed, and what could not be looked at."""
    found = [*_promoting(verdict, description, choice)] if action == "promote" else []
    if not description.scaling_known:
        text = (
            f"{description.name} does not say what scales the variants: deregister them before, "
            "and register the one that goes on afterwards, yourself"
        )
        found.append(Note(code="scaling-not-described", text=text))
    return tuple(found)


def _promoting(verdict: Verdict, description: Description, choice: Choice) -> Iterator[Note]:
    old, new = description.production, description.shadow or {}
    share = description.facts.shadow_percentage
    if verdict.decision is not Decision.PROMOTE:
        text = f"the verdict is {verdict.decision.value}: this promotes a shadow that was not shown"
        yield Note(code="forced-decision", text=text)
    if share is not None and share < _WHOLE:
        text = (
            f"the shadow was sent {share:g} % of production's requests: AWS advises 100 % before "
            "a promotion, so that it has carried the load it is to carry"
        )
        yield Note(code="shadow-below-100", text=text)
    tested = _size(new, description)
    if _size(old, description) != tested:
        text = (
            f"production runs on {_words(_size(old, description))}, the shadow was judged on "
            f"{_words(tested)}: AWS advises equal ones unless they are what is tested"
        )
        yield Note(code="unequal-instances", text=text)
    chosen = sizing(choice, verdict, description)
    promoted = (chosen.get("InstanceType"), chosen.get("InitialInstanceCount"))
    if promoted != tested:
        text = (
            f"it is promoted on {_words(promoted)}, and was judged on {_words(tested)}: its "
            "latency there was not measured"
        )
        yield Note(code="other-instances", text=text)
    if whose(choice, verdict) != "production" and verdict.subject.change != "infrastructure":
        text = "AWS recommends production's instances unless instances are what is tested"
        yield Note(code="not-production-instances", text=text)


def _size(variant: dict[str, Any], description: Description) -> tuple[Any, Any]:
    """Instance type and present count."""
    now = description.instances_now(str(variant.get("VariantName")))
    return variant.get("InstanceType"), now or variant.get("InitialInstanceCount")


def _words(size: tuple[Any, Any]) -> str:
    kind, count = size
    return "instances of its own kind" if kind is None else f"{count} x {kind}"
