"""CloudWatch points as regular grids: one array per variant, metric and statistic.

In: which minutes and days the two variants share, and the arrays the estimators need. Out: any
estimate. Not knowing is NaN in an array, never zero. All arrays of one run lie on *cover* grids,
which start and end at midnight UTC around what is known of the window, so that every period of
CloudWatch divides them and a part of the window is a slice. Days before and after of which nothing
is known are only counted: a window may be asked for that is longer than any memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.metrics.metric import Facts

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Variant = Literal["production", "shadow"]

PRODUCTION: Variant = "production"
SHADOW: Variant = "shadow"
MINUTE = 60
HOUR = 3_600
DAY = 86_400
WARM_UP_MINUTES = 10
_MOST_LEFT_OUT = 0.05  # of the window, for scaling
_MOST_WARM_UP = 0.5
LEAST_WHOLE_DAYS = 2
"""Fewer whole days than this have no daily rhythm to remove: only the whole window is looked at."""


@dataclass(frozen=True)
class Span:
    """A stretch of time one look covers, half open.

    Units:
        start, end: seconds since 1970 in UTC, on whole minutes.

    Attributes:
        whole_days: UTC days it consists of; 0 when it is not a run of whole days.
    """

    start: int
    end: int
    whole_days: int = 0


@dataclass(frozen=True)
class Cover:
    """The grid of one period length over the UTC days of the window of which anything is known.

    Attributes:
        window: the window on whole minutes, outside which every value is missing.
        start: midnight at or before the first that is known, seconds since 1970.
    """

    window: Span
    start: int
    size: int
    period_s: int

    @classmethod
    def of(cls, facts: Facts, period_s: int = MINUTE) -> Cover | None:
        """The grid of a run; None when nothing dates it or the window is empty."""
        if facts.start is None or facts.end is None or facts.end <= facts.start:
            return None
        first = int(facts.start.timestamp()) // MINUTE * MINUTE
        last = -int(-facts.end.timestamp() // MINUTE) * MINUTE
        start, end = first // DAY * DAY, -(-last // DAY) * DAY
        known = facts.known or (start, end)
        begin, stop = max(start, known[0] // DAY * DAY), min(end, -(-known[1] // DAY) * DAY)
        if stop <= begin:
            begin, stop = start, start + DAY
        return cls(Span(first, last), begin, (stop - begin) // period_s, period_s)

    def part(self, span: Span) -> slice:
        """The indices of the periods that lie wholly inside `span`, as far as the grid goes."""
        first = max(0, -(-(span.start - self.start) // self.period_s))
        last = min(self.size, (span.end - self.start) // self.period_s)
        return slice(first, max(first, last))

    def times(self) -> npt.NDArray[np.int64]:
        """Start of every period, seconds since 1970."""
        return self.start + self.period_s * np.arange(self.size, dtype=np.int64)

    @property
    def minutes(self) -> int:
        """Length of the window in minutes, those of which nothing is known included."""
        return (self.window.end - self.window.start) // MINUTE

    @property
    def laid_out(self) -> Span:
        """The part of the window that the grid holds."""
        end = self.start + self.size * self.period_s
        return Span(max(self.window.start, self.start), min(self.window.end, end))

    @property
    def beyond(self) -> int:
        """Minutes of the window before and after the grid."""
        return self.minutes - (self.laid_out.end - self.laid_out.start) // MINUTE


def utc(seconds: int) -> str:
    """Seconds since 1970 as ISO 8601.

    >>> utc(1_795_132_800)
    '2026-11-20T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def values(facts: Facts, cover: Cover, variant: Variant, metric: str, stat: str) -> FloatArray:
    """One exported series on the grid; NaN where no point lies wholly inside the window."""
    grid = np.full(cover.size, np.nan)
    points = facts.metric_series.get((variant, metric, stat, cover.period_s))
    if points is None:
        return grid
    second, value = points
    first, last = cover.window.start, cover.window.end - cover.period_s
    kept = (second >= first) & (second <= last) & np.isfinite(value)
    grid[(second[kept] - cover.start) // cover.period_s] = value[kept]
    return grid


def means(facts: Facts, cover: Cover, variant: Variant, metric: str) -> FloatArray:
    """Mean per period: the Average, else Sum / SampleCount. A time of zero or less is no time."""
    average = values(facts, cover, variant, metric, "Average")
    count = positive(values(facts, cover, variant, metric, "SampleCount"))
    by_sum = values(facts, cover, variant, metric, "Sum") / count
    return np.where(np.isnan(average), by_sum, average)


def positive(series: FloatArray) -> FloatArray:
    """The series with everything that is not above zero missing."""
    with np.errstate(invalid="ignore"):
        return np.where(series > 0, series, np.nan)


def requests(facts: Facts, cover: Cover, variant: Variant) -> FloatArray:
    """Timed requests per period: ModelLatency's SampleCount, else Invocations' Sum.

    Longer periods without a count of their own are added up from the minutes: a hole among the
    counts must not take its period out of sight.
    """
    series = np.full(cover.size, np.nan)
    for metric, stat in (("ModelLatency", "SampleCount"), ("Invocations", "Sum")):
        series = positive(values(facts, cover, variant, metric, stat))
        if np.isfinite(series).any():
            break
    minutes = Cover.of(facts) if cover.period_s > MINUTE else None
    if minutes is None:
        return series
    per_period = requests(facts, minutes, variant).reshape(cover.size, -1)
    return np.where(np.isnan(series), positive(np.nansum(per_period, axis=1)), series)


def invocations(facts: Facts, cover: Cover, variant: Variant) -> FloatArray:
    """Requests sent to the variant per period, failed ones included; NaN where none are known."""
    return positive(values(facts, cover, variant, "Invocations", "Sum"))


def sent_requests(facts: Facts, cover: Cover, variant: Variant) -> FloatArray:
    """Requests per period as `invocations` knows them, or else as many as were timed."""
    sent = invocations(facts, cover, variant)
    return sent if np.isfinite(sent).any() else requests(facts, cover, variant)


def settled(facts: Facts, cover: Cover) -> BoolArray:
    """Periods outside the ten minutes after instances came into service, by deployment or scaling.

    Caches, connections and compilers are cold then, in either variant, so the periods are left out
    of both. The moments are the endpoint's, known before any latency is looked at. A period longer
    than a minute goes when more than half of it is warm-up: an hour stays, five minutes do not.
    """
    minutes = Cover(cover.window, cover.start, cover.size * cover.period_s // MINUTE, MINUTE)
    times = minutes.times()
    warm = np.zeros(minutes.size, dtype=np.bool_)
    for second in warm_ups(facts, cover):
        warm |= (times >= second) & (times <= second + WARM_UP_MINUTES * MINUTE)
    share: FloatArray = warm.reshape(cover.size, -1).mean(axis=1)
    return share <= _MOST_WARM_UP


def warm_ups(facts: Facts, cover: Cover) -> tuple[int, ...]:
    """Minutes in which instances came into service, as far as they reach into the window.

    Scaling that would leave out more than a twentieth of the window is how the endpoint runs, and
    leaves out nothing (`scaling_counts`).
    """
    endpoint = facts.endpoint
    if endpoint is None:
        return ()
    live = () if endpoint.live_since is None else (endpoint.live_since,)
    moments = (*endpoint.config_changes, *live)
    if not scaling_counts(facts, cover):
        moments = (*moments, *endpoint.scaled_at)
    return _inside(cover, moments)


def scaling_counts(facts: Facts, cover: Cover) -> bool:
    """Whether the minutes after scaling are too many to be left out."""
    moments = () if facts.endpoint is None else _inside(cover, facts.endpoint.scaled_at)
    warm = {second + MINUTE * i for second in moments for i in range(WARM_UP_MINUTES + 1)}
    return len(warm) > _MOST_LEFT_OUT * cover.minutes


def _inside(cover: Cover, moments: Iterable[datetime]) -> tuple[int, ...]:
    """The minutes of these moments whose warm-up reaches into the window."""
    seconds = {int(moment.timestamp()) // MINUTE * MINUTE for moment in moments}
    first, last = cover.window.start - (WARM_UP_MINUTES + 1) * MINUTE, cover.window.end
    return tuple(sorted(second for second in seconds if first < second < last))


def matched(cover: Cover, kept: BoolArray, series: Iterable[FloatArray]) -> BoolArray:
    """Where every series has a value, inside the window and after warm-up."""
    both = kept.copy()
    for one in series:
        both &= np.isfinite(one)
    inside = np.zeros(cover.size, dtype=np.bool_)
    inside[cover.part(cover.window)] = True
    return both & inside


def longest_whole_days(cover: Cover, minutes: BoolArray) -> Span:
    """The longest unbroken run of whole UTC days; the first of equals.

    A day is whole when each of its 24 hours has a matched minute.
    """
    per_hour = np.count_nonzero(minutes.reshape(-1, 24, HOUR // MINUTE), axis=2)
    whole_days = np.count_nonzero(per_hour, axis=1) == per_hour.shape[1]
    best = run = end = 0
    for day, whole in enumerate(whole_days.tolist()):
        run = run + 1 if whole else 0
        if run > best:
            best, end = run, day + 1
    return Span(cover.start + (end - best) * DAY, cover.start + end * DAY, best)


def last_day(cover: Cover, compared: BoolArray) -> Span | None:
    """The 24 hours that end with the last compared period; None where nothing is older."""
    at = np.flatnonzero(compared)
    if not at.size:
        return None
    first, end = (cover.start + int(i) * cover.period_s for i in (at[0], at[-1] + 1))
    return Span(end - DAY, end) if first < end - DAY else None


def looks(cover: Cover, minutes: BoolArray, window: Span | None = None) -> tuple[Span, ...]:
    """The stretches a judgement looks at: the whole window, and its whole days when there are two.

    When every matched minute lies in one run of whole days, that run is the only look. A day that
    is not over yet is in the first look only: harm may be seen at any hour, its absence may not.
    """
    window = window or cover.window
    days = longest_whole_days(cover, minutes)
    if days.whole_days < LEAST_WHOLE_DAYS:
        return (window,)
    if minutes[cover.part(days)].sum() == minutes.sum():
        return (days,)
    return (window, days)
