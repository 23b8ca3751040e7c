"""`analyzer explain` knows every code that the program can print."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from analyzer.errors import AnalyzerError, UsageError
from analyzer.gates import BY_ID as GATES
from analyzer.metrics import BY_ID as METRICS
from analyzer.model import Decision, GateOutcome, Ledger, Mode, Outcome, Role
from analyzer.policy import MetricRule, Policy
from analyzer.report.assumptions import GATE_ASSUMPTIONS, METHOD_ASSUMPTIONS
from analyzer.report.explain import explanation
from analyzer.report.policy_words import VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"[a-z][a-z0-9_]*([-.][a-z0-9_-]+)*")
HYPHENATED = re.compile(r"[a-z][a-z_.]*(-[a-z0-9.]+)+")
CALLS = {
    *("Note", "Reason", "noting", "unmeasured", "Missing", "_note"),
    *("ObjectFailure", "ObjectError", "Unsendable"),
}
NO_CODES = {
    # words of AWS, of Python, of charts and of file formats
    *("application-autoscaling", "assume-role", "assume-role-with-web-identity", "aws-cn"),
    *("config-file", "container-role", "custom-process", "endpoint-config", "iam-role"),
    *("inference-experiment", "sagemaker-runtime", "service-2", "shared-credentials-file"),
    *("us-east-1", "x-amz-bucket-region", "latin-1", "utf-8", "utf-8-sig", "system-out", "e-0"),
    *("step-after", "triangle-left", "triangle-right"),
    # names of this program's own files and figures, and of ways to promote
    *("shadow-analyzer", "in-use", "in-use.new", "no-records.parquet", "no-rejects.parquet"),
    *("to-do", "all-at-once", "endpoint-in-service", "remove-shadow", "self-service"),
    "vl-convert-python",
}
"""Hyphenated words in the source that no answer of the program carries as a code."""


def name_of(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


def literals(node: ast.AST, shape: re.Pattern[str] = CODE) -> set[str]:
    """Every text in a node that looks like a code."""
    return texts_of(ast.walk(node), shape)


def texts_of(nodes: Iterable[ast.AST], shape: re.Pattern[str]) -> set[str]:
    texts = {one.value for one in nodes if isinstance(one, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and shape.fullmatch(text)}


def literal(node: ast.expr) -> set[str]:
    return literals(node) if isinstance(node, ast.Constant) else set()


def outcomes(node: ast.expr) -> set[str]:
    """The texts that an expression may come to, without those it only asks with."""
    if isinstance(node, ast.IfExp):
        return outcomes(node.body) | outcomes(node.orelse)
    if isinstance(node, ast.BoolOp):
        return set[str]().union(*map(outcomes, node.values))
    if isinstance(node, ast.Tuple):
        return set[str]().union(*map(outcomes, node.elts))
    return literal(node)


def named_code(node: ast.AST) -> bool:
    """Whether a node is `code = ...` or `code, place = ...`."""
    if not isinstance(node, ast.Assign):
        return False
    targets = [
        one
        for target in node.targets
        for one in (target.elts if isinstance(target, ast.Tuple) else [target])
    ]
    return "code" in map(name_of, targets)


def askers(nodes: list[ast.AST]) -> set[str]:
    """Functions whose answer is called a code somewhere."""
    return {
        name_of(call.func)
        for node in nodes
        if named_code(node)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    }


def codes_of(node: ast.AST, coding: set[str]) -> set[str]:
    """Codes in one node.

    `code="x"`, `noting("x", ...)`, `dropped["x"]`, `code = a if b else "x"`, and what a function
    of `coding` returns.
    """
    if isinstance(node, ast.Call):
        first = literal(node.args[0]) if name_of(node.func) in CALLS and node.args else set()
        return first.union(*(literal(word.value) for word in node.keywords if word.arg == "code"))
    if isinstance(node, ast.Subscript):
        return literal(node.slice) if name_of(node.value) in {"dropped", "skipped"} else set()
    if named_code(node) and isinstance(node, ast.Assign):
        return outcomes(node.value)
    if isinstance(node, ast.FunctionDef) and node.name in coding:
        returned = (one.value for one in ast.walk(node) if isinstance(one, ast.Return))
        return set[str]().union(*(outcomes(value) for value in returned if value is not None))
    return set()


@cache
def nodes_in_source() -> list[ast.AST]:
    paths = (ROOT / "analyzer").rglob("*.py")
    return [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]


def codes_in_source() -> set[str]:
    coding = askers(nodes_in_source())
    return {code for node in nodes_in_source() for code in codes_of(node, coding)}


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
    assert {"no-a-a", "percentile-period", "disk-full", "bad-time", "agreement"} <= codes
    assert {"archived", "empty", "not-labels", "not-a-file", "bad-payload", "sampled"} <= codes
    assert not [code for code in sorted(codes) if not explained(code)]


def test_a_hyphenated_word_in_the_source_is_explained_or_known_to_be_no_code() -> None:
    words = texts_of(nodes_in_source(), HYPHENATED)
    assert {"hyperpod-alb", "not-an-export", "malformed.repeated-key"} <= words
    assert not [word for word in sorted(words - NO_CODES) if not explained(word)]
    assert not sorted(NO_CODES - words)
    assert not [word for word in sorted(NO_CODES) if explained(word)]


def test_every_error_is_explained_by_its_class_where_it_names_no_code() -> None:
    kinds: list[type[AnalyzerError]] = [
        AnalyzerError,
        *AnalyzerError.__subclasses__(),
        *UsageError.__subclasses__(),
    ]
    codes = {kind("").code for kind in kinds}
    assert {"analyzer-error", "policy-error", "access-error"} <= codes
    assert not [code for code in sorted(codes) if not explained(code)]


def test_what_becomes_of_a_line_is_explained_as_the_ledger_names_it() -> None:
    counted = {name for name, field in Ledger.model_fields.items() if field.annotation is int}
    steps = counted - {"lines", "pairs"} | {"paired"}
    assert {"out_of_window", "unpaired_shadow"} <= steps
    assert not [step for step in sorted(steps) if not explained(step)]


def test_every_reject_of_a_capture_line_is_explained() -> None:
    code = (ROOT / "analyzer").rglob("*.*")
    texts = [path.read_text("utf-8") for path in code if path.suffix in {".py", ".sql"}]
    kinds = re.compile(r"['\"]((?:malformed|not_capture|label)\.[a-z0-9-]+)['\"]")
    codes = {code for text in texts for code in kinds.findall(text)}
    assert {"malformed.oversize", "not_capture.no-time", "label.misfit"} <= codes
    assert not [code for code in sorted(codes) if not explained(code)]


def test_every_bin_of_a_slice_is_explained() -> None:
    sql = ROOT / "analyzer" / "sql"
    bins = (sql / "slice_bins.sql").read_text("utf-8").partition(" end as kind")[0]
    kinds = set(re.findall(r"'([a-z-]+)'", bins.rpartition("case")[2]))
    fates = set(re.findall(r"fate := '([a-z-]+)'", (sql / "capture_macros.sql").read_text("utf-8")))
    assert {"several", "missing", "other", "not-a-number"} <= kinds | fates
    assert not [kind for kind in sorted(kinds | fates) if not explained(kind)]


def test_every_item_of_doctor_is_explained() -> None:
    page = ROOT / "analyzer" / "report" / "content" / "doctor_page.py"
    calls = ast.walk(ast.parse(page.read_text("utf-8")))
    items = [one for one in calls if isinstance(one, ast.Call) and name_of(one.func) == "Item"]
    codes = set[str]().union(*(literal(item.args[0]) for item in items))
    assert "live" in codes
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


@cache
def explained(code: str) -> bool:
    try:
        return "what to do" in explanation(code)
    except UsageError:
        return False


@pytest.mark.parametrize("word", [*Decision, *Outcome, *GateOutcome, *Role])
def test_every_decision_outcome_and_role_is_explained(word: str) -> None:
    assert explained(word)


def values_of(model: type[BaseModel]) -> set[str]:
    """Every text that a field of the policy, at any depth, chooses from."""
    found: set[str] = set()
    types = [field.annotation for field in model.model_fields.values()]
    while types:
        kind = types.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= values_of(kind)
        elif get_origin(kind) is Literal:
            found |= set(get_args(kind))
        else:
            types += get_args(kind)
    return found


def test_every_value_that_a_policy_chooses_from_is_explained_and_so_is_every_mode() -> None:
    values = values_of(Policy) - values_of(MetricRule)
    assert {"multiclass", "infrastructure", "payload", "hashed", "p95", "quantiles"} <= values
    assert not [value for value in sorted(values | {*Mode}) if not explained(value)]
    assert {*VALUES} - {*Mode} - {"vector"} <= values


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


def test_a_word_like_nothing_is_answered_without_a_guess() -> None:
    with pytest.raises(UsageError, match=r"nonsense: unknown\nknown: "):
        explanation("nonsense")


def test_what_has_a_noise_floor_says_how_it_is_judged_above_one() -> None:
    assert "beta-binomial-above-floor/1" in explanation("flip_rate")
    assert "noise floor" not in explanation("contract_change")
