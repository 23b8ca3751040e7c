"""Every object below an S3 prefix, asked for by several requests at a time.

A prefix of few objects is listed in one go. A larger one is walked folder by folder down to its
days; a day is listed in one go unless it is large, and then by hour. How the work is split and in
which order answers come changes the order of the entries and nothing else.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from analyzer.sources.aws import CONNECTIONS, Trail, explain, payer
from analyzer.sources.days import base_of_capture, dated
from analyzer.sources.objects import Entry, is_hidden, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from analyzer.sources.aws import S3Client
    from analyzer.sources.days import Dated, Days
    from analyzer.sources.objects import AwsOptions

PAGES_BEFORE_SPLIT = 2
"""Pages of a folder read one after the other before it is split: splitting has its own price."""
MOST_FOLDERS = 1_000
"""Folders that name no date and are asked for on their own; beyond, what holds them is listed page
by page: a request for each of countless small folders would cost more than it saves."""
_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_PROBED_KEYS = 100
_DAY_PARTS = 3


@dataclass(frozen=True)
class Page:
    """One answer: objects, folders when it was asked by folder, and where the next one begins.

    Attributes:
        token: None on the last page; empty where there is more and the server names no next page,
            which matters to who wants it (`Trail`).
    """

    entries: tuple[Entry, ...]
    folders: tuple[str, ...]
    token: str | None


@dataclass(frozen=True)
class Bucket:
    """A bucket as it is listed.

    Attributes:
        what: what a person wanted, for errors.
        root: the prefix that was named, as keys spell it; names below it may hide a key.
    """

    client: S3Client
    name: str
    options: AwsOptions
    what: str
    root: str = ""

    def page(
        self, prefix: str, token: str | None = None, *, most: int | None = None, delimiter: str = ""
    ) -> Page:
        """One request.

        Raises:
            AccessError, InputError, UsageError: the bucket cannot be listed.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        request: dict[str, object] = {
            "Bucket": self.name,
            "Prefix": prefix,
            **payer(self.options),
            **({"ContinuationToken": token} if token else {}),
            **({"MaxKeys": most} if most else {}),
            **({"Delimiter": delimiter} if delimiter else {}),
        }
        try:
            answer = self.client.list_objects_v2(**request)
        except (BotoCoreError, ClientError) as error:
            raise explain(error, self.what, public=True) from None
        following = answer.get("NextContinuationToken", "") if answer.get("IsTruncated") else None
        return Page(
            tuple(self._entry(found) for found in answer.get("Contents", ())),
            tuple(found["Prefix"] for found in answer.get("CommonPrefixes", ())),
            following,
        )

    def _entry(self, found: Mapping[str, Any]) -> Entry:
        key = found["Key"]
        location = f"s3://{self.name}/{key}"
        etag = found.get("ETag", "").strip('"') or None
        modified = found["LastModified"].astimezone(UTC)
        hidden = is_hidden(key.removeprefix(self.root))
        archived = found.get("StorageClass") in _ARCHIVES
        return Entry(
            key,
            location,
            found["Size"],
            etag,
            modified,
            location,
            hidden=hidden,
            archived=archived,
        )


@dataclass(frozen=True)
class _Flat:
    """A folder with all that lies below it, page by page.

    Attributes:
        held: pages read before it is known whether the folder will be split.
        trail: of its pages, which are read one after the other.
    """

    folder: str
    may_split: bool
    token: str | None = None
    held: tuple[Page, ...] = ()
    trail: Trail = field(default_factory=Trail, compare=False)


@dataclass(frozen=True)
class _Walk:
    """One level of a folder: what lies directly in it, and its folders as tasks of their own."""

    folder: str


_Task: TypeAlias = "_Flat | _Walk"


@dataclass(frozen=True)
class _Step:
    """What one task gave: entries, and what is left to do."""

    entries: tuple[Entry, ...]
    tasks: tuple[_Task, ...] = ()


