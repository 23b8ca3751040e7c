"""Which files to read, and their bytes: files, folders and `role=path` as the user gave them.

In: finding, opening and decompressing. Out: what the bytes mean. A file the user names must be
readable; one merely found in a folder is counted when it is not, or when it is hidden.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.cloudwatch.naming import ROLE_WORDS
from analyzer.errors import AccessError, InputError
from analyzer.sources.local import entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.sources.objects import Entry

_GZIP = b"\x1f\x8b"
_GZIP_ONLY = zlib.MAX_WBITS | 16
_BLOCK = 1 << 16
_FREE = 64 << 20
"""Decompressed bytes below which no ratio is asked for."""
_RATIO = 200
"""Metric rows compress 10 to 60 times; a gzip bomb does a thousand times."""
_LARGEST = 2 << 30

_ROLE_PREFIX = re.compile(rf"({'|'.join(ROLE_WORDS)})=(.+)", re.DOTALL)


class Unreadable(ValueError):  # noqa: N818 - a reason, turned into an error or a count by the caller
    """The file's bytes cannot be had; the message says why."""


@dataclass(frozen=True)
class ExportFile:
    """One file that may hold metrics.

    Attributes:
        name: what messages call it: as the user gave it, or relative to the folder given.
        role: the role the user gave with `role=path`.
        given: whether the user named this very file, rather than a folder it is in.
        origin: which of the paths given it comes from, counted from 0.
        left_out: why nobody is to read it, "hidden" or "not-a-file"; None where it is to be read.
    """

    path: Path
    name: str
    role: str | None = None
    given: bool = True
    origin: int = 0
    left_out: str | None = None

    def head(self) -> bytes:
        """The first bytes, decompressed; an export shows in them what it is.

        Raises:
            Unreadable: damaged gzip.
            AccessError: the operating system refuses a file the user named.
        """
        data = self._bytes(_BLOCK)
        if not data.startswith(_GZIP):
            return data
        try:
            return zlib.decompressobj(wbits=_GZIP_ONLY).decompress(data, _BLOCK)
        except zlib.error as error:
            raise Unreadable(f"damaged gzip: {error}") from None

    def read(self) -> bytes:
        """All bytes, decompressed; gzip is known by its first bytes, not by the name.

        Raises:
            Unreadable: damaged gzip, or one that unfolds beyond all reason.
            AccessError: the operating system refuses a file the user named.
        """
        data = self._bytes(-1)
        return gunzip(data) if data.startswith(_GZIP) else data

    def _bytes(self, size: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                return file.read(size)
        except OSError as error:
            if self.given:
                raise AccessError(f"{self.name}: {error.strerror}", code="unreadable") from None
            raise Unreadable(error.strerror or "cannot be read") from None


def gunzip(data: bytes) -> bytes:
    """The content of every member of a gzip file.

    Raises:
        Unreadable: corrupt, cut short, or unfolding more than 200-fold beyond 64 MiB.
    """
    blocks: list[bytes] = []
    size = 0
    member = zlib.decompressobj(wbits=_GZIP_ONLY)
    for start in range(0, len(data), _BLOCK):
        pending = data[start : start + _BLOCK]
        while pending:
            if member.eof:
                member = zlib.decompressobj(wbits=_GZIP_ONLY)
            try:
                block = member.decompress(pending)
            except zlib.error as error:
                raise Unreadable(f"damaged gzip: {error}") from None
            pending = member.unused_data
            blocks.append(block)
            size += len(block)
        if size > min(_LARGEST, max(_FREE, _RATIO * (start + _BLOCK))):
            raise Unreadable("gzip unfolds to more than 200 times its size")
    if not member.eof:
        raise Unreadable("gzip cut short")
    return b"".join(blocks)


def export_files(paths: Sequence[Path]) -> Iterator[ExportFile]:
    """Every file of the paths given; folders recursively, links followed, in sorted order.

    A path that does not exist as it stands may begin with `production=` or `shadow=`, which says
    whose metrics it holds where the export does not.

    Raises:
        AccessError: a folder cannot be listed; what it hides cannot be known.
        InputError: there is no such file or folder.
    """
    for origin, given in enumerate(paths):
        role, path = role_and_path(given)
        if path.is_dir():
            for entry in sorted(entries(str(path)), key=attrgetter("key")):
                yield ExportFile(
                    Path(entry.location),
                    entry.key,
                    role,
                    given=False,
                    origin=origin,
                    left_out=_left_out(entry),
                )
        elif path.exists():
            yield ExportFile(path, str(path), role, origin=origin)
        else:
            raise InputError(f"{path}: no such file or folder", code="no-such-file")


def role_and_path(given: Path) -> tuple[str | None, Path]:
    """What the user gave, taken apart: `production=PATH`, or a path alone."""
    match = _ROLE_PREFIX.fullmatch(str(given))
    if match is None or given.exists():
        return None, given
    return ROLE_WORDS[match[1]], Path(match[2])


def _left_out(entry: Entry) -> str | None:
    # A hidden name is a draft or was put aside: beside the export it would count a second time.
    if entry.hidden:
        return "hidden"
    return None if entry.is_file else "not-a-file"
