"""Replays to servers that nobody here wrote: a model against its own captures, and another's.

Each server has an environment of its own, see tests/servers/make_venv.py.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.replay.replays import outputs, write_captures
from tests.servers.make_venv import HERE, interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.long
REQUESTS = 300
START_S = 180


@dataclass(frozen=True)
class Kind:
    """A server, how it is asked, and how its answers read.

    Attributes:
        body: four features -> what is sent.
        path: where a verdict finds the score; None for bare numbers.
        score: an answer -> the score, by other means than the verdict's.
        needs: a program beside Python.
    """

    name: str
    content_type: str
    encoding: str
    body: Callable[[list[float]], str]
    path: str | None
    score: Callable[[str], float]
    needs: str | None = None


KINDS = [
    Kind(
        name="mlflow",
        content_type="application/json",
        encoding="JSON",
        body=lambda row: json.dumps({"inputs": [row]}),
        path="predictions[*][1]",
        score=lambda text: float(json.loads(text)["predictions"][0][1]),
    ),
    Kind(
        name="sagemaker_inference",
        content_type="text/csv",
        encoding="CSV",
        body=lambda row: ",".join(map(str, row)),
        path=None,
        score=float,
        needs="java",
    ),
]


@contextmanager
def served(kind: Kind, version: int, folder: Path) -> Iterator[str]:
    """A server of one of the two models, once its /ping answers."""
    python = interpreter(kind.name)
    if not python.exists():
        pytest.skip(f"no environment for it: python tests/servers/make_venv.py {kind.name}")
    if kind.needs and shutil.which(kind.needs) is None:
        pytest.skip(f"it needs {kind.needs}")
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["TMPDIR"] = str(folder)
    folder.mkdir()
    serve = HERE / kind.name / "serve.py"
    command = [str(python), str(serve), str(port), str(version), str(folder / "model")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(url, server, folder / "log")
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def free_port() -> int:
    """Below those the system hands out itself, which multi-model-server refuses."""
    for port in range(20_000, 30_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.fail("no free port")


def wait_until_up(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(START_S * 2):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=2):  # noqa: S310 - our own
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"not up: {log.read_text()}")


def own_captures(kind: Kind, url: str, folder: Path) -> tuple[Path, dict[str, str]]:
    """What the model answers to an independent client, as a capture of it; answers by event ID."""
    rng = random.Random(3)
    lines, answers = [], {}
    for number in range(REQUESTS):
        body = kind.body([round(rng.gauss(0, 1), 4) for _ in range(4)])
        headers = {"Content-Type": kind.content_type, "Accept": kind.content_type}
        asked = urllib.request.Request(  # noqa: S310 - our own
            f"{url}/invocations", body.encode(), headers
        )
        with urllib.request.urlopen(asked) as answer:  # noqa: S310
            text, kind_of_answer = answer.read().decode(), answer.headers["Content-Type"]
        event = f"event-{number}"
        answers[event] = text
        lines.append(record(event, number, (kind.content_type, body), (kind_of_answer, text), kind))
    return write_captures(folder, lines), answers


def record(
    event: str, number: int, given: tuple[str, str], answered: tuple[str, str], kind: Kind
) -> str:
    sides = {
        f"endpoint{mode.title()}": {
            "observedContentType": content_type,
            "mode": mode,
            "data": data,
            "encoding": kind.encoding,
        }
        for mode, (content_type, data) in (("INPUT", given), ("OUTPUT", answered))
    }
    time_of_it = f"2026-11-20T10:{number // 60:02}:{number % 60:02}Z"
    meta = {"eventId": event, "inferenceTime": time_of_it}
    return json.dumps({"captureData": sides, "eventMetadata": meta, "eventVersion": "0"})


def analyzer(*arguments: str | Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "analyzer", *map(str, arguments), "--format", "json"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in {0, 10, 20}, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def judged(kind: Kind, captures: Path, out: Path, folder: Path) -> dict[str, Any]:
    path = [] if kind.path is None else ["--set", f"predictions.path={json.dumps(kind.path)}"]
    return analyzer(
        "run", "--production", captures / "churn/AllTraffic", "--shadow", out / "churn/candidate",
        "--set", 'predictions.kind="probability"', *path, "--out", folder,
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_model_agrees_with_its_own_captures_and_another_flips_what_a_script_counts(
    kind: Kind, tmp_path: Path
) -> None:
    with served(kind, 0, tmp_path / "first") as url:
        captures, answers = own_captures(kind, url, tmp_path / "captures")
        same = tmp_path / "same"
        told = analyzer("replay", captures, "--candidate", url, "--out", same, "--speed", "max",
                        "--concurrency", "4")  # fmt: skip
    assert told["variants"]["candidate"]["usable"] == REQUESTS
    assert outputs(same) == answers  # to the character
    metrics = judged(kind, captures, same, tmp_path / "same verdict")["metrics"]
    assert metrics["flip_rate"]["effect"]["estimate"] == 0
    assert metrics["contract_change"]["effect"]["estimate"] == 0
    with served(kind, 1, tmp_path / "second") as url:
        changed = tmp_path / "changed"
        analyzer("replay", captures, "--candidate", url, "--out", changed, "--speed", "50/s")
    others = outputs(changed)
    flips = sum(
        (kind.score(text) >= 0.5) != (kind.score(others[event]) >= 0.5)
        for event, text in answers.items()
    )
    assert flips > 0
    metrics = judged(kind, captures, changed, tmp_path / "changed verdict")["metrics"]
    assert metrics["flip_rate"]["n"]["pairs"] == REQUESTS
    assert metrics["flip_rate"]["effect"]["estimate"] == pytest.approx(flips / REQUESTS)
