"""The bundle: verdict.json, what CI reads, tables/*.parquet and the manifest that seals them.

In: writing a finished analysis so that no reader ever sees half of it, and reading it back
verified. Out: what is in a verdict, how a table is drawn, and emptying the folder (`out_folder`).
The manifest finds accidents and hand edits; it is no signature.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from analyzer.errors import InputError, ResourceError
from analyzer.model import SCHEMA_VERSION, Verdict
from analyzer.out_folder import MANIFEST, TABLES, VERDICT
from analyzer.verdict.cross_check import contradiction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl


@dataclass(frozen=True)
class Bundle:
    """A verified bundle; tables are read when asked for."""

    path: Path
    verdict: Verdict
    digest: str
    table_names: tuple[str, ...]

    def table(self, name: str) -> pl.DataFrame | None:
        """One of the bundle's tables; None when this run had no reason to write it."""
        import polars as pl

        if name not in self.table_names:
            return None
        return pl.read_parquet(self.path / TABLES / f"{name}.parquet", glob=False)

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table by name."""
        found = {name: self.table(name) for name in self.table_names}
        return {name: table for name, table in found.items() if table is not None}


def write(
    out: Path, verdict: Verdict, texts: Mapping[str, str], tables: Mapping[str, pl.DataFrame]
) -> None:
    """Write the whole bundle beside `out`, then rename it into place.

    Args:
        out: the bundle's folder; an older bundle there is replaced.
        verdict: becomes verdict.json.
        texts: file name -> what stands in it beside the verdict, such as summary.md.
        tables: name -> what the report draws.

    Raises:
        ResourceError: disk full or not writable; `out` then holds no verdict.
    """
    out = out.resolve()  # `.` has no name and no parent to put a sibling into
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as held:
            fresh = Path(held) / "bundle"
            _fill(fresh, verdict, texts, tables)
            if out.exists():
                out.rename(Path(held) / "replaced")
            fresh.rename(out)
    except OSError as error:
        raise ResourceError(f"--out {out}: cannot be written: {error.strerror or error}") from None


def read(path: Path) -> Bundle:
    """Read a bundle and verify every file against its manifest.

    Raises:
        InputError: missing, unfinished, altered, or of another major schema version.
    """
    if path.is_file():
        raise InputError(f"{path}: is a file; name the folder that `analyzer run --out` wrote")
    if not path.is_dir():
        raise InputError(f"{path}: no such bundle; `analyzer run ... --out {path}` makes one")
    manifest = _manifest(path)
    _verify(path, manifest.files)
    verdict = read_verdict(path / VERDICT)
    if manifest.schema_version != verdict.schema_version:
        raise InputError(f"{path}: {MANIFEST} was altered since the run; run again")
    digest = hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()
    names = sorted(
        Path(name).stem for name in manifest.files if Path(name).parent.as_posix() == TABLES
    )
    return Bundle(path=path, verdict=verdict, digest=digest, table_names=tuple(names))


def found(path: Path) -> tuple[Path, ...]:
    """The path itself, or every bundle in the folder there, by name; nothing is read."""
    if path.is_dir() and not (path / MANIFEST).exists():
        inside = sorted(folder for folder in path.iterdir() if (folder / MANIFEST).is_file())
        if inside:
            return tuple(inside)
    return (path,)


def examine(path: Path) -> Verdict:
    """The verdict of a bundle, or of a verdict.json by itself, after all that can be checked.

    A bundle, also one that is named by its verdict.json, is held against its manifest; every
    verdict against its own evidence. This finds accidents and hand edits; it is no signature.

    Raises:
        InputError: as `read` and `read_verdict`, or its parts contradict each other.
    """
    if path.is_file():
        bundled = path.name == VERDICT and (path.parent / MANIFEST).exists()
        verdict = read(path.parent).verdict if bundled else read_verdict(path)
    else:
        verdict = read(path).verdict
    derive_again(path, verdict)
    return verdict


def derive_again(path: Path, verdict: Verdict) -> None:
    """Hold a verdict that was read from `path` against its own evidence.

    Raises:
        InputError: its parts contradict each other.
    """
    found = contradiction(verdict)
    if found is not None:
        raise InputError(f"{path}: {found}; it was altered, or is not this tool's")


def read_verdict(path: Path) -> Verdict:
    """Read one verdict.json; unknown keys of a newer minor version are ignored.

    Raises:
        InputError: unreadable, not a verdict, or of another major schema version.
    """
    try:
        body = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not JSON") from None
    version = str(body.get("schema_version", "")) if isinstance(body, dict) else ""
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise InputError(
            f"{path}: schema_version {version or 'missing'}; this version reads {SCHEMA_VERSION}"
        )
    newer = version != SCHEMA_VERSION
    try:
        return Verdict.model_validate(body, extra="ignore" if newer else "forbid")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: not a verdict: {where}: {first['msg']}") from None


def verdict_schema() -> str:
    """The JSON Schema (2020-12) of verdict.json, from the types."""
    body = Verdict.model_json_schema(mode="serialization")
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _fill(
    folder: Path, verdict: Verdict, texts: Mapping[str, str], tables: Mapping[str, pl.DataFrame]
) -> None:
    (folder / TABLES).mkdir(parents=True)
    for name, text in {VERDICT: verdict.to_json(), **texts}.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    for name, table in sorted(tables.items()):
        # In memory first: Polars has an error of its own for a full disk, and tables are small.
        written = io.BytesIO()
        table.write_parquet(written, compression="zstd")
        (folder / TABLES / f"{name}.parquet").write_bytes(written.getbuffer())
    files = {file.relative_to(folder).as_posix(): _sha256(file) for file in _files(folder)}
    manifest = {"schema_version": SCHEMA_VERSION, "files": files}
    (folder / MANIFEST).write_bytes(_canonical(manifest))


def _canonical(manifest: object) -> bytes:
    return (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class _Manifest:
    """sha256 by file name, and the schema_version of the verdict among the files."""

    schema_version: str
    files: dict[str, str]


def _manifest(path: Path) -> _Manifest:
    try:
        held = (path / MANIFEST).read_bytes()
        body = json.loads(held)
        files = {str(name): str(digest) for name, digest in body["files"].items()}
        manifest = _Manifest(str(body["schema_version"]), files)
    except FileNotFoundError:
        raise InputError(
            f"{path}: no {MANIFEST}: not a bundle, or a run that did not finish; run again"
        ) from None
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path}/{MANIFEST}: unreadable; run again") from None
    # Nothing vouches for the manifest but its own form: each byte of it has one value.
    if held != _canonical(body):
        raise InputError(f"{path}: {MANIFEST} was altered since the run; run again")
    return manifest


def _verify(path: Path, manifest: Mapping[str, str]) -> None:
    present = {file.relative_to(path).as_posix() for file in _files(path)} - {MANIFEST}
    if VERDICT in manifest and VERDICT not in present:
        raise InputError(f"{path}: the last run did not finish; run again")
    for name in sorted(present ^ set(manifest)):
        what = "was removed" if name in manifest else "was added"
        raise InputError(f"{path}: {name} {what} since the run; run again")
    for name, digest in sorted(manifest.items()):
        if _sha256(path / name) != digest:
            raise InputError(f"{path}: {name} was altered since the run; run again")
