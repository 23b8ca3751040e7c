"""Churn models and the customers they score: real fits, so that their disagreements are real.

In: a made-up telephone company's customers, two training runs each, float32 scores as a serving
container prints them. Out: traffic and capture files.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np
from sklearn.ensemble import (  # type: ignore[import-untyped]  # it ships no types
    GradientBoostingClassifier,
)
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # the same
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]  # the same
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]  # the same

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray: TypeAlias = NDArray[np.float64]

Family = Literal["boosted", "boosted-retrained", "logistic"]

COLUMNS = (
    "tenure_months",
    "service_calls",
    "late_payments",
    "data_gb",
    "day_minutes",
    "evening_minutes",
    "night_minutes",
    "abroad_minutes",
    "monthly_charge",
)
DECIMALS = (0, 0, 0, 1, 0, 0, 0, 1, 1)
"""Digits after the point in each column of a request."""


class Classifier(Protocol):
    """The one thing asked of a fitted scikit-learn classifier."""

    def predict_proba(self, features: FloatArray) -> FloatArray:
        """Class probabilities, shape (n, 2)."""


@dataclass(frozen=True)
class Customers:
    """Feature rows, shape (n, len(COLUMNS)), rounded to what a request prints, and who left."""

    features: FloatArray
    left: NDArray[np.bool_]


def draw_customers(count: int, rng: np.random.Generator) -> Customers:
    """Customers whose leaving depends on the columns with thresholds and interactions."""
    tenure = np.ceil(rng.gamma(2.0, 16.0, count))
    service = rng.poisson(1.5, count)
    late = rng.poisson(0.6, count)
    data = rng.gamma(2.5, 4.0, count)
    day, evening, night = (
        rng.normal(m, s, count).clip(0) for m, s in ((180, 54), (200, 50), (200, 50))
    )
    abroad = rng.gamma(2.0, 5.0, count)
    charge = 12 + 0.1 * day + 0.05 * evening + 0.8 * data + 0.3 * abroad + rng.normal(0, 4, count)
    columns = (tenure, service, late, data, day, evening, night, abroad, charge)
    features = np.column_stack([c.round(d) for c, d in zip(columns, DECIMALS, strict=True)])
    risk = (
        -3.3
        + 3.2 * (service >= 4)
        + 0.9 * late
        + 2.6 * ((charge > 58) & (tenure < 24))
        + 1.8 * ((day > 225) & (evening > 205))
        + 1.2 * np.exp(-tenure / 12)
        + 0.06 * (abroad - 10).clip(0)
    )
    left = rng.random(count) < 1 / (1 + np.exp(-1.4 * risk))
    return Customers(features, left)


@lru_cache(maxsize=8)
def fitted(family: Family) -> Classifier:
    """The trained model of a family; always the same one.

    `boosted` is the model in production, `boosted-retrained` the same learner on the same
    customers and half as many new ones, `logistic` a linear model that cannot see the thresholds.
    """
    rng = np.random.default_rng(20260901)
    past, recent = draw_customers(12_000, rng), draw_customers(6_000, rng)
    features, left = past.features, past.left
    if family == "boosted-retrained":
        features = np.concatenate([features, recent.features])
        left = np.concatenate([left, recent.left])
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    boosted = GradientBoostingClassifier(
        n_estimators=60, max_depth=3, learning_rate=0.15, random_state=0
    )
    model: Classifier = (linear if family == "logistic" else boosted).fit(features, left)
    return model


def score(family: Family, features: FloatArray) -> FloatArray:
    """Churn probabilities at float32 precision, as the container prints them."""
    probability = fitted(family).predict_proba(features)[:, 1]
    return probability.astype(np.float32).astype(np.float64)


def request_lines(features: FloatArray) -> list[str]:
    """One CSV line a customer, without a line end.

    >>> request_lines(np.array([[12, 1, 0, 3.5, 180, 201, 190, 0.4, 41.2]]))
    ['12,1,0,3.5,180,201,190,0.4,41.2']
    """
    formats = [f"{{:.{decimals}f}}" for decimals in DECIMALS]
    template = ",".join(formats)
    return [template.format(*row) for row in features.tolist()]
