"""The folder a run writes its bundle to: found among the arguments, and emptied before the run.

In: making sure that nothing of an older run can be taken for this one's. Out: what a bundle holds
and means. Imports nothing heavy: the folder is emptied before anything that takes long.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.addresses import refuse_writing
from analyzer.errors import AnalyzerError, ResourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

VERDICT = "verdict.json"
SUMMARY = "summary.md"
JUNIT = "junit.xml"
REPORT = "report.html"
MANIFEST = "manifest.json"
TABLES = "tables"
DEFAULT_OUT = {"run": Path("analysis"), "demo": Path("demo")}
"""Command -> where it writes when `--out` is not given; the commands that write a bundle."""

_CLAIMS = (VERDICT, SUMMARY, REPORT, JUNIT)
"""What says a decision, in the order it is removed."""
_OURS = frozenset({*_CLAIMS, TABLES, MANIFEST})
"""All a bundle has; a run replaces the whole folder, so what else is in it would be lost."""


def run_log(out: Path) -> Path:
    """Where the log of a run lies: beside its bundle, which holds sealed files only.

    >>> run_log(Path("/ci/analysis")).name
    'analysis.run_log.json'
    """
    whole = out.resolve()
    return whole.with_name(f"{whole.name}.run_log.json")


def claim_early(arguments: Sequence[str]) -> None:
    """`claim` what raw arguments name, so that a mistake in them leaves no stale verdict either.

    What is wrong with the folder is for the command to say: it claims again.
    """
    out = asked_out(arguments)
    if out is not None:
        with suppress(AnalyzerError):
            claim(out)


def asked_out(arguments: Sequence[str]) -> Path | None:
    """Where a command line would write its bundle; None when it writes none or only asks for help.

    Args:
        arguments: everything after the program's name, not parsed and perhaps not valid.

    >>> asked_out(["run", "captures", "--bogus", "--out=ci"]).name
    'ci'
    """
    if not arguments or arguments[0] not in DEFAULT_OUT:
        return None
    out: str | Path | None = DEFAULT_OUT[arguments[0]]
    rest = iter(arguments[1:])
    for argument in rest:
        if argument == "--":
            break
        if argument == "--help":
            return None
        if argument == "--out":
            out = next(rest, None)
        elif argument.startswith("--out="):
            out = argument.removeprefix("--out=")
    return None if out is None else Path(out)


def claim(out: Path) -> None:
    """Make `out` ours before a run: an older bundle in it is removed, foreign content refused.

    Raises:
        UsageError: `out` is an address, a file or below one, or a folder with content that is no
            bundle.
        ResourceError: the bundle cannot be removed, or a new one not be made.
    """
    refuse_writing(out, "--out", "a bundle")
    try:
        if out.exists() and not out.is_dir():
            raise UsageError(f"--out {out}: is a file; name a folder")
        file = next((above for above in out.parents if above.exists() and not above.is_dir()), None)
        if file is not None:
            raise UsageError(f"--out {out}: {file} is a file; name a folder")
        # The finished bundle takes the folder's place, which a mount point does not give up.
        if out.resolve().is_mount():
            raise UsageError(f"--out {out}: is a mount point; name a folder inside it")
        present = {entry.name for entry in out.iterdir()} if out.is_dir() else set[str]()
        if present and not _is_bundle(out, present):
            raise UsageError(f"--out {out}: not empty and not a bundle; name another folder")
        _remove(out, present)
        run_log(out).unlink(missing_ok=True)
    except OSError as error:
        raise ResourceError(f"--out {out}: cannot be emptied: {_cause(error)}") from None
    _try_sibling(out)


def _try_sibling(out: Path) -> None:
    """Make a folder beside `out` and remove it, as the finished bundle will be made and renamed.

    Whether that can work is known now, not at the end. A signal waits meanwhile: it ends the
    process where it stands, and between the two the folder would stay behind.
    """
    whole = out.resolve()
    sibling = whole.parent / f".{whole.name}-{os.getpid()}"
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        sibling.mkdir(parents=True)
        sibling.rmdir()
    except OSError as error:
        raise ResourceError(
            f"--out {out}: no folder can be made in {whole.parent}: {error.strerror}"
        ) from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_bundle(out: Path, present: set[str]) -> bool:
    """Whether a folder holds a bundle, or what is left of one whose removal was cut short."""
    if not {MANIFEST} <= present <= _OURS:
        return False
    return SUMMARY in present or _is_manifest(out / MANIFEST)


def _is_manifest(path: Path) -> bool:
    import json

    try:
        body = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and body.keys() == {"schema_version", "files"}


def _remove(out: Path, present: set[str]) -> None:
    """Remove a bundle; its manifest last, which is what it is known by."""
    for name in _CLAIMS:
        (out / name).unlink(missing_ok=True)
    if TABLES in present:
        import shutil

        shutil.rmtree(out / TABLES)
    (out / MANIFEST).unlink(missing_ok=True)


def _cause(error: OSError) -> str:
    name = Path(os.fsdecode(error.filename)).name if error.filename else ""
    return f"{name}: {error.strerror}" if name else str(error.strerror or error)
