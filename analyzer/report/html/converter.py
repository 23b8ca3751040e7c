"""The process that turns specifications into SVG, from its start to its answer.

In: specifications by name, each sent as soon as it is made. Out: what they are (`drawing`) and how
they are converted (`convert`). Nothing heavy is imported here, so that whoever knows that there
will be drawings can start the process before there is anything to draw.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

SCRIPT = Path(__file__).with_name("convert.py")


class Converter:
    """Converts what it is sent, in that order, while its sender goes on; ends with its block.

    Where it fails there are no drawings and no error: a report without drawings still has every
    number, in its tables. It answers once.

    Attributes:
        drew: whether it has given all drawings that it was asked for.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.drew = False

    def start(self) -> None:
        """Start the process, where it was not; that takes it about a second of another core."""
        if self._process is not None:
            return
        try:
            # Our own script by this very interpreter; what captures hold goes to its stdin.
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", str(SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        except OSError:
            return  # `answer` says so

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def send(self, name: str, spec: object, vl_version: str) -> None:
        """Hand over one specification; waits while the converter is far behind."""
        self.start()
        if self._process is None or self._process.stdin is None:
            return
        line = json.dumps({"name": name, "spec": spec, "vl_version": vl_version})
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it ended; `answer` says so

    def answer(self) -> dict[str, str]:
        """The drawings of everything that was sent, by name; {} where the converter failed."""
        if self._process is None:
            return {}
        answered, _ = self._process.communicate()
        self.drew = self._process.returncode == 0
        return json.loads(answered) if self.drew else {}
