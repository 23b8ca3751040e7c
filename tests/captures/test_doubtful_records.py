"""Records of one event that differ, and pairs of one ID whose inputs differ: counted and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from tests.captures.capture_builders import line, read, sides
from tests.faults.shadow_tests import PRODUCTION, SHADOW, hour_lines, object_path, put_object

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Verdict

HOURS = range(3)


@pytest.mark.parametrize(
    ("changes", "contradictions"),
    [
        ([{}, {"second": 90}], 0),
        (
            [
                {"output": "0.9\n"},
                {"payload": "3,2,1"},
                {"payload": None},
                {"inference_id": "another"},
                {"inference_id": None},
            ],
            5,
        ),
    ],
)
def test_a_repeated_event_contradicts_where_request_or_answer_differ(
    changes: list[dict[str, object]], contradictions: int
) -> None:
    lines = [line(5, event_id="alone")]
    for n, changed in enumerate(changes):
        said = {"second": 0, "event_id": f"event {n}", "inference_id": f"request {n}"}
        lines += [line(**said), line(**{**said, **changed})]  # type: ignore[arg-type]
    facts = read(sides(lines, [])).facts
    assert facts.ledger.duplicate == len(changes)
    assert facts.contradictions == contradictions
    assert facts.ledger.accounted == facts.ledger.lines == 1 + 2 * len(changes)


def judged(folder: Path, shadow: list[list[bytes]], *policy: str) -> Verdict:
    for hour in HOURS:
        put_object(object_path(folder, PRODUCTION, hour), b"\n".join(hour_lines(hour, PRODUCTION)))
        put_object(object_path(folder, SHADOW, hour), b"\n".join(shadow[hour]))
    request = analysis.Request(source=str(folder), overrides=policy, use_cache=False)
    return analysis.run(request, silent).verdict


def copied() -> list[list[bytes]]:
    return [hour_lines(hour, SHADOW) for hour in HOURS]


def test_contradictions_close_the_gate_that_rejected_lines_close(tmp_path: Path) -> None:
    """Which of two answers the shadow gave, nobody can say."""
    same, other = copied(), copied()
    same[1].append(same[1][0])
    other[1].append(other[1][0].replace(b"0.2600", b"0.9600"))
    assert other[1][-1] != other[1][0]
    silent_ = judged(tmp_path / "same", same)
    assert not silent_.gates["objects"].closed
    assert "contradictions" not in {note.code for note in silent_.notes}
    said = judged(tmp_path / "other", other)
    assert said.ledger.duplicate == silent_.ledger.duplicate == 1
    assert said.gates["objects"].closed
    assert "1 (1.370 %) that contradict another of the same event" in said.gates["objects"].text
    assert "contradictions" in {note.code for note in said.notes}


@pytest.mark.parametrize(
    ("changed", "closed"),
    [
        pytest.param(0, False, marks=pytest.mark.long),
        (1, False),
        (2, True),
        pytest.param(36, True, marks=pytest.mark.long),
    ],
)
def test_pairs_of_other_inputs_are_said_and_above_the_allowed_share_close_pairing(
    changed: int, tmp_path: Path, *, closed: bool
) -> None:
    """An ID that one day's requests had and the next day's have again."""
    shadow, left = copied(), changed
    for lines in shadow:
        for place, text in enumerate(lines):
            if left:
                lines[place] = text.replace(b'"data": "', b'"data": "9', 1)
                left -= 1
    verdict = judged(tmp_path, shadow)
    assert verdict.ledger.pairs == verdict.pairing.by_inference_id == 36
    notes = [note.text for note in verdict.notes if note.code == "other-inputs"]
    assert len(notes) == (changed > 0)
    # 36 pairs are too few in any case; what is said first is why
    assert ("another input" in verdict.gates["pairing"].text) is closed


def test_pairs_whose_inputs_were_not_captured_are_not_said_to_differ(tmp_path: Path) -> None:
    shadow = [
        [text.replace(b'"endpointInput"', b'"left out"') for text in lines] for lines in copied()
    ]
    verdict = judged(tmp_path, shadow)
    assert verdict.ledger.pairs == 36
    assert "other-inputs" not in {note.code for note in verdict.notes}


@pytest.mark.parametrize("changed", [False, True])
def test_a_shadow_that_is_productions_capture_copied_is_said_to_be(
    tmp_path: Path, *, changed: bool
) -> None:
    shadow = [hour_lines(hour, PRODUCTION) for hour in HOURS]
    if changed:
        shadow[-1][-1] = shadow[-1][-1].replace(b"Z", b".5Z")
    verdict = judged(tmp_path, shadow)
    assert ("same-lines" in {note.code for note in verdict.notes}) is not changed
