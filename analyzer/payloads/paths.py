"""Where a prediction is inside an output: paths such as `predictions[*].score`.

In: reading a path, following it in Python, writing it for DuckDB. Out: guessing one.
A path is a tuple of steps: a key, an index, or EACH for every element of a list.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from analyzer.errors import PolicyError

if TYPE_CHECKING:
    from analyzer.payloads.decoding import Value

EACH: Final = "[*]"
Step = str | int
Path = tuple[Step, ...]

_STEP = re.compile(
    r"""\.?(?P<key>[A-Za-z_][\w-]*) | \[(?P<index>\d+)\] | (?P<each>\[\*\])
        | \.?\[?"(?P<quoted>[^"\\]+)"\]?""",
    re.VERBOSE,
)


def parse_path(text: str, key: str = "predictions.path") -> Path:
    """The steps of a path from the policy, where it stands under `key`.

    >>> parse_path("predictions[*].score")
    ('predictions', '[*]', 'score')

    Raises:
        PolicyError: the text is not a path.
    """
    rest = text.removeprefix("$")
    steps: list[Step] = []
    position = 0
    while position < len(rest):
        match = _STEP.match(rest, position)
        if match is None:
            raise PolicyError(
                f"{key}: cannot be read at {rest[position:]!r}; "
                "expected something like predictions[*].score"
            )
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def show_path(path: Path) -> str:
    """A path as a person writes it; empty for the whole document."""
    parts = [_shown(step) for step in path]
    return "".join(parts).removeprefix(".")


def json_path(path: Path) -> str:
    """A path as DuckDB writes it, into a list that holds the documents.

    >>> json_path(("predictions", "[*]", "score"))
    '$[*]."predictions"[*]."score"'
    """
    return "$[*]" + "".join(_sql_step(step) for step in path)


def row_path(path: Path) -> Path:
    """The part of a path up to its last EACH: what holds one prediction each."""
    places = [place for place, step in enumerate(path) if step == EACH]
    return path[: places[-1] + 1] if places else ()


def follow(document: Value, path: Path) -> list[Value]:
    """Every value a path leads to; empty where it leads nowhere."""
    found = [document]
    for step in path:
        found = [inner for value in found for inner in _inside(value, step)]
    return found


def _step(match: re.Match[str]) -> Step:
    if match["each"]:
        return EACH
    return int(match["index"]) if match["index"] else match["key"] or match["quoted"]


def _shown(step: Step) -> str:
    if step == EACH:
        return EACH
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if re.fullmatch(r"[A-Za-z_][\w-]*", step) else f"[{json.dumps(step)}]"


def _sql_step(step: Step) -> str:
    if step == EACH:
        return EACH
    return f"[{step}]" if isinstance(step, int) else f'."{step}"'


def _inside(value: Value, step: Step) -> list[Value]:
    if step == EACH:
        return value if isinstance(value, list) else []
    if isinstance(step, int):
        return [value[step]] if isinstance(value, list) and step < len(value) else []
    return [value[step]] if isinstance(value, dict) and step in value else []
