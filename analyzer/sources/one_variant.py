"""Which objects hold one variant's captures: what a replay reads.

In: a SOURCE with production beside other variants, the folder of one variant, or files in any
layout. Out: comparing two variants (`discovery`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import UsageError
from analyzer.sources import formats, layout, local, s3
from analyzer.sources.days import Days
from analyzer.sources.finding import Finding
from analyzer.sources.objects import AwsOptions, Listing, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from analyzer.sources.layout import Place
    from analyzer.sources.objects import Entry


@dataclass(frozen=True)
class OneVariant:
    """Whose captures are wanted; None where the layout is to say it.

    Attributes:
        endpoint, variant: names, where SOURCE holds several.
        since, until: ends of the window, aware, half open.
    """

    endpoint: str | None = None
    variant: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def discover_one(
    source: str,
    wanted: OneVariant,
    aws: AwsOptions | None = None,
    on_listed: Callable[[int], None] | None = None,
) -> Listing:
    """List the capture objects of one variant, as those of production.

    Args:
        source: a folder, a file or `s3://bucket/prefix`.
        wanted: whose captures, and of when.
        aws: how S3 is reached.
        on_listed: called with the number of entries listed so far.

    Raises:
        UsageError: several endpoints or variants and none chosen; lists what was found.
        InputError: nothing to read.
        AccessError: the folder or bucket cannot be listed.
    """
    if "://" in source and not source.startswith("s3://"):
        raise UsageError(f"{printable(source)}: expected a path or s3://bucket/prefix")
    where, options = printable(source), aws or AwsOptions()
    days = Days(wanted.since, wanted.until)
    finding = Finding(wanted.since, wanted.until)
    named = source if source.startswith("s3://") else str(Path(source).absolute())
    placed: list[tuple[Entry, Place]] = []
    flat: list[Entry] = []
    for entry in days.kept(_entries(source, options, days, on_listed)):
        code = _not_read(entry, named)
        place = None if code else layout.place(entry.key)
        if code is not None:
            finding.skipped[code] += 1
        elif place is None:
            flat.append(entry)
        else:
            placed.append((entry, place))
    finding.days_left_out = bool(days.left_out)
    endpoint, variant = wanted.endpoint, wanted.variant
    if placed:
        places = {place for _, place in placed}
        path = layout.choose_endpoint(places, wanted.endpoint, where)
        found = sorted({p.variant for p in places if p.endpoint_path == path and p.variant})
        variant = _chosen(found, wanted.variant, where) if found else wanted.variant
        finding.skipped["outside-layout"] += len(flat)
        for entry, place in placed:
            if place.endpoint_path != path:
                finding.skipped["other-endpoint"] += 1
            elif place.variant not in {None, variant}:
                finding.skipped["other-variant"] += 1
            else:
                endpoint = place.endpoint or endpoint
                finding.take(entry, "production", place.hour)
    else:
        for entry in flat:
            finding.take(entry, "production", None)
    finding.skipped = +finding.skipped
    finding.require("production", where)
    finding.objects.sort(key=lambda item: (item.key, item.location))
    return Listing(
        endpoint=endpoint,
        production_variant=variant,
        shadow_variant=None,
        objects=tuple(finding.objects),
        skipped=dict(sorted(finding.skipped.items())),
        same_objects=False,
        aws=options,
        notes=formats.notes(finding.skipped),
    )


def _entries(
    source: str, aws: AwsOptions, days: Days, on_listed: Callable[[int], None] | None
) -> Iterator[Entry]:
    on_s3 = source.startswith("s3://")
    listed = s3.entries(source, aws, days) if on_s3 else local.entries(source)
    for count, entry in enumerate(listed, 1):
        if on_listed is not None:
            on_listed(count)
        yield entry


def _not_read(entry: Entry, named: str) -> str | None:
    """Why an entry is skipped; a file that was named itself is read whatever its name."""
    if not entry.is_file:
        return "not-a-file"
    if entry.size != 0 and entry.location == named:
        return None
    code = layout.hyperpod(entry.key, entry.location, ()) or layout.not_capture(entry)
    if code is None and layout.place(entry.key) is None and layout.is_metric_export(entry.key):
        return "metric-export"
    return code


def _chosen(found: Sequence[str], named: str | None, where: str) -> str:
    """The variant that is named, the only one, or the one of two that is no shadow."""
    listed = ", ".join(printable(name) for name in found)
    if named is not None:
        if named not in found:
            raise UsageError(
                f"{where}: --production {printable(named)!r} is not there; found: {listed}"
            )
        return named
    if len(found) == 1:
        return found[0]
    plain = [name for name in found if "shadow" not in name.lower()]
    if len(found) == 2 and len(plain) == 1:  # noqa: PLR2004 - a test has two variants
        return plain[0]
    raise UsageError(
        f"{where}: cannot tell production among {len(found)} variants: {listed}; "
        "choose with --production NAME"
    )


def folder_of(listing: Listing) -> str | None:
    """The path of the variant's folder, as `--production` takes it; None in a flat layout."""
    item = listing.objects[0]
    if item.hour is None:
        return None
    above = item.location.rpartition("/")[0]
    for _ in range(4):  # year, month, day, hour
        above = above.rpartition("/")[0]
    return above
