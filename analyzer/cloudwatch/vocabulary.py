"""The CloudWatch words this tool knows: metrics, their units, and statistics.

In: the closed list of SageMaker endpoint metrics a verdict can use, and how each is converted to
its canonical unit. Out: which point belongs to which variant (`selection`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from analyzer.errors import InputError

INVOCATIONS = "AWS/SageMaker"
INSTANCES = "/aws/sagemaker/Endpoints"

Kind = Literal["latency", "count", "percent"]


@dataclass(frozen=True)
class KnownMetric:
    """One metric as AWS documents it.

    Attributes:
        kind: what its values are, before any statistic.
        unit: the unit AWS documents, as CloudWatch spells it.
    """

    name: str
    namespace: str
    kind: Kind
    unit: str


KNOWN = {
    metric.name: metric
    for metric in (
        KnownMetric("Invocations", INVOCATIONS, "count", "None"),
        KnownMetric("InvocationsPerInstance", INVOCATIONS, "count", "None"),
        KnownMetric("ModelLatency", INVOCATIONS, "latency", "Microseconds"),
        KnownMetric("OverheadLatency", INVOCATIONS, "latency", "Microseconds"),
        KnownMetric("Invocation4XXErrors", INVOCATIONS, "count", "None"),
        KnownMetric("Invocation5XXErrors", INVOCATIONS, "count", "None"),
        KnownMetric("InvocationModelErrors", INVOCATIONS, "count", "None"),
        KnownMetric("CPUUtilization", INSTANCES, "percent", "Percent"),
        KnownMetric("MemoryUtilization", INSTANCES, "percent", "Percent"),
        KnownMetric("GPUUtilization", INSTANCES, "percent", "Percent"),
        KnownMetric("GPUMemoryUtilization", INSTANCES, "percent", "Percent"),
        KnownMetric("DiskUtilization", INSTANCES, "percent", "Percent"),
    )
}

_BASIC = {
    "average": "Average",
    "avg": "Average",
    "mean": "Average",
    "sum": "Sum",
    "samplecount": "SampleCount",
    "count": "SampleCount",
    "minimum": "Minimum",
    "min": "Minimum",
    "maximum": "Maximum",
    "max": "Maximum",
    "iqm": "IQM",
}
_PERCENTILE = re.compile(r"(p|tm|wm)(\d{1,2}(?:\.\d{1,10})?|100)", re.IGNORECASE)
_TRIMMED = re.compile(r"(TM|WM)\(([0-9.%]*):([0-9.%]*)\)", re.IGNORECASE)

_MULTIPLY_DIVIDE: dict[Kind, dict[str, tuple[float, float]]] = {
    "latency": {"Microseconds": (1, 1000), "Milliseconds": (1, 1), "Seconds": (1000, 1)},
    "count": {"None": (1, 1), "Count": (1, 1)},
    "percent": {"Percent": (1, 1), "None": (1, 1)},
}


def statistic(text: str) -> str | None:
    """The statistic a word names, in CloudWatch's spelling; None when it names none.

    Only statistics whose values have the metric's own unit, or are its count or sum, are known:
    a percentile rank `PR(:300)` is a percentage of requests, not a latency.

    >>> statistic("avg"), statistic("P99.0"), statistic("TM(0%:99%)"), statistic("PR(:300)")
    ('Average', 'p99', 'tm99', None)
    """
    word = text.strip()
    if basic := _BASIC.get(word.lower()):
        return basic
    if match := _PERCENTILE.fullmatch(word):
        return f"{match[1].lower()}{_trim(match[2])}"
    match = _TRIMMED.fullmatch(word)
    if match is None:
        return None
    low, high = match[2], match[3]
    if low in {"", "0%"} and re.fullmatch(r"\d{1,2}(\.\d+)?%", high):
        return f"{match[1].lower()}{_trim(high[:-1])}"
    return f"{match[1].upper()}({low}:{high})"


def _trim(number: str) -> str:
    """`99.0` and `99` are one statistic."""
    return f"{float(number):g}"


@dataclass(frozen=True)
class Conversion:
    """How one series becomes canonical: value * multiply / divide is in `unit`.

    Attributes:
        assumed: the export gave no unit, and the documented one decides the magnitude.
    """

    unit: Literal["ms", "count", "percent", "none"]
    multiply: float = 1.0
    divide: float = 1.0
    assumed: bool = False


def conversion(metric: KnownMetric, stat: str, unit: str | None) -> Conversion:
    """How values of `metric` with this statistic and given unit become canonical.

    Raises:
        InputError: the unit contradicts the metric, so its values cannot be what they are called.
    """
    if stat == "SampleCount":
        return Conversion("count")
    known = _MULTIPLY_DIVIDE[metric.kind]
    given = unit or metric.unit
    spelled = next((name for name in known if name.lower() == given.lower()), None)
    if spelled is None:
        raise InputError(
            f"{metric.name} in {given}: implausible unit; AWS reports it in {metric.unit}, and "
            f"this tool reads {', '.join(known)}",
            code="implausible-unit",
        )
    multiply, divide = known[spelled]
    if metric.kind == "count" and stat != "Sum":
        return Conversion("none", multiply, divide)
    if metric.kind == "latency":
        return Conversion("ms", multiply, divide, assumed=not unit)
    return Conversion("percent" if metric.kind == "percent" else "count", multiply, divide)
