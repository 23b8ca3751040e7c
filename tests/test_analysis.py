"""Whole runs on captures made here: what a user would meet, and what must not pass."""

from __future__ import annotations

import gzip
import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.errors import AccessError, InputError, UsageError
from analyzer.model import Verdict
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.analysis import Analysis

START = datetime(2026, 11, 16, tzinfo=UTC)
PROMOTE = Path(__file__).parents[1] / "sample_data" / "promote"
SLOW_TAIL = PROMOTE.parent / "slow_tail"


def line(at_s: float, payload: str, output: str, inference_id: str | None = None) -> bytes:
    """One capture record with a fresh event ID, stamped to the whole second as AWS does."""
    when = (START + timedelta(seconds=int(at_s))).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {"eventId": str(uuid.uuid4()), "inferenceTime": when}
    if inference_id is not None:
        event["inferenceId"] = inference_id
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    record = {
        "captureData": {
            "endpointInput": {**side, "mode": "INPUT", "data": payload},
            "endpointOutput": {**side, "mode": "OUTPUT", "data": output},
        },
        "eventMetadata": event,
        "eventVersion": "0",
    }
    return json.dumps(record, separators=(",", ":")).encode()


def put(folder: Path, production: Iterable[bytes], shadow: Iterable[bytes]) -> Path:
    for variant, lines in (("v1", production), ("v2-shadow", shadow)):
        hour = folder / "endpoint" / variant / "2026" / "11" / "16" / "00"
        hour.mkdir(parents=True)
        (hour / "00-00-000-a.jsonl").write_bytes(b"".join(text + b"\n" for text in lines))
    return folder


def noted(verdict: Verdict, code: str) -> str:
    (note,) = [note for note in verdict.notes if note.code == code]
    return note.text


def judged(source: Path, *policy: str) -> Analysis:
    return analysis.run(analysis.Request(source=str(source), overrides=policy), silent)


