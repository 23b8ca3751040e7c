"""What one run spills is gone when it ends, however it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from analyzer.machine import private_folder
from analyzer.machine.private_folder import PrivateFolder

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

HOLDING = (
    "import sys, time; from pathlib import Path;"
    "from analyzer.machine.private_folder import PrivateFolder;"
    "folder = PrivateFolder(Path(sys.argv[1])); print(folder.path, flush=True); time.sleep(60)"
)


def test_a_folder_is_its_owners_only_and_goes_with_all_in_it(tmp_path: Path) -> None:
    folder = PrivateFolder(tmp_path)
    (folder.path / "spilled").write_bytes(b"x")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_runs_folder_is_removed_by_the_next_and_a_living_ones_is_not(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        path = other.stdout.readline().strip()
        PrivateFolder(tmp_path).remove()
        assert os.path.isdir(path)  # noqa: PTH112 - as the other process printed it
        other.send_signal(signal.SIGKILL)
    PrivateFolder(tmp_path).remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", [(os, "rename"), (fcntl, "flock")])
def test_a_folder_that_cannot_be_locked_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: tuple[ModuleType, str]
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*call, refused)
    with pytest.raises(OSError, match="No space"):
        PrivateFolder(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_comes_with_the_folder_does_not_leave_it_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = os.mkdir

    def interrupted(path: Path, mode: int = 0o777) -> None:
        make(path, mode)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "mkdir", interrupted)
    with pytest.raises(KeyboardInterrupt):
        PrivateFolder(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_never_seen_with_a_lock_that_nobody_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run looks while the lock is being taken."""
    flock = fcntl.flock

    def looked_at_before(lock: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX:
            private_folder._remove_abandoned(tmp_path)  # noqa: SLF001 - what another run does
        flock(lock, operation)

    monkeypatch.setattr(fcntl, "flock", looked_at_before)
    folder = PrivateFolder(tmp_path)
    assert folder.path.is_dir()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "in-use").touch()
    (tmp_path / "analyzer-link").symlink_to(elsewhere)
    (tmp_path / "analyzer-file").touch()
    (tmp_path / "analyzer-new").mkdir()
    (tmp_path / "other").mkdir()
    PrivateFolder(tmp_path).remove()
    assert {path.name for path in tmp_path.iterdir()} == {
        "elsewhere",
        "analyzer-link",
        "analyzer-file",
        "analyzer-new",
        "other",
    }
    assert (elsewhere / "in-use").exists()


def test_an_old_folder_of_such_a_name_is_removed_only_where_a_killed_run_could_have_left_it(
    tmp_path: Path,
) -> None:
    for name, holds in (("empty", None), ("unlocked", "in-use.new"), ("results", "verdict.json")):
        folder = tmp_path / f"analyzer-{name}"
        folder.mkdir()
        if holds:
            (folder / holds).touch()
        os.utime(folder, (0, 0))
    PrivateFolder(tmp_path).remove()
    assert [path.name for path in tmp_path.iterdir()] == ["analyzer-results"]
    assert (tmp_path / "analyzer-results" / "verdict.json").exists()
