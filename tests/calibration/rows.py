"""The rows of the calibration table: which worlds, looked at how, judged by what.

Every row has three truths: no harm, harm exactly at the margin, and twice that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from tests.calibration import noise
from tests.calibration.judging import FIVE_XX, FLIPS, Settled, settle
from tests.calibration.seen import Seen, policy_of
from tests.calibration.worlds import Setting, Truth, draw

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUTHS = ("no harm", "at the margin", "twice the margin")
SLOWER = tuple(Truth(slower=ratio) for ratio in (1.0, 1.1, 1.2))
"""Against the default margin of mean latency: +10 %."""
P99 = tuple(Truth(slower=ratio) for ratio in (1.0, 1.2, 1.4))
"""Against the default margin of p99: +20 %."""
SLOW_REQUESTS = tuple(Truth(tail=factor) for factor in (1.0, 1.25, 1.471))
"""Slow requests so much slower that p99 is 20 and 40 % up, and the mean hardly."""
FAILING = tuple(Truth(errors=(0.001, share)) for share in (0.001, 0.002, 0.003))
"""Against the default margin of 5XX errors: +0.1 pp."""
FLIPPING = tuple(Truth(flips=share) for share in (0.0, 0.05, 0.1))
"""Against the default margin of flips under a model change: 5 %."""
MEAN, TAIL = "latency_mean", "latency_p99"
PLANNED: dict[str, object] = {"inference": "planned", "horizon": "7d"}
ONLY_LOOK: dict[str, object] = {"inference": "fixed", "final": True}


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        setting: the worlds but for their truth.
        truths: one for each of `TRUTHS`.
        metric: whose outcome is shown; None for the whole decision.
        once: one look, after the last day, instead of hourly ones.
        policy: what the policy says beside its defaults.
    """

    name: str
    truths: tuple[Truth, ...]
    setting: Setting = field(default_factory=Setting)
    metric: str | None = None
    once: bool = False
    policy: dict[str, object] = field(default_factory=dict)

    @property
    def hours(self) -> range:
        """The looks."""
        last = 24 * self.setting.days
        return range(last, last + 1) if self.once else range(1, last + 1)

    def settled(self, truth: int, worlds: int, seed: int) -> Iterator[Settled]:
        """What became of that many worlds of one truth; more worlds begin with the same ones."""
        return (self.world(truth, number, seed) for number in range(worlds))

    def world(self, truth: int, number: int, seed: int) -> Settled:
        """What became of one world."""
        setting = replace(self.setting, truth=self.truths[truth])
        sampling = {
            "shadow_percentage": 100 * setting.sampling,
            "production_capture_percentage": 10,
            "shadow_capture_percentage": 10,
        }
        policy = policy_of({"sampling": sampling, **self.policy})
        rng = np.random.default_rng([seed, crc32(self.name.encode()), truth, number])
        return settle(Seen(draw(setting, rng), policy), self.hours, self.metric)


def _alone(name: str, setting: Setting | None = None, shape: str = "constant") -> Row:
    truths = tuple(replace(truth, shape=shape) for truth in SLOWER)  # type: ignore[arg-type]
    return Row(name, truths, setting or Setting(), MEAN)


_REQUESTS = Setting(requests=True)

WHOLE = (
    Row("every request slower", SLOWER, _REQUESTS),
    Row("every request slower, 50 % copied", SLOWER, replace(_REQUESTS, sampling=0.5)),
    Row("every request slower, 10 % copied", SLOWER, replace(_REQUESTS, sampling=0.1)),
    Row("slow requests slower (p99)", SLOW_REQUESTS, _REQUESTS),
    Row("slower, long memory", SLOWER, Setting(noise.long_memory)),
    Row("slower, drifting effect", tuple(replace(one, shape="drift") for one in SLOWER)),
    Row("more 5XX errors", FAILING),
    Row(
        "more 5XX errors, in bursts", tuple(replace(one, error_bursts="bursty") for one in FAILING)
    ),
    Row("more flips", FLIPPING),
)
MEANS = (
    _alone("independent minutes", Setting(noise.iid)),
    _alone("AR(1) 0.5", Setting(noise.ar5)),
    _alone("AR(1) 0.8"),
    _alone("AR(1) 0.95", Setting(noise.ar95)),
    _alone("AR(2)", Setting(noise.ar2)),
    _alone("ARMA(1,1)", Setting(noise.arma)),
    _alone("incidents", Setting(noise.incidents)),
    _alone("long memory", Setting(noise.long_memory)),
    _alone("autoscaling steps", Setting(noise.scaling)),
    _alone("effect varies by hour", shape="hourly"),
    _alone("effect drifts over the week", shape="drift"),
    _alone("effect swings over the week", shape="weekly"),
    _alone("effect comes with the weekend", shape="weekend"),
    _alone("AR(1) 0.8, 50 % copied", Setting(sampling=0.5)),
    _alone("AR(1) 0.8, 10 % copied", Setting(sampling=0.1)),
)
MODES = (
    replace(_alone("anytime, one look"), once=True),
    replace(_alone("planned for 7 days, hourly looks"), policy=PLANNED),
    replace(_alone("fixed, one look"), once=True, policy=ONLY_LOOK),
    replace(
        _alone("fixed, one look, AR(1) 0.95", Setting(noise.ar95)), once=True, policy=ONLY_LOOK
    ),
)
TAILS = tuple(
    Row(f"p99, {100 * share:g} % copied", P99, replace(_REQUESTS, sampling=share), TAIL)
    for share in (1.0, 0.5, 0.1)
)
_BURSTS = tuple(replace(one, error_bursts="bursty") for one in FAILING)
ERRORS = (
    Row("errors alone", FAILING, metric=FIVE_XX),
    Row("errors in bursts", _BURSTS, metric=FIVE_XX),
    Row("errors alone, one look", FAILING, metric=FIVE_XX, once=True),
    Row("errors in bursts, one look", _BURSTS, metric=FIVE_XX, once=True),
)
SHARES = (
    Row("flips", FLIPPING, metric=FLIPS),
    Row("flips, one look", FLIPPING, metric=FLIPS, once=True),
    Row(
        "flips, every input five times",
        tuple(replace(t, repeats=5) for t in FLIPPING),
        metric=FLIPS,
    ),
    Row(
        "flips in bad hours",
        tuple(replace(t, flip_bursts="bursty") for t in FLIPPING),
        metric=FLIPS,
    ),
)
SECTIONS = {
    "Whole decisions: PROMOTE / HOLD / REJECT": WHOLE,
    "Mean latency alone: passes / unresolved / fails": MEANS,
    "Mean latency alone, other ways of looking, AR(1) 0.8": MODES,
    "p99 latency alone": TAILS,
    "5XX error share alone": ERRORS,
    "Flips alone": SHARES,
}
ROWS = tuple(row for rows in SECTIONS.values() for row in rows)