def test_payloads_sent_ten_times_without_ids_pair_once_each(tmp_path: Path) -> None:
    """334 rows, each sent ten times, no inference ID, half of the requests copied."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(334, 4)).round(4)
    payloads = [",".join(map(str, row)) for row in rows.tolist()]
    v1 = (1 / (1 + np.exp(-rows.sum(axis=1)))).round(6)
    v2 = (1 / (1 + np.exp(-1.1 * rows.sum(axis=1) + 0.1))).round(6)
    sent = np.tile(np.arange(334), 10)
    copied = rng.random(sent.size) < 0.5
    source = put(
        tmp_path,
        [line(2 * k, payloads[i], str(v1[i])) for k, i in enumerate(sent)],
        [
            line(2 * k + int(rng.integers(0, 2)), payloads[i], str(v2[i]))
            for k, i in enumerate(sent)
            if copied[k]
        ],
    )
    done = judged(source, "sampling.shadow_percentage=50")
    verdict = done.verdict
    paired = sent[copied]
    assert verdict.ledger.pairs == verdict.pairing.by_payload == copied.sum()
    assert verdict.ledger.unpaired_shadow == 0
    assert verdict.pairing.distinct_inputs == np.unique(paired).size
    flips = float(((v1[paired] >= 0.5) != (v2[paired] >= 0.5)).mean())
    bias = float((v2[paired] - v1[paired]).mean())
    assert estimate(verdict, "flip_rate") == pytest.approx(flips, abs=1e-9)
    assert estimate(verdict, "score_bias") == pytest.approx(bias, abs=1e-9)
    effective = verdict.metrics["flip_rate"].n.effective
    counts = np.bincount(paired)
    expected = counts.sum() ** 2 / (counts**2).sum()
    assert effective == pytest.approx(expected, rel=1e-8)


def test_roles_given_the_other_way_round_do_not_pass_whether_named_or_given_as_paths(
    tmp_path: Path,
) -> None:
    lines = [line(k, f"{k}", "0.25") for k in range(20)]
    source = put(tmp_path / "captures", lines, lines)
    for variant in ("v1", "v2-shadow"):
        flat = tmp_path / f"{variant}.jsonl"
        flat.write_bytes(next((source / "endpoint" / variant).rglob("*.jsonl")).read_bytes())
    below, beside = (source / "endpoint").as_posix(), tmp_path.as_posix()
    for number, (of_both, production, shadow) in enumerate(
        (
            (str(source), "v2-shadow", "v1"),
            (None, f"{below}/v2-shadow/", f"{below}/v1"),
            (None, f"{beside}/v2-shadow.jsonl", f"{beside}/v1.jsonl"),
        )
    ):
        for swapped in (True, False) if number < examples(0, whole=3) else (True,):
            roles = (production, shadow) if swapped else (shadow, production)
            asked = analysis.Request(source=of_both, production=roles[0], shadow=roles[1])
            held = analysis.run(asked, silent).verdict.gates["roles"]
            assert held.closed == swapped, held.text
            assert ("The roles may be swapped" in held.text) == swapped


def test_one_payload_every_ten_seconds_pairs_within_a_second(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    times = np.arange(0, 8 * 3600, 10)
    copied = times[rng.random(times.size) < 0.5]
    source = put(
        tmp_path,
        [line(t, "1,2,3", "0.25") for t in times.tolist()],
        [line(t + int(rng.integers(0, 2)), "1,2,3", "0.25") for t in copied.tolist()],
    )
    done = judged(source)
    assert done.verdict.ledger.pairs == copied.size
    assert done.verdict.ledger.unpaired_shadow == 0
    assert done.verdict.gates["distinct_inputs"].closed


def test_one_payload_tens_of_thousands_of_times_holds(tmp_path: Path) -> None:
    copies = examples(15, whole=50)
    base = [line(k // 20, "1,2,3", "0.25") for k in range(2_000)]
    many = [
        text.replace(b'"eventId":"', b'"eventId":"%d-' % k) for k in range(copies) for text in base
    ]
    verdict = judged(put(tmp_path, many, many)).verdict
    assert verdict.ledger.pairs == 2_000 * copies
    assert verdict.decision.value == "HOLD"
    assert verdict.gates["distinct_inputs"].outcome.value == "fail"
    assert any(reason.gate == "distinct_inputs" for reason in verdict.reasons)


def test_a_model_compared_with_itself_shows_exactly_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    lines = [
        line(k, f"{rng.normal():.6f},{k}", f"{rng.random():.9f}\n", f"request {k}")
        for k in range(1_500)
    ]
    done = judged(put(tmp_path, lines, lines))
    assert not [text for text in done.remarks if "capture record" in text]
    verdict = done.verdict
    for metric in ("flip_rate", "score_large_shift_share", "score_bias", "contract_change"):
        assert estimate(verdict, metric) == 0, metric
    assert verdict.gates["roles"].outcome.value == "fail"
    assert "no-change-observed" in verdict.gates["roles"].text


def test_the_same_folder_on_both_sides_is_a_test_that_cannot_promote(tmp_path: Path) -> None:
    source = put(tmp_path, [line(k, f"{k}", "0.2", str(k)) for k in range(50)], [])
    variant = str(source / "endpoint" / "v1")
    request = analysis.Request(production=variant, shadow=variant)
    verdict = analysis.run(request, silent).verdict
    assert verdict.ledger.pairs == 50
    assert verdict.ledger.lines == 100
    assert verdict.gates["roles"].closed


def test_one_variant_alone_is_refused_with_what_was_found(tmp_path: Path) -> None:
    source = put(tmp_path, [line(k, f"{k}", "0.2") for k in range(50)], [])
    with pytest.raises(UsageError, match="one variant only: v1"):
        judged(source)


def test_a_shadow_of_rubbish_is_refused_with_counts_and_the_first_line(tmp_path: Path) -> None:
    good = [line(k, f"{k}", "0.2") for k in range(50)]
    with pytest.raises(InputError) as refused:
        judged(put(tmp_path, good, [b"{", b"[]", b"nonsense", *[b"}"] * 57]))
    said = str(refused.value)
    assert said.startswith(
        "no pairs possible: shadow has no usable capture record: "
        "59 malformed.invalid-json, 1 not_capture.not-an-object, first "
    )
    assert "00-00-000-a.jsonl line 1 (malformed.invalid-json); without captures" in said
    assert said.count(" line ") == 1
    assert "--endpoint NAME --cloudwatch PATH alone judges latency and errors" in said
    assert "production has" not in said


def test_rejected_lines_are_named_to_who_runs_it_the_first_few_of_them(tmp_path: Path) -> None:
    good = [line(k, f"{k}", "0.2", f"{k}") for k in range(20)]
    source = put(tmp_path / "one", good, [*good, b"{"])
    (cut,) = (source / "endpoint" / "v2-shadow").rglob("*.jsonl")
    cut.write_bytes(cut.read_bytes().rstrip(b"\n"))
    place = "endpoint/v2-shadow/2026/11/16/00/00-00-000-a.jsonl line"
    *_, told = judged(source).remarks
    assert told == f"1 line is no capture record: {place} 21 (malformed.truncated)"
    many = put(tmp_path / "many", good, [*good, *[b"[]"] * 5])
    *_, told = judged(many).remarks
    assert told == (
        f"5 lines are no capture records, the first: {place} 21 (not_capture.not-an-object), "
        f"{place} 22 (not_capture.not-an-object), {place} 23 (not_capture.not-an-object)"
    )


def test_both_sides_of_rubbish_are_both_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        judged(put(tmp_path, [b"\xff"] * 60, [b"\xff"] * 70))
    assert str(refused.value) == (
        "no pairs possible: production has no usable capture record: 60 malformed.invalid-utf8, "
        "first endpoint/v1/2026/11/16/00/00-00-000-a.jsonl line 1; shadow has no usable capture "
        "record: 70 malformed.invalid-utf8; without captures, --endpoint NAME --cloudwatch PATH "
        "alone judges latency and errors"
    )


def test_a_side_of_blank_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="shadow has no usable capture record: no line in 1 obj"):
        judged(put(tmp_path, [line(1, "1", "0.2")], [b"", b" "]))


def test_a_side_that_cannot_be_opened_is_an_access_error(tmp_path: Path) -> None:
    source = put(tmp_path, [line(1, "1", "0.2")], [line(1, "1", "0.2")])
    (hidden,) = (source / "endpoint" / "v2-shadow").rglob("*.jsonl")
    hidden.unlink()
    hidden.symlink_to(hidden)  # a link to itself cannot be opened, even by root
    with pytest.raises(AccessError, match=r"1 object failed \(1 unreadable\), first .*a\.jsonl: "):
        judged(source)


def test_a_side_of_damaged_gzip_is_an_input_error(tmp_path: Path) -> None:
    source = put(tmp_path, [line(1, "1", "0.2")], [line(1, "1", "0.2")])
    (damaged,) = (source / "endpoint" / "v2-shadow").rglob("*.jsonl")
    damaged.with_name("a.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00 no gzip")
    damaged.unlink()
    with pytest.raises(
        InputError, match=r"1 object failed \(1 corrupt-gzip\), first .*a\.jsonl\.gz"
    ):
        judged(source)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2030-01-01", None),
        (None, "2020-01-01"),
        pytest.param("2030-01-01", "2030-01-02", marks=pytest.mark.long),
    ],
)
def test_a_window_beyond_all_captures_is_refused_with_their_extent(
    tmp_path: Path, since: str | None, until: str | None
) -> None:
    flat = tmp_path / "flat.jsonl"
    flat.write_bytes(b"\n".join(line(60 * k, f"{k}", "0.2", str(k)) for k in range(120)))
    request = analysis.Request(production=str(flat), shadow=str(flat), since=since, until=until)
    extent = "captures run from 2026-11-16T00:00:00Z to 2026-11-16T01:59:00Z"
    with pytest.raises(InputError, match=extent):
        analysis.run(request, silent)


def test_captures_without_a_common_minute_are_refused_with_both_extents(tmp_path: Path) -> None:
    early = [line(60 * k, f"{k}", "0.2", str(k)) for k in range(10)]
    late = [line(60 * k, f"{k}", "0.2", str(k)) for k in range(20, 30)]
    with pytest.raises(InputError) as refused:
        judged(put(tmp_path, early, late))
    assert str(refused.value) == (
        "nothing to judge: production and shadow have no time in common; captures run from "
        "2026-11-16T00:00:00Z to 2026-11-16T00:09:00Z (production), captures run from "
        "2026-11-16T00:20:00Z to 2026-11-16T00:29:00Z (shadow); give captures of the same time"
    )


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2030-01-01", None),
        pytest.param("2030-01-01", "2030-01-02", marks=pytest.mark.long),
        (None, "2020-01-01"),
    ],
)
def test_a_window_beyond_all_metric_points_is_refused_with_their_extent(
    tmp_path: Path, since: str | None, until: str | None
) -> None:
    export = tmp_path / "rows.jsonl"
    export.write_text("".join(exported(PROMOTE / "cloudwatch")[::50]), encoding="utf-8")
    request = analysis.Request(
        endpoint="churn-endpoint",
        cloudwatch=(str(export),),
        since=since,
        until=until,
    )
    with pytest.raises(InputError, match=r"metric points run from 2026-\d\d"):
        analysis.run(request, silent)


def test_the_window_flags_count_what_lies_outside(tmp_path: Path) -> None:
    lines = [line(60 * k, f"{k}", "0.2", str(k)) for k in range(120)]
    request = analysis.Request(
        source=str(put(tmp_path, lines, lines)),
        since="2026-11-16T00:30:00Z",
        until="2026-11-16T03:00:00+02:00",
    )
    verdict = analysis.run(request, silent).verdict
    assert verdict.ledger.pairs == 30
    assert verdict.ledger.out_of_window == 2 * 90
    assert verdict.window is not None
    assert (verdict.window.start, verdict.window.end) == (
        "2026-11-16T00:30:00Z",
        "2026-11-16T01:00:00Z",
    )


@pytest.mark.parametrize(
    ("since", "until"),
    [("2026-11-17", "2026-11-16"), ("tomorrow", None), (None, "2026-13-01")],
)
def test_a_window_that_cannot_be_meant_is_refused(
    tmp_path: Path, since: str | None, until: str | None
) -> None:
    with pytest.raises(UsageError):
        analysis.run(analysis.Request(source=str(tmp_path), since=since, until=until), silent)


GONE = {
    "latency": '"ModelLatency"',
    "5xx": '"Invocation5XXErrors"',
    "p99": '"p99"',
    "shadow": '"churn-v2-shadow"',
    "everything": '"metric_name"',
}
"""What is missing -> what only the missing rows contain."""


@pytest.fixture(scope="module")
def parsed_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for tests that ask different things about the same captures."""
    return tmp_path_factory.mktemp("parsed")


