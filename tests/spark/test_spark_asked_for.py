"""What a run on Spark refuses, what it needs, and that no other run knows of it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from analyzer import bundle
from analyzer.analysis import Request, run
from analyzer.console.progress import silent
from analyzer.engine import Engine
from analyzer.errors import UsageError
from analyzer.out_folder import run_log
from analyzer.sources import discover
from analyzer.spark.adding import ADDED, HERE
from analyzer.spark.driver import SparkEngine, SparkPlan
from analyzer.spark.spoken import read_task, task_text
from tests.spark.sessions import require_spark
from tests.test_golden import SAMPLE_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCENARIO = SAMPLE_DATA / "promote"


def request(**more: object) -> Request:
    given: Mapping[str, object] = {"source": str(SCENARIO / "captures"), "spark": SparkPlan()}
    return Request(**{**given, **more})  # type: ignore[arg-type] # by name


def test_without_pyspark_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(UsageError, match=r"pip install 'shadow-analyzer\[spark\]'"):
        run(request(), silent)


def test_a_master_without_spark_is_a_usage_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "analyzer", "run", str(SCENARIO / "captures")]
    command += ["--master", "local[1]", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "give --engine spark with it" in done.stderr


@pytest.mark.parametrize(
    "master", ["nonsense", "spark://nowhere", "spark://a:1,b", "local[x]", "http://a:7077", ""]
)
def test_what_is_no_master_is_a_usage_error_before_anything_is_read(master: str) -> None:
    with pytest.raises(UsageError, match=rf"--master {re.escape(master)}: no master of Spark"):
        SparkPlan(master)


@pytest.mark.parametrize(
    "master",
    ["local", "local[*]", "local[2,4]", "yarn", "spark://a:1,[::1]:7077", "k8s://https://a:443"],
)
def test_every_kind_of_master_is_taken(master: str) -> None:
    assert SparkPlan(master).master == master


def test_a_master_that_nobody_answers_is_an_access_error_in_one_line(tmp_path: Path) -> None:
    require_spark()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        master = f"spark://127.0.0.1:{taken.getsockname()[1]}"
    out = tmp_path / "out"
    command = [sys.executable, "-m", "analyzer", "run", str(SCENARIO / "captures")]
    command += ["--engine", "spark", "--master", master, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (4, "")
    said = f"cannot reach Spark's master {master}: Connection refused"
    assert done.stderr == f"error: {said}\n"
    verdict = bundle.read(out).verdict
    assert (verdict.decision.value, verdict.exit_code) == ("ERROR", 4)
    assert [(one.code, one.text) for one in verdict.reasons] == [("spark-unreachable", f"{said}.")]
    assert json.loads(run_log(out).read_bytes())["exit_code"] == 4


def test_a_run_on_spark_says_nothing_of_java_on_stderr(tmp_path: Path) -> None:
    require_spark()
    command = [sys.executable, "-m", "analyzer", "run", str(SCENARIO / "captures")]
    command += ["--engine", "spark", "--master", "local[1]", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (10, "")


def test_java_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    require_spark()
    command = [sys.executable, "-m", "analyzer", "run", str(SCENARIO / "captures")]
    command += ["--engine", "spark", "--out", str(tmp_path / "out")]
    surroundings = {**os.environ, "JAVA_HOME": "/nowhere"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)
    assert done.returncode == 2
    started = "error: --engine spark: Spark did not start: "
    assert re.fullmatch(rf"{started}.*/nowhere/bin/java.*; it needs Java 17\n", done.stderr)


GATEWAY = "pyspark.java_gateway", "launch_gateway"
COLLECT = "pyspark.sql.classic.dataframe.DataFrame", "collect"


@pytest.mark.parametrize(
    ("owner", "step", "call", "number"),
    [
        (*GATEWAY, 1, signal.SIGTERM),
        (*COLLECT, 1, signal.SIGINT),
        pytest.param(*GATEWAY, 1, signal.SIGINT, marks=pytest.mark.long),
        pytest.param(*COLLECT, 1, signal.SIGTERM, marks=pytest.mark.long),
        pytest.param(*COLLECT, 3, signal.SIGINT, marks=pytest.mark.long),
        pytest.param(*COLLECT, 3, signal.SIGTERM, marks=pytest.mark.long),
    ],
)
def test_a_signal_ends_a_run_on_spark_as_it_ends_any_other(
    owner: str, step: str, call: int, number: signal.Signals, tmp_path: Path
) -> None:
    require_spark()
    code = f"""
import os, pkgutil, runpy, sys, threading
owner = pkgutil.resolve_name({owner!r})
taken, calls = owner.{step}, []

def taking(*args, **more):
    calls.append(args)
    if len(calls) == {call}:
        threading.Timer(0.3, os.kill, (os.getpid(), {int(number)})).start()
    return taken(*args, **more)

owner.{step} = taking
sys.argv = ["analyzer", *sys.argv[1:]]
runpy.run_module("analyzer", run_name="__main__")
"""
    command = [sys.executable, "-W", "ignore", "-c", code, "run", str(SCENARIO / "captures")]
    command += ["--engine", "spark", "--master", "local[1]", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    word, exit_code = ("interrupted", 130) if number is signal.SIGINT else ("terminated", 143)
    assert (done.returncode, done.stdout, done.stderr) == (exit_code, "", f"error: {word}\n")
    assert not (tmp_path / "out").exists()


def test_nothing_imports_spark_unless_it_is_asked_for() -> None:
    code = (
        "import sys; from analyzer import analysis, doctor, bundle; from analyzer.cli import app;"
        "print([name for name in sys.modules if 'spark' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_question_is_answered_by_parts_or_here_and_never_by_both() -> None:
    known = {path.name.removesuffix(".sql") for path in files("analyzer").joinpath("sql").iterdir()}
    assert ADDED.keys() | HERE <= known
    assert not ADDED.keys() & HERE


def test_a_question_nobody_has_thought_about_is_a_bug_and_no_answer() -> None:
    engine = SparkEngine.__new__(SparkEngine)
    engine._known, engine._sums = {}, {}  # noqa: SLF001 - without a session
    for name in ("slice_values", "label_rows"):
        with pytest.raises(LookupError):
            engine.table(name)
        with pytest.raises(LookupError):
            engine.reduce(name)


@pytest.mark.parametrize(
    ("query", "by"),
    [
        ("spread_records", "inference_id"),
        ("spread_records", "payload"),
        ("spread_pairs", "input"),
        ("spread_pair_ids", "label_id"),
    ],
)
def test_rows_without_a_key_are_spread_over_all_parts(query: str, by: str) -> None:
    """`hash(null)` is a number: they would all lie in one part, which might be nearly all rows."""
    events = [f"{n:032x}" for n in range(200)]
    with Engine() as engine:
        rows = pa.table(
            {
                "event_key": events,
                "pair_id": events,
                "captured_at": range(200),
                **dict.fromkeys(("inference_key", "input_key"), pa.nulls(200)),
            }
        )
        with engine.lend(spreading=rows):
            found = engine.split(query, by=by, parts=4)
    assert {part for part, _ in found} == {0, 1, 2, 3}


def test_a_task_is_told_its_objects_as_they_were_listed() -> None:
    objects = list(enumerate(discover(str(SCENARIO / "captures")).objects))
    assert objects
    assert read_task(task_text(objects)) == objects
