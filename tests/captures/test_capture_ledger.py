"""What becomes of every line: reject codes, times, windows, digests and the report's tables."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from operator import itemgetter

import pytest

from analyzer.captures import Captures
from analyzer.engine import Engine
from analyzer.errors import AnalyzerError
from analyzer.sources.objects import Chunk, Oversize
from tests.captures.capture_builders import RULES, START, line, read, side, sides

OUTPUT = {"endpointOutput": side("1")}
TIME = {"inferenceTime": "2026-03-01T00:00:00Z"}


def record(**parts: object) -> bytes:
    return json.dumps(parts).encode()


REJECTS: list[tuple[bytes, str]] = [
    (b"{", "malformed.invalid-json"),
    (b'{"a": 1}{"b": 2}', "malformed.invalid-json"),
    (b"[" * 100_000 + b"]" * 100_000, "not_capture.not-an-object"),
    (b'{"a": "\xff"}', "malformed.invalid-utf8"),
    (b'{"a": "\xed\xa0\x80"}', "malformed.invalid-utf8"),
    (b'{"a": "\x00"}', "malformed.invalid-utf8"),
    (b'{"captureData": {"endpointInput": {"data": "\\ud800"}}}', "malformed.invalid-json"),
    (b"[1]", "not_capture.not-an-object"),
    (b"null", "not_capture.not-an-object"),
    (b"7", "not_capture.not-an-object"),
    (record(captureData=None), "not_capture.no-capture-data"),
    (record(other=1), "not_capture.no-capture-data"),
    (record(captureData={}, eventMetadata=TIME), "not_capture.no-payload"),
    (record(captureData=5, eventMetadata=TIME), "not_capture.no-payload"),
    (record(captureData=OUTPUT), "not_capture.no-time"),
    (record(captureData=OUTPUT, eventMetadata="x"), "not_capture.no-time"),
    (record(captureData=OUTPUT, eventMetadata={"inferenceTime": 5}), "not_capture.no-time"),
]


def reject(number: int, text: bytes, code: str) -> dict[str, object]:
    """A row of the report's table."""
    return {
        "code": code,
        "role": "production",
        "object_key": "object-0000",
        "line_number": number,
        "line_sha256": hashlib.sha256(text).hexdigest(),
        "line_bytes": len(text),
    }


def test_every_line_that_is_no_capture_record_has_one_code() -> None:
    reading = read(sides([line(0), *(text for text, _ in REJECTS), line(1)], []))
    expected = [reject(number, *one) for number, one in enumerate(REJECTS, 2)]
    found = sorted(reading.facts.tables["rejects"].to_pylist(), key=itemgetter("line_number"))
    assert found == expected
    codes = Counter(code for _, code in REJECTS)
    assert reading.facts.ledger.rejects_by_code == dict(codes)
    assert reading.facts.ledger.unpaired_production == 2


@pytest.mark.long
@pytest.mark.parametrize(("text", "code"), REJECTS)
def test_a_line_that_is_no_capture_record_has_one_code_alone(text: bytes, code: str) -> None:
    reading = read(sides([line(0), text, line(1)], []))
    assert reading.facts.ledger.rejects_by_code == {code: 1}
    assert reading.facts.ledger.unpaired_production == 2
    assert reading.facts.tables["rejects"].to_pylist() == [reject(2, text, code)]


def test_a_broken_last_line_without_a_newline_is_truncated_and_a_whole_one_is_read() -> None:
    whole, broken = line(0), line(1)[:-9]
    chunks = [Chunk(0, "production", 1, whole + b"\n" + broken), Chunk(1, "shadow", 1, whole)]
    ledger = read(chunks).facts.ledger
    assert ledger.rejects_by_code == {"malformed.truncated": 1}
    assert ledger.pairs == 1


@pytest.mark.parametrize(
    "encoding",
    ["utf-16", *(pytest.param(f"utf-16-{end}e", marks=pytest.mark.long) for end in "lb")],
)
def test_every_line_of_a_utf16_file_is_counted_and_rejected(encoding: str) -> None:
    text = "\r\n".join([line(0).decode(), line(1).decode(), ""])
    ledger = read([Chunk(0, "production", 1, text.encode(encoding))]).facts.ledger
    assert ledger.lines == ledger.malformed == ledger.rejects_by_code["malformed.invalid-utf8"]


