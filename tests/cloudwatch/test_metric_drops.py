"""Points that are not used: no run may take them for metrics that were never exported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.cloudwatch import dropped_notes
from analyzer.console.progress import silent
from analyzer.errors import InputError
from tests.cloudwatch.export_builders import START, VARIANTS, lines, write

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Verdict

CAPTURED = "captured/{}.jsonl"


def captured(folder: Path) -> dict[str, str]:
    """Flat captures of ten requests of each side, as flags."""
    paths = {}
    for role in VARIANTS:
        side = {"data": "1", "encoding": "CSV", "observedContentType": "text/csv"}
        records = [
            {
                "captureData": {"endpointInput": side, "endpointOutput": side},
                "eventMetadata": {
                    "eventId": f"{role} {number}",
                    "inferenceId": str(number),
                    "inferenceTime": f"{START:%Y-%m-%dT%H}:{number:02}:00Z",
                },
            }
            for number in range(10)
        ]
        paths[role] = str(write(folder, CAPTURED.format(role), lines(records)))
    return paths


def statistics() -> str:
    """A get-metric-statistics answer, which names no variant."""
    points = [
        {"Timestamp": f"{START:%Y-%m-%dT%H}:{minute:02}:00Z", "Sum": 60.0, "Unit": "None"}
        for minute in range(10)
    ]
    return json.dumps({"Label": "Invocations", "Datapoints": points})


def judged(folder: Path, *cloudwatch: Path | str) -> Verdict:
    flags = captured(folder)
    given = tuple(map(str, cloudwatch))
    request = analysis.Request(
        production=flags["production"], shadow=flags["shadow"], cloudwatch=given
    )
    return analysis.run(request, silent).verdict


def noted(verdict: Verdict) -> list[str]:
    return [note.text for note in verdict.notes if note.code == "points-dropped"]


def test_a_path_whose_name_names_no_variant_is_refused_with_what_to_do(tmp_path: Path) -> None:
    production = write(tmp_path, "gms_prod_latency.json", statistics())
    shadow = write(tmp_path, "gms_shad_latency.json", statistics())
    with pytest.raises(InputError) as refused:
        judged(tmp_path, production, shadow)
    said = str(refused.value)
    assert said.startswith(f"--cloudwatch {shadow}: no usable metric point: 10 unnamed-variant; ")
    assert "production, prod or shadow, in the file name" in said
    assert "--cloudwatch shadow=PATH" in said


def test_the_role_given_with_the_path_mends_it(tmp_path: Path) -> None:
    production = write(tmp_path, "gms_prod_latency.json", statistics())
    shadow = write(tmp_path, "gms_shad_latency.json", statistics())
    verdict = judged(tmp_path, production, f"shadow={shadow}")
    assert verdict.inputs.metric_points == 20
    assert noted(verdict) == []


def test_a_folder_with_one_unnamed_file_is_judged_with_a_note(tmp_path: Path) -> None:
    write(tmp_path, "metrics/gms_prod_latency.json", statistics())
    write(tmp_path, "metrics/gms_shad_latency.json", statistics())
    verdict = judged(tmp_path, tmp_path / "metrics")
    assert verdict.inputs.metric_points == 10
    (text,) = noted(verdict)
    assert "10 unnamed-variant" in text
    assert "--cloudwatch shadow=PATH" in text


def test_a_csv_column_that_names_no_variant_is_noted(tmp_path: Path) -> None:
    rows = "".join(f"{START:%Y-%m-%dT%H}:{minute:02}:00Z,60,60\n" for minute in range(10))
    table = write(tmp_path, "table.csv", f"time,prod Invocations,shad Invocations\n{rows}")
    (text,) = noted(judged(tmp_path, table))
    assert "10 unnamed-variant" in text


def test_points_without_a_role_count_nowhere(tmp_path: Path) -> None:
    """A folder where only one side is named: the other adds no point to any gate."""
    write(tmp_path, "metrics/shadow.json", statistics())
    write(tmp_path, "metrics/other.json", statistics())
    verdict = judged(tmp_path, tmp_path / "metrics")
    assert verdict.inputs.metric_points == 10
    assert verdict.inputs.metric_points_dropped == {"unnamed-variant": 10}
    assert verdict.gates["window_match"].outcome.value == "not_measured"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"Label": "Invocations", "Datapoints": []}', "there are no points in it; check the time"),
        ("time,Invocations 60\n2026-11-16T00:00:00Z,-1\n", "1 negative-value; negative-value: no "),
        ("time,Invocations 60\n2026-11-16T00:00:00Z,inf\n", "1 non-finite; "),
    ],
)
def test_a_path_without_a_usable_point_says_why(content: str, why: str, tmp_path: Path) -> None:
    path = write(tmp_path, "production.json", content)
    with pytest.raises(InputError, match="no usable metric point: ") as refused:
        judged(tmp_path, path)
    assert why in str(refused.value)


def test_a_second_path_of_repetitions_only_is_no_error(tmp_path: Path) -> None:
    first = write(tmp_path, "prod_a.json", statistics())
    second = write(tmp_path, "prod_b.json", statistics())
    verdict = judged(tmp_path, first, second)
    assert verdict.inputs.metric_points_dropped == {"duplicate": 10}
    assert noted(verdict) == []


def test_endpoint_facts_named_beside_an_export_need_no_points(tmp_path: Path) -> None:
    export = write(tmp_path, "prod.json", statistics())
    facts = write(tmp_path, "endpoint.json", {"DescribeEndpoint": {}})
    assert judged(tmp_path, export, facts).inputs.metric_points == 10
    with pytest.raises(InputError, match=r"endpoint\.json: no usable metric point"):
        judged(tmp_path, facts)


@pytest.mark.parametrize(
    "reason", ["other-endpoint", "other-variant", "other-metric", "extra-dimensions", "duplicate"]
)
def test_what_is_rightly_left_out_needs_no_note(reason: str) -> None:
    assert dropped_notes({reason: 9}) == ()
    (note,) = dropped_notes({reason: 9, "bad-time": 2})
    assert "2 bad-time" in note.text
    assert reason not in note.text
