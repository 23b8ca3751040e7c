"""What a prediction is: its kind and its place, from a sample of production's outputs.

In: the rules that turn real containers' answers into scores, labels, vectors or text. Out: reading
all outputs. Where the rules cannot decide, the kind is "json" and a note names the policy key.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from analyzer.figures import counted
from analyzer.model import Note
from analyzer.payloads.decoding import Document, finite, number, parse
from analyzer.payloads.elsewhere import numbers_elsewhere
from analyzer.payloads.fields import NO_FIELDS, Fields, fields_of
from analyzer.payloads.paths import (
    EACH,
    Path,
    follow,
    json_path,
    parse_path,
    row_path,
    show_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.payloads.decoding import Value
    from analyzer.policy import Predictions

Kind = Literal["probability", "regression", "label", "multiclass", "vector", "json", "text"]

_ROWS = ("predictions", "outputs", "results", "instances", "data")
_SCORES = ("score", "probability", "predicted_value", "prediction_score", "prediction", "value")
_LABELS = ("predicted_label", "label", "predicted_class", "class")
_TEXTS: tuple[Path, ...] = (
    ("generated_text",),
    (EACH, "generated_text"),
    ("choices", EACH, "message", "content"),
    ("choices", EACH, "text"),
    ("completion",),
)
_LISTS = frozenset({"multiclass", "vector"})
_QUANTITIES = frozenset({"probability", "regression"})
_NAMED_PLACES = 5
_FEW_LABELS = 20
_LABEL_LENGTH = 64
_SUM_SLACK = 1e-3
_INEXACT = 1 << 53  # from here on a double is not every whole number


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
    """

    kind: Kind
    path: Path | None = None
    csv_column: int | None = None
    notes: tuple[Note, ...] = ()
    document_fields: Fields = NO_FIELDS
    row_fields: Fields = NO_FIELDS

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
    prefer = _LABELS + _SCORES if rules.kind == "label" else _SCORES + _LABELS
    path = _asked_path(documents, asked) if asked is not None else _json_place(documents, prefer)
    path = _of_lists(documents, path, rules.kind)
    column = _csv_column(documents, asked)
    values = list(_values(documents, path, column))
    kind = _kind(values, documents, path) if rules.kind == "auto" else rules.kind
    if asked is None and path is not None and kind in _QUANTITIES:
        others = numbers_elsewhere(_json_values(documents, ()), path)
        if others:
            return OutputShape("json", notes=(_several(len(documents), [path, *others]),))
    shape = _described(kind, path, column, rules, len(documents))
    if path is None or kind in {"json", "text"}:
        return shape
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

    Labels among it are compared (`judged`) where the policy names no place.
    """
    path = shape.path or ()
    rows = row_path(path)
    keys = tuple(step for step in path if step != EACH)
    of_documents = fields_of(_json_values(documents, ()), but=keys, judged=judged)
    of_rows = NO_FIELDS
    if rows:
        of_rows = fields_of(_json_values(documents, rows), but=path[len(rows) :], judged=judged)
    beside = [*of_documents.beside, *of_rows.beside]
    labels = [*of_documents.labels, *of_rows.labels]
    notes = (*shape.notes, *((_beside(beside, labels),) if beside else ()))
    return replace(shape, document_fields=of_documents, row_fields=of_rows, notes=notes)


def _beside(places: Sequence[tuple[str, ...]], labels: Sequence[tuple[str, ...]]) -> Note:
    return Note(
        code="fields-uncompared",
        text=f"answers also hold {_named_places(places)}: that they are there and of which type "
        f"is compared, their values are not{_but_for(labels)} (predictions.path names one, "
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


def _but_for(labels: Sequence[tuple[str, ...]]) -> str:
    return f", but for {_named_places(labels)}" if labels else ""


def _named_places(places: Sequence[Path]) -> str:
    named = ", ".join(map(show_path, places[:_NAMED_PLACES]))
    return named + (f" and {len(places) - _NAMED_PLACES} more" if places[_NAMED_PLACES:] else "")


def _note(code: str, kind: str) -> Note:
    return Note(code=code, text=f"outputs are compared as {kind}, as predictions.kind says")


def _asked_path(documents: Sequence[Document], asked: Path) -> Path:
    """The policy's path, or the near miss that leads to more values.

    JSON Lines and single documents differ by a leading `[*]`, columns by a trailing one.
    """
    choices: list[Path] = [asked, (*asked, EACH)]
    if asked[:1] == (EACH,):
        choices += [asked[1:]]
    return max(choices, key=lambda path: sum(_scalars(_json_values(documents, path))))


def _of_lists(documents: Sequence[Document], path: Path | None, asked: str) -> Path | None:
    """The path to whole lists, where what lies in each is one prediction and not several.

    Either the policy says so, or every list of the sample is of shares of one, which the scores
    of several requests never are.
    """
    if path is None or path[-1:] != (EACH,) or asked not in {"auto", *_LISTS}:
        return path
    lists = [value for value in _json_values(documents, path[:-1]) if isinstance(value, list)]
    flat = [row for row in lists if row and all(number(cell) is not None for cell in row)]
    if not flat or len(flat) < len(lists):
        return path
    return path[:-1] if asked in _LISTS or _list_kind(flat) == "multiclass" else path


def _scalars(values: Iterable[Value]) -> list[bool]:
    return [not isinstance(value, dict | list) and value is not None for value in values]


def _json_values(documents: Sequence[Document], path: Path) -> list[Value]:
    return [
        value
        for document in documents
        if document.form == "json"
        for inner in document.values
        for value in follow(inner, path)
    ]


def _values(documents: Sequence[Document], path: Path | None, column: int | None) -> list[Value]:
    """Every prediction of the sample, a CSV line of several numbers being a list."""
    values = [] if path is None else _json_values(documents, path)
    for document in documents:
        if document.form == "csv":
            values += [_line_value(row, column) for row in document.values]
    return values


def _line_value(row: Value, column: int | None) -> Value:
    if not isinstance(row, list):
        return row
    if column is not None:
        return row[column - 1] if column <= len(row) else None
    if len(row) == 1:
        return row[0]
    return row if all(number(cell) is not None for cell in row) else ",".join(map(str, row))


def _csv_column(documents: Sequence[Document], asked: Path | None) -> int | None:
    """The column the policy names as `[*][2]` or `[2]`, else the only numeric one of several."""
    if asked is not None and asked and isinstance(asked[-1], int) and set(asked[:-1]) <= {EACH}:
        return asked[-1] + 1
    rows = [row for document in documents if document.form == "csv" for row in document.values]
    widths = {len(row) for row in rows if isinstance(row, list)}
    if len(widths) != 1 or widths == {1}:
        return None
    numeric = [
        place
        for place in range(widths.pop())
        if all(isinstance(row, list) and number(row[place]) is not None for row in rows)
    ]
    return numeric[0] + 1 if len(numeric) == 1 else None


def _json_place(documents: Sequence[Document], names: Sequence[str]) -> Path | None:
    """Where most JSON documents of the sample hold their predictions."""
    places = Counter(
        _locate(inner, names)
        for document in documents
        if document.form == "json"
        for inner in document.values
    )
    if not places:
        return None
    place, count = max(places.items(), key=lambda item: (item[1], str(item[0])))
    return place if 2 * count > places.total() else None


def _locate(document: Value, names: Sequence[str]) -> Path | None:
    """Where one document holds its predictions; None where no rule knows.

    >>> _locate({"predictions": [{"score": 0.9, "predicted_label": 1}]}, ("score",))
    ('predictions', '[*]', 'score')
    """
    for text_path in _TEXTS:
        if any(isinstance(value, str) for value in follow(document, text_path)):
            return text_path
    if isinstance(document, list):
        return _locate_rows((EACH,), document, names)
    return _locate_named(document, names) if isinstance(document, dict) else ()


def _locate_named(document: dict[str, Value], names: Sequence[str]) -> Path | None:
    """Where an object holds its predictions: under a list of rows, else under a known name."""
    for key in (*_ROWS, *_only_key(document)):
        rows = document.get(key)
        if isinstance(rows, list):
            return _locate_rows((key, EACH), rows, names)
    return _named(document, names)


def _locate_rows(place: Path, rows: list[Value], names: Sequence[str]) -> Path | None:
    """Where each of several rows holds its prediction."""
    if not rows:
        return None
    first = rows[0]
    if isinstance(first, dict):
        if isinstance(first.get("label"), str) and "score" in first:
            # the score of a named label says nothing without the label
            return (*place, "label")
        named = _named(first, names)
        return None if named is None else (*place, *named)
    if isinstance(first, list) and all(isinstance(row, list) and len(row) == 1 for row in rows):
        return (*place, 0)
    return place


def _named(document: dict[str, Value], names: Sequence[str]) -> Path | None:
    """The first known name that holds a scalar, else the only name there is."""
    for name in (*names, *_only_key(document)):
        if name in document and not isinstance(document[name], dict | list):
            return (name,)
    return None


def _only_key(document: dict[str, Value]) -> list[str]:
    """The key of an object that has one, unless SQL's paths cannot spell it."""
    return [key for key in document if len(document) == 1 and key and '"' not in key]


def _kind(values: Sequence[Value], documents: Sequence[Document], path: Path | None) -> Kind:
    """What most values are."""
    if path in _TEXTS:
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
        return _list_kind(lists)
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


def _list_kind(lists: Sequence[list[Value]]) -> Kind:
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
