"""The benchmark measures what it says: on a slice, every contender finds what is there."""

from __future__ import annotations

import doctest
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from math import fsum
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from analyzer import bundle
from analyzer.model import Decision
from tests.bench import analyzer_runs, capture_load, contenders, ingest, results
from tests.bench.analyzer_runs import DECIDED, Failed, Workspace, found_by, require
from tests.bench.capture_load import write
from tests.bench.ingest import COLD, TITLES, compared, prepared
from tests.bench.limits import Case
from tests.bench.load import ENDPOINT, PRODUCTION, Load
from tests.bench.measure import ROOT, Measured, folder_bytes, measured
from tests.bench.stages import Stage, after_pairing, markdown_of, staged
from tests.browser.chromium import CHROMIUM
from tests.captures.capture_oracle import account
from tests.examples import examples
from tests.forked_runs import analyzer
from tests.report.frames import tables
from tests.report.verdicts import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PAIRS, OBJECTS = 2_000, 20


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    return write(tmp_path_factory.mktemp("loads") / "load", PAIRS, OBJECTS, processes=1)


@pytest.fixture(scope="module")
def ran(load: Load, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Measured]:
    """One run over the load, whose bundle nobody changes; what it took is measured with --long."""
    workspace = Workspace(tmp_path_factory.mktemp("ran") / "workspace")

    def unmeasured(
        command: Sequence[str], scratch: Path, environment: Mapping[str, str]
    ) -> Measured:
        assert [*command[:3]] == [sys.executable, "-m", "analyzer"]
        scratch.mkdir(parents=True)
        done = analyzer(*command[3:], cwd=ROOT, env=environment)
        return Measured(1.0, 1.0, 1, 0, done.returncode)

    measuring = measured if examples(0, whole=1) else unmeasured
    with mock.patch.object(analyzer_runs, "measured", measuring):
        return workspace, workspace.run(load)


