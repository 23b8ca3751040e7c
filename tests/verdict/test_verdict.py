"""The decision rule: total, monotone, and never a promotion without evidence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import ExitCode
from analyzer.metrics.judging import judge, levels
from analyzer.model import (
    Decision,
    Effect,
    Evidence,
    Family,
    Gate,
    GateOutcome,
    Outcome,
    Role,
    SampleSizes,
)
from analyzer.policy import MetricRule, Policy
from analyzer.verdict import EXIT_CODES, decide
from tests.examples import examples

FAMILIES = (Family.LATENCY, Family.ERROR_RATE, Family.DIVERGENCE)
WORSE = {
    Outcome.PASS: [Outcome.UNRESOLVED, Outcome.FAIL],
    Outcome.UNRESOLVED: [Outcome.FAIL],
    Outcome.FAIL: [],
    Outcome.INFO: [],
}
RANK = {Decision.REJECT: 0, Decision.HOLD: 1, Decision.PROMOTE: 2}


def effect(lower: float | None, upper: float | None) -> Effect:
    return Effect(
        kind="ratio",
        estimate=1.0,
        lower=lower,
        lower_level=0.99,
        upper=upper,
        upper_level=0.95,
    )


def evidence(
    outcome: Outcome = Outcome.PASS,
    *,
    role: Role = Role.GUARDRAIL,
    required: bool = True,
    family: Family = Family.LATENCY,
) -> Evidence:
    return Evidence(
        family=family,
        role=role,
        required=required,
        outcome=outcome,
        unit="ms",
        method="m/1",
        margin=1.1,
        effect=effect(0.99, 1.02),
    )


def gate(
    outcome: GateOutcome = GateOutcome.PASS,
    *,
    covers: tuple[Family, ...] = FAMILIES,
    blocks: bool = True,
) -> Gate:
    return Gate(
        outcome=outcome,
        covers=covers,
        when_not_measured="blocks" if blocks else "note",
        text="t",
    )


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (0.99, 1.05, Outcome.PASS),
        (0.99, 1.10, Outcome.UNRESOLVED),
        (1.05, 1.20, Outcome.UNRESOLVED),
        (1.10, 1.20, Outcome.UNRESOLVED),
        (1.11, 1.20, Outcome.FAIL),
        (None, 1.05, Outcome.PASS),
        (None, None, Outcome.UNRESOLVED),
    ],
)
def test_an_interval_is_judged_against_the_margin(
    lower: float | None, upper: float | None, expected: Outcome
) -> None:
    assert judge(effect(lower, upper), 1.10, Role.GUARDRAIL) is expected


def test_without_effect_or_margin_nothing_is_settled() -> None:
    assert judge(None, 1.1, Role.GUARDRAIL) is Outcome.UNRESOLVED
    assert judge(effect(0.9, 1.0), None, Role.REVIEW) is Outcome.UNRESOLVED


def test_evidence_is_never_judged() -> None:
    assert judge(effect(2.0, 3.0), 1.1, Role.EVIDENCE) is Outcome.INFO


def test_failure_decides_when_bounds_cross() -> None:
    assert judge(effect(1.2, 1.05), 1.1, Role.GUARDRAIL) is Outcome.FAIL


def test_rejection_levels_pay_for_every_guardrail() -> None:
    rules = {name: MetricRule(margin=1.1) for name in "abcde"}
    policy = Policy(metrics={**rules, "f": MetricRule(role=Role.EVIDENCE)})
    assert levels(policy) == pytest.approx((0.99, 0.95))


def test_everything_passing_promotes() -> None:
    judged = decide({"m": evidence()}, {"g": gate()}, {})
    assert judged.decision is Decision.PROMOTE
    assert judged.reasons == ()
    assert EXIT_CODES[judged.decision] is ExitCode.PROMOTE


def test_nothing_required_holds() -> None:
    judged = decide({"m": evidence(required=False)}, {}, {})
    assert judged.decision is Decision.HOLD
    assert judged.reasons[0].code == "nothing-required"
    assert decide({}, {}, {}).decision is Decision.HOLD


def test_a_required_unresolved_metric_holds() -> None:
    judged = decide({"m": evidence(Outcome.UNRESOLVED), "n": evidence()}, {}, {})
    assert judged.decision is Decision.HOLD
    assert judged.reasons[0].code == "m-unresolved"


def test_an_optional_unresolved_guardrail_does_not_hold() -> None:
    optional = evidence(Outcome.UNRESOLVED, required=False)
    assert decide({"m": evidence(), "n": optional}, {}, {}).decision is Decision.PROMOTE


def test_an_optional_failing_guardrail_rejects() -> None:
    optional = evidence(Outcome.FAIL, required=False)
    assert decide({"m": evidence(), "n": optional}, {}, {}).decision is Decision.REJECT


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.UNRESOLVED])
def test_a_review_can_hold_but_never_reject(outcome: Outcome) -> None:
    review = evidence(outcome, role=Role.REVIEW, required=False)
    judged = decide({"m": evidence(), "r": review}, {}, {})
    assert judged.decision is Decision.HOLD
    assert judged.reasons[0].code == "r-review"


def test_a_closed_gate_takes_the_pass_of_its_families_only() -> None:
    held = {"g": gate(GateOutcome.FAIL, covers=(Family.LATENCY,))}
    items = {"m": evidence(), "e": evidence(family=Family.ERROR_RATE)}
    judged = decide(items, held, {})
    assert judged.evidence["m"].outcome is Outcome.UNRESOLVED
    assert judged.evidence["m"].notes[-1].code == "gate-g"
    assert judged.evidence["e"].outcome is Outcome.PASS
    assert judged.decision is Decision.HOLD


def test_a_gate_never_softens_a_failure() -> None:
    judged = decide({"m": evidence(Outcome.FAIL)}, {"g": gate(GateOutcome.FAIL)}, {})
    assert judged.decision is Decision.REJECT


def test_a_metric_that_only_a_gate_unsettled_is_named_once_by_the_gate() -> None:
    judged = decide({"m": evidence()}, {"g": gate(GateOutcome.FAIL)}, {})
    assert [reason.code for reason in judged.reasons] == ["gate-g"]


def test_reasons_to_hold_name_causes_before_what_they_cause() -> None:
    items = {
        "m": evidence(Outcome.UNRESOLVED),
        "r": evidence(Outcome.FAIL, role=Role.REVIEW, required=False),
    }
    held = {
        "load": gate(GateOutcome.FAIL, covers=(Family.LATENCY,)),
        "objects": gate(GateOutcome.FAIL),
    }
    judged = decide(items, held, {})
    codes = [reason.code for reason in judged.reasons]
    assert codes == ["gate-objects", "r-review", "gate-load", "m-unresolved"]


def test_a_required_metric_that_is_not_judged_holds() -> None:
    judged = decide({"m": evidence(Outcome.FAIL, role=Role.EVIDENCE)}, {}, {})
    assert judged.decision is Decision.HOLD


def test_not_measured_blocks_only_where_the_gate_says_so() -> None:
    unmeasured = GateOutcome.NOT_MEASURED
    items = {"m": evidence()}
    assert decide(items, {"g": gate(unmeasured)}, {}).decision is Decision.HOLD
    assert decide(items, {"g": gate(unmeasured, blocks=False)}, {}).decision is Decision.PROMOTE


def test_a_promotion_names_the_gates_that_were_not_measured() -> None:
    unmeasured = gate(GateOutcome.NOT_MEASURED, blocks=False)
    items = {"m": evidence()}
    said = decide(items, {"g": gate(), "b": unmeasured, "a": unmeasured}, {}).summary
    assert said.endswith("and every gate is open; not measured: a, b.")
    assert decide(items, {"g": gate()}, {}).summary.endswith("and every gate is open.")


items = st.dictionaries(
    st.sampled_from("abcdef"),
    st.builds(
        evidence,
        st.sampled_from([Outcome.PASS, Outcome.UNRESOLVED, Outcome.FAIL]),
        role=st.sampled_from([Role.GUARDRAIL, Role.REVIEW, Role.EVIDENCE]),
        required=st.booleans(),
        family=st.sampled_from(FAMILIES),
    ),
    min_size=1,
)
gates = st.dictionaries(
    st.sampled_from("gh"),
    st.builds(
        gate,
        st.sampled_from(list(GateOutcome)),
        covers=st.sets(st.sampled_from(FAMILIES)).map(lambda found: tuple(sorted(found))),
        blocks=st.booleans(),
    ),
)


@settings(max_examples=examples(40, whole=100))
@given(items, gates, st.data())
def test_a_worse_outcome_never_improves_the_decision(
    found: dict[str, Evidence], held: dict[str, Gate], data: st.DataObject
) -> None:
    before = decide(found, held, {}).decision
    metric = data.draw(st.sampled_from(sorted(found)))
    worse = WORSE[found[metric].outcome]
    if worse:
        outcome = data.draw(st.sampled_from(worse))
        changed = found[metric].model_copy(update={"outcome": outcome})
        after = decide({**found, metric: changed}, held, {}).decision
        assert RANK[after] <= RANK[before]


@settings(max_examples=examples(40, whole=100))
@given(items, gates, st.sampled_from(FAMILIES))
def test_closing_a_gate_never_improves_the_decision(
    found: dict[str, Evidence], held: dict[str, Gate], family: Family
) -> None:
    before = decide(found, held, {}).decision
    closed = gate(GateOutcome.FAIL, covers=(family,))
    assert RANK[decide(found, {**held, "g": closed}, {}).decision] <= RANK[before]


@settings(max_examples=examples(40, whole=100))
@given(items, gates)
def test_the_order_of_evidence_does_not_matter(
    found: dict[str, Evidence], held: dict[str, Gate]
) -> None:
    backwards = dict(reversed(found.items()))
    assert decide(found, held, {}).decision is decide(backwards, held, {}).decision


def test_a_pass_behind_closed_gates_says_which_and_how_long_days_take() -> None:
    seen = evidence().model_copy(update={"n": SampleSizes(production=6_000, minutes=1_440)})
    days = gate(GateOutcome.FAIL).model_copy(update={"limit": 3.0})
    judged = decide({"m": seen}, {"min_days": days, "roles": gate(GateOutcome.FAIL)}, {})
    needs = judged.evidence["m"].needs
    assert needs is not None
    assert (needs.minutes, needs.hours, needs.requests) == (4_320, 72, 18_000)
    assert "gates min_days, roles" in needs.text
    other = decide({"m": seen}, {"roles": gate(GateOutcome.FAIL)}, {}).evidence["m"].needs
    assert other is not None
    assert (other.minutes, other.hours) == (None, None)
    assert "gate roles" in other.text
