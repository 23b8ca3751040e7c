"""Lines on stderr: notes and errors for a person, or as JSON Lines where a log collector reads.

In: what is to be said. Out: one line of text. The form is known from the raw arguments, so that a
mistake in them, and a signal, are said in the form that was asked for.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from analyzer.report.plain_text import clean, printed_json

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG_FORMAT = "--log-format"


class LogFormat(StrEnum):
    """What stderr carries."""

    TEXT = "text"
    JSON = "json"


def asked_format(arguments: Sequence[str]) -> LogFormat:
    """The form a command line asks for, whether or not the rest of it can be parsed.

    >>> asked_format(["run", "--bogus", "--log-format", "json"]).value
    'json'
    """
    asked = LogFormat.TEXT
    for number, argument in enumerate(arguments):
        if argument == "--":
            break
        named = argument == LOG_FORMAT and arguments[number + 1 : number + 2] == [LogFormat.JSON]
        if named or argument == f"{LOG_FORMAT}={LogFormat.JSON}":
            asked = LogFormat.JSON
        elif argument.startswith(LOG_FORMAT):
            asked = LogFormat.TEXT
    return asked


def line(level: str, text: str, form: LogFormat | None = None, **fields: object) -> str:
    """One line without its end.

    Args:
        level: `note`, `error`, `progress`.
        text: what is said.
        form: as asked on the command line where it is not given.
        fields: what a collector wants beside the text; a person reads the text alone.
    """
    if (form or asked_format(sys.argv[1:])) is LogFormat.TEXT:
        return "\n".join(clean(part) for part in f"{level}: {text}".split("\n"))
    import json

    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = {"time": at, "level": level, "text": text, **fields}
    return printed_json(json.dumps(said, ensure_ascii=False))
