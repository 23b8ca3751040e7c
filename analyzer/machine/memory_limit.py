"""`--memory-limit`: which texts are sizes, before the engine reads one its own way.

In: the text of the flag. Out: how much memory there is. The engine itself takes a negative size
without a word.
"""

from __future__ import annotations

import re

from analyzer.errors import UsageError

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
