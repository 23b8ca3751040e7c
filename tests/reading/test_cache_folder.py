"""The folder of the cache: its names come from nowhere, its bytes are checked, its waste goes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.captures.shards import ObjectTally, PlacedShard, Shard, Use, write_shards
from analyzer.engine import Engine
from analyzer.reading.cache import UNUSED_DAYS, ShardCache
from analyzer.sources.objects import AwsOptions, Listing, SourceObject
from tests.captures.capture_builders import line, sides

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from analyzer.sources.objects import Chunk, Role

DAY_S = 86_400
LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
OUR_NAMES = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}(-\w+\.parquet|\.json)")


def shards(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def listing_of(*keys: str, etag: str) -> Listing:
    """Objects on S3."""
    objects = tuple(
        SourceObject(
            key=name,
            size=5,
            role="production",
            hour=None,
            etag=etag,
            modified=LONG_AGO,
            location=f"s3://bucket/{name}",
        )
        for name in keys
    )
    return Listing("e", "v1", "v2", objects, {}, same_objects=False, aws=AwsOptions())


def kept(there: ShardCache, listing: Listing, failed: Sequence[int] = ()) -> None:
    """All of a listing as one shard."""
    there.find(listing)
    file = there.folder / f"{uuid4().hex}-records.parquet"
    file.write_bytes(b"rows")
    count = len(listing.objects)
    uses = tuple(Use(n, n, listing.objects[n].role) for n in range(count))
    there.keep(PlacedShard(Shard((file,), (), (ObjectTally(),) * count), uses), listing, failed)


# Names: nothing in the cache is called after data.


HOSTILE = [
    "../../../nowhere/x",
    "/nowhere/x",
    "..\\..\\x",
    "a\0b",
    "a\nb",
    "'; drop table records; --",
    "\"'`$(touch x)`",
    "%s%n{0}{{}}",
    "C:\\con",
    "k" * 1024,
    "é" * 512,
    "🜁" * 256,
    "s3://other/bucket",
    "",
    ".",
    "*",
    "\ud800",
]
_numbers = iter(range(1_000_000))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=1024)), min_size=1, unique=True),
    st.text(max_size=60),
)
def test_no_key_or_etag_reaches_a_file_name(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], etag: str
) -> None:
    root = tmp_path_factory.mktemp("hostile")
    inside = root / "cache"
    listing = listing_of(*keys, etag=f'"{etag}"')
    kept(ShardCache(inside, 1000), listing)
    assert [path.name for path in root.iterdir()] == ["cache"]
    for path in inside.rglob("*"):
        assert OUR_NAMES.fullmatch(path.name), path.name
    (sheet,) = inside.rglob("*.json")
    for name, *_ in json.loads(sheet.read_text(encoding="utf-8").partition("\n")[2])["objects"]:
        assert re.fullmatch("[0-9a-f]{64}", name)
    there = ShardCache(inside, 1000)
    assert there.find(listing).missing == ()
    fresh = next(_numbers)
    assert there.find(listing_of(f"other {fresh}", etag=f'"{etag}"')).missing == (0,)


def test_an_identity_is_of_a_place_and_a_version(tmp_path: Path) -> None:
    """Another key, ETag, bucket or server is another object; another role is not."""
    there = ShardCache(tmp_path, 1000)
    listing = listing_of("a", etag="1")
    kept(there, listing)
    (item,) = listing.objects
    shadow: Role = "shadow"
    same = replace(listing, objects=(replace(item, role=shadow),))
    assert there.find(same).missing == ()
    for other in (
        listing_of("b", etag="1"),
        listing_of("a", etag="2"),
        replace(listing, objects=(replace(item, location="s3://other/a"),)),
        replace(listing, aws=AwsOptions(endpoint_url="http://localhost")),
    ):
        assert there.find(other).missing == (0,)


def test_a_failed_object_of_a_shard_is_not_found_and_the_others_are(tmp_path: Path) -> None:
    there = ShardCache(tmp_path, 1000)
    listing = listing_of("a", "b", "c", etag="1")
    kept(there, listing, failed=[1])
    found = there.find(listing)
    assert found.missing == (1,)
    (placed,) = found.known
    assert [use.object_id for use in placed.uses] == [0, 2]
    assert placed.only_role is None


# Every k-th byte, at the cache's own speed.


def test_every_seventh_byte_of_every_file_matters(tmp_path: Path) -> None:
    there = ShardCache(tmp_path, 1000)
    listing = listing_of("a", "b", etag="1")
    kept(there, listing)
    flips = 0
    for path in shards(tmp_path):
        for at in range(0, path.stat().st_size, 7):
            files = {other: other.read_bytes() for other in shards(tmp_path)}
            whole = files[path]
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert there.find(listing).missing == (0, 1), (path, at)
            for other, body in files.items():
                other.write_bytes(body)
            flips += 1
    assert flips > 50
    assert there.find(listing).missing == ()


# What nobody uses goes.


def test_unused_and_unfinished_shards_are_removed_and_used_ones_stay(tmp_path: Path) -> None:
    now = time.time()
    there = ShardCache(tmp_path, 1000)
    other = ShardCache(tmp_path, 2000)
    listings = {age: listing_of(f"{age} days", etag="1") for age in (0, UNUSED_DAYS + 1)}
    for place in (there, other):
        for age, listing in listings.items():
            before = set(shards(tmp_path))
            kept(place, listing)
            for path in set(shards(tmp_path)) - before:
                os.utime(path, (now - age * DAY_S,) * 2)
    for name in ("draft", "parquet"):
        for age in (0, 2):
            path = there.folder / f"{uuid4().hex}.{name}"
            path.write_bytes(b"a killed run's")
            os.utime(path, (now - age * DAY_S,) * 2)
    assert len(shards(tmp_path)) == 12
    again = ShardCache(tmp_path, 1000)
    assert len(shards(tmp_path)) == 6
    assert again.find(listings[0]).missing == ()
    assert again.find(listings[UNUSED_DAYS + 1]).missing == (0,)
    assert ShardCache(tmp_path, 2000).find(listings[0]).missing == ()


def test_using_a_shard_keeps_it(tmp_path: Path) -> None:
    there = ShardCache(tmp_path, 1000)
    listing = listing_of("a", etag="1")
    kept(there, listing)
    nearly = time.time() - (UNUSED_DAYS - 1) * DAY_S
    for path in shards(tmp_path):
        os.utime(path, (nearly, nearly))
    assert there.find(listing).missing == ()
    (sheet,) = tmp_path.rglob("*.json")
    assert time.time() - sheet.stat().st_mtime < DAY_S
    assert ShardCache(tmp_path, 1000).find(listing).missing == ()


# A sheet that is not what was written.


def test_a_sheet_that_is_not_what_was_written_is_as_good_as_none(tmp_path: Path) -> None:
    there = ShardCache(tmp_path, 1000)
    listing = listing_of("a", "b", etag="1")
    kept(there, listing)
    (sheet,) = tmp_path.rglob("*.json")
    whole = sheet.read_bytes()
    damages = [
        *(whole[:length] for length in range(0, len(whole), 11)),
        whole[:-1],
        whole + b" ",
        b"\0" * len(whole),
        b"\xff\xfe" + whole,
        whole.partition(b"\n")[2],
    ]
    for damaged in damages:
        sheet.write_bytes(damaged)
        assert there.find(listing).missing == (0, 1), damaged[:80]
    sheet.write_bytes(whole)
    assert there.find(listing).missing == ()


def sealed(body: object) -> str:
    text = json.dumps(body)
    return f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        7,
        {"files": []},
        {"records": None, "rejects": [], "objects": []},
        {"records": [["a.parquet", 1]], "rejects": [], "objects": []},
        {"records": [], "rejects": [], "objects": [[]]},
        {"records": [], "rejects": [], "objects": [["x", 1, 2, 3, 4, 5, 6, 7]]},
        {"records": [["a\0.parquet", 1, ""]], "rejects": [], "objects": []},
        {"records": [[5, 1, ""]], "rejects": [], "objects": []},
    ],
)
@pytest.mark.parametrize("where", ["this version's", "another version's"])
def test_a_sealed_sheet_of_another_form_is_passed_over(
    tmp_path: Path, body: object, where: str
) -> None:
    """Its digest is right: another version of this tool wrote it, and long ago."""
    folder = tmp_path / "cache"
    ours = ShardCache(folder, 1000).folder
    place = ours if where == "this version's" else folder / "0123456789abcdef"
    place.mkdir(exist_ok=True)
    (place / "sheet.json").write_text(sealed(body), encoding="utf-8")
    listing = listing_of("a", etag="1")
    assert ShardCache(folder, 1000).find(listing).missing == (0,)
    os.utime(place / "sheet.json", (0, 0))
    assert ShardCache(folder, 1000).find(listing).missing == (0,)
    assert not (place / "sheet.json").exists()


@pytest.mark.parametrize("name", ["../../x.parquet", "{}/x.parquet", "..", "a/../../../x.parquet"])
def test_a_sheet_that_names_files_elsewhere_removes_none_of_them(tmp_path: Path, name: str) -> None:
    """A restored cache may be anybody's; what is removed when it is old must lie inside it."""
    folder = tmp_path / "cache"
    sheet = ShardCache(folder, 1000).folder / "sheet.json"
    body = {"records": [[name.format(tmp_path), 1, ""]], "rejects": [], "objects": []}
    sheet.write_text(sealed(body), encoding="utf-8")
    os.utime(sheet, (0, 0))
    outside = tmp_path / "x.parquet"
    outside.write_bytes(b"somebody else's")
    ShardCache(folder, 1000)
    assert outside.exists()


def test_a_shard_that_is_never_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    (chunk, _) = sides([line(0), line(1)], [])

    def broken() -> Iterator[Chunk]:
        for first_line_number in (1, 3, 5):
            yield replace(chunk, first_line_number=first_line_number)
        assert list(tmp_path.iterdir())
        raise ConnectionError

    with Engine(threads=1, shared=tmp_path) as engine:
        engine.execute("capture_macros")
        written = write_shards(engine, broken(), tmp_path, max_line_bytes=10_000, batch_bytes=1)
        with pytest.raises(ConnectionError):
            list(written)
    assert list(tmp_path.iterdir()) == []
