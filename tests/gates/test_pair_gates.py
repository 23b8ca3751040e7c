"""Gates of the pairs: when they close, when they only say something."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

from analyzer.gates.pairs import PAIR_GATES
from analyzer.metrics.divergence import DIVERGENCE
from analyzer.metrics.metric import EndpointFacts
from analyzer.model import GateOutcome, Ledger, Pairing
from analyzer.policy.files import parse_policy
from analyzer.stats.sample_ratio import log_bayes_factor
from tests.metrics.prediction_facts import START, counts_of, facts_of

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence, Gate
    from analyzer.policy import Policy

BY_ID = {gate.id: gate for gate in PAIR_GATES}


def complete(**sampling: int) -> Policy:
    """A policy that declares both captures complete."""
    return policy_of(production_capture_percentage=100, shadow_capture_percentage=100, **sampling)


def policy_of(change: str = "model", /, **sampling: int) -> Policy:
    defaults = {metric.id: metric.default for metric in DIVERGENCE}
    return parse_policy({"change": change, "sampling": sampling}, defaults)


def evidence_of(facts: Facts) -> dict[str, Evidence]:
    rules = policy_of(facts.policy.change).metrics
    return {metric.id: metric.assess(facts, rules[metric.id]) for metric in DIVERGENCE}


def check(gate: str, facts: Facts) -> Gate:
    return BY_ID[gate].check(facts, evidence_of(facts))


def outcome(gate: str, facts: Facts) -> GateOutcome:
    return check(gate, facts).outcome


def test_without_captures_the_gates_that_need_them_block() -> None:
    facts = facts_of(captured=False)
    for gate in ("pairing", "distinct_inputs", "prediction_evidence"):
        assert check(gate, facts).outcome is GateOutcome.NOT_MEASURED
        assert check(gate, facts).closed
    for gate in ("sampling", "missing_pairs"):
        assert outcome(gate, facts) is GateOutcome.NOT_MEASURED
        assert not check(gate, facts).closed


def test_sampling_compares_invocations_with_the_configured_share() -> None:
    half = policy_of(shadow_percentage=50)
    right = facts_of(policy=half, invocations=(100_000, 50_100))
    assert outcome("sampling", right) is GateOutcome.PASS
    wrong = check("sampling", facts_of(policy=half, invocations=(100_000, 47_000)))
    assert wrong.outcome is GateOutcome.FAIL
    assert (wrong.value, wrong.limit) == (0.47, 0.5)
    few = facts_of(policy=half, invocations=(100, 40))
    assert outcome("sampling", few) is GateOutcome.PASS


def test_certain_but_small_sampling_gaps_do_not_matter() -> None:
    facts = facts_of(policy=policy_of(shadow_percentage=50), invocations=(10_000_000, 4_950_000))
    assert log_bayes_factor(4_950_000, 10_000_000, 0.5) > 100
    assert outcome("sampling", facts) is GateOutcome.PASS


def test_sampling_at_a_hundred_percent_counts_the_mismatch() -> None:
    endpoint = EndpointFacts(shadow_percentage=100)
    assert (
        "20 fewer"
        in check("sampling", facts_of(endpoint=endpoint, invocations=(10_000, 9_980))).text
    )
    lost = facts_of(endpoint=endpoint, invocations=(10_000, 7_000))
    assert outcome("sampling", lost) is GateOutcome.FAIL


def test_without_a_configured_share_captures_are_held_against_invocations() -> None:
    agreeing = facts_of(invocations=(50_000, 25_000), records=(10_000, 5_010))
    assert outcome("sampling", agreeing) is GateOutcome.PASS
    lossy = check("sampling", facts_of(invocations=(50_000, 25_000), records=(10_000, 3_000)))
    assert lossy.outcome is GateOutcome.FAIL
    assert lossy.text.startswith(
        "The shadow has 3 000 captured records, 30.00 % of production's 10 000, 50 % expected"
    )
    assert lossy.text.endswith(
        "CloudWatch counts 25 000 requests of the shadow and 50 000 of production."
    )


def test_a_few_shadow_records_more_than_all_are_said_to_be_more() -> None:
    policy = complete(shadow_percentage=100)
    text = check("sampling", facts_of(policy=policy, invocations=(5_547, 5_549))).text
    assert "2 more than all" in text


def test_a_closed_sampling_gate_says_how_strong_the_evidence_is() -> None:
    policy = policy_of(shadow_percentage=50)
    closed = check("sampling", facts_of(policy=policy, invocations=(100_000, 47_000)))
    assert "log Bayes factor against it 1" in closed.text
    assert "alarm at 6.908" in closed.text
    opened = check("sampling", facts_of(policy=policy, invocations=(100_000, 50_100)))
    assert "Bayes" not in opened.text


@pytest.mark.parametrize(("pairs", "expected"), [(2_999, "fail"), (3_000, "pass")])
def test_pairing_needs_three_over_the_tightest_budget(pairs: int, expected: str) -> None:
    assert outcome("pairing", facts_of(counts_of(pairs=pairs))) == expected


@pytest.mark.parametrize(("pairs", "open_"), [(999, False), (1_000, True)])
def test_however_wide_the_budgets_a_thousand_pairs_are_needed(pairs: int, *, open_: bool) -> None:
    defaults = {metric.id: metric.default for metric in DIVERGENCE}
    wide = parse_policy({"metrics": {"contract_change": {"margin": 0.05}}}, defaults)
    facts = facts_of(counts_of(pairs), policy=wide, records=(pairs, pairs))
    evidence = {metric.id: metric.assess(facts, wide.metrics[metric.id]) for metric in DIVERGENCE}
    assert (BY_ID["pairing"].check(facts, evidence).outcome is GateOutcome.PASS) == open_


def test_the_pairing_rate_is_judged_only_when_captures_are_complete() -> None:
    poor = Pairing(rate=0.5, distinct_inputs=10_000)
    assert outcome("pairing", facts_of(pairing=poor)) is GateOutcome.PASS
    declared = facts_of(pairing=poor, policy=complete())
    assert outcome("pairing", declared) is GateOutcome.FAIL
    endpoint = facts_of(pairing=poor, endpoint=EndpointFacts(capture_percentage=100))
    assert outcome("pairing", endpoint) is GateOutcome.FAIL
    shown = facts_of(pairing=poor, invocations=(10_020, 9_990))
    assert outcome("pairing", shown) is GateOutcome.FAIL
    partial = facts_of(pairing=poor, invocations=(40_000, 10_000))
    assert outcome("pairing", partial) is GateOutcome.PASS
    told = policy_of(production_capture_percentage=100, shadow_capture_percentage=20)
    assert outcome("pairing", facts_of(pairing=poor, policy=told)) is GateOutcome.PASS


@pytest.mark.parametrize(("records", "complete_"), [(9_950, True), (9_800, False)])
def test_captures_within_a_hundredth_of_the_requests_are_complete(
    records: int, *, complete_: bool
) -> None:
    poor = Pairing(rate=0.5, distinct_inputs=10_000)
    facts = facts_of(pairing=poor, invocations=(10_000, 10_000), records=(records, records))
    assert (outcome("pairing", facts) is GateOutcome.FAIL) == complete_


def test_missing_pairs_are_harm_in_the_worst_case() -> None:
    policy = complete(shadow_percentage=100)
    few = facts_of(policy=policy, ledger=Ledger(pairs=10_000, unpaired_production=50))
    assert outcome("missing_pairs", few) is GateOutcome.PASS
    many = facts_of(policy=policy, ledger=Ledger(pairs=10_000, unpaired_production=100))
    gate = check("missing_pairs", many)
    assert gate.outcome is GateOutcome.FAIL
    assert "contract_change" in gate.text
    sampled = complete(shadow_percentage=50)
    unknown = facts_of(policy=sampled, ledger=Ledger(pairs=10_000, unpaired_production=9_000))
    assert outcome("missing_pairs", unknown) is GateOutcome.NOT_MEASURED


def lossy(
    missing: int,
    *,
    hour: int | None = None,
    counts: dict[str, Any] | None = None,
    invocations: tuple[float, float] | None = None,
) -> Facts:
    """10,000 pairs over a day; the missing ones in every hour alike, or all in one."""
    paired = [417] * 23 + [409]
    lost = [missing // 24] * 24 if hour is None else [missing * (h == hour) for h in range(24)]
    rows = [
        {"hour": START + timedelta(hours=h), "role": role, "records": p + m, "paired": p}
        for h, (p, m) in enumerate(zip(paired, lost, strict=True))
        for role in ("production",)
    ]
    facts = facts_of(
        policy=complete(shadow_percentage=100),
        ledger=Ledger(pairs=10_000, unpaired_production=sum(lost)),
        records=(10_000 + sum(lost), 10_000),
        counts=counts,
        invocations=invocations,
    )
    assert facts.captures is not None
    tables = {**facts.captures.tables, "capture_hours": pa.Table.from_pylist(rows)}
    return replace(facts, captures=replace(facts.captures, tables=tables))


def test_missing_pairs_that_fall_in_one_hour_are_called_informative() -> None:
    burst = check("missing_pairs", lossy(240, hour=9))
    assert burst.outcome is GateOutcome.FAIL
    assert burst.text.startswith(
        "No shadow record for 240 of 10 240 production records, most in one hour: 240 from "
        f"{START + timedelta(hours=9):%Y-%m-%d %H:%M}Z; counted as harm, "
    )
    assert "What is missing is unlike the rest in hour (p = " in burst.text
    spread = check("missing_pairs", lossy(240))
    assert spread.outcome is GateOutcome.FAIL
    assert "No difference is seen in hour (p = " in spread.text
    assert "unlike" not in spread.text
    assert "most in" not in spread.text


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("missing_by_bytes", "size of production's output"),
        ("missing_by_score", "production's score"),
    ],
)
def test_missing_pairs_that_are_larger_or_score_higher_are_called_informative(
    table: str, named: str
) -> None:
    facts = lossy(240)
    assert facts.captures is not None
    for missing, informative in (((20, 30, 190), True), ((24, 96, 120), False)):
        cells = pa.table(
            {
                "hour": [0] * 3,
                "bucket": [1, 2, 3],
                "missing": missing,
                "present": [1_000, 4_000, 5_000],
            }
        )
        tables = {**facts.captures.tables, table: cells}
        gate = check(
            "missing_pairs", replace(facts, captures=replace(facts.captures, tables=tables))
        )
        assert (f"unlike the rest in {named} (p = " in gate.text) == informative
        assert (f" and {named} (p = " in gate.text) != informative


def test_a_distance_that_chance_gives_a_few_missing_pairs_is_not_called_a_difference() -> None:
    facts = lossy(72)
    assert facts.captures is not None
    cells = pa.table(
        {
            "hour": [0] * 3,
            "bucket": [1, 2, 3],
            "missing": [5, 25, 42],
            "present": [1000, 4000, 5000],
        }
    )
    tables = {**facts.captures.tables, "missing_by_score": cells}
    gate = check("missing_pairs", replace(facts, captures=replace(facts.captures, tables=tables)))
    assert "means 0.18 standard deviations apart" in gate.text
    assert "unlike" not in gate.text


def test_a_pass_that_survives_the_worst_case_keeps_the_gate_open() -> None:
    facts = lossy(72)
    assert check("missing_pairs", facts).outcome is GateOutcome.FAIL
    wide = {"contract_change": {"margin": 0.05}, "score_large_shift_share": {"margin": 0.2}}
    defaults = {metric.id: metric.default for metric in DIVERGENCE}
    policy = parse_policy({"sampling": dict(facts.policy.sampling), "metrics": wide}, defaults)
    generous = replace(facts, policy=policy)
    evidence = {m.id: m.assess(generous, policy.metrics[m.id]) for m in DIVERGENCE}
    gate = BY_ID["missing_pairs"].check(generous, evidence)
    assert gate.outcome is GateOutcome.PASS
    assert "even counted as harm" in gate.text


def test_every_judged_share_is_held_against_the_worst_case() -> None:
    gate = check("missing_pairs", lossy(960))
    for metric in ("contract_change", "flip_rate", "score_large_shift_share"):
        assert metric in gate.text


def test_a_share_that_does_not_pass_has_nothing_to_lose() -> None:
    counts = counts_of(flipped=4_000, large_shifted=4_000)
    gate = check("missing_pairs", lossy(960, counts=counts))
    assert "contract_change would no longer pass" in gate.text


@pytest.mark.parametrize(
    ("errors", "said"), [(240, "enough to explain them"), (200, "so 40 were lost in capture")]
)
def test_missing_pairs_are_held_against_the_errors_cloudwatch_counts(
    errors: int, said: str
) -> None:
    facts = lossy(240, invocations=(10_240, 10_240))
    (point,) = facts.metric_points.filter(
        (pl.col("role") == "shadow") & (pl.col("period_s") == 3600)
    ).to_dicts()
    minute = {"metric_name": "Invocation5XXErrors", "period_s": 60, "value": float(errors)}
    extra = pl.DataFrame([{**point, **minute}], schema=facts.metric_points.schema)
    told = replace(facts, metric_points=pl.concat([facts.metric_points, extra]))
    gate = check("missing_pairs", told)
    assert f"CloudWatch counts {errors} 5XX errors of the shadow, {said}" in gate.text
    assert "CloudWatch" not in check("missing_pairs", facts).text


def test_errors_of_all_requests_are_held_against_the_part_that_was_captured() -> None:
    facts = lossy(240, invocations=(512_000, 512_000))
    minute = facts.metric_points.filter(pl.col("role") == "shadow").head(1)
    errors = minute.with_columns(
        metric_name=pl.lit("Invocation5XXErrors"), period_s=pl.lit(60, pl.Int64), value=5_000.0
    )
    told = replace(facts, metric_points=pl.concat([facts.metric_points, errors]))
    said = "5 000 5XX errors of the shadow, about 100 of them among what was captured, so 140 were"
    assert said in check("missing_pairs", told).text


def test_lost_shadow_records_do_not_excuse_themselves() -> None:
    """Nothing declared: production's records show that every request was to be captured."""
    facts = facts_of(
        ledger=Ledger(pairs=9_500, unpaired_production=500),
        records=(10_000, 9_500),
        invocations=(10_010, 10_010),
    )
    assert outcome("missing_pairs", facts) is GateOutcome.FAIL
    sampled = facts_of(
        ledger=Ledger(pairs=4_500, unpaired_production=5_500),
        records=(10_000, 4_500),
        invocations=(10_010, 5_000),
    )
    assert outcome("missing_pairs", sampled) is GateOutcome.NOT_MEASURED


