"""What a prediction is: its kind and its place, from a sample of production's outputs.

In: the rules that turn real containers' answers into scores, labels, vectors or text. Out: reading
all outputs. Where the rules cannot decide, the kind is "json" and a note names the policy key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzer.figures import counted
from analyzer.model import Note
from analyzer.payloads.decoding import parse
from analyzer.payloads.elsewhere import numbers_elsewhere
from analyzer.payloads.fields import NO_FIELDS, Fields, fields_of
from analyzer.payloads.kinds import kind_of
from analyzer.payloads.paths import (
    EACH,
    Path,
    json_path,
    parse_path,
    row_path,
    show_path,
)
from analyzer.payloads.places import (
    LABELS,
    SCORES,
    asked_path,
    csv_column,
    json_place,
    json_values,
    of_lists,
    values_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.payloads.decoding import Document
    from analyzer.payloads.kinds import Kind
    from analyzer.policy import Predictions

_QUANTITIES = frozenset({"probability", "regression"})
_NUMBERS_OF_A_LABEL = 1
"""Its score; more numbers beside a label, as the box of a detected object, are answers, too."""
_NAMED_PLACES = 5


@dataclass(frozen=True)
class OutputShape:
    """Where predictions are and what they mean.

    Attributes:
        kind: how predictions are compared.
        path: place in a JSON output; None where the document as a whole is compared.
        csv_column: 1-based column of a CSV line; None for the whole line.
        notes: how the shape was found, and what to set where it was not.
        document_fields: what every JSON output has.
        row_fields: what everything has that holds one prediction of several.
        number: place of the one quantity beside labels, where the policy names no place.
    """

    kind: Kind
    path: Path | None = None
    csv_column: int | None = None
    notes: tuple[Note, ...] = ()
    document_fields: Fields = NO_FIELDS
    row_fields: Fields = NO_FIELDS
    number: Path | None = None

    @property
    def sql_number(self) -> str | None:
        """The place of the quantity beside labels as SQL needs it."""
        return None if self.number is None else json_path(self.number)

    @property
    def shown_path(self) -> str | None:
        """The path as the policy writes it."""
        return None if self.path is None else show_path(self.path)

    @property
    def sql_path(self) -> str | None:
        """The path as SQL needs it."""
        return None if self.path is None else json_path(self.path)

    @property
    def sql_rows(self) -> str | None:
        """The path of what holds one prediction each, as SQL needs it."""
        return None if self.path is None else json_path(row_path(self.path))

    @property
    def sql_key(self) -> str | None:
        """The key that holds a prediction, as JSON writes it; None where no key does."""
        last = self.path[-1] if self.path else EACH
        if last == EACH or isinstance(last, int):
            return None
        return json.dumps(last, ensure_ascii=False)

    @property
    def sql_owners(self) -> str:
        """The path of what holds that key, as SQL needs it."""
        return json_path(self.path[:-1] if self.path else ())


def detect(sample: Sequence[str], rules: Predictions) -> OutputShape:
    """The shape of production's outputs: the policy's word, else the sample's.

    Raises:
        PolicyError: `predictions.path` is not a path.
    """
    documents = [parse(text) for text in sample if text]
    asked = None if rules.path is None else parse_path(rules.path)
    if rules.kind == "json" or not documents:
        return OutputShape("json", notes=(_note("kind-from-policy", "json"),) * bool(documents))
    if rules.kind == "text":
        return OutputShape("text", asked, notes=(_note("kind-from-policy", "text"),))
    prefer = LABELS + SCORES if rules.kind == "label" else SCORES + LABELS
    path = asked_path(documents, asked) if asked is not None else json_place(documents, prefer)
    path = of_lists(documents, path, rules.kind)
    column = csv_column(documents, asked)
    values = list(values_of(documents, path, column))
    kind = kind_of(values, documents, path) if rules.kind == "auto" else rules.kind
    others: list[Path] = []
    if asked is None and path is not None and kind in {*_QUANTITIES, "label"}:
        others = numbers_elsewhere(json_values(documents, ()), path)
        if len(others) > (_NUMBERS_OF_A_LABEL if kind == "label" else 0):
            places = [path, *others] if kind in _QUANTITIES else others
            return OutputShape("json", notes=(_several(len(documents), places),))
    shape = _described(kind, path, column, rules, len(documents))
    if path is None or kind in {"json", "text"}:
        return shape
    shape = replace(shape, number=others[0] if others else None)
    return _with_fields(shape, documents, judged=asked is None)


def _described(
    kind: Kind, path: Path | None, column: int | None, rules: Predictions, sampled: int
) -> OutputShape:
    """The shape with the note that says how it was found."""
    if kind == "json":
        return OutputShape("json", notes=(_undecided(sampled),))
    where = f" at {show_path(path)}" if path else ""
    given = [key for key in ("kind", "path") if getattr(rules, key) not in {"auto", None}]
    how = f"policy: {', '.join(given)}" if given else "set predictions.kind or .path to change it"
    text = f"{counted(sampled, 'sampled output')} read as {kind}{where} ({how})"
    # a path into documents that none of the sample holds still finds one where another answers
    place = () if path is None and kind != "text" else path
    return OutputShape(kind, place, column, (Note(code="output-kind", text=text),))


def _with_fields(shape: OutputShape, documents: Sequence[Document], *, judged: bool) -> OutputShape:
    """The same with what answers hold beside their predictions, and a note of it.

    Labels among it are compared (`judged`) where the policy names no place, and so is a number.
    """
    path = shape.path or ()
    rows = row_path(path)
    keys = tuple(step for step in path if step != EACH)
    of_documents = fields_of(json_values(documents, ()), but=keys, judged=judged)
    of_rows = NO_FIELDS
    if rows:
        of_rows = fields_of(json_values(documents, rows), but=path[len(rows) :], judged=judged)
    beside = [*of_documents.beside, *of_rows.beside]
    compared = {*of_documents.labels, *of_rows.labels}
    if shape.number is not None:
        compared |= {place for place in beside if shape.number[-len(place) :] == place}
    named = [place for place in beside if place in compared]
    notes = (*shape.notes, *((_beside(beside, named),) if beside else ()))
    return replace(shape, document_fields=of_documents, row_fields=of_rows, notes=notes)


def _beside(places: Sequence[tuple[str, ...]], compared: Sequence[tuple[str, ...]]) -> Note:
    return Note(
        code="fields-uncompared",
        text=f"answers also hold {_named_places(places)}: that they are there and of which type "
        f"is compared, their values are not{_but_for(compared)} (predictions.path names one, "
        'predictions.kind = "json" compares whole documents)',
    )


def _undecided(sampled: int) -> Note:
    return Note(
        code="output-kind-undecided",
        text=f"no number or label was found in most of {counted(sampled, 'sampled output')}; set "
        "predictions.path (and predictions.kind) in the policy to name it",
    )


def _several(sampled: int, places: Sequence[Path]) -> Note:
    return Note(
        code="output-kind-undecided",
        text=f"{counted(sampled, 'sampled output')} hold several numbers "
        f"({_named_places(places)}): set predictions.path in the policy to the one that decides",
    )


def _but_for(compared: Sequence[tuple[str, ...]]) -> str:
    return f", but for {_named_places(compared)}" if compared else ""


def _named_places(places: Sequence[Path]) -> str:
    named = ", ".join(map(show_path, places[:_NAMED_PLACES]))
    return named + (f" and {len(places) - _NAMED_PLACES} more" if places[_NAMED_PLACES:] else "")


def _note(code: str, kind: str) -> Note:
    return Note(code=code, text=f"outputs are compared as {kind}, as predictions.kind says")
