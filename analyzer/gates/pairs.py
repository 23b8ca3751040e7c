"""May the pairs be believed? Sampling, pairing, missing pairs, variety, anything that passes.

In: counts of the captures, CloudWatch's Invocations, and the evidence measured so far. Out: what
the predictions say.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analyzer.figures import counted, grouped, percent, stated
from analyzer.metrics.metric import GateCheck
from analyzer.metrics.shares import Share
from analyzer.model import Family, Gate, GateOutcome, Outcome, Role

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from analyzer.metrics.metric import CaptureFacts, Facts
    from analyzer.model import Evidence

LEAST_PAIRS = 1_000
LEAST_INPUTS = 100
MOST_MISSING = 0.005
MOST_UNCOMPARED = 0.005
_PRIOR = 1_000  # weight of the configured share in the sampling test
_ALARM = math.log(1_000)  # Bayes factor at which the sampling test speaks
_LEAST_GAP, _LEAST_GAP_SHARE = 0.01, 0.02
_CAPTURE_SLACK = 0.01
_JUDGED = frozenset({Role.GUARDRAIL, Role.REVIEW})


def log_bayes_factor(copied: float, requests: float, share: float) -> float:
    """How strongly do the counts speak against a sampling share, at any look?

    Args:
        copied: requests that reached the shadow, at most `requests`.
        requests: production's requests.
        share: the configured share, in (0, 1).

    Source: Lindon and Malek, Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022.

    >>> round(log_bayes_factor(5_000, 10_000, 0.5), 2)
    -1.2
    """
    from scipy.special import betaln

    prior_copied, prior_rest = _PRIOR * share, _PRIOR * (1 - share)
    rest = requests - copied
    posterior = float(betaln(prior_copied + copied, prior_rest + rest))
    null = copied * math.log(share) + rest * math.log1p(-share)
    return posterior - float(betaln(prior_copied, prior_rest)) - null


def check_sampling(facts: Facts, _evidence: Mapping[str, Evidence]) -> Gate:
    """Whether the shadow received the share of requests it was told to."""
    seen = _sampled(facts)
    if seen is None:
        return _gate(
            GateOutcome.NOT_MEASURED,
            "the sampling percentage is not known, or neither exported Invocations nor complete "
            "captures count the requests",
            blocks=False,
        )
    copied, requests, share = seen
    observed = copied / requests
    gap = abs(observed - share)
    allowed = max(_LEAST_GAP, _LEAST_GAP_SHARE * share)
    text = f"{percent(observed, 2)} of {counted(requests, 'request')} reached the shadow"
    if share >= 1:
        # at 100 % every mismatch is certain; only its size can be judged
        failed, text = gap > allowed, f"{text}; {grouped(requests - copied)} fewer than all"
    else:
        sure = copied > requests or log_bayes_factor(copied, requests, share) > _ALARM
        failed, text = sure and gap > allowed, f"{text}, {stated(share)} expected"
    return _gate(_fails(failed), text, value=observed, limit=share, blocks=False)


def check_pairing(facts: Facts, evidence: Mapping[str, Evidence]) -> Gate:
    """Whether enough requests have both answers."""
    captures = facts.captures
    if captures is None:
        return _no_captures()
    pairs, needed = captures.ledger.pairs, _pairs_needed(evidence)
    if pairs < needed:
        text = f"{counted(pairs, 'pair')}; at least {grouped(needed)} are needed"
        return _gate(GateOutcome.FAIL, text, value=pairs, limit=needed)
    rate, least = captures.pairing.rate, facts.policy.pairing.min_rate
    if rate is None or not _captures_complete(facts, captures):
        text = (
            f"{counted(pairs, 'pair')}; captures are not known to be complete, so their share is "
            "not judged"
        )
        return _gate(GateOutcome.PASS, text, value=pairs, limit=needed)
    text = (
        f"{counted(pairs, 'pair')}, {percent(rate, 2)} of shadow records ({stated(least)} needed)"
    )
    return _gate(_fails(rate < least), text, value=rate, limit=least)


def check_missing_pairs(facts: Facts, evidence: Mapping[str, Evidence]) -> Gate:
    """Whether the requests without a shadow answer could hide a difference."""
    captures = facts.captures
    complete = captures is not None and _captures_complete(facts, captures)
    everything = _configured_share(facts) == 1
    if captures is None or not complete or not everything:
        return _gate(
            GateOutcome.NOT_MEASURED,
            "missing pairs can be told from unsampled ones only when sampling and both captures "
            "are at 100 %",
            blocks=False,
        )
    missing = captures.ledger.unpaired_production
    eligible = missing + captures.ledger.pairs
    share = missing / eligible if eligible else 1.0
    text = f"no shadow record for {grouped(missing)} of {counted(eligible, 'production record')}"
    if share <= MOST_MISSING:
        return _gate(GateOutcome.PASS, text, value=share, limit=MOST_MISSING, blocks=False)
    hidden = [key for key in ("contract_change", "flip_rate") if _hides(facts, evidence, key)]
    if hidden:
        text += f"; counted as harm, {' and '.join(hidden)} would no longer pass"
    else:
        text += "; even counted as harm, contract_change and flip_rate pass"
    return _gate(_fails(bool(hidden)), text, value=share, limit=MOST_MISSING, blocks=False)


def check_distinct_inputs(facts: Facts, _evidence: Mapping[str, Evidence]) -> Gate:
    """Whether the pairs come from more than a handful of different requests."""
    if facts.captures is None:
        return _no_captures()
    distinct = facts.captures.pairing.distinct_inputs
    text = f"{counted(distinct, 'distinct input payload')}; at least {LEAST_INPUTS} are needed"
    return _gate(_fails(distinct < LEAST_INPUTS), text, value=distinct, limit=LEAST_INPUTS)


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
        return _gate(GateOutcome.FAIL, text, value=share, limit=MOST_UNCOMPARED)
    if passed:
        return _gate(GateOutcome.PASS, f"within budget: {', '.join(passed)}", value=len(passed))
    return _gate(GateOutcome.FAIL, _nothing_passed(evidence), value=0)


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
        if item.family is Family.DIVERGENCE and item.role in _JUDGED and key != "contract_change"
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
        if item.family is Family.DIVERGENCE and item.role in _JUDGED
        if item.margin is not None and item.margin > 0
    ]
    return max(LEAST_PAIRS, math.ceil(3 / min(budgets, default=1.0)))


def _hides(facts: Facts, evidence: Mapping[str, Evidence], key: str) -> bool:
    """Whether a metric that passes would not if every missing pair were harm."""
    item, captures = evidence.get(key), facts.captures
    judged = item is not None and item.role in _JUDGED
    if item is None or captures is None or not judged or item.margin is None:
        return False
    if item.effect is None or item.effect.estimate is None or not item.n.effective:
        return True
    missing = captures.ledger.unpaired_production
    pairs = captures.ledger.pairs
    worst = round(item.effect.estimate * pairs) + missing
    squares = (pairs + missing) ** 2 / (item.n.effective * (1 + missing / pairs))
    share = Share(worst, pairs + missing, max(squares, pairs + missing), "pairs")
    return share.upper(facts.policy.alpha) >= item.margin


def expected_sampling(facts: Facts) -> float | None:
    """The share of production's requests the shadow should have, 0..1; None when nothing tells."""
    sampled = _sampled(facts)
    return sampled[2] if sampled else None


