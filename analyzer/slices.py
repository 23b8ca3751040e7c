"""The parts of the traffic that the policy names: which pairs are in which, and counts of each.

In: `[slices]` of the policy, and the engine's tables of pairs and predictions. Out: parsing a
capture's input (sql/capture_macros.sql), judging a part (`metrics.sliced`).

A pair is in one bin of every slice. Bins are values (the most frequent ones, all others together),
fifths of a number's range, or what kept the pair from having a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from analyzer.errors import PolicyError
from analyzer.payloads.paths import EACH, json_path, parse_path
from analyzer.policy import INPUT

if TYPE_CHECKING:
    import pyarrow as pa

    from analyzer.policy import Policy

MOST_VALUES = 20
"""Values of one slice that have a bin of their own: those with the most pairs."""
FIFTHS = (0.2, 0.4, 0.6, 0.8)


class Engine(Protocol):
    """What this module asks of the table engine."""

    def table(self, name: str, **params: object) -> pa.Table:
        """What `sql/<name>.sql` gives."""

    def keep(
        self, name: str, *, table: str | None = None, replace: bool = False, **params: object
    ) -> int:
        """Add what `sql/<name>.sql` gives to a table on disk."""


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
    engine: Engine, policy: Policy, worst: pa.Table, *, documents: bool
) -> dict[str, pa.Table]:
    """Counts of every bin of every slice the policy names; nothing where it names none.

    Args:
        engine: holds `pairs`, `contract_pairs` and, unless `documents`, `predictions`.
        policy: what is sliced.
        worst: the most divergent pairs, first the most.
        documents: outputs hold no prediction.

    Returns:
        `slice_counts`: a row a bin; `worst_slices`: a row for each of the worst pairs in a slice.
    """
    if not policy.slices:
        return {}
    inputs = sliced_inputs(policy)
    engine.keep(
        "slice_values",
        names=list(inputs.names),
        by_hour="hour" in policy.slices,
        by_content_type="content_type" in policy.slices,
    )
    engine.keep(
        "slice_bins",
        most=MOST_VALUES,
        fifths=list(FIFTHS),
        ranges=[name for name in inputs.names if policy.slices[name] == "quantiles"],
    )
    if documents:
        engine.keep("slice_no_predictions", table="slice_predictions")
    else:
        engine.keep("slice_predictions")
    pair_ids = worst["pair_id"].to_pylist()
    return {
        "slice_counts": engine.table("slice_counts"),
        "worst_slices": engine.table("worst_slices", pair_ids=pair_ids),
    }


def _path(name: str, place: str) -> str:
    path = parse_path(place, f"slices.{name}")
    if not path or EACH in path:
        raise PolicyError(f"slices.{name}: expected a path to one value, without [*]")
    # the document itself, not a list that holds it
    return json_path(path).replace("$[*]", "$", 1)
