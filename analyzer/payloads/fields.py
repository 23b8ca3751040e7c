"""What every answer of production holds beside its prediction, and of what type.

In: the sampled outputs that are JSON. Out: holding every pair against it, which SQL does. A caller
reads more of an answer than its score, and a shadow whose every answer lacks a field breaks it. But
fields come and go in answers that are well: so a field is asked for where all sampled answers have
it, and its type may be any that one of them gave it. A place inside a list has no name of its own:
fields are reached by keys alone, from the document or from what holds one prediction each.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.payloads.decoding import Value
    from analyzer.payloads.paths import Step

_LEAST_ANSWERS = 100
"""Of fewer nothing is said: a field of most answers would be in all of them."""
_MOST_FIELDS = 64
_MOST_LABELS = 20
_LONGEST_LABEL = 64
_SPELLED = re.compile(r'[^"\\*]+')  # what SQL's paths can spell
_KINDS = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}


@dataclass(frozen=True)
class Fields:
    """The fields that all of some objects have.

    Attributes:
        places: keys that lead to each, in the order of the first object.
        kinds: for each the JSON types it has, sorted.
        beside: those that are not the prediction's own.
        labels: those of `beside` that say one of a few things again and again, as a decision does.
    """

    places: tuple[tuple[str, ...], ...] = ()
    kinds: tuple[tuple[str, ...], ...] = ()
    beside: tuple[tuple[str, ...], ...] = ()
    labels: tuple[tuple[str, ...], ...] = ()

    @property
    def sql_paths(self) -> list[str]:
        """The places as SQL needs them."""
        return _sql_paths(self.places)

    @property
    def sql_labels(self) -> list[str]:
        """The labels as SQL needs them."""
        return _sql_paths(self.labels)

    @property
    def sql_kinds(self) -> list[list[str]]:
        """The types as SQL needs them."""
        return [list(kinds) for kinds in self.kinds]


NO_FIELDS = Fields()


def fields_of(objects: Sequence[Value], *, but: Sequence[Step] = (), judged: bool = True) -> Fields:
    """The fields that every one of these objects has; none where they are few.

    Args:
        objects: of one sample; what is no object has no field.
        but: keys that lead to the prediction.
        judged: whether labels among them are to be found.

    >>> fields_of([{"score": 0.5, "meta": {"id": 1}}, {"score": 1, "why": None}] * 50).places
    (('score',),)
    """
    if len(objects) < _LEAST_ANSWERS:
        return NO_FIELDS
    held = [dict(_leaves(value)) if isinstance(value, dict) else {} for value in objects]
    places = [place for place in held[0] if all(place in one for one in held)][:_MOST_FIELDS]
    kinds = tuple(tuple(sorted({_kind(one[place]) for one in held})) for place in places)
    beside = tuple(place for place in places if place != tuple(but)[: len(place)])
    labels = tuple(place for place in beside if judged and _is_label([one[place] for one in held]))
    return Fields(tuple(places), kinds, beside, labels)


def _is_label(values: Sequence[Value]) -> bool:
    """Whether a field says one of a few things: more than one, and each of them often.

    What never changes, as a version, and what hardly repeats, as an ID, is none.
    """
    said = Counter(f"{value}" for value in values)
    often = sum(count for count in said.values() if count > 1)
    return (
        1 < len(said) <= _MOST_LABELS
        and 2 * often > len(values)
        and all(isinstance(value, bool | int | str | None) for value in values)
        and all(len(text) <= _LONGEST_LABEL for text in said)
    )


def _leaves(
    value: dict[str, Value], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Value]]:
    """Every place of an object that is no object itself, with what is there."""
    for key, inner in value.items():
        if not _SPELLED.fullmatch(key):
            continue
        place = (*above, key)
        if isinstance(inner, dict):
            yield from _leaves(inner, place)
        else:
            yield place, inner


def _kind(value: Value) -> str:
    return "null" if value is None else _KINDS[type(value)]


def _sql_paths(places: Sequence[tuple[str, ...]]) -> list[str]:
    return ["$" + "".join(f'."{key}"' for key in place) for place in places]
