"""Every metric the verdict knows, in the order it is shown.

`METRICS` is the one list: policy defaults, `analyzer explain`, the report and the tests iterate it.
A new metric is one entry in its family's module.
"""

from analyzer.metrics.divergence import DIVERGENCE
from analyzer.metrics.error_rate import ERROR_RATE
from analyzer.metrics.instances import INSTANCES
from analyzer.metrics.label_agreement import LABEL_AGREEMENT
from analyzer.metrics.latency import LATENCY
from analyzer.metrics.metric import Metric

METRICS: tuple[Metric, ...] = (
    *LATENCY,
    *ERROR_RATE,
    *DIVERGENCE,
    *LABEL_AGREEMENT,
    *INSTANCES,
)
DEFAULTS = {metric.id: metric.default for metric in METRICS}
BY_ID = {metric.id: metric for metric in METRICS}
