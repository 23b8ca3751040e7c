"""At which looks can a world be decided at all? An hour that cannot is not worth judging.

An interval holds its estimate, and no interval of this tool is narrower than independent points
would make it: the persistence guard sees to that (`stats.ewc`). So harm can only be found where the
estimate lies beyond the margin by so much, and its absence where it lies below it by so much. Both
follow for all looks at once from running sums. `test_no_look_that_decides_is_passed_over` holds
this against judging every look.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analyzer.metrics.percentiles import LEAST_REQUESTS
from tests.calibration.worlds import DAY, HOUR

if TYPE_CHECKING:
    from analyzer.policy import Policy
    from tests.calibration.noise import FloatArray
    from tests.calibration.worlds import World

BoolArray = npt.NDArray[np.bool_]
_LEAST_STEP = {"anytime": 2.7, "planned": 1.9, "fixed": 1.6}
"""Standard errors an interval steps at the least, by the way of looking."""
_NEAR = 1e-6
_DAY_HOURS = DAY // HOUR


@dataclass(frozen=True)
class Open:
    """Shapes: one value for the look after each hour."""

    may_fail: BoolArray
    may_pass: BoolArray

    def joined(self, other: Open, *, required: bool, rejects: bool) -> Open:
        """With another metric: any that rejects may fail, and all that is required must pass."""
        may_fail = self.may_fail | other.may_fail if rejects else self.may_fail
        may_pass = self.may_pass & other.may_pass if required else self.may_pass
        return Open(may_fail, may_pass)


def looks_of(world: World, policy: Policy, metric: str) -> Open:
    """The looks at which one metric may have an answer."""
    margin = policy.metrics[metric].margin
    if margin is None:
        raise AssertionError(f"{metric} has no margin")
    if metric == "latency_mean":
        return _ratio(world.counts[0], world.mean_us, 60, log(margin), policy)
    if metric.startswith("latency_"):
        return _percentile(world, metric.removeprefix("latency_"), log(margin), policy)
    if metric == "error_5xx_rate":
        errors, sent = (np.cumsum(_hourly(one), axis=1) for one in (world.errors, world.counts))
        shares = errors / np.maximum(sent, 1)
        # at the margin the shadow fails at least that often; any error makes the design effect two
        deff = np.where(errors.sum(axis=0) > 0, 2.0, 1.0)
        se = np.sqrt(deff * margin * (1 - margin) / np.maximum(sent[1], 1))
        step = 0.999 * _LEAST_STEP[policy.inference]
        return _beyond(shares[1] - shares[0], margin, step * se)
    return _beyond(np.cumsum(world.flips) / np.maximum(np.cumsum(world.pairs), 1), margin)


def _beyond(estimate: FloatArray, margin: float, least: FloatArray | float = 0.0) -> Open:
    return Open(estimate > margin + least - _NEAR, estimate < margin - least + _NEAR)


def _hourly(series: FloatArray) -> FloatArray:
    sums: FloatArray = series.reshape(2, -1, HOUR).sum(axis=2)
    return sums


def _percentile(world: World, stat: str, margin: float, policy: Policy) -> Open:
    """Any of the periods it is exported at may be the one that is chosen."""
    none = np.zeros(world.hours, dtype=np.bool_)
    found = Open(none, none)
    for (name, period_s), levels in world.tails.items():
        if name == stat:
            counts = world.counts.reshape(2, -1, period_s // 60).sum(axis=2)
            enough = (counts >= LEAST_REQUESTS[stat]).all(axis=0)
            one = _ratio(counts[0], np.where(enough, levels, np.nan), period_s, margin, policy)
            found = Open(found.may_fail | one.may_fail, found.may_pass | one.may_pass)
    return found


def _ratio(
    counts: FloatArray, levels: FloatArray, period_s: int, margin: float, policy: Policy
) -> Open:
    """The weighted log ratio at each hour, and the least standard error it can have."""
    known = np.isfinite(levels).all(axis=0) & (counts > 0)
    w, p, s = (np.where(known, one, 0.0) for one in (counts, *levels))
    sums = [np.cumsum(one) for one in (w * p, w * s, (w * p) ** 2, w * w * p * s, (w * s) ** 2)]
    hours = np.arange(1, round(w.size * period_s / 3600) + 1)
    done = hours * 3600 // period_s
    at = np.maximum(done - 1, 0)
    by_p, by_s, pp, ps, ss = (one[at] for one in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = np.log(by_s / by_p)
        # psi = w / mean(w) * (s / level_s - p / level_p), whose mean is zero
        se = np.sqrt(np.maximum(ss / by_s**2 - 2 * ps / (by_s * by_p) + pp / by_p**2, 0.0))
    # over whole days the daily wave is taken out of the standard error, so nothing bounds it
    least = np.where(hours % _DAY_HOURS == 0, 0.0, 0.999 * _LEAST_STEP[policy.inference] * se)
    unknown = (done == 0) | ~np.isfinite(theta)
    return _beyond(np.where(unknown, -inf, theta), margin, np.where(unknown, inf, least))
