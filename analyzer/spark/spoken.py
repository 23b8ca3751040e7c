"""What the driver and its tasks tell each other beside tables, as JSON.

In: objects to read, and what became of them. Out: files (`pieces`). Nothing is unpickled here: what
comes back from a task was made from captured data.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from analyzer.captures.shards import ObjectTally
from analyzer.errors import AccessError, AnalyzerError, InputError, ResourceError, UsageError
from analyzer.model import Note
from analyzer.sources.objects import BatchFile, ObjectFailure, SourceObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analyzer.sources.objects import Role

    Task = list[tuple[int, SourceObject]]
    """Objects for one task, with their numbers in the run's listing."""

_ERRORS = {error.__name__: error for error in (AccessError, InputError, ResourceError, UsageError)}


def task_text(task: Sequence[tuple[int, SourceObject]]) -> bytes:
    """The objects that a task reads; `read_task` gives them back."""
    said = [(number, asdict(item)) for number, item in task]
    return json.dumps(said, default=datetime.isoformat).encode("utf-8", "surrogatepass")


def read_task(text: bytes) -> Task:
    """What `task_text` was given."""
    return [(number, _object(said)) for number, said in json.loads(text)]


def loaded_text(
    tallies: Mapping[Role, ObjectTally], failures: Mapping[int, ObjectFailure]
) -> bytes:
    """What a task has read, and which objects it could not read to their end."""
    lines = {role: asdict(tally) for role, tally in tallies.items()}
    failed = [(number, asdict(failure)) for number, failure in failures.items()]
    return json.dumps({"lines": lines, "failed": failed}).encode()


def read_loaded(text: bytes) -> tuple[dict[Role, ObjectTally], dict[int, ObjectFailure]]:
    """What `loaded_text` was given."""
    said = json.loads(text)
    tallies = {role: ObjectTally(**tally) for role, tally in said["lines"].items()}
    return tallies, {number: ObjectFailure(**failure) for number, failure in said["failed"]}


def notes_text(number: int, notes: Sequence[Note]) -> bytes:
    """What a task notes of objects of which the first has this number."""
    return json.dumps((number, [(note.code, note.text) for note in notes])).encode()


def read_notes(texts: Iterable[bytes]) -> tuple[Note, ...]:
    """What all tasks noted, in the order of their objects."""
    said = sorted(json.loads(text) for text in texts)
    return tuple(Note(code=code, text=text) for _, notes in said for code, text in notes)


def error_text(error: AnalyzerError) -> bytes:
    """What stopped a task."""
    said = {"kind": type(error).__name__, "text": str(error), "code": error.code}
    return json.dumps(said).encode()


def read_error(text: bytes) -> AnalyzerError:
    """What `error_text` was given."""
    said = json.loads(text)
    return _ERRORS.get(said["kind"], AnalyzerError)(said["text"], code=said["code"])


def _object(said: dict[str, Any]) -> SourceObject:
    times = {name: _moment(said[name]) for name in ("hour", "modified")}
    batch = said["batch"] and _batch_file(said["batch"])
    return SourceObject(**{**said, **times, "batch": batch})


def _batch_file(said: dict[str, Any]) -> BatchFile:
    sides = {name: said[name] and _object(said[name]) for name in ("input", "output")}
    failure = said["failure"] and ObjectFailure(**said["failure"])
    hour = datetime.fromisoformat(said["hour"])
    return BatchFile(**{**said, **sides, "failure": failure, "hour": hour})


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
