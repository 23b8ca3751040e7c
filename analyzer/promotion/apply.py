"""Send a plan and wait until it is so; going on from wherever an earlier call stopped.

In: a plan and `Aws`. Out: whether it may be sent at all (`matching`), and who is told (`cli`).

Every request is either the same however often it is sent, or asked for first: a configuration is
compared with the one of its name, an update is sent only while the endpoint runs the configuration
the plan was made for.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, Protocol

from analyzer.errors import AccessError, InputError
from analyzer.promotion import record
from analyzer.promotion.requests import Phase, carried, filled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.promotion.aws import Aws
    from analyzer.promotion.plan import Plan
    from analyzer.promotion.record import Begun
    from analyzer.promotion.requests import Step
    from analyzer.steps import Progress

POLL_S = 15.0
_SHOWN_S = 120
_ENDED_BADLY = frozenset({"Failed", "OutOfService", "UpdateRollbackFailed", "Deleting"})
_STOPPED = frozenset({"Completed", "Cancelled"})

Reached = Literal["before", "moving", "after"]
"""Of a deployment: not begun or undone, on its way, done."""


class Clock(Protocol):
    """What waiting needs of time; tests have their own."""

    def monotonic(self) -> float:
        """Seconds."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


class _Time:
    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


def apply(
    begun: Begun,
    aws: Aws,
    path: Path,
    *,
    say: Callable[[str], None],
    progress: Progress,
    clock: Clock | None = None,
) -> None:
    """Send what a plan sends, wait until the endpoint is InService, and restore its scaling.

    Args:
        begun: the plan, and how far an earlier call came with it.
        aws: where.
        path: where the plan is written down until it is done (`record`).
        say: told each request sent and each new state, in a sentence.
        progress: told how long the deployment has lasted.
        clock: the machine's by default.

    Raises:
        AccessError: `refused`, rolled back (`rolled-back`), failed in a way that leaves open what
            AWS made of it (`not-known`), or not done in time; called again it goes on, or after a
            rollback begins anew.
        InputError: the endpoint runs neither what the plan was made for nor what it makes.
        ResourceError: the plan cannot be written down; nothing was sent.
    """
    try:
        _carry_out(begun, _Sending(begun.plan, aws, say), path, progress, clock or _Time())
    except AccessError as error:
        if not path.exists() or error.code == "not-in-time":
            raise
        kept = f"{error}. The plan stays in {path}: run the same command again to go on"
        raise AccessError(kept, code=error.code, permission=error.permission) from None


def _carry_out(
    begun: Begun, sending: _Sending, path: Path, progress: Progress, clock: Clock
) -> None:
    plan, reached = begun.plan, sending.reached()
    if reached == "moving" and not begun.sent:
        raise AccessError(
            f"{plan.endpoint} is being changed by somebody else: wait until it is InService",
            code="not-in-service",
        )
    if reached == "before" and not begun.sent:
        _begin(sending, path)
    if reached != "after":
        # Also where an earlier call sent the request and the endpoint does not show it: AWS may
        # have taken it a moment ago, and undoing it then would leave an update under way.
        reached = _wait(sending, progress, clock)
    if reached != "after":
        sending.undo(path)
        raise AccessError(
            f"{plan.endpoint} runs {sending.runs()} again{sending.why()}: AWS rolled the "
            "deployment back, or never began it. What scaled it is as it was; see the alarms, "
            "then run again",
            code="rolled-back",
        )
    for step in plan.of(Phase.RESTORE):
        sending.send(step)
    record.finish(path)
    sending.say(f"{plan.endpoint} is InService with {plan.variant} ({plan.model})")


def _begin(sending: _Sending, path: Path) -> None:
    """Send all up to the request that moves traffic; nothing stays unscaled that AWS refuses.

    Raises:
        AccessError: `refused`, and all is as it was; or something failed and it is not known what
            AWS made of it: then the plan stays written down, and a second call goes on from it.
    """
    plan = sending.plan
    record.begin(path, plan, sent=False)
    try:
        for step in plan.of(Phase.PREPARE):
            sending.send(step)
        record.begin(path, plan, sent=True)
        sending.deploy(plan.of(Phase.DEPLOY)[0])
    except AccessError as error:
        if error.code != "refused":
            text = f"{error}. Whether AWS carried it out is not known"
            raise AccessError(text, code="not-known", permission=error.permission) from None
        with suppress(AccessError, InputError):  # the plan is then kept, and a second call undoes
            if sending.reached() == "before":
                sending.undo(path)
        raise


