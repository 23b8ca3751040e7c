"""Shadow tests that must not be promoted, whatever their numbers say: made by the thousand.

Every bucket begins as a test that is promoted, under the laxest policy that still asks for a day,
and is then spoiled in one way or in two, with parameters drawn at random. `KINDS` says which codes
name what was done; a verdict must carry one of them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from analyzer import analysis
from analyzer.errors import AnalyzerError
from analyzer.model import Decision
from tests.calibration import noise
from tests.calibration.exported import (
    ENDPOINT,
    VARIANTS,
    Series,
    records,
    series_of,
    stamp,
    write_hour,
    write_series,
)
from tests.calibration.worlds import Setting, Truth, draw
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.calibration.noise import FloatArray

_POLICY = "min_days = 1\n"
_BASES = examples(1, whole=4)
_CAPTURED = 0.07
_DAY_S = 86_400
_LATENCY = frozenset({"ModelLatency"})
_ALL = frozenset({"production", "shadow"})


@dataclass
class Bucket:
    """A shadow test about to be written down; edit it.

    Attributes:
        lines: role -> the capture lines of every hour; pairs at the same place.
        same_folder: both roles read production's captures.
        swapped: the command line names the variants the wrong way round.
    """

    lines: dict[str, list[list[str]]]
    series: list[Series]
    endpoint: dict[str, object] | None = None
    same_folder: bool = False
    swapped: bool = False

    def request(self, folder: Path, kept: Path | None = None) -> analysis.Request:
        """Write everything and say how it is run.

        Args:
            folder: for exports and policy.
            kept: for captures that other buckets have too, of which a run finds what the last one
                read; None to write and read them alone.
        """
        captures = kept or folder / "captures"
        if not captures.exists():
            for role, variant in VARIANTS.items():
                for hour, lines in enumerate(self.lines[role]):
                    body = "".join(lines).encode("utf-8", "surrogateescape")
                    write_hour(captures, variant, hour, body)
            for path in captures.rglob("*.jsonl*"):
                os.utime(path, (1_700_000_000, 1_700_000_000))  # settled, or nothing is kept
        write_series(folder / "cloudwatch", self.series)
        if self.endpoint is not None:
            (folder / "cloudwatch" / "endpoint.json").write_text(json.dumps(self.endpoint))
        policy = folder / "policy.toml"
        policy.write_text(_POLICY)
        request = analysis.Request(
            cloudwatch=(str(folder / "cloudwatch"),),
            policy_file=policy,
            use_cache=kept is not None,
        )
        if self.same_folder:
            one = str(captures / ENDPOINT / VARIANTS["production"])
            return replace(request, production=one, shadow=one)
        names = list(VARIANTS.values())[:: -1 if self.swapped else 1]
        return replace(request, source=str(captures), production=names[0], shadow=names[1])

    def change(
        self,
        how: Callable[[FloatArray], FloatArray],
        roles: frozenset[str] = _ALL,
        metrics: frozenset[str] | None = None,
    ) -> None:
        """Change the values of some series; nan takes a point away."""
        self.series = [
            replace(one, values=how(one.values))
            if one.role in roles and (metrics is None or one.metric in metrics)
            else one
            for one in self.series
        ]

    def drop(self, metric: str, stat: str | None = None, roles: frozenset[str] = _ALL) -> None:
        """Leave series out."""
        self.series = [
            one
            for one in self.series
            if one.role not in roles or one.metric != metric or stat not in {None, one.stat}
        ]


@dataclass(frozen=True)
class Kind:
    """One way to spoil a test, and the codes of which one must be named."""

    spoil: Callable[[np.random.Generator, Bucket], None]
    codes: frozenset[str]


@dataclass(frozen=True)
class Found:
    """What a run came to."""

    decision: str
    codes: frozenset[str]
    text: str


@dataclass(frozen=True)
class Degenerate:
    """One spoiled test, made from its number alone."""

    number: int
    kinds: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, number: int) -> Degenerate:
        """Every kind in turn; every third bucket is spoiled in a second way as well."""
        names = list(KINDS)
        rng = np.random.default_rng([97, number])
        first = names[number % len(names)]
        second = names[int(rng.integers(len(names)))]
        return cls(number, (first, second) if number % 3 == 2 and second != first else (first,))

    @property
    def codes(self) -> frozenset[str]:
        """What may be named: any of what was done."""
        return frozenset().union(*(KINDS[kind].codes for kind in self.kinds))

    def judged(self, folder: Path, kept: Path | None = None) -> Found:
        """Write it, run it; captures that are as they were before lie in `kept` for all."""
        rng = np.random.default_rng([98, self.number])
        base, sampling = self.number % _BASES, 0.8 if "swapped" in self.kinds else 1.0
        bucket = promising(base, sampling=sampling)
        for kind in self.kinds:
            KINDS[kind].spoil(rng, bucket)
        whole = bucket.lines == _promising(base, sampling)[0] and not bucket.same_folder
        shared = kept / f"{base}-{sampling}" if kept is not None and whole else None
        return judged(bucket.request(folder, shared))


def judged(request: analysis.Request) -> Found:
    """A run's decision and the codes of its reasons, or of the error that ended it.

    Points that were left out count as named by the reason they are counted under.
    """
    try:
        verdict = analysis.run(request, lambda *_, **__: None).verdict
    except AnalyzerError as error:
        return Found(Decision.ERROR.value, frozenset({error.code}), str(error))
    reasons = (reason.code for reason in verdict.reasons)
    dropped = (f"dropped-{reason}" for reason in verdict.inputs.metric_points_dropped)
    return Found(verdict.decision.value, frozenset((*reasons, *dropped)), verdict.summary)


def promising(number: int, *, sampling: float = 1.0) -> Bucket:
    """A day of equal variants that is promoted as it is."""
    lines, series = _promising(number, sampling)
    return Bucket(
        {role: [list(hour) for hour in hours] for role, hours in lines.items()}, [*series]
    )


@cache
def _promising(number: int, sampling: float) -> tuple[dict[str, list[list[str]]], list[Series]]:
    truth = Truth(errors=(0.0, 0.0), flips=0.01)
    setting = Setting(noise.iid, sampling=sampling, days=1, captured=_CAPTURED, truth=truth)
    rng = np.random.default_rng([96, number])
    world = draw(setting, rng)
    sent = (world.pairs / sampling).astype(np.int64)  # records of production, copied or not
    bucket = Bucket(records(sent, world.flips, repeats=1), list(series_of(world)))
    copied = rng.random(sent.sum()) < sampling
    _keep(bucket, "shadow", lambda index: bool(copied[index]))
    return bucket.lines, bucket.series


def _some(rng: np.random.Generator) -> frozenset[str]:
    """One variant, the other, or both."""
    chosen = [frozenset({"production"}), frozenset({"shadow"}), _ALL]
    return chosen[int(rng.integers(3))]


def _keep(bucket: Bucket, role: str, keep: Callable[[int], bool]) -> None:
    """Only those records of a variant; counted over the whole test."""
    seen = -1
    for hour, lines in enumerate(bucket.lines[role]):
        kept = []
        for text in lines:
            seen += 1
            if keep(seen):
                kept.append(text)
        bucket.lines[role][hour] = kept


def _empty(rng: np.random.Generator, bucket: Bucket) -> None:
    blank = "\n" * int(rng.integers(3))
    for role in _some(rng):
        bucket.lines[role] = [[blank] for _ in bucket.lines[role]]


def _one_sided(rng: np.random.Generator, bucket: Bucket) -> None:
    role = sorted(_ALL)[int(rng.integers(2))]
    bucket.lines[role] = []


def _thin(rng: np.random.Generator, bucket: Bucket) -> None:
    share = rng.uniform(0.01, 0.4)
    draws = rng.random(20_000)
    _keep(bucket, "shadow", lambda index: bool(draws[index] < share) or index == 0)


def _strangers(rng: np.random.Generator, bucket: Bucket) -> None:
    """The shadow's records are of other requests."""
    shift = f"{rng.integers(1, 99)}-"
    bucket.lines["shadow"] = [
        [
            text.replace('"inferenceId":"', f'"inferenceId":"{shift}').replace(
                '"data":"', f'"data":"{shift}', 1
            )
            for text in lines
        ]
        for lines in bucket.lines["shadow"]
    ]


