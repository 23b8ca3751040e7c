"""Reading one test's captures: objects -> records -> pairs -> reduced facts, inside one engine."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from analyzer.errors import AccessError, InputError
from analyzer.figures import counted, grouped
from analyzer.gates.missing import MOST_MISSING
from analyzer.labels.joining import sum_labels
from analyzer.machine.user_cache import cache_folder, read_checked, write_checked
from analyzer.model import Note
from analyzer.payloads import prepare
from analyzer.payloads.missing import Unpaired, main_rule
from analyzer.reading.cache import SETTLED_S, ShardCache
from analyzer.reading.captured import Captured, as_text, from_text, with_remarks
from analyzer.reading.opening import EngineLimits, Opening
from analyzer.reading.window import captured_window
from analyzer.replayed.outcomes import reduce_replay
from analyzer.slices import slice_pairs, sliced_inputs
from analyzer.sources.objects import ROLES, printable
from analyzer.steps import COMPARING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from analyzer.asked import Asked
    from analyzer.metrics.metric import CaptureFacts
    from analyzer.policy import Policy
    from analyzer.reading.opening import Failures, Opened
    from analyzer.reading.window import Span
    from analyzer.sources import Listing
    from analyzer.sources.objects import ObjectFailure, Role
    from analyzer.steps import Progress

_NO_ACCESS = {"access-denied", "unreadable"}
_MOST_NAMED = 3
"""Rejected lines that a remark names; the bundle's table has them all."""
_SKEWED_S = 60.0  # captures have whole seconds, and a copy is sent with its request
_WITHOUT_CAPTURES = (
    "without captures, --endpoint NAME --cloudwatch PATH alone judges latency and errors"
)


def read_captures(
    listing: Listing,
    policy: Policy,
    span: Span,
    limits: EngineLimits,
    progress: Progress,
    *,
    labels: Listing | None = None,
    apart: bool = False,
) -> Captured:
    """Capture objects -> records -> pairs -> reduced facts, inside one engine.

    Args:
        listing: the capture objects.
        policy: how records pair and outputs become predictions.
        span: the ends of the window that were asked for.
        limits: what the engine may use.
        progress: told of every step.
        labels: files of ground truth; None where none were given.
        apart: both variants need not have run at the same time; nor do batch-transform jobs.

    Raises:
        AccessError: a variant has no usable record, and objects of it could not be opened.
        InputError: a variant has no usable record, or the window holds none.
    """
    apart = apart or listing.batch or bool(listing.sidecars)
    remarks = [*_young_objects(listing)]
    cache = _opened_cache(policy, limits, remarks)
    reduced = partial(
        _reduced, listing, policy, span, labels, apart=apart, limits=limits, progress=progress
    )
    if cache is None:
        return _remarked(reduced(cache=None), remarks)
    questions = [policy.model_dump_json(exclude={"metrics"}), *map(str, (*span, apart))]
    kept = cache.reduction(_with(listing, labels), *questions)
    known = None if kept is None else read_checked(kept)
    if kept is not None and known is not None:
        progress("reading objects", len(listing.objects), len(listing.objects))
        kept.touch()
        return _remarked(from_text(known), remarks)
    with closing(cache):
        captured = reduced(cache=cache)
    if kept is not None and not captured.failed:
        try:
            write_checked(kept, as_text(captured))
        except OSError as error:  # the verdict is there all the same
            remarks.append(f"what captures came to was not kept: {error.strerror}")
    return _remarked(captured, remarks)


