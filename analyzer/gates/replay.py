"""Were latencies of a replay measured so that they mean something? Pace, and fairness in turns.

Gates: open_loop, interleaved, warm_up, baseline_answers. The first three are about latency alone:
answers and failures do not depend on the pace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import counted, grouped, percent, stated
from analyzer.metrics.metric import GateCheck
from analyzer.metrics.replay import MOST_LATE, MOST_WARM_UP, Sent
from analyzer.model import Family, Gate, GateOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence

MOST_FAILED = 0.01
"""Share of requests a baseline may fail that production answered, and still stand for it."""
LEAST_OVERLAP = 0.95
FIRST_RANGE = (0.25, 0.75)
MOST_UNMATCHED = 0.005


def _open_loop(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    sent = Sent.of(facts)
    if sent is not None and not sent.paced:
        text = (
            "Replayed at full speed: no request was due at a time of its own, so none was late and "
            "latency is not judged. Replay again at --speed captured."
        )
        return _gate(GateOutcome.FAIL, text, limit=MOST_LATE)
    if sent is None or sent.row["late_share"] is None:
        return _gate(GateOutcome.NOT_MEASURED, "No send times of the window.", limit=MOST_LATE)
    sides = [f"candidate {percent(sent.row['late_share'], 2)}"]
    if sent.row["late_share_baseline"] is not None:
        sides.append(f"baseline {percent(sent.row['late_share_baseline'], 2)}")
    text = f"Late sends: {', '.join(sides)}; at most {stated(MOST_LATE)} may be."
    outcome = GateOutcome.PASS
    if sent.late > MOST_LATE:
        outcome = GateOutcome.FAIL
        text += " Latency is service time under a closed loop: waiting is not in it."
    return _gate(outcome, text, value=sent.late, limit=MOST_LATE)


def _interleaved(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    sent = Sent.of(facts)
    if sent is None or not sent.paired:
        text = "There was no baseline to take turns with."
        return _gate(GateOutcome.NOT_MEASURED, text, limit=LEAST_OVERLAP, blocks=False)
    overlap, first = sent.row["overlap"], sent.row["first_share"]
    alone = sent.count("unmatched") + sent.count("unfinished")
    matched = sent.count("pairs") + alone
    if overlap is None or first is None or not matched:
        text = "No request of the window was sent to both."
        return _gate(GateOutcome.FAIL, text, limit=LEAST_OVERLAP)
    unmatched = alone / matched
    text = (
        f"Both were sent requests in {percent(overlap)} of the time ({stated(LEAST_OVERLAP)} "
        f"needed), the candidate first in {percent(first)} of pairs ({stated(FIRST_RANGE[0])} to "
        f"{stated(FIRST_RANGE[1])}); {counted(alone, 'request')} went to the "
        f"candidate alone or were not finished (at most {stated(MOST_UNMATCHED)})."
    )
    fair = FIRST_RANGE[0] <= first <= FIRST_RANGE[1] and unmatched <= MOST_UNMATCHED
    outcome = GateOutcome.PASS if fair and overlap >= LEAST_OVERLAP else GateOutcome.FAIL
    return _gate(outcome, text, value=overlap, limit=LEAST_OVERLAP)


def _warm_up(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    sent = Sent.of(facts)
    if sent is None:
        text = "Nothing tells what was left out as warm-up."
        return _gate(GateOutcome.NOT_MEASURED, text, limit=0, blocks=False)
    unfounded = sent.count("warm_up_unfounded")
    text = (
        f"{counted(sent.count('warm_up'), 'request')} left out of latency as warm-up; "
        f"{grouped(unfounded)} not among the first {MOST_WARM_UP} of a variant in a sending."
    )
    outcome = GateOutcome.FAIL if unfounded else GateOutcome.PASS
    return _gate(outcome, text, value=unfounded, limit=0)


def _baseline_answers(facts: Facts, _: Mapping[str, Evidence]) -> Gate:
    covers = (Family.LATENCY, Family.ERROR_RATE)
    sent = Sent.of(facts)
    if sent is None or not sent.paired or not sent.count("pairs"):
        text = "There was no baseline that could fail."
        return _gate(GateOutcome.NOT_MEASURED, text, limit=MOST_FAILED, blocks=False, covers=covers)
    failed = (sent.count("both") + sent.count("only_production")) / sent.count("pairs")
    text = (
        f"The baseline failed {percent(failed, 2)} of the requests that production was captured "
        f"with; at most {stated(MOST_FAILED)} may be, or it does not stand for production."
    )
    outcome = GateOutcome.PASS if failed <= MOST_FAILED else GateOutcome.FAIL
    return _gate(outcome, text, value=failed, limit=MOST_FAILED, covers=covers)


def _gate(
    outcome: GateOutcome,
    text: str,
    *,
    limit: float,
    value: float | None = None,
    blocks: bool = True,
    covers: tuple[Family, ...] = (Family.LATENCY,),
) -> Gate:
    return Gate(
        outcome=outcome,
        covers=covers,
        value=value,
        limit=limit,
        when_not_measured="blocks" if blocks else "note",
        text=text,
    )


REPLAY_GATES: tuple[GateCheck, ...] = (
    GateCheck(
        id="open_loop",
        meaning="Requests of the replay were sent when they were meant to be, not when the server "
        "had time.",
        advice="Replay at the pace of the captures (--speed captured); where sends are late at "
        "that, more slowly or with more --concurrency, and see whether the candidate or the "
        "sending machine cannot keep up.",
        check=_open_loop,
        asked_of="replay",
    ),
    GateCheck(
        id="interleaved",
        meaning="Baseline and candidate were sent the same requests in turns, on one machine.",
        advice="Replay both in one run: analyzer replay SOURCE --candidate URL --baseline URL.",
        check=_interleaved,
        asked_of="replay",
    ),
    GateCheck(
        id="warm_up",
        meaning="Only the first requests of a sending are left out of latency as warm-up.",
        advice="Take the sidecar that analyzer replay wrote, or replay again.",
        check=_warm_up,
        asked_of="replay",
    ),
    GateCheck(
        id="baseline_answers",
        meaning="The baseline answers what production answered, so that it stands for it.",
        advice="Look at the baseline's server: its model, memory and log; then replay again.",
        check=_baseline_answers,
        asked_of="replay",
    ),
)
