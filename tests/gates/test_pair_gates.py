"""Gates of the pairs: when they close, when they only say something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analyzer.gates.pairs import PAIR_GATES, log_bayes_factor
from analyzer.metrics.divergence import DIVERGENCE
from analyzer.metrics.metric import EndpointFacts
from analyzer.model import GateOutcome, Ledger, Pairing
from analyzer.policy import parse_policy
from tests.metrics.prediction_facts import counts_of, facts_of

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
    lossy = facts_of(invocations=(50_000, 25_000), records=(10_000, 3_000))
    assert outcome("sampling", lossy) is GateOutcome.FAIL


def test_the_sampling_alarm_is_rare_under_the_configured_share() -> None:
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(200):
        copied = np.cumsum(rng.binomial(600, 0.5, size=48))
        looks = [
            log_bayes_factor(float(x), 600.0 * (hour + 1), 0.5) > np.log(1_000)
            for hour, x in enumerate(copied)
        ]
        alarms += any(looks)
    assert alarms <= 2


@pytest.mark.parametrize(("pairs", "expected"), [(2_999, "fail"), (3_000, "pass")])
def test_pairing_needs_three_over_the_tightest_budget(pairs: int, expected: str) -> None:
    assert outcome("pairing", facts_of(counts_of(pairs=pairs))) == expected


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
