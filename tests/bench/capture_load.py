"""A seeded day of captures of any size, for benchmarks: two variants, their metrics, and the truth.

    python tests/bench/capture_load.py --pairs 1000000 --objects 400 --folder DIR

Payloads are CSV rows of 18 to 70 numbers, fresh for every request; one production request in a
hundred has no shadow record; every inference ID and event ID is a UUID; outputs are probabilities
of two models that differ a little. `captures/` and `metrics/` hold the day; `later/` holds the
hour after it, 4 % more objects in the same layout, for a run that finds something new. `load.json`
comes last and says what any correct reading counts.

Each share of the day has a random stream of its own, so the same seed gives the same bytes however
many processes write them; another version of numpy may draw others.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

# `python tests/bench/capture_load.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.load import (
    ENDPOINT,
    LABEL_AT,
    PRODUCTION,
    SEED,
    SHADOW,
    Load,
    Truth,
    asked,
    read,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import numpy.typing as npt

START = datetime(2026, 11, 2, tzinfo=UTC)
DAY_S = 86_400
_LATER_SHARE = 0.04
_UNCOPIED_EVERY = 100
_BLOCK = 10_000
_FEATURES = (18, 71)
_DISTINCT_NUMBERS = 4_096
_METRICS = (
    ("Invocations", "Sum", (60,)),
    ("Invocation4XXErrors", "Sum", (60,)),
    ("Invocation5XXErrors", "Sum", (60,)),
    ("InvocationModelErrors", "Sum", (60,)),
    ("InvocationsPerInstance", "Sum", (60,)),
    ("ModelLatency", "SampleCount", (60, 300, 3_600, 21_600)),
    ("ModelLatency", "Average", (60,)),
    ("ModelLatency", "p50", (60,)),
    ("ModelLatency", "p95", (60, 300, 3_600, 21_600)),
    ("ModelLatency", "p99", (60, 300, 3_600, 21_600)),
)
_TYPICAL_US = {"Average": 20_000, "p50": 18_000, "p95": 30_000, "p99": 40_000}


@dataclass(frozen=True)
class Plan:
    """Which request falls into which share of the day; shares go on after the day's end."""

    root: Path
    pairs: int
    objects: int
    seed: int

    @property
    def shares(self) -> int:
        """Shares of the day: each gives one object of either variant."""
        return self.objects // 2

    @property
    def later_shares(self) -> int:
        """Shares of the hour after it."""
        return max(round(_LATER_SHARE * self.shares), 1)

    @property
    def requests(self) -> int:
        """Production's requests of the day."""
        return self.pairs + self.pairs // (_UNCOPIED_EVERY - 1)

    def requests_before(self, numerator: int, denominator: int) -> int:
        """How many requests came in that fraction of a day, at an even rate."""
        return -(-numerator * self.requests // denominator)


def write(
    folder: Path, pairs: int, objects: int, *, seed: int = SEED, processes: int | None = None
) -> Load:
    """Write captures of `pairs` pairs in `objects` objects, half of them of each variant.

    A load that is already there is taken as it is; one that was cut off is begun again.

    Raises:
        ValueError: the folder holds something else, or the numbers make no load.
    """
    found = read(folder, pairs, objects, seed)
    if found is not None:
        return found
    if pairs < 1 or objects < 2 or objects % 2:
        raise ValueError("a load has a pair or more, and an even number of objects")
    fresh = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(fresh, ignore_errors=True)
    plan = Plan(fresh, pairs, objects, seed)
    truths = _write_shares(plan, processes or len(os.sched_getaffinity(0)))
    day = Truth.total(truths[: plan.shares])
    grown = Truth.total(truths)
    _write_metrics(plan)
    body = {"asked": asked(pairs, objects, seed), "day": asdict(day), "grown": asdict(grown)}
    (fresh / "load.json").write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
    fresh.rename(folder)
    return Load(folder, day, grown)


def _write_shares(plan: Plan, processes: int) -> list[Truth]:
    every = range(plan.shares + plan.later_shares)
    write_share = partial(_write_share, plan)
    if processes == 1:
        return [write_share(number) for number in every]
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=spawned) as pool:
        return list(pool.map(write_share, every, chunksize=4))