@pytest.mark.parametrize("declared", ["production", "shadow"])
@pytest.mark.parametrize("endpoint", [None, EndpointFacts(capture_percentage=100)])
def test_a_percentage_declared_of_one_variant_alone_excuses_no_lost_records(
    declared: str, endpoint: EndpointFacts | None
) -> None:
    facts = facts_of(
        policy=policy_of(**{"shadow_percentage": 100, f"{declared}_capture_percentage": 100}),
        endpoint=endpoint,
        ledger=Ledger(pairs=9_500, unpaired_production=500),
        records=(10_000, 9_500),
    )
    assert outcome("missing_pairs", facts) is GateOutcome.FAIL


def partly_captured(pairs: int, shadow: int, policy: Policy | None = None) -> Facts:
    """A fifth of production's requests captured, and so many of the shadow's."""
    return facts_of(
        policy=policy,
        ledger=Ledger(pairs=pairs, unpaired_production=2_000 - pairs),
        records=(2_000, shadow),
        invocations=None if policy else (10_010, 10_010),
    )


@pytest.mark.parametrize(
    "policy",
    [
        None,
        policy_of(
            shadow_percentage=100, production_capture_percentage=20, shadow_capture_percentage=20
        ),
    ],
)
def test_lost_shadow_records_are_missed_where_both_captures_take_the_same_requests(
    policy: Policy | None,
) -> None:
    assert outcome("missing_pairs", partly_captured(1_900, 1_900, policy)) is GateOutcome.FAIL
    assert outcome("missing_pairs", partly_captured(1_995, 2_000, policy)) is GateOutcome.PASS
    apart = partly_captured(400, 2_000, policy)  # each takes a fifth of its own
    assert outcome("missing_pairs", apart) is GateOutcome.NOT_MEASURED
    assert outcome("missing_pairs", partly_captured(0, 0, policy)) is GateOutcome.NOT_MEASURED


