"""A policy that asks for less than the default says so in the verdict."""

from __future__ import annotations

import tomllib

import pytest

from analyzer.metrics import DEFAULTS
from analyzer.policy.files import load_policy, parse_policy
from analyzer.policy.text import commented
from analyzer.verdict.opt_outs import opt_outs


def texts(*overrides: str) -> list[str]:
    return [note.text for note in opt_outs(load_policy(None, DEFAULTS, overrides))]


def test_the_default_gives_nothing_up() -> None:
    assert texts() == texts("change=infrastructure") == []


def test_the_printed_default_gives_nothing_up() -> None:
    assert opt_outs(parse_policy(tomllib.loads(commented(DEFAULTS)), DEFAULTS)) == ()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("metrics.latency_p99.role=evidence", "latency_p99 is evidence by policy and cannot hold"),
        ("metrics.latency_p99.role=review", "latency_p99 is review by policy and cannot reject"),
        ("metrics.contract_change.role=off", "contract_change is off by policy"),
        ("metrics.flip_rate.role=info", "flip_rate is info by policy"),
        (
            "metrics.latency_mean.margin=2.5",
            "allows more than the default: latency_mean 2.5 instead of 1.1 or 2 ms",
        ),
        ("metrics.latency_p99.margin_ms=500", "latency_p99 1.2 or 500 ms instead of 1.2 or 10 ms"),
        ("metrics.error_5xx_rate.margin=0.9", "error_5xx_rate 90 % instead of 0.1 %"),
        ("metrics.accuracy.margin=-0.2", "accuracy -20 % instead of -0.5 %"),
        ("min_days=1", "asks for 1 whole day"),
        ("tail=p95", "the slowest 5 % were not judged"),
        ("alpha=0.2", "err in 20 % of cases instead of 5 %"),
        ("accept_load_mismatch=true", "whatever load"),
        ("max_reject_share=0.5", "50 % of unusable lines instead of 0.1 %"),
        ("predictions.atol=0.1", "differences up to 0.1 + 1e-05 x production's score"),
        ("pairing.min_rate=0.5", "one input in as many of them, instead of 95 %"),
    ],
)
def test_each_opt_out_is_said(override: str, said: str) -> None:
    found = texts(override)
    assert len(found) == 1
    assert said in found[0]


def test_a_stricter_policy_gives_nothing_up() -> None:
    stricter = (
        "min_days=7",
        "alpha=0.01",
        "max_reject_share=0",
        "metrics.flip_rate.role=guardrail",
        "metrics.latency_mean.margin=1.05",
        "metrics.accuracy.margin=-0.001",
    )
    assert texts(*stricter) == []


def test_a_margin_is_wide_beside_the_default_of_the_change() -> None:
    assert texts("metrics.flip_rate.margin=0.02") == []
    (said,) = texts("change=infrastructure", "metrics.flip_rate.margin=0.02")
    assert "flip_rate 2 % instead of 0.5 %" in said


def test_an_infrastructure_change_misses_the_predictions_it_does_not_judge() -> None:
    found = texts("change=infrastructure", "metrics.score_shift_share.role=evidence")
    assert found == ["score_shift_share is evidence by policy and cannot hold or reject"]


def test_a_tail_nobody_judges_is_said_to_be_that() -> None:
    found = texts("tail=p95", "metrics.latency_p95.role=evidence")
    assert "the slow tail was not judged at all" in found
