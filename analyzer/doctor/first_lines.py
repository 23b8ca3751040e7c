"""Do captures begin with capture records? Asked of the first lines, by the code that reads a run's.

In: objects and what they begin with. Out: the problems that follow; reading the objects.

An object's middle is not seen, so records here promise nothing; none here is what a run over
another format, or over noise, would end with.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyzer.captures import Captures
from analyzer.doctor.diagnosis import Problem
from analyzer.engine import Engine
from analyzer.errors import AnalyzerError, ExitCode
from analyzer.figures import grouped
from analyzer.sources.access import START_BYTES
from analyzer.sources.lines import inflated
from analyzer.sources.objects import ROLES, Chunk, ObjectError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.sources.objects import ObjectFailure, Role, SourceObject


@dataclass(frozen=True)
class _Beginning:
    """The whole lines an object begins with, and what is wrong with it if all of it was read."""

    item: SourceObject
    text: bytes
    failure: ObjectFailure | None = None

    @property
    def seen(self) -> bool:
        """Whether it says anything of the object."""
        return bool(self.text) or self.failure is not None


def without_records(starts: Sequence[tuple[SourceObject, bytes]]) -> Iterator[Problem]:
    """A problem for each variant in whose first lines no capture record is.

    Args:
        starts: objects with the bytes they begin with, `START_BYTES` as stored or all there are.
            One whose first line is longer, or of which nothing could be read, says nothing, and
            neither then does its variant.
    """
    beginnings = [_beginning(item, start) for item, start in starts]
    try:
        yield from _problems(beginnings)
    except AnalyzerError as error:
        yield Problem(error.exit_code, str(error))


def _beginning(item: SourceObject, start: bytes) -> _Beginning:
    whole, text = len(start) >= item.size, b""
    try:
        for block in inflated([start]):
            text += block
            if len(text) > START_BYTES:
                whole = False
                break
    except ObjectError as error:
        # Of compressed data the end that was not read is missing in any case.
        if whole or error.failure.code == "parquet":
            return _Beginning(item, text, error.failure)
    return _Beginning(item, text if whole else text[: text.rfind(b"\n") + 1])


def _problems(beginnings: Sequence[_Beginning]) -> Iterator[Problem]:
    chunks = [
        Chunk(number, one.item.role, 1, data=one.text)
        for number, one in enumerate(beginnings)
        if one.text
    ]
    with Engine() as engine:
        extent = Captures(engine, chunks).extent()
        for role in ROLES:
            mine = [one for one in beginnings if one.item.role == role]
            if mine and all(one.seen for one in mine) and role not in extent:
                rejected = engine.table("capture_side_codes", role=role).to_pylist()
                yield Problem(ExitCode.INPUT, _said(role, mine, rejected))


def _said(role: Role, mine: Sequence[_Beginning], rejected: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter({row["code"]: row["lines"] for row in rejected})
    counts.update(one.failure.code for one in mine if one.failure is not None)
    why = ", ".join(f"{grouped(count)} {code}" for code, count in counts.items())
    keys = " and ".join(printable(one.item.key) for one in mine)
    return f"{role}: no capture record in the first lines of {keys}: {why or 'all blank'}"
