"""Which objects a run reads: a SOURCE that holds both variants, or one path for each.

In: listing, sorting out what is no capture, choosing endpoint and roles, pruning by hour. Out:
reading bytes. Every entry listed is either an object of the listing or skipped under a code:

    empty, hidden, not-jsonl      no capture file
    not-a-file                    a pipe or device, or a folder named as a capture file
    metric-export                 CloudWatch rows beside flat captures
    outside-layout                not below {variant}/yyyy/mm/dd/hh/
    hyperpod-not-supported        HyperPod's alb/ and pod/
    other-endpoint, other-variant captures of something else
    outside-window                an hour that cannot matter to --since and --until

A whole day that cannot matter is not listed (`days`): its objects are in no count.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import InputError, UsageError
from analyzer.figures import grouped
from analyzer.sources import layout, local, s3
from analyzer.sources.days import Days
from analyzer.sources.objects import ROLES, AwsOptions, Listing, SourceObject, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from analyzer.sources.layout import Place
    from analyzer.sources.objects import Entry, Role


_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_BOTH_SIDES = (
    "Name the endpoint's folder as SOURCE, or give --production PATH and --shadow PATH without it"
)


@dataclass(frozen=True)
class _Asked:
    """Whose captures are wanted: by flag, else as endpoint.json describes them."""

    endpoint: str | None
    flags: Mapping[Role, str | None]
    described: Mapping[Role, str | None]


@dataclass
class _Finding:
    """What discovery has so far; becomes a `Listing`."""

    since: datetime | None
    until: datetime | None
    skipped: Counter[str] = field(default_factory=Counter)
    objects: list[SourceObject] = field(default_factory=list)
    identities: dict[Role, set[str]] = field(default_factory=lambda: {r: set() for r in ROLES})
    hours_outside: dict[Role, set[datetime]] = field(
        default_factory=lambda: {r: set() for r in ROLES}
    )
    days_left_out: bool = False

    def take(self, entry: Entry, role: Role, hour: datetime | None) -> None:
        """Add an object to a role, unless its hour cannot matter."""
        if hour is not None and layout.outside_window(hour, self.since, self.until):
            self.skipped["outside-window"] += 1
            self.hours_outside[role].add(hour)
            return
        self.identities[role].add(entry.identity)
        self.objects.append(
            SourceObject(
                key=entry.key,
                size=entry.size or 0,
                role=role,
                hour=hour,
                etag=entry.etag,
                modified=entry.modified,
                location=entry.location,
            )
        )

    def require(self, role: Role, where: str) -> None:
        """Refuse to go on with a side that has no objects: no pair would be possible."""
        if self.identities[role]:
            return
        if self.hours_outside[role] or self.days_left_out:
            raise self._outside(role, where)
        raise InputError(
            f"{where}: no {role} captures to read; looked for "
            f"*.jsonl and *.jsonl.gz; {_tally(self.skipped)}"
        )

    def _outside(self, role: Role, where: str) -> InputError:
        """What to say of a side whose captures all lie outside the window asked for."""
        asked = (("--since", self.since), ("--until", self.until))
        flags = " ".join(f"{flag} {at:{_STAMP}}" for flag, at in asked if at is not None)
        if self.days_left_out:
            there = "only days outside have captures, and those were not listed"
        else:
            hours = self.hours_outside[role]
            first, last = min(hours), max(hours) + timedelta(hours=1)
            there = f"they run from {first:{_STAMP}} to {last:{_STAMP}}"
        return InputError(
            f"{where}: no {role} captures with {flags}: {there}; choose --since and --until inside "
            "a time that both variants have",
            code="empty-window",
        )


def _tally(skipped: Mapping[str, int]) -> str:
    """What else was there, for a person who expected captures."""
    counts = [f"{grouped(count)} {code}" for code, count in sorted(skipped.items())]
    return f"skipped: {', '.join(counts) or 'nothing, it is empty'}"


def discover(
    source: str | None,
    *,
    endpoint: str | None = None,
    production: str | None = None,
    shadow: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    aws: AwsOptions | None = None,
    roles: Mapping[Role, str | None] | None = None,
    on_listed: Callable[[int], None] | None = None,
) -> Listing:
    """List the capture objects of both variants.

    Args:
        source: folder or `s3://bucket/prefix` holding both variants; None when `production` and
            `shadow` are a path each.
        endpoint: its name, where captures of several lie together.
        production: a variant's name with `source`; otherwise a file, folder or S3 prefix.
        shadow: likewise.
        since: start of the window, aware. Days that cannot matter to it are not listed, hours of
            the other days that cannot matter are skipped.
        until: end of the window, not included.
        aws: how S3 is reached.
        roles: variant names endpoint.json gives; flags come first.
        on_listed: called with the number of entries listed so far.

    Raises:
        UsageError: several endpoints, roles not settled, an option that cannot be meant.
        InputError: nothing to read on one side; says what was looked for.
        AccessError: a folder or bucket cannot be listed.
    """
    options = aws or AwsOptions()
    finding = _Finding(since, until)
    asked = _Asked(endpoint, {"production": production, "shadow": shadow}, roles or {})
    lister = _Lister(options, on_listed, since, until)
    if source is None:
        found_endpoint, names = endpoint, _each_path(lister, finding, asked)
    else:
        found_endpoint, names = _both(lister, finding, asked, source)
    finding.objects.sort(key=lambda item: (item.role, item.key, item.location))
    return Listing(
        endpoint=found_endpoint,
        production_variant=names["production"],
        shadow_variant=names["shadow"],
        objects=tuple(finding.objects),
        skipped=dict(sorted(finding.skipped.items())),
        same_objects=not finding.identities["production"].isdisjoint(finding.identities["shadow"]),
        aws=options,
    )


@dataclass
class _Lister:
    """Entries of any root, counted aloud."""

    aws: AwsOptions
    on_listed: Callable[[int], None] | None
    since: datetime | None
    until: datetime | None
    count: int = 0

    def entries(self, root: str) -> tuple[Iterator[Entry], Days]:
        """Entries of a folder, a file or an S3 prefix; and whose days, in the end, were left out.

        The order is the storage's own and means nothing.
        """
        if "://" in root and not root.startswith("s3://"):
            raise UsageError(f"{printable(root)}: expected a path or s3://bucket/prefix")
        days = Days(self.since, self.until)
        on_s3 = root.startswith("s3://")
        listed = s3.entries(root, self.aws, days) if on_s3 else local.entries(root)
        return days.kept(self._counted(listed)), days

    def _counted(self, listed: Iterator[Entry]) -> Iterator[Entry]:
        for entry in listed:
            self.count += 1
            if self.on_listed is not None:
                self.on_listed(self.count)
            yield entry


def _both(
    lister: _Lister, finding: _Finding, asked: _Asked, source: str
) -> tuple[str | None, dict[Role, str | None]]:
    """Objects of both variants below one SOURCE; returns the endpoint's name and the roles."""
    where = printable(source)
    named = {*asked.flags.values(), *asked.described.values()}
    placed: list[tuple[Entry, Place, str]] = []
    nameless = 0
    entries, days = lister.entries(source)
    for entry in entries:
        code, place = _placed(entry, named)
        if place is None:
            finding.skipped[code] += 1
        elif place.variant is None:
            nameless += 1
        else:
            placed.append((entry, place, place.variant))
    left_out = _left_out(days, named)
    finding.days_left_out = bool(left_out)
    places = {place for _, place, _ in placed} | {place for place in left_out if place.variant}
    if not places:
        raise _no_layout(where, finding, nameless=nameless > 0 or finding.days_left_out)
    finding.skipped["outside-layout"] += nameless
    path = layout.choose_endpoint(places, asked.endpoint, where)
    chosen = [item for item in placed if item[1].endpoint_path == path]
    finding.skipped["other-endpoint"] = len(placed) - len(chosen)
    mine = {place for place in places if place.endpoint_path == path}
    variants = sorted({place.variant for place in mine if place.variant is not None})
    try:
        roles = layout.choose_roles(variants, asked.flags, asked.described, where)
    except UsageError as error:
        if len(variants) > 1:
            raise
        raise UsageError(f"{error}. {_BOTH_SIDES}") from None
    for entry, place, variant in chosen:
        meant: list[Role] = [role for role in ROLES if roles[role] == variant]
        finding.skipped["other-variant"] += not meant
        for role in meant:
            finding.take(entry, role, place.hour)
    finding.skipped = +finding.skipped
    for role in ROLES:
        finding.require(role, f"{where}: {printable(roles[role])}")
    return chosen[0][1].endpoint or asked.endpoint, {**roles}


