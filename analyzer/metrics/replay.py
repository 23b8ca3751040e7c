"""How much slower is the candidate, request by request?

In: what `replayed` made of a replay's sidecars -> latency against its margins. Out: reading
sidecars, failures (`failures`), gates (`gates.replay`).

Latency is paired with a baseline, production's own model served beside the candidate: captures
hold no latency, and CloudWatch's is of another machine and another load.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyzer.figures import counted, grouped, percent, plain, relative, stated
from analyzer.metrics.judging import levels
from analyzer.metrics.ratio import ONLY_LOOK, Comparison
from analyzer.model import (
    Effect,
    Evidence,
    Mode,
    Needs,
    Note,
    SampleSizes,
    round_significant,
)
from analyzer.stats.ewc import LongRun
from analyzer.stats.log_ratio import WeightedLogRatio
from analyzer.stats.paired_accuracy import Outcomes
from analyzer.stats.paired_quantile import boundary_minutes, least_requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.metrics.case import Case
    from analyzer.metrics.metric import Facts
    from analyzer.stats.boundary import Looking

MOST_LATE = 0.01
"""Share of late sends above which latency is the sender's as much as the server's."""
MOST_WARM_UP = 100
"""Requests of each variant that one uninterrupted sending leaves out of latency."""
MEAN_METHOD = "paired-mean-ratio/1"
QUANTILE_METHOD = "paired-quantile-ratio/1"
LATENCY_SOURCE = (
    "Bahadur, Annals of Mathematical Statistics 37:577 (1966), with the sparsity of Price and "
    "Bonett (2002) and the long-run error of Lazarus, Lewis, Stock and Watson (2018) over the "
    "order of sending; any look by Waudby-Smith et al. (2024), counted in requests"
)
_STATISTICS = {"mean": 0.5, "p50": 0.5, "p95": 0.95, "p99": 0.99}
"""Statistic -> the quantile whose requests it needs."""
_WHOLE_RATE = 10
_BASELINE = (
    "Replay with --baseline, which sends the same requests to production's model on the same "
    "machine."
)


@dataclass(frozen=True)
class Sent:
    """A replay as `analyzer.replayed` counted it: one row."""

    row: dict[str, Any]

    @classmethod
    def of(cls, facts: Facts) -> Sent | None:
        """The counts; None where no sidecar could be read."""
        tables = {} if facts.captures is None else facts.captures.tables
        table = tables.get("replay_outcomes")
        return None if table is None else cls(table.to_pylist()[0])

    def count(self, name: str) -> int:
        """A count of requests."""
        return int(self.row[name])

    @property
    def paired(self) -> bool:
        """Whether a baseline was sent the same requests."""
        return bool(self.row["paired"])

    @property
    def paced(self) -> bool:
        """Whether requests were due at times of their own, and not all at once."""
        return bool(self.row["paced"])

    @property
    def late(self) -> float:
        """Share of late sends, of the variant that has more of them."""
        return max(self.row["late_share"] or 0.0, self.row["late_share_baseline"] or 0.0)

    @property
    def rate(self) -> float | None:
        """Requests a second to each variant."""
        rate = self.row["rate"]
        return None if rate is None else float(rate)

    @property
    def outcomes(self) -> Outcomes:
        """Who alone failed; the shadow's side is ours."""
        shadow, production = self.count("only_shadow"), self.count("only_production")
        return Outcomes(shadow, production, self.count("pairs") - shadow - production)


def observed(facts: Facts) -> str:
    """What a promotion holds for: days of an endpoint, or a rate on the machine of a replay."""
    sent = Sent.of(facts) if facts.mode is Mode.REPLAY else None
    if sent is None:
        return "for the days observed"
    if sent.rate is None:
        return "on this machine"
    rate = plain(sent.rate) if sent.rate < _WHOLE_RATE else grouped(sent.rate)
    return f"at {rate} requests/s on this machine"


@dataclass(frozen=True)
class Requests:
    """Requests timed so far, on the clock of their boundary; see `ratio.Supply`."""

    timed: int

    @property
    def minutes(self) -> float:
        """The boundary's."""
        return boundary_minutes(self.timed)

    def needs(
        self, minutes: float, *, by_day: bool = False, looking: Looking | None = None
    ) -> Needs:
        """How many requests in all."""
        del by_day  # a replay has no days
        requests = max(math.ceil(self.timed * minutes / self.minutes), self.timed + 1)
        text = f"About {grouped(requests)} requests in all, timed on both variants, would settle it"
        once = looking is not None and looking.mode == "fixed"
        return Needs(requests=requests, text=f"{text}.{f' {ONLY_LOOK}' if once else ''}")


