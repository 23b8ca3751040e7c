"""Labels that a wrong ID gave to other requests make no shadow more accurate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from analyzer.model import Outcome
from tests.labels.labels_builders import Asked, capture, judged, truth, write

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from analyzer.model import Evidence

REQUESTS = 3_000
WORDS = {
    "probability": ("0.2", "0.8"),
    "label": ("no", "yes"),
}


def accuracy(folder: Path, kind: str, *, dealt: bool, turned: float = 0.2) -> Evidence:
    """Of a production right in nine of ten, and a shadow that turns so many yeses into noes.

    Args:
        folder: for captures and labels.
        kind: of the outputs.
        dealt: whether labels lie with other requests than their own.
        turned: share of production's yeses, 15 % of all, that are noes of the shadow's.
    """
    rng = np.random.default_rng(57)
    said = rng.random(REQUESTS) < 0.15
    shadow = said & (rng.random(REQUESTS) >= turned)
    events = said ^ (rng.random(REQUESTS) < 0.1)
    known = rng.permutation(events) if dealt else events
    answers = zip(_spelled(said, kind), _spelled(shadow, kind), strict=True)
    requests = [Asked(p, s, f"r{k}") for k, (p, s) in enumerate(answers)]
    words = ("0", "1") if kind == "probability" else WORDS[kind]
    labels = (truth(f"r{k}", words[int(event)]) for k, event in enumerate(known))
    source = capture(folder / "captures", requests)
    done = judged(source, write(folder / "l.jsonl", labels))
    return done.verdict.metrics["accuracy"]


def _spelled(yes: npt.NDArray[np.bool_], kind: str) -> list[str]:
    """Each answer; scores differ a little, so that they are no classes."""
    if kind == "label":
        return [WORDS[kind][int(one)] for one in yes]
    return [f"{WORDS[kind][int(one)]}{k % 997:03}" for k, one in enumerate(yes)]


def codes(evidence: Evidence) -> set[str]:
    return {note.code for note in evidence.notes}


@pytest.mark.long
@pytest.mark.parametrize("kind", WORDS)
def test_labels_of_the_same_requests_fail_it(kind: str, tmp_path: Path) -> None:
    honest = accuracy(tmp_path, kind, dealt=False)
    assert honest.outcome is Outcome.FAIL
    assert "labels-unrelated" not in codes(honest)


@pytest.mark.parametrize("kind", ["probability", pytest.param("label", marks=pytest.mark.long)])
def test_labels_of_other_requests_pass_no_shadow_that_says_the_commonest(
    kind: str, tmp_path: Path
) -> None:
    dealt = accuracy(tmp_path, kind, dealt=True)
    assert dealt.effect is not None
    assert dealt.effect.estimate is not None
    assert dealt.effect.estimate > 0.01  # more accurate, these labels say
    assert dealt.outcome is Outcome.UNRESOLVED
    assert dealt.effect.lower is None
    assert "labels-unrelated" in codes(dealt)
    assert dealt.needs is not None
    assert "They are of other requests, or about" in dealt.needs.text


def test_where_hardly_any_flips_labels_need_not_relate(tmp_path: Path) -> None:
    found = accuracy(tmp_path, "label", dealt=True, turned=0.005)
    assert found.effect is not None
    assert found.effect.estimate != 0
    assert found.outcome is Outcome.PASS


def test_a_shadow_that_these_labels_fail_fails(tmp_path: Path) -> None:
    """A rule about passes softens no fail, whatever the labels are worth."""
    rng = np.random.default_rng(52)
    said = rng.random(REQUESTS) < 0.15
    shadow = said | (rng.random(REQUESTS) < 0.05)
    labels = (truth(f"r{k}", "no" if rng.random() < 0.8 else "yes") for k in range(REQUESTS))
    answers = zip(_spelled(said, "label"), _spelled(shadow, "label"), strict=True)
    requests = [Asked(p, s, f"r{k}") for k, (p, s) in enumerate(answers)]
    source = capture(tmp_path / "captures", requests)
    found = judged(source, write(tmp_path / "l.jsonl", labels)).verdict.metrics["accuracy"]
    assert found.outcome is Outcome.FAIL
    assert "labels-unrelated" in codes(found)


def test_rare_events_that_no_score_calls_likely_show_their_labels(tmp_path: Path) -> None:
    """Probabilities of a few per cent: both variants answer no every time."""
    rng = np.random.default_rng(53)
    scores = np.clip(rng.gamma(0.5, 0.04, REQUESTS), 0.0005, 0.45)
    events = rng.random(REQUESTS) < scores
    retrained = np.clip(scores * np.exp(0.1 * rng.normal(size=REQUESTS)), 0.0005, 0.49)
    retrained[:40] = 0.6  # 0.8 % flip: too many for labels not to matter
    requests = [
        Asked(f"{p:.5f}", f"{s:.5f}", f"r{k}")
        for k, (p, s) in enumerate(zip(scores, retrained, strict=True))
    ]
    source = capture(tmp_path / "captures", requests)
    labels = {"own": events, "dealt": rng.permutation(events)}
    found = {
        name: judged(
            source,
            write(
                tmp_path / f"{name}.jsonl", (truth(f"r{k}", str(int(e))) for k, e in enumerate(of))
            ),
        ).verdict.metrics["accuracy"]
        for name, of in labels.items()
    }
    assert ["labels-unrelated" in codes(found[name]) for name in labels] == [False, True]
