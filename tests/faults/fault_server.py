"""An S3 server on loopback that fails as a script says, and remembers what it was asked.

In: objects, and for each operation a list of faults that are used up in order; afterwards it
behaves. Out: real HTTP answers, so that the client's own retries and parsing are under test.

    server.put({"churn/AllTraffic/2026/10/05/13/a.jsonl": body})
    server.plan("get", "AllTraffic", SLOW_DOWN, Cut(100), Reset(), Delete())

It knows ListObjectsV2, GetObject with Range and If-Match, and HeadBucket, of any bucket name.
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import struct
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Operation = Literal["list", "get", "head"]
MODIFIED = "2026-10-05T03:01:00.000Z"


@dataclass(frozen=True)
class Refuse:
    """An error answer; `code` empty means no body, as of a HEAD or a broken proxy."""

    status: int
    code: str = ""
    message: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Cut:
    """The connection closes after so many bytes of the body; of nothing at all when negative."""

    at: int


@dataclass(frozen=True)
class Reset:
    """The connection is reset after so many bytes of the body; before any answer when negative."""

    at: int = -1


@dataclass(frozen=True)
class Stall:
    """Nothing more comes after so many bytes of the body; no answer at all when negative."""

    at: int = -1


@dataclass(frozen=True)
class Relabel:
    """The answer names another ETag than the listing did, and ignores If-Match."""

    etag: str


@dataclass(frozen=True)
class Replace:
    """The object is overwritten before this request is answered."""

    body: bytes


@dataclass(frozen=True)
class Delete:
    """The object is deleted before this request is answered."""


@dataclass(frozen=True)
class Flip:
    """One byte of the body is changed on the way; checksums and lengths stay."""

    at: int


Fault: TypeAlias = Refuse | Cut | Reset | Stall | Relabel | Replace | Delete | Flip

SLOW_DOWN = Refuse(503, "SlowDown", "Please reduce your request rate.")
INTERNAL_ERROR = Refuse(500, "InternalError", "We encountered an internal error.")
UNAVAILABLE = Refuse(503)
BAD_GATEWAY = Refuse(502)
EXPIRED_TOKEN = Refuse(400, "ExpiredToken", "The provided token has expired.")
ACCESS_DENIED = Refuse(403, "AccessDenied", "Access Denied")
KMS_DENIED = Refuse(
    403,
    "AccessDenied",
    "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: kms:Decrypt on "
    "resource: arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
)
NO_SUCH_BUCKET = Refuse(404, "NoSuchBucket", "The specified bucket does not exist")


@dataclass(frozen=True)
class Asked:
    """One request as it came.

    Attributes:
        key: of the object, or the prefix of a listing.
    """

    operation: Operation
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass
class _Plan:
    operation: Operation
    part_of_key: str
    faults: list[Fault]


@dataclass
class _Hold:
    operation: Operation
    part_of_key: str
    company: int
    waiting: int = 0


@dataclass
class FaultServer:
    """What the server holds, does and has seen; safe to use while it serves.

    Attributes:
        url: where it listens.
        page_size: most keys and folders in one page of a listing.
        ignores_range, ignores_if_match: what some servers do.
        shuffled: pages come in an order that is not the keys'.
        most_in_flight: of each operation, the most requests that were being answered at once.
    """

    url: str = ""
    page_size: int = 1000
    ignores_range: bool = False
    ignores_if_match: bool = False
    shuffled: bool = False
    object_headers: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    most_in_flight: Counter[str] = field(default_factory=Counter)
    _plans: list[_Plan] = field(default_factory=list)
    _hold: _Hold | None = None
    _in_flight: Counter[str] = field(default_factory=Counter)
    _change: threading.Condition = field(default_factory=threading.Condition)
    _closing: threading.Event = field(default_factory=threading.Event)

    def reset(self) -> None:
        """Forget everything but the address."""
        with self._change:
            fresh = FaultServer(url=self.url)
            for name in ("page_size", "ignores_range", "ignores_if_match", "shuffled", "_hold"):
                setattr(self, name, getattr(fresh, name))
            for kept in (self.object_headers, self.objects, self.asked, self._plans):
                kept.clear()
            self.most_in_flight.clear()

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Store objects."""
        self.objects.update(objects)

    def plan(self, operation: Operation, part_of_key: str, *faults: Fault) -> None:
        """Faults for the next requests of this kind whose key or prefix contains a text."""
        with self._change:
            self._plans.append(_Plan(operation, part_of_key, list(faults)))

    def hold(self, operation: Operation, part_of_key: str, company: int) -> None:
        """Answer no request of this kind before so many of them are waiting at once.

        After ten seconds without the company, each goes on alone; `most_in_flight` then tells.
        """
        with self._change:
            self._hold = _Hold(operation, part_of_key, company)

    def seen(self, operation: Operation, part_of_key: str = "") -> list[Asked]:
        """The requests of this kind so far, in the order they came."""
        with self._change:
            return [
                one for one in self.asked if one.operation == operation and part_of_key in one.key
            ]

    def arrive(self, asked: Asked) -> Fault | None:
        """Note a request, hold it if that is asked for, and give the fault that is due."""
        with self._change:
            self.asked.append(asked)
            self._in_flight[asked.operation] += 1
            most = max(self.most_in_flight[asked.operation], self._in_flight[asked.operation])
            self.most_in_flight[asked.operation] = most
            hold = self._hold
            if hold and hold.operation == asked.operation and hold.part_of_key in asked.key:
                hold.waiting += 1
                self._change.notify_all()
                self._change.wait_for(
                    lambda: hold.waiting >= hold.company or self._closing.is_set(), timeout=10
                )
            return self._due(asked)

    def leave(self, asked: Asked) -> None:
        """Note that a request has been answered."""
        with self._change:
            self._in_flight[asked.operation] -= 1

    def _due(self, asked: Asked) -> Fault | None:
        for plan in self._plans:
            if plan.faults and plan.operation == asked.operation and plan.part_of_key in asked.key:
                return plan.faults.pop(0)
        return None

    def wait_for_close(self) -> None:
        """Say nothing for as long as the server lives."""
        self._closing.wait(60)

    def close(self) -> None:
        """Let stalled and held requests go."""
        self._closing.set()
        with self._change:
            self._change.notify_all()

    def listing(self, query: Mapping[str, str]) -> bytes:
        """One page of ListObjectsV2."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        token = query.get("continuation-token")
        after = base64.urlsafe_b64decode(token).decode() if token else query.get("start-after", "")
        most = min(int(query.get("max-keys", "1000")), self.page_size)
        rows = sorted(
            {_rolled_up(key, prefix, delimiter) for key in self.objects if key.startswith(prefix)}
        )
        rows = [row for row in rows if row > after]
        page, more = rows[:most], len(rows) > most
        following = base64.urlsafe_b64encode(page[-1].encode()).decode() if more else ""
        if self.shuffled:
            page = page[::-1]
        quoted = quote if query.get("encoding-type") == "url" else str
        parts = [
            f"<CommonPrefixes><Prefix>{escape(quoted(row))}</Prefix></CommonPrefixes>"
            if row not in self.objects
            else f"<Contents><Key>{escape(quoted(row))}</Key><Size>{len(self.objects[row])}</Size>"
            f"<ETag>&quot;{etag_of(self.objects[row])}&quot;</ETag>"
            f"<LastModified>{MODIFIED}</LastModified></Contents>"
            for row in page
        ]
        paging = f"<NextContinuationToken>{following}</NextContinuationToken>" if more else ""
        encoding = "<EncodingType>url</EncodingType>" if quoted is quote else ""
        return (
            f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{"".join(parts)}'
            f"<KeyCount>{len(page)}</KeyCount>{encoding}"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{paging}</ListBucketResult>"
        ).encode()


def etag_of(body: bytes) -> str:
    """The ETag S3 gives an object uploaded in one go, without quotes."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _rolled_up(key: str, prefix: str, delimiter: str) -> str:
    """A key, or the common prefix that stands for it."""
    below = key[len(prefix) :]
    if delimiter and delimiter in below:
        return prefix + below[: below.index(delimiter) + len(delimiter)]
    return key


