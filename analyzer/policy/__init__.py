"""What can change a judgement: `rules` are its types, `files` reads one, `text` prints one."""

from analyzer.policy.rules import (
    HORIZON,
    INPUT,
    Change,
    MetricDefault,
    MetricRule,
    PairingRules,
    Policy,
    Predictions,
    Redaction,
    Sampling,
    SliceBy,
    length_minutes,
)

__all__ = [
    "HORIZON",
    "INPUT",
    "Change",
    "MetricDefault",
    "MetricRule",
    "PairingRules",
    "Policy",
    "Predictions",
    "Redaction",
    "Sampling",
    "SliceBy",
    "length_minutes",
]
