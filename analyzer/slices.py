"""The parts of the traffic that the policy names: which pairs are in which, and counts of each.

In: `[slices]` of the policy, and the engine's tables of pairs and predictions. Out: parsing a
capture's input (sql/capture_macros.sql), judging a part (`metrics.sliced`).

A pair is in one bin of every slice. Bins are values (the most frequent ones, all others together),
fifths of a number's range, or what kept the pair from having a value.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from analyzer.errors import PolicyError
from analyzer.payloads.paths import EACH, json_path, parse_path
from analyzer.policy import INPUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from analyzer.asked import Asked, Rows
    from analyzer.policy import Policy

MOST_VALUES = 20
"""Values of one slice that have a bin of their own: those with the most pairs."""
_RANGES = 5
_PIECE_BITS, _NUMBER_BITS = 16, 64
"""Of a stretch of numbers, pieces are told apart by at most so many bits of a number at a time."""


@dataclass(frozen=True)
class SlicedInputs:
    """What is read of every input because the policy slices by it; one entry a slice.

    Attributes:
        names: keys of the policy's table.
        columns: 1-based column of a CSV input; None for a path.
        paths: place in a JSON input as SQL needs it; None for a column.
    """

    names: tuple[str, ...] = ()
    columns: tuple[int | None, ...] = ()
    paths: tuple[str | None, ...] = ()

    @property
    def params(self) -> dict[str, object]:
        """As the queries that parse captures take it."""
        return {"slice_columns": list(self.columns), "slice_paths": list(self.paths)}


def sliced_inputs(policy: Policy) -> SlicedInputs:
    """The inputs' columns and paths that the policy names.

    Raises:
        PolicyError: a key is neither a column nor a path to one value.
    """
    names = tuple(name for name in sorted(policy.slices) if name.startswith(INPUT))
    places = [name.removeprefix(INPUT) for name in names]
    return SlicedInputs(
        names,
        tuple(int(place) if place.isdigit() else None for place in places),
        tuple(
            None if place.isdigit() else _path(name, place)
            for name, place in zip(names, places, strict=True)
        ),
    )


def slice_pairs(
    engine: Asked, policy: Policy, compared: Mapping[str, pa.Table]
) -> dict[str, pa.Table]:
    """Counts of every bin of every slice the policy names; nothing where it names none.

    Args:
        engine: holds `pairs`, `contract_pairs` and, where outputs hold any, `predictions`.
        policy: what is sliced.
        compared: of all pairs: what a large shift is, and which ones are the most divergent.

    Returns:
        `slice_counts`: a row a bin; `worst_slices`: a row for each of the worst pairs in a slice.
    """
    if not policy.slices:
        return {}
    names = sliced_inputs(policy).names
    ranges = [name for name in names if policy.slices[name] == "quantiles"]
    values = {
        "names": list(names),
        "by_hour": "hour" in policy.slices,
        "by_content_type": "content_type" in policy.slices,
    }
    engine.each(partial(_keep_values, values=values))
    engine.reduce("slice_frequencies", ranges=ranges)
    cuts = cut_points(engine, ranges)
    frequent = engine.table("slice_frequent", most=MOST_VALUES).to_pylist()
    bins = {
        "ranges": ranges,
        "cut_slices": [name for name, found in cuts.items() for _ in found],
        "cuts": [cut for found in cuts.values() for cut in found],
        "frequent_slices": [row["slice"] for row in frequent],
        "frequent": [row["value"] for row in frequent],
    }
    large = None
    if "prediction_hours" in compared:
        (counts,) = compared["prediction_counts"].to_pylist()
        noise = policy.predictions
        # half a standard deviation of all of production's scores, in every part
        large = {"far": counts.get("large_shift"), "atol": noise.atol, "rtol": noise.rtol}
    engine.each(partial(_keep_bins, bins=bins, large=large))
    engine.reduce("slice_sums")
    # before the sums are read: the bins of single pairs are there for one job only, in parts
    pair_ids = compared["worst_pairs"]["pair_id"].to_pylist()
    placed = engine.table("worst_slices", pair_ids=pair_ids)
    return {"slice_counts": engine.table("slice_counts"), "worst_slices": placed}


def _keep_values(engine: Rows, *, values: Mapping[str, Any]) -> None:
    engine.keep("slice_values", **values)


def _keep_bins(engine: Rows, *, bins: Mapping[str, Any], large: Mapping[str, Any] | None) -> None:
    """Place every pair, and count its predictions where outputs hold any."""
    engine.keep("slice_bins", **bins)
    if large is None:
        engine.keep("slice_no_predictions", table="slice_predictions")
    else:
        engine.keep("slice_predictions", **large)


@dataclass(frozen=True)
class _Stretch:
    """Neighbouring numbers of a slice, some of which are looked for.

    Attributes:
        shift: the bits of a number, from the last on, that its pieces do not tell apart.
        lowest, highest: ends, included.
        ranks: which are looked for, counted from 1 for the lowest; None before their number is
            known.
    """

    slice: str
    shift: int
    lowest: float = -inf
    highest: float = inf
    ranks: tuple[int, ...] | None = None


def cut_points(
    engine: Asked, names: Sequence[str], piece_bits: int = _PIECE_BITS
) -> dict[str, list[float]]:
    """The numbers up to which one, two, three and four fifths of a slice's numbers reach.

    Counts by piece add up over any split of the pairs, and narrow a stretch until one number is
    left: exact order statistics, for which no place need hold all numbers.

    Args:
        engine: holds `slice_values`.
        names: slices.
        piece_bits: 2 to this power are the pieces of a stretch at most.

    Returns:
        Cut points by slice, ascending; a number that many pairs have may stand there twice.
    """
    cuts: dict[str, list[float]] = {name: [] for name in names}
    stretches = [_Stretch(name, _NUMBER_BITS - piece_bits) for name in names]
    while stretches:
        found = engine.table(
            "slice_stretches",
            slices=[one.slice for one in stretches],
            lowest=[one.lowest for one in stretches],
            highest=[one.highest for one in stretches],
            shifts=[one.shift for one in stretches],
        )
        pieces: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in sorted(found.to_pylist(), key=lambda row: (row["stretch"], row["piece"])):
            pieces[row["stretch"]].append(row)
        narrower = []
        for number, stretch in enumerate(stretches, 1):
            for one in _narrowed(stretch, pieces[number], piece_bits):
                if one.lowest == one.highest:
                    cuts[one.slice] += [one.lowest] * len(one.ranks or ())
                else:
                    narrower.append(one)
        stretches = narrower
    return {name: sorted(found) for name, found in cuts.items()}


def _narrowed(
    stretch: _Stretch, pieces: Sequence[Mapping[str, Any]], piece_bits: int
) -> Iterator[_Stretch]:
    """The pieces in which numbers lie that are looked for."""
    ranks = stretch.ranks
    if ranks is None:
        pairs = sum(piece["pairs"] for piece in pieces)
        ranks = tuple(-(-pairs * part // _RANGES) for part in range(1, _RANGES))
    below = 0
    for piece in pieces:
        reached = below + piece["pairs"]
        if inside := tuple(rank - below for rank in ranks if below < rank <= reached):
            few = piece["pairs"] <= 1 << piece_bits
            shift = 0 if few else max(0, stretch.shift - piece_bits)
            yield _Stretch(stretch.slice, shift, piece["lowest"], piece["highest"], inside)
        below = reached


def _path(name: str, place: str) -> str:
    path = parse_path(place, f"slices.{name}")
    if not path or EACH in path:
        raise PolicyError(f"slices.{name}: expected a path to one value, without [*]")
    # the document itself, not a list that holds it
    return json_path(path).replace("$[*]", "$", 1)
