"""Runs that are killed, interrupted or doubled: what is readable in --out is stale never, or whole.

The long suite kills 200 runs: `python -m pytest tests/faults/test_killed_runs.py --long`.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from analyzer import bundle
from tests.examples import examples
from tests.faults.shadow_tests import (
    SAMPLE_DATA,
    command,
    put_promotion,
    scenario,
    surroundings,
)
from tests.faults.test_disk_full import assert_named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    from tests.conftest import Say
    from tests.forked_runs import ForkedRuns

ABSENT, STALE, NEW = "absent", "stale", "new"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario that holds."""
    return scenario("thin_sample", tmp_path_factory.mktemp("scenario") / "thin_sample")


@pytest.fixture(scope="module")
def golden() -> bytes:
    return (SAMPLE_DATA / "thin_sample" / "expected_verdict.json").read_bytes()


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of an earlier run that promoted."""
    return put_promotion(tmp_path_factory.mktemp("promoted") / "bundle")


@dataclass
class Watch:
    """What can be read at verdict.json, again and again while a run lasts; a context manager."""

    path: Path
    stale: bytes
    new: bytes
    seen: list[str] = field(default_factory=list)
    looks: int = 0

    def look(self) -> None:
        try:
            body = self.path.read_bytes()
        except FileNotFoundError:
            state = ABSENT
        else:
            state = {self.stale: STALE, self.new: NEW}.get(body, repr(body[:60]))
        self.looks += 1
        if self.seen[-1:] != [state]:
            self.seen.append(state)

    def __enter__(self) -> Self:
        self.look()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()
        return self

    def _go_on(self) -> None:
        while not self._over.wait(0.0005):
            self.look()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.look()


IN_ORDER = ([STALE], [STALE, ABSENT], [STALE, ABSENT, NEW])
"""A claimed folder holds no verdict until the new one is whole."""


def seeded(promoted: Path, out: Path) -> Path:
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(promoted, out)
    return out


def assert_whole(out: Path, golden: bytes) -> None:
    assert (out / "verdict.json").read_bytes() == golden
    assert bundle.read(out).verdict.decision.value == "HOLD"


def test_a_killed_run_shows_no_stale_promotion_and_a_rerun_gives_the_same_bytes(
    folder: Path, golden: bytes, promoted: Path, forked: ForkedRuns, tmp_path: Path
) -> None:
    """A few times; the cache is what the killed runs made of it."""
    env = {"XDG_CACHE_HOME": tmp_path / "cache"}
    out = tmp_path / "out"
    arguments = command(folder, out)[3:]
    drawn = examples(0, whole=1) > 0
    started = time.perf_counter()
    assert forked.run(arguments, env, drawn=drawn).code == 10
    lasts_s = time.perf_counter() - started
    rng = random.Random(1)
    reached = Counter[str]()
    for number in range(examples(4, whole=8)):
        if number % 3 == 0:
            shutil.rmtree(tmp_path / "cache")
        seeded(promoted, out)
        with Watch(out / "verdict.json", (promoted / "verdict.json").read_bytes(), golden) as watch:
            pid = forked.start(arguments, env, drawn=drawn)
            time.sleep(rng.uniform(0, 0.8 * lasts_s))
            os.kill(pid, signal.SIGKILL)
            ended = forked.wait(pid)
        assert watch.seen in IN_ORDER
        assert ended.code in {-signal.SIGKILL, 10}
        reached[watch.seen[-1]] += 1
        if number % 2:
            assert forked.run(arguments, env).code == 10
            assert_whole(out, golden)
    assert reached[ABSENT]


@pytest.mark.long
def test_two_hundred_killed_runs_show_no_stale_promotion(
    folder: Path, golden: bytes, promoted: Path, tmp_path: Path, say: Say
) -> None:
    """Real processes, killed anywhere from their first instant on; a re-run after each."""
    out, cache = tmp_path / "out", tmp_path / "cache"
    arguments, env = command(folder, out), surroundings(cache)
    began = time.perf_counter()
    subprocess.run(arguments, env=env, check=False, stdout=subprocess.DEVNULL)
    lasts_s = time.perf_counter() - began
    rng = random.Random(2)
    reached, looks = Counter[str](), 0
    for number in range(200):
        if number % 3 == 0:
            shutil.rmtree(cache, ignore_errors=True)
        seeded(promoted, out)
        with Watch(out / "verdict.json", (promoted / "verdict.json").read_bytes(), golden) as watch:
            running = subprocess.Popen(
                arguments, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            time.sleep(rng.uniform(0, lasts_s))
            running.kill()
            _, said = running.communicate()
        assert watch.seen in IN_ORDER
        assert running.returncode in {-signal.SIGKILL, 10}
        assert "Traceback" not in said
        reached[watch.seen[-1]] += 1
        looks += watch.looks
        again = subprocess.run(
            arguments, env=env, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert (again.returncode, again.stderr) == (10, b"")
        assert_whole(out, golden)
    say(
        f"200 runs killed ({reached[STALE]} before they began, {reached[ABSENT]} under way, "
        f"{reached[NEW]} when the verdict was there), 200 re-runs with the same bytes, "
        f"{looks:,} looks at verdict.json; {time.perf_counter() - began:,.0f} s"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_ends_with_its_code_and_leaves_nothing_unfinished(  # noqa: PLR0917 - fixtures
    number: signal.Signals,
    folder: Path,
    golden: bytes,
    promoted: Path,
    forked: ForkedRuns,
    tmp_path: Path,
) -> None:
    """From the moment on that the folder is claimed, as often as it takes to meet it under way."""
    code, word = {signal.SIGTERM: (143, "terminated"), signal.SIGINT: (130, "interrupted")}[number]
    cache, temporary = tmp_path / "cache", tmp_path / "tmp"
    temporary.mkdir()
    env = {"XDG_CACHE_HOME": cache, "TMPDIR": temporary}
    out = tmp_path / "out" / "bundle"
    arguments = command(folder, out)[3:]
    rng = random.Random(number)
    codes = []
    for _ in range(examples(2, whole=5)):
        shutil.rmtree(cache, ignore_errors=True)
        seeded(promoted, out)
        with Watch(out / "verdict.json", (promoted / "verdict.json").read_bytes(), golden) as watch:
            pid = forked.start(arguments, env)
            while (out / "verdict.json").exists():
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.3))
            os.kill(pid, number)
            ended = forked.wait(pid)
        assert watch.seen in IN_ORDER
        codes.append(ended.code)
        if ended.code == code:
            assert ended.said == f"error: {word}\n"
            assert ended.printed == ""
        assert list(temporary.iterdir()) == []
        left = {path.name for path in out.parent.iterdir()}
        assert left - {"bundle.run_log.json"} == {"bundle"}
        assert_named(cache)
    assert set(codes) <= {code, 10}
    assert code in codes
    assert forked.run(arguments, env).code == 10
    assert_whole(out, golden)


def at_once(forked: ForkedRuns, folder: Path, root: Path, runs: int) -> Iterator[Path]:
    """The bundles of runs that start at the same moment on one empty cache."""
    env = {"XDG_CACHE_HOME": root / "cache", "TMPDIR": root / "tmp"}
    (root / "tmp").mkdir(parents=True)
    outs = [root / f"out-{number}" for number in range(runs)]
    pids = [forked.start(command(folder, out)[3:], env) for out in outs]
    for pid in pids:
        ended = forked.wait(pid)
        assert (ended.code, ended.said) == (10, "")
    assert list((root / "tmp").iterdir()) == []
    beside = {name for out in outs for name in (out.name, f"{out.name}.run_log.json")}
    assert {path.name for path in root.iterdir()} == {"cache", "tmp", *beside}
    assert_named(root / "cache")
    yield from outs


def test_two_runs_at_once_on_one_cache_give_the_same_bytes(
    folder: Path, golden: bytes, forked: ForkedRuns, tmp_path: Path
) -> None:
    for out in at_once(forked, folder, tmp_path / "runs", 2):
        assert_whole(out, golden)


@pytest.mark.long
def test_eight_runs_at_once_on_one_cache_give_the_same_bytes_ten_times(
    folder: Path, golden: bytes, forked: ForkedRuns, tmp_path: Path, say: Say
) -> None:
    started = time.perf_counter()
    for turn in range(10):
        for out in at_once(forked, folder, tmp_path / f"turn-{turn}", 8):
            assert_whole(out, golden)
    say(f"10 times 8 runs at once on one cache; {time.perf_counter() - started:,.0f} s")


def test_two_runs_into_one_folder_leave_one_whole_bundle(
    folder: Path, golden: bytes, promoted: Path, forked: ForkedRuns, tmp_path: Path
) -> None:
    out = seeded(promoted, tmp_path / "out" / "bundle")
    env = {"XDG_CACHE_HOME": tmp_path / "cache"}
    with Watch(out / "verdict.json", (promoted / "verdict.json").read_bytes(), golden) as watch:
        pids = [forked.start(command(folder, out)[3:], env) for _ in range(examples(2, whole=3))]
        ended = [forked.wait(pid) for pid in pids]
    assert set(watch.seen) <= {STALE, ABSENT, NEW}
    assert STALE not in watch.seen[1:]
    assert {run.code for run in ended} <= {5, 10}, ended
    assert not any("Traceback" in run.said for run in ended)
    assert_whole(out, golden)
