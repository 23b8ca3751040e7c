"""A command in this process: of what it says and ends with, one of its own shows no more."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from analyzer import __main__
from analyzer.out_folder import claim_early

if TYPE_CHECKING:
    from collections.abc import Mapping


def here(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str | Path] | None = None
) -> subprocess.CompletedProcess[str]:
    """What `python -m analyzer` says and ends with, its own streams and signals left out.

    Args:
        arguments: without the tool's name.
        cwd: where it is started; here by default.
        env: added to this process's environment.
    """
    words = [*map(str, arguments)]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    printed, said = io.StringIO(), io.StringIO()
    try:
        with (
            mock.patch.object(sys, "argv", [str(__main__.__file__), *words]),
            mock.patch.dict(os.environ, {name: str(text) for name, text in (env or {}).items()}),
            chdir(cwd or Path.cwd()),
            redirect_stdout(printed),
            redirect_stderr(said),
        ):
            claim_early(words)
            code = __main__._exit_code()  # noqa: SLF001 - all of `main` that is said above
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return subprocess.CompletedProcess(words, code, printed.getvalue(), said.getvalue())
