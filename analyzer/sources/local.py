"""Capture files in a folder: listing them safely, reading a part of one.

Symbolic links are followed, each folder once, so loops end. Nothing is written and no path is
made from data.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.addresses import address
from analyzer.errors import AccessError, InputError
from analyzer.sources.layout import CAPTURE_NAMES
from analyzer.sources.objects import Entry, ObjectError, is_hidden, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.sources.objects import SourceObject

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A file replaced by a pipe must not block the run; Windows needs to be told not to touch newlines.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def entries(root: str) -> Iterator[Entry]:
    """Every file below a folder, or the one file.

    Pipes, sockets, devices, and folders with the name of a capture file are entries that are no
    file: whoever put them there may miss them.

    Raises:
        InputError: nothing is there.
        AccessError: a folder cannot be listed; what it hides cannot be known.
    """
    path = Path(root).absolute()
    try:
        status = path.stat()
    except PermissionError:
        raise AccessError(f"{printable(root)}: permission denied") from None
    except (OSError, ValueError):
        meant = address(root) or ""
        hint = f"; did you mean {printable(meant)}?" if meant.startswith("s3://") else ""
        raise InputError(f"{printable(root)}: no such file or folder{hint}") from None
    if stat.S_ISDIR(status.st_mode):
        yield from _walk(str(path))
    else:
        yield _entry(str(path), path.name, status, named=True)


def read(item: SourceObject, start: int, end: int) -> bytes:
    """Bytes [start, end) of a file that is still the one that was listed.

    Raises:
        ObjectError: deleted-or-replaced, or unreadable with the system's reason.
    """
    try:
        descriptor = os.open(item.location, _OPEN)
        try:
            status = os.fstat(descriptor)
            if (status.st_size, _modified(status)) != (item.size, item.modified):
                raise ObjectError("deleted-or-replaced", "changed after it was listed")
            data = _read_exactly(descriptor, start, end)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        if Path(item.location).is_symlink():
            text = "cannot be read: a symbolic link to a file that is not there"
            raise ObjectError("unreadable", text) from None
        raise ObjectError("deleted-or-replaced", "gone after it was listed") from None
    except OSError as error:
        raise ObjectError("unreadable", error.strerror or "cannot be read") from None
    if len(data) != end - start:
        raise ObjectError("deleted-or-replaced", "became shorter while it was read")
    return data


def _read_exactly(descriptor: int, start: int, end: int) -> bytes:
    """Bytes [start, end), fewer only at the end of the file; one call is nearly always enough."""
    if start:
        os.lseek(descriptor, start, os.SEEK_SET)
    data = os.read(descriptor, end - start)
    while len(data) < end - start:
        more = os.read(descriptor, end - start - len(data))
        if not more:
            break
        data += more
    return data


def _walk(root: str) -> Iterator[Entry]:
    """Files of a tree; real folders before linked ones, so that a real path wins."""
    seen: set[tuple[int, int]] = set()
    real, linked = deque([(root, "")]), deque[tuple[str, str]]()
    while real or linked:
        folder, relative = real.popleft() if real else linked.popleft()
        for child in _children(folder, seen):
            below = relative + child.name
            status = _status(child)
            folder_below = status is not None and stat.S_ISDIR(status.st_mode)
            if folder_below:
                (linked if child.is_symlink() else real).append((child.path, below + "/"))
            if not folder_below or child.name.lower().endswith(CAPTURE_NAMES):
                yield _entry(child.path, below, status)


def _status(child: os.DirEntry[str]) -> os.stat_result | None:
    """What a child is, links followed; None for a file that should be there and is not."""
    try:
        return child.stat()
    except PermissionError as error:
        raise _hidden(child.path, error) from None
    except OSError:
        # A broken link: listed, and failing when it is read.
        return None


def _children(folder: str, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """A folder's children in order; none when the folder has been seen before."""
    try:
        status = Path(folder).stat()
        identity = (status.st_dev, status.st_ino)
        if identity in seen:
            return []
        seen.add(identity)
        with os.scandir(folder) as children:
            return sorted(children, key=attrgetter("name"))
    except OSError as error:
        raise _hidden(folder, error) from None


def _hidden(path: str, error: OSError) -> AccessError:
    return AccessError(
        f"{printable(path)}: cannot look inside: {error.strerror}; what it holds would be missing "
        "without a trace"
    )


def _entry(
    path: str, relative: str, status: os.stat_result | None, *, named: bool = False
) -> Entry:
    # File names are bytes; those that are not UTF-8 show their bytes as \\xNN.
    key = os.fsencode(relative).decode("utf-8", "backslashreplace")
    hidden = not named and is_hidden(key)
    if status is None:
        return Entry(key, path, None, None, None, path, hidden=hidden)
    identity = f"{status.st_dev}:{status.st_ino}"
    is_file = stat.S_ISREG(status.st_mode)
    return Entry(key, path, status.st_size, None, _modified(status), identity, is_file, hidden)


def _modified(status: os.stat_result) -> datetime | None:
    try:
        return _EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000)
    except OverflowError:
        return None
