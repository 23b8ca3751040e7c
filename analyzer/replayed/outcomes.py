"""The sidecars of a replay -> what became of each request, reduced to what metrics and gates ask.

In: the sidecar of the candidate and, where there is one, of the baseline; the records and pairs of
the engine, which say what belongs to the window and which requests ask the same. Out: finding the
files (`sources.replays`), their columns (`sidecar`), judging (`metrics.replay`).

A failure counts always, a latency where both variants answered, after warm-up. It is the response
time, from the moment a request was meant to go, because a server that stalls must not delay the
next question (coordinated omission). Where the sender itself was late, it is service time, and not
judged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from analyzer.engine import disk_errors_named
from analyzer.errors import InputError
from analyzer.figures import counted
from analyzer.model import Note
from analyzer.replayed import sidecar, warm_up
from analyzer.replayed.latency import distribution, latencies, quantile_ratios
from analyzer.sources.batch_transform.stored import parts
from analyzer.sources.objects import ObjectError, ObjectFailure
from analyzer.stats.ewc import long_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import numpy.typing as npt
    import pyarrow as pa

    from analyzer.asked import Asked
    from analyzer.sources import Listing, SourceObject

    Floats = npt.NDArray[np.float64]

LATE_MS, LATE_SHARE_OF_MEDIAN = 5.0, 0.01
"""A request is late beyond the larger of both: a delay of the sender, not of the server."""
BURSTS = 2.0
"""Least design effect once outcomes differ: a burst that has not come yet cannot be seen."""
_RATE_REQUESTS = 100
_ANSWERED = (200, 299)
_UNFINISHED = "unfinished"
_MS = 1_000.0


@dataclass(frozen=True)
class Sidecars:
    """The sidecars of a run.

    Attributes:
        frames: by role, one row a request.
        digest: of their bytes.
        failures: those that could not be read, with their keys.
    """

    frames: dict[str, pl.DataFrame]
    digest: str
    failures: tuple[tuple[str, ObjectFailure], ...]

    @property
    def given(self) -> bool:
        """Whether there was any, read or not."""
        return bool(self.frames or self.failures)

    @property
    def events(self) -> pa.Table | None:
        """event_id of every request that the candidate was sent; None where nobody knows."""
        sent = self.frames.get("shadow")
        return None if sent is None else sent.select("event_id").unique().to_arrow()


@dataclass(frozen=True)
class Replayed:
    """What the sidecars of a run came to.

    Attributes:
        tables: `replay_latency`, `replay_quantiles`, `replay_distribution`, `replay_outcomes`;
            empty where the candidate's sidecar could not be read.
        digest: of the sidecars' bytes.
        failures: sidecars that could not be read, with their keys.
    """

    tables: dict[str, pa.Table]
    digest: str
    failures: tuple[tuple[str, ObjectFailure], ...]

    @property
    def notes(self) -> tuple[Note, ...]:
        """What could not be read."""
        return tuple(
            Note(code=f"object-{failure.code}", text=f"{key}: {failure.text}")
            for key, failure in self.failures
        )


def read_sidecars(folder: Path, listing: Listing) -> Sidecars:
    """Read the sidecars of a listing.

    Args:
        folder: where they may lie for a moment.
        listing: with the candidate's sidecar, in role shadow; the baseline's has role production.

    Raises:
        AccessError: the storage cannot be reached.
        ResourceError: a sidecar is larger than can be held.
    """
    frames: dict[str, pl.DataFrame] = {}
    failures = []
    digest = hashlib.sha256()
    for item in sorted(listing.sidecars, key=lambda one: one.role):
        try:
            data = b"".join(parts(item, listing.aws))
            digest.update(item.role.encode() + hashlib.sha256(data).digest())
            frames[item.role] = _frame(folder, item, data)
        except ObjectError as error:
            failures.append((item.key, error.failure))
    return Sidecars(frames, digest.hexdigest(), tuple(failures))


def reduce_replay(engine: Asked, sidecars: Sidecars, start: datetime, end: datetime) -> Replayed:
    """Reduce the sidecars of a run.

    Args:
        engine: holds `records` and `pairs`.
        sidecars: what `read_sidecars` gave.
        start: of the window, by production's time, aware.
        end: of the window, not included.
    """
    frames, events = sidecars.frames, sidecars.events
    tables: dict[str, pa.Table] = {}
    if events is not None:
        paced = _paced(frames["shadow"])
        if not paced:
            # Nothing was due: none was late, and the time since the sending began is no response's.
            frames = {
                role: one.with_columns(response_us="service_us", late=pl.lit(None, pl.Boolean))
                for role, one in frames.items()
            }
        sent = _sent(frames["shadow"], frames.get("production"))
        window = {"start": start.replace(tzinfo=None), "end": end.replace(tzinfo=None)}
        with engine.lend(replay_events=events):
            known = pl.DataFrame(engine.table("replay_requests", **window))
        placed = sent.join(known, on="event_id", how="inner").sort("order")
        alone = frames.get("production", sent).join(sent, on=["order", "event_id"], how="anti")
        inside = placed.filter("inside")
        engine.reduce("replay_paired")
        with engine.lend(replay_sent=inside.select("event_id").to_arrow()):
            met = pl.DataFrame(engine.table("replay_pairs")).row(0, named=True)
        counts = {
            "unplaced": sent.height - placed.height,
            "baseline_alone": alone.height,
            "warm_up_unfounded": warm_up.unfounded(frames.values()),
            "paced": paced,
            **met,
        }
        tables = _reduced(inside, paired="production" in frames, counts=counts)
    return Replayed(tables, sidecars.digest, sidecars.failures)


def _frame(folder: Path, item: SourceObject, data: bytes) -> pl.DataFrame:
    """One sidecar, times in microseconds, one row a request.

    Raises:
        ObjectError: `bad-sidecar`.
    """
    path = folder / f"{item.role}-{sidecar.NAME}"
    with disk_errors_named():
        path.write_bytes(data)
    try:
        table = sidecar.read(path)
    except InputError as error:
        text = str(error).removeprefix(f"{path}: ")
        raise ObjectError("bad-sidecar", f"no sidecar of a replay: {text}") from None
    finally:
        path.unlink()
    read = pl.DataFrame(table)
    frame = read.select(
        "event_id",
        "order",
        *(pl.col(name).dt.epoch("us") for name in ("intended_at", "sent_at", "done_at")),
        "began_at",
        "warm_up",
        "late",
        unfinished=pl.col("error_code").eq_missing(_UNFINISHED),
        failed=pl.col("error_code").is_not_null()
        | ~pl.col("status").is_between(*_ANSWERED).fill_null(value=False),
    )
    twice = frame.height - frame["order"].n_unique()
    backwards = frame.filter(pl.col("done_at") < pl.col("sent_at")).height
    early = frame.filter(pl.col("sent_at") < pl.col("intended_at")).height
    endless = frame.filter(pl.col("done_at").is_null() & ~pl.col("unfinished")).height
    for rows, what in (
        (twice, "a place that another has"),
        (backwards, "an end before its start"),
        (early, "a start before it was meant to go"),
        (endless, "an outcome and no end"),
    ):
        if rows:
            raise ObjectError("bad-sidecar", f"{counted(rows, 'request')} with {what}")
    return frame.with_columns(
        response_us=(pl.col("done_at") - pl.col("intended_at")).clip(1),
        service_us=(pl.col("done_at") - pl.col("sent_at")).clip(1),
        late=pl.col("late") | _behind(),
    )


def _behind() -> pl.Expr:
    median = (pl.col("done_at") - pl.col("sent_at")).median()
    limit = pl.max_horizontal(pl.lit(LATE_MS * _MS), LATE_SHARE_OF_MEDIAN * median)
    return (pl.col("sent_at") - pl.col("intended_at")) > limit


def _sent(candidate: pl.DataFrame, baseline: pl.DataFrame | None) -> pl.DataFrame:
    """One row a request sent to the candidate; the baseline's columns with suffix `_p`."""
    if baseline is None:
        empty = candidate.clear()
        return candidate.join(empty, on=["order", "event_id"], how="left", suffix="_p")
    return candidate.join(baseline, on=["order", "event_id"], how="left", suffix="_p")


