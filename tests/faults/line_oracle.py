"""What one line of a capture file is, told without the product: JSON read by hand where need be.

The dialect is JSON as the table engine reads it: besides RFC 8259, `NaN` and `Infinity` in any case
and one comma after the last item of a list or an object. Of equal keys the first counts, where the
line is not rejected for having them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

Said = tuple[datetime, object, object]

SPACES = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_TOKEN = re.compile(
    r"[ \t\r\n]*(?:"
    r'(?P<text>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")'
    r"|(?P<mark>[{}\[\],:])"
    r"|(?P<word>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z.+-])"
    r"|-?(?i:nan|infinity|inf)(?![0-9A-Za-z])|(?:true|false|null)(?![0-9A-Za-z]))"
    r"|(?P<end>$))"
)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|.)", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}
_TIME = re.compile(
    r"(2[01][0-9]{2})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]+))?(Z|[+-][01][0-9](?::?[0-5][0-9])?)?"
)
_SHORT = len("2026-03-01T00:00:00Z")


REPEATED_KEY = "malformed.repeated-key"

OPEN = object()
"""Stands for a value that is no text: it is kept as JSON whose spelling is the engine's own."""


class Object(dict[str, Any]):
    """A JSON object: of equal keys the first counts.

    Attributes:
        repeated: whether there were any.
    """

    repeated = False

    def add(self, name: str, value: object) -> None:
        self.repeated |= name in self
        self.setdefault(name, value)


@dataclass(frozen=True)
class TwoMeanings:
    """What a record says that repeats a key."""

    said: Said


class NotJsonError(ValueError):
    """The text is no JSON."""


@dataclass
class Account:
    """What a file holds.

    Attributes:
        rejects: line number -> (code, sha256, bytes).
        records: (time, inference ID, output) of every record.
        two_meanings: line number -> what a record says that repeats a key: looked at, it is a
            reject, and one in 64 is looked at, by a hash of the engine's own.
    """

    lines: int = 0
    blank: int = 0
    rejects: dict[int, tuple[str, str, int]] = field(default_factory=dict)
    records: Counter[Said] = field(default_factory=Counter)
    two_meanings: dict[int, tuple[Said, tuple[str, str, int]]] = field(default_factory=dict)


def account(data: bytes, max_line_bytes: int) -> Account:
    """Every line of a file."""
    found = Account()
    data = data.removeprefix(_BOM)
    lines = data.split(b"\n")
    last_is_whole = lines[-1] == b""
    if last_is_whole:
        lines.pop()
    for number, raw in enumerate(lines, 1):
        found.lines += 1
        held = raw.removesuffix(b"\r")
        text = raw.strip(SPACES)
        if len(held) > max_line_bytes:
            found.rejects[number] = ("malformed.oversize", *_named(held))
        elif not text:
            found.blank += 1
        else:
            ends = number < len(lines) or last_is_whole
            line = read_line(text, ends=ends)
            if isinstance(line, str):
                found.rejects[number] = (line, *_named(text))
            elif isinstance(line, TwoMeanings):
                found.two_meanings[number] = line.said, (REPEATED_KEY, *_named(text))
            else:
                found.records[line] += 1
    return found


def _named(text: bytes) -> tuple[str, int]:
    return hashlib.sha256(text).hexdigest(), len(text)


