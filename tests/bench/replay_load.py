"""How many requests a second a replay sends from one core, beside wrk, and what it adds to each.

    python -m tests.bench.replay_load [--requests 5000] [--rounds 5] [--wrk PATH]

A trivial server has one core and the client another, so two are needed. Each round measures, in
turn: wrk, a loop of the standard library's client with as many threads (what Python can do and no
more), and a replay at `--speed max` over the same number of connections; then a replay at 200/s,
whose service time beside that of a bare loop at the same rate says what measuring adds. wrk is a
load generator of its own (Debian: `apt-get install wrk`); without it its rows are left out.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.results import Ratio, ratio_table, spread, table

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
SERVER_CORE, CLIENT_CORE = 0, 1
CONNECTIONS = 16
RATE = 200
BODY = b"19,1,1,18.7,155,173,211,16.2,55.5"
HEADERS = {"Content-Type": "text/csv", "Accept": "text/csv", "X-Amzn-SageMaker-Inference-Id": "a"}
WANTED_PER_SECOND = 2000


@dataclass
class Rounds:
    """What each round gave: requests a second, and milliseconds."""

    wrk: list[float] = field(default_factory=list)
    loop: list[float] = field(default_factory=list)
    replay: list[float] = field(default_factory=list)
    loop_ms: list[float] = field(default_factory=list)
    replay_ms: list[float] = field(default_factory=list)


def main() -> None:
    asked = arguments()
    wrk = asked.wrk or shutil.which("wrk")
    rounds, paced = Rounds(), min(RATE * 5, asked.requests)
    with tempfile.TemporaryDirectory() as scratch, serving(asked.port) as port:
        captures = write_captures(Path(scratch), asked.requests)
        os.sched_setaffinity(0, {CLIENT_CORE})
        for number in range(asked.rounds):
            if wrk:
                rounds.wrk.append(wrk_per_second(wrk, port, Path(scratch)))
            rounds.loop.append(looped(port, asked.requests))
            out = Path(scratch) / str(number)
            told = replayed(captures, port, out / "max", "max")
            rounds.replay.append(told["variants"]["candidate"]["sent"] / told["seconds"])
            rounds.loop_ms.append(paced_ms(port, paced))
            told = replayed(captures, port, out / "paced", f"{RATE}/s", "--sample", str(paced))
            rounds.replay_ms.append(told["variants"]["candidate"]["service_ms"]["p50"])
    sys.stdout.write(shown(rounds))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wrk", help="path of wrk, where it is not on PATH")
    parser.add_argument("--port", type=int, default=28_080)
    return parser.parse_args()


@contextmanager
def serving(port: int) -> Iterator[int]:
    """The trivial server on a core of its own."""
    command = [sys.executable, str(HERE / "trivial_server.py"), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        os.sched_setaffinity(server.pid, {SERVER_CORE})
        assert server.stdout is not None
        server.stdout.readline()
        try:
            yield port
        finally:
            server.terminate()


def write_captures(folder: Path, requests: int) -> Path:
    """Captures of one variant, all of one hour."""
    path = folder / "captures/e/production/2026/11/20/10"
    path.mkdir(parents=True)
    side = {"observedContentType": "text/csv", "data": BODY.decode(), "encoding": "CSV"}
    data = {"endpointInput": side, "endpointOutput": side}
    with (path / "00-00-000-a.jsonl").open("w") as stream:
        for number in range(requests):
            at = f"2026-11-20T10:{number // 60 % 60:02}:{number % 60:02}Z"
            meta = {"eventId": str(number), "inferenceTime": at}
            stream.write(json.dumps({"captureData": data, "eventMetadata": meta}) + "\n")
    return folder / "captures"


def wrk_per_second(wrk: str, port: int, scratch: Path) -> float:
    """Requests a second of wrk with the same body over as many connections."""
    script = scratch / "post.lua"
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in HEADERS.items())
    script.write_text(f'wrk.method = "POST"\nwrk.body = "{BODY.decode()}"\n{headers}\n')
    command = [wrk, "-t1", f"-c{CONNECTIONS}", "-d3s", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/invocations"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"Requests/sec:\s+([0-9.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


def looped(port: int, requests: int) -> float:
    """Requests a second of the bare client in as many threads."""
    numbers = count()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while next(numbers) < requests:
            post(connection)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return requests / (time.perf_counter() - began)


def paced_ms(port: int, requests: int) -> float:
    """Median milliseconds of one request of the bare client, one at a time, `RATE` a second."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    lasted = []
    start = time.perf_counter()
    for number in range(requests):
        time.sleep(max(0.0, start + number / RATE - time.perf_counter()))
        began = time.perf_counter()
        post(connection)
        lasted.append(time.perf_counter() - began)
    connection.close()
    return 1000 * statistics.median(lasted)


def post(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/invocations", BODY, HEADERS)
    connection.getresponse().read()


def replayed(captures: Path, port: int, out: Path, speed: str, *more: str) -> dict[str, Any]:
    """The summary of a replay."""
    command = [sys.executable, "-m", "analyzer", "replay", str(captures), "--format", "json"]
    command += ["--candidate", f"http://127.0.0.1:{port}", "--out", str(out), "--speed", speed]
    done = subprocess.run(
        [*command, "--concurrency", str(CONNECTIONS), *more],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def shown(rounds: Rounds) -> str:
    """Two tables."""
    rows = [
        ["wrk, requests/s", spread(rounds.wrk)],
        ["http.client in 16 threads, requests/s", spread(rounds.loop)],
        ["analyzer replay --speed max, requests/s", spread(rounds.replay)],
        [f"http.client at {RATE}/s, p50 ms", spread(rounds.loop_ms)],
        [f"analyzer replay at {RATE}/s, p50 ms", spread(rounds.replay_ms)],
    ]
    per_second = [one / WANTED_PER_SECOND for one in rounds.replay]
    by_loop = [one / other for one, other in zip(rounds.replay, rounds.loop, strict=True)]
    by_wrk = [one / other for one, other in zip(rounds.replay, rounds.wrk, strict=False)]
    added = [one - other for one, other in zip(rounds.replay_ms, rounds.loop_ms, strict=True)]
    ratios = [
        Ratio(f"replay / {WANTED_PER_SECOND} requests/s", per_second, ">= 1"),
        Ratio("replay / http.client", by_loop),
        Ratio("replay / wrk", by_wrk),
        Ratio("added to a request, ms at the median", added),
    ]
    return f"{table(['', 'median'], rows)}\n{ratio_table(ratios)}"


if __name__ == "__main__":
    main()
