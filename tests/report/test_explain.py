"""`analyzer explain` knows every code that the program can print."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from analyzer.errors import UsageError
from analyzer.gates import BY_ID as GATES
from analyzer.metrics import BY_ID as METRICS
from analyzer.model import Decision, GateOutcome, Outcome, Role
from analyzer.report.assumptions import GATE_ASSUMPTIONS, METHOD_ASSUMPTIONS
from analyzer.report.explain import explanation

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"[a-z][a-z0-9]*([-.][a-z0-9-]+)+|blank|duplicate|empty")
CALLS = {"Note", "Reason", "noting", "unmeasured", "Missing", "_note", "ObjectFailure"}


def literal(node: ast.expr | None) -> str | None:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return None
    return node.value if CODE.fullmatch(node.value) else None


def codes_of(node: ast.AST) -> set[str | None]:
    """Codes in one node: `code="x"`, `noting("x", ...)`, `dropped["x"]`."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        first = {literal(node.args[0])} if name in CALLS and node.args else set()
        return first | {literal(word.value) for word in node.keywords if word.arg == "code"}
    if isinstance(node, ast.Subscript):
        name = getattr(node.value, "attr", getattr(node.value, "id", ""))
        return {literal(node.slice)} if name in {"dropped", "skipped"} else set()
    return set()


def codes_in_source() -> set[str]:
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "analyzer").rglob("*.py")]
    found = {code for tree in trees for node in ast.walk(tree) for code in codes_of(node)}
    return {code for code in found if code}


def codes_in(value: object) -> set[str]:
    """Every `code` at any depth of a verdict."""
    if isinstance(value, list):
        return set().union(*map(codes_in, value))
    if not isinstance(value, dict):
        return set()
    own = {value["code"]} if isinstance(value.get("code"), str) else set()
    return own.union(*map(codes_in, value.values()))


def codes_in_verdicts() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "sample_data").glob("*/expected_verdict.json"):
        verdict = json.loads(path.read_text("utf-8"))
        counted = [*verdict["inputs"].values(), verdict["ledger"].get("rejects_by_code", {})]
        found |= codes_in(verdict)
        found |= {code for counts in counted if isinstance(counts, dict) for code in counts}
    return found


def test_every_code_in_the_source_is_explained() -> None:
    codes = codes_in_source()
    assert {"no-a-a", "percentile-period", "disk-full", "bad-time"} <= codes
    assert not [code for code in sorted(codes) if not explained(code)]


def note_codes() -> set[str]:
    """Codes of every `Note(code="...")`, whatever they look like."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "analyzer").rglob("*.py")]
    return {
        word.value.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Note"
        for word in node.keywords
        if word.arg == "code"
        and isinstance(word.value, ast.Constant)
        and isinstance(word.value.value, str)
    }


def test_every_code_of_a_note_is_explained_whatever_it_looks_like() -> None:
    codes = note_codes()
    assert {"agreement", "sampled", "no-a-a"} <= codes
    assert not [code for code in sorted(codes) if not explained(code)]


def test_every_code_in_the_text_of_a_gate_is_explained() -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / "analyzer" / "gates").glob("*.py")]
    codes = {code for text in texts for code in re.findall(r"\(([a-z]+(?:-[a-z]+)+)\)", text)}
    assert "no-change-observed" in codes
    assert not [code for code in sorted(codes) if not explained(code)]


def contract_codes() -> set[str]:
    """Codes that SQL gives a pair whose answer changed its form."""
    texts = [
        path.read_text("utf-8")
        for pattern in ("contract_*.sql", "prediction_scores.sql", "prediction_labels.sql")
        for path in (ROOT / "analyzer" / "sql").glob(pattern)
    ]
    coded = [text.partition("coded as (")[2].partition(" as code")[0] for text in texts]
    return {code for text in coded for code in re.findall(r"(?:then|, ) '([a-z-]+)'", text)}


def test_every_change_of_an_answers_form_is_explained() -> None:
    codes = contract_codes() - {"alike"}
    assert {"row-count", "shadow-absent", "type", "non-finite"} <= codes
    assert not [code for code in sorted(codes) if not explained(code)]


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_a_metric_is_explained_with_method_source_and_what_it_assumes(metric: str) -> None:
    said = explanation(metric)
    for word in ("method", "source", "assumes", "default role", "what to do"):
        assert re.search(rf"^  {word} +\S", said, re.MULTILINE), word
    for ending in ("regression", "unresolved", "review"):
        assert explained(f"{metric.replace('_', '-')}-{ending}")


@pytest.mark.parametrize("gate", sorted(GATES))
def test_a_gate_is_explained_with_what_it_assumes_alone_and_as_a_reason(gate: str) -> None:
    for code in (gate, f"gate-{gate}"):
        assert re.search(r"^  assumes +\S", explanation(code), re.MULTILINE)


def test_nothing_is_assumed_of_methods_and_gates_that_are_gone() -> None:
    replayed = {metric.in_replay[0] for metric in METRICS.values() if metric.in_replay}
    assert set(METHOD_ASSUMPTIONS) == {metric.method for metric in METRICS.values()} | replayed
    assert set(GATE_ASSUMPTIONS) == set(GATES)


def test_every_code_in_the_expected_verdicts_is_explained() -> None:
    codes = codes_in_verdicts()
    assert {"object-corrupt-gzip", "malformed.truncated", "slower-within-margin"} <= codes
    assert not [code for code in sorted(codes) if not explained(code)]


def explained(code: str) -> bool:
    try:
        return "what to do" in explanation(code)
    except UsageError:
        return False


@pytest.mark.parametrize("word", [*Decision, *Outcome, *GateOutcome, *Role])
def test_every_decision_outcome_and_role_is_explained(word: str) -> None:
    assert explained(word)


@pytest.mark.parametrize("ending", ["regression", "unresolved", "review"])
def test_the_ending_of_a_reason_is_explained_with_its_metric(ending: str) -> None:
    said = explanation(f"latency-p99-{ending}")
    assert said.startswith("latency_p99: p99 latency")
    assert f"-{ending}" in said
    assert "ending of reasons" in said
    assert explained(ending)


def test_a_misspelt_note_code_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'percentile-period'"):
        explanation("percentile-periods")


def test_what_has_a_noise_floor_says_how_it_is_judged_above_one() -> None:
    assert "beta-binomial-above-floor/1" in explanation("flip_rate")
    assert "noise floor" not in explanation("contract_change")
