"""Errors and invocations per minute: which minutes can be compared, and why none can.

In: the error series of both variants. Out: how often is too often (`error_rate`). An error series
that is not there is not a series of zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analyzer.figures import percent, stated
from analyzer.metrics.exports import Wanted
from analyzer.metrics.series import (
    PRODUCTION,
    SHADOW,
    Cover,
    invocations,
    matched,
    values,
)
from analyzer.model import Note
from analyzer.stats.error_counts import ErrorDifference, miettinen_nurminen_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.metrics.metric import Facts
    from analyzer.metrics.series import BoolArray, FloatArray, Span, Variant
    from analyzer.stats.boundary import Looking

MODEL_ERRORS = "InvocationModelErrors"
GREATEST_GAP_SHARE = 0.01
"""Minutes with invocations but no point of the error metric, beyond which nothing is known."""
GREATEST_UNTIMED_SHARE = 0.001
"""More of the shadow's requests than of production's without latency or error contradict both."""
_SIDES: tuple[Variant, Variant] = (PRODUCTION, SHADOW)
_DERIVED = Note(
    code="model-errors-derived",
    text=(
        "InvocationModelErrors is not exported: counted as Invocations without a ModelLatency "
        "sample"
    ),
)


class Totals(NamedTuple):
    """Errors and invocations of both variants, summed."""

    errors_production: float
    errors_shadow: float
    production: float
    shadow: float

    def scaled(self, factor: float) -> Totals:
        """All four times a factor."""
        return Totals(*(factor * count for count in self))


@dataclass(frozen=True)
class Counts:
    """Errors and invocations of both variants per minute, and the minutes compared."""

    cover: Cover
    errors: tuple[FloatArray, FloatArray]
    sent: tuple[FloatArray, FloatArray]
    minutes: BoolArray
    notes: tuple[Note, ...] = ()

    def totals(self, span: Span | None = None) -> Totals:
        """Sums over the compared minutes of a span, or of all."""
        part = self.cover.part(span) if span else slice(None)
        used = self.minutes[part]
        return Totals(*(float(one[part][used].sum()) for one in (*self.errors, *self.sent)))

    def look(
        self, span: Span, *, alpha_lower: float, alpha_upper: float, looking: Looking
    ) -> ErrorDifference:
        """Bounds of the difference over one span; minutes not compared carry no traffic."""
        part = self.cover.part(span)
        used = self.minutes[part]
        arrays = [np.where(used, one[part], np.nan) for one in (*self.errors, *self.sent)]
        found = miettinen_nurminen_bounds(
            *arrays,
            alpha_lower=alpha_lower,
            alpha_upper=alpha_upper,
            t_minutes=float(used.size),
            whole_days=span.whole_days,
            mode=looking.mode,
            horizon_minutes=looking.horizon_minutes,
        )
        if found is None:
            raise AssertionError("a look without a matched minute")
        return found


@dataclass(frozen=True)
class Missing:
    """Why an error share cannot be counted."""

    code: str
    text: str
    wanted: tuple[Wanted, ...]


def error_counts(facts: Facts, metric: str) -> Counts | Missing:
    """Both variants' errors of one metric against their invocations."""
    cover = Cover.of(facts)
    sent_wanted = Wanted("Invocations", ("Sum",))
    if cover is None or facts.metric_points.is_empty():
        wanted = (Wanted(metric, ("Sum",)), sent_wanted)
        return Missing("not-exported", "no CloudWatch metrics were given", wanted)
    sent = (invocations(facts, cover, PRODUCTION), invocations(facts, cover, SHADOW))
    for side, series in zip((PRODUCTION, SHADOW), sent, strict=True):
        if not np.isfinite(series).any():
            text = f"Invocations of {side} is not exported: errors have no denominator"
            return Missing("not-exported", text, (sent_wanted,))
    found = [
        minute_errors(facts, cover, side, metric, sent=n)
        for side, n in zip(_SIDES, sent, strict=True)
    ]
    notes: tuple[Note, ...] = ()
    if metric == MODEL_ERRORS and all(one is None for one in found):
        found = [_untimed(facts, cover, side, n) for side, n in zip(_SIDES, sent, strict=True)]
        notes = (_DERIVED,)
    return _complete(facts, metric, sent, found, cover=cover, notes=notes)


