"""Addresses where only a path can stand: told from paths, and what to do instead.

In: what a flag or argument was given. Out: the S3 addresses that are read (`sources`).
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from analyzer.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_ADDRESS = re.compile(r"(?:\w+=)?([a-z][a-z0-9+.-]+:)//?(.+)", re.DOTALL)
"""`pathlib` makes one slash of two, and an export may begin with its `role=`."""
_S3 = "s3://"


def address(given: str | Path) -> str | None:
    """The address that was given for a path; None where it is a path.

    >>> from pathlib import Path
    >>> address(Path("s3://bucket/bundle")), address("shadow=s3://bucket/x"), address("a/b")
    ('s3://bucket/bundle', 's3://bucket/x', None)
    """
    match = _ADDRESS.fullmatch(str(given))
    return None if match is None else f"{match[1]}//{match[2]}"


def refuse_writing(given: str | Path, flag: str, what: str, *, file: bool = False) -> None:
    """Refuse to write to an address, which as a path would be a folder called `s3:`.

    Args:
        given: what was given.
        flag: where, such as `--out`; empty for an argument.
        what: what is written, such as `a bundle`.
        file: whether it is one file rather than a folder.

    Raises:
        UsageError: it is an address; says how to copy what is written.
    """
    to = address(given)
    if to is None:
        return
    place = "file" if file else "folder"
    text = f"{flag} {to}: ".lstrip() + f"{what} is written to a {place}"
    if to.startswith(_S3):
        text += f"; copy it afterwards: {_copy(place.upper(), to, file=file)}"
    raise UsageError(text)


def refuse_reading(given: str | Path, flag: str, what: str, *, file: bool = False) -> None:
    """Refuse to read what is read from the disk alone; as `refuse_writing`.

    What has an ending, such as `.json`, is taken for a file.
    """
    source = address(given)
    if source is None:
        return
    file = file or bool(PurePosixPath(source).suffix)
    place = "file" if file else "folder"
    text = f"{flag} {source}: ".lstrip() + f"{what} is read from a {place} on this machine"
    if source.startswith(_S3):
        text += f"; copy it first: {_copy(source, place.upper(), file=file)}"
    raise UsageError(text)


def _copy(source: str, to: str, *, file: bool) -> str:
    return f"aws s3 cp {'' if file else '--recursive '}{source} {to}"
