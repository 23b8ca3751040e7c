"""Bodies that break off: resumed where they broke, never taken for whole, never mixed."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass

import pytest

from analyzer.errors import AccessError
from analyzer.sources import AwsOptions, Chunk, aws, discover, open_chunks, reading, s3
from tests.faults.fault_server import (
    ACCESS_DENIED,
    EXPIRED_TOKEN,
    KMS_DENIED,
    SLOW_DOWN,
    Cut,
    Delete,
    Fault,
    FaultServer,
    Flip,
    Relabel,
    Replace,
    Reset,
    Stall,
    etag_of,
)

KEY = "churn/AllTraffic/2026/10/05/13/a.jsonl"
OTHER = "churn/Shadow-01/2026/10/05/13/b.jsonl"
BODY = b"".join(b'{"n":%d}\n' % n for n in range(20_000))


@dataclass
class Object:
    """The one object whose GETs a test is about."""

    server: FaultServer
    aws: AwsOptions

    def fails(self, *faults: Fault) -> None:
        self.server.plan("get", "AllTraffic", *faults)

    def read(self) -> list[Chunk]:
        found = discover("s3://faulty", aws=self.aws)
        return [chunk for chunk in open_chunks(found, threads=2) if chunk.object_id == 0]

    @property
    def ranges(self) -> list[str | None]:
        return [one.headers.get("Range") for one in self.server.seen("get", "AllTraffic")]

    @property
    def if_match(self) -> set[str | None]:
        return {one.headers.get("If-Match") for one in self.server.seen("get", "AllTraffic")}


@pytest.fixture
def item(faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch) -> Object:
    monkeypatch.setattr(s3, "PAUSE_SECONDS", 0.001)
    faults.put({KEY: BODY, OTHER: BODY})
    return Object(faults, faulty)


def whole(chunks: list[Chunk]) -> bytes:
    assert not [chunk.failure for chunk in chunks if chunk.failure]
    return b"".join(chunk.data for chunk in chunks)


def codes(chunks: list[Chunk]) -> list[str]:
    return [chunk.failure.code for chunk in chunks if chunk.failure]


@pytest.mark.parametrize("cuts", [[0], [1], [100, 7], [len(BODY) - 1], [5, 5, 5, 5, 5]])
def test_a_body_that_breaks_off_is_resumed_where_it_broke(item: Object, cuts: list[int]) -> None:
    item.fails(*map(Cut, cuts))
    assert whole(item.read()) == BODY
    starts = [sum(cuts[:n]) for n in range(1, len(cuts) + 1)]
    expected = [f"bytes={start}-{len(BODY) - 1}" if start else None for start in starts]
    assert item.ranges == [None, *expected]
    assert item.if_match == {f'"{etag_of(BODY)}"'}


def test_a_reset_in_the_middle_of_a_body_is_resumed(item: Object) -> None:
    item.fails(Reset(1000), Reset(0))
    assert whole(item.read()) == BODY
    assert item.if_match == {f'"{etag_of(BODY)}"'}


def test_a_body_that_stalls_is_given_up_and_resumed(
    item: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "READ_TIMEOUT_S", 1)
    monkeypatch.setattr(s3, "BLOCK_BYTES", 500)
    aws.s3_client.cache_clear()
    item.fails(Stall(1000))
    assert whole(item.read()) == BODY
    assert item.ranges == [None, f"bytes=1000-{len(BODY) - 1}"]
    aws.s3_client.cache_clear()


def test_parts_of_a_large_object_are_resumed_each(
    item: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PART_BYTES", 50_000)
    item.fails(*map(Cut, [10, 20, 30, 40, 50]))
    assert whole(item.read()) == BODY
    assert all(item.ranges)


def test_a_body_that_always_breaks_off_fails_after_a_bounded_number_of_tries(
    item: Object,
) -> None:
    item.fails(*[Cut(10)] * 100)
    chunks = item.read()
    assert [chunk.failure and chunk.failure.code for chunk in chunks] == ["incomplete-body"]
    assert len(item.ranges) == 6


@pytest.mark.parametrize("fault", [Relabel("another"), Replace(BODY[::-1]), Delete()])
def test_an_object_replaced_between_break_and_resume_is_never_mixed(
    item: Object, fault: Fault
) -> None:
    item.fails(Cut(100), fault)
    chunks = item.read()
    assert [chunk.failure and chunk.failure.code for chunk in chunks] == ["deleted-or-replaced"]


def test_a_server_that_ignores_if_match_is_still_found_out(item: Object) -> None:
    item.server.ignores_if_match = True
    item.fails(Replace(BODY[::-1]))
    assert codes(item.read()) == ["deleted-or-replaced"]


@pytest.mark.parametrize("fault", [Delete(), Replace(b"{}\n"), Relabel("another")])
def test_an_object_changed_after_it_was_listed_fails_alone(item: Object, fault: Fault) -> None:
    item.fails(fault)
    chunks = list(open_chunks(discover("s3://faulty", aws=item.aws), threads=2))
    assert codes(chunks) == ["deleted-or-replaced"]
    assert b"".join(chunk.data for chunk in chunks if chunk.object_id == 1) == BODY


def test_a_server_that_ignores_range_is_not_believed(item: Object) -> None:
    item.fails(Cut(100))
    item.server.ignores_range = True
    assert [chunk.data for chunk in item.read()] == [b""]


def test_a_body_that_does_not_match_its_checksum_is_not_believed(item: Object) -> None:
    crc32 = base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
    item.server.object_headers["x-amz-checksum-crc32"] = crc32
    assert whole(item.read()) == BODY
    item.fails(Flip(500))
    assert codes(item.read()) == ["corrupt-body"]


def test_busy_answers_between_breaks_change_nothing(item: Object, pauses: list[float]) -> None:
    item.fails(Cut(100), SLOW_DOWN, Cut(50), SLOW_DOWN)
    assert whole(item.read()) == BODY
    assert len(pauses) == 2


def test_credentials_that_expire_in_the_middle_stop_the_run(item: Object) -> None:
    item.fails(Cut(100), EXPIRED_TOKEN)
    with pytest.raises(AccessError, match="credentials have expired"):
        item.read()


@pytest.mark.parametrize(
    ("fault", "permission"), [(ACCESS_DENIED, "s3:GetObject"), (KMS_DENIED, "kms:Decrypt")]
)
def test_denying_one_whole_variant_names_the_permission(
    item: Object, fault: Fault, permission: str
) -> None:
    item.fails(fault)
    with pytest.raises(AccessError, match=rf"every production object was refused.*{permission}"):
        item.read()
