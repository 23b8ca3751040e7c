"""Every shape gives the same points, whatever the order and number of its files."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.cloudwatch import (
    MetricExport,
    dropped_notes,
    endpoint_files,
    open_exports,
    read_exports,
)
from analyzer.errors import AnalyzerError
from tests.cloudwatch.export_builders import (
    ENDPOINT,
    SHAPES,
    UNITS,
    VARIANTS,
    Minute,
    as_rows,
    lines,
    minute,
    row,
    stream_object,
    two_variants,
    write,
)
from tests.examples import examples


def select(*paths: Path, endpoint: str | None = ENDPOINT) -> MetricExport:
    return read_exports(paths, endpoint=endpoint, variants=VARIANTS)


def codes(export: MetricExport) -> list[str]:
    return [note.code for note in export.notes]


def in_shape(shape: str, minutes: list[Minute], folder: Path) -> MetricExport:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    SHAPES[shape](minutes, folder)
    return select(folder)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_minutes_in_any_shape_give_the_same_points(shape: str, tmp_path: Path) -> None:
    minutes = two_variants()
    expected = in_shape("rows", minutes, tmp_path / "rows-folder")
    found = in_shape(shape, minutes, tmp_path / "folder")
    assert found.points.height == 2 * 2 * 3 * 6
    assert found.points.equals(expected.points)
    assert found.digest == expected.digest
    assert found.dropped == {}


measured = st.lists(
    st.tuples(
        st.sampled_from(sorted(VARIANTS.values())),
        st.sampled_from(sorted(UNITS)),
        st.integers(1, 50),
        st.lists(st.floats(0, 1e8, allow_nan=False), min_size=1, max_size=4),
    ),
    unique_by=lambda one: one[:3],
    max_size=12,
)


@settings(
    max_examples=examples(4, whole=8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(measured)
def test_any_minutes_in_any_shape_give_the_same_points(
    tmp_path: Path, drawn: list[tuple[str, str, int, list[float]]]
) -> None:
    # Two adjacent minutes of every series make the spacing that some shapes need.
    minutes = [minute(*one) for one in drawn]
    minutes += [
        minute(variant, metric, offset, [1.0])
        for variant in VARIANTS.values()
        for metric in UNITS
        for offset in (60, 61)
    ]
    expected = in_shape("rows", minutes, tmp_path / "folder")
    assert expected.points.height == 6 * len(minutes)
    for shape in SHAPES:
        found = in_shape(shape, minutes, tmp_path / "folder")
        assert found.points.equals(expected.points), shape
        assert found.digest == expected.digest


def test_latencies_are_in_milliseconds_and_sample_counts_are_counts(tmp_path: Path) -> None:
    as_rows(two_variants(minutes=1), tmp_path)
    points = select(tmp_path).points
    latency = points.filter(role="shadow", metric_name="ModelLatency")
    assert dict(latency.select("stat", "value").rows()) == {
        "Average": 70.0,
        "Maximum": 70.0,
        "Minimum": 70.0,
        "SampleCount": 2.0,
        "Sum": 140.0,
        "p99": 70.0,
    }
    assert set(latency.filter(stat="SampleCount")["unit"]) == {"count"}
    assert set(latency.filter(pl.col("stat") != "SampleCount")["unit"]) == {"ms"}


def test_the_points_have_the_promised_columns_and_order(tmp_path: Path) -> None:
    as_rows(two_variants(), tmp_path)
    points = select(tmp_path).points
    assert points.columns[:4] == ["role", "endpoint", "variant", "namespace"]
    assert points.schema["timestamp"] == pl.Datetime("us", "UTC")
    assert points.equals(points.sort("role", "metric_name", "stat", "period_s", "timestamp"))


def test_repeating_splitting_and_renaming_files_changes_only_the_repetitions(
    tmp_path: Path,
) -> None:
    minutes = two_variants(minutes=6)
    as_rows(minutes, tmp_path / "once")
    once = select(tmp_path / "once")
    as_rows(minutes[::-2], tmp_path / "z")
    as_rows(minutes[::2], tmp_path / "a")
    as_rows(minutes[::-1], tmp_path / "m")
    many = select(tmp_path / "z", tmp_path / "a", tmp_path / "m", tmp_path / "once")
    assert many.points.equals(once.points)
    assert (many.digest, many.notes) == (once.digest, once.notes)
    assert many.dropped.pop("duplicate") >= once.points.height
    assert many.dropped == once.dropped == {}


def test_the_digest_changes_with_a_value_and_with_a_time(tmp_path: Path) -> None:
    digests = {
        select(write(tmp_path, "a.jsonl", lines([one]))).digest
        for one in (row(), row(value=1.0), row(timestamp="2026-11-16T00:01:00Z"), row(stat="p95"))
    }
    assert len(digests) == 4


def test_gzip_is_known_by_its_bytes_and_may_have_several_members(tmp_path: Path) -> None:
    halves = [gzip.compress(lines([row(stat=stat)]), mtime=0) for stat in ("p50", "p99")]
    export = select(write(tmp_path, "rows.bin", b"".join(halves)))
    assert export.points["stat"].to_list() == ["p50", "p99"]


def test_one_odd_line_sends_the_file_to_the_slow_reader_with_the_same_points(
    tmp_path: Path,
) -> None:
    good = [row(stat=stat, value=value) for stat, value in (("p50", 0.1), ("p99", 5e-324))]
    fast = select(write(tmp_path, "fast.jsonl", lines(good)))
    odd = select(write(tmp_path, "odd.jsonl", lines([*good, row(stat="p90", value="Infinity")])))
    assert odd.points.equals(fast.points)
    assert odd.dropped == {"non-finite": 1}


@pytest.mark.parametrize("value", [None, "Infinity", "nan", float("nan"), float("inf"), True, []])
def test_a_value_that_is_no_finite_number_is_counted(value: object, tmp_path: Path) -> None:
    export = select(write(tmp_path, "rows.jsonl", lines([row(stat="p50"), row(value=value)])))
    assert export.points["stat"].to_list() == ["p50"]
    assert export.dropped == {"non-finite": 1}


def test_a_truncated_line_in_a_folder_costs_that_line_only_and_is_said(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", lines([row(), row(stat="p50")])[:-40])
    export = select(tmp_path)
    assert export.points["stat"].to_list() == ["p99"]
    assert export.dropped == {"unreadable": 1}
    assert "rows.jsonl: line 2: not valid JSON" in export.notes[0].text


def test_a_damaged_line_in_the_middle_leaves_the_lines_after_it(tmp_path: Path) -> None:
    text = lines([row(stat="p50")]) + b'{"metric_name": "Mo\n' + lines([row()])
    write(tmp_path, "rows.jsonl", text)
    assert select(tmp_path).points["stat"].to_list() == ["p50", "p99"]


def test_a_damaged_file_that_the_user_named_stops_the_run_with_file_and_line(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "rows.jsonl", lines([row(), row(stat="p50")])[:-40])
    with pytest.raises(AnalyzerError, match=r"rows.jsonl: line 2: not valid JSON") as caught:
        select(path)
    assert caught.value.exit_code == 3


def test_files_that_are_no_export_are_counted_in_a_folder_and_refused_by_name(
    tmp_path: Path,
) -> None:
    as_rows(two_variants(), tmp_path)
    write(tmp_path, "README.md", 'Rows look like {"metric_name": "ModelLatency"}.')
    write(tmp_path, "part.parquet", b"PAR1\x00\x01")
    write(tmp_path, "captures/a.jsonl", b'{"captureData": {}, "eventMetadata": {}}\n')
    write(tmp_path, "endpoint.json", {"DescribeEndpoint": {}})
    write(tmp_path, "my-queries.json", [])
    assert select(tmp_path).dropped == {"not-an-export": 3}
    with pytest.raises(AnalyzerError, match="no metric export") as caught:
        select(tmp_path / "README.md")
    assert (caught.value.exit_code, caught.value.code) == (3, "not-an-export")


def test_what_is_hidden_in_a_folder_is_counted_and_not_read(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", lines([row()]))
    for name in (".metric_rows.jsonl", ".old/rows.jsonl", "_draft/rows.jsonl"):
        write(tmp_path, name, lines([row(value=7.0)]))
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    export = select(tmp_path)
    assert export.points.height == select(tmp_path / "rows.jsonl").points.height == 1
    assert export.dropped == {"hidden": 3, "not-a-file": 1, "unreadable": 1}
    (note,) = dropped_notes(export.dropped)
    assert "3 hidden, 1 not-a-file, 1 unreadable; hidden: rename" in note.text
    assert select(tmp_path / ".old/rows.jsonl").points.height == 1
    assert select(tmp_path / ".old").points.height == 1


def test_a_folder_of_hidden_drafts_alone_is_refused(tmp_path: Path) -> None:
    write(tmp_path, ".metric_rows.jsonl.gz", gzip.compress(lines([row()])))
    exports = open_exports([tmp_path])
    with pytest.raises(AnalyzerError, match=r"no usable metric point: 1 hidden; hidden: rename"):
        exports.require_points(exports.select(endpoint=None, variants={}))


def test_a_linked_folder_is_read_once_and_loops_end(tmp_path: Path) -> None:
    write(tmp_path, "elsewhere/rows.jsonl", lines([row()]))
    (tmp_path / "given").mkdir()
    (tmp_path / "given/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/loop").symlink_to(tmp_path / "elsewhere")
    assert select(tmp_path / "given").points.height == 1
    assert len(open_exports([tmp_path / "given"]).readings) == 1


def test_a_folder_that_cannot_be_listed_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "rows.jsonl", lines([row()]))
    write(tmp_path, "shadow/rows.jsonl", lines([row()]))
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "shadow":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(AnalyzerError, match="shadow: cannot look inside: Permission") as caught:
        select(tmp_path)
    assert caught.value.exit_code == 4


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnalyzerError, match=r"nowhere.json: no such file") as caught:
        select(tmp_path / "nowhere.json")
    assert caught.value.exit_code == 3


def test_an_answer_in_a_folder_of_a_role_belongs_to_it(tmp_path: Path) -> None:
    point = {"Timestamp": "2026-11-16T00:00:00Z", "Sum": 5.0, "Unit": "None"}
    answer = {"Label": "Invocations", "Datapoints": [point]}
    for name in ("prod/invocations-60s.json", "churn-v2-shadow/invocations-60s.json"):
        write(tmp_path, name, answer)
    assert select(tmp_path).points["role"].to_list() == ["production", "shadow"]


def test_a_gzip_bomb_and_a_cut_gzip_are_counted_not_unfolded(tmp_path: Path) -> None:
    as_rows(two_variants(), tmp_path)
    write(tmp_path, "bomb.json.gz", gzip.compress(lines([row()]) + bytes(66 << 20), mtime=0))
    write(tmp_path, "cut.jsonl.gz", gzip.compress(lines([row()]), mtime=0)[:-9])
    write(tmp_path, "tail.jsonl.gz", gzip.compress(lines([row()]), mtime=0) + b"tail")
    export = select(tmp_path)
    assert export.dropped == {"unreadable": 3}
    assert "200 times" in export.notes[0].text


def test_a_stream_gives_the_mean_and_rounds_its_times_down_to_the_minute(tmp_path: Path) -> None:
    path = write(tmp_path, "stream", lines([stream_object(timestamp=1_794_787_258_000)]))
    points = select(path).points
    assert dict(points.select("stat", "value").rows()) == {
        "Average": 2.5,
        "Maximum": 3.0,
        "Minimum": 2.0,
        "SampleCount": 2.0,
        "Sum": 5.0,
        "p99": 2.99,
    }
    assert points["timestamp"].dt.epoch("ms").unique().to_list() == [1_794_787_200_000]


def test_answers_may_be_glued_or_in_an_array(tmp_path: Path) -> None:
    as_rows(two_variants(), tmp_path / "rows")
    rows = [json.loads(line) for line in (tmp_path / "rows/rows.jsonl").read_text().splitlines()]
    array = write(tmp_path, "array.json", rows)
    glued = write(tmp_path, "glued.json", b"\xef\xbb\xbf" + b"".join(lines([one]) for one in rows))
    assert select(array).digest == select(glued).digest == select(tmp_path / "rows").digest


def test_a_next_token_says_that_pages_are_missing(tmp_path: Path) -> None:
    answer = {"MetricDataResults": [], "NextToken": "abc"}
    assert codes(select(write(tmp_path, "page1.json", answer))) == ["pages-missing"]


def test_a_result_that_never_completed_is_said(tmp_path: Path) -> None:
    result = {
        "Id": "shadow_ModelLatency_p99_60",
        "Label": "x",
        "Timestamps": ["2026-11-16T00:00:00Z"],
        "Values": [1.0],
        "StatusCode": "PartialData",
    }
    path = write(tmp_path, "data.json", {"MetricDataResults": [result]})
    assert codes(select(path)) == ["partial-data", "unit-assumed"]


def test_a_query_that_is_an_expression_is_no_metric(tmp_path: Path) -> None:
    result = {
        "Id": "shadow_ModelLatency_p99",
        "Label": "x",
        "Timestamps": ["2026-11-16T00:00:00Z"],
        "Values": [1.0],
    }
    write(tmp_path, "data.json", {"MetricDataResults": [result]})
    write(
        tmp_path,
        "queries.json",
        [{"Id": "shadow_ModelLatency_p99", "Expression": "ANOMALY_DETECTION_BAND(m1)"}],
    )
    assert select(tmp_path).dropped == {"unnamed-metric": 1}


def answer_and_queries(folder: Path, *, label: str, answer: str, queries: str) -> MetricExport:
    """An answer of id m1 beside a queries file that says m1 is the shadow's p99."""
    point = {"Timestamps": ["2026-11-16T00:00:00Z"], "Values": [1.0]}
    write(folder, answer, {"MetricDataResults": [{"Id": "m1", "Label": label, **point}]})
    dimensions = {"EndpointName": ENDPOINT, "VariantName": VARIANTS["shadow"]}
    metric = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "ModelLatency",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    query = {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "p99"}}
    write(folder, queries, {"MetricDataQueries": [query]})
    return select(folder)


