"""Sending a plan: what the endpoint is afterwards, wherever the sending stopped before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.console.progress import silent
from analyzer.errors import AccessError, InputError, ResourceError, UsageError
from analyzer.model import Decision
from analyzer.promotion.apply import apply
from analyzer.promotion.aws import Aws
from analyzer.promotion.choice import Choice
from analyzer.promotion.describe import describe
from analyzer.promotion.plan import make_plan
from analyzer.promotion.record import Begun
from analyzer.sources import AwsOptions
from tests.examples import examples
from tests.promotion.conftest import REGION, client, fresh
from tests.promotion.endpoints import CONFIG, ENDPOINT, PRODUCTION, SHADOW, experiment
from tests.promotion.sending import (
    DIGEST,
    NOTHING,
    WHOLE,
    Clock,
    Killed,
    again,
    assert_promoted,
    aws_of,
    promote,
    scale,
    scaling_of,
)
from tests.report.verdicts import verdict

if TYPE_CHECKING:
    from pathlib import Path

    from tests.promotion.sagemaker import Server


def test_the_endpoint_runs_the_new_variant_and_scales_as_before(
    server: Server, tmp_path: Path
) -> None:
    scale(server)
    path = tmp_path / "p.json"
    plan, said = promote(server, path)
    assert_promoted(server, plan, path)
    assert scaling_of(server, PRODUCTION) == NOTHING
    assert scaling_of(server, SHADOW) == {**WHOLE, "triggers": [f"{SHADOW}-busy"]}
    alarms = client("cloudwatch", server.moto_url).describe_alarms()["MetricAlarms"]
    assert {f"{plan.after}-ModelLatency", f"{PRODUCTION}-busy"} <= {
        one["AlarmName"] for one in alarms
    }
    assert not {"DeleteEndpointConfig", "DeleteAlarms"} & set(server.sent)
    assert said[-1] == f"{ENDPOINT} is InService with {SHADOW} (model-2)"
    assert f"{ENDPOINT}: Updating" in said


def test_a_second_call_finds_nothing_to_do(server: Server, tmp_path: Path) -> None:
    promote(server, tmp_path / "p.json")
    before = server.sent.copy()
    plan, _ = promote(server, tmp_path / "p.json")
    assert plan.action == "none"
    assert server.sent == before


@pytest.mark.parametrize("how", ["refused", "killed"])
def test_wherever_it_stops_it_ends_in_the_same_state(
    how: str, server: Server, tmp_path: Path
) -> None:
    """Stop before the k-th request, for every k until a call sends them all.

    Unless all are asked for, each way has every second k, and the other way has the others.
    """
    path, stopped = tmp_path / "p.json", True
    at, step = examples(int(how == "refused"), whole=0), examples(2, whole=1)
    while stopped:
        fresh(server)
        scale(server)
        server.refuse_after = at if how == "refused" else None
        aws = aws_of(server) if how == "refused" else Killed(server.url, at)
        try:
            plan, _ = promote(server, path, aws=aws)
            stopped = False
        except (AccessError, SystemExit):
            if how == "refused" and "UpdateEndpoint" not in server.sent:
                # A refusal in time leaves everything as it was.
                assert not path.exists()
                assert scaling_of(server, PRODUCTION) == {
                    **WHOLE,
                    "triggers": [f"{PRODUCTION}-busy"],
                }
            plan, _ = again(server, path)
        assert_promoted(server, plan, path)
        assert scaling_of(server, PRODUCTION) == NOTHING
        assert scaling_of(server, SHADOW) == {**WHOLE, "triggers": [f"{SHADOW}-busy"]}
        assert server.sent["UpdateEndpoint"] == 1
        at += step * stopped
    assert at >= 11


def test_a_call_that_ends_while_it_waits_is_gone_on_with(server: Server, tmp_path: Path) -> None:
    scale(server)
    server.polls = 5
    path = tmp_path / "p.json"
    with pytest.raises(SystemExit):
        promote(server, path, Clock(stop_after=1))
    assert json.loads(path.read_text())["sent"] is True
    before = server.sent.copy()
    plan, _ = promote(server, path)
    assert_promoted(server, plan, path)
    assert scaling_of(server, SHADOW)["bounds"] == [(2, 8)]
    assert server.sent["UpdateEndpoint"] == before["UpdateEndpoint"] == 1


def test_a_rollback_is_reported_and_scaling_is_as_it_was(server: Server, tmp_path: Path) -> None:
    scale(server)
    before = scaling_of(server, PRODUCTION)
    server.rolls_back = True
    path = tmp_path / "p.json"
    with pytest.raises(
        AccessError, match=r"runs churn-shadow-test again \(alarm went off\)"
    ) as error:
        promote(server, path)
    assert (error.value.code, error.value.exit_code) == ("rolled-back", 4)
    assert scaling_of(server, PRODUCTION) == before
    assert scaling_of(server, SHADOW) == NOTHING
    assert not path.exists()
    server.rolls_back = False
    plan, _ = promote(server, path)
    assert_promoted(server, plan, path)


def test_a_lost_answer_does_not_send_the_update_twice(server: Server, tmp_path: Path) -> None:
    class Lost(Aws):
        def call(self, service: Any, operation: str, request: Any) -> dict[str, Any]:  # noqa: ANN401
            answer = super().call(service, operation, request)
            if operation == "UpdateEndpoint":
                raise AccessError("the answer was lost")
            return answer

    aws = Lost(AwsOptions(region=REGION, endpoint_url=server.url, max_attempts=1))
    description = describe(aws, ENDPOINT, silent)
    plan = make_plan(verdict(Decision.PROMOTE, name=ENDPOINT), DIGEST, description, Choice())
    path = tmp_path / "p.json"
    apply(Begun(plan, sent=False), aws, path, say=lambda _: None, progress=silent, clock=Clock())
    assert_promoted(server, plan, path)
    assert server.sent["UpdateEndpoint"] == 1


def test_a_managed_test_is_stopped_and_waited_for(server: Server, tmp_path: Path) -> None:
    server.experiment = experiment()
    scale(server)
    path = tmp_path / "p.json"
    plan, _ = promote(server, path)
    assert plan.route == "experiment"
    assert server.experiment["Status"] == "Completed"
    assert [one["VariantName"] for one in server.endpoint["ProductionVariants"]] == [SHADOW]
    assert scaling_of(server, SHADOW) == {**WHOLE, "triggers": [f"{SHADOW}-busy"]}
    assert "CreateEndpointConfig" not in server.sent
    assert not path.exists()


def test_a_managed_test_that_ended_by_itself_gives_production_its_scaling_back(
    server: Server, tmp_path: Path
) -> None:
    server.experiment = experiment()
    scale(server)
    before = scaling_of(server, PRODUCTION)
    path = tmp_path / "p.json"
    with pytest.raises(SystemExit):
        promote(server, path, aws=Killed(server.url, 1))
    assert scaling_of(server, PRODUCTION) == NOTHING
    server.experiment["Status"] = "Completed"
    with pytest.raises(AccessError) as error:
        promote(server, path)
    assert error.value.code == "rolled-back"
    assert scaling_of(server, PRODUCTION) == before


def test_a_rejected_shadow_is_removed_and_production_scales_on(
    server: Server, tmp_path: Path
) -> None:
    scale(server)
    scale(server, SHADOW)
    before = scaling_of(server, PRODUCTION)
    plan, _ = promote(server, tmp_path / "p.json", decision=Decision.REJECT)
    held = server.configs[server.endpoint["EndpointConfigName"]]
    assert [one["VariantName"] for one in held["ProductionVariants"]] == [PRODUCTION]
    assert server.endpoint["EndpointConfigName"] == plan.after
    assert scaling_of(server, PRODUCTION)["bounds"] == before["bounds"]
    assert scaling_of(server, SHADOW) == NOTHING


@pytest.mark.parametrize("status", ["Updating", "SystemUpdating", "RollingBack", "Failed"])
def test_an_endpoint_that_is_being_changed_is_left_alone(
    status: str, server: Server, tmp_path: Path
) -> None:
    server.endpoint["EndpointStatus"] = status
    with pytest.raises(AccessError, match=f"is {status}, not InService"):
        promote(server, tmp_path / "p.json")
    assert not server.sent


def test_a_deployment_that_takes_too_long_is_given_up_and_can_be_gone_on_with(
    server: Server, tmp_path: Path
) -> None:
    server.polls = 10_000
    aws, path = aws_of(server), tmp_path / "p.json"
    description = describe(aws, ENDPOINT, silent)
    plan = make_plan(verdict(Decision.PROMOTE, name=ENDPOINT), DIGEST, description, Choice())
    begun = Begun(plan.model_copy(update={"wait_s": 60}), sent=False)
    with pytest.raises(AccessError) as error:
        apply(begun, aws, path, say=lambda _: None, progress=silent, clock=Clock())
    assert error.value.code == "not-in-time"
    server._left = 1  # noqa: SLF001 - it arrives at last
    plan, _ = promote(server, path)
    assert_promoted(server, plan, path)


def test_an_endpoint_that_somebody_else_changed_meanwhile_is_left_alone(
    server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "p.json"
    with pytest.raises(SystemExit):
        promote(server, path, aws=Killed(server.url, 2))
    server.configs["theirs"] = {**server.configs[CONFIG], "EndpointConfigName": "theirs"}
    server.endpoint["EndpointConfigName"] = "theirs"
    with pytest.raises(InputError, match="InService with theirs"):
        promote(server, path)
    assert "UpdateEndpoint" not in server.sent


def test_another_configuration_of_the_same_name_is_not_taken(
    server: Server, tmp_path: Path
) -> None:
    description = describe(aws_of(server), ENDPOINT, silent)
    plan = make_plan(verdict(Decision.PROMOTE, name=ENDPOINT), DIGEST, description, Choice())
    server.configs[plan.after] = {**server.configs[CONFIG], "EndpointConfigName": plan.after}
    with pytest.raises(InputError, match="another configuration named"):
        promote(server, tmp_path / "p.json")
    assert "UpdateEndpoint" not in server.sent


def test_a_begun_plan_is_not_mixed_with_another(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    with pytest.raises(SystemExit):
        promote(server, path, aws=Killed(server.url, 1))
    with pytest.raises(UsageError, match="--apply began another plan"):
        promote(server, path, choice=Choice(instances="shadow"))
    path.write_text("{}")
    with pytest.raises(InputError, match="not a plan"):
        promote(server, path)


def test_nothing_is_sent_when_the_plan_cannot_be_written_down(
    server: Server, tmp_path: Path
) -> None:
    with pytest.raises(ResourceError, match="before anything is sent"):
        promote(server, tmp_path / "nowhere" / "p.json")
    assert not server.sent


def test_fields_that_botocore_drops_are_seen_all_the_same(server: Server) -> None:
    server.configs[CONFIG]["NewSecurity"] = {"On": True}
    description = describe(aws_of(server), ENDPOINT, silent)
    with pytest.raises(InputError, match="NewSecurity"):
        make_plan(verdict(Decision.PROMOTE, name=ENDPOINT), DIGEST, description, Choice())


def test_tags_go_with_the_configuration(server: Server) -> None:
    server.tags = [{"Key": "team", "Value": "churn"}]
    description = describe(aws_of(server), ENDPOINT, silent)
    plan = make_plan(verdict(Decision.PROMOTE, name=ENDPOINT), DIGEST, description, Choice())
    created = next(one for one in plan.steps if one.operation == "CreateEndpointConfig")
    assert created.request["Tags"] == server.tags


def test_no_such_endpoint_is_one_line(server: Server) -> None:
    with pytest.raises(InputError, match="there is no endpoint nobody"):
        describe(aws_of(server), "nobody", silent)


def test_a_denial_names_the_permission(server: Server) -> None:
    server.fail("DescribeEndpoint", "AccessDeniedException")
    with pytest.raises(AccessError, match="sagemaker:DescribeEndpoint is missing") as error:
        describe(aws_of(server), ENDPOINT, silent)
    assert error.value.permission == "sagemaker:DescribeEndpoint"


def test_an_update_that_aws_refuses_leaves_production_scaling(
    server: Server, tmp_path: Path
) -> None:
    scale(server)
    before = scaling_of(server, PRODUCTION)
    server.fail("UpdateEndpoint", "ResourceLimitExceeded")
    with pytest.raises(AccessError, match="ResourceLimitExceeded"):
        promote(server, tmp_path / "p.json")
    assert scaling_of(server, PRODUCTION) == before
    assert not (tmp_path / "p.json").exists()


def test_a_refusal_that_cannot_be_undone_keeps_the_plan_for_the_next_call(
    server: Server, tmp_path: Path
) -> None:
    scale(server)
    before, path = scaling_of(server, PRODUCTION), tmp_path / "p.json"
    server.fail("UpdateEndpoint", "ResourceLimitExceeded")
    server.fail("RegisterScalableTarget", "ConcurrentUpdateException")
    with pytest.raises(AccessError, match="ResourceLimitExceeded"):
        promote(server, path)
    assert path.exists()
    with pytest.raises(AccessError, match="What scaled it is as it was"):
        promote(server, path)
    assert scaling_of(server, PRODUCTION) == before


def test_a_begun_plan_does_not_go_on_in_another_account(server: Server, tmp_path: Path) -> None:
    """Staging and production often have one name for an endpoint and its configuration."""
    scale(server)
    path = tmp_path / "p.json"
    with pytest.raises(SystemExit):
        promote(server, path, aws=Killed(server.url, 2))
    kept = path.read_bytes()
    server.endpoint["EndpointArn"] = "arn:aws:sagemaker:us-east-1:999999999999:endpoint/churn"
    sent = server.sent.copy()
    with pytest.raises(InputError, match="choose its account and region"):
        promote(server, path)
    assert path.read_bytes() == kept
    changing = {name for name in server.sent - sent if not name.startswith(("Describe", "List"))}
    assert not changing
