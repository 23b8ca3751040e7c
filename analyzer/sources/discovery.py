"""Which objects a run reads: a SOURCE that holds both variants, or one path for each.

In: listing, sorting out what is no capture, choosing endpoint and roles, pruning by hour. Out:
reading bytes. Every entry listed is either an object of the listing or skipped under a code:

    empty, hidden, not-jsonl      no capture file
    not-a-file                    a pipe or device, or a folder named as a capture file
    metric-export                 CloudWatch rows beside flat captures
    outside-layout                not below {variant}/yyyy/mm/dd/hh/
    hyperpod-alb, parquet, ...    another format, see `formats`
    other-endpoint, other-variant captures of something else
    outside-window                an hour that cannot matter to --since and --until
    replay-baseline, ...          what a replay wrote and this run does not judge, see `replays`
    batch-manifest                names the data files of a batch-transform job, which are objects
    not-in-manifest               lies beside such data, and no manifest names it

A data file of such a job is one object, its output; the input it was made from is read with it.
A whole day that cannot matter is not listed (`days`): its objects are in no count.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from analyzer.errors import InputError, UsageError
from analyzer.sources import batch_transform, formats, layout, local, s3
from analyzer.sources.batch_transform import Asked
from analyzer.sources.days import Days
from analyzer.sources.finding import Finding, tally
from analyzer.sources.objects import ROLES, AwsOptions, Listing, printable
from analyzer.sources.replays import variant_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime

    from analyzer.sources.batch_transform import Candidate
    from analyzer.sources.layout import Place
    from analyzer.sources.objects import Entry, Role
    from analyzer.sources.replays import Replays


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
    finding = Finding(since, until)
    asked = _Asked(endpoint, {"production": production, "shadow": shadow}, roles or {})
    lister = _Lister(options, on_listed, since, until)
    if source is None:
        found_endpoint, names = endpoint, _each_path(lister, finding, asked)
    else:
        found_endpoint, names = _both(lister, finding, asked, source)
    sidecars = finding.sidecars(lister.every)
    finding.objects = batch_transform.settled(finding.objects)
    finding.objects.sort(key=lambda item: (item.role, item.key, item.location))
    return Listing(
        endpoint=found_endpoint,
        production_variant=names["production"]
        or (_below(production, found_endpoint) if sidecars else None),
        shadow_variant=names["shadow"] or variant_of(sidecars),
        objects=tuple(finding.objects),
        skipped=dict(sorted(finding.skipped.items())),
        same_objects=not finding.identities["production"].isdisjoint(finding.identities["shadow"]),
        aws=options,
        notes=(*formats.notes(finding.skipped), *batch_transform.notes(finding.objects)),
        sidecars=sidecars,
    )


def _below(path: str | None, endpoint: str | None) -> str | None:
    """The variant of a path that ends as the layout does, in endpoint and variant."""
    *_, above, last = ("", "", *PurePath(path or "").parts)
    return last if endpoint is not None and above == endpoint else None


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

    def every(self, root: str) -> Iterator[Entry]:
        """Entries of a folder or an S3 prefix, of whatever day."""
        on_s3 = root.startswith("s3://")
        return self._counted(s3.entries(root, self.aws, Days()) if on_s3 else local.entries(root))

    def _counted(self, listed: Iterator[Entry]) -> Iterator[Entry]:
        for entry in listed:
            self.count += 1
            if self.on_listed is not None:
                self.on_listed(self.count)
            yield entry


def _both(
    lister: _Lister, finding: Finding, asked: _Asked, source: str
) -> tuple[str | None, dict[Role, str | None]]:
    """Objects of both variants below one SOURCE; returns the endpoint's name and the roles."""
    where = printable(source)
    named = {*asked.flags.values(), *asked.described.values()}
    placed: list[tuple[Entry, Place, str]] = []
    nameless = 0
    aside: list[Candidate] = []
    entries, days = lister.entries(source)
    for entry in batch_transform.ordinary(finding.replays.aside(entries), aside, lister.aws):
        code, place = _placed(entry, named)
        if place is None:
            finding.skipped[code] += 1
        elif place.variant is None:
            nameless += 1
        else:
            placed.append((entry, place, place.variant))
    finding.skipped["outside-layout"] += nameless
    placed = [one for one in placed if not finding.beside_a_candidate(one[0], named)]
    left_out = _left_out(days, named)
    finding.days_left_out = bool(left_out)
    if aside and not placed:
        return _both_jobs(lister, finding, asked, source, _Jobs(aside, days))
    finding.skipped["batch-manifest"] += len(aside)
    finding.skipped = +finding.skipped
    places = {place for _, place, _ in placed} | {place for place in left_out if place.variant}
    if not places:
        raise _no_layout(where, finding, nameless=nameless > 0 or finding.days_left_out)
    path, roles = _chosen(places, asked, where, finding.replays)
    chosen = [item for item in placed if item[1].endpoint_path == path]
    finding.skipped["other-endpoint"] = len(placed) - len(chosen)
    for entry, place, variant in chosen:
        meant: list[Role] = [role for role in ROLES if roles[role] == variant]
        finding.skipped["other-variant"] += not meant
        for role in meant:
            finding.take(entry, role, place.hour)
    finding.skipped = +finding.skipped
    _look_outside(lister, finding, source, {role: {(path, roles[role])} for role in ROLES})
    for role in ROLES:
        finding.require(role, f"{where}: {printable(roles[role])}")
    return chosen[0][1].endpoint or asked.endpoint, {**roles}