def _sampled(facts: Facts) -> tuple[float, float, float] | None:
    """(requests copied, requests, expected share), from Invocations or from captures."""
    share, invocations = _configured_share(facts), _invocations(facts)
    if share is not None and invocations is not None:
        return (*invocations, share)
    captures = facts.captures
    if captures is None or not captures.production_records:
        return None
    recorded = float(captures.shadow_records), float(captures.production_records)
    if share is not None:
        return (*recorded, share) if _captures_declared(facts) else None
    if invocations is None:
        return None
    return (*recorded, min(invocations[0] / invocations[1], 1.0))


def _configured_share(facts: Facts) -> float | None:
    """The share of requests the endpoint was told to copy."""
    told = facts.policy.sampling.shadow_percentage
    if told is None and facts.endpoint is not None:
        told = facts.endpoint.shadow_percentage
    return None if told is None else told / 100


def _captures_declared(facts: Facts) -> bool:
    """Whether both captures are configured to record every request."""
    sampling = facts.policy.sampling
    by_policy = (sampling.production_capture_percentage, sampling.shadow_capture_percentage)
    if by_policy != (None, None):
        return by_policy == (100, 100)
    return facts.endpoint is not None and facts.endpoint.capture_percentage == 100  # noqa: PLR2004 - percent


