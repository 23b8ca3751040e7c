"""On what a metric's interval and a gate's answer rest: what must be true for them to hold.

In: method ids and gate ids -> one sentence or two for `explain`. Out: what they measure, which the
metrics and gates say themselves.
"""

from __future__ import annotations

_KISH = (
    "answers to one input are taken as one, and answers to different inputs as independent of "
    "each other"
)

METHOD_ASSUMPTIONS: dict[str, str] = {
    "paired-mean-ratio/1": (
        "Persistence of latencies fits into the order of sending; both variants share the machine."
    ),
    "paired-quantile-ratio/1": (
        "The density at the quantile is smooth; persistence of latencies fits into the order of "
        "sending; both variants share the machine."
    ),
    "paired-failures/1": (
        "Equal inputs fail alike at worst; a burst that has not come yet cannot be seen."
    ),
    "ewc-ratio/1": "The effect does not change over the days seen beyond what gate stable_effect "
    "finds; what minutes share with their neighbours, after the daily wave, dies out within the "
    "window. The step that makes many looks safe is an approximation for many minutes.",
    "ewc-percentile-ratio/1": "As ewc-ratio/1, and each period holds enough requests for its "
    "percentile to be one; percentiles of periods are averaged by production's traffic, which is "
    "not the percentile of the window.",
    "mn-design-effect/1": "As ewc-ratio/1 for the minutes' errors; while no error has been seen, "
    "that errors to come are independent.",
    "beta-binomial/1": f"Exact at every look if {_KISH}; a share that drifts is judged as its "
    "average; harm must be certain hour by hour as well, hours counting alike and each by itself: "
    "an incident of many hours counts as the shadow's. With the policy's single look: Wilson's "
    "interval, close to its level except for shares near 0.",
    "betting-paired/1": f"Given what came before, each labelled prediction has the same mean "
    f"difference; {_KISH}. Labelled requests stand for those that are judged.",
    "tango/1": f"One look; {_KISH}.",
    "ewc-mean/1": "One look unless another is shown; what minutes share with their neighbours dies "
    f"out within the window; never less than the spread where {_KISH}.",
    "order-statistics/1": f"One look; {_KISH}. Nothing about how differences are distributed; "
    "quantiles are exact to a bucket, 3.7 %.",
    "lin-concordance/1": "One look; scores are roughly bivariate normal, for the interval; "
    f"{_KISH}.",
    "bucket-distances/1": "None; no interval is given. Expected stability index: of independent "
    "samples, more than paired ones have.",
    "cohen-kappa/1": f"One look; {_KISH}.",
    "bowker/1": f"One look; {_KISH}; expected flips of each pair of labels are not tiny.",
    "stuart-maxwell/1": f"One look; {_KISH}; expected counts of each label are not tiny.",
    "paired-mean-normal/1": f"One look; {_KISH}; labelled requests stand for all.",
    "delong-buckets/1": f"One look; {_KISH}; scores within a sixteenth of a logit count as ties.",
    "ece-tenths/1": "None; no interval is given. With few labels a tenth is off by chance alone.",
    "edit-similarity/1": f"One look; {_KISH}; the sampled pairs stand for all, as a hash of their "
    "IDs chose them.",
    "relative-l2/1": f"One look; {_KISH}; the sampled pairs stand for all.",
    "holm-normal/1": f"One look; {_KISH}; the sampled pairs stand for all; changes of a place are "
    "summed up well by their mean and spread.",
}

_BY_DESIGN = "None: it is counted, not estimated."

GATE_ASSUMPTIONS: dict[str, str] = {
    "open_loop": "The sender's clock is right, and times were due before anything was sent.",
    "interleaved": "What disturbs the machine meets both variants when they are asked in turns.",
    "warm_up": _BY_DESIGN,
    "baseline_answers": "Production answered what it was captured with.",
    "roles": "Production serves at least the requests that are copied to the shadow, and two "
    "variants never take the same time to the last digit, period after period. Where one name "
    "alone holds the word shadow it is the shadow's, unless endpoint.json says otherwise.",
    "deployment": "endpoint.json tells when the configuration went live.",
    "endpoint_match": "Metric rows name their endpoint and variant truly.",
    "objects": _BY_DESIGN,
    "window_match": "A copy is taken in the minute of its request, so that busy minutes of both "
    "variants are the same ones; cover is counted, not estimated.",
    "coverage": "Minutes that expect five shadow requests or more have one if the shadow serves.",
    "load_match": "Invocations per instance tell an instance's load; requests are alike.",
    "min_days": "Traffic and load repeat by the day; a rhythm by the week needs seven.",
    "stable_effect": "Daily means are independent given a stable effect (chi-square of daily "
    "means on their long-run variance within days).",
    "tail_evidence": _BY_DESIGN,
    "sampling": "Requests are copied at random (Lindon and Malek, NeurIPS 2022, arXiv:2011.03567: "
    "a Bayes factor that holds at every look).",
    "pairing": _BY_DESIGN,
    "missing_pairs": "At worst every missing shadow answer is harm; likeness (Rubin, Biometrika "
    "63:581, 1976) words the gate and decides nothing. Captures of a part take the same requests "
    "where their records have partners more often than chance would give. Captures that draw apart "
    "do not look at answers: within an hour a partner does not depend on production's (generalised "
    "Cochran-Mantel-Haenszel test, Landis, Heyman and Koch 1978; all tests together at 0.1 %).",
    "distinct_inputs": "Equal payloads are equal requests.",
    "prediction_evidence": _BY_DESIGN,
}
