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
    from collections.abc import Mapping

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


@dataclass(frozen=True)
class Ids:
    """What the records as a whole say of their ids, and every rule must know.

    Attributes:
        overlap: as `PairingCounts.event_id_overlap`.
        production, shadow: whether that variant carries inference IDs at all.
    """

    overlap: float | None
    production: bool
    shadow: bool


def find_pairs(engine: Engine, rules: PairingRules) -> PairingCounts:
    """Fill `matches` by each rule in turn, every record used once."""
    ids = seen_ids(engine.tables(*SEEN))
    start_pairing(engine)
    for key in rules_in_use(rules, ids):
        pair_by(engine, key, rules, ids)
    repeated = engine.table(repeated_ids(rules))["ids"][0].as_py()
    return PairingCounts(repeated_ids=repeated, event_id_overlap=ids.overlap)


SEEN = ("pair_event_overlap", "pair_carriers")
"""Questions whose answers are `Ids`."""


def seen_ids(tables: Mapping[str, pa.Table]) -> Ids:
    """What the answers to `SEEN` come to."""
    overlap, carriers = (tables[name].to_pylist()[0] for name in SEEN)
    shared, shadow = overlap["shared_events"], overlap["shadow_events"]
    return Ids(shared / shadow if shadow else None, carriers["production"], carriers["shadow"])


def rules_in_use(rules: PairingRules, ids: Ids) -> tuple[str, ...]:
    """The rules in their order, without event IDs where the variants do not share them."""
    shared = ids.overlap is not None and ids.overlap >= SHARED_EVENT_IDS
    return tuple(key for key in rules.keys if key != "event_id" or shared)


def repeated_ids(rules: PairingRules) -> str:
    """The question how many inference IDs stand for several events."""
    return "pair_reused_ids" if "inference_id" in rules.keys else "pair_repeated_ids"


def start_pairing(engine: Engine) -> None:
    """No pairs yet; `unpaired` holds every record that is kept."""
    engine.keep("pair_none", table="pairings")
    engine.execute("pair_matches")


def pair_by(engine: Engine, key: str, rules: PairingRules, ids: Ids) -> None:
    """Take one rule: pairs go into `matches`, and `unpaired` shrinks."""
    if key == "inference_id":
        engine.keep("pair_inference_id", table="pairings")
        engine.keep("unpaired_by_id", table="unpaired", replace=True)
        engine.keep("contenders_inference_id", table="contenders", replace=True)
        _pair_nearest(engine, rules.window_s, paired_by=key)
    elif key == "event_id":
        engine.keep("pair_event_id", table="pairings")
        engine.keep("unpaired_left", table="unpaired", replace=True, paired_by=key)
    else:
        engine.keep(
            "contenders_payload",
            table="contenders",
            replace=True,
            ids_rule="inference_id" in rules.keys,
            production_carries_ids=ids.production,
            shadow_carries_ids=ids.shadow,
        )
        _pair_nearest(engine, rules.window_s, paired_by=key)


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
