"""Labels that came for some answers only: accuracy among them does not speak for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from analyzer.metrics.accuracy import _at_any_look
from analyzer.metrics.failures import bounds_once
from analyzer.metrics.label_selection import MORE_FLIPS, weigh
from analyzer.metrics.labelled import LabelCounts
from analyzer.model import Outcome
from tests.examples import examples
from tests.labels.labels_builders import Asked, capture, judged, truth, write

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from analyzer.metrics.label_selection import Bounds, Weighed
    from analyzer.model import Evidence

    Ints = npt.NDArray[np.int64]

REQUESTS = 3_000


def loans(
    folder: Path,
    *,
    grants: float,
    refusals: float,
    turned: float = 0.04,
    wrong: float = 0.0,
    unknown: str | None = None,
) -> Evidence:
    """Accuracy where the shadow turns some refusals into grants, each of them a mistake.

    Args:
        folder: for captures and labels.
        grants: share of production's grants that have a label.
        refusals: share of its refusals.
        turned: share of refusals that the shadow turns.
        wrong: share of grants that it refuses, each of them a mistake too.
        unknown: what a label says where there is none; None for no label.
    """
    rng = np.random.default_rng(3)
    granted = rng.random(REQUESTS) < 0.5
    flips = rng.random(REQUESTS) < np.where(granted, wrong, turned)
    said = np.where(granted, "grant", "refuse")
    shadow = np.where(granted ^ flips, "grant", "refuse")
    good = np.where(rng.random(REQUESTS) < 0.9, said, np.where(granted, "refuse", "grant"))
    right = np.where(flips, said, good)
    known = rng.random(REQUESTS) < np.where(granted, grants, refusals)
    pairs = enumerate(zip(said, shadow, strict=True))
    requests = [Asked(str(p), str(s), f"loan {k}") for k, (p, s) in pairs]
    labels = [
        truth(f"loan {k}", str(right[k]) if known[k] else str(unknown))
        for k in range(REQUESTS)
        if known[k] or unknown is not None
    ]
    source = capture(folder / "captures", requests)
    done = judged(source, write(folder / "labels" / "a.jsonl", labels))
    return done.verdict.metrics["accuracy"]


def codes(accuracy: Evidence) -> set[str]:
    return {note.code for note in accuracy.notes}


@pytest.fixture(scope="module")
def grants_alone(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Every grant has a label, and no refusal."""
    return loans(tmp_path_factory.mktemp("loans"), grants=1.0, refusals=0.0)


def test_labels_of_grants_alone_do_not_pass_a_shadow_that_grants_more(
    grants_alone: Evidence,
) -> None:
    assert grants_alone.outcome is Outcome.UNRESOLVED
    assert "labels-selective" in codes(grants_alone)
    assert grants_alone.needs is not None


@pytest.mark.parametrize(
    "refusals", [*(pytest.param(few, marks=pytest.mark.long) for few in (0.001, 0.05)), 0.01]
)
def test_labels_of_grants_and_few_refusals_do_not_pass_a_shadow_that_grants_more(
    refusals: float, tmp_path: Path
) -> None:
    accuracy = loans(tmp_path, grants=1.0, refusals=refusals)
    assert accuracy.outcome is not Outcome.PASS
    assert "labels-selective" in codes(accuracy)
    assert accuracy.needs is not None or accuracy.outcome is Outcome.FAIL


@pytest.mark.parametrize("unknown", ["pending", pytest.param("", marks=pytest.mark.long)])
def test_a_label_that_says_nothing_is_no_label(unknown: str, tmp_path: Path) -> None:
    accuracy = loans(tmp_path, grants=1.0, refusals=0.0, unknown=unknown)
    assert accuracy.outcome is Outcome.UNRESOLVED
    assert accuracy.needs is MORE_FLIPS
    assert "labels-selective" in codes(accuracy)


def test_a_truth_that_production_answers_elsewhere_is_one(grants_alone: Evidence) -> None:
    """Among labelled grants nobody says "refuse", which is the truth of a tenth of them."""
    (note,) = (note for note in grants_alone.notes if note.code == "labels-selective")
    assert "0.0 % of the predictions that flip have one, of other predictions 52.0 %" in note.text


def test_the_same_shadow_is_judged_by_labels_of_any_requests(tmp_path: Path) -> None:
    accuracy = loans(tmp_path, grants=0.5, refusals=0.5, turned=0.08)
    assert accuracy.outcome is Outcome.FAIL
    assert "labels-selective" not in codes(accuracy)


def test_labels_of_flips_first_reject_no_shadow_for_it() -> None:
    """Of 0.2 % that flip half the flips are losses: 0.1 pp of all, but 10 pp of those labelled."""
    counts = np.array([[200, 200, 90, 110, 99_800, 1_800]])
    weighed = weighed_by(counts)
    assert weighed is not None
    assert -0.005 < weighed.lower < -20 / 100_000 < weighed.upper


