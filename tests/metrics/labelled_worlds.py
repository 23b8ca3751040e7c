"""Labelled requests with a known truth, and what `labels` would count of them.

In: two models, how often their events are. Out: what the counts say (`metrics.label_relation`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from analyzer.metrics.labelled import LabelCounts

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Make = Callable[[np.random.Generator, int, float], "World"]


class World(NamedTuple):
    """Requests with a truth, both variants' answers and, of probabilities, their scores."""

    truth: Ints
    production: Ints
    shadow: Ints
    scores: tuple[Floats, Floats] | None = None

    def dealt(self, rng: np.random.Generator) -> World:
        """The same with every label given to another request."""
        return self._replace(truth=rng.permutation(self.truth))

    def first(self, n: int) -> World:
        """The first n requests."""
        scores = self.scores and (self.scores[0][:n], self.scores[1][:n])
        return World(self.truth[:n], self.production[:n], self.shadow[:n], scores)

    def counts(self) -> LabelCounts:
        """What `labels` would count of them."""
        n = len(self.truth)
        classes, cases = np.unique(self.truth, return_counts=True)
        others = classes[classes != classes[cases.argmax()]]
        row = {
            "predictions": n,
            "prediction_squares": float(n),
            "commonest_truth": int(cases.max()),
        }
        for side, answers in (("production", self.production), ("shadow", self.shadow)):
            named = [int((answers == one).sum()) for one in others]
            right = [int(((answers == one) & (self.truth == one)).sum()) for one in others]
            known = [int((self.truth == one).sum()) for one in others]
            row[f"{side}_found"] = sum(right)
            row[f"{side}_products"] = float(np.dot(known, named))
        if self.scores is None:
            return LabelCounts("label", row, {})
        buckets = [np.floor(16 * np.log(score / (1 - score))) for score in self.scores]
        cells = {
            "production_bucket": buckets[0],
            "shadow_bucket": buckets[1],
            "positive": self.truth,
            "negative": 1 - self.truth,
        }
        return LabelCounts("probability", row, {"label_score_cells": pa.table(cells)})


def detector(rng: np.random.Generator, n: int, share: float, recall: float, alarms: float) -> World:
    """Two detectors of so many of the events, who disagree in one answer of fifty."""
    truth = rng.random(n) < share
    found = rng.random(n) < np.where(truth, recall, alarms)
    other = found ^ (rng.random(n) < 0.02)
    return World(truth.astype(np.int64), found.astype(np.int64), other.astype(np.int64))


def precise(rng: np.random.Generator, n: int, share: float) -> World:
    """Nine alarms of ten are events; six events of ten are found."""
    return detector(rng, n, share, 0.6, 0.6 * share / (1 - share) / 9)


def tuned(rng: np.random.Generator, n: int, share: float) -> World:
    """Nearly all events are found, by alarms for a fifth of everything else."""
    return detector(rng, n, share, 0.95, 0.2)


def ignorant(rng: np.random.Generator, n: int, share: float) -> World:
    """Calibrated probabilities whose area under the curve is 0.6."""
    truth = rng.random(n) < share
    seen = rng.normal(size=n) + 0.3583 * truth
    retrained = seen + 0.1 * rng.normal(size=n)
    scores = [1 / (1 + np.exp(-0.36 * one) * (1 - share) / share) for one in (seen, retrained)]
    ours, other = ((score >= 0.5).astype(np.int64) for score in scores)
    return World(truth.astype(np.int64), ours, other, (scores[0], scores[1]))


def three(rng: np.random.Generator, n: int, share: float) -> World:
    """Three classes, each answer right in seven cases of ten and by chance in the others."""
    truth = rng.choice(3, n, p=[1 - share, 0.7 * share, 0.3 * share])
    ours, other = (np.where(rng.random(n) < 0.7, truth, rng.permutation(truth)) for _ in range(2))
    return World(truth, ours, other)


WORLDS: tuple[Make, ...] = (precise, tuned, ignorant, three)
