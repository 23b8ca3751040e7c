"""A whole run on S3 gives the bytes it gives on a folder, on two unrelated servers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.errors import InputError
from analyzer.sources import listing
from tests.faults.shadow_tests import hour_lines, put_object

if TYPE_CHECKING:
    from analyzer.model import Verdict
    from tests.sources.conftest import Storage

SCENARIO = Path(__file__).parents[2] / "sample_data" / "broken"
CAPTURES = SCENARIO / "captures"


def put(bucket: Storage, captures: Path) -> None:
    """Every file of a folder, below a prefix."""
    files = {
        path.relative_to(captures).as_posix(): path.read_bytes()
        for path in sorted(captures.rglob("*"))
        if path.is_file()
    }
    bucket.put({f"some/prefix/{key}": body for key, body in files.items()})


@pytest.fixture
def request_on_s3(bucket: Storage) -> analysis.Request:
    put(bucket, CAPTURES)
    return analysis.Request(
        source=bucket.at("some/prefix"),
        cloudwatch=(str(SCENARIO / "cloudwatch"),),
        policy_file=SCENARIO / "policy.toml",
        aws=bucket.aws,
    )


def as_in_a_folder(verdict: Verdict) -> str:
    return verdict.to_json().replace("some/prefix/", "")


on_both_servers = pytest.mark.parametrize(
    "bucket",
    [pytest.param("moto_bucket", marks=pytest.mark.long), "local_bucket"],
    indirect=True,
)
"""By default on the one that is read faster; `test_listing` lists windows on both."""


@on_both_servers
def test_a_run_on_s3_gives_the_verdict_of_the_folder(request_on_s3: analysis.Request) -> None:
    golden = (SCENARIO / "expected_verdict.json").read_text(encoding="utf-8")
    assert as_in_a_folder(analysis.run(request_on_s3, silent).verdict) == golden


def put_three_days(folder: Path) -> Path:
    """An object an hour and variant."""
    for variant in ("v1", "v2-shadow"):
        for hour in range(72):
            at = f"2026/03/{1 + hour // 24:02}/{hour % 24:02}"
            lines = b"\n".join(hour_lines(hour, variant, requests=4))
            put_object(folder / "endpoint" / variant / at / "a.jsonl", lines)
    return folder


@on_both_servers
def test_a_run_over_a_window_leaves_out_the_same_objects_on_s3_and_in_a_folder(
    bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures = put_three_days(tmp_path)
    put(bucket, captures)
    on_s3 = analysis.Request(
        source=bucket.at("some/prefix"),
        aws=bucket.aws,
        since="2026-03-01T12:00Z",
        until="2026-03-02T12:00Z",
    )
    check_window(on_s3, captures, monkeypatch)


@pytest.mark.long
@on_both_servers
def test_a_run_over_a_window_of_a_whole_scenario_leaves_out_the_same_objects(
    request_on_s3: analysis.Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    windowed = replace(request_on_s3, since="2026-11-17T12:00Z", until="2026-11-18T12:00Z")
    check_window(windowed, CAPTURES, monkeypatch)


def check_window(
    windowed: analysis.Request, captures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From one noon to the next, on S3 and in the folder that was put there."""
    ask = listing.Bucket.page

    def short(
        place: listing.Bucket,
        prefix: str,
        token: str | None = None,
        *,
        most: int | None = None,
        delimiter: str = "",
    ) -> listing.Page:
        return ask(place, prefix, token, most=most or 30, delimiter=delimiter)

    monkeypatch.setattr(listing.Bucket, "page", short)
    on_s3 = analysis.run(windowed, silent).verdict
    inputs = on_s3.inputs
    # Both days whole, of both variants; and of the hours, those of the window and one beside it.
    assert inputs.objects_listed == 2 * 48
    assert inputs.objects_skipped == {"outside-window": 2 * (48 - 26)}
    counted = inputs.objects_read + sum(inputs.objects_skipped.values())
    assert counted + sum(inputs.objects_failed.values()) == inputs.objects_listed
    in_a_folder = analysis.run(replace(windowed, source=str(captures)), silent).verdict
    assert as_in_a_folder(on_s3) == in_a_folder.to_json()


def test_a_bundle_on_s3_is_no_noise_floor_and_the_error_says_where_one_is_read_from(
    moto_bucket: Storage,
) -> None:
    moto_bucket.put({"bundle/verdict.json": b"{}", "bundle/manifest.json": b"{}"})
    asked = analysis.Request(
        source=str(CAPTURES), noise_floor=moto_bucket.at("bundle"), aws=moto_bucket.aws
    )
    with pytest.raises(InputError, match="a bundle is read from a folder on this machine"):
        analysis.run(asked, silent)
