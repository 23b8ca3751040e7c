from __future__ import annotations

import gzip
import random
import threading
from typing import TYPE_CHECKING

import pytest

from analyzer.errors import AccessError
from analyzer.sources import Chunk, Listing, discover, local, open_chunks, reading
from analyzer.sources.objects import AwsOptions, ObjectError, SourceObject

if TYPE_CHECKING:
    from tests.sources.conftest import Storage

HOUR = "churn/AllTraffic/2026/10/05/13"
SHADOW = "churn/Shadow-01/2026/10/05/13"


def records(seed: int, count: int) -> bytes:
    chance = random.Random(seed)
    return b"".join(
        b'{"n":%d,"data":"%s"}\n' % (n, b"x" * chance.randrange(200)) for n in range(count)
    )


def objects() -> dict[str, bytes]:
    """Objects of every kind: plain, empty at the end, compressed, many-membered, damaged, big."""
    packed = gzip.compress(records(1, 50)) + gzip.compress(records(2, 50))
    return {
        f"{HOUR}/a.jsonl": records(3, 40),
        f"{HOUR}/b.jsonl": records(4, 40)[:-1],
        f"{HOUR}/c.jsonl.gz": packed,
        f"{HOUR}/d.jsonl": packed,
        f"{HOUR}/e.jsonl.gz": packed[:-20],
        f"{HOUR}/f.jsonl.gz": records(5, 10),
        f"{SHADOW}/a.jsonl": records(6, 2000),
        f"{SHADOW}/b.jsonl": b"\n",
        f"{SHADOW}/c d+%41&=\u00e4.jsonl": records(7, 3),
    }


def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART_BYTES", 10_007)


def told(chunks: list[Chunk]) -> list[tuple[object, ...]]:
    """Chunks without the words of a failure, which may name the storage."""
    return [
        (c.object_id, c.role, c.first_line_number, c.data, c.oversize, c.failure and c.failure.code)
        for c in chunks
    ]


