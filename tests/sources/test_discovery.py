from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import AccessError, InputError, UsageError
from analyzer.sources import Listing, discover, open_chunks
from analyzer.sources.objects import ObjectFailure

if TYPE_CHECKING:
    from tests.sources.conftest import Storage

HOUR = "2026/10/05/13"
RECORD = b'{"captureData":{}}\n'


def captures(*keys: str) -> dict[str, bytes]:
    return dict.fromkeys(keys, RECORD)


def both(prefix: str) -> dict[str, bytes]:
    return captures(f"{prefix}AllTraffic/{HOUR}/a.jsonl", f"{prefix}Shadow-01/{HOUR}/b.jsonl")


def keys(listing: Listing, role: str) -> list[str]:
    return [item.key.rpartition("/")[2] for item in listing.objects if item.role == role]


@pytest.mark.parametrize("level", ["", "p", "p/churn"])
def test_any_level_above_the_variants_can_be_source(storage: Storage, level: str) -> None:
    storage.put(both("p/churn/"))
    listing = discover(storage.at(level).rstrip("/"), aws=storage.aws)
    assert (listing.production_variant, listing.shadow_variant) == ("AllTraffic", "Shadow-01")
    assert (keys(listing, "production"), keys(listing, "shadow")) == (["a.jsonl"], ["b.jsonl"])
    assert listing.objects[0].hour == datetime(2026, 10, 5, 13, tzinfo=UTC)
    assert listing.listed == 2
    assert listing.size == 2 * len(RECORD)
    assert not listing.same_objects


def test_the_endpoint_is_named_where_the_keys_show_it(storage: Storage) -> None:
    storage.put(both("p/churn/"))
    assert discover(storage.at("p"), aws=storage.aws).endpoint == "churn"
    inside = discover(storage.at("p/churn"), aws=storage.aws).endpoint
    assert inside == ("churn" if storage.client else None)
    assert discover(storage.at("p/churn"), aws=storage.aws, endpoint="churn").endpoint == "churn"


@pytest.mark.parametrize("source", ["captures", "captures/", "captures//churn", "captures/churn"])
def test_double_slashes_are_found_however_source_spells_them(
    moto_bucket: Storage, source: str
) -> None:
    moto_bucket.put(both("captures//churn/"))
    listing = discover(moto_bucket.at(source), aws=moto_bucket.aws)
    assert listing.endpoint == "churn"
    assert len(listing.objects) == 2


def test_a_prefix_is_a_folder_not_the_start_of_a_name(storage: Storage) -> None:
    storage.put({**both("churn/"), **both("churn-2/")})
    assert discover(storage.at("churn"), aws=storage.aws).listed == 2


def test_listing_goes_beyond_one_page(local_bucket: Storage, localbucket_root: Path) -> None:
    local_bucket.put(both("churn/"))
    hour = localbucket_root / local_bucket.root.removeprefix("s3://") / "churn/AllTraffic" / HOUR
    for number in range(1005):
        (hour / f"{number:04}.jsonl").write_bytes(RECORD)
    assert discover(local_bucket.root, aws=local_bucket.aws).listed == 1007


def test_everything_listed_is_read_or_skipped_under_a_code(storage: Storage) -> None:
    storage.put(
        {
            **both("churn/"),
            "churn/policy.toml": b"alpha = 0.05\n",
            "churn/endpoint.json": b"{}",
            "churn/metrics/rows.jsonl": RECORD,
            f"churn/AllTraffic/{HOUR}/replay.parquet": b"PAR1",
            f"churn/AllTraffic/{HOUR}/_SUCCESS": b"ok",
            f"churn/AllTraffic/{HOUR}/empty.jsonl": b"",
            f"churn/AllTraffic/{HOUR}/.hidden.jsonl": RECORD,
            "churn/AllTraffic/2026/10/05/09/early.jsonl": RECORD,
            "churn/AllTraffic/2026/10/04/23/another-day.jsonl": RECORD,
            "hash/alb/log.gz": b"x",
        }
    )
    listing = discover(
        storage.root, aws=storage.aws, since=datetime(2026, 10, 5, 12, tzinfo=UTC), endpoint="churn"
    )
    assert listing.skipped == {
        "empty": 1,
        "hidden": 2,
        "hyperpod-alb": 1,
        "not-jsonl": 2,
        "outside-layout": 1,
        "outside-window": 1,
        "replay-sidecar": 1,
    }
    assert listing.listed == 11


