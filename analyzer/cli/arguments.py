"""What no argument of any command may be, said before a command starts: empty, or too long a name.

In: the words of a command line and the values they became. Out: what a value means.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from analyzer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_NAME, LONGEST_PATH = 255, 4_000
"""Bytes. No file system has longer names of files, and AWS none of what a path may hold; a path
made absolute has to stay below the system's 4,096."""
_NO_NAMES = frozenset({"assignments", "role_arn"})
_EMPTY_FLAG = re.compile(r"(--[a-z-]+)=")


class Command(TyperCommand):
    """A command whose arguments are looked at before it runs.

    Empty ones come from variables that a script forgot to set. Taken as they are, an empty path
    would be the present folder, and an empty name none.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer's own, not exported
        """Parse, and refuse what cannot be meant.

        Raises:
            UsageError: an argument is empty, or holds a name that is longer than any.
        """
        _require_words(args)
        rest = super().parse_args(ctx, args)
        for parameter in self.params:
            name = str(parameter.name)
            if name not in _NO_NAMES:
                flag = next((one for one in parameter.opts if one.startswith("--")), name.upper())
                for text in _texts(ctx.params.get(name)):
                    _require_names(flag, text)
        return rest


def _require_words(words: list[str]) -> None:
    before = ""
    for word in words:
        empty = _EMPTY_FLAG.fullmatch(word)
        if empty or not word:
            flag = empty[1] if empty else before if before.startswith("--") else "an argument"
            raise UsageError(f"{flag} is empty; give a value, or leave it out")
        before = word


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str | Path):
        yield str(value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _require_names(flag: str, text: str) -> None:
    if "://" in text:
        return
    whole = os.fsencode(text)
    if len(whole) > LONGEST_PATH:
        raise UsageError(f"{flag}: {len(whole)} bytes are longer than any path")
    longest = max(whole.split(b"/"), key=len)
    if len(longest) > LONGEST_NAME:
        start = os.fsdecode(longest[:20])
        raise UsageError(f"{flag}: a name of {len(longest)} bytes is longer than any: {start}...")
