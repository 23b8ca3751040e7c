"""A model server of known latency and failures, in a process of its own.

    python -m tests.replay.paced_server MEAN_MS FAILING SHIFT SEED

prints its URL and serves until it is ended. The answer, how long it takes (0.8 to 1.2 of the mean)
and whether it is a 500 are drawn by the request's body: the same request fares the same each time.
Scores are off by at most half of SHIFT, as those of another model are. Times depend on SEED, so
that two servers share none.
"""

from __future__ import annotations

import hashlib
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def draw(body: bytes, what: str) -> float:
    """A number in 0..1 that body and purpose decide."""
    return int.from_bytes(hashlib.sha256(what.encode() + body).digest()[:4], "big") / 2**32


def answer_to(body: bytes, shift: float = 0.0) -> str:
    """A model's score."""
    score = draw(body, "score") + shift * (draw(body, "shift") - 0.5)
    return f"{min(1.0, max(0.0, score)):.6f}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    mean_s, failing, shift, seed = 0.0, 0.0, 0.0, ""

    def do_GET(self) -> None:
        self._answer(200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.mean_s * (0.8 + 0.4 * draw(body, self.seed)))
        if draw(body, "fate") < self.failing:
            self._answer(500, b"")
        else:
            self._answer(200, answer_to(body, self.shift).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main(mean_ms: str, failing: str, shift: str, seed: str) -> None:
    """Serve until the process is ended."""
    told = {"mean_s": float(mean_ms) / 1000, "seed": seed}
    told |= {"failing": float(failing), "shift": float(shift)}
    with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), told)) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)  # noqa: T201
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
