"""An S3 server on loopback that fails the calls a test names, counted from 1."""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING, Any

import localbucket  # type: ignore[import-untyped]  # one untyped script

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

ANSWERS = {
    "slow down": (HTTPStatus.SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate."),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", "We met an error."),
    "denied": (HTTPStatus.FORBIDDEN, "AccessDenied", "Access Denied"),
    "gone": (HTTPStatus.NOT_FOUND, "NoSuchKey", "The specified key does not exist."),
    "expired": (HTTPStatus.BAD_REQUEST, "ExpiredToken", "The provided token has expired."),
}
"""Faults that are an answer; the others are `reset` (no answer) and `cut` (half of one)."""


@dataclass
class Bucket:
    """A bucket `captures` kept as plain files; a context manager.

    Attributes:
        fault: number of a call and the key it is about -> what goes wrong with it, if anything;
            the key of a listing is empty.
        calls: the key of every call so far.
    """

    root: Path
    fault: Callable[[int, str], str | None] = lambda _, _key: None
    calls: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where its objects lie."""
        return self.root / "captures"

    @property
    def url(self) -> str:
        """Of the server."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def arguments(self, *more: str | Path) -> list[str]:
        """`analyzer run` on it, without the program's name."""
        return ["run", "s3://captures", "--endpoint-url", self.url, "--quiet", *map(str, more)]

    def healed(self) -> None:
        """Nothing goes wrong from now on; calls are counted anew."""
        self.fault = lambda _, _key: None
        self.calls.clear()
        self._numbers = count(1)

    def _next(self, key: str) -> str | None:
        with self._lock:
            self.calls.append(key)
            return self.fault(next(self._numbers), key)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock, self._numbers = threading.Lock(), count(1)
        handler = type("Handler", (_Handler,), {"data_root": self.root, "plan": self._next})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(localbucket.S3Handler):  # type: ignore[misc]  # untyped
    plan: Callable[[str], str | None]

    def _get_request(self, bucket: str, key: str) -> None:
        fault = type(self).plan(key)
        self._cuts = fault == "cut"
        if fault in ANSWERS:
            raise localbucket.S3Error(*ANSWERS[fault])
        if fault == "reset" or (fault == "cut" and not key):
            self._reset()
            return
        super()._get_request(bucket, key)

    def _send_file(self, status: Any, file: Any, start: int, length: int, *more: Any) -> None:  # noqa: ANN401 - untyped
        if not self._cuts:
            super()._send_file(status, file, start, length, *more)
            return
        self._send_headers(status, length, more[0])
        file.seek(start)
        self.wfile.write(file.read(length // 2))
        self._reset()

    def _reset(self) -> None:
        """End the connection in the middle."""
        self.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
