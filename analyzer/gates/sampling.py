"""Did the shadow get the share of requests it was told to, and were the captures complete?

In: CloudWatch's Invocations, record counts, configured shares. Out: what lies in the pairs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from analyzer.figures import counted, grouped, percent, plain, stated
from analyzer.gates.pair_gate import failing, pair_gate
from analyzer.model import GateOutcome
from analyzer.stats.sample_ratio import log_bayes_factor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.metrics.metric import CaptureFacts, Facts
    from analyzer.model import Evidence, Gate

ALARM = math.log(1_000)
"""Log of the Bayes factor that closes the gate: at most one false alarm in a thousand tests."""
LEAST_GAP, LEAST_GAP_SHARE = 0.01, 0.02
"""Gaps up to 1 pp, or 2 % of the share, do not matter: sampling need not be exact."""
CAPTURE_SLACK = 0.01


def check_sampling(facts: Facts, _evidence: Mapping[str, Evidence]) -> Gate:
    """Whether the shadow received the share of requests it was told to."""
    seen = _sampled(facts)
    if seen is None:
        return pair_gate(
            GateOutcome.NOT_MEASURED,
            "the sampling percentage is not known, or neither exported Invocations nor complete "
            "captures count the requests",
            blocks=False,
        )
    copied, requests, share, captured = seen
    observed = copied / requests
    gap = abs(observed - share)
    allowed = max(LEAST_GAP, LEAST_GAP_SHARE * share)
    text = f"{percent(observed, 2)} of {counted(requests, 'request')} reached the shadow"
    if captured:
        text = (
            f"the shadow has {counted(copied, 'captured record')}, {percent(observed, 2)} of "
            f"production's {grouped(requests)}"
        )
    if share >= 1:
        # at 100 % every mismatch is certain; only its size can be judged
        apart = f"{grouped(abs(requests - copied))} {'more' if copied > requests else 'fewer'}"
        failed, text = gap > allowed, f"{text}; {apart} than all"
    elif copied > requests:
        failed, text = gap > allowed, f"{text}, {stated(share)} expected"
    else:
        factor = log_bayes_factor(copied, requests, share)
        failed, text = factor > ALARM and gap > allowed, f"{text}, {stated(share)} expected"
        if failed:
            text += f" (log Bayes factor against it {plain(factor)}, alarm at {plain(ALARM)})"
    if captured and (sent := invocations(facts)) is not None:
        text += (
            f". CloudWatch counts {counted(sent[0], 'request')} of the shadow and "
            f"{grouped(sent[1])} of production"
        )
    return pair_gate(failing(failed), text, value=observed, limit=share, blocks=False)


def expected_sampling(facts: Facts) -> float | None:
    """The share of production's requests the shadow should have, 0..1; None when nothing tells."""
    sampled = _sampled(facts)
    return sampled.share if sampled else None


class _Sampled(NamedTuple):
    """What is held against each other: requests, or captured records where `captured`."""

    copied: float
    requests: float
    share: float
    captured: bool


def _sampled(facts: Facts) -> _Sampled | None:
    """Invocations against the configured share; else captures against that or Invocations'."""
    share, sent = configured_share(facts), invocations(facts)
    if share is not None and sent is not None:
        return _Sampled(*sent, share, captured=False)
    captures = facts.captures
    if captures is None or not captures.production_records:
        return None
    recorded = float(captures.shadow_records), float(captures.production_records)
    if share is not None:
        return _Sampled(*recorded, share, captured=True) if _captures_declared(facts) else None
    if sent is None:
        return None
    return _Sampled(*recorded, min(sent[0] / sent[1], 1.0), captured=True)


def everything_copied(facts: Facts) -> bool:
    """Whether each request went to the shadow: told so, else shown by CloudWatch's counts."""
    share, sent = configured_share(facts), invocations(facts)
    if share is not None:
        return share == 1
    return sent is not None and sent[0] >= (1 - CAPTURE_SLACK) * sent[1]


def configured_share(facts: Facts) -> float | None:
    """The share of requests the endpoint was told to copy."""
    told = facts.policy.sampling.shadow_percentage
    if told is None and facts.endpoint is not None:
        told = facts.endpoint.shadow_percentage
    return None if told is None else told / 100


def _captures_declared(facts: Facts) -> bool:
    """Whether both captures are configured to record every request."""
    return _declared_percentages(facts) == (100, 100)


def _declared_percentages(facts: Facts) -> tuple[float, float] | None:
    """Capture percentages of (production, shadow): the policy's, else the endpoint's.

    An endpoint has one for all variants: what is told of one alone is the other's, too.
    """
    sampling = facts.policy.sampling
    production, shadow = sampling.production_capture_percentage, sampling.shadow_capture_percentage
    both = None if facts.endpoint is None else facts.endpoint.capture_percentage
    told = [one for one in (both, production, shadow) if one is not None]
    if not told:
        return None
    return told[0] if production is None else production, told[0] if shadow is None else shadow


def percentages_fixed(facts: Facts) -> bool:
    """Whether every percentage is declared, and none was changed within the window."""
    undeclared = configured_share(facts) is None or _declared_percentages(facts) is None
    if undeclared or facts.start is None or facts.end is None:
        return False
    changes = () if facts.endpoint is None else facts.endpoint.config_changes
    return not any(facts.start < change < facts.end for change in changes)


def captures_complete(facts: Facts, captures: CaptureFacts) -> bool:
    """Whether both captures are declared complete or shown to be by CloudWatch's counts."""
    if _captures_declared(facts):
        return True
    sent = invocations(facts)
    if sent is None:
        return False
    recorded = (captures.shadow_records, captures.production_records)
    return all(
        abs(records - requests) <= CAPTURE_SLACK * requests
        for records, requests in zip(recorded, sent, strict=True)
    )


def shadow_answers_due(facts: Facts, captures: CaptureFacts) -> bool:
    """Whether each captured production request was to be captured of the shadow too.

    An endpoint has one capture percentage for all variants. So where nothing is declared and
    production's records are as many as its Invocations, shadow records that are fewer were lost:
    to ask for their number, too, would excuse exactly the failures that leave no record. Below
    100 %, captures that take the same requests are known by their pairs: drawn apart at 3 %, only
    3 % of shadow records would have a partner.
    """
    captured = _captured_shares(facts, captures)
    if captured is None:
        return False
    production, shadow = captured
    if shadow >= 1:
        return True
    if shadow < production or not captures.shadow_records:
        return False
    paired = captures.ledger.pairs / captures.shadow_records
    return paired > (1 + production) / 2


def _captured_shares(facts: Facts, captures: CaptureFacts) -> tuple[float, float] | None:
    """Shares of (production, shadow) requests that were to be captured; None where nothing tells.

    Undeclared, production's share is counted, and the shadow's is the same.
    """
    declared = _declared_percentages(facts)
    if declared is not None:
        return declared[0] / 100, declared[1] / 100
    sent = invocations(facts)
    if sent is None:
        return None
    share = captures.production_records / sent[1]
    if share > 1 + CAPTURE_SLACK:
        return None
    return (1.0, 1.0) if share >= 1 - CAPTURE_SLACK else (share, share)


def invocations(facts: Facts) -> tuple[float, float] | None:
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
