"""Verdicts as the analysis would write them, for the tests of every window."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from analyzer.errors import ExitCode
from analyzer.model import (
    Decision,
    Effect,
    Evidence,
    Family,
    Gate,
    GateOutcome,
    Inputs,
    Ledger,
    Mode,
    Needs,
    Note,
    Outcome,
    Pairing,
    PolicyRecord,
    Reason,
    Role,
    SampleSizes,
    Subject,
    Tool,
    Verdict,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

START = datetime(2026, 11, 20, tzinfo=UTC)
MINUTES = 3 * 24 * 60
DIGEST = "sha256:" + "0f" * 32
EXITS = {
    Decision.PROMOTE: ExitCode.PROMOTE,
    Decision.HOLD: ExitCode.HOLD,
    Decision.REJECT: ExitCode.REJECT,
    Decision.ERROR: ExitCode.INTERNAL,
}


def effect(
    kind: Literal["ratio", "difference", "proportion"],
    estimate: float | None,
    lower: float | None,
    upper: float | None,
) -> Effect:
    return Effect(
        kind=kind,
        estimate=estimate,
        lower=lower,
        lower_level=0.99375,
        upper=upper,
        upper_level=0.95,
    )


def evidence(
    outcome: Outcome,
    seen: Effect | None,
    margin: float | None,
    *,
    family: Family = Family.LATENCY,
    role: Role = Role.GUARDRAIL,
    levels: tuple[float | None, float | None] = (None, None),
    unit: str = "ms",
    notes: Iterable[Note] = (),
    needs: Needs | None = None,
) -> Evidence:
    return Evidence(
        family=family,
        role=role,
        required=role is Role.GUARDRAIL,
        outcome=outcome,
        production=levels[0],
        shadow=levels[1],
        unit=unit,
        effect=seen,
        margin=margin,
        n=SampleSizes(production=200_000, shadow=100_000, minutes=MINUTES),
        method="ewc-ratio/1",
        period_s=60,
        needs=needs,
        notes=tuple(notes),
    )


def metrics(decision: Decision) -> dict[str, Evidence]:
    slow = decision is Decision.REJECT
    unsettled = decision is Decision.HOLD
    return {
        "latency_mean": evidence(
            Outcome.PASS,
            effect("ratio", 1.04, 1.028, 1.053),
            1.10,
            levels=(12.41, 12.9),
            notes=[
                Note(
                    code="slower-within-margin",
                    text="the shadow is slower for certain, by less than the margin",
                )
            ],
        ),
        "latency_p99": evidence(
            Outcome.FAIL if slow else Outcome.PASS,
            effect("ratio", 1.488, 1.41, 1.573) if slow else effect("ratio", 1.01, 0.97, 1.06),
            1.20,
            levels=(48.0, 71.4) if slow else (48.0, 48.5),
        ),
        "latency_p95": evidence(
            Outcome.UNRESOLVED if unsettled else Outcome.PASS,
            effect("ratio", 1.05, 0.96, 1.14) if unsettled else effect("ratio", 1.02, 0.99, 1.05),
            1.10,
            levels=(31.0, 32.6),
            needs=Needs(minutes=5200, text="5 200 minutes, 880 more than seen")
            if unsettled
            else None,
        ),
        "latency_p50": evidence(
            Outcome.INFO,
            effect("ratio", 1.01, 1.0, 1.02),
            None,
            role=Role.EVIDENCE,
            levels=(9.1, 9.2),
        ),
        "error_5xx_rate": evidence(
            Outcome.PASS,
            effect("difference", 0.00005, -0.0001, 0.0002),
            0.001,
            family=Family.ERROR_RATE,
            levels=(0.00012, 0.00017),
            unit="share",
        ),
        "error_4xx_rate": evidence(
            Outcome.PASS,
            effect("difference", 0.0001, -0.0006, 0.0008),
            0.005,
            family=Family.ERROR_RATE,
            levels=(0.0031, 0.0032),
            unit="share",
        ),
        "model_error_rate": evidence(
            Outcome.UNRESOLVED if unsettled else Outcome.PASS,
            None if unsettled else effect("difference", 0.0, -0.00002, 0.00002),
            0.001,
            family=Family.ERROR_RATE,
            levels=(None, None) if unsettled else (0.0, 0.0),
            unit="share",
            notes=[Note(code="not-exported", text="InvocationModelErrors is not in the export")]
            if unsettled
            else [],
            needs=Needs(text="export InvocationModelErrors") if unsettled else None,
        ),
        "contract_change": evidence(
            Outcome.PASS,
            effect("proportion", 0.0, 0.0, 0.0003),
            0.001,
            family=Family.DIVERGENCE,
            unit="share",
        ),
        "flip_rate": evidence(
            Outcome.PASS,
            effect("proportion", 0.0031, 0.0025, 0.0039),
            0.05,
            family=Family.DIVERGENCE,
            role=Role.REVIEW,
            unit="share",
        ),
        "score_large_shift_share": evidence(
            Outcome.UNRESOLVED if unsettled else Outcome.PASS,
            None if unsettled else effect("proportion", 0.008, 0.0065, 0.0098),
            0.05,
            family=Family.DIVERGENCE,
            role=Role.REVIEW,
            unit="share",
            notes=[Note(code="few-pairs", text="1 118 of 24 051 responses have a numeric score")]
            if unsettled
            else [],
            needs=Needs(requests=3900, text="3 900 needed to resolve this margin")
            if unsettled
            else None,
        ),
        "score_bias": evidence(
            Outcome.INFO,
            effect("difference", 0.0012, 0.0004, 0.002),
            None,
            family=Family.DIVERGENCE,
            role=Role.EVIDENCE,
            levels=(0.412, 0.4132),
            unit="score",
        ),
    }


def gates(decision: Decision) -> dict[str, Gate]:
    every = tuple(Family)
    closed = decision is Decision.HOLD
    return {
        "roles": Gate(
            outcome=GateOutcome.PASS,
            covers=every,
            value=0.499,
            limit=1.01,
            when_not_measured="blocks",
            text="shadow records are 49.9 % of production's",
        ),
        "coverage": Gate(
            outcome=GateOutcome.FAIL if closed else GateOutcome.PASS,
            covers=(Family.LATENCY, Family.ERROR_RATE),
            value=0.913 if closed else 0.9996,
            limit=0.98,
            when_not_measured="blocks",
            text="shadow data in 91.3 % of production's minutes; 98 % needed"
            if closed
            else "shadow data in 99.9 % of production's minutes",
        ),
        "load_match": Gate(
            outcome=GateOutcome.PASS,
            covers=(Family.LATENCY,),
            value=0.998,
            limit=1.25,
            when_not_measured="blocks",
            text="per-instance load 0.998 of production's in the busiest minutes",
        ),
        "min_days": Gate(
            outcome=GateOutcome.PASS,
            covers=(Family.LATENCY, Family.ERROR_RATE),
            value=3,
            limit=3,
            when_not_measured="blocks",
            text="3 whole UTC days",
        ),
        "pairing": Gate(
            outcome=GateOutcome.PASS,
            covers=(Family.DIVERGENCE,),
            value=0.999,
            limit=0.95,
            when_not_measured="blocks",
            text="99.9 % of shadow records are in a pair",
        ),
        "deployment": Gate(
            outcome=GateOutcome.NOT_MEASURED,
            covers=every,
            when_not_measured="note",
            text="no endpoint.json: changes of configuration inside the window are not visible",
        ),
    }


SUMMARIES = {
    Decision.PROMOTE: "Every guardrail holds: at most 5.3 % slower on average, errors and "
    "predictions within their margins, for the 3 days observed.",
    Decision.HOLD: "Not enough evidence yet: 3 metrics are unresolved and gate coverage failed.",
    Decision.REJECT: "p99 latency is 41 % to 57 % higher than production; the policy allows 20 %.",
    Decision.ERROR: "The run stopped: no capture line could be read.",
}
REASONS = {
    Decision.PROMOTE: (),
    Decision.HOLD: (
        Reason(
            code="too-few-independent-minutes",
            metric="latency_p95",
            text="The p95 interval [-4.0 % .. +14.0 %] still contains the margin of +10 %.",
            advice="Let the shadow test run on.",
        ),
        Reason(
            code="not-exported",
            metric="model_error_rate",
            text="InvocationModelErrors is not in the export.",
            advice="Export it and run again.",
        ),
        Reason(
            code="coverage",
            gate="coverage",
            text="The shadow variant answered in 91.3 % of production's minutes.",
            advice="Find out why the shadow was silent, then start a new window.",
        ),
    ),
    Decision.REJECT: (
        Reason(
            code="latency-p99-regression",
            metric="latency_p99",
            text="p99 latency rose from 48.0 ms to 71.4 ms, at least +41 %.",
            advice="Profile the slowest requests; replay captures against the candidate.",
        ),
    ),
    Decision.ERROR: (
        Reason(
            code="input-error",
            text="No capture line could be read under s3://bucket/prefix.",
            advice="Check the prefix, then run again.",
        ),
    ),
}


def verdict(decision: Decision, *, name: str = "churn-endpoint") -> Verdict:
    error = decision is Decision.ERROR
    return Verdict(
        tool=Tool(name="shadow-analyzer", version="0.1.0"),
        decision=decision,
        exit_code=EXITS[decision],
        summary=SUMMARIES[decision],
        reasons=REASONS[decision],
        subject=Subject(
            endpoint=name,
            production_variant="xgb-v1",
            shadow_variant="xgb-v2",
            change="model",
            mode=Mode.CLOUDWATCH,
        ),
        window=None if error else Window(start="2026-11-20T00:00:00Z", end="2026-11-23T00:00:00Z"),
        inputs=Inputs(
            digest=DIGEST,
            objects_listed=290,
            objects_read=288,
            objects_skipped={"not-jsonl": 2},
            bytes=61_234_567,
            metric_points=77_760,
        ),
        policy=PolicyRecord(digest=DIGEST, effective={"alpha": 0.05, "min_days": 3}),
        ledger=Ledger()
        if error
        else Ledger(
            lines=72_301,
            malformed=3,
            duplicate=2,
            unpaired_production=24_158,
            unpaired_shadow=36,
            pairs=24_051,
            rejects_by_code={"malformed.truncated": 3},
        ),
        pairing=Pairing(
            by_inference_id=24_051,
            rate=24_051 / 24_087,
            distinct_inputs=19_876,
            expected_sampling=0.5,
            observed_sampling=0.4991,
        ),
        gates={} if error else gates(decision),
        metrics={} if error else metrics(decision),
    )


def hostile(text: str) -> Verdict:
    """A HOLD in which every free string is `text`, ids and codes included."""
    body = verdict(Decision.HOLD).model_dump(mode="json")
    body["summary"] = text
    body["subject"].update(endpoint=text, production_variant=text, shadow_variant=text)
    body["reasons"] = [{"code": text, "metric": None, "gate": text, "text": text, "advice": text}]
    body["notes"] = [{"code": text, "text": text}]
    body["gates"] = {text: {**body["gates"]["coverage"], "text": text}}
    for evidence_body in body["metrics"].values():
        evidence_body["notes"] = [{"code": text, "text": text}]
        evidence_body["needs"] = {"minutes": 5, "requests": 5, "text": text}
    body["metrics"][text] = next(iter(body["metrics"].values()))
    body["ledger"]["rejects_by_code"] = {text: 3}
    body["inputs"]["objects_skipped"] = {text: 2}
    body["inputs"]["digest"] = text
    body["policy"]["effective"] = {text: text}
    return Verdict.model_validate_json(json.dumps(body))