@pytest.mark.parametrize(
    "name", ["data-queries.json", "data_queries.json", "data.queries.json", "queries.json"]
)
def test_a_queries_file_says_what_the_ids_asked_for(name: str, tmp_path: Path) -> None:
    export = answer_and_queries(tmp_path, label="any", answer="data.json", queries=name)
    assert export.points.select("role", "stat").rows() == [("shadow", "p99")]


def test_another_answers_queries_are_not_believed(tmp_path: Path) -> None:
    write(tmp_path, "latency.json", {"MetricDataResults": []})
    export = answer_and_queries(
        tmp_path, label="any", answer="errors.json", queries="latency-queries.json"
    )
    assert export.dropped == {"unnamed-metric": 1}


def test_a_label_that_contradicts_its_query_is_not_used(tmp_path: Path) -> None:
    export = answer_and_queries(
        tmp_path, label="OverheadLatency", answer="data.json", queries="queries.json"
    )
    assert export.dropped == {"unnamed-metric": 1}


def test_a_line_is_named_by_its_number_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "given.jsonl", lines([row()]) + b"\n\n{\n")
    with pytest.raises(AnalyzerError, match="line 4: not valid JSON"):
        select(path)


def test_a_file_of_damage_is_given_up_and_its_good_lines_before_are_kept(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", lines([row()]) + b'{"bad\n' * 50_000 + lines([row(stat="p50")]))
    export = select(tmp_path)
    assert export.points["stat"].to_list() == ["p99"]
    assert export.dropped == {"unreadable": 100}
    assert "and 94 more" in export.notes[0].text


def test_variants_are_discovered_from_the_rows_of_known_metrics(tmp_path: Path) -> None:
    as_rows(two_variants(), tmp_path)
    foreign = {"namespace": "AWS/EC2", "metric_name": "CPUUtilization", "unit": "Percent"}
    component = {"EndpointName": "e2", "VariantName": "v", "InferenceComponentName": "c"}
    unusable = [row(variant="other", **foreign), row(dimensions=component)]
    write(tmp_path, "other.jsonl", lines(unusable))
    exports = open_exports([tmp_path])
    assert exports.variants() == tuple(sorted(VARIANTS.values()))
    assert exports.variants("another") == ()
    assert exports.endpoints() == (ENDPOINT, "e2")


@pytest.mark.parametrize("given", ["{}", "production={}", "{}/rows.jsonl", "shadow={}/rows.jsonl"])
def test_endpoint_facts_are_found_beside_the_rows_however_they_are_named(
    tmp_path: Path, given: str
) -> None:
    write(tmp_path, "rows.jsonl", lines([row()]))
    paths = [Path(given.format(tmp_path))]
    assert endpoint_files(paths) == ()
    write(tmp_path, "endpoint.json", {"DescribeEndpoint": {}})
    assert endpoint_files(paths) == (tmp_path / "endpoint.json",)
    write(tmp_path, "later/endpoint.json", {"DescribeEndpoint": {}})
    write(tmp_path, ".old/endpoint.json", {"DescribeEndpoint": {}})
    later = () if given.endswith("jsonl") else (tmp_path / "later/endpoint.json",)
    assert endpoint_files(paths) == (tmp_path / "endpoint.json", *later)
    assert endpoint_files([*paths, tmp_path / "rows.jsonl"]) == endpoint_files(paths)


KEYS = (*row(), *stream_object(), "Datapoints", "MetricDataResults", "Timestamps", "Values", "Id")
HOSTILE = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: f'{{"metric_name": "{text}'.encode()),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from([*KEYS, "Label", "Timestamp", "Unit", "ExtendedStatistics", "p99"]),
                inner,
                max_size=6,
            )
        ),
    ).map(lambda body: json.dumps(body).encode()),
    st.dictionaries(st.sampled_from(list(row())), st.text(max_size=9) | st.floats()).map(
        lambda changes: lines([row(**changes), stream_object(**changes)])
    ),
)


@settings(
    max_examples=examples(30, whole=100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(HOSTILE, st.sampled_from(["a.jsonl", "a.csv", "a.json", "shadow.json", "queries.json"]))
def test_no_bytes_end_in_anything_but_counts_or_a_named_error(
    tmp_path: Path, content: bytes, name: str
) -> None:
    shutil.rmtree(tmp_path / "folder", ignore_errors=True)
    path = write(tmp_path / "folder", name, content)
    write(tmp_path / "folder", "beside.json", {"MetricDataResults": []})
    for given_path in (path, path.parent):
        try:
            export = select(given_path, endpoint=None)
        except AnalyzerError as error:
            assert error.exit_code in {2, 3}  # noqa: PT017 - the other outcome is a success
            continue
        assert export.points["value"].is_finite().all()
