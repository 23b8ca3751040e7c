"""Where a capture object belongs, read from its key, and which two variants are compared.

SageMaker writes `{prefix}/{endpoint}/{variant}/yyyy/mm/dd/hh/{file}.jsonl` (UTC), with a double
slash where the configured destination ends in one. A record names neither endpoint nor variant:
only the path does. In: keys. Out: any reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from analyzer.errors import UsageError
from analyzer.sources import formats
from analyzer.sources.objects import ROLES, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from analyzer.sources.objects import Entry, Role

_BATCH_SIDES = ("input", "output")
"""Where batch-transform capture puts its manifests; a variant may be called so, too."""
CAPTURE_NAMES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_HOUR_FOLDERS = re.compile(r"(20[0-9]{2})/([0-9]{2})/([0-9]{2})/([0-9]{2})")
# A record may lie in the folder of the hour before its own (folders are file starts), and its
# pair in the one after.
_MARGIN = timedelta(hours=1)


@dataclass(frozen=True)
class Place:
    """Where the layout puts an object.

    Attributes:
        endpoint_path: all folders above the variant; tells apart two endpoints of one name.
        endpoint, variant: None where the key begins below them.
        hour: UTC start of the hour folder; None for the variant's own folder.
    """

    endpoint_path: str
    endpoint: str | None
    variant: str | None
    hour: datetime | None


def place(key: str) -> Place | None:
    """Read the layout out of a key; None when it has no hour folders.

    >>> place("captures//churn/AllTraffic/2026/10/05/13/10-23-342-x.jsonl").variant
    'AllTraffic'
    """
    return _place_of_folder(key.rpartition("/")[0])


@lru_cache(maxsize=4096)
def _place_of_folder(folder: str) -> Place | None:
    folders = [part for part in folder.split("/") if part]
    hour = _hour("/".join(folders[-4:]))
    return None if hour is None else _place(folders[:-4], hour)


def place_of_variant(folder: str) -> Place:
    """What the layout says of a variant's folder.

    >>> place_of_variant("captures/churn/AllTraffic/").endpoint
    'churn'
    """
    return _place([part for part in folder.split("/") if part], None)


def _place(above: Sequence[str], hour: datetime | None) -> Place:
    return Place(
        endpoint_path="/".join(above[:-1]),
        endpoint=above[-2] if len(above) > 1 else None,
        variant=above[-1] if above else None,
        hour=hour,
    )


def place_of_job(found: Place) -> Place:
    """The place of a batch-transform manifest: the job's folder is where a variant's would be.

    >>> found = place("captures/job-a/output/2026/10/05/13/x")
    >>> found.variant, place_of_job(found).variant
    ('output', 'job-a')
    """
    folders = found.endpoint_path.split("/") if found.variant and found.endpoint_path else []
    return _place(folders, found.hour)


def may_be_of_a_job(folder: str) -> bool:
    """Whether the dates below a folder (its path ends in a slash) may be starts of batch jobs.

    >>> may_be_of_a_job("captures/job-a/output/"), may_be_of_a_job("churn/AllTraffic/")
    (True, False)
    """
    return folder.rstrip("/").rpartition("/")[2] in _BATCH_SIDES


def not_capture(entry: Entry) -> str | None:
    """Why an entry cannot be a capture object whatever folder it is in; None if it can."""
    name = entry.key.rpartition("/")[2]
    if entry.size == 0:
        return "empty"
    if entry.hidden:
        return "hidden"
    if name.lower().endswith(CAPTURE_NAMES):
        return None
    return formats.unsupported(name) or "not-jsonl"


def hyperpod(key: str, location: str, named: Collection[str | None]) -> str | None:
    """The code of HyperPod's access logs (`alb/`) and pod records (`pod/`); None for all else.

    Their formats are not SageMaker's, except when a variant really has that name. Below HyperPod's
    hash they are known at any depth; where the key does not show the hash, by folders that are
    not those of a variant.
    """
    if "/alb/" not in location and "/pod/" not in location:
        return None
    found = place(key)
    folders = key.split("/")[:-1] if found is None else [found.variant or ""]
    shown = (f for f in folders if f in formats.HYPERPOD_FOLDERS and f not in named)
    code = formats.hyperpod(location.split("/")[:-1], named)
    return code or next((f"hyperpod-{folder}" for folder in shown), None)


def is_metric_export(path: str) -> bool:
    """Whether a path outside the layout is named like exported CloudWatch metrics."""
    *folders, name = path.lower().split("/")
    return bool({"metrics", "cloudwatch"} & set(folders)) or name.startswith(
        ("metric", "cloudwatch")
    )


def outside_window(hour: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    """Whether an hour folder cannot matter to [since, until); unknown hours always can."""
    if hour is None:
        return False
    ends_before = since is not None and hour + timedelta(hours=1) + _MARGIN <= since
    return ends_before or (until is not None and hour - _MARGIN >= until)


def choose_endpoint(places: Collection[Place], endpoint: str | None, where: str) -> str:
    """The one endpoint path to read: the one named, or the only one there is.

    Raises:
        UsageError: several, or none of that name; lists what was found.
    """
    names = {found.endpoint_path: found.endpoint for found in places}
    chosen = [
        path
        for path, name in names.items()
        # A folder synchronised from inside an endpoint does not say whose it is.
        if endpoint is None or name is None or endpoint in {name, path}
    ]
    if len(chosen) == 1:
        return chosen[0]
    listed = ", ".join(printable(path) or "(directly below)" for path in sorted(names))
    if endpoint is not None and not chosen:
        raise UsageError(
            f"{where}: no captures of endpoint {printable(endpoint)!r}; found: {listed}"
        )
    raise UsageError(
        f"{where}: captures of {len(chosen)} endpoints: {listed}; "
        "choose one with --endpoint, or name its folder as SOURCE"
    )


def choose_roles(
    variants: Sequence[str],
    flags: Mapping[Role, str | None],
    described: Mapping[Role, str | None],
    where: str,
) -> dict[Role, str]:
    """Which variant is production and which is shadow; nothing is guessed.

    Flags first, then endpoint.json, then the one of two names that contains "shadow". One of two
    named settles the other.

    Raises:
        UsageError: not settled, or a name that is not there; lists what was found.
    """
    listed = ", ".join(printable(name) for name in variants)
    named = {role: flags.get(role) or described.get(role) for role in ROLES}
    for role, name in named.items():
        if name is not None and name not in variants:
            origin = f"--{role}" if flags.get(role) else f"endpoint.json's {role} variant"
            raise UsageError(f"{where}: {origin} {printable(name)!r} is not there; found: {listed}")
    production, shadow = named["production"], named["shadow"]
    if len(variants) == 2:  # noqa: PLR2004 - a comparison is of two
        if production is None and shadow is None:
            shadow = _only_shadow(variants)
        production = production or _other(variants, shadow)
        shadow = shadow or _other(variants, production)
    if production is None or shadow is None:
        raise UsageError(_unsettled(variants, listed, where))
    return {"production": production, "shadow": shadow}


def _unsettled(variants: Sequence[str], listed: str, where: str) -> str:
    if len(variants) == 1:
        return f"{where}: one variant only: {listed}; a comparison needs two"
    return (
        f"{where}: cannot tell production from shadow among {len(variants)} variants: {listed}; "
        "choose with --production NAME and --shadow NAME"
    )


def _only_shadow(variants: Sequence[str]) -> str | None:
    matches = [name for name in variants if "shadow" in name.lower()]
    return matches[0] if len(matches) == 1 else None


def _other(variants: Sequence[str], name: str | None) -> str | None:
    return next((other for other in variants if other != name), None) if name else None


def _hour(folders: str) -> datetime | None:
    match = _HOUR_FOLDERS.fullmatch(folders)
    if match is None:
        return None
    year, month, day, hour = (int(part) for part in match.groups())
    try:
        return datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None