def test_a_line_too_long_is_the_same_reject_whether_it_was_held_or_passed_by() -> None:
    long = line(0, output="9" * 5_000)
    facts = Oversize(len(long), hashlib.sha256(long).hexdigest())
    held = read([Chunk(0, "production", 1, long + b"\r\n" + line(1))], max_line_bytes=4_000)
    passed = read(
        [Chunk(0, "production", 1, oversize=facts), Chunk(0, "production", 2, line(1))],
        max_line_bytes=4_000,
    )
    assert held.facts.ledger == passed.facts.ledger
    assert held.facts.ledger.rejects_by_code == {"malformed.oversize": 1}
    assert held.facts.tables["rejects"] == passed.facts.tables["rejects"]
    assert held.digest == passed.digest


@pytest.mark.parametrize(("spare", "rejects"), [(0, 0), (-1, 1)])
def test_a_line_of_exactly_the_limit_is_read(spare: int, rejects: int) -> None:
    text = line(0, output="9" * 5_000)
    chunk = Chunk(0, "production", 1, text + b"\r\n")
    assert read([chunk], max_line_bytes=len(text) + spare).facts.ledger.malformed == rejects


TIMES: list[tuple[str, float | None]] = [
    ("2026-03-01T00:00:07Z", 7),
    ("2026-03-01T02:00:07+02:00", 7),
    ("2026-02-28T18:30:07-0530", 7),
    ("2026-03-01T00:00:07.999Z", 7.999),
    ("2026-03-01T00:00:07.123456789Z", 7.123456),
    ("2026-03-01 00:00:07", 7),
    ("2026-03-01", None),
    ("infinity", None),
    ("epoch", None),
    ("2026-02-30T00:00:07Z", None),
    ("2026-03-01T00:00:07 Europe/Berlin", None),
    ("2026-03-01T00:00:07+99:00", None),
    ("", None),
]


def test_times_are_read_as_utc_or_not_at_all() -> None:
    production = [
        line(0, inference_id=f"{n}", inferenceTime=text) for n, (text, _) in enumerate(TIMES)
    ]
    shadow = [line(0, inference_id=f"{n}") for n in range(len(TIMES))]
    reading = read(sides(production, shadow))
    naive = START.replace(tzinfo=None)
    found = {
        pair["inference_id"]: (pair["captured_at"].replace(tzinfo=None) - naive).total_seconds()
        for pair in reading.pairs
    }
    assert found == {f"{n}": second for n, (_, second) in enumerate(TIMES) if second is not None}
    unread = sum(second is None for _, second in TIMES)
    assert reading.facts.ledger.rejects_by_code == {"not_capture.no-time": unread}


@pytest.mark.long
@pytest.mark.parametrize(("text", "second"), TIMES)
def test_a_time_is_read_as_utc_or_not_at_all(text: str, second: float | None) -> None:
    facts = read(sides([line(0, inferenceTime=text)], [line(0)])).facts
    if second is None:
        assert facts.ledger.rejects_by_code == {"not_capture.no-time": 1}
        assert facts.first_at is None
    else:
        assert facts.first_at is not None
        assert facts.first_at[0] == START + timedelta(seconds=second)


def test_times_without_a_zone_are_noted() -> None:
    chunks = sides([line(0, inferenceTime="2026-03-01T00:00:07"), line(0)], [])
    assert read(chunks).notes == ["inferenceTime without a time zone in 1 record; taken as UTC"]
    assert read(sides([line(0)], [])).notes == []


def test_data_that_are_no_string_keep_their_json_text() -> None:
    reading = read(sides([line(0, output={"a": [1, 2]})], [line(0, output=0.5)]))
    assert reading.outputs == [("payload", '{"a":[1,2]}', "0.5")]


def test_duplicate_keys_do_not_stop_a_run() -> None:
    text = line(0).replace(b'"eventVersion"', b'"eventMetadata": {}, "eventVersion"')
    ledger = read(sides([text], [])).facts.ledger
    assert ledger.accounted == 1


def test_empty_ids_are_no_ids() -> None:
    reading = read(
        sides(
            [line(0, inference_id="", event_id="", output="p")],
            [line(0, inference_id="", event_id="", output="s")],
        )
    )
    assert reading.outputs == [("payload", "p", "s")]
    assert reading.pairs[0]["inference_id"] is None


