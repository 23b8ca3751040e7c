"""Lines so short that their rows outweigh them: as many as there are, in the memory of a batch."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer.captures.lines import split
from analyzer.captures.shards import write_shards
from analyzer.engine import Engine
from analyzer.sources.objects import Chunk, Oversize
from tests.captures.capture_builders import line
from tests.examples import examples

if TYPE_CHECKING:
    from analyzer.captures.lines import SplitLines

LINES = [b"", b"a", b"{}", b"\xff", b" x ", b"y\r", b"9" * 90, line(0)]


def placed(parts: SplitLines) -> Counter[tuple[object, ...]]:
    """Every row of the three tables, with where it stands."""
    rows: Counter[tuple[object, ...]] = Counter()
    for name in ("lines", "undecodable", "oversize"):
        rows.update((name, *row.values()) for row in getattr(parts, name).to_pylist())
    return rows


def some_chunks(rng: random.Random) -> list[Chunk]:
    """Consecutive chunks of a few objects, the last line of each perhaps unterminated."""
    chunks = []
    for number in range(rng.randint(1, 3)):
        at = 1
        for _ in range(rng.randint(1, 3)):
            texts = [rng.choice(LINES) for _ in range(rng.randint(1, 40))]
            chunks.append(Chunk(number, "production", at, b"".join(t + b"\n" for t in texts)))
            at += len(texts)
            if rng.random() < 0.3:
                chunks.append(Chunk(number, "production", at, oversize=Oversize(99, "0" * 64)))
                at += 1
        chunks.append(Chunk(number, "production", at, rng.choice(LINES)))
    return chunks


@pytest.mark.parametrize("most_lines", [1, 2, 7])
def test_lines_split_a_few_at_a_time_stand_where_they_stood(most_lines: int) -> None:
    for seed in range(examples(6, whole=60)):
        chunks = some_chunks(random.Random(seed))
        (whole,) = split(chunks, 80)
        rows: Counter[tuple[object, ...]] = Counter()
        counted, blank = Counter[int](), Counter[int]()
        for parts in split(chunks, 80, most_lines=most_lines):
            # One more than line ends: the object's last line may have none.
            assert sum(parts.counted.values()) <= most_lines + len(chunks)
            rows += placed(parts)
            counted += parts.counted
            blank += parts.blank
        assert (rows, counted, blank) == (placed(whole), +whole.counted, +whole.blank)


def test_a_byte_order_mark_is_one_at_the_start_of_an_object_alone() -> None:
    text = b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n"
    split_lines = list(split([Chunk(0, "production", 1, text)], 80, most_lines=1))
    found = [row["line"] for parts in split_lines for row in parts.lines.to_pylist()]
    assert found == ["a", "\ufeffb"]


def test_shards_of_a_few_lines_at_a_time_are_tallied_alike() -> None:
    tallies = []
    for most_lines in (1 << 18, 3):
        with Engine(threads=1) as engine:
            engine.execute("capture_macros")
            shards = write_shards(
                engine,
                some_chunks(random.Random(1)),
                engine.folder,
                max_line_bytes=80,
                most_lines=most_lines,
            )
            tallies.append([one.shard.objects for one in shards])
    assert tallies[0] == tallies[1]


PEAK = """
import json, resource, sys
from analyzer.captures import Captures
from analyzer.engine import Engine
from analyzer.sources.objects import Chunk
def peak_mib(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
text = sys.argv[1].encode().decode("unicode_escape").encode()
data = text * (int(sys.argv[2]) // len(text))
with Engine(threads=2, memory_limit="256MB") as engine:
    captures = Captures(engine, [Chunk(0, "production", 1, b"a" * 9_000 + b"\\n")])
before = peak_mib()
with Engine(threads=2, memory_limit="256MB") as engine:
    captures = Captures(engine, [Chunk(0, "production", 1, data)])
    rejected = engine.table("capture_reject_codes").to_pylist()
print(json.dumps([captures.lines, captures.blank, rejected, peak_mib() - before]))
"""


@pytest.mark.parametrize(
    ("text", "rejects", "size_mib", "most_mib"),
    [
        (r"\n", False, 4, 100),
        (r"{}\n", True, 2, 190),
        pytest.param(r"\n", False, 8, 200, marks=pytest.mark.long),
        pytest.param(r"{}\n", True, 4, 250, marks=pytest.mark.long),
        pytest.param(r"{}\n", True, 8, 400, marks=pytest.mark.long),
    ],
)
def test_megabytes_of_the_shortest_lines_take_a_batchs_memory(
    text: str, size_mib: int, most_mib: int, *, rejects: bool
) -> None:
    """All at once their rows took up to twice as much as is allowed here."""
    size = size_mib << 20
    done = subprocess.run(
        [sys.executable, "-c", PEAK, text, str(size)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    lines, blank, rejected, grown_mib = json.loads(done.stdout)
    assert lines == size // (3 if rejects else 1)
    assert blank == (0 if rejects else lines)
    assert sum(row["lines"] for row in rejected) == lines - blank
    assert grown_mib < most_mib
