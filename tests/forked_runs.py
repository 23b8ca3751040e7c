"""`analyzer` commands in children of a process that has already imported everything.

A command that is started as users do spends a second or two importing, and a run spends half of
its time on the drawings of its report. What most tests ask about begins after the one and has
nothing to do with the other: `analyzer` starts commands without either. What belongs to the process
itself (imports, early signals, streams, locale) is tested in processes of its own.

The parent imports and does nothing else. Pools of threads, polars' and DuckDB's, start with their
first use, and so in a child: after a fork, a lock that some thread of the parent held would be held
for ever. Threads that libraries start while they are imported are those of allocators and of
OpenBLAS, which expect forks; one thread more ends the parent.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from unittest import mock

from tests.aws_models import parsed_once, read_for_s3

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self


LIBRARIES = (
    "altair", "boto3", "numpy", "polars", "pyarrow", "pydantic", "rich.console",
    "scipy.fft", "scipy.optimize", "scipy.special", "typer",
)  # fmt: skip
"""What commands import sooner or later; not DuckDB, which complains where it is not collected."""


@dataclass(frozen=True)
class Ended:
    """A command that is over.

    Attributes:
        code: its exit code; negative: the signal that killed it.
        said: its stderr; printed: its stdout.
        changes: changes of the disk below the watched folders; 0 without `disk_faults.c`.
    """

    code: int
    said: str
    printed: str
    changes: int


@dataclass(frozen=True)
class Refusal:
    """Which changes of files below some folders are refused, counted from 1, and why."""

    below: Sequence[Path]
    first: int
    last: int
    error: int


class ForkedRuns:
    """A process that forks a child for every command; a context manager.

    Args:
        notes: folder for what the commands say.
        preload: a library with the functions of `disk_faults.c`.
    """

    def __init__(self, notes: Path, preload: Path | None = None) -> None:
        self._notes = notes
        self._names: dict[int, Path] = {}
        self._numbers = count()
        env = {**os.environ, **({"LD_PRELOAD": str(preload)} if preload else {})}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked_runs"],
            cwd=Path(__file__).parents[1],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(
        self,
        arguments: Sequence[str | Path],
        env: Mapping[str, str | Path],
        refusal: Refusal | None = None,
        *,
        cwd: Path | None = None,
        alone: bool = False,
        drawn: bool = False,
    ) -> int:
        """The process id of a command that has just been started.

        Args:
            arguments: without the tool's name.
            env: added to this process's environment.
            refusal: of changes of files; needs the preloaded library.
            cwd: where it is started; here by default.
            alone: nothing of this process's environment beside `env`.
            drawn: whether a report has drawings; one without is what a failed converter leaves.
        """
        notes = self._notes / f"run-{next(self._numbers)}"  # process ids come again
        for suffix in (".err", ".out"):
            notes.with_suffix(suffix).touch()  # a run may be killed before it says anything
        refused = (
            [":".join(map(str, refusal.below)), refusal.first, refusal.last, refusal.error]
            if refusal
            else None
        )
        pid = self._asked(
            arguments=[*map(str, arguments)],
            env={**({} if alone else os.environ), **{name: str(env[name]) for name in env}},
            cwd=str(cwd or Path.cwd()),
            drawn=drawn,
            notes=str(notes),
            refused=refused,
        )
        self._names[pid] = notes
        return pid

    def wait(self, pid: int) -> Ended:
        """What became of it."""
        code, notes = self._asked(wait=pid), self._names[pid]
        said, printed = (
            notes.with_suffix(suffix).read_text(encoding="utf-8") for suffix in (".err", ".out")
        )
        changes = notes.with_suffix(".changes")
        return Ended(code, said, printed, int(changes.read_text()) if changes.exists() else 0)

    def run(
        self,
        arguments: Sequence[str | Path],
        env: Mapping[str, str | Path],
        refusal: Refusal | None = None,
        *,
        cwd: Path | None = None,
        alone: bool = False,
        drawn: bool = False,
    ) -> Ended:
        """Start a command and wait for it."""
        return self.wait(self.start(arguments, env, refusal, cwd=cwd, alone=alone, drawn=drawn))

    def _asked(self, **question: object) -> int:
        stdin, stdout = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        stdin.write(json.dumps(question) + "\n")
        stdin.flush()
        return int(stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._process:
            cast("IO[str]", self._process.stdin).close()


@cache
def shared() -> ForkedRuns:
    """One for all tests of this process, without `disk_faults.c`."""
    notes = Path(tempfile.mkdtemp())
    runs = ForkedRuns(notes)

    def end() -> None:
        with runs:
            shutil.rmtree(notes, ignore_errors=True)

    atexit.register(end)
    return runs


def analyzer(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str | Path] | None = None,
    drawn: bool = False,
) -> subprocess.CompletedProcess[str]:
    """What `python -m analyzer` says and ends with, in a forked child.

    Args:
        arguments: without the tool's name.
        cwd: where it is started; here by default.
        env: added to this process's environment.
        drawn: whether a report has drawings.
    """
    ended = shared().run(arguments, env or {}, cwd=cwd, drawn=drawn)
    return subprocess.CompletedProcess(
        [*map(str, arguments)], ended.code, ended.printed, ended.said
    )


UNDRAWN = """
from unittest import mock
from analyzer.__main__ import main
with (
    mock.patch("analyzer.report.html.converter.Converter.start"),
    mock.patch("analyzer.report.html.page._drawings", return_value={}),
):
    main()