def _reduced(
    listing: Listing,
    policy: Policy,
    span: Span,
    labels: Listing | None,
    *,
    apart: bool,
    limits: EngineLimits,
    cache: ShardCache | None,
    progress: Progress,
) -> Captured:
    failures: Failures = {}
    opening = Opening(listing, policy, labels, limits, cache, failures, progress)
    with opening.here() if limits.spark is None else opening.on_spark() as opened:
        engine, captures = opened.engine, opened.captures
        extent = captures.extent()
        _require_both(listing, engine, extent, failures)
        progress("pairing", 0, 1)
        captures.pair(policy.pairing)
        start, end = captured_window(extent, span, apart=apart)
        captures.set_window(start, end)
        keys = {number: item.key for number, item in enumerate(listing.objects)}
        facts = captures.facts(keys, same_objects=listing.same_objects)
        progress("pairing", 1, 1)
        progress(COMPARING, 0, 1)
        tables = prepare(engine, policy, unpaired=_worth_a_look(facts, start, end))
        tables |= slice_pairs(engine, policy, tables)
        progress(COMPARING, 1, 1)
        digest, size = captures.digest()
        kind = tables["prediction_shape"].column("kind")[0].as_py()
        beside = _beside(opened, policy, kind, start, end)
        noted = (
            *captures.notes(),
            *(() if apart else _skew_notes(facts)),
            *_shape_notes(tables),
            *beside.notes,
            *_failure_notes(listing, failures),
        )
    failed = (*failures.values(), *beside.failures)
    return Captured(
        facts=replace(facts, tables={**facts.tables, **tables, **beside.tables}),
        start=start,
        end=end,
        digest="\n".join([digest, *beside.digests]),
        size=size,
        failed=dict(sorted(Counter(failure.code for failure in failed).items())),
        notes=noted,
    )


@dataclass(frozen=True)
class _Beside:
    """What was read beside the captures.

    Attributes:
        digests: of each kind that was given.
        failures: of files that could not be read to their end.
    """

    tables: Mapping[str, pa.Table]
    digests: tuple[str, ...]
    notes: tuple[Note, ...]
    failures: tuple[ObjectFailure, ...]


def _beside(opened: Opened, policy: Policy, kind: str, start: datetime, end: datetime) -> _Beside:
    """Labels and the sidecars of a replay, against the pairs; `kind` is of their outputs."""
    tables: dict[str, pa.Table] = {}
    digests: list[str] = []
    notes: list[Note] = []
    if opened.label_damage is not None:
        labelled = sum_labels(opened.engine, policy, kind, opened.label_damage())
        tables |= labelled.tables
        digests.append(labelled.digest)
        notes += labelled.notes
    sidecars = opened.sidecars()
    replay = reduce_replay(opened.engine, sidecars, start, end)
    if sidecars.given:
        tables |= replay.tables
        digests.append(replay.digest)
    notes += replay.notes
    failures = tuple(failure for _, failure in replay.failures)
    return _Beside(tables, tuple(digests), tuple(notes), failures)


def _worth_a_look(facts: CaptureFacts, start: datetime, end: datetime) -> Unpaired | None:
    """Which records to look at, where so many of production's lack a partner that it matters."""
    missing, pairs = facts.ledger.unpaired_production, facts.ledger.pairs
    if not pairs or missing <= MOST_MISSING * (missing + pairs):
        return None
    first, last = (at.astimezone(UTC).replace(tzinfo=None) for at in (start, end))
    return Unpaired(first, last, main_rule(facts.pairing))


def _with(listing: Listing, labels: Listing | None) -> Listing:
    """Everything an answer depends on: other labels, or another sidecar, are another question."""
    others = listing.sidecars + (labels.objects if labels is not None else ())
    return replace(listing, objects=listing.objects + others)


def _opened_cache(policy: Policy, limits: EngineLimits, remarks: list[str]) -> ShardCache | None:
    """The user's cache; a run does without one where it cannot be written."""
    folder = cache_folder() if limits.use_cache and limits.spark is None else None
    if folder is None:
        return None
    try:
        return ShardCache(folder, policy.max_line_bytes, sliced_inputs(policy))
    except OSError as error:
        remarks.append(f"no cache of parsed captures: {folder}: {error.strerror}")
        return None


def _young_objects(listing: Listing) -> Iterator[str]:
    """That captures may be missing yet, and what the cache does not keep."""
    now = datetime.now(UTC)
    settled = now - timedelta(seconds=SETTLED_S)
    live = [item for item in listing.objects if not (listing.sidecars and item.role == "shadow")]
    if young := sum(item.may_have_company(now) for item in live):
        yield (
            f"{counted(young, 'object')} younger than five minutes: captures of the last "
            "minutes may still be on their way"
        )
    # what has no ETag is told from a later version of itself by its time alone
    growing = [item for item in live if item.etag is None and item.modified is not None]
    if any(item.modified > settled for item in growing if item.modified):
        yield "files younger than a minute are not kept parsed and are read again next time"


