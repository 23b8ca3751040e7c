"""What a metric and a gate are, and the facts both are measured from.

A metric is data plus one function; a gate likewise. `METRICS` and `GATES` are explicit tuples;
the command line, the policy defaults, the report and the tests iterate them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from analyzer.metrics.looking import looking_of, without_horizon
from analyzer.model import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Literal

    import numpy as np
    import numpy.typing as npt
    import polars as pl
    import pyarrow as pa

    from analyzer.model import Evidence, Family, Gate, Inputs, Ledger, NoiseFloor, Pairing
    from analyzer.policy import MetricDefault, MetricRule, Policy
    from analyzer.stats.boundary import Looking

    AskedOf = Literal["both", "endpoint", "replay"]
    """What answers a question: CloudWatch of a live endpoint, a replay's sidecar, or either."""

    Points = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
    """Starts of periods in seconds since 1970, and values, in the frame's order."""


@dataclass(frozen=True)
class CaptureFacts:
    """What the captures gave, in the window, already reduced.

    Attributes:
        contradictions: duplicates that say something else than the record that is kept.
        production_records, shadow_records: usable records of each variant, duplicates removed.
        same_objects: both sides resolve to the same objects.
        first_at, last_at: (production, shadow) earliest and latest inferenceTime in the window.
        tables: question name -> Arrow table of counts, sums or histograms; never raw rows.
    """

    ledger: Ledger
    pairing: Pairing
    production_records: int
    shadow_records: int
    same_objects: bool
    first_at: tuple[datetime, datetime] | None
    last_at: tuple[datetime, datetime] | None
    contradictions: int = 0
    tables: Mapping[str, pa.Table] = field(default_factory=dict)


@dataclass(frozen=True)
class EndpointFacts:
    """What endpoint.json says; None where it is silent. Percentages in 0..100.

    Attributes:
        name: the endpoint described.
        live_since: when the present configuration went live.
        live_since_at_earliest: that is its creation, and it may have gone live later: scaling has
            modified the endpoint since, or no modification is dated.
        scaled_at: when scaling activities that did not fail ended, in either direction.
        scheduled_minutes: length of the shadow experiment as scheduled, from start to end.
    """

    name: str | None = None
    production_variant: str | None = None
    shadow_variant: str | None = None
    production_model: str | None = None
    shadow_model: str | None = None
    shadow_percentage: float | None = None
    capture_percentage: float | None = None
    production_instances: int | None = None
    shadow_instances: int | None = None
    live_since: datetime | None = None
    live_since_at_earliest: bool = False
    config_changes: tuple[datetime, ...] = ()
    scaled_at: tuple[datetime, ...] = ()
    scheduled_minutes: float | None = None


@dataclass(frozen=True)
class Facts:
    """Everything a metric or gate may look at.

    Attributes:
        start, end: the window, half open, UTC-aware; None when nothing dates it.
        metric_points: canonical CloudWatch points of the two variants (see `cloudwatch`),
            column `role` being "production" or "shadow"; empty frame when none were exported.
        points_dropped: reason -> rows of the exports that were not used.
        points_endpoints: how many different endpoints the exports' rows named.
        captures: None in a run from metrics alone.
        asked: the ends of the window a person gave; None where they were left to the data.
        floor: production against itself; None where no such comparison was given.
        called: role -> its variant's name, or that of its folder or file; where there is one.
    """

    policy: Policy
    mode: Mode
    start: datetime | None
    end: datetime | None
    metric_points: pl.DataFrame
    points_dropped: Mapping[str, int]
    points_endpoints: tuple[str, ...]
    inputs: Inputs
    captures: CaptureFacts | None
    endpoint: EndpointFacts | None
    asked: tuple[datetime | None, datetime | None] = (None, None)
    floor: NoiseFloor | None = None
    called: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def looking(self) -> Looking:
        """When the result may be read, and the horizon if one was declared."""
        looking = looking_of(self.policy, self.endpoint)
        return without_horizon(looking) if self.mode is Mode.REPLAY else looking

    @cached_property
    def known(self) -> tuple[int, int] | None:
        """From when until when there are metric points or capture records; None without any.

        Units: seconds since 1970 in UTC, half open.
        """
        starts: list[int] = []
        ends: list[int] = []
        if not self.metric_points.is_empty():
            second = self.metric_points["timestamp"].dt.epoch("s")
            starts += [int(second.to_numpy().min())]
            ends += [int((second + self.metric_points["period_s"]).to_numpy().max())]
        if self.captures is not None and self.captures.first_at and self.captures.last_at:
            starts += [int(at.timestamp()) for at in self.captures.first_at]
            ends += [int(at.timestamp()) + 1 for at in self.captures.last_at]
        return (min(starts), max(ends)) if starts else None

    @cached_property
    def metric_series(self) -> dict[tuple[object, ...], Points]:
        """`metric_points` by (role, metric_name, stat, period_s), split once for the whole run."""
        points = self.metric_points.with_columns(
            second=self.metric_points["timestamp"].dt.epoch("s")
        )
        key = ("role", "metric_name", "stat", "period_s")
        parts = points.partition_by(key, maintain_order=True, as_dict=True)
        return {
            name: (part["second"].to_numpy(), part["value"].to_numpy())
            for name, part in parts.items()
        }


@dataclass(frozen=True)
class Metric:
    """One named quantity: what it is, its default rule, and how it is measured.

    Attributes:
        title: short human name, e.g. "p99 latency".
        meaning: one sentence a reader of the report understands.
        unit: unit of the two levels: "ms", "share", "percent".
        method: stable method id with its version, e.g. "ewc-ratio/1".
        source: paper or document the method is from.
        assess: facts and the rule in force -> Evidence (outcome before gates).
        needs_labels: asked only with labels, or where the policy asks for it.
        kinds: outputs it is asked of, unless the policy asks for it; None for all runs.
        asked_of: where it is asked at all, whatever the policy says of it.
        in_replay: method id and source where a replay is judged by another one.
    """

    id: str
    family: Family
    title: str
    meaning: str
    unit: str
    method: str
    source: str
    advice: str
    default: MetricDefault
    assess: Callable[[Facts, MetricRule], Evidence]
    needs_labels: bool = False
    kinds: frozenset[str] | None = None
    asked_of: AskedOf = "both"
    in_replay: tuple[str, str] | None = None


@dataclass(frozen=True)
class GateCheck:
    """One validity condition: its meaning, and how it is checked.

    `check` sees the evidence measured so far, because some gates ask whether evidence exists.

    Attributes:
        asked_of: as a metric's.
    """

    id: str
    meaning: str
    advice: str
    check: Callable[[Facts, Mapping[str, Evidence]], Gate]
    asked_of: AskedOf = "both"


def applies(asked_of: AskedOf, *, replayed: bool) -> bool:
    """Whether a metric or gate is asked in a run."""
    return asked_of in {"both", "replay" if replayed else "endpoint"}
