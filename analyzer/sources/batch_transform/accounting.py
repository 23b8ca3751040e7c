"""Every entry listed counts once, though only a job's manifests tell what its data are.

In: entries as they are listed, and the jobs found among them. Out: choosing jobs and roles.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.figures import counted
from analyzer.model import Note
from analyzer.sources.batch_transform.manifests import are_manifests, candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.sources.batch_transform.jobs import Job
    from analyzer.sources.batch_transform.manifests import Candidate
    from analyzer.sources.objects import AwsOptions, Entry, SourceObject


def ordinary(entries: Iterable[Entry], aside: list[Candidate], aws: AwsOptions) -> Iterator[Entry]:
    """The entries that are no batch-transform capture, in order, as far as that can be.

    Args:
        entries: a listing, passed on as it comes.
        aside: filled with what lies where manifests would; emptied again, and passed on last,
            where none of it is one.
        aws: how storage is reached.
    """
    for entry in entries:
        one = candidate(entry)
        if one is None:
            yield entry
        else:
            aside.append(one)
    if aside and not are_manifests(aside, aws):
        released = [one.entry for one in aside]
        aside.clear()
        yield from released


def counts(
    jobs: Iterable[Job],
    beside: Iterable[Entry],
    code_of: Callable[[Entry], str | None],
    *,
    below: str = "",
) -> Counter[str]:
    """What the jobs change in the counts of skipped objects; entries that are data count less.

    Args:
        jobs: what manifests name.
        beside: entries that were listed and are in no count yet, the manifests among them.
        code_of: what any other entry was counted under.
        below: what was listed; data elsewhere is in no count.
    """
    changes: Counter[str] = Counter()
    uncounted = {entry.location for entry in beside}
    named: set[str] = set()
    for job in jobs:
        changes["batch-manifest"] += len(job.manifests - named)
        named |= job.manifests
        for entry in job.used:
            code = code_of(entry)
            seen = entry.location in uncounted or entry.location in named
            if code is not None and not seen and entry.location.startswith(below):
                changes[code] -= 1
            named.add(entry.location)
        named |= {item.location for item in job.objects}
    changes["not-in-manifest"] += len(uncounted - named)
    return changes


def notes(objects: Iterable[SourceObject]) -> tuple[Note, ...]:
    """How records came to be that no endpoint wrote."""
    files = sum(item.batch is not None for item in objects)
    if not files:
        return ()
    text = (
        f"{counted(files, 'data file')} of batch-transform jobs: each line of an output is one "
        "record with the same line of its input, pairs are of the same file and line, and a record "
        "bears the time that the job wrote into its line, else the hour in which the job began"
    )
    return (Note(code="batch-transform", text=text),)
