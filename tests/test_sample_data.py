from __future__ import annotations

import gzip
import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import botocore.session
import numpy as np
import pytest
from botocore.validate import validate_parameters

from analyzer.metrics import DEFAULTS
from analyzer.policy.files import load_policy
from sample_data.cloudwatch_points import ENDPOINT, period_statistics
from sample_data.endpoint_facts import endpoint_json
from sample_data.faults import damage
from sample_data.generate import compressed, main, scenario_files
from sample_data.scenarios import SCENARIOS, VARIANTS, Scenario, ShadowTest
from sample_data.traffic import Deployment, Shape, Speed, Traffic, autoregressive, simulate
from sample_data.truths import describe, mean_ratio, measured, p99_ratio

HERE = Path(__file__).parent.parent / "sample_data"
MOST_BYTES = 12_000_000
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
THIN = BY_NAME["thin_sample"]
STALE, GOLDEN = "captures/stale.jsonl", "expected_verdict.json"


@lru_cache(maxsize=2)
def generated(name: str) -> dict[str, bytes]:
    return scenario_files(BY_NAME[name])


def content(files: dict[str, bytes]) -> dict[str, bytes]:
    """Files with whole gzip streams opened: zlib versions compress the same bytes differently."""
    return {name: opened(name, body) for name, body in files.items()}


def opened(name: str, body: bytes) -> bytes:
    if not name.endswith(".gz"):
        return body
    try:
        return gzip.decompress(body)
    except EOFError:
        return b"cut short"


def committed(scenario: Scenario) -> dict[str, bytes]:
    return files_below(HERE / scenario.name)