def _left_out(days: Days, named: set[str | None]) -> set[Place]:
    """The variants that have days outside the window: it does not settle which there are."""
    return {
        layout.place_of_variant(folder)
        for folder in days.left_out
        # As any of its captures would be judged.
        if not layout.is_hyperpod(f"{folder}2000/01/01/00/", named)
    }


def _placed(entry: Entry, named: set[str | None]) -> tuple[str, Place | None]:
    """Where an entry belongs; otherwise None and the code it is skipped under."""
    if not entry.is_file:
        return "not-a-file", None
    if entry.size == 0:
        return "empty", None
    if layout.is_hyperpod(entry.key, named):
        return "hyperpod-not-supported", None
    code = layout.not_capture(entry)
    place = None if code else layout.place(entry.key)
    return code or "outside-layout", place


def _no_layout(where: str, finding: _Finding, *, nameless: bool) -> InputError:
    if nameless:
        return InputError(f"{where}: this is the folder of one variant. {_BOTH_SIDES}")
    hint = (
        "; captures in another layout can be given as --production PATH --shadow PATH"
        if finding.skipped.get("outside-layout")
        else ""
    )
    return InputError(
        f"{where}: no captures found; looked for {{variant}}/yyyy/mm/dd/hh/*.jsonl and .jsonl.gz; "
        f"{_tally(finding.skipped)}{hint}"
    )


