"""How often may the result be read? What policy and schedule say of it, and of the first minutes.

In: the policy's `inference`, the declared horizon, the moments of deployment and scaling. Out: the
boundary that belongs to a way of looking (`stats.boundary`). Both are rules fixed before anything
is seen, so both are told in the verdict's notes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.errors import PolicyError
from analyzer.figures import counted, duration
from analyzer.metrics.series import WARM_UP_MINUTES, Cover, scaling_counts, settled, warm_ups
from analyzer.model import Note
from analyzer.stats.boundary import Looking

if TYPE_CHECKING:
    from analyzer.metrics.metric import EndpointFacts, Facts
    from analyzer.policy import Policy


def looking_of(policy: Policy, endpoint: EndpointFacts | None) -> Looking:
    """The way of looking the policy chose, with the horizon it or the schedule declares.

    Raises:
        PolicyError: planned looks without a horizon.
    """
    looking = Looking(policy.inference, _horizon(policy, endpoint))
    if looking.mode == "planned" and looking.horizon_minutes is None:
        raise PolicyError(
            'policy: inference: "planned" needs the length of the test, declared before it: set '
            'horizon, such as horizon = "7d", or give an endpoint.json whose '
            "DescribeInferenceExperiment has Schedule.StartTime and Schedule.EndTime"
        )
    return looking


def _horizon(policy: Policy, endpoint: EndpointFacts | None) -> float | None:
    """The declared length in minutes: the policy's word, else the experiment's schedule."""
    if policy.horizon_minutes is not None:
        return policy.horizon_minutes
    return None if endpoint is None else endpoint.scheduled_minutes


def without_horizon(looking: Looking) -> Looking:
    """How what has no horizon is looked at: a replay has no length, a last day is no plan's."""
    return Looking("anytime") if looking.mode == "planned" else Looking(looking.mode)


def looking_notes(facts: Facts) -> tuple[Note, ...]:
    """What was promised about looks, and which minutes were left out, where either matters."""
    return (*_promise(facts), *_left_out(facts))


def _promise(facts: Facts) -> tuple[Note, ...]:
    looking, cover = facts.looking, Cover.of(facts)
    if looking.mode == "fixed":
        text = (
            "the policy declares this the only look: bounds do not hold if the result was read "
            "before, or is read again with more data"
        )
        return (Note(code="only-look", text=text),)
    if looking.mode != "planned" or looking.horizon_minutes is None:
        return ()
    whose = "the policy" if facts.policy.horizon is not None else "the experiment's schedule"
    planned = Note(
        code="planned-horizon",
        text=f"bounds hold for every look up to {duration(looking.horizon_minutes)}, the length "
        f"{whose} declares; shares of pairs keep the anytime bound",
    )
    if cover is None or cover.minutes <= looking.horizon_minutes:
        return (planned,)
    past = Note(
        code="past-horizon",
        text=f"the window of {duration(cover.minutes)} is longer than the declared "
        f"{duration(looking.horizon_minutes)}: bounds are those of the horizon's end, and looks "
        "after it are not paid for",
    )
    return (planned, past)


def _left_out(facts: Facts) -> tuple[Note, ...]:
    """The minutes of the window that warm-up takes from both variants' latency."""
    cover = Cover.of(facts)
    if cover is None or facts.metric_points.is_empty():
        return ()
    kept_in: tuple[Note, ...] = ()
    if scaling_counts(facts, cover):
        text = (
            "the endpoint is scaled so often that the minutes after it are more than a twentieth "
            "of the window: they count as any others"
        )
        kept_in = (Note(code="warm-up", text=text),)
    kept = settled(facts, cover)[cover.part(cover.window)]
    minutes = int(np.count_nonzero(~kept))
    if not minutes:
        return kept_in
    moments = len(warm_ups(facts, cover))
    text = (
        f"{counted(minutes, 'minute')} of both variants left out of latency: the {WARM_UP_MINUTES} "
        f"after {counted(moments, 'moment')} at which instances came into service"
    )
    return (*kept_in, Note(code="warm-up", text=text))
