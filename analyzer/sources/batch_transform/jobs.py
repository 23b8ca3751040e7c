"""The data files of one batch-transform job, from what its manifests name.

In: candidates of one variant. Out: the bytes of the data. Every name in a manifest becomes one
object of the listing: an output with its input, or what is missing of them as a failure.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from analyzer.errors import InputError, UsageError
from analyzer.figures import grouped
from analyzer.sources.batch_transform.data_objects import in_folder, on_s3, unsafe
from analyzer.sources.batch_transform.manifests import (
    Candidate,
    Manifest,
    candidate,
    is_manifest,
    read_manifest,
)
from analyzer.sources.batch_transform.records import RECORD_FORM
from analyzer.sources.batch_transform.stored import stored
from analyzer.sources.objects import (
    ROLES,
    BatchFile,
    Entry,
    ObjectError,
    ObjectFailure,
    SourceObject,
    printable,
)
from analyzer.sources.s3 import split_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from analyzer.sources.batch_transform.data_objects import Found
    from analyzer.sources.batch_transform.manifests import Side
    from analyzer.sources.objects import AwsOptions, Role

_OUTPUT_ENDING = ".out"
_SETTLING = timedelta(minutes=1)  # a file younger than this may grow within one tick of its clock


@dataclass(frozen=True)
class Asked:
    """Whose job is wanted.

    Attributes:
        where: the flag and path, for messages.
        root: folder or S3 prefix the candidates were listed below.
        entries: lists a folder or an S3 prefix.
    """

    role: Role
    where: str
    root: str
    entries: Callable[[str], Iterator[Entry]]
    aws: AwsOptions


@dataclass(frozen=True)
class Job:
    """What one variant's manifests name.

    Attributes:
        objects: one per data file.
        manifests: locations of the manifests that were read.
        used: the entries of inputs and outputs.
        identities: of the outputs; inputs are meant to be shared between two jobs.
    """

    objects: tuple[SourceObject, ...]
    manifests: frozenset[str]
    used: tuple[Entry, ...]
    identities: frozenset[str]


@dataclass(frozen=True)
class _Named:
    """What one manifest says of one data object."""

    manifest: Manifest
    name: str

    @property
    def address(self) -> str:
        return self.manifest.prefix + self.name


@dataclass
class _Found:
    """Manifests and their failures so far."""

    manifests: list[Manifest] = field(default_factory=list)
    failures: list[SourceObject] = field(default_factory=list)
    locations: set[str] = field(default_factory=set)


def read_job(asked: Asked, candidates: Iterable[Candidate]) -> Job:
    """Read a variant's manifests and look up the data objects they name.

    Raises:
        UsageError: manifests of several capture folders, or of two jobs that cannot be told apart.
        InputError: a manifest names data in another bucket.
        AccessError: storage cannot be reached.
    """
    found = _Found()
    _read(asked, candidates, found)
    _require_one_root(asked, found)
    for folder in _unlisted(asked, found.manifests):
        _read(asked, _listed(asked, folder), found)
    named = [_Named(manifest, name) for manifest in found.manifests for name in manifest.names]
    data = _data(asked, named, found.manifests)
    objects = [*_files(asked, named, data), *found.failures]
    used = {item.location: item for item in data.values() if isinstance(item, Entry)}
    outputs = {item.batch.output.location for item in objects if item.batch and item.batch.output}
    return Job(
        objects=tuple(objects),
        manifests=frozenset(found.locations),
        used=tuple(used.values()),
        identities=frozenset(used[location].identity for location in outputs),
    )


def settled(objects: Sequence[SourceObject]) -> list[SourceObject]:
    """The objects with the names both jobs share, and a version of input and output together.

    A file's name is the one in the manifests, as far as each variant has one file of it; where
    parts of several days are named alike, it is the whole address of the input.

    Raises:
        UsageError: a variant ran over one input more than once.
    """
    sound = [item for item in objects if item.batch is not None and item.batch.failure is None]
    names = Counter((item.role, item.batch.name) for item in sound if item.batch)
    repeated = max(names.values(), default=1) > 1
    if repeated:
        _require_one_run(sound)
    return [_settled(item, by_origin=repeated) for item in objects]


def _settled(item: SourceObject, *, by_origin: bool) -> SourceObject:
    file = item.batch
    if file is None:
        return item
    if by_origin and file.failure is None:
        file = replace(file, name=file.origin)
    version = _version(file)
    times = [p.modified for p in (file.input, file.output) if p is not None and p.modified]
    return replace(
        item, batch=file, etag=version, modified=max(times, default=None) if version else None
    )


def _version(file: BatchFile) -> str | None:
    """What stands for the records of a file; None where a part may still change unnoticed."""
    parts = [part for part in (file.input, file.output) if part is not None]
    settled_by = datetime.now(UTC) - _SETTLING
    if not all(part.etag or (part.modified and part.modified < settled_by) for part in parts):
        return None
    facts = [
        (part.location, part.size, part.etag, part.modified and part.modified.isoformat())
        for part in parts
    ]
    whole = json.dumps([RECORD_FORM, file.name, file.made, file.hour.isoformat(), facts])
    return hashlib.sha256(whole.encode()).hexdigest()


def _require_one_run(sound: Sequence[SourceObject]) -> None:
    for role in ROLES:
        hours: dict[str, set[datetime]] = {}
        for item in sound:
            if item.role == role and item.batch:
                hours.setdefault(item.batch.origin, set()).add(item.batch.hour)
        for origin, runs in sorted(hours.items()):
            if len(runs) > 1:
                listed = ", ".join(f"{hour:%Y/%m/%d/%H}" for hour in sorted(runs))
                raise UsageError(
                    f"--{role}: {grouped(len(runs))} batch-transform jobs over "
                    f"{printable(origin)}, of the hours {listed}: name one hour's folder, as in "
                    f"--{role} .../output/{min(runs):%Y/%m/%d/%H}"
                )


def _read(asked: Asked, candidates: Iterable[Candidate], found: _Found) -> None:
    for one in candidates:
        try:
            if one.entry.location in found.locations or not is_manifest(one, asked.aws):
                continue
            found.manifests += read_manifest(one, asked.aws)
        except ObjectError as error:
            found.failures.append(_unread(asked, one, error.failure))
        else:
            found.locations.add(one.entry.location)


def _unread(asked: Asked, one: Candidate, failure: ObjectFailure) -> SourceObject:
    file = BatchFile(
        name=one.entry.key,
        origin=one.entry.key,
        made=one.entry.key,
        hour=one.spot.hour,
        input=None,
        output=None,
        failure=failure,
    )
    return replace(stored(one.entry, asked.role), hour=one.spot.hour, batch=file)


def _require_one_root(asked: Asked, found: _Found) -> None:
    roots = {manifest.spot.root.rstrip("/") for manifest in found.manifests}
    if len(roots) > 1:
        names = ", ".join(printable(root.rpartition("/")[2]) for root in sorted(roots))
        raise UsageError(
            f"{asked.where}: batch-transform captures of {grouped(len(roots))} jobs: {names}; "
            "name the folder of one"
        )


def _unlisted(asked: Asked, manifests: Iterable[Manifest]) -> list[str]:
    """The hour folders of the other side that lie beside the path that was named, not below it."""
    other = {"input": "output", "output": "input"}
    base = _base(asked.root)
    folders = {
        f"{manifest.spot.root}{other[manifest.spot.side]}/{manifest.spot.hour_path}"
        for manifest in manifests
    }
    return sorted(folder for folder in folders if not folder.startswith(base))


def _listed(asked: Asked, folder: str) -> Iterator[Candidate]:
    try:
        found = [candidate(entry) for entry in asked.entries(folder)]
    except InputError:  # a folder that is not there; what its side would name is then missing
        return
    yield from (one for one in found if one is not None)


def _data(asked: Asked, named: Sequence[_Named], manifests: Sequence[Manifest]) -> dict[str, Found]:
    """Address -> the object there, or why it is not looked for."""
    data: dict[str, Found] = {}
    wanted: dict[str, str] = {}
    by_prefix: dict[str, set[str]] = {}
    for one in named:
        failure = unsafe(one.manifest.prefix, one.name)
        if failure is None:
            wanted[one.address] = one.name
            by_prefix.setdefault(one.manifest.prefix, set()).add(one.address)
        else:
            data[one.address] = failure
    if asked.root.startswith("s3://"):
        _require_same_bucket(asked, named)
        for addresses in by_prefix.values():
            data |= on_s3(addresses, asked.aws, asked.root)
        return data
    if not manifests:
        return data
    root, above = _base(asked.root), manifests[0].spot.root
    return data | in_folder(wanted, asked.entries(root if above.startswith(root) else above))


def _require_same_bucket(asked: Asked, named: Iterable[_Named]) -> None:
    bucket = split_url(asked.root)[0]
    for one in named:
        if split_url(one.address)[0] != bucket:
            raise InputError(
                f"{asked.where}: the manifest {printable(one.manifest.key)} names data below "
                f"{printable(one.manifest.prefix)}, which is not in bucket {printable(bucket)} and "
                f"is not read; copy captures and data into one folder (aws s3 sync) and name that "
                f"with --{asked.role}"
            )


def _files(
    asked: Asked, named: Iterable[_Named], data: Mapping[str, Found]
) -> Iterator[SourceObject]:
    """One object per data file; the latest hour counts where an output is named again."""
    by_hour: dict[datetime, dict[Side, dict[str, _Named]]] = {}
    for one in named:
        spot = one.manifest.spot
        sides = by_hour.setdefault(spot.hour, {"input": {}, "output": {}})
        name = one.name.removesuffix(_OUTPUT_ENDING) if spot.side == "output" else one.name
        before = sides[spot.side].setdefault(name, one)
        if before.address != one.address:
            raise _two_jobs(asked, spot.hour, before, one)
    written: set[str] = set()
    for hour in sorted(by_hour, reverse=True):
        inputs, outputs = by_hour[hour]["input"], by_hour[hour]["output"]
        for name, shown in sorted({**inputs, **outputs}.items()):
            if name in outputs and shown.address in written:
                continue
            written.add(shown.address)
            given = inputs.get(name)
            found, failure = _lookup(asked, data, given, outputs.get(name))
            yield _object(
                asked,
                shown,
                BatchFile(
                    name=name,
                    origin=(given or shown).address,
                    made=shown.address,
                    hour=hour,
                    input=found.get("input"),
                    output=found.get("output"),
                    failure=failure,
                ),
            )


def _two_jobs(asked: Asked, hour: datetime, one: _Named, other: _Named) -> UsageError:
    return UsageError(
        f"{asked.where}: two batch-transform jobs of the hour {hour:%Y/%m/%d/%H} name the same "
        f"{one.manifest.spot.side} {printable(one.name)!r}, as {printable(one.address)} and "
        f"{printable(other.address)}: copy the manifests of one job into a folder of their own"
    )


def _lookup(
    asked: Asked, data: Mapping[str, Found], given: _Named | None, made: _Named | None
) -> tuple[dict[Side, SourceObject], ObjectFailure | None]:
    """The objects of a file's two sides, and what is wrong with the file if anything is."""
    failure = None
    if made is None:
        failure = ObjectFailure("missing-output", "no output manifest of its hour names its output")
    elif given is None:
        text = "no input manifest of its hour names its input; both input/ and output/ are needed"
        failure = ObjectFailure("missing-input", text)
    found: dict[Side, SourceObject] = {}
    for one in (given, made):
        there = None if one is None else data.get(one.address)
        if isinstance(there, ObjectFailure):
            failure = failure or there
        elif one is not None and there is None:
            failure = failure or ObjectFailure("missing-data", _absent(one))
        elif one is not None and there is not None:
            found[one.manifest.spot.side] = stored(there, asked.role)
    return found, failure


def _absent(one: _Named) -> str:
    manifest = printable(one.manifest.key)
    return f"{printable(one.address)}, which the manifest {manifest} names, is not there"


def _object(asked: Asked, shown: _Named, file: BatchFile) -> SourceObject:
    """A file as one object, under the key of its output where that is there."""
    parts = [part for part in (file.output, file.input) if part is not None]
    return SourceObject(
        key=parts[0].key if parts else printable(shown.address),
        size=sum(part.size for part in parts),
        role=asked.role,
        hour=file.hour,
        etag=None,
        modified=None,
        location=parts[0].location if parts else shown.address,
        batch=file,
    )


def _base(root: str) -> str:
    """A root as the start of every location below it."""
    from pathlib import Path

    whole = root if root.startswith("s3://") else str(Path(root).absolute())
    return whole.rstrip("/") + "/"
