"""What was sent and what came of it, written down as it happens: a replay's memory.

In: one append-only file. Out: capture records (`recording`). A line says that a request is about
to be sent, before it is, and another what came of it, after. Whoever is killed between the two
leaves a request of which nobody knows whether it arrived: it is never sent again, and counts as
`unfinished`. This holds for every way a process can end; a machine that loses power may lose the
last lines.

Shapes: a line is a JSON object, and for an outcome a tab and the answer's body as BASE64.
"""

from __future__ import annotations

import base64
import errno
import json
import os
from dataclasses import asdict, dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Self

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

_PAGE, _BLOCK = 4096, 1 << 20


@dataclass(frozen=True)
class Sent:
    """A request that is about to be sent.

    Attributes:
        order: its place in the replay; variant: to whom.
        intended_us, sent_us: microseconds since 1970 UTC.
        began_us: when its uninterrupted sending began.
        warm_up: whether it is one of the first of that.
    """

    order: int
    variant: str
    intended_us: int
    sent_us: int
    began_us: int
    warm_up: bool


@dataclass(frozen=True)
class Outcome:
    """What came of a request; times in microseconds since 1970 UTC."""

    order: int
    variant: str
    sent_us: int
    done_us: int
    first_byte_us: int | None
    status: int | None
    content_type: str | None
    error_code: str | None
    error_text: str | None


@dataclass(frozen=True)
class Entry:
    """One request of the journal; no outcome while nobody knows it.

    Attributes:
        body: of a usable answer.
    """

    sent: Sent
    outcome: Outcome | None = None
    body: bytes = b""


@dataclass(frozen=True)
class Index:
    """Where the lines of one variant's requests stand, by order; -1 for a line that is not there.

    Shapes: parallel, one row a request of the plan.
    """

    sent: Ints
    done: Ints

    @property
    def begun(self) -> Ints:
        """Orders of the requests that were sent, ascending."""
        return np.flatnonzero(self.sent >= 0)


class Journal:
    """The file, open for appending; a last line that was cut short is taken off first.

    An outcome cut short has still been sent; a sending cut short has not been, because the line
    is written before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._file, _whole(self._file))
        self._end = os.lseek(self._file, 0, os.SEEK_END)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            os.close(self._file)
            self._file = -1

    def sending(self, sent: Sent) -> None:
        """Write down that a request is about to be sent.

        Raises:
            OSError: it cannot be written, also because the journal is closed, so it must not be
                sent.
        """
        if not self._append(json.dumps(asdict(sent)).encode()):
            raise OSError(errno.EBADF, "the journal is closed", str(self._path))

    def done(self, outcome: Outcome, body: bytes) -> None:
        """Write down what came of it; an answer later than the journal's end is left unknown."""
        head = json.dumps(asdict(outcome)).encode()
        self._append(head + b"\t" + base64.b64encode(body))

    def index(self, variants: Iterable[str], requests: int) -> dict[str, Index]:
        """Where everything written down stands, by variant.

        Raises:
            InputError: it is not what a replay writes.
        """
        found = {
            name: Index(np.full(requests, -1, np.int64), np.full(requests, -1, np.int64))
            for name in variants
        }
        try:
            for offset, head, is_outcome in self._heads():
                of = found[head["variant"]]
                (of.done if is_outcome else of.sent)[head["order"]] = offset
        except (ValueError, TypeError, LookupError):
            raise InputError(
                f"{self._path}: is damaged, so what was sent is not known; name another folder"
            ) from None
        return found

    def entry(self, index: Index, order: int) -> Entry:
        """A request that was sent."""
        head, _ = self._line(int(index.sent[order]))
        if index.done[order] < 0:
            return Entry(Sent(**head))
        told, body = self._line(int(index.done[order]))
        return Entry(Sent(**head), Outcome(**told), base64.b64decode(body))

    def _line(self, offset: int) -> tuple[dict[str, Any], bytes]:
        """The object and the body of a line."""
        line = os.pread(self._file, _PAGE, offset)
        while b"\n" not in line and (more := os.pread(self._file, _BLOCK, offset + len(line))):
            line += more
        head, _, body = line.partition(b"\n")[0].partition(b"\t")
        return json.loads(head), body

    def _heads(self) -> Iterator[tuple[int, dict[str, Any], bool]]:
        offset = 0
        with self._path.open("rb") as stream:
            for line in stream:
                head, tab, _ = line.partition(b"\t")
                yield offset, json.loads(head), bool(tab)
                offset += len(line)

    def _append(self, line: bytes) -> bool:
        """Whether the file was still open, and so holds the line."""
        data = memoryview(line + b"\n")
        with self._lock:
            if self._file < 0:
                return False
            begun = self._end
            try:
                while data:
                    written = os.pwrite(self._file, data, self._end)
                    self._end += written
                    data = data[written:]
            except OSError:
                self._end = begun  # half a line is none: the next one takes its place
                os.ftruncate(self._file, begun)
                raise
            return True


def _whole(file: int) -> int:
    """Bytes up to the end of the last whole line."""
    end = os.lseek(file, 0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK)
        place = os.pread(file, end - start, start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return 0
