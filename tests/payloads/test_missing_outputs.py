"""Production's records without a shadow answer, beside those with one: by size and by score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analyzer.console.progress import silent
from analyzer.metrics import DEFAULTS
from analyzer.policy.files import load_policy
from analyzer.reading.captures import read_captures
from analyzer.reading.opening import EngineLimits
from analyzer.sources import discover
from tests.test_analysis import judged, line, put

if TYPE_CHECKING:
    from pathlib import Path

COMPLETE = (
    "sampling.shadow_percentage=100",
    "sampling.production_capture_percentage=100",
    "sampling.shadow_capture_percentage=100",
)


def lossy(folder: Path, *, high: bool) -> Path:
    """3 000 requests; the shadow answers none of the highest scores, or misses at random."""
    rng = np.random.default_rng(6)
    scores = rng.beta(2, 5, 3_000).round(4)
    lost = scores > np.quantile(scores, 0.97) if high else rng.random(3_000) < 0.03
    digits = np.where(lost & high, 44, 4)
    answers = [f"{score:.{n}f}" for score, n in zip(scores, digits, strict=True)]
    production = [line(k, f"{k}", answers[k], f"r{k}") for k in range(3_000)]
    shadow = [line(k, f"{k}", answers[k], f"r{k}") for k in range(3_000) if not lost[k]]
    return put(folder, production, shadow)


@pytest.mark.parametrize("high", [True, False])
def test_lost_high_scores_are_informative_and_random_losses_are_not(
    tmp_path: Path, *, high: bool
) -> None:
    text = judged(lossy(tmp_path, high=high), *COMPLETE).verdict.gates["missing_pairs"].text
    assert ("Missing pairs are informative" in text) == high
    assert "production's score p = " in text
    assert ("differ in size of production's output and production's score" in text) == high


def test_every_missing_and_every_present_output_is_counted_once(tmp_path: Path) -> None:
    listing = discover(
        str(lossy(tmp_path, high=True)),
        endpoint=None,
        production=None,
        shadow=None,
    )
    facts = read_captures(
        listing, load_policy(None, DEFAULTS), (None, None), EngineLimits(use_cache=False), silent
    ).facts
    for name in ("missing_by_bytes", "missing_by_score"):
        cells = facts.tables[name].to_pydict()
        assert sum(cells["missing"]) == facts.ledger.unpaired_production == 90
        assert sum(cells["present"]) == facts.ledger.pairs == 2_910


def test_few_or_most_missing_records_are_not_looked_at(tmp_path: Path) -> None:
    for name, kept in (("few", slice(8, None)), ("most", slice(None, None, 3))):
        production = [line(k, f"{k}", f"0.{k % 89 + 10}", f"r{k}") for k in range(3_000)]
        source = put(tmp_path / name, production, production[kept])
        text = judged(source, *COMPLETE).verdict.gates["missing_pairs"].text
        assert "production's score" not in text
