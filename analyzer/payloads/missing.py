"""Is what production answered without a shadow answer like what it answered with one?

In: production's unpaired records and its pairs -> counts of both by hour, and in it by size, score
or label. Out: what follows if they differ (`gates.missing`). A capture record keeps no input
payload here, so it is the size of production's output that stands for the request's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pyarrow as pa

    from analyzer.asked import Asked, Rows
    from analyzer.model import Pairing
    from analyzer.payloads.shape import OutputShape
    from analyzer.policy.rules import JoinKey

_LABELLED = frozenset({"label", "multiclass"})


class Unpaired(NamedTuple):
    """Which of production's records have no partner, though they might.

    Attributes:
        start, end: the window, UTC without saying so, as the engine's times are.
        by: the rule that could have paired them.
    """

    start: datetime
    end: datetime
    by: JoinKey


def main_rule(pairing: Pairing) -> JoinKey:
    """The rule that found most pairs."""
    found: dict[JoinKey, int] = {
        "inference_id": pairing.by_inference_id,
        "event_id": pairing.by_event_id,
        "payload": pairing.by_payload,
    }
    return max(found, key=lambda key: found[key])


def missing_tables(
    engine: Asked,
    shape: OutputShape,
    counts: Mapping[str, Any],
    unpaired: Unpaired,
) -> dict[str, pa.Table]:
    """Counts of missing and present by hour and size, and by score or label where outputs are such.

    Args:
        engine: holds `records`, `duplicates`, `matches` and `pairs`.
        shape: where predictions are.
        counts: of the predictions, with the place and width of the buckets of quantities.
        unpaired: which records are looked at.
    """
    asked = {
        **unpaired._asdict(),
        "kind": shape.kind,
        "json_path": shape.sql_path,
        "csv_column": shape.csv_column,
        "centre": counts.get("centre"),
        "spread": counts.get("spread"),
    }
    engine.each(partial(_keep_answers, asked=asked))
    names = ["missing_by_bytes"]
    if "spread" in counts:
        names += ["missing_by_score"]
    if shape.kind in _LABELLED:
        names += ["missing_by_label"]
    return engine.tables(*names)


def _keep_answers(engine: Rows, *, asked: Mapping[str, Any]) -> None:
    engine.keep("production_answers", **asked)
