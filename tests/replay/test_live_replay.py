"""Replays that are really sent to servers of known latency and failures, and judged.

The long form is 5 000 requests with a fifth more latency, with none, and with one request in a
hundred failed. The short form has fewer requests and effects so large that no other load of the
machine can be taken for them or hide them.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.model import Decision, Outcome
from analyzer.replay import Replay
from tests.examples import examples
from tests.replay.paced_server import answer_to
from tests.replay.replays import line, replayed_as, write_captures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Verdict

ROOT = Path(__file__).parents[2]
MEAN_MS, SHIFT = 20.0, 0.002
FEW = examples(250, whole=500)


@contextmanager
def paced(mean_ms: float, failing: float, shift: float, seed: str) -> Iterator[str]:
    """A server in its own process; its URL."""
    command = [sys.executable, "-m", "tests.replay.paced_server"]
    command += [str(mean_ms), str(failing), str(shift), seed]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def captures(folder: Path, requests: int) -> Path:
    """What the production model was asked, each request another, and what it said."""
    lines = []
    for number in range(requests):
        data = f"{number},{number * 7 % 13}"
        lines.append(line(number, data=data, output=answer_to(data.encode())))
    return write_captures(folder / "captures", lines)


def judged(
    folder: Path, requests: int, speed: str, *, slower: float = 1.0, failing: float = 0.0
) -> Verdict:
    """The verdict on a candidate beside a baseline of `MEAN_MS` that fails nothing."""
    source, out = captures(folder, requests), folder / "out"
    with (
        paced(MEAN_MS * slower, failing, SHIFT, "candidate") as candidate,
        paced(MEAN_MS, 0.0, 0.0, "baseline") as baseline,
    ):
        asked = Replay(str(source), candidate, out, baseline=baseline, speed=speed)
        summary = replayed_as(asked)
    request = analysis.Request(production=summary.captures, shadow=str(out), use_cache=False)
    return analysis.run(request, silent).verdict


def reasons(verdict: Verdict) -> set[str]:
    return {reason.code for reason in verdict.reasons}


def test_a_candidate_three_times_as_slow_is_not_promoted_at_any_load(tmp_path: Path) -> None:
    verdict = judged(tmp_path, FEW, "100/s", slower=3.0)
    mean = verdict.metrics["latency_mean"]
    assert mean.production is not None
    assert mean.shadow is not None
    assert mean.shadow > 1.5 * mean.production
    if verdict.gates["open_loop"].closed:  # a busy machine sends late: then nothing is judged
        assert mean.outcome is Outcome.UNRESOLVED
        assert verdict.decision is Decision.HOLD
    else:
        assert mean.outcome is Outcome.FAIL
        assert verdict.decision is Decision.REJECT
        assert "latency-mean-regression" in reasons(verdict)


def test_a_candidate_that_fails_one_request_in_ten_is_rejected_at_any_load(tmp_path: Path) -> None:
    verdict = judged(tmp_path, 500, "250/s", failing=0.1)
    failures = verdict.metrics["failure_rate"]
    assert failures.production == 0
    assert failures.shadow == pytest.approx(0.1, abs=0.05)
    assert verdict.decision is Decision.REJECT
    assert "failure-rate-regression" in reasons(verdict)


def test_an_equal_candidate_is_not_rejected_and_needs_more_requests(tmp_path: Path) -> None:
    verdict = judged(tmp_path, FEW, "100/s")
    assert verdict.decision is Decision.HOLD
    assert verdict.metrics["failure_rate"].outcome is Outcome.UNRESOLVED
    flips = verdict.metrics["flip_rate"].effect
    assert flips is not None
    assert flips.estimate is not None
    assert flips.estimate < 0.01
    assert verdict.metrics["latency_mean"].outcome is not Outcome.FAIL


@pytest.mark.long
@pytest.mark.parametrize(
    ("slower", "decision", "because"),
    [(1.0, Decision.PROMOTE, set()), (1.2, Decision.REJECT, {"latency-mean-regression"})],
)
def test_five_thousand_requests_tell_an_equal_candidate_from_one_a_fifth_slower(
    slower: float, decision: Decision, because: set[str], tmp_path: Path
) -> None:
    verdict = judged(tmp_path, 5_000, "60/s", slower=slower)
    if verdict.gates["open_loop"].closed:
        assert verdict.decision is Decision.HOLD
        pytest.skip(f"this machine cannot send on time: {verdict.gates['open_loop'].text}")
    assert (verdict.decision, reasons(verdict)) == (decision, because)


@pytest.mark.long
def test_one_failure_in_a_hundred_of_five_thousand_requests_is_rejected(tmp_path: Path) -> None:
    verdict = judged(tmp_path, 5_000, "60/s", failing=0.01)
    assert verdict.decision is Decision.REJECT
    assert "failure-rate-regression" in reasons(verdict)
