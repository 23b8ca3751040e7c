"""Capture lines, and everything that can become of them on the way: seeded, fast, without end."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.captures.capture_builders import START, side

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

TIMES = [
    "2026-03-01T00:00:07Z",
    "2026-03-01T00:00:07.25Z",
    "2026-03-01T00:00:07.123456789Z",
    "2026-03-01T02:00:07+02:00",
    "2026-02-28T18:30:07-0530",
    "2026-03-01T00:00:07+02",
    "2026-03-01T00:00:07",
    "2026-03-01 00:00:07Z",
    "2026-02-30T00:00:07Z",
    "2026-03-01T24:00:00Z",
    "2026-03-01T23:59:60Z",
    "2026-3-01T00:00:007Z",
    "2026-03-01",
    "1772323207",
    "infinity",
    "epoch",
    "",
]
PLACES = [
    ("captureData",),
    ("captureData", "endpointInput"),
    ("captureData", "endpointOutput"),
    ("captureData", "endpointInput", "data"),
    ("captureData", "endpointOutput", "data"),
    ("captureData", "endpointInput", "encoding"),
    ("eventMetadata",),
    ("eventMetadata", "eventId"),
    ("eventMetadata", "inferenceId"),
    ("eventMetadata", "inferenceTime"),
    ("eventVersion",),
]
VALUES = [
    "null", "true", "0", "-0", "0.5", "1e400", "-1e400", "9" * 400, "9" * 6_000, "NaN", "nan",
    "-Infinity", "inf", '""', '"x"', "[]", "{}", '[{"data": 1}]', '{"data": null}',
    '{"data": "1", "encoding": "CSV"}', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"',
    '"\\u0000"', '"a\\"b"', "01", ".5", "+1", "0x1", "'x'", "tru", "[1,]", '{"a":1,}', "[,]",
    "//", '"\t"', '"\x7f"', "1 2",
]  # fmt: skip
BYTES = [
    b"\x00", b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x28\xa1",
    b"\xef\xbb\xbf", b"\xef\xbf\xbe", b"\xf0\x9f\x9c\x81", b"\xc2\xa0", b"\xe2\x80\xa8", b"\x0b",
    b"\x1f", b"\r", b"\t", b"\n", b'"', b"\\", b"{", b"}", b",", b":", b"/", b"\\u", b"\\ud8",
]  # fmt: skip
SPACES = [b"", b" ", b"\t", b"\r", b" \r", b"\r\r", b"\x0b", b"\x0c", b"\xc2\xa0", b"\x00"]
_MARK = "\ufffe"  # stands where a value will be put


def record(rng: random.Random) -> dict[str, Any]:
    """One capture record as SageMaker writes them, or nearly."""
    n = rng.randrange(1_000_000)
    output: object = rng.choice(
        [f"0.{n:06}\n", '{"predictions": [{"score": 0.5}]}', "NaN", "yes", "MC41", f"[0.{n}, 1]"]
    )
    capture = {
        "endpointInput": side(f"{n},2.5,ü", "CSV", "text/csv"),
        "endpointOutput": side(output, rng.choice(["CSV", "JSON", "BASE64"])),
    }
    about = {"eventId": f"event {n}", "inferenceTime": START.strftime("%Y-%m-%dT%H:%M:%SZ")}
    if rng.random() < 0.8:
        about["inferenceId"] = f"request {n}"
    if rng.random() < 0.2:
        about["inferenceTime"] = rng.choice(TIMES)
    return {"captureData": capture, "eventMetadata": about, "eventVersion": "0"}


def written(rng: random.Random, given: object) -> bytes:
    separators = rng.choice([(",", ":"), (", ", ": "), (" , ", " : ")])
    return json.dumps(given, separators=separators, ensure_ascii=rng.random() < 0.7).encode()


def _put(rng: random.Random, place: tuple[str, ...], value: str) -> bytes:
    """A record with any JSON, or no JSON, where `place` leads."""
    given = record(rng)
    holder = given
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = _MARK
    text = written(rng, given).replace(json.dumps(_MARK).encode(), _MARK.encode())
    return text.replace(f'"{_MARK}"'.encode(), _MARK.encode()).replace(
        _MARK.encode(), value.encode("utf-8", "surrogatepass")
    )


def other_value(rng: random.Random) -> bytes:
    return _put(rng, rng.choice(PLACES), rng.choice(VALUES))


def other_time(rng: random.Random) -> bytes:
    text = list(rng.choice(TIMES))
    for _ in range(rng.randrange(3)):
        if text:
            text[rng.randrange(len(text))] = rng.choice("0123456789:-+.TZ ")
    return _put(rng, ("eventMetadata", "inferenceTime"), json.dumps("".join(text)))


def deep(rng: random.Random) -> bytes:
    depth = rng.choice([50, 900, 5_000])
    opening, closing = rng.choice([("[", "]"), ('{"a":', "}")])
    core = rng.choice(["1", "", '"x"'])
    less = rng.choice([0, 0, 1])
    value = opening * depth + core + closing * (depth - less)
    return _put(rng, rng.choice(PLACES), value)


def repeated_key(rng: random.Random) -> bytes:
    """Two values under one key, the second perhaps of another form."""
    place = rng.choice(PLACES)
    key = json.dumps(place[-1])
    first, second = ('"x"' if rng.random() < 0.5 else rng.choice(VALUES[:20]) for _ in range(2))
    if rng.random() < 0.5:
        key = key.replace("a", "\\u0061", 1)
    return _put(rng, place, f"{first}, {key}: {second}")


def flipped(rng: random.Random) -> bytes:
    line = bytearray(written(rng, record(rng)))
    for _ in range(rng.randint(1, 3)):
        line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
    return bytes(line)


def inserted(rng: random.Random) -> bytes:
    line = written(rng, record(rng))
    for _ in range(rng.randint(1, 2)):
        start = rng.randrange(len(line) + 1)
        stop = min(len(line), start + rng.choice([0, 0, 1, 5]))
        line = line[:start] + rng.choice(BYTES) + line[stop:]
    return line


def cut(rng: random.Random) -> bytes:
    line = written(rng, record(rng))
    start, stop = sorted(rng.randrange(len(line) + 1) for _ in range(2))
    return line[:stop] if rng.random() < 0.7 else line[start:]


def spliced(rng: random.Random) -> bytes:
    one, other = (written(rng, record(rng)) for _ in range(2))
    return one[: rng.randrange(len(one) + 1)] + other[rng.randrange(len(other)) :]


def glued(rng: random.Random) -> bytes:
    return rng.choice([b"", b" ", b","]).join(written(rng, record(rng)) for _ in range(2))


def spaced(rng: random.Random) -> bytes:
    line = rng.choice([written(rng, record(rng)), b"", b"{}", b"null"])
    return rng.choice(SPACES) + line + rng.choice(SPACES)


def encoded(rng: random.Random) -> bytes:
    text = written(rng, record(rng)).decode()
    return text.encode(rng.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7"]))


def escaped(rng: random.Random) -> bytes:
    """Any character may be written as its number, in keys too."""
    line = written(rng, record(rng)).decode()
    at = rng.choice([m.start() for m in re.finditer(r"[a-zA-Z]", line)])
    return f"{line[:at]}\\u{ord(line[at]):04x}{line[at + 1 :]}".encode()


def long(rng: random.Random) -> bytes:
    return _put(
        rng, ("captureData", "endpointInput", "data"), json.dumps("9" * rng.choice(LENGTHS))
    )


LENGTHS = [1_500, 1_700, 1_750, 1_800, 1_900, 5_000]


def whole(rng: random.Random) -> bytes:
    return written(rng, record(rng))


MUTATIONS: list[Callable[[random.Random], bytes]] = [
    whole,
    whole,
    other_value,
    other_value,
    other_time,
    other_time,
    deep,
    repeated_key,
    flipped,
    flipped,
    flipped,
    inserted,
    inserted,
    inserted,
    cut,
    cut,
    spliced,
    spliced,
    glued,
    spaced,
    encoded,
    escaped,
    long,
]


def lines(rng: random.Random) -> Iterator[bytes]:
    """Without end; a line may hold newlines and so be several."""
    while True:
        yield rng.choice(MUTATIONS)(rng)
