"""What `analyzer replay` says: what was sent, what came of it, how fast, and what to do next.

In: a replay's summary. Out: blocks for the terminal.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from analyzer.figures import NONE, counted, grouped, percent
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

    from analyzer.replay.summary import Summary, VariantSummary
    from analyzer.report.content.page import Block

_MOST_LATE = 0.01


def replay_page(summary: Summary, out: str, tool: str) -> Page:
    """A replay as a page.

    Args:
        summary: what it came to.
        out: folder of the records.
        tool: how this tool is started.
    """
    return Page("replay", "Replay", tuple(_blocks(summary, out, tool)))


def _blocks(summary: Summary, out: str, tool: str) -> Iterator[Block]:
    read = {code: n for code, n in summary.counts.items() if code not in {"lines", "requests"}}
    yield Facts(
        "captures",
        (
            Fact("lines", grouped(summary.counts.get("lines", 0))),
            Fact("requests to send", grouped(summary.counts["requests"])),
            *(Fact(code, grouped(count)) for code, count in read.items()),
        ),
    )
    columns = ("variant", "sent", "usable", "late", "service p50", "p95", "p99", "response p50",
               "p95", "p99")  # fmt: skip
    yield Table(
        "sent",
        tuple(Column(title, "right" if place else "left") for place, title in enumerate(columns)),
        tuple(
            _row(name, one, due=summary.speed != "max") for name, one in summary.variants.items()
        ),
    )
    yield Notes("Notes", tuple(_notes(summary)))
    for shadow, than in (("production", "captured answers"), ("baseline", "the baseline's")):
        if shadow == "production" or shadow in summary.folders:
            text = _next(summary, out, tool, than=shadow)
            yield Request("next", text, f"judges the candidate's answers against {than}")
    done = summary.state == "complete"
    rate = summary.sent / summary.seconds if summary.seconds else 0.0
    sentence = f"{counted(summary.sent, 'request')} sent, {grouped(rate)} a second."
    if summary.unanswered:
        sentence += " Not one answer of the candidate was usable."
    if summary.again:
        sentence += " That was before: nothing was sent now; another --out replays again."
    if not done:
        sentence += f" {grouped(summary.left)} are left: the same command goes on."
    yield Headline(
        "REPLAYED" if done else "INTERRUPTED",
        "=" if done else "~",
        Tone.BAD if summary.unanswered else Tone.PLAIN if done else Tone.OPEN,
        sentence,
    )


def _row(name: str, one: VariantSummary, *, due: bool) -> tuple[str, ...]:
    """Without a time that requests are due at, none is late and there is no response time."""
    times = [
        _lasting(value) if value is not None else NONE
        for group in (one.service_ms, one.response_ms if due else {})
        for value in (group.get("p50"), group.get("p95"), group.get("p99"))
    ]
    late = grouped(one.late) if due else NONE
    return (name, grouped(one.sent), grouped(one.usable), late, *times)


def _lasting(ms: float) -> str:
    """Three digits at least where there are so many: times are kept to the microsecond."""
    decimals = 3 - (ms >= 1) - (ms >= 10)  # noqa: PLR2004
    return f"{grouped(ms, decimals)} ms"


def _notes(summary: Summary) -> Iterator[Item]:
    for code, objects in summary.objects_failed.items():
        yield Item(code, f"{counted(objects, 'capture object')} could not be read")
    for name, one in summary.variants.items():
        for code, requests in one.errors.items():
            first = f", the first with: {one.said[code]}" if code in one.said else ""
            if code == "status":
                failed = {key: n for key, n in one.statuses.items() if not key.startswith("2")}
                first = f": {', '.join(f'{grouped(n)} with {key}' for key, n in failed.items())}"
            yield Item(code, f"{name}: {counted(requests, 'request')} ended so{first}")
        if one.warm_up:
            yield Item(
                "warm-up", f"{name}: the first {grouped(one.warm_up)} are left out of latency"
            )
        measured = one.sent - one.warm_up
        if summary.speed == "max":
            yield Item("late", f"{name}: at --speed max nothing is due later: no latency is judged")
        elif measured and one.late > _MOST_LATE * measured:
            yield Item(
                "late",
                f"{name}: {percent(one.late / measured)} were sent late, more than 1 %: latency is "
                "service time under a closed loop, and no guardrail; raise --concurrency, lower "
                "--speed, or leave this machine to the replay",
            )


def _next(summary: Summary, out: str, tool: str, *, than: str) -> str:
    candidate = f"{out}/{summary.folders['candidate']}"
    production = f"{out}/{summary.folders[than]}" if than in summary.folders else summary.captures
    command = ["run", "--production", production, "--shadow", candidate]
    if summary.endpoint is not None:
        command += ["--endpoint", summary.endpoint]
    return f"{tool} {shlex.join(command)}"
