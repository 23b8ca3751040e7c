"""The scenarios of sample_data: what is wrong with the shadow in each, and what should follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from sample_data.capture_records import InferenceIds, Outputs, capture
from sample_data.traffic import Deployment, Failures, Shape, Speed, simulate

if TYPE_CHECKING:
    from sample_data.capture_records import Captured
    from sample_data.traffic import Traffic

Export = Literal["rows", "stream", "metric-data"]

VARIANTS = {"production": "churn-v1", "shadow": "churn-v2-shadow"}


@dataclass(frozen=True)
class Scenario:
    """One folder of sample_data.

    Attributes:
        injected: what differs between the variants, in the README's words.
        decision: what the default policy should decide.
        because: the metric or gate that decides, as ids.
        captured: share of requests data capture records, in both variants alike.
        compressed: whether capture files are gzipped to keep the folder small.
        minute_percentiles: whether percentiles of single minutes are exported too.
        instance_metrics: whether CPU, memory and disk are exported.
        endpoint_facts: whether endpoint.json lies beside the metric rows.
        damaged: whether capture files are damaged in every known way.
        policy: lines above the `[sampling]` table of policy.toml.
    """

    name: str
    seed: int
    injected: str
    decision: Literal["PROMOTE", "HOLD", "REJECT"]
    because: str
    shape: Shape = field(default_factory=Shape)
    outputs: Outputs = field(default_factory=Outputs)
    captured: float = 0.02
    ids: InferenceIds = "sequence"
    export: Export = "rows"
    compressed: bool = True
    minute_percentiles: bool = False
    instance_metrics: bool = False
    endpoint_facts: bool = False
    damaged: bool = False
    policy: tuple[str, ...] = ()

    def generator(self, purpose: Literal["traffic", "files"]) -> np.random.Generator:
        """Random numbers of this scenario, one stream a purpose."""
        return np.random.default_rng([20261116, self.seed, purpose == "files"])


@dataclass(frozen=True)
class ShadowTest:
    """One simulated shadow test, before it is written in anybody's format."""

    scenario: Scenario
    traffic: Traffic
    captured: Captured

    @classmethod
    def of(cls, scenario: Scenario) -> ShadowTest:
        """Simulate a scenario; the same scenario gives the same test."""
        rng = scenario.generator("traffic")
        traffic = simulate(scenario.shape, rng)
        return cls(scenario, traffic, capture(traffic, scenario.captured, scenario.outputs, rng))


SLIGHTLY_SLOWER = Deployment(speed=Speed(median_ms=46.7))

SCENARIOS = (
    Scenario(
        name="promote",
        seed=11,
        injected="a retrained model, 1.5 % slower, nothing else",
        decision="PROMOTE",
        because="every required metric passes",
        shape=Shape(shadow=SLIGHTLY_SLOWER),
        instance_metrics=True,
    ),
    Scenario(
        name="slow_tail",
        seed=12,
        injected="ordinary requests 1.5 % faster; the slow 2 % take eight times as long, not five",
        decision="REJECT",
        because="latency_p99",
        shape=Shape(shadow=Deployment(speed=Speed(median_ms=45.3, slow_factor=8.0))),
        ids="uuid",
        minute_percentiles=True,
        instance_metrics=True,
        endpoint_facts=True,
    ),
    Scenario(
        name="label_flips",
        seed=13,
        injected="a linear model instead of boosted trees: as fast, other decisions",
        decision="HOLD",
        because="flip_rate, score_large_shift_share, prediction_evidence",
        outputs=Outputs(shadow="logistic"),
        export="metric-data",
    ),
    Scenario(
        name="five_hundreds",
        seed=14,
        injected="0.5 % of answers are 5XX, in bursts of five minutes",
        decision="REJECT",
        because="error_5xx_rate, model_error_rate",
        shape=Shape(shadow=Deployment(failures=Failures(failed=5e-3, burstiness=3.0))),
        export="stream",
    ),
    Scenario(
        name="thin_sample",
        seed=15,
        injected="one day, 10 % of requests copied to the shadow, about 140 pairs",
        decision="HOLD",
        because="load_match, min_days, stable_effect, tail_evidence, pairing",
        shape=Shape(days=1, mirrored=0.1),
        compressed=False,
    ),
    Scenario(
        name="no_inference_id",
        seed=16,
        injected="as promote, but the client sets no inference ID: pairs by payload",
        decision="PROMOTE",
        because="every required metric passes",
        shape=Shape(shadow=SLIGHTLY_SLOWER),
        ids="none",
    ),
    Scenario(
        name="new_instance",
        seed=17,
        injected="the same model on an instance type a fifth faster",
        decision="PROMOTE",
        because="every required metric passes",
        shape=Shape(shadow=Deployment(speed=Speed(median_ms=37.0), cpu_percent=62.0)),
        outputs=Outputs(shadow="boosted", shadow_newline=True),
        instance_metrics=True,
        endpoint_facts=True,
        policy=('change = "infrastructure"',),
    ),
    Scenario(
        name="broken",
        seed=18,
        injected="as promote, with every kind of unusable line and object added",
        decision="HOLD",
        because="objects",
        shape=Shape(shadow=SLIGHTLY_SLOWER),
        damaged=True,
        policy=("max_line_bytes = 65536",),
    ),
)
