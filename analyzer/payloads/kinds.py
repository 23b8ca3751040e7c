"""What predictions are, from the values that a sample of outputs holds.

In: values. Out: where they lie (`places`), and what follows from both (`shape`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from analyzer.payloads.decoding import finite, number
from analyzer.payloads.paths import EACH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.payloads.decoding import Document, Value
    from analyzer.payloads.paths import Path

Kind = Literal["probability", "regression", "label", "multiclass", "vector", "json", "text"]

LISTS = frozenset({"multiclass", "vector"})
TEXTS: tuple[Path, ...] = (
    ("generated_text",),
    (EACH, "generated_text"),
    ("choices", EACH, "message", "content"),
    ("choices", EACH, "text"),
    ("completion",),
)
"""Where containers of language models answer."""
_FEW_LABELS = 20
_LABEL_LENGTH = 64
_SUM_SLACK = 1e-3
_INEXACT = 1 << 53  # from here on a double is not every whole number


def kind_of(values: Sequence[Value], documents: Sequence[Document], path: Path | None) -> Kind:
    """What most values are."""
    if path in TEXTS:
        return "text"
    if not values:
        return "text" if _mostly_text(documents) else "json"
    numbers = [found for value in values if (found := finite(value)) is not None]
    if 2 * len(numbers) > len(values):
        if any(map(_is_code, values)):
            return _word_kind([str(v) for v in values if not isinstance(v, dict | list)])
        return _number_kind(numbers)
    lists = [value for value in values if isinstance(value, list)]
    if 2 * len(lists) > len(values):
        return list_kind(lists)
    words = [str(v) for v in values if isinstance(v, str | bool) and number(v) is None]
    return _word_kind(words) if 2 * len(words) > len(values) else "json"


def _is_code(value: Value) -> bool:
    """Whether digits are a name: no quantity begins with 0, or has more than a double holds.

    One tells it of all: most postcodes have no leading zero.

    >>> [_is_code(text) for text in ("00501", "0", "0.5", "9007199254740993")]
    [True, False, False, True]
    """
    digits = str(value).lstrip("+-")
    padded = digits.startswith("0") and len(digits) > 1
    return digits.isdecimal() and (padded or float(digits) >= _INEXACT)


def _mostly_text(documents: Sequence[Document]) -> bool:
    return 2 * sum(document.form != "json" for document in documents) > len(documents)


def _number_kind(numbers: Sequence[float]) -> Kind:
    """A few whole numbers are labels, shares are probabilities, the rest is a quantity."""
    whole = all(found.is_integer() for found in numbers)
    if whole and len(set(numbers)) <= _FEW_LABELS:
        return "label"
    return "probability" if not whole and min(numbers) >= 0 and max(numbers) <= 1 else "regression"


def list_kind(lists: Sequence[list[Value]]) -> Kind:
    """Numbers that are shares of one are classes, other numbers are a vector."""
    rows = [[number(cell) for cell in row] for row in lists]
    if any(cell is None for row in rows for cell in row) or not any(rows):
        return "json"
    sums_to_one = all(
        min(cell for cell in row if cell is not None) >= 0
        and abs(sum(cell for cell in row if cell is not None) - 1) <= _SUM_SLACK
        for row in rows
        if row
    )
    return "multiclass" if sums_to_one and all(len(row) > 1 for row in rows) else "vector"


def _word_kind(words: Sequence[str]) -> Kind:
    """Short words that repeat are labels; anything else is text."""
    distinct = set(words)
    few = len(distinct) <= max(_FEW_LABELS, len(words) // 10)
    return "label" if few and max(map(len, distinct)) <= _LABEL_LENGTH else "text"
