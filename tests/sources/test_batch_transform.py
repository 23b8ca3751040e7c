"""Batch-transform jobs become the records that any other capture gives, or a counted failure."""

from __future__ import annotations

import base64
import doctest
import gzip
import json
import tempfile
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer import analysis, bundle
from analyzer.console.progress import silent
from analyzer.errors import InputError
from analyzer.sources import AwsOptions, open_chunks
from analyzer.sources.batch_transform import data_objects, manifests, records, stored
from tests.captures.capture_builders import read as read_captures
from tests.examples import examples
from tests.here import here
from tests.report import bundles
from tests.sources.batch_jobs import (
    HOUR,
    LATER,
    Job,
    bucket_of,
    listed,
    put,
    read_job,
    two_jobs,
)
from tests.sources.conftest import Storage

if TYPE_CHECKING:
    from analyzer.sources import Chunk

UUID = "1f1d57b1-2e6f-488c-8c30-db4e6d757861"
TIME = "2026-10-05T13:49:15Z"
INPUT = b"1,0.5\n2,0.25\n3,0.125\n"


@pytest.mark.parametrize("module", [data_objects, manifests, records])
def test_the_examples_in_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_what_is_missing_closes_the_gate_and_what_is_unpaired_counts(folder: Storage) -> None:
    lines = (INPUT, b"0.1\n0.2\n0.9\n")
    put(
        folder,
        Job("a", {"x.csv": lines, "y.csv": (INPUT, None)}),
        Job("b", {"x.csv": lines, "z.csv": (b"8,0\n9,0\n", b"0.1\n0.2\n")}, LATER),
    )
    request = analysis.Request(production=folder.at("a"), shadow=folder.at("b"))
    verdict = analysis.run(request, silent).verdict
    assert "how-to-export" not in {note.code for note in verdict.notes}  # a job has no metrics
    assert verdict.ledger.pairs == 3
    assert (verdict.ledger.unpaired_shadow, verdict.ledger.out_of_window) == (2, 0)
    assert verdict.inputs.objects_failed == {"missing-data": 1}
    assert verdict.inputs.objects_listed == 3 + 1 + 4
    assert verdict.gates["objects"].closed
    assert verdict.decision.value == "HOLD"


class _AllRead(Exception):  # noqa: N818 - it is none
    """Reading is over."""


def read_of(request: analysis.Request) -> None:
    """Run until the objects have been read, and are kept, and no further."""

    def stop(step: str, *_: object, **__: object) -> None:
        if step == "pairing":
            raise _AllRead

    with suppress(_AllRead):
        analysis.run(request, stop)


def test_kept_records_give_the_verdict_of_fresh_ones_in_either_role(moto_bucket: Storage) -> None:
    bucket = moto_bucket
    lines = (INPUT, b"0.1\n0.2\n0.9\n")
    for prefix, hour in (("a", HOUR), ("b", LATER)):
        put(bucket, Job(prefix, {"x.csv": lines}, hour, bucket_of(bucket)))
    roles = [("a", "b"), ("b", "a")]
    asked = [
        analysis.Request(production=bucket.at(production), shadow=bucket.at(shadow), aws=bucket.aws)
        for production, shadow in roles
    ]
    read_of(asked[0])
    for request in asked[examples(1, whole=0) :]:
        fresh = analysis.run(replace(request, use_cache=False), silent).verdict.to_json()
        assert analysis.run(request, silent).verdict.to_json() == fresh
    bucket.put({"a/data/x.csv": b"1,1\n" * 3})
    changed = analysis.run(replace(request, use_cache=False), silent).verdict.to_json()
    assert analysis.run(request, silent).verdict.to_json() == changed != fresh


def test_outputs_alone_end_the_run_with_what_is_needed(folder: Storage) -> None:
    files = {"x.csv": (INPUT, b"0.1\n0.2\n0.9\n")}
    put(folder, Job("a", files), Job("b", files))
    folder.delete(f"a/input/{HOUR}/manifest.jsonl")
    request = analysis.Request(production=folder.at("a"), shadow=folder.at("b"))
    with pytest.raises(InputError, match=r"missing-input.*both input/ and output/ are needed"):
        analysis.run(request, silent)


