"""Reports kept between runs: where nothing is new, the same one is not drawn again.

In: a verdict and its tables. Out: the page made of them (`html`), the cache itself
(`machine.user_cache`).

Drawing is half of what a run takes that finds nothing new. All that a report shows is in the
verdict and its tables, so their digest names it, with that of the code that draws.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING

from analyzer.machine.user_cache import cache_folder, code_digest, read_checked, write_checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from analyzer.model import Verdict

_MOST = 16
"""Reports that are kept, the last used; each is half a megabyte or more."""
_DRAWN_BY = ("altair", "vl-convert-python", "polars")
_CODE = ("**/*.py", "report/html/*.css")


class KeptReport:
    """The report of one verdict, where an earlier run of this user drew it.

    Args:
        verdict, tables: all that it shows.
    """

    def __init__(self, verdict: Verdict, tables: Mapping[str, pl.DataFrame]) -> None:
        folder = cache_folder()
        self._path: Path | None = None
        if folder is not None:
            self._path = folder / "reports" / f"{_digest(verdict, tables)}.report"

    def text(self) -> str | None:
        """The whole document; None where there is none, or a damaged one."""
        found = None if self._path is None else read_checked(self._path)
        if found is not None and self._path is not None:
            with suppress(OSError):  # another run may be removing it
                self._path.touch()
        return found

    def keep(self, text: str) -> None:
        """Keep a document, and no more of them than the last used; nothing where that fails."""
        if self._path is None:
            return
        folder = self._path.parent
        with suppress(OSError):
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            write_checked(self._path, text)
            by_use = sorted(folder.glob("*.report"), key=lambda path: -path.stat().st_mtime_ns)
            for old in by_use[_MOST:]:
                old.unlink()


def _digest(verdict: Verdict, tables: Mapping[str, pl.DataFrame]) -> str:
    """Of everything a report is made of; of a table its values, however they lie in memory."""
    parts = [code_digest(*_CODE), *map(version, _DRAWN_BY), verdict.to_json()]
    for name, frame in sorted(tables.items()):
        parts += [name, repr(frame.schema), frame.write_json()]
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
