"""What a simulated test really holds: the effects behind its verdict, from the drawn requests.

In: weighted latency ratios, error-rate differences, disagreement of the captured scores, as a
Markdown table. Out: intervals and judgement; this is the arithmetic a verdict is checked against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sample_data.cloudwatch_points import period_statistics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sample_data.scenarios import ShadowTest
    from sample_data.traffic import Served, Traffic

    FloatArray: TypeAlias = NDArray[np.float64]
    IntArray: TypeAlias = NDArray[np.int64]
    BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Truths:
    """Measured effects, shadow against production.

    Attributes:
        requests: production invocations.
        pairs: requests captured in both variants.
        mean_ratio: of mean latencies, weighted by production's requests in each minute.
        p99_ratio: of hourly p99, weighted by production's requests in each hour.
        errors_5xx, errors_4xx, model_errors: differences of rates, as shares.
        flips: share of pairs on different sides of 0.5.
        large_shifts: share of pairs whose scores differ by more than half a standard deviation
            of production's scores.
    """

    name: str
    requests: int
    pairs: int
    mean_ratio: float
    p99_ratio: float
    errors_5xx: float
    errors_4xx: float
    model_errors: float
    flips: float
    large_shifts: float


def measured(test: ShadowTest) -> Truths:
    """The effects in one simulated test."""
    traffic, captured = test.traffic, test.captured
    production, shadow = traffic.production, traffic.shadow
    paired = captured.production_seen & captured.shadow_seen
    before, after = captured.production_scores[paired], captured.shadow_scores[paired]
    return Truths(
        name=test.scenario.name,
        requests=traffic.minute.size,
        pairs=int(paired.sum()),
        mean_ratio=mean_ratio(traffic),
        p99_ratio=p99_ratio(traffic),
        errors_5xx=float(shadow.failed.mean() - production.failed.mean()),
        errors_4xx=float(shadow.rejected.mean() - production.rejected.mean()),
        model_errors=float(production.succeeded.mean() - shadow.succeeded.mean()),
        flips=float(((before >= 0.5) != (after >= 0.5)).mean()),
        large_shifts=float((np.abs(after - before) > 0.5 * before.std()).mean()),
    )


def mean_ratio(traffic: Traffic) -> float:
    """Ratio of mean model latencies over the minutes both variants have."""
    sums = []
    for served in (traffic.production, traffic.shadow):
        minute, latency = _timed(traffic, served)
        count = np.bincount(minute, minlength=traffic.minutes)
        sums.append((count, np.bincount(minute, latency, minlength=traffic.minutes)))
    (weight, production), (count, shadow) = sums
    both = (weight > 0) & (count > 0)
    standardised = float((weight[both] * shadow[both] / count[both]).sum())
    return standardised / float(production[both].sum())


def p99_ratio(traffic: Traffic) -> float:
    """Ratio of hourly p99 latencies, hours weighted by production's requests."""
    levels = []
    weight = np.bincount(traffic.minute // 60)
    for served in (traffic.production, traffic.shadow):
        minute, latency = _timed(traffic, served)
        _, table = period_statistics(minute, latency, 60, ("p99",))
        levels.append(float(weight @ table["p99"]))
    return levels[1] / levels[0]


def describe(truths: Iterable[Truths]) -> str:
    """The effects as a Markdown table, one scenario a row."""
    columns = (
        "scenario", "requests", "pairs", "mean latency", "hourly p99",
        "5XX, pp", "4XX, pp", "model errors, pp", "flips", "large shifts",
    )  # fmt: skip  # one column a line hides the table
    lines = [f"| {' | '.join(columns)} |", "|-" + "|-:" * (len(columns) - 1) + "|"]
    lines += [
        f"| {one.name} | {one.requests:,} | {one.pairs:,} | {one.mean_ratio - 1:+.1%} "
        f"| {one.p99_ratio - 1:+.1%} | {100 * one.errors_5xx:+.3f} | {100 * one.errors_4xx:+.3f} "
        f"| {100 * one.model_errors:+.3f} | {one.flips:.2%} | {one.large_shifts:.2%} |"
        for one in truths
    ]
    return "\n".join(lines)


def _timed(traffic: Traffic, served: Served) -> tuple[IntArray, FloatArray]:
    """Minute and latency of every request the model answered."""
    answered = served.answered
    minute = traffic.minute[served.request][answered]
    return minute, served.latency_us[answered].astype(np.float64)
