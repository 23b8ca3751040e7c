"""JUnit XML: a real parser reads it, whatever the names; no CI takes a HOLD for success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from analyzer.model import Decision, Outcome, Role
from analyzer.report.junit import render
from tests.examples import examples
from tests.report.verdicts import hostile, verdict

if TYPE_CHECKING:
    from analyzer.model import Verdict

Kind = type[object] | None


def cases(seen: Verdict, *, skip_holds: bool = False) -> dict[str, TestCase]:
    """Test cases by name, from a parser that CI systems use; its counts are checked on the way."""
    text = render(seen, skip_holds=skip_holds)
    suites = JUnitXml.fromstring(text.encode())
    found = {case.name: case for suite in suites for case in suite}
    kinds = [kind(case) for suite in suites for case in suite]
    counted = [kinds.count(one) for one in (Failure, Error, Skipped)]
    assert counted == [suites.failures, suites.errors, suites.skipped]
    assert suites.tests == len(kinds)
    return found


def kind(case: TestCase) -> Kind:
    """What a case came to; None for one that passed."""
    return type(case.result[0]) if case.result else None


def test_every_metric_and_gate_is_a_case_beside_the_decision() -> None:
    seen = verdict(Decision.PROMOTE)
    assert cases(seen).keys() == {"decision", *seen.metrics, *seen.gates}
    assert all(case.is_passed for case in cases(seen).values())


def test_a_failed_guardrail_is_a_failure_with_its_numbers() -> None:
    failed = cases(verdict(Decision.REJECT))["latency_p99"].result[0]
    assert isinstance(failed, Failure)
    assert failed.type == "fail"
    assert failed.message == "p99 latency rose from 48.0 ms to 71.4 ms, at least +41 %."
    assert "judged interval: [+41.0 .. +57.3]" in (failed.text or "")
    assert "what to do: Profile the slowest requests" in (failed.text or "")


@pytest.mark.parametrize(("skip_holds", "expected"), [(False, Failure), (True, Skipped)])
def test_what_holds_is_a_failure_and_skipped_only_where_holds_may_pass(
    *, skip_holds: bool, expected: Kind
) -> None:
    found = cases(verdict(Decision.HOLD), skip_holds=skip_holds)
    held = {name for name, case in found.items() if kind(case) is expected}
    assert held == {
        "decision", "latency_p95", "model_error_rate", "score_large_shift_share", "coverage",
    }  # fmt: skip
    assert all(case.is_passed for name, case in found.items() if name not in held)


@pytest.mark.parametrize("skip_holds", [False, True])
def test_a_rejection_is_never_skipped(*, skip_holds: bool) -> None:
    found = cases(verdict(Decision.REJECT), skip_holds=skip_holds)
    assert {name for name, case in found.items() if kind(case) is Failure} == {
        "decision", "latency_p99",
    }  # fmt: skip


def test_a_failed_review_holds_and_an_optional_unresolved_guardrail_does_neither() -> None:
    seen = verdict(Decision.PROMOTE)
    review = seen.metrics["flip_rate"].model_copy(update={"outcome": Outcome.FAIL})
    optional = seen.metrics["latency_p95"].model_copy(
        update={"outcome": Outcome.UNRESOLVED, "required": False, "role": Role.GUARDRAIL}
    )
    changed = {**seen.metrics, "flip_rate": review, "latency_p95": optional}
    seen = seen.model_copy(update={"metrics": changed})
    assert kind(cases(seen)["flip_rate"]) is Failure
    assert kind(cases(seen, skip_holds=True)["flip_rate"]) is Skipped
    assert kind(cases(seen)["latency_p95"]) is None


def test_an_error_is_an_error_even_where_holds_may_pass() -> None:
    for skip_holds in (False, True):
        (case,) = cases(verdict(Decision.ERROR), skip_holds=skip_holds).values()
        assert kind(case) is Error


def test_the_same_verdict_gives_the_same_bytes_and_no_time() -> None:
    text = render(verdict(Decision.HOLD))
    assert text == render(verdict(Decision.HOLD))
    assert "time=" not in text
    assert "timestamp=" not in text


@pytest.mark.parametrize(
    "text",
    ["\x00\x0b\x1b[31m", "\ufffe\uffff", "]]><x a='\"'>&amp;", "a\r\nb\tc", "\x85\u2028", ""],
)
def test_no_name_breaks_the_document(text: str) -> None:
    shown = cases(hostile(text))
    assert len(shown) >= len(hostile(text).metrics)


@settings(max_examples=examples(30, whole=100))
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_gives_a_document_that_is_read_back(text: str) -> None:
    assert JUnitXml.fromstring(render(hostile(text)).encode()).tests >= 3