@pytest.mark.parametrize(
    "storage",
    ["folder", "moto_bucket", pytest.param("local_bucket", marks=pytest.mark.long)],
    indirect=True,
)
def test_two_jobs_over_one_input_are_judged_line_by_line(storage: Storage, tmp_path: Path) -> None:
    two_jobs(storage)
    endpoint_url, region = storage.aws.endpoint_url, storage.aws.region
    reach = ("--endpoint-url", endpoint_url, "--region", region) if endpoint_url and region else ()
    out = tmp_path / "out"
    command = [
        *("run", *reach, "--out", out),
        *("--production", storage.at("a"), "--shadow", storage.at("b")),
    ]
    with bundles.undrawn():
        done = here(*command)
    assert done.returncode == 10, done.stderr
    verdict = bundle.read(out).verdict
    assert verdict.ledger.pairs == verdict.pairing.by_inference_id == 7
    assert verdict.ledger.lines == 14
    effect = verdict.metrics["flip_rate"].effect
    assert effect is not None
    assert effect.estimate == pytest.approx(2 / 7)
    assert verdict.inputs.objects_read == 4
    assert verdict.inputs.objects_skipped == {"batch-manifest": 4}
    assert verdict.window is not None
    assert verdict.window.start == "2026-10-05T13:49:00Z"
    assert verdict.window.end == "2026-10-05T15:50:00Z"
    assert not verdict.gates["roles"].closed
    assert [note.text for note in verdict.notes if note.code == "batch-transform"]
    names = (verdict.subject.production_variant, verdict.subject.shadow_variant)
    assert names == (("a", "b") if storage.client else (None, None))


def test_a_window_is_cut_from_a_long_job_by_the_times_in_its_lines(folder: Storage) -> None:
    rows = 300
    given = b"".join(b"%d,1\n" % k for k in range(rows))
    for prefix, hour in (("a", 13), ("b", 2)):
        at = (f"{hour + k // 60:02}:{k % 60:02}" for k in range(rows))
        made = "".join(f"0.5, {uuid.uuid4()},2026-10-05T{when}:00Z\n" for when in at).encode()
        put(folder, Job(prefix, {"x.csv": (given, made)}, f"2026/10/05/{hour:02}"))
    asked = analysis.Request(
        production=folder.at("a"), shadow=folder.at("b"), since="2026-10-05T16:00Z"
    )
    verdict = analysis.run(asked, silent).verdict
    assert verdict.ledger.pairs == 120
    assert verdict.window is not None
    assert verdict.window.end == "2026-10-05T18:00:00Z"


def test_a_folder_and_two_servers_give_the_same_lines(
    folder: Storage, moto_bucket: Storage, local_bucket: Storage
) -> None:
    lines = [f"0.{k}, {UUID[:-1]}{k},{TIME}\n" for k in range(3)]
    files = {"x.csv": (INPUT, "".join(lines).encode())}
    read = []
    for storage in (folder, moto_bucket, local_bucket):
        put(storage, *(Job(prefix, files, bucket=bucket_of(storage)) for prefix in "ab"))
        read.append([chunk.data for chunk in open_chunks(listed(storage))])
    assert read[0] == read[1] == read[2]
    assert len(read[0]) == 2


def test_a_record_is_one_of_sagemakers_schema(folder: Storage) -> None:
    read = read_job(folder, b"1,0.5\n", f"0.75, {UUID},{TIME}\n".encode())
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    assert read.records == [
        {
            "captureData": {
                "endpointInput": {**side, "mode": "INPUT", "data": "1,0.5"},
                "endpointOutput": {**side, "mode": "OUTPUT", "data": "0.75"},
            },
            "eventMetadata": {
                "eventId": UUID,
                "inferenceId": "dummy_0.csv:1",
                "inferenceTime": TIME,
            },
            "eventVersion": "0",
        }
    ]
    assert next(item.key for item in read.listing.objects) == "results/dummy_0.csv.out"


