"""What a policy chose not to ask for, or asks less of than the default: said, never silent.

In: the notes of a verdict. Out: what the policy may say (`policy`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import counted, stated
from analyzer.metrics import BY_ID
from analyzer.metrics.metric import applies
from analyzer.model import Note, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.policy import Policy


def opt_outs(policy: Policy) -> tuple[Note, ...]:
    """One note for each judgement the policy gives up or weakens."""
    return (*_roles(policy), *_margins(policy), *_tail(policy), *_strictness(policy))


def not_asked(policy: Policy, *, replayed: bool) -> tuple[Note, ...]:
    """What the policy names and a run of this kind cannot be asked."""
    named = [
        metric
        for metric, rule in policy.metrics.items()
        if rule.source == "policy"
        and rule.role.is_judged
        and not applies(BY_ID[metric].asked_of, replayed=replayed)
    ]
    if not named:
        return ()
    whose = "a live endpoint's" if replayed else "a replay's"
    text = f"{', '.join(named)} of the policy: {whose} alone, so not asked here"
    return (Note(code="not-asked", text=text),)


def _roles(policy: Policy) -> Iterator[Note]:
    for metric, rule in policy.metrics.items():
        asked = BY_ID[metric].default.role_under(policy.change)
        if not asked.is_judged or rule.role in {asked, Role.GUARDRAIL}:
            continue
        lost = "reject" if rule.role is Role.REVIEW else "hold or reject"
        text = f"{metric} is {rule.role} by policy and cannot {lost}"
        yield Note(code="not-judged", text=text)


def _margins(policy: Policy) -> Iterator[Note]:
    """One note of all margins that allow more harm than the default, by how much."""
    wider = [
        f"{metric} {_allowed(margin, rule.margin_ms)} instead of {_allowed(usual, usual_ms)}"
        for metric, rule in policy.metrics.items()
        if rule.role.is_judged and (margin := rule.margin) is not None
        for usual in [BY_ID[metric].default.margin_under(policy.change)]
        for usual_ms in [BY_ID[metric].default.margin_ms]
        if usual is not None
        and (abs(margin) > abs(usual) or (rule.margin_ms or 0.0) > (usual_ms or 0.0))
    ]
    if wider:
        text = f"the policy allows more than the default: {'; '.join(wider)}"
        yield Note(code="wider-margins", text=text)


def _allowed(margin: float, milliseconds: float | None) -> str:
    said = f"{margin:.6g}" if margin > 1 else stated(margin)
    return said if milliseconds is None else f"{said} or {milliseconds:.6g} ms"


def _tail(policy: Policy) -> Iterator[Note]:
    if policy.tail != "p95":
        return
    judged = policy.metrics["latency_p95"].role is Role.GUARDRAIL
    text = "the slowest 5 % were not judged" if judged else "the slow tail was not judged at all"
    yield Note(code="tail-p95", text=text)


def _strictness(policy: Policy) -> Iterator[Note]:
    default = type(policy)()
    if policy.min_days < default.min_days:
        text = (
            f"the policy asks for {counted(policy.min_days, 'whole day')}; effects that vary from "
            "day to day were not excluded"
        )
        yield Note(code="few-days", text=text)
    if policy.alpha > default.alpha:
        text = (
            f"the policy lets each bound err in {stated(policy.alpha)} of cases instead of "
            f"{stated(default.alpha)}"
        )
        yield Note(code="weak-bounds", text=text)
    if policy.accept_load_mismatch:
        text = "the policy has latency judged whatever load an instance of either variant carries"
        yield Note(code="load-accepted", text=text)
    if policy.max_reject_share > default.max_reject_share:
        text = (
            f"the policy accepts {stated(policy.max_reject_share)} of unusable lines instead of "
            f"{stated(default.max_reject_share)}"
        )
        yield Note(code="rejects-accepted", text=text)
    given, usual = policy.predictions, default.predictions
    if given.atol > usual.atol or given.rtol > usual.rtol:
        text = (
            f"the policy takes score differences up to {given.atol:g} + {given.rtol:g} x "
            "production's score for no difference"
        )
        yield Note(code="coarse-scores", text=text)
    if policy.pairing.min_rate < default.pairing.min_rate:
        text = (
            f"the policy is content with pairs for {stated(policy.pairing.min_rate)} of shadow "
            "records, and with one input in as many of them, instead of "
            f"{stated(default.pairing.min_rate)}"
        )
        yield Note(code="unpaired-accepted", text=text)
