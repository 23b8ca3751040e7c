"""`analyzer doctor`: what a run would read from here, and what it lacks.

In: a `Question`. Out: a `Diagnosis` of this installation, of who asks AWS, of what
may be listed and read, and of the smallest IAM policy for it. Everything is tried: the captures
are listed, and of each variant the start of the first and of the last object is read. Nothing is
changed and no key is kept. The words are `report.content.doctor_page`'s.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.doctor import least_privilege
from analyzer.doctor.diagnosis import Diagnosis, Machine, Permission, Problem, Reads, Side
from analyzer.doctor.first_lines import without_records
from analyzer.endpoint import read_endpoint
from analyzer.errors import AccessError, AnalyzerError, ExitCode
from analyzer.figures import counted
from analyzer.machine import limits
from analyzer.machine.user_cache import cache_folder
from analyzer.machine.versions import versions
from analyzer.reading.subject import described
from analyzer.reading.window import asked_span
from analyzer.sources import discover
from analyzer.sources.access import (
    ARCHIVED,
    READ_FILE,
    Tried,
    bucket_region,
    identity,
    partition_of,
    try_reading,
)
from analyzer.sources.aws import NO_BUCKET
from analyzer.sources.batch_transform import capture_folder, data_folders
from analyzer.sources.layout import CAPTURE_NAMES
from analyzer.sources.objects import ROLES, printable
from analyzer.sources.s3 import found_under, split_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.doctor.diagnosis import Question
    from analyzer.sources import AwsOptions, Listing, SourceObject
    from analyzer.sources.access import Identity
    from analyzer.sources.objects import Role
    from analyzer.steps import Progress

    Trial = tuple[SourceObject, Tried | AnalyzerError]

_LIST, _GET, _DECRYPT = "s3:ListBucket", "s3:GetObject", "kms:Decrypt"


def examine(question: Question, progress: Progress, *, now: datetime | None = None) -> Diagnosis:
    """Find out what a run would read and what it lacks.

    Args:
        question: what was asked.
        progress: told while captures are listed.
        now: to tell young objects; the clock's time by default.

    Raises:
        UsageError: flags that cannot be meant; anything else is part of the diagnosis.
    """
    span = asked_span(question.since, question.until)
    found, machine = versions(), _machine()
    if not question.about_captures:
        who, problems = _who(question.aws)
        return Diagnosis(found, machine, who=who, problems=problems)
    who, problems = _who(question.aws) if question.on_s3 else (None, ())
    if problems:
        policy = _policy(question, None, (), {})
        return Diagnosis(found, machine, who=who, policy=policy, problems=problems)
    roles = described(read_endpoint(question.endpoint_file) if question.endpoint_file else None)
    listing, refusal = None, None
    try:
        listing = discover(
            question.source,
            endpoint=question.endpoint,
            production=question.production,
            shadow=question.shadow,
            since=span[0],
            until=span[1],
            aws=question.aws,
            roles=roles,
            on_listed=lambda count: progress("listing", count, None),
        )
    except AnalyzerError as error:
        refusal = error
    tried = _tried(listing, question.aws)
    refused = () if refusal is None else (Problem(refusal.exit_code, str(refusal)),)
    gone = refusal is not None and refusal.code == NO_BUCKET
    regions = {} if gone else _regions(question)
    return Diagnosis(
        found,
        machine,
        who=who,
        regions=regions,
        permissions=tuple(_permissions(question, refusal, tried)),
        reads=None if listing is None else _reads(listing, now or datetime.now(UTC)),
        policy=None if gone else _policy(question, listing, tried, regions),
        problems=(
            *refused,
            *_refused_reading(tried, _archived(listing)),
            *without_records(_starts(tried, listing)),
        ),
    )


def _machine() -> Machine:
    cache, temporary = cache_folder(), Path(tempfile.gettempdir())
    return Machine(
        memory_bytes=limits.memory_available(),
        cache_folder=None if cache is None else str(cache),
        cache_free_bytes=None if cache is None else limits.disk_free(cache),
        temporary_folder=str(temporary),
        temporary_free_bytes=limits.disk_free(temporary),
    )


def _who(options: AwsOptions) -> tuple[Identity | None, tuple[Problem, ...]]:
    try:
        return identity(options), ()
    except AccessError as error:
        return None, (Problem(error.exit_code, str(error)),)


def _tried(listing: Listing | None, options: AwsOptions) -> tuple[Trial, ...]:
    """What reading the start showed of the first and the last object of each variant."""
    found: list[Trial] = []
    for item in _ends(listing.objects) if listing else ():
        try:
            found.append((item, try_reading(options, item)))
        except AnalyzerError as error:
            # It is about all objects: trying the next one would only repeat it.
            return (*found, (item, error))
    return tuple(found)


def _ends(objects: tuple[SourceObject, ...]) -> Iterator[SourceObject]:
    """The first and the last object of each variant, and the first of those that are archived."""
    for role in ROLES:
        mine = [item for item in objects if item.role == role]
        ends = [part for item in (*mine[:1], *mine[1:][-1:]) for part in item.stored]
        yield from ends
        archived = (part for item in mine for part in item.stored if part.archived)
        yield from (part for part in islice(archived, 1) if part not in ends)


def _starts(tried: tuple[Trial, ...], listing: Listing | None) -> list[tuple[SourceObject, bytes]]:
    """What capture objects begin with; the data files of batch-transform jobs hold no records."""
    captured = {item.location for item in listing.objects if item.batch is None} if listing else ()
    return [
        (item, one.start)
        for item, one in tried
        if isinstance(one, Tried) and item.location in captured
    ]


def _archived(listing: Listing | None) -> int:
    return sum(
        any(part.archived for part in item.stored) for item in (listing.objects if listing else ())
    )


def _refused_reading(tried: tuple[Trial, ...], archived: int) -> Iterator[Problem]:
    """What keeps objects from being read; one permission is one problem, however often.

    Args:
        tried: what reading showed.
        archived: objects that are listed as archived.
    """
    missing = [one.missing for _, one in tried if isinstance(one, Tried) and one.missing]
    cold = [item for item, one in tried if isinstance(one, Tried) and one.code == ARCHIVED]
    if cold:
        number = max(archived, len(cold))
        text = (
            f"{counted(number, 'object')} in an archive storage class, such as "
            f"{printable(cold[0].key)}: restore {'it' if number == 1 else 'them'} first"
        )
        yield Problem(ExitCode.ACCESS, text)
    told: set[str] = set()
    for item, result in tried:
        if isinstance(result, AnalyzerError):
            yield Problem(result.exit_code, str(result))
        elif result.code == ARCHIVED:
            continue
        elif result.text and result.missing not in told:
            text = f"read {printable(item.key)}: {result.text}"
            if result.missing:
                told.add(result.missing)
                count = f"{missing.count(result.missing)} of {counted(len(tried), 'object')} tried"
                text = f"{result.missing} is missing for {count}: {text}"
            yield Problem(ExitCode.ACCESS, text)


def _permissions(
    question: Question, refusal: AnalyzerError | None, tried: tuple[Trial, ...]
) -> Iterator[Permission]:
    """What was granted and what was missing; a key's is named only where a key is needed."""
    results = [one for _, one in tried if not isinstance(one, AnalyzerError)]
    if not question.on_s3:
        yield _of_objects(READ_FILE, results)
        return
    if refusal is not None and refusal.code == NO_BUCKET:
        yield Permission(_LIST, "not known", str(refusal))
    elif not isinstance(refusal, AccessError):
        yield Permission(_LIST, "granted")
    elif refusal.permission:
        yield Permission(refusal.permission, "missing", str(refusal))
    else:
        yield Permission(_LIST, "not known", str(refusal))
    yield _of_objects(_GET, results)
    encrypted = [one for one in results if one.kms_key is not None]
    if encrypted:
        yield _of_objects(_DECRYPT, encrypted)


