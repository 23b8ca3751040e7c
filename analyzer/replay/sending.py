"""Sends requests when they are due, over a bounded number of threads, and writes down what came.

In: a plan, targets, a schedule. Out: what a request or an answer is. Each thread takes the next
request, waits until it is due, sends it and waits for the answer; while one waits the others go
on, so that a slow answer delays no later request until every thread waits for one. A request that
finds no thread when it is due is sent late, and both times are kept.

Threads and not an event loop: functions and boto3 block, and one way of sending is enough.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import count
from math import ceil
from threading import Event, Thread
from typing import TYPE_CHECKING

import numpy as np

from analyzer.metrics.replay import MOST_WARM_UP
from analyzer.replay.journal import Outcome, Sent
from analyzer.replay.targets import Caught, answered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from analyzer.replay.journal import Index, Journal
    from analyzer.replay.plan import Plan, Requests
    from analyzer.replay.schedule import Schedule
    from analyzer.replay.targets import Answer, Target
    from analyzer.steps import Progress

_WARM_UP_SHARE = 0.02
_LOOK_S = 0.1
GRACE_S = 5.0
"""How long an interrupted replay waits for answers that are on their way."""


@dataclass(frozen=True)
class Sends:
    """What is still to be sent, in the order it is due.

    Shapes: parallel, one row a request and variant.

    Attributes:
        order: place of the request in the plan.
        variant: index of the variant.
        due_s: seconds after the first of them.
        warm_up: how many of the first are warm-up.
    """

    order: npt.NDArray[np.int64]
    variant: npt.NDArray[np.int64]
    due_s: npt.NDArray[np.float64]
    warm_up: int

    def __len__(self) -> int:
        return len(self.order)


def sends(
    plan: Plan,
    due: Schedule,
    variants: Sequence[str],
    begun: Mapping[str, Index],
) -> Sends:
    """What is left to send: every request once to every variant, in a drawn order.

    Warm-up are the first 2 % of a sending, 100 of each variant at most: connections and caches are
    cold, after an interruption again.

    Args:
        plan: the requests.
        due: when each is due.
        variants: names; they take turns by a draw that each event ID decides.
        begun: by variant, what was sent before, which is not sent again.
    """
    many = len(variants)
    step = np.arange(many)
    order = np.repeat(np.arange(len(plan)), many)
    variant = ((plan.first % many)[:, None] + step).ravel() % many
    due_s = (due.due_s[:, None] + step * (due.slot_s / many)[:, None]).ravel()
    sent = np.stack([begun[name].sent >= 0 for name in variants], axis=1)
    left = ~sent[order, variant]
    order, variant, due_s = order[left], variant[left], due_s[left]
    return Sends(
        order=order,
        variant=variant,
        due_s=due_s - (due_s[0] if len(due_s) else 0.0),
        warm_up=min(ceil(_WARM_UP_SHARE * len(order)), MOST_WARM_UP * many),
    )


class Clock:
    """UTC off the monotonic clock, so that a clock that is set meanwhile stretches no latency."""

    def __init__(self) -> None:
        self._wall_ns, self._began_s = time.time_ns(), time.monotonic()

    def us(self, at_s: float) -> int:
        """A moment of the monotonic clock as microseconds since 1970 UTC."""
        return self._wall_ns // 1000 + round((at_s - self._began_s) * 1e6)


class Sender:
    """Sends everything there is to send; see `run`."""

    def __init__(
        self,
        todo: Sends,
        requests: Requests,
        targets: Mapping[str, Target],
        journal: Journal,
        concurrency: int,
    ) -> None:
        self._todo = todo
        self._requests = requests
        self._names = list(targets)
        self._targets = list(targets.values())
        self._journal = journal
        self._concurrency = min(concurrency, max(1, len(todo)))
        self._next = count()
        self._done = count(1)
        self._finished = 0
        self._clock = Clock()
        self._start_s = 0.0
        self._stop = Event()
        self._ended = count(1)
        self._all_ended = Event()
        self._abandoned = False
        self._errors: list[BaseException] = []

    def run(self, progress: Progress, already: int) -> None:
        """Send until everything is sent, something makes that impossible, or a signal comes.

        Args:
            progress: told ten times a second.
            already: what was sent by an earlier sending.

        Raises:
            AccessError: a target that no request can reach.
            OSError: the journal cannot be written.
        """
        self._start_s = time.monotonic()
        threads = [
            Thread(target=self._guarded, name=f"replay-{number}", daemon=True)
            for number in range(self._concurrency)
        ]
        try:
            for thread in threads:
                thread.start()
            self._wait(progress, already)
        finally:
            self._stop.set()
            # Answers on their way have a moment, then no longer.
            self._all_ended.wait(GRACE_S)
            self._abandoned = True
            for target in self._targets:
                target.close()
        if self._errors:
            raise self._errors[0]

    def _wait(self, progress: Progress, already: int) -> None:
        """Until all threads have ended or one has failed.

        An event tells it and no thread is joined: a join that a signal interrupts takes the thread
        for ended (CPython 3.11, threading.Thread._wait_for_tstate_lock).
        """
        total = already + len(self._todo)
        while not self._errors and not self._all_ended.wait(_LOOK_S):
            progress("replaying", already + self._finished, total)
            for target in self._targets:
                target.expire(time.monotonic())
        progress("replaying", already + self._finished, total)

    def _guarded(self) -> None:
        with Caught() as caught:
            self._work()
        if caught.error is not None:
            self._errors.append(caught.error)
            self._stop.set()
        if next(self._ended) == self._concurrency:
            self._all_ended.set()

    def _work(self) -> None:
        todo, clock = self._todo, self._clock
        while (place := next(self._next)) < len(todo):
            order, number = int(todo.order[place]), int(todo.variant[place])
            request = self._requests[order]
            due_s = self._start_s + float(todo.due_s[place])
            wait_s = due_s - time.monotonic()
            if self._stop.wait(wait_s) if wait_s > 0 else self._stop.is_set():
                return
            name = self._names[number]
            # Written before anything is sent: what is sent and not written would be sent again.
            self._journal.sending(
                Sent(
                    order,
                    name,
                    clock.us(due_s),
                    clock.us(time.monotonic()),
                    clock.us(self._start_s),
                    warm_up=place < todo.warm_up,
                )
            )
            sent_s = time.monotonic()
            answer = answered(self._targets[number].send(request))
            if self._abandoned:
                return
            self._journal.done(self._outcome(order, name, sent_s, answer), answer.body)
            self._finished = next(self._done)

    def _outcome(self, order: int, name: str, sent_s: float, answer: Answer) -> Outcome:
        first = answer.first_byte_s
        return Outcome(
            order=order,
            variant=name,
            sent_us=self._clock.us(sent_s),
            done_us=self._clock.us(answer.done_s),
            first_byte_us=None if first is None else self._clock.us(first),
            status=answer.status,
            content_type=answer.content_type,
            error_code=answer.error_code,
            error_text=answer.error_text,
        )
