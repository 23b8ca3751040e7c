"""The versions of the code that gives a number."""

from __future__ import annotations

import platform
from importlib import metadata

from analyzer import __version__

_LIBRARIES = ("duckdb", "polars", "pyarrow", "boto3")


def versions() -> dict[str, str]:
    """Of the tool, Python and the libraries that matter, by name."""
    libraries = {name: metadata.version(name) for name in _LIBRARIES}
    return {"shadow-analyzer": __version__, "python": platform.python_version(), **libraries}