def _each_path(lister: _Lister, finding: _Finding, asked: _Asked) -> dict[Role, str | None]:
    """Objects of a path for each variant, any layout; returns the names the layout tells."""
    names: dict[Role, str | None] = {}
    for role in ROLES:
        root = asked.flags[role]
        if root is None:
            raise UsageError(
                f"give SOURCE, or both --production PATH and --shadow PATH; --{role} is missing"
            )
        names[role] = _one_path(lister, finding, role, root) or asked.described.get(role)
        finding.require(role, f"--{role} {printable(root)}")
    return names


def _one_path(lister: _Lister, finding: _Finding, role: Role, root: str) -> str | None:
    places: set[tuple[str, str | None]] = set()
    base = root.rstrip("/") if root.startswith("s3://") else str(Path(root).absolute())
    entries, days = lister.entries(root)
    for entry in entries:
        code = _flat_code(entry, entry.location.removeprefix(base).strip("/"))
        if code is not None:
            finding.skipped[code] += 1
            continue
        place = layout.place(entry.key)
        if place is not None:
            places.add((place.endpoint_path, place.variant))
        finding.take(entry, role, place.hour if place else None)
    left_out = [layout.place_of_variant(folder) for folder in days.left_out]
    places |= {(place.endpoint_path, place.variant) for place in left_out}
    finding.days_left_out = bool(left_out)
    if len(places) > 1:
        listed = ", ".join(
            printable("/".join(part for part in pair if part))
            for pair in sorted((path, variant or "") for path, variant in places)
        )
        raise UsageError(
            f"--{role} {printable(root)}: captures of {len(places)} variants: {listed}; "
            "name the folder of one"
        )
    return next((variant for _, variant in places), None)


def _flat_code(entry: Entry, below: str) -> str | None:
    """Why an entry is skipped that lies `below` a variant's path; a file named itself is read."""
    if not entry.is_file:
        return "not-a-file"
    if not below and entry.size != 0:
        return None
    export = layout.place(entry.key) is None and layout.is_metric_export(below)
    return "metric-export" if export else layout.not_capture(entry)
