"""Captures to replay, a server that answers as told, and replays of one to the other."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import polars as pl

from analyzer.console.progress import silent
from analyzer.replay import Replay, Summary, replay
from analyzer.replayed import sidecar

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Behave = Callable[["Handler", bytes], None]

START = datetime(2026, 11, 20, 9, 59, 0, tzinfo=UTC)


def line(
    number: int,
    *,
    data: str | bytes | None = None,
    encoding: str = "CSV",
    content_type: str | None = "text/csv",
    output_type: str | None = "text/csv; charset=utf-8",
    at: datetime | None = None,
    output: str | None = None,
    meta: Mapping[str, object] | None = None,
) -> str:
    """Production's record of request `number`; one a second unless said otherwise."""
    sent = f"{number},1,2.5" if data is None else data
    if encoding == "BASE64":
        sent = base64.b64encode(sent.encode() if isinstance(sent, str) else sent).decode()
    told: dict[str, object] = {
        "eventId": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
        "inferenceId": f"request {number}",
        "inferenceTime": f"{at or START + timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}",
        **(meta or {}),
    }
    given = {
        "observedContentType": content_type,
        "mode": "INPUT",
        "data": sent,
        "encoding": encoding,
    }
    answered = {
        "observedContentType": output_type,
        "mode": "OUTPUT",
        "data": answer_to(str(sent)) if output is None else output,
        "encoding": "CSV",
    }
    return json.dumps(
        {
            "captureData": {"endpointInput": given, "endpointOutput": answered},
            "eventMetadata": {key: value for key, value in told.items() if value is not None},
            "eventVersion": "0",
        }
    )


def answer_to(data: str) -> str:
    """What the production model says."""
    return f"0.{data.partition(',')[0]}\n"


def write_captures(folder: Path, lines: list[str], variant: str = "AllTraffic") -> Path:
    """A folder of captures of one variant."""
    hour = folder / "churn" / variant / "2026/11/20/09"
    hour.mkdir(parents=True)
    (hour / "59-00-000-a.jsonl").write_text("".join(f"{one}\n" for one in lines))
    return folder


class Handler(BaseHTTPRequestHandler):
    """One connection; keeps it open between requests, as containers do."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ModelServer

    def do_GET(self) -> None:
        self.answer(self.server.ping_status, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.seen.append(Seen(self.path, dict(self.headers), body))
        self.server.behave(self, body)

    def answer(self, status: int, body: bytes, content_type: str = "text/csv", **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Seen:
    """A request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ModelServer(ThreadingHTTPServer):
    """A server that answers as `behave` says and remembers what arrived."""

    behave: Behave
    ping_status: int = 200
    seen: list[Seen] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    daemon_threads = True
    request_queue_size = 128

    def __post_init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """A client that leaves early is what some tests are about."""


@contextmanager
def serving(
    behave: Behave, ping_status: int = 200, tls: ssl.SSLContext | None = None
) -> Iterator[ModelServer]:
    with ModelServer(behave, ping_status) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()


def production_model(handler: Handler, body: bytes) -> None:
    handler.answer(200, answer_to(body.decode()).encode(), "text/csv; charset=utf-8")


def replayed(
    captures: Path, out: Path, candidate: str, *, speed: str = "max", concurrency: int = 8
) -> Summary:
    return replayed_as(Replay(str(captures), candidate, out, speed=speed, concurrency=concurrency))


def replayed_as(asked: Replay) -> Summary:
    return replay(asked, silent)


def records(out: Path, variant: str = "candidate") -> list[dict[str, Any]]:
    """The capture records of a variant, in the order of files and lines."""
    files = sorted((out / "churn" / variant).rglob("*.jsonl"))
    return [json.loads(one) for file in files for one in file.read_text().splitlines()]


def sidecar_rows(out: Path, variant: str = "candidate") -> pl.DataFrame:
    frame = pl.from_arrow(sidecar.read(out / "churn" / variant / sidecar.NAME))
    assert isinstance(frame, pl.DataFrame)
    return frame


def outputs(out: Path, variant: str = "candidate") -> dict[str, str]:
    return {
        one["eventMetadata"]["eventId"]: one["captureData"]["endpointOutput"]["data"]
        for one in records(out, variant)
    }
