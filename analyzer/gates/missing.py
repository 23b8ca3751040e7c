"""Could the requests without a shadow answer hide a difference?

Failed requests usually leave no capture record, so what is missing is itself a sign of errors. In:
how many are missing, whether they are like the rest, what they could do at worst, and whether
CloudWatch counts as many errors. Out: finding pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.figures import counted, grouped, plain
from analyzer.gates.pair_gate import failing, pair_gate
from analyzer.gates.sampled_pairs import MOST_LOST, by_answer, dependence, why_not_asked
from analyzer.gates.sampling import (
    CAPTURE_SLACK,
    everything_copied,
    invocations,
    shadow_answers_due,
)
from analyzer.metrics.floor import METHOD as ABOVE_FLOOR
from analyzer.metrics.floor import AboveFloor
from analyzer.metrics.replay import Sent
from analyzer.metrics.series import SHADOW, Cover, values
from analyzer.metrics.shares import METHOD, Share
from analyzer.model import GateOutcome, Mode, Outcome
from analyzer.stats.missingness import informative_missingness

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from analyzer.metrics.metric import CaptureFacts, Facts
    from analyzer.model import Evidence, Gate
    from analyzer.stats.missingness import Informative

MOST_MISSING = 0.005
LEAST_P = 0.001
"""What is less likely than this by chance is called a difference."""
GREATEST_USUAL_SHARE = 2
"""Times the share that is missing overall: an hour that misses more is named."""
MOST_HOURS = 3
"""Hours that are named; the report has them all."""


def check_missing_pairs(facts: Facts, evidence: Mapping[str, Evidence]) -> Gate:
    """Whether passes survive if every request without a shadow answer counts as harm."""
    captures = facts.captures
    missing = None if captures is None else _missing(facts, captures)
    if captures is None or missing is None:
        return _of_sampled(facts, captures)
    if facts.mode is Mode.REPLAY and (unlisted := _unlisted(facts)):
        text = (
            f"{counted(unlisted, 'request')} that captures, the candidate's sidecar and the "
            "baseline's do not all hold: how they ended is not known. Replay into another folder; "
            "the same command goes on only with a replay that is not complete"
        )
        return pair_gate(GateOutcome.FAIL, text, value=unlisted, limit=0, blocks=False)
    eligible = missing + captures.ledger.pairs
    share = missing / eligible if eligible else 1.0
    replayed = facts.mode is Mode.REPLAY
    of_all = counted(eligible, "replayed request" if replayed else "production record")
    text = f"no shadow record for {grouped(missing)} of {of_all}"
    errors = _counted_errors(facts, captures, missing)
    if share <= MOST_MISSING:
        text += errors
        return pair_gate(GateOutcome.PASS, text, value=share, limit=MOST_MISSING, blocks=False)
    if not replayed:
        text += _hours_named(captures)
    hidden = [key for key, item in evidence.items() if _hides(facts, key, item, missing)]
    if hidden:
        text += f"; counted as harm, {' and '.join(hidden)} would no longer pass"
    else:
        text += "; even counted as harm, everything that passes would pass"
    text += errors
    if not replayed:  # what a replay did not send is not missing, and fills other hours
        text += f". {_likeness(captures)}"
    return pair_gate(failing(bool(hidden)), text, value=share, limit=MOST_MISSING, blocks=False)


def _of_sampled(facts: Facts, captures: CaptureFacts | None) -> Gate:
    """Whether sampling explains which pairs are missing, where how many are says nothing.

    What shows is the least that was lost, so there is no worst case that passes could survive.
    """
    text = (
        "missing pairs can be counted only when every request is copied and both captures take all "
        "of them, or the same ones"
    )
    if captures is None or facts.mode is Mode.REPLAY:
        return pair_gate(GateOutcome.NOT_MEASURED, text, blocks=False)
    if why := why_not_asked(captures):
        text += f"; nor can it be asked whether production's answer tells which, because {why}"
        return pair_gate(GateOutcome.NOT_MEASURED, text, blocks=False)
    found = dependence(facts, captures)
    if found is None:
        return pair_gate(GateOutcome.NOT_MEASURED, text, blocks=False)
    share = found.lost / captures.ledger.pairs
    failed = failing(share > MOST_LOST)
    return pair_gate(failed, found.text, value=share, limit=MOST_LOST, blocks=False)


def _missing(facts: Facts, captures: CaptureFacts) -> int | None:
    """Requests that should have a pair and have none; None where nothing tells how many should."""
    if facts.mode is Mode.REPLAY:
        sent = Sent.of(facts)
        return None if sent is None else sent.count("unpaired")
    if everything_copied(facts) and shadow_answers_due(facts, captures):
        return captures.ledger.unpaired_production
    return None


def _unlisted(facts: Facts) -> int:
    """Requests of which captures or one sidecar know and the other does not.

    An outcome that cannot be placed may be a failure; none is taken for a success.
    """
    sent = Sent.of(facts)
    if sent is None:
        return 0
    return max(sent.count(name) for name in ("unsent", "baseline_alone", "unplaced"))


def _hides(facts: Facts, metric: str, item: Evidence, missing: int) -> bool:
    """Whether a share of pairs that passes would not if every missing pair were an event."""
    if item.method not in {METHOD, ABOVE_FLOOR} or not item.role.is_judged:
        return False
    if item.outcome is not Outcome.PASS or item.effect is None or item.margin is None:
        return False
    floor = facts.floor.shares[metric] if facts.floor and item.method == ABOVE_FLOOR else None
    differing = item.effect.estimate if floor is None else item.shadow
    if differing is None:
        return False
    pairs = facts.captures.ledger.pairs if facts.captures else 0
    if not pairs or not item.n.effective:
        return True
    worst = round(differing * pairs) + missing
    # what is missing is taken to repeat as often as what is there
    squares = (pairs + missing) ** 2 / (item.n.effective * (1 + missing / pairs))
    share = Share(worst, pairs + missing, max(squares, pairs + missing), "pairs")
    judged = share if floor is None else AboveFloor(share, floor)
    upper = judged.effect(facts.policy).upper
    return upper is None or upper >= item.margin


def _likeness(captures: CaptureFacts) -> str:
    """Whether the missing are like the rest in time, size and score, as far as counts can tell."""
    found = {
        "hour": _by_hour(captures),
        "size of production's output": _by_bucket(captures, "missing_by_bytes"),
        "production's score": _by_bucket(captures, "missing_by_score"),
    }
    known = {name: one for name, one in found.items() if one is not None}
    if not known:
        return "Whether they are like the rest is not known"
    parts = []
    unlike = {name: one for name, one in known.items() if one.p_value < LEAST_P}
    if unlike:
        parts.append(f"What is missing is unlike the rest in {_with_figures(unlike)}")
    if alike := {name: one for name, one in known.items() if name not in unlike}:
        parts.append(f"no difference is seen in {_with_figures(alike)}")
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}"


def _with_figures(found: Mapping[str, Informative]) -> str:
    """What was compared, each with how likely and how large its difference is."""
    return " and ".join(
        f"{name} (p = {plain(one.p_value)}, means {one.difference:.2f} standard deviations apart)"
        for name, one in found.items()
    )


def _hours_named(captures: CaptureFacts) -> str:
    """The hours in which far more is missing than usual, those that miss most first."""
    by_hour = _by_hour(captures)
    if by_hour is None or by_hour.p_value >= LEAST_P:
        return ""
    rows = [(hour, records - paired, records) for hour, records, paired in _hours(captures)]
    usual = sum(lost for _, lost, _ in rows) / sum(records for _, _, records in rows)
    worst = sorted(
        (row for row in rows if row[1] > GREATEST_USUAL_SHARE * usual * row[2]),
        key=lambda row: (-row[1], row[0]),
    )
    if not worst:
        return ", more in some hours than in others"
    named = " and ".join(
        f"{grouped(lost)} from {hour:%Y-%m-%d %H:%M}Z" for hour, lost, _ in worst[:MOST_HOURS]
    )
    return f", most in {'one hour' if len(worst) == 1 else 'some hours'}: {named}"


def _by_bucket(captures: CaptureFacts, name: str) -> Informative | None:
    """The test over buckets of a size or score; None where they were not counted."""
    table = captures.tables.get(name)
    if table is None or not table.num_rows:
        return None
    cells = table.to_pydict()
    bucket, place = np.unique(np.array(cells["bucket"], float), return_inverse=True)
    missing, present = (
        np.bincount(place, weights=np.array(cells[column], float)).astype(np.float64)
        for column in ("missing", "present")
    )
    if not missing.any() or not present.any():
        return None
    found = informative_missingness(bucket, missing, present)
    within_hours = by_answer(captures, name)
    return found if within_hours is None else found._replace(p_value=within_hours.p_value)


def _hours(captures: CaptureFacts) -> list[tuple[datetime, int, int]]:
    """(hour, records, paired) of production in order of time; empty where none were counted."""
    table = captures.tables.get("capture_hours")
    return sorted(
        (row["hour"], row["records"], row["paired"])
        for row in (table.to_pylist() if table is not None else [])
        if row["role"] == "production"
    )


def _by_hour(captures: CaptureFacts) -> Informative | None:
    """The test over hours; None where the hours were not counted."""
    rows = _hours(captures)
    if not rows:
        return None
    hours = np.array([(hour - rows[0][0]).total_seconds() / 3_600 for hour, _, _ in rows])
    records = np.array([float(records) for _, records, _ in rows])
    paired = np.array([float(paired) for _, _, paired in rows])
    return informative_missingness(hours, np.maximum(records - paired, 0.0), paired)


def _counted_errors(facts: Facts, captures: CaptureFacts, missing: int) -> str:
    """What CloudWatch's own count of failed shadow requests says of the missing ones.

    It counts all requests, so where a part was captured that part of the errors is held against
    them.
    """
    cover = Cover.of(facts)
    if cover is None or facts.metric_points.is_empty():
        return ""
    errors = values(facts, cover, SHADOW, "Invocation5XXErrors", "Sum")
    if not np.isfinite(errors).any():
        return ""
    counted_ = float(np.nansum(errors))
    text = f". CloudWatch counts {counted(counted_, '5XX error')} of the shadow"
    sent, seen = invocations(facts), counted_
    if sent is not None and captures.production_records < (1 - CAPTURE_SLACK) * sent[1]:
        seen = round(counted_ * captures.production_records / sent[1])
        text += f", about {grouped(seen)} of them among what was captured"
    if missing and seen >= missing:
        return f"{text}, enough to explain them"
    lost = missing - seen
    return f"{text}, so {grouped(lost)} were lost in capture or pairing" if lost > 0 else text