def files(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def counted(load: Load) -> dict[str, float]:
    """What the pairing oracle, which knows nothing of the product or the generator, finds."""
    objects = {name: text.splitlines() for name, text in files(load.captures).items()}
    ledger, pairs = account(
        [
            ("production" if name.startswith(f"{ENDPOINT}/{PRODUCTION}/") else "shadow", lines)
            for name, lines in objects.items()
        ]
    )
    assert {rule for rule, _, _ in pairs} == {"inference_id"}
    scores = [(float(ours), float(theirs)) for _, ours, theirs in pairs]
    return {
        "lines": sum(map(len, objects.values())),
        "size": sum(map(len, files(load.captures).values())),
        "pairs": ledger["pairs"],
        "flips": sum((ours >= 0.5) != (theirs >= 0.5) for ours, theirs in scores),
        "mean_absolute_difference": fsum(abs(b - a) for a, b in scores) / len(scores),
    }


def test_every_contender_finds_what_an_independent_count_finds(
    load: Load, ran: tuple[Workspace, Measured]
) -> None:
    expected = counted(load)
    assert expected["pairs"] == PAIRS
    assert expected["flips"] > 0
    answers = {
        name: answer(*load.variants())
        for name, answer in contenders.CONTENDERS.items()
        if name != "parse"
    }
    workspace, _ = ran
    verdict = json.loads((workspace.bundle / "verdict.json").read_bytes())
    answers["analyzer run"] = found_by(verdict)
    assert answers["notebook"].pop("quantiles") == pytest.approx(answers["pandas"].pop("quantiles"))
    for name, found in answers.items():
        assert found
        require(name, found, expected)


def test_every_line_is_parsed(load: Load) -> None:
    pytest.importorskip("simdjson", reason="pysimdjson is not installed (extra `bench`)")
    assert contenders.parse(*load.variants()) == {"lines": counted(load)["lines"]}


@pytest.mark.long
def test_the_table_has_a_row_for_every_contender(load: Load, tmp_path: Path) -> None:
    before = files(load.captures)
    done = compared(load, 1, [], tmp_path)
    lines = done.markdown().splitlines()
    for name in TITLES:
        if name in done.left_out:
            assert f"Not run: {done.title(name)}: {done.left_out[name]}." in lines
        else:
            (row,) = (line for line in lines if line.startswith(f"| {done.title(name)} "))
            assert len(row.split("|")) == 8
            assert len(done.runs[name]) == 1
    assert files(load.captures) == before


def test_the_readme_shows_every_contender() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Performance\n")[1]
    shown = section.split("\n## ")[0]
    for title in TITLES.values():
        assert title.split("{")[0] in shown


def test_a_contender_that_finds_something_else_fails_the_benchmark(
    load: Load,
    ran: tuple[Workspace, Measured],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace, done = ran

    def run_already(place: Workspace, _: Load, **__: bool) -> Measured:
        shutil.copytree(workspace.bundle, place.bundle)
        return done

    monkeypatch.setattr(Workspace, "run", run_already)
    monkeypatch.setattr(ingest, "warmed", lambda *_: None)
    wrong = replace(load, day=replace(load.day, flips=load.day.flips + 1))
    with pytest.raises(Failed, match=r"analyzer run found flips = \d+; there are \d+"):
        compared(wrong, 1, [name for name in TITLES if name != COLD], tmp_path)
    with pytest.raises(Failed, match="notebook found mean_absolute_difference"):
        require(
            "notebook",
            {"mean_absolute_difference": 0.5},
            {"mean_absolute_difference": 0.5 + 1e-8},
        )


def test_the_same_seed_gives_the_same_bytes_however_many_processes_write(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process of its own, as the benchmark starts it: its workers import what it was started from.
    writer = [sys.executable, "tests/bench/capture_load.py", "--processes", "2"]
    numbers = ["--pairs", str(PAIRS), "--objects", str(OBJECTS), "--folder", str(tmp_path / "two")]
    subprocess.run([*writer, *numbers], cwd=ROOT, check=True, capture_output=True)
    assert files(tmp_path / "two") == files(load.folder)
    monkeypatch.setattr(capture_load, "_write_metrics", lambda _: None)
    other = write(tmp_path / "other", PAIRS, OBJECTS, seed=8, processes=1)
    same = set(files(other.captures).values()) & set(files(load.captures).values())
    assert same == set()


def test_a_load_is_taken_as_it_is_and_another_is_refused(load: Load) -> None:
    place = load.folder
    assert write(place, PAIRS, OBJECTS) == load
    with pytest.raises(ValueError, match="holds another load"):
        write(place, PAIRS, OBJECTS + 2)
    with pytest.raises(ValueError, match="is no load"):
        write(place / "captures", PAIRS, OBJECTS)


def test_a_load_that_a_killed_run_left_grown_is_as_before(tmp_path: Path) -> None:
    first = prepared(tmp_path, 200, 4)
    before = files(first.captures)
    first.grow()
    grown = files(first.captures)
    assert len(grown) == first.grown.objects == len(before) + 2
    assert folder_bytes(first.captures) == first.grown.size
    again = prepared(tmp_path, 200, 4)
    assert again == first
    assert files(again.captures) == before


@pytest.mark.long
def test_a_run_that_ends_with_an_error_is_a_row_with_its_exit_code(
    load: Load, tmp_path: Path
) -> None:
    usual, limited = Case("usual", load), Case("limited", load, "1MB")
    for case in (usual, limited):
        case.run(tmp_path / "workspace")
    assert usual.row()[:2] == ["usual", "finished"]
    (failed,) = limited.runs
    assert failed.exit_code not in DECIDED
    assert limited.row()[:2] == ["limited", f"exit code {failed.exit_code}"]
    assert not (tmp_path / "workspace").exists()


@pytest.mark.long
def test_stages_follow_the_run_and_only_those_after_pairing_are_summed(
    load: Load, tmp_path: Path
) -> None:
    (stages,) = staged(load, 1, tmp_path)
    names = [stage.name for stage in stages]
    assert names[0] == "imports"
    assert names[-1] == "summary and bundle"
    shown = markdown_of(load, [stages])
    assert all(f"| {name} " in shown for name in names)
    parts = [Stage("reading", 8, 8, 1), Stage("pairing", 4, 4, 1), Stage("a", 2, 9, 1)]
    assert after_pairing([*parts, Stage("b", 1, 9, 1)]) == 3
    with pytest.raises(Failed, match="no stage is called pairing"):
        after_pairing(parts[:1])


def test_a_process_is_measured_by_what_it_took(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, sys, time\n"
        "held = bytearray(b'x') * 200_000_000\n"
        "pathlib.Path(os.environ['TMPDIR'], 'spilled').write_bytes(held[:5_000_000])\n"
        "time.sleep(0.4)\n"
        "sys.exit(int(os.environ['CODE']))\n"
    )
    done = measured([sys.executable, "-c", script], tmp_path, {"CODE": "20"})
    assert done.exit_code == 20
    assert done.peak_bytes > 200e6
    assert done.spilled_bytes == 5_000_000
    killed = measured([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], tmp_path, {})
    assert killed.exit_code == -9


def test_examples_of_how_numbers_are_shown_hold() -> None:
    done = doctest.testmod(results)
    assert done.attempted > 0
    assert done.failed == 0


@pytest.mark.long
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="a core for the server, one for us")
def test_replays_are_measured_beside_a_bare_client_in_every_round() -> None:
    command = [sys.executable, "-m", "tests.bench.replay_load", "--requests", "100"]
    done = subprocess.run(
        [*command, "--rounds", "2", "--port", "28081"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = {
        line.split("|")[1].strip(): line.split("|")[2].strip()
        for line in done.stdout.splitlines()
        if line.startswith("|")
    }
    for name in ("analyzer replay --speed max, requests/s", "replay / http.client"):
        assert ".." in rows[name], done.stdout
        assert float(rows[name].split()[0]) > 0


@pytest.mark.long
@pytest.mark.browser
def test_the_first_paint_is_timed_beside_a_bare_page_in_every_round(tmp_path: Path) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}")
    bundle.write(tmp_path / "out", verdict(Decision.HOLD), {}, tables(Decision.HOLD))
    command = [sys.executable, "tests/bench/first_paint.py", str(tmp_path / "out")]
    done = subprocess.run(
        [*command, "--rounds", "1"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    for reader in ("first reader", "second reader"):
        assert any(row.startswith(f"| {reader} ") for row in rows), done.stdout
        assert any(f"report / bare page, {reader}" in row for row in rows), done.stdout
