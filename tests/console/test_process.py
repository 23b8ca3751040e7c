"""What surrounds a command: a reader that leaves, a closed stream or a signal at any moment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import pytest

from tests.examples import examples
from tests.faults.shadow_tests import read_only_scenario
from tests.forked_runs import UNDRAWN, analyzer

ROOT = Path(__file__).parents[2]
SIGNALS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
LONG = pytest.mark.long


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "analyzer", *map(str, arguments)]


def run_of(out: Path) -> list[str]:
    tail = read_only_scenario("slow_tail")
    return command(
        "run", tail / "captures", "--cloudwatch", tail / "cloudwatch",
        "--policy", tail / "policy.toml", "--out", out,
    )  # fmt: skip


def from_metrics(out: Path) -> list[str | Path]:
    """A run that is soon done; without the tool's name."""
    metrics = read_only_scenario("slow_tail") / "cloudwatch"
    return ["run", "--endpoint", "churn-endpoint", "--cloudwatch", metrics, "--out", out]


@pytest.fixture(scope="module")
def rejected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose decision is REJECT."""
    out = tmp_path_factory.mktemp("rejected") / "out"
    assert analyzer(*from_metrics(out)).returncode == 20
    return out


@pytest.fixture
def stale(rejected: Path, tmp_path: Path) -> Path:
    """A copy of it, for a run that will not end well."""
    return Path(shutil.copytree(rejected, tmp_path / "stale"))


def commands(bundle: Path) -> list[tuple[list[str], int]]:
    """One whose text the parser prints, one that complains, one that decides, and the others."""
    every = [
        (command("--help"), 0),
        (command("--bogus"), 2),
        (command("verdict", bundle), 20),
        (command("report", "nowhere"), 3),
        (command("verdict", bundle, "--format", "json"), 20),
        (command("policy"), 0),
        (command("explain", "latency_p99"), 0),
    ]
    return every[: examples(3, whole=len(every))]


def test_a_reader_that_leaves_early_does_not_change_the_exit_code(rejected: Path) -> None:
    for arguments, code in commands(rejected):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            arguments, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
        )
        os.close(writer)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), arguments


def test_a_run_whose_reader_left_still_ends_with_its_decision(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    arguments = [sys.executable, "-c", UNDRAWN, *map(str, from_metrics(tmp_path / "out"))]
    done = subprocess.run(arguments, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (20, "")


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_closed_stream_does_not_change_the_exit_code(rejected: Path, closed: str) -> None:
    for arguments, code in commands(rejected):
        done = subprocess.run(
            ["/bin/sh", "-c", f'"$@" {closed}', "sh", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (code, ""), arguments
        assert "Traceback" not in done.stderr


def test_a_run_with_stdout_closed_writes_its_verdict(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" >&-', "sh", sys.executable, "-c", UNDRAWN, *from_metrics(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (20, "")
    assert json.loads((out / "verdict.json").read_text())["decision"] == "REJECT"


def test_a_complaint_nobody_can_read_keeps_its_exit_code() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            command("verdict", "nowhere"), stdout=subprocess.PIPE, stderr=full, check=False
        )
    assert (done.returncode, done.stdout) == (3, b"")


def signalled_by(module: str, number: int, folder: Path) -> dict[str, str]:
    """An environment in which importing `module` sends the process a signal, and then waits."""
    folder.mkdir()
    text = f"import os, time\nos.kill(os.getpid(), {int(number)})\ntime.sleep(60)\n"
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("module", "number", "code", "word"),
    [
        ("typer", *SIGNALS[0]),
        ("typer", *SIGNALS[1]),
        ("polars", *SIGNALS[0]),
        ("duckdb", *SIGNALS[1]),
        pytest.param("polars", *SIGNALS[1], marks=LONG),
        pytest.param("duckdb", *SIGNALS[0], marks=LONG),
    ],
)
def test_a_signal_during_imports_leaves_no_stale_verdict(
    *, module: str, number: int, code: int, word: str, stale: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        run_of(stale),
        env=signalled_by(module, number, tmp_path / "first"),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (code, f"error: {word}\n")
    assert list(stale.iterdir()) == []


HAPPENS = """
import json, os, signal, sys, tempfile, time
from analyzer import analysis, bundle
from analyzer.__main__ import main
from analyzer.console import progress, run_log
from analyzer.report.html import converter
for asked in sys.stdin:
    code, arguments, said = json.loads(asked)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT), 2)
        exec(f"def run(request, progress):\\n    {code}\\n")
        analysis.run = run
        sys.argv = ["analyzer", *arguments]
        main()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Has imported everything once; every run is a child of its own."""
Ends = Callable[[str, Path], tuple[int, str]]


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    """How a run ends in which some code is what happens instead of the analysis, and what it says.

    Given the code and the folder the run writes to.
    """
    said = tmp_path_factory.mktemp("said") / "stderr"

    def run(code: str, out: Path) -> tuple[int, str]:
        said.unlink(missing_ok=True)
        stdin.write(json.dumps([code, run_of(out)[3:], str(said)]) + "\n")
        stdin.flush()
        return int(stdout.readline()), said.read_text(encoding="utf-8")

    arguments = [sys.executable, "-c", HAPPENS]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        stdin, stdout = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
        yield run
        stdin.close()


@pytest.mark.parametrize(("number", "code", "word"), SIGNALS)
def test_a_signal_during_a_run_cleans_up_and_claims_nothing(
    *, number: int, code: int, word: str, ends: Ends, stale: Path, tmp_path: Path
) -> None:
    happens = (
        f"with tempfile.TemporaryDirectory(dir={str(tmp_path)!r}): "
        f"os.kill(os.getpid(), {int(number)})"
    )
    assert ends(happens, stale) == (code, f"error: {word}\n")
    assert list(stale.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["stale"]


@pytest.mark.parametrize(
    "error",
    ["RuntimeError('interrupted')", "ImportError", "AnalyzerError('x')"],
)
def test_what_a_library_makes_of_a_signal_is_still_the_signal(
    error: str, ends: Ends, stale: Path
) -> None:
    happens = (
        "from analyzer.errors import AnalyzerError\n"
        "    try: os.kill(os.getpid(), signal.SIGINT)\n"
        f"    except SystemExit: raise {error} from None"
    )
    assert ends(happens, stale) == (130, "error: interrupted\n")


def test_a_handler_that_a_library_puts_in_place_ends_a_run_as_our_own(
    ends: Ends, stale: Path
) -> None:
    happens = (
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "os.kill(os.getpid(), signal.SIGINT); time.sleep(60)"
    )
    assert ends(happens, stale) == (130, "error: interrupted\n")


def test_a_bug_during_a_run_claims_nothing(ends: Ends, stale: Path) -> None:
    code, said = ends("raise ZeroDivisionError", stale)
    assert code == 1
    assert "ZeroDivisionError" in said
    assert list(stale.iterdir()) == []