def _complete(
    facts: Facts,
    metric: str,
    sent: tuple[FloatArray, FloatArray],
    found: Sequence[FloatArray | None],
    *,
    cover: Cover,
    notes: tuple[Note, ...],
) -> Counts | Missing:
    wanted = (Wanted(metric, ("Sum",)),)
    production, shadow = found
    if production is None or shadow is None:
        absent = " and ".join(s for s, one in zip(_SIDES, found, strict=True) if one is None)
        text = f"{metric} of {absent} is not exported; that is not the same as no errors"
        return Missing("error-series-missing", text, wanted)
    for side, n, errors in zip(_SIDES, sent, (production, shadow), strict=True):
        gaps = float(np.isnan(errors[np.isfinite(n)]).mean())
        if gaps > GREATEST_GAP_SHARE:
            text = (
                f"{metric} of {side} has no point in {percent(gaps)} of the minutes with "
                f"invocations ({stated(GREATEST_GAP_SHARE)} allowed); that is not the same as no "
                "errors"
            )
            return Missing("error-series-gaps", text, wanted)
    # warm-up excuses slowness, no errors: callers meet those, too
    minutes = matched(cover, np.ones(cover.size, np.bool_), (*sent, production, shadow))
    if not minutes.any():
        text = "no minute has invocations of both variants"
        return Missing("no-shared-minutes", text, (*wanted, Wanted("Invocations", ("Sum",))))
    counts = Counts(cover, (production, shadow), sent, minutes, notes)
    totals = counts.totals()
    if totals.errors_production > totals.production or totals.errors_shadow > totals.shadow:
        text = f"{metric} counts more errors than invocations: the export contradicts itself"
        return Missing("error-count-implausible", text, wanted)
    hidden = _unexplained(facts, counts) if metric == MODEL_ERRORS else None
    return counts if hidden is None else Missing("requests-untimed", hidden, wanted)


def _unexplained(facts: Facts, counts: Counts) -> str | None:
    """That requests of the shadow have no latency and are no errors either; None where few are.

    What production lacks in the same way is how the endpoint counts, and is allowed. So is a busy
    minute's worth: a request may be counted in one minute and timed in the next.
    """
    timed = [values(facts, counts.cover, side, "ModelLatency", "SampleCount") for side in _SIDES]
    known = matched(counts.cover, counts.minutes, timed)
    if not known.any():
        return None
    lost = [
        max(0.0, float((sent - samples - errors)[known].sum()))
        for sent, samples, errors in zip(counts.sent, timed, counts.errors, strict=True)
    ]
    shares = [
        count / float(sent[known].sum()) for count, sent in zip(lost, counts.sent, strict=True)
    ]
    if shares[1] - shares[0] <= GREATEST_UNTIMED_SHARE or lost[1] <= counts.sent[1][known].max():
        return None
    return (
        f"{percent(shares[1], 2)} of the shadow's requests are neither timed nor counted as errors "
        f"(production's: {percent(shares[0], 2)}): {MODEL_ERRORS} contradicts ModelLatency's "
        "SampleCount"
    )


def minute_errors(
    facts: Facts, cover: Cover, side: Variant, metric: str, *, sent: FloatArray
) -> FloatArray | None:
    """Errors per minute: the Sum, else Average x SampleCount; None where neither is exported.

    SageMaker sends one sample per request, so Invocations stand in for a SampleCount that was not
    exported.
    """
    total = values(facts, cover, side, metric, "Sum")
    samples = values(facts, cover, side, metric, "SampleCount")
    samples = np.where(np.isnan(samples), sent, samples)
    shares = values(facts, cover, side, metric, "Average") * samples
    errors = np.where(np.isnan(total), shares, total)
    errors = np.where(np.nan_to_num(errors) < 0, np.nan, errors)
    return errors if np.isfinite(errors).any() else None


def _untimed(facts: Facts, cover: Cover, side: Variant, sent: FloatArray) -> FloatArray | None:
    """Invocations without a latency sample, per minute; None where no samples are exported.

    A request may be counted in one minute and timed in the next, so the shortfall is followed as a
    running total and an error counted when it reaches a new height. Clipping minute by minute would
    count every such request as an error. A shadow minute without any sample is a minute of errors;
    for production, where that reading would be lenient, it is a gap. More samples than invocations
    by more than one busy minute's worth are no late samples, and would hide as many errors: then
    nothing is derived.
    """
    timed = values(facts, cover, side, "ModelLatency", "SampleCount")
    if not np.isfinite(timed).any():
        return None
    known = np.isfinite(sent) & (np.isfinite(timed) | (side == SHADOW))
    shortfall = np.where(known, sent - np.nan_to_num(timed), 0.0)
    running = np.cumsum(shortfall)
    if running.min() < -np.nanmax(sent):
        return None
    height = np.maximum.accumulate(np.maximum(running, 0.0))
    errors = np.diff(height, prepend=0.0)
    return np.where(known, np.minimum(errors, np.nan_to_num(sent)), np.nan)
