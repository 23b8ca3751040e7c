"""What one interval says of one margin, and at which levels its bounds stand.

In: an effect and the policy. Out: what all of them come to (`verdict`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.model import Outcome

if TYPE_CHECKING:
    from analyzer.model import Effect, Role
    from analyzer.policy import Policy


def levels(policy: Policy) -> tuple[float, float]:
    """One-sided levels of the (lower, upper) bounds: 1 - alpha / k and 1 - alpha.

    A rejection needs only one of k guardrails, so each pays alpha / k; a promotion needs all of
    them, so each stands at alpha (intersection-union).
    """
    return 1 - policy.alpha / policy.guardrails, 1 - policy.alpha


def judge(effect: Effect | None, margin: float | None, role: Role) -> Outcome:
    """What the interval says against the margin; a failure decides when both could be said.

    A negative margin is a loss: less is worse, and the two bounds change their parts.
    """
    if not role.is_judged:
        return Outcome.INFO
    if effect is None or margin is None:
        return Outcome.UNRESOLVED
    bounds = effect.lower, effect.upper
    harm = 1 if margin > 0 else -1
    least, most = bounds if harm > 0 else bounds[::-1]
    if least is not None and harm * least > harm * margin:
        return Outcome.FAIL
    if most is not None and harm * most < harm * margin:
        return Outcome.PASS
    return Outcome.UNRESOLVED