@pytest.mark.parametrize("old", [".old", "_old", "a/.trash/b"])
def test_what_lies_in_a_hidden_folder_is_skipped_in_every_layout(
    storage: Storage, old: str
) -> None:
    flat = captures("prod/x.jsonl", f"prod/{old}/x.jsonl", "shadow/x.jsonl")
    storage.put({f".flat/{name}": body for name, body in flat.items()})
    production, shadow = storage.at(".flat/prod"), storage.at(".flat/shadow")
    listing = discover(None, production=production, shadow=shadow, aws=storage.aws)
    assert (len(listing.objects), listing.skipped) == (2, {"hidden": 1})
    assert [note.code for note in listing.notes] == ["hidden"]
    storage.put({**both("_all/churn/"), **both(f"_all/{old}/churn/")})
    listing = discover(storage.at("_all"), aws=storage.aws)
    assert (len(listing.objects), listing.skipped) == (2, {"hidden": 2})
    since = datetime(2026, 10, 5, 12, tzinfo=UTC)
    storage.put(captures(f"_all/{old}/churn/AllTraffic/2026/09/05/12/x.jsonl"))
    listing = discover(storage.at("_all"), since=since, aws=storage.aws)
    assert (len(listing.objects), listing.skipped) == (2, {"hidden": 3})


def test_a_hidden_file_that_is_named_itself_is_read(storage: Storage) -> None:
    storage.put(captures(".p.jsonl", ".old/_s.jsonl"))
    production, shadow = storage.at(".p.jsonl"), storage.at(".old/_s.jsonl")
    listing = discover(None, production=production, shadow=shadow, aws=storage.aws)
    assert len(listing.objects) == 2


def test_other_endpoints_and_variants_are_skipped_and_counted(folder: Storage) -> None:
    folder.put({**both("a/"), **both("b/"), **captures(f"a/Third/{HOUR}/c.jsonl.gz")})
    listing = discover(folder.root, endpoint="a", production="AllTraffic", shadow="Shadow-01")
    assert listing.skipped == {"other-endpoint": 2, "other-variant": 1}


def test_gzip_and_upper_case_names_are_captures(folder: Storage) -> None:
    folder.put(both("") | captures(f"AllTraffic/{HOUR}/c.JSONL", f"AllTraffic/{HOUR}/d.jsonl.gz"))
    assert keys(discover(folder.root), "production") == ["a.jsonl", "c.JSONL", "d.jsonl.gz"]


def test_objects_are_sorted_by_role_and_key_whatever_the_names(folder: Storage) -> None:
    folder.put(captures(*(f"{v}/{HOUR}/{n}.jsonl" for v in ("shadow", "z") for n in "bca")))
    listing = discover(folder.root)
    assert [(item.role, item.key[-7:]) for item in listing.objects] == [
        (role, f"{name}.jsonl") for role in ("production", "shadow") for name in "abc"
    ]


def test_an_empty_source_says_what_was_looked_for(storage: Storage) -> None:
    storage.put({"churn/readme.txt": b"x", "churn/flat.jsonl": RECORD})
    with pytest.raises(InputError) as error:
        discover(storage.root, aws=storage.aws)
    assert "yyyy/mm/dd/hh/*.jsonl" in str(error.value)
    assert "1 not-jsonl, 1 outside-layout" in str(error.value)
    assert "--production PATH" in str(error.value)


