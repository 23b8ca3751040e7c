"""Before a run its folder is empty and can be written, or the run is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.errors import ResourceError, UsageError
from analyzer.out_folder import asked_out, claim, claim_early

ROOT = Path(__file__).resolve().parents[1]


def bundle_in(folder: Path) -> Path:
    """A folder with everything a bundle can hold."""
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "minutes.parquet").write_bytes(b"x")
    for name in ("verdict.json", "summary.md", "report.html", "junit.xml"):
        (folder / name).write_text("PROMOTE", encoding="utf-8")
    manifest = {"schema_version": "1.0", "files": {"summary.md": "0"}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_nothing_of_an_older_bundle_is_left(tmp_path: Path) -> None:
    claim(bundle_in(tmp_path / "out"))
    assert names(tmp_path / "out") == set()
    assert names(tmp_path) == {"out"}


def test_a_signal_between_making_and_removing_the_sibling_leaves_none(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from analyzer.console.process import leave_on_signals
from analyzer.out_folder import claim
removed = Path.rmdir
def met(folder):
    os.kill(os.getpid(), signal.SIGTERM)
    removed(folder)
Path.rmdir = met
leave_on_signals()
claim(Path(sys.argv[1]))
"""
    asked = [sys.executable, "-c", script, str(tmp_path / "out")]
    ended = subprocess.run(asked, cwd=ROOT, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (143, "error: terminated\n")
    assert names(tmp_path) == set()


def test_a_removal_that_was_cut_short_can_be_finished(tmp_path: Path) -> None:
    out = bundle_in(tmp_path / "out")
    for name in ("verdict.json", "summary.md", "report.html", "junit.xml"):
        (out / name).unlink()
    claim(out)
    assert names(out) == set()


@pytest.mark.parametrize("manifest", ["{}", '{"name": "a web page", "icons": []}', "[]", "\x00"])
def test_a_manifest_of_something_else_is_never_removed(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest, encoding="utf-8")
    (tmp_path / "tables").mkdir()
    with pytest.raises(UsageError, match="not empty and not a bundle"):
        claim(tmp_path)
    assert names(tmp_path) == {"manifest.json", "tables"}


def test_a_damaged_bundle_can_be_replaced(tmp_path: Path) -> None:
    out = bundle_in(tmp_path / "out")
    (out / "manifest.json").write_bytes(b"\xff")
    claim(out)
    assert names(out) == set()


def test_a_place_that_takes_no_folder_is_named_before_the_run() -> None:
    with pytest.raises(ResourceError, match=r"--out /proc/x: no folder can be made in /proc: \w"):
        claim(Path("/proc/x"))


def test_what_cannot_be_removed_is_named(tmp_path: Path) -> None:
    out = bundle_in(tmp_path / "out")
    (out / "summary.md").unlink()
    (out / "summary.md").mkdir()
    with pytest.raises(ResourceError, match=r"cannot be emptied: summary\.md: "):
        claim(out)
    assert not (out / "verdict.json").exists()


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["run"], "analysis"),
        (["demo"], "demo"),
        (["run", "captures", "--out", "ci"], "ci"),
        (["run", "--out=ci", "captures"], "ci"),
        (["run", "--out", "first", "--out", "ci"], "ci"),
        (["run", "--bogus", "--out", "ci"], "ci"),
        (["run", "--fail-on", "bogus", "--out", "ci"], "ci"),
        (["run", "--out", "--help"], "--help"),
        (["run", "--", "--out", "ci"], "analysis"),
        (["run", "--out"], None),
        (["run", "--out", "ci", "--help"], None),
        (["verdict", "--out", "ci"], None),
        (["--version", "run"], None),
        ([], None),
    ],
)
def test_the_folder_is_found_in_arguments_that_may_be_wrong(
    arguments: list[str], out: str | None
) -> None:
    assert asked_out(arguments) == (None if out is None else Path(out))


def test_claiming_early_leaves_complaints_to_the_command(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x", encoding="utf-8")
    claim_early(["run", "--out", str(tmp_path)])
    assert names(tmp_path) == {"thesis.tex"}


def test_a_mount_point_is_refused_before_the_run_and_not_after_it() -> None:
    with pytest.raises(UsageError, match="is a mount point; name a folder inside it"):
        claim(Path("/proc"))


@pytest.mark.parametrize("below", ["out", "a/b"])
def test_a_folder_below_a_file_is_refused_with_the_file(tmp_path: Path, below: str) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("mine", encoding="utf-8")
    out = file / below
    with pytest.raises(UsageError) as refused:
        claim(out)
    assert str(refused.value) == f"--out {out}: {file} is a file; name a folder"
    assert file.read_text(encoding="utf-8") == "mine"