def read_line(raw: bytes, *, ends: bool) -> str | Said | TwoMeanings:
    """A line's reject code, or what a record says."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return "malformed.invalid-utf8"
    if "\0" in text:
        return "malformed.invalid-utf8"
    try:
        line = document(text)
    except NotJsonError:
        return "malformed.invalid-json" if ends else "malformed.truncated"
    if not isinstance(line, Object):
        return "not_capture.not-an-object"
    said = _said(line)
    if not _repeats_key(line):
        return said
    return REPEATED_KEY if isinstance(said, str) else TwoMeanings(said)


def _said(line: Object) -> str | Said:
    capture, about = line.get("captureData"), line.get("eventMetadata")
    if capture is None:
        return "not_capture.no-capture-data"
    given, answer = (
        capture.get(name) if isinstance(capture, dict) else None
        for name in ("endpointInput", "endpointOutput")
    )
    if given is None and answer is None:
        return "not_capture.no-payload"
    at = moment(about.get("inferenceTime") if isinstance(about, dict) else None)
    if at is None:
        return "not_capture.no-time"
    assert isinstance(about, dict)
    return at, _text(about.get("inferenceId")) or None, _text(_member(answer, "data"))


def _repeats_key(line: Object) -> bool:
    """Whether one of the objects that are read names a key twice."""
    capture = line.get("captureData")
    read = [line, capture, line.get("eventMetadata")]
    read += [_member(capture, name) for name in ("endpointInput", "endpointOutput")]
    return any(found.repeated for found in read if isinstance(found, Object))


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: object) -> object:
    return value if value is None or isinstance(value, str) else OPEN


def moment(text: object) -> datetime | None:
    """The UTC time a text means, to the microsecond."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
    # As long as what SageMaker writes, a time of this century has its form: a T, no 24:00:00.
    short = len(found[0]) == _SHORT and found[8] == "Z" and found[1].startswith("20")
    if short and "T" not in found[0]:
        return None
    ends_day = (hour, minute, second) == (24, 0, 0) and not short
    if ends_day and not (found[7] or "0").strip("0"):
        hour = 0
    micros = int((found[7] or "0")[:6].ljust(6, "0"))
    zone = UTC if found[8] in {None, "Z"} else _zone(found[8])
    try:
        at = datetime(year, month, day, hour, minute, second, micros, zone)
    except ValueError:
        return None
    return (at + timedelta(days=ends_day)).astimezone(UTC)


def _zone(text: str) -> timezone:
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "").ljust(4, "0")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def _first(pairs: list[tuple[str, Any]]) -> Object:
    found = Object()
    for name, value in pairs:
        found.add(name, value)
    return found


def document(text: str) -> object:
    """The value of a JSON text; Python's own reader where it agrees that there is one.

    Raises:
        NotJsonError: there is none.
    """
    if _HALF.search(text) and _has_lone_half(text):
        raise NotJsonError
    try:
        return json.loads(text, object_pairs_hook=_first, parse_int=_number, parse_float=_number)
    except (ValueError, RecursionError):
        return _by_hand(text)


def _number(_: str) -> float:
    return 0.0


def _has_lone_half(text: str) -> bool:
    """Whether an escape names one half of a surrogate pair."""
    awaited = -1  # where the second half must start
    for escape in _ESCAPE.finditer(text):
        code = int(escape["code"] or "0", 16)
        second = 0xDC00 <= code < 0xE000
        if (second or awaited >= 0) and not (second and escape.start() == awaited):
            return True
        awaited = escape.end() if 0xD800 <= code < 0xDC00 else -1
    return awaited >= 0


def _by_hand(text: str) -> object:  # noqa: C901, PLR0912 - JSON's grammar as one table of cases
    """The same without recursion."""
    top: list[Any] = []
    # Open containers, each with the key that waits for its value.
    stack: list[tuple[list[Any] | Object, str | None]] = [(top, None)]
    expected, position = "value", 0
    while True:
        token = _TOKEN.match(text, position)
        if token is None:
            raise NotJsonError
        position = token.end()
        kind = token["mark"] or token.lastgroup
        holder, key = stack[-1]
        if kind == "end":
            if expected == "comma" and len(stack) == 1:
                return top[0]
            raise NotJsonError
        if kind in {"}", "]"}:
            closing = dict if kind == "}" else list
            if (
                len(stack) == 1
                or not isinstance(holder, closing)
                or expected not in {"comma", "more"}
            ):
                raise NotJsonError
            stack.pop()
            expected = "comma"
        elif kind == ",":
            if expected != "comma" or len(stack) == 1:
                raise NotJsonError
            expected = "more"
        elif isinstance(holder, Object) and key is None:
            if kind != "text" or expected != "more":
                raise NotJsonError
            stack[-1] = (holder, json.loads(token["text"]))
            expected = "colon"
        elif expected == "colon":
            if kind != ":":
                raise NotJsonError
            expected = "value"
        elif expected in {"value", "more"} and kind not in {":", ","}:
            value = _value(token)
            if isinstance(holder, Object):
                assert key is not None
                holder.add(key, value)
                stack[-1] = (holder, None)
            else:
                holder.append(value)
            if kind in {"{", "["}:
                stack.append((value, None))
                expected = "more"
            else:
                expected = "comma"
        else:
            raise NotJsonError


def _value(token: re.Match[str]) -> Any:  # noqa: ANN401 - any JSON value
    if token["mark"]:
        return Object() if token["mark"] == "{" else []
    if token["text"]:
        return json.loads(token["text"])
    return _WORDS.get(token["word"], 0.0)
