"""What `--apply` does, on an account on loopback: sending, stopping, and what is so afterwards."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from analyzer.console.progress import silent
from analyzer.errors import AccessError
from analyzer.model import Decision
from analyzer.promotion import record
from analyzer.promotion.apply import apply
from analyzer.promotion.aws import Aws
from analyzer.promotion.choice import Choice
from analyzer.promotion.describe import describe
from analyzer.promotion.plan import Plan, make_plan
from analyzer.promotion.record import Begun
from analyzer.sources import AwsOptions
from tests.promotion.conftest import REGION, client
from tests.promotion.endpoints import CONFIG, ENDPOINT, PRODUCTION, SHADOW, scaled
from tests.promotion.sagemaker import READING
from tests.report.verdicts import verdict

if TYPE_CHECKING:
    from pathlib import Path

    from tests.promotion.sagemaker import Server

DIGEST = "cd" * 32


class Clock:
    """Time that passes only by waiting; `stop_after` ends the process while it waits."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.now, self.left = 0.0, stop_after

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise SystemExit(130)


def aws_of(server: Server) -> Aws:
    return aws_at(server.url)


@cache
def aws_at(url: str) -> Aws:
    """Kept: making clients takes longer than asking them."""
    return Aws(AwsOptions(region=REGION, endpoint_url=url, max_attempts=1))


def promote(
    server: Server,
    path: Path,
    clock: Clock | None = None,
    *,
    decision: Decision = Decision.PROMOTE,
    choice: Choice | None = None,
    aws: Aws | None = None,
) -> tuple[Plan, list[str]]:
    """What `--apply` does after the bundle was verified; the plan and what was said."""
    aws, said = aws or aws_of(server), list[str]()
    chosen = choice or Choice()
    begun = record.begun(path, DIGEST, ENDPOINT, chosen)
    if begun is None:
        description = describe(aws, ENDPOINT, silent)
        plan = make_plan(verdict(decision, name=ENDPOINT), DIGEST, description, chosen)
        begun = Begun(plan, sent=False)
    if begun.plan.steps:
        apply(begun, aws, path, say=said.append, progress=silent, clock=clock or Clock())
    return begun.plan, said


def scale(server: Server, name: str = PRODUCTION) -> None:
    """Give a variant a target, policies, a schedule and an alarm, on moto."""
    here = scaled(name)
    scaling = client("application-autoscaling", server.moto_url)
    key = ("ServiceNamespace", "ResourceId", "ScalableDimension")
    for target in here["DescribeScalableTargets"]["ScalableTargets"]:
        scaling.register_scalable_target(
            **{one: target[one] for one in (*key, "MinCapacity", "MaxCapacity")}
        )
    arns = {}
    for policy in here["DescribeScalingPolicies"]["ScalingPolicies"]:
        body = {
            name: one
            for name, one in policy.items()
            if name not in {"PolicyARN", "Alarms", "CreationTime"}
        }
        arns[policy["PolicyARN"]] = scaling.put_scaling_policy(**body)["PolicyARN"]
    for action in here["DescribeScheduledActions"]["ScheduledActions"]:
        fields = (*key, "ScheduledActionName", "Schedule", "ScalableTargetAction")
        scaling.put_scheduled_action(**{one: action[one] for one in fields})
    alarm = here["DescribeAlarms"]["MetricAlarms"][1]
    body = {key: one for key, one in alarm.items() if not key.startswith(("State", "AlarmArn"))}
    body["AlarmActions"] = [arns.get(one, one) for one in body["AlarmActions"]]
    client("cloudwatch", server.moto_url).put_metric_alarm(**body)


def scaling_of(server: Server, name: str) -> dict[str, Any]:
    """Everything that scales a variant, without what only AWS chooses."""
    asked = client("application-autoscaling", server.moto_url)
    where = {"ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{ENDPOINT}/variant/{name}"}
    targets = asked.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[where["ResourceId"]]
    )["ScalableTargets"]
    policies = asked.describe_scaling_policies(**where)["ScalingPolicies"]
    actions = asked.describe_scheduled_actions(**where)["ScheduledActions"]
    alarms = client("cloudwatch", server.moto_url).describe_alarms()["MetricAlarms"]
    arns = {one["PolicyARN"] for one in policies}
    return {
        "bounds": [(one["MinCapacity"], one["MaxCapacity"]) for one in targets],
        "policies": sorted(one["PolicyName"] for one in policies),
        "schedules": [one["Schedule"] for one in actions],
        "triggers": [
            one["AlarmName"] for one in alarms if arns & set(one.get("AlarmActions") or ())
        ],
    }


NOTHING: dict[str, Any] = {"bounds": [], "policies": [], "schedules": [], "triggers": []}
WHOLE = {"bounds": [(2, 8)], "policies": ["steps", "tracking"], "schedules": ["cron(0 6 * * ? *)"]}


def assert_promoted(server: Server, plan: Plan, path: Path) -> None:
    assert server.endpoint["EndpointStatus"] == "InService"
    assert server.endpoint["EndpointConfigName"] == plan.after
    held = server.configs[plan.after]
    assert [one["VariantName"] for one in held["ProductionVariants"]] == [SHADOW]
    assert [one["ModelName"] for one in held["ProductionVariants"]] == ["model-2"]
    assert "ShadowProductionVariants" not in held
    assert CONFIG in server.configs  # the way back
    assert not path.exists()


class Killed(Aws):
    """An account whose caller is ended before its k-th request that is no question."""

    def __init__(self, url: str, before: int) -> None:
        super().__init__(AwsOptions(region=REGION, endpoint_url=url, max_attempts=1))
        vars(self).update(vars(aws_at(url)))  # its clients
        self.left = before

    def call(self, service: Any, operation: str, request: Any) -> dict[str, Any]:  # noqa: ANN401
        if not operation.startswith(READING):
            self.left -= 1
            if self.left < 0:
                raise SystemExit(143)
        return super().call(service, operation, request)


def again(server: Server, path: Path) -> tuple[Plan, list[str]]:
    """A second call; where the update may have been sent, it undoes, and a third sends."""
    try:
        return promote(server, path)
    except AccessError as error:
        assert error.code == "rolled-back"  # noqa: PT017 - one of two ways
        assert scaling_of(server, PRODUCTION) == {**WHOLE, "triggers": [f"{PRODUCTION}-busy"]}
        return promote(server, path)
