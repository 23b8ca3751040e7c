"""What a process may use, on machines made of a few files."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from analyzer.machine.limits import disk_free, memory_available

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1 << 30
V1_NONE = 9_223_372_036_854_771_712


@pytest.fixture(autouse=True)
def no_address_space_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: unlimited)


def machine(root: Path, *, cgroup: str, mounts: str, **limits: str | int) -> Path:
    """A root with 16 GiB installed; `limits` are files below /sys/fs/cgroup, `__` for a slash."""
    files = {
        "proc/meminfo": "MemTotal:       16777216 kB\nMemFree:  1 kB\n",
        "proc/self/cgroup": cgroup,
        "proc/self/mountinfo": mounts,
    }
    for name, limit in limits.items():
        *folders, file = name.split("__")
        path = "/".join(["sys/fs/cgroup", *folders, file.replace("memory_", "memory.")])
        files[path] = f"{limit}\n"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


V2 = "29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
V1 = (
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
)


def test_without_control_groups_the_installed_memory_counts(tmp_path: Path) -> None:
    assert memory_available(machine(tmp_path, cgroup="", mounts="")) == 16 * GIB


def test_a_limit_of_version_2_counts(tmp_path: Path) -> None:
    root = machine(tmp_path, cgroup="0::/job\n", mounts=V2, job__memory_max=2 * GIB)
    assert memory_available(root) == 2 * GIB


def test_the_limit_of_a_group_above_counts(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        cgroup="0::/pod/job\n",
        mounts=V2,
        pod__memory_max=GIB,
        pod__job__memory_max=2 * GIB,
    )
    assert memory_available(root) == GIB


def test_the_mark_at_which_a_group_is_slowed_down_counts(tmp_path: Path) -> None:
    root = machine(tmp_path, cgroup="0::/\n", mounts=V2, memory_max=2 * GIB, memory_high=GIB)
    assert memory_available(root) == GIB


def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    root = machine(tmp_path, cgroup="0::/\n", mounts=V2, memory_max="max", memory_high="max")
    assert memory_available(root) == 16 * GIB
    other = machine(
        tmp_path / "v1", cgroup="4:memory:/\n", mounts=V1, memory__memory_limit_in_bytes=V1_NONE
    )
    assert memory_available(other) == 16 * GIB


def test_a_limit_of_version_1_counts(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        cgroup="5:cpu:/other\n4:memory:/job\n0::/\n",
        mounts=V1,
        memory__memory_limit_in_bytes=V1_NONE,
        memory__job__memory_limit_in_bytes=3 * GIB,
        memory__other__memory_limit_in_bytes=GIB,
    )
    assert memory_available(root) == 3 * GIB


def test_a_controller_that_shares_its_tree_is_found(tmp_path: Path) -> None:
    mounts = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,cpuset,memory\n"
    root = machine(
        tmp_path,
        cgroup="4:cpuset,memory:/\n",
        mounts=mounts,
        memory__memory_limit_in_bytes=5 * GIB,
    )
    assert memory_available(root) == 5 * GIB


@pytest.mark.parametrize("shown", ["/docker/abc", "/"])
def test_a_container_that_sees_only_its_own_part_of_the_tree_finds_its_limit(
    tmp_path: Path, shown: str
) -> None:
    mounts = f"29 23 0:26 {shown} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    root = machine(tmp_path, cgroup="0::/docker/abc\n", mounts=mounts, memory_max=4 * GIB)
    assert memory_available(root) == 4 * GIB


def test_a_mount_point_with_a_space_is_found(tmp_path: Path) -> None:
    mounts = r"29 23 0:26 / /sys/fs/cgroup/a\040b rw - cgroup2 cgroup2 rw" + "\n"
    root = machine(tmp_path, cgroup="0::/\n", mounts=mounts, **{"a b__memory_max": GIB})
    assert memory_available(root) == GIB


@pytest.mark.parametrize("nonsense", ["", "-1", "none", "12 GB"])
def test_a_limit_that_is_no_number_is_no_limit(tmp_path: Path, nonsense: str) -> None:
    root = machine(tmp_path, cgroup="0::/\n", mounts=V2, memory_max=nonsense)
    assert memory_available(root) == 16 * GIB


def test_without_proc_the_system_is_asked(tmp_path: Path) -> None:
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert memory_available(tmp_path) == installed


def test_a_limit_on_the_address_space_counts() -> None:
    code = "from analyzer.machine.limits import memory_available; print(memory_available())"
    command = f"ulimit -v 400000; exec {sys.executable} -c '{code}'"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 400_000 << 10


def test_this_machine_has_some() -> None:
    assert 1 << 26 < memory_available() < 1 << 50


def test_room_is_told_for_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    told = disk_free(tmp_path / "not" / "yet")
    assert abs(told - free) < 1 << 30
