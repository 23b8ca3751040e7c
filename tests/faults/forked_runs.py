"""`analyzer` commands in children of a process that has already imported everything.

A run that is started a hundred times, to be killed or starved each time, spends most of its time
importing; what is tested begins after that.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self


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
            [sys.executable, "-m", "tests.faults.forked_runs"],
            cwd=Path(__file__).parents[2],
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
    ) -> int:
        """The process id of a command that has just been started."""
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
            env={name: str(value) for name, value in env.items()},
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
    ) -> Ended:
        """Start a command and wait for it."""
        return self.wait(self.start(arguments, env, refusal))

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


def _serve() -> None:
    """Answer questions on stdin until it ends."""
    import boto3  # noqa: F401 - imported for the children
    import polars as pl  # noqa: F401
    import rich.console  # noqa: F401

    from analyzer import analysis, bundle, cli  # noqa: F401
    from analyzer.console import progress  # noqa: F401
    from analyzer.report import content, markdown, text  # noqa: F401

    for question in sys.stdin:
        asked = json.loads(question)
        if "wait" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                _run(asked)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _run(asked: Mapping[str, Any]) -> None:
    from analyzer import __main__

    notes = Path(asked["notes"])
    for number, suffix in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(notes.with_suffix(suffix), os.O_WRONLY), number)
    os.environ.update(asked["env"])
    sys.argv = ["analyzer", *asked["arguments"]]
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
