"""Far away and many: requests overlap, and twenty thousand objects are all there."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.sources import AwsOptions, discover, listing, open_chunks
from tests.examples import examples
from tests.servers.make_venv import HERE, interpreter
from tests.sources.conftest import client_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.fault_server import FaultServer
    from tests.sources.conftest import Storage

START = datetime(2026, 10, 1, tzinfo=UTC)
VARIANTS = ("AllTraffic", "Shadow-01")


def record(number: int) -> bytes:
    return b'{"captureData":{},"n":%d}\n' % number


def keys(count: int, hours: int) -> list[str]:
    """So many keys, spread over both variants and so many hours."""
    folders = [f"{START + timedelta(hours=hour):%Y/%m/%d/%H}" for hour in range(hours)]
    return [f"churn/{VARIANTS[n % 2]}/{folders[n // 2 % hours]}/{n:06}.jsonl" for n in range(count)]


def pages_of(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a server gave no more keys at a time."""
    ask = listing.Bucket.page

    def short(place: listing.Bucket, *told: Any, most: int | None = None, **more: Any) -> Any:  # noqa: ANN401 - passed on
        return ask(place, *told, most=most or size, **more)

    monkeypatch.setattr(listing.Bucket, "page", short)


def read(source: str, options: AwsOptions) -> list[bytes]:
    found = discover(source, aws=options)
    return sorted(chunk.data for chunk in open_chunks(found))


def test_reading_and_listing_keep_all_connections_busy(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_fourth_hour = [key for n, key in enumerate(keys(400, 200)) if n // 2 % 4 == 0]
    faults.put({key: record(n) for n, key in enumerate(every_fourth_hour)})
    faults.page_size = 10
    monkeypatch.setattr(listing, "PAGES_BEFORE_SPLIT", 1)
    faults.hold("list", "/2026/10/0", 16)
    found = discover("s3://far", aws=faulty)
    faults.hold("get", "", 16)
    assert len([chunk for chunk in open_chunks(found) if chunk.failure is None]) == 100
    assert faults.most_in_flight["list"] >= 16
    assert faults.most_in_flight["get"] >= 16


@dataclass
class FarStore:
    """A snailmail store; it delays every answer once it has been reset."""

    process: subprocess.Popen[str]
    url: str

    def tell(self, word: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told


@pytest.fixture
def far_store() -> Iterator[FarStore]:
    python = interpreter("snailmail")
    if not python.exists():
        pytest.skip("no environment for it: python tests/servers/make_venv.py snailmail")
    command = [str(python), str(HERE / "snailmail" / "serve.py"), "50"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    yield FarStore(process, json.loads(process.stdout.readline())["url"])
    process.communicate(timeout=30)


def test_requests_to_a_far_store_overlap(
    far_store: FarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGES_BEFORE_SPLIT", 1)
    pages_of(30, monkeypatch)
    stored = {key: record(n) for n, key in enumerate(keys(200, 48))}
    client = client_of(far_store.url)
    for key, body in stored.items():
        client.put_object(Bucket="captures", Key=key, Body=body)
    far_store.tell("reset")
    options = AwsOptions(endpoint_url=far_store.url, region="us-east-1")
    found = discover("s3://captures", aws=options)
    listed = far_store.tell("stats")
    assert listed["ops"]["LIST"] > 50
    assert listed["max_in_flight"] >= 8
    far_store.tell("reset")
    assert sorted(chunk.data for chunk in open_chunks(found)) == sorted(stored.values())
    got = far_store.tell("stats")
    assert got["ops"] == {"GET": 200}
    assert got["max_in_flight"] >= 8


def stored_on_disk(storage: Storage, root: Path, count: int, hours: int) -> list[bytes]:
    """Put objects where localbucket keeps them, past its own slow way; gives their lines."""
    bucket = root / storage.root.removeprefix("s3://")
    for n, key in enumerate(keys(count, hours)):
        path = bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(record(n))
    return sorted(record(n) for n in range(count))


def test_more_objects_than_a_page_holds_are_listed_and_read(
    local_bucket: Storage, localbucket_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages_of(examples(60, whole=1_000), monkeypatch)
    count = examples(130, whole=1_020)
    expected = stored_on_disk(local_bucket, localbucket_root, count, 10)
    assert read(local_bucket.root, local_bucket.aws) == expected


@pytest.mark.long
@pytest.mark.parametrize("hours", [24, 240])
def test_twenty_thousand_objects_are_listed_and_read(
    local_bucket: Storage, localbucket_root: Path, hours: int
) -> None:
    expected = stored_on_disk(local_bucket, localbucket_root, 20_000, hours)
    assert read(local_bucket.root, local_bucket.aws) == expected
    since, until = START + timedelta(hours=5), START + timedelta(hours=6)
    found = discover(local_bucket.root, aws=local_bucket.aws, since=since, until=until)
    an_hour = 20_000 // hours
    assert abs(len(found.objects) - 3 * an_hour) <= 6
    assert abs(found.listed - 24 * an_hour) <= 48