def assess_latency(facts: Facts, case: Case, stat: str) -> Evidence:
    """One statistic of paired response times against its margin."""
    sent = Sent.of(facts)
    if sent is None or facts.captures is None:
        return case.unmeasured("no-sidecar", NO_SIDECAR.text, Needs.of(NO_SIDECAR))
    rows = facts.captures.tables["replay_latency"].to_pylist()
    times = {row["kind"]: row for row in rows if row["stat"] == stat}
    n = SampleSizes(
        production=sent.count("timed") if sent.paired else None,
        shadow=sent.count("timed"),
        pairs=sent.count("timed") if sent.paired else None,
    )
    if not sent.paired:
        text = "the replay had no baseline, so nothing was timed that the candidate could be "
        found = case.unmeasured("no-baseline", f"{text}held against", Needs(text=_BASELINE), n)
        return _with_levels(found, None, times["response"]["shadow_ms"])
    least = least_requests(_STATISTICS[stat])
    if times["response"]["theta"] is None:
        timed = counted(sent.count("timed"), "request")
        text = f"{timed} timed on both; {stat} needs {grouped(least)}"
        needs = Needs(requests=least, text=f"Replay at least {grouped(least)} requests.")
        return case.unmeasured("too-few-requests", text, needs, n)
    if not sent.paced or sent.late > MOST_LATE:
        return _closed_loop(facts, case, sent, times["service"], n)
    case = case.noting("response-time", _measured(sent))
    if stat == "p50" and times["response"]["shift"] is not None:
        shift = relative(math.exp(times["response"]["shift"]))
        case = case.noting(
            "typical-shift", f"a request typically takes {shift} on the shadow (Hodges-Lehmann)"
        )
    comparison = Comparison(ratio_of(times["response"]))
    n = n.model_copy(update={"effective": comparison.effective})
    return case.with_level(times["response"]["production_ms"]).ratio(
        comparison, n, Requests(sent.count("timed"))
    )


def ratio_of(row: Mapping[str, Any]) -> WeightedLogRatio:
    """A row of `replay_latency` or `replay_quantiles` as what bounds are made of."""
    import numpy as np

    return WeightedLogRatio(
        theta=row["theta"],
        level_production=row["production_ms"],
        level_shadow=row["shadow_ms"],
        psi=np.empty(0),
        long_run=LongRun(row["se"], row["nu"], row["n_eff"]),
        t_minutes=row["clock"],
    )


def _closed_loop(
    facts: Facts, case: Case, sent: Sent, service: dict[str, Any], n: SampleSizes
) -> Evidence:
    """Service times, shown without an interval: the sender, not the server, set the pace."""
    fail_level, pass_level = levels(facts.policy)
    if sent.paced:
        why = f"{percent(sent.late)} of sends were late (at most {stated(MOST_LATE)})"
        needs = Needs(text="Replay at a rate the sender keeps up with: --speed, or --concurrency.")
    else:
        why = "replayed at full speed, where no request is due at a time of its own"
        needs = Needs(text="Replay at the pace of the captures: --speed captured.")
    text = (
        f"{why}: these are service times under a closed loop, which hide waiting, and are not "
        "judged"
    )
    shown = Effect(
        kind="ratio",
        estimate=math.exp(service["theta"]),
        lower=None,
        lower_level=fail_level,
        upper=None,
        upper_level=pass_level,
        mode=facts.looking.mode,
    )
    case = case.with_level(service["production_ms"])
    found = case.unmeasured("closed-loop", text, needs, n).model_copy(update={"effect": shown})
    return _with_levels(found, service["production_ms"], service["shadow_ms"])


def _with_levels(found: Evidence, *levels_ms: float | None) -> Evidence:
    production, shadow = (None if one is None else round_significant(one) for one in levels_ms)
    return found.model_copy(update={"production": production, "shadow": shadow})


def _measured(sent: Sent) -> str:
    """What was timed, and what was left out of it."""
    left_out = [
        (sent.count("warm_up"), "for warm-up"),
        (sent.count("failed"), "because a variant failed"),
        (sent.count("unfinished") + sent.count("unmatched"), "without an outcome of both"),
    ]
    said = ", ".join(f"{grouped(count)} {why}" for count, why in left_out if count)
    return (
        f"response times of {counted(sent.count('timed'), 'request')} on both variants, from the "
        f"moment each was meant to be sent{f'; left out: {said}' if said else ''}"
    )


NO_SIDECAR = Note(
    code="no-sidecar",
    text="the candidate's replay.parquet could not be read: see the notes, and replay again",
)
