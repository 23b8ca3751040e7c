"""A gate of the pairs as a value: what the gates about divergence have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.model import Family, Gate, GateOutcome

if TYPE_CHECKING:
    from typing import Literal


def pair_gate(
    outcome: GateOutcome,
    text: str,
    *,
    value: float | None = None,
    limit: float | None = None,
    blocks: bool = True,
) -> Gate:
    """A gate over divergence; its text becomes a sentence."""
    when: Literal["blocks", "note"] = "blocks" if blocks else "note"
    return Gate(
        outcome=outcome,
        covers=(Family.DIVERGENCE,),
        value=value,
        limit=limit,
        when_not_measured=when,
        text=f"{text[:1].upper()}{text[1:]}.",
    )


def failing(failed: bool) -> GateOutcome:  # noqa: FBT001 - the predicate is the whole argument
    """The outcome of a condition that was checked."""
    return GateOutcome.FAIL if failed else GateOutcome.PASS
