"""Anyone's text as text: no control character moves a cursor, and no CI system obeys it.

In: one string. Out: what a sink of its own (HTML, Markdown, a spreadsheet) needs beside that.
"""

from __future__ import annotations

import re

BREAK = "\u200b"
"""A character of no width: what it stands in is read as before and found by nobody."""
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069"
    r"\ud800-\udfff\ufffe\uffff]+"
)
# Azure Pipelines looks for its commands anywhere in a line, GitHub for those of old in that way too
# and for the others where a line begins, which a line may do wherever it is broken.
_COMMAND = re.compile(r"(?<=##)(?=\[|vso\[)|(?<=(?<!\S):)(?=:\w)", re.IGNORECASE)
_IN_JSON = re.compile(r"#(?=\[|vso\[)", re.IGNORECASE)


def clean(text: str) -> str:
    r"""Text without control characters, line breaks, direction overrides or what is no character.

    >>> clean("a\x1b[31mb\nc")
    'a [31mb c'
    >>> clean("##vso[task.complete]"), clean("::error::x"), clean("std::map")
    ('##\u200bvso[task.complete]', ':\u200b:error::x', 'std::map')
    """
    return _COMMAND.sub(BREAK, _CONTROL.sub(" ", text))


def unbroken(text: str) -> str:
    r"""Text whose numbers no line breaks within, nor between them and their unit.

    For windows that wrap lines; what is copied from there to be searched for must stay as it is.

    >>> unbroken("86 480 pairs, 95 % of 1 032.7 ms; 12 requests")
    '86\xa0480 pairs, 95\xa0% of 1\xa0032.7\xa0ms; 12 requests'
    """
    return _WITHIN.sub("\xa0", text)


_WITHIN = re.compile(r"(?<=\d) (?=\d{3}(?!\d)|(?:%|(?:pp|ms|s|h|[kMGTP]?B)\b))")


def printed_json(text: str) -> str:
    r"""JSON that says the same and holds no command for the system that reads the log.

    A line of JSON begins with none of GitHub's, because strings are quoted.

    >>> printed_json('{"##vso[x]": "#[y]"}')
    '{"#\\u0023vso[x]": "\\u0023[y]"}'
    """
    return _IN_JSON.sub(r"\\u0023", text)