def test_nothing_there_is_an_input_error(storage: Storage) -> None:
    storage.put({"other/x.jsonl": RECORD})
    with pytest.raises(InputError):
        discover(storage.at("nowhere"), aws=storage.aws)


def test_the_folder_of_one_variant_is_explained(storage: Storage) -> None:
    storage.put(both("churn/"))
    with pytest.raises((UsageError, InputError), match=r"one variant.*SOURCE"):
        discover(storage.at("churn/AllTraffic"), aws=storage.aws)


def test_a_side_emptied_by_the_window_is_an_input_error(folder: Storage) -> None:
    folder.put(captures(f"AllTraffic/{HOUR}/a.jsonl", "Shadow-01/2026/10/05/00/b.jsonl"))
    with pytest.raises(InputError) as error:
        discover(folder.root, since=datetime(2026, 10, 5, 12, tzinfo=UTC))
    assert str(error.value).endswith(
        ": Shadow-01: no shadow captures with --since 2026-10-05T12:00:00Z: they run from "
        "2026-10-05T00:00:00Z to 2026-10-05T01:00:00Z; choose --since and --until inside a time "
        "that both variants have"
    )


def test_a_window_beyond_all_captures_names_its_flags_and_theirs(storage: Storage) -> None:
    storage.put({**both("churn/"), **captures("churn/AllTraffic/2026/10/07/23/z.jsonl")})
    with pytest.raises(InputError) as error:
        discover(
            storage.root,
            aws=storage.aws,
            since=datetime(2025, 1, 1, tzinfo=UTC),
            until=datetime(2025, 2, 1, tzinfo=UTC),
        )
    said = str(error.value)
    assert "--since 2025-01-01T00:00:00Z --until 2025-02-01T00:00:00Z" in said
    assert "run from 2026-10-05T13:00:00Z to 2026-10-08T00:00:00Z" in said
    assert error.value.code == "empty-window"


def test_two_paths_may_have_any_layout(storage: Storage) -> None:
    storage.put(captures("new/x.jsonl", "new/deep/y.jsonl.gz", "old.txt", "new/metrics.jsonl"))
    listing = discover(
        None, production=storage.at("old.txt"), shadow=storage.at("new"), aws=storage.aws
    )
    assert (keys(listing, "production"), keys(listing, "shadow")) == (
        ["old.txt"],
        ["y.jsonl.gz", "x.jsonl"],
    )
    assert listing.skipped == {"metric-export": 1}
    assert (listing.production_variant, listing.endpoint) == (None, None)
    assert listing.objects[0].hour is None


def test_two_paths_take_variant_names_from_the_layout_or_endpoint_json(storage: Storage) -> None:
    storage.put({**both("churn/"), **captures("flat.jsonl")})
    listing = discover(
        None,
        production=storage.at("flat.jsonl"),
        shadow=storage.at("churn/Shadow-01"),
        roles={"production": "AllTraffic"},
        aws=storage.aws,
    )
    assert listing.production_variant == "AllTraffic"
    assert listing.shadow_variant == ("Shadow-01" if storage.client else None)
    assert listing.objects[1].hour is not None


def test_a_path_that_holds_two_variants_is_refused(folder: Storage) -> None:
    folder.put(both("churn/"))
    with pytest.raises(UsageError, match=r"2 variants: churn/AllTraffic, churn/Shadow-01"):
        discover(None, production=folder.root, shadow=folder.at("churn/Shadow-01"))


def test_a_path_without_its_partner_is_a_usage_error(folder: Storage) -> None:
    folder.put(captures("a.jsonl"))
    with pytest.raises(UsageError, match="--shadow is missing"):
        discover(None, production=folder.at("a.jsonl"))
    with pytest.raises(UsageError, match="--production is missing"):
        discover(None)


