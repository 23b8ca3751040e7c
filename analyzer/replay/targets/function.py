"""A function of the user's own, called where a server would be asked.

    def predict(body: bytes, content_type: str, accept: str | None) -> bytes | str

It may also return a pair of the body and its content type; without one the answer has the type
that was accepted, else that of the request. It is called from several threads at a time, as many
as `--concurrency` says. What it raises is the outcome of its request.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import ExitCode, UsageError
from analyzer.replay.targets.target import MOST_BYTES, TIMEOUT_S, Answer, Caught
from analyzer.sources.objects import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.requests import Request

_RETURNED = 200


class Function:
    """`MODULE:FUNCTION`, found from the current folder too.

    Raises:
        UsageError: no such module or function.
    """

    def __init__(self, name: str, flag: str) -> None:
        where = f"{flag} python:{printable(name)}"
        module_name, _, function_name = name.partition(":")
        if not module_name or not function_name:
            raise UsageError(f"{where}: expected python:MODULE:FUNCTION")
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.insert(0, here)
        with Caught() as caught:
            module = importlib.import_module(module_name)
        if caught.error is not None:
            if _is_signals(caught.error):
                raise caught.error
            said = f"{type(caught.error).__name__}: {printable(str(caught.error))}"
            raise UsageError(f"{where}: cannot be imported: {said}")
        function = getattr(module, function_name, None)
        if not callable(function):
            raise UsageError(f"{where}: the module has no function {printable(function_name)}")
        _refuse_other_arguments(function, where)
        self._function = function

    def check(self) -> None:
        """A function that was found is there."""

    def send(self, request: Request) -> Answer:
        """Call it."""
        body, started_s = request.body, time.monotonic()
        with Caught() as caught:
            returned = self._function(body, request.content_type, request.accept)
        done_s = time.monotonic()
        if caught.error is not None:
            # Its message may quote the request.
            return Answer(done_s, error_code="raised", error_text=type(caught.error).__name__)
        kind: object = request.accept or request.content_type
        if isinstance(returned, tuple) and len(returned) == 2:  # noqa: PLR2004 - body and type
            returned, kind = returned
        data = returned.encode() if isinstance(returned, str) else returned
        if not isinstance(data, bytes) or not isinstance(kind, str):
            text = f"returned {type(data).__name__}, not bytes or str"
            return Answer(done_s, error_code="bad-answer", error_text=text)
        if len(data) > MOST_BYTES:
            text = f"more than {MOST_BYTES} bytes"
            return Answer(done_s, status=_RETURNED, error_code="too-large", error_text=text)
        if done_s - started_s > TIMEOUT_S:  # it cannot be stopped, but it would have been
            text = f"no answer in {TIMEOUT_S:g} s"
            return Answer(done_s, error_code="timeout", error_text=text)
        return Answer(done_s, status=_RETURNED, content_type=printable(kind), body=data)

    def expire(self, now_s: float) -> None:
        """Nothing can end a function; see `send`."""

    def close(self) -> None:
        """Nothing can end a function; its thread ends with the process."""


def _refuse_other_arguments(function: Callable[..., object], where: str) -> None:
    """Rather than let every request end with a TypeError."""
    try:
        taken = inspect.signature(function)
    except (TypeError, ValueError):
        return  # some of C's functions tell no signature
    try:
        taken.bind(b"", "", None)
    except TypeError as error:
        text = f"{where}: it is called as FUNCTION(body, content_type, accept): {error}"
        raise UsageError(text) from None


def _is_signals(error: BaseException) -> bool:
    """Whether a signal ended the import, and not the module itself by `sys.exit`."""
    if isinstance(error, SystemExit):
        return error.code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
    return not isinstance(error, Exception)
