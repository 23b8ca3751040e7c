"""A verdict is held against its own evidence: honest ones agree, every hand edit is found."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from analyzer import analysis
from analyzer.analysis import error_verdict
from analyzer.console.progress import silent
from analyzer.errors import InputError
from analyzer.model import Verdict
from analyzer.verdict.cross_check import _contradictions, contradiction, unfit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.policy import Policy
    from analyzer.reading.captured import Captured
    from analyzer.sources import Listing

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
Body = dict[str, Any]


def golden(scenario: str) -> Body:
    path = SAMPLE_DATA / scenario / "expected_verdict.json"
    body: Body = json.loads(path.read_text(encoding="utf-8"))
    return body


def edited(scenario: str, path: str, value: object) -> Verdict:
    """A golden verdict with one value changed, or removed where the value is `...`."""
    body = golden(scenario)
    *tables, last = path.split(".")
    node: Any = body
    for table in tables:
        node = node[int(table)] if isinstance(node, list) else node[table]
    if value is ...:
        del node[int(last) if isinstance(node, list) else last]
    else:
        node[last] = value
    return Verdict.model_validate_json(json.dumps(body))


POLICIES = {
    "default": [],
    "p95": ["tail=p95"],
    "infrastructure": ["change=infrastructure"],
    "planned": ["inference=planned", "horizon=7d"],
    "fixed": ["inference=fixed", "final=true"],
    "tolerance": ["predictions.tolerance=0.1"],
    "text outputs": ["predictions.kind=text"],
    "stricter": ["metrics.latency_p99.margin=1.05", "alpha=0.01"],
    "milliseconds": ["metrics.latency_mean.margin_ms=20"],
    "roles": [
        "metrics.latency_p99.role=review",
        "metrics.latency_mean.role=off",
        "metrics.flip_rate.role=guardrail",
        "metrics.score_shift_share.role=guardrail",
        "metrics.score_shift_share.margin=0.5",
        "metrics.error_4xx_rate.role=info",
    ],
    "load": ["accept_load_mismatch=true", "min_days=1"],
}


# What a policy says of judging alone: captures read for one of these are read for all.
JUDGING = {
    *("metrics", "tail", "change", "inference", "horizon", "final", "alpha"),
    *("accept_load_mismatch", "min_days"),
}


@pytest.fixture(scope="module")
def _read_once() -> Iterator[None]:
    read: Any = vars(analysis)["read_captures"]
    kept: dict[str, Captured] = {}

    def kept_or_read(listing: Listing, policy: Policy, *given: object, **named: object) -> Captured:
        places = sorted(item.location for item in listing.objects)
        asked = repr((places, given[0], policy.model_dump_json(exclude=JUDGING), named))
        if asked not in kept:
            kept[asked] = read(listing, policy, *given, **named)
        return kept[asked]

    open_: Any = vars(analysis)["open_exports"]
    opened = cache(lambda *paths: open_(paths))
    with (
        mock.patch.object(analysis, "read_captures", kept_or_read),
        mock.patch.object(analysis, "open_exports", lambda paths: opened(*paths)),
    ):
        yield


# What the default policy decides of them is a golden verdict, which is held against its evidence
# in test_golden.
BY_DEFAULT = {
    ("slow_tail", "p95"),
    ("slow_tail", "planned"),
    ("slow_tail", "roles"),
    *(("thin_sample", name) for name in POLICIES if name != "default"),
}


@pytest.mark.usefixtures("_read_once")
@pytest.mark.parametrize(
    ("scenario", "name"),
    [
        case if case in BY_DEFAULT else pytest.param(*case, marks=pytest.mark.long)
        for case in product(("thin_sample", "slow_tail"), POLICIES)
    ],
)
def test_what_a_run_decides_follows_from_its_evidence_under_any_policy(
    scenario: str, name: str
) -> None:
    folder = SAMPLE_DATA / scenario
    request = analysis.Request(
        source=str(folder / "captures"),
        cloudwatch=(str(folder / "cloudwatch"),),
        policy_file=folder / "policy.toml",
        overrides=tuple(POLICIES[name]),
    )
    verdict = analysis.run(request, silent).verdict
    assert contradiction(Verdict.model_validate_json(verdict.to_json())) is None


@pytest.mark.usefixtures("_read_once")
@pytest.mark.parametrize(
    "scenario", ["thin_sample", pytest.param("slow_tail", marks=pytest.mark.long)]
)
def test_a_run_from_metrics_alone_or_captures_alone_follows_from_its_evidence(
    scenario: str,
) -> None:
    folder = SAMPLE_DATA / scenario
    for request in (
        analysis.Request(source=str(folder / "captures")),
        analysis.Request(endpoint="churn-endpoint", cloudwatch=(str(folder / "cloudwatch"),)),
    ):
        verdict = analysis.run(request, silent).verdict
        assert contradiction(Verdict.model_validate_json(verdict.to_json())) is None


@pytest.mark.parametrize("times", [1 / 200, 1 / 8])
def test_a_model_too_fast_for_margins_in_milliseconds_follows_from_its_evidence(
    times: float, tmp_path: Path
) -> None:
    for export in (SAMPLE_DATA / "thin_sample" / "cloudwatch").iterdir():
        rows = [json.loads(line) for line in gzip.decompress(export.read_bytes()).splitlines()]
        for row in rows:
            if row["metric_name"] == "ModelLatency" and row["stat"] != "SampleCount":
                row["value"] *= times
        (tmp_path / export.stem).write_text("\n".join(map(json.dumps, rows)))
    verdict = analysis.run(
        analysis.Request(endpoint="churn-endpoint", cloudwatch=(str(tmp_path),)), silent
    ).verdict
    noted = {note.code for item in verdict.metrics.values() for note in item.notes}
    assert ("absolute-margin-unused" in noted) is (times == 1 / 200)
    assert contradiction(Verdict.model_validate_json(verdict.to_json())) is None


@pytest.mark.parametrize(
    ("scenario", "path", "value", "found"),
    [
        ("promote", "exit_code", 20, "exit_code 20 is not that of PROMOTE"),
        ("promote", "ledger.lines", 1, "the ledger has 1 lines"),
        ("promote", "ledger.balanced", False, "the ledger"),
        ("promote", "ledger.malformed", 2, "the ledger"),
        ("promote", "inputs.objects_listed", 1, "1 objects listed"),
        ("promote", "inputs.objects_failed", {"gone": 3}, "objects listed"),
        ("promote", "policy.effective.alpha", 0.2, "policy.digest"),
        ("promote", "policy.effective.metrics.latency_p99.margin", 2.0, "policy.digest"),
        ("promote", "metrics.latency_p99.margin", 2.0, "the margin of latency_p99"),
        ("slow_tail", "metrics.latency_p99.role", "evidence", "latency_p99 has the role evidence"),
        ("slow_tail", "metrics.latency_p99.required", False, "latency_p99 is not required"),
        ("slow_tail", "metrics.latency_p99.effect.lower", 1.1, "latency_p99 is fail, but"),
        ("slow_tail", "metrics.latency_p99.outcome", "pass", "latency_p99 is pass, but"),
        ("slow_tail", "metrics.latency_p99", ..., "latency_p99 is in the policy only"),
        ("slow_tail", "reasons.0", ..., "the reason latency-p99-regression is missing"),
        ("slow_tail", "reasons.0.code", "weather", "latency-p99-regression is missing"),
        ("promote", "metrics.latency_p99.effect.upper_level", 0.5, "the bounds of latency_p99"),
        ("promote", "gates.coverage", ..., "gate coverage is missing"),
        ("thin_sample", "gates.min_days.outcome", "pass", "gate min_days is open, but 1.0"),
        ("thin_sample", "gates.pairing.outcome", "pass", "gate pairing is open, but 136.0"),
        ("promote", "gates.objects.value", 0.5, "gate objects is open, but 0.5"),
        ("broken", "gates.objects.outcome", "pass", "gate objects is open, but objects could"),
        ("thin_sample", "decision", "PROMOTE", "exit_code 10 is not that of PROMOTE"),
        ("thin_sample", "decision", "ERROR", "exit_code 10 is not that of an error"),
    ],
)
def test_a_hand_edit_is_found(scenario: str, path: str, value: object, found: str) -> None:
    said = contradiction(edited(scenario, path, value))
    assert said is not None
    assert found in said


_JUDGED_BADLY = [
    (path.parent.name, metric, role)
    for path in sorted(SAMPLE_DATA.glob("*/expected_verdict.json"))
    for metric, item in json.loads(path.read_text(encoding="utf-8"))["metrics"].items()
    if item["role"] in {"guardrail", "review"} and item["outcome"] in {"fail", "unresolved"}
    for role in ("evidence", "info")
]


@pytest.mark.parametrize(("scenario", "metric", "role"), _JUDGED_BADLY)
def test_what_did_not_pass_cannot_be_called_evidence(scenario: str, metric: str, role: str) -> None:
    body = golden(scenario)
    body["metrics"][metric] |= {"role": role, "outcome": "info", "required": False}
    said = list(_contradictions(Verdict.model_validate_json(json.dumps(body))))
    assert any(f"{metric} has the role {role}" in one for one in said)


def test_a_failing_review_called_evidence_does_not_promote() -> None:
    failing = golden("label_flips")["metrics"]["flip_rate"]
    assert (failing["role"], failing["outcome"]) == ("review", "fail")
    shown = {**failing, "role": "evidence", "outcome": "info"}
    said = contradiction(edited("promote", "metrics.flip_rate", shown))
    assert said == "flip_rate has the role evidence, the policy says review"


def test_a_policy_that_cannot_be_read_is_found() -> None:
    verdict = edited("promote", "policy.effective.alpha", "small")
    policy = verdict.policy.model_copy(update={"digest": _digest(verdict.policy.effective)})
    said = contradiction(verdict.model_copy(update={"policy": policy}))
    assert said == "policy.effective: alpha cannot be read"


def _digest(effective: dict[str, object]) -> str:
    import hashlib

    text = json.dumps(effective, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


END = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("endpoint", "max_age", "now", "reason"),
    [
        (None, None, END + 1000 * DAY, None),
        ("churn-endpoint", 7 * DAY, END + 7 * DAY, None),
        ("churn-endpoint", 7 * DAY, END + 7 * DAY + timedelta(seconds=1), "ended 7 days ago"),
        ("fraud", None, END, "--endpoint fraud: the verdict is of churn-endpoint"),
        (None, DAY, END - DAY, None),
        (None, DAY, END - 2 * DAY, "ends in the future, at 2026-11-20T00:00:00Z"),
    ],
)
def test_a_verdict_must_be_recent_and_of_the_endpoint_meant(
    endpoint: str | None, max_age: timedelta | None, now: datetime, reason: str | None
) -> None:
    verdict = Verdict.model_validate(golden("promote"))
    said = unfit(verdict, endpoint=endpoint, max_age=max_age, now=now)
    assert (said is None) if reason is None else (said is not None and reason in said)


@pytest.mark.parametrize(
    "window", [None, {"start": "x", "end": "tomorrow"}, {"start": "", "end": "2026-11-20"}]
)
def test_a_verdict_that_nothing_dates_is_never_recent(window: object) -> None:
    verdict = edited("promote", "window", window)
    said = unfit(verdict, endpoint=None, max_age=DAY, now=END)
    assert said is not None
    assert "--max-age" in said


def test_a_verdict_without_an_endpoint_is_none_of_yours() -> None:
    verdict = edited("promote", "subject.endpoint", None)
    said = unfit(verdict, endpoint="churn-endpoint", max_age=None, now=END)
    assert said == "--endpoint churn-endpoint: the verdict names no endpoint"


def test_an_error_is_shown_whatever_it_was_asked_to_be() -> None:
    verdict = error_verdict(InputError("no captures"))
    assert contradiction(verdict) is None
    assert unfit(verdict, endpoint="churn-endpoint", max_age=DAY, now=END) is None