def _of_objects(name: str, results: list[Tried]) -> Permission:
    texts = [one.text for one in results if one.missing == name]
    if texts:
        return Permission(name, "missing", texts[0])
    # An object whose key is denied was granted as an object; one that is gone says nothing.
    known = [one for one in results if not one.text or one.missing == _DECRYPT]
    return Permission(name, "granted" if known else "not known")


def _reads(listing: Listing, now: datetime) -> Reads:
    names = {"production": listing.production_variant, "shadow": listing.shadow_variant}
    young = sum(item.may_have_company(now) for item in listing.objects)
    sides = tuple(_side(role, names[role], listing) for role in ROLES)
    skipped, archived = dict(listing.skipped), _archived(listing)
    return Reads(listing.endpoint, sides, listing.listed, skipped, young, archived)


def _side(role: Role, variant: str | None, listing: Listing) -> Side:
    mine = [item for item in listing.objects if item.role == role]
    hours = sorted({item.hour for item in mine if item.hour is not None})
    return Side(
        role=role,
        variant=variant,
        objects=len(mine),
        size_bytes=sum(item.size for item in mine),
        hours=len(hours),
        first_hour=hours[0] if hours else None,
        last_hour=hours[-1] if hours else None,
    )


def _regions(question: Question) -> dict[str, str | None]:
    buckets = {split_url(root)[0] for root, _ in question.on_s3}
    return {bucket: bucket_region(question.aws, bucket) for bucket in sorted(buckets)}


def _policy(
    question: Question,
    listing: Listing | None,
    tried: tuple[Trial, ...],
    regions: dict[str, str | None],
) -> dict[str, Any] | None:
    """The smallest policy for what was asked; what could not be listed is taken at its word."""
    if question.aws.no_sign_request or not question.on_s3:
        return None
    readings = []
    for root, roles in question.on_s3:
        bucket, asked = split_url(root)
        region = regions.get(bucket)
        mine = [item for item in (listing.objects if listing else ()) if item.role in roles]
        first = next((item.key for item in mine if item.batch is None), None)
        data = data_folders(mine)
        if data:
            asked = capture_folder(asked)
        keys_needed = {
            result.kms_key
            for item, result in tried
            if item.role in roles and isinstance(result, Tried) and result.kms_key is not None
        }
        here = _folder(asked) if first is None else found_under(asked, first)
        # A batch-transform job's data lie outside its capture folder.
        for prefix, spelling in ((here, asked), *((folder, folder) for folder in data)):
            readings.append(
                least_privilege.Reading(
                    bucket=bucket,
                    prefix=prefix,
                    asked=spelling,
                    partition=partition_of(region),
                    region=region,
                    kms_keys=tuple(sorted(keys_needed)),
                )
            )
    return least_privilege.policy(readings)


def _folder(asked: str) -> str:
    """A prefix of which no key is known, as what it most likely names."""
    if not asked or asked.endswith(("/", *CAPTURE_NAMES)):
        return asked
    return f"{asked}/"