class _Sending:
    """One plan on its way, and what its answers gave."""

    def __init__(self, plan: Plan, aws: Aws, say: Callable[[str], None]) -> None:
        self.plan, self._aws, self.say = plan, aws, say
        self._answers: dict[str, str] = {}
        self._endpoint: dict[str, Any] = {}
        self._status = ""

    def reached(self) -> Reached:
        """How far the endpoint is.

        Raises:
            InputError: it runs something else.
            AccessError: it cannot go on by itself.
        """
        self._endpoint = self._aws.call(
            "sagemaker", "DescribeEndpoint", {"EndpointName": self.plan.endpoint}
        )
        arn = str(self._endpoint.get("EndpointArn", ""))
        if self.plan.arn and arn != self.plan.arn:
            raise InputError(
                f"{self.plan.endpoint} of the plan is {self.plan.arn}, the one that answers is "
                f"{arn or 'unnamed'}: choose its account and region with --profile and --region"
            )
        status, runs = self._endpoint["EndpointStatus"], self._endpoint.get("EndpointConfigName")
        if status != self._status:
            self.say(f"{self.plan.endpoint}: {status}")
            self._status = status
        if status in _ENDED_BADLY:
            raise AccessError(
                f"{self.plan.endpoint} is {status}{self.why()}: AWS needs a person there",
                code="deployment-failed",
            )
        if self.plan.route == "experiment":
            return self._test_reached(status)
        if runs == self.plan.after:
            return "after" if status == "InService" else "moving"
        pending = (self._endpoint.get("PendingDeploymentSummary") or {}).get("EndpointConfigName")
        if pending == self.plan.after or (status != "InService" and pending is None):
            return "moving"
        if runs != self.plan.before or status != "InService":
            raise InputError(
                f"{self.plan.endpoint} is {status} with {pending or runs}; the plan was made for "
                f"{self.plan.before}: run again without --apply and look",
                code="other-configuration",
            )
        return "before"

    def _test_reached(self, status: str) -> Reached:
        request = {"Name": self.plan.experiment}
        test = self._aws.call("sagemaker", "DescribeInferenceExperiment", request)
        if test["Status"] == "Running" and status == "InService":
            return "before"
        if test["Status"] not in _STOPPED or status != "InService":
            return "moving"
        # A test that ended by its schedule leaves production, whatever was asked of it.
        runs = [one["VariantName"] for one in self._endpoint.get("ProductionVariants") or ()]
        return "after" if runs == [self.plan.variant] else "before"

    def runs(self) -> str:
        """What the endpoint runs, as AWS names it."""
        return str(self._endpoint.get("EndpointConfigName"))

    def why(self) -> str:
        """The reason AWS gave for a failure, if it gave one."""
        reason = self._endpoint.get("FailureReason")
        return f" ({' '.join(str(reason).split())})" if reason else ""

    def send(self, step: Step) -> None:
        """Send one request, unless it has had its effect already."""
        request: dict[str, Any] = filled(
            step.request, {f"${{{name}}}": value for name, value in self._answers.items()}
        )
        if self._is_so(step, request):
            self.say(f"{step.operation}: already so")
            return
        answer = self._aws.call(step.service, step.operation, request)
        if step.gives:
            self._answers[step.gives] = str(answer["PolicyARN"])
        self.say(f"{step.operation}: {step.reason}")

    def deploy(self, step: Step) -> None:
        """Send the one request that moves traffic; a lost answer is no reason to send it twice."""
        try:
            self.send(step)
        except AccessError:
            with suppress(AccessError):  # the first error says more than that it cannot be asked
                if self.reached() != "before":
                    return
            raise

    def undo(self, path: Path) -> None:
        """Put scaling back as it was, and forget the plan; nothing of AWS's was moved."""
        for step in self.plan.of(Phase.ROLLED_BACK):
            self.send(step)
        record.finish(path)

    def _is_so(self, step: Step, request: dict[str, Any]) -> bool:
        if step.operation == "CreateEndpointConfig":
            return self._configured(request)
        if step.operation == "DeregisterScalableTarget":
            where = {
                "ServiceNamespace": request["ServiceNamespace"],
                "ResourceIds": [request["ResourceId"]],
                "ScalableDimension": request["ScalableDimension"],
            }
            operation = "DescribeScalableTargets"
            return not self._aws.listed(step.service, operation, where, "ScalableTargets")
        return False

    def _configured(self, request: dict[str, Any]) -> bool:
        """Whether the configuration exists.

        Raises:
            InputError: another one has its name.
        """
        name = {"EndpointConfigName": request["EndpointConfigName"]}
        present = self._aws.found("sagemaker", "DescribeEndpointConfig", name)
        if present is None:
            return False
        body, _ = carried("sagemaker", "DescribeEndpointConfig", "CreateEndpointConfig", present)
        wanted = {key: value for key, value in request.items() if key != "Tags"}
        # AWS fills in defaults of its own, so more may be there than was asked for.
        if not _holds(body, wanted):
            raise InputError(
                f"there is another configuration named {name['EndpointConfigName']}: delete it, "
                "and run again",
                code="other-configuration",
            )
        return True


def _holds(present: object, wanted: object) -> bool:
    """Whether everything wanted is present, at any depth."""
    if isinstance(wanted, dict) and isinstance(present, dict):
        return all(key in present and _holds(present[key], one) for key, one in wanted.items())
    if isinstance(wanted, list) and isinstance(present, list):
        return len(present) == len(wanted) and all(map(_holds, present, wanted))
    return present == wanted


def _wait(sending: _Sending, progress: Progress, clock: Clock) -> Reached:
    """Wait until the endpoint is where it was going, or back where it was."""
    plan, began, moved = sending.plan, clock.monotonic(), False
    while True:
        reached, lasted = sending.reached(), int(clock.monotonic() - began)
        moved |= reached == "moving"
        # AWS may take a moment to show what it has accepted.
        if reached == "after" or (reached == "before" and (moved or lasted > _SHOWN_S)):
            return reached
        if lasted > plan.wait_s:
            raise AccessError(
                f"{plan.endpoint} is not InService after {lasted} s; run the same command again to "
                "go on waiting",
                code="not-in-time",
            )
        progress("deploying, seconds", min(lasted, plan.wait_s), plan.wait_s)
        clock.sleep(POLL_S)
