"""Every metric the verdict knows, in the order it is shown.

`METRICS` is the one list: policy defaults, `analyzer explain`, the report and the tests iterate it.
A new metric is one entry in its family's module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.metrics.accuracy import ACCURACY
from analyzer.metrics.divergence import DIVERGENCE
from analyzer.metrics.documents import DOCUMENTS
from analyzer.metrics.error_rate import ERROR_RATE
from analyzer.metrics.failures import FAILURES
from analyzer.metrics.forecasts import FORECASTS
from analyzer.metrics.instances import INSTANCES
from analyzer.metrics.label_agreement import LABEL_AGREEMENT
from analyzer.metrics.latency import LATENCY
from analyzer.metrics.metric import applies
from analyzer.metrics.predictions import Counted
from analyzer.metrics.scores import SCORES
from analyzer.metrics.vectors import VECTORS
from analyzer.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.metrics.metric import Facts, Metric
    from analyzer.policy import MetricRule, Policy

METRICS: tuple[Metric, ...] = (
    *LATENCY,
    *ERROR_RATE,
    *FAILURES,
    *DIVERGENCE,
    *SCORES,
    *VECTORS,
    *DOCUMENTS,
    *LABEL_AGREEMENT,
    *ACCURACY,
    *FORECASTS,
    *INSTANCES,
)
DEFAULTS = {metric.id: metric.default for metric in METRICS}
BY_ID = {metric.id: metric for metric in METRICS}


def asked(policy: Policy, *, labelled: bool, replayed: bool) -> Policy:
    """The policy of the questions this run is asked.

    What only labels answer is left out of a run without any, unless the policy asks for it: then
    that it cannot be answered must show. What only CloudWatch or only a replay answers is left out
    of a run on the other in any case: one policy serves both, and each has guardrails of its own.
    """
    kept = {
        metric: rule
        for metric, rule in policy.metrics.items()
        if (labelled or rule.source == "policy" or not BY_ID[metric].needs_labels)
        and applies(BY_ID[metric].asked_of, replayed=replayed)
    }
    return policy.model_copy(update={"metrics": kept})


def fitting(facts: Facts) -> Iterator[tuple[Metric, MetricRule]]:
    """Every metric this run is asked, with its rule.

    What shows outputs of another kind is left out, unless the policy asks for it.
    """
    counted = Counted.of(facts)
    kind = None if counted is None else counted.kind
    for metric in METRICS:
        rule = facts.policy.metrics.get(metric.id)
        if rule is None or rule.role is Role.OFF:
            continue
        if metric.kinds is None or kind in metric.kinds or rule.source == "policy":
            yield metric, rule
