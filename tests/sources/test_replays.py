"""Finding what a replay wrote: the same in a folder and on two unrelated S3 servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.errors import UsageError
from analyzer.sources import discover
from tests.replay.replay_builders import World, build
from tests.sources.test_discovery import HOUR, RECORD

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.sources import Listing
    from tests.sources.conftest import Storage

CAPTURES = {f"captures/churn/v1/{HOUR}/a.jsonl": RECORD}
CANDIDATE = {
    f"replay/churn/candidate/{HOUR}/a.jsonl": RECORD,
    "replay/churn/candidate/replay.parquet": b"PAR1",
}
BASELINE = {
    f"replay/churn/baseline/{HOUR}/a.jsonl": RECORD,
    "replay/churn/baseline/replay.parquet": b"PAR1",
}
WORK = {"replay/.replay/requests.jsonl": RECORD, "replay/.replay/index.parquet": b"PAR1"}


def found(storage: Storage, shadow: str) -> Listing:
    return discover(
        None,
        production=storage.at("captures/churn/v1"),
        shadow=storage.at(shadow),
        aws=storage.aws,
    )


def sidecars(listing: Listing) -> dict[str, str]:
    """Role -> the folder its sidecar lies in."""
    return {item.role: item.location.split("/")[-2] for item in listing.sidecars}


@pytest.mark.parametrize("shadow", ["replay", "replay/churn", "replay/churn/candidate"])
def test_the_candidate_is_the_shadow_and_the_baseline_times_production(
    storage: Storage, shadow: str
) -> None:
    storage.put({**CAPTURES, **CANDIDATE, **BASELINE, **WORK})
    listing = found(storage, shadow)
    assert sidecars(listing) == {"shadow": "candidate", "production": "baseline"}
    assert len(listing.objects) == 2
    assert listing.shadow_variant == "candidate"
    assert listing.listed == len(listing.objects) + 2 + sum(listing.skipped.values())
    assert set(listing.skipped) <= {"replay-baseline", "replay-journal"}


def test_without_a_baseline_there_is_one_sidecar(storage: Storage) -> None:
    storage.put({**CAPTURES, **CANDIDATE})
    assert sidecars(found(storage, "replay/churn/candidate")) == {"shadow": "candidate"}


def test_a_baseline_named_as_the_shadow_is_judged_by_itself(storage: Storage) -> None:
    storage.put({**CAPTURES, **CANDIDATE, **BASELINE})
    listing = found(storage, "replay/churn/baseline")
    assert sidecars(listing) == {"shadow": "baseline"}
    assert listing.skipped == {}


def test_beside_its_captures_a_replay_needs_no_names(storage: Storage) -> None:
    moved = {key.replace("replay/churn", "captures/churn"): body for key, body in CANDIDATE.items()}
    timed = {key.replace("replay/churn", "captures/churn"): body for key, body in BASELINE.items()}
    storage.put({**CAPTURES, **moved, **timed})
    listing = discover(storage.at("captures"), aws=storage.aws)
    assert (listing.production_variant, listing.shadow_variant) == ("v1", "candidate")
    assert sidecars(listing) == {"shadow": "candidate", "production": "baseline"}
    assert listing.skipped == {"replay-baseline": 1}


def test_a_baseline_may_be_named_as_production(storage: Storage) -> None:
    storage.put({**CANDIDATE, **BASELINE})
    listing = discover(
        storage.at("replay"), production="baseline", shadow="candidate", aws=storage.aws
    )
    assert sidecars(listing) == {"shadow": "candidate", "production": "baseline"}
    assert listing.skipped == {}


def test_a_replay_that_is_not_the_shadow_changes_nothing(storage: Storage) -> None:
    moved = {key.replace("replay/churn", "captures/churn"): body for key, body in CANDIDATE.items()}
    live = {f"captures/churn/v2/{HOUR}/a.jsonl": RECORD}
    storage.put({**CAPTURES, **moved, **live})
    listing = discover(storage.at("captures"), production="v1", shadow="v2", aws=storage.aws)
    assert listing.sidecars == ()
    assert listing.skipped == {"other-variant": 1, "replay-sidecar": 1}


def test_a_replay_alone_says_that_a_comparison_needs_two(folder: Storage) -> None:
    folder.put({**CANDIDATE, **BASELINE})
    with pytest.raises(UsageError, match="one variant only: candidate"):
        discover(folder.root)


@pytest.mark.parametrize(
    "bucket",
    ["moto_bucket", pytest.param("local_bucket", marks=pytest.mark.long)],
    indirect=True,
)
def test_a_run_on_s3_gives_the_verdict_of_the_folder(bucket: Storage, tmp_path: Path) -> None:
    production, out = build(tmp_path, World(requests=400, failing=0.01))
    bucket.put(
        {
            path.relative_to(tmp_path).as_posix(): path.read_bytes()
            for path in tmp_path.rglob("*")
            if path.is_file()
        }
    )
    on_s3, in_folder = (
        analysis.run(request, silent).verdict
        for request in (
            analysis.Request(
                production=bucket.at("captures/churn/v1"),
                shadow=bucket.at("replay"),
                aws=bucket.aws,
                use_cache=False,
            ),
            analysis.Request(production=str(production), shadow=str(out), use_cache=False),
        )
    )
    assert on_s3.metrics == in_folder.metrics
    assert on_s3.inputs == in_folder.inputs
    assert on_s3.metrics["failure_rate"].n.pairs == 400