def _captures_complete(facts: Facts, captures: CaptureFacts) -> bool:
    """Whether both captures are declared complete or shown to be by CloudWatch's counts."""
    if _captures_declared(facts):
        return True
    invocations = _invocations(facts)
    if invocations is None:
        return False
    recorded = (captures.shadow_records, captures.production_records)
    return all(
        abs(records - requests) <= _CAPTURE_SLACK * requests
        for records, requests in zip(recorded, invocations, strict=True)
    )


def _invocations(facts: Facts) -> tuple[float, float] | None:
    """(shadow, production) requests of the window, from the finest period both have."""
    import polars as pl

    points = facts.metric_points
    if points.is_empty():
        return None
    points = points.filter(
        pl.col("metric_name") == "Invocations",
        pl.col("stat") == "Sum",
        pl.col("role").is_in(["production", "shadow"]),
    )
    if facts.start is not None and facts.end is not None:
        last = pl.lit(facts.end) - pl.duration(seconds=pl.col("period_s"))
        points = points.filter(pl.col("timestamp") >= facts.start, pl.col("timestamp") <= last)
    sums = points.group_by("period_s", "role").agg(pl.col("value").sum()).sort("period_s")
    for period in sums["period_s"].unique(maintain_order=True):
        found = dict(sums.filter(pl.col("period_s") == period).select("role", "value").iter_rows())
        if len(found) == 2 and found["production"] > 0:  # noqa: PLR2004 - both roles
            return found["shadow"], found["production"]
    return None


def _fails(failed: bool) -> GateOutcome:  # noqa: FBT001 - the predicate is the whole argument
    return GateOutcome.FAIL if failed else GateOutcome.PASS


def _gate(
    outcome: GateOutcome,
    text: str,
    *,
    value: float | None = None,
    limit: float | None = None,
    blocks: bool = True,
) -> Gate:
    when: Literal["blocks", "note"] = "blocks" if blocks else "note"
    return Gate(
        outcome=outcome,
        covers=(Family.DIVERGENCE,),
        value=value,
        limit=limit,
        when_not_measured=when,
        text=f"{text[:1].upper()}{text[1:]}.",
    )


def _no_captures() -> Gate:
    return _gate(GateOutcome.NOT_MEASURED, "no captured pairs were given")


PAIR_GATES: tuple[GateCheck, ...] = (
    GateCheck(
        id="sampling",
        meaning="The shadow received the configured share of requests.",
        advice="Compare the variant weight or SamplingPercentage with the Invocations of both "
        "variants; throttled or failing shadow instances lose requests.",
        check=check_sampling,
    ),
    GateCheck(
        id="pairing",
        meaning="Enough requests were captured on both sides, and few shadow records lack their "
        "production record.",
        advice="Give the captures of both variants; where pairs are few, capture for longer, raise "
        "the capture percentages, or set an InferenceId in the client.",
        check=check_pairing,
    ),
    GateCheck(
        id="missing_pairs",
        meaning="Requests without a shadow answer are too few to hide a difference.",
        advice="Look for failed or throttled shadow invocations and full disks in the hours "
        "where pairs are missing.",
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
