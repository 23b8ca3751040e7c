"""Which days a window leaves out, told by keys alone: what a run does not even list.

A day between --since and --until, an hour of margin on both sides, can matter; its hours are
listed, and those that cannot matter are skipped as `outside-window`. Any other day of captures is
left out: its objects are neither listed nor counted, so that a run over one day of a year does not
list a year. The rule looks at keys only, so a folder and a bucket leave out the same objects.

Not every folder called 2026/ is a year: a destination may hold a date of its own. A folder's dated
children are days of captures only once a capture object lies directly in an hour folder there.
Below `input/` and `output/` a date may be the start of a batch-transform job, whose lines may be of
any later day: no day is left out there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from analyzer.sources import layout

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from analyzer.sources.objects import Entry

_DATED = re.compile(
    r"(?:(.*)/)??(20[0-9]{2})/(?:([0-9]{2})/(?:([0-9]{2})/(?:([0-9]{2})/)?)?)?", re.DOTALL
)
_DAY_PARTS = 3
_YEAR_PARTS, _MONTH_PARTS = 1, 2


@dataclass(frozen=True)
class Dated:
    """A folder named like a year, a month in one, a day or an hour.

    Attributes:
        base: what the date hangs below, with its slash; a variant's folder if it means a date.
        start, end: UTC, half open.
        parts: 1 for a year, 2 for a month, 3 for a day, 4 for an hour.
    """

    base: str
    start: datetime
    end: datetime
    parts: int


@lru_cache(maxsize=4096)
def dated(folder: str) -> Dated | None:
    """What a folder (its path ends in a slash) says it is; None when it names no date.

    >>> dated("churn/AllTraffic/2026/10/").end
    datetime.datetime(2026, 11, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    match = _DATED.fullmatch(folder)
    if match is None:
        return None
    base = "" if match[1] is None else f"{match[1]}/"
    numbers = [int(part) for part in match.groups()[1:] if part is not None]
    year, month, day, hour = [*numbers, *[1, 1, 0][len(numbers) - 1 :]]
    try:
        start = datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return None
    return Dated(base, start, _end(start, len(numbers)), len(numbers))


def _end(start: datetime, parts: int) -> datetime:
    if parts == _YEAR_PARTS:
        return start.replace(year=start.year + 1)
    if parts == _MONTH_PARTS:
        return (start + timedelta(days=31)).replace(day=1)
    return start + (timedelta(days=1) if parts == _DAY_PARTS else timedelta(hours=1))


@lru_cache(maxsize=4096)
def _dates_above(folder: str) -> tuple[Dated, ...]:
    """The year, month and day folders that a folder is or lies in, of every base."""
    ends = [place for place, character in enumerate(folder, 1) if character == "/"]
    found = (dated(folder[:end]) for end in ends)
    return tuple(one for one in found if one is not None and one.parts <= _DAY_PARTS)


def base_of_capture(entry: Entry) -> str | None:
    """The variant's folder, when an entry is a capture directly in an hour folder."""
    if not entry.is_file or layout.not_capture(entry) is not None:
        return None
    hour = dated(entry.key[: entry.key.rfind("/") + 1])
    return hour.base if hour is not None and hour.parts > _DAY_PARTS else None


@dataclass
class Days:
    """The days a window needs, and whose days it left out.

    Attributes:
        since, until: ends of the window, aware; None leaves that end open.
        left_out: the variants' folders, with their slash, of which some day was left out.
    """

    since: datetime | None = None
    until: datetime | None = None
    left_out: set[str] = field(default_factory=set)

    @property
    def all_of_them(self) -> bool:
        """Whether no day can be left out."""
        return self.since is None and self.until is None

    def need(self, folder: Dated) -> bool:
        """Whether a year, month or day can matter; hours are listed with their day."""
        if folder.parts > _DAY_PARTS or layout.may_be_of_a_job(folder.base):
            return True
        before, after = folder.start, folder.end - timedelta(hours=1)
        return not (
            (self.since is not None and layout.outside_window(after, self.since, None))
            or (self.until is not None and layout.outside_window(before, None, self.until))
        )

    def kept(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The entries of days that can matter, and those of no day at all."""
        if self.all_of_them:
            yield from entries
            return
        listed = list(entries)
        bases = self.left_out | {
            base for one in listed if (base := base_of_capture(one)) is not None
        }
        for entry in listed:
            outside = self._outside(entry, bases)
            if outside:
                self.left_out.update(outside)
            else:
                yield entry

    def leave_out(self, entry: Entry) -> bool:
        """Whether an entry was left out, once everything has been listed."""
        return bool(self._outside(entry, self.left_out))

    def _outside(self, entry: Entry, bases: Collection[str]) -> list[str]:
        """The bases of the days an entry lies in that cannot matter."""
        above = _dates_above(entry.key[: entry.key.rfind("/") + 1])
        return [one.base for one in above if one.base in bases and not self.need(one)]