def test_without_generated_ids_the_jobs_hour_and_role_stand_in(folder: Storage) -> None:
    read = read_job(folder, INPUT, b"0.5\n0.25\n0.75\n")
    events = [record["eventMetadata"] for record in read.records]
    assert [event["inferenceId"] for event in events] == [f"dummy_0.csv:{k}" for k in (1, 2, 3)]
    assert {event["inferenceTime"] for event in events} == {"2026-10-05T13:00:00Z"}
    assert len({event["eventId"] for event in events}) == 3


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (f"0, {UUID},{TIME}", ("0", UUID, TIME)),
        (f"0.5,yes,{UUID},{TIME}", ("0.5,yes", UUID, TIME)),
        (f"0, {UUID},2026-13-05T13:49:15Z", (f"0, {UUID},2026-13-05T13:49:15Z", None, None)),
        (f"{UUID},{TIME}", (f"{UUID},{TIME}", None, None)),
        (
            f'{{"a": 1.50, "SageMakerInferenceId": "{UUID}", "SageMakerInferenceTime": "{TIME}"}}',
            ('{"a": 1.50}', UUID, TIME),
        ),
        (
            f'{{"SageMakerInferenceTime":"{TIME}","a":[1,{{}}],"SageMakerInferenceId":"x","b":2}}',
            ('{"a":[1,{}],"b":2}', "x", TIME),
        ),
        ('{"SageMakerInferenceId": "x"}', ("{}", "x", None)),
        (
            '{"a": {"SageMakerInferenceId": "x"}}',
            ('{"a": {"SageMakerInferenceId": "x"}}', None, None),
        ),
        ('{"SageMakerInferenceId": 7, "SageMakerInferenceTime": "soon"}', ("{}", None, None)),
        ('{"SageMakerInferenceId": "\\ud800", "a": 1}', ('{"a": 1}', None, None)),
        ('{"SageMakerInferenceId": ', ('{"SageMakerInferenceId": ', None, None)),
    ],
)
def test_what_the_job_appended_is_taken_out_and_nothing_else(
    answer: str, expected: tuple[str, str | None, str | None]
) -> None:
    text, *facts = records.without_job_fields(answer.encode())
    assert (text.decode(), *facts) == expected


@pytest.mark.parametrize(
    ("given", "made", "outputs"),
    [
        (INPUT, b"a\r\nb\r\nc", ["a", "b", "c"]),
        (INPUT.removesuffix(b"\n"), b"a\nb\nc\n\n\n", ["a", "b", "c"]),
        (b"\xef\xbb\xbf" + INPUT, b"\xef\xbb\xbfa\nb\nc\n", ["a", "b", "c"]),
        (INPUT, b"a\n\nc\n", ["a", "", "c"]),
        (gzip.compress(INPUT, mtime=0), b"a\nb\nc\n", ["a", "b", "c"]),
        (b"1\n\n3\n", b"a\n\nc\n", ["a", "c"]),
        (INPUT, b'{"a": 1}\n{"a": 2}\n{"a": 3}\n', ['{"a": 1}', '{"a": 2}', '{"a": 3}']),
        (INPUT, b'{"p": [1, 2, 3]}\n', ['{"p": [1, 2, 3]}\n']),
        (b"{\n1\n}", b'{\n"p": 1\n}', ['{\n"p": 1\n}']),
        (b"", b"", []),
    ],
)
def test_lines_stand_side_by_side_or_one_document_answers_all(
    folder: Storage, given: bytes, made: bytes, outputs: list[str]
) -> None:
    read = read_job(folder, given, made)
    assert read.failures == []
    assert [data for _, data in read.outputs] == outputs
    questions = [record["captureData"]["endpointInput"]["data"] for record in read.records]
    assert not any(question.startswith("\ufeff") for question in questions)


@pytest.mark.parametrize(
    "made", [b"a\nb\n", b"a\nb\nc\nd\n", b"", b'{"a": 1}{"a": 2}', b"[1]\n[2]\n"]
)
def test_an_output_whose_lines_do_not_fit_its_input_is_left_alone(
    folder: Storage, made: bytes
) -> None:
    read = read_job(folder, INPUT, made)
    assert read.failures == ["line-counts-differ"]
    assert read.lines == []


def test_bytes_that_are_no_text_are_kept(folder: Storage) -> None:
    read = read_job(folder, b"\xff\n\0\n", b"\x93NUMPY\n[1]\n")
    given = [record["captureData"]["endpointInput"] for record in read.records]
    assert [side["encoding"] for side in given] == ["BASE64", "BASE64"]
    assert [base64.b64decode(side["data"]) for side in given] == [b"\xff", b"\0"]
    assert read.outputs == [("BASE64", base64.b64encode(b"\x93NUMPY").decode()), ("JSON", "[1]")]


def test_long_lines_pass_by_with_their_number_and_digest(folder: Storage) -> None:
    read = read_job(folder, b"1\n" + b"2" * 5_000 + b"\n3\n", b"a\nb\nc\n", max_line_bytes=1_000)
    long = [chunk for chunk in read.chunks if chunk.oversize is not None]
    assert [chunk.first_line_number for chunk in long] == [2]
    assert [chunk.oversize.length for chunk in long if chunk.oversize] == [5_000]
    assert [chunk.first_line_number for chunk in read.chunks] == [1, 2, 3]
    assert [record["eventMetadata"]["inferenceId"][-2:] for record in read.records] == [":1", ":3"]


