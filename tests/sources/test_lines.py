from __future__ import annotations

import gzip
import hashlib
import io
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sources import Chunk, ObjectFailure, lines
from analyzer.sources.lines import LineCutter, inflated
from analyzer.sources.objects import ObjectError, Oversize

BOM = b"\xef\xbb\xbf"
TEXT = st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", BOM, b"0123456789"])).map(
    b"".join
)


def cut(blocks: list[bytes], max_line_bytes: int = 1 << 20) -> list[Chunk]:
    """The chunks of an object; between its blocks no more of a line is held than may be one."""
    cutter = LineCutter(3, "shadow", max_line_bytes)
    chunks: list[Chunk] = []
    for block in blocks:
        chunks += cutter.feed(block)
        held = sum(len(part) for part in cutter._partial)  # noqa: SLF001 - memory
        assert held <= max_line_bytes + len(BOM + b"\r")
    return [*chunks, *cutter.finish(None)]


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@dataclass(frozen=True)
class Line:
    """What a consumer keeps of a line: its text, or size and digest if it is too long."""

    number: int
    kept: bytes | Oversize


def line_of(number: int, raw: bytes, limit: int) -> Line:
    text = raw.removesuffix(b"\n").removesuffix(b"\r")
    if number == 1:
        text = text.removeprefix(BOM)
    long = Oversize(len(text), hashlib.sha256(text).hexdigest())
    return Line(number, text if len(text) <= limit else long)


def seen(chunks: list[Chunk], limit: int) -> list[Line]:
    """The lines as a consumer has them, which measures what lay whole in a block itself."""
    found = []
    for chunk in chunks:
        if chunk.oversize is not None:
            found.append(Line(chunk.first_line_number, chunk.oversize))
        numbered = enumerate(io.BytesIO(chunk.data), chunk.first_line_number)
        found += [line_of(number, raw, limit) for number, raw in numbered]
    return found


@given(data=TEXT, cuts=st.lists(st.integers(0, 60)), limit=st.integers(1, 12))
def test_every_line_arrives_once_with_its_number_wherever_blocks_end(
    data: bytes, cuts: list[int], limit: int
) -> None:
    raw = data.split(b"\n")
    expected = [line_of(n, line, limit) for n, line in enumerate(raw, 1) if line or n < len(raw)]
    assert seen(cut(split(data, cuts), limit), limit) == expected


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("start", [b"", BOM])
@pytest.mark.parametrize("length", [1023, 1024, 1025])
def test_a_line_is_oversize_beyond_the_limit_and_not_before_it(
    start: bytes, length: int, ending: bytes
) -> None:
    data, limit = start + b"x" * length + ending, 1024
    whole = seen(cut([data], limit), limit)
    assert [isinstance(line.kept, Oversize) for line in whole] == [length > limit]
    for at in (1, 2, 1000, len(data) - len(ending), len(data) - 1):
        assert seen(cut([data[:at], data[at:]], limit), limit) == whole


@given(data=TEXT, cuts=st.lists(st.integers(0, 60)))
def test_without_long_lines_chunks_join_to_the_object(data: bytes, cuts: list[int]) -> None:
    chunks = cut(split(data, cuts))
    assert b"".join(chunk.data for chunk in chunks) == data
    assert all(chunk.data.endswith(b"\n") for chunk in chunks[:-1])


def test_chunks_stay_below_their_size_and_end_at_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "CHUNK_BYTES", 100)
    data = b"".join(b"x" * (i % 23) + b"\n" for i in range(200))
    chunks = cut([data[i : i + 40] for i in range(0, len(data), 40)])
    assert b"".join(chunk.data for chunk in chunks) == data
    assert all(len(chunk.data) <= 100 for chunk in chunks)
    assert len(chunks) < 2 * len(data) / 100


