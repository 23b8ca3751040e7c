"""What `analyzer doctor` says: what is here, who asks, what may be read, what is missing.

In: a diagnosis. Out: blocks for the terminal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analyzer.figures import counted, grouped, sized
from analyzer.report.content.page import (
    Column,
    Fact,
    Facts,
    Headline,
    Item,
    Notes,
    Page,
    Request,
    Table,
    Tone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from analyzer.doctor.diagnosis import Diagnosis, Reads, Side
    from analyzer.report.content.page import Block
    from analyzer.sources.access import Identity

_KINDS = {
    "assume-role": "an assumed role",
    "assume-role-with-web-identity": "a role by web identity",
    "config-file": "the AWS config file",
    "container-role": "the container's role",
    "custom-process": "a credential process",
    "env": "environment variables",
    "iam-role": "the instance's role",
    "login": "aws login",
    "shared-credentials-file": "the shared credentials file",
    "sso": "IAM Identity Center",
}
_STATES = {"granted": Tone.GOOD, "missing": Tone.BAD, "not known": Tone.OPEN}


def doctor_page(diagnosis: Diagnosis) -> Page:
    """A diagnosis as a page."""
    return Page("doctor", "Doctor", tuple(_blocks(diagnosis)))


def _blocks(diagnosis: Diagnosis) -> Iterator[Block]:
    yield Facts("versions", tuple(Fact(*pair) for pair in diagnosis.versions.items()))
    machine = diagnosis.machine
    yield Facts("memory", (Fact("usable by this process", sized(machine.memory_bytes)),))
    yield Facts("parsed objects kept in", (_room(machine.cache_folder, machine.cache_free_bytes),))
    yield Facts(
        "temporary files in", (_room(machine.temporary_folder, machine.temporary_free_bytes),)
    )
    if diagnosis.who is not None:
        yield Facts("credentials", tuple(_who(diagnosis.who)))
    for bucket, region in diagnosis.regions.items():
        yield Facts("bucket", (Fact(bucket, f"in {region}" if region else "in an unknown region"),))
    if diagnosis.permissions:
        yield _permissions(diagnosis)
    if diagnosis.reads is not None:
        yield from _reads(diagnosis.reads)
    others = diagnosis.problems[1:]  # the first is the headline's
    yield Notes("Problems", tuple(Item("problem", one.text) for one in others))
    if diagnosis.policy is not None:
        yield Request(
            "smallest IAM policy",
            json.dumps(diagnosis.policy, indent=2),
            "lets a run list and read these captures, and nothing else",
        )
    yield _headline(diagnosis)


def _room(folder: str | None, free: int | None) -> Fact:
    return Fact(folder or "nowhere", "" if free is None else f"({sized(free)} free)")


def _who(identity: Identity) -> Iterator[Fact]:
    if identity.kind is None:
        yield Fact("none found", "")
    elif identity.kind == "anonymous":
        yield Fact("none", "(requests are not signed)")
    else:
        yield Fact("from", _KINDS.get(identity.kind, identity.kind))
    if identity.arn is not None:
        yield Fact("identity", identity.arn)
    elif identity.why_unnamed:
        yield Fact("identity", f"unknown: {identity.why_unnamed}")


def _permissions(diagnosis: Diagnosis) -> Table:
    columns = (Column("permission"), Column("state"), Column("answer", sentence=True))
    rows = tuple((one.name, one.state, one.text) for one in diagnosis.permissions)
    tones = tuple(_STATES[one.state] for one in diagnosis.permissions)
    return Table("Permissions", columns, rows, tones, toned=1)


def _reads(reads: Reads) -> Iterator[Block]:
    columns = (
        Column("would read"),
        Column("variant"),
        Column("objects", "right"),
        Column("size", "right"),
        Column("hours", "right"),
        Column("first hour"),
        Column("last hour"),
    )
    yield Table("Captures", columns, tuple(_side(side) for side in reads.sides))
    endpoint = (Fact("endpoint", reads.endpoint),) if reads.endpoint else ()
    listed = (Fact("objects listed", grouped(reads.listed)),)
    skipped = (Fact(code, grouped(count)) for code, count in reads.skipped.items())
    yield Facts("found", (*endpoint, *listed))
    yield Facts("skipped", tuple(skipped) or (Fact("nothing", ""),))
    yield Notes("To know", tuple(_to_know(reads)))


def _to_know(reads: Reads) -> Iterator[Item]:
    if reads.young:
        young = counted(reads.young, "object")
        text = f"{young} less than 5 minutes old: others of the same minutes may still arrive"
        yield Item("live", text)
    if reads.archived:
        archived = counted(reads.archived, "object")
        text = f"{archived} in an archive storage class, which can be read only once restored"
        yield Item("archived", text)


def _side(side: Side) -> tuple[str, ...]:
    return (
        side.role,
        side.variant or "(not named)",
        grouped(side.objects),
        sized(side.size_bytes),
        grouped(side.hours) if side.hours else "-",
        _hour(side.first_hour),
        _hour(side.last_hour),
    )


def _hour(hour: datetime | None) -> str:
    return "-" if hour is None else f"{hour:%Y-%m-%d %H}:00 UTC"


def _headline(diagnosis: Diagnosis) -> Headline:
    if diagnosis.problems:
        first, *more = diagnosis.problems
        also = f" (and {counted(len(more), 'more problem')}, above)" if more else ""
        return Headline("NOT READY", "✗", Tone.BAD, f"{first.text}{also}")
    if diagnosis.reads is None:
        sentence = "Name a SOURCE to see what a run would read."
        return Headline("READY", "✓", Tone.GOOD, sentence)
    objects = counted(sum(side.objects for side in diagnosis.reads.sides), "object")
    size = sized(sum(side.size_bytes for side in diagnosis.reads.sides))
    return Headline("READY", "✓", Tone.GOOD, f"A run would read {objects} ({size}).")