def _write_share(plan: Plan, number: int) -> Truth:
    """One object of either variant; none where no request came."""
    import numpy as np

    first = plan.requests_before(number, plan.shares)
    last = plan.requests_before(number + 1, plan.shares)
    rng = np.random.default_rng([plan.seed, 1, number])
    production, shadow = (_object_path(plan, variant, number) for variant in (PRODUCTION, SHADOW))
    truths = []
    with production.open("wb") as ours, shadow.open("wb") as theirs:
        for begin in range(first, last, _BLOCK):
            requests = range(begin, min(begin + _BLOCK, last))
            served, copied = _drawn(rng, plan, requests)
            size = ours.write(served.encoded()) + theirs.write(copied.encoded())
            truths.append(_truth(requests, served, copied, size))
    landed = (START + timedelta(seconds=(number + 1) * DAY_S / plan.shares + 60)).timestamp()
    for path in (production, shadow):
        os.utime(path, (landed, landed))  # a file of this minute might still grow
        if not path.stat().st_size:
            path.unlink()
    written = sum(path.exists() for path in (production, shadow))
    return Truth.total([*truths, Truth(objects=written)])


def _object_path(plan: Plan, variant: str, number: int) -> Path:
    """As SageMaker names an object: the hour's folder, then minute, second and an ID."""
    at = START + timedelta(seconds=number * DAY_S / plan.shares)
    day = plan.root if number < plan.shares else plan.root / "later"
    folder = day / "captures" / ENDPOINT / variant / at.strftime("%Y/%m/%d/%H")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{at:%M-%S}-{at.microsecond // 1000:03}-{number:032x}.jsonl"


@dataclass(frozen=True)
class _Block:
    """Requests that follow each other, and one variant's answers to them; columns are parallel."""

    payloads: list[str]
    scores: list[float]
    event_ids: list[str]
    inference_ids: list[str]
    clocks: list[str]

    def only(self, kept: Sequence[bool]) -> _Block:
        """The requests for which `kept` is true."""
        return _Block(
            payloads=list(compress(self.payloads, kept)),
            scores=list(compress(self.scores, kept)),
            event_ids=list(compress(self.event_ids, kept)),
            inference_ids=list(compress(self.inference_ids, kept)),
            clocks=list(compress(self.clocks, kept)),
        )

    def encoded(self) -> bytes:
        """A capture record a line."""
        columns = (self.payloads, self.scores, self.event_ids, self.inference_ids, self.clocks)
        return "".join(
            '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT",'
            f'"data":"{payload}","encoding":"CSV"}},"endpointOutput":{{"observedContentType":'
            f'"text/csv; charset=utf-8","mode":"OUTPUT","data":"{score!r}\\n","encoding":"CSV"}}}},'
            f'"eventMetadata":{{"eventId":"{event_id}","inferenceId":"{inference_id}",'
            f'"inferenceTime":"{clock}"}},"eventVersion":"0"}}\n'
            for payload, score, event_id, inference_id, clock in zip(*columns, strict=True)
        ).encode()


def _drawn(rng: np.random.Generator, plan: Plan, requests: range) -> tuple[_Block, _Block]:
    """What production answered to these requests, and the shadow to those that were copied."""
    import numpy as np

    count = len(requests)
    scores = rng.beta(0.6, 2.4, count)
    others = np.clip(scores + rng.normal(0, 0.004, count), 0.0, 1.0)
    ids = _uuids(rng, 3 * count)
    production = _Block(
        payloads=_payloads(rng, count),
        scores=scores.tolist(),
        event_ids=ids[:count],
        inference_ids=ids[count : 2 * count],
        clocks=[_clock(number * DAY_S // plan.requests) for number in requests],
    )
    shadow = replace(production, scores=others.tolist(), event_ids=ids[2 * count :])
    return production, shadow.only([_is_copied(number) for number in requests])


def _truth(requests: range, production: _Block, shadow: _Block, size: int) -> Truth:
    copied = production.only([_is_copied(number) for number in requests])
    pairs = list(zip(copied.scores, shadow.scores, strict=True))
    return Truth(
        lines=len(production.scores) + len(pairs),
        size=size,
        pairs=len(pairs),
        flips=sum((ours >= LABEL_AT) != (theirs >= LABEL_AT) for ours, theirs in pairs),
        absolute_difference=math.fsum(abs(theirs - ours) for ours, theirs in pairs),
    )


def _is_copied(request: int) -> bool:
    return request % _UNCOPIED_EVERY != _UNCOPIED_EVERY - 1


def _payloads(rng: np.random.Generator, count: int) -> list[str]:
    """CSV rows of normal numbers with two decimals, drawn from a few thousand values."""
    widths = rng.integers(*_FEATURES, count).tolist()
    texts = _number_texts()[rng.integers(0, _DISTINCT_NUMBERS, sum(widths))].tolist()
    rows = []
    end = 0
    for width in widths:
        rows.append(",".join(texts[end : end + width]))
        end += width
    return rows


@lru_cache(maxsize=1)
def _number_texts() -> npt.NDArray[np.object_]:
    import numpy as np

    drawn = np.random.default_rng(0).normal(0, 10, _DISTINCT_NUMBERS).tolist()
    return np.array([f"{value:.2f}" for value in drawn], dtype=object)


def _uuids(rng: np.random.Generator, count: int) -> list[str]:
    """Random UUIDs; their digits are placed as one array, not one by one."""
    import numpy as np

    digits = np.frombuffer(rng.bytes(16 * count).hex().encode(), np.uint8).reshape(count, 32)
    texts = np.full((count, 36), ord("-"), np.uint8)
    for at, first, last in ((0, 0, 8), (9, 8, 12), (14, 12, 16), (19, 16, 20), (24, 20, 32)):
        texts[:, at : at + last - first] = digits[:, first:last]
    texts[:, 14] = ord("4")
    texts[:, 19] = np.frombuffer(b"89ab", np.uint8)[digits[:, 16] % 4]
    joined = texts.tobytes().decode()
    return [joined[at : at + 36] for at in range(0, len(joined), 36)]


@lru_cache(maxsize=1024)
def _clock(second: int) -> str:
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_metrics(plan: Plan) -> None:
    """What CloudWatch says of the day, and of the whole periods of the later shares."""
    import numpy as np

    rng = np.random.default_rng([plan.seed, 0])
    end_s = (plan.shares + plan.later_shares) * DAY_S // plan.shares
    for root, first_s, last_s in ((plan.root, 0, DAY_S), (plan.root / "later", DAY_S, end_s)):
        folder = root / "metrics"
        folder.mkdir(parents=True)
        with (folder / "points.jsonl").open("w", encoding="utf-8") as file:
            for point in _points(rng, plan, first_s, last_s):
                file.write(json.dumps(point) + "\n")


def _points(
    rng: np.random.Generator, plan: Plan, first_s: int, last_s: int
) -> Iterator[dict[str, object]]:
    for name, stat, periods in _METRICS:
        for period_s in periods:
            for at_s in range(first_s, last_s - period_s + 1, period_s):
                first, last = (
                    plan.requests_before(second, DAY_S) for second in (at_s, at_s + period_s)
                )
                copies = last - first - (last // _UNCOPIED_EVERY - first // _UNCOPIED_EVERY)
                for variant, served in ((PRODUCTION, last - first), (SHADOW, copies)):
                    value = 0.0 if "Error" in name else float(served)
                    if stat in _TYPICAL_US:
                        value = round(_TYPICAL_US[stat] * rng.uniform(0.98, 1.02), 3)
                    yield {
                        "namespace": "AWS/SageMaker",
                        "metric_name": name,
                        "dimensions": {"EndpointName": ENDPOINT, "VariantName": variant},
                        "period": period_s,
                        "stat": stat,
                        "timestamp": _clock(at_s),
                        "value": value,
                        "unit": "Microseconds" if stat in _TYPICAL_US else "None",
                    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write a seeded load of captures.")
    parser.add_argument("--pairs", type=int, required=True)
    parser.add_argument("--objects", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, help="default: one a core")
    given = parser.parse_args(arguments)
    began = time.perf_counter()
    load = write(
        given.folder, given.pairs, given.objects, seed=given.seed, processes=given.processes
    )
    seconds = time.perf_counter() - began
    sys.stdout.write(f"{load.day} and later {load.grown.objects - load.day.objects} objects\n")
    sys.stdout.write(f"{load.grown.size / 1e9:.2f} GB in {seconds:.1f} s\n")


if __name__ == "__main__":
    main()
