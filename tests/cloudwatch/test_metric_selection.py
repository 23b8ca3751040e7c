"""Whose points are used, in which unit, and what happens to every other point."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.cloudwatch import MetricExport, read_exports
from analyzer.cloudwatch.reading import moment_of
from analyzer.errors import AnalyzerError
from tests.cloudwatch.export_builders import ENDPOINT, VARIANTS, lines, row, stream_object, write
from tests.examples import examples

if TYPE_CHECKING:
    from pathlib import Path

EXACT = {"EndpointName": ENDPOINT, "VariantName": VARIANTS["production"]}


def selected(
    folder: Path,
    *rows: dict[str, object],
    endpoint: str | None = ENDPOINT,
    variants: dict[str, str] = VARIANTS,
) -> MetricExport:
    path = write(folder, "rows.jsonl", lines(rows))
    return read_exports([path], endpoint=endpoint, variants=variants)


def values(export: MetricExport) -> list[float]:
    return export.points["value"].to_list()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"metric_name": "ModelSetupTime"}, "other-metric"),
        ({"namespace": "AWS/EC2"}, "other-metric"),
        ({"dimensions": {**EXACT, "InstanceId": "i-1"}}, "extra-dimensions"),
        ({"dimensions": {**EXACT, "EndpointConfigName": "c"}}, "extra-dimensions"),
        ({"dimensions": {"EndpointName": ENDPOINT}}, "missing-dimensions"),
        ({"dimensions": {**EXACT, "EndpointName": "another"}}, "other-endpoint"),
        ({"dimensions": {**EXACT, "VariantName": "third"}}, "other-variant"),
        ({"stat": "PR(:300)"}, "other-statistic"),
        ({"timestamp": "yesterday"}, "bad-time"),
        ({"value": -1.0}, "negative-value"),
        ({"period": None}, "unknown-period"),
    ],
)
def test_a_row_that_is_not_of_the_two_variants_is_counted_with_its_reason(
    changes: dict[str, object], reason: str, tmp_path: Path
) -> None:
    export = selected(tmp_path, row(stat="p50"), row(**changes))
    assert export.points["stat"].to_list() == ["p50"]
    assert export.dropped == {reason: 1}


def test_every_row_is_kept_or_a_repetition_or_counted(tmp_path: Path) -> None:
    rows = [row(), row(), row(value=None), row(namespace="AWS/EC2"), row(variant="third")]
    export = selected(tmp_path, *rows)
    assert export.points.height + sum(export.dropped.values()) == len(rows)


def test_rows_of_another_endpoint_are_dropped_and_the_endpoint_is_named(tmp_path: Path) -> None:
    other = row(dimensions={**EXACT, "EndpointName": "another"})
    export = selected(tmp_path, row(), other)
    assert export.endpoints == ("another", ENDPOINT)
    assert export.points["endpoint"].unique().to_list() == [ENDPOINT]


def test_two_endpoints_without_a_choice_stop_the_run_with_both_names(tmp_path: Path) -> None:
    other = row(dimensions={**EXACT, "EndpointName": "another"})
    with pytest.raises(AnalyzerError, match="another, churn-endpoint; choose with --endpoint") as e:
        selected(tmp_path, row(), other, endpoint=None)
    assert e.value.exit_code == 2


def test_another_endpoint_of_other_variants_only_is_no_choice_to_make(tmp_path: Path) -> None:
    other = row(dimensions={"EndpointName": "another", "VariantName": "third"})
    export = selected(tmp_path, row(), other, endpoint=None)
    assert export.points["endpoint"].to_list() == [ENDPOINT]
    assert export.dropped == {"other-variant": 1}


def test_before_roles_are_known_every_variant_is_kept_without_a_role(tmp_path: Path) -> None:
    export = selected(tmp_path, row(), row(variant="third"), variants={})
    assert export.points["role"].to_list() == [None, None]
    assert export.variants == ("churn-v1", "third")


def test_one_variant_in_both_roles_gives_both_roles_its_points(tmp_path: Path) -> None:
    export = selected(tmp_path, row(), variants={"production": "churn-v1", "shadow": "churn-v1"})
    assert export.points["role"].to_list() == ["production", "shadow"]


@pytest.mark.parametrize(
    ("unit", "value"), [("Microseconds", 71.2345), ("Milliseconds", 71234.5), ("Seconds", 71234500)]
)
def test_a_given_unit_decides_the_magnitude_of_a_latency(
    unit: str, value: float, tmp_path: Path
) -> None:
    export = selected(tmp_path, row(unit=unit))
    assert values(export) == [value]
    assert export.points["unit"].to_list() == ["ms"]
    assert export.notes == ()


def test_a_latency_without_a_unit_is_in_microseconds_and_says_so(tmp_path: Path) -> None:
    export = selected(tmp_path, row(unit=None))
    assert values(export) == [71.2345]
    assert [note.code for note in export.notes] == ["unit-assumed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": "Percent"},
        {"unit": "None"},
        {"metric_name": "Invocations", "stat": "Sum", "unit": "Microseconds"},
        {
            "metric_name": "CPUUtilization",
            "namespace": "/aws/sagemaker/Endpoints",
            "unit": "Seconds",
        },
    ],
)
def test_a_unit_that_contradicts_the_metric_stops_the_run(
    changes: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(AnalyzerError, match="implausible unit") as caught:
        selected(tmp_path, row(**changes))
    assert (caught.value.exit_code, caught.value.code) == (3, "implausible-unit")


def test_a_contradicting_unit_of_a_series_that_is_not_used_stops_nothing(tmp_path: Path) -> None:
    assert selected(tmp_path, row(), row(variant="third", unit="Percent")).points.height == 1


def test_sums_and_sample_counts_are_counts_but_the_mean_of_errors_is_a_rate(
    tmp_path: Path,
) -> None:
    errors = {"metric_name": "Invocation5XXErrors", "unit": "None", "value": 0.5}
    export = selected(
        tmp_path,
        row(**errors, stat="Sum"),
        row(**errors, stat="Average"),
        row(stat="SampleCount", unit="Microseconds", value=7),
    )
    units = dict(export.points.select("stat", "unit").rows())
    assert units == {"Sum": "count", "Average": "none", "SampleCount": "count"}
    assert values(export) == [0.5, 0.5, 7.0]


def test_a_point_from_two_exports_counts_once_within_rounding(tmp_path: Path) -> None:
    a = write(tmp_path, "a.jsonl", lines([row(value=71234.5)]))
    b = write(tmp_path, "b.jsonl", lines([row(value=71234.5001)]))
    both, turned = (
        read_exports(order, endpoint=ENDPOINT, variants=VARIANTS) for order in ([a, b], [b, a])
    )
    assert values(both) == values(turned) == [71.2345]
    assert both.digest == turned.digest
    assert both.dropped == {"duplicate": 1}


def test_two_values_for_one_point_stop_the_run_and_name_point_and_files(tmp_path: Path) -> None:
    a = write(tmp_path, "a.jsonl", lines([row(value=71234.5)]))
    b = write(tmp_path, "b.jsonl", lines([row(value=71235.5)]))
    expected = (
        r"ModelLatency p99 \(60 s\) of production churn-v1 at 2026-11-16T00:00:00Z has two values: "
        r"71.2345 in \S*a.jsonl, 71.2355 in \S*b.jsonl"
    )
    for order in ([a, b], [b, a]):
        with pytest.raises(AnalyzerError, match=expected) as caught:
            read_exports(order, endpoint=ENDPOINT, variants=VARIANTS)
        assert (caught.value.exit_code, caught.value.code) == (3, "conflicting-points")


def test_two_points_inside_one_period_stop_the_run(tmp_path: Path) -> None:
    """Exports that begin at different times: only one of the two could be judged."""
    a = write(tmp_path, "a.jsonl", lines([row(value=71234.5)]))
    b = write(tmp_path, "b.jsonl", lines([row(value=1.0, timestamp="2026-11-16T00:00:30Z")]))
    for order in ([a, b], [b, a]):
        with pytest.raises(AnalyzerError, match="T00:00:00Z is not alone in its period") as caught:
            read_exports(order, endpoint=ENDPOINT, variants=VARIANTS)
        assert (caught.value.exit_code, caught.value.code) == (3, "conflicting-points")


def test_different_periods_and_statistics_are_different_points(tmp_path: Path) -> None:
    export = selected(tmp_path, row(), row(period=3600, value=1.0), row(stat="p95", value=2.0))
    assert export.points.height == 3


def test_a_time_off_its_period_is_kept_as_given_and_said(tmp_path: Path) -> None:
    export = selected(tmp_path, row(period=3600, timestamp="2026-11-16T00:10:00Z"))
    assert export.points["timestamp"].to_list() == [datetime(2026, 11, 16, 0, 10, tzinfo=UTC)]
    assert "ModelLatency p99 (3600 s)" in export.notes[0].text


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-11-16T00:00:00Z",
        "2026-11-16T00:00:00+00:00",
        "2026-11-16 00:00:00+00:00",
        "2026-11-16T02:00:00+02:00",
        "2026-11-15T19:00:00.000-0500",
        "2026-11-16 00:00:00 UTC",
        1_794_787_200,
        1_794_787_200_000,
        "1794787200000",
    ],
)
def test_a_time_in_any_form_is_the_same_instant(timestamp: object, tmp_path: Path) -> None:
    export = selected(tmp_path, row(timestamp=timestamp))
    assert export.points["timestamp"].to_list() == [datetime(2026, 11, 16, tzinfo=UTC)]
    assert export.notes == ()


def test_a_time_without_a_zone_is_utc_and_says_so(tmp_path: Path) -> None:
    export = selected(tmp_path, row(timestamp="2026-11-16 00:00:00"))
    assert export.points["timestamp"].to_list() == [datetime(2026, 11, 16, tzinfo=UTC)]
    assert [note.code for note in export.notes] == ["naive-time"]


@given(st.datetimes(datetime(1974, 1, 1), datetime(5000, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - hypothesis asks for naive bounds
@settings(max_examples=examples(30, whole=100))
def test_any_instant_survives_its_iso_text(moment: datetime) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert moment_of(moment.isoformat()) == ((moment - epoch) // timedelta(microseconds=1), False)


@given(st.integers(0, 4_000_000_000))
def test_seconds_and_milliseconds_since_1970_are_told_apart_by_size(seconds: int) -> None:
    assert moment_of(seconds) == (seconds * 1_000_000, False)
    if seconds >= 100_000_000:
        assert moment_of(seconds * 1000) == moment_of(str(seconds * 1000)) == moment_of(seconds)


NO_TIMES = ["1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize(
    "value", [*NO_TIMES, -1, 10**14, 1e305, 10**400, float("nan"), True, None, "", "1e9", [1]]
)
def test_what_is_no_time_is_no_time(value: object) -> None:
    assert moment_of(value) is None


def test_a_role_given_with_the_path_names_rows_that_name_no_variant(tmp_path: Path) -> None:
    point = {"Timestamp": "2026-11-16T00:00:00Z", "p99": 5.0, "Unit": "Milliseconds"}
    for name in ("a", "b"):
        write(tmp_path, f"{name}-60s.json", {"Label": "ModelLatency", "Datapoints": [point]})
    here = type(tmp_path)
    paths = [here(f"prod={tmp_path}/a-60s.json"), here(f"shadow={tmp_path}/b-60s.json")]
    export = read_exports(paths, endpoint=None, variants={})
    assert export.points["role"].to_list() == ["production", "shadow"]
    assert values(export) == [5.0, 5.0]


def test_a_role_given_with_the_path_does_not_turn_another_variant_into_it(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.jsonl", lines([row(variant="third")]))
    named = type(tmp_path)(f"shadow={path}")
    export = read_exports([named], endpoint=None, variants=VARIANTS)
    assert export.dropped == {"other-variant": 1}


def test_a_statistics_file_whose_name_names_both_roles_is_not_guessed(tmp_path: Path) -> None:
    point = {"Timestamp": "2026-11-16T00:00:00Z", "p99": 5.0, "Unit": "Milliseconds"}
    answer = {"Label": "ModelLatency", "Datapoints": [point]}
    path = write(tmp_path, "prod-and-shadow-60s.json", answer)
    export = read_exports([path], endpoint=None, variants=VARIANTS)
    assert export.dropped == {"unnamed-variant": 1}


def test_a_period_hint_that_the_points_contradict_is_not_believed(tmp_path: Path) -> None:
    points = [
        {"Timestamp": f"2026-11-16T00:0{n}:00Z", "Average": 1.0, "Unit": "Microseconds"}
        for n in range(3)
    ]
    answer = {"Label": "ModelLatency", "Datapoints": points}
    path = write(tmp_path, "shadow-300s.json", answer)
    export = read_exports([path], endpoint=None, variants=VARIANTS)
    assert export.points["period_s"].unique().to_list() == [60]
    assert [note.code for note in export.notes] == ["period-inferred"]


def test_a_csv_column_that_names_no_metric_is_counted(tmp_path: Path) -> None:
    text = (
        "time;churn-v1 ModelLatency p99 (ms);Comment;shadow Invocations\n"
        "2026/11/16 00:00:00;5,0;hello;3\n"
        "2026/11/16 00:01:00;6.0;;4\n"
        "Total;;;7\n"
    )
    export = read_exports([write(tmp_path, "m.csv", text)], endpoint=None, variants=VARIANTS)
    rows = export.points.select("role", "metric_name", "stat", "period_s", "value").rows()
    assert rows == [
        ("production", "ModelLatency", "p99", 60, 6.0),
        ("shadow", "Invocations", "Sum", 60, 3.0),
        ("shadow", "Invocations", "Sum", 60, 4.0),
    ]
    assert export.dropped == {"bad-time": 1, "non-finite": 1, "unknown-column": 1}
    assert {note.code for note in export.notes} == {
        "naive-time",
        "period-inferred",
        "statistic-assumed",
    }


def test_a_stream_of_a_whole_account_keeps_only_the_endpoint(tmp_path: Path) -> None:
    foreign = stream_object(
        namespace="AWS/EC2", metric_name="DiskWriteOps", dimensions={"InstanceId": "i-1"}
    )
    path = write(tmp_path, "stream", lines([foreign, stream_object()]))
    export = read_exports([path], endpoint=ENDPOINT, variants=VARIANTS)
    assert export.points.height == 6
    assert export.dropped == {"other-metric": 6}