def test_a_path_without_captures_names_its_side(folder: Storage) -> None:
    folder.put({"a.jsonl": RECORD, "empty/x.jsonl": b""})
    with pytest.raises(InputError, match=r"--shadow .*no shadow captures.*1 empty"):
        discover(None, production=folder.at("a.jsonl"), shadow=folder.at("empty"))


def test_the_same_objects_on_both_sides_are_noticed(storage: Storage) -> None:
    storage.put(both("churn/"))
    twice = discover(storage.root, production="AllTraffic", shadow="AllTraffic", aws=storage.aws)
    assert twice.same_objects
    assert [item.role for item in twice.objects] == ["production", "shadow"]
    path = storage.at("churn/Shadow-01")
    assert discover(None, production=path, shadow=path, aws=storage.aws).same_objects


def test_the_same_file_under_another_name_is_noticed(folder: Storage) -> None:
    folder.put(captures("a.jsonl"))
    folder.path("b.jsonl").symlink_to(folder.path("a.jsonl"))
    folder.path("c.jsonl").hardlink_to(folder.path("a.jsonl"))
    for other in ("b.jsonl", "c.jsonl"):
        production, shadow = folder.at("a.jsonl"), folder.at(other)
        assert discover(None, production=production, shadow=shadow).same_objects


def test_links_that_loop_end_and_real_paths_win(folder: Storage) -> None:
    folder.put(both("churn/"))
    folder.path("churn/AllTraffic/again").symlink_to(folder.root)
    folder.path("Aaa").symlink_to(folder.path("churn"))
    listing = discover(folder.root)
    assert listing.endpoint == "churn"
    assert listing.listed == 2


def test_a_linked_folder_elsewhere_is_followed(folder: Storage, tmp_path: Path) -> None:
    folder.put(both("mounted/churn/"))
    root = tmp_path / "view"
    root.mkdir()
    (root / "churn").symlink_to(tmp_path / "mounted" / "churn")
    assert discover(str(root)).endpoint == "churn"


def test_a_broken_link_is_a_failure_not_silence(folder: Storage) -> None:
    folder.put(both(""))
    folder.path(f"AllTraffic/{HOUR}/gone.jsonl").symlink_to("nowhere")
    chunks = list(open_chunks(discover(folder.root)))
    failure = ObjectFailure(
        "unreadable", "cannot be read: a symbolic link to a file that is not there"
    )
    assert [chunk.failure for chunk in chunks if chunk.failure] == [failure]


def test_a_link_to_itself_is_a_broken_link(folder: Storage) -> None:
    folder.put(both(""))
    link = folder.path(f"AllTraffic/{HOUR}/self.jsonl")
    link.symlink_to(link)
    chunks = list(open_chunks(discover(folder.root)))
    assert [chunk.failure.code for chunk in chunks if chunk.failure] == ["unreadable"]


def test_only_what_lies_below_a_path_makes_it_a_metric_export(storage: Storage) -> None:
    storage.put(captures("metrics/new/x.jsonl", "metrics/new/metrics/y.jsonl", "old.jsonl"))
    listing = discover(
        None, production=storage.at("old.jsonl"), shadow=storage.at("metrics/new"), aws=storage.aws
    )
    assert keys(listing, "shadow") == ["x.jsonl"]
    assert listing.skipped == {"metric-export": 1}


@pytest.mark.parametrize("root", ["nowhere", "a\0b", "x" * 5000, "file.jsonl/below"])
def test_a_path_that_cannot_exist_is_an_input_error(folder: Storage, root: str) -> None:
    folder.put(captures("file.jsonl"))
    with pytest.raises(InputError, match="no such file or folder"):
        discover(folder.at(root))


@pytest.mark.parametrize("root", ["s3:/my-bucket/x", "s3:/my-bucket"])
def test_an_address_that_lacks_a_slash_is_asked_after(root: str) -> None:
    meant = root.replace("s3:/", "s3://")
    said = f"{root}: no such file or folder; did you mean {meant}?"
    with pytest.raises(InputError) as caught:
        discover(root)
    assert str(caught.value) == said


