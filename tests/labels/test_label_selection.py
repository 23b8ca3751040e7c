"""Labels that came for some answers only: accuracy among them does not speak for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analyzer.model import Outcome
from analyzer.stats.missingness import excess_among_missing
from tests.labels.labels_builders import Asked, capture, judged, truth, write

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Evidence

REQUESTS = 6_000


def loans(folder: Path, labelled: str, flips: float = 0.04, wrong: float = 0.0) -> Evidence:
    """Accuracy where the shadow turns some refusals into grants, each of them a mistake.

    Args:
        folder: for captures and labels.
        labelled: which requests have a label: "grants" of production's, or "any" half of them.
        flips: share of refusals that the shadow turns.
        wrong: share of grants that it refuses, each of them a mistake too.
    """
    rng = np.random.default_rng(3)
    granted = rng.random(REQUESTS) < 0.5
    turned = rng.random(REQUESTS) < np.where(granted, wrong, flips)
    said = np.where(granted, "grant", "refuse")
    shadow = np.where(granted ^ turned, "grant", "refuse")
    good = np.where(rng.random(REQUESTS) < 0.9, said, np.where(granted, "refuse", "grant"))
    right = np.where(turned, said, good)
    known = granted if labelled == "grants" else rng.random(REQUESTS) < 0.5
    requests = [
        Asked(str(p), str(s), f"loan {k}")
        for k, (p, s) in enumerate(zip(said, shadow, strict=True))
    ]
    labels = [truth(f"loan {k}", str(right[k])) for k in np.flatnonzero(known)]
    source = capture(folder / "captures", requests)
    done = judged(source, write(folder / "labels" / "a.jsonl", labels))
    return done.verdict.metrics["accuracy"]


def test_labels_of_grants_alone_do_not_pass_a_shadow_that_grants_more(tmp_path: Path) -> None:
    accuracy = loans(tmp_path, "grants")
    assert accuracy.outcome is Outcome.UNRESOLVED
    (note,) = (note for note in accuracy.notes if note.code == "labels-selective")
    assert "0 % of predictions with a label flip" in note.text
    assert accuracy.needs is not None
    assert "labels do not speak for all" in accuracy.needs.text.lower()


def test_the_same_shadow_is_judged_by_labels_of_any_requests(tmp_path: Path) -> None:
    accuracy = loans(tmp_path, "any", flips=0.08)
    assert accuracy.outcome is Outcome.FAIL
    assert "labels-selective" not in {note.code for note in accuracy.notes}


def test_harm_among_selective_labels_is_still_harm(tmp_path: Path) -> None:
    accuracy = loans(tmp_path, "grants", flips=0.06, wrong=0.05)
    assert accuracy.outcome is Outcome.FAIL


@pytest.mark.parametrize("share", [0.01, 0.2, 0.9])
def test_labels_of_a_random_part_hide_nothing(share: float) -> None:
    """In no more than the promised one in a hundred of 400 worlds, by a binomial bound."""
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(400):
        answers = rng.multinomial(50_000, [0.6, 0.3, 0.09, 0.008, 0.002])
        present = rng.binomial(answers, share)
        missing = answers - present
        rates = np.array([0.01, 0.03, 0.1, 0.2, 0.5])
        with_flip, without = rng.binomial(present, rates), rng.binomial(missing, rates)
        groups = (part.astype(float) for part in (without, missing, with_flip, present))
        events, absent, known_events, known = groups
        found += excess_among_missing(events, absent, known_events, known, 0.01) > 0.0005
    assert found <= 11  # 99.9 % of Binomial(400, 0.01)
