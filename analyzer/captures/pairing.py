"""Which production record and which shadow record answered the same request.

In: the rules and their order. Out: reading lines. Joins and groupings are SQL; only the choice of
the nearest in time among equal payloads is arrays (`nearest`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analyzer.captures.nearest import nearest_pairs
from analyzer.engine import integers, numbers

if TYPE_CHECKING:
    from analyzer.engine import Engine
    from analyzer.policy import PairingRules

SHARED_EVENT_IDS = 0.5
"""Event IDs are a join key when at least this share of the shadow's occurs in production."""

_SLICE_RECORDS = 2_000_000  # some 100 MB of arrays at a time


@dataclass(frozen=True)
class PairingCounts:
    """What pairing saw of the ids.

    Attributes:
        repeated_ids: inference IDs used for several events of one variant.
        event_id_overlap: share of the shadow's event IDs that occur in production; None when the
            shadow has none.
    """

    repeated_ids: int = 0
    event_id_overlap: float | None = None


def find_pairs(engine: Engine, rules: PairingRules) -> PairingCounts:
    """Fill `matches` by each rule in turn, every record used once.

    `unpaired`, at first every record, shrinks with each rule.
    """
    overlap = _event_id_overlap(engine)
    engine.keep("pair_none", table="pairings")
    engine.execute("pair_matches")
    reused = "pair_repeated_ids"
    for key in rules.keys:
        if key == "inference_id":
            engine.keep("pair_inference_id", table="pairings")
            engine.keep("unpaired_by_id", table="unpaired", replace=True)
            engine.keep("contenders_inference_id", table="contenders", replace=True)
            _pair_nearest(engine, rules.window_s, paired_by=key)
            reused = "pair_reused_ids"
        elif key == "event_id":
            if overlap is not None and overlap >= SHARED_EVENT_IDS:
                engine.keep("pair_event_id", table="pairings")
                engine.keep("unpaired_left", table="unpaired", replace=True, paired_by=key)
        else:
            ids_rule = "inference_id" in rules.keys
            engine.keep("contenders_payload", table="contenders", replace=True, ids_rule=ids_rule)
            _pair_nearest(engine, rules.window_s, paired_by=key)
    repeated = engine.table(reused)["ids"][0].as_py()
    return PairingCounts(repeated_ids=repeated, event_id_overlap=overlap)


def _event_id_overlap(engine: Engine) -> float | None:
    row = engine.table("pair_event_overlap").to_pylist()[0]
    return row["shared_events"] / row["shadow_events"] if row["shadow_events"] else None


def _pair_nearest(engine: Engine, window_s: int, *, paired_by: str) -> None:
    """Pair `contenders` one to one; no payload lies in two slices."""
    records = engine.table("contenders_size")["records"][0].as_py()
    slices = -(-records // _SLICE_RECORDS)
    for part in range(slices):
        rows = engine.table("contenders_slice", slices=slices, slice=part)
        with engine.lend(nearest=_nearest(rows, window_s)):
            engine.keep("pair_nearest", table="pairings", paired_by=paired_by)
    if slices:
        engine.keep("unpaired_left", table="unpaired", replace=True, paired_by=paired_by)


def _nearest(rows: pa.Table, window_s: int) -> pa.Table:
    record_id, is_shadow, second, upper, lower = (
        numbers(rows[name])
        for name in ("record_id", "is_shadow", "second", "scope_upper", "scope_lower")
    )
    starts_group = np.ones(len(record_id), np.bool_)
    starts_group[1:] = (np.diff(upper) != 0) | (np.diff(lower) != 0)
    production, shadow = nearest_pairs(starts_group, second, is_shadow == 1, window_s)
    return pa.table(
        {
            "production_id": integers(record_id[production]),
            "shadow_id": integers(record_id[shadow]),
        }
    )
