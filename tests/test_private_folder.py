"""What one run spills is gone when it ends, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from analyzer.private_folder import PrivateFolder

if TYPE_CHECKING:
    from pathlib import Path

HOLDING = (
    "import sys, time; from pathlib import Path; from analyzer.private_folder import PrivateFolder;"
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
