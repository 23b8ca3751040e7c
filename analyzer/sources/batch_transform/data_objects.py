"""Where the data objects are that a manifest names: in its own bucket, or in a copied folder.

A manifest is data: it decides which of the objects already in reach are read, and can widen that
reach nowhere. On S3 only the bucket the user named is listed; in a folder only files listed below
it are candidates, so no name leads out of it.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import takewhile
from typing import TYPE_CHECKING

from analyzer.sources.aws import CONNECTIONS, Trail, s3_client
from analyzer.sources.listing import Bucket, described
from analyzer.sources.objects import Entry, ObjectFailure, printable
from analyzer.sources.s3 import found_under, split_url

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from analyzer.sources.objects import AwsOptions, SourceObject

Found = Entry | ObjectFailure


def unsafe(prefix: str, name: str) -> ObjectFailure | None:
    """Why a name is not looked for at all: it is absolute, climbs, or is no text of a path.

    >>> unsafe("s3://b/in/", "part/0.csv")
    >>> unsafe("s3://b/in/", "../../etc/passwd").code
    'unsafe-name'
    """
    folders = [*prefix.split("/"), *name.split("/"), *name.split("\\")]
    relative = bool(name) and not name.startswith(("/", "\\")) and ".." not in folders
    if relative and _is_text(prefix + name):
        return None
    text = f"a manifest names {printable(name)!r} below {printable(prefix)}: not a path below it"
    return ObjectFailure("unsafe-name", text)


def _is_text(path: str) -> bool:
    """Whether a path can be asked for: half a character, as JSON can write it, cannot."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in path


def on_s3(addresses: Collection[str], aws: AwsOptions, root: str) -> dict[str, Found]:
    """The objects among these addresses that are there; one listing of what they begin with.

    Args:
        addresses: of one bucket and, so that the listing is short, of one prefix.
        aws: how S3 is reached.
        root: the `s3://` address that was named.

    Raises:
        AccessError, InputError, UsageError: the bucket cannot be listed.
    """
    name, shared = split_url(_shared_start(addresses))
    named = found_under(split_url(root)[1], shared)
    bucket = Bucket(s3_client(aws, CONNECTIONS), name, aws, described(name, shared), named)
    found: dict[str, Found] = {}
    token, trail = None, Trail()
    while True:
        page = bucket.page(shared, token)
        found |= {entry.location: entry for entry in page.entries if entry.location in addresses}
        if page.token is None:
            return found
        token = trail.on(page.token, bucket.what)


def _shared_start(addresses: Collection[str]) -> str:
    """What all begin with, to the character: a listing's prefix need not end at a folder."""
    first, last = min(addresses), max(addresses)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(letter for letter, _ in same)


def data_folders(objects: Iterable[SourceObject]) -> list[str]:
    """The folders, with their slash, that hold the data of batch-transform files; one a side."""
    files = [item.batch for item in objects if item.batch is not None]
    sides = ([file.output for file in files], [file.input for file in files])
    keys = ({part.key for part in side if part is not None} for side in sides)
    return sorted({_shared_start(some).rpartition("/")[0] + "/" for some in keys if some})


def in_folder(names: Mapping[str, str], entries: Iterable[Entry]) -> dict[str, Found]:
    """The files of a copied folder that the addresses stand for, as far as one is the best.

    A file stands for an address when its path ends in the name the manifest gives; of several,
    the one is taken whose path has most folders in common with the address, counted from the end.

    Args:
        names: address -> the name in the manifest, which is its end.
        entries: the files of the folder.
    """
    by_name: defaultdict[str, list[Entry]] = defaultdict(list)
    last = {name.rpartition("/")[2] for name in names.values()}
    for entry in entries:
        name = entry.key.rpartition("/")[2]
        if name in last:
            by_name[name].append(entry)
    found: dict[str, Found] = {}
    for address, name in names.items():
        best = _best(_folders(address), len(_folders(name)), by_name[name.rpartition("/")[2]])
        if len(best) == 1:
            found[address] = best[0]
        elif best:
            listed = ", ".join(printable(entry.key) for entry in best)
            text = f"several files may be {printable(address)}: {listed}"
            found[address] = ObjectFailure("ambiguous-data", text)
    return found


def _best(address: list[str], least: int, entries: Iterable[Entry]) -> list[Entry]:
    """The entries whose paths share most of an address's end, and at least the name itself."""
    shared: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        path = _folders(entry.key)
        same = next(
            (k for k, pair in enumerate(zip(reversed(path), reversed(address), strict=False))
             if pair[0] != pair[1]),
            min(len(path), len(address)),
        )  # fmt: skip
        if same >= least:
            shared[same].append(entry)
    return shared[max(shared)] if shared else []


def _folders(path: str) -> list[str]:
    return [part for part in path.removeprefix("s3://").split("/") if part]
