"""May the pairs be believed? Pairing, variety, anything that passes; and the list of these gates.

In: counts of the captures and the evidence measured so far. Out: sampling (`sampling`), what is
missing (`missing`), and what the predictions say.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analyzer.figures import counted, grouped, percent, stated
from analyzer.gates.missing import check_missing_pairs
from analyzer.gates.pair_gate import failing, pair_gate
from analyzer.gates.pair_hours import LEAST_TRAFFIC_SHARE, seen_share, unseen
from analyzer.gates.sampling import captures_complete, check_sampling
from analyzer.metrics.metric import GateCheck
from analyzer.model import Family, Gate, GateOutcome, Mode, Outcome, round_significant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.metrics.metric import CaptureFacts, Facts
    from analyzer.model import Evidence

LEAST_PAIRS = 1_000
LEAST_INPUTS = 100
MOST_UNCOMPARED = 0.005


def check_pairing(facts: Facts, evidence: Mapping[str, Evidence]) -> Gate:
    """Whether enough requests have both answers."""
    captures = facts.captures
    if captures is None:
        return _no_captures()
    pairs, needed = captures.ledger.pairs, _pairs_needed(evidence)
    other, allowed = other_inputs(captures), round_significant(1 - facts.policy.pairing.min_rate)
    if other > allowed * pairs:
        text = (
            f"{grouped(other)} of {counted(pairs, 'pair')} ({percent(other / pairs, 2)}) have "
            f"another input at the shadow than at production, {stated(allowed)} allowed: IDs were "
            "used again, or the shadow receives other requests"
        )
        return pair_gate(GateOutcome.FAIL, text, value=other / pairs, limit=allowed)
    if pairs < needed:
        text = f"{counted(pairs, 'pair')}; at least {grouped(needed)} are needed"
        return pair_gate(GateOutcome.FAIL, text, value=pairs, limit=needed)
    share = seen_share(facts, captures)
    if share is not None and share < LEAST_TRAFFIC_SHARE:
        text = unseen(share, pairs)
        return pair_gate(GateOutcome.FAIL, text, value=share, limit=LEAST_TRAFFIC_SHARE)
    rate, least = captures.pairing.rate, facts.policy.pairing.min_rate
    complete = facts.mode is Mode.REPLAY or captures_complete(facts, captures)
    if rate is None or not complete:
        text = (
            f"{counted(pairs, 'pair')}; captures are not known to be complete, so their share is "
            "not judged"
        )
        return pair_gate(GateOutcome.PASS, text, value=pairs, limit=needed)
    text = (
        f"{counted(pairs, 'pair')}, {percent(rate, 2)} of shadow records ({stated(least)} needed)"
    )
    return pair_gate(failing(rate < least), text, value=rate, limit=least)


def other_inputs(captures: CaptureFacts) -> int:
    """Pairs whose two inputs were captured and are not the same."""
    facts = captures.tables.get("pairing_facts")
    return 0 if facts is None else int(facts["other_inputs"][0].as_py() or 0)


def check_distinct_inputs(facts: Facts, _evidence: Mapping[str, Evidence]) -> Gate:
    """Whether the pairs come from more than a handful of different requests."""
    if facts.captures is None:
        return _no_captures()
    distinct = facts.captures.pairing.distinct_inputs
    text = f"{counted(distinct, 'distinct input payload')}; at least {LEAST_INPUTS} are needed"
    return pair_gate(failing(distinct < LEAST_INPUTS), text, value=distinct, limit=LEAST_INPUTS)


def check_prediction_evidence(facts: Facts, evidence: Mapping[str, Evidence]) -> Gate:
    """Whether any judged prediction metric passes, on nearly all pairs."""
    if facts.captures is None:
        return _no_captures()
    passed = [key for key, item in _predictions(evidence) if item.outcome is Outcome.PASS]
    share = _uncompared_share(facts.captures)
    if share > MOST_UNCOMPARED:
        text = (
            f"the outputs of {percent(share, 2)} of pairs cannot be compared; at most "
            f"{stated(MOST_UNCOMPARED)} may be left unjudged (see the table contract_changes)"
        )
        return pair_gate(GateOutcome.FAIL, text, value=share, limit=MOST_UNCOMPARED)
    if passed:
        return pair_gate(GateOutcome.PASS, f"within budget: {', '.join(passed)}", value=len(passed))
    return pair_gate(GateOutcome.FAIL, _nothing_passed(evidence), value=0)


def _nothing_passed(evidence: Mapping[str, Evidence]) -> str:
    """Why no prediction metric passes: none is judged, or none is settled."""
    judged = [f"{key} {item.outcome}" for key, item in _predictions(evidence)]
    if judged:
        return f"no judged prediction metric passes: {', '.join(judged)}"
    why = [
        note.text
        for key, item in evidence.items()
        if key == "flip_rate"
        for note in item.notes
        if note.code in {"not-applicable", "nothing-comparable"}
    ]
    return f"no prediction metric is judged: {why[0]}" if why else "no prediction metric is judged"


def _predictions(evidence: Mapping[str, Evidence]) -> list[tuple[str, Evidence]]:
    """Judged metrics of this family other than the form of the answer."""
    return [
        (key, item)
        for key, item in evidence.items()
        if item.family is Family.DIVERGENCE and item.role.is_judged and key != "contract_change"
    ]


def _uncompared_share(captures: CaptureFacts) -> float:
    """Share of pairs whose outputs gave nothing to compare; 1 where nothing was prepared."""
    table = captures.tables.get("prediction_counts")
    if table is None:
        return 1.0
    row = table.to_pylist()[0]
    return 1 - row["judged_pairs"] / row["pairs"] if row["pairs"] else 1.0


def _pairs_needed(evidence: Mapping[str, Evidence]) -> int:
    """A thousand, or three over the tightest budget of a judged divergence metric."""
    budgets = [
        item.margin
        for item in evidence.values()
        if item.family is Family.DIVERGENCE and item.role.is_judged
        if item.margin is not None and item.margin > 0
    ]
    return max(LEAST_PAIRS, math.ceil(3 / min(budgets, default=1.0)))


def _no_captures() -> Gate:
    return pair_gate(GateOutcome.NOT_MEASURED, "no captured pairs were given")


PAIR_GATES: tuple[GateCheck, ...] = (
    GateCheck(
        id="sampling",
        meaning="The shadow received the configured share of requests.",
        advice="Compare the variant weight or SamplingPercentage with the Invocations of both "
        "variants; throttled or failing shadow instances lose requests.",
        check=check_sampling,
        asked_of="endpoint",
    ),
    GateCheck(
        id="pairing",
        meaning="Enough requests were captured on both sides, over all of the time, with the same "
        "input, and few shadow records lack their production record.",
        advice="Give the captures of both variants; where pairs are few, capture for longer, raise "
        "the capture percentages, or set an InferenceId in the client; where hours are without "
        "pairs, give their captures, or judge the time that has them (--since, --until).",
        check=check_pairing,
    ),
    GateCheck(
        id="missing_pairs",
        meaning="Requests without a shadow answer are too few to hide a difference; where a part "
        "is sampled, they are missing whatever production said.",
        advice="Look for failed, timed out or throttled shadow invocations and full disks in the "
        "hours where pairs are missing, and among requests that production answers like those.",
        check=check_missing_pairs,
    ),
    GateCheck(
        id="distinct_inputs",
        meaning="The pairs come from at least 100 different requests.",
        advice="Give the captures of both variants; test with real traffic, and capture inputs as "
        "well as outputs.",
        check=check_distinct_inputs,
    ),
    GateCheck(
        id="prediction_evidence",
        meaning="At least one judged prediction metric passes, and nearly all outputs could be "
        "compared.",
        advice="See the prediction metrics that fail or are unresolved; where none can be judged, "
        "give captures of both variants and set predictions.kind and predictions.path.",
        check=check_prediction_evidence,
    ),
)