def test_parts_and_chunks_of_any_size_give_the_same_lines(
    folder: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = b"".join(b"%d\n" % k for k in range(300))
    whole = read_job(folder, made, made)
    for module in (stored, records):
        monkeypatch.setattr(module, "PART_BYTES", 7)
    monkeypatch.setattr(records, "CHUNK_BYTES", 500)
    cut = read_job(folder, made, made)
    assert cut.lines == whole.lines
    assert len(cut.chunks) > 30 > len(whole.chunks)
    number = 1
    for chunk in cut.chunks:
        assert chunk.first_line_number == number
        number += chunk.data.count(b"\n")


def test_names_too_long_or_strange_for_an_inference_id_are_hashed_alike(folder: Storage) -> None:
    names = ["a" * 49 + ".csv", " x.csv", "n\u2028.csv", "plain.csv"]
    files = dict.fromkeys(names, (b"1\n", b"0.5\n"))
    put(folder, Job("a", files), Job("b", files, LATER))
    ids: dict[str, list[str]] = {"production": [], "shadow": []}
    for chunk in open_chunks(listed(folder)):
        ids[chunk.role].append(json.loads(chunk.data)["eventMetadata"]["inferenceId"])
    assert sorted(ids["production"]) == sorted(ids["shadow"])
    assert all(1 <= len(one) <= 64 and one.isprintable() for one in ids["shadow"])
    assert len(set(ids["shadow"])) == 4
    assert "plain.csv:1" in ids["shadow"]


TEXTS = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.one_of(
            st.text(max_size=12).map(str.encode),
            st.floats().map(lambda x: str(x).encode()),
            st.sampled_from(
                [
                    *(b"", b" ", b"\r", b"{", b"}", b"[", b"]", b'{"a": 1}', b'"', b"\xff"),
                    *(b"\xef\xbb\xbf", b"[" * 3_000, b'{"SageMakerInferenceId"', b"1" * 90),
                    f"0, {UUID},{TIME}".encode(),
                    f'{{"SageMakerInferenceId": "{UUID}", "a": [1]}}'.encode(),
                ]
            ),
        ),
        max_size=6,
    ).map(b"\n".join),
)


FILES = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3)


@settings(max_examples=examples(50, whole=150), deadline=None)
@given(FILES)
def test_any_two_texts_give_one_line_for_each_of_the_output_or_a_failure(
    files: list[tuple[bytes, bytes]],
) -> None:
    outputs, chunks = chunks_of(files, files)
    for object_id, output in enumerate(outputs):
        mine = [chunk for chunk in chunks if chunk.object_id == object_id]
        failed = any(chunk.failure is not None for chunk in mine)
        lines = sum(chunk.data.count(b"\n") + (chunk.oversize is not None) for chunk in mine)
        expected = output.count(b"\n") + (not output.endswith(b"\n") and output != b"")
        assert lines in ({0} if failed else {expected, 1})


@settings(max_examples=examples(5, whole=15), deadline=None)
@given(FILES, TEXTS)
def test_any_texts_of_two_jobs_give_a_balanced_ledger(
    files: list[tuple[bytes, bytes]], other: bytes
) -> None:
    assert_balanced(files, other)


@pytest.mark.long
@settings(max_examples=400, deadline=None)
@given(FILES, TEXTS)
def test_more_texts_of_two_jobs_give_a_balanced_ledger(
    files: list[tuple[bytes, bytes]], other: bytes
) -> None:
    assert_balanced(files, other)


def assert_balanced(files: list[tuple[bytes, bytes]], other: bytes) -> None:
    _, chunks = chunks_of(files, [(files[0][0], other), *files[1:]])
    sound = [chunk for chunk in chunks if chunk.failure is None]
    ledger = read_captures(sound, max_line_bytes=2_000).facts.ledger
    assert ledger.balanced
    assert ledger.not_capture == 0
    assert set(ledger.rejects_by_code) <= {"malformed.oversize"}
    assert ledger.lines == sum(
        chunk.data.count(b"\n") + (chunk.oversize is not None) for chunk in sound
    )


def chunks_of(
    production: list[tuple[bytes, bytes]], shadow: list[tuple[bytes, bytes]]
) -> tuple[list[bytes], list[Chunk]]:
    """The outputs of two jobs as they lay on disk, by object id, and what was read of them."""
    with tempfile.TemporaryDirectory() as path:
        folder = Storage(path, AwsOptions())
        for prefix, files in (("a", production), ("b", shadow)):
            put(folder, Job(prefix, {f"x{k}.csv": pair for k, pair in enumerate(files)}))
        listing = listed(folder)
        chunks = list(open_chunks(listing, max_line_bytes=2_000))
        return [Path(item.location).read_bytes() for item in listing.objects], chunks
