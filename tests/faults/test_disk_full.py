"""A disk that refuses at any moment: exit code 5, one line, nothing half written, a re-run works.

The long suite sweeps every change a run makes:
`python -m pytest tests/faults/test_disk_full.py --long`.
"""

from __future__ import annotations

import errno
import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from analyzer import analysis, bundle
from analyzer.analysis import error_verdict
from analyzer.console.progress import silent
from analyzer.errors import InputError, ResourceError
from analyzer.out_folder import claim
from tests.examples import examples
from tests.faults.shadow_tests import command, put_hours, put_promotion, scenario
from tests.forked_runs import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.conftest import Say
    from tests.forked_runs import Ended, ForkedRuns

NEVER = 1 << 40
NO_LOG = re.compile(r"note: \S+: the run's log was not written: No space left on device\n")


@dataclass(frozen=True)
class Desk:
    """Where one run reads and writes."""

    source: list[str]
    root: Path

    @property
    def out(self) -> Path:
        return self.root / "out" / "bundle"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    def made(self) -> Desk:
        for folder in (self.out.parent, self.cache, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        return self

    def run(self, forked: ForkedRuns, refused: tuple[int, int] | None = None) -> Ended:
        below = (self.out.parent, self.cache, self.temporary)
        return forked.run(
            ["run", *self.source, "--out", self.out, "--quiet"],
            {"XDG_CACHE_HOME": self.cache, "TMPDIR": self.temporary},
            Refusal(below, *refused, errno.ENOSPC) if refused else None,
        )

    def written(self) -> bytes:
        return (self.out / "verdict.json").read_bytes()


def small(tmp_path: Path) -> list[str]:
    return [str(put_hours(tmp_path / "captures", range(2)))]


def whole(tmp_path: Path) -> list[str]:
    """A scenario with an export, without the module's name, the output and what follows."""
    arguments = command(scenario("thin_sample", tmp_path / "thin"), tmp_path)
    return arguments[4 : arguments.index("--out")]


def refuse_and_recover(
    forked: ForkedRuns, desk: Desk, refused: tuple[int, int], expected: bytes
) -> Ended:
    """A run with a refusing disk, then one without."""
    ended = desk.made().run(forked, refused)
    if ended.code == 10:  # it could do without, and says so of the log, which nobody would miss
        assert desk.written() == expected
        assert not ended.said or NO_LOG.fullmatch(ended.said)
    else:
        assert ended.code == 5, ended
        assert ended.said.startswith("error: ")
        assert ended.said.count("\n") == 1, ended.said
        assert ended.printed == ""
        if (desk.out / "verdict.json").exists():
            found = bundle.read(desk.out).verdict
            assert (found.decision.value, found.exit_code) == ("ERROR", 5)
    assert list(desk.temporary.iterdir()) == []
    assert {path.name for path in desk.out.parent.iterdir()} <= {"bundle", "bundle.run_log.json"}
    assert_named(desk.cache)
    again = desk.run(forked)
    assert (again.code, again.said) == (10, "")
    assert desk.written() == expected
    bundle.read(desk.out)
    return ended


def assert_named(cache: Path) -> None:
    """Every file of the cache belongs to a shard that can be found, or is an answer."""
    named = set()
    for sheet in cache.rglob("*.json"):
        body = json.loads(sheet.read_text(encoding="utf-8").partition("\n")[2])
        named |= {sheet.name, *(name for name, *_ in body["records"] + body["rejects"])}
    kept = {path.name for path in cache.rglob("*.*") if path.suffix != ".reduced"}
    assert kept == named


def sweep(
    forked: ForkedRuns,
    tmp_path: Path,
    source: list[str],
    choose: Iterable[tuple[int, int]] | None = None,
) -> Iterator[Ended]:
    """Refuse from one change to another; None for each one on, and for each of them alone."""
    plain = Desk(source, tmp_path / "plain").made()
    ended = plain.run(forked, (NEVER, NEVER))
    assert ended.code == 10
    assert ended.changes > 20
    every = ((n, last) for n in range(1, ended.changes + 1) for last in (NEVER, n))
    for number, last in choose if choose is not None else every:
        desk = Desk(source, tmp_path / f"from-{number}-{last == number}")
        yield refuse_and_recover(forked, desk, (number, last), plain.written())


def test_a_disk_that_fills_up_during_a_run_is_exit_code_5_and_a_rerun_works(
    refusing: ForkedRuns, tmp_path: Path
) -> None:
    refused = [(9, NEVER), (45, 45)]
    codes = [ended.code for ended in sweep(refusing, tmp_path, small(tmp_path), refused)]
    assert codes == [5, 5]


@pytest.mark.long
def test_whichever_change_of_the_disk_is_refused_a_run_ends_in_order(
    refusing: ForkedRuns, tmp_path: Path, say: Say
) -> None:
    started, codes = time.perf_counter(), []
    for source in (small(tmp_path / "small"), whole(tmp_path / "whole")):
        root = tmp_path / f"sweep-{len(source)}"
        codes += [ended.code for ended in sweep(refusing, root, source)]
    say(
        f"{len(codes)} refusals of a change of the disk, every one of two runs: {codes.count(5)} "
        f"times exit code 5, else the same verdict; {time.perf_counter() - started:,.0f} s"
    )


def test_a_stale_promotion_is_gone_although_no_verdict_can_take_its_place(
    refusing: ForkedRuns, tmp_path: Path
) -> None:
    desk = Desk(small(tmp_path), tmp_path / "desk").made()
    put_promotion(desk.out)
    assert bundle.read(desk.out).verdict.decision.value == "PROMOTE"
    assert desk.run(refusing, (1, NEVER)).code == 5
    assert not (desk.out / "verdict.json").exists()
    with pytest.raises(InputError, match="did not finish"):
        bundle.read(desk.out)


@pytest.fixture
def tiny_disk() -> Iterator[Any]:
    """Mounts a disk of some size at a folder."""
    mounted = []

    def mount(folder: Path, size: str) -> Path:
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
            check=False,
            capture_output=True,
        )
        if done.returncode:
            pytest.skip("mounting needs root")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


