"""Whatever becomes of a line, it is counted once, under the code that an independent reading gives.

The long suites say how many they checked, a million lines in fourteen parts, each of which may run
alone: `python -m pytest tests/faults/test_mutated_lines.py -m long --long`; add `-k "[1008]"` for
one.
"""

from __future__ import annotations

import gzip
import json
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer import analysis
from analyzer.captures import Captures
from analyzer.console.progress import silent
from analyzer.engine import Engine
from analyzer.sources import discover, open_chunks
from analyzer.sources.objects import Chunk
from tests.captures.capture_builders import line, sides
from tests.captures.capture_builders import read as read_sides
from tests.examples import examples
from tests.faults.line_mutations import TIMES, lines, whole
from tests.faults.line_oracle import OPEN, REPEATED_KEY, account

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Say
    from tests.faults.line_oracle import Account, Said

MAX_LINE_BYTES = 2_048
LINES_PER_FILE = 4_500  # the two together: no more rejects than are listed
ROLES = ("production", "shadow")


def body_of(rng: random.Random, least: int) -> bytes:
    """A file of that many lines or more, perhaps with a byte order mark, the last perhaps cut."""
    body = rng.choice([b"", b"", b"\xef\xbb\xbf"])
    while body.count(b"\n") < least - 1:
        missing = least - 1 - body.count(b"\n")
        end = rng.choice([b"\n", b"\n", b"\r\n"])
        body += b"".join(text + end for text in islice(lines(rng), missing))
    return body + rng.choice([b"", whole(rng), whole(rng)[:-9], b" "])


@dataclass(frozen=True)
class Read:
    """What the product says of two files."""

    lines: int
    blank: int
    rejects: dict[tuple[str, int], tuple[str, str, int]]
    records: dict[str, Counter[Said]]


def read(folder: Path, bodies: tuple[bytes, bytes]) -> Read:
    paths = []
    for role, body in zip(ROLES, bodies, strict=True):
        path = folder / f"{role}.jsonl"
        path.write_bytes(gzip.compress(body, 1) if len(body) % 2 else body)
        paths.append(str(path))
    listing = discover(None, production=paths[0], shadow=paths[1])
    with Engine(threads=2) as engine:
        captures = Captures(
            engine,
            open_chunks(listing, max_line_bytes=MAX_LINE_BYTES),
            max_line_bytes=MAX_LINE_BYTES,
        )
        connection = engine._connection  # noqa: SLF001 - no query of the product lists records
        columns = "role, line_number, code, line_sha256, line_bytes"
        rejects = connection.view("rejects").project(columns).fetchall()
        columns = "role, captured_at, coalesce(inference_text, inference_key::varchar), output_data"
        records = connection.view("records").project(columns).fetchall()
    found: dict[str, Counter[Said]] = {role: Counter() for role in ROLES}
    for role, at, *said in records:
        found[role][at.replace(tzinfo=UTC), *said] += 1
    return Read(
        captures.lines,
        captures.blank,
        {(role, number): (code, sha256, size) for role, number, code, sha256, size in rejects},
        found,
    )


def check(folder: Path, bodies: tuple[bytes, bytes]) -> int:
    """Compare with the oracle; the number of lines."""
    expected = [account(body, MAX_LINE_BYTES) for body in bodies]
    found = read(folder, bodies)
    for role, side in zip(ROLES, expected, strict=True):
        settle(side, {n: reject for (at, n), reject in found.rejects.items() if at == role})
    rejects = {
        (role, number): said
        for role, side in zip(ROLES, expected, strict=True)
        for number, said in side.rejects.items()
    }
    wrong = {
        place: (rejects.get(place), found.rejects.get(place), line_at(bodies, place)[:300])
        for place in rejects.keys() | found.rejects.keys()
        if rejects.get(place) != found.rejects.get(place)
    }
    assert not wrong, list(wrong.items())[:3]
    assert found.lines == sum(side.lines for side in expected)
    assert found.blank == sum(side.blank for side in expected)
    for role, side in zip(ROLES, expected, strict=True):
        compare(found.records[role], side.records)
    records = sum(counts.total() for counts in found.records.values())
    assert records + len(found.rejects) + found.blank == found.lines
    return found.lines


def settle(expected: Account, rejects: dict[int, tuple[str, str, int]]) -> None:
    """A record that repeats a key is a reject or counts, never both."""
    for number, (said, reject) in expected.two_meanings.items():
        if rejects.get(number) == reject:
            expected.rejects[number] = reject
        else:
            expected.records[said] += 1


def compare(found: Counter[Said], expected: Counter[Said]) -> None:
    """The same records, where the oracle leaves a value open at least at the same times."""
    exact = Counter({said: n for said, n in expected.items() if OPEN not in said})
    assert not exact - found
    left_open = Counter(at for at, *said in expected.elements() if OPEN in said)
    assert Counter(at for at, *_ in (found - exact).elements()) == left_open


