"""`--memory-limit`: which texts are sizes, before the engine reads one its own way; and without it.

In: the text of the flag. Out: how much memory there is (`limits`). The engine itself takes a
negative size without a word.
"""

from __future__ import annotations

import re

from analyzer.errors import UsageError
from analyzer.machine.limits import memory_available

_EASY_BYTES = 112 << 20
"""For each thread: a million pairs are little faster on more, and stay below 500 MB in all."""
_LEAST_BYTES, _MOST_BYTES = 224 << 20, 1 << 30

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_MOST = 1 << 60
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([KMGT]?)(I?)B", re.IGNORECASE | re.ASCII)


def memory_size(text: str) -> int:
    """Bytes of a size: units of 1000, or of 1024 with an `i`, as the engine counts them.

    Raises:
        UsageError: not a number with a unit, nothing at all, or more than any machine has.

    >>> memory_size("1.5GB"), memory_size("2 GiB")
    (1500000000, 2147483648)
    """
    found = _SIZE.fullmatch(text.strip())
    size = 0
    if found is not None:
        number, prefix, binary = found.groups()
        size = int(float(number) * (1024 if binary else 1000) ** _POWERS[prefix.upper()])
    if not 0 < size < _MOST:
        raise UsageError(
            f"--memory-limit {text!r}: expected a size above zero such as 500MB, 2GB or 1.5GiB"
        )
    return size


def default_memory_limit(threads: int) -> int:
    """Bytes: 112 MiB for each thread, 224 MiB to 1 GiB, and a quarter of memory at most.

    What grows with the data lies in files, so that more buys little: ten million pairs are a tenth
    faster on twice as much (`python tests/bench/limits.py`).
    """
    wanted = max(_LEAST_BYTES, min(_EASY_BYTES * threads, _MOST_BYTES))
    return min(memory_available() // 4, wanted)
