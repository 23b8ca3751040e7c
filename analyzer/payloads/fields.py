"""What every answer of production holds beside its prediction, and of what type.

In: the sampled outputs that are JSON. Out: holding every pair against it, which SQL does. A caller
reads more of an answer than its score, and a shadow whose every answer lacks a field breaks it. But
fields come and go in answers that are well: so a field is asked for where all sampled answers have
it, and its type may be any that one of them gave it. A place inside a list has no name of its own:
fields are reached by keys alone, from the document or from what holds one prediction each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.payloads.decoding import Value

LEAST_ANSWERS = 100
"""Of fewer nothing is said: a field of most answers would be in all of them."""
_MOST_FIELDS = 64
_SPELLED = re.compile(r'[^"\\*]+')  # what SQL's paths can spell
_KINDS = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}


@dataclass(frozen=True)
class Fields:
    """The fields that all of some objects have.

    Attributes:
        places: keys that lead to each, in the order of the first object.
        kinds: for each the JSON types it has, sorted.
    """

    places: tuple[tuple[str, ...], ...] = ()
    kinds: tuple[tuple[str, ...], ...] = ()

    @property
    def sql_paths(self) -> list[str]:
        """The places as SQL needs them."""
        return ["$" + "".join(f'."{key}"' for key in place) for place in self.places]

    @property
    def sql_kinds(self) -> list[list[str]]:
        """The types as SQL needs them."""
        return [list(kinds) for kinds in self.kinds]


NO_FIELDS = Fields()


def fields_of(objects: Sequence[Value]) -> Fields:
    """The fields that every one of these objects has; none where they are few.

    >>> fields_of([{"score": 0.5, "meta": {"id": 1}}, {"score": 1, "why": None}] * 50)
    Fields(places=(('score',),), kinds=(('number',),))
    """
    if len(objects) < LEAST_ANSWERS:
        return NO_FIELDS
    held = [dict(_leaves(value)) if isinstance(value, dict) else {} for value in objects]
    shared = [place for place in held[0] if all(place in one for one in held)][:_MOST_FIELDS]
    kinds = tuple(tuple(sorted({one[place] for one in held})) for place in shared)
    return Fields(tuple(shared), kinds)


def _leaves(
    value: dict[str, Value], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every place of an object that is none itself, with the type of what is there."""
    for key, inner in value.items():
        if not _SPELLED.fullmatch(key):
            continue
        place = (*above, key)
        if isinstance(inner, dict):
            yield from _leaves(inner, place)
        else:
            yield place, "null" if inner is None else _KINDS[type(inner)]
