"""Where do the most divergent pairs lie, compared with all pairs?

In: the worst pairs, the bins of the policy's slices they are in, and counts of all pairs by bin and
by hour -> the parts that hold far more of the worst than of all. Out: judging; a part is judged by
its own share (`sliced`), whether or not the worst pairs are there.

A part is named only where the worst are at least twice as dense as all pairs and that is no chance,
by the binomial tail after Holm's correction over every part that was looked at.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl

from analyzer.figures import bin_name
from analyzer.stats.multiple import holm

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

_ALPHA = 0.01
_LEAST_PAIRS = 5
_LEAST_LIFT = 2.0
_HOUR = "hour"
_CLUSTERS = {
    "slice": pl.String,
    "part": pl.String,
    "worst": pl.Int64,
    "of": pl.Int64,
    "share": pl.Float64,
}
_PARTS = {"rank": pl.Int64, "slice": pl.String, "part": pl.String}


def cluster_tables(tables: Mapping[str, pa.Table]) -> dict[str, pl.DataFrame]:
    """The tables `worst_parts` and `worst_clusters` of a bundle, of what there is.

    Args:
        tables: a run's, with `worst_pairs`.
    """
    worst = tables.get("worst_pairs")
    if worst is None or not worst.num_rows:
        return {}
    frames = {}
    placed: list[tuple[int, str, str]] = []
    held: dict[tuple[str, str], int] = {}
    if "worst_slices" in tables:
        placed = [
            (row["rank"], row["slice"], _part(row)) for row in tables["worst_slices"].to_pylist()
        ]
        frames["worst_parts"] = pl.DataFrame(placed, schema=_PARTS, orient="row")
        for row in tables["slice_counts"].to_pylist():
            _add(held, (row["slice"], _part(row)), row["pairs"])
    if not any(name == _HOUR for name, _ in held) and "capture_hours" in tables:
        placed += [(row["rank"], _HOUR, f"{row['captured_at']:%H}") for row in worst.to_pylist()]
        for row in tables["capture_hours"].to_pylist():
            if row["role"] == "production":
                _add(held, (_HOUR, f"{row['hour']:%H}"), row["paired"])
    found = _clusters(Counter((name, part) for _, name, part in placed), held, worst.num_rows)
    frames["worst_clusters"] = pl.DataFrame(found, schema=_CLUSTERS, orient="row")
    return frames


def _add(held: dict[tuple[str, str], int], place: tuple[str, str], pairs: int) -> None:
    """Parts whose names round alike are one."""
    held[place] = held.get(place, 0) + pairs


def _part(row: Mapping[str, Any]) -> str:
    return bin_name(row["kind"], row["value"], row["range_lower"], row["range_upper"])


def _clusters(
    worst: Mapping[tuple[str, str], int], held: Mapping[tuple[str, str], int], n: int
) -> list[tuple[str, str, int, int, float]]:
    """Parts with far more of the worst than of all, the most surprising first."""
    from scipy.special import bdtrc

    totals: Counter[str] = Counter()
    for (name, _), pairs in held.items():
        totals[name] += pairs
    places = sorted(place for place in held if totals[place[0]])
    shares = [held[place] / totals[place[0]] for place in places]
    counts = [worst.get(place, 0) for place in places]
    chances = [
        float(bdtrc(count - 1, n, share)) if count else 1.0
        for count, share in zip(counts, shares, strict=True)
    ]
    certain = holm(chances, _ALPHA)
    found = [
        (chance, place, count, share)
        for chance, sure, place, count, share in zip(
            chances, certain, places, counts, shares, strict=True
        )
        if sure and count >= _LEAST_PAIRS and count >= _LEAST_LIFT * share * n
    ]
    return [(*place, count, n, share) for _, place, count, share in sorted(found)]
