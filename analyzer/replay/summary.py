"""What a replay did, in numbers: for the terminal, for a pipeline, and for whoever asks again.

In: the sidecars and the counts of the plan. Out: words (`report.content.replay_page`), judging.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from analyzer.model import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class VariantSummary(Frozen):
    """What one variant did.

    Attributes:
        sent: requests sent; usable: those with an answer from 200 to 299 that has a body.
        errors: the others by error code; said: the first text of each code; statuses: answers by
            HTTP status.
        warm_up: of those sent; they are not in the latencies.
        late: sent later than they were due, warm-up left out.
        service_ms: quantiles of done minus sent, of usable answers; empty without any.
        response_ms: of done minus intended.
    """

    sent: int
    usable: int
    errors: dict[str, int]
    said: dict[str, str]
    statuses: dict[str, int]
    warm_up: int
    late: int
    service_ms: dict[str, float]
    response_ms: dict[str, float]


class Summary(Frozen):
    """What a replay did.

    Attributes:
        state: complete, or interrupted with `left` requests still to be sent.
        again: it was complete before this command, which sent nothing.
        speed: as it was asked for.
        captures: path of what was replayed, as `analyzer run --production` takes it.
        endpoint: whose captures they are; None where nothing tells.
        counts: every line of the captures by what became of it; `requests` are sent.
        objects_failed: objects that could not be read, by code.
        seconds: from the first sending to the last answer, pauses between sendings included.
        folders: variant -> where its records are, below the output folder.
    """

    state: Literal["complete", "interrupted"]
    left: int
    again: bool = False
    speed: str
    captures: str
    endpoint: str | None = None
    counts: dict[str, int]
    objects_failed: dict[str, int]
    seconds: float
    variants: dict[str, VariantSummary]
    folders: dict[str, str]

    @property
    def sent(self) -> int:
        """Requests sent to all variants together."""
        return sum(one.sent for one in self.variants.values())

    @property
    def unanswered(self) -> bool:
        """Whether nothing that was sent to the candidate was answered usably."""
        one = self.variants["candidate"]
        return bool(one.sent) and not one.usable


def variant_summary(table: pa.Table) -> VariantSummary:
    """The numbers of one sidecar."""
    rows = pl.DataFrame(table)
    usable = rows.filter(pl.col("error_code").is_null())
    measured = usable.filter(~pl.col("warm_up"))
    return VariantSummary(
        sent=len(rows),
        usable=len(usable),
        errors=_counts(rows["error_code"]),
        said=_said(rows),
        statuses=_counts(rows["status"]),
        warm_up=int(rows["warm_up"].sum()),
        late=int(rows.filter(~pl.col("warm_up"))["late"].sum()),
        service_ms=_quantiles(measured["done_at"] - measured["sent_at"]),
        response_ms=_quantiles(measured["done_at"] - measured["intended_at"]),
    )


def seconds(tables: Mapping[str, pa.Table]) -> float:
    """From the first sending to the last answer."""
    rows = pl.concat(
        [pl.DataFrame(table).select("sent_at", "done_at") for table in tables.values()]
    )
    us = rows.select(pl.col("done_at").max() - pl.col("sent_at").min()).to_series()
    lasted: int | None = us.dt.total_microseconds().item()
    return (lasted or 0) / 1e6


def _said(rows: pl.DataFrame) -> dict[str, str]:
    texts = rows.drop_nulls(["error_code", "error_text"]).sort("order")
    first = texts.group_by("error_code", maintain_order=True).agg(pl.col("error_text").first())
    return dict(sorted(first.iter_rows()))


def _counts(values: pl.Series) -> dict[str, int]:
    return dict(sorted(Counter(str(value) for value in values.drop_nulls()).items()))


def _quantiles(lasting: pl.Series) -> dict[str, float]:
    if lasting.is_empty():
        return {}
    ms = lasting.dt.total_microseconds().to_numpy() / 1000
    return {name: round(float(np.quantile(ms, q)), 3) for name, q in QUANTILES.items()}
