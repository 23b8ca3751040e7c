"""A captured record becomes the request that made it, or a counted reject."""

from __future__ import annotations

import json

import pytest

from analyzer.replay.requests import Request, Unsendable, read_request
from tests.replay.replays import line


def test_a_payload_captured_as_base64_is_sent_as_its_bytes() -> None:
    request = read_request(line(1, data=b"\x93NUMPY\x00", encoding="BASE64").encode())
    assert request.body == b"\x93NUMPY\x00"


def test_accept_is_the_type_production_answered_with_without_its_charset() -> None:
    assert read_request(line(1).encode()).accept == "text/csv"
    assert read_request(line(1, output_type=None).encode()).accept is None


def test_a_missing_content_type_is_that_of_the_encoding() -> None:
    for encoding, kind in (
        ("CSV", "text/csv"),
        ("JSON", "application/json"),
        ("BASE64", "application/octet-stream"),
    ):
        request = read_request(line(1, content_type=None, encoding=encoding).encode())
        assert request.content_type == kind


def test_a_request_read_back_from_disk_is_the_same() -> None:
    text = line(1, data="π,\n2", meta={"customAttributes": ["a=1"]})
    request = read_request(text.encode())
    assert Request.from_json(request.to_json().encode()) == request


def test_an_event_without_an_id_gets_one_of_its_content() -> None:
    one, other = (line(number, meta={"eventId": None}).encode() for number in (1, 2))
    assert read_request(one).event_id == read_request(one).event_id
    assert read_request(one).event_id != read_request(other).event_id


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not-json"),
        ("[1]", "not-capture"),
        ("{}", "not-capture"),
        ('{"captureData": {}}', "no-input"),
        (line(1, meta={"inferenceTime": "yesterday"}), "no-time"),
        (line(1, meta={"inferenceTime": "2026-13-01T00:00:00Z"}), "no-time"),
        (line(1).replace('"encoding": "CSV"', '"encoding": "BASE64"'), "bad-payload"),
        (line(1, meta={"inferenceId": "a\r\nX-Evil: 1"}), "bad-header"),
        (line(1, meta={"inferenceId": "x" * 65}), "bad-header"),
        (line(1, content_type="text/csv\r\nHost: evil"), "bad-header"),
        (line(1, output_type="text/csv\nX: y"), "bad-header"),
        (line(1, meta={"customAttributes": ["é"]}), "bad-header"),
        (line(1, meta={"customAttributes": ["x" * 1025]}), "bad-header"),
        (line(1, meta={"customAttributes": [{"a": 1}]}), "bad-header"),
        (line(1, data="\ud800"), "not-json"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_as_it_is_is_rejected_under_a_code(text: str, code: str) -> None:
    with pytest.raises(Unsendable) as raised:
        read_request(text.encode())
    assert raised.value.code == code


def test_half_a_character_is_found_however_it_is_escaped() -> None:
    for escape in (r"\ud800", r"\uD83D"):
        with pytest.raises(Unsendable):
            read_request(line(1).replace("1,1,2.5", escape).encode())
    whole = json.dumps("😀")
    assert read_request(line(1).replace('"1,1,2.5"', whole).encode()).body == "😀".encode()
