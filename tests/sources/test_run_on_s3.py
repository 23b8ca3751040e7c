"""A whole run on S3 gives the bytes it gives on a folder, on two unrelated servers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analyzer import analysis
from analyzer.progress import silent

if TYPE_CHECKING:
    from tests.sources.conftest import Storage

SCENARIO = Path(__file__).parents[2] / "sample_data" / "broken"


def test_a_run_on_s3_gives_the_verdict_of_the_folder(bucket: Storage) -> None:
    captures = SCENARIO / "captures"
    files = {
        path.relative_to(captures).as_posix(): path.read_bytes()
        for path in sorted(captures.rglob("*"))
        if path.is_file()
    }
    bucket.put({f"some/prefix/{key}": body for key, body in files.items()})
    request = analysis.Request(
        source=bucket.at("some/prefix"),
        cloudwatch=(str(SCENARIO / "cloudwatch"),),
        policy_file=SCENARIO / "policy.toml",
        aws=bucket.aws,
    )
    golden = (SCENARIO / "expected_verdict.json").read_text(encoding="utf-8")
    got = analysis.run(request, silent).verdict.to_json()
    assert got.replace("some/prefix/", "") == golden
