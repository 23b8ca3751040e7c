"""What divergence is held against beside the whole: parts of the traffic, and production itself.

In: the slices and the noise floor of a verdict, as verdict.json holds them. Out: all its other
values (`model`), and how these came to be (`metrics.sliced`, `noise_floor`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from analyzer.model.values import Figure, Frozen, Outcome

GAPS = ("not-a-number", "several", "missing", "unreadable")
"""Kinds of bins that hold what has no value."""
_UNREAD_SHARE = 0.99


class SlicedShare(Frozen):
    """One metric's share in one bin of a slice.

    Attributes:
        lower, upper: one-sided bounds at alpha each, by the verdict's way of looking.
        p_value: of "the share is what is allowed, or less", for this bin alone.
        outcome: FAIL only when it is one after Holm's correction over every bin and metric, in a
            bin of at least 1,000 pairs; PASS is read by the bin's own bound.
        discovery: whether the rate of false discoveries over all bins still allows to say that the
            share is above what is allowed; it points somewhere and holds nothing.
    """

    events: int
    outcomes: int
    effective: Figure
    estimate: Figure
    lower: Figure
    upper: Figure
    allowed: Figure | None
    p_value: Figure | None
    outcome: Outcome
    discovery: bool = False


class SliceBin(Frozen):
    """A part of the pairs: a value, a range, all other values, or those without a value.

    Attributes:
        kind: "value", "range", "other", "missing", "unreadable", "several" or "not-a-number".
        value: the value; None for a bin of another kind.
        lower, upper: ends of a range, from above the one up to the other; None where open.
        direction: where flips, or shifts, go more often than back, by McNemar's mid-p after Holm's
            correction over the slice's bins; "none" where that is not certain.
    """

    kind: str
    value: str | None = None
    lower: Figure | None = None
    upper: Figure | None = None
    pairs: int
    direction: Literal["higher", "lower", "none"] = "none"
    shares: dict[str, SlicedShare] = Field(default_factory=dict)


class Slice(Frozen):
    """One part of the policy's `[slices]`, bin by bin.

    Attributes:
        direction: of all pairs together, as in a bin.
        simpson: more bins with a certain direction go against the whole than with it.
    """

    by: Literal["hour", "content_type", "quantiles", "categories"]
    bins: tuple[SliceBin, ...]
    direction: Literal["higher", "lower", "none"] = "none"
    simpson: bool = False

    @property
    def unread(self) -> bool:
        """Whether nearly no pair has a value there: the parts it names were not looked at."""
        pairs = sum(part.pairs for part in self.bins)
        without = sum(part.pairs for part in self.bins if part.kind in GAPS)
        return pairs > 0 and without >= _UNREAD_SHARE * pairs


class FloorShare(Frozen):
    """How often production differs from itself: events in outcomes, and what these are worth."""

    events: int
    outcomes: int
    effective: Figure


class NoiseFloor(Frozen):
    """An A/A comparison, production against itself, that divergence is measured above.

    Attributes:
        source: an earlier run's bundle, or captures that this run read.
        digest: of what was compared there.
        production_model: None where nothing names it.
        shares: metric id -> production's own share; metrics without one are judged as they are.
    """

    source: Literal["bundle", "captures"]
    digest: str
    endpoint: str | None
    production_model: str | None
    kind: str
    pairs: int
    distinct_inputs: int
    mean_absolute_difference: Figure | None = None
    shares: dict[str, FloorShare] = Field(default_factory=dict)