def files_below(folder: Path) -> dict[str, bytes]:
    """What the generator writes to a scenario's folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != GOLDEN
    }


def capture_times(scenario: Scenario, role: str) -> list[datetime]:
    """inferenceTime of every readable record, by reading the committed files afresh."""
    prefix = f"captures/{ENDPOINT}/{VARIANTS[role]}/"
    times = []
    for name, body in content(committed(scenario)).items():
        if name.startswith(prefix):
            for line in body.splitlines():
                record = json.loads(line)
                assert list(record) == ["captureData", "eventMetadata", "eventVersion"]
                times.append(datetime.fromisoformat(record["eventMetadata"]["inferenceTime"]))
    return sorted(times)


def steady(shadow: Deployment, seed: int = 5) -> Traffic:
    return simulate(Shape(days=1, shadow=shadow), np.random.default_rng(seed))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a stale file and a golden verdict, to which the generator wrote a scenario."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "thin_sample" / "captures").mkdir(parents=True)
    for name in (STALE, GOLDEN):
        (folder / "thin_sample" / name).write_text("{}\n")
    main(["--only", "thin_sample", "--out", str(folder)])
    return folder / "thin_sample"


def test_generating_a_scenario_twice_gives_the_same_bytes(written: Path) -> None:
    assert files_below(written) == generated("thin_sample")


def test_the_committed_thin_sample_is_what_the_generator_writes() -> None:
    assert content(committed(THIN)) == content(generated("thin_sample"))


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_every_committed_scenario_is_what_the_generator_writes(scenario: Scenario) -> None:
    assert content(committed(scenario)) == content(scenario_files(scenario))


def test_another_seed_gives_another_test() -> None:
    draws = [steady(Deployment(), seed).production.latency_us[:50].tolist() for seed in (1, 2)]
    assert draws[0] != draws[1]


def test_writing_replaces_generated_files_and_keeps_the_golden_verdict(written: Path) -> None:
    assert not (written / STALE).exists()
    assert (written / GOLDEN).exists()
    assert (written / "policy.toml").read_bytes() == generated("thin_sample")["policy.toml"]


def test_all_of_sample_data_stays_under_twelve_megabytes() -> None:
    sizes = [
        path.stat().st_size
        for path in HERE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sum(sizes) <= MOST_BYTES


def test_every_scenario_has_its_folder_and_its_row_in_the_readme() -> None:
    folders = {path.name for path in HERE.iterdir() if (path / "policy.toml").is_file()}
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    assert folders == set(BY_NAME)
    for one in SCENARIOS:
        assert f"| {one.name} | {one.injected} | {one.decision} | {one.because} |" in readme


def test_the_readme_prints_the_effects_that_are_in_the_data() -> None:
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    chosen = [measured(ShadowTest.of(BY_NAME[name])) for name in ("thin_sample", "slow_tail")]
    for line in describe(chosen).splitlines():
        assert line in readme


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_the_policy_is_accepted_and_changes_only_what_the_scenario_says(scenario: Scenario) -> None:
    policy = load_policy(HERE / scenario.name / "policy.toml", DEFAULTS)
    infrastructure = scenario.name == "new_instance"
    assert policy.change == ("infrastructure" if infrastructure else "model")
    assert policy.sampling.shadow_percentage == 100 * scenario.shape.mirrored
    assert all(rule.source == "default" for rule in policy.metrics.values())


@pytest.mark.parametrize("name", ["slow_tail", "new_instance"])
def test_endpoint_facts_have_the_shape_of_the_answers_they_stand_for(name: str) -> None:
    answers = json.loads(endpoint_json(BY_NAME[name]))
    sagemaker = botocore.session.get_session().get_service_model("sagemaker")
    for call in ("DescribeEndpoint", "DescribeEndpointConfig"):
        shape = sagemaker.operation_model(call).output_shape
        assert shape is not None
        answer = {
            key: datetime.fromisoformat(value) if key.endswith("Time") else value
            for key, value in answers[call].items()
        }
        validate_parameters(answer, shape)
        assert answer.keys() <= set(shape.members)


@pytest.mark.parametrize("scenario", [THIN, BY_NAME["promote"]], ids=lambda one: one.name)
def test_captures_reach_from_the_first_minute_to_the_last(scenario: Scenario) -> None:
    for role in VARIANTS:
        times = capture_times(scenario, role)
        assert (times[0].day, times[0].hour, times[0].minute) == (16, 0, 0)
        assert (times[-1].day, times[-1].hour, times[-1].minute) == (
            15 + scenario.shape.days,
            23,
            59,
        )


def test_a_pair_shares_input_and_inference_id_but_never_an_event_id() -> None:
    sides: dict[str, dict[str, tuple[str, str, str]]] = {role: {} for role in VARIANTS}
    for role, variant in VARIANTS.items():
        for name, body in generated("thin_sample").items():
            if f"/{variant}/" in name:
                for line in body.splitlines():
                    record = json.loads(line)
                    data, event = record["captureData"], record["eventMetadata"]
                    sides[role][event["inferenceId"]] = (
                        data["endpointInput"]["data"],
                        event["eventId"],
                        event["inferenceTime"],
                    )
    assert 0 < len(sides["shadow"]) < len(sides["production"])
    for inference_id, (request, event_id, at) in sides["shadow"].items():
        other_request, other_event_id, other_at = sides["production"][inference_id]
        lag = datetime.fromisoformat(at) - datetime.fromisoformat(other_at)
        assert request == other_request
        assert event_id != other_event_id
        assert lag.total_seconds() in {0, 1}


def test_damage_adds_bad_lines_and_loses_good_ones_only_in_the_file_cut_short() -> None:
    files = {
        f"e/{variant}/2026/11/16/{hour:02d}/00-00-000-x.jsonl": b"".join(
            b'{"captureData":{"endpointInput":{"observedContentType":"text/csv","data":"%s-%d"}},'
            b'"eventMetadata":{"eventId":"%d","inferenceTime":"2026-11-16T00:00:00Z"}}\n'
            % (variant.encode(), 100 * hour + n, n)
            for n in range(4)
        )
        for variant in VARIANTS.values()
        for hour in range(12)
    }
    prefixes = [f"e/{variant}" for variant in VARIANTS.values()]
    damaged = damage(files, prefixes[0], prefixes[1])
    lines = {line.lstrip(b"\xef\xbb\xbf") for b in damaged.values() for line in b.splitlines()}
    cut = f"{prefixes[1]}/2026/11/16/09/00-00-000-x.jsonl"
    lost = {line for body in files.values() for line in body.splitlines()} - lines
    assert lost == set(files[cut].splitlines())
    assert cut not in damaged
    with pytest.raises(EOFError):
        gzip.decompress(damaged[f"{cut}.gz"])


def test_percentiles_of_periods_are_those_of_their_values() -> None:
    rng = np.random.default_rng(3)
    minute, value = rng.integers(0, 30, 2000), rng.lognormal(size=2000)
    start, table = period_statistics(minute, value, 10, ("p50", "p99", "tm99"))
    assert start.tolist() == [0, 10, 20]
    for row, first in enumerate(start.tolist()):
        values = np.sort(value[minute // 10 == first // 10])
        assert table["p50"][row] == pytest.approx(np.median(values))
        assert table["p99"][row] == pytest.approx(np.quantile(values, 0.99))
        assert table["tm99"][row] == pytest.approx(values[: int(values.size * 0.99)].mean())


def test_a_period_with_one_value_reports_that_value() -> None:
    start, table = period_statistics(np.array([61]), np.array([7.0]), 60, ("p99", "tm99"))
    assert start.tolist() == [60]
    assert table["p99"].tolist() == table["tm99"].tolist() == [7.0]


def test_a_shadow_twice_as_slow_measures_twice_as_slow() -> None:
    traffic = steady(Deployment(speed=Speed(median_ms=92.0)))
    assert mean_ratio(traffic) == pytest.approx(2, rel=0.05)
    assert p99_ratio(traffic) == pytest.approx(2, rel=0.1)


def test_slower_slow_requests_move_the_tail_and_hardly_the_mean() -> None:
    traffic = steady(Deployment(speed=Speed(slow_factor=8.0)))
    assert mean_ratio(traffic) < 1.1
    assert p99_ratio(traffic) > 1.3


def test_minute_noise_has_the_correlation_and_spread_it_was_asked_for() -> None:
    series = autoregressive(50_000, 0.8, 0.08, np.random.default_rng(1))
    assert np.corrcoef(series[1:], series[:-1])[0, 1] == pytest.approx(0.8, abs=0.02)
    assert series.std() == pytest.approx(0.08, rel=0.05)


def test_both_variants_refuse_the_same_requests_and_time_outs_have_no_status() -> None:
    traffic = steady(Deployment())
    production, shadow = traffic.production, traffic.shadow
    assert production.rejected.tolist() == shadow.rejected.tolist()
    assert not (shadow.timed_out & (shadow.failed | shadow.rejected)).any()
    assert int(shadow.succeeded.sum()) < shadow.request.size


def test_gzip_carries_neither_clock_nor_file_name() -> None:
    body = compressed(b"same")
    assert body[4:8] == b"\0\0\0\0"
    assert body[3] == 0