"""
"""For `python -c`: the same for a process of its own, whose environment is what is tested."""

RELAY = f"""#!{sys.executable} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked, asked.makefile("rw") as line:
    asked.connect(os.path.join(os.path.dirname(__file__), "asked"))
    print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]), file=line, flush=True)
    code, printed, said = json.loads(line.readline())
sys.stdout.write(printed)
sys.stderr.write(said)
sys.exit(code)
"""


class _Relayed(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        arguments, cwd, env = json.loads(self.rfile.readline())
        ended = shared().run(arguments, env, cwd=cwd, alone=True)
        answer = json.dumps([ended.code, ended.printed, ended.said])
        self.wfile.write(f"{answer}\n".encode())


@contextmanager
def relayed(folder: Path) -> Iterator[None]:
    """While it lasts, `analyzer` in a folder is a program that has its commands run like these.

    A script calls it by its name. One at a time, and while the caller waits for the script.
    """
    program = folder / "analyzer"
    program.write_text(RELAY, encoding="utf-8")
    program.chmod(0o755)
    with socketserver.UnixStreamServer(str(folder / "asked"), _Relayed) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def _serve() -> None:
    """Answer questions on stdin until it ends."""
    for name in LIBRARIES:
        importlib.import_module(name)
    with parsed_once():
        read_for_s3()
        _answer()


def _answer() -> None:
    gc.freeze()  # a child that ends goes through all that is not frozen, ten times its own work
    package = importlib.import_module("analyzer")
    for module in pkgutil.walk_packages(package.__path__, "analyzer."):
        if not module.name.startswith("analyzer.spark"):
            importlib.import_module(module.name)
    threads = _threads()
    for question in sys.stdin:
        asked = json.loads(question)
        if "wait" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
        else:
            assert _threads() <= threads, "a fork could leave a lock that nobody holds"
            answer = os.fork()
            if answer == 0:
                _run(asked)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _threads() -> int:
    return len([*Path("/proc/self/task").iterdir()])


def _run(asked: Mapping[str, Any]) -> None:
    from analyzer import __main__
    from analyzer.report.html import page
    from analyzer.report.html.converter import Converter

    notes = Path(asked["notes"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the questions are not its own
    for number, suffix in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(notes.with_suffix(suffix), os.O_WRONLY), number)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    # As `python -m analyzer` has them.
    sys.modules["__main__"] = __main__
    sys.argv = [__main__.__file__, *asked["arguments"]]
    if not asked["drawn"]:
        mock.patch.object(Converter, "start").start()
        mock.patch.object(page, "_drawings", return_value={}).start()
    faults = ctypes.CDLL(None) if asked["refused"] else None
    if faults is not None:
        below, first, last, error = asked["refused"]
        arm = faults.faults_arm
        arm.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_long, ctypes.c_int]
        arm(below.encode(), first, last, error)
    try:
        __main__.main()
    finally:
        if faults is not None:
            faults.faults_changes.restype = ctypes.c_long
            notes.with_suffix(".changes").write_text(str(faults.faults_changes()))
    # The interpreter ends here as it would: what is left over at its exit is tested too.


if __name__ == "__main__":
    _serve()