def test_a_run_on_ever_larger_disks_fails_in_order_until_there_is_room(
    forked: ForkedRuns,
    tmp_path: Path,
    tiny_disk: Any,  # noqa: ANN401 - the fixture's function
) -> None:
    source = small(tmp_path)
    plain = analysis.run(analysis.Request(source=source[0], use_cache=False), silent).verdict
    codes = []
    sizes = (16, 192, 4096, 64, 128, 256)
    for kilobytes in sorted(sizes[: examples(3, whole=6)]):
        root = tiny_disk(tmp_path / f"disk-{kilobytes}", f"{kilobytes}k")
        desk = Desk(source, root).made()
        ended = desk.run(forked)
        codes.append(ended.code)
        assert ended.code in {5, 10}, ended
        assert "Traceback" not in ended.said
        assert list(desk.temporary.iterdir()) == []
        assert_named(desk.cache)
        if ended.code == 10:
            assert desk.written() == plain.to_json().encode()
    assert codes[0] == 5
    assert codes[-1] == 10
    assert sorted(codes) == codes


@pytest.mark.parametrize("at", range(12))
def test_a_bundle_is_written_whole_or_not_at_all(
    tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a compiler too: each change that Python makes for a bundle, refused in turn."""
    out = tmp_path / "out"
    verdict = error_verdict(InputError("no captures"))
    tables = {"minutes": pl.DataFrame({"minute": [1, 2]})}
    bundle.write(out, verdict, {"summary.md": "old\n"}, tables)
    claim(out)
    changes = 0

    def refusing_at(name: str) -> Any:  # noqa: ANN401 - whatever the method returns
        real = getattr(Path, name)

        def change(path: Path, *given: Any, **how: Any) -> Any:  # noqa: ANN401 - as pathlib's
            nonlocal changes
            changes += 1
            if changes == at + 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(path, *given, **how)

        return change

    with monkeypatch.context() as patched:
        for name in ("mkdir", "write_text", "rename"):
            patched.setattr(Path, name, refusing_at(name))
        try:
            bundle.write(out, verdict, {"summary.md": "new\n"}, tables)
            assert (out / "summary.md").read_text(encoding="utf-8") == "new\n"
        except ResourceError:
            assert changes > at
            assert not (out / "verdict.json").exists()
    claim(out)
    bundle.write(out, verdict, {"summary.md": "new\n"}, tables)
    assert bundle.read(out).verdict == verdict
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
