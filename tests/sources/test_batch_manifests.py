"""Which data files two jobs' manifests name, wherever they lie, and what is never looked at."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import AnalyzerError, InputError, UsageError
from analyzer.report.explain import explanation
from analyzer.sources import AwsOptions, discover, open_chunks
from analyzer.sources.batch_transform import data_objects
from analyzer.sources.listing import Bucket
from tests.examples import examples
from tests.sources.batch_jobs import HOUR, LATER, Job, bucket_of, listed, put, two_jobs
from tests.sources.conftest import Storage

if TYPE_CHECKING:
    from analyzer.sources import Listing
    from analyzer.sources.listing import Page

INPUT = b"1,0.5\n2,0.25\n3,0.125\n"


def failed(listing: Listing, role: str = "production") -> dict[str, str]:
    """Code -> text of the failures of one side."""
    chunks = [chunk for chunk in open_chunks(listing) if chunk.role == role]
    return {c.failure.code: c.failure.text for c in chunks if c.failure is not None}


def test_what_a_manifest_names_and_is_not_there_fails_by_name(storage: Storage) -> None:
    bucket = bucket_of(storage)
    good = (INPUT, b"1\n2\n3\n")
    put(
        storage,
        Job("a", {"x.csv": good, "y.csv": (INPUT, None), "z.csv": (None, b"1\n")}, bucket=bucket),
        Job("b", {"x.csv": good}, bucket=bucket),
    )
    listing = listed(storage)
    assert [*failed(listing)] == ["missing-data"]
    assert f"s3://{bucket}/a/data/z.csv" in failed(listing)["missing-data"]
    assert sum(chunk.failure is not None for chunk in open_chunks(listing)) == 2
    assert listing.listed == 4 + 4
    assert listing.skipped == {"batch-manifest": 4}


def test_only_what_manifests_name_is_listed_of_a_bucket(
    moto_bucket: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_jobs(moto_bucket)
    asked: list[str] = []

    class Watched(Bucket):
        def page(
            self,
            prefix: str,
            token: str | None = None,
            *,
            most: int | None = None,
            delimiter: str = "",
        ) -> Page:
            asked.append(prefix)
            return super().page(prefix, token, most=most, delimiter=delimiter)

    monkeypatch.setattr(data_objects, "Bucket", Watched)
    assert len(listed(moto_bucket).objects) == 4
    assert sorted(asked) == [
        f"{job}/{folder}/day/dummy_" for job in "ab" for folder in ("data", "results")
    ]


def test_an_output_without_an_input_manifest_and_the_reverse_fail(storage: Storage) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(storage, *(Job(prefix, files, bucket=bucket_of(storage)) for prefix in "ab"))
    storage.delete(f"a/input/{HOUR}/manifest.jsonl")
    storage.delete(f"b/output/{HOUR}/manifest.jsonl")
    listing = listed(storage)
    assert [*failed(listing)] == ["missing-input"]
    assert [*failed(listing, "shadow")] == ["missing-output"]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"prefix": "s3://bucket/in/"}, "x.csv"',
        b'[{"prefix": "s3://bucket/in/"}, 7]',
        b'[{"prefix": "file:///etc/"}, "passwd"]',
        b'[{"prefix": null}]',
        b'[{"prefix": "s3://bucket"}, "-of-another/x.csv"]',
        b'[{"prefix": ' + b"[" * 100_000,
    ],
)
def test_a_damaged_manifest_is_a_failed_object_not_a_lost_one(folder: Storage, body: bytes) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(folder, Job("a", files), Job("b", files))
    folder.put({f"a/output/{HOUR}/second.jsonl": body})
    listing = listed(folder)
    assert [*failed(listing)] == ["bad-manifest"]
    assert listing.skipped == {"batch-manifest": 4}


@pytest.mark.parametrize(
    "name",
    ["../secret.csv", "/secret.csv", "x/../../secret.csv", "..\\secret.csv", "a\0b", "\ud800"],
)
def test_no_name_leads_out_of_the_folder_or_bucket(storage: Storage, name: str) -> None:
    storage.put({"secret.csv": b"secret\n", "secret.csv.out": b"secret\n"})
    bucket = bucket_of(storage)
    put(storage, Job("a", {name: (None, None)}, bucket=bucket))
    put(storage, Job("b", {"x.csv": (INPUT, b"1\n2\n3\n")}, bucket=bucket))
    listing = listed(storage)
    assert [*failed(listing)] == ["unsafe-name"]
    assert b"secret" not in b"".join(chunk.data for chunk in open_chunks(listing))


def test_data_beside_the_folder_that_was_named_are_not_read(folder: Storage) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(folder, Job("a/job", files), Job("b", files))
    for name in ("data/x.csv", "results/x.csv.out"):
        folder.put({f"a/{name}": folder.path(f"a/job/{name}").read_bytes()})
        folder.delete(f"a/job/{name}")
    assert [*failed(listed(folder, "a/job"))] == ["missing-data"]
    assert failed(listed(folder, "a")) == {}


def test_data_in_another_bucket_stop_the_run_with_prefix_and_flag(bucket: Storage) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(bucket, Job("a", files, bucket="elsewhere"), Job("b", files, bucket=bucket_of(bucket)))
    with pytest.raises(InputError, match=r"--production s3://.*/a: .* s3://elsewhere/a/data/") as e:
        listed(bucket)
    assert "name that with --production" in str(e.value)


LEVELS = ["a", "a/", "a/output", "a/input", f"a/output/{HOUR}", f"a/output/{HOUR}/manifest.jsonl"]


@pytest.mark.parametrize(
    ("storage", "path"),
    [
        *(("folder", path) for path in LEVELS),
        *(("moto_bucket", path) for path in LEVELS[:3]),
        *(("local_bucket", path) for path in LEVELS[4:]),
        *(pytest.param("moto_bucket", path, marks=pytest.mark.long) for path in LEVELS[3:]),
        *(pytest.param("local_bucket", path, marks=pytest.mark.long) for path in LEVELS[:4]),
    ],
    indirect=["storage"],
)
def test_any_level_of_a_job_can_be_named(storage: Storage, path: str) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(storage, *(Job(prefix, files, bucket=bucket_of(storage)) for prefix in "ab"))
    listing = listed(storage, path)
    assert failed(listing) == {}
    assert [item.role for item in listing.objects] == ["production", "shadow"]
    assert listing.skipped == {"batch-manifest": 4}


def test_a_copy_of_the_bucket_is_source_and_jobs_are_named_by_folder(storage: Storage) -> None:
    two_jobs(storage)
    storage.put({"notes.txt": b"x", "a/results/left.csv.out": b"1\n"})
    listing = discover(storage.root, production="a", shadow="b", aws=storage.aws)
    assert (listing.production_variant, listing.shadow_variant) == ("a", "b")
    assert len(listing.objects) == 4
    assert listing.skipped == {"batch-manifest": 4, "batch-output": 1, "not-jsonl": 1}
    with pytest.raises(UsageError, match="among 2 variants: a, b"):
        discover(storage.root, aws=storage.aws)


def test_the_same_input_is_shared_and_the_same_output_is_no_test(folder: Storage) -> None:
    for prefix, results in (("a", "one"), ("b", "two")):
        for side, data in (("input", "in"), ("output", results)):
            name = "x.csv" if side == "input" else "x.csv.out"
            body = json.dumps([{"prefix": f"s3://bucket/{data}/"}, name]).encode()
            folder.put({f"{prefix}/{side}/{HOUR}/m": body})
    folder.put({"in/x.csv": INPUT, "one/x.csv.out": INPUT, "two/x.csv.out": INPUT})
    assert not discover(folder.root, production="a", shadow="b").same_objects
    assert discover(folder.root, production="a", shadow="a").same_objects


def daily(prefix: str, days: dict[str, str], storage: Storage) -> None:
    """Jobs of several days in one capture folder, their parts named alike."""
    for day, data in days.items():
        files = {"part-0.csv": (f"{data}\n".encode(), f"{data}\n".encode())}
        job = Job(f"{prefix}/{data}", files, f"2026/10/{day}/00")
        moved = {
            key.replace(f"{prefix}/{data}/{side}put", f"{prefix}/{side}put"): body
            for key, body in job.objects().items()
            for side in ("in", "out")
            if f"/{side}put/" in key
        }
        data_files = {k: v for k, v in job.objects().items() if "manifest" not in k}
        storage.put({**moved, **data_files})


def test_parts_of_several_days_that_are_named_alike_are_told_by_their_inputs(
    folder: Storage,
) -> None:
    daily("a", {"05": "first", "06": "second"}, folder)
    daily("b", {"07": "first"}, folder)
    listing = listed(folder)
    names = [item.batch.name for item in listing.objects if item.batch is not None]
    assert names == [
        f"s3://bucket/{at}/data/part-0.csv" for at in ("a/first", "a/second", "b/first")
    ]


def test_two_runs_over_one_input_are_refused_until_one_is_named(folder: Storage) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(folder, Job("a", files), Job("b", files))
    rerun = json.dumps([{"prefix": "s3://bucket/a/again/"}, "x.csv.out"]).encode()
    folder.put(
        {
            f"a/input/{LATER}/m": folder.path(f"a/input/{HOUR}/manifest.jsonl").read_bytes(),
            f"a/output/{LATER}/m": rerun,
            "a/again/x.csv.out": b"4\n5\n6\n",
        }
    )
    with pytest.raises(UsageError, match=rf"2 batch-transform jobs over .*{HOUR}, {LATER}"):
        listed(folder)
    assert len(listed(folder, f"a/output/{LATER}").objects) == 2


@pytest.mark.parametrize("began", [HOUR, "2026/10/04/23"])
def test_a_window_drops_no_file_of_a_job_that_began_outside_it(
    storage: Storage, began: str
) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    for prefix, hour in (("a", began), ("b", "2026/10/07/00")):
        put(storage, Job(prefix, files, hour, bucket_of(storage)))
    since = datetime(2026, 10, 5, 16, tzinfo=UTC)
    listing = discover(
        None,
        production=storage.at("a"),
        shadow=storage.at("b"),
        since=since,
        until=since + timedelta(hours=2),
        aws=storage.aws,
    )
    assert [item.key.endswith("results/x.csv.out") for item in listing.objects] == [True, True]
    assert listing.skipped == {"batch-manifest": 4}


def test_days_outside_the_window_hide_no_data_of_a_job_inside(storage: Storage) -> None:
    bucket = bucket_of(storage)
    old = "2026/09/01/00/x.jsonl"
    other = {"2026/09/01/00/y.jsonl": (INPUT, b"1\n2\n3\n")}
    put(storage, Job("a", other, "2026/09/02/13", bucket))
    put(storage, Job("a", {old: (INPUT, b"1\n2\n3\n")}, HOUR, bucket))
    put(storage, Job("b", {old: (INPUT, b"1\n2\n3\n")}, HOUR, bucket))
    listing = discover(
        None,
        production=storage.at("a"),
        shadow=storage.at("b"),
        since=datetime(2026, 10, 1, tzinfo=UTC),
        aws=storage.aws,
    )
    assert failed(listing) == {}
    assert len(listing.objects) == 3
    assert listing.skipped == {"batch-manifest": 6}


def test_an_output_named_again_later_is_one_file(folder: Storage) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(folder, Job("a", files), Job("a", files, LATER), Job("b", files))
    production = [item for item in listed(folder).objects if item.role == "production"]
    assert [item.hour for item in production] == [datetime(2026, 10, 5, 15, tzinfo=UTC)]


def test_variants_that_are_called_input_and_output_stay_variants(storage: Storage) -> None:
    record = b'{"captureData":{}}\n'
    storage.put({f"churn/{side}/{HOUR}/x.jsonl": record for side in ("input", "output")})
    listing = discover(storage.root, production="input", shadow="output", aws=storage.aws)
    assert [item.batch for item in listing.objects] == [None, None]
    assert listing.skipped == {}


def test_what_no_manifest_names_is_skipped_under_a_code(folder: Storage) -> None:
    files = {"x.jsonl": (INPUT, b"1\n2\n3\n")}
    put(folder, Job("a", files), Job("b", files))
    folder.put({"a/data/other.jsonl": INPUT, "a/readme.txt": b"x", f"a/input/{HOUR}/part": b"1\n"})
    listing = listed(folder)
    assert listing.skipped == {"batch-manifest": 4, "not-in-manifest": 2, "not-jsonl": 1}


def test_several_files_that_may_be_meant_are_not_chosen_from(folder: Storage) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(folder, Job("a", files), Job("b", files))
    folder.put({"a/one/x.csv.out": b"1\n2\n3\n", "a/two/x.csv.out": b"1\n2\n3\n"})
    assert failed(listed(folder)) == {}
    folder.delete("a/results/x.csv.out")
    assert [*failed(listed(folder))] == ["ambiguous-data"]


def age(folder: Storage, seconds: float) -> None:
    """Make every file older than it is."""
    for path in folder.path(".").rglob("*"):
        at = path.stat().st_mtime - seconds
        os.utime(path, (at, at))


def test_every_version_of_either_side_is_another_version_of_the_file(folder: Storage) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(folder, Job("a", files), Job("b", files))
    versions = []
    for change in ({}, {"a/data/x.csv": INPUT + b"\n"}, {"a/results/x.csv.out": b"1\n2\n30\n"}):
        folder.put(change)
        age(folder, 100)
        versions += [listed(folder).objects[0].etag, listed(folder).objects[0].etag]
    assert len(set(versions)) == 3
    assert None not in versions


def test_a_file_that_may_still_grow_has_no_version(folder: Storage) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(folder, Job("a", files), Job("b", files))
    young = listed(folder).objects[0]
    assert (young.etag, young.modified) == (None, None)


def test_an_object_replaced_after_listing_fails(folder: Storage) -> None:
    files = {"x.csv": (INPUT, b"1\n2\n3\n")}
    put(folder, Job("a", files), Job("b", files))
    listing = listed(folder)
    folder.put({"a/data/x.csv": INPUT + b"4,1\n"})
    assert [*failed(listing)] == ["deleted-or-replaced"]


NAMES = st.one_of(
    st.text(max_size=8), st.sampled_from(["x.csv.out", "../x.csv", "\ud800", 7, None])
)
BODIES = st.one_of(
    st.binary(max_size=60).map(lambda body: b'[{"prefix":' + body),
    st.builds(
        lambda prefix, names: json.dumps([{"prefix": prefix}, *names]).encode(),
        st.one_of(st.text(max_size=8), st.sampled_from(["s3://bucket/a/results/", "s3://b/", 7])),
        st.lists(NAMES, max_size=3),
    ),
)


@settings(max_examples=examples(25, whole=100), deadline=None)
@given(st.lists(BODIES, min_size=1, max_size=3))
def test_no_manifest_ends_a_run_otherwise_than_with_a_message(bodies: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as path:
        folder = Storage(path, AwsOptions())
        files = {"x.csv": (INPUT, b"1\n2\n3\n")}
        put(folder, Job("a", files), Job("b", files))
        folder.put({f"a/output/{HOUR}/{k}": body for k, body in enumerate(bodies)})
        try:
            listing = listed(folder)
        except AnalyzerError as error:
            assert "two batch-transform jobs" in str(error)  # noqa: PT017 - either is right
            return
        chunks = [chunk for chunk in open_chunks(listing) if chunk.role == "production"]
    assert sum(chunk.data.count(b"\n") for chunk in chunks) == 3
    assert listing.skipped["batch-manifest"] >= 4


def test_every_failure_code_is_explained() -> None:
    for code in (
        *("missing-data", "missing-input", "missing-output", "line-counts-differ"),
        *("ambiguous-data", "bad-manifest", "unsafe-name", "batch-manifest", "not-in-manifest"),
    ):
        assert "what to do" in explanation(f"object-{code}")
