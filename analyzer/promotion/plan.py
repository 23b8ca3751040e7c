"""The promotion plan: which requests carry a verdict out, in which order, and what speaks against.

In: a verdict and a description. Out: the requests themselves (`experiment`, `self_service`,
`scaling`, `alarms`), and sending them (`apply`). Pure.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from analyzer.errors import InputError
from analyzer.model import Decision, Frozen, Note
from analyzer.promotion import experiment, matching, self_service
from analyzer.promotion.cautions import cautions
from analyzer.promotion.choice import Choice
from analyzer.promotion.permissions import permissions
from analyzer.promotion.requests import Phase, Step, checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import Verdict
    from analyzer.promotion.description import Description

Action = Literal["promote", "remove-shadow", "none"]
Route = Literal["experiment", "self-service"]


class Plan(Frozen):
    """Everything that would be done, and everything to know before.

    Attributes:
        arn: the endpoint's, which tells its account and region; empty where no answer has it.
        verdict: SHA-256 of the bundle's manifest.
        action: `none` where the endpoint is already as the verdict would leave it.
        route: a managed shadow test is stopped; any other endpoint is updated.
        experiment: the managed test's name; empty on the other route.
        before, after: name of the endpoint's configuration now, and afterwards; `after` is empty
            where a managed test names it.
        variant, model: what serves afterwards.
        wait_s: the longest the deployment may take.
        warnings: what to know; nothing of it stops the plan.
        permissions: the smallest IAM policy for describing, sending and waiting.
    """

    endpoint: str
    arn: str
    verdict: str
    decision: Decision
    action: Action
    route: Route
    choice: Choice
    experiment: str = ""
    before: str
    after: str = ""
    variant: str
    model: str
    wait_s: int
    warnings: tuple[Note, ...] = ()
    steps: tuple[Step, ...]
    permissions: dict[str, Any]

    @property
    def region(self) -> str:
        """The endpoint's region; empty where no answer has its ARN."""
        return next(iter(self.arn.split(":")[3:4]), "")

    def of(self, *phases: Phase) -> tuple[Step, ...]:
        """The steps of some phases, in their order."""
        return tuple(step for step in self.steps if step.phase in phases)

    def to_json(self, flags: Sequence[str] = ()) -> str:
        """The plan as JSON with a final newline; each step with its command line."""
        body = self.model_dump(mode="json")
        for written, step in zip(body["steps"], self.steps, strict=True):
            written["command"] = step.command(flags)
        return json.dumps(body, indent=2, sort_keys=True) + "\n"


def make_plan(
    verdict: Verdict, digest: str, description: Description, choice: Choice, *, forced: bool = False
) -> Plan:
    """The plan that carries a verdict out on the endpoint as described.

    Args:
        verdict: PROMOTE and HOLD give the promotion, REJECT the removal of the shadow.
        digest: SHA-256 of the bundle's manifest.
        description: the endpoint.
        choice: what a person may choose.
        forced: the endpoint may run something else than was judged, as long as its variants are
            the verdict's.

    Raises:
        InputError: the endpoint cannot be changed that way, or runs something else, and why.
    """
    if matching.state(verdict, description) == "done":
        return _nothing_to_do(verdict, digest, description, choice)
    against = matching.objections(verdict, description)
    if against and not forced:
        said = "; ".join(note.text for note in against)
        raise InputError(
            f"{description.name}: {said}. `--force-decision {verdict.decision.value}` carries the "
            "verdict out all the same",
            code=against[0].code,
        )
    promoting = verdict.decision is not Decision.REJECT
    route = experiment if description.experiment else self_service
    draft = (route.promotion if promoting else route.removal)(verdict, digest, description, choice)
    action: Action = "promote" if promoting else "remove-shadow"
    kept = (description.shadow if promoting else None) or description.production
    steps = checked(draft.steps)
    return Plan(
        endpoint=str(description.endpoint["EndpointName"]),
        arn=str(description.endpoint.get("EndpointArn", "")),
        verdict=digest,
        decision=verdict.decision,
        action=action,
        route="experiment" if description.experiment else "self-service",
        choice=choice,
        experiment=str((description.experiment or {}).get("Name", "")),
        before=str(description.config["EndpointConfigName"]),
        after=draft.config,
        variant=str(kept["VariantName"]),
        model=str(kept.get("ModelName")),
        wait_s=draft.wait_s,
        warnings=(*against, *cautions(verdict, description, choice, action), *draft.warnings),
        steps=steps,
        permissions=permissions(description, steps, draft.config),
    )


def _nothing_to_do(verdict: Verdict, digest: str, description: Description, choice: Choice) -> Plan:
    now = str(description.config["EndpointConfigName"])
    kept = description.production
    return Plan(
        endpoint=str(description.endpoint["EndpointName"]),
        arn=str(description.endpoint.get("EndpointArn", "")),
        verdict=digest,
        decision=verdict.decision,
        action="none",
        route="self-service",
        choice=choice,
        before=now,
        after=now,
        variant=str(kept["VariantName"]),
        model=str(kept.get("ModelName")),
        wait_s=0,
        steps=(),
        permissions=permissions(description, (), now),
    )
