"""The commands of the README on a real cluster: a master and two workers of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.spark.sessions import ROOT, require_spark, spark_home
from tests.test_golden import SAMPLE_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

SCENARIO = SAMPLE_DATA / "no_inference_id"
SCRIPT = "from analyzer.__main__ import main\n\nmain()\n"
_STARTED_S = 120.0
_DISKS = "SPARK_EXECUTOR_DIRS="

pytestmark = pytest.mark.long


def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "tmp").mkdir(exist_ok=True)
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(tmp_path / "tmp"),
        "TMPDIR": str(tmp_path / "tmp"),
    }


@contextmanager
def daemon(tmp_path: Path, name: str, *arguments: str) -> Iterator[Path]:
    """A process of the cluster, and where it says what it does."""
    log = tmp_path / f"{name}.log"
    command = [str(spark_home() / "bin" / "spark-class"), *arguments]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment(tmp_path), stdout=out, stderr=out)
    try:
        yield log
    finally:
        process.terminate()
        process.wait()


def wait_for(log: Path, words: str, times: int = 1) -> None:
    until = time.monotonic() + _STARTED_S
    while log.read_text("utf-8", "replace").count(words) < times:
        assert time.monotonic() < until, log.read_text("utf-8", "replace")
        time.sleep(0.2)


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    require_spark()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    url = f"spark://127.0.0.1:{port}"
    deploy = "org.apache.spark.deploy"
    asked = ["--host", "127.0.0.1", "--port", port, "--webui-port", "0"]
    with ExitStack() as running:
        log = running.enter_context(daemon(tmp_path, "master", f"{deploy}.master.Master", *asked))
        wait_for(log, "New state: ALIVE")
        for number in range(2):
            asked = ["--cores", "1", "--memory", "1g", "--webui-port", "0", "--host", "127.0.0.1"]
            asked += ["--work-dir", str(tmp_path / f"work-{number}"), url]
            worker = f"{deploy}.worker.Worker"
            running.enter_context(daemon(tmp_path, f"worker-{number}", worker, *asked))
        wait_for(log, "Registering worker", 2)
        yield url


def arguments(out: Path) -> list[str]:
    return [
        *("run", str(SCENARIO / "captures"), "--cloudwatch", str(SCENARIO / "cloudwatch")),
        *("--policy", str(SCENARIO / "policy.toml"), "--out", str(out), "--engine", "spark"),
    ]


def executor_with(kind: str, cluster: Path) -> int | None:
    """An executor of the cluster that holds a file of that kind on its own disk."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "environ").read_bytes().decode("utf-8", "replace").split("\0")
            command = (process / "cmdline").read_text("utf-8", "replace")
        except OSError:
            continue  # it has ended
        if "CoarseGrainedExecutorBackend" not in command:
            continue
        disks = [Path(word.partition("=")[2]) for word in said if word.startswith(_DISKS)]
        if any(cluster in disk.parents and list(disk.rglob(f"{kind}_*")) for disk in disks):
            return int(process.name)
    return None


@pytest.mark.parametrize("kind", ["shuffle", "rdd"])
def test_an_executor_killed_with_all_it_holds_changes_no_byte(
    kind: str, master: str, tmp_path: Path
) -> None:
    """What it had shuffled or kept is gone with its disk, and made again on another."""
    command = [sys.executable, "-m", "analyzer", *arguments(tmp_path / "out"), "--master", master]
    log = tmp_path / "run.log"
    with log.open("wb") as said:
        run = subprocess.Popen(command, env=environment(tmp_path), stdout=said, stderr=said)
    killed = None
    while killed is None and run.poll() is None:
        killed = executor_with(kind, tmp_path)
    assert killed is not None, log.read_text("utf-8", "replace")
    os.kill(killed, signal.SIGKILL)
    assert run.wait() == 0, log.read_text("utf-8", "replace")
    golden = (SCENARIO / "expected_verdict.json").read_bytes()
    assert (tmp_path / "out" / "verdict.json").read_bytes() == golden
    executors = {path.name for work in tmp_path.glob("work-*/*") for path in work.iterdir()}
    assert len(executors) == 3, executors


def test_two_workers_give_the_golden_verdict_by_either_command(master: str, tmp_path: Path) -> None:
    golden = (SCENARIO / "expected_verdict.json").read_bytes()
    (tmp_path / "judge.py").write_text(SCRIPT, encoding="utf-8")
    submit = [str(spark_home() / "bin" / "spark-submit"), "--master", master]
    direct = [sys.executable, "-m", "analyzer", *arguments(tmp_path / "direct")]
    commands = {
        "direct": [*direct, "--master", master],
        "submitted": [*submit, str(tmp_path / "judge.py"), *arguments(tmp_path / "submitted")],
    }
    for name, command in commands.items():
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / name / "verdict.json").read_bytes() == golden
        executors = {path.name for work in tmp_path.glob("work-*/*") for path in work.iterdir()}
        assert len(executors) == 2, executors
