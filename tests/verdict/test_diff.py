"""What changed between two verdicts, and which of it moved the decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.model import (
    Decision,
    Effect,
    Evidence,
    Gate,
    GateOutcome,
    Outcome,
    Reason,
    Role,
    Verdict,
)
from analyzer.report import markdown, text
from analyzer.report.content.diff_page import diff_page
from analyzer.verdict import SLICE_REASON, decide
from analyzer.verdict.diff import Difference, difference
from tests.forked_runs import analyzer
from tests.report.verdicts import hostile, metrics, verdict

if TYPE_CHECKING:
    from subprocess import CompletedProcess

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"


def golden(scenario: str) -> Verdict:
    path = SAMPLE_DATA / scenario / "expected_verdict.json"
    return Verdict.model_validate_json(path.read_bytes())


def decided(
    changed: dict[str, Evidence] | None = None, gates: dict[str, Gate] | None = None
) -> Verdict:
    """A verdict whose decision and reasons are those of its evidence."""
    start = verdict(Decision.PROMOTE)
    judged = decide(
        {**metrics(Decision.PROMOTE), **(changed or {})}, {**start.gates, **(gates or {})}, {}
    )
    return start.model_copy(
        update={
            "decision": judged.decision,
            "reasons": judged.reasons,
            "summary": judged.summary,
            "metrics": judged.evidence,
            "gates": {**start.gates, **(gates or {})},
        }
    )


def p99(
    lower: float, upper: float, *, margin: float = 1.2, outcome: Outcome = Outcome.PASS
) -> dict[str, Evidence]:
    seen = metrics(Decision.PROMOTE)["latency_p99"]
    assert seen.effect is not None
    moved = Effect.model_validate({**seen.effect.model_dump(), "lower": lower, "upper": upper})
    change = {"effect": moved, "margin": margin, "outcome": outcome}
    return {"latency_p99": seen.model_copy(update=change)}


def closed(gate: str, **figures: float) -> dict[str, Gate]:
    held = verdict(Decision.PROMOTE).gates[gate]
    return {gate: held.model_copy(update={"outcome": GateOutcome.FAIL, **figures})}


def causes(found: Difference) -> list[tuple[str, bool, str]]:
    return [(one.code, one.came, one.because) for one in found.causes]


def test_a_verdict_does_not_differ_from_itself() -> None:
    found = difference(golden("slow_tail"), golden("slow_tail"))
    assert found.empty
    assert not found.moved
    assert "say the same" in text.render(diff_page(found)).plain


def test_a_rejection_came_with_the_guardrail_that_fails() -> None:
    found = difference(golden("promote"), golden("slow_tail"))
    assert (found.first, found.second) == (Decision.PROMOTE, Decision.REJECT)
    assert causes(found) == [("latency-p99-regression", True, "evidence")]
    turned = {one.metric for one in found.metrics if one.turned}
    assert turned == {"latency_p99"}
    assert found.policy == ()
    assert {one.name for one in found.unlike} == {"production_model", "shadow_model"}
    assert {"ledger.pairs", "inputs.bytes", "inputs.digest"} <= {one.name for one in found.inputs}


def test_a_hold_ended_with_everything_that_held_it() -> None:
    first = golden("thin_sample")
    found = difference(first, golden("promote"))
    assert [one.code for one in found.causes] == [reason.code for reason in first.reasons]
    assert not any(one.came for one in found.causes)
    assert [one.name for one in found.policy] == ["sampling.shadow_percentage"]


def test_a_rejection_is_not_explained_by_what_would_only_hold() -> None:
    failing = p99(1.41, 1.57, outcome=Outcome.FAIL)
    found = difference(decided(), decided(failing, closed("coverage")))
    assert found.second is Decision.REJECT
    assert causes(found) == [("latency-p99-regression", True, "evidence")]


def test_what_held_before_does_not_explain_the_rejection() -> None:
    held = closed("coverage")
    found = difference(
        decided(gates=held), decided(p99(1.41, 1.57, outcome=Outcome.FAIL), gates=held)
    )
    assert (found.first, found.second) == (Decision.HOLD, Decision.REJECT)
    assert [one.code for one in found.causes] == ["latency-p99-regression"]
    back = difference(
        decided(p99(1.41, 1.57, outcome=Outcome.FAIL), gates=held), decided(gates=held)
    )
    assert causes(back) == [("latency-p99-regression", False, "evidence")]


@pytest.mark.parametrize(
    ("after", "because"),
    [
        (p99(0.97, 1.06, margin=1.05, outcome=Outcome.UNRESOLVED), "policy"),
        (p99(0.97, 1.25, outcome=Outcome.UNRESOLVED), "evidence"),
        (p99(0.97, 1.25, margin=1.05, outcome=Outcome.UNRESOLVED), "evidence and policy"),
    ],
)
def test_a_moved_interval_is_told_from_a_moved_margin(
    after: dict[str, Evidence], because: str
) -> None:
    found = difference(decided(p99(0.97, 1.06)), decided(after))
    assert found.second is Decision.HOLD
    assert causes(found) == [("latency-p99-unresolved", True, because)]


def test_a_gate_that_closed_at_another_limit_was_closed_by_the_policy() -> None:
    found = difference(decided(), decided(gates=closed("min_days", limit=7.0)))
    assert causes(found) == [("gate-min-days", True, "policy")]
    found = difference(decided(), decided(gates=closed("min_days", value=2.0)))
    assert causes(found) == [("gate-min-days", True, "evidence")]
    found = difference(decided(), decided(gates=closed("min_days", value=2.0, limit=7.0)))
    assert causes(found) == [("gate-min-days", True, "evidence and policy")]


def test_a_metric_that_only_one_verdict_judges_is_named() -> None:
    before = decided()
    kept = {key: item for key, item in before.metrics.items() if key != "latency_p99"}
    found = difference(
        before.model_copy(update={"metrics": kept}),
        decided(p99(1.41, 1.57, outcome=Outcome.FAIL)),
    )
    assert causes(found) == [("latency-p99-regression", True, "not judged before")]
    (change,) = (one for one in found.metrics if one.metric == "latency_p99")
    assert change.first is None
    assert change.turned


def test_a_part_of_the_traffic_explains_a_hold_and_no_rejection() -> None:
    part = Reason(code=SLICE_REASON, text="flips in a part", advice="Mend it.")
    held = decided().model_copy(update={"decision": Decision.HOLD, "reasons": (part,)})
    assert causes(difference(decided(), held)) == [(SLICE_REASON, True, "evidence")]
    sliced = held.policy.model_copy(update={"effective": {"slices": {"hour": True}}})
    found = difference(decided(), held.model_copy(update={"policy": sliced}))
    assert causes(found) == [(SLICE_REASON, True, "policy")]
    rejected = decided(p99(1.41, 1.57, outcome=Outcome.FAIL))
    both = rejected.model_copy(update={"reasons": (*rejected.reasons, part)})
    assert [one.code for one in difference(held, both).causes] == ["latency-p99-regression"]


def test_what_came_and_went_behind_the_same_decision_is_told() -> None:
    first, second = decided(gates=closed("pairing")), decided(gates=closed("min_days"))
    assert first.decision is second.decision is Decision.HOLD
    found = difference(first, second)
    assert causes(found) == [
        ("gate-min-days", True, "evidence"),
        ("gate-pairing", False, "evidence"),
    ]
    said = str(text.render(diff_page(found)))
    assert "2 gates turned; 1 reason came; 1 reason went." in said
    assert causes(difference(first, first)) == []


def test_a_slice_more_is_a_reason_more_and_other_numbers_are_none() -> None:
    def held(*texts: str) -> Verdict:
        reasons = tuple(Reason(code=SLICE_REASON, text=text, advice="") for text in texts)
        return decided().model_copy(update={"decision": Decision.HOLD, "reasons": reasons})

    first = held("Label flips in a part of the traffic, hour 01 (1 000 pairs): 8 % to 9 %.")
    second = held(
        "Label flips in a part of the traffic, hour 01 (2 000 pairs): 7 % to 9 %.",
        "Large score shifts in a part of the traffic, hour 01 (2 000 pairs): 7 % to 9 %.",
    )
    (more,) = difference(first, second).causes
    assert more.came
    assert more.text.startswith("Large score shifts")


def test_a_margin_is_shown_with_the_digits_that_tell_it_from_another() -> None:
    before = golden("promote")
    margins: Any = before.model_copy(deep=True).policy.effective
    margins["metrics"]["latency_p99"]["margin"] = 1.0001
    margins["metrics"]["latency_p95"]["margin"] = 1.10000001
    policy = before.policy.model_copy(update={"effective": margins})
    found = difference(before, before.model_copy(update={"policy": policy}))
    shown = [line.split() for line in text.render(diff_page(found)).plain.splitlines()]
    assert ["metrics.latency_p99.margin", "1.2", "1.0001"] in shown
    assert ["metrics.latency_p95.margin", "1.1", "1.10000001"] in shown


def test_a_role_taken_away_turns_a_metric() -> None:
    evidence = metrics(Decision.PROMOTE)["latency_p99"].model_copy(
        update={"role": Role.EVIDENCE, "required": False, "outcome": Outcome.INFO}
    )
    found = difference(decided(), decided({"latency_p99": evidence}))
    assert not found.moved
    assert [one.metric for one in found.metrics if one.turned] == ["latency_p99"]


def test_another_endpoint_or_schema_is_said_first_of_all() -> None:
    other = golden("promote").model_copy(update={"schema_version": "1.7"})
    subject = other.subject.model_copy(update={"endpoint": "fraud"})
    found = difference(golden("promote"), other.model_copy(update={"subject": subject}))
    assert [one.name for one in found.unlike] == ["schema_version", "endpoint"]
    shown = text.render(diff_page(found)).plain
    assert "They are of different schema versions and endpoints." in shown.splitlines()[-1]
    assert "- not the same endpoint: churn-endpoint -> fraud" in shown


def test_hostile_names_stay_text_in_every_window() -> None:
    found = difference(verdict(Decision.PROMOTE), hostile("<img src=x>\x1b[31m|\n::error::"))
    page = diff_page(found)
    assert "\x1b" not in text.render(page).plain
    assert "<img" not in markdown.render(page)
    assert "::error" not in markdown.render(page)
    assert json.loads(found.to_json())["second"] == "HOLD"


def test_the_command_takes_a_bundle_or_a_verdict_and_always_ends_with_0(tmp_path: Path) -> None:
    from analyzer import bundle

    bundle.write(tmp_path / "out", golden("slow_tail"), {}, {})
    first = str(SAMPLE_DATA / "promote" / "expected_verdict.json")

    def asked(*rest: str) -> CompletedProcess[str]:
        return analyzer("diff", first, *rest)

    done = asked(str(tmp_path / "out"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("PROMOTE -> REJECT  It came with latency_p99")
    told = json.loads(asked(str(tmp_path / "out"), "--format", "json").stdout)
    assert [one["metric"] for one in told["causes"]] == ["latency_p99"]
    assert asked(str(tmp_path / "out"), "--format", "markdown").stdout.startswith("## ")
    missing = asked(str(tmp_path / "nowhere"))
    assert missing.returncode == 3
    assert "no such bundle" in missing.stderr
