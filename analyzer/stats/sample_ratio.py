"""Do two counts stand in the ratio they were told to?

In: the Bayes factor against a share, valid at every look. Out: how large a gap matters.
"""

from __future__ import annotations

import math

PRIOR_WEIGHT = 1_000.0
"""Requests' worth of belief in the configured share: larger sees small gaps, smaller coarse ones
sooner."""


def log_bayes_factor(
    copied: float, requests: float, share: float, *, weight: float = PRIOR_WEIGHT
) -> float:
    """How strongly do the counts speak against a share, whenever they are looked at?

    Under the share the factor exceeds 1 / alpha with probability at most alpha, over all looks.

    Args:
        copied: requests that were sampled, at most `requests`.
        requests: all of them.
        share: the configured share, in (0, 1).
        weight: of the beta prior, centred at the share.

    Assumes: each request is sampled independently.

    Source: Lindon and Malek, Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022,
    arXiv:2011.03567.

    Raises:
        ValueError: more sampled than requests, or a share outside (0, 1).

    >>> round(log_bayes_factor(5_000, 10_000, 0.5), 2)
    -1.2
    >>> log_bayes_factor(0, 0, 0.5)
    0.0
    """
    from scipy.special import betaln

    if not 0 <= copied <= requests:
        raise ValueError(f"{copied} of {requests}: must be 0 <= sampled <= requests")
    if not 0 < share < 1:
        raise ValueError(f"share == {share}, must be in (0, 1)")
    prior_copied, prior_rest = weight * share, weight * (1 - share)
    rest = requests - copied
    posterior = float(betaln(prior_copied + copied, prior_rest + rest))
    null = copied * math.log(share) + rest * math.log1p(-share)
    return posterior - float(betaln(prior_copied, prior_rest)) - null