def line_at(bodies: tuple[bytes, bytes], place: tuple[str, int]) -> bytes:
    role, number = place
    return bodies[ROLES.index(role)].split(b"\n")[number - 1]


def check_seed(folder: Path, seed: int) -> int:
    rng = random.Random(seed)
    return check(folder, (body_of(rng, LINES_PER_FILE), body_of(rng, LINES_PER_FILE)))


def test_nine_thousand_mutated_lines_a_seed_agree_with_the_oracle(tmp_path: Path) -> None:
    seeds = range(examples(1, whole=3))
    assert sum(check_seed(tmp_path, seed) for seed in seeds) >= 2 * LINES_PER_FILE * len(seeds)


@pytest.mark.long
@pytest.mark.parametrize("first", range(1_000, 1_112, 8))
def test_seventy_two_thousand_mutated_lines_agree_with_the_oracle(
    tmp_path: Path, say: Say, first: int
) -> None:
    started = time.perf_counter()
    checked = sum(check_seed(tmp_path, seed) for seed in range(first, first + 8))
    assert checked >= 72_000
    say(f"{checked:,} mutated lines from seed {first}: {time.perf_counter() - started:,.0f} s")


def judge(folder: Path, seed: int) -> int:
    """A whole run over mutated lines, and no more than its ledger; the number of lines."""
    rng = random.Random(seed)
    known = line(0, output="0.5", inference_id="known") + b"\n"
    bodies = [known + body_of(rng, 1_000) for _ in ROLES]
    paths = [folder / f"{role}.jsonl" for role in ROLES]
    for path, body in zip(paths, bodies, strict=True):
        path.write_bytes(body)
    request = analysis.Request(
        production=str(paths[0]),
        shadow=str(paths[1]),
        overrides=(f"max_line_bytes={MAX_LINE_BYTES}",),
        use_cache=False,
        # A flipped bit makes 2026 a year far away, and the window would reach there.
        since="2026-02-01",
        until="2026-04-01",
    )
    verdict = analysis.run(request, silent).verdict
    codes, unsettled = Counter[str](), 0
    for body in bodies:
        expected = account(body, MAX_LINE_BYTES)
        codes.update(code for code, *_ in expected.rejects.values())
        unsettled += len(expected.two_meanings)
    looked_at = Counter(verdict.ledger.rejects_by_code) - codes
    assert set(looked_at) <= {REPEATED_KEY}
    assert looked_at.total() < unsettled
    assert verdict.ledger.rejects_by_code == dict(codes + looked_at)
    assert verdict.ledger.accounted == verdict.ledger.lines
    assert verdict.ledger.pairs >= 1
    assert verdict.decision.value != "PROMOTE"
    json.loads(verdict.to_json(), parse_constant=pytest.fail)
    return verdict.ledger.lines


def test_a_whole_run_over_mutated_lines_never_promotes(tmp_path: Path) -> None:
    for seed in range(examples(1, whole=2)):
        assert judge(tmp_path, seed) > 2_000


@pytest.mark.long
def test_a_hundred_whole_runs_over_mutated_lines_never_promote(tmp_path: Path, say: Say) -> None:
    started = time.perf_counter()
    judged = sum(judge(tmp_path, seed) for seed in range(2_000, 2_100))
    say(f"{judged:,} lines in 100 whole runs in {time.perf_counter() - started:,.0f} s")


@pytest.mark.parametrize("ended", [True, False])
def test_a_line_cut_at_every_byte_agrees_with_the_oracle(*, ended: bool) -> None:
    """One object a cut: the broken line is its last, with or without a newline."""
    text = line(7, output="0.5\n", payload="1,ü", inference_id="request", event_id="event")
    cuts = [text[:length] + b"\n" * ended for length in range(1, len(text) + 1)]
    chunks = [Chunk(number, "production", 1, cut) for number, cut in enumerate(cuts)]
    with Engine(threads=2) as engine:
        Captures(engine, chunks)
        connection = engine._connection  # noqa: SLF001 - as above
        found = dict(connection.view("rejects").project("object_id, code").fetchall())
    expected = {
        number: code
        for number, cut in enumerate(cuts)
        for code, *_ in account(cut, MAX_LINE_BYTES).rejects.values()
    }
    assert found == expected
    assert len(expected) == len(text) - 1
    assert set(expected.values()) == {f"malformed.{'invalid-json' if ended else 'truncated'}"}


