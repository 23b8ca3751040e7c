"""One process measured from outside: wall, CPU, peak memory, and what it put into its TMPDIR.

What the kernel accounts to a process and to the children it waited for, so nothing is sampled but
the temporary folder. Peak memory is the largest process's, and never less than a bare
interpreter's: a process begins as a copy of the one that measures it.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
_POLL_S = 0.05
_BUSY = 0.7


@dataclass(frozen=True)
class Measured:
    """What one process took.

    Attributes:
        cpu_s: user and system time of all its threads and children.
        peak_bytes: largest resident set.
        spilled_bytes: most that lay in its temporary folder at any look.
        exit_code: negative for the number of the signal that ended it.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    spilled_bytes: int
    exit_code: int


def measured(command: Sequence[str], scratch: Path, environment: Mapping[str, str]) -> Measured:
    """Run a command to its end, from the project's root.

    Args:
        scratch: a folder; stdout and stderr are kept there under these names, `tmp` in it is the
            process's TMPDIR.
        environment: what to set besides the present one.
    """
    temporary = scratch / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    given = {**os.environ, **environment, "TMPDIR": str(temporary)}
    with (
        (scratch / "stdout").open("wb") as out,
        (scratch / "stderr").open("wb") as err,
        _watched(temporary) as spilled,
    ):
        began = time.perf_counter()
        # Not a `with` block: what `wait` throws away is what this is about.
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=out, stderr=err)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(
        wall_s=wall_s,
        cpu_s=used.ru_utime + used.ru_stime,
        peak_bytes=used.ru_maxrss * 1024,
        spilled_bytes=max(spilled),
        exit_code=process.returncode,
    )


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder; files that go away meanwhile do not count."""
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(at) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total


@contextmanager
def _watched(folder: Path) -> Iterator[list[int]]:
    """Sizes of a folder, looked at until the block ends."""
    sizes = [0]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_POLL_S):
            sizes.append(max(folder_bytes(folder), sizes.pop()))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield sizes
    finally:
        ended.set()
        watcher.join()


def machine() -> str:
    """What the numbers were taken on; nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores{_processor()}, {memory / 1e9:.0f} GB of memory, "
        f"{platform.system()} {platform.machine()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    name = next(names, "")
    return f" ({name})" if name else ""


def warn_if_busy() -> None:
    """Say on stderr that other processes are at work: CPU seconds then still hold, wall may not."""
    busy = os.getloadavg()[0]
    if busy > _BUSY:
        said(f"the machine is busy (load average {busy:.1f}): do not trust these wall times")


def versions(*packages: str) -> str:
    """Python and the packages that are installed, with their versions."""
    found = [f"Python {platform.python_version()}"]
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def said(text: str) -> None:
    """Progress, on stderr: stdout carries the tables."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