def test_where_the_shadow_captures_more_each_captured_request_must_have_its_answer() -> None:
    told = {"shadow_percentage": 100, "production_capture_percentage": 20}
    every = policy_of(**told, shadow_capture_percentage=100)
    assert outcome("missing_pairs", partly_captured(1_900, 9_500, every)) is GateOutcome.FAIL
    fewer = policy_of(**told, shadow_capture_percentage=10)
    assert outcome("missing_pairs", partly_captured(1_000, 1_000, fewer)) is (
        GateOutcome.NOT_MEASURED
    )


def test_a_handful_of_inputs_is_not_traffic() -> None:
    few = facts_of(pairing=Pairing(rate=1.0, distinct_inputs=99))
    assert outcome("distinct_inputs", few) is GateOutcome.FAIL
    assert outcome("distinct_inputs", facts_of()) is GateOutcome.PASS


def test_prediction_evidence_needs_one_judged_pass_besides_the_contract() -> None:
    assert outcome("prediction_evidence", facts_of()) is GateOutcome.PASS
    flipped = facts_of(counts_of(flipped=4_000, large_shifted=4_000))
    assert outcome("prediction_evidence", flipped) is GateOutcome.FAIL


@pytest.mark.parametrize("kind", ["text", "json", "vector"])
def test_outputs_without_a_judged_question_hold_and_name_the_key(kind: str) -> None:
    gate = check("prediction_evidence", facts_of(kind=kind))
    assert gate.outcome is GateOutcome.FAIL
    assert "predictions." in gate.text


def test_outputs_that_cannot_be_compared_are_not_vouched_for() -> None:
    facts = facts_of(counts_of(judged_pairs=9_900))
    gate = check("prediction_evidence", facts)
    assert gate.outcome is GateOutcome.FAIL
    assert gate.value == 0.01
