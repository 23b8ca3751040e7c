"""The process around a command: signals, standard streams that cannot fail it, how it was started.

In: what must hold before anything else is imported, so nothing here is heavy. Out: what a command
does, and its errors. A decision's exit code must not depend on who reads the output.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from analyzer.console.messages import line
from analyzer.errors import ExitCode

if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import NoReturn, Self

    from _typeshed import ReadableBuffer

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STDOUT, _STDERR = 1, 2


def leave_on_signals() -> None:
    """Let SIGINT and SIGTERM end the process where it stands, with one line and their code.

    That is right as long as there is nothing to clean up, and only that is safe during an import:
    an exception there may be dropped by a callback, or turned into an ImportError.
    """
    for number in _SIGNALS:
        signal.signal(number, _leave)


class Interruptible:
    """A part of a command that cleans up when a signal ends it: folders, threads, a child.

    Inside the block a signal raises SystemExit. A library may make an error of its own of that,
    so whatever leaves the block after a signal is the end the signal asked for; and it may put a
    handler in place that raises KeyboardInterrupt, which is one too.
    """

    def __init__(self) -> None:
        self._number: int | None = None

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            signal.signal(number, self._raise)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        leave_on_signals()
        if isinstance(error, KeyboardInterrupt):
            self._number = signal.SIGINT
        if self._number is not None:
            raise SystemExit(_announced(self._number)) from None

    def _raise(self, number: int, _frame: FrameType | None) -> NoReturn:
        self._number = number
        raise SystemExit(_code(number))


class Sink(io.RawIOBase):
    """The end of a standard stream; writing to it always succeeds.

    A reader that left early has what it wanted: the rest is dropped. Any other failure, such as a
    full disk, is kept in `failure` until the command has done its job.
    """

    def __init__(self, descriptor: int | None) -> None:
        super().__init__()
        self.failure: OSError | None = None
        self._descriptor = descriptor

    def writable(self) -> bool:
        """Always."""
        return True

    def isatty(self) -> bool:
        """Whether a person is watching."""
        return self._descriptor is not None and os.isatty(self._descriptor)

    def fileno(self) -> int:
        """The descriptor; none once writing is of no use."""
        if self._descriptor is None:
            raise io.UnsupportedOperation("the stream is closed")
        return self._descriptor

    def write(self, data: ReadableBuffer) -> int:
        """Write a part of the bytes, or drop them all."""
        if self._descriptor is not None:
            try:
                return os.write(self._descriptor, data)
            except BrokenPipeError:
                self._descriptor = None
            except OSError as error:
                self.failure, self._descriptor = error, None
        return memoryview(data).nbytes


def steady_streams() -> Sink:
    """Put `Sink`s below stdout and stderr, both UTF-8; returns stdout's.

    A standard stream that is closed is opened on the null device first: the next file anybody
    opens would take its number, and hold what a library prints.
    """
    sinks = [
        Sink(None if stream is None else number)
        for number, stream in ((_STDOUT, sys.stdout), (_STDERR, sys.stderr))
    ]
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - the function takes nothing else
    os.close(descriptor)
    sys.stdout = _text(sinks[0], by_line=sinks[0].isatty())
    sys.stderr = _text(sinks[1], by_line=True)
    return sinks[0]


def _text(sink: Sink, *, by_line: bool) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(sink), encoding="utf-8", errors="replace", line_buffering=by_line
    )


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(_announced(number))  # clean-up is what the caller has none of


def _announced(number: int) -> ExitCode:
    """Say on stderr how it ends; past Python's streams, which a signal may find half written."""
    code = _code(number)
    word = "terminated" if code is ExitCode.TERMINATED else "interrupted"
    with suppress(OSError):
        os.write(_STDERR, f"{line('error', word)}\n".encode())
    return code


def _code(number: int) -> ExitCode:
    return ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED


def started_as() -> str:
    """What to type to start this tool again: its name where that finds it, else as it was started.

    `.venv/bin/analyzer` is how it starts without the environment being activated.
    """
    import shlex
    import shutil
    from pathlib import Path

    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return f"{shlex.quote(sys.orig_argv[0])} -m analyzer"
    found = shutil.which(started.name)
    on_path = found is not None and started.exists() and started.samefile(found)
    return shlex.quote(started.name if on_path else sys.argv[0])  # a Path would drop `./`
