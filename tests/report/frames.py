"""Tables as the analysis would write them: three days, the shadow silent for three hours."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from analyzer.model import Decision
from tests.report.verdicts import MINUTES, START

Floats: TypeAlias = npt.NDArray[np.float64]


@cache
def tables(decision: Decision) -> dict[str, pl.DataFrame]:
    """Every table of a bundle, with a gap of an hour in the shadow's minutes."""
    random = np.random.default_rng(7)
    factor = 1.04 if decision is not Decision.REJECT else 1.18
    return {
        "minutes": _minutes(random, factor),
        "running": _running(factor),
        "percentiles": _percentiles(random, factor),
        "instances": _instances(random),
        "capture_hours": _capture_hours(random),
        "rejects": pl.DataFrame(
            {
                "code": ["malformed.truncated"] * 3,
                "role": ["production"] * 3,
                "object_key": ["churn-endpoint/xgb-v1/2026/11/20/03/12-00-000-a.jsonl"] * 3,
                "line_number": [7, 19, 88],
                "line_sha256": ["ab" * 32] * 3,
                "line_bytes": [120, 98, 4],
            }
        ),
        **_predictions(random),
    }


def _minutes(random: np.random.Generator, factor: float) -> pl.DataFrame:
    clock = np.arange(MINUTES)
    wave = 1 + 0.25 * np.sin(2 * np.pi * clock / 1440)
    shared = 12.4 * wave * np.exp(random.normal(0, 0.06, MINUTES))
    calls = random.poisson(60 * wave)
    copies = random.binomial(calls, 0.5)
    frame = pl.DataFrame(
        {
            "timestamp": [START + timedelta(minutes=int(t)) for t in clock],
            "production_invocations": calls.astype(float),
            "shadow_invocations": copies.astype(float),
            "production_latency_ms": shared,
            "shadow_latency_ms": shared * factor * np.exp(random.normal(0, 0.05, MINUTES)),
            "production_overhead_ms": 2 + random.gamma(2, 0.2, MINUTES),
            "shadow_overhead_ms": 2 + random.gamma(2, 0.2, MINUTES),
            "production_errors_5xx": random.binomial(calls, 0.0006).astype(float),
            "shadow_errors_5xx": random.binomial(copies, 0.0008).astype(float),
            "production_errors_4xx": random.binomial(calls, 0.003).astype(float),
            "shadow_errors_4xx": random.binomial(copies, 0.003).astype(float),
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))
    silent = pl.col("timestamp").is_between(
        START + timedelta(hours=30), START + timedelta(hours=33)
    )
    return frame.with_columns(
        pl.when(~silent).then(pl.col(name)).alias(name)
        for name in frame.columns
        if name.startswith("shadow_")
    )


def _running(factor: float) -> pl.DataFrame:
    hours = np.arange(1, 73)
    rows = []
    for metric, estimate, spread in (
        ("latency_mean", factor, 0.08),
        ("latency_p99", factor**2, 0.35),
    ):
        width = spread / np.sqrt(hours)
        middle = estimate + width * np.sin(hours / 5) / 3
        rows.append(
            pl.DataFrame(
                {
                    "metric": [metric] * len(hours),
                    "timestamp": [START + timedelta(hours=int(h)) for h in hours],
                    "estimate": middle,
                    "lower": middle - width,
                    "upper": middle + width,
                }
            )
        )
    return pl.concat(rows)


def _percentiles(random: np.random.Generator, factor: float) -> pl.DataFrame:
    parts = []
    for stat, level in (("p50", 9.0), ("p95", 31.0), ("p99", 48.0)):
        production = level * np.exp(random.normal(0, 0.05, 72))
        parts.append(
            pl.DataFrame(
                {
                    "timestamp": [START + timedelta(hours=h) for h in range(72)],
                    "period_s": [3600] * 72,
                    "stat": [stat] * 72,
                    "production_ms": production,
                    "shadow_ms": production * factor,
                    "production_n": [3600] * 72,
                    "shadow_n": [1800] * 72,
                }
            )
        )
    return pl.concat(parts)


def _instances(random: np.random.Generator) -> pl.DataFrame:
    times = [START + timedelta(minutes=5 * n) for n in range(864)]
    return pl.concat(
        pl.DataFrame(
            {
                "timestamp": times,
                "metric_name": [name] * len(times),
                "production": 40 + random.normal(0, 3, len(times)),
                "shadow": 44 + random.normal(0, 3, len(times)),
            }
        )
        for name in ("CPUUtilization", "MemoryUtilization")
    )


def _capture_hours(random: np.random.Generator) -> pl.DataFrame:
    hours = [START + timedelta(hours=h) for h in range(72)]
    return pl.concat(
        pl.DataFrame(
            {
                "hour": hours,
                "role": [role] * 72,
                "records": random.poisson(mean, 72),
                "paired": random.poisson(330, 72),
            }
        )
        for role, mean in (("production", 670), ("shadow", 334))
    )


