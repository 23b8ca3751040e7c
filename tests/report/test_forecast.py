"""One line says how long until it is known, which metric decides it, and what waiting cannot do."""

from __future__ import annotations

import pytest

from analyzer.model import Decision, Needs, Note, Outcome, Role, Verdict
from analyzer.report import html, markdown, text
from analyzer.report.content import verdict_page
from analyzer.report.content.forecast import when_known
from tests.report.bundles import undrawn
from tests.report.verdicts import verdict

DAY = 1440


def holding(open_: dict[str, Needs | None], *, gates: bool = False) -> Verdict:
    """Three days seen; these metrics are open and required, all others pass."""
    one = verdict(Decision.HOLD)
    metrics = {
        metric: evidence.model_copy(
            update={
                "outcome": Outcome.UNRESOLVED if metric in open_ else Outcome.PASS,
                "required": metric in open_,
                "needs": open_.get(metric),
            }
        )
        for metric, evidence in one.metrics.items()
    }
    return one.model_copy(update={"metrics": metrics, "gates": one.gates if gates else {}})


def days(count: float) -> Needs:
    return Needs(minutes=round(count * DAY), text="Wait.")


def test_the_slowest_metric_decides_and_the_days_seen_are_taken_off() -> None:
    one = holding({"latency_mean": days(5), "latency_p99": days(10)})
    (item,) = when_known(one).items
    assert item.label == "in about 7 days"
    assert item.text == "Decided by latency_p99, after 10 days of test in all at this pace."


def test_what_waiting_cannot_settle_is_named_beside_it() -> None:
    one = holding({"latency_mean": days(5), "flip_rate": Needs(text="More data will not.")})
    (item,) = when_known(one).items
    assert item.label == "in about 2 days"
    assert item.text.endswith("; waiting alone does not settle flip_rate.")
    (only,) = when_known(holding({"flip_rate": None})).items
    assert only.label == "not by waiting"
    assert only.text == "Waiting alone does not settle flip_rate."


def test_what_is_needed_is_named_in_its_own_unit_where_no_time_is() -> None:
    text = "About 7 272 labelled predictions in all (5 529 seen) would settle it."
    (item,) = when_known(holding({"latency_p99": Needs(requests=7_272, text=text)})).items
    assert item.label == "with more data"
    assert item.text == f"Decided by latency_p99: about{text.removeprefix('About')}"


def test_a_gate_that_time_does_not_open_comes_before_any_waiting() -> None:
    one = holding({"latency_mean": days(5)}, gates=True)
    closed = next(gate for gate in one.gates.values() if gate.closed)
    (item,) = when_known(one.model_copy(update={"gates": {"min_days": closed}})).items
    assert item.label == "in about 2 days"
    assert item.text.endswith("; time opens the gate min_days.")
    gates = {"min_days": closed, "pairing": closed, "load_match": closed}
    (item,) = when_known(one.model_copy(update={"gates": gates})).items
    assert item.label == "not by waiting alone"
    assert "the gates pairing, load_match must be opened first" in item.text.lower()
    assert "the numbers take about 2 days more, decided by latency_mean" in item.text.lower()


def test_what_a_person_must_review_is_named() -> None:
    one = holding({"latency_mean": days(5)})
    failed = one.metrics["flip_rate"].model_copy(
        update={"outcome": Outcome.FAIL, "role": Role.REVIEW}
    )
    changed = one.model_copy(update={"metrics": {**one.metrics, "flip_rate": failed}})
    assert when_known(changed).items[0].text.endswith("; a person must review flip_rate.")


def test_a_metric_that_only_gates_hold_is_left_to_the_gates() -> None:
    one = holding({"latency_mean": days(5), "flip_rate": None}, gates=True)
    gated = one.metrics["flip_rate"].model_copy(
        update={"notes": (Note(code="gate-pairing", text="gate pairing is closed"),)}
    )
    changed = one.model_copy(update={"metrics": {**one.metrics, "flip_rate": gated}})
    assert "flip_rate" not in when_known(changed).items[0].text


def test_metrics_for_a_person_to_review_count_and_evidence_does_not() -> None:
    one = holding({"flip_rate": days(4)})
    for role, said in ((Role.REVIEW, 1), (Role.EVIDENCE, 0)):
        evidence = one.metrics["flip_rate"].model_copy(update={"role": role, "required": False})
        changed = one.model_copy(update={"metrics": {"flip_rate": evidence}})
        assert len(when_known(changed).items) == said


@pytest.mark.parametrize("decision", [Decision.PROMOTE, Decision.REJECT, Decision.ERROR])
def test_what_is_decided_has_no_forecast(decision: Decision) -> None:
    assert when_known(verdict(decision)).items == ()


def test_every_window_says_it() -> None:
    page = verdict_page(holding({"latency_p99": days(10)}))
    with undrawn():
        document = html.render([page], "report")
    for shown in (text.render(page).plain, markdown.render(page), document):
        assert "in about 7 days" in shown
        assert "Decided by latency_p99, after 10 days" in shown
