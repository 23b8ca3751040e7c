"""Captures against an independent oracle, and what may not change them.

The long suite has 10,000 buckets in twenty parts, each of which may run alone:
`python -m pytest tests/captures/test_capture_oracle.py -m long --long`; add `-k "[500]"` for one.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.captures import pairing
from analyzer.sources.objects import Chunk
from tests.captures.capture_builders import PAYLOAD_ONLY, Reading, chunk, line, read
from tests.captures.capture_oracle import account
from tests.examples import examples

Objects = list[tuple[str, list[bytes]]]

LEDGER = (
    "blank",
    "malformed",
    "not_capture",
    "duplicate",
    "unpaired_production",
    "unpaired_shadow",
    "pairs",
)
ODD_LINES = [
    b"",
    b"  \t",
    b"{",
    b"[1]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b'{"captureData": null}',
    b'{"captureData": {}}',
    b'{"captureData": {"endpointInput": {"data": "1"}}}',
    b'{"a": 1} {"b": 2}',
    b'{"captureData": {"endpointInput": {"data": "\\ud800"}}}',
]


def bucket(seed: int) -> Objects:
    """A few objects a side: shared and repeated ids, repeated payloads, odd lines, copies."""
    rng = random.Random(seed)
    names = [None, *(f"id {n}" for n in range(rng.choice([1, 3, 12])))]
    shared_events = rng.random() < 0.5
    objects: Objects = []
    serial = 0
    for role in ("production", "shadow"):
        for _ in range(rng.randint(0, 3)):
            lines: list[bytes] = []
            for _ in range(rng.randint(0, 12)):
                serial += 1
                event = f"e{rng.randint(0, 15)}" if shared_events else f"{role}-{serial}"
                text = line(
                    rng.choice([0, 1, 2, 3, 30, 61, 3599, 3600]) + rng.choice([0, 0, 0.9]),
                    output=f"{role} {serial}",
                    payload=rng.choice(["1,2", "3,4", None]),
                    inference_id=rng.choice(names),
                    event_id=rng.choice([None, event]),
                )
                lines += [text] * rng.choice([1, 1, 1, 2])
                if rng.random() < 0.2:
                    lines.append(rng.choice(ODD_LINES))
            objects.append((role, lines))
    return objects


def chunks_of(objects: Objects) -> list[Chunk]:
    return [
        chunk(number, "shadow" if role == "shadow" else "production", lines)
        for number, (role, lines) in enumerate(objects)
    ]


def counts(reading: Reading) -> dict[str, int]:
    ledger = reading.facts.ledger.model_dump()
    return {key: ledger[key] for key in LEDGER if ledger[key]}


def content(reading: Reading) -> tuple[object, ...]:
    """All that a verdict could be made of; not where a line stood."""
    tables = {
        name: table.to_pylist() for name, table in reading.facts.tables.items() if name != "rejects"
    }
    return (replace(reading.facts, tables={}), tables, reading.pairs, reading.digest)


@cache
def content_of(seed: int) -> tuple[object, ...]:
    """That of a bucket as it is, read once."""
    return content(read(chunks_of(bucket(seed))))


def check(seed: int) -> None:
    objects = bucket(seed)
    ledger, pairs = account(objects)
    reading = read(chunks_of(objects))
    assert counts(reading) == dict(ledger)
    assert reading.outputs == pairs


@pytest.mark.parametrize("seed", range(examples(6, whole=30)))
def test_every_ledger_and_every_pair_agree_with_the_oracle(seed: int) -> None:
    check(seed)


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, 10_000, 500))
def test_five_hundred_buckets_from_a_seed_on_agree_with_the_oracle(first: int) -> None:
    for seed in range(first, first + 500):
        check(seed)


@pytest.mark.parametrize("seed", range(examples(1, whole=2)))
def test_shuffling_files_and_lines_changes_nothing(seed: int) -> None:
    objects = bucket(seed)
    rng = random.Random(seed)
    shuffled: Objects = [(role, rng.sample(lines, len(lines))) for role, lines in objects]
    rng.shuffle(shuffled)
    assert content(read(chunks_of(shuffled))) == content_of(seed)


@pytest.mark.parametrize("seed", range(examples(1, whole=2)))
def test_one_file_per_line_changes_nothing(seed: int) -> None:
    objects = bucket(seed)
    split: Objects = [(role, [text]) for role, lines in objects for text in lines]
    assert content(read(chunks_of(split))) == content_of(seed)


@pytest.mark.parametrize("seed", range(examples(1, whole=2)))
def test_threads_and_batch_size_change_nothing(seed: int) -> None:
    chunks = chunks_of(bucket(seed))
    assert content(read(chunks, threads=1, batch_bytes=1)) == content_of(seed)
    if examples(0, whole=1):
        assert content(read(chunks, threads=4)) == content_of(seed)


def test_pairing_in_slices_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = chunks_of(bucket(4))
    whole = content(read(chunks, PAYLOAD_ONLY))
    monkeypatch.setattr(pairing, "_SLICE_RECORDS", 3)
    assert content(read(chunks, PAYLOAD_ONLY)) == whole


@pytest.mark.parametrize("seed", range(examples(1, whole=2)))
def test_byte_order_marks_and_crlf_change_nothing(seed: int) -> None:
    chunks = chunks_of(bucket(seed))
    windows = [
        replace(part, data=b"\xef\xbb\xbf" + part.data.replace(b"\n", b"\r\n")) for part in chunks
    ]
    assert content(read(windows)) == content_of(seed)


@pytest.mark.parametrize("seed", range(examples(1, whole=2)))
def test_reading_a_file_twice_changes_only_the_duplicates(seed: int) -> None:
    objects = bucket(seed)
    readable: Objects = [
        (role, [text for text in lines if text not in ODD_LINES]) for role, lines in objects
    ]
    once, twice = read(chunks_of(readable)), read(chunks_of(readable + readable))
    assert twice.pairs == once.pairs
    usable = sum(len(lines) for _, lines in readable)
    assert twice.facts.ledger.duplicate == once.facts.ledger.duplicate + usable
    assert twice.facts.tables["capture_hours"] == once.facts.tables["capture_hours"]


@settings(
    max_examples=examples(4, whole=15),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.sampled_from(["production", "shadow"]), st.binary()), max_size=4))
def test_any_bytes_give_a_balanced_ledger(files: list[tuple[str, bytes]]) -> None:
    chunks = [
        Chunk(number, "shadow" if role == "shadow" else "production", 1, data)
        for number, (role, data) in enumerate(files)
    ]
    reading = read(chunks)
    texts = [data.removeprefix(b"\xef\xbb\xbf") for _, data in files]
    lines = sum(text.count(b"\n") + (text != b"" and text[-1:] != b"\n") for text in texts)
    assert reading.facts.ledger.accounted == reading.facts.ledger.lines == lines
    assert reading.facts.tables["rejects"].num_rows == lines - reading.facts.ledger.blank


@settings(
    max_examples=examples(4, whole=15),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.integers(0, 10_000), st.data())
def test_a_file_cut_or_damaged_anywhere_still_balances(seed: int, data: st.DataObject) -> None:
    chunks = chunks_of([(role, lines) for role, lines in bucket(seed) if lines])
    damaged = []
    for part in chunks:
        at = data.draw(st.integers(0, len(part.data)))
        byte = data.draw(st.binary(max_size=2))
        kept = part.data[:at] + byte + part.data[at + 1 :]
        damaged.append(replace(part, data=kept[: data.draw(st.integers(0, len(kept)))]))
    ledger = read(damaged).facts.ledger
    assert ledger.accounted == ledger.lines
