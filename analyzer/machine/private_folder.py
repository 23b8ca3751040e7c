"""A folder for what one run spills and nobody else needs; a killed run's is removed by the next.

In: a folder with a lock that lives as long as its process. Out: what is put there.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_PREFIX = "shadow-analyzer-"
_NAME = re.compile(rf"{_PREFIX}[0-9a-f]{{32}}")
_LOCK, _UNSEEN = "in-use", "in-use.new"
_SPILLED = re.compile(rf"{_LOCK}|{_UNSEEN}|duckdb_temp_.*|.*\.parquet", re.DOTALL)
"""All that is ever put there, in folders or not."""
_PERMISSIONS = 0o777
_BEING_MADE_S = 60.0


class PrivateFolder:
    """A new folder, after those that killed runs left beside it are removed.

    Args:
        parent: None for the system's folder for temporary files.

    Attributes:
        path: the folder, for its owner only.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, parent: Path | None = None) -> None:
        place = Path(parent or tempfile.gettempdir())
        _remove_abandoned(place)
        self.path = place / f"{_PREFIX}{secrets.token_hex(16)}"  # known before it is there
        made = False
        try:
            self.path.mkdir(mode=0o700)
            self._lock = _locked(self.path / _LOCK)
            made = True
        finally:
            if not made:  # refused, or ended by a signal
                shutil.rmtree(self.path, ignore_errors=True)

    def remove(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _locked(path: Path) -> int:
    """A new file with its lock, which is held before another run can see the file.

    Held, not read: the kernel gives the lock back however the process ends.
    """
    unseen = path.with_name(_UNSEEN)
    lock = os.open(unseen, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unseen.rename(path)
    except OSError:
        os.close(lock)
        raise
    return lock


def _remove_abandoned(place: Path) -> None:
    """Folders that this tool made for this user, whose lock nobody holds.

    Other tools and people name folders, too: what differs in anything from what a run leaves stays.
    """
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if _is_made_here(folder) and _is_abandoned(folder) and _holds_spills(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_made_here(folder: Path) -> bool:
    status = folder.lstat()
    private = stat.S_ISDIR(status.st_mode) and status.st_mode & _PERMISSIONS == stat.S_IRWXU
    return private and status.st_uid == os.getuid() and _NAME.fullmatch(folder.name) is not None


def _holds_spills(folder: Path) -> bool:
    """Whether nothing below a folder is of another kind, links among it; none is followed."""
    with os.scandir(folder) as entries:
        return all(
            _holds_spills(Path(entry.path))
            if entry.is_dir(follow_symlinks=False)
            else entry.is_file(follow_symlinks=False) and _SPILLED.fullmatch(entry.name)
            for entry in entries
        )


def _is_abandoned(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        # killed before it was locked, perhaps; or not there yet
        unlocked = {path.name for path in folder.iterdir()} <= {_UNSEEN}
        return unlocked and time.time() - folder.stat().st_mtime > _BEING_MADE_S
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
