"""Which captured requests are sent, and in what order: decided by their content alone.

In: one row a captured request. Out: reading them. File order, threads and the clock change
nothing, so the same captures give the same replay.

Shapes: an index has the columns offset and length (of a request in the file that holds it), at_us,
event, content and payload (digests of the event ID, the whole line and what is sent), kind (the
content type) and size (bytes sent).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from analyzer.replay.requests import microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

INDEX = {
    "offset": pl.Int64,
    "length": pl.Int64,
    "at_us": pl.Int64,
    "event": pl.Binary,
    "content": pl.Binary,
    "payload": pl.Binary,
    "kind": pl.String,
    "size": pl.Int64,
}


@dataclass(frozen=True)
class Wanted:
    """What is to be sent of it.

    Attributes:
        sample: how many requests at most; None for all.
        dedupe: whether equal requests are sent once.
        since, until: ends of the window they were captured in, half open; None leaves one open.
    """

    sample: int | None = None
    dedupe: bool = False
    since: datetime | None = None
    until: datetime | None = None

    def includes(self, at_us: int) -> bool:
        """Whether a moment, microseconds since 1970 UTC, lies in the window."""
        after = self.since is None or at_us >= microseconds(self.since)
        return after and (self.until is None or at_us < microseconds(self.until))


@dataclass(frozen=True)
class Selected:
    """The requests to send, in the order they are sent, and how many were left out and why."""

    index: pl.DataFrame
    left_out: Mapping[str, int]


def select(index: pl.DataFrame, wanted: Wanted) -> Selected:
    """Choose and order requests.

    An event that was captured twice is one request. A sample takes every k-th request of an order
    by content type, size in powers of two, and payload: each kind, each size and each payload
    that is repeated has its share of the sample to within one request, and what is chosen inside
    a payload does not depend on when it came.
    """
    once = index.sort("at_us", "content").unique("event", keep="first", maintain_order=True)
    left_out = {"duplicate": len(index) - len(once)}
    kept = once
    if wanted.dedupe:
        kept = once.unique("payload", keep="first", maintain_order=True)
        left_out["repeated-payload"] = len(once) - len(kept)
    if wanted.sample is not None and wanted.sample < len(kept):
        chosen = kept.sort(
            "kind", pl.col("size").cast(pl.Float64).log1p().mul(1 / np.log(2)).floor(),
            "payload", "event",
        )  # fmt: skip
        step = len(kept) / wanted.sample
        places = ((np.arange(wanted.sample) + 0.5) * step).astype(np.int64)
        left_out["not-sampled"] = len(kept) - wanted.sample
        kept = chosen[places]
    # Within a second the order of arrival is unknown; digests give one that depends on nothing.
    return Selected(kept.sort("at_us", "event"), left_out)
