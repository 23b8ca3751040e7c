"""A folder for what one run spills and nobody else needs; a killed run's is removed by the next.

In: a folder with a lock that lives as long as its process. Out: what is put there.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_PREFIX = "analyzer-"
_LOCK, _UNSEEN = "in-use", "in-use.new"
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
    """Folders of this user whose lock nobody holds."""
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            if _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        # killed before it was locked; what holds anything else is somebody's folder of that name
        unlocked = {path.name for path in folder.iterdir()} <= {_UNSEEN}
        return unlocked and time.time() - folder.stat().st_mtime > _BEING_MADE_S
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
