"""What the reader had to assume, in words: one note per code, naming the series it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import grouped
from analyzer.model import Note

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMED = 6
"""Subjects named in one note; the rest are counted."""

_TEXTS = {
    "naive-time": "metric times without a zone were read as UTC",
    "pages-missing": "the export has a NextToken, so later pages were not exported: {}",
    "partial-data": "CloudWatch did not call these results complete: {}",
    "period-inferred": "no period given; read as the smallest spacing of the points: {}",
    "statistic-assumed": "no statistic named; counts read as Sum, all else as Average: {}",
    "unaligned": "timestamps are not multiples of the period and were kept as given: {}",
    "unit-assumed": "no unit given; read as microseconds, as AWS documents: {}",
    "unreadable": "skipped in the metrics folder: {}",
}


def notes_of(remarks: Iterable[tuple[str, str]]) -> tuple[Note, ...]:
    """One note per code of the (code, subject) remarks, sorted by code.

    >>> notes_of([("unit-assumed", "ModelLatency p99")])[0].text
    'no unit given; read as microseconds, as AWS documents: ModelLatency p99'
    """
    subjects: dict[str, set[str]] = {}
    for code, subject in remarks:
        subjects.setdefault(code, set()).add(subject)
    return tuple(
        Note(code=code, text=_TEXTS[code].format(_listed(subjects[code])))
        for code in sorted(subjects)
    )


def _listed(subjects: set[str]) -> str:
    ordered = sorted(subjects)
    more = len(ordered) - _NAMED
    return "; ".join(ordered[:_NAMED]) + (f" and {grouped(more)} more" if more > 0 else "")
