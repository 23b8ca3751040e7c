"""The log of one run for machines: how long each step took, on what, and how it ended.

In: what a run reports as it goes. Out: one JSON file beside the bundle. It holds times and the
machine, so it is neither evidence nor sealed by the manifest; it holds no argument, no environment
and no host name, because those hold secrets.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from analyzer.machine.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from analyzer.steps import Progress

SCHEMA_VERSION = "1.0"
_KIB = 1024


@dataclass
class _Step:
    """What a step last said of itself; seconds since the run began."""

    began_s: float
    ended_s: float = 0.0
    items: int = 0
    bytes: int | None = None


class RunLog:
    """Takes down the steps of a run on their way to whoever shows them."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock, self._began, self._began_at = clock, clock(), now()
        self._steps: dict[str, _Step] = {}

    def listening(self, shown: Progress) -> Progress:
        """A reporter that takes down what it passes on."""

        def report(
            step: str,
            done: int,
            total: int | None,
            /,
            *,
            bytes_done: int | None = None,
            bytes_total: int | None = None,
        ) -> None:
            elapsed = self._clock() - self._began
            held = self._steps.setdefault(step, _Step(elapsed))
            held.ended_s, held.items, held.bytes = elapsed, done, bytes_done
            shown(step, done, total, bytes_done=bytes_done, bytes_total=bytes_total)

        return report

    def write(self, path: Path, outcome: Mapping[str, object]) -> None:
        """Write the log as the run ends.

        Args:
            path: the file; an older one is replaced.
            outcome: how it ended: decision and exit code, and the error where there was one.

        Raises:
            OSError: it cannot be written.
        """
        text = json.dumps({**self._body(), **outcome}, indent=2, sort_keys=True) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")

    def _body(self) -> dict[str, object]:
        seconds = self._clock() - self._began
        began, ended = self._began_at, self._began_at + timedelta(seconds=seconds)
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "schema_version": SCHEMA_VERSION,
            "versions": versions(),
            "began_at": _stamp(began),
            "ended_at": _stamp(ended),
            "seconds": _rounded(seconds),
            "cpu_seconds": _rounded(used.ru_utime + used.ru_stime),
            "peak_memory_bytes": used.ru_maxrss * (1 if platform.system() == "Darwin" else _KIB),
            "host": _host(),
            "steps": [
                {
                    "step": name,
                    "began_s": _rounded(step.began_s),
                    "seconds": _rounded(step.ended_s - step.began_s),
                    "items": step.items,
                    "bytes": step.bytes,
                }
                for name, step in self._steps.items()
            ],
        }


def _host() -> dict[str, object]:
    from analyzer.machine import limits

    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_bytes": limits.memory_available(),
    }


def _rounded(seconds: float) -> float:
    return round(seconds, 3)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
