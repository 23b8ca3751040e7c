"""Production's records without a shadow answer, beside those with one: by size, score and label."""

from __future__ import annotations

from itertools import product
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

    import numpy.typing as npt

    BoolArray = npt.NDArray[np.bool_]
    FloatArray = npt.NDArray[np.float64]

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


@pytest.mark.parametrize("high", [True, pytest.param(False, marks=pytest.mark.long)])
def test_lost_high_scores_are_informative_and_random_losses_are_not(
    tmp_path: Path, *, high: bool
) -> None:
    text = judged(lossy(tmp_path, high=high), *COMPLETE).verdict.gates["missing_pairs"].text
    seen, _, unseen = text.partition("o difference is seen in ")
    for name in ("size of production's output (p = ", "production's score (p = "):
        assert name in (seen if high else unseen)


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


def test_few_missing_records_are_not_looked_at(tmp_path: Path) -> None:
    production = [line(k, f"{k}", f"0.{k % 89 + 10}", f"r{k}") for k in range(3_000)]
    source = put(tmp_path, production, production[8:])
    text = judged(source, *COMPLETE).verdict.gates["missing_pairs"].text
    assert "production's score" not in text


def sampled(
    folder: Path, percentage: int, *, answers: list[str], lost: BoolArray, ids: str = "all"
) -> Path:
    """Each variant captures its own part of the requests; some have no shadow answer at all."""
    rng = np.random.default_rng(percentage)
    mine, theirs = (rng.random(len(answers)) * 100 < percentage for _ in range(2))
    named = [f"r{k}" if ids == "all" else None for k in range(len(answers))]
    requests = [(k, f"{k}", answers[k], named[k]) for k in range(len(answers))]
    production = [line(*request) for request, taken in zip(requests, mine, strict=True) if taken]
    shadow = [
        line(*request) for request, taken in zip(requests, theirs & ~lost, strict=True) if taken
    ]
    return put(folder, production, shadow)


def percentages(value: int) -> tuple[str, ...]:
    captured = (f"sampling.{side}_capture_percentage={value}" for side in ("production", "shadow"))
    return ("sampling.shadow_percentage=100", *captured)


def written(kind: str, scores: FloatArray) -> list[str]:
    """Answers that say the same in every form."""
    if kind == "label":
        return ["yes" if score > 0.5 else "noo" for score in scores]
    if kind == "multiclass":
        pairs = ((round(1 - score, 4), round(score, 4)) for score in scores)
        return [f'{{"predictions": [[{low:.4f}, {high:.4f}]]}}' for low, high in pairs]
    if kind == "json":
        return [f'{{"predictions": [{{"score": {score:.4f}}}]}}' for score in scores]
    return [f"{score:.4f}" for score in scores]


BY_DEFAULT = {("score", True, False), ("score", True, True), ("label", False, True)}


@pytest.mark.parametrize(
    ("kind", "declared", "lossy"),
    [
        pytest.param(*case, marks=() if case in BY_DEFAULT else pytest.mark.long)
        for case in product(("score", "json", "label", "multiclass"), (True, False), (False, True))
    ],
)
def test_answers_lost_among_sampled_ones_are_found_by_what_production_said(
    tmp_path: Path, kind: str, *, declared: bool, lossy: bool
) -> None:
    rng = np.random.default_rng(3)
    scores = rng.beta(1, 5, 12_000)
    never = (scores > 0.5) & (rng.random(12_000) < 0.5)
    policy = percentages(50) if declared else ()
    if kind == "multiclass":
        policy += ("predictions.kind=multiclass",)
    source = sampled(tmp_path, 50, answers=written(kind, scores), lost=never & lossy)
    gate = judged(source, *policy).verdict.gates["missing_pairs"]
    assert gate.outcome == ("fail" if lossy else "pass"), gate.text
    if not lossy:
        return
    said = "score" if kind in {"score", "json"} else "label"
    assert f"depends on production's {said}" in gate.text
    assert gate.value is not None
    assert gate.value > never.mean() / 2  # pairs that were lost, as a share of pairs


def test_answers_lost_in_some_hours_are_lost_where_no_percentage_changed(tmp_path: Path) -> None:
    scores = np.random.default_rng(4).beta(2, 5, 10_000)
    lost = np.arange(10_000) % 8_000 < 750
    source = sampled(tmp_path, 50, answers=written("score", scores), lost=lost)
    closed = judged(source, *percentages(50)).verdict.gates["missing_pairs"]
    assert closed.closed
    assert "depends on the hour (p = " in closed.text
    told = judged(source).verdict.gates["missing_pairs"]
    assert told.outcome == "pass"  # a percentage may have been changed
    assert "the hour" not in told.text


def test_a_repeated_input_without_an_id_has_several_chances_of_a_partner(tmp_path: Path) -> None:
    scores = np.random.default_rng(5).beta(2, 5, 4_000)
    nothing = np.zeros(4_000, np.bool_)
    single = sampled(
        tmp_path / "single", 50, answers=written("score", scores), lost=nothing, ids="none"
    )
    assert judged(single).verdict.gates["missing_pairs"].outcome == "pass"
    inputs = np.where(scores > 0.4, 1, np.arange(4_000))
    rng = np.random.default_rng(6)
    sides = [
        [
            line(k, f"{inputs[k]}", f"{scores[k]:.4f}")
            for k in np.flatnonzero(rng.random(4_000) < 0.5).tolist()
        ]
        for _ in range(2)
    ]
    gate = judged(put(tmp_path / "repeated", *sides)).verdict.gates["missing_pairs"]
    assert gate.outcome == "not_measured"
    assert "repeat an input" in gate.text


def test_requests_that_cannot_be_named_are_not_missing(tmp_path: Path) -> None:
    """Only some clients send an inference ID, and they ask for other things."""
    rng = np.random.default_rng(7)
    scores = rng.beta(2, 5, 6_000)
    named = rng.random(6_000) < scores
    sides = [
        [
            line(k, f"{k}", f"{scores[k]:.4f}", f"r{k}" if named[k] else None)
            for k in np.flatnonzero(rng.random(6_000) < 0.5).tolist()
        ]
        for _ in range(2)
    ]
    source = put(tmp_path, *sides)
    gate = judged(source, 'pairing.keys=["inference_id"]').verdict.gates["missing_pairs"]
    assert gate.outcome == "pass"