def _skew_notes(facts: CaptureFacts) -> Iterator[Note]:
    """A copy is sent with its request, so their times tell how far two clocks stand apart."""
    skew_s = facts.tables["pairing_facts"]["median_skew_s"][0].as_py()
    if skew_s is not None and abs(skew_s) >= _SKEWED_S:
        side = "after" if skew_s > 0 else "before"
        text = (
            f"half of the shadow's records are stamped {grouped(round(abs(skew_s)))} s or more "
            f"{side} production's; the window goes by production's time"
        )
        yield Note(code="clock-skew", text=text)


def _shape_notes(predictions: Mapping[str, pa.Table]) -> Iterator[Note]:
    """How the outputs were read, and what to set where that was not clear."""
    for row in predictions["prediction_shape"].to_pylist():
        if row["code"] is not None:
            yield Note(code=row["code"], text=row["text"])


def _remarked(captured: Captured, remarks: Sequence[str]) -> Captured:
    """The same with remarks, the first lines that are no capture records among them.

    By place, since one alone may be half a file; and no note of the verdict, whose bytes do not
    depend on how lines lie in files.
    """
    ledger = captured.facts.ledger
    rejects = ledger.malformed + ledger.not_capture
    if not rejects:
        return with_remarks(captured, remarks)
    first = [
        f"{printable(row['object_key'])} line {row['line_number']} ({row['code']})"
        for row in captured.facts.tables["rejects"].slice(0, _MOST_NAMED).to_pylist()
    ]
    said = "line is no capture record" if rejects == 1 else "lines are no capture records"
    more = ", the first" if rejects > len(first) else ""
    text = f"{grouped(rejects)} {said}{more}: {', '.join(first)}"
    return with_remarks(captured, [*remarks, text])


def _failure_notes(listing: Listing, failures: Failures) -> Iterator[Note]:
    for object_id, failure in failures.items():
        text = f"{listing.objects[object_id].key}: {failure.text}"
        yield Note(code=f"object-{failure.code}", text=text)


def _require_both(
    listing: Listing, engine: Asked, extent: Mapping[str, object], failures: Failures
) -> None:
    """Refuse a side without any usable record; no bundle is written then, so the error says why.

    Raises:
        AccessError: objects of that side could not be opened, so a re-run may help.
        InputError: its lines were rejected, or its objects were damaged.
    """
    missing = [role for role in ROLES if role not in extent]
    if not missing:
        return
    sides = [
        f"{role} has no usable capture record: "
        f"{_why(listing, engine, role, failures, shown=role == missing[0])}"
        for role in missing
    ]
    message = f"no pairs possible: {'; '.join(sides)}; {_WITHOUT_CAPTURES}"
    if any(
        listing.objects[object_id].role in missing and failure.code in _NO_ACCESS
        for object_id, failure in failures.items()
    ):
        raise AccessError(message, code="no-usable-records")
    raise InputError(message, code="no-usable-records")


def _why(listing: Listing, engine: Asked, role: Role, failures: Failures, *, shown: bool) -> str:
    """What became of one side's objects and lines; the first line by name if it is to be shown."""
    failed = [(listing.objects[object_id], failure) for object_id, failure in failures.items()]
    mine = [(item, failure) for item, failure in failed if item.role == role]
    # An object that could not be opened comes first: it is what a re-run can mend.
    mine.sort(key=lambda pair: pair[1].code not in _NO_ACCESS)
    parts = []
    if mine:
        item, failure = mine[0]
        counts = _counted(Counter(failure.code for _, failure in mine))
        said = f"{counted(len(mine), 'object')} failed ({counts})"
        parts.append(f"{said}, first {printable(item.key)}: {printable(failure.text)}")
    codes = engine.table("capture_side_codes", role=role).to_pylist()
    if codes:
        said = _counted({row["code"]: row["lines"] for row in codes})
        if shown:
            (row,) = engine.table("capture_side_rejects", role=role, most=1).to_pylist()
            key = printable(listing.objects[row["object_id"]].key)
            code = f" ({row['code']})" if len(codes) > 1 else ""
            said += f", first {key} line {row['line_number']}{code}"
        parts.append(said)
    objects = sum(item.role == role for item in listing.objects)
    return "; ".join(parts) or f"no line in {counted(objects, 'object')}"


def _counted(codes: Mapping[str, int]) -> str:
    return ", ".join(f"{grouped(count)} {code}" for code, count in sorted(codes.items()))