def _predictions(random: np.random.Generator) -> dict[str, pl.DataFrame]:
    bins = np.linspace(0, 1, 31)
    production = random.beta(2, 3, 24_051)
    shadow = np.clip(production + random.normal(0, 0.02, production.size), 0, 1)
    histogram = pl.concat(
        pl.DataFrame(
            {
                "role": [role] * 30,
                "lower": bins[:-1],
                "upper": bins[1:],
                "predictions": np.histogram(scores, bins)[0],
            }
        )
        for role, scores in (("production", production), ("shadow", shadow))
    )
    edges = np.linspace(0, 1, 41)
    grid = np.histogram2d(production, shadow, [edges, edges])[0]
    i, j = np.nonzero(grid)
    difference = np.abs(production - shadow)
    powers = 10.0 ** np.arange(-6, 1)
    counts = np.histogram(difference, powers)[0]
    flips = (production >= 0.5) != (shadow >= 0.5)
    distance = np.linspace(0, 0.2, 11)
    near = np.abs(production - 0.5)
    worst = np.argsort(-difference)[:20]
    tiers = ["gold" if n % 4 else "basic" for n in range(20)]
    return {
        "score_histogram": histogram,
        "score_grid": pl.DataFrame(
            {
                "production_lower": edges[i],
                "production_upper": edges[i + 1],
                "shadow_lower": edges[j],
                "shadow_upper": edges[j + 1],
                "predictions": grid[i, j].astype(int),
            }
        ),
        "score_agreement": _agreement(production, shadow),
        "score_quantiles": pl.DataFrame(
            {
                "share": (shares := np.arange(1, 100) / 100),
                "production": (ours := np.quantile(production, shares)),
                "shadow": (theirs := np.quantile(shadow, shares)),
                "shift": theirs - ours,
            }
        ),
        "prediction_counts": pl.DataFrame([_counts(production, shadow)]),
        "difference_histogram": pl.DataFrame(
            {
                "lower": [0.0, *powers[:-1]],
                "upper": [0.0, *powers[1:]],
                "predictions": [412, *counts.tolist()],
            }
        ),
        "flips": pl.DataFrame(
            {
                "production_label": ["0", "1"],
                "shadow_label": ["1", "0"],
                "predictions": [int(flips.sum() // 2), int(flips.sum() - flips.sum() // 2)],
            }
        ),
        "flip_distance": pl.DataFrame(
            {
                "lower": distance[:-1],
                "upper": distance[1:],
                "predictions": np.histogram(near, distance)[0],
                "flips": np.histogram(near[flips], distance)[0],
            }
        ),
        "contract_changes": pl.DataFrame({"code": ["shape-mismatch"], "pairs": [2]}),
        "worst_parts": pl.DataFrame(
            {"rank": range(1, 21), "slice": ["input.tier"] * 20, "part": tiers}
        ),
        "worst_clusters": pl.DataFrame(
            {
                "slice": ["input.tier"],
                "part": ["gold"],
                "worst": [15],
                "of": [20],
                "share": [0.25],
            }
        ),
        "worst_pairs": pl.DataFrame(
            {
                "rank": range(1, 21),
                "pair_id": worst,
                "inference_id": [f"request-{n:05d}" for n in worst],
                "captured_at": [START + timedelta(seconds=int(n)) for n in worst],
                "production_value": production[worst],
                "shadow_value": shadow[worst],
                "difference": difference[worst],
            }
        ),
    }


def _agreement(production: Floats, shadow: Floats) -> pl.DataFrame:
    means, differences = np.linspace(0, 1, 41), np.linspace(-0.08, 0.08, 34)
    cells = np.histogram2d((production + shadow) / 2, shadow - production, [means, differences])[0]
    i, j = np.nonzero(cells)
    return pl.DataFrame(
        {
            "mean_lower": means[i],
            "mean_upper": means[i + 1],
            "difference_lower": differences[j],
            "difference_upper": differences[j + 1],
            "predictions": cells[i, j].astype(int),
        }
    )


def _counts(production: Floats, shadow: Floats) -> dict[str, float]:
    """The part of the counts that is drawn."""
    change = shadow - production
    return {
        "measured": change.size,
        "shifted": int((np.abs(change) > 0.01).sum()),
        "production_mean": float(production.mean()),
        "shadow_mean": float(shadow.mean()),
        "production_sd": float(production.std()),
        "shadow_sd": float(shadow.std()),
        "covariance": float(np.cov(production, shadow, ddof=0)[0, 1]),
        "bias": float(change.mean()),
        "difference_sd": float(change.std()),
        "atol": 0.01,
        "rtol": 0.0,
    }
