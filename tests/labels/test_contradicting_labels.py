"""Labels that say the opposite settle nothing; good models may be below one answer to all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.labels.labels_builders import Asked, capture, judged, truth, write

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from analyzer.model import Evidence

    BoolArray = npt.NDArray[np.bool_]

LABELLED = 2_000


def accuracy(
    folder: Path, production: list[str], shadow: list[str], labels: list[str], *policy: str
) -> Evidence:
    requests = [
        Asked(mine, other, f"r{k}")
        for k, (mine, other) in enumerate(zip(production, shadow, strict=True))
    ]
    path = write(folder / "l.jsonl", (truth(f"r{k}", label) for k, label in enumerate(labels)))
    source = capture(folder / "captures", requests)
    return judged(source, path, *policy).verdict.metrics["accuracy"]


def unsettled(evidence: Evidence) -> bool:
    """Whether labels contradict, and then settle nothing."""
    codes = [note.code for note in evidence.notes]
    if "labels-contradict" not in codes:
        return False
    assert evidence.outcome.value == "unresolved"
    assert evidence.effect is not None
    assert evidence.effect.lower is evidence.effect.upper is None
    assert evidence.needs is not None
    assert "dealt out at random" in evidence.needs.text
    return True


BOTH = [True, pytest.param(False, marks=pytest.mark.long)]


@pytest.mark.parametrize("exchanged", BOTH)
@pytest.mark.parametrize("worse", ["shadow", pytest.param("production", marks=pytest.mark.long)])
def test_exchanged_labels_neither_pass_nor_fail(
    tmp_path: Path, worse: str, *, exchanged: bool
) -> None:
    rng = np.random.default_rng(1)
    scores = rng.beta(1, 4, LABELLED)
    truths = rng.random(LABELLED) < scores
    other = np.where(rng.random(LABELLED) < 0.03, 1 - scores, scores)
    sides = [[f"{score:.4f}" for score in values] for values in (scores, other)]
    if worse == "production":
        sides.reverse()
    labels = [str(int(truth_ != exchanged)) for truth_ in truths]
    assert unsettled(accuracy(tmp_path, sides[0], sides[1], labels)) is exchanged


@pytest.mark.parametrize("shifted", BOTH)
def test_classes_numbered_from_another_start_neither_pass_nor_fail(
    tmp_path: Path, *, shifted: bool
) -> None:
    rng = np.random.default_rng(2)
    truths = rng.integers(0, 4, LABELLED)
    answers = [
        str(value) for value in np.where(rng.random(LABELLED) < 0.8, truths, (truths + 2) % 4)
    ]
    labels = [str(value + int(shifted)) for value in truths]
    found = accuracy(tmp_path, answers, answers, labels, "predictions.kind=label")
    assert unsettled(found) is shifted


DETECTORS = [
    pytest.param(0.6, 0.0014, marks=pytest.mark.long),
    pytest.param(0.95, 0.2, marks=pytest.mark.long),
    (0.98, 0.6),
]


def detected(recall: float, false_alarms: float) -> tuple[BoolArray, BoolArray]:
    """What a detector flags, and what is fraud: 0.02 of the requests."""
    rng = np.random.default_rng(3)
    fraud = rng.random(LABELLED) < 0.02
    return rng.random(LABELLED) < np.where(fraud, recall, false_alarms), fraud


def said(yes: BoolArray) -> list[str]:
    return ["yes" if one else "no" for one in yes]


@pytest.mark.parametrize(("recall", "false_alarms"), DETECTORS)
def test_a_detector_of_rare_events_may_be_below_one_answer_to_all(
    tmp_path: Path, recall: float, false_alarms: float
) -> None:
    """From a precision of 90 % to one tuned to miss nothing: 0.02 of the requests are fraud."""
    flagged, fraud = detected(recall, false_alarms)
    answers = said(flagged)
    found = accuracy(tmp_path, answers, answers, said(fraud))
    assert not unsettled(found)
    assert found.effect is not None
    assert found.effect.lower is not None
    assert found.effect.lower > -0.005
    assert found.production is not None
    assert (found.production < 1 - fraud.mean()) == (false_alarms > 0.01)


@pytest.mark.long
@pytest.mark.parametrize(("recall", "false_alarms"), DETECTORS)
def test_a_detector_of_rare_events_with_exchanged_labels_neither_passes_nor_fails(
    tmp_path: Path, recall: float, false_alarms: float
) -> None:
    flagged, fraud = detected(recall, false_alarms)
    answers, exchanged = said(flagged), said(~fraud)
    assert unsettled(accuracy(tmp_path, answers, answers, exchanged))


def test_labels_of_mistakes_alone_neither_pass_nor_fail(tmp_path: Path) -> None:
    answers = ["yes", "no"] * 700
    labels = ["no", "yes"] * 700
    assert unsettled(accuracy(tmp_path, answers, labels, labels))
