"""Where a part of the requests was sampled: does what production said tell which have a partner?

How many partners are missing is no evidence there. But sampling looks at no answer, so a production
record has its partner with the same chance whatever its score, label or size: where that is not so,
the shadow lost answers. In: counts by hour and answer. Out: losses that strike every request alike,
which sampling hides; worst cases (`missing`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analyzer.figures import counted, grouped, plain
from analyzer.gates.sampling import percentages_fixed
from analyzer.stats.missingness import excess_missing, halving_levels
from analyzer.stats.multiple import holm

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from analyzer.metrics.metric import CaptureFacts, Facts
    from analyzer.stats.ewc import FloatArray
    from analyzer.stats.missingness import Excess, IntArray

    AnyArray = npt.NDArray[np.int64] | npt.NDArray[np.str_]

MOST_LOST = 0.005
"""Lost answers, as a share of pairs, up to which a dependence does not matter."""
MOST_CHANCE = 0.001
"""The chance, of all tests together, that sampling alone is taken for a loss."""
MOST_LABELS = 50
"""Labels that are asked one by one, the commonest; all others are asked together."""
_HOUR, _SIZE = "the hour", "the size of production's output"
_LABEL, _SCORE = "production's label", "production's score"


class Dependence(NamedTuple):
    """What was asked, and what was found.

    Attributes:
        tests: by what the chance of a partner may depend on.
        on: those on which it does.
        lost: pairs at the least that are missing beyond chance; 0 where `on` is empty.
    """

    tests: dict[str, Excess]
    on: tuple[str, ...]
    lost: float

    @property
    def text(self) -> str:
        """What was asked and found, in words."""
        if not self.on:
            return (
                "whether a production record has a shadow record does not depend on "
                f"{self._said(self.tests, 'or')}, so sampling explains those without; answers lost "
                "whatever production said cannot be told from unsampled ones"
            )
        return (
            "whether a production record has a shadow record depends on "
            f"{self._said(self.on, 'and')}, at which sampling does not look: at least "
            f"{counted(round(self.lost), 'pair')} were lost"
        )

    def _said(self, names: Iterable[str], joint: str) -> str:
        each = [f"{name} (p = {plain(self.tests[name].p_value)})" for name in names]
        return f" {joint} ".join(part for part in (", ".join(each[:-1]), each[-1]) if part)


def why_not_asked(captures: CaptureFacts) -> str | None:
    """Why a partner's chance may depend on the request though nothing is lost; else None.

    An input that repeats without an ID of its own has several chances of a partner, and requests
    that repeat may well be alike in what production says.
    """
    pairs, pairing = captures.ledger.pairs, captures.pairing
    repeated = pairs - pairing.distinct_inputs
    if repeated <= MOST_LOST * pairs:
        return None
    if pairing.repeated_ids > MOST_LOST * pairs:
        return f"{counted(pairing.repeated_ids, 'inference ID')} stand for several requests"
    if pairing.by_payload > MOST_LOST * pairs:
        return (
            f"{grouped(pairing.by_payload)} of {counted(pairs, 'pair')} were found by payload, and "
            f"{grouped(repeated)} repeat an input"
        )
    return None


def dependence(facts: Facts, captures: CaptureFacts) -> Dependence | None:
    """On what the chance of a partner depends; None where no answer differs from another.

    Size, score and label are asked within each hour, because a percentage may have changed; the
    hour itself only where none did.
    """
    tests = {
        _SCORE: by_answer(captures, "missing_by_score"),
        _LABEL: by_answer(captures, "missing_by_label"),
        _SIZE: by_answer(captures, "missing_by_bytes"),
        _HOUR: _by_hour(captures) if percentages_fixed(facts) else None,
    }
    asked = {name: test for name, test in tests.items() if test is not None}
    if not asked.keys() - {_HOUR}:
        return None
    refuted = holm([test.p_value for test in asked.values()], MOST_CHANCE)
    on = tuple(name for name, sure in zip(asked, refuted, strict=True) if sure)
    return Dependence(asked, on, max((asked[name].missing for name in on), default=0.0))


def by_answer(captures: CaptureFacts, name: str) -> Excess | None:
    """The test within hours; None where nothing varies, or nothing was counted."""
    cells = _cells(captures, name)
    if cells is None:
        return None
    hours, missing, present, values = cells
    _, levels = np.unique(values, return_inverse=True)
    totals = missing + present
    if values.dtype.kind == "i":
        levels = halving_levels(levels, totals)
    else:
        commonest = np.argsort(-np.bincount(levels, weights=totals), kind="stable")
        rank = np.empty(len(commonest), np.int64)
        rank[commonest] = np.arange(len(commonest))
        levels = np.minimum(rank[levels], MOST_LABELS)
    if not np.ptp(levels):
        return None
    return excess_missing(hours, levels, missing, present)


def _by_hour(captures: CaptureFacts) -> Excess | None:
    cells = _cells(captures, "missing_by_bytes")
    if cells is None:
        return None
    hours, missing, present, _ = cells
    return excess_missing(np.zeros_like(hours), hours, missing, present)


def _cells(
    captures: CaptureFacts, name: str
) -> tuple[IntArray, FloatArray, FloatArray, AnyArray] | None:
    """Hours, missing, present and values of a table; None without any of either group."""
    table = captures.tables.get(name)
    if table is None:
        return None
    columns = table.to_pydict()
    missing, present = (np.array(columns[group], np.float64) for group in ("missing", "present"))
    if not missing.any() or not present.any():
        return None
    values = columns.get("bucket") or columns["label"]
    return np.array(columns["hour"], np.int64), missing, present, np.array(values)
