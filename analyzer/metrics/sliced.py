"""The parts of the traffic that the policy names, each held against the metrics' own margins.

In: counts of bins (`slices`) -> shares with intervals, corrected outcomes, directions. Out: what a
part that fails does to the decision (`verdict`).

Whoever looks at many parts finds one that is bad by chance. So a part fails only after Holm's
correction over all bins and metrics together, and only with 1,000 pairs; by the rate of false
discoveries it is merely pointed at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from analyzer.figures import counted, grouped
from analyzer.metrics.divergence import FLOORED
from analyzer.metrics.shares import Share
from analyzer.model import (
    GAPS,
    Note,
    Outcome,
    Slice,
    SliceBin,
    SlicedShare,
    round_significant,
)
from analyzer.stats.excess import FIRST_PART
from analyzer.stats.multiple import benjamini_hochberg, e_benjamini_hochberg, holm
from analyzer.stats.proportion_sequence import e_value, upper_bound
from analyzer.stats.proportions import mcnemar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence

    Direction = Literal["higher", "lower", "none"]

LEAST_PAIRS = 1_000
"""Pairs without which a part fails nothing."""
HOLM_ALPHA = 0.05
_SHARES = {
    "flip_rate": ("flipped", "labelled", "prediction_squares", "predictions"),
    "score_shift_share": ("shifted", "measured", "prediction_squares", "predictions"),
    "score_large_shift_share": ("large_shifted", "measured", "prediction_squares", "predictions"),
    "contract_change": ("changed_pairs", "judged_pairs", "judged_squares", "pairs"),
}
_KINDS = ("value", "range", "other", *GAPS)


@dataclass
class _Cell:
    """One metric in one bin, before the bins are held against each other."""

    share: Share
    allowed: float | None
    judged: bool
    large: bool
    p_value: float | None = None
    e_value: float = 0.0
    fails: bool = False
    discovery: bool = False


def sliced(facts: Facts, evidence: Mapping[str, Evidence]) -> dict[str, Slice]:
    """Every slice of the policy, judged; empty without captures or where none is named."""
    table = None if facts.captures is None else facts.captures.tables.get("slice_counts")
    if table is None:
        return {}
    rows = sorted(table.to_pylist(), key=_place)
    cells = [_cells(facts, evidence, row) for row in rows]
    _correct(facts, [cell for found in cells for cell in found.values()])
    bins: dict[str, list[tuple[dict[str, Any], dict[str, SlicedShare]]]] = {}
    for row, found in zip(rows, cells, strict=True):
        shares = {metric: _judged(facts, cell) for metric, cell in found.items()}
        bins.setdefault(row["slice"], []).append((row, shares))
    return {name: _slice(facts, name, held) for name, held in sorted(bins.items())}


def slice_notes(slices: Mapping[str, Slice]) -> tuple[Note, ...]:
    """What a reader of the parts must know: those without a value, and changes few parts carry."""
    return tuple(note for name, held in slices.items() for note in _notes(name, held))


def _notes(name: str, held: Slice) -> Iterator[Note]:
    gaps = [f"{counted(part.pairs, 'pair')} {part.kind}" for part in held.bins if part.kind in GAPS]
    if gaps:
        yield Note(
            code="slice-gaps",
            text=f"slice {name}: {', '.join(gaps)}: a bin of their own",
        )
    if held.simpson:
        against = sum(part.direction not in {held.direction, "none"} for part in held.bins)
        yield Note(
            code="slice-direction",
            text=f"slice {name}: all pairs together move {held.direction}, and "
            f"{counted(against, 'part')} of {grouped(len(held.bins))} for certain the other way",
        )


def small_and_certain(
    slices: Mapping[str, Slice],
) -> dict[str, list[tuple[SliceBin, dict[str, SlicedShare]]]]:
    """By slice, the parts too small to fail and what is above what is allowed there for certain.

    Certain is what Holm's correction over all parts and metrics leaves, large and small together.
    """
    tested = [
        (name, place, metric, share)
        for name, held in slices.items()
        for place, part in enumerate(held.bins)
        for metric, share in part.shares.items()
        if share.p_value is not None
    ]
    found: dict[str, dict[int, dict[str, SlicedShare]]] = {}
    certain = holm([share.p_value or 0.0 for *_, share in tested], HOLM_ALPHA)
    for (name, place, metric, share), above in zip(tested, certain, strict=True):
        if above and slices[name].bins[place].pairs < LEAST_PAIRS:
            found.setdefault(name, {}).setdefault(place, {})[metric] = share
    return {
        name: [(slices[name].bins[place], shares) for place, shares in parts.items()]
        for name, parts in found.items()
    }


def slice_frame(slices: Mapping[str, Slice]) -> pl.DataFrame:
    """The table `slices` of a bundle: a row for each metric in each bin."""
    rows = [
        (
            name,
            part.kind,
            part.value,
            part.lower,
            part.upper,
            part.pairs,
            part.direction,
            metric,
            share.events,
            share.outcomes,
            share.effective,
            share.estimate,
            share.lower,
            share.upper,
            share.allowed,
            share.p_value,
            share.outcome.value,
            share.discovery,
        )
        for name, held in slices.items()
        for part in held.bins
        for metric, share in part.shares.items()
    ]
    return pl.DataFrame(rows, schema=_FRAME, orient="row")


_FRAME = {
    "slice": pl.String,
    "kind": pl.String,
    "value": pl.String,
    "range_lower": pl.Float64,
    "range_upper": pl.Float64,
    "pairs": pl.Int64,
    "direction": pl.String,
    "metric": pl.String,
    "events": pl.Int64,
    "outcomes": pl.Int64,
    "effective": pl.Float64,
    "estimate": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "allowed": pl.Float64,
    "p_value": pl.Float64,
    "outcome": pl.String,
    "discovery": pl.Boolean,
}


def _place(row: dict[str, Any]) -> tuple[object, ...]:
    """Reading order: values by pairs, hours and ranges in their own order, the rest after them."""
    frequent = 0 if row["slice"] == "hour" else -row["pairs"]
    lowest = row["range_lower"] is not None, row["range_lower"] or 0.0
    in_order = lowest if row["kind"] == "range" else (False, float(frequent))
    return row["slice"], _KINDS.index(row["kind"]), *in_order, row["value"] or ""


def _cells(facts: Facts, evidence: Mapping[str, Evidence], row: dict[str, Any]) -> dict[str, _Cell]:
    """The metrics of a bin that have outcomes in it."""
    found = {}
    for metric, (events, outcomes, squares, unit) in _SHARES.items():
        item = evidence.get(metric)
        if item is None or item.effect is None or not row[outcomes]:
            continue
        share = Share(row[events], row[outcomes], row[squares], unit)
        judged = item.role.is_judged and item.margin is not None
        allowed = None if item.margin is None else item.margin + _floor(facts, metric)
        cell = _Cell(share, allowed, judged, row["pairs"] >= LEAST_PAIRS)
        if judged and allowed is not None and allowed < 1:
            x, n = share.scaled()
            # "the share is at most what is allowed" is "what is no event is at least the rest"
            cell.e_value = e_value(n - x, n, 1 - allowed)
            cell.p_value = _p_value(facts, cell, x, n, allowed)
        found[metric] = cell
    return found


def _p_value(facts: Facts, cell: _Cell, x: float, n: float, allowed: float) -> float:
    """Of "the share is what is allowed or less": exact for one look, else of the e-value."""
    if facts.policy.inference != "fixed":
        return min(1.0, 1 / cell.e_value) if cell.e_value > 0 else 1.0
    from scipy.special import betainc

    return float(betainc(x, n - x + 1, allowed)) if x > 0 else 1.0


def _floor(facts: Facts, metric: str) -> float:
    """What production does to itself at the most: where it does is not known part by part."""
    own = facts.floor.shares.get(metric) if facts.floor and metric in FLOORED else None
    if own is None:
        return 0.0
    x = own.events * (own.effective / own.outcomes)
    return upper_bound(x, own.effective, (1 - FIRST_PART) * facts.policy.alpha)


def _correct(facts: Facts, cells: Sequence[_Cell]) -> None:
    """Which bins are above what is allowed when all are looked at."""
    tested = [cell for cell in cells if cell.p_value is not None]
    large = [cell for cell in tested if cell.large]
    p_values = [round_significant(cell.p_value or 0.0) for cell in large]
    for cell, fails in zip(large, holm(p_values, HOLM_ALPHA), strict=True):
        cell.fails = fails
    if facts.policy.inference == "fixed":
        found = benjamini_hochberg([cell.p_value or 0.0 for cell in tested], HOLM_ALPHA)
    else:
        found = e_benjamini_hochberg([cell.e_value for cell in tested], HOLM_ALPHA)
    for cell, discovery in zip(tested, found, strict=True):
        cell.discovery = discovery


def _judged(facts: Facts, cell: _Cell) -> SlicedShare:
    shown = cell.share.intervals(facts.policy.alpha)
    lower, upper = (shown.fixed if facts.policy.inference == "fixed" else shown.anytime) or (
        0.0,
        1.0,
    )
    outcome = Outcome.INFO
    if cell.judged:
        passes = cell.allowed is not None and upper < cell.allowed
        outcome = Outcome.PASS if passes else Outcome.UNRESOLVED
        outcome = Outcome.FAIL if cell.fails else outcome
    return SlicedShare(
        events=cell.share.events,
        outcomes=cell.share.outcomes,
        effective=cell.share.effective,
        estimate=cell.share.estimate,
        lower=lower,
        upper=upper,
        allowed=cell.allowed,
        p_value=cell.p_value,
        outcome=outcome,
        discovery=cell.discovery,
    )


def _slice(
    facts: Facts, name: str, held: Sequence[tuple[dict[str, Any], dict[str, SlicedShare]]]
) -> Slice:
    directions = _directions([row for row, _ in held])
    whole = {key: sum(_moved(row)[key] for row, _ in held) for key in ("higher", "lower")}
    (overall,) = _directions([whole])
    with_it = sum(found == overall for found in directions)
    against = sum(found not in {overall, "none"} for found in directions)
    bins = tuple(
        SliceBin(
            kind=row["kind"],
            value=row["value"],
            lower=row["range_lower"],
            upper=row["range_upper"],
            pairs=row["pairs"],
            direction=direction,
            shares=shares,
        )
        for (row, shares), direction in zip(held, directions, strict=True)
    )
    simpson = overall != "none" and against > with_it
    return Slice(by=facts.policy.slices[name], bins=bins, direction=overall, simpson=simpson)


def _moved(row: Mapping[str, Any]) -> dict[str, float]:
    """Flips or shifts each way, at what they are worth where inputs repeat."""
    if not row.get("predictions"):
        return {key: float(row.get(key) or 0) for key in ("higher", "lower")}
    worth = Share(0, row["predictions"], row["prediction_squares"], "predictions").effective
    return {key: row[key] * worth / row["predictions"] for key in ("higher", "lower")}


def _directions(rows: Sequence[Mapping[str, Any]]) -> list[Direction]:
    """Where each goes for certain, all of them looked at together."""
    moved = [_moved(row) for row in rows]
    tests = [mcnemar(int(one["higher"]), int(one["lower"])).mid_p for one in moved]
    certain = holm([round_significant(p) for p in tests], HOLM_ALPHA)
    return [
        ("higher" if one["higher"] > one["lower"] else "lower") if sure else "none"
        for one, sure in zip(moved, certain, strict=True)
    ]