def _swapped(_: np.random.Generator, bucket: Bucket) -> None:
    bucket.swapped = True


def _same_objects(_: np.random.Generator, bucket: Bucket) -> None:
    bucket.same_folder = True


def _same_answers(_: np.random.Generator, bucket: Bucket) -> None:
    """The shadow's container serves production's model."""
    bucket.lines["shadow"] = [list(lines) for lines in bucket.lines["production"]]


def _same_series(_: np.random.Generator, bucket: Bucket) -> None:
    of = [one for one in bucket.series if one.role == "production"]
    bucket.series = [*of, *(replace(one, role="shadow") for one in of)]


def _tiny(rng: np.random.Generator, bucket: Bucket) -> None:
    every = int(rng.integers(4, 300))
    for role in VARIANTS:
        _keep(bucket, role, lambda index: index % every == 0)


def _short(rng: np.random.Generator, bucket: Bucket) -> None:
    """The whole test lasted for some hours."""
    hours = int(rng.integers(1, 22))
    for role in VARIANTS:
        bucket.lines[role] = bucket.lines[role][:hours]
    bucket.series = [
        replace(one, values=one.values[: 3600 * hours // one.period_s]) for one in bucket.series
    ]


def _one_payload(rng: np.random.Generator, bucket: Bucket) -> None:
    different = int(rng.integers(1, 90))
    for hours in bucket.lines.values():
        for lines in hours:
            for index, text in enumerate(lines):
                if '"data":"' not in text:
                    continue  # emptied by another kind
                before, payload = text.split('"data":"', 1)
                lines[index] = f'{before}"data":"{index % different}"{payload.split(chr(34), 1)[1]}'


_GARBAGE: tuple[Callable[[str], str], ...] = (
    lambda text: text[: len(text) // 2] + "\n",
    lambda _: '{"captureData": {}}\n',
    lambda _: "null\n",
    lambda _: "Traceback (most recent call last):\n",
    lambda _: "\udcff\udcfe\x00\n",
    lambda text: text.replace("captureData", "capture_data"),
    lambda text: text.replace("inferenceTime", "inference_time"),
)


def _malformed(rng: np.random.Generator, bucket: Bucket) -> None:
    share = float(rng.choice([0.005, 0.1, 0.5, 0.99]))
    spoiled = _GARBAGE[int(rng.integers(len(_GARBAGE)))]
    for role in _some(rng):
        for lines in bucket.lines[role]:
            for index, text in enumerate(lines):
                if rng.random() < share:
                    lines[index] = spoiled(text)


def _no_exports(_: np.random.Generator, bucket: Bucket) -> None:
    bucket.series = [one for one in bucket.series if one.metric == "Invocations"]


_NEEDED = {
    ("ModelLatency", "Average"): {"latency-mean-unresolved"},
    ("ModelLatency", "p99"): {"latency-p99-unresolved"},
    ("Invocations", None): {"error-5xx-rate-unresolved", "error-4xx-rate-unresolved"},
    ("InvocationsPerInstance", None): {"gate-load-match"},
    ("Invocation5XXErrors", None): {"error-5xx-rate-unresolved"},
    ("Invocation4XXErrors", None): {"error-4xx-rate-unresolved"},
}


def _missing(metric: str, stat: str | None) -> Callable[[np.random.Generator, Bucket], None]:
    return lambda rng, bucket: bucket.drop(metric, stat, _some(rng))


def _half_in_time(rng: np.random.Generator, bucket: Bucket) -> None:
    """The export ends early, or begins late, for either variant or both."""
    share, late = rng.uniform(0.1, 0.9), rng.random() < 0.5

    def cut(values: FloatArray) -> FloatArray:
        at = np.arange(values.size) / values.size
        return np.where(at < share if late else at >= share, np.nan, values)

    bucket.change(cut, _some(rng))


def _holes(rng: np.random.Generator, bucket: Bucket) -> None:
    """Minutes, or stretches of them, are missing for either variant or both."""
    share, block = rng.uniform(0.1, 0.9), int(rng.choice([1, 10, 120]))
    gone = np.repeat(rng.random(1 + 1440 // block) < share, block)[:1440]
    bucket.series = [
        replace(one, values=np.where(gone, np.nan, one.values))
        if one.period_s == 60 and one.role in _ALL
        else one
        for one in bucket.series
    ]


def _other_endpoint(rng: np.random.Generator, bucket: Bucket) -> None:
    roles = _some(rng)
    bucket.series = [
        replace(one, endpoint="another-endpoint") if one.role in roles else one
        for one in bucket.series
    ]


def _other_scale(rng: np.random.Generator, bucket: Bucket) -> None:
    """One variant's times are milliseconds, or seconds, called microseconds."""
    role = frozenset({sorted(_ALL)[int(rng.integers(2))]})
    scale = float(rng.choice([1e-3, 1e-6]))
    counts = {"SampleCount"}
    bucket.series = [
        replace(one, values=one.values * scale)
        if one.metric == "ModelLatency" and one.stat not in counts and one.role in role
        else one
        for one in bucket.series
    ]


def _slower_in_another_unit(rng: np.random.Generator, bucket: Bucket) -> None:
    """All times are milliseconds called microseconds, or the reverse, and the shadow is slower."""
    unit = float(rng.choice([1e-3, 1e3]))
    scale = {"production": unit, "shadow": unit * rng.uniform(1.35, 1.5)}
    bucket.series = [
        replace(one, values=one.values * scale[one.role]) if one.timed else one
        for one in bucket.series
    ]


def _tail_in_milliseconds(_: np.random.Generator, bucket: Bucket) -> None:
    """One percentile of both variants is milliseconds called microseconds."""
    bucket.series = [
        replace(one, values=one.values * 1e-3) if one.timed and one.stat == "p99" else one
        for one in bucket.series
    ]


def _other_unit(rng: np.random.Generator, bucket: Bucket) -> None:
    metric = str(rng.choice(["ModelLatency", "Invocations", "Invocation5XXErrors"]))
    unit = str(rng.choice(["Percent", "Bytes", "Count/Second"]))
    bucket.series = [
        replace(one, unit=unit) if one.metric == metric and one.stat != "SampleCount" else one
        for one in bucket.series
    ]


def _dead_shadow(rng: np.random.Generator, bucket: Bucket) -> None:
    """From some hour on the shadow answers nothing, and so captures nothing."""
    hours = int(rng.integers(1, 22))
    bucket.lines["shadow"] = bucket.lines["shadow"][:hours]
    bucket.change(
        lambda values: np.where(np.arange(values.size) < values.size * hours / 24, values, np.nan),
        frozenset({"shadow"}),
    )


def _absent_now_and_then(rng: np.random.Generator, bucket: Bucket) -> None:
    """The shadow answers in some hours only."""
    gone = rng.random(24) < rng.uniform(0.15, 0.8)
    gone[[0, 23, 12]] = [False, False, True]
    for hour in np.flatnonzero(gone):
        bucket.lines["shadow"][hour] = []

    def cut(values: FloatArray) -> FloatArray:
        hour = np.arange(values.size) * 24 // values.size
        return np.where(gone[hour], np.nan, values)

    bucket.change(cut, frozenset({"shadow"}))


def _failing_shadow(rng: np.random.Generator, bucket: Bucket) -> None:
    """The shadow takes every request and fails some; failed requests leave no record."""
    share = float(rng.choice([0.02, 0.3, 1.0]))
    sent = next(o.values for o in bucket.series if (o.role, o.metric) == ("shadow", "Invocations"))
    failed = frozenset({"Invocation5XXErrors", "InvocationModelErrors"})
    errors = rng.binomial(np.nan_to_num(sent).astype(np.int64), share).astype(np.float64)
    bucket.change(lambda _: np.where(np.isnan(sent), np.nan, errors), frozenset({"shadow"}), failed)
    draws = rng.random(20_000)
    _keep(bucket, "shadow", lambda index: bool(draws[index] >= share) or index == 0)


def _deployed(rng: np.random.Generator, bucket: Bucket) -> None:
    """The endpoint was updated while it was watched."""
    at = stamp(int(rng.integers(600, _DAY_S - 600)))
    bucket.endpoint = {"DescribeEndpoint": {"EndpointName": ENDPOINT, "LastModifiedTime": at}}


def _slower(rng: np.random.Generator, bucket: Bucket) -> None:
    """Not degenerate but bad: whatever else is done to it must not hide it."""
    factor = rng.uniform(1.35, 4)
    timed = [one.timed for one in bucket.series]
    bucket.series = [
        replace(one, values=one.values * factor) if is_time and one.role == "shadow" else one
        for one, is_time in zip(bucket.series, timed, strict=True)
    ]


def _other_form(rng: np.random.Generator, bucket: Bucket) -> None:
    """Some of the shadow's answers are of another form."""
    share = float(rng.choice([0.02, 0.5, 1.0]))
    form = str(rng.choice(["nan", "error: model not ready", "[0.1, 0.9]", ""]))
    for lines in bucket.lines["shadow"]:
        for index, text in enumerate(lines):
            if rng.random() < share and '"data":"' in text:
                before, after = text.rsplit('"data":"', 1)
                lines[index] = f'{before}"data":"{form}"{after.split(chr(34), 1)[1]}'


def _kind(spoil: Callable[[np.random.Generator, Bucket], None], *codes: str) -> Kind:
    return Kind(spoil, frozenset(codes))


_COVER = ("gate-coverage", "gate-window-match", "gate-min-days")
_NO_METRICS = ("latency-mean-unresolved", "latency-p99-unresolved", "error-5xx-rate-unresolved")
KINDS: dict[str, Kind] = {
    "empty": _kind(_empty, "no-usable-records", "usage-error", "input-error"),
    "one-sided": _kind(_one_sided, "no-usable-records", "usage-error"),
    "thin": _kind(_thin, "gate-pairing"),
    "other requests": _kind(_strangers, "gate-pairing"),
    "swapped": _kind(_swapped, "gate-roles"),
    "same objects": _kind(_same_objects, "gate-roles"),
    "same answers": _kind(_same_answers, "gate-roles"),
    "same series": _kind(_same_series, "gate-roles"),
    "tiny": _kind(_tiny, "gate-pairing"),
    "short": _kind(_short, "gate-min-days"),
    "one payload": _kind(_one_payload, "gate-distinct-inputs"),
    "malformed": _kind(_malformed, "gate-objects", "no-usable-records"),
    "no exports": _kind(_no_exports, *_NO_METRICS),
    **{
        f"no {metric} {stat or ''}".rstrip(): _kind(_missing(metric, stat), *codes)
        for (metric, stat), codes in _NEEDED.items()
    },
    # of a short test the other half may be all there was
    "half in time": _kind(_half_in_time, *_COVER, "no-usable-points"),
    "holes": _kind(_holes, *_COVER),
    "other endpoint": _kind(
        _other_endpoint, "dropped-other-endpoint", "ambiguous-metrics", "no-usable-points"
    ),
    "other scale": _kind(_other_scale, "implausible-unit"),
    "slower, in another unit": _kind(_slower_in_another_unit, "latency-mean-regression"),
    "tail in milliseconds": _kind(_tail_in_milliseconds, "implausible-unit"),
    "other unit": _kind(_other_unit, "implausible-unit"),
    "dead shadow": _kind(_dead_shadow, *_COVER),
    "absent shadow": _kind(_absent_now_and_then, *_COVER),
    # one that fails everything has one capture, which draws a window of a minute
    "failing shadow": _kind(_failing_shadow, "error-5xx-rate-regression", "gate-window-match"),
    "deployed": _kind(_deployed, "gate-deployment"),
    "slower": _kind(_slower, "latency-mean-regression"),
    "other form": _kind(_other_form, "contract-change-regression", "gate-prediction-evidence"),
}
