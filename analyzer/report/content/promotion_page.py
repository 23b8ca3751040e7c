"""`analyzer promote`: what would be sent, in which order, why, and what to know before.

In: a plan. Out: a page. Nothing here decides anything.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Literal

from analyzer.figures import counted
from analyzer.promotion.requests import Phase
from analyzer.report.content.page import (
    Fact,
    Facts,
    Headline,
    Item,
    Notes,
    Page,
    Request,
    Tone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.model import Verdict
    from analyzer.promotion.plan import Plan
    from analyzer.report.content.page import Block

_PHASES = {
    Phase.PREPARE: "before",
    Phase.DEPLOY: "the change",
    Phase.RESTORE: "once the endpoint is InService",
    Phase.ROLLED_BACK: "only if AWS rolls it back",
    Phase.CLEAN_UP: "clean up later; never sent",
}
_ACTIONS = {
    "promote": "promotes",
    "remove-shadow": "removes the shadow and keeps",
    "none": "is as the verdict would leave it: it runs",
}


State = Literal["planned", "begun", "done"]
"""How far a plan was sent: not at all, in part, wholly."""


def promotion_page(plan: Plan, flags: Sequence[str] = (), state: State = "planned") -> Page:
    """A plan as a page; every command line has the flags."""
    return Page("promotion", "Promotion plan", tuple(_blocks(plan, flags, state)))


def _blocks(plan: Plan, flags: Sequence[str], state: State) -> Iterator[Block]:
    configuration = Fact("configuration", plan.before)
    name = Fact("", plan.arn or plan.endpoint)
    facts = [name, configuration, Fact("verdict", plan.decision.value)]
    if plan.experiment:
        facts.append(Fact("managed test", plan.experiment))
    yield Facts("endpoint", tuple(facts))
    yield Notes(
        "To know before",
        tuple(Item(note.code, note.text, "", Tone.OPEN) for note in plan.warnings),
    )
    for phase, title in _PHASES.items():
        for step in plan.of(phase):
            text = step.command(flags)
            if phase is Phase.DEPLOY:
                text += f"\n{_waiting(plan.endpoint, flags)}"
            yield Request(f"# {title}: {step.operation}", text, step.reason)
    if plan.steps:
        policy = json.dumps(plan.permissions, indent=2)
        yield Request("# the smallest IAM policy for all of it", policy, "")
    yield _headline(plan, state)


def _waiting(endpoint: str, flags: Sequence[str]) -> str:
    words = ["aws", "sagemaker", "wait", "endpoint-in-service", *flags, "--endpoint-name", endpoint]
    return shlex.join(words)


def _headline(plan: Plan, state: State) -> Headline:
    what = f"{_ACTIONS[plan.action]} {plan.variant} ({plan.model})"
    if plan.action == "none":
        return Headline("NOTHING TO DO", "✓", Tone.GOOD, f"{plan.endpoint} {what} alone")
    sent = sum(one.phase in {Phase.PREPARE, Phase.DEPLOY, Phase.RESTORE} for one in plan.steps)
    if state == "begun":
        sentence = f"{plan.endpoint}: {what}; --apply began it, and goes on with it"
        return Headline("UNFINISHED", "○", Tone.OPEN, sentence)
    if state == "done":
        return Headline("DONE", "✓", Tone.GOOD, f"{plan.endpoint}: {what}")
    sentence = f"{what}: {counted(sent, 'request')} that --apply sends; nothing was sent"
    return Headline("PLAN", "○", Tone.PLAIN, sentence)


def promotion_request(verdict: Verdict) -> Request:
    """What a person does with a PROMOTE: the commands, since a bundle has no endpoint to look at.

    Args:
        verdict: a PROMOTE that names its endpoint.
    """
    command = f"analyzer promote BUNDLE --endpoint {shlex.quote(str(verdict.subject.endpoint))}"
    return Request(
        "Promotion plan",
        f"{command}\n{command} --apply",
        "The first command prints the AWS requests that make the shadow production, and changes "
        "nothing; the second sends them and waits. BUNDLE is the folder of this report.",
    )
