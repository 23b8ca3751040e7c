"""Processes that are started once for all of these tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.forked_runs import ForkedRuns, shared

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def disk_faults(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """`disk_faults.c` as a library; None without a compiler or where it cannot be preloaded."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = tmp_path_factory.mktemp("faults") / "disk_faults.so"
    source = Path(__file__).with_name("disk_faults.c")
    built = subprocess.run(
        [compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"],
        check=False,
        capture_output=True,
    )
    return library if built.returncode == 0 else None


@pytest.fixture(scope="session")
def forked() -> ForkedRuns:
    """Starts commands without the time they need for importing."""
    return shared()


@pytest.fixture(scope="session")
def refusing(
    tmp_path_factory: pytest.TempPathFactory, disk_faults: Path | None
) -> Iterator[ForkedRuns]:
    """The same, able to refuse changes of files."""
    if disk_faults is None:
        pytest.skip("no C compiler for disk_faults.c")
    with ForkedRuns(tmp_path_factory.mktemp("runs"), disk_faults) as runs:
        yield runs
