"""The court: `deciding` decides, `cross_check` decides again, `diff` says what moved."""

from analyzer.verdict.deciding import (
    EXIT_CODES,
    SLICE_REASON,
    UNREAD_SLICE,
    Judgement,
    Words,
    decide,
    describe,
    part_name,
    ungated,
)

__all__ = [
    "EXIT_CODES",
    "SLICE_REASON",
    "UNREAD_SLICE",
    "Judgement",
    "Words",
    "decide",
    "describe",
    "part_name",
    "ungated",
]