def test_rows_of_a_request_that_have_no_truth_are_unlabelled(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    requests, labels = [], []
    for k in range(1_500):
        granted = rng.random(4) < 0.5
        turned = ~granted & (rng.random(4) < 0.08)
        said = ["grant" if one else "refuse" for one in granted]
        answers = ["grant" if one else "refuse" for one in granted | turned]
        requests.append(Asked("\n".join(said), "\n".join(answers), f"batch {k}"))
        known = [
            "grant" if one and rng.random() < 0.9 else ("refuse" if one else "null")
            for one in granted
        ]
        listed = ",".join(one if one == "null" else f'"{one}"' for one in known)
        labels.append(truth(f"batch {k}", f"[{listed}]", "JSON"))
    source = capture(tmp_path / "captures", requests)
    done = judged(source, write(tmp_path / "labels" / "a.jsonl", labels))
    accuracy = done.verdict.metrics["accuracy"]
    assert accuracy.outcome is not Outcome.PASS
    assert "labels-selective" in codes(accuracy)


def weighed_by(counts: Ints, bounds: Bounds = _at_any_look) -> Weighed | None:
    """Bounds at 5 % of answers by (flips, known, shadow right, production right, others, known)."""
    names = ("flips", "known_flips", "shadow_right", "production_right", "others", "known_others")
    table = pa.table({name: counts[:, place] for place, name in enumerate(names)})
    known = int(counts[:, [1, 5]].sum())
    row = {"predictions": known, "prediction_squares": float(known)}
    return weigh(LabelCounts("label", row, {"label_selection": table}), bounds, 0.05, 0.05)


def world(rng: np.random.Generator, share: npt.NDArray[np.float64], flips: float) -> Ints:
    """100,000 predictions of as many answers as shares; half of the flips are right."""
    predictions = rng.multinomial(100_000, np.full(len(share), 1 / len(share)))
    flipped = rng.binomial(predictions, flips)
    known, others = rng.binomial(flipped, share), predictions - flipped
    ours = rng.binomial(known, 0.5)
    return np.stack(
        [flipped, known, ours, known - ours, others, rng.binomial(others, share)], axis=1
    )


@pytest.mark.parametrize(
    ("answers", "share"),
    [
        pytest.param(
            answers,
            share,
            marks=()
            if (answers, share) in {(2, 0.9), (20, 0.2), (200, 0.01)}
            else pytest.mark.long,
        )
        for answers in (2, 20, 200)
        for share in (0.01, 0.2, 0.9)
    ],
)
def test_labels_of_a_random_part_are_seldom_weighed(share: float, answers: int) -> None:
    """As often as promised, 1 %, or as the chi-square distribution has it in sparse cells."""
    rng = np.random.default_rng(7)
    worlds = (world(rng, np.full(answers, share), 0.03) for _ in range(300))
    assert sum(weighed_by(counts) is not None for counts in worlds) <= 12


@pytest.mark.parametrize("answers", [2, 20, 200])
def test_labels_that_pass_by_the_flips_of_half_of_the_answers_allow_for_them(answers: int) -> None:
    rng = np.random.default_rng(8)
    share = np.where(np.arange(answers) % 2, 0.4, 0.0)
    for _ in range(examples(5, whole=20)):
        weighed = weighed_by(world(rng, share, 0.03))
        assert weighed is not None
        assert weighed.lower < -0.01  # half of 3 % may all be losses


@pytest.mark.parametrize("answers", [2, 20, 200])
def test_labels_that_pass_by_flips_allow_for_them(answers: int) -> None:
    rng = np.random.default_rng(9)
    counts = world(rng, np.full(answers, 0.1), 0.02)
    counts[:, 1:4] = 0
    weighed = weighed_by(counts)
    assert weighed is not None
    share = counts[:, 0].sum() / 100_000
    assert -1.15 * share < weighed.lower < -share


def test_answers_with_fewer_labels_weigh_as_much_as_they_flip() -> None:
    """Refusals have half as many labels as grants, and all of their flips are losses: -0.6 pp."""
    counts = np.array(
        [[2_400, 1_920, 960, 960, 197_600, 158_080], [2_400, 1_008, 0, 1_008, 197_600, 82_992]]
    )
    weighed = weighed_by(counts)
    assert weighed is not None
    assert weighed.lower < -0.006 < weighed.upper


@pytest.mark.parametrize(
    ("predictions", "flips"),
    [(10_000, 0.0055), pytest.param(100_000, 0.0051, marks=pytest.mark.long)],
)
def test_how_many_flip_is_no_more_certain_than_it_was_counted(
    predictions: int, flips: float
) -> None:
    """Each flip is a loss that nobody labelled: more than the margin, seen or not."""
    rng = np.random.default_rng(10)
    passed = 0
    for flipped in rng.binomial(predictions, flips, size=100).tolist():
        others = predictions - flipped
        weighed = weighed_by(np.array([[flipped, 0, 0, 0, others, others]]))
        assert weighed is not None
        passed += weighed.lower > -0.005
    assert passed <= 5


@pytest.mark.parametrize("bounds", [bounds_once, _at_any_look])
def test_flips_without_others_are_weighed_too(bounds: Bounds) -> None:
    weighed = weighed_by(np.array([[900, 400, 100, 0, 0, 0], [900, 0, 0, 0, 0, 0]]), bounds)
    assert weighed is not None
    assert -1 <= weighed.lower < weighed.upper <= 1
