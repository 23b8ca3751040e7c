"""Bodies that break off and servers that fail, from a loopback server that does it."""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from analyzer.errors import AccessError
from analyzer.sources import AwsOptions, Chunk, discover, open_chunks, reading, s3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message


KEY = "churn/AllTraffic/2026/10/05/13/a.jsonl"
OTHER = "churn/Shadow-01/2026/10/05/13/b.jsonl"
BODY = b"".join(b'{"n":%d}\n' % n for n in range(20_000))
ETAG = hashlib.md5(BODY, usedforsecurity=False).hexdigest()


@dataclass
class Script:
    """What the server does to the GETs of `KEY`, in order; afterwards it behaves.

    A number is how many bytes of the body it sends before it hangs up; a text is an error code.
    """

    steps: list[int | str] = field(default_factory=list)
    etag: str = ETAG
    ranges: list[str | None] = field(default_factory=list)
    if_match: list[str | None] = field(default_factory=list)
    ignores_range: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_step(self, headers: Message) -> int | str | None:
        with self.lock:
            self.ranges.append(headers.get("Range"))
            self.if_match.append(headers.get("If-Match"))
            return self.steps.pop(0) if self.steps else None


def handler_of(scripts: list[Script]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            if "list-type=2" in self.path:
                self.answer(200, listing())
            elif "AllTraffic" in self.path:
                self.object(scripts[-1].next_step(self.headers))
            else:
                self.answer(200, BODY, {"ETag": f'"{ETAG}"'})

        def object(self, step: int | str | None) -> None:
            if isinstance(step, str):
                status = 503 if step in {"SlowDown", "InternalError"} else 403
                self.answer(status, b"<Error><Code>%s</Code></Error>" % step.encode())
                return
            start, status, headers = 0, 200, {"ETag": f'"{scripts[-1].etag}"'}
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            end = len(BODY)
            if asked and not scripts[-1].ignores_range:
                start, end, status = int(asked[1]), int(asked[2]) + 1, 206
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(BODY)}"
            self.answer(status, BODY[start:end], headers, cut=step)

        def answer(
            self,
            status: int,
            body: bytes,
            headers: dict[str, str] | None = None,
            cut: int | None = None,
        ) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[:cut])

    return Handler


def listing() -> bytes:
    contents = "".join(
        f"<Contents><Key>{key}</Key><Size>{len(BODY)}</Size><ETag>&quot;{ETAG}&quot;</ETag>"
        "<LastModified>2026-10-05T13:01:00.000Z</LastModified></Contents>"
        for key in (KEY, OTHER)
    )
    return (
        f"<ListBucketResult>{contents}<IsTruncated>false</IsTruncated></ListBucketResult>".encode()
    )


@dataclass
class Faulty:
    script: Script
    aws: AwsOptions

    def read(self) -> list[Chunk]:
        """The chunks of the object the script is about."""
        found = discover("s3://faulty", aws=self.aws)
        return [chunk for chunk in open_chunks(found, threads=2) if chunk.object_id == 0]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[list[Script], str]]:
    """A server that follows the last of the scripts, and its address."""
    scripts = [Script()]
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(scripts))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield scripts, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def faulty(served: tuple[list[Script], str], monkeypatch: pytest.MonkeyPatch) -> Faulty:
    monkeypatch.setattr(s3, "PAUSE_SECONDS", 0.001)
    scripts, url = served
    scripts.append(Script())
    return Faulty(scripts[-1], AwsOptions(endpoint_url=url))


def whole(chunks: list[Chunk]) -> bytes:
    assert not [chunk.failure for chunk in chunks if chunk.failure]
    return b"".join(chunk.data for chunk in chunks)


@pytest.mark.parametrize("cuts", [[0], [1], [100, 7], [len(BODY) - 1], [5, 5, 5, 5, 5]])
def test_a_body_that_breaks_off_is_resumed_where_it_broke(faulty: Faulty, cuts: list[int]) -> None:
    faulty.script.steps = [*cuts]
    assert whole(faulty.read()) == BODY
    starts = [sum(cuts[:n]) for n in range(1, len(cuts) + 1)]
    expected = [f"bytes={start}-{len(BODY) - 1}" if start else None for start in starts]
    assert faulty.script.ranges == [None, *expected]
    assert set(faulty.script.if_match) == {f'"{ETAG}"'}


def test_parts_of_a_large_object_are_resumed_each(
    faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PART_BYTES", 50_000)
    faulty.script.steps = [10, 20, 30, 40, 50]
    assert whole(faulty.read()) == BODY
    assert all(faulty.script.ranges)


def test_a_body_that_always_breaks_off_fails_after_a_bounded_number_of_tries(
    faulty: Faulty,
) -> None:
    faulty.script.steps = [10] * 100
    chunks = faulty.read()
    assert [chunk.failure and chunk.failure.code for chunk in chunks] == ["incomplete-body"]
    assert len(faulty.script.ranges) == 6


def test_an_object_replaced_between_break_and_resume_is_never_mixed(
    faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty.script.steps = [100]
    step = faulty.script.next_step

    def replace_after_first(headers: Message) -> int | str | None:
        faulty.script.etag = ETAG if not faulty.script.ranges else "another"
        return step(headers)

    monkeypatch.setattr(faulty.script, "next_step", replace_after_first)
    chunks = faulty.read()
    assert [chunk.failure and chunk.failure.code for chunk in chunks] == ["deleted-or-replaced"]


def test_a_server_that_ignores_range_is_not_believed(faulty: Faulty) -> None:
    faulty.script.steps = [100]
    faulty.script.ignores_range = True
    assert [chunk.data for chunk in faulty.read()] == [b""]


@pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
def test_a_server_that_is_busy_for_a_moment_is_asked_again(faulty: Faulty, code: str) -> None:
    faulty.script.steps = [code]
    assert whole(faulty.read()) == BODY


@pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
def test_a_server_that_stays_busy_stops_the_run(faulty: Faulty, code: str) -> None:
    faulty.script.steps = [code] * 20
    faulty.aws = AwsOptions(endpoint_url=faulty.aws.endpoint_url, max_attempts=2)
    with pytest.raises(AccessError, match=rf"still failing after retries.*{code}"):
        faulty.read()


def test_credentials_that_expire_in_the_middle_stop_the_run(faulty: Faulty) -> None:
    faulty.script.steps = [100, "ExpiredToken"]
    with pytest.raises(AccessError, match="credentials have expired"):
        faulty.read()


def test_denying_one_whole_variant_names_the_permission(faulty: Faulty) -> None:
    faulty.script.steps = ["AccessDenied"]
    with pytest.raises(AccessError, match=r"every production object was refused.*s3:GetObject"):
        faulty.read()


def test_nobody_answering_is_one_line_with_what_to_check() -> None:
    nobody = AwsOptions(endpoint_url="http://127.0.0.1:9", max_attempts=1)
    with pytest.raises(AccessError, match=r"unreachable after retries.*--endpoint-url") as error:
        discover("s3://faulty/p", aws=nobody)
    assert "\n" not in str(error.value)
