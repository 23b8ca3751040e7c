"""The same evidence in another order, form, place or moment: verdict.json byte for byte the same.

`tests/test_golden.py` has files created in another order, one time zone more and one thread;
`tests/reading/test_cache.py` has what was read before.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import sys
import time
from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from tests.examples import examples
from tests.faults.shadow_tests import LONG_AGO_S, SAMPLE_DATA, aged, command, finished, scenario
from tests.forked_runs import UNDRAWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.forked_runs import ForkedRuns

    Change = Callable[[random.Random, Path, bytes], tuple[str, bytes]]

_BOM = b"\xef\xbb\xbf"


def shuffled_lines(rng: random.Random, path: Path, body: bytes) -> tuple[str, bytes]:
    lines = body.splitlines(keepends=True)
    rng.shuffle(lines)
    return path.name.removesuffix(".gz"), b"".join(lines)


def shuffled_files(rng: random.Random, path: Path, body: bytes) -> tuple[str, bytes]:
    del path
    return f"{rng.getrandbits(64):016x}.jsonl", body


def plain(_: random.Random, path: Path, body: bytes) -> tuple[str, bytes]:
    return path.name.removesuffix(".gz"), body


def many_members(_: random.Random, path: Path, body: bytes) -> tuple[str, bytes]:
    """Compressed in pieces that end anywhere."""
    pieces = [body[at : at + 1_000] for at in range(0, len(body), 1_000)]
    return path.name.removesuffix(".gz") + ".gz", b"".join(map(gzip.compress, pieces))


def windows_line_ends(_: random.Random, path: Path, body: bytes) -> tuple[str, bytes]:
    return path.name.removesuffix(".gz"), body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def byte_order_mark(_: random.Random, path: Path, body: bytes) -> tuple[str, bytes]:
    return path.name.removesuffix(".gz"), _BOM + body.removeprefix(_BOM)


def outer_spaces(_: random.Random, path: Path, body: bytes) -> tuple[str, bytes]:
    return path.name.removesuffix(".gz"), b"".join(b"\t %s \t\n" % t for t in body.splitlines())


def in_turn(*changes: Change) -> Change:
    """One change after the other."""

    def made(rng: random.Random, path: Path, body: bytes) -> tuple[str, bytes]:
        name = path.name
        for change in changes:
            name, body = change(rng, path.with_name(name), body)
        return name, body

    return made


def changed(folder: Path, change: Change) -> Path:
    """A scenario with a change to every capture file that can be read to its end."""
    rng = random.Random(1)
    for path in sorted((folder / "captures").rglob("*.jsonl*")):
        body = path.read_bytes()
        try:
            whole = gzip.decompress(body) if path.suffix == ".gz" else body
        except EOFError:
            continue
        if not whole:
            continue
        path.unlink()
        name, new = change(rng, path, whole)
        path.with_name(name).write_bytes(new)
        aged(path.with_name(name))
    return folder


def judged(folder: Path, threads: int | None) -> str:
    request = analysis.Request(
        source=str(folder / "captures"),
        cloudwatch=(str(folder / "cloudwatch"),),
        policy_file=folder / "policy.toml",
        threads=threads,
        use_cache=False,
    )
    return analysis.run(request, silent).verdict.to_json()


@pytest.mark.parametrize(
    ("name", "change", "threads"),
    [
        ("no_inference_id", in_turn(outer_spaces, shuffled_lines, shuffled_files), 8),
        ("broken", in_turn(windows_line_ends, byte_order_mark, many_members), 2),
        *(
            pytest.param(*one, marks=pytest.mark.long)
            for one in (
                ("no_inference_id", shuffled_files, 2),
                ("no_inference_id", shuffled_lines, 8),
                ("no_inference_id", many_members, 1),
                ("broken", plain, 8),
                ("broken", many_members, 2),
                ("broken", windows_line_ends, None),
                ("broken", byte_order_mark, None),
                ("no_inference_id", outer_spaces, 8),
            )
        ),
    ],
)
def test_another_order_or_form_of_the_same_lines_gives_the_same_bytes(
    tmp_path: Path, name: str, change: Change, threads: int | None
) -> None:
    folder = changed(scenario(name, tmp_path / name), change)
    golden = (SAMPLE_DATA / name / "expected_verdict.json").read_text(encoding="utf-8")
    assert judged(folder, threads) == golden


@pytest.mark.parametrize(
    ("name", "zone", "language", "seed"),
    [
        ("thin_sample", "Antarctica/Troll", "de_DE.ISO-8859-1", "123"),
        pytest.param("broken", "Antarctica/Troll", "de_DE.ISO-8859-1", "7", marks=pytest.mark.long),
        pytest.param("broken", "Asia/Kathmandu", "C", "0", marks=pytest.mark.long),
    ],
)
def test_another_place_gives_the_same_bytes(
    tmp_path: Path, name: str, zone: str, language: str, seed: str
) -> None:
    folder = SAMPLE_DATA / name
    env = {**os.environ, "TZ": zone, "LC_ALL": language, "PYTHONHASHSEED": seed}
    arguments = command(folder, tmp_path / "out", "--no-cache", "--fail-on", "never")[3:]
    done = finished([sys.executable, "-c", UNDRAWN, *arguments], env)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "out" / "verdict.json").read_bytes()
    assert written == (folder / "expected_verdict.json").read_bytes()


@pytest.mark.parametrize("years", [-10, 3])
@pytest.mark.parametrize(
    "name", ["thin_sample", pytest.param("label_flips", marks=pytest.mark.long)]
)
def test_another_date_gives_the_same_bytes(
    tmp_path: Path, refusing: ForkedRuns, name: str, years: int
) -> None:
    folder = SAMPLE_DATA / name
    env: dict[str, str | Path] = {"XDG_CACHE_HOME": tmp_path / "cache"}
    # Read, then from the cache if that date lets it be kept.
    for _ in range(2 if years > 0 else examples(1, whole=2)):
        ended = refusing.run(
            command(folder, tmp_path / "out")[3:],
            {**env, "FAULTS_CLOCK_OFFSET_S": str(years * 365 * 86_400)},
        )
        assert ended.code == 10, ended.said
        written = (tmp_path / "out" / "verdict.json").read_bytes()
        assert written == (folder / "expected_verdict.json").read_bytes()


def test_the_clock_decides_what_a_person_is_told_and_nothing_else(
    tmp_path: Path, refusing: ForkedRuns
) -> None:
    """Which also shows that the date is another one where a test says so."""
    folder = scenario("thin_sample", tmp_path / "thin")
    arguments = command(folder, tmp_path / "out", "--no-cache")[3:]
    arguments.remove("--quiet")
    offset = str(LONG_AGO_S + 10 - int(time.time()))
    ended = refusing.run(arguments, {"FAULTS_CLOCK_OFFSET_S": offset})
    assert ended.code == 10
    assert "younger than five minutes" in ended.said
    assert "younger" not in refusing.run(arguments, {}).said
    written = (tmp_path / "out" / "verdict.json").read_bytes()
    assert written == (folder / "expected_verdict.json").read_bytes()


NAMES = ["it's ü\n'; -- 50%", "[1]*?", "shadow_data=0.5/input_key=7", "hour=13/code=1/role=x"]


@pytest.mark.parametrize(
    "name", ["/".join(NAMES), *(pytest.param(name, marks=pytest.mark.long) for name in NAMES)]
)
def test_another_folder_gives_the_same_bytes(name: str, tmp_path: Path, forked: ForkedRuns) -> None:
    """No path is in a verdict, whatever it is called; schedulers call folders `hour=13`."""
    folder = tmp_path / name
    shutil.copytree(SAMPLE_DATA / "thin_sample", folder)
    inside = {"TMPDIR": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    ended = forked.run(command(folder, folder / "out", "--no-cache")[3:], inside)
    assert ended.code == 10, ended.said
    written = (folder / "out" / "verdict.json").read_bytes()
    assert written == (folder / "expected_verdict.json").read_bytes()