def _paced(sent: pl.DataFrame) -> bool:
    """Whether any request was due at a time of its own, and not all when the sending began."""
    began = pl.col("began_at").dt.epoch("us")
    return sent.height == 1 or not sent.filter(pl.col("intended_at") != began).is_empty()


def _reduced(
    inside: pl.DataFrame, *, paired: bool, counts: Mapping[str, int]
) -> dict[str, pa.Table]:
    """Counts, latencies and their distribution, of the requests of the window."""
    warm = pl.col("warm_up") | pl.col("warm_up_p").fill_null(value=False)
    unknown = pl.col("unfinished") | pl.col("unfinished_p").fill_null(value=False)
    met = pl.col("sent_at_p").is_not_null() if paired else pl.lit(value=True)
    known = inside.filter(~unknown & met)
    failed = pl.col("failed") | pl.col("failed_p").fill_null(value=False)
    answered = known.filter(~warm & ~failed)
    steady = inside.filter(~warm)
    outcomes = {
        "paired": paired,
        "sent": inside.height,
        **counts,
        "warm_up": inside.filter(warm).height,
        "failed": known.filter(~warm & failed).height,
        "unfinished": inside.filter(unknown).height,
        "unmatched": inside.filter(~unknown & ~met).height,
        "timed": answered.height,
        "late_share": _share(steady["late"]),
        "late_share_baseline": _share(steady["late_p"]),
        "first_share": _share(steady["sent_at"] < steady["sent_at_p"]),
        "overlap": _overlap(steady) if paired else None,
        "rate": _rate(steady),
        **_outcomes(known),
    }
    return {
        "replay_outcomes": pl.DataFrame([outcomes], schema_overrides=_OUTCOMES).to_arrow(),
        "replay_latency": latencies(answered, paired=paired).to_arrow(),
        "replay_quantiles": quantile_ratios(answered, paired=paired).to_arrow(),
        "replay_distribution": distribution(answered, paired=paired).to_arrow(),
    }