@dataclass(frozen=True)
class _Jobs:
    """Batch-transform manifests that were listed, and what days were not."""

    aside: list[Candidate]
    days: Days


def _chosen(
    places: set[Place], asked: _Asked, where: str, replays: Replays
) -> tuple[str, dict[Role, str]]:
    """The endpoint path to read, and which of its variants has which role."""
    path = layout.choose_endpoint(places, asked.endpoint, where)
    variants = sorted({p.variant for p in places if p.endpoint_path == path and p.variant})
    described = asked.described
    if candidate := replays.candidate(variants):
        described = {**described, "shadow": candidate}
    try:
        return path, layout.choose_roles(variants, asked.flags, described, where)
    except UsageError as error:
        if len(variants) > 1:
            raise
        raise UsageError(f"{error}. {_BOTH_SIDES}") from None


def _both_jobs(
    lister: _Lister, finding: Finding, asked: _Asked, source: str, listed: _Jobs
) -> tuple[str | None, dict[Role, str | None]]:
    """Two batch-transform jobs below one SOURCE; a job is named by its capture folder."""
    where, aside, days = printable(source), listed.aside, listed.days
    places = [
        (one, layout.place_of_job(at)) for one in aside if (at := layout.place(one.entry.key))
    ]
    if len(places) < len(aside) or not all(place.variant for _, place in places):
        raise InputError(f"{where}: this is the folder of one batch-transform job. {_BOTH_SIDES}")
    path, roles = _chosen({place for _, place in places}, asked, where, finding.replays)
    chosen = [(one, place) for one, place in places if place.endpoint_path == path]
    finding.skipped["other-endpoint"] += len(places) - len(chosen)
    finding.skipped["other-variant"] += sum(p.variant not in roles.values() for _, p in chosen)
    jobs = [
        batch_transform.read_job(
            Asked(role, where, source, lister.every, lister.aws),
            [one for one, place in chosen if place.variant == roles[role]],
        )
        for role in ROLES
    ]
    beside = [one.entry for one, place in chosen if place.variant in roles.values()]
    changes = batch_transform.counts(
        jobs, beside, lambda one: None if days.leave_out(one) else _placed(one, set())[0]
    )
    finding.take_jobs(jobs, changes)
    for role in ROLES:
        finding.require(role, f"{where}: {printable(roles[role])}")
    return next((p.endpoint for _, p in chosen), None) or asked.endpoint, {**roles}


def _left_out(days: Days, named: set[str | None]) -> set[Place]:
    """The variants that have days outside the window: it does not settle which there are."""
    return {
        layout.place_of_variant(folder)
        for folder in days.left_out
        # As any of its captures would be judged.
        if not layout.hyperpod(f"{folder}2000/01/01/00/", f"/{folder}2000/01/01/00/", named)
    }