def test_a_long_line_is_never_held() -> None:
    cutter = LineCutter(0, "production", 1000)
    chunks = list(cutter.feed(b"first\n"))
    for _ in range(1000):
        chunks += cutter.feed(b"y" * 500)
    held = sum(len(part) for part in [*cutter._whole, *cutter._partial])  # noqa: SLF001 - memory
    assert held == 0
    chunks += [*cutter.feed(b"\r\nlast"), *cutter.finish(None)]
    assert [chunk.first_line_number for chunk in chunks] == [1, 2, 3]
    assert chunks[1].oversize is not None
    assert chunks[1].oversize.length == 500_000
    assert chunks[1].oversize.sha256 == hashlib.sha256(b"y" * 500_000).hexdigest()
    assert (chunks[0].data, chunks[2].data) == (b"first\n", b"last")


def test_a_failure_comes_last_with_the_number_of_the_line_it_hit() -> None:
    cutter = LineCutter(3, "shadow", 100)
    failure = ObjectFailure("corrupt-gzip", "ends early")
    chunks = [*cutter.feed(b"a\nb\nhalf"), *cutter.finish(failure)]
    assert [(chunk.first_line_number, chunk.data, chunk.failure) for chunk in chunks] == [
        (1, b"a\nb\nhalf", None),
        (4, b"", failure),
    ]
    assert {(chunk.object_id, chunk.role) for chunk in chunks} == {(3, "shadow")}


@settings(deadline=None)
@given(
    members=st.lists(st.binary(max_size=200), min_size=1, max_size=4),
    cuts=st.lists(st.integers(0, 400)),
    padding=st.integers(0, 3),
)
def test_gzip_of_any_number_of_members_is_read_wherever_blocks_end(
    members: list[bytes], cuts: list[int], padding: int
) -> None:
    data = (b"\0" * padding).join(gzip.compress(member) for member in members) + b"\0" * padding
    blocks = [block for block in split(data, cuts) if block]
    blocks = [data[:2], data[2:]] if len(blocks[0]) == 1 else blocks
    assert b"".join(inflated(blocks)) == b"".join(members)


@given(
    data=st.binary(max_size=100).filter(lambda data: not data.startswith((b"\x1f\x8b", b"PAR1")))
)
def test_what_starts_neither_like_gzip_nor_like_parquet_passes_unchanged(data: bytes) -> None:
    assert b"".join(inflated([data])) == data


def failure_of(blocks: list[bytes]) -> tuple[str, bytes]:
    """The code an object fails with, and what was read before."""
    read: list[bytes] = []
    with pytest.raises(ObjectError) as error:
        read.extend(block for block in inflated(blocks))
    return error.value.failure.code, b"".join(read)


COMPRESSED = gzip.compress(b"".join(b'{"n":%d}\n' % n for n in range(2000)))


@pytest.mark.parametrize("length", range(2, len(COMPRESSED), 211))
def test_gzip_cut_anywhere_gives_what_it_has_and_fails(length: int) -> None:
    code, read = failure_of([COMPRESSED[:length]])
    assert code == "corrupt-gzip"
    assert gzip.decompress(COMPRESSED).startswith(read)


@pytest.mark.parametrize("position", range(12, len(COMPRESSED), 173))
def test_a_flipped_bit_in_gzip_never_passes(position: int) -> None:
    damaged = bytearray(COMPRESSED)
    damaged[position] ^= 4
    assert failure_of([bytes(damaged)])[0] == "corrupt-gzip"


def test_something_else_after_gzip_is_a_failure() -> None:
    assert failure_of([COMPRESSED, b"\0\0junk"]) == ("corrupt-gzip", gzip.decompress(COMPRESSED))


def test_a_bomb_is_stopped_and_honest_repetition_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(bytes(4 << 20))
    assert b"".join(inflated([bomb])) == bytes(4 << 20)
    monkeypatch.setattr(lines, "RATIO_FLOOR_BYTES", 1 << 20)
    monkeypatch.setattr(lines, "_INFLATE_BYTES", 1 << 16)
    code, read = failure_of([bomb])
    assert code == "gzip-bomb"
    assert len(read) <= 1 << 20


def test_many_small_bombs_in_one_object_are_one_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "RATIO_FLOOR_BYTES", 1 << 20)
    assert failure_of([gzip.compress(bytes(1 << 18))] * 40)[0] == "gzip-bomb"
