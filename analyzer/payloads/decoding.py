"""One captured output, read in Python: NumPy arrays, loose BASE64, JSON, JSON Lines, CSV.

In: what the detection sample and rare encodings need. Out: the bulk of outputs, which SQL reads
by the same rules. Nothing here unpickles, and a content type is never believed: bytes are.
"""

from __future__ import annotations

import ast
import base64
import binascii
import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

NPY_MAGIC = b"\x93NUMPY"
_NPY_HEADER_LIMIT = 10_000
_PLAIN_DTYPE = re.compile(r"[<>|](b1|[iu][1248]|f[248]|[SU][1-9]\d{0,5})")
_MOST_AXES = 32
_DOUBLE_BYTES = 8

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True)
class Document:
    """One output, understood as far as its bytes allow.

    Attributes:
        form: "json" holds a list of documents (JSON Lines: one a line), "csv" a list of rows of
            cells, "text" nothing but the text itself.
    """

    form: Literal["json", "csv", "text"]
    values: list[Value]


def parse(text: str) -> Document:
    r"""What an output's trimmed text is: JSON, JSON Lines, CSV, or plain text.

    >>> parse('{"score": 0.5}\n{"score": 0.25}').values
    [{'score': 0.5}, {'score': 0.25}]
    >>> parse("0.5\n0.25\n").values
    [['0.5'], ['0.25']]
    """
    if text.startswith(("{", "[")):
        documents = _json_documents(text)
        return Document("text", [text]) if documents is None else Document("json", documents)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    rows: list[Value] = [[cell.strip(' "\r\t') for cell in line.split(",")] for line in lines]
    return Document("csv", rows)


def decode_binary(data: str) -> str | None:
    """The text of a BASE64 output that SQL cannot read; None where there is none.

    A NumPy array becomes the JSON text of its nested lists, so that it compares like the JSON
    that another container would have answered.
    """
    raw = _loose_base64(data)
    if raw is None:
        return None
    if raw.startswith(NPY_MAGIC):
        return _array_text(raw)
    try:
        return raw.decode().strip()
    except UnicodeDecodeError:
        return None


def number(value: Value) -> float | None:
    """The float a scalar is, as SQL's `try_cast` sees it; None for anything else.

    >>> number("0.5"), number(True), number("churn")
    (0.5, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def finite(value: Value) -> float | None:
    """`number`, when it is a finite one."""
    found = number(value)
    return found if found is not None and math.isfinite(found) else None


def _json_documents(text: str) -> list[Value] | None:
    whole = _loads(text)
    if whole is not _BAD:
        return [whole]  # type: ignore[list-item] # the sentinel is excluded on the line above
    lines = [_loads(line) for line in text.split("\n") if line.strip()]
    if any(line is _BAD for line in lines):
        return None
    return lines  # type: ignore[return-value] # the sentinel is excluded on the line above


_BAD = object()


def _loads(text: str) -> object:
    """Parsed JSON, or `_BAD`; None is a document of its own."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _BAD


def _loose_base64(data: str) -> bytes | None:
    """Bytes of BASE64 with line breaks or without padding, standard or URL alphabet."""
    compact = "".join(data.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _array_text(raw: bytes) -> str | None:
    """JSON text of a NumPy file; None for objects, structures, or a file cut short."""
    import numpy as np

    start = _header_end(raw)
    layout = _layout(raw[:start])
    if layout is None:
        return None
    count = math.prod(layout.shape)
    if count == 0 or len(raw) - start < count * layout.dtype.itemsize:
        return "[]" if count == 0 else None
    flat = np.frombuffer(raw, layout.dtype, count, start)
    if layout.dtype.kind == "S":
        flat = np.char.decode(flat, "latin-1")
    if layout.dtype.kind == "f" and layout.dtype.itemsize < _DOUBLE_BYTES:
        # the shortest text of the narrow float, as a text-based container would print it
        flat = np.array([float(str(number)) for number in flat])
    array = flat.reshape(layout.shape, order=layout.order)
    try:
        return json.dumps(array.tolist() if array.ndim else [array.item()])
    except ValueError:  # text that holds a number beyond Unicode
        return None


@dataclass(frozen=True)
class _Layout:
    """What the header of a NumPy file says of the bytes after it."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Literal["C", "F"]


def _header_end(raw: bytes) -> int:
    """Where the numbers begin: magic, two bytes of version, a length, and the header it gives."""
    digits = 2 if raw[6:7] == b"\x01" else 4
    return 8 + digits + int.from_bytes(raw[8 : 8 + digits], "little")


@lru_cache(maxsize=1_024)
def _layout(header: bytes) -> _Layout | None:
    """A header, read once for all arrays of one shape; None where it holds no plain numbers.

    Stricter than `numpy.load`, whose reader of old headers raises whatever a tokenizer raises.
    """
    import numpy as np

    if len(header) > _NPY_HEADER_LIMIT:
        return None
    try:
        said = ast.literal_eval(header[header.find(b"{") :].decode("latin-1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    kind, shape, by_column = (said.get(key) for key in ("descr", "shape", "fortran_order"))
    plain = isinstance(kind, str) and _PLAIN_DTYPE.fullmatch(kind)
    if not plain or not isinstance(shape, tuple) or len(shape) > _MOST_AXES:
        return None
    if not all(isinstance(size, int) and size >= 0 for size in shape):
        return None
    return _Layout(np.dtype(kind), shape, "F" if by_column else "C")
