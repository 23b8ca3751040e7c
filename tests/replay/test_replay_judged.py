"""A replay that was really sent, judged by the command it names next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.model import Outcome
from analyzer.replay import Replay
from tests.replay.replays import (
    Handler,
    line,
    production_model,
    replayed,
    replayed_as,
    serving,
    write_captures,
)

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Verdict
    from analyzer.replay import Summary

REQUESTS = 400


def failing_at_times(handler: Handler, body: bytes) -> None:
    """Every tenth request, by its number, gets a 500."""
    if int(body.partition(b",")[0]) % 10 == 7:
        handler.answer(500, b"no")
    else:
        production_model(handler, body)


def captures(folder: Path) -> Path:
    return write_captures(folder / "captures", [line(number) for number in range(REQUESTS)])


def judged(summary: Summary, shadow: Path) -> Verdict:
    request = analysis.Request(
        endpoint=summary.endpoint,
        production=summary.captures,
        shadow=str(shadow),
        use_cache=False,
    )
    return analysis.run(request, silent).verdict


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[Summary, Path]:
    """A replay to a candidate that fails at times and to a baseline that does not; its folder."""
    folder = tmp_path_factory.mktemp("sent")
    source, out = captures(folder), folder / "out"
    with serving(failing_at_times) as candidate, serving(production_model) as baseline:
        asked = Replay(str(source), candidate.url, out, baseline=baseline.url, speed="max")
        return replayed_as(asked), out


def test_the_failures_that_were_answered_are_the_failures_that_are_judged(
    sent: tuple[Summary, Path],
) -> None:
    verdict = judged(*sent)
    failures = verdict.metrics["failure_rate"]
    subject = verdict.subject
    assert (subject.mode, subject.endpoint) == ("replay", "churn")
    assert (subject.production_variant, subject.shadow_variant) == ("AllTraffic", "candidate")
    assert failures.n.pairs == REQUESTS
    assert failures.shadow == 0.1
    assert failures.production == 0
    assert failures.outcome is Outcome.FAIL
    assert verdict.metrics["flip_rate"].effect is not None
    assert verdict.metrics["flip_rate"].effect.estimate == 0
    assert not verdict.gates["interleaved"].closed


def test_sending_as_fast_as_possible_has_no_schedule_and_judges_no_latency(
    sent: tuple[Summary, Path],
) -> None:
    summary, out = sent
    verdict = judged(summary, out / "churn" / "candidate")
    gate = verdict.gates["open_loop"]
    assert gate.closed
    assert gate.text.startswith("Replayed at full speed: ")
    (advice,) = (reason.advice for reason in verdict.reasons if reason.gate == "open_loop")
    assert "--speed captured" in advice
    assert "cannot replace" not in advice
    mean = verdict.metrics["latency_mean"]
    assert mean.outcome is Outcome.UNRESOLVED
    assert "late" not in " ".join(note.text for note in mean.notes)
    assert mean.production is not None
    assert mean.production > 0
    assert verdict.gates["missing_pairs"].value == 0


def test_a_replay_without_a_baseline_names_what_it_lacks(tmp_path: Path) -> None:
    source, out = captures(tmp_path), tmp_path / "out"
    with serving(production_model) as candidate:
        summary = replayed(source, out, candidate.url)
    verdict = judged(summary, out)
    assert {note.code for note in verdict.metrics["latency_mean"].notes} == {"no-baseline"}
    assert verdict.metrics["failure_rate"].effect is not None
    assert verdict.metrics["failure_rate"].effect.estimate == 0
