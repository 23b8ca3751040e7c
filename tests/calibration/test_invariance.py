"""What may not change a verdict, asked of every metric in it: names, files, units of time."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.metrics import BY_ID, METRICS
from tests.calibration.seen import Seen, policy_of
from tests.calibration.worlds import Setting, Truth, draw
from tests.examples import examples

if TYPE_CHECKING:
    from analyzer.model import Evidence, Verdict

SCENARIO = Path(__file__).parents[2] / "sample_data" / "label_flips"
alike = partial(pytest.approx, rel=1e-5, abs=1e-9)
"""Weights are production's, and a few of the scenario's minutes lack a request of one variant."""
BY_PRODUCTION = {
    "score_large_shift_share": "large is half a standard deviation of production's scores",
    "score_distribution": "in standard deviations of production's scores",
    "flips_at_equal_rate": "the other variant's threshold is moved",
}
"""Metrics whose question names production, so that the variants cannot change places in it."""


def judged(
    captures: Path = SCENARIO / "captures",
    production: str | None = None,
    shadow: str | None = None,
) -> Verdict:
    request = analysis.Request(
        source=str(captures),
        cloudwatch=(str(SCENARIO / "cloudwatch"),),
        policy_file=SCENARIO / "policy.toml",
        production=production,
        shadow=shadow,
        use_cache=False,
    )
    return analysis.run(request, silent).verdict


@pytest.fixture(scope="module")
def there() -> Verdict:
    """The scenario as it is."""
    return judged()


def turned(kind: str, numbers: tuple[float, ...]) -> tuple[float, ...]:
    """The effect, or an interval's ends in order, seen from the other variant."""
    if kind == "ratio":
        return tuple(1 / number for number in reversed(numbers))
    return tuple(-number for number in reversed(numbers)) if kind == "difference" else numbers


def test_exchanging_the_variants_turns_every_effect_and_its_intervals(there: Verdict) -> None:
    names = there.subject.shadow_variant, there.subject.production_variant
    back = judged(SCENARIO / "captures", *names)
    assert set(there.metrics) == set(back.metrics)
    measured = {name for name, item in there.metrics.items() if item.effect is not None}
    assert len(measured) > 15
    for name in measured - set(BY_PRODUCTION):
        one, other = there.metrics[name], back.metrics[name]
        assert one.effect is not None
        assert other.effect is not None
        kind, estimate = one.effect.kind, one.effect.estimate
        assert estimate is not None
        assert turned(kind, (estimate,)) == alike((other.effect.estimate,)), name
        for way in ("fixed", "anytime"):
            ours, theirs = getattr(one.intervals, way), getattr(other.intervals, way)
            assert (ours is None) == (theirs is None), name
            if ours is not None:
                assert turned(kind, ours) == alike(theirs), (name, way)


def dealt(folder: Path, seed: int) -> Path:
    """All capture lines of each variant in other files, other hours' folders, another order."""
    rng = random.Random(seed)
    source = SCENARIO / "captures"
    for variant in sorted(source.glob("*/*")):
        files = sorted(variant.rglob("*.jsonl.gz"))
        lines = [line for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
        rng.shuffle(lines)
        hours = [file.parent.relative_to(source) for file in files]
        cuts = sorted(rng.choices(range(len(lines)), k=rng.randint(0, 30)))
        parts = zip([0, *cuts], [*cuts, len(lines)], strict=True)
        for number, (start, end) in enumerate(parts):
            body = b"".join(line + b"\n" for line in lines[start:end])
            target = folder / rng.choice(hours) / f"00-00-000-{number}.jsonl"
            target.parent.mkdir(parents=True, exist_ok=True)
            if rng.random() < 0.5:
                target = target.with_name(f"{target.name}.gz")
                body = gzip.compress(body)
            target.write_bytes(body)
    return folder


def without_objects(verdict: Verdict) -> dict[str, Any]:
    """All of a verdict but how many files there were."""
    body: dict[str, Any] = json.loads(verdict.to_json())
    body["inputs"] = {k: v for k, v in body["inputs"].items() if not k.startswith("objects_")}
    del body["gates"]["objects"]["text"]  # it counts them
    return body


@pytest.mark.parametrize("seed", range(1, 1 + examples(1, whole=3)))
def test_over_any_split_of_the_lines_every_number_is_the_same(
    seed: int, tmp_path: Path, there: Verdict
) -> None:
    assert without_objects(judged(dealt(tmp_path, seed))) == without_objects(there)


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_times_in_another_unit_on_both_sides_leave_every_ratio(factor: float) -> None:
    """Above the levels at which a margin in milliseconds counts."""
    world = draw(Setting(days=3, truth=Truth(slower=1.04)), np.random.default_rng(17))
    tails = {key: factor * levels for key, levels in world.tails.items()}
    scaled = replace(world, mean_us=factor * world.mean_us, tails=tails)
    policy = policy_of({})

    def evidence(seen: Seen) -> dict[str, Evidence]:
        facts = seen.at(72)
        return {
            metric.id: BY_ID[metric.id].assess(facts, policy.metrics[metric.id])
            for metric in METRICS
            if metric.id.startswith("latency_")
        }

    one, other = evidence(Seen(world, policy)), evidence(Seen(scaled, policy))
    assert sum(item.effect is not None for item in one.values()) > 2
    for name, item in one.items():
        effect, again = item.effect, other[name].effect
        assert (effect is None) == (again is None)
        if effect is not None and again is not None:
            found = (again.estimate, again.lower, again.upper)
            assert (effect.estimate, effect.lower, effect.upper) == pytest.approx(found, rel=1e-7)
        assert item.outcome is other[name].outcome