def test_a_path_that_may_not_be_looked_at_is_an_access_error(
    folder: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(AccessError, match="permission denied"):
        discover(folder.root)


def test_what_is_no_file_is_counted_and_never_opened(folder: Storage) -> None:
    folder.put({**both(""), f"AllTraffic/{HOUR}/folder.jsonl.gz/x.txt": b"x"})
    os.mkfifo(folder.path(f"AllTraffic/{HOUR}/pipe.jsonl"))
    os.mkfifo(folder.path(f"AllTraffic/{HOUR}/pipe"))
    listing = discover(folder.root)
    assert listing.skipped == {"not-a-file": 3, "not-jsonl": 1}
    assert listing.listed == 6
    assert keys(listing, "production") == ["a.jsonl"]


def test_a_side_that_is_a_pipe_says_so(folder: Storage) -> None:
    folder.put(captures("a.jsonl"))
    os.mkfifo(folder.path("pipe.jsonl"))
    with pytest.raises(InputError, match=r"no shadow captures to read; .* 1 not-a-file"):
        discover(None, production=folder.at("a.jsonl"), shadow=folder.at("pipe.jsonl"))


def test_a_folder_that_cannot_be_listed_stops_the_run(
    folder: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put(both(""))

    def refuse(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(AccessError, match="cannot look inside: Permission denied"):
        discover(folder.root)


def test_a_file_name_that_is_not_utf8_gives_a_key_that_can_be_written(folder: Storage) -> None:
    folder.put(both(""))
    name = os.fsencode(folder.path(f"AllTraffic/{HOUR}")) + b"/\xff\n.jsonl"
    Path(os.fsdecode(name)).write_bytes(RECORD)
    listing = discover(folder.root)
    assert "\\xff\n.jsonl" in keys(listing, "production")
    assert [key for key in keys(listing, "production") if key.encode("utf-8")]
    assert not [chunk for chunk in open_chunks(listing) if chunk.failure]


@pytest.mark.parametrize("source", ["gs://b/p", "s3://", "s3:///p", "http://h/x"])
def test_a_source_that_cannot_be_meant_is_a_usage_error(source: str) -> None:
    with pytest.raises(UsageError, match="expected"):
        discover(source)


def test_listing_is_told_aloud(folder: Storage) -> None:
    folder.put(both(""))
    counts: list[int] = []
    discover(folder.root, on_listed=counts.append)
    assert counts == [1, 2]


def test_messages_stay_on_one_line_and_send_no_escape_codes(folder: Storage) -> None:
    folder.put(captures(f"a\x1b[31m\n/v/{HOUR}/x.jsonl", f"b/v/{HOUR}/x.jsonl"))
    with pytest.raises(UsageError) as error:
        discover(folder.root)
    assert re.search(r"a\\x1b\[31m\\n", str(error.value))
    assert str(error.value).isprintable()


NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=12
).filter(lambda name: name not in {".", ".."} and len(name.encode()) < 200)


@settings(max_examples=60, deadline=None)
@given(
    names=st.sets(NAMES, min_size=1, max_size=5),
    variant=NAMES.filter(lambda name: not name.startswith((".", "_"))),
)
def test_odd_names_are_listed_in_order_and_read(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], variant: str
) -> None:
    root = tmp_path_factory.mktemp("odd")
    shadow = f"{variant}-shadow"
    for name in names:
        for side in (variant, shadow):
            path = root / side / HOUR / f"x{name}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(RECORD)
    listing = discover(str(root), production=variant, shadow=shadow)
    expected = sorted(f"x{name}.jsonl" for name in names)
    assert keys(listing, "production") == expected
    assert keys(listing, "shadow") == expected
    assert [chunk.data for chunk in open_chunks(listing, threads=2)] == [RECORD] * 2 * len(names)