_OUTCOMES = dict.fromkeys(
    ("late_share", "late_share_baseline", "first_share", "overlap", "rate"), pl.Float64
)


def _share(flags: pl.Series) -> float | None:
    flags = flags.drop_nulls()
    return int(flags.sum()) / len(flags) if len(flags) else None


def _overlap(steady: pl.DataFrame) -> float | None:
    """The time in which both were sent requests, as a share of the time in which either was."""
    both = steady.drop_nulls("sent_at_p")
    if both.is_empty():
        return None
    first, last, first_p, last_p = (
        int(value)
        for value in both.select(
            pl.col("sent_at").min().alias("first"),
            pl.col("sent_at").max().alias("last"),
            pl.col("sent_at_p").min().alias("first_p"),
            pl.col("sent_at_p").max().alias("last_p"),
        ).row(0)
    )
    whole = max(last, last_p) - min(first, first_p)
    return max(0, min(last, last_p) - max(first, first_p)) / whole if whole else 1.0


def _rate(steady: pl.DataFrame) -> float | None:
    """Requests a second in the middle stretch of a hundred; a pause of the replay is no rate."""
    at = np.sort(steady["sent_at"].to_numpy())
    step = min(_RATE_REQUESTS, len(at) - 1)
    if step < 1:
        return None
    took = float(np.median(at[step:] - at[:-step]))
    return step * 1e6 / took if took > 0 else None


def _outcomes(known: pl.DataFrame) -> dict[str, Any]:
    """The two-by-two table, and by how much repetition and bursts widen it.

    The design effect is the larger of two: differences summed by equal input against the same
    independent, and their long-run variance over the order of sending. Where nothing differs,
    requests of one input are taken to agree altogether.
    """
    rows = known.select(
        pl.col("failed"), pl.col("failed_p").fill_null(value=False), "input_key"
    ).with_columns(difference=pl.col("failed").cast(pl.Int64) - pl.col("failed_p").cast(pl.Int64))
    n = rows.height
    table = {
        "only_shadow": rows.filter(pl.col("difference") == 1).height,
        "only_production": rows.filter(pl.col("difference") == -1).height,
        "both": rows.filter(pl.col("failed") & pl.col("failed_p")).height,
    }
    differ = table["only_shadow"] + table["only_production"]
    if differ:
        return {"pairs": n, **table, "deff": _design_effect(rows)}
    sizes = rows.group_by("input_key").len()["len"].cast(pl.Int64)
    return {"pairs": n, **table, "deff": int((sizes * sizes).sum()) / n if n else 1.0}


def _design_effect(rows: pl.DataFrame) -> float:
    n = rows.height
    mean = int(rows["difference"].sum()) / n
    spread = float(int((rows["difference"] ** 2).sum()) - n * mean * mean)
    if spread <= 0:
        return BURSTS
    inputs = rows.group_by("input_key").agg(pl.col("difference").sum(), requests=pl.len())
    sums, sizes = (inputs[name].cast(pl.Int64) for name in ("difference", "requests"))
    squares, cross, weights = (
        int(part.sum()) for part in (sums * sums, sums * sizes, sizes * sizes)
    )
    clustered = (squares - 2 * mean * cross + mean * mean * weights) / spread
    in_time = long_run(rows["difference"].to_numpy().astype(np.float64), period_s=1).se
    return max(BURSTS, clustered, in_time**2 * n * n / spread)
