"""Do the pairs speak for all of the time, and of one shadow only?

In: pairs counted by hour, beside production's requests. Out: how many pairs are enough (`pairs`),
and whether production and shadow are two things at all (`identity`).
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np

from analyzer.figures import counted, grouped, percent, stated
from analyzer.metrics.predictions import Counted
from analyzer.metrics.series import HOUR, MINUTE, PRODUCTION, Cover, invocations
from analyzer.model import Mode

if TYPE_CHECKING:
    from analyzer.metrics.metric import CaptureFacts, Facts
    from analyzer.metrics.series import FloatArray

LEAST_TRAFFIC_SHARE = 0.95
_LEAST_DUE = 10
"""Pairs a stretch should have before none of them says something: e^-10 by chance."""
_LEAST_JUDGED_SHARE = 0.8
_BLOCKS = (1, 6, 24)
"""Hours a stretch may have, the shortest first."""
_LEAST_VALUES = 1_000
_SCORED = frozenset({"probability", "regression", "vector", "multiclass"})
_LEAST_CHANGED = 0.5
_LEAST_IN_AN_HOUR = 20
"""Outputs an hour needs, all the same, where half and more change: one in a million by chance."""
_MOST_UNCHANGED = 0.05


def seen_share(facts: Facts, captures: CaptureFacts) -> float | None:
    """Share of production's requests that lie in stretches with pairs; None where not known.

    A stretch is one hour where most traffic expects ten pairs an hour, else six hours, else a day.
    """
    cover, table = Cover.of(facts), captures.tables.get("capture_hours")
    if cover is None or table is None or facts.mode is Mode.REPLAY:
        return None
    sent = np.nan_to_num(invocations(facts, cover, PRODUCTION)).reshape(-1, HOUR // MINUTE)
    requests, pairs = sent.sum(axis=1), _pairs_by_hour(captures, cover, sent.shape[0])
    if not requests.any() or not pairs.any():
        return None
    for block in _BLOCKS:
        traffic, found = (one.reshape(-1, block).sum(axis=1) for one in (requests, pairs))
        due = traffic * pairs.sum() >= _LEAST_DUE * requests.sum()
        if traffic[due].sum() >= _LEAST_JUDGED_SHARE * requests.sum():
            return float(traffic[due & (found > 0)].sum() / traffic[due].sum())
    return None


def _pairs_by_hour(captures: CaptureFacts, cover: Cover, hours: int) -> FloatArray:
    pairs = np.zeros(hours)
    for row in captures.tables["capture_hours"].to_pylist():
        hour = row["hour"].replace(tzinfo=UTC)  # the table's hours are UTC and bear no zone
        place = (round(hour.timestamp()) - cover.start) // HOUR
        if row["role"] == PRODUCTION and 0 <= place < hours:
            pairs[place] += row["paired"]
    return pairs


def unseen(share: float, pairs: int) -> str:
    """That the pairs do not speak for the time that is judged."""
    return (
        f"{counted(pairs, 'pair')} lie in hours that carry {percent(share)} of production's "
        f"requests ({stated(LEAST_TRAFFIC_SHARE)} needed): what the shadow answered at other "
        "times is not known"
    )


def unchanged_values(facts: Facts) -> str | None:
    """That a changed model moves no score at all, though its outputs differ; else None.

    A retrained model's scores move, if only in the last digits. Where none does, what is compared
    is not what the model says: a path that names an echo of the input, or the same model behind a
    new version's name.
    """
    found = Counted.of(facts)
    if found is None or found.kind not in _SCORED or facts.policy.change != "model":
        return None
    moved = found.row.get("mean_absolute_difference")
    if found.count("measured") < _LEAST_VALUES or moved != 0 or found.count("shifted"):
        return None
    outputs = found.count("mismatched_pairs")
    elsewhere = f"{counted(outputs, 'output')} differ elsewhere and " if outputs else ""
    return (
        f"None of {counted(found.count('measured'), 'compared score')} differs, though "
        f"{elsewhere}the policy says the model changed (no-change-observed): it is the same "
        "model, a stale capture, or predictions.path names something the model only repeats."
    )


def unchanged_hours(facts: Facts) -> str | None:
    """That a changed model answers for some hours as production does, to the byte; else None.

    Where half and more of a retrained model's scores change, twenty that do not are no chance: the
    old model served that hour, or a copy of production's captures lies there. Its answers thin out
    what the new one does.
    """
    found = Counted.of(facts)
    if found is None or found.kind not in _SCORED or facts.policy.change != "model":
        return None
    answered, changed = (found.hours.get(name) for name in ("answered_pairs", "mismatched_pairs"))
    if answered is None or changed is None:
        return None
    moved = changed > 0
    if not moved.any() or changed[moved].sum() < _LEAST_CHANGED * answered[moved].sum():
        return None
    same = ~moved & (answered >= _LEAST_IN_AN_HOUR)
    if answered[same].sum() < _MOST_UNCHANGED * answered.sum():
        return None
    return (
        f"In {counted(int(same.sum()), 'hour')} all {grouped(answered[same].sum())} outputs are "
        "byte-identical, in the others "
        f"{percent(float(changed[moved].sum() / answered[moved].sum()))} differ "
        "(no-change-observed): for a part of the time it was the same model, or a stale capture."
    )
