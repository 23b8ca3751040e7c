"""What several endpoint.json files of one endpoint, written in turn, say together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from analyzer.endpoint.answers import OVER, REVERTING, opened
from analyzer.endpoint.facts import facts_of
from analyzer.errors import InputError
from analyzer.model import Note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.endpoint.answers import EndpointFile, Scaling
    from analyzer.metrics.metric import EndpointFacts


def read_endpoints(
    paths: Sequence[Path], endpoint: str | None
) -> tuple[EndpointFacts | None, tuple[Note, ...]]:
    """What several endpoint.json files say together; None without any.

    A long test is exported in parts, each with its own description. The newest counts, with the
    scaling activities of all. Where its configuration is another one than an earlier file's,
    `config_changes` holds the latest moment at which it can have come, and a note says so.

    Args:
        paths: in any order.
        endpoint: whose description is asked for; those of others are left out where there is one.

    Raises:
        AccessError: a file cannot be opened.
        InputError: as `read_endpoint`; or several endpoints are described, and none is asked for.
    """
    files = _of_one_endpoint([opened(path, str(path)) for path in paths], endpoint)
    if not files:
        return None, ()
    files.sort(key=_age)
    newest = files[-1].model_copy(update={"scaling_activities": _all_scaled(files)})
    facts = facts_of(newest)
    turns = [
        (older.config_name, newer.config_name, _came(older, newer))
        for older, newer in pairwise([one for one in files if one.config_name])
        if older.config_name != newer.config_name
    ]
    changes = tuple(sorted({came for _, _, came in turns if came is not None}))
    live, at_earliest = facts.live_since, facts.live_since_at_earliest
    if changes and newest.began is None:
        # Scaling hides when it came: until it was last modified, the older one may have served.
        live, at_earliest = max(changes[-1], live or changes[-1]), False
    notes = tuple(_differing(*turn) for turn in turns)
    dated = replace(
        facts,
        live_since=live,
        live_since_at_earliest=at_earliest,
        config_changes=changes,
    )
    return dated, notes


def _of_one_endpoint(files: list[EndpointFile], endpoint: str | None) -> list[EndpointFile]:
    """The files of the endpoint asked for, and those that name none."""
    named = {file.endpoint_name for file in files} - {None}
    if endpoint is None and len(named) > 1:
        names = ", ".join(sorted(map(str, named)))
        text = f"the endpoint.json files are of several endpoints ({names}); name one: --endpoint"
        raise InputError(text, code="endpoint-file")
    # Without one of the endpoint asked for, the caller sees whose they are.
    kept = {endpoint, None} if endpoint in named else {*named, None}
    return [file for file in files if file.endpoint_name in kept]


def _age(file: EndpointFile) -> tuple[datetime, str]:
    """What a later description of an endpoint has more of, whatever the files' order."""
    return _seen(file), file.model_dump_json()


def _seen(file: EndpointFile) -> datetime:
    """The last moment the file knows of: it was written later."""
    endpoint, config = file.describe_endpoint, file.describe_endpoint_config
    experiment = file.describe_inference_experiment
    moments = [file.began]
    for one in (endpoint, config, experiment):
        moments += [one.creation_time, one.last_modified_time] if one else []
    moments += [experiment.completion_time] if experiment else []
    moments += [one.end_time or one.start_time for one in file.scaled]
    return max(
        (one for one in moments if one is not None), default=datetime.min.replace(tzinfo=UTC)
    )


def _all_scaled(files: Sequence[EndpointFile]) -> tuple[Scaling, ...]:
    """The activities of all files, each once, as the latest file that has it tells it."""
    found = {
        one.activity_id or (one.start_time, one.end_time): one
        for file in files
        for one in file.scaled
    }
    return tuple(found.values())


def _came(older: EndpointFile, newer: EndpointFile) -> datetime | None:
    """When the newer file's configuration can have come at the latest; None where nobody knows.

    An experiment's came with its start. At its end the endpoint is put back to what it was, which
    changes nothing of the time that is judged.
    """
    began, experiment = newer.began, newer.describe_inference_experiment
    if began is not None and began > _seen(older):
        return began
    endpoint, config = newer.describe_endpoint, newer.describe_endpoint_config
    modified = endpoint.last_modified_time if endpoint else None
    ended = experiment.ended if experiment and experiment.status in OVER else None
    if modified is None:
        return config.creation_time if config else None
    return None if ended and abs(modified - ended) <= REVERTING else modified


def _differing(older: str | None, newer: str | None, came: datetime | None) -> Note:
    when = f" (since {came:%Y-%m-%dT%H:%M:%SZ} at the latest)" if came else ""
    text = (
        f"the endpoint.json files name the configuration {older} and later {newer}{when}; "
        "the newest description is used"
    )
    return Note(code="configurations-differ", text=text)
