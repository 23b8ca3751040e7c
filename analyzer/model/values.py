"""What every value that crosses from measurement to report has in common: frozen, finite, rounded.

In: the base of those values, and the outcome most of them carry. Out: the values (`model`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

SIGNIFICANT_DIGITS = 9


def round_significant(value: float) -> float:
    """Round to nine significant digits.

    >>> round_significant(1.23456789012)
    1.23456789
    """
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


Figure = Annotated[float, AfterValidator(round_significant)]
"""A finite float at nine significant digits."""


class Frozen(BaseModel):
    """Base of every value here: immutable, no unknown keys, finite numbers only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Outcome(StrEnum):
    """What one metric's interval says against its margin; INFO is not judged."""

    PASS = "pass"
    FAIL = "fail"
    UNRESOLVED = "unresolved"
    INFO = "info"