def test_a_folder_and_two_s3_servers_give_identical_chunks(
    folder: Storage,
    moto_bucket: Storage,
    local_bucket: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_parts(monkeypatch)
    read = []
    for storage in (folder, moto_bucket, local_bucket):
        storage.put(objects())
        listing = discover(storage.root, aws=storage.aws)
        read.append(told(list(open_chunks(listing, threads=4, read_ahead_bytes=50_000))))
    assert read[0] == read[1] == read[2]
    plain = {
        key: gzip.decompress(body) if body[:2] == b"\x1f\x8b" and "/e." not in key else body
        for key, body in objects().items()
    }
    listing = discover(folder.root)
    for object_id, item in enumerate(listing.objects):
        if "/e." not in item.key:
            parts = [row[3] for row in read[0] if row[0] == object_id]
            assert b"".join(part for part in parts if isinstance(part, bytes)) == plain[item.key]
    assert [row[5] for row in read[0] if row[5]] == ["corrupt-gzip"]


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("limit", [1, 20_000, 1 << 30])
def test_threads_and_read_ahead_change_nothing(
    folder: Storage, monkeypatch: pytest.MonkeyPatch, threads: int, limit: int
) -> None:
    small_parts(monkeypatch)
    folder.put(objects())
    listing = discover(folder.root)
    expected = told(list(open_chunks(listing)))
    assert told(list(open_chunks(listing, threads=threads, read_ahead_bytes=limit))) == expected


def listing_of(*sizes: int) -> Listing:
    found = tuple(
        SourceObject(f"{n}.jsonl", size, "production", None, None, None, f"/nowhere/{n}")
        for n, size in enumerate(sizes)
    )
    return Listing(None, None, None, found, {}, same_objects=False)


def test_no_more_is_read_ahead_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    lock = threading.Lock()
    asked = handed = most = 0

    def read(item: SourceObject, start: int, end: int) -> bytes:
        nonlocal asked, most
        with lock:
            asked += end - start
            most = max(most, asked - handed)
        return b"x" * (end - start - 1) + b"\n" if item.size else b""

    monkeypatch.setattr(local, "read", read)
    listing = listing_of(*[3_000] * 50, 500_000, *[3_000] * 50)
    for chunk in open_chunks(listing, threads=8, read_ahead_bytes=60_000):
        handed += len(chunk.data)
    assert handed == asked == listing.size
    # What is being cut into a chunk (one object of 500,000 bytes at most) is not read ahead.
    assert most <= 60_000 + 500_000 + 2 * reading.PART_BYTES


def test_the_rest_of_a_failed_object_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    asked: list[int] = []

    def read(item: SourceObject, start: int, _end: int) -> bytes:
        asked.append(start)
        raise ObjectError("unreadable", item.key)

    monkeypatch.setattr(local, "read", read)
    chunks = list(open_chunks(listing_of(10_000_000), threads=2, read_ahead_bytes=30_000))
    assert [chunk.failure and chunk.failure.code for chunk in chunks] == ["unreadable"]
    assert len(asked) < 20


def test_progress_counts_objects_and_stored_bytes(folder: Storage) -> None:
    folder.put(objects())
    listing = discover(folder.root)
    told_aloud: list[tuple[int, int, int, int]] = []
    list(open_chunks(listing, progress=lambda *counts: told_aloud.append(counts)))
    sizes = [item.size for item in listing.objects]
    assert told_aloud == [
        (n, len(sizes), sum(sizes[:n]), sum(sizes)) for n in range(1, len(sizes) + 1)
    ]


def test_progress_is_told_inside_a_large_object(
    folder: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PART_BYTES", 1000)
    folder.put({f"{HOUR}/a.jsonl": b"{}\n" * 800, f"{SHADOW}/b.jsonl": b"{}\n" * 100})
    told_aloud: list[tuple[int, int, int, int]] = []
    listing = discover(folder.root)
    list(open_chunks(listing, progress=lambda *counts: told_aloud.append(counts)))
    assert told_aloud == [
        (0, 2, 1000, 2700),
        (0, 2, 2000, 2700),
        (1, 2, 2400, 2700),
        (2, 2, 2700, 2700),
    ]


def test_stopping_early_leaves_no_thread_behind(storage: Storage) -> None:
    storage.put(objects())
    chunks = open_chunks(discover(storage.root, aws=storage.aws))
    next(chunks)
    chunks.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("captures")]


def test_an_object_deleted_after_listing_fails_alone(storage: Storage) -> None:
    storage.put(objects())
    listing = discover(storage.root, aws=storage.aws)
    storage.delete(f"{HOUR}/b.jsonl")
    chunks = list(open_chunks(listing))
    failures = {c.object_id: c.failure.code for c in chunks if c.failure}
    assert failures == {1: "deleted-or-replaced", 4: "corrupt-gzip"}
    assert {chunk.object_id for chunk in chunks} == set(range(len(listing.objects)))


@pytest.mark.parametrize("body", [records(9, 40), records(4, 40)[:-2] + b"?", b"x\n"])
def test_an_object_replaced_after_listing_fails_whole(storage: Storage, body: bytes) -> None:
    storage.put(objects())
    listing = discover(storage.root, aws=storage.aws)
    storage.put({f"{HOUR}/b.jsonl": body})
    chunks = [chunk for chunk in open_chunks(listing) if chunk.object_id == 1]
    assert [chunk.failure and chunk.failure.code for chunk in chunks] == ["deleted-or-replaced"]


def test_a_directory_in_a_files_place_is_unreadable_or_replaced(folder: Storage) -> None:
    folder.put(objects())
    listing = discover(folder.root)
    folder.delete(f"{HOUR}/a.jsonl")
    folder.path(f"{HOUR}/a.jsonl").mkdir()
    first = next(iter(open_chunks(listing)))
    assert first.failure is not None
    assert first.failure.code == "deleted-or-replaced"


def denying(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    def read(item: SourceObject, _start: int, _end: int) -> bytes:
        if item.key in keys:
            raise ObjectError("access-denied", "access denied: s3:GetObject is missing")
        return b"{}\n"

    monkeypatch.setattr(local, "read", read)


def test_one_denied_object_is_a_failure_of_that_object(monkeypatch: pytest.MonkeyPatch) -> None:
    denying(monkeypatch, "1.jsonl")
    chunks = list(open_chunks(listing_of(3, 3, 3)))
    assert [bool(chunk.failure) for chunk in chunks] == [False, True, False]


def test_a_variant_denied_as_a_whole_is_a_missing_permission(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    denying(monkeypatch, "0.jsonl", "1.jsonl", "2.jsonl")
    with pytest.raises(AccessError, match=r"every production object was refused \(3\).*GetObject"):
        list(open_chunks(listing_of(3, 3, 3)))


def test_an_oversize_line_does_not_stop_its_object(storage: Storage) -> None:
    storage.put(
        {f"{HOUR}/a.jsonl": b"{}\n" + b"y" * 9_000_000 + b"\n{}\n", f"{SHADOW}/b.jsonl": b"{}"}
    )
    chunks = list(open_chunks(discover(storage.root, aws=storage.aws), max_line_bytes=1024))
    assert [(c.first_line_number, c.data, bool(c.oversize)) for c in chunks] == [
        (1, b"{}\n", False),
        (2, b"", True),
        (3, b"{}\n", False),
        (1, b"{}", False),
    ]


def test_options_hold_no_secret() -> None:
    assert "secret" not in repr(AwsOptions()).lower()
