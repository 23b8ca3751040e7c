"""One replay: plan, check, send, record. What was begun is finished, and nothing is sent twice.

In: what a person asked for. Out: printing. Captures are read once, before anything is sent; an
interrupted replay is taken up from its own folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import ValidationError

from analyzer.errors import InputError, ResourceError, UsageError
from analyzer.figures import counted, duration
from analyzer.reading.window import asked_span
from analyzer.replay.journal import Journal
from analyzer.replay.plan import FOLDER, Workplace, read_plan, write_plan
from analyzer.replay.recording import record, variant_folder
from analyzer.replay.schedule import schedule, speed_of
from analyzer.replay.selection import Wanted
from analyzer.replay.sending import Sender, sends
from analyzer.replay.summary import Summary, seconds, variant_summary
from analyzer.replay.targets import open_target
from analyzer.replayed import sidecar
from analyzer.sources.objects import AwsOptions, printable
from analyzer.sources.one_variant import OneVariant, discover_one

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from analyzer.replay.plan import Plan, Requests
    from analyzer.replay.schedule import Schedule
    from analyzer.replay.targets import Target
    from analyzer.steps import Progress

_JOURNAL, _COMPLETE = "journal", "complete.json"
_A_MINUTE_S = 60.0


@dataclass(frozen=True)
class Replay:
    """What a person asks for.

    Attributes:
        source: folder or `s3://bucket/prefix` of captures.
        candidate, baseline: what is asked, see `targets.open_target`.
        out: the folder of the records.
        speed: see `schedule.speed_of`.
        concurrency: requests at the same time, at most.
        sample, dedupe: see `selection.Wanted`.
        since, until: ends of the window as flags give them.
    """

    source: str
    candidate: str
    out: Path
    baseline: str | None = None
    endpoint: str | None = None
    production: str | None = None
    speed: str = "captured"
    concurrency: int = 32
    sample: int | None = None
    dedupe: bool = False
    since: str | None = None
    until: str | None = None
    allow_insecure: bool = False
    aws: AwsOptions = field(default_factory=AwsOptions)

    @property
    def targets(self) -> dict[str, str]:
        """Variant name -> what was asked for."""
        named = {"candidate": self.candidate, "baseline": self.baseline}
        return {name: text for name, text in named.items() if text is not None}

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same for a replay to be taken up again."""
        names = ("source", "candidate", "baseline", "endpoint", "production", "speed", "sample",
                 "dedupe", "since", "until")  # fmt: skip
        return {name: getattr(self, name) for name in names}


def replay(asked: Replay, progress: Progress, say: Callable[[str], None] | None = None) -> Summary:
    """Send captured requests and record what came of them; goes on where it was interrupted.

    A signal ends it with what was recorded until then in place.

    Args:
        asked: what to send, and where.
        progress: told how far it is.
        say: told before the first request how many there are and how long they take.

    Raises:
        UsageError: flags that cannot be meant, or a folder that holds another replay.
        InputError: nothing to replay.
        AccessError: a target that is not there, or captures that cannot be read.
        ResourceError: the output folder cannot be written.
    """
    speed = speed_of(asked.speed)
    window = asked_span(asked.since, asked.until)
    try:
        _require_ours(asked.out)
        with Workplace(asked.out) as work:
            begun = work.asked()
            _require_same(asked, begun)
            known = work.folder / _COMPLETE
            if known.exists():
                return _complete(known, asked.out)
            targets = _targets(asked)
            for target in targets.values():
                target.check()
            if begun is None:
                listing = discover_one(
                    asked.source,
                    OneVariant(asked.endpoint, asked.production, *window),
                    asked.aws,
                    lambda count: progress("listing captures", count, None),
                )
                _require_new(asked, listing.endpoint, work.folder)
                wanted = Wanted(asked.sample, asked.dedupe, *window)
                write_plan(work.folder, listing, wanted, asked.identity, progress)
            plan = read_plan(work.folder)
            due = schedule(plan.at_us, speed)
            summary = _sent_and_recorded(asked, plan, targets, progress, say or _unheard, due=due)
            if summary.state == "complete":
                fresh = known.with_suffix(".part")
                fresh.write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
                fresh.replace(known)
                # They hold every payload once more.
                plan.remove()
                (work.folder / _JOURNAL).unlink()
            return summary
    except OSError as error:
        raise ResourceError(f"--out {asked.out}: {error.strerror or error}") from None