class LoopbackServer(ThreadingHTTPServer):
    """A server that many connect to at once: with the usual queue of five, the others wait 1 s."""

    request_queue_size = 128
    daemon_threads = True


@contextmanager
def serving() -> Iterator[FaultServer]:
    """A server for as long as the block lasts."""
    state = FaultServer()
    handler = type("Handler", (_Handler,), {"state": state})
    server = LoopbackServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.close()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: FaultServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.serve("head")

    def do_GET(self) -> None:
        self.serve("list" if "list-type=2" in self.path else "get")

    def serve(self, operation: Operation) -> None:
        asked = self.read(operation)
        fault = self.state.arrive(asked)
        try:
            self.respond(asked, fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            self.state.leave(asked)

    def read(self, operation: Operation) -> Asked:
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        key = query.get("prefix", "") if operation == "list" else key
        return Asked(operation, bucket, key, query, dict(self.headers.items()))

    def respond(self, asked: Asked, fault: Fault | None) -> None:
        if isinstance(fault, Refuse):
            said = f"<Code>{fault.code}</Code><Message>{escape(fault.message)}</Message>"
            body = f"<Error>{said}</Error>".encode() if fault.code else b""
            self.answer(fault.status, body, dict(fault.headers))
        elif isinstance(fault, Stall) and fault.at < 0:
            self.state.wait_for_close()
        elif isinstance(fault, Reset) and fault.at < 0:
            self.reset_connection()
        elif isinstance(fault, Cut) and fault.at < 0:
            self.close_connection = True
        elif asked.operation == "head":
            self.answer(200, b"", {"x-amz-bucket-region": "us-east-1"})
        elif asked.operation == "list":
            self.answer(200, self.state.listing(asked.query), {}, fault)
        else:
            self.object(asked, fault)

    def object(self, asked: Asked, fault: Fault | None) -> None:
        if isinstance(fault, Replace):
            self.state.objects[asked.key] = fault.body
        if isinstance(fault, Delete):
            self.state.objects.pop(asked.key, None)
        body = self.state.objects.get(asked.key)
        if body is None:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>", {})
            return
        etag = fault.etag if isinstance(fault, Relabel) else etag_of(body)
        wanted = asked.headers.get("If-Match", "").strip('"')
        if wanted not in {"", etag} and not (
            isinstance(fault, Relabel) or self.state.ignores_if_match
        ):
            self.answer(412, b"<Error><Code>PreconditionFailed</Code></Error>", {})
            return
        start, end, status = 0, len(body), 200
        headers = {"ETag": f'"{etag}"', **self.state.object_headers}
        ranged = re.fullmatch(r"bytes=(\d+)-(\d+)", asked.headers.get("Range", ""))
        if ranged and not self.state.ignores_range:
            start, end, status = int(ranged[1]), min(int(ranged[2]) + 1, len(body)), 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(body)}"
        self.answer(status, body[start:end], headers, fault)

    def answer(
        self, status: int, body: bytes, headers: Mapping[str, str], fault: Fault | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if isinstance(fault, Flip):
            body = body[: fault.at] + bytes([body[fault.at] ^ 1]) + body[fault.at + 1 :]
        if isinstance(fault, Cut | Reset | Stall):
            body, self.close_connection = body[: fault.at], True
        self.wfile.write(body)
        self.wfile.flush()
        if isinstance(fault, Reset):
            self.reset_connection()
        if isinstance(fault, Stall):
            self.state.wait_for_close()

    def reset_connection(self) -> None:
        """End with a reset instead of a farewell: what was sent may be lost as well."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
