"""What `analyzer replay` says before, while and after it sends, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.forked_runs import analyzer
from tests.replay.replays import line, write_captures

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

MODULE = """
def model(body, content_type, accept):
    return "0.5"
def broken(body, content_type, accept):
    raise KeyError("a customer's name")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the user's with captures and a module."""
    (tmp_path / "model_of_mine.py").write_text(MODULE)
    write_captures(tmp_path / "captures", [line(number) for number in range(20)])
    return tmp_path


def replay(folder: Path, *arguments: str) -> CompletedProcess[str]:
    return analyzer("replay", "captures", *arguments, cwd=folder)


def test_a_folder_of_something_else_is_refused_and_left_as_it_is(folder: Path) -> None:
    bundle = folder / "bundle"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    done = replay(folder, "--candidate", "python:model_of_mine:model", "--out", "bundle")
    assert done.returncode == 2
    assert done.stderr == "error: --out bundle: not empty and not a replay; name another folder\n"
    assert [path.name for path in bundle.iterdir()] == ["manifest.json"]


def test_how_many_requests_for_how_long_is_said_before_the_first(folder: Path) -> None:
    target = ("--candidate", "python:model_of_mine:model")
    done = replay(folder, *target, "--speed", "40/s", "--out", "out")
    note = "note: 20 requests to send at --speed 40/s: all of them take 0 s"
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, note)
    assert replay(folder, *target, "--speed", "max", "--out", "quiet", "--quiet").stderr == ""


def test_a_candidate_that_answers_nothing_is_no_success(folder: Path) -> None:
    target = ("--candidate", "python:model_of_mine:broken")
    done = replay(folder, *target, "--speed", "max", "--out", "out")
    assert done.returncode == 4
    assert "20 requests ended so, the first with: KeyError" in done.stdout
    assert "Not one answer of the candidate was usable." in done.stdout
    assert "a customer" not in done.stdout + done.stderr


def test_without_a_time_that_requests_are_due_at_none_is_late(folder: Path) -> None:
    model = "python:model_of_mine:model"
    done = replay(
        folder, "--candidate", model, "--baseline", model, "--speed", "max", "--out", "out"
    )
    (row,) = (text for text in done.stdout.splitlines() if text.startswith("candidate"))
    cells = row.split()
    assert cells[:4] == ["candidate", "20", "20", "-"]
    assert cells[-3:] == ["-", "-", "-"]
    service_ms = [float(cell) for cell in cells[4:10:2]]
    assert min(service_ms) > 0
    shadow = "--shadow out/churn/candidate --endpoint churn"
    assert f"--production out/churn/baseline {shadow}" in done.stdout
    assert done.stdout.count(shadow) == 2