def _sent_and_recorded(
    asked: Replay,
    plan: Plan,
    targets: dict[str, Target],
    progress: Progress,
    say: Callable[[str], None],
    *,
    due: Schedule,
) -> Summary:
    """Send what is left and write the records, whatever ends the sending."""
    with plan.open() as requests, Journal(plan.folder / _JOURNAL) as journal:
        index = journal.index(targets, len(plan))
        already = sum(len(one.begun) for one in index.values())
        todo = sends(plan, due, list(targets), index)
        say(_announced(asked.speed, len(plan) * len(targets) - already, due))
        try:
            Sender(todo, requests, targets, journal, asked.concurrency).run(progress, already)
        finally:
            summary = _recorded(asked, plan, targets, requests, journal)
    return summary


def _unheard(_: str) -> None:
    return


def _announced(speed: str, left: int, due: Schedule) -> str:
    """How many requests, how fast and for how long: captured speed may take days."""
    lasts_s = float(due.due_s[-1]) if len(due.due_s) else 0.0
    text = f"{counted(left, 'request')} to send at --speed {speed}"
    if not lasts_s:
        return text
    lasts = duration(lasts_s / 60) if lasts_s >= _A_MINUTE_S else f"{lasts_s:.0f} s"
    faster = "; 10x or 50/s is faster" if speed == "captured" and lasts_s >= _A_MINUTE_S else ""
    return f"{text}: all of them take {lasts}{faster}"


def _recorded(
    asked: Replay, plan: Plan, targets: dict[str, Target], requests: Requests, journal: Journal
) -> Summary:
    index = journal.index(targets, len(plan))
    folders = {name: variant_folder(asked.out, plan.endpoint, name) for name in targets}
    tables = {name: record(folders[name], name, index[name], requests, journal) for name in targets}
    variants = {name: variant_summary(table) for name, table in tables.items()}
    left = len(plan) * len(targets) - sum(one.sent for one in variants.values())
    return Summary(
        state="interrupted" if left else "complete",
        left=left,
        speed=asked.speed,
        captures=plan.captures or asked.source,
        endpoint=plan.endpoint,
        counts=dict(plan.counts),
        objects_failed=dict(plan.failed),
        seconds=seconds(tables),
        variants=variants,
        folders={
            name: folder.relative_to(asked.out).as_posix() for name, folder in folders.items()
        },
    )


def _targets(asked: Replay) -> dict[str, Target]:
    return {
        name: open_target(
            text,
            f"--{name}",
            aws=asked.aws,
            connections=asked.concurrency,
            allow_insecure=asked.allow_insecure,
        )
        for name, text in asked.targets.items()
    }


def _complete(path: Path, out: Path) -> Summary:
    """What a replay came to that has nothing left to do.

    Raises:
        InputError: it is damaged, or its records are gone.
    """
    try:
        known = Summary.model_validate_json(path.read_bytes())
    except ValidationError:
        raise InputError(f"{path}: is damaged, or of another version") from None
    for name in known.folders.values():
        if not (out / name / sidecar.NAME).is_file():
            raise InputError(
                f"--out {out}: this replay was complete, and its records in {name} are gone; name "
                "another folder to replay again"
            )
    return known.model_copy(update={"again": True})


def _require_ours(out: Path) -> None:
    """Refuse a folder of something else before anything is put into it: a bundle is sealed."""
    if out.exists() and not (out / FOLDER).exists() and any(out.iterdir()):
        raise UsageError(f"--out {out}: not empty and not a replay; name another folder")


def _require_new(asked: Replay, endpoint: str | None, folder: Path) -> None:
    """Refuse a place where records of something else lie: two sources must not look like one."""
    for name in asked.targets:
        at = variant_folder(asked.out, endpoint, name)
        if at.exists() and any(at.iterdir()):
            raise UsageError(f"--out {asked.out}: {at} is not empty; name another folder")
    if (folder / _JOURNAL).exists():
        raise UsageError(f"--out {asked.out}: a journal without its plan; name another folder")


def _require_same(asked: Replay, begun: dict[str, Any] | None) -> None:
    """Refuse to go on with a replay of something else."""
    for name, value in asked.identity.items():
        if begun is not None and begun.get(name) != value:
            raise UsageError(
                f"--out {asked.out}: holds a replay with another {name}: "
                f"{printable(str(begun.get(name)))}; give the same, or another folder"
            )
