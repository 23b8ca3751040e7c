"""Points that are not used: which reasons may hide evidence, and what to do about each.

In: counts by reason -> a note, or a refusal of a path that adds nothing. Out: finding the reasons
(`reading`, `placing`, `selection`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.errors import InputError
from analyzer.figures import grouped
from analyzer.model import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HIDING = {
    "unnamed-variant": (
        "put the variant's name, or the word production, prod or shadow, in the file name or the "
        "column's header, or give --cloudwatch shadow=PATH (production=PATH)"
    ),
    "unnamed-metric": (
        "keep the queries file beside the answer, or name metric and statistic in its ids or labels"
    ),
    "unknown-period": "name the period in seconds in the id, the label or the file name",
    "hidden": "rename what begins with a dot or an underscore, if it is an export",
    "not-a-file": "give the metrics as regular files",
    "not-an-export": "keep only metric exports in the folder",
    "unreadable": "export the damaged files again",
    "bad-time": "give times as ISO 8601 or as seconds since 1970",
    "non-finite": "give every value as one finite number",
    "negative-value": "no metric here can be below zero: export those again",
    "missing-dimensions": "export with the dimensions EndpointName and VariantName",
}
"""Reasons that may keep evidence out of a verdict -> the remedy."""

_CHOSEN = {
    "extra-dimensions": "export with the dimensions EndpointName and VariantName only",
    "other-endpoint": "choose the endpoint with --endpoint",
    "other-metric": "export the metrics that `analyzer explain` names",
    "other-statistic": "export Average, SampleCount, Sum and percentiles",
    "other-variant": "choose the variants with --production and --shadow",
    "unknown-column": "name a metric in each column's header",
}
"""Reasons why a row is rightly left out, and what is wrong when nothing else is there."""

_NOTHING_DROPPED = "check the time, the dimensions and the region that were exported"


@dataclass(frozen=True)
class FileUse:
    """What became of one file's points.

    Attributes:
        origin: which of the paths given the file comes from.
        usable: points that belong to one of the two variants, repetitions included.
        dropped: reason -> rows not used.
    """

    origin: int
    usable: int
    dropped: Mapping[str, int]


def dropped_notes(dropped: Mapping[str, int]) -> tuple[Note, ...]:
    """One note `points-dropped` where something that may be evidence was not used.

    >>> dropped_notes({"other-endpoint": 9})
    ()
    """
    hiding = {reason: count for reason, count in dropped.items() if reason in _HIDING}
    if not hiding:
        return ()
    text = f"not used of the metric exports: {_counts(hiding)}; {_remedies(hiding)}"
    return (Note(code="points-dropped", text=text),)


def refuse_useless(paths: Mapping[int, str], uses: Iterable[FileUse]) -> None:
    """Refuse a path of which nothing is usable.

    Args:
        paths: origin -> the path as given, for the paths that must hold points.
        uses: one per file.

    Raises:
        InputError: names the first such path, why its points were not used, and what to do.
    """
    usable: Counter[int] = Counter()
    dropped: dict[int, Counter[str]] = {origin: Counter() for origin in paths}
    for use in uses:
        usable[use.origin] += use.usable
        dropped.get(use.origin, Counter()).update(use.dropped)
    for origin, path in paths.items():
        if not usable[origin]:
            why = _counts(dropped[origin]) or "there are no points in it"
            advice = _remedies(dropped[origin]) or _NOTHING_DROPPED
            raise InputError(
                f"--cloudwatch {path}: no usable metric point: {why}; {advice}",
                code="no-usable-points",
            )


def _counts(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{grouped(count)} {reason}" for reason, count in sorted(dropped.items()))


def _remedies(dropped: Mapping[str, int]) -> str:
    known = {**_HIDING, **_CHOSEN}
    return "; ".join(f"{reason}: {known[reason]}" for reason in sorted(dropped) if reason in known)
