"""What ids, labels, headers and file names say, and what they leave open."""

from __future__ import annotations

import pytest

from analyzer.cloudwatch.naming import Named, named, role_of
from analyzer.cloudwatch.vocabulary import statistic

VARIANTS = {"production": "model-v1", "shadow": "model-v1-shadow"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prod_ModelLatency_p99", Named("ModelLatency", "p99")),
        ("shadow_modelLatency_p99_300", Named("ModelLatency", "p99", 300)),
        ("shadow_ModelLatency_p99_9", Named("ModelLatency", "p99.9")),
        ("prodGPUMemoryUtilizationAvg", Named("GPUMemoryUtilization", "Average")),
        (
            "AllTraffic Invocation5XXErrors Sample Count",
            Named("Invocation5XXErrors", "SampleCount"),
        ),
        ("max-pool-v2 ModelLatency p95", Named("ModelLatency", "p95")),
        ("Sum of Invocations (3600s)", Named("Invocations", "Sum", 3600)),
        ("ModelLatency p90 [ms]", Named("ModelLatency", "p90", None, "Milliseconds")),
        ("ModelLatency and OverheadLatency", Named()),
        ("p99-2026-11-16", Named(None, "p99")),
        ("ModelLatency-p99.9-300s.json", Named("ModelLatency", "p99.9", 300)),
        ("a label", Named()),
    ],
)
def test_a_text_says_what_it_says_and_no_more(text: str, expected: Named) -> None:
    assert named(text) == expected


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("model-v1-ModelLatency.json", "production"),
        ("model-v1-shadow-ModelLatency.json", "shadow"),
        ("MODEL-V1-SHADOW", "shadow"),
        ("prod_ModelLatency_p99", "production"),
        ("Production latency", "production"),
        ("shadow_p99", "shadow"),
        ("shadow and model-v1", "production"),
        ("model-v1 against model-v1-shadow", None),
        ("prod_shadow", None),
        ("model-v10", None),
        ("reproduction", None),
        ("shadow/", "shadow"),
        ("model-v1/", "production"),
        ("shadow-test/", None),
        ("", None),
    ],
)
def test_a_role_is_named_by_one_variant_or_one_role_word_or_not_at_all(
    text: str, role: str | None
) -> None:
    assert role_of(text, VARIANTS) == role


@pytest.mark.parametrize(
    ("word", "stat"),
    [
        ("SampleCount", "SampleCount"),
        ("MAX", "Maximum"),
        ("p50", "p50"),
        ("p99.90", "p99.9"),
        ("p100", "p100"),
        ("p101", None),
        ("TM99", "tm99"),
        ("tm(:99%)", "tm99"),
        ("TM(25%:75%)", "TM(25%:75%)"),
        ("TC(0.1:0.2)", None),
        ("PR(:300)", None),
        ("median", None),
        ("", None),
    ],
)
def test_a_statistic_has_one_spelling(word: str, stat: str | None) -> None:
    assert statistic(word) == stat