def below(bucket: Bucket, folder: str, first: Page, days: Days) -> Iterator[Entry]:
    """Every object below a folder, in any order, without days that are left out.

    Args:
        bucket: where.
        folder: prefix, with its slash.
        first: the first page of `folder`, which the caller has read to see whether there is one.
        days: asked which days are needed; told whose days were left out.

    Raises:
        AccessError, InputError, UsageError: the bucket cannot be listed.
    """
    started = _after_page(_Flat(folder, may_split=True), first, bucket.what)
    yield from started.entries
    if not started.tasks:
        return
    walker = _Walker(bucket, days)
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="listing") as pool:
        running: set[Future[_Step]] = {pool.submit(walker.run, one) for one in started.tasks}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    step = future.result()
                    yield from step.entries
                    running |= {pool.submit(walker.run, one) for one in step.tasks}
        finally:
            for future in running:
                future.cancel()


def _after_page(task: _Flat, page: Page, what: str) -> _Step:
    """What a page of a folder listed in one go leads to."""
    if page.token is None:
        held = (entry for one in (*task.held, page) for entry in one.entries)
        return _Step(tuple(held))
    token = task.trail.on(page.token, what)
    if not task.may_split:
        return _Step(page.entries, (replace(task, token=token),))
    if len(task.held) + 1 < PAGES_BEFORE_SPLIT:
        return _Step((), (replace(task, token=token, held=(*task.held, page)),))
    # The pages are dropped: going on after their last key would trust every server to sort.
    return _Step((), (_Walk(task.folder),))


class _Walker:
    """Runs tasks; one instance serves many threads."""

    def __init__(self, bucket: Bucket, days: Days) -> None:
        self._bucket = bucket
        self._days = days
        self._folders_left = MOST_FOLDERS
        self._lock = Lock()
        self._holds_hours: dict[str, bool] = {}

    def run(self, task: _Task) -> _Step:
        """One task, which is one request, and another where a day might be left out."""
        if isinstance(task, _Flat):
            page = self._bucket.page(task.folder, task.token)
            return _after_page(task, page, self._bucket.what)
        page = self._bucket.page(task.folder, delimiter="/")
        if page.token is not None or not self._affordable(page.folders):
            return _Step((), (_Flat(task.folder, may_split=False),))
        tasks = [_task_of(folder, dated(folder)) for folder in self._needed(page.folders)]
        return _Step(page.entries, tuple(tasks))

    def _affordable(self, folders: Sequence[str]) -> bool:
        """Whether each folder may be asked for on its own; those of a date always may."""
        undated = sum(dated(folder) is None for folder in folders)
        with self._lock:
            if undated > self._folders_left:
                return False
            self._folders_left -= undated
        return True

    def _needed(self, folders: Sequence[str]) -> Iterator[str]:
        """The folders without years, months and days of captures that cannot matter."""
        for folder in sorted(folders):
            date = dated(folder)
            if date is None or self._days.need(date) or not self._are_hours(folder, date.base):
                yield folder
            else:
                self._days.left_out.add(date.base)

    def _are_hours(self, folder: str, base: str) -> bool:
        """Whether captures lie in hour folders below a base; looked up in one of its folders.

        Wrong only where they do and a hundred other objects come first; then nothing is saved.
        """
        if base not in self._holds_hours:
            page = self._bucket.page(folder, most=_PROBED_KEYS)
            self._holds_hours[base] = base in map(base_of_capture, page.entries)
        return self._holds_hours[base]


def _task_of(folder: str, date: Dated | None) -> _Task:
    if date is None or date.parts < _DAY_PARTS:
        return _Walk(folder)
    return _Flat(folder, may_split=date.parts == _DAY_PARTS)


def described(bucket: str, prefix: str) -> str:
    """What a listing is called in errors."""
    return f"list s3://{printable(bucket)}/{printable(prefix)}"