KEYS = st.sampled_from(
    ["captureData", "endpointInput", "endpointOutput", "data", "encoding", "observedContentType",
     "eventMetadata", "eventId", "inferenceId", "inferenceTime", "other"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
NEARLY = st.builds(
    lambda given, answer, at, more: json.dumps(
        {
            "captureData": {"endpointInput": given, "endpointOutput": answer},
            "eventMetadata": {"inferenceTime": at, "inferenceId": more},
        }
    ).encode(),
    JSON,
    JSON,
    st.sampled_from(TIMES),
    JSON,
)
ANY_LINE = NEARLY | JSON.map(lambda given: json.dumps(given).encode()) | st.binary(max_size=80)


@settings(
    max_examples=examples(5, whole=15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(ANY_LINE, max_size=30).map(b"\n".join),
    st.lists(ANY_LINE, max_size=30).map(b"\r\n".join),
)
def test_any_json_and_any_bytes_agree_with_the_oracle(
    tmp_path: Path, production: bytes, shadow: bytes
) -> None:
    check(tmp_path, (b" \n" + production, b" \n" + shadow))


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (b'"data": "a", "data": "b"', b'"data": "a", "d\\u0061ta": "b"', "a"),
        (b'"data": "a", "data": {}', b'"data": null, "data": "b"', "a"),
    ],
)
def test_of_equal_keys_the_first_counts_on_the_fast_way_and_on_the_careful_one(
    tmp_path: Path, first: bytes, second: bytes, said: str
) -> None:
    """Never the one here and the other there: the careful way reads what the fast one leaves."""
    text = line(0, output="OUTPUT", inference_id="one").replace(b'"data": "OUTPUT"', first)
    careful = text.replace(b'"data": "1,2,3"', second).replace(b"}, ", b"} , ", 1)
    check(tmp_path, (text, careful))
    assert read(tmp_path, (text, careful)).records["production"].popitem()[0][2] == said


TWICE = {
    "line": (b'"eventVersion"', b'"captureData": {}, "eventVersion"'),
    "capture": (b'"endpointOutput"', b'"endpointInput": {}, "endpointOutput"'),
    "input": (b'"mode"', b'"mode": "Y", "mode"'),
    "output": (b'"data": "0.5', b'"data": "0.9", "d\\u0061ta": "0.5'),
    "metadata": (b'"inferenceTime"', b'"inferenceId": "other", "inferenceTime"'),
}


GOOD = [line(n, event_id=f"e{n}", inference_id=f"{n}") for n in range(1_500)]


def test_a_writer_that_repeats_no_key_is_not_taken_for_one_that_does() -> None:
    assert read_sides(sides(GOOD, GOOD)).facts.ledger.rejects_by_code == {}


@pytest.mark.parametrize("where", TWICE)
def test_a_writer_that_repeats_a_key_cannot_go_unseen(where: str) -> None:
    """One record in 64 is looked at: enough of them to close a gate."""
    twice = [text.replace(*TWICE[where], 1) for text in GOOD]
    ledger = read_sides(sides(GOOD, twice)).facts.ledger
    assert set(ledger.rejects_by_code) == {REPEATED_KEY}
    assert 5 <= ledger.rejects_by_code[REPEATED_KEY] <= 60
    assert ledger.pairs == 1_500 - ledger.rejects_by_code[REPEATED_KEY]
    if where in list(TWICE)[: examples(1, whole=len(TWICE))]:
        again = read_sides(sides(GOOD, twice[::-1]), threads=1, batch_bytes=9_000).facts.ledger
        assert again == ledger


def test_equal_keys_in_a_payload_or_in_an_unread_object_are_no_reject() -> None:
    texts = [
        line(n, event_id=f"e{n}", output={"a": 1}).replace(b'"a": 1', b'"a": 1, "a": 2')
        for n in range(500)
    ]
    assert read_sides(sides(texts, [])).facts.ledger.rejects_by_code == {}


PLACES = [("captureData",), ("eventMetadata", "inferenceId"), ("x",)]


@pytest.mark.parametrize(
    ("where", "opening"),
    [
        (PLACES[0], b'{"a":'),
        (PLACES[1], b"["),
        *(
            pytest.param(where, opening, marks=pytest.mark.long)
            for where in PLACES
            for opening in (b"[", b'{"a":')
            if (where, opening) not in {(PLACES[0], b'{"a":'), (PLACES[1], b"[")}
        ),
    ],
)
def test_nesting_without_end_is_counted_like_any_other_line(
    where: tuple[str, ...], opening: bytes
) -> None:
    depth = 30_000
    closing = b"]" if opening == b"[" else b"}"
    value = opening * depth + b"1" + closing * depth
    good = line(0, output="o", inference_id="i")
    for shape in (value, value[:-1], value + closing):
        text = b'{"%s": %s}' % (where[-1].encode(), shape)
        if len(where) == 2:
            text = good.replace(b'"i"', shape)
        with Engine(threads=1) as engine:
            chunks = [Chunk(0, "production", 1, text + b"\n" + good + b"\n")]
            captures = Captures(engine, chunks)
            rejected = engine.table("capture_reject_codes").to_pylist()
        assert captures.lines == 2
        known = account(text + b"\n", 1 << 24).rejects.values()
        assert rejected == [{"code": code, "lines": 1} for code, *_ in known]
