"""Which other numbers do documents hold, beside the one that was found to be the prediction?

In: a few sampled documents and the place that the rules chose. Out: what follows from it. Rules
that know `score` do not know whether `risk` beside it is a second prediction that callers rely on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.payloads.decoding import finite
from analyzer.payloads.paths import EACH, follow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.payloads.decoding import Value
    from analyzer.payloads.paths import Path

_MOST_DOCUMENTS, _MOST_PLACES = 200, 1_000
_LEAST_DOCUMENTS = 20
_SAME = 1e-3


def numbers_elsewhere(documents: Sequence[Value], chosen: Path) -> list[Path]:
    """Places of most documents that hold a quantity which the chosen number does not give away.

    A quantity varies and is not whole: whole numbers are classes, counts, versions and times. One
    that is the chosen number again, or the rest of it to 1, says nothing new. Elements of one list
    are one place.

    >>> documents = [{"score": i / 64, "rest": 1 - i / 64, "risk": i / 50} for i in range(20)]
    >>> numbers_elsewhere(documents, ("score",))
    [('risk',)]
    """
    looked_at = documents[:_MOST_DOCUMENTS]
    places: dict[Path, list[list[float]]] = {}
    for document in looked_at:
        for place, numbers in _quantities(document).items():
            places.setdefault(place, []).append(numbers)
    enough = max(_LEAST_DOCUMENTS, len(looked_at) // 2 + 1)
    known = [_numbers(document, chosen) for document in looked_at]
    return sorted(
        (
            place
            for place, found in places.items()
            if place != chosen and len(found) >= enough
            if _is_quantity(found)
            if not _follows(known, [_numbers(document, place) for document in looked_at])
        ),
        key=str,
    )


def _numbers(document: Value, place: Path) -> list[float]:
    found = (finite(value) for value in follow(document, place))
    return [one for one in found if one is not None]


def _quantities(document: Value) -> dict[Path, list[float]]:
    """Every place of a document that holds numbers; of a list of lists, the first elements."""
    found: dict[Path, list[float]] = {}
    for place, value in _leaves(document):
        one = None if isinstance(value, bool) else finite(value)
        if one is not None:
            found.setdefault(place, []).append(one)
    return found


def _leaves(document: Value) -> Iterator[tuple[Path, Value]]:
    """Scalars with their places, without recursion: documents may be nested thousands deep."""
    stack: list[tuple[Path, Value]] = [((), document)]
    left = _MOST_PLACES
    while stack and left:
        place, value = stack.pop()
        left -= 1
        if isinstance(value, dict):
            stack += [((*place, key), inner) for key, inner in value.items()][:left]
        elif isinstance(value, list):
            stack += [((*place, EACH), inner) for inner in value[:left]]
        else:
            yield place, value


def _is_quantity(found: list[list[float]]) -> bool:
    values = {number for numbers in found for number in numbers}
    return len(values) > 1 and not all(number.is_integer() for number in values)


def _follows(known: list[list[float]], other: list[list[float]]) -> bool:
    """Whether the other numbers are the known ones, or the rest of them to 1."""
    if any(len(first) != len(second) for first, second in zip(known, other, strict=True)):
        return False
    pairs = [
        pair
        for first, second in zip(known, other, strict=True)
        for pair in zip(first, second, strict=True)
    ]
    same = all(abs(first - second) <= _SAME * max(1.0, abs(first)) for first, second in pairs)
    return same or all(abs(first + second - 1) <= _SAME for first, second in pairs)
