"""Damage to capture files: one example of every kind the reader must count and survive.

In: object key -> bytes of healthy files. Out: the same with damage. Good records are never
changed, except those of the shadow file that is cut short; whole bad lines and objects are added.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Files = dict[str, bytes]

OVERSIZE_BYTES = 70_000


def damage(files: Files, production: str, shadow: str) -> Files:
    """Damage the first day's files of both variants, one kind of damage an hour.

    Args:
        files: object key -> plain bytes.
        production: key prefix of the production variant's files.
        shadow: the same of the shadow's.

    Returns:
        Object key -> bytes; the file cut short has become a `.gz`.
    """
    plain: dict[str, Callable[[bytes], bytes]] = {
        _nth(files, production, 3): _windows_line_ends,
        _nth(files, production, 5): _blank_lines,
        _nth(files, production, 8): _unusable_lines,
        _nth(files, shadow, 4): _byte_order_mark,
        _nth(files, shadow, 7): _half_a_record_more,
    }
    damaged = {key: plain[key](body) if key in plain else body for key, body in files.items()}
    twice = _nth(files, shadow, 6)
    damaged[_sibling(twice, "delivered-twice.jsonl")] = files[twice]
    cut = _nth(files, shadow, 9)
    whole = gzip.compress(damaged.pop(cut), mtime=0)
    damaged[f"{cut}.gz"] = whole[: len(whole) // 2]
    folder = _nth(files, production, 10)
    damaged[_sibling(folder, "_SUCCESS")] = b""
    damaged[_sibling(folder, "00-00-000-empty.jsonl")] = b""
    damaged[_sibling(folder, "part-00000.parquet")] = b"PAR1 a file of another kind PAR1"
    return damaged


def _windows_line_ends(body: bytes) -> bytes:
    return body.replace(b"\n", b"\r\n")


def _byte_order_mark(body: bytes) -> bytes:
    return b"\xef\xbb\xbf" + body


def _blank_lines(body: bytes) -> bytes:
    lines = body.splitlines(keepends=True)
    return b"\n" + lines[0] + b"\n   \n" + b"".join(lines[1:]) + b"\n"


def _half_a_record_more(body: bytes) -> bytes:
    """A last line that stops in the middle, as in a file copied while it was written."""
    last = body.splitlines()[-1]
    return body + last[: len(last) // 2]


def _unusable_lines(body: bytes) -> bytes:
    """One line of every reject code that a whole line can have."""
    line = body.splitlines()[0]
    record = json.loads(line)
    untimed = {"captureData": record["captureData"], "eventMetadata": {"eventId": "untimed"}}
    empty = {"captureData": {}, "eventMetadata": record["eventMetadata"], "eventVersion": "0"}
    added = (
        line.replace(b"text/csv", b"text/\xff\xfe", 1),
        line.replace(b'"data":"', b'"data":"' + b"0," * (OVERSIZE_BYTES // 2), 1),
        line.replace(b'{"endpointInput"', b"{endpointInput", 1),
        b'["a list is not a record"]',
        b'{"message":"a log line that went into the wrong folder"}',
        json.dumps(empty).encode(),
        json.dumps(untimed).encode(),
    )
    return body + b"".join(each + b"\n" for each in added)


def _nth(files: Files, prefix: str, hour: int) -> str:
    """The key of a variant's file of that hour of the first day."""
    return sorted(key for key in files if key.startswith(f"{prefix}/"))[hour]


def _sibling(key: str, name: str) -> str:
    return f"{key.rpartition('/')[0]}/{name}"
