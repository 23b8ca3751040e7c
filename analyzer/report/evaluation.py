"""A verdict as the metrics file of a model package: what the Model Registry shows of a version.

In: the verdict. Out: JSON in the form of Model Monitor's model-quality metrics, which
`ModelMetrics.ModelQuality.Statistics` of a model package points at: group -> metric -> value and
standard deviation. Source: Amazon SageMaker Developer Guide, "Model quality metrics".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.model import Verdict

_QUALITY = {
    "accuracy": "accuracy",
    "auc": "auc",
    "mean_absolute_error": "mae",
}
"""Metric -> what the guide calls it; of a shadow without labels nothing of the kind is known."""
_UNKNOWN = "NaN"
"""How the guide writes a standard deviation that was not computed: no number, but a string."""


def render(verdict: Verdict) -> str:
    """The shadow's own level of every metric that has one; the verdict's margins are in no group.

    The group of the labelled metrics says what the model predicts, the other one holds the rest.
    """
    quality: dict[str, object] = {}
    others: dict[str, object] = {}
    for metric, item in sorted(verdict.metrics.items()):
        if item.shadow is not None:
            group, name = (quality, _QUALITY[metric]) if metric in _QUALITY else (others, metric)
            group[name] = {"value": item.shadow, "standard_deviation": _UNKNOWN}
    body = {name: group for name, group in ((_kind(quality), quality), (_SHADOW, others)) if group}
    return json.dumps(body, indent=2, sort_keys=True) + "\n"


_SHADOW = "shadow_test_metrics"


def _kind(quality: dict[str, object]) -> str:
    """A number has an absolute error, two classes have a curve, more have neither."""
    if "mae" in quality:
        return "regression_metrics"
    return f"{'binary' if 'auc' in quality else 'multiclass'}_classification_metrics"
