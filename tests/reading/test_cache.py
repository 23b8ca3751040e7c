"""The cache of parsed objects: never other bytes than a fresh run, never a name made from data."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.errors import ResourceError
from analyzer.machine import user_cache
from analyzer.machine.user_cache import cache_folder, read_checked
from analyzer.metrics import DEFAULTS
from analyzer.policy.files import load_policy
from analyzer.reading import cache
from analyzer.reading.cache import ShardCache
from analyzer.sources import local
from tests.captures.capture_builders import line
from tests.examples import examples
from tests.faults.shadow_tests import (
    LONG_AGO_S,
    PRODUCTION,
    SHADOW,
    aged,
    hour_lines,
    object_path,
    put_hours,
    put_object,
    scenario,
)
from tests.here import here
from tests.report import bundles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.analysis import Analysis
    from analyzer.sources.objects import SourceObject


def judged(source: Path, *, use_cache: bool = True, **asked: Any) -> Analysis:  # noqa: ANN401
    request = analysis.Request(source=str(source), use_cache=use_cache, **asked)
    return analysis.run(request, silent)


def assert_same(one: Analysis, other: Analysis) -> None:
    assert one.verdict.to_json() == other.verdict.to_json()
    assert one.tables.keys() == other.tables.keys()
    for name, table in one.tables.items():
        assert table.equals(other.tables[name]), name


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the objects that are opened from now on."""
    found: list[str] = []
    read = local.read

    def spy(item: SourceObject, start: int, end: int) -> bytes:
        found.append(item.key)
        return read(item, start, end)

    monkeypatch.setattr(local, "read", spy)
    return found


class _AllRead(Exception):  # noqa: N818 - it is none
    """Reading is over."""


def read_of(source: Path, **asked: Any) -> None:  # noqa: ANN401
    """Run until the objects have been read and no further: what follows is not of them."""

    def stop(step: str, *_: object, **__: object) -> None:
        if step == "pairing":
            raise _AllRead

    with suppress(_AllRead):
        analysis.run(analysis.Request(source=str(source), **asked), stop)


def key(variant: str, hour: int) -> str:
    return object_path(Path(), variant, hour).as_posix()


@pytest.fixture
def folder(cache_home: Path) -> Path:
    return cache_home / "shadow-analyzer"


OBJECTS = 3
"""Of the captures that are kept."""


@dataclass(frozen=True)
class Kept:
    """Captures that were read once, and what that run left in the cache and said."""

    source: Path
    first: Analysis


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kept, Path]]:
    home = tmp_path_factory.mktemp("parsed")
    source = put_hours(home / "captures", [0])
    path = object_path(source, SHADOW, 0)
    more = [line(5, output="9" * 1_000), line(8, payload="no ID"), b""]
    put_object(path, path.read_bytes() + b"\n".join(more))
    again = line(7, payload="no ID", event_id="again")
    odd = b"\xef\xbb\xbf" + b"\r\n".join([again, again, b"\xff", b"[1]"])
    beside = object_path(source, PRODUCTION, 0).with_name("b.jsonl.gz")
    put_object(beside, gzip.compress(odd))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        yield Kept(source, judged(source)), home / "cache"


def put_two_hours(folder: Path) -> Path:
    """Of the second one the shadow's answers are far higher."""
    source = put_hours(folder, range(2))
    changed_by(put_object, source)
    return source


def changed_by(change: Callable[[Path, bytes], object], source: Path) -> None:
    """See one object changed, its size left as it was."""
    path = object_path(source, SHADOW, 1)
    body = path.read_bytes()
    new = body.replace(b"0.26", b"0.96")
    assert len(new) == len(body) != body.count(b"0.96")
    change(path, new)