def test_a_pair_belongs_to_the_window_by_productions_time() -> None:
    production = [line(t, inference_id=f"{t}") for t in (3_599, 3_600, 7_199, 7_200)]
    shadow = [line(t + 1, inference_id=f"{t}") for t in (3_599, 3_600, 7_199, 7_200)]
    window = (START + timedelta(hours=1), START + timedelta(hours=2))
    reading = read(
        sides([*production, line(10)], [*shadow, line(3_700, payload="x")]), window=window
    )
    assert [pair["inference_id"] for pair in reading.pairs] == ["3600", "7199"]
    ledger = reading.facts.ledger
    assert (ledger.out_of_window, ledger.unpaired_shadow, ledger.pairs) == (5, 1, 2)
    assert (reading.facts.production_records, reading.facts.shadow_records) == (2, 3)
    assert reading.facts.pairing.rate == pytest.approx(2 / 3)


def test_the_window_may_be_set_again() -> None:
    with Engine(threads=1) as engine:
        captures = Captures(engine, sides([line(0), line(3_600)], [line(0), line(3_600)]))
        captures.pair(RULES)
        captures.set_window(START + timedelta(hours=1), None)
        assert captures.facts({}, same_objects=False).ledger.pairs == 1
        captures.set_window(None, None)
        assert captures.facts({}, same_objects=False).ledger.pairs == 2


def test_a_window_in_another_time_zone_is_the_same_window() -> None:
    start = datetime.fromisoformat("2026-03-01T03:00:00+02:00")
    chunks = sides([line(0), line(3_600)], [line(0), line(3_600)])
    assert len(read(chunks, window=(start, None)).pairs) == 1


def test_the_extent_of_each_variant_is_known_before_any_window() -> None:
    with Engine(threads=1) as engine:
        captures = Captures(engine, sides([line(5), line(1)], []))
        assert captures.extent() == {
            "production": (START + timedelta(seconds=1), START + timedelta(seconds=5))
        }


def test_hours_hold_records_and_pairs_of_the_window() -> None:
    reading = read(sides([line(0), line(3_600), line(3_700, payload="x")], [line(3_601)]))
    hours = reading.facts.tables["capture_hours"].to_pylist()
    naive = START.astimezone(UTC).replace(tzinfo=None)
    assert [tuple(row.values()) for row in hours] == [
        (naive, "production", 1, 0),
        (naive + timedelta(hours=1), "production", 2, 1),
        (naive + timedelta(hours=1), "shadow", 1, 1),
    ]


def test_the_ledgers_table_adds_up_to_the_lines() -> None:
    reading = read(sides([line(0), b"", b"{"], [line(0), b"[]"]))
    steps = reading.facts.tables["ledger"].to_pylist()
    assert sum(row["lines"] for row in steps) == reading.facts.ledger.lines == 5


def test_a_line_lost_on_the_way_stops_the_run() -> None:
    with Engine(threads=1) as engine:
        captures = Captures(engine, sides([line(0)], [line(0)]))
        captures.lines += 1
        captures.pair(RULES)
        captures.set_window(None, None)
        with pytest.raises(AnalyzerError, match="3 lines were read and 2") as caught:
            captures.facts({}, same_objects=False)
    assert caught.value.code == "ledger-unbalanced"


def digest_of(production: list[bytes], shadow: list[bytes]) -> tuple[str, int]:
    with Engine(threads=1) as engine:
        return Captures(engine, sides(production, shadow)).digest()


def test_the_digest_depends_on_content_and_role_only() -> None:
    one = digest_of([line(0), line(1)], [b"{"])
    assert digest_of([line(1), b"", line(0)], [b"{ "]) == one
    assert digest_of([line(0), line(2)], [b"{"]) != one
    assert digest_of([line(0), line(1), line(1)], [b"{"]) != one
    assert digest_of([line(0)], [line(1), b"{"]) != one
    assert one[1] == len(line(0)) + len(line(1)) + 1


def test_no_more_than_ten_thousand_rejects_are_listed_and_all_are_counted() -> None:
    reading = read(sides([b"{"] * 10_500, []))
    assert reading.facts.ledger.malformed == 10_500
    assert reading.facts.tables["rejects"]["line_number"].to_pylist() == list(range(1, 10_001))


def test_no_captures_at_all_are_facts_too() -> None:
    facts = read([]).facts
    assert (facts.ledger.lines, facts.pairing.rate, facts.first_at) == (0, None, None)


def test_outputs_that_are_byte_for_byte_the_same_are_counted() -> None:
    reading = read(
        sides(
            [line(0, inference_id="a", output="1"), line(0, inference_id="b", output="1")],
            [line(0, inference_id="a", output="1"), line(0, inference_id="b", output="1\n")],
        )
    )
    assert reading.facts.tables["pairing_facts"]["identical_outputs"].to_pylist() == [1]
