"""The folders a replay wrote, known by the sidecar beside a variant's hours.

    {out}/{endpoint}/candidate/yyyy/mm/dd/hh/*.jsonl    what the candidate answered
    {out}/{endpoint}/candidate/replay.parquet           when, and how long it took
    {out}/{endpoint}/baseline/...                       the same of production's own model
    {out}/.replay/                                      what a replay needs to go on

In: entries of a listing. Out: what a sidecar says (`replayed`). The baseline is no third variant:
its sidecar is what the candidate's is held against, its captures are skipped as `replay-baseline`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.errors import AccessError, InputError
from analyzer.replayed.sidecar import NAME
from analyzer.sources import layout
from analyzer.sources.batch_transform.stored import stored

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.sources.objects import Entry, SourceObject

BASELINE = "baseline"
_WORK = ".replay"
_HOURS = 4


@dataclass
class Replays:
    """The sidecars met while listing.

    Attributes:
        sidecars: by the location of the folder they lie in.
        work: entries of a replay's own folder.
    """

    sidecars: dict[str, Entry] = field(default_factory=dict)
    work: int = 0

    def aside(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The entries that are captures or may be; what belongs to replays is kept here."""
        for entry in entries:
            folders = entry.key.split("/")
            if _WORK in folders[:-1]:
                self.work += 1
            elif folders[-1] == NAME and entry.is_file and not entry.hidden:
                self.sidecars[_folder(entry.location)] = entry
            else:
                yield entry

    def candidates(self) -> list[str]:
        """The folders of replayed variants; of the baseline only where it is alone."""
        others = [at for at in self.sidecars if _name(at) != BASELINE]
        return others or list(self.sidecars)

    def is_baseline(self, entry: Entry, named: Iterable[str | None]) -> bool:
        """Whether a capture is of a baseline that stands beside a candidate and is not meant."""
        at = _above_hours(entry.location)
        beside = any(_folder(at) == _folder(other) for other in self.candidates() if other != at)
        return at in self.sidecars and _name(at) == BASELINE and beside and BASELINE not in {*named}

    def candidate(self, variants: Iterable[str]) -> str | None:
        """The one of these variants that was replayed; None where none or several were."""
        names = {*variants} & {_name(at) for at in self.candidates()}
        return names.pop() if len(names) == 1 else None

    def of(
        self, captures: Iterable[SourceObject], look: Callable[[str], Iterable[Entry]]
    ) -> tuple[SourceObject, ...]:
        """The sidecars of what is judged: the shadow's, and that of the baseline beside it.

        Args:
            captures: the shadow's objects.
            look: lists a path; asked for the baseline's sidecar where it was not listed.
        """
        at = next((_above_hours(item.location) for item in captures), None)
        entry = self.sidecars.get(at) if at else None
        if at is None or entry is None:
            return ()
        found = [stored(entry, "shadow")]
        beside = f"{_folder(at)}/{BASELINE}"
        baseline = self.sidecars.get(beside)
        if baseline is None and _name(at) != BASELINE:
            baseline = _looked_for(f"{beside}/{NAME}", look)
        if baseline is not None and baseline is not entry:
            found.append(stored(baseline, "production"))
        return tuple(found)

    def count(self, skipped: Counter[str], read: tuple[SourceObject, ...]) -> None:
        """Account for what was put aside and is not read."""
        locations = {item.location for item in read}
        skipped["replay-journal"] += self.work
        skipped["replay-sidecar"] += sum(
            entry.location not in locations for entry in self.sidecars.values()
        )


def variant_of(sidecars: Iterable[SourceObject]) -> str | None:
    """The name of the replayed variant: of the folder its sidecar lies in."""
    return next((_name(_folder(one.location)) for one in sidecars if one.role == "shadow"), None)


def _looked_for(path: str, look: Callable[[str], Iterable[Entry]]) -> Entry | None:
    """The file of a path; None where it is not there, or may not be looked for."""
    try:
        return next((one for one in look(path) if one.is_file and one.location == path), None)
    except InputError:
        return None
    except AccessError as error:
        if not error.permission:
            raise
        return None


def _folder(location: str) -> str:
    return location.rpartition("/")[0]


def _name(folder: str) -> str:
    return folder.rpartition("/")[2]


def _above_hours(location: str) -> str:
    """The variant's folder of a capture: above its hour, or where it lies."""
    at = _folder(location)
    if layout.place(location.removeprefix("s3://")) is None:
        return at
    for _ in range(_HOURS):
        at = _folder(at.rstrip("/"))
    return at
