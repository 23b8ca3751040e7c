"""What discovery has so far: objects for each role, and a count for every entry that is none.

In: entries with their role, jobs, codes. Out: who decides about them (`discovery`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from analyzer.errors import InputError
from analyzer.figures import grouped
from analyzer.sources import formats, layout
from analyzer.sources.objects import ROLES, SourceObject
from analyzer.sources.replays import Replays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from analyzer.sources.batch_transform import Job
    from analyzer.sources.objects import Entry, Role

_STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclass
class Finding:
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
    replays: Replays = field(default_factory=Replays)

    def take(self, entry: Entry, role: Role, hour: datetime | None) -> None:
        """Add an object to a role, unless its hour cannot matter."""
        if hour is not None and layout.outside_window(hour, self.since, self.until):
            self._leave_out(role, hour)
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
                archived=entry.archived,
            )
        )

    def take_jobs(self, jobs: Iterable[Job], changes: Counter[str]) -> None:
        """Add the data files of batch-transform jobs, of whatever hour.

        A job's hour is that of its start: its later lines may bear any time after it, and pairs
        belong to the time of production's line, whenever the other job ran.

        Args:
            jobs: what manifests name.
            changes: to the counts, by `batch_transform.counts`.
        """
        self.skipped.update(changes)
        for job in jobs:
            self.objects += job.objects
            for item in job.objects:
                self.identities[item.role] |= job.identities
        self.skipped = +self.skipped

    def beside_a_candidate(self, entry: Entry, named: Iterable[str | None]) -> bool:
        """Whether a capture is of a replay's baseline and nobody named it; counted if so."""
        found = self.replays.is_baseline(entry, named)
        if found:
            self.skipped["replay-baseline"] += 1
        return found

    def sidecars(self, look: Callable[[str], Iterable[Entry]]) -> tuple[SourceObject, ...]:
        """The sidecars of what is judged; others, and a replay's own files, are counted."""
        shadow = (item for item in self.objects if item.role == "shadow")
        found = self.replays.of(shadow, look)
        self.replays.count(self.skipped, found)
        self.skipped = +self.skipped
        return found

    def require(self, role: Role, where: str) -> None:
        """Refuse to go on with a side that has no objects: no pair would be possible."""
        if any(item.role == role for item in self.objects):
            return
        if self.hours_outside[role] or self.days_left_out:
            raise self._outside(role, where)
        raise InputError(
            f"{where}: no {role} captures to read; looked for "
            f"*.jsonl and *.jsonl.gz; {tally(self.skipped)}"
            f"{formats.sentences(self.skipped)}"
        )

    def _leave_out(self, role: Role, hour: datetime) -> None:
        self.skipped["outside-window"] += 1
        self.hours_outside[role].add(hour)

    def _outside(self, role: Role, where: str) -> InputError:
        """What to say of a side whose captures all lie outside the window asked for."""
        asked = (("--since", self.since), ("--until", self.until))
        flags = " ".join(f"{flag} {at:{_STAMP}}" for flag, at in asked if at is not None)
        hours = self.hours_outside[role]
        if hours:
            first, last = min(hours), max(hours) + timedelta(hours=1)
            there = f"they run from {first:{_STAMP}} to {last:{_STAMP}}"
        else:
            there = "only days outside have captures, and those were not listed"
        return InputError(
            f"{where}: no {role} captures with {flags}: {there}; choose --since and --until inside "
            "a time that both variants have",
            code="empty-window",
        )


def tally(skipped: Mapping[str, int]) -> str:
    """What else was there, for a person who expected captures."""
    counts = [f"{grouped(count)} {code}" for code, count in sorted(skipped.items())]
    return f"skipped: {', '.join(counts) or 'nothing, it is empty'}"