@pytest.fixture(scope="module")
def uncached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Analysis, Path]]:
    """What a run without the cache says of two hours, one changed, and where its cache would be."""
    home = tmp_path_factory.mktemp("uncached")
    source = put_two_hours(home / "captures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        yield judged(source, use_cache=False), home / "cache"


@pytest.fixture
def kept(parsed: tuple[Kept, Path], cache_home: Path) -> Kept:
    """One hour that nobody changes, in this test's own copy of the cache it was parsed into."""
    one, home = parsed
    shutil.copytree(home, cache_home, dirs_exist_ok=True)
    return one


def shards(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


# A run with a cache says what a run without one says.


def test_incremental_cached_and_uncached_runs_agree_to_the_byte(
    tmp_path: Path, reads: list[str], uncached: tuple[Analysis, Path]
) -> None:
    source = put_hours(tmp_path, [0])
    read_of(source)
    changed_by(put_object, put_hours(tmp_path, [1]))
    reads.clear()
    incremental = judged(source)
    assert sorted(reads) == [key(v, 1) for v in (PRODUCTION, SHADOW)]
    reads.clear()
    cached = judged(source)
    assert reads == []
    fresh = uncached[0]
    assert fresh.verdict.ledger.pairs == 24
    assert fresh.verdict.ledger.rejects_by_code == {"malformed.invalid-json": 4}
    assert_same(incremental, fresh)
    assert_same(cached, fresh)


def test_a_run_without_the_cache_reads_what_is_kept(kept: Kept, reads: list[str]) -> None:
    read_of(kept.source, use_cache=False)
    assert len(reads) == OBJECTS


def test_a_run_without_the_cache_leaves_nothing_in_it(uncached: tuple[Analysis, Path]) -> None:
    _, home = uncached
    assert not home.exists()


def test_odd_and_repeated_lines_gzip_and_both_pairings_pass_through_the_cache_unchanged(
    folder: Path, kept: Kept, reads: list[str]
) -> None:
    for path in folder.rglob("*.reduced"):
        path.unlink()
    assert_same(judged(kept.source), kept.first)
    assert reads == []
    said = kept.first.verdict
    assert (said.pairing.by_inference_id, said.pairing.by_payload) == (12, 1)
    assert said.ledger.duplicate == 1
    assert set(said.ledger.rejects_by_code) == {
        "malformed.invalid-json",
        "malformed.invalid-utf8",
        "not_capture.not-an-object",
    }


@pytest.mark.long
def test_a_whole_scenario_read_from_the_cache_gives_its_golden_verdict(tmp_path: Path) -> None:
    copy = scenario("broken", tmp_path / "broken")
    asked: dict[str, Any] = {
        "cloudwatch": (str(copy / "cloudwatch"),),
        "policy_file": copy / "policy.toml",
    }
    read_of(copy / "captures", **asked)
    golden = (copy / "expected_verdict.json").read_text(encoding="utf-8")
    assert judged(copy / "captures", **asked).verdict.to_json() == golden


# What has changed is read again.


def rewritten(path: Path, body: bytes) -> None:
    """Written anew a good while later, in place."""
    path.write_bytes(body)
    os.utime(path, (LONG_AGO_S + 60, LONG_AGO_S + 60))


def rewritten_as_old(path: Path, body: bytes) -> None:
    """Written anew under its old time, as unpacking an archive does."""
    path.write_bytes(body)
    aged(path)


def replaced_as_old(path: Path, body: bytes) -> None:
    """Another file of the same size and time, renamed into its place."""
    other = path.with_suffix(".new")
    other.write_bytes(body)
    aged(other).replace(path)


CHANGES = [rewritten, rewritten_as_old, replaced_as_old]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_object_is_read_again(
    tmp_path: Path, change: Callable[[Path, bytes], None], reads: list[str]
) -> None:
    source = put_hours(tmp_path, range(2))
    read_of(source)
    changed_by(change, source)
    reads.clear()
    read_of(source)
    assert reads == [key(SHADOW, 1)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(change, marks=[] if change is rewritten_as_old else pytest.mark.long)
        for change in CHANGES
    ],
)
def test_a_changed_objects_old_rows_are_gone(
    tmp_path: Path, change: Callable[[Path, bytes], None], uncached: tuple[Analysis, Path]
) -> None:
    source = put_hours(tmp_path, range(2))
    before = judged(source)
    changed_by(change, source)
    after = judged(source)
    assert after.verdict.inputs.digest != before.verdict.inputs.digest
    assert_same(after, uncached[0])


def test_an_object_that_grew_is_read_again(tmp_path: Path, reads: list[str]) -> None:
    source = put_hours(tmp_path, [0])
    read_of(source)
    path = object_path(source, PRODUCTION, 0)
    put_object(path, path.read_bytes() + hour_lines(1, PRODUCTION)[0] + b"\n")
    reads.clear()
    assert judged(source).verdict.ledger.lines == 29
    assert reads == [key(PRODUCTION, 0)]


def test_an_object_that_is_deleted_lends_no_rows(
    tmp_path: Path, uncached: tuple[Analysis, Path]
) -> None:
    source = put_two_hours(put_hours(tmp_path, [8]))
    read_of(source)
    for variant in (PRODUCTION, SHADOW):
        object_path(source, variant, 8).unlink()
    assert_same(judged(source), uncached[0])


def test_an_object_outside_the_window_lends_no_rows(tmp_path: Path) -> None:
    source = put_hours(tmp_path, [0, 8])
    read_of(source)
    asked: dict[str, Any] = {"until": "2026-03-01T01:00:00Z"}
    after = judged(source, **asked)
    assert after.verdict.ledger.pairs == 12
    assert after.verdict.inputs.objects_read == 2
    assert_same(after, judged(source, use_cache=False, **asked))


def test_one_object_may_serve_both_roles_and_later_the_other_one(
    kept: Kept, reads: list[str]
) -> None:
    ours, theirs = (str(kept.source / "endpoint" / variant) for variant in (PRODUCTION, SHADOW))
    roles = [(theirs, ours), (ours, ours), (theirs, theirs)]
    for production, shadow in roles[: examples(1, whole=3)]:
        requests = [
            analysis.Request(production=production, shadow=shadow, use_cache=use_cache)
            for use_cache in (True, False)
        ]
        cached = analysis.run(requests[0], silent)
        assert reads == []
        assert_same(cached, analysis.run(requests[1], silent))
        reads.clear()


def test_an_object_read_in_both_roles_at_once_is_kept(tmp_path: Path, reads: list[str]) -> None:
    source = put_hours(tmp_path, [0])
    ours = str(source / "endpoint" / PRODUCTION)
    request = analysis.Request(production=ours, shadow=ours)
    first = analysis.run(request, silent)
    reads.clear()
    assert_same(analysis.run(request, silent), first)
    assert reads == []


# What cannot be trusted is not kept, or not found.


def test_an_object_that_could_not_be_read_to_its_end_is_read_each_time(
    tmp_path: Path, reads: list[str]
) -> None:
    source = put_hours(tmp_path, [0])
    body = gzip.compress(b"".join(b"%s\n" % text for text in hour_lines(1, SHADOW)))
    put_object(object_path(source, SHADOW, 1).with_suffix(".jsonl.gz"), body[:-9])
    first = judged(source)
    assert first.verdict.inputs.objects_failed == {"corrupt-gzip": 1}
    reads.clear()
    assert_same(judged(source), first)
    assert reads == [key(SHADOW, 1) + ".gz"]


def remarked(done: Analysis) -> list[str]:
    """What was said but for the lines that are no capture records, which these captures have."""
    return [text for text in done.remarks if "no capture record" not in text]


def put_at_the_age_of(source: Path, age: timedelta) -> None:
    at = (datetime.now(UTC) - age).timestamp()
    for variant in (PRODUCTION, SHADOW):
        os.utime(object_path(source, variant, 0), (at, at))


@pytest.mark.parametrize("young", [timedelta(seconds=5), timedelta(hours=-1)])
def test_a_file_that_may_still_grow_is_not_kept(
    tmp_path: Path, young: timedelta, reads: list[str], folder: Path
) -> None:
    """Its size and time can stay as they are while its last second is written."""
    source = put_hours(tmp_path, [0])
    put_at_the_age_of(source, young)
    read_of(source)
    assert shards(folder) == []
    reads.clear()
    done = judged(source)
    assert shards(folder) == []
    assert len(reads) == 2
    assert done.verdict.ledger.pairs == 12
    assert remarked(done) == [
        "files younger than a minute are not kept parsed and are read again next time"
    ]


def test_a_file_that_grows_no_more_is_kept_and_nothing_is_said_of_it(
    tmp_path: Path, reads: list[str]
) -> None:
    source = put_hours(tmp_path, [0])
    for seconds in (150, 3_600)[: examples(1, whole=2)]:
        put_at_the_age_of(source, timedelta(seconds=seconds))
        reads.clear()
        assert remarked(judged(source)) == []
        assert len(reads) == 2
        judged(source)
        assert len(reads) == 2


def test_lines_parsed_under_another_limit_are_not_reused(kept: Kept) -> None:
    source = kept.source
    assert "malformed.oversize" not in kept.first.verdict.ledger.rejects_by_code
    asked: dict[str, Any] = {"overrides": ("max_line_bytes=1024",)}
    short = judged(source, **asked)
    assert short.verdict.ledger.rejects_by_code["malformed.oversize"] == 1
    assert_same(short, judged(source, use_cache=False, **asked))


@pytest.mark.parametrize("what", ["tool", "engine"])
def test_what_another_version_parsed_is_not_reused(
    kept: Kept, what: str, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if what == "tool":
        monkeypatch.setattr(cache, "__version__", "9.9.9")
    else:
        monkeypatch.setattr(user_cache, "version", lambda _: "9.9.9")
    read_of(kept.source)
    assert len(reads) == OBJECTS


CODE = (
    "sql/capture_records.sql",
    "captures/lines.py",
    "sources/lines.py",
    "sources/batch_transform/records.py",
    "engine.py",
    "slices.py",
)
"""What decides what is parsed."""


def with_other_code(changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on as the tool with a line more in one of its files."""
    package = shutil.copytree(user_cache.PACKAGE, tmp_path / "analyzer")
    with (package / changed).open("a", encoding="utf-8") as file:
        file.write("\n")
    monkeypatch.setattr(user_cache, "PACKAGE", package)


@pytest.mark.parametrize(
    ("changed", "read"),
    [
        (CODE[0], OBJECTS),
        *(pytest.param(changed, OBJECTS, marks=pytest.mark.long) for changed in CODE[1:]),
        ("report/text.py", 0),
    ],
)
def test_what_other_code_parsed_is_not_reused(
    *,
    changed: str,
    read: int,
    tmp_path: Path,
    kept: Kept,
    reads: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_other_code(changed, tmp_path, monkeypatch)
    read_of(kept.source)
    assert len(reads) == read


@pytest.mark.parametrize("changed", CODE)
def test_what_other_code_parsed_lies_elsewhere(
    changed: str, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ShardCache(folder, 1_000).folder
    assert ShardCache(folder, 1_000).folder == before
    with_other_code(changed, tmp_path, monkeypatch)
    assert ShardCache(folder, 1_000).folder != before


def flip_kept(folder: Path, kind: str) -> None:
    """A byte of every file of a kind, and of what captures came to, which would be found first."""
    for path in [path for path in shards(folder) if path.name.endswith((kind, ".reduced"))]:
        whole = path.read_bytes()
        at = len(whole) // 3
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])


@pytest.mark.parametrize("kind", ["-records.parquet", "-rejects.parquet", ".json"])
def test_a_flipped_byte_in_the_cache_costs_a_reading(
    folder: Path, kept: Kept, kind: str, reads: list[str]
) -> None:
    flip_kept(folder, kind)
    for _ in range(2):
        read_of(kept.source)
        assert len(reads) == OBJECTS


@pytest.mark.parametrize(
    "kind",
    [
        "-records.parquet",
        pytest.param("-rejects.parquet", marks=pytest.mark.long),
        pytest.param(".json", marks=pytest.mark.long),
    ],
)
def test_a_flipped_byte_in_the_cache_costs_nothing_else(
    folder: Path, kept: Kept, kind: str, reads: list[str]
) -> None:
    flip_kept(folder, kind)
    for _ in range(2):
        assert_same(judged(kept.source), kept.first)
        assert len(reads) == OBJECTS


def test_a_flipped_byte_in_what_captures_came_to_costs_a_reduction_and_nothing_else(
    folder: Path, kept: Kept, reads: list[str]
) -> None:
    (path,) = folder.rglob("*.reduced")
    whole = path.read_bytes()
    places = (3, 0, 1, 2, 4, 5, 6, 7)
    for place in places[: examples(1, whole=8)]:
        at = place * (len(whole) - 1) // 7
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        assert_same(judged(kept.source), kept.first)
        assert reads == []
        assert read_checked(path) is not None


# Where the cache lies, and what may go wrong with it.


def test_the_cache_is_its_owners_alone(tmp_path: Path, folder: Path) -> None:
    read_of(put_hours(tmp_path, [0]))
    assert shards(folder) != []
    for path in (folder, *folder.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("given", "home", "expected"),
    [
        ("/somewhere", "/home/a", Path("/somewhere/shadow-analyzer")),
        ("", "/home/a", Path("/home/a/.cache/shadow-analyzer")),
        ("relative", "/home/a", Path("/home/a/.cache/shadow-analyzer")),
    ],
)
def test_the_cache_lies_where_the_users_caches_do(
    given: str, home: str, expected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    monkeypatch.setenv("HOME", home)
    assert cache_folder() == expected


def test_a_cache_that_is_a_file_costs_a_note(
    parsed: tuple[Kept, Path], cache_home: Path, folder: Path
) -> None:
    kept, _ = parsed
    folder.write_text("in the way", encoding="utf-8")
    done = judged(kept.source)
    (said,) = remarked(done)
    assert said.startswith("no cache of parsed captures: ")
    assert_same(replace(done, remarks=done.remarks[1:]), kept.first)
    assert [path.name for path in cache_home.iterdir()] == [folder.name]


def test_a_cache_on_a_read_only_disk_costs_a_note(tmp_path: Path, folder: Path) -> None:
    source = put_hours(tmp_path, [0])
    there = ShardCache(folder, load_policy(None, DEFAULTS).max_line_bytes)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", there.folder],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("mounting needs root")
    try:
        done = judged(source)
    finally:
        subprocess.run(["umount", there.folder], check=True)
    assert [text.rpartition(": ")[2] for text in remarked(done)] == ["Read-only file system"]
    assert done.verdict.ledger.pairs == 12


ODD = ["a b", "it's", 'say "so"', "[1]*?", "{x}", "ü", "-- ;", "a\nb", "hour=13", "code=1"]


@pytest.mark.parametrize(
    "name",
    [
        "/".join(["".join(ODD[:-2]), *ODD[-2:]]),
        *(pytest.param(name, marks=pytest.mark.long) for name in ODD),
    ],
)
def test_a_cache_may_have_any_name(
    tmp_path: Path, name: str, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = put_hours(tmp_path / "captures", [0])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
    judged(source)
    reads.clear()
    judged(source)
    assert reads == []


def test_a_note_of_the_cache_reaches_stderr_and_no_verdict(
    parsed: tuple[Kept, Path], tmp_path: Path
) -> None:
    blocked, out = tmp_path / "blocked", tmp_path / "out"
    blocked.touch()
    kept, _ = parsed
    with bundles.undrawn():
        done = here("run", kept.source, "--out", out, env={"XDG_CACHE_HOME": blocked})
    assert done.returncode == kept.first.verdict.exit_code == 10, done.stderr
    assert f"note: no cache of parsed captures: {blocked}" in done.stderr
    written = (out / "verdict.json").read_text(encoding="utf-8")
    assert written == kept.first.verdict.to_json()


def test_a_shard_that_cannot_be_named_leaves_nothing_behind(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full just when the sheet is written; what stays would keep it full."""
    source = put_hours(tmp_path, [0])
    write_bytes = Path.write_bytes

    def refuse(path: Path, data: bytes) -> int:
        if path.suffix != ".draft":
            return write_bytes(path, data)
        write_bytes(path, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(ResourceError, match="No space left on device; free disk space"):
        judged(source)
    assert shards(folder) == []
