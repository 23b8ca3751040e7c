"""Where outputs hold their predictions: the rules that know real containers' answers.

In: a sample of outputs, and the policy's path. Out: what is found there (`kinds`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.payloads.decoding import number
from analyzer.payloads.kinds import LISTS, TEXTS, list_kind
from analyzer.payloads.paths import EACH, follow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.payloads.decoding import Document, Value
    from analyzer.payloads.paths import Path

SCORES = ("score", "probability", "predicted_value", "prediction_score", "prediction", "value")
LABELS = ("predicted_label", "label", "predicted_class", "class")
_ROWS = ("predictions", "outputs", "results", "instances", "data")


def asked_path(documents: Sequence[Document], asked: Path) -> Path:
    """The policy's path, or the near miss that leads to more values.

    JSON Lines and single documents differ by a leading `[*]`, columns by a trailing one.
    """
    choices: list[Path] = [asked, (*asked, EACH)]
    if asked[:1] == (EACH,):
        choices += [asked[1:]]
    return max(choices, key=lambda path: sum(_scalars(json_values(documents, path))))


def of_lists(documents: Sequence[Document], path: Path | None, asked: str) -> Path | None:
    """The path to whole lists, where what lies in each is one prediction and not several.

    Either the policy says so, or every list of the sample is of shares of one, which the scores
    of several requests never are.
    """
    if path is None or path[-1:] != (EACH,) or asked not in {"auto", *LISTS}:
        return path
    lists = [value for value in json_values(documents, path[:-1]) if isinstance(value, list)]
    flat = [row for row in lists if row and all(number(cell) is not None for cell in row)]
    if not flat or len(flat) < len(lists):
        return path
    return path[:-1] if asked in LISTS or list_kind(flat) == "multiclass" else path


def _scalars(values: Iterable[Value]) -> list[bool]:
    return [not isinstance(value, dict | list) and value is not None for value in values]


def json_values(documents: Sequence[Document], path: Path) -> list[Value]:
    """What a path leads to, of all JSON documents."""
    return [
        value
        for document in documents
        if document.form == "json"
        for inner in document.values
        for value in follow(inner, path)
    ]


def values_of(documents: Sequence[Document], path: Path | None, column: int | None) -> list[Value]:
    """Every prediction of the sample, a CSV line of several numbers being a list."""
    values = [] if path is None else json_values(documents, path)
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


def csv_column(documents: Sequence[Document], asked: Path | None) -> int | None:
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


def json_place(documents: Sequence[Document], names: Sequence[str]) -> Path | None:
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
    for text_path in TEXTS:
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
