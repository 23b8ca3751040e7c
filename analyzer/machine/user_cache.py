"""The user's cache: where it lies, what names a thing in it, and texts that are whole or not there.

In: what earlier runs left. Out: what is kept: parsed captures (`reading.cache`), reports
(`report.kept`).
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

PACKAGE = Path(__file__).parents[1]
"""Whose code decides what is kept."""


def cache_folder() -> Path | None:
    """Where what runs have made is kept: the user's own cache; None for a user without a home.

    Source: XDG Base Directory Specification: a relative path is to be ignored.
    """
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        home = given if given.is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return home / "shadow-analyzer"


def write_checked(path: Path, body: str) -> None:
    """Write a text with its digest, all at once or not at all.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f"{uuid4().hex}.draft")
    try:
        draft.write_bytes(f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}".encode())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def read_checked(path: Path) -> str | None:
    """The text that `write_checked` wrote; None where there is none or it is damaged."""
    try:
        digest, _, body = path.read_bytes().decode().partition("\n")  # line ends as they are
    except (OSError, ValueError):
        return None
    return body if hashlib.sha256(body.encode()).hexdigest() == digest else None


def code_digest(*patterns: str) -> str:
    """Of the files of this package under these names, and of the engine."""
    texts = [path.read_bytes() for pattern in patterns for path in sorted(PACKAGE.glob(pattern))]
    return hashlib.sha256(b"\0".join([version("duckdb").encode(), *texts])).hexdigest()