@pytest.mark.parametrize(
    "missing",
    [pytest.param(one, marks=[pytest.mark.long] if one == "p99" else []) for one in GONE],
)
def test_a_promotion_never_survives_a_missing_export(
    tmp_path: Path, parsed_before: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """The scenario that promotes, with a part of its export gone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(parsed_before))
    rows = [row for row in exported(PROMOTE / "cloudwatch") if GONE[missing] not in row]
    export = tmp_path / "rows.jsonl"
    export.write_text("".join(rows), encoding="utf-8")
    request = analysis.Request(
        source=str(PROMOTE / "captures"),
        cloudwatch=(str(export),) if rows else (),
        policy_file=PROMOTE / "policy.toml",
    )
    verdict = analysis.run(request, silent).verdict
    assert verdict.decision.value == "HOLD"
    assert verdict.reasons


def test_swapping_the_variants_negates_every_effect() -> None:
    """The slow tail's verdict turns round; a harm beyond the margin never passes both ways."""
    text = (SLOW_TAIL / "expected_verdict.json").read_text(encoding="utf-8")
    forwards = Verdict.model_validate_json(text)  # what test_golden.py gets
    request = analysis.Request(
        source=str(SLOW_TAIL / "captures"),
        production="churn-v2-shadow",
        shadow="churn-v1",
        cloudwatch=(str(SLOW_TAIL / "cloudwatch"),),
    )
    backwards = analysis.run(request, silent).verdict
    assert forwards.decision.value == "REJECT"
    assert backwards.decision.value != "REJECT"
    for metric in ("error_5xx_rate", "score_bias"):
        assert estimate(backwards, metric) == pytest.approx(-estimate(forwards, metric), abs=2e-5)
    assert estimate(backwards, "flip_rate") == estimate(forwards, "flip_rate")
    # Weights are production's request counts, so a ratio turns round up to its own weighting.
    ratio = estimate(backwards, "latency_mean") * estimate(forwards, "latency_mean")
    assert ratio == pytest.approx(1, abs=0.01)


ANY_BYTES = st.binary(max_size=400)
WHOLE_RUNS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(WHOLE_RUNS, max_examples=examples(2, whole=10))
@given(ANY_BYTES, ANY_BYTES)
def test_any_bytes_end_in_a_balanced_verdict(
    tmp_path_factory: pytest.TempPathFactory, production: bytes, shadow: bytes
) -> None:
    assert_balanced(tmp_path_factory, production, shadow)


@pytest.mark.long
@settings(WHOLE_RUNS, max_examples=300)
@given(ANY_BYTES, ANY_BYTES)
def test_more_of_any_bytes_end_in_a_balanced_verdict(
    tmp_path_factory: pytest.TempPathFactory, production: bytes, shadow: bytes
) -> None:
    assert_balanced(tmp_path_factory, production, shadow)


def assert_balanced(
    tmp_path_factory: pytest.TempPathFactory, production: bytes, shadow: bytes
) -> None:
    known = line(1, "1", "0.5", "a")
    folder = tmp_path_factory.mktemp("bytes")
    verdict = judged(put(folder, [known, production], [known, shadow])).verdict
    assert verdict.ledger.pairs >= 1
    assert verdict.ledger.accounted == verdict.ledger.lines
    assert verdict.decision.value == "HOLD"


def estimate(verdict: Verdict, metric: str) -> float:
    effect = verdict.metrics[metric].effect
    assert effect is not None, metric
    assert effect.estimate is not None, metric
    return effect.estimate


@cache
def exported(folder: Path) -> list[str]:
    """The scenario's points: metric rows, a line each."""
    rows = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows += lines.readlines()
    return rows


def test_the_description_of_another_endpoint_is_refused(tmp_path: Path) -> None:
    text = (SLOW_TAIL / "cloudwatch" / "endpoint.json").read_text(encoding="utf-8")
    other = tmp_path / "endpoint.json"
    other.write_text(text.replace("churn-endpoint", "fraud"), encoding="utf-8")
    request = analysis.Request(
        source=str(SLOW_TAIL / "captures"),
        endpoint_file=other,
    )
    with pytest.raises(InputError, match="of the endpoint fraud, not of churn-endpoint"):
        analysis.run(request, silent)
