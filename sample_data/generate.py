"""Write the scenarios of sample_data, byte for byte the same every time.

    python sample_data/generate.py                     write every scenario beside this file
    python sample_data/generate.py --only promote      write one
    python sample_data/generate.py --describe          print what each scenario's data really hold

Each scenario is a whole shadow test: two fitted models, simulated traffic, the capture files
and CloudWatch exports it would have left, and the policy that says how it was sampled.
`expected_verdict.json` in a scenario's folder is not written here.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

# `python sample_data/generate.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sample_data.capture_records import hour_files, records
from sample_data.cloudwatch_points import (
    ENDPOINT,
    MINUTE_PERCENTILES,
    PERCENTILES,
    metric_data,
    metric_rows,
    metric_stream,
    minute_series,
    percentile_series,
    statistic_sets,
)
from sample_data.endpoint_facts import endpoint_json
from sample_data.faults import damage
from sample_data.scenarios import SCENARIOS, VARIANTS, Scenario, ShadowTest
from sample_data.traffic import MINUTES_PER_DAY
from sample_data.truths import describe, measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HERE = Path(__file__).resolve().parent
GENERATED = ("captures", "cloudwatch", "policy.toml")


def scenario_files(scenario: Scenario) -> dict[str, bytes]:
    """Every file of a scenario: path within its folder -> bytes."""
    test = ShadowTest.of(scenario)
    return {
        "policy.toml": policy_toml(scenario).encode(),
        **_under("captures", capture_files(test)),
        **_under("cloudwatch", cloudwatch_files(test)),
    }


def capture_files(test: ShadowTest) -> dict[str, bytes]:
    """Capture objects below the capture destination: key -> bytes."""
    scenario, rng = test.scenario, test.scenario.generator("files")
    sides = records(test.traffic, test.captured, scenario.outputs, scenario.ids, rng)
    prefixes = {role: f"{ENDPOINT}/{variant}" for role, variant in VARIANTS.items()}
    files: dict[str, bytes] = {}
    for role, prefix in prefixes.items():
        files |= hour_files(sides[role], prefix, rng)
    readable: set[str] = set()
    if scenario.damaged:
        healthy = dict(files)
        files = damage(files, prefixes["production"], prefixes["shadow"])
        readable = {key for key, body in files.items() if healthy.get(key) != body}
    if not scenario.compressed:
        return files
    return {
        key if key in readable else f"{key}.gz": body if key in readable else compressed(body)
        for key, body in files.items()
    }


def cloudwatch_files(test: ShadowTest) -> dict[str, bytes]:
    """CloudWatch exports, in the form the scenario asks for: file name -> bytes."""
    scenario, traffic = test.scenario, test.traffic
    sets = statistic_sets(traffic, VARIANTS, instances=scenario.instance_metrics)
    wanted = MINUTE_PERCENTILES | PERCENTILES if scenario.minute_percentiles else PERCENTILES
    percentiles = percentile_series(traffic, VARIANTS, wanted)
    files: dict[str, bytes] = {}
    if scenario.endpoint_facts:
        files["endpoint.json"] = endpoint_json(scenario).encode()
    if scenario.export == "metric-data":
        files["minutes.json.gz"] = compressed(metric_data(minute_series(sets)).encode())
        files["percentiles.json.gz"] = compressed(metric_data(percentiles).encode())
        return files
    files["percentiles.jsonl.gz"] = _lines(metric_rows(percentiles))
    if scenario.export == "rows":
        files["minutes.jsonl.gz"] = _lines(metric_rows(minute_series(sets)))
        return files
    days: defaultdict[int, list[str]] = defaultdict(list)
    for minute, line in metric_stream(sets):
        days[minute // MINUTES_PER_DAY].append(line)
    for day, lines in days.items():
        files[f"stream-day-{day + 1}.jsonl.gz"] = _lines(lines)
    return files


def policy_toml(scenario: Scenario) -> str:
    """The scenario's policy: how the endpoint sampled, and what differs from the default."""
    shape = scenario.shape
    lines = (
        f"# {scenario.name}: {scenario.injected}.",
        *scenario.policy,
        "",
        "[sampling]",
        f"shadow_percentage = {100 * shape.mirrored:g}",
        f"production_capture_percentage = {100 * scenario.captured:g}",
        f"shadow_capture_percentage = {100 * scenario.captured:g}",
        f"production_instances = {shape.production.instances}",
        f"shadow_instances = {shape.shadow.instances}",
    )
    return "\n".join(lines) + "\n"


def compressed(body: bytes) -> bytes:
    """Gzip without a clock or a file name, so that equal content gives equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as stream:
        stream.write(body)
    return buffer.getvalue()


def write(scenario: Scenario, folder: Path) -> int:
    """Write a scenario's files into its folder, replacing what was generated before.

    Returns:
        Bytes written.
    """
    _clear(folder)
    files = scenario_files(scenario)
    for name, body in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return sum(len(body) for body in files.values())


def main(arguments: Sequence[str] | None = None) -> None:
    """Write or describe the chosen scenarios."""
    parser = argparse.ArgumentParser(description="Write the sample_data scenarios.")
    parser.add_argument("--only", choices=[one.name for one in SCENARIOS])
    parser.add_argument("--out", type=Path, default=HERE, help="where the folders go")
    parser.add_argument("--describe", action="store_true", help="print what the data really hold")
    options = parser.parse_args(arguments)
    chosen = [one for one in SCENARIOS if options.only in {None, one.name}]
    if options.describe:
        print(describe([measured(ShadowTest.of(scenario)) for scenario in chosen]))
        return
    for scenario in chosen:
        size = write(scenario, options.out / scenario.name)
        print(f"{scenario.name}: {size / 1e6:.2f} MB")


def _lines(lines: Iterable[str]) -> bytes:
    return compressed("".join(lines).encode())


def _under(folder: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": body for name, body in files.items()}


def _clear(folder: Path) -> None:
    """Remove what an earlier run generated, and nothing else."""
    for name in GENERATED:
        for path in sorted((folder / name).rglob("*"), reverse=True):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()


if __name__ == "__main__":
    main()
