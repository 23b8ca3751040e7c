"""Any call to S3 may fail: it is tried again, or counted and held, or ends the run in one line.

The long suite fails every call in every way:
`python -m pytest tests/faults/test_s3_calls.py --long`.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from tests.faults.refusing_bucket import Bucket
from tests.faults.shadow_tests import SHADOW, object_path, put_hours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Say
    from tests.forked_runs import Ended, ForkedRuns

PASSING = ("slow down", "internal", "reset", "cut")
"""What is gone when the call is made again."""

LASTING = ("denied", "gone", "expired")
"""What is not tried again."""


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    with Bucket(tmp_path / "s3") as made:
        put_hours(made.folder, range(3))
        yield made


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The verdict on what lies in the bucket, read from a folder."""
    return read_in(put_hours(tmp_path_factory.mktemp("folder"), range(3)))


def read_in(folder: Path) -> bytes:
    """The verdict.json of a folder's captures."""
    request = analysis.Request(source=str(folder), use_cache=False)
    return analysis.run(request, silent).verdict.to_json().encode()


def surroundings(cache: Path) -> dict[str, str | Path]:
    return {
        "XDG_CACHE_HOME": cache,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@dataclass
class Fault:
    """Fails one call.

    Attributes:
        failed: the keys of the calls that it failed.
    """

    number: int
    how: str
    failed: list[str] = field(default_factory=list)

    def __call__(self, number: int, key: str) -> str | None:
        if number != self.number:
            return None
        self.failed.append(key)
        return self.how


def check(forked: ForkedRuns, bucket: Bucket, root: Path, fault: Fault, expected: bytes) -> Ended:
    """See what a run makes of a fault, then run again without it."""
    out, env = root / "out", surroundings(root / "cache")
    bucket.healed()
    bucket.fault = fault
    ended = forked.run(bucket.arguments("--out", out), env)
    (key,) = fault.failed
    verdict = json.loads((out / "verdict.json").read_bytes())
    if fault.how in PASSING:
        assert (ended.code, ended.said) == (10, "")
        assert (out / "verdict.json").read_bytes() == expected
    elif ended.code == 10:
        code = {"denied": "access-denied", "gone": "deleted-or-replaced"}[fault.how]
        assert verdict["inputs"]["objects_failed"] == {code: 1}
        assert verdict["gates"]["objects"]["outcome"] == "fail"
        assert any(key in note["text"] for note in verdict["notes"])
    else:
        # A refused listing, or credentials that no call will be answered with.
        assert not key or fault.how == "expired"
        assert ended.code in {3, 4}
        assert ended.said.startswith("error: ")
        assert ended.said.count("\n") == 1
        assert (verdict["decision"], verdict["exit_code"]) == ("ERROR", ended.code)
    bucket.healed()
    again = forked.run(bucket.arguments("--out", out), env)
    assert (again.code, again.said) == (10, "")
    assert (out / "verdict.json").read_bytes() == expected
    return ended


@pytest.mark.parametrize(
    "fault",
    [
        Fault(1, "slow down"),
        Fault(1, "denied"),
        Fault(2, "cut"),
        Fault(4, "gone"),
        pytest.param(Fault(3, "reset"), marks=pytest.mark.long),
        pytest.param(Fault(5, "denied"), marks=pytest.mark.long),
    ],
    ids=lambda fault: f"{fault.how} {fault.number}",
)
def test_a_call_that_fails_is_made_again_or_counted_or_ends_the_run(
    forked: ForkedRuns, bucket: Bucket, tmp_path: Path, fault: Fault, expected: bytes
) -> None:
    check(forked, bucket, tmp_path / "run", fault, expected)


@pytest.mark.long
def test_whichever_call_fails_in_whichever_way_a_run_ends_in_order(
    forked: ForkedRuns, bucket: Bucket, tmp_path: Path, expected: bytes, say: Say
) -> None:
    started = time.perf_counter()
    arguments = bucket.arguments("--no-cache", "--out", tmp_path / "counted")
    assert forked.run(arguments, surroundings(tmp_path / "cache")).code == 10
    calls = len(bucket.calls)
    codes: Counter[int] = Counter()
    for number in range(1, calls + 1):
        for how in (*PASSING, *LASTING):
            root = tmp_path / f"{number}-{how.replace(' ', '-')}"
            codes[check(forked, bucket, root, Fault(number, how), expected).code] += 1
    found = ", ".join(f"{times} times exit code {code}" for code, times in sorted(codes.items()))
    say(
        f"{calls} calls to S3 failed in {len(PASSING + LASTING)} ways each: {found}; "
        f"{time.perf_counter() - started:,.0f} s"
    )


def from_on(first: int, fault: str, number: int, _: str) -> str | None:
    return fault if number >= first else None


@pytest.mark.long
def test_a_server_that_stays_down_is_exit_code_4_after_retries(
    forked: ForkedRuns, bucket: Bucket, tmp_path: Path
) -> None:
    env = surroundings(tmp_path / "cache")
    for number, fault in ((1, "slow down"), (3, "internal"), (3, "reset")):
        bucket.healed()
        bucket.fault = partial(from_on, number, fault)
        ended = forked.run(bucket.arguments("--out", tmp_path / "out"), env)
        assert ended.code == 4, ended
        assert ended.said.count("\n") == 1
        assert "after retries" in ended.said
        assert json.loads((tmp_path / "out/verdict.json").read_bytes())["decision"] == "ERROR"


def test_another_etag_is_another_object_and_the_same_one_is_not_asked_for_again(
    forked: ForkedRuns, bucket: Bucket, tmp_path: Path
) -> None:
    out, env = tmp_path / "out", surroundings(tmp_path / "cache")
    assert forked.run(bucket.arguments("--out", out), env).code == 10
    assert sorted(key for key in bucket.calls if key) == sorted(set(bucket.calls) - {""})
    path = object_path(bucket.folder, SHADOW, 1)
    put = path.read_bytes().replace(b"0.26", b"0.96")
    path.write_bytes(put)
    bucket.healed()
    assert forked.run(bucket.arguments("--out", out), env).code == 10
    assert [key for key in bucket.calls if key] == [path.relative_to(bucket.folder).as_posix()]
    assert (out / "verdict.json").read_bytes() == read_in(bucket.folder)


@pytest.mark.parametrize("fault", ["denied", pytest.param("gone", marks=pytest.mark.long)])
def test_one_new_object_that_fails_is_counted_however_much_was_read_before(
    forked: ForkedRuns, bucket: Bucket, tmp_path: Path, fault: str
) -> None:
    """An incremental run reads only that one of its variant, and it is not all there is."""
    out, env = tmp_path / "out", surroundings(tmp_path / "cache")
    assert forked.run(bucket.arguments("--out", out), env).code == 10
    put_hours(bucket.folder, [3])
    new = object_path(bucket.folder, SHADOW, 3).relative_to(bucket.folder).as_posix()
    bucket.fault = lambda _, key: fault if key == new else None
    fresh = forked.run(bucket.arguments("--no-cache", "--out", out), env)
    assert fresh.code == 10
    expected = (out / "verdict.json").read_bytes()
    incremental = forked.run(bucket.arguments("--out", out), env)
    assert incremental.code == 10, incremental.said
    assert (out / "verdict.json").read_bytes() == expected