def _placed(entry: Entry, named: set[str | None]) -> tuple[str, Place | None]:
    """Where an entry belongs; otherwise None and the code it is skipped under."""
    if not entry.is_file:
        return "not-a-file", None
    if entry.size == 0:
        return "empty", None
    code = layout.hyperpod(entry.key, entry.location, named) or layout.not_capture(entry)
    place = None if code else layout.place(entry.key)
    return code or "outside-layout", place


def _no_layout(where: str, finding: Finding, *, nameless: bool) -> InputError:
    if nameless:
        return InputError(f"{where}: this is the folder of one variant. {_BOTH_SIDES}")
    hint = (
        "; captures in another layout can be given as --production PATH --shadow PATH"
        if finding.skipped.get("outside-layout")
        else ""
    )
    return InputError(
        f"{where}: no captures found; looked for {{variant}}/yyyy/mm/dd/hh/*.jsonl and .jsonl.gz; "
        f"{tally(finding.skipped)}{hint}{formats.sentences(finding.skipped)}"
    )


def _each_path(lister: _Lister, finding: Finding, asked: _Asked) -> dict[Role, str | None]:
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


def _one_path(lister: _Lister, finding: Finding, role: Role, root: str) -> str | None:
    base = root.rstrip("/") if root.startswith("s3://") else str(Path(root).absolute())
    where = f"--{role} {printable(root)}"
    aside: list[Candidate] = []
    kept: list[Entry] = []
    entries, days = lister.entries(root)

    def code_of(entry: Entry) -> str | None:
        return _flat_code(entry, entry.location.removeprefix(base).strip("/"))

    for entry in batch_transform.ordinary(finding.replays.aside(entries), aside, lister.aws):
        code = code_of(entry)
        if code is None:
            kept.append(entry)
        else:
            finding.skipped[code] += 1
    kept = [one for one in kept if not finding.beside_a_candidate(one, ())]
    finding.days_left_out = bool(days.left_out)
    if aside:
        asked = Asked(role, where, root, lister.every, lister.aws)
        job = batch_transform.read_job(asked, aside)
        beside = [*kept, *(one.entry for one in aside)]
        changes = batch_transform.counts(
            [job], beside, lambda one: None if days.leave_out(one) else code_of(one), below=base
        )
        finding.take_jobs([job], changes)
        names = {
            layout.place_of_job(at).variant for one in aside if (at := layout.place(one.entry.key))
        }
        return names.pop() if len(names) == 1 else None
    places: set[tuple[str, str | None]] = set()
    for entry in kept:
        place = layout.place(entry.key)
        if place is not None:
            places.add((place.endpoint_path, place.variant))
        finding.take(entry, role, place.hour if place else None)
    left_out = map(layout.place_of_variant, days.left_out)
    places |= {(place.endpoint_path, place.variant) for place in left_out}
    if len(places) > 1:
        listed_places = ", ".join(
            printable("/".join(part for part in pair if part))
            for pair in sorted((path, variant or "") for path, variant in places)
        )
        raise UsageError(
            f"{where}: captures of {len(places)} variants: {listed_places}; name the folder of one"
        )
    _look_outside(lister, finding, root, {role: places})
    return next((variant for _, variant in places), None)


def _look_outside(
    lister: _Lister,
    finding: Finding,
    root: str,
    homes: Mapping[Role, Collection[tuple[str, str | None]]],
) -> None:
    """Find where the captures of an empty side are: an error says it, so all days are listed.

    `homes` are the endpoint paths and variants of each role.
    """
    empty = [role for role in homes if not finding.identities[role]]
    if not empty or not finding.days_left_out:
        return
    for entry in lister.every(root):
        code = layout.not_capture(entry) if entry.is_file else "not-a-file"
        place = None if code else layout.place(entry.key)
        for role in empty:
            if place and place.hour and (place.endpoint_path, place.variant) in homes[role]:
                finding.hours_outside[role].add(place.hour)


def _flat_code(entry: Entry, below: str) -> str | None:
    """Why an entry is skipped that lies `below` a variant's path; a file named itself is read."""
    if not entry.is_file:
        return "not-a-file"
    if not below and entry.size != 0:
        return None
    if entry.size != 0 and (code := layout.hyperpod(below, entry.location, ())):
        return code
    export = layout.place(entry.key) is None and layout.is_metric_export(below)
    return "metric-export" if export else layout.not_capture(entry)
