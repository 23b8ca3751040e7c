"""The plan: which requests carry a verdict out, in which order, and what speaks against it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analyzer.errors import InputError, UsageError
from analyzer.model import Decision, Verdict
from analyzer.promotion.choice import Choice, parsed
from analyzer.promotion.description import Description, read_description
from analyzer.promotion.plan import Plan, make_plan
from analyzer.promotion.requests import Phase, Step, problems, service_model
from tests.doctor.policy_evaluator import allows
from tests.promotion.endpoints import (
    ACCOUNT,
    CONFIG,
    ENDPOINT,
    POLICY_ARN,
    PRODUCTION,
    SHADOW,
    answers,
    described,
    everything,
    experiment,
    scaled,
    variant,
)
from tests.report.verdicts import verdict

DIGEST = "ab" * 32
LATER = "2026-11-21T12:00:00+00:00"
"""Within the window of the verdicts."""


def plan_of(
    description: Description,
    decision: Decision = Decision.PROMOTE,
    choice: Choice | None = None,
    *,
    forced: bool = False,
    **subject: Any,  # noqa: ANN401 - fields of a subject
) -> Plan:
    return make_plan(
        about(decision, **subject), DIGEST, description, choice or Choice(), forced=forced
    )


def about(decision: Decision, **subject: Any) -> Verdict:  # noqa: ANN401
    judged = verdict(decision, name=ENDPOINT)
    return judged.model_copy(update={"subject": judged.subject.model_copy(update=subject)})


def only(plan: Plan, operation: str) -> dict[str, Any]:
    found = [step.request for step in plan.steps if step.operation == operation]
    assert len(found) == 1, operation
    return found[0]


def operations(steps: tuple[Step, ...]) -> list[str]:
    return [step.operation for step in steps]


def codes(plan: Plan) -> set[str]:
    return {note.code for note in plan.warnings}


def config(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {**answers()["DescribeEndpointConfig"], **fields}


def test_the_shadows_model_becomes_the_only_variant_and_is_watched() -> None:
    plan = plan_of(described())
    body = only(plan, "CreateEndpointConfig")
    assert body["ProductionVariants"] == [variant(SHADOW, "model-2")]
    assert "ShadowProductionVariants" not in body
    update = only(plan, "UpdateEndpoint")
    assert (update["EndpointName"], update["EndpointConfigName"]) == (ENDPOINT, plan.after)
    policy = update["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]
    assert routing["Type"] == "CANARY"
    assert routing["CanarySize"] == {"Type": "INSTANCE_COUNT", "Value": 1}
    waits = routing["WaitIntervalInSeconds"] + policy["TerminationWaitInSeconds"]
    assert policy["MaximumExecutionTimeoutInSeconds"] > waits
    alarms = [step.request for step in plan.steps if step.operation == "PutMetricAlarm"]
    named = update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    assert [one["AlarmName"] for one in named] == [one["AlarmName"] for one in alarms]
    assert codes(plan) == set()
    assert operations(plan.of(Phase.CLEAN_UP)) == ["DeleteEndpointConfig", "DeleteAlarms"]
    assert only(plan, "DeleteEndpointConfig") == {"EndpointConfigName": CONFIG}


def test_rollback_alarms_are_the_margins_of_the_verdict_on_the_new_fleet_alone() -> None:
    plan = plan_of(described())
    alarms = {
        step.request["MetricName"]: step.request
        for step in plan.steps
        if step.operation == "PutMetricAlarm"
    }
    latency = alarms["ModelLatency"]
    assert latency["Threshold"] == pytest.approx(12.41 * 1.10 * 1000)  # microseconds
    assert alarms["Invocation5XXErrors"]["Threshold"] == pytest.approx(0.00012 + 0.001)
    assert set(alarms) == {"ModelLatency", "Invocation5XXErrors", "InvocationModelErrors"}
    for alarm in alarms.values():
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        assert dimensions == {
            "EndpointName": ENDPOINT,
            "VariantName": SHADOW,
            "EndpointConfigName": plan.after,
        }
        pauses = only(plan, "UpdateEndpoint")["DeploymentConfig"]["BlueGreenUpdatePolicy"]
        shortest = pauses["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"]
        assert alarm["Period"] * alarm["EvaluationPeriods"] < shortest


def test_a_verdict_without_levels_has_no_alarms_and_says_so() -> None:
    judged = about(Decision.PROMOTE)
    silent = {
        name: one.model_copy(update={"production": None}) for name, one in judged.metrics.items()
    }
    plan = make_plan(judged.model_copy(update={"metrics": silent}), DIGEST, described(), Choice())
    assert "AutoRollbackConfiguration" not in only(plan, "UpdateEndpoint")["DeploymentConfig"]
    assert "PutMetricAlarm" not in operations(plan.steps)
    assert "no-alarms" in codes(plan)


def test_every_other_field_of_the_configuration_is_carried_over() -> None:
    shape: Any = service_model("sagemaker").operation_model("DescribeEndpointConfig").output_shape
    whole = everything(shape)
    whole |= {"EndpointConfigName": CONFIG}
    whole["ProductionVariants"] = [variant(PRODUCTION, "model-1")]
    shadow = {**everything(shape.members["ShadowProductionVariants"].member)}
    shadow |= {"VariantName": SHADOW, "ModelName": "model-2"}
    whole["ShadowProductionVariants"] = [shadow]
    tags = [{"Key": "team", "Value": "churn"}, {"Key": "aws:stack", "Value": "s"}]
    plan = plan_of(described(DescribeEndpointConfig=whole, ListTags={"Tags": tags}))
    body = only(plan, "CreateEndpointConfig")
    made = {"EndpointConfigName", "ProductionVariants", "Tags"}
    create: Any = service_model("sagemaker").operation_model("CreateEndpointConfig").input_shape
    taken = set(create.members)
    assert taken - made - {"ShadowProductionVariants"} == set(body) - made
    assert {key: body[key] for key in set(body) - made} == {
        key: whole[key] for key in set(body) - made
    }
    assert body["Tags"] == tags[:1]
    assert "aws-tags" in codes(plan)
    kept = body["ProductionVariants"][0]
    assert kept["RoutingConfig"] == shadow["RoutingConfig"]
    assert kept["ContainerStartupHealthCheckTimeoutInSeconds"]
    assert kept["InstanceType"] == "ml.m5.large"
    assert "ServerlessConfig" not in kept  # production's instances, whole
    assert all(problems(step) == "" for step in plan.steps)


def test_a_field_this_botocore_does_not_know_is_never_lost_in_silence() -> None:
    with pytest.raises(InputError, match=r"NewSecurity.*upgrade boto3"):
        plan_of(described(DescribeEndpointConfig=config(NewSecurity={"On": True})))


@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        (None, ("ml.m5.large", 5)),
        ("production", ("ml.m5.large", 5)),
        ("shadow", ("ml.c6i.large", 3)),
        ("ml.g5.xlarge:7", ("ml.g5.xlarge", 7)),
    ],
)
def test_it_runs_on_the_instances_that_were_chosen_in_their_present_number(
    instances: str | None, expected: tuple[str, int]
) -> None:
    here = answers()
    here["DescribeEndpoint"]["ProductionVariants"][0]["CurrentInstanceCount"] = 5
    here["DescribeEndpoint"]["ShadowProductionVariants"][0]["CurrentInstanceCount"] = 3
    here["DescribeEndpointConfig"]["ShadowProductionVariants"] = [
        variant(SHADOW, "model-2", kind="ml.c6i.large")
    ]
    plan = plan_of(Description(here, ENDPOINT), choice=parsed(instances, "canary"))
    promoted = only(plan, "CreateEndpointConfig")["ProductionVariants"][0]
    assert (promoted["InstanceType"], promoted["InitialInstanceCount"]) == expected
    assert "unequal-instances" in codes(plan)
    assert ("other-instances" in codes(plan)) is (instances != "shadow")
    assert ("not-production-instances" in codes(plan)) is (expected[0] != "ml.m5.large")


def test_instances_that_were_tested_are_the_shadows_by_default() -> None:
    shadow = variant(SHADOW, "model-1", kind="ml.c6i.large")
    plan = plan_of(
        described(DescribeEndpointConfig=config(ShadowProductionVariants=[shadow])),
        change="infrastructure",
    )
    assert only(plan, "CreateEndpointConfig")["ProductionVariants"] == [shadow]


@pytest.mark.parametrize("instances", ["large", "ml.m5.large", "ml.m5.large:0", "ml.x:1;ls", ""])
def test_instances_that_cannot_be_meant_are_a_usage_error(instances: str) -> None:
    with pytest.raises(UsageError, match="TYPE:COUNT"):
        parsed(instances, "canary")


def test_a_volume_is_never_smaller_than_the_one_the_model_was_judged_with() -> None:
    production = {**variant(PRODUCTION, "model-1"), "VolumeSizeInGB": 30}
    shadow = {**variant(SHADOW, "model-2"), "VolumeSizeInGB": 60}
    here = config(ProductionVariants=[production], ShadowProductionVariants=[shadow])
    body = only(plan_of(described(DescribeEndpointConfig=here)), "CreateEndpointConfig")
    assert body["ProductionVariants"][0]["VolumeSizeInGB"] == 60


def test_pools_that_name_their_own_models_are_not_taken_from_production() -> None:
    pool = {"InstanceType": "ml.m5.large", "Priority": 1, "ModelNameOverride": "model-1"}
    production = {**variant(PRODUCTION, "model-1"), "InstancePools": [pool]}
    here = described(DescribeEndpointConfig=config(ProductionVariants=[production]))
    with pytest.raises(InputError, match="models of their own"):
        plan_of(here)
    assert plan_of(here, choice=Choice(instances="shadow")).model == "model-2"


@pytest.mark.parametrize("count", range(1, 41))
@pytest.mark.parametrize("traffic", ["canary", "linear"])
def test_traffic_moves_in_steps_that_aws_allows_for_any_count(count: int, traffic: Any) -> None:  # noqa: ANN401
    plan = plan_of(described(), choice=parsed(f"ml.m5.large:{count}", traffic))
    policy = only(plan, "UpdateEndpoint")["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]
    if count == 1:
        assert routing["Type"] == "ALL_AT_ONCE"
        assert "one-instance" in codes(plan)
        return
    assert routing["Type"] == traffic.upper()
    size = routing["CanarySize" if traffic == "canary" else "LinearStepSize"]["Value"]
    assert 1 <= size <= count / 2
    assert traffic == "canary" or size >= count / 10
    shifts = 1 if traffic == "canary" else -(-count // size)
    waits = shifts * routing["WaitIntervalInSeconds"] + policy["TerminationWaitInSeconds"]
    assert waits < policy["MaximumExecutionTimeoutInSeconds"] <= 28800


def test_a_shadow_that_was_sent_a_part_of_the_requests_is_warned_of() -> None:
    shadow = {**variant(SHADOW, "model-2"), "InitialVariantWeight": 0.5}
    here = answers()
    here["DescribeEndpointConfig"]["ShadowProductionVariants"] = [shadow]
    here["DescribeEndpoint"]["ShadowProductionVariants"][0]["CurrentWeight"] = 0.5
    plan = plan_of(Description(here, ENDPOINT))
    assert "shadow-below-100" in codes(plan)
    assert (
        only(plan, "CreateEndpointConfig")["ProductionVariants"][0]["InitialVariantWeight"] == 1.0
    )


def test_what_scaled_production_scales_the_promoted_variant_and_comes_back_if_it_must() -> None:
    plan = plan_of(described(**scaled()))
    assert operations(plan.of(Phase.PREPARE))[-1] == "DeregisterScalableTarget"
    restored = plan.of(Phase.RESTORE)
    assert operations(restored) == [
        "RegisterScalableTarget",
        "PutScalingPolicy",
        "PutScalingPolicy",
        "PutScheduledAction",
        "PutMetricAlarm",
    ]
    register, tracking, stepping, schedule, alarm = restored
    assert register.request["MinCapacity"] == 2
    assert "RoleARN" not in register.request
    for step in (register, tracking, stepping, schedule):
        assert step.request["ResourceId"] == f"endpoint/{ENDPOINT}/variant/{SHADOW}"
    configuration = tracking.request["TargetTrackingScalingPolicyConfiguration"]
    watched = configuration["CustomizedMetricSpecification"]["Dimensions"]
    assert {"Name": "VariantName", "Value": SHADOW} in watched
    assert alarm.request["AlarmName"] == f"{SHADOW}-busy"
    assert {"Name": "VariantName", "Value": SHADOW} in alarm.request["Dimensions"]
    assert alarm.request["AlarmActions"] == [
        f"${{{stepping.gives}}}",
        "arn:aws:sns:eu-west-1:1:pager",
    ]
    undone = plan.of(Phase.ROLLED_BACK)
    assert operations(undone) == operations(restored)
    assert {step.request.get("ResourceId") for step in undone[:4]} == {
        f"endpoint/{ENDPOINT}/variant/{PRODUCTION}"
    }
    assert undone[-1].request["AlarmName"] == f"{PRODUCTION}-busy"
    assert undone[-1].request["AlarmActions"][0] == f"${{{undone[2].gives}}}"
    names = [step.gives for step in plan.steps if step.gives]
    assert len(names) == len(set(names)) == 4
    assert f"{PRODUCTION}-busy" in only(plan, "DeleteAlarms")["AlarmNames"]
    assert "TargetTracking-high" not in json.dumps(plan.to_json())
    assert POLICY_ARN not in plan.to_json()


def test_a_copied_alarm_never_takes_the_name_of_another() -> None:
    here = scaled()
    taken = {**here["DescribeAlarms"]["MetricAlarms"][2], "AlarmName": f"{SHADOW}-busy"}
    here["DescribeAlarms"]["MetricAlarms"].append(taken)
    alarm = plan_of(described(**here)).of(Phase.RESTORE)[-1]
    assert alarm.request["AlarmName"] == f"{PRODUCTION}-busy {SHADOW}"


def test_a_shadow_that_alone_scales_keeps_its_own_scaling() -> None:
    plan = plan_of(described(**scaled(SHADOW)))
    targets = [step.request for step in plan.steps if step.operation == "DeregisterScalableTarget"]
    assert [one["ResourceId"] for one in targets] == [f"endpoint/{ENDPOINT}/variant/{SHADOW}"]
    alarm = plan.of(Phase.RESTORE)[-1].request
    assert alarm["AlarmName"] == f"{SHADOW}-busy"
    assert alarm["AlarmActions"][0].startswith("${policy_arn_")


def test_an_endpoint_file_without_scaling_is_warned_of() -> None:
    here = answers()
    del here["DescribeScalableTargets"]
    assert "scaling-not-described" in codes(plan_of(Description(here, "endpoint.json")))


def test_a_managed_test_is_stopped_with_the_shadow_promoted() -> None:
    plan = plan_of(described(DescribeInferenceExperiment=experiment(share=50), **scaled()))
    stop = only(plan, "StopInferenceExperiment")
    assert stop["Name"] == "churn-test"
    assert stop["ModelVariantActions"] == {SHADOW: "Promote", PRODUCTION: "Remove"}
    assert stop["DesiredState"] == "Completed"
    assert [one["VariantName"] for one in stop["DesiredModelVariants"]] == [SHADOW]
    infrastructure = stop["DesiredModelVariants"][0]["InfrastructureConfig"]
    assert infrastructure["RealTimeInferenceConfig"] == {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 2,
    }
    assert DIGEST in stop["Reason"]
    assert not {"CreateEndpointConfig", "UpdateEndpoint"} & set(operations(plan.steps))
    assert {"no-guardrails", "shadow-below-100"} <= codes(plan)
    assert operations(plan.of(Phase.PREPARE)) == ["DeregisterScalableTarget"]
    assert "RegisterScalableTarget" in operations(plan.of(Phase.RESTORE))


def test_a_managed_test_that_is_over_is_not_stopped_again() -> None:
    plan = plan_of(described(DescribeInferenceExperiment=experiment("Completed")))
    assert (plan.route, plan.experiment) == ("self-service", "")


def test_a_rejected_shadow_is_removed_from_a_managed_test() -> None:
    here = described(DescribeInferenceExperiment=experiment())
    stop = only(plan_of(here, Decision.REJECT), "StopInferenceExperiment")
    assert stop["ModelVariantActions"] == {SHADOW: "Remove", PRODUCTION: "Retain"}
    assert [one["VariantName"] for one in stop["DesiredModelVariants"]] == [PRODUCTION]


def test_a_rejected_shadow_is_removed_and_production_stays_as_it_is() -> None:
    plan = plan_of(described(**scaled()), Decision.REJECT)
    assert plan.action == "remove-shadow"
    body = only(plan, "CreateEndpointConfig")
    assert body["ProductionVariants"] == [variant(PRODUCTION, "model-1")]
    assert "ShadowProductionVariants" not in body
    assert only(plan, "UpdateEndpoint")["RetainAllVariantProperties"] is True
    assert not {"DeregisterScalableTarget", "PutScalingPolicy"} & set(operations(plan.steps))


@pytest.mark.parametrize("decision", [Decision.PROMOTE, Decision.REJECT])
def test_what_is_already_so_needs_no_request(decision: Decision) -> None:
    kept = (SHADOW, "model-2") if decision is Decision.PROMOTE else (PRODUCTION, "model-1")
    here = config(ProductionVariants=[variant(*kept)], ShadowProductionVariants=[])
    plan = plan_of(described(DescribeEndpointConfig=here), decision)
    assert (plan.action, plan.steps) == ("none", ())
    with pytest.raises(InputError, match="no shadow"):
        plan_of(
            described(DescribeEndpointConfig=here),
            decision,
            shadow_model="model-3",
            production_model="model-3",
        )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"subject": {"shadow_model": "model-3"}}, "other-model"),
        ({"subject": {"production_model": "model-0"}}, "other-model"),
        ({"subject": {"endpoint": None}}, "no-endpoint"),
        ({"modified": LATER}, "changed-since"),
        ({"model": LATER}, "model-made-again"),
        ({"model": 1795262400.0}, "model-made-again"),
    ],
)
def test_an_endpoint_that_runs_something_else_is_refused_unless_forced(
    change: dict[str, Any], code: str
) -> None:
    here = answers()
    here["DescribeEndpoint"]["LastModifiedTime"] = change.get(
        "modified", answers()["DescribeEndpoint"]["CreationTime"]
    )
    if "model" in change:
        here["DescribeModel"]["CreationTime"] = change["model"]
    subject = change.get("subject", {})
    with pytest.raises(InputError, match="--force-decision PROMOTE") as refused:
        plan_of(Description(here, ENDPOINT), **subject)
    assert refused.value.code == code
    forced = plan_of(Description(here, ENDPOINT), forced=True, **subject)
    assert code in codes(forced)
    assert forced.model == "model-2"


def test_the_models_of_the_verdict_are_no_objection() -> None:
    plan = plan_of(described(), production_model="model-1", shadow_model="model-2")
    assert codes(plan) == set()


@pytest.mark.parametrize(
    ("subject", "config_change"),
    [
        ({"endpoint": "another"}, {}),
        ({"shadow_variant": "another"}, {}),
        ({"production_variant": "another"}, {}),
        ({}, {"ShadowProductionVariants": []}),
        ({}, {"ProductionVariants": [variant("a", "m"), variant("b", "m")]}),
        ({}, {"ShadowProductionVariants": [{"VariantName": SHADOW}]}),
    ],
)
def test_variants_other_than_the_verdicts_are_refused_even_by_force(
    subject: dict[str, Any], config_change: dict[str, Any]
) -> None:
    here = described(DescribeEndpointConfig=config(**config_change))
    with pytest.raises(InputError):
        plan_of(here, forced=True, **subject)


def test_a_forced_hold_promotes_and_says_what_it_is() -> None:
    plan = plan_of(described(), Decision.HOLD, forced=True)
    assert plan.action == "promote"
    assert "forced-decision" in codes(plan)


def test_the_configurations_name_is_its_content() -> None:
    first, again = plan_of(described()), plan_of(described())
    other = plan_of(described(), choice=Choice(instances="ml.m5.large:3"))
    assert first == again
    assert first.after != other.after
    long = "e" * 63
    here = answers()
    here["DescribeEndpoint"]["EndpointName"] = long
    assert len(plan_of(Description(here, long), endpoint=long).after) == 63


def test_a_plan_read_back_is_the_same() -> None:
    plan = plan_of(described(**scaled()))
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    written = json.loads(plan.to_json(["--profile", "a b"]))
    assert all("--profile 'a b' --cli-input-json" in step["command"] for step in written["steps"])


def test_the_policy_allows_what_is_sent_and_nothing_that_is_not() -> None:
    plan = plan_of(described(**scaled()))
    document, region = plan.permissions, ACCOUNT.replace("sagemaker", "cloudwatch")
    made = f"{ACCOUNT}:endpoint-config/{plan.after}"
    assert allows(document, "sagemaker:CreateEndpointConfig", made)
    assert not allows(document, "sagemaker:AddTags", made)
    assert not allows(document, "sagemaker:CreateEndpointConfig", f"{ACCOUNT}:endpoint-config/x")
    for where in (f"{ACCOUNT}:endpoint/{ENDPOINT}", made):
        assert allows(document, "sagemaker:UpdateEndpoint", where)
    assert not allows(document, "sagemaker:UpdateEndpoint", f"{ACCOUNT}:endpoint/other")
    assert not allows(
        document, "sagemaker:DeleteEndpointConfig", f"{ACCOUNT}:endpoint-config/{CONFIG}"
    )
    namespace = {"application-autoscaling__service-namespace": "sagemaker"}
    for step in plan.of(Phase.PREPARE, Phase.RESTORE, Phase.ROLLED_BACK):
        if step.service == "application-autoscaling":
            action = f"{step.service}:{step.operation}"
            assert allows(document, action, "*", **namespace)
            assert not allows(document, action, "*")
        if step.operation == "PutMetricAlarm":
            alarm = f"{region}:alarm:{step.request['AlarmName']}"
            assert allows(document, "cloudwatch:PutMetricAlarm", alarm)
            assert not allows(document, "cloudwatch:DeleteAlarms", alarm)


def test_every_request_of_every_plan_is_one_aws_accepts() -> None:
    for decision in (Decision.PROMOTE, Decision.REJECT):
        for test in ({}, {"DescribeInferenceExperiment": experiment()}):
            for scaling in ({}, scaled(), scaled(SHADOW)):
                for step in plan_of(described(**test, **scaling), decision).steps:
                    assert problems(step) == "", step


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("not json", "not JSON"),
        ("[]", "DescribeEndpoint and DescribeEndpointConfig missing"),
        (json.dumps({"DescribeEndpoint": {}}), "DescribeEndpointConfig missing"),
        (
            json.dumps(answers()).replace(f'"EndpointName": "{ENDPOINT}"', '"EndpointName": "x"'),
            "describes the endpoint x",
        ),
        (
            json.dumps({**answers(), "DescribeEndpointConfig": config(EndpointConfigName="y")}),
            "y is described",
        ),
        (
            json.dumps({**answers(), "DescribeEndpointConfig": config(CreationTime="noon")}),
            "CreationTime",
        ),
    ],
)
def test_an_endpoint_file_that_cannot_be_meant_is_refused(
    content: str,
    complaint: str,
    tmp_path: Any,  # noqa: ANN401
) -> None:
    path = tmp_path / "endpoint.json"
    path.write_text(content)
    with pytest.raises(InputError, match=complaint):
        read_description(path, ENDPOINT)
