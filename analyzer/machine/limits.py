"""What this process may use of the machine: memory, and room on a disk.

In: what the kernel says, control groups of both versions included, so that a container's limit
counts and not its host's memory. Out: what to do with it. Assumes a POSIX system; where there is
no /proc the installed memory counts.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_LIMIT = 1 << 60
"""Version 1 writes a number near 2**63 where there is no limit."""
_FILES = {"cgroup2": ("memory.max", "memory.high"), "cgroup": ("memory.limit_in_bytes",)}
_CONTROLLER = "memory"
_ESCAPE = re.compile(r"\\([0-7]{3})")


def memory_available(root: Path = Path("/")) -> int:
    """Bytes of memory this process may use: the least of all limits on it, and of what there is.

    Limits are the installed memory, its control group's and every one's above it, and its own
    address space (`ulimit -v`). What other processes use now is not taken off: the answer is the
    same from run to run.

    Args:
        root: where /proc and /sys are looked for.
    """
    limits = [_installed(root), *_control_groups(root)]
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        limits.append(soft)
    return min(limits)


def disk_free(folder: Path) -> int:
    """Bytes free for this user where a folder is, or would be once it is made."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def _installed(root: Path) -> int:
    found = re.search(r"^MemTotal:\s+([0-9]+) kB$", _text(root / "proc/meminfo"), re.MULTILINE)
    if found:
        return int(found[1]) << 10
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _control_groups(root: Path) -> Iterator[int]:
    """The memory limits of this process's control group and of those above it."""
    for kind, mount, shown in _mounts(root):
        group = _group(root, kind)
        if group is None:
            continue
        # A container may see only the part of the tree that is its own, mounted as if it were all.
        below = group.removeprefix(shown.rstrip("/")) if group.startswith(shown) else ""
        parts = [part for part in below.split("/") if part not in {"", ".", ".."}]
        for depth in range(len(parts) + 1):
            folder = root / mount.lstrip("/") / "/".join(parts[:depth])
            for name in _FILES[kind]:
                limit = _text(folder / name).strip()
                if limit.isdigit() and int(limit) < _NO_LIMIT:
                    yield int(limit)


def _mounts(root: Path) -> Iterator[tuple[str, str, str]]:
    """Mounted control group trees that limit memory: their kind, where, and which part of them."""
    for line in _text(root / "proc/self/mountinfo").splitlines():
        place, _, described = line.partition(" - ")
        fields, (kind, *rest) = place.split(), described.split() or [""]
        of_memory = kind == "cgroup2" or (rest and _CONTROLLER in rest[-1].split(","))
        if kind in _FILES and of_memory:
            yield kind, _unescaped(fields[4]), _unescaped(fields[3])


def _group(root: Path, kind: str) -> str | None:
    """The path of this process's control group in a tree of that kind."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if (not controllers) if kind == "cgroup2" else (_CONTROLLER in controllers.split(",")):
            return path
    return None


def _unescaped(path: str) -> str:
    r"""A path as it is; mountinfo writes a space as \040."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), path)


def _text(path: Path) -> str:
    """A file's text; nothing where there is none to read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
