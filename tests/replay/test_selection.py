"""Which requests are sent: once each, in proportion, and by nothing but their content."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.selection import INDEX, Wanted, select

if TYPE_CHECKING:
    from collections.abc import Sequence


def digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def index(payloads: Sequence[str], events: Sequence[int] | None = None) -> pl.DataFrame:
    named = range(len(payloads)) if events is None else events
    rows = [
        (number, 1, 1_000_000 * (number // 3), digest(f"e{event}"), digest(f"{event} {payload}"),
         digest(payload), "text/csv", len(payload))
        for number, (payload, event) in enumerate(zip(payloads, named, strict=True))
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=INDEX, orient="row")


def events(frame: pl.DataFrame) -> list[bytes]:
    return frame["event"].to_list()


def test_an_event_captured_twice_is_one_request() -> None:
    chosen = select(index(["a", "b", "a"], [1, 2, 1]), Wanted())
    assert len(chosen.index) == 2
    assert chosen.left_out == {"duplicate": 1}


def test_equal_requests_are_sent_once_only_when_asked() -> None:
    rows = index(["a", "b", "a", "a"])
    assert len(select(rows, Wanted()).index) == 4
    deduped = select(rows, Wanted(dedupe=True))
    assert len(deduped.index) == 2
    assert deduped.left_out == {"duplicate": 0, "repeated-payload": 2}


@given(
    st.lists(st.sampled_from(["a", "bb", "cc", "dddddd"]), min_size=1, max_size=60),
    st.integers(1, 60),
)
def test_every_payload_has_its_share_of_a_sample_to_within_one(
    payloads: list[str], sample: int
) -> None:
    chosen = select(index(payloads), Wanted(sample=sample)).index
    assert len(chosen) == min(sample, len(payloads))
    drawn = Counter(chosen["payload"].to_list())
    for payload, count in Counter(payloads).items():
        assert abs(drawn[digest(payload)] - count * len(chosen) / len(payloads)) <= 1


@given(st.permutations(range(20)))
def test_the_order_of_files_changes_nothing(order: list[int]) -> None:
    rows = index([str(number % 7) for number in range(20)])
    for wanted in (Wanted(), Wanted(sample=9), Wanted(dedupe=True)):
        assert events(select(rows[order], wanted).index) == events(select(rows, wanted).index)
