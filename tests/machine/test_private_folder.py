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


NAME = f"shadow-analyzer-{'0f' * 16}"


def left(place: Path, name: str = NAME, *holds: str) -> Path:
    """A folder as a killed run leaves it."""
    folder = place / name
    folder.mkdir(mode=0o700)
    for one in holds:
        (folder / one).parent.mkdir(parents=True, exist_ok=True)
        (folder / one).touch()
    os.utime(folder, (0, 0))
    return folder


@pytest.mark.parametrize(
    "holds",
    [
        (),
        ("in-use.new",),
        ("in-use",),
        ("in-use", "pairs-3.parquet", "facts-4/tmp_0.parquet", "duckdb_temp_storage_S32K-0.tmp"),
    ],
)
def test_what_a_killed_run_leaves_is_removed(tmp_path: Path, holds: tuple[str, ...]) -> None:
    left(tmp_path, NAME, *holds)
    PrivateFolder(tmp_path).remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("analyzer-results", ()),
        ("analyzer-notes", ("in-use", "thesis.txt")),
        ("shadow-analyzer-results", ("in-use",)),
        (f"{NAME}-copy", ("in-use",)),
        (f"shadow-analyzer-{'0F' * 16}", ()),
        (NAME, ("in-use", "thesis.txt")),
        (NAME, ("in-use", "facts-4/thesis.txt")),
        (NAME, ("verdict.json",)),
    ],
)
def test_a_folder_that_no_run_leaves_stays_with_all_in_it(
    tmp_path: Path, name: str, holds: tuple[str, ...]
) -> None:
    folder = left(tmp_path, name, *holds)
    PrivateFolder(tmp_path).remove()
    assert {str(path.relative_to(folder)) for path in folder.rglob("*")} >= set(holds)


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o500])
def test_a_folder_that_others_may_use_stays(tmp_path: Path, mode: int) -> None:
    folder = left(tmp_path, NAME, "in-use")
    folder.chmod(mode)
    PrivateFolder(tmp_path).remove()
    assert (folder / "in-use").exists()


def test_a_folder_of_another_user_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = left(tmp_path, NAME, "in-use")
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    PrivateFolder(tmp_path).remove()
    assert (folder / "in-use").exists()


def test_a_folder_that_is_being_made_stays(tmp_path: Path) -> None:
    folder = left(tmp_path)
    os.utime(folder)
    PrivateFolder(tmp_path).remove()
    assert folder.is_dir()


def test_no_link_is_followed(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    elsewhere = left(tmp_path, "elsewhere", "in-use", "kept.parquet")
    (place / NAME).symlink_to(elsewhere)
    linked = left(place, f"shadow-analyzer-{'1e' * 16}", "in-use")
    (linked / "facts-4").symlink_to(elsewhere)
    (linked / "pairs-3.parquet").symlink_to(elsewhere / "kept.parquet")
    PrivateFolder(place).remove()
    assert (elsewhere / "kept.parquet").exists()
    assert (place / NAME).is_symlink()
    assert (linked / "in-use").exists()
